"""Figures of notebook 01b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line


@in_course_style
def climbs(title: str, curves) -> Figure:
    """F (S, T), the log-probability with extra images, of S starts against T rounds: the last nats, the best and worst in colour."""
    curves = np.asarray(curves)
    first, ends, rounds = curves[:, 0], curves[:, -1], np.arange(1, curves.shape[1] + 1)
    of_curve = {int(ends.argmax()): COLORS["exact"], int(ends.argmin()): COLORS["naive"]}
    fig, ax = figure(title, "round of EM", "F, nats per image", size=(7.4, 3.8))
    for i, curve in enumerate(curves):
        ax.plot(rounds, curve, color=of_curve.get(i, "#999999"), lw=1.8, zorder=3 if i in of_curve else 2)
    for name, end, color, dy in (("highest", ends.max(), COLORS["exact"], 3), ("lowest", ends.min(), COLORS["naive"], -3)):
        ax.annotate(
            f"{name} of {len(curves)}:\n{end:.1f}", (rounds[-1], end), xytext=(5, dy), textcoords="offset points", va="center", color=color
        )
    ax.text(0.02, 0.9, f"after round 1, far below: {first.min():.0f} to {first.max():.0f}", transform=ax.transAxes, fontsize=9)
    ax.set(xscale="log", xlim=(1, rounds[-1]), ylim=(ends.min() - 3, ends.max() + 0.5))
    ticks = [n for n in (1, 2, 5, 10, 20, 50, 100) if n <= rounds[-1]]
    ax.set(xticks=ticks, xticklabels=ticks)
    ax.minorticks_off()
    return fig


@in_course_style
def shared(title: str, pictures, weights, shares) -> Figure:
    """Pictures (C, 784), five in a row, with the weight p(z) above each and a bar for each of its shares below.

    Args:
        weights, shares: the p(z) of the C pictures, and how each divides among the classes (C, K).
    """
    rows = -(-len(pictures) // 5)
    fig, axes = plt.subplots(
        2 * rows, 5, figsize=(7.4, 2.4 * rows + 0.3), height_ratios=[1.45, 0.9] * rows, layout="constrained", squeeze=False
    )
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.set_visible(False)
    above, below = axes[0::2].flat, axes[1::2].flat
    for page, bars, picture, weight, share in zip(above, below, np.asarray(pictures), np.asarray(weights), np.asarray(shares)):
        page.set_visible(True)
        page.imshow(picture.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        page.spines[:].set_visible(True)
        page.spines[:].set_color("#BBBBBB")
        page.set_title(f"p(z) = {weight:.2f}", fontsize=9, fontweight="normal", loc="center")
        bars.set_visible(True)
        bars.bar(range(len(share)), share, color=[COLORS["importance"] if s == share.max() else COLORS["prior"] for s in share])
        top = int(share.argmax())
        bars.annotate(
            f"{share[top]:.0%}",
            (top, share[top]),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=COLORS["importance"],
        )
        bars.set(ylim=(0, 1.2), xlim=(-1, len(share)), xticks=range(len(share)))
        bars.tick_params(axis="x", length=0, pad=1, labelsize=8.5)
        bars.spines[["left", "top", "right"]].set_visible(False)
    return fig


@in_course_style
def smoothing(title: str, amounts: Sequence[float], curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Held-out log p(x) against the amount of smoothing, a curve a name, each with its maximum marked.

    Args:
        curves: from a name to the means and to the standard errors of their differences to the highest one.
    """
    fig, ax = figure(title, "extra images a of each kind", "log p(x), nats per held-out digit", size=(7.4, 3.8))
    lowest, highest = np.inf, -np.inf
    for (name, (values, errors)), color in zip(curves.items(), ("naive", "importance")):
        values = np.asarray(values)
        line(ax, amounts, values, name, color, end=1, nudge=(0, -14), marker="o", ms=3)
        ax.errorbar(amounts, values, np.asarray(errors), fmt="none", ecolor=COLORS[color], elinewidth=1.2, capsize=3)
        top = int(np.argmax(values))
        ax.plot(amounts[top], values[top], "*", ms=13, color=COLORS[color], zorder=4)
        ax.annotate(f"{values[top]:.1f}", (amounts[top], values[top]), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=9)
        lowest, highest = min(lowest, values.min()), max(highest, values.max())
    ax.axvline(1, color=COLORS["prior"], ls="--", lw=1.2)
    ax.text(0.9, 0.7 * highest + 0.3 * lowest, "a = 1", fontsize=9, color="#555555", ha="right")
    ax.text(0.02, 0.04, "bars: standard error of the\ndifference to the best (star)", transform=ax.transAxes, fontsize=9)
    ax.set(xscale="log", ylim=(lowest - 0.1 * (highest - lowest), highest + 0.15 * (highest - lowest)))
    return fig


