"""The figures of notebook 09 draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401
from matplotlib.colors import to_hex

from vaecourse import plots
from vaecourse.plots import how_good_is_my_vae as figures

matplotlib.use("Agg")


def title(ax) -> str:
    return ax.get_title(loc="left")


def bars(ax) -> list[np.ndarray]:
    """The ends of every error bar, (2, 2) each."""
    return [segment for container in ax.containers if hasattr(container, "lines") for segment in container.lines[2][0].get_segments()]


def test_both_bounds_have_one_scale_and_only_the_known_value_has_a_line() -> None:
    fig = figures.bound_against_k([1, 5, 500], [-12.0, -11.0, -10.5], -10.0, [-95.0, -93.0, -91.0], [0.25, -0.3, 40.0])
    left, right, digits = fig.axes
    assert title(left) == "K = 2: 0.5 nats too low\nwith k = 500"
    assert title(right) == "K = 20: up by 4.0 nats,\nexact value unknown"
    assert np.diff(left.get_ylim()) == pytest.approx(np.diff(right.get_ylim()))
    assert [list(ax.lines[0].get_ydata()) for ax in (left, right)] == [[-12.0, -11.0, -10.5], [-95.0, -93.0, -91.0]]
    assert [len(ax.lines) for ax in (left, right)] == [3, 2]
    assert list(left.lines[2].get_ydata()) == [-10.0, -10.0]
    for ax in (left, right):
        assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "5", "500"]
        assert ax.get_ylim()[0] < min(ax.lines[0].get_ydata())
    shorter = figures.bound_against_k([1, 5, 500], [-12.0, -11.0, -10.5], -10.0, [-95.0, -93.0], [0.25]).axes[1]
    assert list(shorter.lines[0].get_xdata()) == [1, 5]
    assert shorter.get_xlim() == right.get_xlim()
    assert title(digits) == "K = 2: median 0.25,\nlargest 40 nats"
    assert list(digits.lines[0].get_ydata()) == [-0.3, 0.25, 40.0]
    low, high = digits.get_ylim()
    assert low < -0.3 < 40 < high


def test_both_differences_have_one_order_and_the_title_counts_those_above_zero() -> None:
    fig = figures.above_the_exact(np.array([0.5, -9.0, 2.0, -1.0]), np.array([-1.0, -0.5, -8.0, 0.0]))
    (ax,) = fig.axes
    mean, mean_line, elbo, elbo_line = ax.lines[:4]
    assert list(elbo.get_ydata()) == [-8.0, -1.0, -0.5, 0.0]
    assert list(mean.get_ydata()) == [2.0, 0.5, -9.0, -1.0]
    assert list(mean.get_xdata()) == list(elbo.get_xdata()) == [12.5, 37.5, 62.5, 87.5]
    assert [line.get_ydata()[0] for line in (mean_line, elbo_line)] == [-1.875, -2.375]
    assert title(ax) == "At the mean of q, the value exceeds log p(x) for 50% of the digits"
    low, high = ax.get_ylim()
    assert low < -9 < 2 < high


def overfits(refined: list[float], **more):
    epochs = np.arange(1, 5)
    return figures.two_overfits(epochs, epochs - 100.0, epochs - 120.0, (2, 3, 4), [-118.0, -120.0, -131.0], refined, (2, 4), **more)


def test_the_title_compares_the_change_with_both_q() -> None:
    fig = overfits([-115.0, -114.0, -112.0])
    assert title(fig.axes[0]) == "ELBO from epoch 2 to 4: -13 nats with the encoder's q, +3 with the refined q"
    assert title(overfits([-115.0, -114.0, -116.0]).axes[0]).endswith("-1 with the refined q")
    training, held_out, encoder, refined = fig.axes[0].lines[:4]
    assert list(training.get_ydata()) == [-99.0, -98.0, -97.0, -96.0]
    assert list(held_out.get_ydata()) == [-119.0, -118.0, -117.0, -116.0]
    assert (list(encoder.get_xdata()), list(encoder.get_ydata())) == ([2, 3, 4], [-118.0, -120.0, -131.0])
    assert list(refined.get_ydata()) == [-115.0, -114.0, -112.0]
    assert to_hex(encoder.get_color()).upper() == plots.COLORS["elbo"]
    assert {"-13 nats", "+3 nats"} <= set(texts(fig))
    assert {"-13 ± 2 nats", "+3 ± 1 nats"} <= set(texts(overfits([-115.0, -114.0, -112.0], errors=(2.3, 0.9))))
    low, high = fig.axes[0].get_ylim()
    assert low < -131 < -96 < high


def test_every_gain_has_a_bar_and_two_standard_errors() -> None:
    fig = figures.gains({"one": (-2.0, 0.5), "two": (7.25, 0.1)}, "one", published=1.5)
    ax = fig.axes[0]
    assert [bar.get_width() for bar in ax.patches] == [-2.0, 7.25]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "two"]
    assert {"-2.0", "+7.2"} <= set(texts(fig))
    spans = sorted(tuple(c.get_segments()[0][:, 0]) for c in ax.collections)
    assert spans == [pytest.approx((-3.0, -1.0)), pytest.approx((7.05, 7.45))]
    assert title(ax) == "One unchanged model: up to 7 nats more"
    one, two = (to_hex(bar.get_facecolor()).upper() for bar in ax.patches[:2])
    assert (one, two) == (figures.GREY, plots.COLORS["naive"].upper())
    assert [1.5, 1.5] in [list(line.get_xdata()) for line in ax.lines]


def test_the_scoreboard_says_how_far_the_last_known_value_is() -> None:
    rows = [("a", "elbo", -9.0, 0.1, -8.0), ("b", "iwae", -7.25, 0.1, -7.0), ("c", "iwae", -3.0, 0.1, float("nan"))]
    (ax,) = figures.scoreboard(rows).axes
    assert title(ax) == "K = 2: mean -7.25 nats (one run ± 0.10), exact -7.00"
