"""Figures of notebook 01: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vaecourse.plots import COLORS, _subplots, figure, in_course_style
from vaecourse.plots import images as plain_images
from vaecourse.plots import scoreboard as plain_scoreboard

INK = "#333333"


@in_course_style
def stored(grey, title: str, row: int, column: int, side: int = 11) -> Figure:
    """An image of grey levels (784,), and beside it the numbers of a framed square whose upper left pixel is (row, column)."""
    picture = np.asarray(grey).reshape(28, 28)
    fig, (seen, numbers) = figure([title, "What is stored for the framed part"], size=(8.6, 4.1))
    _page(seen, picture, vmax=picture.max())
    left, right, top, bottom = column - 0.5, column + side - 0.5, row - 0.5, row + side - 0.5
    seen.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=COLORS["naive"])
    for i, j in np.ndindex(side, side):
        numbers.text(j, i, str(picture[row + i, column + j]), ha="center", va="center", fontsize=9)
    numbers.set(xlim=(-0.6, side - 0.4), ylim=(side - 0.4, -0.6))
    numbers.axis("off")
    return fig


@in_course_style
def images(x, title: str, captions: Sequence[str], columns: int | None = None, size: float = 1.5) -> Figure:
    """The images (N, D) of `plots.images`, with their title close above them, whatever the number of lines of the captions."""
    fig = plain_images(x, title, captions, columns, size=size)
    rows, lines = -(-len(x) // (columns or len(x))), 1 + max(caption.count("\n") for caption in captions)
    fig.set_figheight(rows * (0.95 * size + 0.15 + 0.14 * lines) + 0.3)
    return fig


@in_course_style
def steps(title: str, points: Sequence[object], curves: Sequence[object], placed: Sequence[object], ink, x) -> Figure:
    """How a digit is written: points and curves of the unit square (M, 2), curves in pixels, ink (784,), and the binary image.

    A point that is given twice, where two smooth curves meet in a corner, is ringed.
    """
    titles = ["1. points", "2. smooth curves", "3. bent, scaled,\nslanted, turned", "4. ink", "5. coins"]
    fig, axes = figure(titles, size=(9.0, 2.75))
    fig.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    for ax, several, style in zip(axes, (points, curves, placed), ("o", "-", "-")):
        for part in several:
            ax.plot(*np.asarray(part).T, style, color=INK, ms=5)
    for part in map(np.asarray, points):
        corners = part[1:][(part[1:] == part[:-1]).all(1)]
        for ax in axes[:2]:
            ax.plot(*corners.T, "o", ms=12, mfc="none", mec=COLORS["naive"], mew=1.8)
    for ax, picture in zip(axes[3:], (ink, x)):
        _page(ax, np.asarray(picture).reshape(28, 28))
    for ax, box in zip(axes, [(-0.1, 1.1, 1.1, -0.1)] * 2 + [(-13.5, 13.5, 13.5, -13.5)]):
        ax.set(xlim=box[:2], ylim=box[2:])
    for ax in axes[:3]:
        ax.set(xticks=[], yticks=[], aspect="equal")
        ax.grid(False)
        ax.spines[:].set_visible(True)
    return fig


@in_course_style
def bayes_rule(picture, names: Sequence[str], likelihood, joint, posterior) -> Figure:
    """A small image (D,), and for each latent three bars with their values: likelihood and joint in thousandths, and posterior.

    The bars of the joint, named with the prior, are laid end to end and end at p(x), the bar below them.
    The outer titles name the largest bar.
    """
    side = int(round(len(picture) ** 0.5))
    first = [names[int(np.argmax(values))] for values in (likelihood, posterior)]
    titles = ["The image x", f"Largest likelihood:\n{first[0]}", "The joint adds up\nto p(x)", f"Most probable:\n{first[1]}"]
    labels = ["", "p(x|z), in thousandths", "p(z) p(x|z), in thousandths,\nrounded", "p(z|x)"]
    fig, axes = figure(titles, labels, size=(9.6, 3.1))
    _page(axes[0], np.asarray(picture).reshape(side, side))
    for edge in np.arange(side - 1) + 0.5:  # borders between the pixels, which paper alone would not show
        axes[0].axhline(edge, color="#BBBBBB", lw=0.8)
        axes[0].axvline(edge, color="#BBBBBB", lw=0.8)
    likelihood, joint, posterior = 1000 * np.asarray(likelihood), 1000 * np.asarray(joint), np.asarray(posterior)
    _bars(axes[1], names, likelihood, ["#555555" if v == likelihood.max() else "#55555588" for v in likelihood])
    with_prior = [f"{name}\np(z) = {prior:.3g}" for name, prior in zip(names, joint / likelihood)]
    ends = np.append(joint.cumsum(), joint.sum())
    _bars(axes[2], [*with_prior, "p(x)"], np.append(joint, joint.sum()), ["#888888"] * len(joint) + [COLORS["exact"]], ends)
    axes[2].set(xlim=axes[1].get_xlim())  # one scale, so that the prior is seen to shorten the bars
    _bars(axes[3], names, posterior, [COLORS["posterior"] if v == posterior.max() else f"{COLORS['posterior']}88" for v in posterior])
    return fig


def _bars(ax: Axes, names: Sequence[str], values: np.ndarray, colors: Sequence[str], ends: np.ndarray | None = None) -> None:
    """A horizontal bar a name, with its value behind it; it ends at `ends`, by default at its value."""
    ends = values if ends is None else ends
    ax.barh(names, values, left=ends - values, color=colors)
    for i, (value, end) in enumerate(zip(values, ends)):
        ax.annotate(f"{value:.2f}", (end, i), xytext=(4, 0), textcoords="offset points", va="center", fontsize=10)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.4 * ends.max()), xticks=[])
    ax.grid(False)


@in_course_style
def calibration(title: str, groups: Sequence[str], expected, made) -> Figure:
    """For each group of images two bars, with their values: the number of wrong favourites expected, and the number found.

    Args:
        title: the title.
        groups: the name of each group; the first, for all images, is drawn bold.
        expected: the number of errors expected from the posterior (G,), above 0.
        made: the number that is wrong (G,).
    """
    at = np.arange(len(groups))
    fig, ax = figure(title, "number of wrong favourites", "probability of the favourite", size=(8.2, 4.0))
    for values, color, shift, word in ((expected, COLORS["posterior"], -0.19, "expected"), (made, INK, 0.19, "found")):
        ax.barh(at + shift, values, height=0.36, color=color)
        for i, value in enumerate(np.asarray(values)):
            text = f"{value:.0f}" if value >= 10 or word == "found" else f"{value:.2g}" if value >= 0.001 else _power(value)
            ax.annotate(f"{text} {word}", (value, i + shift), xytext=(5, 0), textcoords="offset points", va="center", fontsize=11)
    ax.set(xlim=(0, 1.25 * np.max([expected, made])), yticks=at, yticklabels=groups, ylim=(len(at) - 0.5, -0.5))
    ax.get_yticklabels()[0].set_fontweight("bold")
    ax.grid(axis="y", visible=False)
    return fig


@in_course_style
def sure_and_right(title: str, examples: Mapping[str, object], sure, right, spread, corner: int = 11, side: int = 7) -> Figure:
    """For each kind of image a row: an example, the mean probability of the favourite, and the share of the favourites that are right.

    Args:
        title: the title.
        examples: the name of each row, and an image of its kind (784,).
        sure: the mean probability of the favourite, in percent (G,).
        right: the percentage that is right (G,).
        spread: the standard deviation of that share under the posterior (G,), in percent, drawn as a bar around `sure`.
        corner: the row and the column of the upper left pixel of a framed square in each example.
        side: of this square, in pixels.
    """
    at = np.arange(len(examples))
    sure, right = np.asarray(sure), np.asarray(right)
    fig, ax = figure(
        title, "percent (bar: ± one standard deviation of right, if the posterior were correct)", size=(8.6, 0.9 + 1.05 * len(examples))
    )
    for i, x in enumerate(examples.values()):
        picture = ax.inset_axes((-0.17, i - 0.46, 0.16, 0.92), transform=ax.get_yaxis_transform())
        _page(picture, np.asarray(x).reshape(28, 28))
        picture.set_anchor("E")
        picture.add_patch(Rectangle((corner - 0.5, corner - 0.5), side, side, fill=False, color=COLORS["naive"], lw=1.5))
    ax.hlines(at, right, sure, color="#BBBBBB", lw=1.5, zorder=1)
    ax.errorbar(sure, at, xerr=spread, fmt="o", ms=8, color=COLORS["posterior"], ecolor=INK, capsize=5, elinewidth=1.2)
    ax.plot(right, at, "s", ms=5, color=INK, zorder=3)
    for i, pair in enumerate(zip(sure, right)):
        for word, value, other in (("sure", *pair), ("right", *pair[::-1])):
            outside = 1 if (value, word) > (other, "right") else -1  # the larger value is written to the right, the smaller to the left
            place = {"xytext": (14 * outside, 0), "textcoords": "offset points", "ha": "left" if outside > 0 else "right"}
            ax.annotate(f"{word} {value:.1f} %", (value, i), **place, va="center", fontsize=11)
    low, high = min(sure.min(), right.min()), max(sure.max(), right.max())
    room = 0.3 * (high - low)
    ax.set(xlim=(low - room, high + room), yticks=at, yticklabels=list(examples), ylim=(len(at) - 0.5, -0.5))
    ax.tick_params(axis="y", pad=90, length=0)
    ax.set_xticks([t for t in range(0, 101, 10) if low - room <= t <= high + room])
    ax.grid(axis="y", visible=False)
    return fig


def _power(value: float) -> str:
    """A small number above 0 with one digit, as mathtext: "$2 \\times 10^{-9}$", or "$10^{-9}$"."""
    digit, exponent = f"{value:.0e}".split("e")
    factor = "" if digit == "1" else rf"{digit} \times "
    return f"${factor}10^{{{int(exponent)}}}$"


@in_course_style
def scoreboard(title: str, rows: Sequence[tuple[str, str, float, float, float]]) -> Figure:
    """The scoreboard under another title, with each estimate written beside its point, in nats."""
    fig = plain_scoreboard(rows)
    (ax,) = fig.axes
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold")
    ax.set_xlabel("log p(x) of one held-out digit, nats (tall line: the exact value)")
    for i, (_, _, estimate, _, _) in enumerate(rows):
        ax.annotate(f"{estimate:.2f}", (estimate, i), xytext=(-7, 0), textcoords="offset points", ha="right", va="center", fontsize=10)
    return fig


@in_course_style
def fatal_pixels(title: str, x, fatal, own: int, columns: int = 5) -> Figure:
    """One digit (784,) for each template, with the pixels that are impossible under it in orange: fatal (C, 784). `own` is in bold."""
    x, fatal = np.asarray(x).reshape(28, 28), np.asarray(fatal).reshape(-1, 28, 28)
    rows = -(-len(fatal) // columns)
    fig, axes = _subplots(rows, columns, (1.75 * columns, 1.95 * rows + 0.3))
    for z, (ax, wrong) in enumerate(zip(axes.flat, fatal)):
        _page(ax, 0.35 * x)
        down, across = np.nonzero(wrong)
        ax.plot(across, down, "s", ms=5, color=COLORS["naive"])
        count = len(down)
        weight = "bold" if z == own else "normal"
        ax.set_title(f"z = {z}: {count} pixel{'s' * (count != 1)}", fontsize=10, fontweight=weight)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return fig


@in_course_style
def explanations(title: str, x, names: Sequence[str], templates, captions: Sequence[Sequence[str]], posterior) -> Figure:
    """Images with their competing explanations, a row an image: the image, and templates over bars of their posterior probability.

    The outline of the image is drawn on its templates.

    Args:
        x: images (B, 784).
        names: a text above each of them.
        templates: (B, C, 784), the probabilities of ink of the C explanations that are shown.
        captions: C texts an image, written above the templates.
        posterior: (B, C), the probabilities of these explanations.
    """
    x, templates, posterior = (np.asarray(part) for part in (x, templates, posterior))
    count = templates.shape[1]
    fig, axes = _subplots(2 * len(x), count + 1, (1.95 * (count + 1), 2.75 * len(x) + 0.4))
    grid = axes[0, 0].get_gridspec()
    grid.set_height_ratios([1, 0.13] * len(x))
    for i, image in enumerate(x):
        for ax in axes[2 * i : 2 * i + 2, 0]:
            ax.remove()
        whole = fig.add_subplot(grid[2 * i : 2 * i + 2, 0])
        _page(whole, image.reshape(28, 28))
        whole.set_title(names[i])
        for c in range(count):
            _page(axes[2 * i, c + 1], templates[i, c].reshape(28, 28))
            axes[2 * i, c + 1].contour(image.reshape(28, 28), [0.5], colors=[COLORS["naive"]], linewidths=1)
            axes[2 * i, c + 1].set_title(captions[i][c], fontsize=10, fontweight="normal")
            _share(axes[2 * i + 1, c + 1], posterior[i, c])
        axes[2 * i + 1, 1].set_ylabel("p(z|x)", rotation=0, ha="right", va="center")
    fig.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return fig


def _share(ax: Axes, value: float) -> None:
    """A bar on a scale from 0 to 1, which the frame shows, with its number in the middle."""
    ax.barh(0, value, height=1, color=COLORS["posterior"])
    text = f"{value:.2f}" if value >= 0.005 else f"{value:.0e}" if value > 0 else "0"
    ax.text(0.5, 0, text, ha="center", va="center", fontsize=11, fontweight="bold")
    ax.set(xlim=(0, 1), ylim=(-0.5, 0.5), xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(True)
    ax.spines[:].set_color("#BBBBBB")


def _page(ax: Axes, picture: np.ndarray, vmax: float = 1) -> None:
    """A picture in ink on paper, framed, without ticks."""
    ax.imshow(picture, cmap="gray_r", vmin=0, vmax=vmax)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(True)
    ax.spines[:].set_color("#BBBBBB")
