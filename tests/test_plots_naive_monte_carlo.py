"""The figures of notebook 03 draw the numbers that they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything  # noqa: F401
from matplotlib.colors import to_hex

from vaecourse import plots
from vaecourse.plots import naive_monte_carlo as figures

matplotlib.use("Agg")


def bars(ax, color: str) -> list[tuple[float, float]]:
    """Left end and height of the drawn bars of one colour, without empty ones."""
    found = [p for p in ax.patches if to_hex(p.get_facecolor()) == plots.COLORS[color].lower()]
    return [(p.get_x(), p.get_height()) for p in found if p.get_height()]


def test_every_estimate_is_counted_and_the_exact_value_marked() -> None:
    ratio = np.array([0.2, 0.9, 1.1, 1.1, 2.0])
    fig = figures.estimates(ratio, "Estimates", n_samples=10)
    (ax,) = fig.axes
    assert sum(p.get_height() for p in ax.patches) == 5
    assert [line.get_xdata()[0] for line in ax.lines] == [1, pytest.approx(1.06)]  # the exact value, and the mean of the five
    assert "mean of the estimates: 1.06" in {t.get_text() for t in ax.texts}
    assert ax.get_xlabel() == "estimate from 10 samples / exact p(x)"
    assert ax.get_ylabel() == "how many of 5"
    fig.canvas.draw()


def test_the_law_and_the_measurements_lie_on_logarithmic_axes() -> None:
    fig = figures.error_law([1, 10, 100], [1.2, 0.3, 0.1], [1.0, 0.316, 0.1], "Law")
    (ax,) = fig.axes
    law, measured, step = ax.lines
    np.testing.assert_allclose(
        step.get_xydata(), [[10, 0.316], [1000, 0.316], [1000, 0.0316]]
    )  # 100 times the samples, a tenth of the error
    np.testing.assert_allclose(law.get_ydata(), [1.0, 0.316, 0.1])
    np.testing.assert_allclose(measured.get_xydata(), [[1, 1.2], [10, 0.3], [100, 0.1]])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    fig.canvas.draw()


def test_a_bar_ends_where_its_number_format_ends() -> None:
    ends = {"float16": -7.5, "float32": -45.2, "float64": -323.6}
    fig = figures.where_formats_end(ends, {"our digit": -46.7, "another": -76.0}, title="Ends")
    (ax,) = fig.axes
    assert [p.get_width() for p in ax.patches[::2]] == [-7.5, -45.2, -323.6]
    lost = ax.patches[1::2]
    assert [p.get_x() for p in lost] == [-7.5, -45.2, -323.6]
    assert {p.get_x() + p.get_width() for p in lost} == {ax.get_xlim()[1]}
    assert [line.get_xdata()[0] for line in ax.lines] == [-46.7, -76]
    assert all(line.get_ydata()[1] > 2 for line in ax.lines)  # through all three bars
    said = {t.get_text() for t in ax.texts}
    assert {"our digit: $2.0 \\cdot 10^{-47}$", "another: $1.0 \\cdot 10^{-76}$"} <= said  # 10^0.3 is 2.0
    ticks = dict(zip(ax.get_xticks(), (t.get_text() for t in ax.get_xticklabels())))
    assert (ticks[0], ticks[-50], ticks[-300]) == ("1", "$10^{-50}$", "$10^{-300}$")
    fig.canvas.draw()


def test_low_and_high_estimates_are_told_apart_and_none_is_lost() -> None:
    ratio = np.array([1e-30, 1e-13, 2e-3, 0.508, 0.99, 1.0, 27.5])  # the sum is 30, of which the first five are 1.5
    fig = figures.low_and_high(ratio, "Low and high")
    top, bottom = fig.axes
    low, high = bars(top, "naive"), bars(top, "importance")
    assert sum(height for _, height in low) == 5
    assert sum(height for _, height in high) == 2
    assert min(low) == (pytest.approx(1e-12), 2)  # what lies below the axis stands in the first bin
    assert min(left for left, _ in high) == pytest.approx(1)
    assert sum(height for _, height in bars(bottom, "naive")) == pytest.approx(5, abs=0.01)  # percent of the mean
    assert max(bars(bottom, "importance")) == (pytest.approx(10), pytest.approx(27.5 / 0.3, rel=1e-3))
    for ax in (top, bottom):
        assert [line.get_xdata()[0] for line in ax.lines] == [1, 0.508]  # the exact value, and the median
    said = {t.get_text() for t in top.texts}
    assert {"5 too low", "2 too high", "5% of the mean", "95% of the mean", "up to 28 times", "2 below 3e-12", "median: 5e-01"} <= said
    assert "3e-12" in {t.get_text() for t in bottom.get_xticklabels()}
    fig.canvas.draw()
