"""The scoreboard: log p(x) of one held-out digit by every method so far, each beside the exact value of its model.

A notebook computes its own row; the rows of those before it come from data/scoreboard.csv.
"""

from __future__ import annotations

import csv
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from vaecourse.data import Digits, default_name, shipped


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
    name = (name or default_name()).removeprefix("static-")
    with shipped("scoreboard.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    return [
        Row(line["label"], line["color"], *(float(line[k]) for k in ("estimate", "error", "exact")))
        for line in lines
        if line["digits"] == name and line["label"][:2] < notebook
    ]
