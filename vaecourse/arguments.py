"""Checks of arguments that many functions take: whole numbers, checked in one place."""

from __future__ import annotations

from numbers import Integral

from torch import Tensor

__all__ = ["positive", "whole"]


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
