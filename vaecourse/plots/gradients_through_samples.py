"""The figures of notebook 07: arrays in, figure out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaecourse.plots import COLORS, figure, in_course_style, line, note
from vaecourse.plots import scoreboard as plain_scoreboard
from vaecourse.plots.text import minus

GREEN, RED, GREY = "#007A59", "#B84F00", "#555555"  # pathwise and score function, dark enough for text
STYLES = {"pathwise": ("elbo", "-"), "leave-one-out": ("naive", "-"), "no baseline": ("naive", ":")}


@in_course_style
def two_ways(f: Callable, mean: float, sd: float, step: float) -> Figure:
    """What a step of the mean does to six samples of N(mean, sd^2): they move along f, or stay and change their density.

    Args:
        f: from an array of z to the values there.
        mean, sd, step: the parameters of q, and by how much the mean grows.
    """
    titles = ["Pathwise: the samples move, f(z) changes", "Score function: they stay, q changes"]
    fig, (left, right) = figure(titles, "z", ["f(z)", "density of q at z"], size=(9.4, 3.8))
    z, samples = np.linspace(mean - 2.9 * sd, mean + 3.3 * sd, 400), mean + sd * np.array([-1.7, -1.0, -0.4, 0.4, 1.0, 1.7])

    def density(at, mean):
        return np.exp(-0.5 * ((at - mean) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))

    line(left, z, f(z), "", "exact", lw=1.2)
    right.plot(z, density(z, mean), color=COLORS["exact"], lw=1.2)
    right.plot(z, density(z, mean + step), "--", color=GREY, lw=1.2)
    moves = (
        (samples, f(samples), samples + step, f(samples + step)),
        (samples, density(samples, mean), samples, density(samples, mean + step)),
    )
    for ax, ends, color in zip((left, right), moves, (GREEN, RED)):
        for x, y, new_x, new_y in zip(*ends):
            ax.annotate("", (new_x, new_y), (x, y), arrowprops={"arrowstyle": "->", "color": color, "lw": 2, "shrinkA": 0, "shrinkB": 0})
        ax.plot(*ends[:2], "o", ms=6, color=color)
    left.text(0.97, 0.95, f"dots: six samples\narrows: μ grows by {step:g}", ha="right", va="top", color=GREY, transform=left.transAxes)
    words = f"solid: μ = {mean:.1f}\ndashed: μ = {mean + step:.1f}\nat the dots:\nchange of q × f(z)"
    right.text(0.03, 0.95, words, ha="left", va="top", color=GREY, transform=right.transAxes)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    changes = density(samples, mean + step) / density(samples, mean) - 1
    for at, value, change in zip(samples, f(samples), changes):
        shift, low, va = (0.0, 0.05, "top") if at > mean else (0.15 * sd, 0.0, "center")
        place = at - shift, density(at, mean) - low * density(mean, mean)
        words = f"{minus(100 * change, '+.0f')} % × {value:.1f}"
        right.text(*place, words, ha="center" if at > mean else "right", va=va, color=RED, fontsize=9, bbox=box)
    right.axvline(mean, color=GREY, ls=":", lw=1)
    right.text(mean, 0.0, " μ", va="bottom", color=GREY)
    right.set(xlim=(mean - 3.7 * sd, mean + 3.3 * sd), ylim=(0, 1.35 * density(mean, mean)))
    return fig


@in_course_style
def clouds(estimates: Mapping[str, tuple[object, str]], truth: Sequence[float]) -> Figure:
    """Estimates of a gradient with two entries around the true one, on common axes: {name: ((N, 2), colour)}, pathwise first."""
    estimates = {name: (np.asarray(dots), color) for name, (dots, color) in estimates.items()}
    titles = [f"{name}: ± {dots[:, 0].std():.1f} in μ, ± {dots[:, 1].std():.1f} in log σ" for name, (dots, _) in estimates.items()]
    fig, axes = figure(titles, "gradient in μ", ["gradient in log σ", *[""] * (len(titles) - 1)], size=(9.4, 4.3))
    everything = np.concatenate([dots for dots, _ in estimates.values()])
    low, high = everything.min(0), everything.max(0)  # no dot is cut off, however heavy the tail
    room = 0.08 * (high - low)
    for ax, (dots, color) in zip(axes, estimates.values()):
        ax.plot(*dots.T, "o", ms=3.5, alpha=0.45, mew=0, color=COLORS[color])
        ax.plot(*dots.mean(0), "o", ms=13, mfc="none", mec="#000000", mew=1.8)
        ax.plot(*truth, "+", ms=11, color="#000000", mew=1.8)
        ax.set(xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + room[1]))
    words = f"+ true gradient ({minus(truth[0], '.2f')}, {minus(truth[1], '.2f')})\no  mean of the {len(dots)} dots"
    axes[0].text(0.03, 0.97, words, va="top", transform=axes[0].transAxes)
    axes[0].text(0.03, 0.03, "± in the titles: standard deviation", color=GREY, transform=axes[0].transAxes)
    narrow, wide = (dots.var(0) for dots, _ in (*estimates.values(),)[:: len(estimates) - 1])
    words = "{:.0f} times the pathwise variance in μ,\n{:.0f} times in log σ".format(*(wide / narrow))
    axes[-1].text(0.97, 0.97, words, ha="right", va="top", color=RED, transform=axes[-1].transAxes)
    return fig


@in_course_style
def baselines(levels, means, errors, truth: float, b, variance, marked: Mapping[str, float], pathwise: float) -> Figure:
    """What a baseline changes: the mean of the estimates with its standard error at some levels, and the variance of one estimate.

    Args:
        levels, means, errors: baselines (L,), the mean of many estimates for each, and its standard error.
        truth: the true gradient.
        b, variance: evenly spaced baselines (N,), and the variance of one estimate for each.
        marked: names of three baselines, from none to the best, with their places; the variance there is interpolated.
        pathwise: the variance of one pathwise estimate.
    """
    levels, means, errors, b, variance = (np.asarray(values) for values in (levels, means, errors, b, variance))
    heights = {name: float(np.interp(at, b, variance)) for name, at in marked.items()}
    first, *_, last = heights.values()
    off = (abs(means - truth) / errors).max()
    titles = [f"The mean stays, within {off:.1f} standard errors", f"The variance changes: {first:.0f} without, {last:.0f} at best"]
    names = ["mean of the estimates", "variance of one estimate"]
    fig, (left, right) = figure(titles, "baseline b", [f"{name}, gradient in μ" for name in names], size=(9.4, 3.8))
    left.errorbar(levels, means, 2 * errors, fmt="o", color=COLORS["naive"], capsize=3)
    left.axhline(truth, color=COLORS["exact"], lw=1.2)
    reach = 2.2 * max(abs(means - truth).max(), 2 * errors.max())
    left.text(levels[-2:].mean(), truth + 0.04 * reach, f"true gradient {minus(truth, '.2f')}", ha="center")
    left.text(levels.max(), truth - 0.95 * reach, "bars: two standard errors", ha="right", color=RED)
    left.set_ylim(truth - reach, truth + reach)
    line(right, b, variance, "", "naive")
    for (name, at), shift in zip(marked.items(), ((-20, 56), (-4, 52), (14, -20))):
        place = (at, heights[name])
        right.plot(*place, "o", color=COLORS["naive"])
        note(right, place, f"{name}: {place[1]:.0f}", shift, RED)
    right.axhline(pathwise, color=COLORS["elbo"], ls="--")
    right.text(b.min(), pathwise + 0.02 * variance.max(), f"pathwise: {pathwise:.1f}", color=GREEN, fontsize=9)
    right.set_ylim(0, variance.max())
    return fig


@in_course_style
def climbs(steps: Sequence[int], curves: Mapping[str, object], rates: Mapping[str, float]) -> Figure:
    """The gap between log p(x) and the ELBO on the way, a panel for each estimator: its climbs as thin lines, their median as a thick one.

    Args:
        steps: the steps at which the gap was measured (N,).
        curves: from each estimator to the gaps, (N, runs), in nats; the names are those of STYLES.
        rates: from each estimator to its learning rate.
    """
    steps, curves = np.asarray(steps), {name: np.asarray(curve) for name, curve in curves.items()}
    medians = {name: np.median(curve, axis=1) for name, curve in curves.items()}
    ends = {name: f"{gaps[-1]:.2f}" if gaps[-1] < 1 else f"{gaps[-1]:.0f}" for name, gaps in medians.items()}
    titles = [f"{name[0].upper()}{name[1:]}: median {end}" for name, end in ends.items()]
    fig, axes = figure(titles, "step", ["gap log p(x) − ELBO, nats", *[""] * (len(titles) - 1)], size=(9.8, 3.8))
    everything = np.stack(list(curves.values()))
    for ax, (name, curve) in zip(axes, curves.items()):
        color, dashes = STYLES[name]
        ink = GREEN if color == "elbo" else RED
        ax.plot(steps, curve, "-", color=COLORS[color], lw=0.8, alpha=0.6)
        line(ax, steps, medians[name], "", ink, ls=dashes, lw=2.5)
        stopped = np.sort(curve[-1][curve[-1] > 100 * medians[name][-1]])  # climbs that ended far from the others
        if len(stopped):
            words = f"{len(stopped)} of {len(curve[-1])} stop{'s' * (len(stopped) == 1)} at {', '.join(f'{end:.0f}' for end in stopped)}"
            ax.text(steps[-1], 1.12 * stopped[-1], words, color=ink, ha="right", va="bottom", fontsize=9)
        ax.text(0.05, 0.04, f"learning rate {rates[name]:g}", color=ink, transform=ax.transAxes, fontsize=9)
        ax.set_yscale("log")
        ax.set_yticks([0.01, 0.1, 1, 10, 100, 1000, 10000], ["0.01", "0.1", "1", "10", "100", "1,000", "10,000"])
        ax.set_ylim(0.3 * everything.min(), 4 * everything.max())
        ax.minorticks_off()
        ax.set_xticks(np.linspace(0, steps.max(), 4))
    words = f"thin: {everything.shape[-1]} climbs\nthick: their median"
    axes[-1].text(0.95, 0.5, words, ha="right", va="top", color=GREY, transform=axes[-1].transAxes)
    return fig


@in_course_style
def noise_ratios(ratios: Mapping[str, Sequence[float]]) -> Figure:
    """Variances over that of one pathwise estimator, a row of dots for each rival; its name says "pathwise" or "score function"."""
    rows = {name: np.asarray(row) for name, row in ratios.items()}
    same = [row for name, row in rows.items() if "score" in name and "log p" in name]
    title = f"For log p(x|z) the score function has {min(r.min() for r in same):.1f} to {max(r.max() for r in same):.0f} times the variance"
    what = "variance / variance of the pathwise estimator of log p(x|z)"
    fig, ax = figure(title, what, "", size=(9.4, 3.4))
    for i, (name, row) in enumerate(rows.items()):
        ax.plot(row, [i] * len(row), "o", ms=7, alpha=0.6, mew=0, color=RED if "score" in name else GREEN)
    ax.axvline(1, color="#000000", lw=1.2)
    ax.text(1, -0.65, " equal variance ", ha="left", va="center", fontsize=9)
    ax.set_yticks(range(len(ratios)), list(ratios))
    ax.set_ylim(len(ratios) - 0.5, -1)
    ax.set_xscale("log")
    ax.set_xticks([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20], ["0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20"])
    ax.minorticks_off()
    return fig


@in_course_style
def scoreboard(rows: Sequence[tuple[str, str, float, float, float]], written: str) -> Figure:
    """The scoreboard, with the distance from the exact value written beside each ELBO; the title counts those of `written`, as "07"."""
    fig = plain_scoreboard(rows)
    gaps = [abs(exact - estimate) for label, _, estimate, _, exact in rows if label.startswith(written)]
    near = sum(gap < 0.1 for gap in gaps)
    fig.axes[0].set_title(
        f"{near} of the {len(gaps)} new bounds end within 0.1 nats of log p(x)", loc="left", fontsize=11, fontweight="bold"
    )
    fig.axes[0].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    for i, (_, color, estimate, _, exact) in enumerate(rows):
        if color == "elbo":
            words = {"xytext": (-10, 0), "textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 9}
            fig.axes[0].annotate(f"{exact - estimate:.2f} below", (estimate, i), color=GREEN, **words)
    last = (rows[-1][4], len(rows) - 1)
    fig.axes[0].annotate("exact", last, xytext=(5, 0), textcoords="offset points", va="center", fontsize=9)
    return fig


@in_course_style
def missing_r(losses: Mapping[str, Sequence[float]], divergences: Mapping[str, Sequence[float]]) -> Figure:
    """Training loss and KL to the prior after each epoch: {"rsample": values, "sample": values} for each of the two panels."""
    titles = [
        f"Both losses fall, to {losses['rsample'][-1]:.0f} and {losses['sample'][-1]:.0f} nats",
        f"Without the r the KL stays below {math.ceil(100 * max(divergences['sample'])) / 100:.2f} nats",
    ]
    names = ["training loss, nats per image", "KL(q(z|x) ‖ p(z)), nats per image"]
    fig, axes = figure(titles, "epoch", names, size=(9.4, 3.8))
    for ax, curves in zip(axes, (losses, divergences)):
        for (name, values), color in zip(curves.items(), ("elbo", "naive")):
            epochs = range(1, len(values) + 1)
            line(ax, epochs, values, name, GREEN if color == "elbo" else RED, marker="o", ms=4)
        ax.set_xlim(0.6, len(values) * 1.25)
        ax.set_xticks(epochs)
    return fig
