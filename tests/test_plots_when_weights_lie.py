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
from scipy.stats import chi

from vaecourse.plots import when_weights_lie as figures

matplotlib.use("Agg")


def texts(fig: Figure) -> set[str]:
    return {t.get_text() for t in fig.findobj(Text) if t.get_visible()}


def points(ax: Axes) -> list[np.ndarray]:
    """Where each line of markers has its points: (N, 2)."""
    return [np.column_stack(drawn.get_data()) for drawn in ax.lines if drawn.get_linestyle() == "None"]


def test_wall_draws_medians_bars_and_the_exact_shape() -> None:
    widths = np.array([0.5, 0.9])
    k_hat = np.stack([np.linspace(0.0, 1.0, 101), np.linspace(-0.1, 0.1, 101)], 1)
    fig = figures.wall(widths, k_hat, 1000 * (k_hat + 0.1), 1000, k_limit=0.65)
    (bars,) = [c for c in fig.axes[0].containers if isinstance(c, ErrorbarContainer)]
    np.testing.assert_allclose(bars.lines[0].get_ydata(), [0.5, 0.0], atol=1e-12)
    ends = np.array([segment[:, 1] for segment in bars.lines[2][0].get_segments()])
    np.testing.assert_allclose(ends, [[0.1, 0.9], [-0.08, 0.08]], atol=1e-12)
    exact = fig.axes[0].lines[0]
    np.testing.assert_allclose(exact.get_ydata()[[0, -1]], [0.75, 0.19], atol=1e-12)
    np.testing.assert_allclose(fig.axes[1].containers[0].lines[0].get_ydata(), [600, 100])
    assert {"effective samples of 1,000", "the alarm rings above 0.65", "dots: medians of 101 runs\nbars: 10 to 90 % of them"} <= texts(fig)
    assert [0.65, 0.65] in [list(drawn.get_ydata()) for drawn in fig.axes[0].lines]


def test_missed_mode_marks_the_samples_and_says_what_it_is_told() -> None:
    z = np.linspace(-5, 5, 101)
    posterior, q = np.exp(-((z + 3) ** 2)), np.exp(-((z - 3) ** 2))
    fig = figures.missed_mode(z, posterior, q, [2.5, 3.5], "ESS 950")
    (ticks,) = points(fig.axes[0])
    np.testing.assert_array_equal(ticks[:, 0], [2.5, 3.5])
    assert (ticks[:, 1] < 0).all()
    assert {"ESS 950", "posterior p(z|x)", "q"} <= texts(fig)


@pytest.mark.parametrize(("ess", "k_hat", "warned"), [([50, 900], [0.2, 0.9], (1, 1)), ([500, 900], [0.2, 0.1], ("none", "none"))])
def test_alarms_count_the_failures_that_they_warn_of(ess: list[float], k_hat: list[float], warned: tuple) -> None:
    error = [-80.0, -8.0, -0.46]
    fig = figures.alarms(error, [*ess, 10.0], [*k_hat, 2.0], [0, 1], [2], ess_limit=100, k_limit=0.7)
    assert {f"The ESS warns of {warned[0]} of the 2 failures", f"k̂ warns of {warned[1]} of the 2 failures", "#0", "#1", "#2 −0.5"} <= texts(
        fig
    )
    for ax, alarm in zip(fig.axes, (ess, k_hat)):
        everything, *rings = points(ax)
        np.testing.assert_array_equal(everything[:, 1], [-50, -8, -0.46])
        np.testing.assert_array_equal(np.concatenate(rings), [[alarm[0], -50], [alarm[1], -8]])
        low, high = ax.get_xlim()
        assert (low < everything[:, 0]).all()
        assert (everything[:, 0] < high).all()


def test_reach_counts_the_prior_samples_beyond_each_distance() -> None:
    fig = figures.reach([1.0, 3.9, 0.5], [0.0, -60.0, -0.8], [1], [2], 1000)
    shown = {t.get_position()[0]: float(t.get_text()) for t in fig.axes[0].texts if t.get_text().replace(".", "").isdigit()}
    assert set(shown) == {1.5, 2, 2.5, 3, 3.5, 4}
    for r, count in shown.items():
        assert count == pytest.approx(1000 * chi(2).sf(r), abs=0.5 if r < 4 else 0.05)
    everything, ring = points(fig.axes[0])
    np.testing.assert_array_equal(everything, [[1.0, 0.0], [3.9, -50.0], [0.5, -0.8]])
    assert "#2 −0.8" in texts(fig)
    np.testing.assert_array_equal(ring, [[3.9, -50.0]])


