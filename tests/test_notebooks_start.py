"""Every notebook begins with the same few lines, which say what to do where its kernel is the wrong Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
GUARD = """\
try:
    import vaecourse  # noqa: F401
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        "The course is not installed in the Python of this kernel. Choose the kernel of the\\n"
        "environment in which you installed it (Kernel, Change Kernel...), or install it here:\\n"
        "run '%pip install -e ..' in a cell, then restart the kernel."
    ) from None
"""


def run(code: str, *path: Path) -> subprocess.CompletedProcess:
    """Runs code in a Python that finds nothing but the standard library and what lies in the folders given."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [sys._base_executable, "-S", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(sys.prefix), check=False)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_first_code_cell_begins_with_the_guard(path: Path) -> None:
    code = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert code[0].startswith(GUARD)


def test_where_the_course_is_not_installed_the_guard_says_what_to_do() -> None:
    done = run(GUARD + "print('further')")
    assert done.returncode == 1
    said = done.stderr.partition("ModuleNotFoundError: ")[2]
    assert said.startswith("The course is not installed in the Python of this kernel. Choose the kernel")
    assert "%pip install -e .." in said
    assert "No module named" not in done.stderr


def test_where_a_package_is_missing_the_next_import_says_what_to_do() -> None:
    done = run(GUARD + "import torch", ROOT)
    assert "The course is not installed" not in done.stderr
    assert "ModuleNotFoundError: The course needs packages that are not installed for" in done.stderr


def test_where_all_is_well_the_guard_says_nothing() -> None:
    done = run(GUARD + "print('further')", ROOT)
    assert (done.stdout, done.stderr) == ("further\n", "")
