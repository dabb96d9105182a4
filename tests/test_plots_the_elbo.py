"""The figures of notebook 06 draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything  # noqa: F401
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.text import Annotation, Text

from vaecourse import plots
from vaecourse.plots import the_elbo as figures

matplotlib.use("Agg")
GREEN, BLACK, VERMILION = plots.COLORS["elbo"], plots.COLORS["exact"], plots.COLORS["naive"]


def texts(fig: Figure) -> str:
    return "\n".join(t.get_text() for t in fig.findobj(Text) if t.get_visible())


def arrows(ax) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Tail and head of every arrow without words."""
    return [(tuple(t.xyann), tuple(t.xy)) for t in ax.texts if isinstance(t, Annotation) and not t.get_text()]


def square(center: tuple[float, float], reach: float, n: int = 9) -> np.ndarray:
    axes = [np.linspace(c - reach, c + reach, n) for c in center]
    return np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], -1)


def color(artist) -> str:
    return to_hex(artist.get_color() if hasattr(artist, "get_color") else artist.get_edgecolor()).upper()


def test_an_arrow_leads_from_each_log_weight_to_log_px_up_or_down() -> None:
    z = np.linspace(0, 2, 201)
    log_w = -3 + 2 * z  # above -2 from z = 0.5 on
    fig = figures.two_terms(z, np.full(201, 0.3), np.linspace(0, 1, 201), log_w, log_px=-2.0, elbo=-2.5, at=[0.1, 1.5])
    left, right = fig.axes
    assert [line.get_ydata()[-1] for line in left.lines] == pytest.approx([1, 0.3])
    curve, exact, bound = right.lines
    assert curve.get_ydata() == pytest.approx(log_w)
    assert (set(exact.get_ydata()), set(bound.get_ydata())) == ({-2.0}, {-2.5})
    assert arrows(right) == [
        (pytest.approx((0.1, -2.8)), pytest.approx((0.1, -2.0))),
        (pytest.approx((1.5, 0.0)), pytest.approx((1.5, -2.0))),
    ]
    assert "ELBO = -2.50" in texts(fig)
    for ax in (left, right):  # q equals the posterior at 0.6
        (dotted,) = ax.collections
        assert [segment[0, 0] for segment in dotted.get_segments()] == pytest.approx([0.6], abs=0.011)


def test_the_climb_shows_the_chosen_steps_and_the_gap() -> None:
    path = [(np.array([i / 10, 0.5]), np.array([1.0, 0.8]) / (i + 1)) for i in range(11)]
    fig = figures.climbing((square((0, 0), 5), np.ones(81)), path, (0, 1, 5, 10), {0: 200.0, 5: 30.0, 10: 0.25})
    far, curve = fig.axes
    drawn = [p for p in far.patches if isinstance(p, Ellipse)]
    assert [tuple(p.center) for p in drawn] == [pytest.approx(c) for c in [(0, 0.5), (0.1, 0.5), (0.5, 0.5), (1.0, 0.5)]]
    assert [p.width for p in drawn] == pytest.approx([4, 2, 4 / 6, 4 / 11])  # two standard deviations to each side
    assert curve.get_title(loc="left") == "The gap falls from 200 to 0.25 nats"
    assert (list(curve.lines[0].get_xdata()), list(curve.lines[0].get_ydata())) == ([0, 5, 10], [200.0, 30.0, 0.25])
    assert curve.get_yscale() == "log"
    (magnified,) = far.child_axes
    last, posterior = magnified.patches[:2]
    assert (tuple(last.center), last.width) == (pytest.approx((1.0, 0.5)), pytest.approx(4 / 11))
    assert tuple(posterior.center) == pytest.approx((0, 0), abs=1e-6)
    assert "steps 0, 1, 5, 10" in texts(fig)
    assert "orange: the posterior" in texts(fig)


