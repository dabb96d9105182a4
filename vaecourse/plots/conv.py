"""The figures of the notebook on convolutional VAEs: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style

__all__ = ["losses", "rows"]

COLOURS = (COLORS["naive"], COLORS["importance"])


@in_course_style
def losses(runs: Mapping[str, tuple[float, list[float], float]]) -> Figure:
    """Training losses against epochs and against time, for two models: name -> (time of an epoch, losses, test loss at the end)."""
    titles = ["By epochs the convolutional VAE is ahead", "By computing time the other one is"]
    labels = ["epochs", "computing time, epochs of the fully connected VAE"]
    fig, axes = figure(titles, labels, "training loss, nats per image", size=(9.6, 3.6))
    for ax, in_time in zip(axes, (False, True)):
        for colour, (name, (price, values, test)) in zip(COLOURS, runs.items()):
            x = np.arange(1, len(values) + 1) * (price if in_time else 1)
            ax.plot(x, values, "-o", ms=3, color=colour, lw=1.6)
            ax.plot(x[-1], test, "D", ms=7, mfc="none", mec=colour, mew=1.6)
            ax.annotate(name, (x[1], values[1]), xytext=(8, 6), textcoords="offset points", color=colour, fontsize=9)
        ax.set(ylim=(min(min(v) for _, v, _ in runs.values()) - 8, max(v[1] for _, v, _ in runs.values()) + 25))
    axes[1].text(0.98, 0.95, "◇ loss on test digits, at the end", transform=axes[1].transAxes, ha="right", va="top", fontsize=9)
    return fig


@in_course_style
def rows(pictures: Mapping[str, object]) -> Figure:
    """Rows of images (N, 784), each with its name on the left."""
    n = max(len(row) for row in pictures.values())
    fig, ax = figure("", size=(0.85 * n + 1.6, 0.95 * len(pictures)))
    ax.set_axis_off()
    sheet = np.concatenate([np.concatenate(np.asarray(row).reshape(-1, 28, 28), 1) for row in pictures.values()], 0)
    ax.imshow(sheet, cmap="Greys", vmin=0, vmax=1)
    for i, name in enumerate(pictures):
        ax.text(-8, 28 * i + 14, name, ha="right", va="center")
    return fig
