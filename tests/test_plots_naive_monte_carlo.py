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


def test_images_are_coloured_by_the_end_of_one_format_and_none_is_lost() -> None:
    ends = {"float16": -17.3, "float32": -104.0, "float64": -745.0}
    log_px = np.array([-900.0, -150.0, -104.1, -103.9, -50.0])
    fig = figures.where_formats_end(log_px, ends, {"our digit": -107.6, "another": -174.9}, "Ends", lost="float32")
    (ax,) = fig.axes
    lost, kept = bars(ax, "naive"), bars(ax, "importance")
    assert (sum(h for _, h in lost), sum(h for _, h in kept)) == (3, 2)
    assert min(lost) == (pytest.approx(ax.get_xlim()[0]), 1)  # what lies below the axis stands in the first bin
    assert max(x for x, _ in lost) < -104 <= min(x for x, _ in kept)
    assert [line.get_xdata()[0] for line in ax.lines] == [-17.3, -104.0, -107.6, -174.9]  # float64 ends outside
    said = {t.get_text() for t in ax.texts}
    assert {"rounded to 0\nin float32:\n60%", "positive\nin float32:\n40%"} <= said
    assert {"← float64 ends at -745.0", "float32 ends at -104.0", "our digit: -107.6", "another: -174.9"} <= said
    fig.canvas.draw()


def test_the_region_is_filled_where_the_ratio_is_at_least_one() -> None:
    axis = np.linspace(-3, 3, 61)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    squared = ((grid - [1.0, -0.5]) ** 2).sum(1)
    log_ratio = 10 * (1 - squared / 0.36)  # a disk of radius 0.6 around (1, -0.5)
    samples = np.array([[0.0, 0.0], [1.0, -0.4]])
    fig = figures.small_region(grid, log_ratio, samples, [False, True], ["Plane", "Region"], shares=[0.125, 0.03])
    for ax in fig.axes:
        (filled,) = [c for c in ax.collections if len(c.get_paths())]
        ends = np.concatenate([path.vertices for path in filled.get_paths()])
        np.testing.assert_allclose([ends.min(0), ends.max(0)], [[0.4, -1.1], [1.6, 0.1]], atol=0.02)
        inner = filled.get_paths()[1].vertices  # p(x|z) >= 2 p(x): a little smaller
        np.testing.assert_allclose(np.abs(inner - [1.0, -0.5]).max(), 0.6 * (1 - np.log(2) / 10) ** 0.5, atol=0.02)
        np.testing.assert_allclose(ax.lines[0].get_xydata(), samples)
        np.testing.assert_allclose(ax.lines[1].get_xydata(), [[1.0, -0.4]])  # the ring around the hit
    left, right = fig.axes
    assert [patch.width for patch in left.patches if hasattr(patch, "width")] == [2, 4, 6]
    assert right.get_xlim() == pytest.approx((0.1, 1.9), abs=0.16)
    assert {t.get_text() for t in right.texts} == {"p(x|z) ≥ p(x):\n12.50% of the prior", "p(x|z) ≥ 2 p(x):\n3.00% of the prior"}
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


def test_the_averages_below_the_scoreboard_are_told_apart_by_the_exact_value() -> None:
    rows = [("02 one z", "naive", -340.0, 100.0, -107.6), ("03 naive", "naive", -np.inf, 0.0, -107.6)]
    averages = np.array([-120.0, -107.7, -107.5, -105.0, -111.0])
    fig = figures.scoreboard_and_averages(rows, averages, -107.6, "Averages")
    top, bottom = fig.axes
    assert "← -inf" in {t.get_text() for t in top.texts}
    assert [label.get_text() for label in top.get_yticklabels()] == ["02 one z", "03 naive"]
    (exact,) = bottom.lines
    assert bars(bottom, "naive") == [(pytest.approx(-120.6), 1), (pytest.approx(-111.6), 1), (pytest.approx(-108.6), 1)]
    assert bars(bottom, "importance") == [(pytest.approx(-107.6), 1), (pytest.approx(-105.6), 1)]
    assert exact.get_xdata()[0] == -107.6
    assert {"3 too low", "2 too high"} == {t.get_text() for t in bottom.texts}
    assert bottom.get_xlim()[0] < -120
    assert bottom.get_xlim()[1] > -105
    fig.canvas.draw()
