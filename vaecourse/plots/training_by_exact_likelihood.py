"""The figures of notebook 04b: what a gradient adds to a digit, a posterior between the nodes of a lattice, its bias, and a training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line, plane


@in_course_style
def gradients(x, averages, names: Sequence[str]) -> Figure:
    """An image (D,) and for each model the average image of its posterior, (models, D), with the difference: the gradient of a bias.

    Blue pixels get more ink after a step, red ones less.
    """
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
    fig.colorbar(last, ax=axes[-1], label="gradient", ticks=[-1, 0, 1])
    return fig


@in_course_style
def between_nodes(grid, probs, lattices: Iterable, titles: Sequence[str]) -> Figure:
    """A posterior on a grid (G, 2), (G,), once for each lattice, with those of its nodes (N, 2) that lie in the picture."""
    grid = np.asarray(grid)
    fig, axes = figure(titles, size=(4.4 * len(titles), 4.4))
    for ax, nodes in zip(axes, map(np.asarray, lattices)):
        plane(ax, grid, probs)
        inside = nodes[(nodes >= grid.min(0)).all(1) & (nodes <= grid.max(0)).all(1)]
        ax.plot(inside[:, 0], inside[:, 1], "o", ms=5, color=COLORS["exact"])
    return fig


@in_course_style
def bias_of_the_log(spacings, biases: dict[str, Sequence[float]]) -> Figure:
    """How far log p_h(x) lies below log p(x) on average, against the spacing, a line a model: {name: nats, above 0}."""
    fig, ax = figure(
        "The log of a coarse sum is too low for a sharp decoder",
        "lattice spacing $h$",
        "$\\log\\,p(x)$ minus average $\\log\\,p_{h,u}(x)$, nats",
    )
    for (name, values), color in zip(biases.items(), ("exact", "prior")):
        line(ax, spacings, values, name, color, end=int(np.argmax(spacings)), marker="o", nudge=(8, 0))
    ax.set(xlim=(0, 1.32 * max(spacings)))
    return fig


@in_course_style
def training(exact: Sequence[float], shipped: float) -> Figure:
    """Held-out log p(x) after each epoch, from the first, and a dashed line at the value of the shipped decoder."""
    fig, ax = figure("Held-out log p(x) rises, epoch by epoch", "epoch", "exact log p(x), nats per digit", size=(6.0, 3.2))
    line(ax, range(1, len(exact) + 1), exact, "", "exact", marker="o")
    ax.axhline(shipped, color=COLORS["prior"], ls="--", lw=1.2)
    ax.annotate("the shipped decoder", (1, shipped), xytext=(0, -5), textcoords="offset points", va="top", color="#555555", fontsize=9)
    ax.set(xticks=range(1, len(exact) + 1))
    return fig
