"""What a wheel needs, and what importing the package costs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("module", sorted(LIGHT))
def test_heavy_libraries_are_not_imported_by(module: str) -> None:
    code = f"import sys, vaecourse.{module}; print([m for m in ('matplotlib', 'ipywidgets', 'IPython', 'sklearn', 'pooch', 'pandas') if m in sys.modules])"
    assert run(code).strip() == "[]"


def test_dependencies_cover_what_the_package_imports() -> None:
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "vaecourse").glob("*.py"))
    imported = {m.split(".")[0] for m in re.findall(r"^\s*(?:from|import) ([\w.]+)", code, flags=re.M)}
    outside = imported - set(sys.stdlib_module_names) - {"vaecourse", "__future__"}
    declared = PYPROJECT.split("dependencies = [")[1].split("]")[0].lower()
    assert all(f'"{PACKAGE.get(name, name).lower()}' in declared for name in outside), outside
