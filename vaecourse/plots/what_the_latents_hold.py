"""The figures of notebook 09b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line

GREEN, PINK, GREY, AMBER = COLORS["elbo"], COLORS["iwae"], "#555555", "#A36A00"  # amber: the posterior's orange, dark enough for text
PINK_INK = "#A0447C"
WHITE = {"fc": "white", "ec": "none", "pad": 1}  # a close white ground for a name that stands on lines


@in_course_style
def how_many(sizes: Sequence[int], bound, active, carrying) -> Figure:
    """The bound (sizes, seeds), and the latents in use by two counts (sizes, seeds each).

    Each dot is a training, each line joins the means over seeds.
    """
    bound, active, carrying = (np.asarray(a, dtype=float) for a in (bound, active, carrying))
    last, means = sizes[-1], bound.mean(1)
    span = "–".join(f"{count:.0f}" for count in np.unique([carrying[-1].min(), carrying[-1].max()]))  # over the seeds
    titles = [
        f"From K = {sizes[0]} to {sizes[1]} the bound gains {means[1] - means[0]:.0f} nats",
        f"Of {last} latents, {span} carry over 0.1 nats",
    ]
    fig, axes = figure(titles, "latents K (log scale)", ["bound, nats per held-out digit", "latents in use"], size=(8.8, 3.8))
    line(axes[1], sizes, sizes, "", "exact", ls="--", lw=1, zorder=5)
    for ax, values, color in ((axes[0], bound, PINK), (axes[1], active, AMBER), (axes[1], carrying, GREEN)):
        for k, of_seeds in zip(sizes, values):
            ax.plot([k] * len(of_seeds), of_seeds, "o", ms=5, color=color, alpha=0.8)
        line(ax, sizes, values.mean(1), "", color, lw=3 if color == AMBER else 1.2)  # seen under the dashed line
    ends = ((active[-1].mean(), "active units", AMBER, (-9, 0)), (carrying[-1].mean(), "more than 0.1 nats", GREEN, (4, -54)))
    for height, name, color, place in ends:
        at = {"xytext": place, "textcoords": "offset points", "ha": "right", "va": "center"}
        axes[1].annotate(name, (last, height), color=color, fontsize=9, **at)
    axes[1].text(0.65 * sizes[-2], 0.9 * sizes[-2], "all K latents\n(dashed)", color=GREY, fontsize=9, ha="right")
    for ax in axes:
        ax.set(xscale="log", xticks=sizes, xticklabels=sizes)
        ax.minorticks_off()
    return fig


@in_course_style
def clouds(codes, draws, share: float) -> Figure:
    """Codes of images and as many samples of the prior in the same plane; a classifier is right about `share` of both."""
    titles = [f"K = {np.shape(codes)[1]}: codes of {len(codes):,} held-out digits", f"{len(draws):,} samples of the prior"]
    fig, axes = figure(titles, "$z_1$", ["$z_2$", ""], size=(8.6, 4.1))
    codes, draws = np.asarray(codes), np.asarray(draws)
    edge = max(4.0, np.ceil(2 * max(abs(codes).max(), abs(draws).max())) / 2)  # no point is cut off
    for ax, points, color in zip(axes, (codes, draws), ("posterior", "prior")):
        ax.plot(points[:, 0], points[:, 1], "o", ms=2.2, color=COLORS[color], alpha=0.7)
        ax.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
        ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=10, fontweight="normal")
    title = f"The codes do not follow the prior: a classifier is right in {share:.1%} of the cases (chance: 50%)"
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return fig


@in_course_style
def ceiling(
    counts: Sequence[int],
    information: Mapping[int, Sequence[float]],
    divergence: Mapping[int, Sequence[float]],
    average: Mapping[int, Sequence[float]],
) -> Figure:
    """The average KL and its two parts against the number of images N, a panel for each K, with the ceiling log N of the information."""
    reached = {k: np.log(counts[-1]) - told[-1] < 0.1 for k, told in information.items()}
    titles = [f"K = {k}: the information {'has reached' if full else 'stays below'} log N" for k, full in reached.items()]
    fig, axes = figure(titles, "images N in the aggregate (log scale)", ["nats", ""], size=(9.4, 3.6))
    top = 1.08 * max(np.log(counts[-1]), *(max(values) for values in average.values()))
    for ax, k in zip(axes, information):
        ends = {"log N": (np.log(counts[-1]), GREY), "information $I$": (information[k][-1], GREEN)}
        if reached[k]:
            ends = {"log N and\ninformation $I$": (information[k][-1], GREEN)}
        ends[r"KL($\bar q$ ‖ p)"] = divergence[k][-1], AMBER
        line(ax, counts, information[k], "", "elbo", marker="o")
        line(ax, counts, np.log(counts), "", "exact", ls="--", lw=1)
        line(ax, counts, divergence[k], "", "posterior", marker="o")
        line(ax, counts, average[k], "", GREY, ls=":", lw=1.4)
        ax.text(counts[0], average[k][0] + 0.02 * top, "average KL", color=GREY, fontsize=9, va="bottom")
        for name, (height, color) in ends.items():
            ax.text(counts[-1] * 1.15, height, name, color=color, fontsize=9, va="center")
        ax.set(xscale="log", xlim=(counts[0] / 1.2, counts[-1] * 3.4), ylim=(0, top), xticks=counts, xticklabels=[f"{n:,}" for n in counts])
        ax.minorticks_off()
    return fig


@in_course_style
def plane(runs: Mapping[str, object], title: str, baseline: float) -> Figure:
    """Rate and distortion of trained models, {name: (seeds, 2)}, in nats per image, with lines of equal ELBO.

    `baseline` is the distortion of independent pixels, which need no rate. Where a distant run leaves the runs of several seeds
    little room, an inset enlarges them.
    """
    runs = {name: np.atleast_2d(np.asarray(points, dtype=float)) for name, points in runs.items()}
    rates, distortions = np.concatenate(list(runs.values())).T
    step, left, right = 20, -0.03 * rates.max(), 1.15 * rates.max()
    low, high = step * np.floor(distortions.min() / step - 0.4), step * np.ceil(max(distortions.max(), baseline) / step + 0.2)
    across = "rate R, nats per digit (a dot: one training; grey lines: equal ELBO)"
    fig, ax = figure(title, across, "distortion D, nats per digit", size=(8.6, 4.4))
    _equal_elbo(ax, (0, right), (low, high), step)
    place = {"textcoords": "offset points", "fontsize": 9, "bbox": WHITE}
    ax.plot(0, baseline, "s", ms=11, mfc="none", mec="black", mew=1.5)
    ax.annotate("independent pixels", (0, baseline), xytext=(12, 8), **place)
    others = iter((COLORS["importance"], PINK_INK, AMBER, COLORS["naive"]))
    colors = {name: GREEN if name in ("β = 1", "weight 1") else next(others) for name in runs}
    for name, points in runs.items():
        color = colors[name]
        ax.plot(points[:, 0], points[:, 1], "o", ms=7, color=color, alpha=0.85)
        empty = points[:, 0].max() < 0.02 * right
        beside = {"xytext": (10, -12)} if empty else {"xytext": (9, 0), "va": "center"}
        ax.annotate(name, points[points[:, 0].argmax()], color=color, **beside, **place)
    ax.set(xlim=(left, right), ylim=(low, high))
    close = {name: points for name, points in runs.items() if len(points) > 1}
    if close and np.concatenate(list(close.values()))[:, 0].max() < 0.2 * right:
        _enlarge(ax, close, colors)
    return fig


def _enlarge(ax: Axes, runs: Mapping[str, np.ndarray], colors: Mapping[str, str]) -> None:
    """An inset in the middle of the axes that shows these runs alone, with lines of equal ELBO."""
    rates, distortions = np.concatenate(list(runs.values())).T
    across, along = (rates.min() - 2, rates.max() + 3), (distortions.min() - 5, distortions.max() + 5)
    inset = ax.inset_axes((0.29, 0.4, 0.42, 0.55))
    _equal_elbo(inset, across, along, 10)
    for name, points in runs.items():
        inset.plot(points[:, 0], points[:, 1], "o", ms=6, color=colors[name], alpha=0.85)
        at = {"xytext": (9, 0), "textcoords": "offset points", "va": "center", "fontsize": 9, "bbox": WHITE}
        inset.annotate(name, points[points[:, 0].argmax()], color=colors[name], **at)
    inset.set(xlim=across, ylim=along)
    inset.tick_params(labelsize=8)
    inset.grid(visible=False)
    inset.spines[["top", "right"]].set_visible(False)  # room for the levels
    ax.indicate_inset_zoom(inset, edgecolor=GREY)


def _equal_elbo(ax: Axes, across: tuple[float, float], along: tuple[float, float], step: float) -> None:
    """Lines on which D + R, minus the ELBO, is a multiple of `step` nats, labelled where they leave the axes: `across` R and `along` D."""
    (left, right), (low, high) = across, along
    bottom = low + 0.035 * (high - low)
    for level in np.arange(step * np.ceil((left + low) / step), high + right, step):
        ax.plot([left, right], [level - left, level - right], color="#BBBBBB", lw=0.8, zorder=0)
        rate = min(level - bottom, right)
        if rate > left + 0.02 * (right - left) and level - rate < high - 0.03 * (high - low):
            side = "left" if rate == right else "center"  # at the right edge the label stands outside
            ax.text(rate, level - rate, f"−{level:.0f}", ha=side, va="center", color=GREY, fontsize=8, bbox=WHITE)


@in_course_style
def held(names: Sequence[str], together, alone) -> Figure:
    """The share of the variance of each factor (F,) that all latents explain, and that the best single one explains.

    Args:
        names: of the F factors.
        together, alone: the shares, (F,), between 0 and 1.
    """
    together, alone = (100 * np.asarray(a, dtype=float) for a in (together, alone))
    order, rows = np.argsort(together), np.arange(len(names))
    title = f"One latent explains at most {alone.max():.0f}% of a factor, all together up to {together.max():.0f}%"
    fig, ax = figure(title, "percent of the factor's variance, explained linearly", size=(8.6, 4.2))
    ax.barh(rows, together[order], color=GREEN, alpha=0.35, height=0.7)
    ax.plot(alone[order], rows, "D", ms=6, color=AMBER)
    top = order[-1]  # the names stand in the longest bar
    beside = {"textcoords": "offset points", "va": "center", "fontsize": 10}
    ax.annotate("the best single latent", (alone[top], rows[-1]), xytext=(9, 0), color="#6B4500", **beside)
    ax.annotate("all latents", (together[top], rows[-1]), xytext=(-6, 0), color="#0B4F3E", ha="right", **beside)
    ax.set(yticks=rows, yticklabels=[names[i] for i in order], xlim=(0, 100))
    ax.grid(axis="y", visible=False)
    return fig
