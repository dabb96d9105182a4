"""The figures of notebook 03: how estimates of p(x) scatter, and where number formats end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse import plots


@plots.in_course_style
def estimates(ratio, title: str, n_samples: int) -> Figure:
    """A histogram of estimates of p(x) divided by the exact value, (R,), each made from n_samples samples."""
    ratio = np.asarray(ratio)
    fig, ax = plots.figure(title, f"estimate from {n_samples} samples / exact p(x)", f"how many of {len(ratio):,}")
    counts, _, _ = ax.hist(ratio, bins=40, color=plots.COLORS["naive"], alpha=0.85)
    ax.axvline(1, color=plots.COLORS["exact"])
    ax.set(xlim=(0, None), ylim=(0, 1.12 * counts.max()))
    plots.note(ax, (1, 1.06 * counts.max()), "exact value", (16, 0))
    return fig


@plots.in_course_style
def error_law(numbers: Sequence[int], measured: Sequence[float], predicted: Sequence[float], title: str) -> Figure:
    """Relative standard errors against the number of samples N on logarithmic axes: measured ones, and those of equation (3.3)."""
    fig, ax = plots.figure(title, "samples N", "standard error / p(x)")
    plots.line(ax, numbers, predicted, "equation (3.3)", "exact", end=-2, nudge=(-92, -4))
    plots.line(ax, numbers, measured, "", "naive", marker="o", linestyle="none", ms=7)
    plots.note(ax, (numbers[1], measured[1]), "measured, 400 repeats", (12, 12), "naive")
    ax.set(xscale="log", yscale="log")
    return fig


@plots.in_course_style
def where_formats_end(first_zeros: Mapping[str, int], p: float, size: int, title: str) -> Figure:
    """A bar for each number format, as long as the images whose probability it can hold.

    Args:
        first_zeros: the number of pixels of the smallest image whose probability is rounded to 0, by the name of the format.
        p: the probability of each pixel; the axis at the top shows the probability of the whole image.
        size: the number of pixels of the image that is marked.
    """
    fig, ax = plots.figure("", "pixels in the image", size=(7.6, 3.2))
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    right = 1.3 * max(first_zeros.values())
    for row, end in enumerate(first_zeros.values()):
        color = plots.COLORS["naive" if end <= size else "prior"]
        ax.barh(row, end, height=0.5, color=color)
        ax.barh(row, right - end, left=end, height=0.5, color=color, alpha=0.15)
        ax.annotate(f"{end:,}", (end, row), xytext=(6, 0), textcoords="offset points", va="center", color=color, weight="bold")
        ax.annotate("exactly 0", (right, row), xytext=(-6, 0), textcoords="offset points", va="center", ha="right", color=color, fontsize=9)
    ax.axvline(size, color=plots.COLORS["exact"], lw=1.6)
    side = math.isqrt(size)
    ax.annotate(f"a digit: {side} × {side}", (size, -0.62), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set(yticks=range(len(first_zeros)), yticklabels=list(first_zeros), ylim=(len(first_zeros) - 0.5, -0.9))
    ax.set_xlim(0, right)
    ax.grid(axis="y", visible=False)
    top = ax.secondary_xaxis("top", functions=(lambda n: n * -math.log10(p), lambda k: k / -math.log10(p)))
    ticks = range(0, 401, 50)
    top.set_xticks(ticks, ["1", *(f"$10^{{-{k}}}$" for k in ticks[1:])])
    top.set_xlabel(f"probability of the image, {p:g} for each pixel")
    return fig


@plots.in_course_style
def low_and_high(ratio, title: str, lowest: float = 1e-12, highest: float = 1e3) -> Figure:
    """A histogram of estimates divided by the exact value, (R,), on a logarithmic axis: those that are too low, and the others.

    Estimates below `lowest` stand in the first bin.
    """
    ratio = np.asarray(ratio)
    low = ratio < 1
    decades = math.log10(highest) - math.log10(lowest)
    edges = np.geomspace(lowest, highest, round(2 * decades) + 1)
    fig, ax = plots.figure(title, "estimate / exact p(x)", f"how many of {len(ratio):,}", size=(7.2, 3.6))
    for part, color in ((ratio[low], "naive"), (ratio[~low], "importance")):
        ax.hist(np.clip(part, lowest * 1.001, highest), bins=edges, color=plots.COLORS[color], alpha=0.85)
    ax.axvline(1, color=plots.COLORS["exact"])
    ax.set(xscale="log", xlim=(lowest, highest))
    ticks = np.geomspace(lowest, highest, round(decades / 3) + 1)
    ax.set_xticks(ticks, [f"≤ $10^{{{math.log10(lowest):.0f}}}$", *(f"$10^{{{math.log10(t):.0f}}}$" if t != 1 else "1" for t in ticks[1:])])
    ax.minorticks_off()
    ax.text(0.73, 0.9, f"{low.sum():,} too low", transform=ax.transAxes, color=plots.COLORS["naive"], ha="right", weight="bold")
    ax.text(0.995, 0.9, f"{(~low).sum():,} too high", transform=ax.transAxes, color=plots.COLORS["importance"], ha="right", weight="bold")
    ax.text(0.995, 0.81, f"up to {ratio.max():.0f} times", transform=ax.transAxes, color=plots.COLORS["importance"], ha="right", fontsize=9)
    ax.annotate("exact", (1, 0), xycoords=("data", "axes fraction"), xytext=(4, 96), textcoords="offset points", fontsize=9)
    return fig
