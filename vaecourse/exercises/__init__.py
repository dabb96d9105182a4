"""Exercises with diagnoses: check("log_mean_exp", log_mean_exp) says whether an answer is right, or which mistake it contains.

`hint(name)` gives the next of three hints, `solution(name)` shows a right answer, and `progress()` shows what has been solved so far. The
exercises and the quiz of a notebook are in one file of this folder, which has the name of the notebook.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
import json
import os
import re
import sys
import textwrap
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from vaecourse.arguments import whole
from vaecourse.exercises import guard
from vaecourse.exercises.cards import Card, Report
from vaecourse.exercises.engine import Exercise, Verdict, judge
from vaecourse.files import located, replacing

__all__ = [
    "CheckFailed",
    "Question",
    "chapters",
    "check",
    "exercise",
    "hint",
    "hint_card",
    "names",
    "progress",
    "solution",
    "solutions_hidden",
]

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
    """A graded answer is wrong or missing. The message is the diagnosis, and in a notebook nothing else is shown."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


@cache
def chapters() -> dict[str, Any]:
    """The modules with the EXERCISES and the QUIZ of each notebook, by the number of the notebook, "01" to "11"."""
    return {f"{i:02d}": importlib.import_module(f"vaecourse.exercises.{slug}") for i, slug in enumerate(CHAPTERS, 1)}


def names() -> list[str]:
    """The names of all exercises, in the order of the notebooks.

    Example:
        >>> "log_mean_exp" in names()
        True
    """
    return [e.name for chapter in chapters().values() for e in chapter.EXERCISES]


def exercise(name: str) -> Exercise:
    """The exercise with this name.

    Raises:
        ValueError: there is no such exercise; the message proposes similar names.

    Example:
        >>> exercise("log_mean_exp").name
        'log_mean_exp'
    """
    for chapter in chapters().values():
        for e in chapter.EXERCISES:
            if e.name == name:
                return e
    near = difflib.get_close_matches(str(name), names(), n=3) or names()
    raise ValueError(f"there is no exercise called {name!r}; did you mean {', '.join(near)}?")


def check(name: str, answer: Callable[..., Any], strict: bool | None = None, note: bool = True) -> Report:
    """Try a learner's function on inputs that distinguish right from wrong, and say what is wrong with it.

    Every right answer passes, however it is written. A wrong answer is diagnosed if it is a known mistake; otherwise the report says in
    what its result differs. Nothing outside of the answer is changed: inputs, random states, settings and figures stay as they are.

    Args:
        name: the exercise, for example "log_mean_exp".
        answer: the function itself.
        strict: raise an error if the answer is wrong or missing; by default only while nbgrader is grading.
        note: whether the outcome counts in `progress()`; False for a demonstration.

    Returns:
        A report with .passed, .attempted and .diagnosis, which a notebook shows as a card.

    Raises:
        CheckFailed: the answer is wrong or missing, and strict.
        ValueError: there is no such exercise.
        TypeError: the answer is not a function.

    Example:
        >>> from vaecourse.logspace import log_mean_exp
        >>> check("log_mean_exp", log_mean_exp, note=False)
        ✓ log_mean_exp
        Right.
    """
    task = exercise(name)
    graded = bool(os.environ.get("NBGRADER_EXECUTION"))
    verdict = (_foreign(name, answer, graded) if note else None) or (_broken_cell(name) if answer is ... else None) or judge(task, answer)
    if verdict.passed:
        report = Report(f"✓ {name}", "Right.", "right", passed=True, attempted=True, name=name)
    elif not verdict.attempted:
        report = Report(f"○ {name}", verdict.diagnosis, "neutral", diagnosis=verdict.diagnosis, name=name)
    else:
        lines = dict.fromkeys(line for line in verdict.printed.splitlines() if line.strip())  # each of them once
        printed = "\nIt printed: " + "\n".join(lines) if lines else ""
        report = Report(
            f"✗ {name}",
            verdict.diagnosis + printed,
            "wrong",
            attempted=True,
            diagnosis=verdict.diagnosis,
            name=name,
            mistake=verdict.mistake,
        )
    if verdict.attempted and note:
        _note(name, verdict.passed)
    if (graded if strict is None else strict) and not report.passed:
        raise CheckFailed(repr(report))
    return report


def _foreign(name: str, answer: Any, graded: bool) -> Verdict | None:
    """The verdict on a function that the learner has not written, or None.

    A notebook imports some of the functions that its exercises rebuild. If the learner's cell was deleted or does not run, the name still
    means the course's function. While nbgrader grades, functions of other packages are refused as well.
    """
    code = guard.code_of(answer)
    source = "" if code is None else code.co_filename
    ours = Path(source).is_relative_to(Path(__file__).parent.parent)
    if not ours and not (graded and callable(answer) and (code is None or guard.is_library(source))):
        return None
    whose = "the course's own function" if ours else f"a function of {getattr(answer, '__module__', None) or 'another package'}"
    return Verdict(False, False, f"This is {whose}, not yours. Write {name} yourself, and run the cell that defines it.")


