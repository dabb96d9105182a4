"""Source notebooks for nbgrader, the course's folder, and the summary of a class; without nbgrader itself."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from pathlib import Path
from unittest.mock import MagicMock

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from vaecourse import classroom
from vaecourse.__main__ import main
from vaecourse.classroom.convert import exercises_in, source_notebook
from vaecourse.classroom.summary import Outcome, outcomes, summary
from vaecourse.exercises import chapters, check, exercise
from vaecourse.exercises.cards import RECORD

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = {number: next(FOLDER.glob(f"{number}_*.ipynb")) for number in chapters()}


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_a_source_notebook_has_an_answer_and_a_test_for_every_exercise_and_runs_nothing_else(number: str) -> None:
    notebook = nbformat.read(NOTEBOOKS[number], as_version=4)
    wanted = [task.name for task in chapters()[number].EXERCISES]
    assert sorted(exercises_in(notebook)) == sorted(wanted)
    made = source_notebook(notebook, points=3, partial=0.25)
    nbformat.validate(made)
    marks = {c.metadata.nbgrader.grade_id: c for c in made.cells if "nbgrader" in c.metadata}
    for name in wanted:
        answer, test = marks[name], marks[f"test-{name}"]
        assert "### BEGIN SOLUTION" in answer.source
        assert (answer.metadata.nbgrader.solution, answer.metadata.nbgrader.grade, answer.metadata.nbgrader.locked) == (True, False, False)
        assert (test.metadata.nbgrader.points, test.metadata.nbgrader.locked) == (3, True)
        assert marks[f"statement-{name}"].metadata.nbgrader.locked
        compile(answer.source, name, "exec")
        compile(test.source, name, "exec")
    run = [c for c in made.cells if c.cell_type == "code" and "skip-execution" not in c.metadata.get("tags", [])]
    assert len(run) == 1 + 2 * len(wanted)
    assert not any(c.outputs for c in made.cells if c.cell_type == "code")
    assert len({c.id for c in made.cells}) == len(made.cells)
    assert notebook == nbformat.read(NOTEBOOKS[number], as_version=4)  # the notebook itself is as it was


def test_hidden_solutions_are_hidden_by_the_first_cell() -> None:
    notebook = nbformat.read(NOTEBOOKS["06"], as_version=4)
    for hide in (True, False):
        first = next(c for c in source_notebook(notebook, 1, 0.5, hide_solutions=hide).cells if c.cell_type == "code")
        assert ("VAECOURSE_HIDE_SOLUTIONS" in first.source) == hide


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_with_hidden_solutions_nothing_folded_gives_an_exercise_on_paper_away(number: str) -> None:
    notebook = nbformat.read(NOTEBOOKS[number], as_version=4)
    shown, hidden = ("\n".join(c.source for c in source_notebook(notebook, 1, 0.5, hide).cells) for hide in (False, True))
    assert (number in ("10", "11")) == (not re.findall(r"<summary>(?:Solution|Answer|What a good answer contains)<", shown))
    assert not re.search(r"<summary>(?:Solution|Answer|What a good answer contains)<", hidden)
    assert hidden.count("<details>") == hidden.count("</details>")
    assert [line for line in shown.splitlines() if line.startswith("#")] == [line for line in hidden.splitlines() if line.startswith("#")]


def test_a_test_cell_may_be_run_again_and_hands_on_the_courses_function_only_while_nbgrader_grades(monkeypatch: pytest.MonkeyPatch) -> None:
    made = source_notebook(nbformat.read(NOTEBOOKS["04"], as_version=4), points=2, partial=0.5)
    test = next(c.source for c in made.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "test-log_mean_exp")
    task = exercise("log_mean_exp")
    own: dict = {}
    exec(
        "import torch\n\ndef log_mean_exp(log_w, dim=-1):\n    return torch.logsumexp(log_w, dim) - math.log(log_w.shape[dim])\nimport math",
        own,
    )
    mine = own["log_mean_exp"]
    for _ in range(2):
        exec(test, own)
        assert own["report"].passed
        assert own["log_mean_exp"] is mine
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    exec(test, own)
    assert own["log_mean_exp"] is task.reference


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that would have been given to nbgrader."""
    given: list[tuple[str, ...]] = []

    def pretend(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
        given.append(arguments)
        (folder / "release" / arguments[-1]).mkdir(parents=True)
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr(classroom, "nbgrader", pretend)
    monkeypatch.setattr(classroom, "_program", lambda: ("nbgrader", ""))
    return given


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_making_a_course_twice_changes_nothing_and_making_another_there_is_refused(tmp_path: Path, commands: list) -> None:
    course = tmp_path / "course"
    assert classroom.make_course(course, [NOTEBOOKS["03"]]) == ["03_naive_monte_carlo"]
    first = files(course)
    assert set(first) == {"nbgrader_config.py", "source/03_naive_monte_carlo/03_naive_monte_carlo.ipynb"}
    classroom.make_course(course, [NOTEBOOKS["03"]])
    assert files(course) == first
    assert commands == [("generate_assignment", "03_naive_monte_carlo")]
    with pytest.raises(classroom.ClassroomError, match=r"nothing was written.*03_naive_monte_carlo\.ipynb"):
        classroom.make_course(course, [NOTEBOOKS["06"], NOTEBOOKS["03"]], points=5)
    assert files(course) == first
    (course / "nbgrader_config.py").write_text("mine")
    with pytest.raises(classroom.ClassroomError, match=r"nbgrader_config\.py"):
        classroom.make_course(course, [NOTEBOOKS["03"]])
    compile(classroom.CONFIG, "config", "exec")


def test_a_teacher_s_own_notebook_becomes_an_assignment_and_one_without_exercises_does_not(
    tmp_path: Path, commands: list, capsys: pytest.CaptureFixture[str]
) -> None:
    task = exercise("log_mean_exp")
    cells = [new_code_cell("import torch"), new_code_cell(f'{task.stub}\n\n\ncheck("log_mean_exp", log_mean_exp)')]
    nbformat.write(new_notebook(cells=cells), tmp_path / "mine.ipynb")
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Nothing to do")]), tmp_path / "empty.ipynb")
    assert main(["classroom", str(tmp_path / "course"), str(tmp_path / "mine.ipynb")]) == 0
    assert "1 assignment, mine" in capsys.readouterr().out
    assert main(["classroom", str(tmp_path / "other"), str(tmp_path / "empty.ipynb")]) == 1
    assert "empty.ipynb has no exercise" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_only_its_owner_reads_a_new_course_and_a_file_is_no_folder(tmp_path: Path, commands: list) -> None:
    classroom.make_course(tmp_path / "course", [NOTEBOOKS["03"]])
    assert (tmp_path / "course").stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("")
    with pytest.raises(classroom.ClassroomError, match="is a file; a folder is needed"):
        classroom.make_course(tmp_path / "file", [NOTEBOOKS["03"]])


@pytest.mark.parametrize(
    ("file", "student"),
    [
        ("anna_03_naive_monte_carlo.ipynb", "anna"),
        ("anna_lena_03_naive_monte_carlo.ipynb", "anna_lena"),
        ("kim_03_naive_monte_carlo (1).ipynb", "kim"),
        ("kim_03_naive_monte_carlo-2.ipynb", "kim"),
        ("Jörg Groß_12345_assignsubmission_file_03_naive_monte_carlo.ipynb", "Jörg Groß"),
        ("Jörg Groß_12345_assignsubmission_file_/03_naive_monte_carlo.ipynb", "Jörg Groß"),
        ("jo/03_naive_monte_carlo.ipynb", "jo"),
        ("all/anna_lena_03_naive_monte_carlo.ipynb", "anna_lena"),
        ("all/Jörg Groß_12345_assignsubmission_file_/03_naive_monte_carlo.ipynb", "Jörg Groß"),
        ("anna_04_log_space.ipynb", None),
        ("03_naive_monte_carlo.ipynb", None),
    ],
)
def test_the_names_of_downloaded_files_tell_the_student(file: str, student: str | None) -> None:
    config = MagicMock()
    exec(compile(classroom.CONFIG, "config", "exec"), {"get_config": lambda: config, "__file__": "/course/nbgrader_config.py"})
    path = f"/course/downloaded/03_naive_monte_carlo/extracted/{file}"
    match = re.match(config.FileNameCollectorPlugin.named_regexp, path)
    assert (match and match.groupdict()) == (student and {"student_id": student, "file_id": "03_naive_monte_carlo"})


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_nothing_in_an_assignment_points_to_what_students_do_not_have(number: str) -> None:
    made = source_notebook(nbformat.read(NOTEBOOKS[number], as_version=4), 2, 0.5)
    assert not any(re.search(r"\]\([^):\s]*\.ipynb", cell.source) for cell in made.cells)
    assert not any("pip install -e" in cell.source for cell in made.cells)
    assert sum("ask your teacher" in cell.source for cell in made.cells) == 1


@pytest.mark.parametrize(("points", "partial"), [(0, 0.5), (-1, 0.5), (2, -0.1), (2, 1.1), (float("inf"), 0.5), (float("nan"), 0.5)])
def test_strange_points_are_refused(points: float, partial: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="points must be above 0"):
        classroom.make_course(tmp_path / "course", [NOTEBOOKS["03"]], points, partial)
    assert not (tmp_path / "course").exists()


def test_without_nbgrader_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classroom.shutil, "which", lambda *_, **__: None)
    with pytest.raises(classroom.ClassroomError, match="pip install nbgrader"):
        classroom.nbgrader(tmp_path, "list")
    with pytest.raises(classroom.ClassroomError, match="pip install nbgrader"):
        classroom.make_course(tmp_path / "course", [NOTEBOOKS["03"]])
    assert not (tmp_path / "course").exists()


