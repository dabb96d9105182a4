"""The figures of notebook 09c: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line

LOWER, UPPER, GREY = COLORS["importance"], COLORS["naive"], "#555555"

__all__ = ["budget", "enclosed", "two_sides"]


@in_course_style
def two_sides(z, path, forward, backward, log_px: float) -> Figure:
    """The densities of `path`, a batch of T + 1 normals, at z (Z,); and histograms of the log weights of chains in both directions."""
    z, forward, backward = (np.asarray(a) for a in (z, forward, backward))
    fig, (left, right) = figure(
        ["A path of small steps from q to the posterior", "log p(x) lies between the two averages"],
        ["z", "log weight of a chain, nats"],
        ["density", "share of the chains"],
        size=(9.6, 3.5),
    )
    means, spreads = np.asarray(path.mean), np.asarray(path.stddev)
    for t, (mean, spread) in enumerate(zip(means, spreads)):
        density = np.exp(-0.5 * ((z - mean) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
        color = COLORS["posterior"] if t == len(means) - 1 else LOWER if t == 0 else GREY
        line(left, z, density, "", color)
        if t in (0, len(means) - 1):
            words = "f₀ = q" if t == 0 else f"f{chr(0x2080 + t)}, the posterior"
            spot = (z[density.argmax()] - 0.4 * (t == 0), density.max())
            left.annotate(words, spot, xytext=(0, 4), textcoords="offset points", color=color, ha="center", fontsize=9)
    left.set(ylim=(0, 1.15 * 1 / (spreads.min() * np.sqrt(2 * np.pi))))
    low, high = np.quantile(np.concatenate([forward, backward]), [0.005, 0.995])
    bins = np.linspace(low, high, 50)
    for values, color in ((forward, LOWER), (backward, UPPER)):
        right.hist(values, bins, weights=np.full(len(values), 1 / len(values)), color=color, alpha=0.45)
        right.axvline(values.mean(), color=color, lw=1.8)
    right.axvline(log_px, color=COLORS["exact"], lw=1.8, ls="--")
    top = 1.45 * right.get_ylim()[1]
    right.set(xlim=(low, high + 0.35 * (high - low)), ylim=(0, top))
    for x, height, words, color, side in (
        (forward.mean(), 0.93, "forward: mean\ntoo low", LOWER, "right"),
        (log_px, 0.77, "log p(x)", COLORS["exact"], "left"),
        (backward.mean(), 0.93, "reverse: mean\ntoo high", UPPER, "left"),
    ):
        right.annotate(
            words,
            (x, height * top),
            xytext=(-5 if side == "right" else 5, 0),
            textcoords="offset points",
            color=color,
            ha=side,
            va="center",
            fontsize=9,
        )
    return fig


@in_course_style
def enclosed(sides: Mapping[str, tuple[object, object]]) -> Figure:
    """Lower and upper bounds minus the exact value, (B,) each, one panel for each start; images in the order of their gap."""
    titles = [f"{name}: mean gap {np.mean(np.asarray(upper) - np.asarray(lower)):.2f} nats" for name, (lower, upper) in sides.items()]
    fig, axes = figure(
        [t[0].upper() + t[1:] for t in titles],
        "simulated images, by the distance of the two bounds",
        "bound - exact log p(x),\nnats (log scale beyond 0.1)",
        size=(9.6, 3.5),
    )
    reach = max(np.abs(np.asarray(side)).max() for pair in sides.values() for side in pair)
    for ax, (lower, upper) in zip(axes, sides.values()):
        lower, upper = np.asarray(lower), np.asarray(upper)
        order = np.argsort(upper - lower)
        rank = np.arange(len(order))
        ax.axhline(0, color=COLORS["exact"], lw=1)
        ax.plot(rank, upper[order], "^", ms=4, color=UPPER)
        ax.plot(rank, lower[order], "v", ms=4, color=LOWER)
        ax.set_yscale("symlog", linthresh=0.1)
        ax.set(ylim=(-2 * reach, 2 * reach), xticks=[])
    axes[0].text(2, 1.5 * reach, "▲ upper bound", color=UPPER, fontsize=9, va="top")
    axes[0].text(2, -1.5 * reach, "▼ lower bound", color=LOWER, fontsize=9, va="bottom")
    return fig


@in_course_style
def budget(evaluations: Sequence[int], gaps: Sequence[tuple[float, float]], rival: tuple[int, float, float]) -> Figure:
    """Distance below the upper bound (mean, standard error) against the decoder evaluations: of the annealed bound, and of its rival."""
    fig, ax = figure(
        "Annealing closes the gap", "decoder evaluations for each image (log scale)", "nats below the upper bound", size=(6.4, 3.6)
    )
    mean, error = np.asarray(gaps).T
    ax.axhline(0, color=COLORS["exact"], lw=1)
    ax.axhspan(0, 0.5, color=LOWER, alpha=0.12, lw=0)
    ax.errorbar(evaluations, mean, yerr=error, fmt="o-", color=LOWER, capsize=3, lw=1.5)
    ax.errorbar([rival[0]], [rival[1]], yerr=[rival[2]], fmt="s", color=UPPER, capsize=3)
    ax.annotate("annealed lower bound", (evaluations[0], mean[0]), xytext=(8, 4), textcoords="offset points", color=LOWER, fontsize=9)
    ax.annotate(
        "importance\nweighted", (rival[0], rival[1]), xytext=(-8, 0), textcoords="offset points", color=UPPER, fontsize=9, ha="right"
    )
    ax.set(xscale="log", xlim=(evaluations[0] / 1.5, rival[0] * 1.6), ylim=(-0.4, 1.25 * max(mean.max(), rival[1])))
    ticks = [*evaluations, rival[0]]
    ax.set(xticks=ticks, xticklabels=[f"{t:,}" for t in ticks])
    ax.minorticks_off()
    ax.text(rival[0] * 1.5, 0.45, "within half a nat", color=GREY, fontsize=9, ha="right", va="top")
    return fig
