"""The figures of notebook 04 draw the numbers that they are given."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from vaecourse import plots
from vaecourse.plots import log_space as figures

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _close_everything() -> Iterator[None]:
    yield
    plt.close("all")


def test_the_range_of_exp_is_that_of_float32() -> None:
    edges = torch.tensor([figures.UNDERFLOW - 0.01, figures.UNDERFLOW + 0.01, figures.OVERFLOW - 0.01, figures.OVERFLOW + 0.01])
    rounded = edges.double().exp().float()  # rounded once, to float32
    assert rounded[0] == 0
    assert 0 < rounded[1] < rounded[2] < torch.inf
    assert rounded[3] == torch.inf


def test_exponents_are_marked_where_float32_cannot_hold_their_exponential() -> None:
    fig = figures.shifts([-1000.0, -900.0], {"no shift": 0.0, "maximum": -900.0}, {"no shift": -np.inf, "maximum": -900.0}, "Shifts")
    (ax,) = fig.axes
    fits = np.concatenate([line.get_xydata() for line in ax.lines if line.get_marker() == "o"])
    fails = np.concatenate([line.get_xydata() for line in ax.lines if line.get_marker() == "x"])
    assert fits.tolist() == [[-100, 1], [0, 1]]
    assert fails.tolist() == [[-1000, 0], [-900, 0]]
    assert {"-inf", "-900"} <= {t.get_text() for t in ax.texts}
    assert [t.get_text() for t in ax.get_yticklabels()] == ["no shift", "maximum"]
    fig.canvas.draw()


def test_errors_below_the_cut_are_drawn_there_and_counted() -> None:
    fig = figures.errors([-100.0, -120.0, -90.0, -80.0], [0.5, -30.0, -20.0, -3.0], "Errors")
    (ax,) = fig.axes
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[-100, 0.5], [-120, -20], [-90, -20], [-80, -3]])
    assert "2 of 4 lie at -20 or below" in {t.get_text() for t in ax.texts}
    fig.canvas.draw()


def test_bias_and_formula_are_drawn_as_given() -> None:
    fig = figures.bias_against_formula([1, 10, 100], [9.0, 0.6, 0.05], [5.0, 0.5, 0.05], "Bias")
    (ax,) = fig.axes
    formula, measured = ax.lines
    assert formula.get_ydata().tolist() == [5.0, 0.5, 0.05]
    assert measured.get_ydata().tolist() == [9.0, 0.6, 0.05]
    fig.canvas.draw()


def test_errors_are_grouped_by_effective_sample_size() -> None:
    ess = np.array([1.0, 1.5, 2.0, 2.9, 7.0])
    error = np.array([-10.0, -6.0, -2.0, -1.0, 0.25])
    fig = figures.errors_by_ess(ess, error, [1, 2, 3], "By size")
    (ax,) = fig.axes
    dots = {line.get_xdata()[0]: line.get_ydata()[0] for line in ax.lines if line.get_marker() == "o"}
    assert dots == {0: -8.0, 1: -1.5, 2: 0.25}
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1 to 2\n(2)", "2 to 3\n(2)", "3 or more\n(1)"]
    bar = next(line for line in ax.lines if line.get_linewidth() == 9)
    np.testing.assert_allclose(bar.get_ydata(), [-9.8, -6.2])  # the middle 90 % between -10 and -6
    fig.canvas.draw()


def test_many_latents_shows_the_median_and_the_middle_of_each_number_of_latents() -> None:
    error = torch.tensor([[0.0, 0.1, 0.2], [-9.0, -5.0, -1.0]])
    ess = torch.tensor([[200.0, 250.0, 300.0], [1.0, 1.5, 4.0]])
    fig = figures.many_latents([1, 20], error, ess, ["Errors", "Sizes"])
    left, right = fig.axes
    np.testing.assert_allclose(left.lines[0].get_xydata(), [[1, 0.1], [20, -5.0]], rtol=1e-6)
    np.testing.assert_allclose(right.lines[0].get_xydata(), [[1, 250.0], [20, 1.5]])
    assert right.get_yscale() == "log"
    assert left.get_xticks().tolist() == [1, 20]
    fig.canvas.draw()


def test_the_guarded_formula_and_the_honest_one_keep_their_colours() -> None:
    logit = torch.linspace(-40, 5, 40)
    fig = figures.guarded(logit, (logit.clamp(min=-18), logit), (torch.zeros(40), torch.ones(40)), ["Values", "Gradients"])
    for ax, honest, epsilon in zip(fig.axes, (logit, torch.ones(40)), (logit.clamp(min=-18), torch.zeros(40))):
        drawn = {to_hex(line.get_color()): line.get_ydata() for line in ax.lines}
        np.testing.assert_allclose(drawn[plots.COLORS["exact"]], honest)
        np.testing.assert_allclose(drawn[plots.COLORS["naive"].lower()], epsilon)
        assert {"log(p + 1e-8)", "from logits"} <= {t.get_text() for t in ax.texts}
    fig.canvas.draw()


def test_single_estimates_stand_beside_the_last_row_of_the_scoreboard() -> None:
    rows = [("03 naive", "naive", -np.inf, 0.0, -107.0), ("04 log space", "naive", -111.0, 4.0, -107.0)]
    fig = figures.scoreboard_with_estimates(rows, torch.tensor([-130.0, -108.0, -106.0]))
    (ax,) = fig.axes
    dots = ax.lines[-1]
    assert dots.get_xdata().tolist() == [-130, -108, -106]
    assert set(dots.get_ydata()) == {1.24}
    assert ax.get_xlim()[0] < -130
    fig.canvas.draw()
