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


def test_clouds_share_their_axes_and_say_how_often_the_classifier_is_right() -> None:
    codes, samples = np.array([[0.0, 1.0], [2.0, -4.2], [1.0, 1.0]]), np.array([[0.5, 0.5]])
    fig = figures.clouds(codes, samples, 0.594)
    np.testing.assert_allclose(points(fig.axes[0], COLORS["posterior"]), codes)
    np.testing.assert_allclose(points(fig.axes[1], COLORS["prior"]), samples)
    assert fig.axes[0].axis() == fig.axes[1].axis() == (-4.5, 4.5, -4.5, 4.5)  # the code at -4.2 is not cut off
    assert {"K = 2: codes of 3 held-out digits", "1 samples of the prior"} <= set(texts(fig))
    assert fig.get_suptitle() == "The codes do not follow the prior: a classifier is right in 59.4% of the cases (chance: 50%)"


def test_the_plane_has_lines_of_equal_elbo_and_a_point_for_every_training() -> None:
    runs = {"a": [[10.0, 120.0], [12.0, 118.0]], "β = 1": [[0.0, 200.0]]}
    fig = figures.plane(runs, baseline=200.5)
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
    (thick,) = [d for d in ax.lines if d.get_linewidth() == 2]
    np.testing.assert_allclose(thick.get_xdata() + thick.get_ydata(), 200.5)  # the ELBO of independent pixels
    labels = {t.get_text(): t.xy for t in ax.texts}
    assert labels["independent pixels: ELBO −200"] == (0, 200.5)
    np.testing.assert_allclose(labels["a: mean ELBO −130"], [12, 118])
    assert labels["β = 1: mean ELBO −200"] == (0, 200)
    assert ax.get_title(loc="left") == "ELBO above independent pixels: +70 with a, 0 with β = 1 (nats)"


def test_a_kind_of_training_keeps_its_colour_from_figure_to_figure() -> None:
    points_of = {"strong start": [[0.0, 200.0]], "annealing": [[9.0, 127.0]], "free bits": [[11.0, 125.0]]}
    (ax,) = figures.plane(points_of, baseline=200.5).axes
    assert points(ax, figures.PINK_INK).shape == points(ax, figures.AMBER).shape == points(ax, COLORS["naive"]).shape == (1, 2)


def test_cures_are_compared_with_the_first_run_and_an_empty_code_stays_outside() -> None:
    ends = {"weight 1": [[7.0, 140.0], [7.0, 142.0]], "strong start": [[0.0, 208.0]] * 2, "annealing": [[9.0, 128.0], [9.0, 126.0]]}
    nats = {"weight 1": [[4.0, 3.0]] * 2, "strong start": [[0.0, 0.0]] * 2, "annealing": [[5.0, 4.0], [5.0, 3.0]]}
    fig = figures.cures(ends, nats, 0.5)
    left, right = fig.axes
    assert fig.get_suptitle() == "Mean ELBO above that of weight 1, in nats: annealing +12"
    np.testing.assert_allclose(points(left, COLORS["elbo"]), ends["weight 1"])
    x0, x1, y0, y1 = left.axis()
    assert 0 < x0 < 7 < 9 < x1
    assert y0 < 126 < 142 < y1 < 208
    assert {"strong start: R 0, D 208 (outside)", "annealing:\nELBO −136", "free: 0.5 nats"} <= set(texts(fig))
    drawn = {d.get_label(): d.get_ydata() for d in right.lines if d.get_linestyle() == "-"}
    np.testing.assert_allclose(drawn["annealing"], [5, 3.5])
    assert "strong start" not in drawn


def test_moved_says_how_little_the_idle_latent_changes() -> None:
    pictures = np.zeros((2, 2, 3, 784))
    pictures[0, :, 2], pictures[1, 0, 1, 5] = 1.0, 0.004
    fig = figures.moved(pictures, [0, 10], [-2.0, 0.0, 2.0])
    assert fig.get_suptitle() == "Latent 0 changes the digit; the idle latent 10 changes no pixel by more than 0.004"
    assert len(fig.axes) == 12
    assert [ax.get_xlabel() for ax in fig.axes[6:]] == ["−2", "0", "2"] * 2


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


def test_rotations_are_sorted_drawn_one_by_one_and_counted_where_the_code_stands_out() -> None:
    turned = [[0.3, 0.2, 0.7, 0.1], [0.5, 0.6, 0.7, 0.1]]
    fig = figures.rotations(["slant", "width"], [0.8, 0.9], [0.65, 0.4], turned)
    (ax,) = fig.axes
    drawn = [[np.asarray(line.get_xdata(), dtype=float).tolist(), set(np.asarray(line.get_ydata()).tolist())] for line in ax.lines]
    np.testing.assert_allclose(drawn[0][0], [30, 20, 70, 10])
    np.testing.assert_allclose([d[0] for d in drawn[1:4]], [[25], [80], [65]])
    np.testing.assert_allclose(drawn[4][0], [50, 60, 70, 10])
    np.testing.assert_allclose([d[0] for d in drawn[5:8]], [[55], [90], [40]])
    assert [d[1] for d in drawn] == [{0}] * 4 + [{1}] * 4
    assert [t.get_text() for t in ax.get_yticklabels()] == ["slant", "width"]
    assert "Slant: 25.0% of 4 rotations have a better latent" in texts(fig)
