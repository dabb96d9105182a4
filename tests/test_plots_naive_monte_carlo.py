"""The figures of notebook 03 draw the numbers that they are given."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from vaecourse import plots
from vaecourse.plots import naive_monte_carlo as figures

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _close_everything() -> Iterator[None]:
    yield
    plt.close("all")


def bars(ax, color: str) -> list[tuple[float, float]]:
    """Left end and height of the drawn bars of one colour, without empty ones."""
    found = [p for p in ax.patches if to_hex(p.get_facecolor()) == plots.COLORS[color].lower()]
    return [(p.get_x(), p.get_height()) for p in found if p.get_height()]


def test_every_estimate_is_counted_and_the_exact_value_marked() -> None:
    ratio = np.array([0.2, 0.9, 1.1, 1.1, 2.0])
    fig = figures.estimates(ratio, "Estimates", n_samples=10)
    (ax,) = fig.axes
    assert sum(p.get_height() for p in ax.patches) == 5
    assert ax.lines[0].get_xdata()[0] == 1
    assert ax.get_xlabel() == "estimate from 10 samples / exact p(x)"
    assert ax.get_ylabel() == "how many of 5"
    fig.canvas.draw()


def test_the_law_and_the_measurements_lie_on_logarithmic_axes() -> None:
    fig = figures.error_law([1, 10, 100], [1.2, 0.3, 0.1], [1.0, 0.316, 0.1], "Law")
    (ax,) = fig.axes
    law, measured = ax.lines
    np.testing.assert_allclose(law.get_ydata(), [1.0, 0.316, 0.1])
    np.testing.assert_allclose(measured.get_xydata(), [[1, 1.2], [10, 0.3], [100, 0.1]])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    fig.canvas.draw()


def test_a_bar_ends_where_its_number_format_ends() -> None:
    fig = figures.where_formats_end({"float16": 78, "float32": 466, "float64": 3340}, p=0.01, size=784, title="Ends")
    ax = fig.axes[0]
    assert [p.get_width() for p in ax.patches[::2]] == [78, 466, 3340]
    lost = ax.patches[1::2]
    assert [p.get_x() for p in lost] == [78, 466, 3340]
    assert {p.get_x() + p.get_width() for p in lost} == {ax.get_xlim()[1]}
    colors = [to_hex(p.get_facecolor()) for p in ax.patches[::2]]
    assert colors == [plots.COLORS[name].lower() for name in ("naive", "naive", "prior")]  # a digit of 784 pixels fits into the last alone
    assert ax.lines[0].get_xdata()[0] == 784
    assert {"78", "466", "3,340", "a digit: 28 × 28"} <= {t.get_text() for t in ax.texts}
    fig.canvas.draw()
    (top,) = ax.child_axes
    assert top.get_xlim()[1] == pytest.approx(2 * ax.get_xlim()[1])  # at 0.01 a pixel the exponent is twice the number of pixels


def test_low_and_high_estimates_are_told_apart_and_none_is_lost() -> None:
    ratio = np.array([1e-30, 1e-13, 2e-3, 0.5, 0.99, 1.0, 60.0])
    fig = figures.low_and_high(ratio, "Low and high")
    (ax,) = fig.axes
    low, high = bars(ax, "naive"), bars(ax, "importance")
    alpha = [p for p in ax.patches if p.get_height()]
    assert sum(p.get_height() for p in alpha) == 7
    assert sum(height for _, height in low) == 5
    assert sum(height for _, height in high) == 2
    assert min(low) == (pytest.approx(1e-12), 2)  # what lies below the axis stands in the first bin
    assert min(left for left, _ in high) == pytest.approx(1)
    said = {t.get_text() for t in ax.texts}
    assert {"5 too low", "2 too high", "up to 60 times"} <= said
    fig.canvas.draw()
