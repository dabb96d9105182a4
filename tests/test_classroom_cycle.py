"""A whole round of nbgrader: made, released, collected, graded, told and exported, with students of every kind.

It needs nbgrader, which the course itself does not, and is skipped where it is not installed.
"""

from __future__ import annotations

import copy
import csv
import getpass
from pathlib import Path

import nbformat
import pytest

from vaecourse.__main__ import main
from vaecourse.classroom import make_course, nbgrader
from vaecourse.classroom.convert import solution_of
from vaecourse.classroom.summary import outcomes, summary

pytest.importorskip("nbgrader")
NAME = "06_the_elbo"
NOTEBOOK = Path(__file__).parent.parent / "notebooks" / f"{NAME}.ipynb"
SIGN = "def gaussian_kl(mu, log_var):\n    return -0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(-1)"
ANSWERS = {  # by student: what stands in the cells of gaussian_kl and elbo; None: as it was released
    "right": (solution_of("gaussian_kl"), solution_of("elbo")),
    "half": (SIGN, solution_of("elbo")),
    "absent": ("def gaussian_kl(mu, log_var:\n    return 0", ""),
    "endless": ("def gaussian_kl(mu, log_var):\n    while True:\n        pass", solution_of("elbo")),
    "hostile": (solution_of("gaussian_kl"), "def elbo(*args):\n    import os\n\n    os._exit(1)"),
    "un_touched": (None, None),
}
POINTS = {"right": 4, "half": 3, "absent": 0, "endless": 2, "hostile": 0, "un_touched": 0}
NAMES = {  # as learning platforms name downloaded files; others have the plain name
    "half": f"half_12345_assignsubmission_file_{NAME}.ipynb",
    "endless": f"endless_{NAME} (1).ipynb",
    "hostile": f"hostile_77_assignsubmission_file_/{NAME}.ipynb",
}
NEIGHBOUR = getpass.getuser()  # on a hub: nbgrader's exchange knows students by the names of their accounts


def run(folder: Path, *arguments: str) -> None:
    done = nbgrader(folder, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def answered(notebook: nbformat.NotebookNode, answers: tuple[str | None, str | None]) -> nbformat.NotebookNode:
    """The notebook with these answers in the cells of gaussian_kl and elbo."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        which = {"gaussian_kl": 0, "elbo": 1}.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if which is not None and answers[which] is not None:
            cell.source = answers[which]
    return notebook


def fetch_and_submit(course: Path, home: Path) -> None:
    """A student whose account is on the teacher's machine: fetches the assignment, answers half of it, and submits."""
    settings = f'c.Exchange.root = "{course.with_name(course.name + "-exchange")}"\nc.CourseDirectory.course_id = "vaecourse"\n'
    (home / "nbgrader_config.py").write_text(settings)
    run(home, "fetch_assignment", NAME)
    fetched = home / NAME / f"{NAME}.ipynb"
    nbformat.write(answered(nbformat.read(fetched, as_version=4), ANSWERS["half"]), fetched)
    run(home, "submit", NAME)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a course after one round."""
    folder = tmp_path_factory.mktemp("course")
    assert make_course(folder, [NOTEBOOK]) == [NAME]
    run(folder, "release_assignment", NAME)
    released = nbformat.read(folder / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    downloads = folder / "downloaded" / NAME / "archive"
    downloads.mkdir(parents=True)
    for student, answers in ANSWERS.items():
        path = downloads / NAMES.get(student, f"{student}_{NAME}.ipynb")
        path.parent.mkdir(exist_ok=True)
        nbformat.write(answered(released, answers), path)
    run(folder, "zip_collect", NAME)
    fetch_and_submit(folder, tmp_path_factory.mktemp("home"))
    run(folder, "collect", NAME)
    nbgrader(folder, "autograde", NAME, "--create")  # its status is not 0: the hostile answer ends its kernel
    nbgrader(folder, "generate_feedback", NAME)
    run(folder, "export")
    return folder


def test_every_student_gets_exactly_the_points_of_the_answers(graded: Path) -> None:
    with (graded / "grades.csv").open(newline="") as file:
        scores = {row["student_id"]: float(row["score"] or 0) for row in csv.DictReader(file)}
    assert {student: scores.get(student, 0) for student in POINTS} == POINTS
    assert scores[NEIGHBOUR] == POINTS["half"]


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("half", "gaussian_kl"),
        ("absent", "Not attempted"),
        ("absent", "Python cannot read the cell of gaussian_kl"),
        ("endless", "seconds"),
        ("un_touched", "Not attempted"),
    ],
)
def test_the_feedback_shows_every_diagnosis(graded: Path, student: str, words: str) -> None:
    (page,) = (graded / "feedback" / student).rglob("*.html")
    assert words in page.read_text(encoding="utf-8")


def test_the_class_summary_counts_the_outcomes(graded: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = {(o.student, o.exercise): o for o in outcomes(graded / "autograded")}
    assert found["right", "elbo"].outcome == "right"
    assert found["half", "gaussian_kl"].outcome == "known mistake"
    assert found["un_touched", "elbo"].outcome == "not attempted"
    assert found["absent", "elbo"].outcome == "not attempted"
    assert found["absent", "gaussian_kl"].outcome == "other mistake"
    assert {found["hostile", name].outcome for name in ("gaussian_kl", "elbo")} == {"no result"}
    assert outcomes(graded) == outcomes(graded / "autograded")
    assert found["endless", "gaussian_kl"].outcome == "other mistake"
    assert "2 × gaussian_kl" in summary(found.values())
    assert main(["class", str(graded / "autograded"), "--csv", str(tmp_path / "out.csv")]) == 0
    assert "half" in capsys.readouterr().out
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1 + len(found)
