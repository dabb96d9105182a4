"""Exercises: right answers pass in every style, known mistakes are named, and nothing that an answer does can hurt."""

import importlib

import pytest

from vaecourse.exercises import CHAPTERS, check, exercise, names
from vaecourse.exercises.engine import fits, judge

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
    for i, a in enumerate(task.mistakes):
        for b in task.mistakes[:i]:
            assert not fits(task, a.wrong, b.wrong), (a.says, b.says)
