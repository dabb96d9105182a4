"""The figures of notebook 08 draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything, ellipses, square  # noqa: F401
from matplotlib.figure import Figure
from matplotlib.text import Text

from vaecourse.plots import the_vae as figures

matplotlib.use("Agg")


def texts(fig: Figure) -> str:
    return "\n".join(t.get_text() for t in fig.findobj(Text) if t.get_visible())


def image(ink: float) -> np.ndarray:
    return np.full(784, ink)


def test_codes_and_map_show_the_same_part_of_the_plane_and_say_how_many_codes_lie_outside() -> None:
    codes = np.array([[0.0, 1.0], [0.5, -1.0], [-1.0, 0.0], [5.0, 0.0]])
    fig = figures.codes_and_map(codes, [3, 3, 7, 0], np.zeros((9, 784)), reach=2.0)
    left, right = fig.axes
    assert (left.get_xlim(), left.get_ylim()) == (right.get_xlim(), right.get_ylim())
    assert [len(line.get_xdata()) for line in left.lines] == [1, 0, 0, 2, 0, 0, 0, 1, 0, 0]
    assert "25% of the codes lie outside" in texts(fig)
    # a chi-squared variable with 2 degrees of freedom below 4: 1 - exp(-2)
    assert left.get_title(loc="left") == "The circle holds 75% of codes, 86% of the prior"
    for panel in (left, right):
        (circle,) = ellipses(panel)
        assert (circle.width, circle.height) == (4.0, 4.0)  # two standard deviations of the prior
    inside = figures.codes_and_map(codes[:3], [3, 3, 7], np.zeros((9, 784)), reach=2.0)
    assert "outside" not in texts(inside)


def test_the_two_gaps_share_one_axis_in_the_order_of_their_sum() -> None:
    approximation, amortisation = np.array([0.0, 0.2, 2.0]), np.array([20.0, 1.5, 1.0])
    fig = figures.two_gaps(approximation, amortisation)
    (ax,) = fig.axes
    green, amber = ax.lines
    assert list(green.get_ydata()) == [1.5, 1.0, 20.0]  # sums 1.7, 3.0, 20.0
    assert list(amber.get_ydata()) == [0.2, 2.0, 0.003]  # a gap of 0 is drawn at the smallest value
    assert ax.get_yscale() == "log"
    low, high = ax.get_ylim()
    assert low < 0.003 < 20 < high
    assert ax.get_title(loc="left") == "For 2 of 3 digits the amortisation gap is the larger part"
    assert "amortisation gap, mean 7.5, median 1.5 nats" in texts(fig)
    assert "approximation gap, mean 0.7, median 0.20 nats" in texts(fig)


def test_one_digit_has_its_ellipses_its_pictures_and_arrows_as_long_as_the_gaps() -> None:
    grid = square(11, 1.0)
    probs = np.exp(-(grid**2).sum(1))
    q, best = ((0.2, 0.1), (0.3, 0.2)), ((0.0, 0.0), (0.1, 0.4))
    values = (-114.5, -112.25, -111.5)
    fig = figures.one_digit(image(0.0), grid, probs, q, best, [image(0.5), image(1.0)], values)
    first, middle, mean, sample, line = fig.axes
    assert [ax.images[0].get_array().mean() for ax in (first, mean, sample)] == [0.0, 0.5, 1.0]
    green, blue = ellipses(middle)
    assert (tuple(green.center), green.width, green.height) == ((0.2, 0.1), pytest.approx(1.2), pytest.approx(0.8))
    assert (tuple(blue.center), blue.width, blue.height) == ((0.0, 0.0), pytest.approx(0.4), pytest.approx(1.6))
    ticks = [mark.get_xdata()[0] for mark in line.lines[1:]]
    assert ticks == [-114.5, -112.25, -111.5]
    spans = [sorted((arrow.xy[0], arrow.xyann[0])) for arrow in line.texts if not arrow.get_text()]
    assert spans == [[-114.5, -112.25], [-112.25, -111.5]]
    shown = texts(fig)
    assert "amortisation gap 2.25" in shown
    assert "approximation gap 0.75" in shown
    assert "−112.25 nats" in shown
    assert "gap of this digit is 3.0 nats; the best q of this shape closes 75%" in shown


def test_errors_share_their_axes_and_titles_count_the_large_errors() -> None:
    alone = (np.array([0.1, -2.0, -50.0, 0.2]), np.array([0.2, 0.1, 0.3, 0.1]), "elbo")
    mixed = (np.array([0.1, -0.2, 0.3, 1.0]), np.array([0.2, 0.1, 0.3, 0.1]), "importance")
    fig = figures.claimed_and_true({"alone": alone, "mixed": mixed}, {2: "#2"})
    left, right = fig.axes
    assert [ax.get_title(loc="left") for ax in fig.axes] == [
        "alone: 1 of 4\nmore than 10 nats too low",
        "mixed: 0 of 4\nmore than 10 nats too low",
    ]
    assert left.axis() == right.axis()
    assert left.get_ylim()[0] < -50
    assert list(left.lines[0].get_xdata()) == [0.2, 0.1, 0.3, 0.1]
    assert list(right.lines[0].get_ydata()) == [0.1, -0.2, 0.3, 1.0]
    wedge = left.collections[0].get_paths()[0].vertices
    assert abs(wedge[:, 1]).max() == pytest.approx(3 * wedge[:, 0].max())
    assert list(left.lines[1].get_xdata()) == [1, 1]  # the most that the formula can say
    names = [panel.texts[0] for panel in fig.axes]
    assert [(name.get_text(), tuple(name.xy)) for name in names] == [("#2", (0.3, -50.0)), ("#2", (0.3, 0.3))]
    assert [tuple(panel.lines[-1].get_xydata()[0]) for panel in fig.axes] == [(0.3, -50.0), (0.3, 0.3)]  # the rings


def test_a_wrong_place_shows_q_and_the_mode_and_the_posterior_down_to_its_depth() -> None:
    grid = square(41, 4.0)
    probs = np.exp(-10 * ((grid - [1.0, -1.0]) ** 2).sum(1))
    probs[0] = 0.0  # underflown
    q = ((1.0, 1.0), (0.1, 0.2))
    pictures = [image(0.0), image(0.5), image(1.0)]
    fig = figures.wrong_place(grid, probs, q, (1.0, -1.0), pictures, [-300.4, -200.6], depth=50.0)
    plane, *rest = fig.axes
    assert [ax.images[0].get_array().mean() for ax in rest] == [0.0, 0.5, 1.0]
    assert [ax.get_title(loc="left") for ax in rest] == [
        "held out",
        "decoder at q\nlog p(x|z) = −300",
        "decoder at the mode\nlog p(x|z) = −201",
    ]
    shade = plane.images[0].get_array()
    assert (shade.min(), shade.max()) == (0.0, pytest.approx(50.0))
    ellipse, posterior = ellipses(plane)
    assert tuple(posterior.center) == pytest.approx((1.0, -1.0), abs=1e-6)
    assert posterior.width == pytest.approx(4 * 0.05**0.5, rel=0.01)  # exp(-10 d^2) has the variance 1/20
    assert (tuple(ellipse.center), ellipse.width, ellipse.height) == ((1.0, 1.0), pytest.approx(0.4), pytest.approx(0.8))
    (mark,) = plane.lines
    assert (list(mark.get_xdata()), list(mark.get_ydata())) == ([1.0], [-1.0])
    # 2.0 over the larger of 0.1 and 0.2, and 300.4 - 200.6
    assert "mode, 10 standard deviations from the mean of q, has a log p(x|z) 100 nats higher" in texts(fig)
    low, high = plane.get_ylim()
    assert (low, high) == (pytest.approx(-3), pytest.approx(3))
