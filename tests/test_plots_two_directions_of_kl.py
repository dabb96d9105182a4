"""The figures of notebook 06b draw what they are given, and their titles and labels say what is in the data."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401
from scipy.stats import chi2, multivariate_normal, norm

from vaecourse.plots import COLORS, figure
from vaecourse.plots import two_directions_of_kl as figures

matplotlib.use("Agg")


def drawn(ax, color: str) -> list[np.ndarray]:
    """The points (N, 2) of each line or set of markers of a colour."""
    return [np.column_stack(some.get_data()) for some in ax.lines if some.get_color() == COLORS[color]]


def square_grid(n: int = 201, reach: float = 5.0) -> np.ndarray:
    axis = np.linspace(-reach, reach, n)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)


def test_levels_are_those_of_a_normal_distribution() -> None:
    density = multivariate_normal([0, 0], np.eye(2)).pdf(square_grid(401))
    for share in (0.5, 0.95):
        (level,) = figures.levels(density, [share])
        assert level == pytest.approx(density.max() * np.exp(-chi2(2).ppf(share) / 2), rel=0.02)


@pytest.mark.parametrize("covariance", [np.diag([4.0, 0.25]), np.array([[1.0, 0.8], [0.8, 1.0]])])
def test_outline_holds_the_shares_of_the_gaussian(covariance: np.ndarray) -> None:
    fig, ax = figure("")
    figures.outline(ax, figures.Fit([1.0, -2.0], covariance, "q", color="elbo"))
    inner, outer = drawn(ax, "elbo")
    for curve, share in ((inner, 0.5), (outer, 0.95)):
        away = curve - [1.0, -2.0]
        squares = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
        np.testing.assert_allclose(squares, chi2(2).ppf(share), rtol=1e-9)
    assert "q" in texts(fig)


def test_regions_shade_the_right_area_at_the_right_place() -> None:
    nodes = square_grid()
    probs = multivariate_normal([1.0, -2.0], np.diag([0.25, 1.0])).pdf(nodes)
    _, ax = figure("")
    figures.regions(ax, nodes, probs)
    paths = [path.vertices for collection in ax.collections for path in collection.get_paths()]
    x, y = np.concatenate(paths).T
    reach = chi2(2).ppf(0.95) ** 0.5
    assert (x.min(), x.max()) == pytest.approx((1 - 0.5 * reach, 1 + 0.5 * reach), abs=0.05)
    assert (y.min(), y.max()) == pytest.approx((-2 - reach, -2 + reach), abs=0.05)


def test_cover_or_choose_draws_the_fits_and_compares_their_widths() -> None:
    z = np.linspace(-4, 4, 81)
    fits = {"wide": (norm(0, 2).pdf(z), "importance"), "narrow": (norm(-2, 0.5).pdf(z), "elbo")}
    (ax,) = figures.cover_or_choose(z, norm(-2, 0.5).pdf(z), fits).axes
    assert ax.get_title(loc="left") == "The reverse fit takes one mode; the forward fit is 4.0 times as wide"
    np.testing.assert_allclose(drawn(ax, "importance")[0][:, 1], norm(0, 2).pdf(z))
    np.testing.assert_allclose(drawn(ax, "elbo")[0][:, 1], norm(-2, 0.5).pdf(z))
    assert {"wide", "narrow", "p(z)"} <= set(texts(ax.figure))


def test_held_is_the_share_inside_the_larger_ellipse_of_what_lies_in_the_square() -> None:
    nodes = square_grid(801) * 0.2
    same, away = (multivariate_normal(mean, np.eye(2) / 100).pdf(nodes) for mean in ([0, 0], [0.9, 0.9]))
    fit = figures.Fit([0, 0], np.eye(2) / 100)
    assert figures.held(fit, nodes, same + away, 0.45) == pytest.approx(0.95, abs=0.003)
    flat = figures.Fit([0, 0], np.diag([0.01, 0.01 / 16]))  # four times too narrow in one direction
    shares = multivariate_normal([0, 0], np.eye(2) / 100).rvs(200_000, random_state=0)
    inside = (shares**2 @ [100, 1600] < chi2(2).ppf(0.95)).mean()
    assert figures.held(flat, nodes, same, 0.45) == pytest.approx(inside, abs=0.01)


def test_two_fits_shows_every_estimate_the_remarks_and_what_is_expected() -> None:
    nodes = square_grid(51)
    probs = multivariate_normal([0, 0], np.eye(2)).pdf(nodes)
    errors = {"one": ([-0.5, 0.5], "importance", "ESS 10"), "two": ([-0.7, -0.8], "elbo", "ESS 990")}
    fits = [figures.Fit([0, 0], np.eye(2), "q"), figures.Fit([1, -1], np.eye(2), "47%")]
    fig = figures.two_fits(nodes, probs, fits, errors, {"two": -0.755}, {"53%": [1, 1]})
    _, zoom, dots = fig.axes
    assert (*zoom.get_xlim(), *zoom.get_ylim()) == pytest.approx((0.78, 1.22, -1.22, -0.78))
    for row, (name, color) in enumerate((("one", "importance"), ("two", "elbo"))):
        (found,) = drawn(dots, color)
        np.testing.assert_array_equal(found[:, 0], errors[name][0])
        assert (np.abs(found[:, 1] - row) < 0.3).all()
    (dashed,) = [some for some in dots.lines if some.get_linestyle() == "--"]
    assert list(dashed.get_xdata()) == [-0.755, -0.755]
    assert 0.5 < np.mean(dashed.get_ydata()) < 1.5
    assert zoom.get_title(loc="left") == "Mode with 47%: the ellipse holds 100% of it"
    assert dots.get_title(loc="left") == "On one mode: median error −0.75 nats"
    wanted = {"one", "two", "q", "47%", "53%", "ESS 10", "ESS 990", "error of 2 estimates each, nats", "log of share"}
    wanted |= {figures.REGIONS, "q (50 % and 95 % ellipses)"}
    assert wanted <= set(texts(fig))


def test_prices_sorts_the_digits_and_puts_every_mark_at_its_value() -> None:
    full, diagonal = [0.05, 0.3, 0.0], [0.2, 0.4, 0.01]  # digit 0 gains most
    fig = figures.prices(full, diagonal, {1: [5.94, 7.26, 0.3]})
    ax = fig.axes[0]
    marks = {some.get_marker(): np.column_stack(some.get_data()).tolist() for some in ax.lines}
    assert marks["o"] == [[0, 0.4], [1, 0.2], [2, 0.01]]
    assert marks["s"] == [[0, 0.3], [1, 0.05], [2, 0.01]]
    assert sorted(marks["^"]) == [[0, 0.3], [0, 5.94], [0, 7.26]]
    assert ax.get_yscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["#1", "#0", ""]
    assert "≤ 0.01" in texts(fig)
    assert ax.get_title(loc="left") == "Diagonal gap below 0.25 nats on 2 of 3 digits; from other modes 0.3 to 7.3 nats"
    (alone,) = figures.prices(full, diagonal, {}).axes
    assert alone.get_title(loc="left") == "Diagonal gap below 0.25 nats on 2 of 3 digits"


def test_tilt_shows_the_whole_grid_with_fits_and_a_legend() -> None:
    nodes = square_grid(51, 3.0) + 7
    fits = {"diagonal": figures.Fit([7, 7], np.eye(2), color="importance"), "full": figures.Fit([7, 7], np.eye(2), color="elbo")}
    fig = figures.tilt("#6", nodes, multivariate_normal([7, 7], np.eye(2)).pdf(nodes), fits)
    (ax,) = fig.axes
    assert ax.get_xlim() == ax.get_ylim() == pytest.approx((4, 10))
    assert {"#6", "diagonal", "full", figures.REGIONS} <= set(texts(fig))
    assert len(drawn(ax, "importance")) == 2 + 1  # two ellipses and the mark of the legend


def test_aggregates_draws_the_curves_the_means_and_the_circle_of_the_prior() -> None:
    divergences = {"digits": [4.0, 2.06], "samples": [3.0, 0.9], "others": [2.9, 0.8]}
    latents = {"digits": [[3.0, 1.0], [0.0, 2.0]], "samples": [[0.5, 0.5]], "others": [[9.0, 9.0]]}
    fig = figures.aggregates([10, 100], divergences, latents, ("elbo", "prior", "prior"))
    curves, plane, beside = fig.axes
    np.testing.assert_array_equal(drawn(curves, "elbo")[0], [[10, 4.0], [100, 2.06]])
    np.testing.assert_array_equal(drawn(plane, "elbo")[0], latents["digits"])
    np.testing.assert_array_equal(drawn(beside, "prior"), [latents["samples"]])
    for some in (plane, beside):
        (circle,) = drawn(some, "naive")
        np.testing.assert_allclose((circle**2).sum(1), chi2(2).ppf(0.95))
    assert curves.get_title(loc="left") == "N = 100: digits 1.2 nats higher"
    assert plane.get_title(loc="left") == "50% of digits outside"
    assert beside.get_title(loc="left") == "0% of samples outside"
    assert {"digits", "2 sets of samples", "circle: 95 % of the prior"} <= set(texts(fig))
