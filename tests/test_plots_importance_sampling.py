"""The figures of notebook 05 draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything, ellipses, square  # noqa: F401
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.text import Text
from scipy.integrate import trapezoid
from scipy.stats import norm

from vaecourse import plots
from vaecourse.plots import importance_sampling as figures

matplotlib.use("Agg")
NARROW, WIDE = np.array([0.1, 0.2]), np.array([0.4, 0.3])


def texts(fig: Figure) -> str:
    return "\n".join(t.get_text() for t in fig.findobj(Text) if t.get_visible())


def test_what_a_flat_proposal_never_reaches_is_shaded_on_both_sides() -> None:
    z = np.linspace(-2, 4, 601)
    fig = figures.support(z, np.full(601, 0.1), np.full(601, 0.25), low=1, high=3)
    (ax,) = fig.axes
    spans = [(c.get_paths()[0].vertices[:, 0].min(), c.get_paths()[0].vertices[:, 0].max()) for c in ax.collections]
    assert spans == [pytest.approx((-2, 1)), pytest.approx((3, 4))]
    q = ax.lines[-1]
    assert q.get_ydata().max() == pytest.approx(0.5)  # a density: it integrates to 1
    assert ax.get_title(loc="left") == "67% of the posterior lies where q is zero"  # this one is flat: 402 of 601 points


def test_the_integrand_is_the_square_of_p_over_q_and_its_area_is_finite_only_above_the_root_of_a_half() -> None:
    fig = figures.integrands([0.8, 0.6])
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["q 0.8 times as wide: finite area", "q 0.6 times as wide: infinite area"]
    for ax, width in zip(fig.axes, (0.8, 0.6)):
        p, q, ratio = (line.get_ydata() for line in ax.lines)
        u = ax.lines[0].get_xdata()
        assert p == pytest.approx(norm.pdf(u))
        assert q == pytest.approx(norm.pdf(u, scale=width))
        assert ratio == pytest.approx(norm.pdf(u) ** 2 / norm.pdf(u, scale=width))
    finite = fig.axes[0].lines[2]
    area = trapezoid(finite.get_ydata(), finite.get_xdata())
    assert [[t.get_text() for t in ax.texts if "area" in t.get_text()] for ax in fig.axes] == [
        [f"area {area:.2f}"],
        ["infinite\narea ↑"],
    ]


def test_the_cost_is_a_line_beside_the_region_where_it_is_infinite() -> None:
    width = np.geomspace(0.8, 5, 50)
    fig = figures.price_of_width(width, 1 + width)
    (ax,) = fig.axes
    assert ax.lines[0].get_ydata() == pytest.approx(1 + width)
    assert ax.get_title(loc="left") == "5 times too wide: 6 samples for one. 0.71 times or less: infinite variance"
    (wedge,) = ax.patches
    right = max(wedge.get_path().vertices[:, 0]) if isinstance(wedge, Polygon) else wedge.get_x() + wedge.get_width()
    assert right == pytest.approx(2**-0.5)


def test_many_estimates_are_two_histograms_and_those_beyond_the_panel_are_counted() -> None:
    narrow, wide = np.array([0.7, 0.8, 0.9, 9.0]), np.array([0.95, 1.0, 1.05, 1.1])
    fig = figures.many_runs(narrow, wide, (0.4, 2.5))
    (ax,) = fig.axes
    assert ax.get_title(loc="left") == "Too narrow: 75% of the estimates are too low. Too wide: 25%"
    drawn = [sum(bar.get_height() for bar in bars) for bars in ax.containers]
    assert drawn == [4, 3]  # the wide q first, behind the narrow one
    assert list(ax.lines[0].get_xdata()) == [1, 1]
    for words in ("0.4 times: 1 of 4\nabove 1.6, up to 9 →", "q 0.4 times as wide", "q 2.5 times as wide"):
        assert words in texts(fig)


def test_every_round_is_an_ellipse_of_two_standard_deviations_and_the_late_ones_are_magnified() -> None:
    path = [(np.zeros(2), np.ones(2)), *((np.array([2.0, 1.0]), NARROW * 2 ** (8 - i)) for i in range(1, 9))]
    fig = figures.closing_in(square(), np.full(81, 1 / 81), path)
    far, near = fig.axes
    assert [len(ellipses(ax)) for ax in fig.axes] == [9, 7]  # the prior and eight rounds; rounds 3 to 8 and the posterior
    for last in (ellipses(far)[8], ellipses(near)[5]):
        assert (last.width, last.height) == pytest.approx((0.4, 0.8))
        assert tuple(last.center) == (2.0, 1.0)
    assert ellipses(near)[0].width == pytest.approx(0.4 * 2**5)
    colors = [to_hex(e.get_edgecolor()).upper() for e in (*ellipses(far), *ellipses(near)[:6])]
    assert colors == [plots.COLORS["prior"], *[plots.COLORS["importance"]] * 14]
    posterior = ellipses(near)[-1]  # the test's posterior is flat on a square of nine nodes an axis
    assert tuple(posterior.center) == pytest.approx((0, 0))
    assert (posterior.width, posterior.height) == pytest.approx((4 * np.std(np.arange(9)),) * 2)
    assert posterior.get_linestyle() == "--"
    assert np.mean(near.get_xlim()) == pytest.approx(2.0)
    assert np.diff(near.get_xlim()) == pytest.approx(20 * 0.2)
    assert all(name in texts(fig) for name in ("prior", "round 3", "rounds 3–8", "rounds 6–8"))
    assert far.get_title(loc="left").endswith("in 8 rounds")
    ratio = np.mean(NARROW) / np.std(np.arange(9))
    assert f"q is {ratio:.1f} times as wide" in near.get_title(loc="left")


def test_errors_are_drawn_against_the_ess_and_the_failures_are_named() -> None:
    before = (np.array([1.0, 2.0, 3.0]), np.array([-80.0, -1.0, 0.5]), "naive")
    after = (np.array([900.0, 60.0, 889.0]), np.array([0.0, -25.0, -43.0]), "importance")
    fig = figures.error_against_ess({"prior": before, "fitted q": after}, named=[1, 2])
    (ax,) = fig.axes
    naive, fitted = ax.lines[1:3]
    assert list(naive.get_ydata()) == [-80.0, -1.0, 0.5]
    low, high = ax.get_ylim()
    assert low < -80 < 0.5 < high
    assert ax.get_yscale() == "symlog"
    assert (list(fitted.get_xdata()), list(fitted.get_ydata())) == ([900.0, 60.0, 889.0], [0.0, -25.0, -43.0])
    rings = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines[3:]]
    assert rings == [(60.0, -25.0), (889.0, -43.0)]
    (band,) = ax.patches
    corners = np.asarray(band.get_corners() if hasattr(band, "get_corners") else band.get_xy())
    assert (corners[:, 1].min(), corners[:, 1].max()) == pytest.approx((-0.1, 0.1))
    assert "right to 0.1 nats: 1 of 3 fits" in texts(fig)
    assert "prior: from −80 to +0.5 nats" in texts(fig)
    assert "#1" in texts(fig)
    assert "#0" not in texts(fig)
    assert ax.get_title(loc="left") == "2 of 3 fits are 25 to 43 nats too low, at an ESS of 60 to 889"


def test_the_names_of_two_neighbouring_fits_do_not_cover_each_other() -> None:
    after = (np.array([826.0, 866.0, 649.0]), np.array([-0.8, -0.8, -7.8]), "importance")
    before = (np.array([1.0, 2.0]), np.array([-113.0, 1.3]), "naive")
    fig = figures.error_against_ess({"prior": before, "fitted q": after}, named=[0, 1, 2])
    fig.canvas.draw()
    boxes = [t.get_window_extent().padded(-2) for t in fig.axes[0].texts if t.get_text().startswith("#")]
    assert len(boxes) == 3
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert fig.axes[0].get_title(loc="left") == "3 of 3 fits are 0.8 to 8 nats too low, at an ESS of 649 to 866"


def a_miss(n: int) -> tuple:
    """What `missed` takes for n digits that are all the same."""
    probs = np.zeros(81)
    probs[[10, 60]] = np.exp([-2.0, -52.0])  # in nats, the second half as deep as the map goes
    pictures = np.stack([np.full(784, v) for v in (0.1, 0.5, 0.9)])
    mode = square()[10]
    return ["#76: ESS 889"] * n, square(), [probs] * n, [mode] * n, [WIDE] * n, [NARROW] * n, [42.9] * n, [pictures] * n


def test_a_missed_mode_is_shown_with_q_beside_it_the_shares_and_three_pictures() -> None:
    fig = figures.missed(*a_miss(2), depths=[100, 60])
    left, right = fig.axes[:2]
    assert left.get_title(loc="left") == right.get_title(loc="left") == "#76: ESS 889"
    shown = np.asarray(left.images[0].get_array()).T.ravel()
    assert (shown[10], shown[60], shown[0]) == pytest.approx((100, 50, 0))
    prior, q = ellipses(left)
    assert tuple(q.center) == pytest.approx(tuple(WIDE))
    assert (q.width, q.height) == pytest.approx((1.0, 2.0))  # five standard deviations to each side
    assert (prior.width, prior.height) == pytest.approx((4, 4))
    assert np.asarray(right.images[0].get_array()).T.ravel()[[10, 60, 0]] == pytest.approx([60, 10, 0])
    assert [[t.get_text() for t in bar.get_yticklabels()] for bar in fig.axes[2:]] == [
        ["−100\nor less", "−50", "0 nats"],
        ["−60\nor less", "−30", "0 nats"],
    ]
    beside = {t.get_text(): tuple(t.xy) for t in left.texts if "mass" in t.get_text()}
    assert beside == {
        "main mode: nearly\nall of the mass": tuple(square()[10]),
        "lesser mode: the ring, five\nstandard deviations of q,\nholds $e^{-42.9}$ of the mass": tuple(WIDE),
    }
    small = [inset.images[0].get_array()[0, 0] for inset in left.child_axes]
    assert small == pytest.approx([0.1, 0.5, 0.9])
    names = {t.get_text(): t.get_position()[0] for t in left.texts if t.get_position()[1] == -0.22}
    assert list(names) == ["mode, decoded", "the digit", "q, decoded"]
    assert list(names.values()) == pytest.approx([0.15, 0.5, 0.85])


def test_one_missed_mode_alone_can_be_drawn() -> None:
    fig = figures.missed(*a_miss(1), depths=[100])
    assert fig.axes[0].get_title(loc="left") == "#76: ESS 889"
