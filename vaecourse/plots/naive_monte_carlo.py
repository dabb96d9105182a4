"""The figures of notebook 03: how estimates of p(x) scatter, and where number formats end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse import plots


@plots.in_course_style
def estimates(ratio, title: str, n_samples: int) -> Figure:
    """A histogram of estimates of p(x) divided by the exact value, (R,), each made from n_samples samples, and their mean."""
    ratio = np.asarray(ratio)
    fig, ax = plots.figure(title, f"estimate from {n_samples} samples / exact p(x)", f"how many of {len(ratio):,}")
    counts, _, _ = ax.hist(ratio, bins=20, color=plots.COLORS["naive"], alpha=0.6)
    ax.axvline(1, color=plots.COLORS["exact"])
    ax.axvline(ratio.mean(), color=plots.COLORS["naive"], ls="--")
    ax.set(xlim=(0, None), ylim=(0, 1.25 * counts.max()))
    plots.note(ax, (1, 1.19 * counts.max()), "exact value", (24, -3))
    plots.note(ax, (ratio.mean(), 1.07 * counts.max()), f"mean of the estimates: {ratio.mean():.2f}", (24, -3), "naive")
    return fig


@plots.in_course_style
def error_law(numbers: Sequence[int], measured: Sequence[float], predicted: Sequence[float], title: str) -> Figure:
    """Relative errors against the number of samples N on logarithmic axes: measured ones, and those of equation (3.3)."""
    fig, ax = plots.figure(title, "samples N", "relative error")
    plots.line(ax, numbers, predicted, "", "exact")
    plots.line(ax, numbers, measured, "", "naive", marker="o", linestyle="none", ms=7)
    plots.note(ax, (numbers[0], measured[0]), "measured, 400 repeats", (16, -2), "naive")
    middle = (math.sqrt(numbers[0] * numbers[1]), math.sqrt(predicted[0] * predicted[1]))
    plots.note(ax, middle, "equation (3.3)", (-36, -44))
    n, error = numbers[1], predicted[1]
    ax.plot([n, 100 * n, 100 * n], [error, error, error / 10], color=plots.COLORS["importance"], ls="--", lw=1.2)
    style = {"textcoords": "offset points", "color": plots.COLORS["importance"], "fontsize": 9}
    ax.annotate("100 times the samples", (10 * n, error), xytext=(0, 5), ha="center", **style)
    ax.annotate("a tenth of the error", (100 * n, error / 10**0.5), xytext=(6, 0), va="center", **style)
    ax.set(xscale="log", yscale="log")
    return fig


@plots.in_course_style
def where_formats_end(ends: Mapping[str, float], marks: Mapping[str, float], title: str) -> Figure:
    """A bar for each number format, from 1 down to where a probability is rounded to 0.

    Args:
        ends: the logarithm to base 10 of the largest number that is rounded to 0, by the name of the format.
        marks: the logarithm to base 10 of the probabilities that are marked, by their names; the names stand one below the other.
    """
    fig, ax = plots.figure("", "probability", size=(7.6, 3.0))
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    lowest = 1.15 * min(ends.values())
    color = plots.COLORS["naive"]
    for row, end in enumerate(ends.values()):
        ax.barh(row, end, height=0.5, color=color)
        ax.barh(row, lowest - end, left=end, height=0.5, color=color, alpha=0.15)
        ax.annotate(
            "exactly 0", (lowest, row), xytext=(-4, 0), textcoords="offset points", va="center", ha="right", color=color, fontsize=9
        )
    top = -0.75 - 0.35 * len(marks)
    for i, ((name, at), ink) in enumerate(zip(marks.items(), ("importance", "exact"), strict=True)):
        y = top + 0.25 + 0.35 * i
        ax.plot([at, at], [y, len(ends) - 0.5], color=plots.COLORS[ink], lw=1.6, ls="--")
        exponent = math.floor(at)
        said = f"{name}: ${10 ** (at - exponent):.1f} \\cdot 10^{{{exponent}}}$"
        ax.annotate(said, (at, y), xytext=(6, 0), textcoords="offset points", va="center", color=plots.COLORS[ink], fontsize=9)
    ax.set(yticks=range(len(ends)), yticklabels=list(ends), ylim=(len(ends) - 0.5, top))
    ax.set_xlim(0, lowest)  # from 1 on the left to smaller numbers on the right
    ticks = range(0, int(-lowest) + 1, 50)
    ax.set_xticks([-k for k in ticks], ["1", *(f"$10^{{-{k}}}$" for k in ticks[1:])])
    ax.grid(axis="y", visible=False)
    return fig


@plots.in_course_style
def low_and_high(ratio, title: str, lowest: float = 1e-12, highest: float = 1e3) -> Figure:
    """Estimates divided by the exact value, (R,), on a logarithmic axis: how many lie in each bin, and which share of the mean they carry.

    Estimates below `lowest` stand in the first bin.
    """
    ratio = np.asarray(ratio)
    low = ratio < 1
    decades = math.log10(highest) - math.log10(lowest)
    edges = np.geomspace(lowest, highest, round(2 * decades) + 1)
    fig, axes = plots.figure([title, ""], size=(7.2, 4.4))
    for ax, place in zip(axes, fig.add_gridspec(2, 1, height_ratios=(3, 1))):
        ax.set_subplotspec(place)
    top, bottom = axes
    top.set_ylabel(f"how many of {len(ratio):,}")
    bottom.set(xlabel="estimate / exact p(x)", ylabel="% of the mean")
    for part, color in ((low, "naive"), (~low, "importance")):
        inside = np.clip(ratio[part], lowest * 1.001, highest)
        style = {"bins": edges, "color": plots.COLORS[color], "alpha": 0.85}
        top.hist(inside, **style)
        bottom.hist(inside, weights=100 * ratio[part] / ratio.sum(), **style)
    first = int((ratio < edges[1]).sum())
    median = float(np.sort(ratio)[(len(ratio) - 1) // 2])  # of an even number the lower of the two, as in torch
    ticks = np.geomspace(lowest, highest, round(decades / 3) + 1)[1:]
    names = [f"$10^{{{math.log10(t):.0f}}}$" if t != 1 else "1" for t in ticks]
    for ax in axes:
        ax.axvline(1, color=plots.COLORS["exact"])
        ax.axvline(median, color=plots.COLORS["naive"], ls="--")
        ax.set(xscale="log", xlim=(lowest, highest))
        ax.set_xticks([edges[1], *ticks], [f"{edges[1]:.0e}", *names] if ax is bottom else [""] * (1 + len(ticks)))
        ax.minorticks_off()
    plots.note(top, (edges[1], 0.97 * first), f"{first:,} below {edges[1]:.0e}", (14, -3), "naive")
    height = top.get_ylim()[1]
    plots.note(top, (median, 0.5 * height), f"median: {median:.0e}", (14, -3), "naive")
    plots.note(top, (1, 0.4 * height), "exact", (10, -3))
    for part, what, color, x in ((low, "too low", "naive", 0.78), (~low, "too high", "importance", 0.995)):
        style = {"transform": top.transAxes, "color": plots.COLORS[color], "ha": "right"}
        top.text(x, 0.88, f"{part.sum():,} {what}", weight="bold", **style)
        top.text(x, 0.76, f"{ratio[part].sum() / ratio.sum():.0%} of the mean", fontsize=9, **style)
    top.text(
        0.995, 0.65, f"up to {ratio.max():.0f} times", transform=top.transAxes, color=plots.COLORS["importance"], ha="right", fontsize=9
    )
    return fig
