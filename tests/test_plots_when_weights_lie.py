"""The figures of notebook 05b draw what they are given, and their titles and labels say what is in the data."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything  # noqa: F401
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text

from vaecourse.plots import when_weights_lie as figures

matplotlib.use("Agg")


def texts(fig: Figure) -> set[str]:
    return {t.get_text() for t in fig.findobj(Text) if t.get_visible()}


def points(ax: Axes) -> list[np.ndarray]:
    """Where each line of markers has its points: (N, 2)."""
    return [np.column_stack(drawn.get_data()) for drawn in ax.lines if drawn.get_linestyle() == "None"]


def test_wall_draws_medians_bars_the_exact_shape_and_rings_the_pair() -> None:
    widths = np.array([0.5, 0.9, 7.0])
    k_hat = np.stack([np.linspace(0.0, 1.0, 101), np.linspace(-0.1, 0.1, 101), np.linspace(-1.6, -1.4, 101)], 1)
    ess = np.stack([np.linspace(150, 250, 101), np.linspace(900, 1000, 101), np.linspace(190, 220, 101)], 1)
    fig = figures.wall(widths, k_hat, ess, 1000, k_limit=0.65, pair=(0, 2))
    for ax, middle in zip(fig.axes, ([200, 950, 205], [0.5, 0.0, -1.5])):
        (bars,) = [c for c in ax.containers if isinstance(c, ErrorbarContainer)]
        np.testing.assert_allclose(bars.lines[0].get_ydata(), middle, atol=1e-12)
        np.testing.assert_allclose(points(ax)[-1], np.column_stack([[0.5, 7.0], np.array(middle)[[0, 2]]]))
        assert ax.get_xlim()[0] < 0.5
        assert ax.get_xlim()[1] > 7
    ends = np.array([segment[:, 1] for segment in fig.axes[1].containers[0].lines[2][0].get_segments()])
    np.testing.assert_allclose(ends, [[0.1, 0.9], [-0.08, 0.08], [-1.58, -1.42]], atol=1e-12)
    narrow, wide = (drawn for drawn in fig.axes[1].lines if drawn.get_color() == "#000000")
    np.testing.assert_allclose(narrow.get_ydata()[[0, -1]], [0.75, 0], atol=1e-12)
    np.testing.assert_array_equal(np.column_stack(wide.get_data()), [[1, -2], [7, -2]])
    assert {"effective samples of 1,000", "the alarm rings above 0.65", "dots: medians of 101 runs,\nbars: 10 to 90 %"} <= texts(fig)
    assert {"Widths 0.5 and 7 look alike: ESS 200, 205", "k̂ tells them apart: 0.5 and −1.5"} <= texts(fig)
    assert [0.65, 0.65] in [list(drawn.get_ydata()) for drawn in fig.axes[1].lines]


def test_missed_mode_marks_the_samples_and_says_error_and_alarms() -> None:
    z = np.linspace(-5, 5, 101)
    posterior, q = np.exp(-((z + 3) ** 2)), np.exp(-((z - 3) ** 2))
    fig = figures.missed_mode(z, posterior, q, [2.5, 3.5], [-1.3, -1.5], [956.7, 970.0], [-1.5, -1.28])
    (ticks,) = points(fig.axes[0])
    np.testing.assert_allclose(fig.axes[1].lines[1].get_ydata(), -12 * z, atol=1e-9)  # (z - 3)² - (z + 3)²
    np.testing.assert_array_equal(ticks[:, 0], [2.5, 3.5])
    assert (ticks[:, 1] < 0).all()
    assert {
        "1.4 nats too low, yet ESS 957 to 970",
        "2 runs of 1,000\nsamples, all on the\nsmaller mode: k̂\nfrom −1.5 to −1.3",
        "posterior p(z|x)",
        "q",
        "On the missed mode log w/p(x) is 36",
        "missed mode",
        "covered mode",
    } <= texts(fig)


@pytest.mark.parametrize(("ess", "k_hat", "warned"), [([50, 900], [0.2, 0.9], (1, 1)), ([500, 900], [0.2, 0.1], ("none", "none"))])
def test_alarms_count_the_failures_that_they_warn_of(ess: list[float], k_hat: list[float], warned: tuple) -> None:
    error = [-80.0, -8.0, -0.46]
    fig = figures.alarms(error, [*ess, 10.0], [*k_hat, 2.0], [0, 1], ess_limit=100, k_limit=0.7)
    titles = {f"The ESS warns of {warned[0]} of the 2 failures", f"k̂ warns of {warned[1]} of the 2 failures"}
    assert titles | {"#0", "#1", "alarm: below 100", "alarm:\nabove 0.70", "the other 1: within 0.5 nats"} <= texts(fig)
    for ax, alarm in zip(fig.axes, (ess, k_hat)):
        everything, *rings = points(ax)
        np.testing.assert_array_equal(everything[:, 1], error)
        np.testing.assert_array_equal(np.concatenate(rings), [[alarm[0], -80], [alarm[1], -8]])
        low, high = ax.get_xlim()
        assert (low < everything[:, 0]).all()
        assert (everything[:, 0] < high).all()
        assert ax.get_ylim()[0] < -80


def test_repairs_fills_what_is_close_and_counts_the_repaired_digits() -> None:
    methods = {"one": [[-1.0, -2.0], [-3.0, -0.4]], "other": [[-90.0, 0.0], [2.6, 0.25]], "last": [[0.1, -0.2], [-9.0, 0.1]]}
    fig = figures.repairs(methods, ["#5", "#6"])
    assert {
        "With a second fit 3 of 4 estimates are right, before it 1 of 4 (filled: within 1 nat)",
        "+2.6",
        "one",
        "other",
        "last",
        "#5",
        "#6",
    } <= texts(fig)
    for ax, counts in zip(fig.axes, (["0 of 2", "1 of 2"], ["1 of 2", "1 of 2"], ["2 of 2", "1 of 2"])):
        assert [t.get_text() for t in ax.texts if " of " in t.get_text()] == counts
    for ax, errors in zip(fig.axes, methods.values()):
        near = {
            x for drawn in ax.lines if drawn.get_linestyle() == "None" and drawn.get_markerfacecolor() != "none" for x in drawn.get_xdata()
        }
        assert near == {e for row in errors for e in row if abs(e) < 1}
        for row, values in enumerate(errors):
            at = np.concatenate(points(ax))
            assert {x for x, y in at if abs(y - row) < 0.3} == set(values)
        assert ax.get_xlim()[0] < -90


def test_enough_marks_log_n_and_fills_the_digits_between() -> None:
    fig = figures.enough([4.0, 7.0, 10.0], {100: [-1.0, -4.0, -99.0], 10_000: [0.0, -2.0, -3.0]}, named=[2])
    for ax, n, error in zip(fig.axes, (100, 10_000), ([-1, -4, -30], [0, -2, -3])):
        outside, between, below, _, ring = points(ax)  # below, _: triangles for what lies below the panel
        np.testing.assert_array_equal(np.concatenate([outside, below]), [[4.0, error[0]], [10.0, error[2]]])
        assert len(below) == (error[2] == -30)
        np.testing.assert_array_equal(between, [[7.0, error[1]]])
        np.testing.assert_array_equal(ring, [[10.0, error[2]]])
        (mark,) = (drawn.get_xdata()[0] for drawn in ax.lines if drawn.get_linestyle() == "--")
        assert mark == pytest.approx(np.log(n))
    assert {"log 100 = 4.6", "log 10,000 = 9.2", "#2"} <= texts(fig)
    titles = [ax.get_title(loc="left") for ax in fig.axes]
    assert titles == ["N = 100: 0 of 1 right in the band", "N = 10,000: 0 of 1 right in the band"]
    assert "filled: the 1\ndigits in the band" in texts(fig)
    assert any("below −30" in t for t in texts(fig))
    assert not any("triangles" in t for t in texts(figures.enough([5.0], {100: [-1.0], 200: [-1.0]})))


def test_within_reach_puts_error_against_the_share() -> None:
    share, error = np.array([0.0, -40.0, -38.0, -0.01]), np.array([0.05, -41.0, -37.0, -0.02])
    axis = np.linspace(-1, 1, 21)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    probs = 0.25 * np.exp(-50 * ((grid - 0.5) ** 2).sum(1)) + 0.75 * np.exp(-50 * ((grid + 0.5) ** 2).sum(1))
    log_ratio = np.log(50) - 4 * grid.sum(1)  # the border of reach is the falling diagonal
    case = (3, grid, probs / probs.sum(), log_ratio, ([0.5, 0.5], [0.1, 0.1]))
    fig = figures.within_reach(share, error, [1, 2], case, n=50)
    plane, ax = fig.axes
    assert {"within reach:\n25 % of the posterior", "out of reach\nof 50 samples:\n75 % of the posterior"} <= texts(fig)
    assert plane.get_title(loc="left") == "#3: 99 % of the posterior is within reach"
    assert [(e.width, e.height) for e in plane.patches] == [pytest.approx((0.4, 0.4))]
    (path,) = plane.collections[-1].get_paths()
    np.testing.assert_allclose(path.vertices.sum(1), 0, atol=1e-6)
    assert {"black: w = 50 p(x),\nthe border of reach", "coloured: 99 %\nof the posterior"} <= texts(fig)
    (inset,) = ax.child_axes
    assert sum(bar.get_height() for bar in inset.patches) == len(share)
    assert plane.get_xlim()[0] < -0.6
    assert plane.get_ylim()[1] > 1
    dots, *rings = points(ax)
    np.testing.assert_array_equal(dots, np.column_stack([share, error]))
    np.testing.assert_array_equal(np.concatenate(rings), np.column_stack([share, error])[[1, 2]])
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), ax.lines[0].get_ydata())
    (low, high), (left, right) = ax.get_ylim(), ax.get_xlim()
    assert low < error.min() < error.max() < high
    assert left < share.min() < share.max() < right
    assert ax.get_title(loc="left") == "In this run the errors are log R to 1.00 nats"
    sides = {t.get_text(): t.get_ha() for t in ax.texts if t.get_text().startswith("#")}
    assert sides == {"#1": "right", "#2": "left"}  # close neighbours: one label on either side
