"""The figures of notebook 04b draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything  # noqa: F401

from vaecourse.plots import COLORS
from vaecourse.plots import training_by_exact_likelihood as pictures

matplotlib.use("Agg")


def test_a_gradient_is_the_digit_minus_the_average_and_blue_where_it_is_positive() -> None:
    x, averages = np.array([1.0, 0.0, 1.0, 0.0]), [np.full(4, 0.5), np.array([0.9, 0.1, 0.8, 0.0])]
    fig = pictures.gradients(x, averages, ["before", "after"])
    digit, *panels = fig.axes[:5]
    assert np.asarray(digit.images[0].get_array()).ravel() == pytest.approx(x)
    drawn = [np.asarray(panel.images[0].get_array()).ravel() for panel in panels]
    assert drawn[0] == pytest.approx(averages[0])
    assert drawn[1] == pytest.approx([0.5, -0.5, 0.5, -0.5])
    assert drawn[2] == pytest.approx(averages[1])
    assert drawn[3] == pytest.approx([0.1, -0.1, 0.2, 0.0])
    for panel in panels[1::2]:
        red, _, blue, _ = panel.images[0].to_rgba(np.array([0.9]))[0]
        assert blue > red
        assert panel.images[0].get_clim() == (-1, 1)
    assert [ax.get_title(loc="left") for ax in fig.axes[:3]] == ["the digit x", "before: average", "before: x − average"]
    assert fig.axes[5].get_ylabel() == "blue: more ink, red: less"


def test_only_the_nodes_within_the_picture_of_the_posterior_are_drawn() -> None:
    axis = np.linspace(-1, 1, 41)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    probs = np.exp(-(grid[:, 0] ** 2) / (2 * 0.2**2) - grid[:, 1] ** 2 / (2 * 0.4**2))
    lattices = [np.array([[0.5, -0.5], [3.0, 0.0]]), np.array([[0.0, 0.0], [0.25, 1.0], [0.0, -1.2]])]
    left, right = pictures.between_nodes(grid, probs, lattices, ["coarse", "fine"]).axes
    assert left.lines[0].get_xydata().tolist() == [[0.5, -0.5]]
    assert right.lines[0].get_xydata().tolist() == [[0.0, 0.0], [0.25, 1.0]]
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("coarse", "fine")
    two, one = (path.vertices for path in left.collections[0].get_paths())  # of the density's standard deviations, 0.2 and 0.4
    assert [one[:, 0].max(), one[:, 1].max()] == pytest.approx([0.2, 0.4], abs=0.01)
    assert [two[:, 0].max(), two[:, 1].max()] == pytest.approx([0.4, 0.8], abs=0.01)


def test_the_bias_is_drawn_on_logarithmic_axes_beside_the_formula() -> None:
    measured = {"sharp": ([20.0, 5.0], [30.0, 0.7]), "blurred": ([8.0], [3.0])}
    (ax,) = pictures.bias_of_the_log(measured, ([4.0, 20.0], [0.4, 29.0]), {"h = 0.3": (5.0, 0.7)}).axes
    formula, sharp, blurred = ax.lines
    assert formula.get_xydata().tolist() == [[4.0, 0.4], [20.0, 29.0]]
    assert sharp.get_xydata().tolist() == [[20.0, 30.0], [5.0, 0.7]]
    assert blurred.get_xydata().tolist() == [[8.0, 3.0]]
    assert sharp.get_fillstyle() != blurred.get_fillstyle()
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [(label.get_text(), label.xy) for label in ax.texts] == [("h = 0.3", (5.0, 0.7))]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["formula (4b.7)", "sharp", "blurred"]


def test_a_training_begins_at_epoch_1_beside_the_lines_of_the_shipped_decoder() -> None:
    left, right = pictures.training([-183.0, -170.0, -166.5], [15.0, 9.0, 6.0], shipped=(-134.0, 1.5)).axes
    for ax, values, end in ((left, [-183.0, -170.0, -166.5], -134.0), (right, [15.0, 9.0, 6.0], 1.5)):
        curve, dashed = ax.lines
        assert curve.get_xydata().tolist() == [[epoch, value] for epoch, value in zip((1, 2, 3), values)]
        assert list(dashed.get_ydata()) == [end, end]
        assert [t.get_text() for t in ax.texts] == ["the shipped decoder"]
        assert ax.get_xticks().tolist() == [1, 2, 3]
        low, high = ax.get_ylim()
        assert low < min(*values, end) < max(*values, end) < high
    assert [t.get_text() for t in right.get_yticklabels()] == ["1", "2", "5", "10"]


def test_changes_and_widths_stand_in_rows_beside_where_they_began() -> None:
    changes = {"objective": ([3.7, 4.2], "prior"), "log p(x)": ([-1.2, -0.9], "exact")}
    left, right = pictures.coarse_training(changes, {"coarse": [0.053, 0.054], "fine": [0.049]}, start=0.048).axes
    start, *rows = left.lines
    assert list(start.get_xdata()) == [0, 0]
    assert [row.get_xydata().tolist() for row in rows] == [[[3.7, 0], [4.2, 0]], [[-1.2, 1], [-0.9, 1]]]
    assert [row.get_color() for row in rows] == [COLORS["prior"], COLORS["exact"]]
    start, *rows = right.lines
    assert list(start.get_xdata()) == [0.048, 0.048]
    assert [row.get_xydata().tolist() for row in rows] == [[[0.053, 0], [0.054, 0]], [[0.049, 1]]]
    for ax, names in ((left, ["objective", "log p(x)"]), (right, ["coarse", "fine"])):
        assert [t.get_text() for t in ax.get_yticklabels()] == names
        low, high = ax.get_ylim()
        assert low > high, "the first row stands on top"