def test_bounds_touch_the_curve_and_a_round_of_em_leads_to_the_next_point_of_it() -> None:
    theta = np.linspace(0, 4, 401)
    log_px = -((theta - 2) ** 2)
    bounds = {at: -((at - 2) ** 2) - 2 * (at - 2) * (theta - at) - 3 * (theta - at) ** 2 for at in (1.0, 3.0)}  # tangent parabolas
    fig = figures.touching_bounds(theta, log_px, bounds, top=1 + 1 / 3)
    (ax,) = fig.axes
    dots = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert dots == [pytest.approx((1, -1)), pytest.approx((3, -1))]
    curves = [line for line in ax.lines if line.get_marker() != "o"]
    assert [color(line) for line in curves] == [GREEN, GREEN, BLACK]
    assert curves[1].get_ydata() == pytest.approx(bounds[3.0])
    assert curves[2].get_ydata() == pytest.approx(log_px)
    (m_tail, m_head), (e_tail, e_head) = arrows(ax)
    assert (m_tail, m_head) == (pytest.approx((1, -1)), pytest.approx((4 / 3, -2 / 3), abs=1e-3))
    assert (e_tail, e_head) == (m_head, pytest.approx((4 / 3, -4 / 9), abs=1e-3))
    for words in ("θ = 1.00", "θ = 3.00", "ELBO(θ, q$_a$)", "ELBO(θ, q$_b$)", "1 M-step", "2 E-step"):
        assert words in texts(fig)


def test_one_arrow_leads_up_and_one_down_by_the_changes_of_a_step_and_the_gaps_are_written() -> None:
    theta = np.linspace(0, 2, 201)
    log_px, bound = -0.5 * theta, -2 + 0.4 * theta
    fig = figures.rise_without_gain(theta, log_px, bound, start=0.5, end=1.5)
    (ax,) = fig.axes
    curves = [line for line in ax.lines if len(line.get_xdata()) == 201]
    assert [color(line) for line in curves] == [BLACK, GREEN]
    assert arrows(ax) == [
        (pytest.approx((1.5, -0.25)), pytest.approx((1.5, -0.75))),
        (pytest.approx((1.5, -1.8)), pytest.approx((1.5, -1.4))),
    ]
    assert ax.get_title(loc="left") == "The bound rises while log p(x) falls"
    assert (
        figures.rise_without_gain(theta, -log_px, bound, 0.5, 1.5).axes[0].get_title(loc="left") == "The bound rises while log p(x) rises"
    )
    for words in ("log p$_θ$(x): -0.50", "ELBO(θ, q$_c$): +0.40", "gap 1.55", "gap 0.65"):
        assert words in texts(fig)
    low, high = ax.get_ylim()
    assert low <= -2 < 0 < high


def test_without_the_kl_both_widths_shrink_on_a_logarithmic_axis() -> None:
    steps, stddev = [0, 100, 200], np.array([[0.05, 0.06], [0.01, 0.012], [0.002, 0.003]])
    fig = figures.without_the_kl(steps, stddev, [-100.0, -99.0, -98.6], [-107.7, -110.0, -112.8], -107.6)
    left, right = fig.axes
    assert [list(line.get_ydata()) for line in left.lines] == [[0.05, 0.01, 0.002], [0.06, 0.012, 0.003]]
    assert left.get_yscale() == "log"
    assert left.get_title(loc="left") == "σ falls from 0.060 to 0.003"
    assert right.get_title(loc="left") == "The objective lies above log p(x)"
    lower = figures.without_the_kl(steps, stddev, [-108.0, -99.0, -98.6], [-107.7, -110.0, -112.8], -107.6)
    assert lower.axes[1].get_title(loc="left") == "Objective, ELBO and log p(x)"
    objective, bound, exact = right.lines
    assert (list(objective.get_ydata()), list(bound.get_ydata())) == ([-100.0, -99.0, -98.6], [-107.7, -110.0, -112.8])
    assert (color(objective), color(bound)) == (VERMILION, GREEN)
    assert set(exact.get_ydata()) == {-107.6}
    for words in ("log p(x): -107.6", "objective, mean of log p(x|z): -98.6", "ELBO of the same q: -112.8"):
        assert words in texts(fig)
    low, high = right.get_ylim()
    assert low < -112.8 < -98.6 < high