def test_two_assignments_of_one_name_are_refused(tmp_path: Path, commands: list, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "A").mkdir()
    for name in ("A/hw.ipynb", "HW.ipynb"):
        nbformat.write(nbformat.read(NOTEBOOKS["03"], as_version=4), tmp_path / name)
    for names in ([str(tmp_path / "A/hw.ipynb"), str(tmp_path / "HW.ipynb")], ["03", "03"]):
        assert main(["classroom", str(tmp_path / "course"), *names]) == 1
        assert "two assignments would have the name" in capsys.readouterr().err
    assert not (tmp_path / "course").exists()


def test_notebooks_may_follow_an_option(tmp_path: Path, commands: list, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classroom", str(tmp_path / "course"), "03", "--points", "3", "06"]) == 0
    assert "2 assignments, 03_naive_monte_carlo, 06_the_elbo" in capsys.readouterr().out
    for wrong in (["classroom", str(tmp_path / "course"), "03", "--point"], ["class", str(tmp_path), "--csv", "a.csv", "b"]):
        with pytest.raises(SystemExit, match="2"):
            main(wrong)


def graded(folder: Path, student: str, records: dict[str, dict | None]) -> None:
    cells = []
    for name, record in records.items():
        mark = {
            "grade": True,
            "grade_id": f"test-{name}",
            "points": 2.0,
            "solution": False,
            "locked": True,
            "schema_version": 3,
            "task": False,
        }
        told = [] if record is None else [new_output("display_data", {"text/plain": "told", RECORD: record | {"exercise": name}})]
        cells.append(new_code_cell("report.score(2)", outputs=told, metadata={"nbgrader": mark}))
    path = folder / student / "mine" / "mine.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells), path)


def record(points: float, *, passed: bool = False, attempted: bool = True, mistake: str = "") -> dict:
    return {"points": points, "of": 2.0, "passed": passed, "attempted": attempted, "mistake": mistake, "diagnosis": ""}


def test_the_summary_of_a_class_counts_outcomes_mistakes_and_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graded(tmp_path, "anna", {"log_mean_exp": record(2, passed=True), "elbo": record(1, mistake="sign")})
    graded(tmp_path, "ben", {"log_mean_exp": record(1, mistake="log-of-sum"), "elbo": record(1, mistake="sign")})
    graded(tmp_path, "carl", {"log_mean_exp": record(0, attempted=False), "elbo": None})
    graded(tmp_path, "dora", {"log_mean_exp": record(0), "elbo": record(1, mistake="aside")})
    found = outcomes(tmp_path)
    assert len(found) == 8
    assert Outcome("carl", "mine", "elbo", 0.0, 2.0, "no result") in found
    assert Outcome("ben", "mine", "log_mean_exp", 1.0, 2.0, "known mistake", "log-of-sum") in found
    told = summary(found)
    first, second, others, third = told.split("\n\n")
    assert first.splitlines()[1].split() == ["log_mean_exp", "4", "1", "1", "1", "1", "0", "0"]
    assert first.splitlines()[2].split() == ["elbo", "4", "0", "3", "0", "0", "1", "0"]
    assert second.splitlines()[1].strip().startswith("2 × elbo, sign: ")
    assert second.splitlines()[2].strip() == "anna, ben"
    assert others.splitlines()[1:] == ["       log_mean_exp: dora"]
    assert third.splitlines()[1].split() == ["anna", "3", "4"]
    assert third.splitlines()[3].split(maxsplit=3) == ["carl", "0", "4", "log_mean_exp, elbo"]
    second_round = tmp_path / "second"
    graded(second_round, "anna", {"log_mean_exp": record(2, passed=True)})
    graded(second_round, "ben", {"log_mean_exp": record(2, passed=True)})
    (second_round / "ben" / "mine").rename(second_round / "ben" / "other")
    assert Outcome("anna", "other", "log_mean_exp", 0.0, 2.0, "not handed in") in outcomes(second_round)
    assert len(outcomes(second_round)) == 4
    assert main(["class", str(tmp_path), "--csv", str(tmp_path / "out.csv")]) == 0
    assert told in capsys.readouterr().out
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "student": "anna",
        "assignment": "mine",
        "exercise": "log_mean_exp",
        "points": "2.0",
        "of": "2.0",
        "outcome": "right",
        "mistake": "",
    }
    assert len(rows) == 8


