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


def test_errors_are_counted_in_bins_and_the_lowest_share_a_bar() -> None:
    fig = figures.errors(torch.tensor([0.5, -1.5, 1.2, -30.5, -21.0, -3.0, -70.0, -225.0, 2.5, 3.0]), "Errors")
    (ax,) = fig.axes
    bars = {round(bar.get_x() + bar.get_width() / 2, 3): (bar.get_height(), to_hex(bar.get_facecolor())) for bar in ax.patches}
    low, near = plots.COLORS["naive"].lower(), plots.COLORS["importance"].lower()
    drawn = {middle: bar for middle, bar in bars.items() if bar[0]}
    assert {middle: height for middle, (height, _) in drawn.items()} == {-65: 2, -31: 1, -21: 1, -3: 1, -1: 1, 1: 2, 3: 2}
    assert [middle for middle, (_, color) in drawn.items() if color == low] == [-31, -21, -65]
    assert [middle for middle, (_, color) in drawn.items() if color == near] == [-1, 1]
    assert {"40% at -20 or lower", "30% within 2 nats"} <= {t.get_text() for t in ax.texts}
    left, right = ax.get_xlim()
    assert left < -66
    assert right > 4
    fig.canvas.draw()
    assert ax.get_xticklabels()[0].get_text() == "below\n-60"


def test_the_lead_is_drawn_in_truth_and_against_the_number_of_samples() -> None:
    fig = figures.lead(0.6, {100: torch.tensor([-0.5, -0.4, -0.3]), 500: [0.3]}, "Lead", ["the one", "the other"])
    (ax,) = fig.axes
    dots = [line.get_xydata() for line in ax.lines if line.get_marker() == "o"]
    expected = [[100, -0.5], [100, -0.4], [100, -0.3], [500, 0.3], [100, -0.4], [500, 0.3]]  # the last two: the means
    np.testing.assert_allclose(np.concatenate(dots), expected, rtol=1e-6)
    assert {line.get_ydata()[0] for line in ax.lines if not line.get_marker() == "o"} == {0.6, 0}
    assert {"exact +0.60", "-0.40", "+0.30", "the one is ahead", "the other is ahead"} <= {t.get_text() for t in ax.texts}
    side = {t.get_text(): (t.xyann[1], t.get_va()) for t in ax.texts if "is ahead" in t.get_text()}
    assert side == {"the one is ahead": (-4, "top"), "the other is ahead": (4, "bottom")}
    assert ax.get_ylabel() == "lead of the other, nats"
    assert any(t.get_text().startswith("large dot: mean") for t in ax.texts)
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


def test_the_share_that_is_far_too_low_is_drawn_for_each_bin() -> None:
    ess = np.array([1.0, 1.5, 1.9, 1.2, 2.0, 2.9, 7.0])
    error = np.array([-40.0, -4.0, -5.0, -5.1, -6.0, -1.0, 0.25])  # -5 is not more than 5 too low
    fig = figures.too_low_by_ess(ess, error, [1, 2, 3, 5], "By size")
    (ax,) = fig.axes
    drawn = {round(bar.get_x() + bar.get_width() / 2, 3): bar.get_height() for bar in ax.patches}
    assert drawn == {0: 0.5, 1: 0.5, 3: 0.0}  # no digit lies between 3 and 5
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1 to 2", "2 to 3", "3 to 5", "5 or more"]
    assert [t.get_text() for t in ax.texts] == ["50%", "of 4 digits", "50%", "of 2 digits", "0%", "of 1 digits"]
    fig.canvas.draw()
    assert all(t.get_text().endswith("%") for t in ax.get_yticklabels())


def test_the_means_and_their_difference_are_drawn_by_sharpness() -> None:
    fig = figures.by_sharpness([0.5, 0.9, 1, 2], [-146.9, -134.2, -133.8, -152.5], [-150.6, -142.3, -142.7, -171.3], ["Means", "Error"])
    left, right = fig.axes
    exact, estimates, *rings = (line for line in left.lines if line.get_marker() == "o")
    np.testing.assert_allclose(exact.get_xydata(), [[0.5, -146.9], [0.9, -134.2], [1, -133.8], [2, -152.5]])
    np.testing.assert_allclose(estimates.get_xydata(), [[0.5, -150.6], [0.9, -142.3], [1, -142.7], [2, -171.3]])
    assert (exact.get_color(), estimates.get_color()) == (plots.COLORS["exact"], plots.COLORS["naive"])
    np.testing.assert_allclose([ring.get_xydata()[0] for ring in rings], [[1, -133.8], [0.9, -142.3]])  # the highest points
    assert {"best at 1", "best at 0.9"} <= {t.get_text() for t in left.texts}
    np.testing.assert_allclose(right.lines[0].get_ydata(), [3.7, 8.1, 8.9, 18.8])
    assert right.get_ylim()[0] == 0
    assert {"3.7", "8.1", "8.9", "18.8"} <= {t.get_text() for t in right.texts}
    for ax in fig.axes:
        assert [t.get_text() for t in ax.get_xticklabels()] == ["0.5", "0.9", "1", "2"]
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
    fig = figures.scoreboard_with_estimates(rows, torch.tensor([-124.0, -108.0, -106.0]))
    (ax,) = fig.axes
    dots = ax.lines[-1]
    assert dots.get_xdata().tolist() == [-124, -108, -106]
    assert set(dots.get_ydata()) == {1.6}  # below the bar of the second row, and within the panel
    left, right = ax.get_xlim()
    assert left < -124
    assert right > -106
    assert ax.get_ylim()[0] > 1.6
    infinity = next(t for t in ax.texts if t.get_text() == "← -inf")
    assert infinity.get_position()[0] < -124
    assert "exact" in {t.get_text() for t in ax.texts}
    assert all(x == round(x) for x in ax.get_xticks())
    assert {t.get_text(): y for t, y in zip(ax.get_yticklabels(), ax.get_yticks())} == {
        "03 naive": 0,
        "04 log space": 1,
        "its 3 estimates": 1.6,
    }
    fig.canvas.draw()
