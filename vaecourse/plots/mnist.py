"""The figures of the notebook on MNIST: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, dots, figure, in_course_style, line

__all__ = ["number_line", "twins"]


@in_course_style
def number_line(values: Mapping[str, tuple[float, str]], title: str) -> Figure:
    """Bounds and limits on one axis in nats, a row each: name -> (value, colour)."""
    fig, ax = figure(title, "nats per image, the first 1,000 test digits", size=(8.4, 2.8))
    dots(ax, values)
    return fig


@in_course_style
def twins(curves: Mapping[str, tuple[Sequence[float], Sequence[float], float, float]]) -> Figure:
    """Training and validation losses by epoch, a panel for each of two trainings; the title says what the second gains on 100 test digits:
    name -> (training, validation, loss on test digits, the same with a refined q)."""
    (*_, test_1, refined_1), (*_, test_2, refined_2) = curves.values()
    fig, axes = figure(
        [f"{name.capitalize()} binarisation" for name in curves], "epoch", ["minus ELBO in nats (lower is better)", ""], size=(8.6, 4.0)
    )
    gain, left = test_1 - test_2, refined_1 - refined_2
    finding = f"{list(curves)[1].capitalize()} training gains {gain:.1f} nats on 100 test digits, {left:.1f} with a refined q"
    fig.suptitle(finding, x=0.01, ha="left", fontsize=12, fontweight="bold")
    low = min(min(train) for train, *_ in curves.values())
    high = max(valid[len(valid) // 10] for _, valid, *_ in curves.values())
    for ax, (train, valid, test, refined) in zip(axes, curves.values()):
        epochs = np.arange(1, len(train) + 1)
        line(ax, epochs, train, "training", "naive", ls=":", nudge=(8, -4))
        line(ax, epochs, valid, "validation", "elbo", nudge=(8, 7))
        for value, face, name in ((test, "none", "test"), (refined, COLORS["elbo"], "refined q")):
            ax.plot(len(train), value, "D", ls="", ms=7, mfc=face, mec=COLORS["elbo"], mew=1.6)
            ax.annotate(f"{name} {value:.1f}", (len(train), value), xytext=(8, -5), textcoords="offset points", fontsize=9)
        ax.set(xlim=(0, 1.55 * len(train)), ylim=(low - 5, high), xticks=np.linspace(0, len(train), 5).astype(int))
    return fig
