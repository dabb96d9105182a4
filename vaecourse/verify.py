"""`verify` and `claim`: what the course asserts, checked by the machine that runs it.

`verify("6.2", left, "=", right)` checks a numbered equation. `claim("the bound is {:.1f} nats too low", gap, ">", 0.5)` states a
finding together with its number, and checks it as well.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

__all__ = ["Record", "VerificationError", "claim", "note_skipped", "verify"]

Number = Tensor | float | int


class VerificationError(AssertionError):
    """An equation or a claim of the course does not hold. The message shows the numbers.

    Example:
        >>> try:
        ...     verify("1.1", 2 + 2, "=", 5)
        ... except VerificationError as error:
        ...     print(str(error).partition(";")[0])
        (1.1) does not hold: left = right fails for 1 of 1 entries
    """


@dataclass(frozen=True)
class Record:
    """What was checked, for `python -m vaecourse regress`.

    Attributes:
        kind: "equation" or "claim"; "skipped" if a notebook lacks its data and does not continue.
        label: the number of the equation, or the text of the claim with its placeholder.
        value: the number that was found: the quantity of a claim, or the largest deviation in an equation.
        relation, limit: the condition on the value.
        room: how far the value is on the right side of its limit, in its own unit; negative if the condition does not hold.
        holds: whether the condition holds.

    Example:
        >>> Record("claim", "the gap is {:.1f}", [0.7], ">", [0.5], room=0.2, holds=True).holds
        True
    """

    kind: str
    label: str
    value: list[float]
    relation: str
    limit: list[float]
    room: float
    holds: bool


def verify(label: str, left: Number, relation: str, right: Number, *, atol: float = 1e-6, sigmas: float = 4.0) -> None:
    """Print one line, the same on every machine, if the equation holds, and otherwise raise an error that shows both sides.

    Args:
        label: the number of the equation in the text, for example "6.2".
        left: one side, a number or a tensor.
        relation: "=" (every entry agrees within atol), "<=" (no entry of left exceeds right by more than atol), or "~": left holds
            independent random estimates along its first axis, and their mean lies within `sigmas` standard errors of right, in every
            entry of the other axes.
        right: the other side; its shape can be broadcast with that of left.
        atol: the accepted absolute difference, in the unit of the two sides.
        sigmas: the accepted distance for "~", in standard errors.

    Raises:
        VerificationError: the equation does not hold, or a side contains NaN.
        ValueError: the relation is unknown, the shapes do not match, or there is nothing to compare.
        TypeError: a side holds complex numbers.

    Example:
        >>> verify("1.1", torch.tensor([1.0, 2.0]).exp().log(), "=", torch.tensor([1.0, 2.0]))
        ✓ (1.1)  left = right in all 2 entries, within 1e-06
    """
    if any(map(_complex, (left, right))):
        raise TypeError(
            f"({label}) the sides must be real numbers: compare the real and the imaginary parts, each in an equation of its own"
        )
    a, b = (torch.as_tensor(side, dtype=torch.float64).detach().cpu() for side in (left, right))
    if relation == "~":
        _statistical(label, a, b, sigmas)
        return
    if relation not in ("=", "<="):
        raise ValueError(f"unknown relation {relation!r}: expected '=', '<=' or '~'")
    a, b = _broadcast(label, a, b)
    difference = (a - b).abs() if relation == "=" else a - b
    difference = torch.where(a == b, torch.zeros_like(difference), difference)  # infinities of one sign are equal
    wrong, worst = ~(difference <= atol), _largest(difference)
    entries = "" if a.numel() == 1 else f" in all {a.numel():,} entries"
    slack = f", within {atol:g}" if relation == "=" else ""
    _settle(
        Record(
            "equation", label, [difference.flatten()[worst].item()], "<=", [atol], _room(difference, "<=", atol), not wrong.any().item()
        ),
        f"({label})  left {'=' if relation == '=' else '≤'} right{entries}{slack}",
        f"({label}) does not hold: left {relation} right fails for {int(wrong.sum())} of {a.numel()} entries; "
        f"worst: left {a.flatten()[worst]:.10g}, right {b.flatten()[worst]:.10g}, accepted difference {atol:g}",
    )


def claim(
    text: str, value: Number | Sequence[float], relation: str, limit: Number | Sequence[float], *, error: float | None = None
) -> None:
    """Print a finding with its number and its limit, and raise an error if the number is on the wrong side of the limit.

    Args:
        text: one sentence with one placeholder for the number, formatted as Python formats numbers: {:.1f}, {:,}, {:.0%}.
            Print as many digits as all machines agree on: a regression run accepts a difference of one unit in the last digit.
        value: one number, or several that must all satisfy the relation; of six or more, the smallest and the largest are printed.
        relation: ">", ">=", "<", "<=", "=" (exactly), or "between" two limits, which are included.
        limit: what the value is compared with; a pair of numbers for "between".
        error: printed after the number with ±, and accepted by a regression run as its tolerance: a standard error, for example.

    Raises:
        VerificationError: the claim does not hold, or a number is NaN.
        ValueError: the relation is unknown, there is not exactly one placeholder, or there is no number or no suitable limit.
        TypeError: the value is True or False or complex instead of a number.

    Example:
        >>> claim("the bound is {:.1f} nats too low", 4.12, ">", 0.5)
        ✓ the bound is 4.1 nats too low  (claimed: > 0.5)
    """
    numbers, limits = _numbers("value", value), _numbers("limit", limit)
    holes = re.findall(r"\{(?::([^{}]*))?\}", text)
    if len(holes) != 1:
        raise ValueError(f"a claim has one placeholder for its number, such as {{:.1f}}; this one has {len(holes)}: {text!r}")
    if relation not in RELATIONS:
        raise ValueError(f"unknown relation {relation!r}: expected one of {', '.join(map(repr, RELATIONS))}")
    if len(limits) != (2 if relation == "between" else 1):
        raise ValueError(f"{relation!r} needs {'two limits' if relation == 'between' else 'one limit'}; got {len(limits)}")
    room = _room(torch.tensor(numbers, dtype=torch.float64), relation, *limits)
    holds = room > 0 if relation in (">", "<") else room >= 0  # False for NaN
    spread = "" if error is None else f" ± {_formatted(float(error), holes[0].replace('+', ''))}"
    some, glue = (numbers, ", ") if len(numbers) < 6 else ([min(numbers), max(numbers)], " to ")
    shown = glue.join(_formatted(number, holes[0]) + spread for number in some)
    sentence = re.sub(r"\{(?::[^{}]*)?\}", lambda _: shown, text)
    sides = " and ".join(_short(side, holes[0]) for side in limits)
    claimed = f"(claimed: {'each ' if len(numbers) > 1 else ''}{relation} {sides})"
    worst = f"; the room is {room:.4g}" if len(numbers) > 1 else ""
    _settle(
        Record("claim", text, some, relation, limits, room, holds),
        f"{sentence}  {claimed}",
        f"{sentence} does not hold {claimed}{worst}",
    )


RELATIONS = (">", ">=", "<", "<=", "=", "between")


def note_skipped(why: str) -> None:
    """Tell a regression run that the remaining cells do nothing, and why.

    Example:
        >>> note_skipped("MNIST is not available")  # does nothing outside of a regression run
    """
    _keep(Record("skipped", why, [], "", [], 0.0, True))


def _settle(record: Record, line: str, failure: str) -> None:
    """Print or raise. While a regression run records, a failure is noted and the notebook continues."""
    recorded = _keep(record)
    if record.holds:
        print(f"✓ {line}")
    elif recorded:
        print(f"✗ {failure}")
    else:
        raise VerificationError(failure)


def _keep(record: Record) -> bool:
    """Append the record to the file that VAECOURSE_RECORD names; False if there is none."""
    file = os.environ.get("VAECOURSE_RECORD")
    if file:
        with open(file, "a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(record)) + "\n")
    return bool(file)


def _room(values: Tensor, relation: str, low: float, high: float = math.nan) -> float:
    """The smallest distance of any value from the limit, positive on the right side. NaN if a value or a limit is NaN."""
    to = {
        ">": values - low,
        ">=": values - low,
        "<": low - values,
        "<=": low - values,
        "=": -(values - low).abs(),
        "between": torch.minimum(values - low, high - values),
    }[relation]
    to = torch.where(values == low, torch.zeros_like(to), to) if relation != "between" else to  # infinities of one sign
    return to.min().item()  # of NaN, NaN


def _numbers(name: str, side: Number | Sequence[float]) -> list[float]:
    if isinstance(side, (list, tuple)):
        numbers = [number for part in side for number in _numbers(name, part)]
    else:
        array = side.detach().cpu().numpy() if isinstance(side, Tensor) else np.asarray(side)
        if array.dtype == bool:
            raise TypeError(f"the {name} of a claim must be the number that was measured, not True or False")
        if _complex(array):
            raise TypeError(f"the {name} of a claim must be a real number; got {side}")
        numbers = array.astype(float).flatten().tolist()
    if not numbers:
        raise ValueError(f"the {name} of a claim is empty: there is nothing to compare")
    return numbers


def _complex(side: Number | Sequence[float]) -> bool:
    return side.is_complex() if isinstance(side, Tensor) else not isinstance(side, (list, tuple)) and np.iscomplexobj(side)


def _formatted(number: float, spec: str) -> str:
    return format(int(number) if number.is_integer() and not spec.endswith(("f", "%", "e", "g")) else number, spec)


def _short(number: float, spec: str) -> str:
    """A limit as its author wrote it; if it was computed, with as many digits as the value."""
    percent = spec.endswith("%")
    plain = f"{100 * number:.6g}%" if percent else f"{number:,g}" if "," in spec else f"{number:g}"
    if sum(c.isdigit() for c in plain.split("e")[0].lstrip("-0.")) < 5:
        return plain
    rounded = _formatted(number, spec)
    return rounded if any(c in "123456789" for c in rounded) else f"{number:.3g}"  # a small limit is not rounded to 0


def _largest(values: Tensor) -> int:
    """The index of the largest entry; NaN counts as larger than all others."""
    return int(torch.where(values.isnan(), torch.inf, values).argmax())


def _broadcast(label: str, *sides: Tensor) -> list[Tensor]:
    try:
        sides = torch.broadcast_tensors(*sides)
    except RuntimeError:
        raise ValueError(
            f"({label}) the two sides have shapes {' and '.join(str(tuple(s.shape)) for s in sides)}, which do not match"
        ) from None
    if sides[0].numel() == 0:
        raise ValueError(f"({label}) nothing to compare: both sides are empty")
    return list(sides)


def _statistical(label: str, estimates: Tensor, value: Tensor, sigmas: float) -> None:
    n = len(estimates) if estimates.ndim else 0
    if n < 10:
        raise ValueError(f"({label}) '~' needs at least 10 independent estimates along the first axis; got {n}")
    _broadcast(label, estimates[0], value)  # before the standard error, which an empty side does not have
    mean, error, value = _broadcast(label, estimates.mean(0), estimates.std(0) / math.sqrt(n), value)
    z = torch.where(mean == value, 0.0, (mean - value).abs() / error)  # estimates without variance must be the value
    worst = _largest(z)
    at = [side.flatten()[worst] for side in (mean, error, value)]
    _settle(
        Record("equation", label, [z.flatten()[worst].item()], "<=", [sigmas], _room(z, "<=", sigmas), (z <= sigmas).all().item()),
        f"({label})  the mean of {n:,} estimates lies within {sigmas:g} standard errors",
        f"({label}) does not hold: the mean of {n:,} estimates is {at[0]:.10g} with standard error {at[1]:.3g}, and {at[2]:.10g} "
        f"lies {z.flatten()[worst]:.1f} standard errors away (accepted: {sigmas:g})",
    )
