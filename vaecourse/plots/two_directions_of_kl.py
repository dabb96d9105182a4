"""The figures of notebook 06b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, _subplots, figure, in_course_style, line

AMBER = "#A36A00"  # the posterior's orange, dark enough for text
FULL = "#8B2FC9"  # fits with a full covariance
SHARES = (0.5, 0.95)  # of the probability that the drawn regions hold
REGIONS = "posterior (50 % and 95 % regions)"


class Fit(NamedTuple):
    """A Gaussian in the plane to be drawn: its mean (2,), its covariance (2, 2), a label, its place in points, and a colour.

    Example:
        >>> Fit([0, 0], [[1, 0], [0, 1]], "q", (10, 0)).color
        'elbo'
    """

    mean: object
    covariance: object
    label: str = ""
    nudge: tuple[float, float] = (8, 8)
    color: str = "elbo"


def levels(probs, shares: Sequence[float] = SHARES) -> list[float]:
    """The probability of a node at the border of the smallest region that holds each share, from probabilities of equal cells (G,).

    Example:
        >>> levels([0.5, 0.3, 0.1, 0.1], [0.7])
        [0.3]
    """
    falling = np.sort(np.asarray(probs, dtype=float).ravel())[::-1]
    total = np.cumsum(falling)
    return [float(falling[np.searchsorted(total, share * total[-1])]) for share in shares]


@in_course_style
def cover_or_choose(z, target, fits: Mapping[str, tuple[object, str]]) -> Figure:
    """A mixture (Z,) of two components and two Gaussians fitted to it, first the fit by moments, then the reverse fit.

    `fits` maps a label to a density (Z,) and a colour. The title compares the widths of the two Gaussians, by the heights of their peaks.
    """
    z, target = np.asarray(z), np.asarray(target)
    wide, narrow = (float(np.asarray(density).max()) for density, _ in fits.values())
    fig, ax = figure(
        f"The reverse fit takes one mode; the forward fit is {narrow / wide:.1f} times as wide", "z", "density", size=(7.4, 3.7)
    )
    ax.fill_between(z, target, color=COLORS["posterior"], alpha=0.45, lw=0)
    top = int(target.argmax())
    for (label, (density, color)), nudge in zip(fits.items(), ((10, 24), (10, -4))):
        density = np.asarray(density)
        line(ax, z, density, "", color)
        color = COLORS.get(color, color)
        at = int(density.argmax())
        ax.annotate(label, (z[at], density[at]), xytext=nudge, textcoords="offset points", color=color, fontsize=9)
    ax.annotate("p(z)", (z[top], 0.45 * target[top]), color=AMBER, fontsize=9, ha="center")
    ax.set(ylim=(0, 1.15 * max(wide, narrow)))
    return fig


def held(fit: Fit, nodes, probs, half_side: float) -> float:
    """The share of the probabilities (G,) of the nodes (G, 2) in a square around a fit that lies in its larger ellipse."""
    away, probs = np.asarray(nodes) - np.asarray(fit.mean), np.asarray(probs, dtype=float)
    squares = np.einsum("ni,ij,nj->n", away, np.linalg.inv(np.asarray(fit.covariance, dtype=float)), away)
    here = np.abs(away).max(1) <= half_side
    return float(probs[here & (squares <= -2 * np.log(1 - SHARES[-1]))].sum() / probs[here].sum())


@in_course_style
def two_fits(
    nodes,
    probs,
    fits: Sequence[Fit],
    errors: Mapping[str, tuple[object, str, str]],
    expected: Mapping[str, float],
    others: Mapping[str, object] = MappingProxyType({}),
    half_side: float = 0.22,
) -> Figure:
    """A posterior in the plane (G,) with fitted Gaussians, and the errors in nats of repeated estimates with each of them.

    All fits but the first are enlarged in a panel of their own, a square of the given half side around their mean. The title says which
    share of the posterior in this square lies inside the larger ellipse.

    `errors` maps a row's name to its errors (runs,), a colour, and a remark that is written beside them. `expected` maps a row's name to
    the error that the share of its mode leads us to expect, drawn as a dashed line. `others` maps a label to the place of a mode without
    an enlarged panel.
    """
    runs = len(next(iter(errors.values()))[0])
    zooms = [f"Mode with {fit.label}: the ellipse holds {held(fit, nodes, probs, half_side):.0%} of it" for fit in fits[1:]]
    medians = ", ".join(f"{np.median(np.asarray(values)):.2f}" for values, *_ in list(errors.values())[1:]).replace("-", "−")
    titles = ["Moments: both modes; ELBO: one mode", *zooms, f"On one mode: median error {medians} nats"]
    fig, axes = _subplots(1, len(titles), (4.2 * len(titles), 3.9))
    ax, *near, dots = axes.flat
    for some, title in zip(axes.flat, titles):
        some.set_title(title, loc="left", fontsize=10, fontweight="bold", y=1.0)
    dots.set_xlabel(f"error of {runs} estimates each, nats")
    regions(ax, nodes, probs)
    for fit in fits:
        outline(ax, fit)
    for label, place in others.items():
        ax.annotate(label, np.asarray(place), xytext=(10, 10), textcoords="offset points", color=AMBER, fontsize=9)
    for zoom, fit in zip(near, fits[1:]):
        regions(zoom, nodes, probs)
        outline(zoom, fit._replace(label=""))
        x, y = (float(m) for m in np.asarray(fit.mean))
        zoom.set(xlim=(x - half_side, x + half_side), ylim=(y - half_side, y + half_side))
    near[0].fill([np.nan], [np.nan], color=COLORS["posterior"], label=REGIONS)
    near[0].plot([], [], color=COLORS.get(fits[1].color, fits[1].color), label="q (50 % and 95 % ellipses)")
    near[0].legend(frameon=False, fontsize=9, loc="upper left")
    dots.axvline(0, color=COLORS["exact"], lw=1.2)
    for row, (name, (values, color, remark)) in enumerate(errors.items()):
        values, color = np.asarray(values), COLORS.get(color, color)
        height = row + 0.3 * (np.arange(len(values)) / max(len(values) - 1, 1) - 0.5)
        dots.plot(values, height, "o", ms=4, color=color, alpha=0.7)
        dots.text(0.02, row - 0.28, remark, color=color, fontsize=9, transform=dots.get_yaxis_transform())
        if name in expected:
            dots.plot([expected[name]] * 2, [row - 0.22, row + 0.3], color=AMBER, ls="--", lw=1.5)
            dots.text(expected[name] + 0.04, row + 0.34, "log of share", color=AMBER, fontsize=9, va="center")
    dots.set(yticks=range(len(errors)), yticklabels=list(errors), ylim=(len(errors) - 0.5, -0.6))
    dots.margins(x=0.12)
    left, right = dots.get_xlim()
    dots.set_xlim(left - 0.3 * (right - left))  # room for the remarks
    dots.grid(axis="y", visible=False)
    return fig


@in_course_style
def prices(full, diagonal, others: Mapping[int, Sequence[float]], lowest: float = 1e-2, small: float = 0.25) -> Figure:
    """The smallest gaps in nats found for many digits (N,), with a full and with a diagonal covariance, sorted by the latter; log axis.

    The digits in `others` have a label, and the one that gains most from a full covariance. The title counts diagonal gaps below `small`.

    `others` maps a digit to the gaps where climbs from its other modes ended: triangles. Gaps below `lowest` are drawn at it.
    """
    full, diagonal = np.asarray(full), np.asarray(diagonal)
    order = np.argsort(-diagonal, kind="stable")
    title = f"Diagonal gap below {small:g} nats on {(diagonal < small).sum()} of {len(order)} digits"
    if elsewhere := [gap for gaps in others.values() for gap in gaps]:
        title += f"; from other modes {min(elsewhere):.1f} to {max(elsewhere):.1f} nats"
    fig, ax = figure(
        title,
        f"{len(order)} digits, sorted by their diagonal gap; named: those with several modes and the one that gains most",
        "gap log p(x) − ELBO, nats (log scale)",
        size=(9.6, 4.0),
    )
    places = np.arange(len(order))
    low, high = np.maximum(full[order], lowest), np.maximum(diagonal[order], lowest)
    ax.vlines(places, low, high, color="#C8C8C8", lw=1.2, zorder=1)
    above = [(place, gap) for place, digit in zip(places, order) for gap in others.get(int(digit), ())]
    ax.plot(*np.reshape(above, (-1, 2)).T, "^", color=COLORS["naive"], mfc="none", ms=7)
    ax.plot(places, high, "o", color=COLORS["elbo"], ms=6)
    ax.plot(places, low, "s", color=FULL, ms=4.5)
    ax.set(xticks=places, xlim=(-0.6, len(order) - 0.4), yscale="log", ylim=(0.8 * lowest, 12))
    ticks = [lowest, *(tick for tick in (0.01, 0.1, 1, 10) if tick > lowest)]
    ax.set_yticks(ticks, [f"{'≤ ' * bool(i == 0 and (full < lowest).any())}{tick:g}" for i, tick in enumerate(ticks)])
    named = {*others, int((diagonal - full).argmax())}
    ax.set_xticklabels([f"#{i}" if i in named else "" for i in order], rotation=90)
    ax.grid(axis="x", visible=False)
    middle = len(order) // 2
    ax.annotate("diagonal covariance", (middle, high[middle]), xytext=(0, 16), textcoords="offset points", color=COLORS["elbo"])
    ax.text(0.01, 0.05, "full covariance", color=FULL, transform=ax.transAxes)
    if above:
        ax.annotate("diagonal, climbs from other modes", max(above), xytext=(10, -4), textcoords="offset points", color=COLORS["naive"])
    return fig


@in_course_style
def tilt(title: str, nodes, probs, fits: Mapping[str, Fit]) -> Figure:
    """A posterior in the plane (G,) with fitted Gaussians, named in a legend: the regions that hold 50 % and 95 % of each."""
    fig, ax = figure(title, size=(6.7, 3.6))
    regions(ax, nodes, probs)
    ax.set_anchor("W")
    for name, fit in fits.items():
        outline(ax, fit)
        ax.plot([], [], color=COLORS.get(fit.color, fit.color), label=name)
    ax.fill([np.nan], [np.nan], color=COLORS["posterior"], label=REGIONS)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.03, 0.5))
    return fig


@in_course_style
def aggregates(n, divergences: Mapping[str, object], latents: Mapping[str, object], colors: Sequence[str]) -> Figure:
    """KL(aggregate || prior) in nats against the number of images n (N,), and the posterior means of two sets of images, side by side.

    `divergences` maps a label to its divergences (N,), `latents` a label to means (M, 2), of which the first two sets are drawn. There is
    a colour for each label; the name of the second set stands for all further ones. A circle holds 95 % of the standard normal prior; the
    titles say which share of the means lies outside.
    """
    apart = [np.asarray(values)[-1] for values in divergences.values()]
    pairs = [(label, np.asarray(means)) for label, means in latents.items()][:2]
    radius, reach = (-2 * np.log(0.05)) ** 0.5, 1.1 * max(np.abs(means).max() for _, means in pairs)
    outside = [f"{(np.hypot(*means.T) > radius).mean():.0%} of {label} outside" for label, means in pairs]
    titles = [f"N = {n[-1]}: digits {apart[0] - max(apart[1:]):.1f} nats higher", *outside]
    fig, (ax, *planes) = figure(
        titles, ["number of images N (log scale)", "$z_1$", "$z_1$"], ["KL(q̄ ‖ p), nats", "$z_2$", ""], size=(10.4, 3.6)
    )
    (first, second), others = list(divergences)[:2], len(divergences) - 1
    for (label, values), color, mark in zip(divergences.items(), colors, "os^"):
        said, nudge = {first: (first, (6, 14)), second: (f"{others} sets of {second}", (-4, -78))}.get(label, ("", (0, 0)))
        line(ax, n, values, said, color, end=0, nudge=nudge, marker=mark, ms=5)
    ax.set(xscale="log", ylim=(0, 1.3 * max(np.max(values) for values in divergences.values())))
    ax.set_xticks(n, [f"{m:,}" for m in n])
    ax.minorticks_off()
    angle = np.linspace(0, 2 * np.pi, 201)
    for plane, (_, means), color, mark in zip(planes, pairs, colors, "os"):
        plane.plot(*means.T, mark, color=COLORS.get(color, color), ms=3, alpha=0.7, mew=0)
        plane.plot(radius * np.cos(angle), radius * np.sin(angle), color=COLORS["naive"], lw=1.5)
        plane.set(aspect="equal", anchor="N", xlim=(-reach, reach), ylim=(-reach, reach))
        plane.text(0.5, 0.02, "circle: 95 % of the prior", color=COLORS["naive"], fontsize=9, ha="center", transform=plane.transAxes)
    return fig


def regions(ax: Axes, nodes, probs, shares: Sequence[float] = SHARES) -> None:
    """Shade the smallest regions that hold the given shares of a posterior, from its probabilities (G,) on a rectangular grid (G, 2)."""
    nodes, probs = np.asarray(nodes), np.asarray(probs, dtype=float)
    x, y = np.unique(nodes[:, 0]), np.unique(nodes[:, 1])
    picture = probs.reshape(len(x), len(y)).T
    borders = [*sorted(levels(probs, shares)), probs.max() * 1.001]
    ax.contourf(x, y, picture, levels=borders, colors=["#FAD9A0", "#E69F00"])
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    ax.grid(False)


def outline(ax: Axes, fit: Fit, shares: Sequence[float] = SHARES) -> None:
    """Draw the ellipses that hold the given shares of a Gaussian; the label stands at its rightmost point."""
    color = COLORS.get(fit.color, fit.color)
    root = np.linalg.cholesky(np.asarray(fit.covariance, dtype=float))
    angle = np.linspace(0, 2 * np.pi, 201)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    for share, width in zip(shares, (1.0, 1.9)):
        radius = (-2 * np.log(1 - share)) ** 0.5
        x, y = np.asarray(fit.mean, dtype=float)[:, None] + radius * root @ circle
        ax.plot(x, y, color=color, lw=width)
    if fit.label:
        right = int(x.argmax())
        ax.annotate(fit.label, (x[right], y[right]), xytext=fit.nudge, textcoords="offset points", color=color, fontsize=9, va="center")
