"""What a wheel needs, what importing the package costs, and what a clone, a licence and a maintainer's environments are made of."""

from __future__ import annotations

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from vaecourse import doctor

ROOT = Path(__file__).parent.parent
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PACKAGE = {"sklearn": "scikit-learn"}  # where a module is not called like its package
LIGHT = ["exercises", *(p.stem for p in (ROOT / "vaecourse").glob("*.py") if p.stem not in ("__init__", "__main__", "plots", "widgets"))]


def run(code: str, folder: Path = ROOT, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | environment,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shipped_in_wheel() -> dict[str, str]:
    section = PYPROJECT.split("[tool.hatch.build.targets.wheel.force-include]")[1].split("\n[")[0]
    return dict(re.findall(r'"([^"]+)" = "([^"]+)"', section))


def test_everything_in_data_but_its_datasheet_goes_into_the_wheel() -> None:
    files = {f"data/{p.name}" for p in (ROOT / "data").iterdir() if p.name != "README.md"}
    assert shipped_in_wheel() == {name: f"vaecourse/_data/{name.removeprefix('data/')}" for name in files}


def test_an_installed_package_finds_its_data_without_the_checkout(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "vaecourse", tmp_path / "vaecourse", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "vaecourse" / "_data").mkdir()
    for source, target in shipped_in_wheel().items():
        shutil.copy(ROOT / source, tmp_path / target)
    code = """
import vaecourse, vaecourse.data as data, vaecourse.models as models, vaecourse.tables as tables
print(vaecourse.__file__)
print(data.shipped("strokes.npz"))
print(data.shipped("players.csv"))
print(tuple(data.load_digits("strokes").train.x.shape), models.pretrained("strokes").latent_dim, len(tables.load_players().columns))
"""
    package = tmp_path / "vaecourse"
    lines = run(code, tmp_path, PYTHONPATH=str(tmp_path), PYTHONIOENCODING="utf-8").splitlines()
    assert lines[:3] == [str(package / "__init__.py"), str(package / "_data" / "strokes.npz"), str(package / "_data" / "players.csv")]
    assert lines[3] == "(20000, 784) 2 12"


def test_heavy_libraries_are_not_imported_by_the_modules_that_do_without() -> None:
    heavy = ("matplotlib", "ipywidgets", "IPython", "sklearn", "pooch", "pandas")
    code = f"""
import importlib, sys
for module in {sorted(LIGHT)}:
    importlib.import_module(f"vaecourse.{{module}}")
    found = [name for name in {heavy} if name in sys.modules]
    assert not found, (module, found)
"""
    run(code)


def test_dependencies_cover_what_the_package_imports() -> None:
    nodes = [node for p in (ROOT / "vaecourse").glob("*.py") for node in ast.walk(ast.parse(p.read_text(encoding="utf-8")))]
    named = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    named += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imported = {name.split(".")[0] for name in named}
    outside = imported - set(sys.stdlib_module_names) - {"vaecourse", "__future__"}
    declared = PYPROJECT.split("dependencies = [")[1].split("]")[0].lower()
    assert all(f'"{PACKAGE.get(name, name).lower()}' in declared for name in outside), outside


def test_importing_the_package_alone_imports_next_to_nothing() -> None:
    code = "import sys, importlib.abc; before = set(sys.modules); import vaecourse; print(sorted(set(sys.modules) - before))"
    assert run(code).strip() == "['vaecourse']"


def test_a_missing_module_that_is_not_of_the_course_brings_nothing_with_it() -> None:
    """The standard library tries modules of other systems while it is half loaded: nothing may be imported then."""
    code = """
import sys, importlib.abc, vaecourse
before = set(sys.modules)
try:
    import a_module_of_another_system
except ModuleNotFoundError as error:
    print(error, sorted(set(sys.modules) - before))
"""
    assert run(code).strip() == "No module named 'a_module_of_another_system' []"


# ---------------------------------------------------------------- the checkout


def git(*arguments: str, folder: Path = ROOT) -> str:
    command = ["git", "-c", "safe.directory=*", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=True).stdout


in_a_clone = pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="not a clone of the course")


