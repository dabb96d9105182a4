"""The figures of the notebook on convolutional VAEs: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vaecourse.plots import COLORS, figure, in_course_style

__all__ = ["convolution", "losses", "rows", "shifts", "transposed"]

COLOURS = (COLORS["naive"], COLORS["importance"])
TINTS = ("#DDEBF7", "#FFF2CC")


@in_course_style
def convolution(padded, kernel, result, stride: int, place: tuple[int, int]) -> Figure:
    """A padded image, a kernel and their convolution as tables of whole numbers; frames mark one place of the kernel and its result."""
    row, column = place
    k, gap = len(kernel), 2
    marked = [(stride * row, stride * column, k), (0, 0, k), (row, column, 1)]
    names = ["image with its padding", "kernel", "result"]
    total = np.asarray(result)[row, column]
    fig, ax = figure(f"At the marked place, pixels times weights add up to {total:.0f}", size=(8.4, 3.6))
    left = 0
    for name, table, (top, start, side) in zip(names, map(np.asarray, (padded, kernel, result)), marked):
        for (i, j), number in np.ndenumerate(table):
            padding = name == names[0] and (min(i, j) == 0 or max(i, j) == len(table) - 1)
            fill = "#EEEEEE" if padding else "#C9C9C9" if number > 0 else "white"
            ax.add_patch(Rectangle((left + j, i), 1, 1, fc=fill, ec="#BBBBBB", lw=0.8))
            ink = "#777777" if padding else "black"
            ax.text(left + j + 0.5, i + 0.5, f"{number:.0f}", ha="center", va="center", fontsize=11, color=ink)
        ax.add_patch(Rectangle((left + start, top), side, side, fill=False, ec=COLOURS[0], lw=2.5))
        ax.text(left, -0.3, name, fontsize=11)
        left += len(table) + gap
    ax.set(xlim=(-0.2, left - gap + 0.2), ylim=(len(padded) + 0.2, -1.2), aspect="equal")
    ax.set_axis_off()
    return fig


@in_course_style
def transposed(pixels, kernel, result, stride: int) -> Figure:
    """A row of pixels, a multiple of the kernel for each, and the sum; where the result is shorter, padding cuts both ends (grey)."""
    pixels, kernel = np.asarray(pixels), np.asarray(kernel)
    width = stride * (len(pixels) - 1) + len(kernel)
    cut = (width - len(result)) // 2
    copies = [(stride * i, pixel * kernel) for i, pixel in enumerate(pixels)]
    total = np.zeros(width)
    for start, copy in copies:
        total[start : start + len(kernel)] += copy
    total[cut : width - cut] = np.asarray(result)
    names = ["pixels", *(f"{pixel:.0f} times the kernel" for pixel in pixels), "sum"]
    tints = [TINTS[i % len(TINTS)] for i in range(len(pixels))]  # a pixel and its copy share one
    title = f"{len(pixels)} pixels become {len(result)}: copies of the kernel, {stride} apart, are added"
    fig, ax = figure(title, size=(7.2, 0.5 * len(names) + 0.6))
    for i, (name, (start, numbers)) in enumerate(zip(names, [(0, pixels), *copies, (0, total)])):
        for j, number in enumerate(numbers, start):
            grey = i == len(names) - 1 and not cut <= j < width - cut
            fill = "#EEEEEE" if grey else tints[j] if i == 0 else tints[i - 1] if i <= len(tints) else "white"
            ax.add_patch(Rectangle((j, i), 1, 1, fc=fill, ec="#BBBBBB", lw=0.8))
            ax.text(j + 0.5, i + 0.5, f"{number:.0f}", ha="center", va="center", fontsize=11, color="#777777" if grey else "black")
        ax.text(-0.3, i + 0.5, name, ha="right", va="center", fontsize=11)
    ax.add_patch(Rectangle((cut, len(names) - 1), len(result), 1, fill=False, ec=COLOURS[0], lw=2.5))
    ax.text(width + 0.3, len(names) - 0.5, "ends cut off" if cut else "", va="center", fontsize=11)
    ax.set(xlim=(-4, width + 3), ylim=(len(names) + 0.1, -0.2), aspect="equal")
    ax.set_axis_off()
    return fig


@in_course_style
def losses(runs: Mapping[str, tuple[float, Sequence[float], Mapping[int, float]]]) -> Figure:
    """Two runs compared after the same number of epochs, and at their ends, where they have cost the same.

    Args:
        runs: name -> (cost of an epoch, training losses, test losses after some of the epochs, the shorter run's last one among them).
    """
    shortest = min(len(values) for _, values, _ in runs.values())
    dear = max(price for price, _, _ in runs.values())
    ends = [{name: tested[shortest] for name, (_, _, tested) in runs.items()}]
    ends += [{name: tested[len(values)] for name, (_, values, tested) in runs.items()}]
    leads = [max(end.values()) - min(end.values()) for end in ends]
    titles = [
        f"{before}: {min(end, key=end.get)} {lead:.0f} nats ahead"
        for before, end, lead in zip((f"{shortest} epochs each", "similar time"), ends, leads)
    ]
    labels = ["epochs", f"time, if a {max(runs, key=lambda name: runs[name][0])} epoch counts as {dear:.0f}"]
    fig, axes = figure(titles, labels, "minus ELBO, nats (lower is better)", size=(9.6, 3.8))
    every = [v for _, values, tested in runs.values() for v in (*values[1:], *tested.values())]
    for ax, in_time, end, lead in zip(axes, (False, True), ends, leads):
        ahead = min(end, key=end.get)
        for colour, (name, (price, values, _)) in zip(COLOURS, runs.items()):
            seen = np.asarray(values if in_time else values[:shortest])
            times = np.arange(1, len(seen) + 1) * (price if in_time else 1)
            ax.plot(times, seen, "-o", ms=3, color=colour, lw=1.6)
            ax.plot(times[-1], end[name], "D", ls="", ms=7, mfc="none", mec=colour, mew=1.6)
            at = min(len(seen) - 1, max(1, round(0.36 * len(seen)) - 1))  # the name stands on the free side of its curve
            side = -1 if name == ahead else 1
            ax.annotate(
                name,
                (times[at], seen[at]),
                xytext=(6 * side, 3 * side),
                textcoords="offset points",
                color=colour,
                ha="right" if side < 0 else "left",
                va="top" if side < 0 else "bottom",
            )
        last = times[-1]
        ax.text(0.97, 0.93, "• training, ◇ test digits", transform=ax.transAxes, ha="right", va="center")
        ax.plot([1.05 * last] * 2, list(end.values()), "-_", color="black", lw=1.2, ms=9)  # the difference in the title
        ax.text(1.08 * last, sum(end.values()) / 2, f"{lead:.0f}", va="center")
        ax.set(xlim=(0, 1.17 * last), ylim=(min(every) - 5, max(every) + 5))
    return fig


@in_course_style
def shifts(pixels: Sequence[int], elbos: Mapping[str, Sequence[float]], ranges: Mapping[str, tuple[float, float]] | None = None) -> Figure:
    """How far the ELBO falls against the number of pixels by which the images are moved.

    Args:
        pixels: the shifts; the first is none.
        elbos: name -> the ELBO at each shift, in nats.
        ranges: name -> the smallest and the largest fall of ten other runs at the last shift; drawn as a bar beside it.
    """
    ranges = ranges or {}
    falls = {name: elbo[0] - elbo[-1] for name, elbo in elbos.items()}
    least = min(falls, key=falls.get)
    others = " and ".join(f"{fall:.0f}" for name, fall in falls.items() if name != least)
    kinds = {name.split(",")[0] for name in falls if name != least}
    rest = kinds.pop() if len(kinds) == 1 else "the others"
    title = f"{pixels[-1]} pixels cost: {least.split(',')[0]} {falls[least]:.0f} nats, {rest} {others}"
    fig, ax = figure(title, "shift to the right, pixels", "fall of the ELBO, nats per image", size=(7.2, 3.6))
    for (name, elbo), colour, style in zip(elbos.items(), (*COLOURS, COLOURS[-1]), ("-o", "--s", "-s")):
        ax.plot(pixels, elbo[0] - np.asarray(elbo), style, color=colour, ms=5)
        if name in ranges:
            ax.plot([pixels[-1] + 0.12 * (1 + list(ranges).index(name))] * 2, ranges[name], "-_", color=colour, lw=1.4, ms=7)
        right = pixels[-1] + 0.12 * len(ranges)
        ax.annotate(name, (right, falls[name]), xytext=(8, 0), textcoords="offset points", color=colour, va="center")
    if ranges:
        ax.text(0.02, 0.93, "bars: smallest to largest of ten runs, strokes", transform=ax.transAxes, va="center")
    ax.set(xticks=pixels, xlim=(pixels[0] - 0.1, pixels[0] + 1.5 * (pixels[-1] - pixels[0])))
    return fig


@in_course_style
def rows(pictures: Mapping[str, object], title: str = "") -> Figure:
    """Rows of images (N, 784), each with its name on the left, under a title."""
    n = max(len(row) for row in pictures.values())
    fig, ax = figure(title, size=(0.85 * n + 1.6, 0.85 * len(pictures) + 0.3 * bool(title)))
    ax.set_axis_off()
    sheet = np.concatenate([np.concatenate(np.asarray(row).reshape(-1, 28, 28), 1) for row in pictures.values()], 0)
    ax.imshow(sheet, cmap="Greys", vmin=0, vmax=1)
    for edge in range(0, 28 * n + 1, 28):
        ax.plot([edge - 0.5] * 2, [-0.5, len(sheet) - 0.5], color="#BBBBBB", lw=0.8)
    for i, name in enumerate(pictures):
        ax.plot([-0.5, 28 * n - 0.5], [28 * i - 0.5] * 2, color="#BBBBBB", lw=0.8)
        ax.text(-8, 28 * i + 14, name, ha="right", va="center")
    ax.plot([-0.5, 28 * n - 0.5], [len(sheet) - 0.5] * 2, color="#BBBBBB", lw=0.8)
    ax.set(xlim=(-1, 28 * n), ylim=(len(sheet), -1))
    return fig
