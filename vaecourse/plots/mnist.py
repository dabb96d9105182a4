"""The figures of the notebook on MNIST: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, dots, figure, in_course_style, line

__all__ = ["number_line", "twins"]


@in_course_style
def number_line(values: Mapping[str, tuple[float, str]], title: str) -> Figure:
    """Bounds and limits on one axis in nats, a row each: name -> (value, colour). The last is the limit, and the distance of
    the others to it is written on an arrow."""
    fig, ax = figure(title, "nats per image, the first 1,000 test digits", size=(8.4, 2.8))
    dots(ax, values)
    *others, (limit, color) = values.values()
    ax.plot([limit, limit], [-0.7, len(others) - 0.4], color=COLORS[color], ls="--", lw=1.2)
    for row, (value, _) in enumerate(others):
        ax.annotate("", (limit, row), (value, row), arrowprops={"arrowstyle": "->", "color": "0.45", "shrinkA": 7, "shrinkB": 0})
        ax.text((value + limit) / 2, row - 0.08, f"{limit - value:.0f} nats", ha="center", va="bottom", fontsize=9, color="0.25")
    return fig


@in_course_style
def twins(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Training and validation losses by epoch, a panel for each training: name -> (training, validation). The title states how far apart
    the two losses of each panel end; a dot marks the lowest validation loss."""
    fig, axes = figure(
        [f"{name.capitalize()} binarisation" for name in curves], "epoch", ["minus ELBO in nats (lower is better)", ""], size=(8.6, 4.0)
    )
    apart = ", ".join(f"{name} {valid[-1] - train[-1]:.0f} nats" for name, (train, valid) in curves.items())
    fig.suptitle(f"Validation minus training loss at the end: {apart}", x=0.01, ha="left", fontsize=12, fontweight="bold")
    low = min(min(train) for train, _ in curves.values())
    high = max(valid[len(valid) // 10] for _, valid in curves.values())
    for ax, (train, valid) in zip(axes, curves.values()):
        epochs = np.arange(1, len(train) + 1)
        line(ax, epochs, train, f"training {train[-1]:.0f}", "naive", ls=":", nudge=(8, -4))
        line(ax, epochs, valid, f"validation {valid[-1]:.0f}", "elbo", nudge=(8, -4))
        best = int(np.argmin(valid))
        ax.plot(epochs[best], valid[best], "o", ms=6, color=COLORS["elbo"])
        ax.annotate(f"lowest {valid[best]:.1f}", (epochs[best], valid[best]), (0, 9), textcoords="offset points", fontsize=9)
        ax.set(xlim=(0, 1.48 * len(train)), ylim=(low - 5, high), xticks=np.linspace(0, len(train), 5).astype(int))
    return fig
