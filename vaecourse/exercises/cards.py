"""What the reader sees of a check, a hint, a solution: a coloured card in a notebook, plain text elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

COLOURS = {"right": "#009E73", "wrong": "#D55E00", "neutral": "#767676"}  # green, vermilion, grey: told apart by all eyes


@dataclass(frozen=True)
class Card:
    """A heading and a text. `kind` is "right", "wrong" or "neutral"; `code` is shown as it stands, below the text."""

    heading: str
    text: str = ""
    kind: str = "neutral"
    code: str = ""

    def __repr__(self) -> str:
        return "\n".join(part for part in (self.heading, self.text, self.code) if part)

    def _repr_html_(self) -> str:
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.text, quote=False)).replace("\n", "<br>")
        parts = [
            f"<b>{html.escape(self.heading)}</b>",
            text,
            f'<pre style="white-space: pre; overflow-x: auto">{html.escape(self.code)}</pre>' if self.code else "",
        ]
        return (
            f'<div role="status" style="border-left: 5px solid {COLOURS[self.kind]}; padding: 4px 12px; margin: 4px 0; max-width: 60em; '
            f'white-space: normal; line-height: 1.4">{"<br>".join(p for p in parts if p)}</div>'
        )


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

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        """In a notebook the card has two buttons, for the next hint and for a solution."""
        plain = {"text/plain": repr(self), "text/html": self._repr_html_()}
        if self.passed:
            return plain
        import ipywidgets as widgets

        from vaecourse.exercises import hint, solution

        row = [
            (label, f"{label} for {self.name}", lambda make=make: make(self.name)._repr_html_())
            for label, make in (("Next hint", hint), ("Show a solution", solution))
        ]
        return (widgets.VBox(buttons(self._repr_html_(), row))._repr_mimebundle_() or {}) | plain


def buttons(heading: str, row: Sequence[tuple[str, str, Callable[[], str]]], before: str = "") -> list:
    """A heading, a row of buttons and a place below them that shows what the button pressed last has to say, all as HTML.

    Args:
        row: for each button its label, its tooltip, and what makes the text that it shows.
        before: the text before any button is pressed.
    """
    import ipywidgets as widgets

    shown, drawn = widgets.HTML(before), []
    for label, tooltip, say in row:
        drawn.append(widgets.Button(description=label, tooltip=tooltip, layout=widgets.Layout(width="auto")))
        drawn[-1].on_click(lambda _, say=say: setattr(shown, "value", say()))
    return [widgets.HTML(heading), widgets.HBox(drawn, layout=widgets.Layout(flex_flow="row wrap")), shown]
