"""Numbers as figures write them."""

__all__ = ["minus"]


def minus(number: float, spec: str = "g") -> str:
    """A number as text, with a true minus sign in place of the hyphen.

    Args:
        number: the number.
        spec: how it is written, as in a format string.

    Example:
        >>> minus(-0.5), minus(-12.3, ".0f"), minus(3, "+.0f")
        ('−0.5', '−12', '+3')
    """
    return format(number, spec).replace("-", "−")