@in_course_style
def code_lengths(title: str, bits: Mapping[str, Mapping[str, float]], at_most: Mapping[str, float]) -> Figure:
    """A bar a code with its bits, the longest above, in the colour of its kind.

    Args:
        bits: from up to three kinds of codes to their codes, from a name to its bits.
        at_most: upper bounds on the bits of codes of the second kind; their bars are hatched, and the first one says so.
    """
    fig, ax = figure("", "bits per digit", size=(8.2, 4.5))
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    colors = dict(zip(bits, (COLORS["prior"], COLORS["importance"], COLORS["naive"])))
    codes = sorted(((value, name, kind) for kind, some in bits.items() for name, value in some.items()), reverse=True)
    values = [value for value, _, _ in codes]
    ax.barh([name for _, name, _ in codes], values, color=[colors[kind] for _, _, kind in codes])
    second = COLORS["importance"]
    ax.barh(list(at_most), list(at_most.values()), facecolor="none", edgecolor=second, hatch="///", lw=1.2)
    written = [f"{value:.0f}" for value in values] + [f"at most {value:.0f}" for value in at_most.values()]
    white = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    for i, (value, text) in enumerate(zip([*values, *at_most.values()], written)):
        ax.annotate(text, (value, i), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9, bbox=white)
    for kind in colors:  # in the first bar of its colour
        i = [of for _, _, of in codes].index(kind)
        ax.annotate(kind, (0, i), xytext=(5, 0), textcoords="offset points", va="center", color="white", fontsize=9, fontweight="bold")
    for name in list(at_most)[:1]:
        says = f"{list(colors)[1]} (bound)"
        ax.annotate(
            says, (0, name), xytext=(5, 0), textcoords="offset points", va="center", color=second, fontsize=9, fontweight="bold", bbox=white
        )
    ax.set_xlim(0, 1.12 * values[0])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    return fig


@in_course_style
def words(title: str, codes: Mapping[str, Sequence[str]]) -> Figure:
    """A strip of all long bit strings for each code: a word takes the share that begins with it, and what no word takes is free."""
    fig, ax = figure(title, "share of all long bit strings, in the order of their bits", size=(7.4, 0.75 * len(codes) + 0.9))
    for y, code in enumerate(codes.values()):
        ax.barh(y, 1, height=0.6, color="white", edgecolor="#555555", hatch="///", lw=1)
        white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        spans = sorted((int(word, 2) / 2 ** len(word), 2.0 ** -len(word), word) for word in code)
        for left, share, word in spans:
            ax.barh(y, share, left=left, height=0.6, color=COLORS["importance"], edgecolor="white", lw=1.5)
            ax.text(left + share / 2, y, f"{word}\n1/{2 ** len(word)}", color="white", ha="center", va="center", fontsize=9)
        ends = [0.0, *(left + share for left, share, _ in spans)]
        for end, start in zip(ends, [*(left for left, _, _ in spans), 1.0]):
            if start > end:
                ax.text((end + start) / 2, y, "free", ha="center", va="center", fontsize=9, bbox=white)
    ax.set(yticks=range(len(codes)), yticklabels=list(codes), xlim=(0, 1), ylim=(len(codes) - 0.5, -0.5))
    ax.set(xticks=[0, 0.25, 0.5, 0.75, 1])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="y", visible=False)
    return fig
