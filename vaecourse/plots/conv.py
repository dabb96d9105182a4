"""The figures of the notebook on convolutional VAEs: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vaecourse.plots import COLORS, figure, in_course_style

__all__ = ["convolution", "losses", "rows"]

COLOURS = (COLORS["naive"], COLORS["importance"])


@in_course_style
def convolution(padded, kernel, result, stride: int, place: tuple[int, int]) -> Figure:
    """A padded image, a kernel and their convolution as tables of whole numbers; frames mark one place of the kernel and its result."""
    row, column = place
    k, gap = len(kernel), 2
    marked = [(stride * row, stride * column, k), (0, 0, k), (row, column, 1)]
    names = ["image with its padding", "kernel", "result"]
    fig, ax = figure("One kernel, applied at every second place", size=(8.4, 3.6))
    left = 0
    for name, table, (top, start, side) in zip(names, map(np.asarray, (padded, kernel, result)), marked):
        for (i, j), number in np.ndenumerate(table):
            padding = name == names[0] and (min(i, j) == 0 or max(i, j) == len(table) - 1)
            fill = "#F0F0F0" if padding else "#C9C9C9" if number > 0 else "white"
            ax.add_patch(Rectangle((left + j, i), 1, 1, fc=fill, ec="#BBBBBB", lw=0.8))
            ink = "#999999" if padding else "black"
            ax.text(left + j + 0.5, i + 0.5, f"{number:.0f}", ha="center", va="center", fontsize=9, color=ink)
        ax.add_patch(Rectangle((left + start, top), side, side, fill=False, ec=COLOURS[0], lw=2.5))
        ax.text(left, -0.3, name, fontsize=9)
        left += len(table) + gap
    ax.set(xlim=(-0.2, left - gap + 0.2), ylim=(len(padded) + 0.2, -1.2), aspect="equal")
    ax.set_axis_off()
    return fig


@in_course_style
def losses(runs: Mapping[str, tuple[float, Sequence[float], Mapping[int, float]]]) -> Figure:
    """Training losses against epochs and against time: name -> (time of an epoch, losses, test losses after some of the epochs)."""
    titles = ["By epochs the convolutional VAE is ahead", "By computing time the other one is"]
    labels = ["epochs", "computing time, epochs of the fully connected VAE"]
    fig, axes = figure(titles, labels, "minus ELBO, nats per image", size=(9.6, 3.6))
    for ax, in_time in zip(axes, (False, True)):
        for colour, (name, (price, values, tested)) in zip(COLOURS, runs.items()):
            unit = price if in_time else 1
            ax.plot(np.arange(1, len(values) + 1) * unit, values, "-o", ms=3, color=colour, lw=1.6, label=name)
            ax.plot(np.array(list(tested)) * unit, list(tested.values()), "D", ls="", ms=7, mfc="none", mec=colour, mew=1.6)
        every = [v for _, values, tested in runs.values() for v in (*values[1:], *tested.values())]
        ax.set(ylim=(min(every) - 5, max(every) + 5))
        ax.plot([], [], "D", ms=7, mfc="none", mec="black", mew=1.2, label="on test digits")
        ax.legend(loc="upper right", fontsize=9)
    return fig


@in_course_style
def rows(pictures: Mapping[str, object], title: str = "") -> Figure:
    """Rows of images (N, 784), each with its name on the left, under a title."""
    n = max(len(row) for row in pictures.values())
    fig, ax = figure(title, size=(0.85 * n + 1.6, 0.95 * len(pictures) + 0.3 * bool(title)))
    ax.set_axis_off()
    sheet = np.concatenate([np.concatenate(np.asarray(row).reshape(-1, 28, 28), 1) for row in pictures.values()], 0)
    ax.imshow(sheet, cmap="Greys", vmin=0, vmax=1)
    for edge in range(0, 28 * n + 1, 28):
        ax.plot([edge - 0.5] * 2, [-0.5, len(sheet) - 0.5], color="#BBBBBB", lw=0.8)
    for i, name in enumerate(pictures):
        ax.plot([-0.5, 28 * n - 0.5], [28 * i - 0.5] * 2, color="#BBBBBB", lw=0.8)
        ax.text(-8, 28 * i + 14, name, ha="right", va="center")
    ax.plot([-0.5, 28 * n - 0.5], [len(sheet) - 0.5] * 2, color="#BBBBBB", lw=0.8)
    ax.set(xlim=(-1, 28 * n), ylim=(len(sheet), -1))
    return fig
