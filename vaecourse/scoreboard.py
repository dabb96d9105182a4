"""The scoreboard: log p(x) of one held-out digit by every method so far, each beside the exact value of its model.

A notebook computes its own row; the rows of those before it come from data/scoreboard.csv.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from vaecourse.data import Digits, lines_about, replace_lines

FILE = "scoreboard.csv"


class Row(NamedTuple):
    """One line: `label` starts with the number of its notebook; `color` names a method; the rest is in nats."""

    label: str
    color: str
    estimate: float
    error: float
    exact: float


def the_digit(digits: Digits) -> Float[Tensor, "1 pixels"]:
    """The digit that every notebook scores: the first 8 of the test split."""
    return digits.test.x[digits.test.labels == 8][:1]


def earlier(notebook: str, name: str | None = None) -> list[Row]:
    """The rows of the notebooks before `notebook` ("05"), for the digits called `name` (by default what VAECOURSE_DIGITS says)."""
    rows = [Row(label, color, *map(float, numbers)) for label, color, *numbers in lines_about(FILE, name)]
    return [row for row in rows if row.label[:2] < notebook]


def store(name: str, rows: list[Row]) -> None:
    """Replace the rows of the digits called `name` in data/scoreboard.csv, rounded to 0.01 nats."""
    replace_lines(FILE, Row._fields, name, [(*row[:2], *(f"{v:.2f}" for v in row[2:])) for row in rows])


def rows_in(variables: Mapping[str, object], notebook: str) -> list[Row]:
    """The rows of `notebook` among the variables of a notebook, alone or in lists, each once and in order."""
    found = [[v] if isinstance(v, Row) else v for v in list(variables.values()) if isinstance(v, (list, Row))]
    rows = [row for several in found for row in several if isinstance(row, Row) and row.label.startswith(notebook)]
    return list({row.label: row for row in rows}.values())
