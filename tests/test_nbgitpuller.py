"""A student's solved notebook survives an update of the course by nbgitpuller, which the course itself does not need."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

puller = pytest.importorskip("nbgitpuller.pull")
NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "06_the_elbo.ipynb"
WHO = ("-c", "user.name=teacher", "-c", "user.email=teacher@example.org")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *WHO, *arguments], cwd=folder, check=True, capture_output=True)


def change(path: Path, words: str, cell: int) -> None:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[cell].source = words
    nbformat.write(notebook, path)


@pytest.mark.parametrize("same_cell", [True, False])
def test_a_solved_notebook_survives_an_update(same_cell: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NAME", "student"), ("EMAIL", "student@example.org")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    course, home = tmp_path / "course", tmp_path / "home"
    course.mkdir()
    shutil.copy(NOTEBOOK, course)
    git(course, "init", "-q", "-b", "main")
    git(course, "add", "-A")
    git(course, "commit", "-qm", "the course")

    def pull() -> None:
        list(puller.GitPuller(str(course), str(home), branch="main").pull())

    pull()
    change(home / NOTEBOOK.name, "solved = 'by the student'", 1)
    change(course / NOTEBOOK.name, "improved = 'by the teacher'", 1 if same_cell else 3)
    (course / "new.txt").write_text("also new")
    git(course, "add", "-A")
    git(course, "commit", "-qm", "an update")
    pull()
    assert nbformat.read(home / NOTEBOOK.name, as_version=4).cells[1].source == "solved = 'by the student'"
    assert (home / "new.txt").read_text() == "also new"
