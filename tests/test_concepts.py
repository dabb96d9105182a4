"""The test before and after the course: its questions, its files, and the gain, computed by hand."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from vaecourse.__main__ import main
from vaecourse.classroom import concepts
from vaecourse.classroom.concepts import QUESTIONS, Interrupted, ask, gain, store, take


def typing(lines: Iterable[str], then: type[BaseException] = EOFError) -> Callable[[str], str]:
    """Somebody who types these lines and then presses Ctrl-D (or Ctrl-C)."""
    replies = iter(lines)

    def reply(prompt: str) -> str:
        for line in replies:
            return line
        raise then

    return reply


def test_there_are_twelve_questions_with_four_choices_and_no_pattern_in_the_right_ones() -> None:
    assert len(QUESTIONS) == 12
    for question in QUESTIONS:
        assert len({choice for choice, _ in question.choices}) == 4
        assert all(reason.endswith(".") for _, reason in question.choices)
    assert [q.right for q in QUESTIONS].count(0) == 3
    assert {[q.right for q in QUESTIONS].count(i) for i in range(4)} == {3}


@pytest.mark.parametrize("wrong", ["x", "z", "9", "1", "ab", "a b", "e", "ä", "abcd", "."])
def test_an_answer_that_is_no_choice_is_named_and_asked_again(wrong: str) -> None:
    told: list[str] = []
    prompts: list[str] = []
    replies = iter([wrong, "B", "", " d "])
    assert ask(lambda prompt: prompts.append(prompt) or next(replies), told.append, QUESTIONS[:3]) == [1, None, 3]
    assert [line for line in told if "none of the choices" in line] == [
        f'"{wrong}" is none of the choices, and is not stored. Question 1 again:'
    ]
    assert prompts[1] == "a, b, c or d, or Enter to skip: "
    assert sum(line.startswith("\n") for line in told) == 3


@pytest.mark.parametrize("then", [EOFError, KeyboardInterrupt])
def test_an_interrupted_test_keeps_its_answers_and_goes_on_there(then: type[BaseException], tmp_path: Path) -> None:
    for begun, lines, stored in ((0, ["a", "", "c"], 3), (3, ["d"], 4), (4, [], 4)):
        told: list[str] = []
        with pytest.raises(Interrupted) as stopped:
            take("before", "anna", tmp_path, typing(lines, then), told.append)
        assert f"; {stored} of 12 answers are stored in {tmp_path / 'anna-before.unfinished'}." in str(stopped.value)
        assert str(stopped.value).endswith("To go on, here: python -m vaecourse concepts before anna")
        asked = [int(n) for line in told for n in re.findall(r"^\n(\d+)\.", line)]
        assert asked == [*range(begun + 1, stored + 2)]
        assert not (tmp_path / "anna-before.json").exists()
    told = []
    path = take("before", "anna", tmp_path, typing(["a"] * 8), told.append)
    assert told[0] == "4 of 12 questions are answered. The others:"
    assert json.loads(path.read_text()) == {"student": "anna", "when": "before", "answers": [0, None, 2, 3] + [0] * 8}
    assert [p.name for p in tmp_path.iterdir()] == ["anna-before.json"]


def test_an_interruption_before_the_first_answer_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="nothing was answered yet"):
        take("after", "ben", tmp_path, typing(["z"]), lambda line: None)
    assert not list(tmp_path.iterdir())


def test_nothing_is_asked_if_the_answers_could_not_be_stored(tmp_path: Path) -> None:
    def never(prompt: str) -> str:
        raise AssertionError("asked")

    store("before", "anna", [0] * 12, tmp_path)
    (tmp_path / "ben-before.unfinished").write_text('{"student": "ben"}')
    for when, student, folder, error, words in (
        ("before", "anna", tmp_path, FileExistsError, "given already"),
        ("before", "an/na", tmp_path, ValueError, "letters"),
        ("before", "x" * 300, tmp_path, ValueError, "up to 100"),
        ("before", "ben", tmp_path, ValueError, r"ben-before\.unfinished does not hold"),
        ("after", "ben", tmp_path / "anna-before.json", NotADirectoryError, "a folder is needed"),
    ):
        with pytest.raises(error, match=words):
            take(when, student, folder, never, never)


def test_the_command_says_how_to_go_on_and_what_comes_after_the_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("a\nb\n"))
    assert main(["concepts", "before", "anna"]) == 1
    assert "python -m vaecourse concepts before anna" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO("c\n" * 10))
    assert main(["concepts", "before", "anna"]) == 0
    told = capsys.readouterr().out
    assert "stored: anna-before.json" in told
    assert "python -m vaecourse concepts after anna" in told
    assert "concepts after" not in told.replace("python -m vaecourse concepts after", "")
    monkeypatch.setattr(sys, "stdin", io.StringIO("c\n" * 12))
    assert main(["concepts", "after", "anna"]) == 0
    assert main(["gain", "."]) == 0
    assert "nan" not in capsys.readouterr().out
    assert main(["concepts", "after", "anna"]) == 1
    assert "given already" in capsys.readouterr().err


def test_the_gain_of_a_class_is_that_of_its_means(tmp_path: Path) -> None:
    right = [q.right for q in QUESTIONS]
    wrong = [(q.right + 1) % 4 for q in QUESTIONS]
    store("before", "anna", right[:3] + wrong[3:], tmp_path)  # 3 of 12
    store("after", "anna", right[:9] + wrong[9:], tmp_path)  # 9 of 12
    store("before", "ben", right[:3] + [None] * 9, tmp_path)
    store("after", "ben", right[:3] + wrong[3:], tmp_path)
    store("before", "carl", right, tmp_path)  # and never after
    found = gain(tmp_path)
    assert found.students == ("anna", "ben")
    assert (found.before, found.after) == ((0.25, 0.25), (0.75, 0.25))
    assert found.normalised == pytest.approx((0.5 - 0.25) / 0.75)
    assert found.questions[0] == (1.0, 1.0)
    assert found.questions[5] == (0.0, 0.5)
    assert "normalised gain 0.33" in repr(found)
    assert found.standard_error == pytest.approx(0.25)  # of the differences 0.5 and 0: half their distance
    assert "2 students took both tests" in repr(found)
    assert "right before 25%, after 50%; difference +25 ± 25 percentage points" in repr(found)
    assert "± is the standard error of the mean difference over students" in repr(found)


def test_one_student_has_no_standard_error_and_a_perfect_class_no_normalised_gain(tmp_path: Path) -> None:
    right = [q.right for q in QUESTIONS]
    store("before", "anna", right[:6] + [None] * 6, tmp_path)
    store("after", "anna", right[:9] + [None] * 3, tmp_path)
    told = repr(gain(tmp_path))
    assert told.startswith(
        "1 student took both tests\nright before 50%, after 75%; difference +25 percentage points\nno ± for a single student"
    )
    assert "normalised gain 0.50" in told
    assert "nan" not in told
    for path in tmp_path.iterdir():
        path.unlink()
    for student in ("ben", "carl"):
        for when in ("before", "after"):
            store(when, student, right, tmp_path)
    told = repr(gain(tmp_path))
    assert "difference +0 ± 0 percentage points" in told
    assert "no normalised gain: all answers were right before the course" in told
    assert "nan" not in told
    assert gain(tmp_path).normalised is None


def test_answers_are_not_overwritten_and_strange_names_are_refused(tmp_path: Path) -> None:
    store("before", "anna", [0] * 12, tmp_path)
    with pytest.raises(FileExistsError, match="given already"):
        store("before", "anna", [1] * 12, tmp_path)
    assert json.loads((tmp_path / "anna-before.json").read_text())["answers"] == [0] * 12
    for when, student, words in (("during", "anna", "before"), ("after", "../anna", "letters"), ("after", "", "letters")):
        with pytest.raises(ValueError, match=words):
            store(when, student, [0] * 12, tmp_path)


@pytest.mark.parametrize("given", [[0] * 11, [0] * 13, [4] + [0] * 11, [-1] + [0] * 11, ["a"] * 12, [True] * 12, [0.5] * 12, "z" * 12])
def test_answers_that_are_none_are_neither_stored_nor_counted(given: list, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="numbers from 0 to 3"):
        store("before", "anna", given, tmp_path)
    (tmp_path / "anna-before.json").write_text(json.dumps({"student": "anna", "when": "before", "answers": given}))
    with pytest.raises(ValueError, match=r"anna-before\.json does not hold"):
        gain(tmp_path)


def test_a_folder_without_pairs_or_with_other_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no student"):
        gain(tmp_path)
    for text in ("[1, 2]", "{}", "{", '{"student": ["a"], "when": "after", "answers": []}', '"a"', ""):
        (tmp_path / "notes.json").write_text(text)
        with pytest.raises(ValueError, match=r"notes\.json does not hold"):
            gain(tmp_path)
    (tmp_path / "notes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"notes\.json does not hold"):
        gain(tmp_path)


def test_two_files_of_one_test_are_refused(tmp_path: Path) -> None:
    path = store("before", "anna", [0] * 12, tmp_path)
    (tmp_path / "copy of anna.json").write_text(path.read_text().replace("0", "1"))
    with pytest.raises(ValueError, match=r'the test "before" of anna, as another file here does'):
        gain(tmp_path)


@pytest.mark.parametrize("place", ["afile", "afile/folder", "nothing", "with-a-folder"])
def test_gain_of_what_is_no_folder_of_answers_gets_a_clear_message(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "afile").write_text("a")
    (tmp_path / "with-a-folder" / "anna.json").mkdir(parents=True)
    assert main(["gain", str(tmp_path / place)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "Errno" not in told.err
    wanted = {"afile": "afile is a file; a folder is needed", "with-a-folder": "anna.json: Is a directory"}.get(
        place, "there is no folder "
    )
    assert wanted in told.err
    assert str(tmp_path / place) in told.err


def test_the_answers_are_stored_after_each_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that not even a closed window loses them."""
    seen = []

    def reply(prompt: str) -> str:
        rest = tmp_path / "anna-before.unfinished"
        seen.append(len(json.loads(rest.read_text())["answers"]) if rest.exists() else 0)
        return "a"

    concepts.take("before", "anna", tmp_path, reply, lambda line: None)
    assert seen == [*range(12)]