def _broken_cell(name: str) -> Verdict | None:
    """The verdict on an answer that is not there although a cell of the notebook defines it: that cell did not run to its end."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    written = shell.user_ns.get("In", []) if shell is not None else []
    cell = next((source for source in reversed(written) if re.search(rf"\bdef\s+{name}\b", source)), None)
    if cell is None:
        return None
    try:
        ast.parse(cell)
    except SyntaxError as error:
        return Verdict(False, True, f"Python cannot read the cell of {name}: {error.msg}, in line {error.lineno}. Nothing in it was run.")
    return Verdict(False, True, f"The cell of {name} ended with an error before it defined the function: see the message below that cell.")


_hints_given: dict[str, int] = {}


def hint(name: str) -> Card:
    """The next of the three hints to an exercise: a nudge, the formula, the first line.

    Example:
        >>> hint("log_mean_exp").heading
        'Hint 1 of 3 for log_mean_exp'
    """
    last = len(exercise(name).hints) - 1
    given = _hints_given.get(name, 0)
    _hints_given[name] = given + 1
    card = hint_card(name, min(given, last))
    if given > last:
        return Card(card.heading, f'{card.text}\nThere is no further hint; solution("{name}") shows a right answer.')
    return card


def hint_card(name: str, number: int) -> Card:
    """The hint to an exercise with a given number, counted from 0.

    Raises:
        ValueError: there is no hint with this number, or no such exercise.
        TypeError: the number is not a whole number.

    Example:
        >>> hint_card("log_mean_exp", 2).heading
        'Hint 3 of 3 for log_mean_exp'
    """
    hints = exercise(name).hints
    if whole("number", number, 0) >= len(hints):
        raise ValueError(f"number must be at most {len(hints) - 1}, for the last of {len(hints)} hints; got {number}")
    return Card(f"Hint {number + 1} of {len(hints)} for {name}", hints[number])


def solution(name: str) -> Card:
    """The source code of a right answer to an exercise.

    Example:
        >>> solution("log_mean_exp").heading
        'A solution of log_mean_exp'
    """
    reference = exercise(name).reference
    if solutions_hidden():
        return Card(f"No solution of {name}", f'Your course hides the solutions. hint("{name}") helps, and so does your teacher.')
    module = reference.__module__
    place = "" if module.startswith(__name__) else f"In the package it is {module}.{reference.__name__}."
    return Card(f"A solution of {name}", place, code=_source(reference, brief=bool(place)))


def solutions_hidden() -> bool:
    """Whether VAECOURSE_HIDE_SOLUTIONS, which a teacher sets, is in the environment and neither empty nor 0.

    The switch removes solutions from cards. It is no lock: the package's source is open.
    """
    return os.environ.get("VAECOURSE_HIDE_SOLUTIONS", "0") not in ("", "0")


def progress() -> Card:
    """What has been solved, notebook by notebook. The record is a small file beside the notebooks and is sent nowhere.

    Example:
        >>> progress().heading.endswith("exercises solved")
        True
    """
    try:
        solved, says = _noted(), ""
    except ValueError as error:
        solved, says = {}, f"{str(error)[0].upper()}{str(error)[1:]}."
    lines = []
    for number, chapter in chapters().items():
        marks = [f"{_MARKS[solved.get(e.name)]} {e.name}" for e in chapter.EXERCISES]
        lines.append(f"{number}  " + "   ".join(marks))
    n = sum(solved.get(name) is True for name in names())
    return Card(f"{n} of {len(names())} exercises solved", says, code="\n".join([*lines, "", "✓ right   ✗ tried   ○ not yet"]))


def _source(function: Callable[..., Any], brief: bool) -> str:
    """The source of a function; if brief, with the first line of its docstring only, so that the solution itself stands out."""
    source = textwrap.dedent(inspect.getsource(function)).rstrip()
    docstring, lines = ast.parse(source).body[0].body[0], source.splitlines()
    if brief and docstring.end_lineno > docstring.lineno:
        lines[docstring.lineno - 1 : docstring.end_lineno] = [lines[docstring.lineno - 1].rstrip() + '"""']
    return "\n".join(lines)


_MARKS = {True: "✓", False: "✗", None: "○"}


class Question(NamedTuple):
    """A question of a quiz.

    Attributes:
        question: the question.
        choices: each choice with the explanation for a reader who takes it.
        right: the index of the right choice.
    """

    question: str
    choices: tuple[tuple[str, str], ...]
    right: int


def _progress_file() -> Path:
    return located(os.environ.get("VAECOURSE_PROGRESS") or ".vaecourse-progress.json")


def _noted() -> dict[str, bool]:
    """The record, which is empty where there is none yet.

    Raises:
        ValueError: there is a record, and it cannot be read.
    """
    try:
        noted = json.loads(_progress_file().read_text(encoding="utf-8-sig"))
        return {str(name): bool(passed) for name, passed in noted.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        place = os.environ.get("VAECOURSE_PROGRESS") or ".vaecourse-progress.json"
        raise ValueError(
            f"the record of solved exercises, {place}, cannot be read. It was left as it is, and nothing is noted: "
            "repair the file, or move it away to begin a new record"
        ) from error


def _note(name: str, passed: bool) -> None:
    """Write the record again; what was once right stays right. Where this cannot be done, nothing is noted, and this is no error."""
    try:
        noted = _noted()
    except ValueError as error:
        warnings.warn(str(error), stacklevel=3)
        return
    if noted.get(name) in (True, passed):
        return
    try:
        with replacing(_progress_file()) as part:
            part.write_text(json.dumps(noted | {name: passed}, indent=1), encoding="utf-8")
    except (OSError, ValueError):
        return
