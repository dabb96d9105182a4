"""The figures of notebook 07b draw what they are given, and their titles and labels say what is in the data."""

from __future__ import annotations

import matplotlib
import numpy as np
from figures_under_test import close_everything  # noqa: F401
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from vaecourse.plots import more_estimators as figures

matplotlib.use("Agg")


def texts(fig: Figure) -> set[str]:
    return {t.get_text() for t in fig.findobj(Text) if t.get_visible()}


def drawn(ax: Axes) -> list[np.ndarray]:
    """The points of each line: (N, 2)."""
    return [np.column_stack([np.asarray(values, dtype=float) for values in line.get_data()]) for line in ax.lines]


def colors(ax: Axes) -> list[str]:
    return [line.get_color() for line in ax.lines]


def test_growth_draws_every_curve_separates_path_and_score_and_compares_the_last_variances() -> None:
    k = [1, 10, 100]
    variances = {"no baseline": [9, 90, 9000], "best baseline": [9, 60, 1234], "other terms dropped": [7, 7, 7], "pathwise": [5, 5, 5]}
    fig = figures.growth(k, variances)
    (ax,) = fig.axes
    for points, curve in zip(drawn(ax), variances.values()):
        np.testing.assert_array_equal(points, np.column_stack([k, curve]))
    assert ax.get_xscale() == ax.get_yscale() == "log"
    labels = {t.get_text(): t.get_color() for t in ax.texts}
    assert labels["pathwise"] == figures.PATH
    assert labels["score function,\nno baseline"] == figures.SCORE
    assert len(labels) == 4
    low, high = ax.get_ylim()
    assert low < 5
    assert high > 9000
    assert "Terms dropped: variance 7 at 100 latents, instead of 1,234" in texts(fig)
    assert [line.get_linestyle() for line in ax.lines] == [":", "--", "-", "-"]


def test_leave_one_out_draws_exact_line_measured_dots_and_a_level_for_each_baseline() -> None:
    squares = np.array([[40.0, 42.0], [29.5, 29.5], [25.0, 25.4]])  # standard errors 1, 0, 0.2
    fig = figures.leave_one_out([2, 4, 8], [40.0, 30.0, 25.0], squares, {"none": 45.0, "mean of f": 20.0})
    (ax,) = fig.axes
    *levels, exact, measured = drawn(ax)[:4]
    (bars,) = (c for c in ax.collections)
    np.testing.assert_allclose([np.ptp(bar[:, 1]) for bar in bars.get_segments()], [4, 0, 0.8], atol=1e-9)
    assert [set(level[:, 1]) for level in levels] == [{45.0}, {20.0}]
    np.testing.assert_array_equal(exact[:, 1], [40, 30, 25])
    np.testing.assert_allclose(measured[:, 1], [41, 29.5, 25.2])
    assert ax.lines[3].get_linestyle() == "None"
    assert {
        "none",
        "mean of f",
        "leave-one-out\n(dots: measured, ± 2 standard errors)",
        "Not knowing the mean of f costs 100 % at S = 2, 25 % at S = 8",
    } <= texts(fig)
    assert ax.get_ylim()[0] < 20 < 45 < ax.get_ylim()[1]


def test_landing_draws_the_samples_both_gradients_and_names_the_border() -> None:
    width, full, stl = np.array([0.5, 0.75, 1.0, 2.0]), np.array([1.0, 1.5, 2.0, 4.0]), np.array([3.0, 1.4, 0.0, 3.0])
    with_score, without = np.array([[-1.0, 0.0], [2.0, -3.0], [0.5, 1.0]]), np.zeros((3, 2))
    fig = figures.landing(with_score, without, width, full, stl)
    left, right = fig.axes
    np.testing.assert_array_equal(drawn(left)[0], with_score)
    np.testing.assert_array_equal(drawn(left)[1], without)
    np.testing.assert_array_equal(drawn(right)[0], np.column_stack([width, full]))
    np.testing.assert_array_equal(drawn(right)[1], np.column_stack([width, stl]))
    assert colors(left) == colors(right)[:2] == [figures.PATH, figures.STL]
    assert drawn(right)[2][0, 0] == 0.75
    assert right.get_ylim()[0] == 0
    assert {
        "At the posterior every STL sample is 0",
        "STL is noisier for widths below 0.75",
        "STL gradient:\n3 samples",
        "full\ngradient",
        "STL: without\nthe score term",
    } <= texts(fig)


