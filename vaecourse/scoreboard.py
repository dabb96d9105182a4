"""The scoreboard: estimates of log p(x) of one held-out digit by every method so far, each beside the exact value of its model.

A notebook computes its own rows; the rows of earlier notebooks come from data/scoreboard.csv.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from vaecourse.data import Digits, lines_about, replace_lines

__all__ = ["Row", "earlier", "rows_in", "store", "the_digit"]

FILE = "scoreboard.csv"


class Row(NamedTuple):
    """One row of the scoreboard.

    Attributes:
        label: the method, preceded by the number of its notebook.
        color: a key of `vaecourse.plots.COLORS`.
        estimate, error: the estimate of log p(x) and the standard deviation of such an estimate, in nats.
        exact: the exact log p(x) of the same model, in nats.

    Example:
        >>> Row("05 importance sampling", "importance", -95.1, 0.2, -95.0).estimate
        -95.1
    """

    label: str
    color: str
    estimate: float
    error: float
    exact: float


def the_digit(digits: Digits) -> Float[Tensor, "1 pixels"]:
    """The digit that every notebook evaluates: the first 8 of the test split, (1, 784).

    Raises:
        ValueError: the test split has no labels, or no 8.

    Example:
        >>> from vaecourse.data import load_digits
        >>> the_digit(load_digits("strokes")).shape
        torch.Size([1, 784])
    """
    if digits.test.labels is None:
        raise ValueError(f"the data set {digits.name!r} has no labels, so its first 8 is not known: load_digits('mnist') has them")
    eights = digits.test.x[digits.test.labels == 8]
    if not len(eights):
        raise ValueError(f"the test split of {digits.name!r} holds no 8: pass a data set that does, such as load_digits('strokes')")
    return eights[:1]


def earlier(notebook: str, name: str | None = None) -> list[Row]:
    """The rows of the notebooks before a given one.

    Args:
        notebook: the number of the notebook, for example "05".
        name: the digits; by default those that VAECOURSE_DIGITS chooses.

    Raises:
        ValueError: notebook is no number of a notebook, or there is no data set of this name.

    Example:
        >>> all(row.label < "05" for row in earlier("05", "strokes"))
        True
    """
    if not re.fullmatch(r"\d\d[a-z]?", str(notebook)):
        raise ValueError(f"notebook must be the number of a notebook in two digits, such as '05' or '09b'; got {notebook!r}")
    rows = [Row(label, color, *map(float, numbers)) for label, color, *numbers in lines_about(FILE, name)]
    return [row for row in rows if row.label[:2] < notebook]


def store(name: str, rows: list[Row]) -> None:
    """Replace the rows of the digits called `name` in data/scoreboard.csv, rounded to 0.01 nats."""
    replace_lines(FILE, Row._fields, name, [(*row[:2], *(f"{v:.2f}" for v in row[2:])) for row in rows])


def rows_in(variables: Mapping[str, object], notebook: str) -> list[Row]:
    """The rows of a notebook among its variables, alone or in lists, each once and in order.

    Args:
        variables: the variables of the notebook, by name.
        notebook: its number, for example "05".

    Example:
        >>> row = Row("05 importance sampling", "importance", -95.1, 0.2, -95.0)
        >>> len(rows_in({"x": 3, "row": row, "rows": [row]}, "05"))
        1
    """
    found = [[v] if isinstance(v, Row) else v for v in list(variables.values()) if isinstance(v, (list, Row))]
    rows = [row for several in found for row in several if isinstance(row, Row) and row.label.startswith(notebook)]
    return list({row.label: row for row in rows}.values())
