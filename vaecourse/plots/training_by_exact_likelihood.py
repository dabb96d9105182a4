"""The figures of notebook 04b: a gradient, a training, the plane of latents, the bias of a coarse lattice with its effect, and the cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from vaecourse.plots import COLORS, classes, figure, in_course_style, line, plane


@in_course_style
def gradients(x, averages, names: Sequence[str]) -> Figure:
    """An image (D,) and for each model the average image of its posterior, (models, D), with the difference: the gradient of a bias."""
    x, averages = np.asarray(x), np.asarray(averages)
    side = int(round(x.size**0.5))
    titles = ["the digit x", *(title for name in names for title in (f"{name}: average", f"{name}: x − average"))]
    fig, axes = figure(titles, size=(2.3 * len(titles) + 0.6, 2.6))
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(True)
    axes[0].imshow(x.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    for average, left, right in zip(averages, axes[1::2], axes[2::2]):
        left.imshow(average.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
        last = right.imshow((x - average).reshape(side, side), cmap="RdBu", vmin=-1, vmax=1)
    fig.colorbar(last, ax=axes[-1], label="blue: more ink, red: less", ticks=[-1, 0, 1])
    return fig


@in_course_style
def training(exact: Sequence[float], counts, shipped: tuple[float, float]) -> Figure:
    """Held-out log p(x) after each epoch, from the first, and how many of 1,000 samples count, from epoch 0.

    Args:
        exact: nats after each epoch, (E,).
        counts: before the training and after each epoch, several counts of new samples, (E + 1, repetitions). The line is their median,
            the band reaches from the smallest to the largest.
        shipped: both values of the shipped decoder, dashed.
    """
    counts = np.asarray(counts)
    titles = ["log p(x) is still rising", f"From {np.median(counts[0]):.0f} to {np.median(counts[-1]):.0f} of 1,000 samples"]
    labels = ["exact log p(x), nats per digit", "samples that count, of 1,000"]
    fig, axes = figure(titles, "epoch", labels, size=(8.4, 3.2))
    line(axes[0], range(1, len(exact) + 1), exact, "", "exact", marker="o")
    line(axes[1], range(len(counts)), np.median(counts, 1), "", "exact", marker="o")
    axes[1].fill_between(range(len(counts)), counts.min(1), counts.max(1), color=COLORS["exact"], alpha=0.2, lw=0)
    for ax, first, end, side in zip(axes, (1, 0), shipped, (-5, 5)):
        ax.axhline(end, color=COLORS["prior"], ls="--", lw=1.2)
        va = "top" if side < 0 else "bottom"
        ax.annotate("the shipped decoder", (first, end), xytext=(0, side), textcoords="offset points", va=va, color="#555555", fontsize=9)
        ax.set(xticks=range(first, len(counts)))
    axes[1].set(yscale="log", ylim=(1, 1000))
    axes[1].set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    axes[1].set_yticks([], minor=True)
    return fig


@in_course_style
def where_digits_lie(grid, ink, most: float, means, labels, title: str) -> Figure:
    """Posterior means (N, 2), each as its digit; on a square grid (G, 2), shaded where the decoder's ink (G,) exceeds `most`."""
    grid, ink = np.asarray(grid), np.asarray(ink)
    n = int(round(len(grid) ** 0.5))
    axis, angle = grid[:n, 1], np.linspace(0, 2 * np.pi, 200)
    fig, ax = figure(title, size=(6.6, 5.0))
    ax.contourf(axis, axis, ink.reshape(n, n).T, levels=[most, max(most, ink.max()) + 1], colors="#F4A582")
    classes(ax, means, labels)
    ax.plot(3 * np.cos(angle), 3 * np.sin(angle), ls="--", lw=1.2, color=COLORS["exact"])
    handles = [
        Line2D([], [], ls="--", lw=1.2, color=COLORS["exact"], label="|z| = 3"),
        Patch(color="#F4A582", label="more ink than\nany test digit"),
    ]
    ax.legend(handles=handles, frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.01, 1))
    ax.set(xlim=(axis[0], axis[-1]), ylim=(axis[0], axis[-1]))
    ax.grid(False)
    return fig


@in_course_style
def between_nodes(grid, probs, lattices: Iterable, titles: Sequence[str]) -> Figure:
    """A posterior on a grid (G, 2), (G,), once for each lattice, with those of its nodes (N, 2) that lie in the picture.

    The lines are where a normal density is one and two standard deviations from its mean.
    """
    grid, probs = np.asarray(grid), np.asarray(probs)
    n = int(round(len(grid) ** 0.5))
    axis, levels = grid[:n, 1], probs.max() * np.exp([-2.0, -0.5])
    fig, axes = figure(titles, size=(3.5 * len(titles), 3.65))
    for ax, nodes in zip(axes, map(np.asarray, lattices)):
        plane(ax, grid, probs)
        ax.contour(grid[::n, 0], axis, probs.reshape(n, n).T, levels=levels, colors=COLORS["exact"], linewidths=0.8)
        inside = nodes[(nodes >= grid.min(0)).all(1) & (nodes <= grid.max(0)).all(1)]
        ax.plot(inside[:, 0], inside[:, 1], "o", ms=5, color=COLORS["exact"])
    for ax in axes[1:]:
        ax.set_ylabel("")
    return fig


