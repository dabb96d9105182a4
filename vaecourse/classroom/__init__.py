"""A course for nbgrader from the notebooks, and what a class did not understand.

`python -m vaecourse classroom FOLDER 03 06` writes a course with two assignments; nbgrader makes the students' versions, collects and
grades. `python -m vaecourse class FOLDER/autograded` then says which mistakes were made. docs/teaching.md shows a whole course.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import nbformat

from vaecourse.classroom.convert import exercises_in, source_notebook
from vaecourse.classroom.writing import private_folder, write_all
from vaecourse.exercises.cards import check_points
from vaecourse.files import located
from vaecourse.regression import read

__all__ = ["ClassroomError", "make_course", "nbgrader"]

CONFIG = '''"""The settings of nbgrader for this course. `python -m vaecourse classroom` wrote this file; change it as you like."""

from pathlib import Path

c = get_config()  # noqa: F821, nbgrader defines it
here = Path(__file__).parent

c.CourseDirectory.root = str(here)
c.CourseDirectory.course_id = "vaecourse"

# All students can read and write the exchange, so it must not lie in the course, which holds everybody's answers and grades.
c.Exchange.root = str(here.with_name(here.name + "-exchange"))

# Students see the first line of an answer and these two; an untouched answer counts as not attempted.
c.ClearSolutions.code_stub = {"python": "# your code here\\n..."}

# Seconds a cell may take. An endless answer is interrupted, the cells behind it are graded, and other students are not concerned.
c.ExecutePreprocessor.timeout = 120
c.ExecutePreprocessor.interrupt_on_timeout = True

# `nbgrader zip_collect`: STUDENT_ASSIGNMENT.ipynb, as learning platforms name files after a download, below downloaded/ASSIGNMENT/archive.
# A student's name may contain underscores; Moodle's additions, and the (1) or -1 of a second download, are passed over.
student, moodle, again = r"(?P<student_id>[^/]+?)", r"(?:_\\d+_assignsubmission_file)?_?", r"(?: ?\\(\\d+\\)|-\\d+)?"
c.FileNameCollectorPlugin.named_regexp = rf".*/(?P<file_id>[^/]+)/extracted/(?:.*/)?{student}{moodle}[_/](?P=file_id){again}\\.ipynb$"
c.ZipCollectApp.strict = True  # other files are skipped, and named
'''


class ClassroomError(RuntimeError):
    """A course cannot be made here. The message says why, and what to do."""


def make_course(
    folder: str | Path, notebooks: Sequence[Path], points: float = 2, partial: float = 0.5, hide_solutions: bool = False
) -> list[str]:
    """Write an nbgrader course with one assignment for each notebook, and let nbgrader make the students' versions.

    Existing files are left alone if they are what would be written. If one of them differs, nothing is written at all. A new folder can be
    read by its owner only.

    Args:
        folder: the course; it is made if it does not exist.
        notebooks: of this course, or your own with its exercises.
        points: of each exercise.
        partial: the share of the points for an answer with a known mistake.
        hide_solutions: the students' notebooks offer hints and no solutions.

    Returns:
        The names of the assignments.

    Raises:
        ClassroomError: nbgrader is missing, a notebook has no exercises, two notebooks have the same name, folder is a file, or a
            file would be overwritten. Nothing has been written.
        ValueError: points or partial is out of its range, or a file is no notebook.
    """
    check_points(points, partial)
    folder = located(folder)
    assignments = [path.stem for path in notebooks]
    twice = [name for name, n in Counter(name.casefold() for name in assignments).items() if n > 1]
    if twice:
        raise ClassroomError(
            f"two assignments would have the name {twice[0]}: name each notebook once, and rename one of two with the same name"
        )
    wanted = {folder / "nbgrader_config.py": CONFIG}
    for path in notebooks:
        notebook = read(path)
        if not exercises_in(notebook):
            raise ClassroomError(f'{path.name} has no exercise: no code cell ends with check("name", name) for an exercise of the course')
        wanted[folder / "source" / path.stem / path.name] = (
            nbformat.writes(source_notebook(notebook, points, partial, hide_solutions)) + "\n"
        )
    if not all((folder / "release" / name).exists() for name in assignments):
        _program()  # before anything is written
    try:
        private_folder(folder)  # answers and grades will be in it
        write_all(wanted)
    except OSError as error:
        raise ClassroomError(str(error)) from error
    for name in assignments:
        if not (folder / "release" / name).exists():
            done = nbgrader(folder, "generate_assignment", name)
            if done.returncode:
                raise ClassroomError(
                    f"nbgrader could not make the students' version of {name}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
                )
    return assignments


def nbgrader(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of nbgrader in a course's folder, whatever its outcome; nbgrader needs its neighbours on the PATH.

    Raises:
        ClassroomError: nbgrader is not installed.
    """
    program, path = _program()
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, env=os.environ | {"PATH": path})


def _program() -> tuple[str, str]:
    """Where nbgrader is, and the PATH that it needs."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which("nbgrader", path=path)
    if program is None:
        raise ClassroomError("nbgrader is not installed in this environment: run pip install nbgrader")
    return program, path
