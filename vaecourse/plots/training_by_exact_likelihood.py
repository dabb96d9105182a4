"""The figures of notebook 04b: what a gradient adds to a digit, a posterior between the nodes of a lattice, its bias, and a training."""

from __future__ import annotations

from collections.abc import Sequence

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
    fig, axes = figure(
        [title for name in names for title in (f"{name}: average image", f"{name}: x minus it")], size=(2.6 * 2 * len(names) + 2.3, 2.7)
    )
    axes = [fig.add_subplot(1, len(axes) + 1, 1), *axes]
    grid = fig.add_gridspec(1, len(axes))
    for i, ax in enumerate(axes):
        ax.set_subplotspec(grid[0, i])
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(True)
    axes[0].set_title("the digit x")
    axes[0].imshow(x.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    for average, left, right in zip(averages, axes[1::2], axes[2::2]):
        left.imshow(average.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
        last = right.imshow((x - average).reshape(side, side), cmap="RdBu", vmin=-1, vmax=1)
    fig.colorbar(last, ax=axes[-1], label="gradient", ticks=[-1, 0, 1])
    return fig


@in_course_style
def between_nodes(grid, probs, coarse, fine, spacings: tuple[float, float]) -> Figure:
    """A posterior on a grid (G, 2), (G,), twice, with the nodes of a coarse and of a fine lattice upon it."""
    grid = np.asarray(grid)
    fig, axes = figure([f"Lattice spacing {h:g}" for h in spacings], size=(8.0, 4.2))
    for ax, nodes, color in zip(axes, (coarse, fine), ("naive", "importance")):
        plane(ax, grid, probs)
        nodes = np.asarray(nodes)
        inside = nodes[(nodes >= grid.min(0)).all(1) & (nodes <= grid.max(0)).all(1)]
        ax.plot(inside[:, 0], inside[:, 1], "o", ms=5, color=COLORS[color])
    return fig


@in_course_style
def bias_of_the_log(spacings, biases: dict[str, Sequence[float]]) -> Figure:
    """How far log p_h(x) lies below log p(x) on average, against the spacing, a line a model: {name: nats, above 0}."""
    fig, ax = figure(
        "The log of a coarse sum is too low for a sharp decoder", "lattice spacing h", "log p(x) minus average log p_h(x), nats"
    )
    for (name, values), color in zip(biases.items(), ("exact", "prior")):
        line(ax, spacings, values, name, color, marker="o", nudge=(8, 0))
    ax.set(xlim=(0, 1.32 * max(spacings)))
    return fig


@in_course_style
def training(exact, shipped: float, ess) -> Figure:
    """Held-out log p(x) after each epoch, from the first, with the value of the shipped decoder; beside it the effective sample size."""
    epochs = range(1, len(exact) + 1)
    titles = ["Held-out log p(x) rises …", "… and fewer prior samples count"]
    fig, axes = figure(titles, "epoch", ["exact log p(x), nats per digit", "effective samples of 1,000 (median)"], size=(8.8, 3.6))
    line(axes[0], epochs, exact, "", "exact", marker="o")
    axes[0].axhline(shipped, color=COLORS["prior"], ls="--", lw=1.2)
    axes[0].annotate("the shipped decoder", (1, shipped), xytext=(0, -5), textcoords="offset points", va="top", color="#555555", fontsize=9)
    line(axes[1], epochs, ess, "", "naive", marker="o")
    axes[1].set(ylim=(0, None))
    for ax in axes:
        ax.set(xticks=list(epochs))
    return fig