def test_ten_climbs_draws_every_run_the_medians_and_the_step_from_which_it_leads() -> None:
    whole, short = np.array([[5.0, 6.0, 7.0], [0.5, 0.2, 0.1]]), np.array([[5.0, 6.0, 7.0], [0.02, 0.04, 0.03]])
    later = np.array([[5.0, 6.0, 7.0], [0.9, 0.3, 0.03]])
    fig = figures.ten_climbs([0, 10], {"wide": {"whole": whole, "short": short}, "narrow": {"whole": whole, "later": later}})
    for ax, second in zip(fig.axes, (short, later)):
        lines = drawn(ax)
        for runs, part in zip((whole, second), (lines[:4], lines[4:8])):
            np.testing.assert_array_equal(np.column_stack([p[:, 1] for p in part[:3]]), runs)
            np.testing.assert_array_equal(part[3][:, 1], np.median(runs, 1))
        assert set(lines[8][:, 1]) == {0.02}
    assert len({ax.get_ylim() for ax in fig.axes}) == 1
    titles = {"Wide start: STL median ahead from step 10 on", "Narrow start: STL median behind at the end"}
    said = titles | {"thin: 3 runs each\nbold: their median", "smallest gap of all runs: 0.020", "whole", "short", "later"}
    assert said <= texts(fig)


def test_signal_to_noise_draws_both_ratios_and_the_averaged_ones() -> None:
    k = [1, 4, 16]
    fig = figures.signal_to_noise(k, {"plain": [0.4, 0.2, 0.1], "doubly": [1.0, 2.0, 4.0]}, [1.0, 2.5, 5.0])
    (ax,) = fig.axes
    *ratios, one = drawn(ax)
    assert [list(points[:, 1]) for points in ratios] == [[0.4, 0.2, 0.1], [1.0, 2.0, 4.0], [1.0, 2.5, 5.0]]
    assert set(one[:, 1]) == {1.0}
    assert colors(ax)[:3] == [figures.PATH, figures.DOUBLE, figures.STL]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "4", "16"]
    assert {"Plain falls to 0.1, doubly reparameterised rises to 4", "plain", "doubly", "signal = noise"} <= texts(fig)


def test_temperatures_draws_direction_length_and_noise_with_their_levels() -> None:
    angle = {"soft": [3.0, 9.0, 60.0, 82.4], "hard": [2.0, 9.0, 30.0, 70.0]}
    length = {"soft": [0.9, 0.8, 0.3, 0.1], "hard": [0.95, 0.9, 0.2, 0.4]}
    noise = {"soft": [3.0, 2.0, 1.0, 0.5], "hard": [5.0, 4.0, 3.0, 1.0]}
    tau = [0.1, 0.2, 0.5, 1.0]
    fig = figures.temperatures(tau, angle, length, noise, unbiased=1.3)
    levels = ("true direction", "true length", "leave-one-out, no bias, per sample (S = 4)")
    for ax, curves, level, height in zip(fig.axes, (angle, length, noise), levels, (0, 1, 1.3)):
        for line, name, style in zip(ax.lines, curves, ("-", "--")):
            np.testing.assert_array_equal(np.column_stack(line.get_data()), np.column_stack([tau, curves[name]]))
            assert line.get_linestyle() == style
        assert {*curves, level} == {t.get_text().replace("\n", " ") for t in ax.texts}
        assert set(drawn(ax)[2][:, 1]) == {height}
        assert ax.get_ylim()[1] > max(max(values) for values in curves.values())
    assert {"Gumbel-softmax: 3° off at τ = 0.1, 82° at 1", "The average is too short", "The noise rises as τ falls"} <= texts(fig)
    other = figures.temperatures(tau, angle, {**length, "hard": [1.7, 1.4, 0.2, 0.1]}, {**noise, "hard": [1.0, 2.0, 1.0, 0.5]}, 1.3)
    assert {"The average can be too short", "The noise need not rise as τ falls"} <= texts(other)


def test_coupled_latents_draws_three_noises_with_the_angles_beside_the_third() -> None:
    noise = {"a": [2.0, 6.0, 17.8], "a,\nsummed": [0.0, 0.7, 0.4], "b": [2.8, 2.6, 1.96]}
    fig = figures.coupled_latents([1, 5, 50], noise, [14.0, 12.0, 3.4])
    (ax,) = fig.axes
    for points, curve in zip(drawn(ax), noise.values()):
        np.testing.assert_array_equal(points, [[k, v] for k, v in zip([1, 5, 50], curve) if v > 0])
    assert colors(ax) == [figures.SCORE, figures.SCORE, figures.PATH]
    assert {"At 50 latents leave-one-out has 9 times the noise of Gumbel-softmax", *noise} <= texts(fig)
    beside = {t.get_text(): t.xy for t in ax.texts if t.get_text().endswith("°")}
    assert beside == {"14°": (1, 2.8), "12°": (5, 2.6), "3°": (50, 1.96)}
