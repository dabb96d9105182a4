"""The figures of notebook 07b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line

SCORE, PATH, STL, DOUBLE, GREY = COLORS["naive"], COLORS["elbo"], COLORS["importance"], COLORS["iwae"], "#555555"


@in_course_style
def growth(latents, variances: Mapping[str, object]) -> Figure:
    """Variance of one sample of a gradient against the number of latents (N,): {"pathwise" or what was done to the score function: (N,)}.

    The title compares "best baseline" and "other terms dropped" at the last number of latents.
    """
    latents = np.asarray(latents)
    curves = {name: np.asarray(curve) for name, curve in variances.items()}
    dropped, best = (curves[name][-1] for name in ("other terms dropped", "best baseline"))
    title = f"Terms dropped: variance {dropped:,.0f} at {latents[-1]} latents, instead of {best:,.0f}"
    fig, ax = figure(title, "latents K", "variance of one sample", size=(6.8, 3.9))
    styles = {"no baseline": ":", "best baseline": "--"}
    for name, curve in curves.items():
        path = name == "pathwise"
        said = name if path else f"score function,\n{name}"
        line(ax, latents, curve, said, PATH if path else SCORE, ls=styles.get(name, "-"), marker="o", ms=3.5)
    every = np.concatenate(list(curves.values()))
    ax.set(xscale="log", yscale="log", xlim=(0.85 * latents[0], 6 * latents[-1]), ylim=(0.5 * every.min(), 2 * every.max()))
    ax.set_xticks(latents, [f"{k}" for k in latents])
    ax.minorticks_off()
    return fig


@in_course_style
def leave_one_out(samples, exact, squares, levels: Mapping[str, float]) -> Figure:
    """S times the variance of an average of S samples against S: leave-one-out exact, measured, and levels.

    `squares` (N, R) holds R measured values for each S; drawn are their mean and two standard errors. There is a level for each
    fixed baseline. One of them is "mean of f"; the title compares with it.
    """
    samples, exact, squares = (np.asarray(a) for a in (samples, exact, squares))
    extra = [100 * (v / levels["mean of f"] - 1) for v in (exact[0], exact[-1])]
    title = f"Not knowing the mean of f costs {extra[0]:.0f} % at S = {samples[0]}, {extra[1]:.0f} % at S = {samples[-1]}"
    fig, ax = figure(title, "samples S", "S times the variance", size=(6.8, 3.7))
    for name, level in levels.items():
        ax.plot(samples[[0, -1]], [level, level], color=GREY, lw=1.2, ls="--")
        ax.annotate(name, (samples[-1], level), xytext=(6, 0), textcoords="offset points", color=GREY, va="center", fontsize=9)
    ax.plot(samples, exact, color=SCORE)
    ax.errorbar(samples, squares.mean(1), 2 * squares.std(1, ddof=1) / squares.shape[1] ** 0.5, fmt="o", color=SCORE, ms=4, capsize=3)
    ax.annotate(
        "leave-one-out\n(dots: measured, ± 2 standard errors)",
        (samples[1], exact[1]),
        xytext=(12, 10),
        textcoords="offset points",
        color=SCORE,
        fontsize=9,
    )
    ax.set(
        xscale="log",
        xlim=(0.9 * samples[0], 2.8 * samples[-1]),
        ylim=(0.8 * min(levels.values()), 1.08 * max(exact.max(), *levels.values())),
    )
    ax.set_xticks(samples, [f"{s}" for s in samples])
    ax.locator_params(axis="y", nbins=5, integer=True)
    ax.minorticks_off()
    return fig


@in_course_style
def landing(with_score, without, width, full, stl) -> Figure:
    """Samples (N, 2) of the gradient in the mean and in log t at the posterior, with and without the score term.

    Beside them the standard deviation of one sample in the mean against the width of q, in widths of the posterior, with
    and without the score term: (W,). The title and the dotted line name the first width at which the gradient without it is
    the less noisy one.
    """
    with_score, without, width, full, stl = (np.asarray(a) for a in (with_score, without, width, full, stl))
    border = width[stl < full].min()
    fig, (left, right) = figure(
        ["At the posterior every STL sample is 0", f"STL is noisier for widths below {border:.2f}"],
        ["gradient in μ", "width of q / width of the posterior"],
        ["gradient in log t", "standard deviation of one sample, in μ"],
        size=(9.6, 3.9),
    )
    left.plot(*with_score.T, "o", color=PATH, ms=3, alpha=0.4)
    left.plot(*without.T, "o", color=STL, ms=8)
    left.annotate("full gradient:\n1 dot, 1 sample", (0.5, 0.3), xycoords="axes fraction", ha="center", color=PATH, fontsize=9)
    left.annotate(
        f"STL gradient:\n{len(without)} samples",
        (0, 0),
        xytext=(0, -8),
        textcoords="offset points",
        ha="center",
        va="top",
        color=STL,
        fontsize=9,
    )
    line(right, width, full, "full\ngradient", PATH)
    line(right, width, stl, "STL: without\nthe score term", STL)
    right.axvline(border, color=GREY, lw=1, ls=":")
    right.annotate(
        f"equal at {border:.2f}", (border, full.max()), xytext=(5, 0), textcoords="offset points", color=GREY, va="center", fontsize=9
    )
    right.set(ylim=(0, None), xlim=(width[0] - 0.05, 1.4 * width[-1]))
    right.set_xticks(np.linspace(width[0], width[-1], 4))
    return fig


@in_course_style
def ten_climbs(steps, gaps: Mapping[str, object]) -> Figure:
    """log p(x) - ELBO in nats at some steps, {name: (looks, runs)}: every run thin, the median bold; dashed, the smallest of all gaps.

    The title names the range over the runs of the average over the last ten steps shown.
    """
    steps = np.asarray(steps)
    runs = {name: np.asarray(gap) for name, gap in gaps.items()}
    n, best = next(iter(runs.values())).shape[1], min(gap.min() for gap in runs.values())
    span, late = 10 * (steps[1] - steps[0]), []
    for gap in runs.values():  # each run's average over the last ten looks
        low, high = (f"{end(gap[-10:].mean(0)):.2f}" for end in (np.min, np.max))
        late.append(low if low == high else f"{low} to {high}")
    title = f"Average gap of the last {span} steps: full {late[0]} nats, STL {late[1]}"
    fig, ax = figure(title, "step", "log p(x) − ELBO, nats", size=(7.4, 3.8))
    for (name, gap), ink in zip(runs.items(), (PATH, STL)):
        ax.plot(steps, gap, color=ink, lw=0.7, alpha=0.35)
        line(ax, steps, np.median(gap, 1), name, ink, lw=2.2, nudge=(5, 0 if ink == PATH else 9))
    ax.axhline(best, color=COLORS["exact"], lw=1, ls="--")
    ax.annotate(
        f"smallest gap of all runs: {best:.3f}",
        (steps[len(steps) // 4], best),
        xytext=(0, -4),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=9,
    )
    ax.annotate(
        f"thin: {n} runs each\nbold: their median", (0.97, 0.96), xycoords="axes fraction", ha="right", va="top", color=GREY, fontsize=9
    )
    ax.set(yscale="log", xlim=(steps[0], 1.16 * steps[-1]), ylim=(0.6 * best, 1.3 * max(gap.max() for gap in runs.values())))
    return fig


@in_course_style
def signal_to_noise(k, curves: Mapping[str, object], averaged) -> Figure:
    """Signal-to-noise ratios against k, {name: ratios}, of the plain and of the doubly reparameterised gradient.

    Dashed: the ratio `averaged` of an average of k gradients, each from a bound with one sample. Dotted: the ratio 1.
    """
    k, averaged = np.asarray(k), np.asarray(averaged)
    first, second = (np.asarray(ratio) for ratio in curves.values())
    title = f"At k = {k[-1]}: plain {first[-1]:.2g}, doubly reparameterised {second[-1]:.2g}, averaged STL {averaged[-1]:.2g}"
    fig, ax = figure(title, "samples k in the bound", "signal-to-noise ratio", size=(7.4, 4))
    for (name, ratio), color in zip(curves.items(), (PATH, DOUBLE)):
        line(ax, k, ratio, name, color, marker="o", ms=4, nudge=(5, -9))
    line(ax, k, averaged, "k STL gradients,\naveraged", STL, ls="--", nudge=(5, 4))
    ax.axhline(1, color=GREY, lw=1, ls=":")
    ax.annotate("signal = noise", (6 * k[-1], 1), xytext=(-4, -3), textcoords="offset points", color=GREY, ha="right", va="top", fontsize=9)
    ax.set(xscale="log", yscale="log", xlim=(0.85 * k[0], 6 * k[-1]), ylim=(0.6 * first.min(), 2.2 * averaged.max()))
    ax.set_xticks(k, [f"{n}" for n in k])
    ax.minorticks_off()
    return fig


@in_course_style
def temperatures(tau, bias: Mapping[str, object], noise: Mapping[str, object], unbiased: float) -> Figure:
    """Length of the bias, and standard deviation of one sample, in lengths of the true gradient, against the temperature: {name: (T,)}.

    The names are those of Gumbel-softmax, of straight-through, and of straight-through with another f (left only, dotted).
    Dashed: the length of the true gradient, and the standard deviation `unbiased` of leave-one-out.
    """
    tau = np.asarray(tau)
    other = np.asarray(list(bias.values())[2])
    titles = [
        f"Straight-through's bias can {'grow' if other[0] > other.min() else 'fall'} as τ falls",
        f"As τ falls, the noise {'rises' if all(noise[name][0] > noise[name][-1] for name in noise) else 'falls'}",
    ]
    what = [f"{name} / length of the gradient" for name in ("bias", "noise of one sample")]
    fig, axes = figure(titles, "temperature τ", what, size=(9.6, 4.1))
    beside = [[(-2, (-96, -2)), (1, (-14, -16)), (0, (6, 12))], [(2, (-84, -14)), (1, (8, 2))]]  # where the labels find room
    for ax, curves, places in zip(axes, (bias, dict(list(noise.items())[:2])), beside):
        for (name, values), style, ink, (end, nudge) in zip(curves.items(), ("-", "--", ":"), (PATH, PATH, DOUBLE), places):
            line(ax, tau, values, name.replace(", ", ",\n"), ink, ls=style, marker="o", ms=4, end=end, nudge=nudge)
        ax.set(xscale="log", ylim=(0, 1.08 * max(1, *(np.asarray(v).max() for v in curves.values()))))
        ax.set_xticks(tau, [f"{t:g}" for t in tau])
        ax.minorticks_off()
    _level(axes[0], tau, 1, "length of the true gradient", COLORS["exact"])
    _level(axes[1], tau, unbiased, "leave-one-out, K = 1,\nper sample (S = 4)", SCORE, end=-1)
    return fig


@in_course_style
def errors(samples, soft: Mapping[float, object], unbiased: Mapping[int, object]) -> Figure:
    """Mean squared error of an average of S samples, in squared lengths of the true gradient, against S.

    Of Gumbel-softmax, {temperature: (S,)}, and of leave-one-out, {number of latents: (S,)}.
    """
    samples = np.asarray(samples)
    fig, ax = figure(
        "With more latents, leave-one-out needs more samples to win",
        "samples S",
        "mean squared error / squared length",
        size=(7.8, 4.3),
    )
    for (tau, error), style in zip(soft.items(), ("-", "--", ":")):
        line(ax, samples, error, f"Gumbel-softmax, τ = {tau:g}", PATH, ls=style)
    for (latents, error), width in zip(unbiased.items(), (1.2, 1.8, 2.6)):
        line(ax, samples, error, f"leave-one-out, K = {latents}", SCORE, lw=width)
    ax.set(xscale="log", yscale="log", xlim=(samples[0], 30 * samples[-1]))
    ax.set_xticks([t for t in (2, 10, 100, 1000, 10_000) if samples[0] <= t <= samples[-1]])
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.minorticks_off()
    return fig


def _level(ax: Axes, x: np.ndarray, height: float, name: str, color: str, end: int = 0) -> None:
    """A dashed horizontal line with its name above its left end (0) or its right one (-1)."""
    ax.axhline(height, color=color, lw=1.2, ls="--")
    side = "right" if end else "left"
    ax.annotate(name, (x[end], height), xytext=(0, 3), textcoords="offset points", color=color, fontsize=9, ha=side)