@in_course_style
def bias_of_the_log(measured: Mapping[str, tuple], formula: tuple, marks: Sequence[tuple]) -> Figure:
    """The bias in nats against h / s: for each decoder its (ratios, biases), the formula as a dashed line, and some (text, point, side)."""
    fig, ax = figure(
        "Two decoders, nearly one curve: what counts is h / s",
        "$h\\,/\\,s$, spacing in standard deviations of the posterior",
        "$\\log\\,p(x)$ minus average $\\log\\,p_{h,u}(x)$, nats",
        size=(7.0, 4.0),
    )
    ax.plot(*formula, ls="--", color=COLORS["prior"], label="formula (4b.7)")
    for (name, (ratios, biases)), filled in zip(measured.items(), ("full", "none")):
        ax.plot(ratios, biases, "o", ms=7, mew=1.6, fillstyle=filled, color=COLORS["exact"], label=name)
    for text, at, side in marks:
        left = side == "left"
        ax.annotate(
            text,
            at,
            xytext=(-8, 3) if left else (8, -3),
            textcoords="offset points",
            ha="right" if left else "left",
            va="bottom" if left else "top",
            fontsize=9,
        )
    ax.set(xscale="log", yscale="log", xlim=(1.7, 26))
    ax.set_xticks([2, 3, 5, 10, 20], ["2", "3", "5", "10", "20"])
    ax.set_xticks([], minor=True)
    ax.set_yticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    ax.legend(frameon=False, fontsize=9)
    return fig


@in_course_style
def coarse_training(
    changes: Mapping[str, tuple[Sequence[float], float]], wider: Mapping[str, Sequence[float]], titles: Sequence[str]
) -> Figure:
    """The change of each row, {row: (nats for each seed, standard error)}, and the widening of the posteriors, {row: shares}.

    The circles of an objective are hollow, the others are filled.
    """
    fig, axes = figure(titles, ["change, nats per held-out digit", "median widening of the posteriors"], size=(10.6, 2.9))
    rows = [changes, {name: (values, 0.0) for name, values in wider.items()}]
    for ax, some in zip(axes, rows):
        ax.axvline(0, color=COLORS["prior"], ls="--", lw=1.2)
        for i, (name, (values, error)) in enumerate(some.items()):
            at = i + 0.16 * (np.arange(len(values)) - (len(values) - 1) / 2)
            fill = "none" if name.endswith("objective") else "full"
            ax.errorbar(values, at, xerr=error or None, fmt="o", ms=6, mew=1.5, fillstyle=fill, elinewidth=1.2, color=COLORS["exact"])
        ax.set(yticks=range(len(some)), yticklabels=list(some), ylim=(len(some) - 0.5, -0.5))
    axes[1].xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return fig


@in_course_style
def cost(latents: Sequence[int], seconds: Mapping[str, Sequence[float]]) -> Figure:
    """The time of one step in seconds for each number of latents, on a logarithmic axis, with a line for each spacing."""
    fig, ax = figure("Every latent multiplies the time of a step", "latents $K$", "one training step, seconds", size=(7.4, 3.4))
    for name, values in seconds.items():
        line(ax, latents, values, name, "exact", marker="o", ls="-" if name == next(iter(seconds)) else "--")
    for name, value in {"a second": 1.0, "a day": 86400.0, "a year": 3.15e7, "a billion years": 3.15e16}.items():
        ax.axhline(value, color=COLORS["prior"], lw=0.8, ls=":")
        ax.annotate(name, (latents[0], value), xytext=(0, 2), textcoords="offset points", color="#555555", fontsize=9)
    ax.set(yscale="log", xticks=latents)
    ax.grid(False)
    return fig


@in_course_style
def nodes_that_matter(nodes, needed: Mapping[str, object], title: str) -> Figure:
    """The nodes of a lattice (N, 2), grey, and on them those that are needed: {for what: True or False for each node, (N,)}."""
    nodes = np.asarray(nodes)
    fig, ax = figure(title, "$z_1$", "$z_2$", size=(7.2, 5.0))
    ax.plot(*nodes.T, "o", ms=1.3, mew=0, color="#BBBBBB", label="all nodes")
    for (name, which), size, color in zip(needed.items(), (3.2, 4.2), ("importance", "naive")):
        ax.plot(*nodes[np.asarray(which)].T, "o", ms=size, mew=0, color=COLORS[color], label=name)
    ax.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.01, 1))
    ax.set(aspect="equal")
    ax.grid(False)
    return fig
