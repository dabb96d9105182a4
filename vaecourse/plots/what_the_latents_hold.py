"""The figures of notebook 09b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line

GREEN, PINK, GREY, AMBER = COLORS["elbo"], COLORS["iwae"], "#555555", "#A36A00"  # amber: the posterior's orange, dark enough for text


@in_course_style
def how_many(sizes: Sequence[int], bound, active, carrying, nats) -> Figure:
    """The bound (sizes, seeds), the latents in use by two counts (sizes, seeds each), and the nats of each latent of the largest model.

    Each dot is a training, each line joins the means over seeds.
    """
    bound, active, carrying, nats = (np.asarray(a, dtype=float) for a in (bound, active, carrying, nats))
    last = sizes[-1]
    titles = [f"From {sizes[-2]} to {last} little changes", "Two counts can disagree", f"K = {last}: most carry little"]
    below = ["latents K (log scale)", "latents K (log scale)", "latents of one model, sorted"]
    fig, axes = figure(titles, below, ["nats per held-out digit", "latents in use", "KL to the prior, nats"], size=(10.4, 3.6))
    line(axes[1], sizes, sizes, "", "prior", ls="--")
    for ax, values, color in ((axes[0], bound, PINK), (axes[1], active, AMBER), (axes[1], carrying, GREEN)):
        for k, of_seeds in zip(sizes, values):
            ax.plot([k] * len(of_seeds), of_seeds, "o", ms=5, color=color, alpha=0.8)
        line(ax, sizes, values.mean(1), "", color, lw=1.2)
    ends = ((active[-1].mean(), "active units", AMBER, (-9, 0)), (carrying[-1].mean(), "more than 0.1 nats", GREEN, (4, -54)))
    for height, name, color, place in ends:
        at = {"xytext": place, "textcoords": "offset points", "ha": "right", "va": "center"}
        axes[1].annotate(name, (last, height), color=color, fontsize=9, **at)
    axes[1].text(sizes[0], 0.72 * last, "dashed:\nall K", color=GREY, fontsize=9)
    axes[2].bar(range(1, len(nats) + 1), np.sort(nats)[::-1], color=GREEN)
    for ax in axes[:2]:
        ax.set(xscale="log", xticks=sizes, xticklabels=sizes)
        ax.minorticks_off()
    return fig


@in_course_style
def clouds(codes, draws, share: float) -> Figure:
    """Codes of images and as many samples of the prior in the same plane; `share` of both was told apart by a classifier."""
    titles = [f"Codes of {len(codes):,} held-out digits", f"{len(draws):,} samples of the prior"]
    fig, axes = figure(titles, "$z_1$", ["$z_2$", ""], size=(8.6, 4.1))
    for ax, points, color in zip(axes, (codes, draws), ("posterior", "prior")):
        points = np.asarray(points)
        ax.plot(points[:, 0], points[:, 1], "o", ms=2.2, color=COLORS[color], alpha=0.7)
        ax.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
    axes[1].text(-3.8, 3.9, f"a classifier tells\n{share:.0%} apart", fontsize=9, va="top")
    return fig


@in_course_style
def ceiling(counts: Sequence[int], information: Mapping[int, Sequence[float]], divergence: Mapping[int, Sequence[float]]) -> Figure:
    """The two parts of the average KL against the number of images N, a panel for each K, below the ceiling log N."""
    reached = {k: np.log(counts[-1]) - told[-1] < 0.1 for k, told in information.items()}
    titles = [f"K = {k}: the information {'has reached' if full else 'stays below'} log N" for k, full in reached.items()]
    fig, axes = figure(titles, "images N in the aggregate (log scale)", ["nats", ""], size=(9.4, 3.6))
    top = 1.08 * max(np.log(counts[-1]), *(max(values) for values in divergence.values()))
    for ax, k in zip(axes, information):
        ends = {"log N": (np.log(counts[-1]), GREY), "information $I$": (information[k][-1], GREEN)}
        if reached[k]:
            ends = {"log N and\ninformation $I$": (information[k][-1], GREEN)}
        ends[r"KL($\bar q$ ‖ p)"] = divergence[k][-1], AMBER
        line(ax, counts, information[k], "", "elbo", marker="o")
        line(ax, counts, np.log(counts), "", "exact", ls="--", lw=1)
        line(ax, counts, divergence[k], "", "posterior", marker="o")
        for name, (height, color) in ends.items():
            ax.text(counts[-1] * 1.15, height, name, color=color, fontsize=9, va="center")
        ax.set(xscale="log", xlim=(counts[0] / 1.2, counts[-1] * 3.4), ylim=(0, top), xticks=counts, xticklabels=[f"{n:,}" for n in counts])
        ax.minorticks_off()
    return fig


@in_course_style
def plane(runs: Mapping[str, object], baseline: float, title: str) -> Figure:
    """Rate and distortion of trained models, {name: (seeds, 2)}, in nats per image, with lines of equal ELBO.

    `baseline` is the distortion of independent pixels, which need no rate.
    """
    runs = {name: np.atleast_2d(np.asarray(points, dtype=float)) for name, points in runs.items()}
    every = np.concatenate(list(runs.values()))
    right, highest = 1.15 * every[:, 0].max(), max(baseline, every[:, 1].max())
    low, high = 10 * np.floor(0.097 * every[:, 1].min()), 10 * np.ceil(0.103 * highest)
    fig, ax = figure(title, "rate R, nats per digit", "distortion D, nats per digit", size=(8.6, 4.4))
    _equal_elbo(ax, right, low, high)
    ax.plot(0, baseline, "s", ms=11, mfc="none", mec="black", mew=1.5)
    place = {"textcoords": "offset points", "fontsize": 9, "backgroundcolor": "white"}
    ax.annotate("independent pixels", (0, baseline), xytext=(12, 8), **place)
    for (name, points), color in zip(runs.items(), ("importance", "elbo", "naive", "iwae")):
        ax.plot(points[:, 0], points[:, 1], "o", ms=7, color=COLORS[color], alpha=0.85)
        empty = points[:, 0].max() < 0.02 * right
        ax.annotate(name, points.mean(0), xytext=(12, -12 if empty else 10), color=COLORS[color], **place)
    ax.set(xlim=(-0.03 * right, right), ylim=(low, high))
    return fig


def _equal_elbo(ax: Axes, right: float, low: float, high: float) -> None:
    """Diagonal lines on which D + R, minus the ELBO, is a multiple of 20 nats, labelled at the bottom or, if they are too flat, within."""
    bottom = low + 0.035 * (high - low)
    place = {"color": GREY, "fontsize": 8, "va": "center", "backgroundcolor": "white"}
    for level in np.arange(20 * np.ceil(low / 20), high + right, 20):
        ax.plot([0, right], [level, level - right], color="#BBBBBB", lw=0.8, zorder=0)
        rate = level - bottom if level - bottom < 0.97 * right else 0.3 * right
        if rate > 0.15 * right and level - rate < high:
            ax.text(rate, level - rate, f"−{level:.0f}", ha="center", **place)
    ax.text(0.01 * right, bottom, "equal ELBO:", **place)


@in_course_style
def probes(accuracy: Mapping[str, tuple[float, float]], labels: int) -> Figure:
    """Accuracy and standard error of a linear classifier on each representation, a row each; the bars are two standard errors."""
    fig, ax = figure(f"Logistic regression with {labels:,} labels", "accuracy on held-out digits, percent", size=(7.6, 2.9))
    for row, (name, (value, error)) in enumerate(accuracy.items()):
        color = GREEN if name.startswith("code") else GREY
        ax.errorbar(100 * value, row, xerr=200 * error, fmt="o", ms=7, color=color, capsize=3)
        ax.annotate(f"{value:.0%}", (100 * value, row), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=9, color=color)
    ax.set(yticks=range(len(accuracy)), yticklabels=list(accuracy), ylim=(len(accuracy) - 0.5, -0.8), xlim=(25, 100))
    ax.grid(axis="y", visible=False)
    return fig


@in_course_style
def shared(information: Mapping[str, object], names: Sequence[str]) -> Figure:
    """The information in nats (factors, latents) that each latent has about each factor, a panel for each code on one scale."""
    tables = {title: np.asarray(values) for title, values in information.items()}
    top = max(values.max() for values in tables.values())
    fig, axes = figure(list(tables), "latent", size=(10.4, 4.1))
    fig.suptitle("Factors share information with several latents, in both codes", x=0.01, ha="left", fontsize=11, fontweight="bold")
    for i, (ax, values) in enumerate(zip(axes, tables.values())):
        drawn = ax.imshow(values, cmap="Greys", vmin=0, vmax=top, aspect="auto")
        for factor, latent in enumerate(values.argmax(1)):
            ax.plot(latent, factor, "o", ms=4, color=COLORS["naive"])
        ax.set(yticks=range(len(names)), yticklabels=list(names) if i == 0 else [])
        ax.set(xticks=range(0, values.shape[1], 2), xticklabels=range(1, values.shape[1] + 1, 2))
        ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=10, fontweight="normal")
        ax.grid(False)
    fig.colorbar(drawn, ax=axes, label="nats (dot: the most of a row)")
    return fig
