"""The figures of notebook 06b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line

AMBER = "#A36A00"  # the posterior's orange, dark enough for text
SHARES = (0.5, 0.95)  # of the probability that the drawn regions hold


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
def cover_or_choose(z, target, fits: Mapping[str, tuple[object, str]], half_distance, forward, reverse, std: float) -> Figure:
    """A density (Z,) with two modes and Gaussians fitted to it; the widths of both fits (D,) against half the distance of the modes.

    `fits` maps a label to a density (Z,) and a colour. All distances are divided by `std`, the width of one mode.
    """
    titles = ["One covers both modes, one chooses", "The reverse fit covers close modes only"]
    fig, (ax, widths) = figure(
        titles, ["z", "distance of the modes / width of a mode"], ["density", "width of q / width of a mode"], size=(9.8, 3.7)
    )
    z, target = np.asarray(z), np.asarray(target)
    ax.fill_between(z, target, color=COLORS["posterior"], alpha=0.45, lw=0)
    top = int(target.argmax())
    for i, (label, (density, color)) in enumerate(fits.items()):
        density = np.asarray(density)
        line(ax, z, density, "", color)
        color = COLORS.get(color, color)
        at = int(density.argmax())
        ax.annotate(label, (z[at], density[at]), xytext=(14, 2 + 12 * i), textcoords="offset points", color=color, fontsize=9)
    ax.annotate("p(z)", (z[top], 0.45 * target[top]), color=AMBER, fontsize=9, ha="center")
    ax.set(ylim=(0, 1.15 * max(np.asarray(density).max() for density, _ in fits.values())))
    distance = 2 * np.asarray(half_distance) / std
    for values, label, color, nudge in (
        (forward, "smallest KL(p ‖ q)", "importance", (-118, 4)),
        (reverse, "smallest KL(q ‖ p)", "elbo", (-110, 12)),
    ):
        line(widths, distance, np.asarray(values) / std, label, color, marker="o", ms=4, nudge=nudge)
    widths.set(ylim=(0, None), xlim=(0, None))
    return fig


@in_course_style
def two_fits(nodes, probs, fits: Sequence[Fit], errors: Mapping[str, tuple[object, str, str]]) -> Figure:
    """A posterior in the plane (G,) with fitted Gaussians, and the errors in nats of repeated estimates with each of them.

    `errors` maps a row's name to its errors (runs,), a colour, and a remark that is written beside them.
    """
    titles = ["50 % and 95 % regions of posterior and fits", "On one mode: mostly too low"]
    fig, (ax, dots) = figure(titles, ["", f"error of {len(next(iter(errors.values()))[0])} estimates each, nats"], "", size=(10.2, 4.2))
    regions(ax, nodes, probs)
    for fit in fits:
        outline(ax, fit)
    dots.axvline(0, color=COLORS["exact"], lw=1.2)
    for row, (values, color, remark) in enumerate(errors.values()):
        values, color = np.asarray(values), COLORS.get(color, color)
        height = row + 0.3 * (np.arange(len(values)) / max(len(values) - 1, 1) - 0.5)
        dots.plot(values, height, "o", ms=4, color=color, alpha=0.7)
        dots.text(0.02, row - 0.28, remark, color=color, fontsize=9, transform=dots.get_yaxis_transform())
    dots.set(yticks=range(len(errors)), yticklabels=list(errors), ylim=(len(errors) - 0.5, -0.6))
    dots.margins(x=0.12)
    dots.grid(axis="y", visible=False)
    return fig


@in_course_style
def prices(full, diagonal, others: Mapping[int, Sequence[float]]) -> Figure:
    """The smallest gaps in nats found for many digits (N,), with a full and with a diagonal covariance, as bars sorted by the latter.

    `others` maps a digit to the gaps where climbs from its other modes ended: circles, or triangles with the numbers for the largest.
    """
    full, diagonal = np.asarray(full), np.asarray(diagonal)
    order, top = np.argsort(-diagonal, kind="stable"), 1.25 * diagonal.max()
    title = f"Most digits cost little: median gap {np.median(diagonal):.2f}, with full covariance {np.median(full):.3f} nats"
    fig, ax = figure(title, "digit, sorted by its gap", "gap log p(x) − ELBO, nats", size=(9.6, 3.8))
    places = np.arange(len(order))
    ax.bar(places, diagonal[order], color=COLORS["elbo"], width=0.8, label=f"diagonal covariance: mean {diagonal.mean():.3f}")
    ax.bar(places, full[order], color=COLORS["importance"], width=0.4, label=f"full covariance: mean {full.mean():.3f}")
    label = "diagonal, climbs from other modes"
    for place, digit in zip(places, order):
        for gap in others.get(int(digit), ()):
            ax.plot(place, min(gap, top), "^" if gap > top else "o", color=COLORS["naive"], mfc="none", ms=7, label=label, clip_on=False)
            label = None
        above = ", ".join(f"{gap:.1f}" for gap in others.get(int(digit), ()) if gap > top)
        ax.text(place, 1.05 * top, above, color=COLORS["naive"], fontsize=8, rotation=90, ha="center", va="bottom")
    ax.set(xticks=places, xlim=(-0.6, len(order) - 0.4), ylim=(0, 1.3 * top))
    ax.set_xticklabels([f"#{i}" for i in order], rotation=90, fontsize=7.5)
    ax.grid(axis="x", visible=False)
    ax.legend(frameon=False, fontsize=9, loc="center right")
    return fig


@in_course_style
def cases(panels: Sequence[tuple[str, object, object, Sequence[Fit]]], kinds: Mapping[str, str]) -> Figure:
    """Posteriors (title, nodes, probabilities, fits) side by side on one scale: the regions that hold 50 % and 95 %, and those of the fits.

    `kinds` maps the name of a family to the colour of its fits, for the legend.
    """
    fig, axes = figure([title for title, *_ in panels], size=(4.9 * len(panels), 4.7))
    sides = [np.ptp(np.asarray(nodes), axis=0).max() for _, nodes, _, _ in panels]
    for ax, (_, nodes, probs, fits) in zip(axes, panels):
        regions(ax, nodes, probs)
        middle = np.asarray(nodes).mean(0)
        ax.set(xlim=middle[0] + np.array([-0.5, 0.5]) * max(sides), ylim=middle[1] + np.array([-0.5, 0.5]) * max(sides))
        for fit in fits:
            outline(ax, fit)
    for name, color in kinds.items():
        axes[0].plot([], [], color=COLORS.get(color, color), label=name)
    axes[0].fill([np.nan], [np.nan], color=COLORS["posterior"], label="posterior (50 % and 95 % regions)")
    axes[0].legend(frameon=False, fontsize=9, loc="best")
    return fig


@in_course_style
def aggregates(n, sets: Mapping[str, object], colors: Sequence[str]) -> Figure:
    """KL(aggregate || prior) and mutual information I in nats against the number of images n (N,); the ceiling of I is log n.

    `sets` maps a label to its pairs (I, KL), (N, 2); there is a colour for each.
    """
    titles = ["KL(q̄ ‖ p) falls as images are added", "The information stays below log N"]
    fig, axes = figure(titles, "number of images N (log scale)", ["KL(q̄ ‖ p), nats", "I, nats"], size=(9.8, 3.8))
    n = np.asarray(n)
    fine = np.geomspace(n.min(), n.max(), 50)
    line(axes[1], fine, np.log(fine), "log N", "exact", nudge=(-58, 2), lw=1.2, ls="--")
    for column, ax, place in ((1, axes[0], "upper right"), (0, axes[1], "lower right")):
        for (label, pairs), color, mark in zip(sets.items(), colors, "os^"):
            ax.plot(n, np.asarray(pairs)[:, column], color=COLORS.get(color, color), marker=mark, ms=5, label=label)
        ax.set(xscale="log", ylim=(0, None))
        ax.set_xticks(n, [f"{m:,}" for m in n])
        ax.minorticks_off()
        ax.legend(frameon=False, fontsize=9, loc=place)
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
