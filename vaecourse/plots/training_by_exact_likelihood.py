"""The figures of notebook 04b: a gradient, a training, a posterior between the nodes of a lattice, and the bias with its effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line, plane


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
def training(exact: Sequence[float], count: Sequence[float], shipped: tuple[float, float]) -> Figure:
    """After each epoch, from the first: held-out log p(x), and how many of 1,000 samples count; dashed, those of the shipped decoder."""
    titles = ["log p(x) is still rising", "Fewer and fewer samples count"]
    labels = ["exact log p(x), nats per digit", "samples that count, of 1,000"]
    fig, axes = figure(titles, "epoch", labels, size=(8.4, 3.2))
    epochs = range(1, len(exact) + 1)
    for ax, values, end, va in zip(axes, (exact, count), shipped, ("top", "bottom")):
        line(ax, epochs, values, "", "exact", marker="o")
        ax.axhline(end, color=COLORS["prior"], ls="--", lw=1.2)
        side = -5 if va == "top" else 5
        ax.annotate("the shipped decoder", (1, end), xytext=(0, side), textcoords="offset points", va=va, color="#555555", fontsize=9)
        ax.set(xticks=epochs)
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100, 200, 500) if t <= 1.3 * max(count)]
    axes[1].set(yscale="log", ylim=(1, 1.3 * max(count)))
    axes[1].set_yticks(ticks, [str(t) for t in ticks])
    axes[1].set_yticks([], minor=True)
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
def bias_of_the_log(measured: Mapping[str, tuple], formula: tuple, marks: Mapping[str, tuple[float, float]]) -> Figure:
    """The bias in nats against h / s: for each decoder its (ratios, biases), the formula as a dashed line, and some points with names."""
    fig, ax = figure(
        "Two decoders, one curve: what counts is h / s",
        "$h\\,/\\,s$, spacing in standard deviations of the posterior",
        "$\\log\\,p(x)$ minus average $\\log\\,p_{h,u}(x)$, nats",
        size=(7.0, 4.0),
    )
    ax.plot(*formula, ls="--", color=COLORS["prior"], label="formula (4b.7)")
    for (name, (ratios, biases)), filled in zip(measured.items(), ("full", "none")):
        ax.plot(ratios, biases, "o", ms=7, mew=1.6, fillstyle=filled, color=COLORS["exact"], label=name)
    for text, at in marks.items():
        ax.annotate(text, at, xytext=(-8, 3), textcoords="offset points", ha="right", va="bottom", fontsize=9)
    ax.set(xscale="log", yscale="log", xlim=(1.7, 26))
    ax.set_xticks([2, 3, 5, 10, 20], ["2", "3", "5", "10", "20"])
    ax.set_xticks([], minor=True)
    ax.set_yticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    ax.legend(frameon=False, fontsize=9)
    return fig


@in_course_style
def coarse_training(changes: Mapping[str, tuple[Sequence[float], str]], widths: Mapping[str, Sequence[float]], start: float) -> Figure:
    """How far the nats of each row changed, {row: (a value a seed, colour)}, and the widths afterwards, {row: a value a seed}."""
    titles = ["Spacing 1: the objective rises, log p(x) falls", "Spacing 1: posteriors widen"]
    fig, axes = figure(titles, ["change, nats per held-out digit", "median width of the posteriors"], size=(10.0, 2.7))
    rows = [list(changes.items()), [(name, (values, "exact")) for name, values in widths.items()]]
    for ax, some, line_at in zip(axes, rows, (0.0, start)):
        ax.axvline(line_at, color=COLORS["prior"], ls="--", lw=1.2)
        for i, (_, (values, color)) in enumerate(some):
            ax.plot(values, [i] * len(values), "o", ms=7, alpha=0.7, color=COLORS[color])
        ax.set(yticks=range(len(some)), yticklabels=[name for name, _ in some], ylim=(len(some) - 0.5, -0.5))
    axes[1].annotate("before", (start, 0.5), xytext=(5, 0), textcoords="offset points", va="center", color="#555555", fontsize=9)
    return fig
