"""The figures of notebook 07b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
def ten_climbs(steps, starts: Mapping[str, Mapping[str, object]]) -> Figure:
    """log p(x) - ELBO in nats at some steps, one panel a start, {start: {name: (looks, runs)}}: every run thin, the median bold.

    The titles name the step from which on the second median of a panel is the smaller one. Dashed: the smallest of all gaps.
    """
    steps = np.asarray(steps)
    panels = {start: {name: np.asarray(gap) for name, gap in gaps.items()} for start, gaps in starts.items()}
    every = np.concatenate([gap.ravel() for gaps in panels.values() for gap in gaps.values()])
    titles = []
    for start, (first, second) in ((start, gaps.values()) for start, gaps in panels.items()):
        ahead = len(steps) - np.argmax((np.median(second, 1) >= np.median(first, 1))[::-1])  # the two are equal at the start
        titles.append(
            f"{start.capitalize()} start: STL median "
            + (f"ahead from step {steps[ahead]} on" if ahead < len(steps) else "behind at the end")
        )
    fig, axes = figure(titles, "step", ["log p(x) − ELBO, nats"] + [""] * (len(titles) - 1), size=(9.6, 4))
    for ax, gaps in zip(axes, panels.values()):
        for (name, gap), ink in zip(gaps.items(), (PATH, STL)):
            ax.plot(steps, gap, color=ink, lw=0.7, alpha=0.35)
            line(ax, steps, np.median(gap, 1), name, ink, lw=2.2, nudge=(5, 0 if ink == PATH else 9))
        ax.axhline(every.min(), color=COLORS["exact"], lw=1, ls="--")
        ax.set(yscale="log", xlim=(steps[0], 1.28 * steps[-1]), ylim=(0.6 * every.min(), 1.3 * every.max()))
        ax.set_xticks(steps[:: max(1, len(steps) // 3)])
    axes[0].annotate(
        f"smallest gap of all runs: {every.min():.3f}",
        (steps[0], every.min()),
        xytext=(6, -4),
        textcoords="offset points",
        va="top",
        fontsize=9,
    )
    axes[-1].annotate(
        f"thin: {gap.shape[1]} runs each\nbold: their median",
        (0.97, 0.96),
        xycoords="axes fraction",
        ha="right",
        va="top",
        color=GREY,
        fontsize=9,
    )
    return fig


@in_course_style
def signal_to_noise(k, curves: Mapping[str, object], averaged) -> Figure:
    """Signal-to-noise ratios against k, {name: ratios}, of the plain and of the doubly reparameterised gradient.

    Dashed: the ratio `averaged` of an average of k gradients, each from a bound with one sample. Dotted: the ratio 1.
    """
    k, averaged = np.asarray(k), np.asarray(averaged)
    first, second = (np.asarray(ratio) for ratio in curves.values())
    went = ["falls" if ratio[-1] < ratio[0] else "rises" for ratio in (first, second)]
    title = f"Plain {went[0]} to {first[-1]:.2g}, doubly reparameterised {went[1]} to {second[-1]:.2g}"
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
def temperatures(tau, angle: Mapping[str, object], length: Mapping[str, object], noise: Mapping[str, object], unbiased: float) -> Figure:
    """Against the temperature, {name: (T,)}: the angle in degrees between the average and the true gradient, its length, and noise.

    The length is in true lengths, the noise is the standard deviation of one sample in lengths of the average. The names are those
    of Gumbel-softmax and of straight-through. Dashed and black: the true direction and length; in the last panel the noise
    `unbiased` of leave-one-out.
    """
    tau = np.asarray(tau)
    drawn = [angle, length, noise]
    first = np.asarray(next(iter(angle.values())))
    short = all(np.asarray(v).max() < 1 for v in length.values())
    rises = all((np.diff(v) < 0).all() for v in noise.values())
    titles = [
        f"Gumbel-softmax: {first[0]:.0f}° off at τ = {tau[0]:g}, {first[-1]:.0f}° at {tau[-1]:g}",
        f"The average {'is' if short else 'can be'} too short",
        f"The noise {'rises' if rises else 'need not rise'} as τ falls",
    ]
    what = [
        "angle of average to true gradient, degrees",
        "length of average / true length",
        "noise of one sample / length of average",
    ]
    fig, axes = figure(titles, "temperature τ", what, size=(12.6, 4.1))
    beside = [[(6, (6, 0))] * 2, [(6, (6, -8)), (6, (6, 9))], [(6, (6, 0))] * 2]  # where the labels find room
    for ax, curves, places in zip(axes, drawn, beside):
        for (name, values), style, ink, (end, nudge) in zip(curves.items(), ("-", "--"), (PATH, DOUBLE), places):
            line(ax, tau, values, name, ink, ls=style, marker="o", ms=4, end=min(end, len(tau) - 1), nudge=nudge)
        ax.set(xscale="log", xlim=(0.85 * tau[0], 8 * tau[-1]), ylim=(0, 1.1 * max(1, *(np.asarray(v).max() for v in curves.values()))))
        ax.set_xticks(tau, [f"{t:g}" for t in tau])
        ax.minorticks_off()
    axes[0].set(ylim=(-0.04 * axes[0].get_ylim()[1], None))
    _level(axes[0], [7 * tau[-1]], 0, "true direction", COLORS["exact"], end=-1)
    _level(axes[1], [7 * tau[-1]], 1, "true length", COLORS["exact"], end=-1)
    _level(axes[2], tau, unbiased, "leave-one-out, no bias,\nper sample (S = 4)", SCORE, below=True)
    return fig


@in_course_style
def coupled_latents(counts, noise: Mapping[str, object], angle) -> Figure:
    """Noise of one sample of three gradients against the number of latents, {name: (N,)}, log-log; a noise of 0 is left out.

    The first two are unbiased: leave-one-out, and the sum over a latent's own categories. The third is relaxed; beside its dots
    stands `angle` (N,), in degrees, between its average and the true gradient. The noise is in lengths of each estimator's average.
    The title compares the last values.
    """
    counts, angle = np.asarray(counts), np.asarray(angle)
    plain, _, relaxed = (np.asarray(curve) for curve in noise.values())
    title = f"At {counts[-1]} latents leave-one-out has {plain[-1] / relaxed[-1]:.0f} times the noise of Gumbel-softmax"
    fig, ax = figure(title, "latents K that f couples", "noise of one sample / length of average", size=(7.4, 3.9))
    for (name, curve), ink, style, nudge in zip(noise.items(), (SCORE, SCORE, PATH), ("-", "--", "-"), (0, -3, 9)):
        curve = np.asarray(curve)
        some = curve > 0  # a sum over everything has no noise
        line(ax, counts[some], curve[some], name, ink, marker="o", ms=4, ls=style, nudge=(7, nudge))
    for k, height, other, degrees in zip(counts, relaxed, plain, angle):
        shift, va = (6, "bottom") if height > other else (-6, "top")  # away from the first curve
        words = f"{degrees:.0f}°"
        ax.annotate(words, (k, height), xytext=(0, shift), textcoords="offset points", ha="center", va=va, color=PATH, fontsize=9)
    ax.annotate("° bias: angle of the average\nto the true gradient", (counts[0], 0.6 * plain.max()), color=PATH, fontsize=9, va="center")
    top = 1.4 * max(plain.max(), relaxed.max())
    ax.set(xscale="log", yscale="log", xlim=(0.85 * counts[0], 5 * counts[-1]), ylim=(0.25, top))
    ax.set_xticks(counts, [f"{k}" for k in counts])
    ax.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    ax.minorticks_off()
    return fig


def _level(ax: Axes, x: Sequence[float], height: float, name: str, color: str, end: int = 0, below: bool = False) -> None:
    """A dashed horizontal line with its name above or below its left end (0) or its right one (-1)."""
    ax.axhline(height, color=color, lw=1.2, ls="--")
    side, va = "right" if end else "left", "top" if below else "baseline"
    ax.annotate(name, (x[end], height), xytext=(0, -3 if below else 3), textcoords="offset points", color=color, fontsize=9, ha=side, va=va)