def test_a_folder_without_graded_notebooks_is_an_error_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["class", str(tmp_path)]) == 1
    assert "no graded notebook" in capsys.readouterr().err


def test_a_damaged_file_counts_as_no_result_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course, done = tmp_path / "autograded", record(2, passed=True)
    graded(course, "anna", {"log_mean_exp": done, "elbo": done})
    incomplete = {key: value for key, value in done.items() if key != "attempted"}
    graded(course, "dora", {"log_mean_exp": incomplete, "elbo": done})
    damaged = {"autograded/carl": "{}", "submitted/bob": "", "submitted/emil": "<html>", "autograded/fred": '{"cells": [5]}'}
    for place, text in damaged.items():
        (tmp_path / place / "mine").mkdir(parents=True)
        (tmp_path / place / "mine" / "mine.ipynb").write_text(text)
    assert main(["class", str(tmp_path), "--csv", str(tmp_path / "out.csv")]) == 0
    told = capsys.readouterr().err
    assert all(str(Path(place, "mine", "mine.ipynb")) in told for place in [*damaged, "autograded/dora"])
    assert len(told.splitlines()) == 5
    with (tmp_path / "out.csv").open(newline="") as file:
        outcome = {(row["student"], row["exercise"]): row["outcome"] for row in csv.DictReader(file)}
    assert len(outcome) == 12
    assert {who for who, what in outcome.items() if what == "right"} == {("anna", "log_mean_exp"), ("anna", "elbo"), ("dora", "elbo")}
    assert set(outcome.values()) == {"right", "no result"}


def test_a_table_that_cannot_be_written_is_an_error_before_anything_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graded(tmp_path, "anna", {"elbo": record(2, passed=True)})
    assert main(["class", str(tmp_path), "--csv", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert "is a folder, but a file is to be written" in err
    assert not out


@pytest.mark.parametrize("name", [task.name for chapter in chapters().values() for task in chapter.EXERCISES])
def test_full_points_for_the_reference_a_share_for_every_known_mistake_none_for_the_empty(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    task = exercise(name)
    assert check(name, task.reference, note=False).score(2) == 2
    for mistake in task.mistakes:
        report = check(name, mistake.wrong, note=False)
        assert (report.score(2), report.mistake, report.diagnosis) == (1, mistake.id, mistake.says)
    assert check(name, ..., note=False).score(2) == 0
    assert check(name, task.reference).score(2) == 0  # not the learner's own
    assert "2 of 2 points" in capsys.readouterr().out
