"""The checks of arguments that many functions take: whole numbers, in one place."""

from __future__ import annotations

from numbers import Integral

from torch import Tensor


def whole(name: str, value: int, least: int = 1) -> int:
    """The argument `name` as a Python int: NumPy's integers are whole numbers too, True, 2.0, "2" and tensors are not."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        todo = ": pass its .item()" if isinstance(value, Tensor) and value.ndim == 0 else ""
        raise TypeError(f"{name} must be a whole number; got {value!r}{todo}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got {value}")
    return int(value)


def positive(**sizes: int) -> tuple[int, ...]:
    """The arguments, each a whole number of at least 1, as Python ints in the order given. Raises TypeError or ValueError."""
    return tuple(whole(name, size) for name, size in sizes.items())
