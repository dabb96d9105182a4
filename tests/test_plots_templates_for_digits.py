"""Figures of notebook 01b: what they are given is what is drawn."""

from __future__ import annotations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401
from matplotlib.colors import to_hex

from vaecourse import plots
from vaecourse.plots import templates_for_digits as figures

matplotlib.use("Agg")


@pytest.fixture
def pages() -> np.ndarray:
    return np.random.default_rng(0).random((8, 784))


def test_climbs_colour_the_lowest_end_and_name_the_first_round() -> None:
    curves = [[-30.0, -12, -10], [-28.0, -13, -11.5], [-29.0, -12, -10.4]]
    fig = figures.climbs("A title", curves)
    lines = fig.axes[0].lines
    assert [line.get_ydata().tolist() for line in lines] == curves
    assert [to_hex(line.get_color()) == plots.COLORS["naive"].lower() for line in lines] == [False, True, False]
    assert {"A title", "highest of 3:\n-10.0", "lowest of 3:\n-11.5", "after round 1, far below: -30 to -28"} <= set(texts(fig))
    low, high = fig.axes[0].get_ylim()
    assert low < -11.5 < -10 < high


def test_two_rows_caption_the_upper_row(pages: np.ndarray) -> None:
    fig = figures.two_rows("A title", pages[:6], ["above", "below"], ["one", "two", "three"])
    assert [ax.get_xlabel() for ax in fig.axes] == ["one", "two", "three", "", "", ""]
    assert [fig.axes[0].get_ylabel(), fig.axes[3].get_ylabel()] == ["above", "below"]
    assert np.array_equal(np.asarray(fig.axes[3].images[0].get_array()), pages[3].reshape(28, 28))


def test_evidence_marks_the_kept_pixels_and_pairs_sure_with_right() -> None:
    x = np.zeros(784)
    x[[28 * 2 + 5, 300]] = 1
    found = [[(0.8, 0.7), (0.75, 0.74)], [(0.95, 0.6), (0.9, 0.91)]]
    fig = figures.evidence("A title", x, [[28 * 2 + 5, 3], [400]], ["far", "near"], found, (0.99, 0.89))
    inked, bare = fig.axes[0].collections
    assert inked.get_offsets().tolist() == [[5, 2]]  # column, row
    assert bare.get_offsets().tolist() == [[3, 0]]
    assert fig.axes[0].images[0].get_array().max() == pytest.approx(0.18)
    drawn = [line.get_xdata() for line in fig.axes[-1].lines]
    spans = [list(x) for x in drawn if len(x) == 2]
    assert spans == [[0.8, 0.7], [0.75, 0.74], [0.95, 0.6], [0.9, 0.91], [0.99, 0.89]]
    orange = [float(line.get_xdata()[0]) for line in fig.axes[-1].lines if line.get_color() == plots.COLORS["posterior"]]
    assert orange == [0.8, 0.75, 0.95, 0.9, 0.99]
    assert {
        "+10.0 points",
        "+1.0 points",
        "+35.0 points",
        "-1.0 points",
        "sure",
        "right",
        "far:",
        "near:",
        "all 784:",
        "digits",
        "own samples",
    } <= set(texts(fig))


def test_smoothing_marks_each_maximum() -> None:
    fig = figures.smoothing(
        "A title", [0.01, 0.1, 1.0, 2.0, 3.0, 4.0, 5.0], {"few": [-9, -5, -6, -7, -8, -9, -10], "many": [-3, -2, -1, -2, -3, -4, -5]}
    )
    stars = [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in fig.axes[0].lines if line.get_marker() == "*"]
    assert stars == [(0.1, -5), (1.0, -1)]
    assert {"few", "many", "-5.0", "-1.0"} <= set(texts(fig))
    assert fig.axes[0].get_xscale() == "log"


def test_templates_are_drawn_start_by_start_through_their_mean() -> None:
    fig = figures.templates_and_latents("A title", {"a = 1": {10: [-9.0], 20: [-5.0, -3.0]}}, -6.0, 20)
    (enlarged,) = fig.axes[0].child_axes
    assert [line.get_xydata().tolist() for line in enlarged.lines][:3] == [line.get_xydata().tolist() for line in fig.axes[0].lines][:3]
    low, high = enlarged.get_ylim()
    assert low < -6 < -3 < high
    curve, *starts = fig.axes[0].lines
    assert curve.get_xydata().tolist() == [[10, -9], [20, -4]]
    assert starts[1].get_xydata().tolist() == [[20, -5], [20, -3]]
    assert -6.0 in [line.get_ydata()[0] for line in starts[2:]]
    assert "two continuous latents: -6.0" in texts(fig)


def test_distances_are_counted_and_each_kind_has_an_example(pages: np.ndarray) -> None:
    values = {"near": [30.0, 31, 33], "middle": [90.0, 91], "far": [350.0]}
    pictures = dict(zip(["near", "middle", "far", "blank page"], pages))
    fig = figures.distances("A title", values, 20.0, pictures, {name: f"{name}!" for name in pictures})
    counted = [sum(bar.get_height() for bar in bars) for bars in fig.axes[0].containers]
    assert counted == [3, 2, 1]
    (tallest,) = [bar for bar in fig.axes[0].containers[0] if bar.get_height() == 3]
    assert tallest.get_x() <= 30
    assert tallest.get_x() + tallest.get_width() > 33
    shown = {ax.get_xlabel(): np.asarray(ax.images[0].get_array()) for ax in fig.findobj(plt.Axes) if ax.images}
    assert shown.keys() == {"near!", "middle!", "far!", "blank page!"}
    for name, page in pictures.items():
        assert np.array_equal(shown[f"{name}!"], page.reshape(28, 28))
    assert list(fig.axes[0].lines[0].get_xdata()) == [20.0, 20.0]


def test_code_lengths_are_coloured_by_kind_and_read_from_above() -> None:
    fig = figures.code_lengths("A title", {"zip": 9.0, "model": 5.4, "counts": 3.0}, ["model"], "counts", ("first", 3.4))
    bars = fig.axes[0].patches
    assert [bar.get_width() for bar in bars] == [9.0, 5.4, 3.0]
    assert [to_hex(bar.get_facecolor()) for bar in bars] == [plots.COLORS[c].lower() for c in ("prior", "importance", "naive")]
    assert fig.axes[0].yaxis_inverted()
    assert {"9", "5", "3 (first: 3)"} <= set(texts(fig))
    (mark,) = fig.axes[0].lines
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (3.4, 2)
