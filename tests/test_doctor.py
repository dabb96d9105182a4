"""The doctor: every failure is provoked, is found, and comes with its fix; nothing it meets stops it."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch

from vaecourse import __main__, data, doctor
from vaecourse.doctor import Check, examine, verdict

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where downloads would be: an empty folder."""
    monkeypatch.setenv("VAECOURSE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("VAECOURSE_DIGITS", raising=False)
    return tmp_path / "mnist"


def one(name: str) -> Check:
    (check,) = [c for c in examine() if c.name.startswith(name)]
    return check


# ---------------------------------------------------------------- as a whole


def test_all_is_well_where_the_tests_run(folder: Path) -> None:
    assert [c for c in examine() if not c.ok] == []


def test_the_ranges_are_those_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.findall(r'"([a-z-]+)>=([\d.]+)"', project.split("dependencies = [")[1].split("]")[0])
    assert dict(declared) == doctor.PACKAGES
    assert 'requires-python = ">={}.{}"'.format(*doctor.PYTHON) in project


def test_the_digests_are_those_of_the_files_that_ship() -> None:
    assert set(doctor.SHIPPED) == {p.name for p in (ROOT / "data").iterdir() if p.name != "README.md"}
    for name, sha256 in doctor.SHIPPED.items():
        assert sha256 in (None, hashlib.sha256((ROOT / "data" / name).read_bytes()).hexdigest())


def test_the_verdict_without_details_is_the_same_on_every_machine_where_all_is_well() -> None:
    good = [Check("torch 2.6 or newer", True, "2.13.0+cpu"), Check("threads", True, "8 for 2 processors", "set OMP_NUM_THREADS=2")]
    assert verdict(good) == "ok   torch 2.6 or newer\nok   threads"


def test_the_verdict_shows_what_was_found_and_the_fix_where_something_is_wrong() -> None:
    bad = Check("numpy 1.26 or newer", False, "1.20.0", "pip install it")
    assert verdict([bad]) == "FIX  numpy 1.26 or newer: 1.20.0\n     do: pip install it"


def test_details_show_everything_found_and_tips() -> None:
    checks = [Check("memory", True, "9.0 GB free"), Check("threads", True, "8 for 2 processors", "set it")]
    assert verdict(checks, details=True) == "ok   memory: 9.0 GB free\nok   threads: 8 for 2 processors\n     tip: set it"


def test_a_look_that_fails_is_not_ok_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> tuple:
        raise OSError("the disk is gone\nand more")

    monkeypatch.setattr(doctor, "memory", broken)
    check = one("memory")
    assert not check.ok
    assert check.found == "cannot be looked at (OSError: the disk is gone)"
    assert "mend the lines above" in check.todo
    assert one("shipped data").ok


def test_it_runs_where_torch_is_missing() -> None:
    code = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'")
sys.meta_path.insert(0, Missing())
from vaecourse.doctor import examine, verdict
print(verdict(examine()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "FIX  torch" in done.stdout
    assert "No module named 'torch'" in done.stdout
    assert "ok   numpy" in done.stdout


# ---------------------------------------------------------------- Python and packages


def test_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    check = one("Python")
    assert not check.ok
    assert check.found.startswith("3.9 at ")
    assert "newer Python" in check.todo


@pytest.mark.parametrize("name", doctor.PACKAGES)
def test_a_package_that_is_not_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(asked: str) -> str:
        if asked == name:
            raise metadata.PackageNotFoundError(asked)
        return "99.0"

    monkeypatch.setattr(metadata, "version", version)
    check = one(f"{name} ")
    assert not check.ok
    assert check.found == f"not installed for {sys.executable}"
    assert f'{sys.executable} -m pip install --upgrade "{name}>={doctor.PACKAGES[name]}"' in check.todo
    assert "restart" in check.todo


@pytest.mark.parametrize(
    ("version", "ok"), [("2.5.1+cu121", False), ("1.13", False), ("2.6", True), ("2.6.0+cpu", True), ("2.10.0", True), ("3.0.0a0", True)]
)
def test_versions_are_compared_as_numbers(version: str, ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: version)
    check = Check("torch", *doctor.package("torch", "2.6"))
    assert check.ok == ok
    assert check.found == version
    assert ("--upgrade" in check.todo) == (not ok)


def test_a_package_that_is_there_and_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise OSError("libcudart.so.12: cannot open shared object file")

    monkeypatch.setattr(doctor.importlib, "import_module", broken)
    check = one("torch")
    assert not check.ok
    assert "which cannot be imported (OSError: libcudart.so.12" in check.found
    assert "--force-reinstall" in check.todo


# ---------------------------------------------------------------- data


def test_a_choice_of_digits_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECOURSE_DIGITS", "minst")
    check = one("choice of digits")
    assert not check.ok
    assert check.found == "minst"
    assert "strokes, mnist, static-mnist" in check.todo


def test_shipped_data_missing_or_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("scoreboard.csv", "variants.csv"):
        shutil.copy(data.shipped(name), tmp_path)
    (tmp_path / "strokes.npz").write_bytes(b"half a file")
    monkeypatch.setattr(data, "shipped", lambda name: tmp_path / name)
    check = one("shipped data")
    assert not check.ok
    assert check.found == "strokes.npz is damaged, decoder.safetensors is missing, players.csv is missing"
    assert "git checkout -- data" in check.todo


def test_mnist_that_nobody_asked_for_is_a_tip(folder: Path) -> None:
    check = one("MNIST")
    assert check.ok
    assert check.found == f"0 of 4 files in {folder}"
    assert "load_digits('mnist')" in check.todo


@pytest.mark.parametrize(("name", "n"), [("mnist", 4), ("static-mnist", 3)])
def test_mnist_that_is_asked_for_and_is_not_there(name: str, n: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECOURSE_DIGITS", name)
    check = one("MNIST")
    assert not check.ok
    assert check.found == f"0 of {n} files in {folder}"
    assert f"load_digits('{name}')" in check.todo
    assert f"copy the {n} files" in check.todo
    assert "VAECOURSE_DATA_DIR" in check.todo


def test_mnist_complete_and_with_a_damaged_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECOURSE_DIGITS", "mnist")
    folder.mkdir()
    names = [name for name in data.SHA256 if name.endswith(".gz")]
    for name in names:
        (folder / name).write_bytes(name.encode())
        monkeypatch.setitem(data.SHA256, name, hashlib.sha256(name.encode()).hexdigest())
    assert one("MNIST")[1:] == (True, f"complete in {folder}", "")
    (folder / names[0]).write_bytes(b"")
    check = one("MNIST")
    assert not check.ok
    assert check.found == f"3 of 4 files in {folder}, {names[0]} is damaged"


# ---------------------------------------------------------------- the machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 8 GB free and no container."""
    (tmp_path / "meminfo").write_text("MemTotal: 16000000 kB\nMemAvailable:   8388608 kB\n")
    (tmp_path / "cgroup").mkdir()
    monkeypatch.setattr(doctor, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(doctor, "CGROUP", tmp_path / "cgroup")
    return tmp_path


def test_enough_memory(machine: Path) -> None:
    assert one("memory")[1:] == (True, "8.0 GB free", "")


@pytest.mark.parametrize(("kilobytes", "ok"), [(800_000, True), (300_000, False)])
def test_little_memory_is_a_tip_and_very_little_is_not_ok(kilobytes: int, ok: bool, machine: Path) -> None:
    (machine / "meminfo").write_text(f"MemAvailable: {kilobytes} kB\n")
    check = one("memory")
    assert check.ok == ok
    assert "shut down other kernels" in check.todo


def test_the_limit_of_a_container_counts_and_its_file_cache_does_not(machine: Path) -> None:
    (machine / "cgroup" / "memory.max").write_text(f"{2 * doctor.GB}\n")
    (machine / "cgroup" / "memory.current").write_text(f"{2 * doctor.GB - 100}\n")
    assert not one("memory").ok
    (machine / "cgroup" / "memory.stat").write_text(f"anon 5\nfile {doctor.GB + doctor.GB // 2}\n")
    assert one("memory")[1:] == (True, "1.5 GB free", "")
    (machine / "cgroup" / "memory.max").write_text("max\n")
    assert one("memory").found == "8.0 GB free"


def test_memory_that_the_system_does_not_tell(machine: Path) -> None:
    (machine / "meminfo").unlink()
    assert one("memory")[1:] == (True, "unknown on this system", "a notebook takes up to 1 GB")


def test_more_threads_than_processors_is_a_tip(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert one("threads")[1:] == (True, "64 for 64 processors", "")
    (machine / "cgroup" / "cpu.max").write_text("150000 100000\n")
    check = one("threads")
    assert check.ok
    assert check.found == "64 for 2 processors"
    assert "OMP_NUM_THREADS=2" in check.todo
    (machine / "cgroup" / "cpu.max").write_text("max 100000\n")
    assert one("threads").found == "64 for 64 processors"


# ---------------------------------------------------------------- the command


def test_the_command_prints_the_details_and_says_by_its_status_whether_all_is_well(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["doctor"]) == 0
    assert capsys.readouterr().out.startswith("ok   Python 3.10 or newer: 3.")
    monkeypatch.setenv("VAECOURSE_DIGITS", "minst")
    assert __main__.main(["doctor"]) == 1
    assert "FIX  choice of digits: minst\n     do: set VAECOURSE_DIGITS" in capsys.readouterr().out
