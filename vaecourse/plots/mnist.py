"""The figures of the notebook on MNIST: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, dots, figure, in_course_style, line

__all__ = ["number_line", "twins"]


@in_course_style
def number_line(values: Mapping[str, tuple[float, str]], title: str, n_digits: int = 1000) -> Figure:
    """Bounds and limits on one axis in nats, a row each: name -> (value, colour). The last is what the others are compared with: a dashed
    line, and from each other value an arrow to it with the distance, unless it is less than one nat."""
    fig, ax = figure(title, f"nats per image, the first {n_digits:,} test digits", size=(8.4, 1.3 + 0.5 * len(values)))
    dots(ax, values)
    *others, (last, color) = values.values()
    ax.plot([last, last], [-0.7, len(others) - 0.4], color=COLORS[color], ls="--", lw=1.2)
    for row, (value, _) in enumerate(others):
        if abs(last - value) < 1:
            continue
        ax.annotate("", (last, row), (value, row), arrowprops={"arrowstyle": "->", "color": "0.45", "shrinkA": 7, "shrinkB": 0})
        ax.text((value + last) / 2, row - 0.08, f"{abs(last - value):.0f} nats", ha="center", va="bottom", fontsize=9, color="0.25")
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
