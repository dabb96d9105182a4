"""What the tests of figures share."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text


@pytest.fixture(autouse=True)
def close_everything() -> Iterator[None]:
    yield
    plt.close("all")


def texts(fig: Figure) -> list[str]:
    """What can be read in a figure."""
    return [t.get_text() for t in fig.findobj(Text) if t.get_text() and t.get_visible()]
