"""The figures of notebook 09: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line, note
from vaecourse.plots import scoreboard as plain_scoreboard

GREY, AMBER = "#555555", "#A36A00"  # amber: the posterior's orange, dark enough for text


@in_course_style
def bound_against_k(ks: Sequence[int], known: Sequence[float], exact: float, unknown: Sequence[float], missing: Sequence[float]) -> Figure:
    """The bound of a model whose log p(x) is known and of one whose is not, for each k, and what is missing digit by digit.

    Args:
        ks: numbers of samples.
        known, unknown: the two bounds for each k, in nats; both panels have the same scales. The second may end at a smaller k.
        exact: log p(x) of the first model.
        missing: log p(x) minus the estimate of the first model's bound with the last k, for each digit, in nats.
    """
    missing = np.sort(np.asarray(missing))
    titles = [
        f"K = 2: {exact - known[-1]:.1f} nats too low\nwith k = {ks[-1]:,}",
        f"K = 20: up by {unknown[-1] - unknown[0]:.1f} nats,\nexact value unknown",
        f"K = 2: median {np.median(missing):.2f},\nlargest {missing[-1]:.0f} nats",
    ]
    labels = ["samples k", "samples k", "digits, sorted"]
    fig, axes = figure(titles, labels, ["nats per held-out digit", "", f"log p(x) minus estimate, k = {ks[-1]:,}"], size=(8.2, 4.0))
    tall = 1.25 * max(exact - known[0], unknown[-1] - unknown[0])
    for ax, values, top in zip(axes, (known, unknown), (exact, unknown[-1])):
        line(ax, ks[: len(values)], values, "", "iwae", marker="o")
        ax.plot(ks[0], values[0], "o", color=COLORS["elbo"], ms=8, zorder=3)
        note(ax, (ks[0], values[0]), f"ELBO {values[0]:.1f}", (18, -4), "elbo")
        side = "right" if len(values) == len(ks) else "left"
        ax.annotate(f"{values[-1]:.1f}", (ks[len(values) - 1], values[-1]), (6, -14), textcoords="offset points", ha=side, fontsize=9)
        ax.set(xscale="log", xlim=(0.7, 1.6 * ks[-1]), xticks=ks, xticklabels=[f"{k:,}" for k in ks])
        ax.set_ylim(top - tall, top + 0.15 * tall)
        ax.minorticks_off()
    axes[0].axhline(exact, color=COLORS["exact"], lw=1.4)
    axes[0].annotate(f"exact log p(x), {exact:.1f}", (ks[0], exact), (0, 4), textcoords="offset points", fontsize=9)
    axes[2].plot(np.arange(1, len(missing) + 1), missing, "o", color=COLORS["iwae"], ms=3.5)
    axes[2].axhline(0, color=COLORS["exact"], lw=1.2)
    axes[2].set_yscale("symlog", linthresh=0.1, linscale=0.6)
    ticks = [tick for tick in (-1, -0.1, 0, 0.1, 1, 10, 100) if missing[0] < 2 * tick or tick >= 0]
    axes[2].set(yticks=ticks, yticklabels=[f"{tick:g}" for tick in ticks], ylim=(min(1.5 * missing[0], -0.1), max(2 * missing[-1], 1)))
    axes[2].minorticks_off()
    words = {"xycoords": "axes fraction", "ha": "right", "color": GREY, "fontsize": 9}
    axes[2].annotate("below 0: the estimate\nis too high", (0.98, 0.04), **words)
    return fig


@in_course_style
def above_the_exact(at_the_mean, elbo) -> Figure:
    """Two values minus the exact log p(x) of the same images, (N,) each, in nats, both in the order of the second; with their means."""
    at_the_mean, elbo = np.asarray(at_the_mean), np.asarray(elbo)
    order = np.argsort(elbo)
    title = f"At the mean of q, the value exceeds log p(x) for {(at_the_mean > 0).mean():.0%} of the digits"
    fig, ax = figure(title, "digits, sorted by their ELBO minus log p(x), percent", "value minus exact log p(x), nats", size=(8.0, 4.0))
    x = 100 * (np.arange(len(elbo)) + 0.5) / len(elbo)
    for values, color, name, side in ((at_the_mean, "naive", "value at the mean of q", 16), (elbo, "elbo", "ELBO", -16)):
        ax.plot(x, values[order], "o", color=COLORS[color], ms=3, alpha=0.8)
        ax.axhline(values.mean(), color=COLORS[color], lw=1.2, ls="--")
        text = f"{name},\nmean over digits {values.mean():.1f}"
        ax.annotate(text, (101, values.mean()), (4, side), textcoords="offset points", color=COLORS[color], va="center", fontsize=9)
    ax.axhline(0, color=COLORS["exact"], lw=1.2)
    ax.annotate("exact log p(x)", (101, 0), (4, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yscale("symlog", linthresh=1)
    least = min(at_the_mean.min(), elbo.min())
    ticks = [tick for tick in (-100, -30, -10, -3, -1, 0, 1, 3) if least <= tick <= max(at_the_mean.max(), 1)]
    ax.set(xlim=(0, 101), ylim=(1.3 * least, 1.6 * max(at_the_mean.max(), 1)), yticks=ticks, yticklabels=[f"{t:g}" for t in ticks])
    ax.minorticks_off()
    return fig


@in_course_style
def two_overfits(epochs, training, held_out, marks: Sequence[int], encoder, refined, between: tuple[int, int], errors=None) -> Figure:
    """The ELBO by epoch on the training digits and on held-out ones, in nats, and at some epochs with two different q.

    Args:
        epochs, training, held_out: (E,) each, with the encoder's q and one sample for each image.
        marks: the epochs at which the held-out ELBO was measured more exactly.
        encoder, refined: with the encoder's q and with q refined for each image, one value for each mark.
        between: the two marks that the title compares.
        errors: the standard errors of the two changes between them, in nats, if they are known.
    """
    first, last = (list(marks).index(mark) for mark in between)
    by_encoder, by_refined = (values[last] - values[first] for values in (encoder, refined))
    title = (
        f"ELBO from epoch {between[0]} to {between[1]}: {by_encoder:+.0f} nats with the encoder's q, {by_refined:+.0f} with the refined q"
    )
    fig, ax = figure(title, "epoch", "ELBO, nats per digit", size=(8.2, 4.2))
    low, high = min(encoder) - 6, max(*training, *refined) + 6
    line(ax, epochs, training, "training digits,\nencoder's q", GREY, nudge=(8, 0))
    ax.plot(epochs, held_out, color=COLORS["elbo"], lw=1, alpha=0.5)
    line(ax, marks, encoder, "held out,\nencoder's q", "elbo", marker="o", nudge=(8, 0))
    line(ax, marks, refined, "held out,\nrefined q", AMBER, marker="o", nudge=(8, 0))
    said = ["", ""] if errors is None else [f" ± {error:.0f}" for error in errors]
    for values, color, error in zip((encoder, refined), (COLORS["elbo"], AMBER), said):
        ax.plot(between, [values[first]] * 2, ls=":", color=GREY, lw=1.2)
        arrow = {"arrowstyle": "->", "color": color, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (between[1], values[last]), (between[1], values[first]), arrowprops=arrow)
        change = f"{values[last] - values[first]:+.0f}{error} nats"
        ax.annotate(change, (between[1], max(values[first], values[last])), (4, 7), textcoords="offset points", fontsize=9)
    ax.set(xlim=(0, 1.2 * max(epochs)), ylim=(low, high), xticks=[0, *marks])
    return fig


@in_course_style
def gains(values: Mapping[str, tuple[float, float]], allowed: str, published: float) -> Figure:
    """A bar for each name, from (mean, standard error) in nats, with two standard errors.

    Args:
        values: what each way of judging the model adds to its bound.
        allowed: the name that is no mistake; its bar is grey.
        published: a difference between two published numbers, marked by a dotted line.
    """
    title = f"One unchanged model: up to {max(mean for mean, _ in values.values()):.0f} nats more"
    label = "reported number minus the bound, nats per digit (bars: two standard errors)"
    fig, ax = figure(title, label, size=(8.2, 0.9 + 0.42 * len(values)))
    for i, (name, (mean, error)) in enumerate(values.items()):
        ax.barh(i, mean, color=GREY if name == allowed else COLORS["naive"], alpha=0.75, height=0.6)
        ax.errorbar(mean, i, xerr=2 * error, color=COLORS["exact"], capsize=3, lw=1.2)
        ax.annotate(f"{mean:+.1f}", (max(mean, 0) + 2 * error, i), (6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.axvline(0, color=COLORS["exact"], lw=1.2)
    ax.axvline(published, color=GREY, lw=1.4, ls=":")
    words = {"xytext": (10.5, 0.5), "va": "center", "fontsize": 9, "color": GREY}
    ax.annotate(
        f"{published:.0f} nats between two published rows", (published, 0.5), arrowprops={"arrowstyle": "-", "color": GREY}, **words
    )
    ax.set(yticks=range(len(values)), yticklabels=list(values), ylim=(len(values) - 0.4, -0.6))
    ax.margins(x=0.12)
    ax.grid(axis="y", visible=False)
    return fig


@in_course_style
def scoreboard(rows: Sequence[tuple[str, str, float, float, float]]) -> Figure:
    """The scoreboard, whose title gives the last exact value beside the estimate in its row."""
    fig = plain_scoreboard(rows)
    ax, known = fig.axes[0], [row for row in rows if np.isfinite(row[4])][-1]
    title = f"K = 2: mean {known[2]:.2f} nats (one run ± {known[3]:.2f}), exact {known[4]:.2f}"
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold")  # in place of the title of the scoreboard
    ax.set_xlabel("log p(x) of one held-out digit, nats")
    return fig
