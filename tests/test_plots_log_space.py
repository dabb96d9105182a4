"""The figures of notebook 04 draw the numbers that they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import torch
from figures_under_test import close_everything  # noqa: F401
from matplotlib.colors import to_hex

from vaecourse import plots
from vaecourse.plots import log_space as figures

matplotlib.use("Agg")


KINDS = [("o", plots.COLORS["exact"]), ("x", "none"), ("o", "none")]  # marker and its filling: fits, fails, becomes 0


def test_the_range_of_exp_is_that_of_float32() -> None:
    edges = torch.tensor([figures.UNDERFLOW - 0.01, figures.UNDERFLOW + 0.01, figures.OVERFLOW - 0.01, figures.OVERFLOW + 0.01])
    rounded = edges.double().exp().float()  # rounded once, to float32
    assert rounded[0] == 0
    assert 0 < rounded[1] < rounded[2] < torch.inf
    assert rounded[3] == torch.inf


def test_exponents_are_marked_where_float32_cannot_hold_their_exponential() -> None:
    shifts = {"no shift": 0.0, "mean": -1000.0, "maximum": -900.0}
    results = {"no shift": -np.inf, "mean": np.inf, "maximum": -900.0}
    fig = figures.shifts([-1000.0, -1100.0, -900.0], shifts, results, "Shifts")
    (ax,) = fig.axes
    drawn = {kind: [line.get_xydata() for line in ax.lines if (line.get_marker(), line.get_markerfacecolor()) == kind] for kind in KINDS}
    fits, fails, harmless = (np.concatenate(drawn[kind]).tolist() for kind in KINDS)
    assert sorted(fits) == [[-100, 1], [-100, 2], [0, 1], [0, 2]]
    assert fails == [[100, 1]]
    assert harmless == [[-200, 2]]
    assert {"-inf", "inf", "-900", "← -1100, -1000, -900", "becomes 0, harmless"} <= {t.get_text() for t in ax.texts}
    assert [t.get_text() for t in ax.get_yticklabels()] == ["no shift", "mean", "maximum"]
    fig.canvas.draw()


def test_errors_are_drawn_as_the_share_at_or_below_each_value() -> None:
    fig = figures.errors(torch.tensor([0.5, -30.5, -20.0, -3.0, -47.0]), "Errors")
    (ax,) = fig.axes
    curve = next(line for line in ax.lines if len(line.get_xdata()) == 5)
    np.testing.assert_allclose(curve.get_xydata(), [[-47, 0.2], [-30.5, 0.4], [-20, 0.6], [-3, 0.8], [0.5, 1]], rtol=1e-6)
    assert curve.get_drawstyle() == "steps-post"
    dot = next(line for line in ax.lines if line.get_marker() == "o")
    np.testing.assert_allclose(dot.get_xydata(), [[-20, 0.6]])
    assert {"60% of the digits at -20 or lower", "20% within 2 nats", "lowest: -47"} <= {t.get_text() for t in ax.texts}
    fig.canvas.draw()


def test_bias_and_formula_are_drawn_as_given_and_divided() -> None:
    fig = figures.bias_against_formula([1, 10, 100], [9.0, 0.6, 0.05], [1.0, 0.1, 0.01], [5.0, 0.5, 0.05], ["Bias", "Ratio"], 7.3)
    left, right = fig.axes
    formula, measured = left.lines[:2]
    assert formula.get_ydata().tolist() == [5.0, 0.5, 0.05]
    assert measured.get_ydata().tolist() == [9.0, 0.6, 0.05]
    bars = left.collections[0].get_segments()
    np.testing.assert_allclose([bar[:, 1] for bar in bars], [[7.0, 11.0], [0.4, 0.8], [0.03, 0.07]])
    np.testing.assert_allclose(right.lines[1].get_xydata(), [[1, 1.8], [10, 1.2], [100, 1.0]])
    bars = right.collections[0].get_segments()
    np.testing.assert_allclose([bar[:, 1] for bar in bars], [[1.4, 2.2], [0.8, 1.6], [0.6, 1.4]])
    assert right.get_ylim()[0] == 0
    assert any(list(line.get_xdata()) == [7.3, 7.3] for line in right.lines)
    assert " N = Var(w) / p(x)² = 7.3" in {t.get_text() for t in right.texts}
    fig.canvas.draw()


def test_errors_are_grouped_by_effective_sample_size() -> None:
    ess = np.array([1.0, 1.5, 2.0, 2.9, 7.0])
    error = np.array([-40.0, -4.0, -2.0, -1.0, 0.25])
    fig = figures.errors_by_ess(ess, error, [1, 2, 3], "By size")
    (ax,) = fig.axes
    dots = {line.get_xdata()[0]: line.get_ydata()[0] for line in ax.lines if line.get_markersize() == 8}
    assert dots == {0: -22.0, 1: -1.5, 2: 0.25}
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1 to 2\n(2)", "2 to 3\n(2)", "3 or more\n(1)"]
    bar = next(line for line in ax.lines if line.get_linewidth() == 9)
    np.testing.assert_allclose(bar.get_ydata(), [-30, -5.8])  # the middle 90 % lies between -38.2 and -5.8
    texts = [t.get_text() for t in ax.texts]
    assert "continues\nto -38" in texts
    arrows = [line.get_xydata().tolist() for line in ax.lines if line.get_marker() == "v"]
    assert arrows == [[[0, -30]]]  # only the first bar reaches below the cut
    assert [t.get_text() for t in ax.texts if t.get_position()[1] == -35.6] == ["1", "0", "0"]  # digits at the cut or lower
    assert [text for text in texts if " of " in text] == ["1 of 2", "0 of 2", "0 of 1"]  # too few digits for a percentage
    assert not any("3 or more:" in text for text in texts)
    fig.canvas.draw()


def test_a_large_bin_has_a_percentage_and_shows_the_blind_digits() -> None:
    error = np.concatenate([np.linspace(0, 1, 96), [-6.0, -25.0, -40.0, -150.0]])
    fig = figures.errors_by_ess(np.full(100, 4.0), error, [1, 3, 5], "By size")
    (ax,) = fig.axes
    texts = [t.get_text() for t in ax.texts]
    assert "4%" in texts
    assert "3 digits at 3 or more:\n-150, -40, -25" in texts
    assert [t.get_text() for t in ax.texts if t.get_position()[1] == -35.6] == ["2"]
    blind = next(line for line in ax.lines if line.get_markersize() == 5)
    assert sorted(blind.get_ydata()) == [-30, -30, -25]
    np.testing.assert_allclose(blind.get_xdata().mean(), 1)  # the bin from 3 to 5
    fig.canvas.draw()


def test_many_latents_shows_the_median_and_the_middle_of_each_number_of_latents() -> None:
    error = torch.tensor([[0.0, 0.1, 0.2], [-9.0, -5.0, -1.0]])
    ess = torch.tensor([[200.0, 250.0, 300.0], [1.0, 1.5, 4.0]])
    fig = figures.many_latents([1, 20], error, ess, ["Errors", "Sizes"], mark=4)
    left, right = fig.axes
    np.testing.assert_allclose(left.lines[0].get_xydata(), [[1, 0.1], [20, -5.0]], rtol=1e-6)
    np.testing.assert_allclose(right.lines[0].get_xydata(), [[1, 250.0], [20, 1.5]])
    assert right.get_yscale() == "log"
    assert left.get_xticks().tolist() == [1, 20]
    assert "cannot fall below 1" in {t.get_text() for t in right.texts}
    assert any(list(line.get_ydata()) == [1, 1] for line in right.lines)
    assert all(any(list(line.get_xdata()) == [4, 4] for line in ax.lines) for ax in fig.axes)
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
    assert set(dots.get_ydata()) == {1.6}  # below the bar of the second row, and within the panel
    left, _ = ax.get_xlim()
    assert left < -130
    assert ax.get_ylim()[0] > 1.6
    infinity = next(t for t in ax.texts if t.get_text() == "← -inf")
    assert infinity.get_position()[0] < -130
    assert "exact" in {t.get_text() for t in ax.texts}
    assert {t.get_text(): y for t, y in zip(ax.get_yticklabels(), ax.get_yticks())} == {
        "03 naive": 0,
        "04 log space": 1,
        "its 3 estimates": 1.6,
    }
    fig.canvas.draw()
