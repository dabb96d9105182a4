"""The figures of notebook 00 draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401

from vaecourse import plots
from vaecourse.plots import start_here
from vaecourse.widgets.explorers.plane import interval

matplotlib.use("Agg")


def constant_images(*values: float, side: int = 2) -> np.ndarray:
    return np.array(values)[:, None] * np.ones(side * side)


def test_known_and_new_digits_are_laid_out_row_by_row() -> None:
    known, new = constant_images(0.1, 0.2, 0.3, 0.4), constant_images(0.5, 0.6, 0.7, 0.8)
    fig = start_here.known_and_new(known, new)
    one, two = (np.asarray(ax.images[0].get_array()) for ax in fig.axes)
    assert one == pytest.approx(np.kron([[0.1, 0.2], [0.3, 0.4]], np.ones((2, 2))))
    assert two == pytest.approx(np.kron([[0.5, 0.6], [0.7, 0.8]], np.ones((2, 2))))
    assert {"Digits that the model was trained on", "New digits: probability of ink"} <= set(texts(fig))


def test_an_image_is_made_from_left_to_right() -> None:
    fig = start_here.from_z_to_pixels([0.5, -1.0], np.full(4, 0.4), np.array([0.0, 1.0, 1.0, 1.0]))
    plane, probs, image = fig.axes
    assert [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in plane.lines] == [(0.5, -1.0)]
    assert [float(np.asarray(ax.images[0].get_array()).mean()) for ax in (probs, image)] == pytest.approx([0.4, 0.75])
    z = np.random.default_rng(0).standard_normal((100_000, 2))
    inside = [float(((z**2).sum(1) < circle.radius**2).mean()) for circle in plane.patches]
    assert inside == pytest.approx([0.5, 0.95], abs=0.01)
    assert {"50%", "95%", "decoder", "sampling"} <= set(texts(fig))


def test_images_on_the_map_stand_at_their_latents_and_so_do_the_rings() -> None:
    # 7 x 7 places, 1 apart; number 7 i + j lies at z = (i - 3, j - 3)
    values = np.zeros(49)
    values[7 * 3 + 4] = 0.4  # at (0, 1)
    ax = start_here.the_map(
        constant_images(*values), reach=3.0, row=1, rings=[[0.2, -0.4], [-2.0, 1.5]], label="the rings", title="What was found"
    ).axes[0]
    left, right, low, high = ax.images[0].get_extent()
    picture = np.asarray(ax.images[0].get_array())
    assert picture.shape == (14, 14)
    assert (left, right, low, high) == (-3.5, 3.5, -3.5, 3.5)
    # the pixel in the middle of the image at (0, 1), counted from the top left corner
    assert picture[int((high - 1) / 7 * 14), int((0 - left) / 7 * 14)] == pytest.approx(0.4)
    (path,) = ax.patches
    assert (path.get_x() + path.get_width() / 2, path.get_y() + path.get_height() / 2) == pytest.approx((0.5, -2))
    assert 5 < path.get_width() < 6, "six of seven images: the leftmost is left out"
    (rings,) = ax.lines
    assert rings.get_xydata().tolist() == [[0.2, -0.4], [-2.0, 1.5]]
    assert (rings.get_linestyle(), rings.get_markerfacecolor()) == ("None", "none"), "the digits below can be seen"
    assert ax.get_title(loc="left") == "What was found"
    assert [t.get_text() for t in ax.figure.legends[0].get_texts()] == ["a path from left to right", "the rings"]


def test_new_digits_stand_above_their_shapes_and_the_nearest_training_shapes() -> None:
    means, samples, nearest = (constant_images(*values) for values in ((0.4, 0.6), (0.3, 0.35), (0.1, 0.2)))
    fig = start_here.made_and_nearest(means, samples, nearest, [12, 34], "What was found")
    assert [np.asarray(ax.images[0].get_array()).mean() for ax in fig.axes] == pytest.approx([0.3, 0.35, 0.4, 0.6, 0, 1, 0.1, 0.2])
    assert [ax.get_xlabel() for ax in fig.axes] == [""] * 6 + ["12 pixels off", "34 pixels off"]
    assert {"sampled pixels", "probability of ink", "nearest shape of\na training digit", "What was found"} <= set(texts(fig))


def test_each_code_has_a_bar_as_long_as_its_bits_and_ours_are_dark() -> None:
    fig = start_here.code_lengths({"coins": 784.0, "ours": 190.6}, ["ours"], "What was found")
    (ax,) = fig.axes
    assert [bar.get_width() for bar in ax.containers[0]] == [784.0, 190.6]
    coins, ours = (sum(bar.get_facecolor()[:3]) for bar in ax.containers[0])
    assert ours < coins / 2
    assert [t.get_text() for t in ax.get_yticklabels()] == ["coins", "ours"]
    assert ax.yaxis_inverted(), "the first code on top"
    assert {"784", "191", "What was found"} <= set(texts(fig))


def test_the_histograms_count_every_digit_and_mark_the_alarm_and_the_blank_page() -> None:
    upright, rotated = np.linspace(-150, -91, 20), np.linspace(-300, -110, 20)  # one rotated digit lies left of the axis
    ones = np.arange(20) >= 15
    fig = start_here.two_histograms(upright, rotated, ones, threshold=-165.0, blank=-50.0)
    for ax, others in zip(fig.axes, (15, 14)):
        tops = [sum(bar.get_height() for bar in group) for group in ax.containers]
        assert tops == [5, others], "ones, then the other digits"
        assert [list(line.get_xdata()) for line in ax.lines] == [[-165.0, -165.0], [-50.0, -50.0]]
        assert -315 < ax.get_xlim()[0] < -290
        assert ax.get_xlim()[1] > -50
    # the rotated digits are 10 apart: number 13 lies at -170, number 14 at -160, and the ones begin at number 15
    assert fig.axes[0].get_title(loc="left") == "Upright: alarm for 0%; the blank page lies above 100% of the digits"
    assert fig.axes[1].get_title(loc="left") == "Rotated by 90°: alarm for 70%, but for only 0% of the 5 ones"
    assert {"alarm below -165", "a blank page: -50", "ones", "other digits", "1 farther left"} <= set(texts(fig))


def test_below_each_image_stand_the_probabilities_and_on_one_scale_the_costs_of_its_pixels() -> None:
    x, probs, nats = constant_images(1.0, 0.0), constant_images(0.25, 0.75), constant_images(3.0, 2.0)
    fig = start_here.costs(x, probs, nats, ["first", "second"], "What was found")
    below = fig.axes[4:6]
    assert [np.asarray(ax.images[0].get_array()).mean() for ax in fig.axes[:6]] == [1, 0, 0.25, 0.75, 3, 2]
    assert [ax.get_title() for ax in fig.axes[:6]] == ["first", "second"] + [""] * 4
    assert {ax.images[0].get_clim() for ax in below} == {(0, 3)}
    free, dear = (below[0].images[0].cmap(value)[:3] for value in (0.0, 1.01))
    assert min(free) > 0.99, "white"
    assert dear[2] > 2 * dear[0], "blue"
    assert all(len(ax.images) == 1 for ax in below)
    assert {"first", "second", "nats", "What was found"} <= set(texts(fig)), "no pixel is blue"
    assert "nats\n(blue: above 3)" in texts(start_here.costs(x, probs, nats + 0.5, ["first", "second"], "What was found"))


def test_of_a_completed_digit_the_lower_half_is_hidden_in_the_first_row_only() -> None:
    x, completed = (constant_images(*values, side=4) for values in ((1.0, 1.0), (0.5, 0.5)))
    fig = start_here.completions(x, completed, [3, 4], marked=1, title="What was found")
    pictures = [np.asarray(ax.images[0].get_array()) for ax in fig.axes]
    assert len(pictures) == 6
    assert np.array_equal(pictures[0][:2], np.ones((2, 4)))
    assert np.all(pictures[0][2:] == 0.18)
    assert [pictures[i].mean() for i in (2, 4)] == pytest.approx([0.5, 1])
    assert np.all(x == 1), "the images that were given are left as they were"
    assert [ax.get_xlabel() for ax in fig.axes[2:4]] == ["3 nats", "4 nats"]
    widths = [ax.spines["left"].get_linewidth() for ax in fig.axes]
    assert min(widths[1::2]) > 2 * max(widths[0::2]), "the second column is framed"
    assert [ax.get_title() for ax in fig.axes[:2]] == ["", "next figure"]
    assert {"given", "the digit", "What was found"} <= set(texts(fig))


def test_beside_the_posterior_stand_three_lower_halves_with_the_true_ink_dotted() -> None:
    grid, posterior = np.array([[-1.0, 0.5], [0.0, 0.0], [1.0, -0.5]]), [0.75, 0.0, 0.25]
    given = np.array([0.0, 1.0, 0.0, 1.0])  # in the lower half, the right pixel is ink
    pictures = constant_images(0.2, 0.6, 0.4)
    nats = [93.0, 44.0, 100.0]
    fig = start_here.explanations(given, grid, posterior, grid[[0, 2]], pictures, [0.75, 0.25], nats, "What was found")
    by_title = {ax.get_title(loc="left"): ax for ax in fig.axes}
    assert np.asarray(by_title["The digit"].images[0].get_array()).tolist() == [[0, 1], [0, 1]]
    plane = by_title[r"$p(z\,|\,$upper half$)$"]
    points = plane.collections[0]
    assert np.array_equal(points.get_offsets(), grid[[2, 0]]), "a point without probability is not drawn, the most probable is last"
    assert list(points.get_array()) == [0.25, 0.75]
    assert points.get_clim() == (0, 0.75)
    assert points.cmap(0.0) == (1, 1, 1, 1)
    assert [(t.get_text(), tuple(t.xy)) for t in plane.texts] == [("A: 75%", (-1, 0.5)), ("B: 25%", (1, -0.5))]
    labels = ["points around A: 93 nats", "points around B: 44 nats", "100 nats"]
    for name, grey, label in zip(("Decoded at A", "Decoded at B", "Averaged"), (0.2, 0.6, 0.4), labels):
        ax = by_title[name]
        assert np.asarray(ax.images[0].get_array()).tolist() == [[0, 1], [grey, grey]], "the upper half is the given one"
        assert ax.lines[0].get_xydata().tolist() == [[1, 1]], "only the lower half is dotted"
        assert ax.get_xlabel() == label
    assert "What was found" in texts(fig)


def test_sum_and_mean_are_sorted_by_the_sum_with_each_image_below_its_bar() -> None:
    pictures = constant_images(0.1, 0.2, 0.3)
    fig = start_here.sum_and_mean(pictures, [0.25, 0.5, 0.125], [0.9, 0.8, 0.3])
    left, right = fig.axes
    assert [[bar.get_height() for bar in ax.containers[0]] for ax in (left, right)] == [[0.5, 0.25, 0.125], [0.8, 0.9, 0.3]]
    for ax in (left, right):
        assert [float(np.asarray(image.get_array()).mean()) for image in ax.images] == pytest.approx([0.2, 0.1, 0.3])
        assert [sum(image.get_extent()[:2]) / 2 for image in ax.images] == pytest.approx([0, 1, 2])
        assert all(image.get_extent()[3] < 0 for image in ax.images)
    assert left.get_ylim() == right.get_ylim()
    assert left.get_ylim()[1] == 1
    titles = [ax.get_title(loc="left") for ax in (left, right)]
    assert titles == ["Sum: total 0.9, highest to lowest 4 to 1", "Mean: total 2.0, highest to lowest 3 to 1"]


def test_the_gap_is_drawn_from_the_elbo_to_log_px() -> None:
    _, ax = plots.figure("ELBO + gap = log p(x)")
    interval(ax, -109.7, -107.6)
    (bar,) = ax.containers[0]
    assert (bar.get_x(), bar.get_x() + bar.get_width()) == pytest.approx((-109.7, -107.6))
    assert [line.get_xdata()[0] for line in ax.lines] == [-109.7, -107.6]
    assert [t.get_text() for t in ax.texts] == ["ELBO\n-109.7", "log p(x)\n-107.6", "gap 2.1"]
    assert ax.get_xlim()[0] > -112, "the axis holds the gap alone"


def test_a_small_gap_is_told_with_two_decimals() -> None:
    _, ax = plots.figure("ELBO + gap = log p(x)")
    interval(ax, -107.94, -107.6)
    assert [t.get_text() for t in ax.texts][-1] == "gap 0.34"
