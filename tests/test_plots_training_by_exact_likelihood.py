"""The figures of notebook 04b draw what they are given."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from vaecourse.plots import training_by_exact_likelihood as pictures

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _close_everything() -> Iterator[None]:
    yield
    plt.close("all")


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
    assert fig.axes[5].get_ylabel() == "gradient"


def test_only_the_nodes_within_the_picture_of_the_posterior_are_drawn() -> None:
    axis = np.linspace(-1, 1, 11)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    probs = np.exp(-8 * (grid**2).sum(1))
    lattices = [np.array([[0.5, -0.5], [3.0, 0.0]]), np.array([[0.0, 0.0], [0.25, 1.0], [0.0, -1.2]])]
    left, right = pictures.between_nodes(grid, probs, lattices, ["coarse", "fine"]).axes
    assert left.lines[0].get_xydata().tolist() == [[0.5, -0.5]]
    assert right.lines[0].get_xydata().tolist() == [[0.0, 0.0], [0.25, 1.0]]
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("coarse", "fine")


def test_each_bias_is_named_at_its_coarsest_spacing() -> None:
    spacings = [1.0, 0.5, 0.25]
    (ax,) = pictures.bias_of_the_log(spacings, {"sharp": [9.0, 4.0, 1.0], "blurred": [2.0, 0.5, 0.0]}).axes
    assert [drawn.get_xydata().tolist() for drawn in ax.lines] == [
        [[1.0, 9.0], [0.5, 4.0], [0.25, 1.0]],
        [[1.0, 2.0], [0.5, 0.5], [0.25, 0.0]],
    ]
    assert [(label.get_text(), label.xy) for label in ax.texts] == [("sharp", (1.0, 9.0)), ("blurred", (1.0, 2.0))]
    assert ax.get_xlim()[1] > 1.2, "room for the names"


def test_a_training_begins_at_epoch_1_below_the_line_of_the_shipped_decoder() -> None:
    (ax,) = pictures.training([-183.0, -170.0, -166.5], shipped=-134.0).axes
    curve, dashed = ax.lines
    assert curve.get_xydata().tolist() == [[1, -183.0], [2, -170.0], [3, -166.5]]
    assert list(dashed.get_ydata()) == [-134.0, -134.0]
    assert [t.get_text() for t in ax.texts] == ["the shipped decoder"]
    assert ax.get_xticks().tolist() == [1, 2, 3]
