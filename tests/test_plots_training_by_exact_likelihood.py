"""The figures of notebook 04b draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything  # noqa: F401

from vaecourse.plots import training_by_exact_likelihood as pictures

matplotlib.use("Agg")


def test_a_gradient_is_the_digit_minus_the_average_and_blue_where_it_is_positive() -> None:
    x, averages = np.array([1.0, 0.0, 1.0, 0.0]), [np.full(4, 0.5), np.array([0.9, 0.1, 0.8, 0.0])]
    fig = pictures.gradients(x, averages, ["before", "after"], "a title")
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
    assert [ax.get_title(loc="left") for ax in fig.axes[:3]] == ["digit x", "before:\nreconstruction", "x minus\nreconstruction"]
    assert fig.axes[5].get_ylabel() == "red: less ink, blue: more"
    assert fig.get_suptitle() == "a title"


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


def test_the_bias_is_drawn_as_curves_over_the_ratio_and_as_points_of_the_decoders() -> None:
    curves = {"sum": [0.0, 1.0], "formula": [np.nan, 1.1]}
    points = {"early": ([1.0, 2.0], [0.1, 0.2]), "late": ([3.0], [0.9])}
    (ax,) = pictures.bias_by_ratio([1.0, 2.0], curves, points, "a title").axes
    assert [line.get_label() for line in ax.lines] == [*curves, *points]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [*curves, *points]
    total, formula, early, late = ax.lines
    assert list(total.get_xdata()) == list(formula.get_xdata()) == [1, 2]
    assert list(total.get_ydata()) == [0, 1]
    assert early.get_xydata().tolist() == [[1, 0.1], [2, 0.2]]
    assert late.get_xydata().tolist() == [[3, 0.9]]
    assert len({line.get_color() for line in ax.lines}) == 4


def test_changes_stand_in_rows_with_their_errors_beside_the_widening() -> None:
    changes = {"coarse: objective": ([3.7, 4.2], 0.4), "coarse: log p(x)": ([-1.2, -0.9], 0.3)}
    left, right = pictures.coarse_training(changes, {"coarse": [0.10, 0.12], "fine": [0.01]}, ["changes", "widths"]).axes
    objective, log_px = left.containers
    for row, (values, error), at in ((objective, changes["coarse: objective"], 0), (log_px, changes["coarse: log p(x)"], 1)):
        points, _, (bars,) = row
        assert list(points.get_xdata()) == values
        assert np.mean(points.get_ydata()) == pytest.approx(at)
        assert [segment[:, 0].tolist() for segment in bars.get_segments()] == [pytest.approx([v - error, v + error]) for v in values]
    assert objective[0].get_fillstyle() != log_px[0].get_fillstyle()
    coarse, fine = (row[0].get_color() for row in right.containers)
    assert objective[0].get_color() == log_px[0].get_color() == coarse != fine
    assert [list(row[0].get_xdata()) for row in right.containers] == [[0.10, 0.12], [0.01]]
    assert right.xaxis.get_major_formatter()(0.1) == "10%"
    for ax, names in ((left, list(changes)), (right, ["coarse", "fine"])):
        assert list(ax.lines[0].get_xdata()) == [0, 0]
        assert [t.get_text() for t in ax.get_yticklabels()] == names
        low, high = ax.get_ylim()
        assert low > high, "the first row stands on top"


def test_the_nodes_that_are_needed_lie_on_all_nodes_and_an_enlarged_window_shows_them() -> None:
    nodes = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 4.0]])
    (ax,) = pictures.nodes_that_matter(nodes, [1, 0], "two nodes", "a title").axes
    (window,) = ax.child_axes
    for panel in (ax, window):
        everything, needed = panel.lines
        assert everything.get_xydata().tolist() == nodes.tolist()
        assert needed.get_xydata().tolist() == [[1, 0], [0, 0]]
    assert window.get_title() == "two nodes"
    (left, right), (bottom, top) = window.get_xlim(), window.get_ylim()
    assert left < 0 < 1 < right
    assert bottom < 0 < top < 4
