"""Checks of arguments that many functions take: numbers, whole numbers and tensors, checked in one place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real

from torch import Tensor

__all__ = ["layers", "number", "positive", "tensors", "whole"]


def number(name: str, value: float, above: float = -math.inf, below: float = math.inf) -> float:
    """Check that an argument is a finite number between two limits, which are not included, and return it as a Python float.

    NumPy's numbers and tensors without dimensions count as numbers. True and "2" do not.

    Args:
        name: the name of the argument, which the message of an error states; a few words on what it means may follow it.
        value: what was passed for it.
        above, below: the limits.

    Raises:
        TypeError: the value is not a number.
        ValueError: the value is NaN, infinite, or not between the limits.

    Example:
        >>> number("spacing", 1)
        1.0
        >>> number("share", 1.5, above=0, below=1)
        Traceback (most recent call last):
        ValueError: share must lie between 0 and 1; got 1.5
    """
    single = value.item() if isinstance(value, Tensor) and value.ndim == 0 else value
    if not isinstance(single, Real) or isinstance(single, bool):
        raise TypeError(f"{name} must be a number; got {value!r}")
    if not above < single < below:
        limits = f"lie between {above:g} and {below:g}" if below < math.inf else "be a finite number"
        raise ValueError(f"{name} must {limits}{f' above {above:g}' if -math.inf < above and below == math.inf else ''}; got {single}")
    return float(single)


def tensors(floating: bool = False, **values: Tensor) -> None:
    """Check that every argument is a torch tensor and, if asked for, one of a floating-point type.

    Args:
        floating: whether tensors of whole numbers are refused.
        values: the arguments under their names, which the message of an error states.

    Raises:
        TypeError: one of them is no such tensor.

    Example:
        >>> tensors(mu=[0.0, 1.0])
        Traceback (most recent call last):
        TypeError: mu must be a torch tensor; got list: convert it with torch.as_tensor
    """
    for name, value in values.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"{name} must be a torch tensor; got {type(value).__name__}: convert it with torch.as_tensor")
        if floating and not value.is_floating_point():
            raise TypeError(f"{name} must be floating point; got {value.dtype}: convert it with {name}.float()")


def whole(name: str, value: int, least: int = 1) -> int:
    """Check that an argument is a whole number of at least `least`, and return it as a Python int.

    NumPy's integers count as whole numbers. True, 2.0, "2" and tensors do not.

    Args:
        name: the name of the argument, which the message of an error states.
        value: what was passed for it.
        least: the smallest value that is accepted.

    Raises:
        TypeError: the value is not a whole number.
        ValueError: the value is below `least`.

    Example:
        >>> whole("n_samples", 100)
        100
        >>> whole("n_samples", 0)
        Traceback (most recent call last):
        ValueError: n_samples must be at least 1; got 0
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        todo = ": pass its .item()" if isinstance(value, Tensor) and value.ndim == 0 else ""
        raise TypeError(f"{name} must be a whole number; got {value!r}{todo}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got {value}")
    return int(value)


def positive(**sizes: int) -> tuple[int, ...]:
    """Check that every argument is a whole number of at least 1, and return them as Python ints in the order given.

    Args:
        sizes: the arguments under their names, which the message of an error states.

    Raises:
        TypeError: one of them is not a whole number.
        ValueError: one of them is below 1.

    Example:
        >>> positive(latent_dim=2, data_dim=784)
        (2, 784)
    """
    return tuple(whole(name, size) for name, size in sizes.items())


def layers(hidden: Sequence[int]) -> tuple[int, ...]:
    """Check that an argument holds the sizes of hidden layers, whole numbers above 0, and return them as Python ints.

    Args:
        hidden: the argument.

    Raises:
        TypeError: it is not a sequence of whole numbers.
        ValueError: one of them is below 1.

    Example:
        >>> layers((128, 64))
        (128, 64)
    """
    try:
        sizes = {f"hidden[{i}]": size for i, size in enumerate(hidden)}
    except TypeError as error:
        raise TypeError(f"hidden must be a sequence of sizes, such as (128, 128) or (400,); got {hidden!r}") from error
    return positive(**sizes)