def test_repeats_draws_every_estimate_in_the_row_of_its_method() -> None:
    rows = {"one": [[-1.0, -2.0], [-3.0, -4.0]], "other": [[-90.0, 0.0], [0.5, 0.25]]}
    fig = figures.repeats(rows, "Repeats", ["#5", "#6"])
    assert {"Repeats (2 runs a row, drawn below each other)", "#5", "#6", "one", "other"} <= texts(fig)
    for j, ax in enumerate(fig.axes):
        for i, (row, drawn) in enumerate(zip(rows.values(), points(ax))):
            np.testing.assert_array_equal(drawn[:, 0], row[j])
            assert (abs(drawn[:, 1] - i) < 0.3).all()
            assert ax.get_xlim()[0] < min(row[j])


def test_enough_marks_log_n_and_says_what_is_cut() -> None:
    fig = figures.enough([5.0, 9.0], {100: [-1.0, -99.0], 10_000: [0.0, -2.0]})
    for ax, n, error in zip(fig.axes, (100, 10_000), ([-1, -30], [0, -2])):
        (drawn,) = points(ax)
        np.testing.assert_array_equal(drawn, np.column_stack([[5.0, 9.0], error]))
        marks = sorted(drawn.get_xdata()[0] for drawn in ax.lines if drawn.get_linestyle() in ("--", ":"))
        np.testing.assert_allclose(marks, [np.log(n), np.log(n) + 2])
    assert {"100 samples: 2 digits lie beyond log N", "10,000 samples: 0 digits lie beyond log N"} <= texts(fig)
    assert any("drawn at −30" in t for t in texts(fig))
    assert not any("drawn at" in t for t in texts(figures.enough([5.0], {100: [-1.0]})))


def test_within_reach_puts_error_against_kl_and_against_the_share() -> None:
    kl, share, error = np.array([0.2, 3000.0, 2000.0, 50.0]), np.array([0.0, -40.0, -38.0, -0.01]), np.array([0.05, -41.0, -37.0, -0.02])
    fig = figures.within_reach(kl, share, error, 1000, [1, 2])
    for ax, x, labels in zip(fig.axes, (kl, share), ({"#1", "#2", "#3"}, {"#1", "#2"})):
        clouds = points(ax)
        np.testing.assert_array_equal(clouds[0], np.column_stack([x, error]))
        np.testing.assert_array_equal(np.concatenate(clouds[1:]), np.column_stack([x, error])[[1, 2]])
        assert {t.get_text() for t in ax.texts if t.get_text().startswith("#")} == labels
        (low, high), (left, right) = ax.get_ylim(), ax.get_xlim()
        assert low < error.min() < error.max() < high
        assert left < x.min() < x.max() < right
    assert np.log(1000) in [drawn.get_xdata()[0] for drawn in fig.axes[0].lines]
    diagonal = fig.axes[1].lines[0]
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    sides = {t.get_text(): t.get_ha() for t in fig.axes[1].texts}
    assert sides == {"#1": "right", "#2": "left"}  # close neighbours: one label on either side


def test_correlation_draws_the_limit_and_the_medians() -> None:
    share = np.stack([np.linspace(0.9, 1.0, 101), np.linspace(0.2, 0.4, 101)], 1)
    fig = figures.correlation([0.0, 0.9], share, 1000)
    (ax,) = fig.axes
    limit = ax.lines[0]
    np.testing.assert_allclose(limit.get_ydata()[[0, -1]], [1, 0.19], atol=1e-12)
    np.testing.assert_allclose(ax.containers[0].lines[0].get_ydata(), [0.95, 0.3])
    assert "ESS of 1,000 samples:\nmedian, 10 to 90 %\nof 101 runs" in texts(fig)
