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
    line, and between it and each other value an arrow with the distance, unless it is less than one nat."""
    fig, ax = figure(title, f"nats per image, the first {n_digits:,} test digits", size=(8.4, 1.3 + 0.5 * len(values)))
    dots(ax, values)
    *others, (last, color) = values.values()
    ax.plot([last, last], [-0.7, len(others) - 0.4], color=COLORS[color], ls="--", lw=1.2)
    for row, (value, _) in enumerate(others):
        if abs(last - value) < 1:
            continue
        ax.annotate("", (last, row), (value, row), arrowprops={"arrowstyle": "<->", "color": "0.45", "shrinkA": 7, "shrinkB": 0})
        ax.text((value + last) / 2, row - 0.08, f"{abs(last - value):.0f} nats", ha="center", va="bottom", fontsize=9, color="0.25")
    return fig


@in_course_style
def twins(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Training and validation losses by epoch, a panel for each of two trainings: name -> (training, validation). The title states the
    lowest validation losses, which dots mark; a dashed line repeats the first one in the second panel, with the distance."""
    fig, axes = figure(
        [f"{name.capitalize()} binarisation" for name in curves], "epoch", ["minus ELBO in nats (lower is better)", ""], size=(8.6, 4.0)
    )
    lowest = {name: min(valid) for name, (_, valid) in curves.items()}
    title = ", ".join(f"{name} {value:.1f}" for name, value in lowest.items())
    fig.suptitle(f"Lowest validation loss in nats: {title}", x=0.01, ha="left", fontsize=12, fontweight="bold")
    low = min(min(train) for train, _ in curves.values())
    high = max(valid[len(valid) // 10] for _, valid in curves.values())
    (first, other), reference = lowest.values(), next(iter(curves))
    for ax, (name, (train, valid)) in zip(axes, curves.items()):
        epochs = np.arange(1, len(train) + 1)
        line(ax, epochs, train, f"training {train[-1]:.0f}", "naive", ls=":", nudge=(8, 0))
        line(ax, epochs, valid, f"validation {valid[-1]:.0f}", "elbo", nudge=(8, 0))
        ax.plot(epochs[int(np.argmin(valid))], lowest[name], "o", ms=6, color=COLORS["elbo"])
        ax.set(xlim=(0, 1.42 * len(train)), ylim=(low - 5, high), xticks=np.linspace(0, len(train), 5).astype(int))
    x = int(np.argmin(curves[reference][1])) + 1
    axes[0].annotate(f"lowest {first:.1f}", (x, first), (0, -9), textcoords="offset points", ha="center", va="top", fontsize=9)
    axes[1].axhline(first, color="0.45", ls="--", lw=1.2)
    end = len(epochs)
    axes[1].annotate(
        f"lowest of {reference}", (1.41 * end, first), (0, 3), textcoords="offset points", ha="right", fontsize=9, color="0.25"
    )
    axes[1].annotate("", (end, other), (end, first), arrowprops={"arrowstyle": "<->", "color": "0.45", "shrinkA": 0, "shrinkB": 4})
    axes[1].text(0.97 * end, (first + other) / 2, f"{abs(first - other):.0f} nats", ha="right", va="center", fontsize=9, color="0.25")
    return fig
