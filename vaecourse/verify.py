"""verify("6.2", left, "=", right): the numbered equations of the course, checked by the machine that runs them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

Number = Tensor | float | int


class VerificationError(AssertionError):
    """An equation of the course does not hold. The message shows both sides."""


def verify(label: str, left: Number, relation: str, right: Number, *, atol: float = 1e-6, sigmas: float = 4.0) -> None:
    """Print one line, the same on every machine, if the equation holds; raise VerificationError with both sides if not.

    Args:
        label: the number of the equation in the text, for instance "6.2".
        relation: "=" (every entry within atol), "<=" (no entry of left above right by more than atol), or "~": left
            holds independent random estimates along its first axis, and their mean lies within `sigmas` standard errors
            of right, in every entry of the other axes.
        atol: accepted absolute difference, in the units of the two sides.

    Raises:
        VerificationError: the equation does not hold, or a side holds NaN.
        ValueError: unknown relation; shapes that do not fit; nothing to compare.
    """
    a, b = (torch.as_tensor(side, dtype=torch.float64).detach() for side in (left, right))
    if relation == "~":
        _statistical(label, a, b, sigmas)
        return
    if relation not in ("=", "<="):
        raise ValueError(f"unknown relation {relation!r}: expected '=', '<=' or '~'")
    a, b = _broadcast(label, a, b)
    difference = (a - b).abs() if relation == "=" else a - b
    difference = torch.where(a == b, torch.zeros_like(difference), difference)  # infinities of one sign are equal
    if not bool((difference <= atol).all()):
        worst = torch.where(difference.isnan(), torch.inf, difference).argmax()
        raise VerificationError(
            f"({label}) does not hold: left {relation} right fails for {int((~(difference <= atol)).sum())} of {a.numel()} entries; "
            f"worst: left {a.flatten()[worst]:.10g}, right {b.flatten()[worst]:.10g}, accepted difference {atol:g}"
        )
    entries = "" if a.numel() == 1 else f" in all {a.numel():,} entries"
    slack = f", within {atol:g}" if relation == "=" else ""
    print(f"✓ ({label})  left {'=' if relation == '=' else '≤'} right{entries}{slack}")


def _broadcast(label: str, *sides: Tensor) -> list[Tensor]:
    try:
        sides = torch.broadcast_tensors(*sides)
    except RuntimeError:
        raise ValueError(f"({label}) the sides have shapes {' and '.join(str(tuple(s.shape)) for s in sides)}, which do not fit") from None
    if sides[0].numel() == 0:
        raise ValueError(f"({label}) nothing to compare: both sides are empty")
    return list(sides)


def _statistical(label: str, estimates: Tensor, value: Tensor, sigmas: float) -> None:
    n = len(estimates) if estimates.ndim else 0
    if n < 10:
        raise ValueError(f"({label}) '~' needs at least 10 independent estimates along the first axis; got {n}")
    _broadcast(label, estimates[0], value)
    mean, error = estimates.mean(0), estimates.std(0) / math.sqrt(n)
    mean, error, value = _broadcast(label, mean, error, value)
    z = torch.where(mean == value, 0.0, (mean - value).abs() / error)  # estimates without variance must be the value
    if not bool((z <= sigmas).all()):
        worst = torch.where(z.isnan(), torch.inf, z).argmax()
        at = [side.flatten()[worst] for side in (mean, error, value)]
        raise VerificationError(
            f"({label}) does not hold: the mean of {n:,} estimates is {at[0]:.10g} with standard error {at[1]:.3g}, and {at[2]:.10g} "
            f"lies {z.flatten()[worst]:.1f} standard errors away (accepted: {sigmas:g})"
        )
    print(f"✓ ({label})  the mean of {n:,} estimates lies within {sigmas:g} standard errors")
