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
    """F (S, T), the log-probability with extra images, of S starts against T rounds: the last nats of each, the lowest in colour."""
    curves = np.asarray(curves)
    first, ends, rounds = curves[:, 0], curves[:, -1], np.arange(1, curves.shape[1] + 1)
    lowest = int(ends.argmin())
    fig, ax = figure(title, "round of EM", "F, nats an image", size=(7.4, 3.8))
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
    fig, axes = figure([*names, "how sure, and how often right"], size=(10.4, 3.7))
    grid = axes[0].get_gridspec()
    grid.set_width_ratios([1] * count + [1.9])
    for ax, pixels in zip(axes, kept):
        faded = 0.18 * np.asarray(x, dtype=float)
        _page(ax, faded.reshape(28, 28))
        rows, columns = np.divmod(np.asarray(pixels), 28)
        ink = np.asarray(x)[np.asarray(pixels)] > 0.5
        for some, face in ((ink, "black"), (~ink, "white")):
            ax.scatter(columns[some], rows[some], s=18, marker="s", c=face, edgecolors=COLORS["naive"], linewidths=0.8)
    dots, labels, y = axes[-1], [], 0.0
    for name, pairs in zip([*names, f"all {len(x)}"], [*found, [whole]]):
        labels.append((y, f"{name}:"))
        for kind, (sure, right) in zip(("digits", "own samples"), pairs):
            y += 1
            labels.append((y, kind))
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
        y += 1.3
    sure, right = found[0][0]
    for value, text, color in ((sure, "sure", "#9A6700"), (right, "right", INK)):
        ha = "left" if value == max(sure, right) else "right"
        dots.annotate(text, (value, 1), xytext=(0, 7), textcoords="offset points", ha=ha, fontsize=9, color=color)
    dots.set(yticks=[y for y, _ in labels], yticklabels=[text for _, text in labels], xlim=(0.5, 1.18), ylim=(labels[-1][0] + 0.6, -0.6))
    dots.set(xticks=[0.5, 0.6, 0.7, 0.8, 0.9, 1.0], xticklabels=[f"{p} %" for p in (50, 60, 70, 80, 90, 100)])
    dots.grid(axis="y", visible=False)
    dots.tick_params(axis="y", length=0)
    for (_, text), label in zip(labels, dots.get_yticklabels()):
        label.set(fontsize=9, fontweight="bold" if text.endswith(":") else "normal")
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
    fig, ax = figure("", "number of templates (logarithmic axis)", "log p(x), nats per held-out digit", size=(8.4, 4.4))
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    ticks = sorted({n for sizes in scores.values() for n in sizes})
    last = ax.inset_axes((0.53, 0.12, 0.33, 0.4))  # where the lines cross
    for (name, sizes), color, dy in zip(scores.items(), ("naive", "importance"), (-9, 4)):
        means = [np.mean(starts) for starts in sizes.values()]
        line(ax, list(sizes), means, name, color, nudge=(6, dy))
        last.plot(list(sizes), means, color=COLORS[color])
        for n, starts in sizes.items():
            for panel in (ax, last):
                panel.plot([n] * len(starts), starts, "o", ms=4, color=COLORS[color], alpha=0.8)
    for panel in (ax, last):
        panel.axhline(level, color=COLORS["exact"], ls="--", lw=1.2)
        panel.axvline(as_large, color=COLORS["prior"], lw=1, ls=":")
        panel.set(xscale="log", xticks=ticks, xticklabels=ticks)
        panel.minorticks_off()
    ax.text(ticks[0], level + 1, f"two continuous latents: {level:.1f}", fontsize=9)
    ax.set_xticklabels([f"{n}\n(as many parameters\nas the decoder)" if n == as_large else n for n in ticks])
    ax.set_xlim(0.9 * ticks[0], 1.35 * ticks[-1])
    shown = [score for sizes in scores.values() for score in sizes[ticks[-1]]] + [level]
    last.set(xlim=(0.9 * ticks[-2], 1.12 * ticks[-1]), ylim=(min(shown) - 2.5, max(shown) + 1))
    last.set_title("enlarged", fontsize=9, fontweight="normal", loc="left")
    last.tick_params(labelsize=8)
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
    top_of = {name: _bars(ax, found, colors[name]) for name, found in values.items()}
    top = max(top_of.values())
    ax.axvline(blank, ymax=0.6, color=colors["blank page"], lw=1.2, ls="--")
    middle = {"blank page": blank} | {name: float(np.median(np.asarray(found))) for name, found in values.items()}
    for (name, place), centre in zip(middle.items(), (0.048, 0.18, 0.37, list(middle.values())[-1] / 420)):
        inset = ax.inset_axes((centre - 0.045, 0.78, 0.09, 0.22))
        _page(inset, np.asarray(pictures[name]).reshape(28, 28))
        inset.set_xlabel(captions[name], fontsize=9, color=colors[name])
        if name != "blank page":  # its dashed line leads to it
            ends = {"xy": (place, 1.02 * top_of[name]), "xytext": (420 * centre, 1.1 * top), "textcoords": "data"}
            ax.annotate("", **ends, arrowprops={"arrowstyle": "-", "color": colors[name], "lw": 1})
    ax.set(xlim=(0, 420), ylim=(0, 1.75 * top))
    return fig


def _bars(ax: Axes, found, color: str) -> float:
    """A histogram, and the height of its highest bar."""
    heights, _, _ = ax.hist(np.asarray(found), bins=np.arange(0, 421, 6), color=color, alpha=0.85)
    return heights.max()


@in_course_style
def code_lengths(title: str, bits: Mapping[str, float], ours: Sequence[str], counting: str, early: tuple[str, float]) -> Figure:
    """A bar a code with its bits, from above: `ours` in the models' colour, the one that counts as it goes in another, files grey.

    The pair `early` names and gives the bits of `counting` at its beginning, a mark on its bar.
    """
    fig, ax = figure("", "bits per held-out digit", size=(7.6, 3.8))
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    color = {name: COLORS["importance"] for name in ours} | {counting: COLORS["naive"]}
    ax.barh(list(bits), list(bits.values()), color=[color.get(name, COLORS["prior"]) for name in bits])
    for i, (name, value) in enumerate(bits.items()):
        text, end = f"{value:.0f}", value
        if name == counting:
            text, end = f"{value:.0f} ({early[0]}: {early[1]:.0f})", max(value, early[1])
            ax.plot(early[1], i, "|", color=COLORS["exact"], ms=18, mew=2)
        ax.annotate(text, (end, i), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
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
