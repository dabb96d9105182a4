"""The figures of the notebook on MNIST: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, dots, figure, in_course_style, line, note

__all__ = ["mass", "number_line", "twins"]


@in_course_style
def number_line(values: Mapping[str, tuple[float, str]]) -> Figure:
    """Bounds and limits on one axis in nats, a row each: name -> (value, colour)."""
    fig, ax = figure("Between independent pixels and the limit", "nats per image, the first 1,000 test digits", size=(8.4, 2.8))
    dots(ax, values)
    return fig


@in_course_style
def twins(curves: Mapping[str, tuple[Sequence[float], Sequence[float], float, float]]) -> Figure:
    """Training and validation losses by epoch, a panel for each training, its gap at the end in the title: name -> (training, validation,
    loss on test digits, the same with a refined q)."""
    titles = [f"{name.capitalize()} binarisation: gap of {valid[-1] - train[-1]:.0f} nats" for name, (train, valid, *_) in curves.items()]
    fig, axes = figure(titles, "epoch", ["minus ELBO, nats per image", ""], size=(9.6, 3.6))
    low = min(min(train) for train, *_ in curves.values())
    high = max(valid[len(valid) // 10] for _, valid, *_ in curves.values())
    for ax, (train, valid, test, refined) in zip(axes, curves.values()):
        epochs = np.arange(1, len(train) + 1)
        line(ax, epochs, train, "training", "naive", ls=":", nudge=(5, -6))
        line(ax, epochs, valid, "validation", "elbo", nudge=(5, 6))
        for value, face, name in ((test, "none", "test, encoder's q"), (refined, COLORS["elbo"], "test, refined q")):
            ax.plot(len(train), value, "D", ls="", ms=7, mfc=face, mec=COLORS["elbo"], mew=1.6, label=name)
        ax.legend(loc="upper right", fontsize=9)
        ax.set(xlim=(0, 1.3 * len(train)), ylim=(low - 5, high), xticks=np.linspace(0, len(train), 5).astype(int))
    return fig


@in_course_style
def mass(p, values) -> Figure:
    """The mass of one grey pixel against the decoder's ink probability, below the 1 that a density needs."""
    p, values = np.asarray(p), np.asarray(values)
    fig, ax = figure(
        "One grey pixel has at most half of the mass of a density",
        "ink probability p of the decoder",
        "integral over the grey level",
        size=(6.4, 3.3),
    )
    line(ax, p, values, "", "naive")
    note(ax, (0.5, values.max()), "at most 1/2", (20, 14), "naive")
    ax.axhline(1, color=COLORS["exact"], lw=1.4)
    ax.text(0.01, 1.02, "a density", fontsize=9)
    ax.set(xlim=(0, 1), ylim=(0, 1.12))
    return fig
