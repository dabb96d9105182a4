"""What the tests of figures share."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.text import Text


@pytest.fixture(autouse=True)
def close_everything() -> Iterator[None]:
    yield
    plt.close("all")


def texts(fig: Figure) -> list[str]:
    """What can be read in a figure."""
    return [t.get_text() for t in fig.findobj(Text) if t.get_text() and t.get_visible()]


def ellipses(ax) -> list[Ellipse]:
    """The ellipses drawn in a panel."""
    return [patch for patch in ax.patches if isinstance(patch, Ellipse)]


def square(n: int = 9, extent: float = 4.0) -> np.ndarray:
    """The nodes of a square grid of n by n, (n * n, 2)."""
    axis = np.linspace(-extent, extent, n)
    return np.stack([a.ravel() for a in np.meshgrid(axis, axis, indexing="ij")], -1)
