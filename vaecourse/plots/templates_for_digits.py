"""Figures of notebook 01b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, images, in_course_style, line

INK = "#333333"
KINDS = (INK, COLORS["naive"], COLORS["prior"])


@in_course_style
def climbs(title: str, curves) -> Figure:
    """Log-probability (S, T) of S starts against T rounds: the last nats of each climb, the lowest end in colour, the others grey."""
    curves = np.asarray(curves)
    first, ends, rounds = curves[:, 0], curves[:, -1], np.arange(1, curves.shape[1] + 1)
    lowest = int(ends.argmin())
    fig, ax = figure(title, "round of EM", "log-probability with extra images,\nnats an image", size=(7.4, 3.8))
    for i, curve in enumerate(curves):
        ax.plot(rounds, curve, color=COLORS["naive"] if i == lowest else "#999999", lw=1.8, zorder=3 if i == lowest else 2)
    for name, end, color, dy in (("highest", ends.max(), "#666666", 3), ("lowest", ends.min(), COLORS["naive"], -3)):
        ax.annotate(
            f"{name} of {len(curves)}:\n{end:.1f}", (rounds[-1], end), xytext=(5, dy), textcoords="offset points", va="center", color=color
        )
    ax.text(0.02, 0.9, f"after round 1, far below: {first.min():.0f} to {first.max():.0f}", transform=ax.transAxes, fontsize=9)
    ax.set(xscale="log", xlim=(1, 1.7 * rounds[-1]), ylim=(ends.min() - 3, ends.max() + 0.5))
    ticks = [n for n in (1, 2, 5, 10, 20, 50, 100) if n <= rounds[-1]]
    ax.set(xticks=ticks, xticklabels=ticks)
    ax.minorticks_off()
    return fig


@in_course_style
def two_rows(title: str, pictures, row_names: Sequence[str], captions: Sequence[str]) -> Figure:
    """Two rows of pictures (2C, 784) with their names; the C captions stand under the upper row."""
    return images(pictures, title, captions, columns=len(pictures) // 2, row_names=row_names, size=0.95)


@in_course_style
def evidence(
    title: str,
    x,
    kept: Sequence[object],
    names: Sequence[str],
    found: Sequence[Sequence[tuple[float, float]]],
    whole: tuple[float, float],
) -> Figure:
    """An image (784,) of which only some pixels are kept, once for each set, and beside it how sure and how right the posterior is.

    Args:
        kept: for each set the numbers of its pixels.
        found: for each set two pairs (mean largest posterior, share of right classes): real digits, then samples from the model.
        whole: the pair of real digits with every pixel.
    """
    count = len(kept)
    fig, axes = figure([*names, "how sure, and how often right"], size=(9.6, 3.4))
    grid = axes[0].get_gridspec()
    grid.set_width_ratios([1] * count + [1.9])
    for ax, pixels in zip(axes, kept):
        faded = 0.18 * np.asarray(x, dtype=float)
        _page(ax, faded.reshape(28, 28))
        rows, columns = np.divmod(np.asarray(pixels), 28)
        ink = np.asarray(x)[np.asarray(pixels)] > 0.5
        for some, face in ((ink, "black"), (~ink, "white")):
            ax.scatter(columns[some], rows[some], s=18, marker="s", c=face, edgecolors=COLORS["naive"], linewidths=0.8)
    dots, labels = axes[-1], []
    for i, (name, pairs) in enumerate(zip([*names, f"all {len(x)}"], [*found, [whole]])):
        for j, (kind, (sure, right)) in enumerate(zip(("digits", "own samples"), pairs)):
            y = 2.4 * i + j
            labels.append((y, f"{name}:\n{kind}" if j == 0 else kind))
            dots.plot([sure, right], [y, y], color=COLORS["prior"], lw=3, alpha=0.5)
            dots.plot(sure, y, "o", color=COLORS["posterior"], ms=8, zorder=3)
            dots.plot(right, y, "D", color=COLORS["exact"], ms=5, zorder=4)
            dots.annotate(
                f"{100 * (sure - right):+.1f} points",
                (max(sure, right), y),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
    sure, right = found[0][0]
    for value, text, color in ((sure, "sure", "#9A6700"), (right, "right", INK)):
        ha = "left" if value == max(sure, right) else "right"
        dots.annotate(text, (value, 0), xytext=(0, 8), textcoords="offset points", ha=ha, fontsize=9, color=color)
    dots.set(yticks=[y for y, _ in labels], yticklabels=[text for _, text in labels], xlim=(0.5, 1.18), ylim=(labels[-1][0] + 0.6, -0.8))
    dots.set(xticks=[0.5, 0.6, 0.7, 0.8, 0.9, 1.0], xticklabels=[f"{p} %" for p in (50, 60, 70, 80, 90, 100)])
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    for ax in axes:
        ax.set_title(ax.get_title(loc="left"), fontsize=10, fontweight="normal", loc="left")
    return fig


@in_course_style
def smoothing(title: str, amounts: Sequence[float], curves: Mapping[str, Sequence[float]]) -> Figure:
    """Held-out log p(x) against the amount of smoothing, a curve a name, each with its maximum marked."""
    fig, ax = figure(title, "extra images a of each kind", "log p(x), nats per held-out digit", size=(7.4, 3.8))
    for (name, values), color in zip(curves.items(), ("naive", "importance")):
        line(ax, amounts, values, name, color, end=1, nudge=(0, -14), marker="o", ms=3)
        top = int(np.argmax(values))
        ax.plot(amounts[top], values[top], "*", ms=13, color=COLORS[color], zorder=4)
        ax.annotate(f"{values[top]:.1f}", (amounts[top], values[top]), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=9)
    lowest = min(min(values) for values in curves.values())
    highest = max(max(values) for values in curves.values())
    ax.axvline(1, color=COLORS["prior"], ls="--", lw=1.2)
    ax.text(0.8, lowest, "a = 1", fontsize=9, color="#555555", ha="right")
    ax.set(xscale="log", ylim=(lowest - 0.05 * (highest - lowest), highest + 0.15 * (highest - lowest)))
    return fig


@in_course_style
def templates_and_latents(title: str, scores: Mapping[str, Mapping[int, Sequence[float]]], level: float, as_large: int) -> Figure:
    """Scores against the number of templates: a curve a name, a dot for each start; `level` is the model with two latents."""
    fig, ax = figure(title, "number of templates", "log p(x), nats per held-out digit", size=(7.4, 3.9))
    for (name, sizes), color, dy in zip(scores.items(), ("naive", "importance"), (-9, 4)):
        line(ax, list(sizes), [np.mean(starts) for starts in sizes.values()], name, color, nudge=(6, dy))
        for n, starts in sizes.items():
            ax.plot([n] * len(starts), starts, "o", ms=4, color=COLORS[color], alpha=0.8)
    ticks = sorted({n for sizes in scores.values() for n in sizes})
    low = min(min(starts) for sizes in scores.values() for starts in sizes.values())
    ax.axhline(level, color=COLORS["exact"], ls="--", lw=1.2)
    ax.text(ticks[0], level + 1, f"two continuous latents: {level:.1f}", fontsize=9)
    ax.axvline(as_large, color=COLORS["prior"], lw=1, ls=":")
    ax.text(as_large * 0.97, low, "as many parameters\nas the decoder", fontsize=9, ha="right", color="#555555")
    ax.set(xscale="log", xticks=ticks, xticklabels=ticks, xlim=(0.9 * ticks[0], 1.35 * ticks[-1]))
    ax.minorticks_off()
    return fig


@in_course_style
def distances(
    title: str, values: Mapping[str, object], blank: float, pictures: Mapping[str, object], captions: Mapping[str, str]
) -> Figure:
    """How far three kinds of images are from the nearest training digit: a histogram each, with an example and its caption above.

    Args:
        values: from a name to the numbers of differing pixels.
        blank: the same of the blank page, a line.
        pictures, captions: one example (784,) and one text for each name and for the "blank page".
    """
    fig, ax = figure("", "pixels in which the nearest training digit differs", "images", size=(9.0, 4.1))
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    colors = dict(zip(values, KINDS)) | {"blank page": COLORS["importance"]}
    top = max(_bars(ax, found, colors[name]) for name, found in values.items())
    ax.axvline(blank, ymax=0.6, color=colors["blank page"], lw=1.2, ls="--")
    names = ["blank page", *values]
    for name, centre in zip(names, (0.065, 0.225, 0.43, float(np.median(np.asarray(list(values.values())[-1]))) / 420)):
        inset = ax.inset_axes((centre - 0.055, 0.78, 0.11, 0.22))
        _page(inset, np.asarray(pictures[name]).reshape(28, 28))
        inset.set_xlabel(captions[name], fontsize=9, color=colors[name])
    ax.set(xlim=(0, 420), ylim=(0, 1.75 * top))
    return fig


def _bars(ax: Axes, found, color: str) -> float:
    """A histogram, and the height of its highest bar."""
    heights, _, _ = ax.hist(np.asarray(found), bins=np.arange(0, 421, 6), color=color, alpha=0.85)
    return heights.max()


@in_course_style
def code_lengths(title: str, bits: Mapping[str, float], ours: Sequence[str], counting: str) -> Figure:
    """A bar a code with its bits, from above: `ours` in the models' colour, the one that counts as it goes in another, files grey."""
    fig, ax = figure("", "bits per held-out digit", size=(7.6, 3.8))
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    color = {name: COLORS["importance"] for name in ours} | {counting: COLORS["naive"]}
    ax.barh(list(bits), list(bits.values()), color=[color.get(name, COLORS["prior"]) for name in bits])
    for i, value in enumerate(bits.values()):
        ax.annotate(f"{value:.0f}", (value, i), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
    key = (("files", COLORS["prior"]), ("models trained on digits", COLORS["importance"]), ("learns while it codes", COLORS["naive"]))
    for i, (text, of) in enumerate(key):
        ax.text(0.97, 0.42 - 0.09 * i, text, color=of, transform=ax.transAxes, ha="right", fontsize=10, fontweight="bold")
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    return fig


def _page(ax: Axes, picture: np.ndarray) -> None:
    """A picture in ink on paper, framed, without ticks."""
    ax.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(True)
    ax.spines[:].set_color("#BBBBBB")
