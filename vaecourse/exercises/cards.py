"""What the reader sees of a check, a hint or a solution: a coloured card in a notebook, plain text elsewhere."""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass
from typing import Any

__all__ = ["RECORD", "Card", "Report", "check_points", "opens"]

RECORD = "application/vnd.vaecourse.report+json"  # the type of the record that `Report.score` leaves in a notebook

COLOURS = {"right": "#009E73", "wrong": "#D55E00", "neutral": "#767676"}  # green, vermilion, grey: told apart by all eyes


@dataclass(frozen=True)
class Card:
    """A heading and a text. `kind` is "right", "wrong" or "neutral"; `code` is shown as it is, below the text."""

    heading: str
    text: str = ""
    kind: str = "neutral"
    code: str = ""

    def __repr__(self) -> str:
        return "\n".join(part for part in (self.heading, self.text, self.code) if part)

    def _repr_html_(self) -> str:
        return (
            f'<div role="status" style="border-left: 5px solid {COLOURS[self.kind]}; padding: 4px 12px; margin: 4px 0; max-width: 60em; '
            f'white-space: normal; line-height: 1.4"><b>{html.escape(self.heading)}</b>{self.body()}</div>'
        )

    def body(self) -> str:
        """The text and the code of the card, without its heading, as HTML."""
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.text, quote=False)).replace("\n", "<br>")
        code = f'<pre style="white-space: pre; overflow-x: auto">{html.escape(self.code)}</pre>' if self.code else ""
        return "".join(f"<div>{part}</div>" for part in (text, code) if part)


@dataclass(frozen=True, repr=False)
class Report(Card):
    """What `check` found.

    Attributes:
        passed: the answer is right.
        attempted: there is an answer; False for an untouched stub.
        diagnosis: what is wrong, in one or two sentences; empty where it passed.
        name: the exercise.
        mistake: the id of the known mistake; "aside" where the values are right and something else is not; empty otherwise.
    """

    passed: bool = False
    attempted: bool = False
    diagnosis: str = ""
    name: str = ""
    mistake: str = ""

    def score(self, points: float, partial: float = 0.5) -> float:
        """The points for the answer, for grading. They are shown together with the reason, also where pages have no scripts.

        A right answer gets all points, and an answer with a known mistake (or with right values that is wrong in something else) the
        share `partial` of them. Any other answer gets none: then a teacher should look, because nothing is known about it.

        Args:
            points: the points of the exercise, above 0.
            partial: a share from 0 to 1.

        Returns:
            The points, as a number that nbgrader reads.

        Raises:
            ValueError: points or partial is out of its range.

        Example:
            >>> report = Report("✗ elbo", "The sign is turned.", attempted=True, name="elbo", mistake="sign")
            >>> report.score(2)
            ✗ elbo
            The sign is turned.
            1 of 2 points
            1.0
        """
        check_points(points, partial)
        got = float(points if self.passed else points * partial if self.mistake else 0)
        told = f"{self!r}\n{got:g} of {points:g} points"
        record = {"exercise": self.name, "points": got, "of": float(points), "mistake": self.mistake}
        record |= {"passed": self.passed, "attempted": self.attempted, "diagnosis": self.diagnosis}
        _show(told, record)
        return got

    def _repr_html_(self) -> str:
        """The card, and below it lines that open on the hints, one behind the other, and on a solution."""
        return super()._repr_html_() + ("" if self.passed else self._help())

    def _help(self) -> str:
        from vaecourse.exercises import exercise, hint_card, solution, solutions_hidden

        further = ""
        for number in reversed(range(len(exercise(self.name).hints))):
            card = hint_card(self.name, number)
            further = opens(f"Hint {number + 1} for {self.name}", card.body() + further)
        if solutions_hidden():
            return f'<div style="margin-left: 17px; max-width: 60em; line-height: 1.4">{further}</div>'
        shown = solution(self.name).body()
        if not self.attempted:
            before = "<div>There is no answer of yours yet. Even a wrong one would teach more than a solution that is only read.</div>"
            shown = before + opens("Show it all the same", shown)
        return f'<div style="margin-left: 17px; max-width: 60em; line-height: 1.4">{further}{opens(f"Show a solution of {self.name}", shown)}</div>'


def check_points(points: float, partial: float) -> None:
    """Check the points of an exercise, and the share of them for a known mistake.

    Raises:
        ValueError: the points are not above 0 or not finite, or the share is not from 0 to 1.

    Example:
        >>> check_points(2, 0.5)
    """
    if not (math.isfinite(points) and points > 0 and 0 <= partial <= 1):
        raise ValueError(f"points must be above 0 (and finite), and partial a share from 0 to 1; got {points} and {partial}")


def _show(text: str, record: dict[str, Any]) -> None:
    """In a notebook, the text together with a record for programs; elsewhere the text alone."""
    from IPython import get_ipython  # slow to import

    if get_ipython() is None:
        print(text)
        return
    from IPython.display import display

    display({"text/plain": text, RECORD: record}, raw=True)


def opens(line: str, inside: str) -> str:
    """A line that opens to show what is inside, also with the keyboard, and without a kernel or scripts."""
    return (
        f'<details><summary data-lm-suppress-shortcuts="true">{html.escape(line)}</summary>'
        f'<div style="margin: 2px 0 4px 1.2em">{inside}</div></details>'
    )
