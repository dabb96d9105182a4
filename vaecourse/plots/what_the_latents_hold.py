"""The figures of notebook 09b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style

GREEN, AMBER = COLORS["elbo"], "#A36A00"  # amber: the posterior's orange, dark enough for text
PINK_INK = "#A0447C"
OF_RUN = {"β = 1": GREEN, "weight 1": GREEN, "β = 784": PINK_INK, "strong start": PINK_INK, "annealing": AMBER}  # both pink ones collapse
WHITE = {"fc": "white", "ec": "none", "pad": 1}  # a close white ground for a name that stands on lines


@in_course_style
def clouds(codes, draws, share: float) -> Figure:
    """Codes of images and as many samples of the prior in the same plane; a classifier is right about `share` of both."""
    titles = [f"K = {np.shape(codes)[1]}: codes of {len(codes):,} held-out digits", f"{len(draws):,} samples of the prior"]
    fig, axes = figure(titles, "$z_1$", ["$z_2$", ""], size=(8.6, 4.1))
    codes, draws = np.asarray(codes), np.asarray(draws)
    edge = max(4.0, np.ceil(2 * max(abs(codes).max(), abs(draws).max())) / 2)  # no point is cut off
    for ax, points, color in zip(axes, (codes, draws), ("posterior", "prior")):
        ax.plot(points[:, 0], points[:, 1], "o", ms=2.2, color=COLORS[color], alpha=0.7)
        ax.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
        ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=10, fontweight="normal")
    title = f"The codes do not follow the prior: a classifier is right in {share:.1%} of the cases (chance: 50%)"
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return fig


@in_course_style
def plane(runs: Mapping[str, object], title: str, baseline: float) -> Figure:
    """Rate and distortion of trained models, {name: (seeds, 2)}, in nats per image, with lines of equal ELBO.

    `baseline` is the distortion of independent pixels, which need no rate; the line of their ELBO is thick.
    """
    runs = {name: np.atleast_2d(np.asarray(points, dtype=float)) for name, points in runs.items()}
    rates, distortions = np.concatenate(list(runs.values())).T
    step, left, right = 20, -0.03 * rates.max(), 1.2 * rates.max()
    low, high = step * np.floor(distortions.min() / step - 0.4), step * np.ceil(max(distortions.max(), baseline) / step + 0.2)
    across = f"rate R, nats per digit (a dot: one training; numbers: mean ELBO; lines: equal ELBO, {step} nats apart)"
    fig, ax = figure(title, across, "distortion D, nats per digit", size=(8.6, 4.4))
    for level in np.arange(step * np.ceil(low / step), high + right, step):
        ax.plot([0, right], [level, level - right], color="#BBBBBB", lw=0.8, zorder=0)
    ax.plot([0, right], [baseline, baseline - right], color="black", lw=2, zorder=1)
    place = {"textcoords": "offset points", "fontsize": 9, "bbox": WHITE}
    ax.plot(0, baseline, "s", ms=11, mfc="none", mec="black", mew=1.5)
    ax.annotate(f"independent pixels: ELBO {_minus(-baseline)}", (0, baseline), xytext=(12, 8), **place)
    others = iter((COLORS["importance"], COLORS["naive"]))
    for name, points in runs.items():
        color = OF_RUN.get(name) or next(others)
        ax.plot(points[:, 0], points[:, 1], "o", ms=7, color=color, alpha=0.85)
        label = f"{name}: {_minus(-points.sum(1).mean())}"
        ax.annotate(label, points[points[:, 0].argmax()], color=color, xytext=(8, -17), **place)
    ax.set(xlim=(left, right), ylim=(low, high))
    return fig


def _minus(value: float) -> str:
    """A rounded number with a true minus sign."""
    return f"{value:.0f}".replace("-", "−")


@in_course_style
def held(names: Sequence[str], together, alone) -> Figure:
    """The share of the variance of each factor (F,) that all latents explain, and that the best single one explains.

    Args:
        names: of the F factors.
        together, alone: the shares, (F,), between 0 and 1.
    """
    together, alone = (100 * np.asarray(a, dtype=float) for a in (together, alone))
    order, rows = np.argsort(together), np.arange(len(names))
    title = f"One latent explains at most {alone.max():.0f}% of a factor, all together up to {together.max():.0f}%"
    fig, ax = figure(title, "percent of the factor's variance, explained linearly", size=(8.6, 4.2))
    ax.barh(rows, together[order], color=GREEN, alpha=0.35, height=0.7)
    ax.plot(alone[order], rows, "D", ms=6, color=AMBER)
    top = order[-1]  # the names stand in the longest bar
    beside = {"textcoords": "offset points", "va": "center", "fontsize": 10}
    ax.annotate("the best single latent", (alone[top], rows[-1]), xytext=(9, 0), color="#6B4500", **beside)
    ax.annotate("all latents", (together[top], rows[-1]), xytext=(-6, 0), color="#0B4F3E", ha="right", **beside)
    ax.set(yticks=rows, yticklabels=[names[i] for i in order], xlim=(0, 100))
    ax.grid(axis="y", visible=False)
    return fig
