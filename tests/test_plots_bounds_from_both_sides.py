"""The figures of notebook 09c draw what they are given, and their titles say what is in the data."""

from __future__ import annotations

import matplotlib
import numpy as np
import torch
from figures_under_test import close_everything, texts  # noqa: F401
from scipy.stats import norm
from torch.distributions import Normal

from vaecourse.plots import bounds_from_both_sides as figures

matplotlib.use("Agg")


def test_densities_draws_each_density_of_the_path_and_names_them() -> None:
    z = np.linspace(-3, 3, 61)
    fig = figures.densities(z, Normal(torch.tensor([0.0, 0.8, 1.0]), torch.tensor([1.0, 0.7, 0.5])))
    for drawn, expected in zip(fig.axes[0].lines, (norm(0, 1), norm(0.8, 0.7), norm(1, 0.5)), strict=True):
        np.testing.assert_allclose(drawn.get_ydata(), expected.pdf(z), rtol=1e-6)
    assert {"f₀ = q", "f₁", "f₂, the posterior", "2 steps lead from q to the posterior"} <= set(texts(fig))


def test_two_sides_draws_the_two_means_and_the_exact_value_between_them() -> None:
    path = Normal(torch.tensor([0.0, 0.8, 1.0]), torch.tensor([1.0, 0.7, 0.5]))
    fig = figures.two_sides(forward=[-3.0, -2.0], backward=[0.0, 1.0], log_px=-1.0, path=path)
    left, right = fig.axes
    assert [drawn.get_xdata()[0] for drawn in right.lines] == [-2.5, 0.5, -1.0]
    assert {"log p(x)", "Forward mean 1.50 nats low, reverse 1.50 high"} <= set(texts(fig))
    heights = [sum(bar.get_height() for bar in bars) for bars in right.containers]
    np.testing.assert_allclose(heights, [0.5, 0.5])  # the two farthest of the four lie outside the panel
    forward, reverse = (drawn.get_ydata().tolist() for drawn in left.lines if drawn.get_marker() == "o")
    assert (forward, reverse) == ([0, -1], [-1, -2])  # z_(t-1) on f_(t-1), and on f_t
    assert {"z₀", "z₁", "forward", "reverse"} <= set(texts(fig))


def test_enclosed_draws_a_point_for_each_image_and_counts_the_quadrants() -> None:
    fig = figures.enclosed([-2.0, 0.1, -9.0, 0.3, 0.4], [3.0, 0.2, -5.0, -0.1, -0.2], widening=3.7)
    inside, outside = fig.axes[0].lines[2:]
    np.testing.assert_allclose(inside.get_xydata(), [[-2, 3]])
    np.testing.assert_allclose(outside.get_xydata(), [[0.1, 0.2], [-9, -5], [0.3, -0.1], [0.4, -0.2]])
    assert {
        "1 of 5 exact values lie inside; 4 when widened by 3.7 nats",
        "exact value inside: 1",
        "both too high: 1",
        "both too low: 1",
        "lower too high, upper too low: 2",
    } <= set(texts(fig))


def test_enclosed_counts_the_images_that_lie_beyond_the_panel() -> None:
    lower = np.concatenate([np.full(999, -1.0), [-50.0]])
    axis = figures.enclosed(lower, np.ones(1000), widening=3.7).axes[0]
    assert axis.get_xlabel() == "lower bound - exact log p(x), nats (beyond the panel: 1)"


def test_budget_draws_means_with_errors_and_the_rival() -> None:
    fig = figures.budget({200: (2.0, 0.5), 800: (0.3, 0.1)}, {100: (2.5, 0.4), 800: (1.0, 0.2)})
    ours, rival = fig.axes[0].containers
    np.testing.assert_allclose(ours.lines[0].get_xydata(), [[200, 2.0], [800, 0.3]])
    np.testing.assert_allclose(rival.lines[0].get_xydata(), [[100, 2.5], [800, 1.0]])
    ends = [segment[:, 1] for segment in ours.lines[2][0].get_segments()]
    np.testing.assert_allclose(ends, [[1.5, 2.5], [0.2, 0.4]])
    assert {"100", "200", "800", "annealed lower bound", "importance weighted"} <= set(texts(fig))
    assert "At 800 passes: annealed 0.30 nats below, importance weighted 1.00" in texts(fig)


def test_false_sandwich_draws_both_places_in_the_panel_and_the_three_bounds() -> None:
    axis = np.linspace(-3, 3, 31)
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    posterior = np.exp(-10 * ((z - [2, 1]) ** 2).sum(1))
    bounds = {"false upper": [-60.0, 1.0], "lower, encoder": [-61.0, 0.5], "lower, prior": [0.2, -0.3]}
    fig = figures.false_sandwich(z, posterior, [0.5, 1.0], [0.1, 0.2], bounds)
    left, right = fig.axes
    np.testing.assert_allclose([left.patches[0].width, left.patches[0].height], [0.6, 1.2])
    for x, y in ([2, 1], [0.5, 1.0]):
        assert left.get_xlim()[0] < x < left.get_xlim()[1]
        assert left.get_ylim()[0] < y < left.get_ylim()[1]
    for drawn, values, aside in zip(right.lines[1:4], bounds.values(), (-0.25, 0, 0.25), strict=True):
        np.testing.assert_allclose(drawn.get_xydata(), np.column_stack([[1 + aside, 2 + aside], values]))
    assert {
        *bounds,
        "posterior of digit 1",
        "The ellipse holds under 0.1% of the posterior",
        "False upper bound: up to 60 nats too low",
    } <= set(texts(fig))
