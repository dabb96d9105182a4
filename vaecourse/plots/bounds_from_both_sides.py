"""The figures of notebook 09c: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, ellipse, figure, in_course_style, line, plane

LOWER, UPPER, GREY = COLORS["importance"], COLORS["naive"], "#555555"
POSTERIOR = "#9A6700"  # for words: the color of the posterior's curve is too light for thin letters

__all__ = ["budget", "densities", "enclosed", "false_sandwich", "two_sides"]


@in_course_style
def densities(z, path) -> Figure:
    """The densities of `path`, a batch of T + 1 normals, at z (Z,)."""
    z, means, spreads = np.asarray(z), np.asarray(path.mean), np.asarray(path.stddev)
    fig, ax = figure(f"{len(means) - 1} steps lead from q to the posterior", "z", "normalised density", size=(6.4, 3.2))
    peak = 1 / (spreads.min() * np.sqrt(2 * np.pi))
    for t, (mean, spread) in enumerate(zip(means, spreads)):
        density = np.exp(-0.5 * ((z - mean) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
        color = COLORS["posterior"] if t == len(means) - 1 else LOWER if t == 0 else GREY
        line(ax, z, density, "", color)
        words = "f₀ = q" if t == 0 else f"f{chr(0x2080 + t)}" + ", the posterior" * (t == len(means) - 1)
        spot = (z[density.argmax()] - 0.4 * (t < len(means) - 1), density.max())  # left of the peak, above the flank
        tint = POSTERIOR if t == len(means) - 1 else color
        ax.annotate(words, spot, xytext=(0, 3), textcoords="offset points", color=tint, ha="center", fontsize=11)
    ax.set(ylim=(0, 1.14 * peak))
    return fig


@in_course_style
def two_sides(forward, backward, log_px: float, path) -> Figure:
    """Left: from which of the densities of `path`, a batch of T + 1 normals, the chains of each direction take their latents (where
    on a density a point lies is made up). Right: histograms of the log weights of both, their means, and the exact value.
    """
    forward, backward = np.asarray(forward), np.asarray(backward)
    fig, (left, ax) = figure(
        [
            "Reverse chains draw each z one density later",
            f"Forward mean {log_px - forward.mean():.2f} nats low, reverse {backward.mean() - log_px:.2f} high",
        ],
        ["z", "log weight of a chain, nats"],
        ["", "share of the chains"],
        size=(10.4, 3.8),
    )
    _walks(left, np.asarray(path.mean), np.asarray(path.stddev))
    low, high = np.quantile(np.concatenate([forward, backward]), [0.005, 0.995])
    bins = np.linspace(low, high, 50)
    for values, color in ((forward, LOWER), (backward, UPPER)):
        ax.hist(values, bins, weights=np.full(len(values), 1 / len(values)), color=color, alpha=0.45)
        ax.axvline(values.mean(), color=color, lw=1.8)
    ax.axvline(log_px, color=COLORS["exact"], lw=1.8, ls="--")
    top = 1.45 * ax.get_ylim()[1]
    ax.set(xlim=(low, high + 0.12 * (high - low)), ylim=(0, top))
    for x, words, color, side in (
        (forward.mean(), "forward\nmean", LOWER, "right"),
        (backward.mean(), "reverse\nmean", UPPER, "left"),
    ):
        nudge = (-5 if side == "right" else 5, 0)
        ax.annotate(words, (x, 0.92 * top), xytext=nudge, textcoords="offset points", color=color, ha=side, va="center", fontsize=10)
    ax.text(log_px, 0.77 * top, "log p(x)", ha="center", va="center", fontsize=10, bbox={"fc": "white", "ec": "none", "pad": 1.5})
    return fig


def _walks(ax, means, spreads) -> None:
    """The densities below each other, each scaled to its peak; a forward chain goes down from the first, a reverse one up from the last."""
    last = len(means) - 1
    z = np.linspace(-3, 3, 301)
    for t, (mean, spread) in enumerate(zip(means, spreads)):
        color = COLORS["posterior"] if t == last else LOWER if t == 0 else GREY
        ax.fill_between(z, -t, -t + 0.75 * np.exp(-0.5 * ((z - mean) / spread) ** 2), color=color, alpha=0.2, lw=0)
        ax.axhline(-t, color="#BBBBBB", lw=0.8, zorder=0)
    rows = np.arange(last)
    for where, first, aside, color, name in ((rows, 0, -1, LOWER, "forward"), (rows + 1, last - 1, 1, UPPER, "reverse")):
        spots = means[where] + aside * spreads[where] * np.where(rows % 2, 1.1, 0.6)
        ax.plot(spots, -where, "o", ms=6, color=color)
        for t, (x, y) in enumerate(zip(spots, -where)):
            spot = {"xytext": (11 * aside, 6 * aside), "textcoords": "offset points", "ha": "center", "va": "center"}
            ax.annotate(f"z{chr(0x2080 + t)}", (x, y), color=color, fontsize=10, **spot)
        order = list(zip(spots, -where))[:: 1 if first == 0 else -1]
        for start, end in zip(order, order[1:]):
            ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": color, "shrinkA": 4, "shrinkB": 4, "lw": 1.3})
        ax.text(2.9 * aside, -first - (first > 0) + 0.3, name, color=color, ha="left" if aside < 0 else "right", fontsize=11)
    labels = ["f₀ = q", *(f"f{chr(0x2080 + t)}" for t in range(1, last)), f"f{chr(0x2080 + last)}, posterior"]
    ax.set(yticks=-np.arange(last + 1), yticklabels=labels, ylim=(-last - 0.3, 1), xlim=(-3, 3))
    ax.grid(False, axis="y")


@in_course_style
def enclosed(lower, upper, widening: float) -> Figure:
    """Lower and upper bounds minus the exact value, (B,) each: a point for each image, and how many lie in each quadrant. In the upper
    left one the bounds enclose zero. The title also counts the images whose bounds do so when both are widened by so many nats.
    """
    lower, upper = np.asarray(lower), np.asarray(upper)
    inside, widened = ((lower <= margin) & (upper >= -margin) for margin in (0, widening))
    fig, ax = figure(
        f"{inside.sum()} of {len(lower)} exact values lie inside; {widened.sum()} when widened by {widening:.1f} nats",
        "lower bound - exact log p(x), nats",
        "upper bound - exact, nats",
        size=(7.4, 3.8),
    )
    top = 1.1 * np.quantile(np.abs(np.concatenate([lower, upper])), 0.98)
    ax.axhline(0, color=COLORS["exact"], lw=1)
    ax.axvline(0, color=COLORS["exact"], lw=1)
    ax.fill_between([-top, 0], 0, 1.4 * top, color=GREY, alpha=0.12, lw=0)
    ax.plot(lower[inside], upper[inside], "o", ms=4.5, color=COLORS["exact"], alpha=0.8)
    ax.plot(lower[~inside], upper[~inside], "o", ms=4.5, color=GREY, mfc="none")
    for x, y, words, color, where in (
        (0.02, 0.97, "exact value inside", COLORS["exact"], inside),
        (0.98, 0.97, "both too high", GREY, (lower > 0) & (upper >= 0)),
        (0.02, 0.03, "both too low", GREY, (lower <= 0) & (upper < 0)),
        (0.98, 0.03, "lower too high, upper too low", GREY, (lower > 0) & (upper < 0)),
    ):
        spot = {"ha": "left" if x < 0.5 else "right", "va": "bottom" if y < 0.5 else "top"}
        ax.text(x, y, f"{words}: {where.sum()}", transform=ax.transAxes, color=color, fontsize=10, **spot)
    beyond = int(np.sum((np.abs(lower) > top) | (np.abs(upper) > 1.4 * top)))
    if beyond:
        ax.set_xlabel(f"{ax.get_xlabel()} (beyond the panel: {beyond})")
    ax.set(xlim=(-top, top), ylim=(-1.4 * top, 1.4 * top))
    return fig


@in_course_style
def budget(annealed: Mapping[int, tuple[float, float]], rival: Mapping[int, tuple[float, float]]) -> Figure:
    """Distance below the upper bound of 100 steps (mean, standard error) against the cost: both kinds."""
    cost = max(annealed)
    fig, ax = figure(
        f"At {cost:,} passes: annealed {annealed[cost][0]:.2f} nats below, importance weighted {rival[cost][0]:.2f}",
        "passes through the decoder for the lower bound of an image (log scale)",
        "nats below the upper bound\nof 100 steps, ± 1 standard error",
        size=(7.4, 3.6),
    )
    ax.axhline(0, color=COLORS["exact"], lw=1)
    ax.axhspan(0, 0.5, color=GREY, alpha=0.12, lw=0)
    for points, color, marker, words in (
        (annealed, LOWER, "o", "annealed lower bound"),
        (rival, COLORS["iwae"], "s", "importance weighted"),
    ):
        mean, error = np.asarray(list(points.values())).T
        ax.errorbar(list(points), mean, yerr=error, fmt=f"{marker}-", color=color, capsize=3, lw=1.5)
        ax.annotate(words, (list(points)[-1], mean[-1]), xytext=(8, 4), textcoords="offset points", color=color, fontsize=10)
    costs = sorted({*annealed, *rival})
    highest = max(sum(pair) for pair in (*annealed.values(), *rival.values()))
    ax.set(
        xscale="log",
        xlim=(costs[0] / 1.3, costs[-1] * 2.6),
        ylim=(-0.3, 1.1 * highest),
        xticks=costs,
        xticklabels=[f"{c:,}" for c in costs],
    )
    ax.minorticks_off()
    ax.text(costs[0] / 1.25, 0.25, "within half a nat", color=GREY, fontsize=10, va="center")
    return fig


@in_course_style
def false_sandwich(z, posterior, mean, spread, bounds: Mapping[str, object]) -> Figure:
    """Left: the posterior (G,) of one image on the nodes z (G, 2), and the encoder's ellipse at 3 standard deviations. Right: three
    bounds minus the exact value for several images (B,): the false upper one, the lower from the same start, the lower from elsewhere.
    """
    z, posterior, mean, spread = (np.asarray(a) for a in (z, posterior, mean, spread))
    inside = posterior[(((z - mean) / spread) ** 2).sum(1) < 9].sum() / posterior.sum()
    share = f"{inside:.1%}" if inside >= 0.001 else "under 0.1%"
    fig, (left, right) = figure(
        [
            f"The ellipse holds {share} of the posterior",
            f"False upper bound: up to {-min(*np.asarray(bounds['false upper']), 0):.0f} nats too low",
        ],
        ["", "test digit"],
        ["", "bound - exact log p(x), nats"],
        size=(9.6, 3.9),
    )
    plane(left, z, posterior)
    ellipse(left, mean, spread, "elbo", "encoder, three\nstandard deviations", radius=3.0)
    top = z[posterior.argmax()]
    middle, half = (mean + top) / 2, 0.8 * np.abs(mean - top).max() + 3 * spread.max()
    left.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half))
    left.annotate("posterior of digit 1", top, xytext=(0, -34), textcoords="offset points", color=POSTERIOR, fontsize=10, ha="center")
    right.axhline(0, color=COLORS["exact"], lw=1)
    for (name, values), marker, color, aside in zip(bounds.items(), "^v*", (UPPER, LOWER, COLORS["prior"]), (-0.25, 0, 0.25)):
        right.plot(np.arange(1, len(values) + 1) + aside, np.asarray(values), marker, ms=7, color=color)
        spot = (1 + aside, values[0])  # beside the first digit, above the line of the exact value where the bound is near it
        up = float(values[0]) > -5
        right.annotate(
            name, spot, xytext=(0, 7) if up else (8, 0), textcoords="offset points", color=color, va="bottom" if up else "center"
        )
    right.set(xticks=range(1, len(values) + 1))
    right.margins(y=0.1)
    right.grid(False, axis="x")
    for between in np.arange(1.5, len(values)):
        right.axvline(between, color="#DDDDDD", lw=0.8, zorder=0)
    return fig
