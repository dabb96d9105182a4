"""Exercises: right answers pass in every style, known mistakes are named, and nothing that an answer does can hurt."""

import importlib
import re
from collections import Counter

import pytest

from vaecourse.exercises import CHAPTERS, check, exercise, names
from vaecourse.exercises.engine import alike, judge

ANSWERS = {slug: importlib.import_module(f"answers.{slug}") for slug in CHAPTERS}
CORRECT = [(name, answer) for module in ANSWERS.values() for name, answers in module.CORRECT.items() for answer in answers]
WRONG = [(name, *pair) for module in ANSWERS.values() for name, pairs in module.WRONG.items() for pair in pairs]


def label(value: object) -> str | None:
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(("name", "answer"), CORRECT, ids=label)
def test_right_answers_pass_in_every_style(name, answer):
    report = check(name, answer)
    assert report.passed, report.diagnosis


@pytest.mark.parametrize(("name", "answer", "words"), WRONG, ids=label)
def test_wrong_answers_are_named(name, answer, words):
    report = check(name, answer)
    assert report.attempted
    assert not report.passed
    assert words in report.diagnosis


@pytest.mark.parametrize("name", names())
def test_the_reference_passes_and_every_mistake_gets_its_own_words(name):
    task = exercise(name)
    assert judge(task, task.reference).passed
    for mistake in task.mistakes:
        verdict = judge(task, mistake.wrong)
        assert not verdict.passed
        assert verdict.diagnosis == mistake.says


@pytest.mark.parametrize("name", names())
def test_the_mistakes_of_an_exercise_differ_pairwise(name):
    task = exercise(name)
    assert len(task.mistakes) >= 5
    for i in range(len(task.mistakes)):
        for j in range(i):
            assert not alike(task, i, j), (task.mistakes[i].says, task.mistakes[j].says)


def test_there_are_twenty_five_exercises_and_answers_enough():
    assert len(names()) == len(set(names())) == 25
    assert set(names()) == {name for name, _ in CORRECT} == {name for name, _, _ in WRONG}
    assert min(Counter(name for name, _ in CORRECT).values()) >= 6
    assert len(CORRECT) >= 150
    assert len(WRONG) >= 160


@pytest.mark.parametrize("name", names())
def test_an_exercise_says_what_it_asks(name):
    task = exercise(name)
    assert len(task.hints) == len(set(task.hints)) == 3
    assert f"`{name}(" in task.statement
    assert task.stub.startswith(f"def {name}(")
    said = [mistake.says for mistake in task.mistakes]
    assert len(set(said)) == len(said)
    for text in (task.statement, *task.hints, *said):
        assert not re.findall(r"\b(simply|just|obviously)\b", text, flags=re.I)
    for text in said:
        assert 1 <= len(re.findall(r"[.!?](?:\s|$)", text)) <= 4, text
