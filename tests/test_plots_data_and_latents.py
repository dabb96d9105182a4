"""Figures of notebook 01: what they are given is what is drawn."""

from __future__ import annotations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401
from matplotlib.figure import Figure

from vaecourse.plots import data_and_latents as figures

matplotlib.use("Agg")


@pytest.fixture
def pages() -> np.ndarray:
    return np.random.default_rng(0).random((8, 784))


def pictures(fig: Figure) -> list[np.ndarray]:
    return [np.asarray(ax.images[0].get_array()) for ax in fig.findobj(plt.Axes) if ax.images]


def test_stored_numbers_are_those_of_the_framed_pixels() -> None:
    grey = np.arange(784)
    fig = figures.stored(grey, "Seen", row=9, column=4, side=3)
    written = [int(t.get_text()) for t in fig.axes[1].texts]
    assert written == [9 * 28 + 4, 9 * 28 + 5, 9 * 28 + 6, *range(10 * 28 + 4, 10 * 28 + 7), *range(11 * 28 + 4, 11 * 28 + 7)]
    frame = fig.axes[0].lines[0]
    assert (min(frame.get_xdata()), max(frame.get_xdata())) == (3.5, 6.5)
    assert (min(frame.get_ydata()), max(frame.get_ydata())) == (8.5, 11.5)
    assert fig.axes[0].images[0].get_clim() == (0, 783)  # the largest grey level is full ink, whatever it is


def test_the_title_stands_close_above_the_images(pages: np.ndarray) -> None:
    for captions, columns in ((["a"] * 4, None), (["a\nb"] * 4, 2)):
        fig = figures.images(pages[:4], "A title", captions, columns=columns)
        fig.draw_without_rendering()
        title, top = (artist.get_window_extent() for artist in (fig._suptitle, fig.axes[0]))
        assert 0 < title.y0 - top.y1 < 0.3 * fig.dpi
        plt.close(fig)


def test_steps_show_points_curves_and_both_pictures(pages: np.ndarray) -> None:
    points, placed = [((0.1, 0.2), (0.3, 0.4), (0.3, 0.4), (0.5, 0.1))], [np.array([[-5.0, 1], [2, 3]])]
    fig = figures.steps("A title", points, [np.array([[0.0, 0], [1, 1]])], placed, pages[0], pages[1])
    drawn = fig.axes[0].lines[0]
    assert drawn.get_linestyle() == "None"
    assert np.array_equal(drawn.get_xydata(), points[0])
    for ax in fig.axes[:2]:
        assert ax.lines[1].get_xydata().tolist() == [[0.3, 0.4]]  # the point that is given twice
    assert len(fig.axes[2].lines) == 1
    assert "A title" in texts(fig)
    assert np.array_equal(fig.axes[2].lines[0].get_xydata(), placed[0])
    assert fig.axes[2].yaxis_inverted()  # the page is written from its top
    assert np.array_equal(np.stack(pictures(fig)), pages[:2].reshape(2, 28, 28))


def test_likelihood_and_posterior_may_disagree_and_the_joint_adds_up() -> None:
    fig = figures.bayes_rule(np.eye(9)[4], ["one", "two"], [0.001, 0.004], [0.0007, 0.0003], [0.7, 0.3])
    titles = [ax.get_title(loc="left") for ax in fig.axes[1:]]
    assert titles == ["Largest likelihood:\ntwo", "The joint adds up\nto p(x)", "Most probable:\none"]
    assert [bar.get_width() for bar in fig.axes[1].patches] == pytest.approx([1, 4])
    assert [bar.get_width() for bar in fig.axes[2].patches] == pytest.approx([0.7, 0.3, 1.0])
    assert [bar.get_x() for bar in fig.axes[2].patches] == pytest.approx([0, 0.7, 0])  # end to end, then the sum
    assert [bar.get_width() for bar in fig.axes[3].patches] == [0.7, 0.3]
    assert [t.get_text() for t in fig.axes[3].texts] == ["0.70", "0.30"]
    assert [t.get_text() for t in fig.axes[1].texts] == ["1.00", "4.00"]
    assert [t.get_text() for t in fig.axes[2].get_yticklabels()] == ["one\np(z) = 0.7", "two\np(z) = 0.075", "p(x)"]
    assert fig.axes[0].images[0].get_array()[1, 1] == 1


def test_calibration_pairs_errors_expected_with_errors_made() -> None:
    fig = figures.calibration("A title", ["all", "few", "many"], [23.4, 0.31, 0.00023], [55, 30, 25])
    (ax,) = fig.axes
    expected, found = ax.containers
    assert [bar.get_width() for bar in expected] == [23.4, 0.31, 0.00023]
    assert [bar.get_width() for bar in found] == [55, 30, 25]
    above, below = (np.array([bar.get_y() + bar.get_height() / 2 for bar in bars]) for bars in (expected, found))
    assert above == pytest.approx(np.arange(3) - 0.19)
    assert below == pytest.approx(np.arange(3) + 0.19)
    assert ax.yaxis_inverted()  # the first group is above
    assert [label.get_fontweight() for label in ax.get_yticklabels()] == ["bold", "normal", "normal"]
    written = {"23 expected", "0.31 expected", r"$2 \times 10^{-4}$ expected", "55 found", "30 found", "25 found"}
    assert written == {t.get_text() for t in ax.texts}
    assert {"all", "few", "many", "A title"} <= set(texts(fig))
    assert ax.get_xlim()[1] > 55


