"""The figures of notebook 07: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line, note

GREEN, RED, GREY = "#007A59", "#B84F00", "#555555"  # pathwise and score function, dark enough for text
STYLES = {"pathwise": ("elbo", "-"), "leave-one-out": ("naive", "-"), "no baseline": ("naive", ":")}


@in_course_style
def clouds(estimates: Mapping[str, tuple[object, str]], truth: Sequence[float]) -> Figure:
    """Estimates of a gradient with two entries, one dot each, around the true one: {name: ((N, 2), colour)}, on common axes."""
    estimates = {name: (np.asarray(dots), color) for name, (dots, color) in estimates.items()}
    titles = [f"{name}: ± {dots[:, 0].std():.1f} in μ, ± {dots[:, 1].std():.1f} in log σ" for name, (dots, _) in estimates.items()]
    fig, axes = figure(titles, "gradient in μ", ["gradient in log σ", *[""] * (len(titles) - 1)], size=(9.4, 4.3))
    everything = np.concatenate([dots for dots, _ in estimates.values()])
    low, high = np.quantile(everything, 0.002, axis=0), np.quantile(everything, 0.998, axis=0)
    room = 0.08 * (high - low)
    for ax, (dots, color) in zip(axes, estimates.values()):
        ax.plot(*dots.T, "o", ms=3.5, alpha=0.45, mew=0, color=COLORS[color])
        ax.plot(*dots.mean(0), "o", ms=13, mfc="none", mec="#000000", mew=1.8)
        ax.plot(*truth, "+", ms=11, color="#000000", mew=1.8)
        ax.set(xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + room[1]))
    words = f"+ true gradient ({truth[0]:.2f}, {truth[1]:.2f})\no  mean of the {len(dots)} dots".replace("-", "−")
    axes[0].text(0.03, 0.97, words, va="top", fontsize=9, transform=axes[0].transAxes)
    axes[0].text(0.03, 0.03, "± in the titles: standard deviation", fontsize=9, color=GREY, transform=axes[0].transAxes)
    return fig


@in_course_style
def baselines(levels, means, errors, truth: float, b, variance, marked: Mapping[str, float], pathwise: float) -> Figure:
    """What a baseline changes: the mean of the estimates with its standard error at some levels, and the variance of one estimate.

    Args:
        levels, means, errors: baselines (L,), the mean of many estimates for each, and its standard error.
        truth: the true gradient.
        b, variance: evenly spaced baselines (N,), and the variance of one estimate for each.
        marked: names of three baselines, with their places; the variance there is interpolated.
        pathwise: the variance of one pathwise estimate.
    """
    levels, means, errors, b, variance = (np.asarray(values) for values in (levels, means, errors, b, variance))
    titles, names = ["The mean does not depend on b", "The variance does"], ["mean of the estimates", "variance of one estimate"]
    fig, (left, right) = figure(titles, "baseline b", [f"{name}, gradient in μ" for name in names], size=(9.4, 3.8))
    left.errorbar(levels, means, 2 * errors, fmt="o", color=COLORS["naive"], capsize=3)
    left.axhline(truth, color=COLORS["exact"], lw=1.2)
    left.text(levels[-2:].mean(), truth + 0.1, f"true gradient {truth:.2f}".replace("-", "−"), ha="center", fontsize=9)
    left.text(levels.max(), 0.12 - 4, "bars: two standard errors", ha="right", fontsize=9, color=RED)
    left.set_ylim(-4, 0)
    line(right, b, variance, "", "naive")
    for (name, at), shift in zip(marked.items(), ((-20, 56), (-4, 52), (14, -20))):
        place = (at, np.interp(at, b, variance))
        right.plot(*place, "o", color=COLORS["naive"])
        note(right, place, f"{name}: {place[1]:.0f}", shift, RED)
    right.axhline(pathwise, color=COLORS["elbo"], ls="--")
    right.text(b.min(), pathwise + 0.02 * variance.max(), f"pathwise: {pathwise:.1f}", color=GREEN, fontsize=9)
    right.set_ylim(0, variance.max())
    return fig


@in_course_style
def steep(width, score, path, slope) -> Figure:
    """Variance of both estimates and the squared true gradient for a smooth step, against its width (N,), in units of σ."""
    width, score, path, slope = (np.asarray(a) for a in (width, score, path, slope))
    crossing = width[path > score].max()
    fig, ax = figure(
        f"A step narrower than {crossing:.2g} σ: the score function has the lower variance",
        "width τ of the step, in units of σ (log scale)",
        "gradient in μ: variance of one estimate",
        size=(7.4, 3.9),
    )
    line(ax, width, path, "pathwise", GREEN, end=0, nudge=(8, 4))
    line(ax, width, score, "score function, b = mean of f", RED, end=0, nudge=(4, -9))
    line(ax, width, slope**2, "true gradient, squared", GREY, end=0, nudge=(4, -9), ls="--")
    ax.set(xscale="log", yscale="log")
    ax.set_xticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    ax.set_yticks([0.0001, 0.001, 0.01, 0.1, 1], ["0.0001", "0.001", "0.01", "0.1", "1"])
    return fig


@in_course_style
def climbs(rates: Sequence[float], final: Mapping[str, object], steps, curves: Mapping[str, object]) -> Figure:
    """Climbs of the ELBO: the gap that is left against the learning rate, and the gap along the way at the best rate.

    Args:
        rates: the learning rates (R,).
        final: from each estimator to the gaps after the last step, (R, runs), in nats.
        steps: the steps at which the gap was measured (N,).
        curves: from each estimator to the gaps on the way, (N, runs), in nats.
    """
    steps = np.asarray(steps)
    medians = [np.median(np.asarray(gaps), axis=1) for gaps in final.values()]
    best = min(medians[list(final).index("no baseline")])
    titles = [f"No baseline: {best:.0f} nats left, median at its best rate", "On the way, each at its best rate"]
    fig, (left, right) = figure(
        titles, ["learning rate (log scale)", "step"], ["gap log p(x) − ELBO after the last step, nats", "gap, nats"], size=(10, 4.2)
    )
    for i, (name, gaps) in enumerate(final.items()):
        color, dashes = STYLES[name]
        shift = 1.07 ** (i - 1)  # the dots of one rate stand side by side
        filled = COLORS[color] if dashes == "-" else "white"
        for run in np.asarray(gaps).T:
            left.plot(np.asarray(rates) * shift, run, "o", ms=5, color=COLORS[color], mfc=filled, mew=1)
        left.plot(np.asarray(rates) * shift, medians[i], dashes, color=COLORS[color], lw=1.2)
    for name, curve in curves.items():
        color, dashes = STYLES[name]
        curve = np.asarray(curve)
        right.plot(steps, curve, dashes, color=COLORS[color], lw=1, alpha=0.6)
        text = GREEN if color == "elbo" else RED
        line(right, steps, np.median(curve, axis=1), name, text, ls=dashes, lw=2.2)
    both = np.concatenate([np.asarray(gaps).ravel() for gaps in (*final.values(), *curves.values())])
    for ax in (left, right):
        ax.set(yscale="log", ylim=(0.8 * both.min(), 1.3 * both.max()))
        ax.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        ax.set_ylim(0.8 * both.min(), 1.3 * both.max())
    left.set(xscale="log")
    left.set_xticks(rates, [f"{rate:g}" for rate in rates])
    left.minorticks_off()
    left.text(
        0.03, 0.97, "a dot: one climb; lines: medians; hollow: no baseline", va="top", fontsize=9, color=GREY, transform=left.transAxes
    )
    right.set_xlim(0, 1.33 * steps.max())
    right.set_xticks(np.linspace(0, steps.max(), 4))
    return fig


@in_course_style
def missing_r(losses: Mapping[str, Sequence[float]], divergences: Mapping[str, Sequence[float]]) -> Figure:
    """Training loss and KL to the prior after each epoch: {"rsample": values, "sample": values} for each of the two panels."""
    titles, names = (
        ["Both losses fall", "Without the r, q becomes the prior"],
        ["training loss, nats per image", "KL(q(z|x) ‖ p(z)), nats per image"],
    )
    fig, axes = figure(titles, "epoch", names, size=(9.4, 3.8))
    for ax, curves in zip(axes, (losses, divergences)):
        for (name, values), color in zip(curves.items(), ("elbo", "naive")):
            epochs = range(1, len(values) + 1)
            line(ax, epochs, values, name, GREEN if color == "elbo" else RED, marker="o", ms=4)
        ax.set_xlim(0.6, len(values) * 1.25)
        ax.set_xticks(epochs)
    return fig
