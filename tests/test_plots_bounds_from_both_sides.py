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


def test_two_sides_draws_the_densities_the_two_means_and_the_exact_value_between_them() -> None:
    z = np.linspace(-3, 3, 61)
    path = Normal(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.5]))
    fig = figures.two_sides(z, path, forward=[-3.0, -2.0], backward=[0.0, 1.0], log_px=-1.0)
    left, right = fig.axes
    for drawn, expected in zip(left.lines, (norm(0, 1), norm(1, 0.5))):
        np.testing.assert_allclose(drawn.get_ydata(), expected.pdf(z), rtol=1e-6)
    assert [drawn.get_xdata()[0] for drawn in right.lines] == [-2.5, 0.5, -1.0]
    assert {"f₀ = q", "f₁, the posterior", "log p(x)"} <= set(texts(fig))
    heights = [sum(bar.get_height() for bar in bars) for bars in right.containers]
    np.testing.assert_allclose(heights, [0.5, 0.5])  # the two farthest of the four lie outside the panel


def test_enclosed_sorts_the_images_by_their_gap_and_states_its_mean() -> None:
    lower, upper = np.array([-2.0, -0.1, -1.0]), np.array([3.0, 0.2, 1.0])
    fig = figures.enclosed({"from the prior": (lower, upper), "from the encoder": (lower / 10, upper / 10)})
    assert {"From the prior: mean gap 2.43 nats", "From the encoder: mean gap 0.24 nats"} <= set(texts(fig))
    for ax, scale in zip(fig.axes, (1, 10)):
        drawn_upper, drawn_lower = (line.get_ydata() for line in ax.lines[1:])
        np.testing.assert_allclose(drawn_upper * scale, [0.2, 1.0, 3.0])
        np.testing.assert_allclose(drawn_lower * scale, [-0.1, -1.0, -2.0])


def test_budget_draws_means_with_errors_and_the_rival() -> None:
    fig = figures.budget([200, 800], [(2.0, 0.5), (0.3, 0.1)], (1600, 1.0, 0.2))
    ours, rival = fig.axes[0].containers
    np.testing.assert_allclose(ours.lines[0].get_ydata(), [2.0, 0.3])
    np.testing.assert_allclose(rival.lines[0].get_xydata(), [[1600, 1.0]])
    ends = [segment[:, 1] for segment in ours.lines[2][0].get_segments()]
    np.testing.assert_allclose(ends, [[1.5, 2.5], [0.2, 0.4]])
    assert {"200", "800", "1,600", "annealed lower bound", "importance\nweighted"} <= set(texts(fig))
