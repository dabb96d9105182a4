"""The figures of notebook 09: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line, note

GREY, AMBER = "#555555", "#A36A00"  # amber: the posterior's orange, dark enough for text


@in_course_style
def gap_against_k(ks: Sequence[int], gaps: Sequence[float], chi2: float) -> Figure:
    """log p(x) minus the importance weighted bound for each k, and chi² / 2k, on logarithmic axes."""
    fig, ax = figure("Twice the samples, half the gap, once k is large", "samples k", "log p(x) minus bound, nats", size=(6.6, 3.6))
    line(ax, ks, [chi2 / (2 * k) for k in ks], "χ² / 2k", GREY, ls="--", end=1, nudge=(-44, -14))
    line(ax, ks, gaps, "measured", "iwae", marker="o", end=2, nudge=(10, 8))
    note(ax, (ks[0], gaps[0]), "k = 1: the ELBO", (16, 0), "elbo")
    ax.set(xscale="log", yscale="log", xticks=ks, xticklabels=ks)
    ax.minorticks_off()
    return fig


@in_course_style
def bound_against_k(ks: Sequence[int], known: Sequence[float], exact: float, unknown: Sequence[float]) -> Figure:
    """The bound of a model whose log p(x) is known and of one whose is not, for each k, in nats; both panels have the same scale."""
    titles = [
        f"K = 2: at k = {ks[-1]:,} still {exact - known[-1]:.1f} nats too low",
        f"K = 20: up by {unknown[-1] - unknown[0]:.1f} nats, exact value unknown",
    ]
    fig, axes = figure(titles, "samples k", ["nats per held-out digit", ""], size=(9.4, 3.9))
    tall = 1.25 * max(exact - known[0], unknown[-1] - unknown[0])
    for ax, values, top in zip(axes, (known, unknown), (exact, unknown[-1])):
        line(ax, ks, values, "", "iwae", marker="o")
        ax.plot(ks[0], values[0], "o", color=COLORS["elbo"], ms=8, zorder=3)
        note(ax, (ks[0], values[0]), f"ELBO {values[0]:.1f}", (18, -4), "elbo")
        ax.annotate(f"{values[-1]:.1f}", (ks[-1], values[-1]), (0, -14), textcoords="offset points", ha="center", fontsize=9)
        ax.set(xscale="log", xlim=(0.7, 1.6 * ks[-1]), xticks=ks, xticklabels=[f"{k:,}" for k in ks])
        ax.set_ylim(top - tall, top + 0.15 * tall)
        ax.minorticks_off()
    axes[0].axhline(exact, color=COLORS["exact"], lw=1.4)
    axes[0].annotate(f"exact log p(x), {exact:.1f}", (ks[0], exact), (0, 4), textcoords="offset points", fontsize=9)
    return fig


@in_course_style
def above_the_exact(at_the_mean, elbo, least: float = -6.0) -> Figure:
    """Two values minus the exact log p(x) of the same images, (N,) each, sorted, in nats; what lies below `least` is drawn there."""
    at_the_mean, elbo = np.sort(np.asarray(at_the_mean)), np.sort(np.asarray(elbo))
    share = (at_the_mean > 0).mean()
    title = f"At the mean, the value exceeds log p(x) for {share:.0%} of the digits"
    fig, ax = figure(title, "digits, sorted by each value, percent", "value minus exact log p(x), nats", size=(7.2, 3.8))
    x = 100 * (np.arange(len(elbo)) + 0.5) / len(elbo)
    line(ax, x, np.maximum(elbo, least), "ELBO", "elbo", end=int(0.45 * len(x)), nudge=(4, -12))
    line(ax, x, np.maximum(at_the_mean, least), "value at the mean of q", "naive", end=int(0.66 * len(x)), nudge=(-112, 14))
    over = at_the_mean > 0
    ax.fill_between(x[over], at_the_mean[over], color=COLORS["naive"], alpha=0.2, lw=0)
    ax.axhline(0, color=COLORS["exact"], lw=1.2)
    ax.text(1, 0.12, "exact log p(x)", fontsize=9)
    ax.annotate(f"{least:g} nats or less", (9, least), (12, 8), textcoords="offset points", fontsize=8, color=GREY)
    ax.set(xlim=(0, 100), ylim=(least, 1.15 * max(at_the_mean.max(), 1)))
    return fig


@in_course_style
def two_overfits(epochs, training, held_out, marks: Sequence[int], encoder, refined, between: tuple[int, int]) -> Figure:
    """The ELBO by epoch on the training digits and on held-out ones, in nats, and at some epochs with two different q.

    Args:
        epochs, training, held_out: (E,) each, with the encoder's q and one sample for each image.
        marks: the epochs at which the held-out ELBO was measured more exactly.
        encoder, refined: with the encoder's q and with q refined for each image, one value for each mark.
        between: the two marks that the title compares.
    """
    first, last = (list(marks).index(mark) for mark in between)
    lost, gained = encoder[first] - encoder[last], refined[last] - refined[first]
    word = "gains" if gained > 0 else "loses"
    title = f"Epochs {between[0]} to {between[1]}: the encoder's q loses {lost:.0f} nats, the refined q {word} {abs(gained):.0f}"
    fig, ax = figure(title, "epoch", "ELBO, nats per digit", size=(8.2, 4.2))
    low, high = min(encoder) - 6, max(refined) + 30
    inside = np.flatnonzero(np.asarray(training) < high - 12)[-1]
    line(ax, epochs, training, "training digits,\nencoder's q", GREY, end=inside, nudge=(8, -6))
    ax.plot(epochs, held_out, color=COLORS["elbo"], lw=1, alpha=0.5)
    line(ax, marks, encoder, "held out,\nencoder's q", "elbo", marker="o", nudge=(8, 0))
    line(ax, marks, refined, "held out,\nrefined q", AMBER, marker="o", nudge=(8, 0))
    arrow = {"arrowstyle": "<->", "color": GREY, "lw": 1.2}
    ax.annotate("", (between[1], encoder[last]), (between[1], refined[last]), arrowprops=arrow)
    middle = (encoder[last] + refined[last]) / 2
    ax.text(between[1] - 2, middle, f"lost by the encoder:\n{refined[last] - encoder[last]:.0f} nats", ha="right", va="center", fontsize=9)
    ax.set(xlim=(0, 1.2 * max(epochs)), ylim=(low, high))
    return fig


@in_course_style
def gains(values: Mapping[str, tuple[float, float]], title: str) -> Figure:
    """A bar for each name, from (mean, standard error) in nats, with two standard errors."""
    fig, ax = figure(
        title, "reported number minus the bound, nats per digit (bars: two standard errors)", size=(8.2, 0.9 + 0.42 * len(values))
    )
    for i, (mean, error) in enumerate(values.values()):
        ax.barh(i, mean, color=COLORS["naive"], alpha=0.75, height=0.6)
        ax.errorbar(mean, i, xerr=2 * error, color=COLORS["exact"], capsize=3, lw=1.2)
        ax.annotate(f"{mean:+.1f}", (max(mean, 0) + 2 * error, i), (6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.axvline(0, color=COLORS["exact"], lw=1.2)
    ax.set(yticks=range(len(values)), yticklabels=list(values), ylim=(len(values) - 0.4, -0.6))
    ax.margins(x=0.12)
    ax.grid(axis="y", visible=False)
    return fig
