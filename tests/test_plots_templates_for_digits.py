"""Figures of notebook 01b: what they are given is what is drawn."""

from __future__ import annotations

import matplotlib
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


def test_climbs_colour_the_highest_and_the_lowest_end_and_name_the_first_round() -> None:
    curves = [[-30.0, -12, -10], [-28.0, -13, -11.5], [-29.0, -12, -10.4]]
    fig = figures.climbs("A title", curves)
    lines = fig.axes[0].lines
    assert [line.get_ydata().tolist() for line in lines] == curves
    assert [line.get_color() for line in lines] == [plots.COLORS["exact"], plots.COLORS["naive"], "#999999"]
    assert {"A title", "highest of 3:\n-10.0", "lowest of 3:\n-11.5", "after round 1, far below: -30 to -28"} <= set(texts(fig))
    low, high = fig.axes[0].get_ylim()
    assert low < -11.5 < -10 < high


def test_shared_shows_the_weight_above_and_the_shares_below_each_picture(pages: np.ndarray) -> None:
    shares = [[0.1, 0.7, 0.2], [0.5, 0.1, 0.4], [0.0, 0.05, 0.95]] * 2
    fig = figures.shared("A title", pages[:6], [0.5, 0.3, 0.2, 0.1, 0.6, 0.7], shares)
    pictures = [ax for ax in fig.axes if ax.images]
    assert [ax.get_title() for ax in pictures] == [f"p(z) = {w}" for w in ("0.50", "0.30", "0.20", "0.10", "0.60", "0.70")]
    below = [ax for ax in fig.axes if ax.patches]
    assert [[bar.get_height() for bar in ax.patches] for ax in below] == shares
    assert [(ax.texts[0].get_text(), ax.texts[0].xy) for ax in below[:3]] == [("70%", (1, 0.7)), ("50%", (0, 0.5)), ("95%", (2, 0.95))]
    assert all(bars.get_position().y1 < page.get_position().y0 for page, bars in zip(pictures, below))
    blue = plots.COLORS["importance"].lower()
    assert [[to_hex(bar.get_facecolor()) == blue for bar in ax.patches].index(True) for ax in below] == [1, 0, 2, 1, 0, 2]
    assert np.array_equal(np.asarray(pictures[3].images[0].get_array()), pages[3].reshape(28, 28))


def test_smoothing_marks_each_maximum_and_draws_the_standard_errors() -> None:
    few, many = ([-9, -5, -6, -7, -8, -9, -10], [1, 0, 2, 3, 4, 5, 6]), ([-3, -2, -1, -2, -3, -4, -5], [0.5, 0.5, 0, 1, 1, 1, 1])
    fig = figures.smoothing("A title", [0.01, 0.1, 1.0, 2.0, 3.0, 4.0, 5.0], {"few": few, "many": many})
    stars = [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in fig.axes[0].lines if line.get_marker() == "*"]
    assert stars == [(0.1, -5), (1.0, -1)]
    bars = [collection.get_segments() for collection in fig.axes[0].collections]
    assert [[bar[:, 1].tolist() for bar in of_curve[:3]] for of_curve in bars] == [
        [[-10, -8], [-5, -5], [-8, -4]],
        [[-3.5, -2.5], [-2.5, -1.5], [-1, -1]],
    ]
    assert {"few", "many", "-5.0", "-1.0", "bars: standard error of the\ndifference to the best (star)"} <= set(texts(fig))
    assert fig.axes[0].get_xscale() == "log"


def test_code_lengths_are_coloured_by_kind_and_sorted_from_above() -> None:
    fig = figures.code_lengths(
        "A title",
        {"files": {"zip": 9.0, "png": 4.0}, "models": {"model": 5.4}, "counts": {"none": 12.0, "ten": 3.0}},
        {"bound": 2.0},
    )
    *bars, bound = fig.axes[0].patches
    assert (bound.get_width(), bound.get_hatch(), bound.get_facecolor()[3]) == (2.0, "///", 0)
    assert to_hex(bound.get_edgecolor()) == plots.COLORS["importance"].lower()
    assert [bar.get_width() for bar in bars] == [12.0, 9.0, 5.4, 4.0, 3.0]
    of = {"files": "prior", "models": "importance", "counts": "naive"}
    kinds = ("counts", "files", "models", "files", "counts")
    assert [to_hex(bar.get_facecolor()) for bar in bars] == [plots.COLORS[of[kind]].lower() for kind in kinds]
    assert [label.get_text() for label in fig.axes[0].get_yticklabels()] == ["none", "zip", "model", "png", "ten", "bound"]
    assert fig.axes[0].yaxis_inverted()
    written = {text.get_text(): text.xy[1] for text in fig.axes[0].texts}
    assert {"12", "9", "5", "4", "3", "at most 2", "models (bound)"} <= set(written)
    assert {kind: written[kind] for kind in of} == {"counts": 0, "files": 1, "models": 2}  # in the first bar of each kind


def test_words_take_their_shares_and_the_rest_is_free() -> None:
    fig = figures.words("A title", {"full": ["0", "10", "11"], "gap": ["110", "0"]})
    spans = [(bar.get_x(), bar.get_width()) for bar in fig.axes[0].patches]
    assert spans == [(0, 1), (0, 0.5), (0.5, 0.25), (0.75, 0.25), (0, 1), (0, 0.5), (0.75, 0.125)]
    written = texts(fig)
    assert {"0\n1/2", "10\n1/4", "110\n1/8", "full", "gap"} <= set(written)
    free = [text.get_position() for text in fig.axes[0].texts if text.get_text() == "free"]
    assert free == [(0.625, 1), (0.9375, 1)]