@in_a_clone
@pytest.mark.parametrize("autocrlf", ["true", "input", "false"])
def test_line_endings_are_the_same_in_every_clone(autocrlf: str, tmp_path: Path) -> None:
    git("clone", "--quiet", "-c", f"core.autocrlf={autocrlf}", "-c", "core.eol=crlf", str(ROOT), str(tmp_path / "clone"))
    listed = git("ls-files", "--eol", folder=tmp_path / "clone").splitlines()
    assert listed
    assert [line for line in listed if line.split()[1] not in ("w/lf", "w/none", "w/-text")] == []
    for name, sha256 in doctor.SHIPPED.items():
        assert sha256 in (None, doctor._sha256(tmp_path / "clone" / "data" / name))


@in_a_clone
def test_the_advice_for_damaged_data_mends_it(tmp_path: Path) -> None:
    git("clone", "--quiet", str(ROOT), str(tmp_path / "clone"))
    path = tmp_path / "clone" / "data" / "players.csv"
    right = path.read_bytes()
    path.write_bytes(right.replace(b"\n", b"\r\n"))  # what a careless editor makes of it
    git("checkout", "--", "data", folder=tmp_path / "clone")
    assert path.read_bytes() == right


def test_the_licence_names_every_file_of_the_data() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    named = set(re.findall(r"data/[\w.]*\w", text))
    assert named == {f"data/{p.name}" for p in (ROOT / "data").iterdir()}


def test_the_citation_names_the_version_of_the_package() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"', (ROOT / "vaecourse" / "__init__.py").read_text(encoding="utf-8"), flags=re.M).group(1)
    assert f"\nversion: {version}\n" in citation


# ---------------------------------------------------------------- versions


@pytest.fixture
def noxfile(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What noxfile.py defines, where nox is not installed."""
    dependencies = re.findall(r'"([a-z-]+>=[\d.]+)"', PYPROJECT)
    project = {"dependencies": dependencies, "optional-dependencies": {"notebooks": [], "test": []}}
    session = lambda **settings: lambda function: function  # noqa: E731
    toml = SimpleNamespace(load_toml=lambda path: {"project": project})
    nox = SimpleNamespace(session=session, Session=None, options=SimpleNamespace(), project=toml)
    monkeypatch.setitem(sys.modules, "nox", nox)
    names: dict[str, object] = {}
    exec(compile((ROOT / "noxfile.py").read_text(encoding="utf-8"), "noxfile.py", "exec", dont_inherit=True), names)
    return names


def test_the_lowest_versions_are_those_that_the_project_and_the_doctor_promise(noxfile: dict) -> None:
    pinned = dict(requirement.split("==") for requirement in noxfile["lowest_versions"]())
    assert {name: pinned[name] for name in doctor.PACKAGES} == doctor.PACKAGES
    assert {"pytest", "pytest-xdist", "scipy", "ruff", "jupyterlab"} <= set(pinned)
    assert "hatchling" not in noxfile["PROJECT"]["dependencies"]


def test_the_workflow_runs_every_session_of_the_noxfile(noxfile: dict) -> None:
    pythons = noxfile["PYTHONS"]
    assert pythons[0] == "{}.{}".format(*doctor.PYTHON)
    sessions = {f"pins-{python}": python for python in pythons} | {"lowest": pythons[0], "newest": pythons[-1], "colab": "3.12"}
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
    assert {row["session"]: row["python"] for row in workflow["jobs"]["tests"]["strategy"]["matrix"]["include"]} == sessions
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^nox -s (\S+)$", readme, flags=re.M)) <= set(sessions)
    assert ", ".join(pythons[:-1]) + " and " + pythons[-1] in readme


# ---------------------------------------------------------------- the machine of the tests


@pytest.mark.skipif(os.name != "posix", reason="kernels are reached through ports")
@pytest.mark.parametrize("length", [40, 127, 200])
def test_sockets_fit_wherever_temporary_files_go(
    length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    parent = tmp_path / ("d" * length)
    parent.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(parent))
    folder = pytestconfig.pluginmanager.getplugin(str(ROOT / "conftest.py")).folder_for_sockets()
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(os.path.join(folder, "kernel-5"))
    finally:
        shutil.rmtree(folder)
