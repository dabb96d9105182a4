"""The figures of notebook 03: how estimates of p(x) scatter, and where number formats end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

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
def where_formats_end(log_px, ends: Mapping[str, float], marks: Mapping[str, float], title: str, lost: str, lowest: float = -320) -> Figure:
    """A histogram of log p(x) of many images, with the value at which each number format rounds p(x) to 0.

    Args:
        log_px: the logarithms of the probabilities of the images, (B,), in nats; those below `lowest` stand in the first bin.
        ends: the logarithm of the largest number that is rounded to 0, by the name of the format; below
            `lowest` it is written at the left edge.
        marks: the logarithms of the probabilities that are marked, by their names.
        lost: the format whose lost images are coloured.
    """
    log_px = np.asarray(log_px)
    fig, ax = plots.figure(title, "log p(x), nats (the first bin holds all lower values)", f"how many of {len(log_px):,}", size=(7.6, 3.6))
    width = 4.0
    edges = np.arange(ends[lost] - width * math.ceil((ends[lost] - lowest) / width), width, width)
    inside = np.clip(log_px, edges[0], edges[-1])
    below = log_px <= ends[lost]
    for part, color in ((below, "naive"), (~below, "importance")):
        ax.hist(inside[part], bins=edges, color=plots.COLORS[color], alpha=0.75)
    height = 1.8 * max(patch.get_height() for patch in ax.patches)
    ax.set(xlim=(edges[0], 0), ylim=(0, height))
    for part, said, color, x in ((below, "rounded to 0", "naive", 0.3), (~below, "positive", "importance", 0.92)):
        style = {"transform": ax.transAxes, "color": plots.COLORS[color], "weight": "bold", "ha": "right"}
        ax.text(x, 0.36, f"{said}\nin {lost}:\n{part.mean():.0%}", **style)
    for row, (name, end) in enumerate(ends.items()):  # the names one below the other
        y = (0.94 - 0.08 * row) * height
        if end < edges[0]:
            ax.annotate(f"← {name} ends at {end:.1f}", (edges[0], y), xytext=(6, 0), textcoords="offset points", fontsize=9)
        else:
            ax.axvline(end, color=plots.COLORS["exact"], lw=2)
            ax.annotate(f"{name} ends at {end:.1f}", (end, y), xytext=(-6, 0), textcoords="offset points", fontsize=9, ha="right")
    for row, (name, at) in enumerate(marks.items()):
        y = (0.94 - 0.08 * (row + len(ends))) * height
        ax.plot([at, at], [0, y], color=plots.COLORS["exact"], lw=1.4, ls="--")
        ax.annotate(f"{name}: {at:.1f}", (at, y), xytext=(-6, -6), textcoords="offset points", fontsize=9, ha="right")
    return fig


@plots.in_course_style
def small_region(grid, log_ratio, samples, hit, titles: Sequence[str], shares: Sequence[float]) -> Figure:
    """Where p(x|z) >= p(x) on the plane of two latents: with samples from the prior, and enlarged.

    Args:
        grid: nodes (G, 2) of a fine lattice.
        log_ratio: log p(x|z) - log p(x) at the nodes, (G,), in nats.
        samples: latents from the prior (N, 2).
        hit: which of the samples lie in the region, (N,); they get a ring.
        titles: of the two panels.
        shares: of the prior on the region, and on its part where p(x|z) is at least N p(x).
    """
    grid, log_ratio, samples, hit = np.asarray(grid), np.asarray(log_ratio), np.asarray(samples), np.asarray(hit)
    fig, axes = plots.figure(titles, "$z_1$", "$z_2$", size=(8.6, 4.6))
    region = grid[log_ratio >= 0]
    center, reach = (region.min(0) + region.max(0)) / 2, 0.75 * np.ptp(region, axis=0).max()
    near = (np.abs(grid - center) <= reach * 1.05).all(1)
    levels = [0, math.log(len(samples)), max(log_ratio.max(), math.log(len(samples)) + 1)]
    for ax in axes:
        ax.tricontourf(*grid[near].T, log_ratio[near], levels=levels, colors=["#F5C77E", plots.COLORS["posterior"]])
        ax.plot(*samples.T, "o", color=plots.COLORS["prior"], ms=4)
        ax.plot(*samples[hit].T, "o", color=plots.COLORS["exact"], ms=9, mfc="none", mew=1.4)
        ax.set_aspect("equal")
    left, right = axes
    for radius in (1, 2, 3):
        plots.ellipse(left, (0, 0), (1, 1), "prior", radius=radius, lw=1, ls="--")
    left.set(xlim=(-3.6, 3.6), ylim=(-3.6, 3.6))
    left.add_patch(Rectangle(center - reach, 2 * reach, 2 * reach, fill=False, ec=plots.COLORS["exact"], lw=1.2))
    plots.note(left, (center[0], center[1] + reach), "enlarged", (-30, 22))
    left.text(0, -3.3, "circles: 1, 2, 3 standard deviations of the prior", color=plots.COLORS["prior"], fontsize=9, ha="center")
    right.set(xlim=(center[0] - reach, center[0] + reach), ylim=(center[1] - reach, center[1] + reach))
    outer, inner = region[region[:, 0].argmin()], grid[log_ratio.argmax()]
    style = {"fontsize": 9, "arrowprops": {"arrowstyle": "-", "lw": 0.8}, "textcoords": "axes fraction"}
    right.annotate(f"p(x|z) ≥ p(x):\n{shares[0]:.2%} of the prior", tuple(outer), xytext=(0.03, 0.9), **style)
    right.annotate(f"p(x|z) ≥ {len(samples)} p(x):\n{shares[1]:.2%} of the prior", tuple(inner), xytext=(0.62, 0.05), **style)
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
        ax.axvline(median, color=plots.COLORS["naive"], ls="--", ymax=0.6 if ax is top else 1.0)  # below the words on the first bin
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


@plots.in_course_style
def scoreboard_and_averages(rows: Sequence[tuple], averages, exact: float, title: str) -> Figure:
    """The scoreboard up to the naive estimate, -inf; below, on an axis of its own, a histogram of averages in a format that can hold them.

    Args:
        rows: as in `vaecourse.plots.scoreboard`; the estimate of the last one is -inf.
        averages: logarithms of averages of p(x|z), (R,), in nats.
        exact: the exact log p(x), in nats.
        title: of the lower panel.
    """
    averages = np.asarray(averages)
    fig = plots.scoreboard(rows)
    fig.set_size_inches(7.6, 4.2)
    (top,) = fig.axes
    top.texts[-1].set_text("← -inf")  # it has no place on the axis
    plots.note(top, (exact, len(rows) - 2), "ticks: exact value of\neach row's model", (14, -16))
    places = fig.add_gridspec(2, 1, height_ratios=(len(rows), 2.4))
    top.set_subplotspec(places[0])
    with plots.course_style(plots.STYLE):
        bottom = fig.add_subplot(places[1], axes_class=plots.CourseAxes)
        bottom.set_title(title)
    low = averages < exact
    edges = exact + np.arange(math.floor((averages - exact).min()), math.ceil((averages - exact).max()) + 1)  # bins of 1 nat
    for part, said, color, shift in ((low, "too low", "naive", -8), (~low, "too high", "importance", 8)):
        bottom.hist(averages[part], bins=edges, color=plots.COLORS[color], alpha=0.85)
        style = {"color": plots.COLORS[color], "weight": "bold", "textcoords": "offset points", "ha": "right" if shift < 0 else "left"}
        bottom.annotate(f"{part.sum()} {said}", (exact, 1), xytext=(shift, -12), xycoords=("data", "axes fraction"), **style)
    bottom.axvline(exact, color=plots.COLORS["exact"], lw=2.2)
    bottom.set(xlabel="nats", ylabel=f"how many of {len(averages)}", xlim=(edges[0] - 1, edges[-1] + 3))
    bottom.set_ylim(0, 1.35 * bottom.get_ylim()[1])
    return fig
