"""Figures of notebook 01: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, _subplots, figure, in_course_style

INK = "#333333"


@in_course_style
def stored(grey, title: str, row: int, column: int, side: int = 11) -> Figure:
    """An image of grey levels (784,), and beside it the numbers of a framed square whose upper left pixel is (row, column)."""
    picture = np.asarray(grey).reshape(28, 28)
    fig, (seen, numbers) = figure([title, "What is stored for the framed part"], size=(8.6, 4.1))
    _page(seen, picture, vmax=picture.max())
    left, right, top, bottom = column - 0.5, column + side - 0.5, row - 0.5, row + side - 0.5
    seen.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=COLORS["naive"])
    for i, j in np.ndindex(side, side):
        numbers.text(j, i, str(picture[row + i, column + j]), ha="center", va="center", fontsize=9)
    numbers.set(xlim=(-0.6, side - 0.4), ylim=(side - 0.4, -0.6))
    numbers.axis("off")
    return fig


@in_course_style
def steps(points: Sequence[object], curves: Sequence[object], placed: Sequence[object], ink, x) -> Figure:
    """How a digit is written: points and curves of the unit square (M, 2), curves in pixels, ink (784,), and the binary image."""
    titles = ["1. points", "2. smooth curves", "3. bent and slanted", "4. ink", "5. coins"]
    fig, axes = figure(titles, size=(10.5, 2.6))
    for ax, several, style in zip(axes, (points, curves, placed), ("o", "-", "-")):
        for part in several:
            ax.plot(*np.asarray(part).T, style, color=INK, ms=5)
    for ax, picture in zip(axes[3:], (ink, x)):
        _page(ax, np.asarray(picture).reshape(28, 28))
    for ax, box in zip(axes, [(-0.1, 1.1, 1.1, -0.1)] * 2 + [(-13.5, 13.5, 13.5, -13.5)]):
        ax.set(xlim=box[:2], ylim=box[2:])
    for ax in axes[:3]:
        ax.set(xticks=[], yticks=[], aspect="equal")
        ax.grid(False)
        ax.spines[:].set_visible(True)
    return fig


@in_course_style
def extremes(title: str, names: Sequence[str], low, middle, high, columns: int = 5) -> Figure:
    """For each factor the middle image in grey, with the outlines of the lowest and the highest one: three arrays (N, 784)."""
    rows = -(-len(names) // columns)
    fig, axes = _subplots(rows, columns, (2.0 * columns, 2.2 * rows + 0.5))
    for ax in axes.flat[len(names) :]:
        ax.axis("off")
    for ax, name, *pictures in zip(axes.flat, names, *(np.asarray(part).reshape(-1, 28, 28) for part in (low, middle, high))):
        _page(ax, 0.35 * pictures[1])
        for picture, color in zip(pictures[::2], (COLORS["importance"], COLORS["naive"])):
            ax.contour(picture, levels=[0.5], colors=color, linewidths=1.8)
        ax.set_title(name)
    key = axes.flat[-1] if len(names) < axes.size else fig
    for height, text, color in ((0.75, "lowest value", "importance"), (0.5, "highest value", "naive"), (0.25, "grey: the middle", INK)):
        key.text(0.05, height, text, color=COLORS.get(color, color), fontsize=11)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return fig


@in_course_style
def likelihood_and_posterior(picture, names: Sequence[str], likelihood, posterior) -> Figure:
    """A small image (D,), and for each latent two bars with their values: likelihood and posterior. The titles name the largest."""
    side = int(round(len(picture) ** 0.5))
    first = [names[int(np.argmax(values))] for values in (likelihood, posterior)]
    titles = ["The image x", f"p(x|z): {first[0]} is largest", f"p(z|x): {first[1]} is largest"]
    fig, axes = figure(titles, size=(10.4, 2.9))
    _page(axes[0], np.asarray(picture).reshape(side, side))
    for ax, values, color in zip(axes[1:], (likelihood, posterior), ("#555555", COLORS["posterior"])):
        values = np.asarray(values)
        ax.barh(names, values, color=[color if v == values.max() else f"{color}88" for v in values])
        for i, value in enumerate(values):
            ax.annotate(f"{value:.2g}", (value, i), xytext=(4, 0), textcoords="offset points", va="center", fontsize=10)
        ax.invert_yaxis()
        ax.set(xlim=(0, 1.2 * values.max()), xticks=[])
        ax.grid(False)
    return fig


@in_course_style
def explanations(title: str, x, templates, captions: Sequence[Sequence[str]], posterior) -> Figure:
    """Images with their competing explanations, a row an image: the image, then its templates over bars of their posterior probability.

    Args:
        x: images (B, 784).
        templates: (B, C, 784), the probabilities of ink of the C explanations that are shown.
        captions: C texts an image, written above the templates.
        posterior: (B, C), the probabilities of these explanations.
    """
    x, templates, posterior = (np.asarray(part) for part in (x, templates, posterior))
    count = templates.shape[1]
    fig, axes = _subplots(2 * len(x), count + 1, (1.95 * (count + 1), 3.0 * len(x) + 0.4))
    grid = axes[0, 0].get_gridspec()
    grid.set_height_ratios([1, 0.5] * len(x))
    for i, image in enumerate(x):
        for ax in axes[2 * i : 2 * i + 2, 0]:
            ax.remove()
        whole = fig.add_subplot(grid[2 * i : 2 * i + 2, 0])
        _page(whole, image.reshape(28, 28))
        whole.set_title("the image x" if i == 0 else "another image x")
        for c in range(count):
            _page(axes[2 * i, c + 1], templates[i, c].reshape(28, 28))
            axes[2 * i, c + 1].set_title(captions[i][c], fontsize=10, fontweight="normal")
            _share(axes[2 * i + 1, c + 1], posterior[i, c])
        axes[2 * i + 1, 1].set_ylabel("p(z|x)", rotation=0, ha="right", va="center")
    fig.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return fig


def _share(ax: Axes, value: float) -> None:
    """A bar on a scale from 0 to 1, with its number."""
    ax.bar(0, value, width=0.9, color=COLORS["posterior"])
    text = f"{value:.2f}" if value >= 0.005 else f"{value:.0e}" if value > 0 else "0"
    ax.annotate(text, (0, value), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=11, fontweight="bold")
    ax.set(xlim=(-0.9, 0.9), ylim=(0, 1.3), xticks=[], yticks=[])
    ax.grid(False)
    ax.spines["left"].set_visible(False)


def _page(ax: Axes, picture: np.ndarray, vmax: float = 1) -> None:
    """A picture in ink on paper, framed, without ticks."""
    ax.imshow(picture, cmap="gray_r", vmin=0, vmax=vmax)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(True)
    ax.spines[:].set_color("#BBBBBB")
