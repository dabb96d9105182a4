"""The doctor: every failure is provoked, is found, and comes with its fix; nothing it meets stops it."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
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
    assert check.found == "cannot be checked (OSError: the disk is gone)"
    assert "fix the lines above" in check.todo
    assert one("shipped data").ok


@pytest.mark.parametrize("name", ["torch", "numpy", "jaxtyping"])
def test_the_command_runs_where_a_package_cannot_be_imported(name: str) -> None:
    code = f"""
import runpy, sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {name!r}:
            raise ModuleNotFoundError("it is hidden")
sys.meta_path.insert(0, Hidden())
sys.argv = ["vaecourse", "doctor"]
runpy.run_module("vaecourse", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1, done.stderr
    assert f"FIX  {name} {doctor.PACKAGES[name]} or newer: {metadata.version(name)}, which cannot be imported" in done.stdout
    assert "ModuleNotFoundError: it is hidden" in done.stdout
    assert "ok   safetensors" in done.stdout


@pytest.fixture
def bare(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Runs Python where nothing is installed but the course and hollow packages of the names given, all of them version 99."""

    def run(packages: Iterable[str], *arguments: str) -> subprocess.CompletedProcess:
        for name in packages:
            (tmp_path / f"{doctor.module_of(name)}.py").touch()
            (tmp_path / f"{name.replace('-', '_')}-99.dist-info").mkdir()
            (tmp_path / f"{name.replace('-', '_')}-99.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: 99\n")
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
        python = sys._base_executable  # the one without this environment's packages
        return subprocess.run([python, "-S", *arguments], capture_output=True, text=True, env=environment, check=False)

    return run


@pytest.mark.parametrize("name", doctor.PACKAGES)
def test_the_command_runs_where_any_one_package_is_not_installed(name: str, bare: Callable) -> None:
    done = bare(set(doctor.PACKAGES) - {name}, "-m", "vaecourse", "doctor")
    assert done.returncode == 1
    assert done.stderr == ""
    faulty = [line for line in done.stdout.splitlines() if line.startswith("FIX") and "or newer" in line]
    assert len(faulty) == 1
    assert faulty[0].startswith(f"FIX  {name} {doctor.PACKAGES[name]} or newer: not installed for ")


def test_the_command_runs_where_nothing_at_all_is_installed(bare: Callable) -> None:
    done = bare((), "-m", "vaecourse", "doctor")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count(" or newer: not installed for ") == len(doctor.PACKAGES)


@pytest.mark.parametrize("statement", ["import torch", "from vaecourse import models", "from vaecourse.models import VAE"])
def test_an_import_that_fails_names_every_missing_package_and_says_what_to_do(statement: str, bare: Callable) -> None:
    done = bare({"numpy", "pandas"}, "-c", f"import vaecourse; {statement}")
    said = done.stderr.partition("ModuleNotFoundError: ")[2]
    listed = said.splitlines()[0].rpartition(": ")[2].removesuffix(".").split(", ")
    assert listed == [name for name in doctor.PACKAGES if name not in ("numpy", "pandas")]
    assert "choose the kernel" in said
    assert all(f'"{name}>={doctor.PACKAGES[name]}"' in said.splitlines()[2] for name in listed)
    assert "numpy" not in said


def test_an_import_of_something_else_fails_as_ever(bare: Callable) -> None:
    done = bare((), "-c", "import vaecourse, importlib.util; assert importlib.util.find_spec('nothing') is None; import vaecourse.nothing")
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'vaecourse.nothing'"


def test_commands_can_be_typed_where_the_path_of_python_has_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/my courses (new)/.venv/bin/python")
    monkeypatch.setattr(doctor, "_version", lambda name: None)
    commands = [doctor.package("torch", "2.6")[2].partition(", then")[0], doctor.advice(["torch"]).rpartition("restart: ")[2]]
    for command in commands:
        assert shlex.split(command)[:4] == ["/my courses (new)/.venv/bin/python", "-m", "pip", "install"]
        assert shlex.split(command)[-1] == "torch>=2.6"


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


@pytest.mark.parametrize(("name", "on_colab", "ok"), [("ipython", True, True), ("ipython", False, False), ("torch", True, False)])
def test_colabs_own_old_packages_are_left_alone(name: str, on_colab: bool, ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: "1.0")
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    if on_colab:
        monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab-20260101")
    check = Check(name, *doctor.package(name, doctor.PACKAGES[name]))
    assert check.ok == ok
    assert ("leave it as it is" in check.todo) == ok
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
    assert check.found == "strokes.npz is damaged, decoder.safetensors is missing, vaes.safetensors is missing, players.csv is missing"
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


def without_home(folder: Path, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
    """Runs Python as a user who has neither HOME nor an entry in the list of users: "~" is nowhere."""
    (folder / "sitecustomize.py").write_text("import pwd\ndef getpwuid(uid): raise KeyError(uid)\npwd.getpwuid = getpwuid\n")
    kept = {name: value for name, value in os.environ.items() if name not in ("HOME", "VAECOURSE_DATA_DIR", "VAECOURSE_DIGITS")}
    environment = kept | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"} | environment
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=cwd or folder, env=environment, check=False)


WITHOUT_HOME = """
import os
from vaecourse import data, doctor
from vaecourse.__main__ import main

print("status", main(["doctor"]))
os.environ["VAECOURSE_DIGITS"] = "mnist"
print("status", main(["doctor"]))
del os.environ["VAECOURSE_DIGITS"]
os.environ["VAECOURSE_DATA_DIR"] = "~/data"
print(doctor.mnist())
del os.environ["VAECOURSE_DATA_DIR"]
data.load_digits("mnist")
"""  # in one process, because each takes two seconds to start


@pytest.mark.skipif(os.name != "posix", reason="a Windows user always has a profile folder")
def test_no_home_folder_is_needed_until_mnist_is_asked_for(tmp_path: Path) -> None:
    done = without_home(tmp_path, "-c", WITHOUT_HOME)
    unasked, asked, at_last = done.stdout.split("status ")
    lines = unasked.splitlines()
    faults = [i for i, line in enumerate(lines) if line.startswith("FIX")]
    assert asked.startswith("1" if faults else "0"), done.stdout + done.stderr
    if faults:  # older releases of these two do not work there themselves
        assert without_home(tmp_path, "-c", "import matplotlib, ipywidgets").returncode != 0
    assert all("needs a home folder" in lines[i] and "do: set HOME" in lines[i + 1] for i in faults)
    assert "ok   MNIST, where it is asked for: this user has no home folder, in which downloads are kept\n" in unasked
    assert at_last.startswith("1")
    assert "do: set VAECOURSE_DATA_DIR to a folder that can be written to" in asked
    assert "(True, 'VAECOURSE_DATA_DIR cannot be used (the ~ in ~/data stands for a home folder that cannot be found" in at_last
    assert "DataUnavailable: this user has no home folder, in which downloads are kept: set VAECOURSE_DATA_DIR" in done.stderr
    assert not [
        p.name for p in tmp_path.iterdir() if p.name not in ("sitecustomize.py", "__pycache__")
    ]  # nothing was put into a folder called "~"


@pytest.mark.skipif(os.name != "posix", reason="a Windows user always has a profile folder")
def test_the_tests_run_without_a_home_folder(tmp_path: Path) -> None:
    arguments = ["--nbval", "--collect-only", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "notebooks/mnist.ipynb"]
    done = without_home(tmp_path, "-m", "pytest", *arguments, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


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