def test_sure_and_right_are_drawn_and_written_in_each_row() -> None:
    examples = {name: np.full(784, i % 2) for i, name in enumerate(["real", "own", "less", "even"])}
    fig = figures.sure_and_right("A title", examples, [91.4, 93.8, 80, 90], [66.1, 93.7, 82, 90], [0.9, 0.4, 1, 1], corner=3, side=5)
    (ax,) = fig.axes
    assert [picture.images[0].get_array().mean() for picture in ax.child_axes] == [0, 1, 0, 1]
    assert [picture.patches[0].get_bbox().bounds for picture in ax.child_axes] == [(2.5, 2.5, 5, 5)] * 4
    fig.canvas.draw()
    boxes = [picture.get_window_extent() for picture in ax.child_axes]
    assert all(box.x1 <= ax.get_window_extent().x0 for box in boxes)
    assert all(label.get_window_extent().x1 <= box.x0 for label, box in zip(ax.get_yticklabels(), boxes))
    (bars,) = ax.containers
    assert bars.lines[0].get_xydata()[:2].tolist() == [[91.4, 0], [93.8, 1]]
    (right,) = [line for line in ax.lines if line.get_marker() == "s"]
    assert right.get_xydata().tolist() == [[66.1, 0], [93.7, 1], [82, 2], [90, 3]]
    ends = [segment[:, 0].tolist() for segment in bars.lines[2][0].get_segments()]
    assert ends[0] == pytest.approx([90.5, 92.3])
    assert ends[1] == pytest.approx([93.4, 94.2])
    side = {(t.get_text(), t.xy[1]): t.get_ha() for t in ax.texts}
    assert side[("sure 91.4 %", 0)] == side[("right 82.0 %", 2)] == side[("sure 90.0 %", 3)] == "left"
    assert side[("right 66.1 %", 0)] == side[("sure 80.0 %", 2)] == side[("right 90.0 %", 3)] == "right"
    assert {"real", "own", "A title"} <= set(texts(fig))
    assert ax.yaxis_inverted()
    low, high = ax.get_xlim()
    assert low < 66.1 < 93.8 < high


def test_the_scoreboard_writes_each_estimate_beside_its_point() -> None:
    fig = figures.scoreboard("A title", [("one", "exact", -190.24, 0.0, -190.24), ("ten", "exact", -174.66, 0.0, -174.66)])
    (ax,) = fig.axes
    assert ax.get_title(loc="left") == "A title"
    assert [(t.get_text(), t.xy) for t in ax.texts] == [("-190.24", (-190.24, 0)), ("-174.66", (-174.66, 1))]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "ten"]


def test_fatal_pixels_are_marked_where_they_lie() -> None:
    x, fatal = np.zeros(784), np.zeros((2, 784))
    x[5 * 28 + 7] = fatal[0, 5 * 28 + 7] = fatal[1, 3] = fatal[1, 29] = 1
    fig = figures.fatal_pixels("A title", x, fatal, own=1, columns=2)
    assert [ax.get_title() for ax in fig.axes] == ["z = 0: 1 pixel", "z = 1: 2 pixels"]
    assert [ax.title.get_fontweight() for ax in fig.axes] == ["normal", "bold"]
    assert fig.axes[0].lines[0].get_xydata().tolist() == [[7, 5]]
    assert fig.axes[1].lines[0].get_xydata().tolist() == [[3, 0], [1, 1]]
    assert fig.axes[0].images[0].get_array()[5, 7] == pytest.approx(0.35)


def test_explanations_pair_each_template_with_its_probability(pages: np.ndarray) -> None:
    posterior = np.array([[0.75, 0.25, 0.0], [0.9, 0.1, 2e-9]])
    captions = [["a", "b", "c"], ["d", "e", "f"]]
    fig = figures.explanations("A title", pages[:2], ["an image", "another"], pages[2:].reshape(2, 3, 784), captions, posterior)
    shown = {ax.get_title(): np.asarray(ax.images[0].get_array()) for ax in fig.axes if ax.images}
    for name, page in zip("abcdef", pages[2:]):
        assert np.array_equal(shown[name], page.reshape(28, 28))
    assert np.array_equal(shown["an image"], pages[0].reshape(28, 28))
    assert np.array_equal(shown["another"], pages[1].reshape(28, 28))
    fig.canvas.draw()
    bars = [ax for ax in fig.axes if ax.patches and not ax.images]
    assert [ax.patches[0].get_width() for ax in bars] == posterior.flatten().tolist()
    assert [ax.texts[0].get_text() for ax in bars] == ["0.75", "0.25", "0", "0.90", "0.10", "2e-09"]
    above = {t: ax.get_position() for t, ax in ((ax.get_title(), ax) for ax in fig.axes if ax.images)}
    for name, ax in zip("abcdef", bars):  # each bar stands below its own template
        box = ax.get_position()
        assert abs((box.x0 + box.x1) / 2 - (above[name].x0 + above[name].x1) / 2) < 0.02
        assert box.y1 <= above[name].y0 + 0.01
    assert {ax.get_xlim() for ax in bars} == {(0, 1)}
