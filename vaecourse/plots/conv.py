"""The figures of the notebook on convolutional VAEs: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vaecourse.plots import COLORS, figure, in_course_style

__all__ = ["convolution", "leads", "losses", "rows", "shifts", "transposed"]

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
def leads(comparisons: Sequence[str], new: Sequence[Sequence[float]], trained: Sequence[Sequence[float]], title: str) -> Figure:
    """The convolutional VAE's leads, a dot for each seed: two rows for each comparison, filled on test digits, open on training digits.

    Args:
        comparisons: what was compared.
        new, trained: the leads on test and on training digits, in nats, a row for each comparison; a ring marks the first of each row.
        title: the finding.
    """
    fig, ax = figure(title, "lead of the convolutional VAE on the strokes, nats", size=(8.4, len(comparisons) + 1.0))
    most = max(abs(lead) for row in (*new, *trained) for lead in row)
    ax.axvline(0, color="black", lw=1.2)
    for i, rows in enumerate(zip(new, trained)):
        for y, row, name in zip((3 * i, 3 * i + 1), rows, ("test digits", "training digits")):
            for lead in row:
                colour = COLOURS[0] if lead > 0 else COLOURS[1]
                ax.plot(lead, y, "o", ms=6, mec=colour, mfc="white" if name == "training digits" else colour, mew=1.3, alpha=0.85)
            ax.plot(row[0], y, "o", ms=12, mfc="none", mec="black", mew=1.1)
            ax.annotate(name, (1, y), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points", va="center")
    ax.set_yticks([3 * i + 0.5 for i in range(len(comparisons))], comparisons)
    for name, x, side, colour in zip(("convolutional", "fully connected"), (0.02, -0.02), ("left", "right"), COLOURS):
        ax.text(x * most, -1.2, f"{name} ahead", ha=side, va="center", color=colour)
    ax.text(-1.15 * most, 3 * len(comparisons) - 1.5, "ring: seed 0, as in this notebook", va="center")
    ax.set(xlim=(-1.2 * most, 1.2 * most), ylim=(3 * len(comparisons) - 1, -1.8))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
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
        ax.text(0.97, 0.97, "• training digits, mean over the epoch\n◇ test digits, after it", transform=ax.transAxes, ha="right", va="top")
        ax.plot([1.05 * last] * 2, list(end.values()), "-_", color="black", lw=1.2, ms=9)  # the difference in the title
        ax.text(1.08 * last, sum(end.values()) / 2, f"{lead:.0f}", va="center")
        ax.set(xlim=(0, 1.17 * last), ylim=(min(every) - 5, max(every) + 5))
    return fig


@in_course_style
def shifts(pixels: Sequence[int], elbos: Mapping[str, Sequence[float]], others: Sequence[tuple[float, float, float]]) -> Figure:
    """How far the ELBO falls against the number of pixels by which the images are moved.

    Args:
        pixels: the shifts; the first is none.
        elbos: name -> the ELBO at each shift, in nats; the names of a kind are alike up to a comma.
        others: for each of them, the smallest fall of ten runs at the last shift, their mean and the largest; drawn as a bar beside it.
    """
    kinds: dict[str, list[str]] = {}
    for name, (_, mean, _) in zip(elbos, others):
        kinds.setdefault(name.split(",")[0], []).append(f"{mean:.0f}")
    said = ", ".join(f"{kind} {' and '.join(means)} nats" for kind, means in kinds.items())
    title = f"Mean cost of {pixels[-1]} pixels: {said}"
    fig, ax = figure(title, "shift to the right, pixels", "fall of the ELBO, nats per image", size=(7.6, 3.6))
    for i, ((name, elbo), colour, style) in enumerate(zip(elbos.items(), (*COLOURS, COLOURS[-1]), ("-o", "--s", "-s"))):
        ax.plot(pixels, elbo[0] - np.asarray(elbo), style, color=colour, ms=5)
        least, mean, most = others[i]
        at = pixels[-1] + 0.13 * (i + 1)
        ax.plot([at] * 2, [least, most], style[:-1] + "_", color=colour, lw=1.4, ms=7)
        ax.plot(at, mean, style[-1], color=colour, ms=4)
        right = pixels[-1] + 0.13 * len(others)
        ax.annotate(name, (right, mean), xytext=(8, 0), textcoords="offset points", color=colour, va="center")
    ax.text(0.02, 0.93, "lines: our run; bars: ten runs on the strokes, and their mean", transform=ax.transAxes, va="center")
    ax.set(xticks=pixels, xlim=(pixels[0] - 0.1, pixels[0] + 1.6 * (pixels[-1] - pixels[0])))
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
