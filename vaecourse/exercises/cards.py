"""What the reader sees of a check, a hint or a solution: a coloured card in a notebook, plain text elsewhere."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

__all__ = ["Card", "Report", "opens"]

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
    """

    passed: bool = False
    attempted: bool = False
    diagnosis: str = ""
    name: str = ""

    def _repr_html_(self) -> str:
        """The card, and below it lines that open on the hints, one behind the other, and on a solution."""
        return super()._repr_html_() + ("" if self.passed else self._help())

    def _help(self) -> str:
        from vaecourse.exercises import exercise, hint_card, solution

        further = ""
        for number in reversed(range(len(exercise(self.name).hints))):
            card = hint_card(self.name, number)
            further = opens(f"Hint {number + 1} for {self.name}", card.body() + further)
        shown = solution(self.name).body()
        if not self.attempted:
            before = "<div>There is no answer of yours yet. Even a wrong one would teach more than a solution that is only read.</div>"
            shown = before + opens("Show it all the same", shown)
        return f'<div style="margin-left: 17px; max-width: 60em; line-height: 1.4">{further}{opens(f"Show a solution of {self.name}", shown)}</div>'


def opens(line: str, inside: str) -> str:
    """A line that opens to show what is inside, also with the keyboard, and without a kernel or scripts."""
    return (
        f'<details><summary data-lm-suppress-shortcuts="true">{html.escape(line)}</summary>'
        f'<div style="margin: 2px 0 4px 1.2em">{inside}</div></details>'
    )
