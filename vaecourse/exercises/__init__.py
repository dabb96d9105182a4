"""Exercises that know their mistakes: check("log_mean_exp", log_mean_exp) says whether an answer is right, or which mistake it is.

`hint(name)` gives the next of three hints, `solution(name)` shows a right answer, `progress()` what has been solved so far.
The exercises and the quiz of a notebook stand in one file of this folder, called like it; a new one is found by being there.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import json
import os
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from vaecourse.exercises.cards import Card, Report
from vaecourse.exercises.engine import Exercise, judge
from vaecourse.files import located, replacing

__all__ = ["CheckFailed", "Question", "chapters", "check", "exercise", "hint", "names", "progress", "solution"]

CHAPTERS = (
    "data_and_latents",
    "a_latent_variable_model",
    "naive_monte_carlo",
    "log_space",
    "importance_sampling",
    "the_elbo",
    "gradients_through_samples",
    "the_vae",
    "how_good_is_my_vae",
    "beyond_pixels",
    "where_next",
)


class CheckFailed(AssertionError):
    """A graded answer is wrong or missing. The message is the diagnosis."""


@cache
def chapters() -> dict[str, Any]:
    """From a notebook's number, "01" to "11", to the module with its EXERCISES and its QUIZ."""
    return {f"{i:02d}": importlib.import_module(f"vaecourse.exercises.{slug}") for i, slug in enumerate(CHAPTERS, 1)}


def names() -> list[str]:
    """The names of all exercises, in the order of the notebooks."""
    return [e.name for chapter in chapters().values() for e in chapter.EXERCISES]


def exercise(name: str) -> Exercise:
    """The exercise of this name. Raises ValueError, with the nearest names, where there is none."""
    for chapter in chapters().values():
        for e in chapter.EXERCISES:
            if e.name == name:
                return e
    near = difflib.get_close_matches(str(name), names(), n=3) or names()
    raise ValueError(f"there is no exercise called {name!r}; did you mean {', '.join(near)}?")


def check(name: str, answer: Callable[..., Any], strict: bool | None = None, note: bool = True) -> Report:
    """Try a learner's function on inputs that tell right from wrong, and say what is wrong with it.

    Every right answer passes, however it is written. A wrong one is named where it is a known mistake; otherwise the
    report says what differs. Nothing outside of the answer is changed: inputs, random states, settings, figures.

    Args:
        name: the exercise, for instance "log_mean_exp".
        answer: the function itself.
        strict: raise where the answer is wrong or missing. By default only where nbgrader is grading.
        note: whether the outcome counts in `progress()`; False for a demonstration.

    Returns:
        A report with .passed, .attempted and .diagnosis; in a notebook it shows itself as a card.

    Raises:
        CheckFailed: the answer is wrong or missing, and strict.
        ValueError: there is no such exercise. TypeError: the answer is not a function.
    """
    task = exercise(name)
    verdict = judge(task, answer)
    if verdict.passed:
        report = Report(f"✓ {name}", "Right.", "right", passed=True, attempted=True, name=name)
    elif not verdict.attempted:
        report = Report(f"○ {name}", verdict.diagnosis, "neutral", diagnosis=verdict.diagnosis, name=name)
    else:
        lines = dict.fromkeys(line for line in verdict.printed.splitlines() if line.strip())  # each of them once
        printed = "\nIt printed: " + "\n".join(lines) if lines else ""
        report = Report(f"✗ {name}", verdict.diagnosis + printed, "wrong", attempted=True, diagnosis=verdict.diagnosis, name=name)
    if verdict.attempted and note:
        _note(name, verdict.passed)
    graded = bool(os.environ.get("NBGRADER_EXECUTION")) if strict is None else strict
    if graded and not report.passed:
        raise CheckFailed(repr(report))
    return report


_hints_given: dict[str, int] = {}


def hint(name: str) -> Card:
    """The next of three hints: a nudge, the formula, the first line."""
    hints = exercise(name).hints
    given = _hints_given.get(name, 0)
    _hints_given[name] = given + 1
    number = min(given, len(hints) - 1)
    rest = "" if given < len(hints) else f'\nThere is no further hint; solution("{name}") shows a right answer.'
    return Card(f"Hint {number + 1} of {len(hints)} for {name}", hints[number] + rest)


def solution(name: str) -> Card:
    """A right answer, as source code: the course's own."""
    reference = exercise(name).reference
    module = reference.__module__
    place = "" if module.startswith(__name__) else f"In the package it is {module}.{reference.__name__}."
    return Card(f"A solution of {name}", place, code=textwrap.dedent(inspect.getsource(reference)).rstrip())


def progress() -> Card:
    """What has been solved, notebook by notebook. It is kept in a small file beside the notebooks and goes nowhere else."""
    solved = _noted()
    lines = []
    for number, chapter in chapters().items():
        marks = [f"{_MARKS[solved.get(e.name)]} {e.name}" for e in chapter.EXERCISES]
        lines.append(f"{number}  " + "   ".join(marks))
    n = sum(solved.get(name) is True for name in names())
    return Card(f"{n} of {len(names())} exercises solved", code="\n".join([*lines, "", "✓ right   ✗ tried   ○ not yet"]))


_MARKS = {True: "✓", False: "✗", None: "○"}


class Question(NamedTuple):
    """A question of a quiz: each choice with what is to be said to who takes it; `right` is the number of the right one."""

    question: str
    choices: tuple[tuple[str, str], ...]
    right: int


def _progress_file() -> Path:
    return located(os.environ.get("VAECOURSE_PROGRESS") or ".vaecourse-progress.json")


def _noted() -> dict[str, bool]:
    try:
        noted = json.loads(_progress_file().read_text(encoding="utf-8"))
        return {str(name): bool(passed) for name, passed in noted.items()}
    except (OSError, ValueError, AttributeError):  # none yet, or not ours to read: a record is no reason to stop
        return {}


def _note(name: str, passed: bool) -> None:
    """Write the record anew; what was once right stays so. Where it cannot be written, nothing is noted: that is no reason to stop."""
    noted = _noted()
    if noted.get(name) in (True, passed):
        return
    try:
        with replacing(_progress_file()) as part:
            part.write_text(json.dumps(noted | {name: passed}, indent=1), encoding="utf-8")
    except (OSError, ValueError):
        return
