"""The test before and after the course: its questions, its files, and the gain, computed by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vaecourse.classroom.concepts import QUESTIONS, ask, gain, store


def test_there_are_twelve_questions_with_four_choices_and_no_pattern_in_the_right_ones() -> None:
    assert len(QUESTIONS) == 12
    for question in QUESTIONS:
        assert len({choice for choice, _ in question.choices}) == 4
        assert all(reason.endswith(".") for _, reason in question.choices)
    assert [q.right for q in QUESTIONS].count(0) == 3
    assert {[q.right for q in QUESTIONS].count(i) for i in range(4)} == {3}


def test_questions_are_asked_until_the_answer_is_a_choice_or_nothing() -> None:
    told: list[str] = []
    replies = iter(["x", "B", "", "d"])
    assert ask(lambda _: next(replies), told.append, QUESTIONS[:3]) == [1, None, 3]
    assert not any("right" in line.lower().split() for line in told if line.startswith("Your"))


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


def test_answers_are_not_overwritten_and_strange_names_are_refused(tmp_path: Path) -> None:
    store("before", "anna", [0] * 12, tmp_path)
    with pytest.raises(FileExistsError, match="given already"):
        store("before", "anna", [1] * 12, tmp_path)
    assert json.loads((tmp_path / "anna-before.json").read_text())["answers"] == [0] * 12
    for when, student, words in (("during", "anna", "before"), ("after", "../anna", "letters"), ("after", "", "letters")):
        with pytest.raises(ValueError, match=words):
            store(when, student, [0] * 12, tmp_path)


def test_a_folder_without_pairs_or_with_other_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no student"):
        gain(tmp_path)
    (tmp_path / "notes.json").write_text("[1, 2]")
    with pytest.raises(ValueError, match=r"notes\.json does not hold"):
        gain(tmp_path)
