"""The figures of notebook 04b: a gradient, a posterior between nodes, the bias, training on a coarse lattice, and the nodes that matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from vaecourse.plots import COLORS, figure, in_course_style, plane


@in_course_style
def gradients(x, averages, names: Sequence[str], title: str) -> Figure:
    """An image (D,) and for each model the average image of its posterior, (models, D), with the difference: the gradient of a bias."""
    x, averages = np.asarray(x), np.asarray(averages)
    side = int(round(x.size**0.5))
    titles = ["digit x", *(text for name in names for text in (f"{name}:\nreconstruction", "x minus\nreconstruction"))]
    fig, axes = figure(titles, size=(1.9 * len(titles) + 0.7, 2.75))
    fig.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(True)
    axes[0].imshow(x.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    for average, left, right in zip(averages, axes[1::2], axes[2::2]):
        left.imshow(average.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
        last = right.imshow((x - average).reshape(side, side), cmap="RdBu", vmin=-1, vmax=1)
    fig.colorbar(last, ax=axes[-1], ticks=[-1, 0, 1]).set_label("red: less ink, blue: more", fontsize=12)
    return fig


@in_course_style
def between_nodes(grid, probs, lattices: Iterable, titles: Sequence[str]) -> Figure:
    """A posterior on a grid (G, 2), (G,), once for each lattice, with those of its nodes (N, 2) that lie in the picture.

    The lines are where a normal density is one and two standard deviations from its mean.
    """
    grid, probs = np.asarray(grid), np.asarray(probs)
    n = int(round(len(grid) ** 0.5))
    axis, levels = grid[:n, 1], probs.max() * np.exp([-2.0, -0.5])
    fig, axes = figure(titles, size=(3.1 * len(titles), 3.3))
    for ax, nodes in zip(axes, map(np.asarray, lattices)):
        plane(ax, grid, probs)
        ax.contour(grid[::n, 0], axis, probs.reshape(n, n).T, levels=levels, colors=COLORS["exact"], linewidths=0.8)
        inside = nodes[(nodes >= grid.min(0)).all(1) & (nodes <= grid.max(0)).all(1)]
        ax.plot(inside[:, 0], inside[:, 1], "o", ms=5, color=COLORS["exact"])
    for ax in axes[1:]:
        ax.set_ylabel("")
    return fig


@in_course_style
def bias_by_ratio(ratios, curves: Mapping[str, Sequence[float]], points: Mapping[str, tuple], title: str) -> Figure:
    """How much too low the logarithm is: curves over the ratio h / s, and the points (ratios, biases) of each decoder."""
    xlabel = "spacing $h$ / (median) standard deviation $s$ of the posteriors"
    fig, ax = figure(title, xlabel, "bias: nats too low, on average", size=(7.4, 3.6))
    for (name, values), style in zip(curves.items(), ({"lw": 3.5, "color": "#BBBBBB"}, {"lw": 1.4, "ls": "--", "color": COLORS["exact"]})):
        ax.plot(np.asarray(ratios), np.asarray(values), label=name, **style)
    for (name, (at, biases)), marker, color in zip(points.items(), "so", ("importance", "naive")):
        ax.plot(np.asarray(at), np.asarray(biases), marker, ms=7, color=COLORS[color], label=name)
    ax.set(xlim=(0, None), ylim=(-1, None))
    ax.legend(loc="upper left")
    return fig


@in_course_style
def coarse_training(
    changes: Mapping[str, tuple[Sequence[float], float]], wider: Mapping[str, Sequence[float]], titles: Sequence[str]
) -> Figure:
    """The change of each row, {row: (nats for each seed, standard error)}, and the widening of the posteriors, {training: shares}.

    A row begins with the name of its training and has the color of it. The circles of an objective are hollow, the others are filled.
    An arrow from the second row to the first is the part of the gap that was closed.
    """
    labels = ["change, nats per held-out digit (a circle: one seed)", "median widening of the posteriors"]
    fig, axes = figure(titles, labels, size=(8.6, 3.1))
    rows = [changes, {name: (values, 0.0) for name, values in wider.items()}]
    colors = dict(zip(wider, (COLORS["naive"], COLORS["exact"])))
    for ax, some in zip(axes, rows):
        ax.axvline(0, color=COLORS["prior"], ls="--", lw=1.2)
        for i, (name, (values, error)) in enumerate(some.items()):
            at = i + 0.16 * (np.arange(len(values)) - (len(values) - 1) / 2)
            fill = "none" if "objective" in name else "full"
            color = colors[name.split(":")[0]]
            ax.errorbar(values, at, xerr=error or None, fmt="o", ms=6, mew=1.5, fillstyle=fill, elinewidth=1.2, color=color)
        ax.set(yticks=range(len(some)), yticklabels=list(some), ylim=(len(some) - 0.5, -0.5))
    (up, _), (down, _) = list(changes.values())[:2]
    up, down = np.mean(up), np.mean(down)
    axes[0].annotate("", (up, 0.5), (down, 0.5), arrowprops={"arrowstyle": "<->", "color": COLORS["naive"], "shrinkA": 0, "shrinkB": 0})
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    text = f"gap narrows by {up - down:.1f}"
    axes[0].text((up + down) / 2, 0.5, text, ha="center", va="center", fontsize=10, color=COLORS["naive"], bbox=box)
    axes[1].xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return fig


@in_course_style
def nodes_that_matter(nodes, needed, name: str, title: str) -> Figure:
    """The nodes of a lattice (N, 2), grey, and on them those that are needed, by their numbers. A window with the name enlarges these."""
    nodes = np.asarray(nodes)
    some = nodes[np.asarray(needed)]
    fig, ax = figure(title, "$z_1$", "$z_2$", size=(7.4, 4.2))
    low, high = some.min(0) - 0.3, some.max(0) + 0.3
    window = ax.inset_axes((1.12, 0.13, 0.74, 0.74), xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xticks=[], yticks=[])
    window.set_title(name, fontsize=11, color=COLORS["naive"], fontweight="normal", loc="center")
    for panel, times in ((ax, 1.0), (window, 6.0)):
        panel.plot(*nodes.T, "o", ms=1.6 * times, mew=0, color="#999999")
        panel.plot(*some.T, "o", ms=2.4 * times, mew=0, color=COLORS["naive"])
        panel.grid(False)
    window.spines[:].set(visible=True, color=COLORS["naive"])
    ax.indicate_inset_zoom(window, edgecolor=COLORS["naive"], alpha=1)
    ax.set(aspect="equal", anchor="W")
    return fig
