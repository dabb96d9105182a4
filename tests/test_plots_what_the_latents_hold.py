"""The figures of notebook 09b draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from vaecourse.plots import COLORS
from vaecourse.plots import what_the_latents_hold as figures

matplotlib.use("Agg")


def points(ax: Axes, color: str) -> np.ndarray:
    """The points (N, 2) of the markers of one colour."""
    drawn = [d for d in ax.lines if d.get_linestyle() == "None" and to_hex(d.get_color()).upper() == color.upper()]
    return np.concatenate([np.column_stack(d.get_data()) for d in drawn])


def test_how_many_draws_every_training_and_joins_the_means() -> None:
    bound = [[-160.0, -164.0], [-130.0, -132.0], [-128.0, -126.0], [-129.0, -129.0]]
    active, carrying = [[2, 2], [10, 10], [19, 20], [46, 48]], [[2, 2], [8, 9], [12, 10], [15, 17]]
    fig = figures.how_many([2, 10, 20, 50], bound, active, carrying)
    left, middle = fig.axes
    expected = [[k, value] for k, row in zip((2, 10, 20, 50), bound) for value in row]
    np.testing.assert_allclose(points(left, COLORS["iwae"]), expected)
    np.testing.assert_allclose(points(middle, COLORS["elbo"])[:, 1], np.ravel(carrying))
    means = [list(d.get_ydata()) for ax in (left, middle) for d in ax.lines if d.get_linestyle() == "-"]
    assert means == [[-162, -131, -127, -129], [2, 10, 19.5, 47], [2, 8.5, 11, 16]]
    titles = [ax.get_title(loc="left") for ax in fig.axes]
    assert titles == ["From K = 2 to 10 the bound gains 31 nats", "Of 50 latents, 15–17 carry over 0.1 nats"]
    notes = {t.get_text(): t.xy for t in middle.texts if hasattr(t, "xy")}
    assert notes == {"active units": (50, 47), "more than 0.1 nats": (50, 16)}


def test_clouds_share_their_axes_and_say_how_often_the_classifier_is_right() -> None:
    codes, samples = np.array([[0.0, 1.0], [2.0, -4.2], [1.0, 1.0]]), np.array([[0.5, 0.5]])
    fig = figures.clouds(codes, samples, 0.594)
    np.testing.assert_allclose(points(fig.axes[0], COLORS["posterior"]), codes)
    np.testing.assert_allclose(points(fig.axes[1], COLORS["prior"]), samples)
    assert fig.axes[0].axis() == fig.axes[1].axis() == (-4.5, 4.5, -4.5, 4.5)  # the code at -4.2 is not cut off
    assert {"K = 2: codes of 3 held-out digits", "1 samples of the prior"} <= set(texts(fig))
    assert fig.get_suptitle() == "The codes do not follow the prior: a classifier is right in 59.4% of the cases (chance: 50%)"


def test_the_ceiling_is_log_n_and_is_named_with_the_information_where_they_coincide() -> None:
    counts = [100, 2000]
    fig = figures.ceiling(counts, {2: [4.4, 6.0], 20: [4.6, 7.55]}, {2: [2.2, 0.7], 20: [18.0, 15.4]}, {2: [6.6, 6.7], 20: [22.6, 22.95]})
    for ax, told, away, both in zip(fig.axes, ([4.4, 6.0], [4.6, 7.55]), ([2.2, 0.7], [18.0, 15.4]), ([6.6, 6.7], [22.6, 22.95])):
        information, ceiling, divergence, average = (d.get_ydata() for d in ax.lines)
        np.testing.assert_allclose(information, told)
        np.testing.assert_allclose(ceiling, np.log(counts))
        np.testing.assert_allclose(divergence, away)
        np.testing.assert_allclose(average, both)
        assert ax.get_ylim()[1] > 22.95
    titles = [ax.get_title(loc="left") for ax in fig.axes]
    assert titles == ["K = 2: the information stays below log N", "K = 20: the information has reached log N"]
    named = [{t.get_text() for t in ax.texts} for ax in fig.axes]
    assert {"log N", "information $I$", "average KL"} < named[0]
    assert "log N and\ninformation $I$" in named[1]


def test_the_plane_has_lines_of_equal_elbo_and_a_point_for_every_training() -> None:
    runs = {"a": [[10.0, 120.0], [12.0, 118.0]], "β = 1": [[0.0, 200.0]]}
    fig = figures.plane(runs, "A title", baseline=200.5)
    (ax,) = fig.axes
    np.testing.assert_allclose(points(ax, COLORS["importance"]), runs["a"])
    np.testing.assert_allclose(points(ax, COLORS["elbo"]), runs["β = 1"])
    diagonals = [d for d in ax.lines if to_hex(d.get_color()) == "#bbbbbb"]
    sums = np.array([d.get_xdata() + d.get_ydata() for d in diagonals])
    np.testing.assert_allclose(sums[:, 0], sums[:, 1])
    np.testing.assert_allclose(np.diff(sums[:, 0]), 20)
    assert (sums[:, 0] % 20 == 0).all()
    left, right, low, high = ax.axis()
    assert left < 0 < 12 < right
    assert low < 118 < 200.5 < high
    labels = {t.get_text(): t.xy for t in ax.texts if hasattr(t, "xy")}
    assert labels["independent pixels"] == (0, 200.5)
    np.testing.assert_allclose(labels["a"], [12, 118])
    levels = [t for t in ax.texts if t.get_text().startswith("−")]
    assert levels
    assert all(sum(t.get_position()) == pytest.approx(float(t.get_text()[1:])) for t in levels)  # each stands on its line
    assert not ax.child_axes  # nothing is crowded


def test_the_plane_enlarges_the_runs_of_several_seeds_beside_a_distant_one() -> None:
    runs = {"β = 0": [[150.0, 110.0]], "a": [[14.0, 120.0], [12.0, 125.0]], "β = 1": [[7.0, 140.0], [6.0, 142.0]]}
    (ax,) = figures.plane(runs, "A title", baseline=200.5).axes
    (inset,) = ax.child_axes
    np.testing.assert_allclose(points(inset, COLORS["elbo"]), runs["β = 1"])
    assert {"a", "β = 1"} <= {t.get_text() for t in inset.texts}
    assert "β = 0" not in {t.get_text() for t in inset.texts}
    left, right, low, high = inset.axis()
    assert left < 6 < 14 < right < 150
    assert low < 120 < 142 < high


def test_what_is_held_is_sorted_by_what_all_latents_explain() -> None:
    fig = figures.held(["slant", "thickness", "width"], [0.79, 0.9, 0.23], [0.43, 0.31, 0.07])
    (ax,) = fig.axes
    assert [t.get_text() for t in ax.get_yticklabels()] == ["width", "slant", "thickness"]  # from below
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], [23, 79, 90])
    np.testing.assert_allclose(points(ax, "#A36A00"), [[7, 0], [43, 1], [31, 2]])
    named = {t.get_text(): t.xy for t in ax.texts}
    assert named["the best single latent"] == pytest.approx((31, 2))
    assert named["all latents"] == pytest.approx((90, 2))
    assert ax.get_title(loc="left") == "One latent explains at most 43% of a factor, all together up to 90%"
