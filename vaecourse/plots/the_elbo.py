"""The figures of notebook 06: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, ellipse, figure, in_course_style, line, note, plane

GREEN, AMBER = COLORS["elbo"], "#A36A00"  # amber: the posterior's orange, dark enough for text
BOX = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}


@in_course_style
def two_terms(z, q, posterior, log_w, log_px: float, elbo: float, at: Sequence[float]) -> Figure:
    """Left the densities of q and of the posterior at evenly spaced z (N,); right log w(z), with arrows to log p(x) at the z in `at`.

    The length of each arrow is log q(z)/p(z|x); it points down where that is negative. One arrow is named.
    Dotted lines mark the z at which q equals the posterior.
    """
    z, q, posterior, log_w = (np.asarray(a) for a in (z, q, posterior, log_w))
    titles = ["q is shifted and too wide", "log w + arrow = log p(x), at every z"]
    fig, (left, right) = figure(titles, "z", ["density", "nats"], size=(8.6, 3.8))
    line(left, z, posterior, "posterior\np(z|x)", AMBER, end=np.argmin(abs(z - 1.5)), nudge=(6, 8))
    line(left, z, q, "q(z)", "elbo", end=np.argmin(abs(z - 0.45)), nudge=(-30, 4))
    left.set(xlim=(z[0], z[-1]), ylim=(0, 1.12 * posterior.max()))
    right.plot(z, log_w, color=GREEN)
    right.axhline(log_px, color=COLORS["exact"])
    right.axhline(elbo, color=GREEN, ls="--", lw=1.2)
    heights = np.interp(at, z, log_w)
    for x, height in zip(at, heights):
        right.annotate("", (x, log_px), (x, height), arrowprops={"arrowstyle": "->", "color": AMBER, "lw": 1.5, "shrinkA": 0, "shrinkB": 0})
    right.set(xlim=(z[0], z[-1]))
    crossings = z[1:][np.diff(q > posterior)]  # there the arrows change direction
    for ax in (left, right):
        ax.vlines(crossings, 0, 1, color="#777777", lw=1, ls=":", transform=ax.get_xaxis_transform())
    if len(crossings):
        place = {"ha": "right", "va": "top", "fontsize": 9, "transform": left.get_xaxis_transform()}
        left.text(crossings[0] - 0.03, 0.97, "dotted: q(z) = p(z|x)", **place)
    span = np.ptp(right.get_ylim())
    right.text(z[0] + 0.03, log_px + 0.02 * span, "log p(x)", va="bottom")
    words = {"ha": "center", "va": "top", "color": GREEN, "fontsize": 9}
    right.text(z[0] + 0.64 * np.ptp(z), elbo - 0.02 * span, f"ELBO = {elbo:.2f},\nthe average of log w(z)", **words)
    words = {"textcoords": "offset points", "va": "center"}
    right.annotate("log w(z)", (at[0], heights[0]), (10, -10), color=GREEN, **words)
    middle = (at[1], (heights[1] + log_px) / 2)
    note(right, middle, "arrow: log [q(z)/p(z|x)]", (66, -38), AMBER)
    return fig


@in_course_style
def climbing(far: tuple[object, object], path: Sequence[tuple[object, object]], shown: Sequence[int], gaps: Mapping[int, float]) -> Figure:
    """The way of q over the exact posterior, its end magnified, and the gap on the way, on a logarithmic axis.

    Args:
        far: nodes (G, 2) of a grid of the plane, and the posterior on them (G,).
        path: mean and standard deviation of q, (2,) each, before every step and after the last.
        shown: the steps whose q is drawn on the left.
        gaps: {step: log p(x) - ELBO, in nats, above 0}.
    """
    steps, heights = list(gaps), list(gaps.values())
    titles = ["q moves to the posterior", f"The gap falls from {heights[0]:.0f} to {heights[-1]:.2f} nats"]
    fig, (left, right) = figure(titles, ["", "step"], ["", "gap log p(x) - ELBO, nats"], size=(8.6, 4.0))
    plane(left, far[0], np.asarray(far[1]) ** 0.4, extent=3.4)  # a speck is made visible
    for i in shown:
        mu, sigma = (np.asarray(a) for a in path[i])
        ellipse(left, mu, sigma, "elbo", lw=1.4)
        if i in shown[:2]:  # further labels would cover each other
            left.text(mu[0], mu[1] + 2 * sigma[1], f"step {i}", color=GREEN, ha="center", va="center", bbox=BOX)
        elif i == shown[2]:
            left.text(mu[0] - 2 * sigma[0], mu[1], f"{i}", color=GREEN, ha="center", va="center", fontsize=9, bbox=BOX)
    words = "q (2 std) at steps " + ", ".join(map(str, shown))
    left.text(0.03, 0.97, "orange: the posterior", va="top", color=AMBER, transform=left.transAxes)
    left.text(0.03, 0.90, words, va="top", color=GREEN, transform=left.transAxes)
    nodes, probs = (np.asarray(a) for a in far)
    probs = probs / probs.sum()
    centre = probs @ nodes
    spread = (probs @ (nodes - centre) ** 2) ** 0.5
    mu, sigma = (np.asarray(a) for a in path[shown[-1]])
    small = left.inset_axes((0.64, 0.02, 0.34, 0.34))
    plane(small, nodes, probs)
    ellipse(small, mu, sigma, "elbo", lw=1.6)
    ellipse(small, centre, spread, AMBER, lw=1.2, ls="--")
    reach = 3 * sigma.max()
    small.set(xlim=(mu[0] - reach, mu[0] + reach), ylim=(mu[1] - reach, mu[1] + reach), xticks=[], yticks=[], xlabel="", ylabel="")
    small.spines[:].set_visible(True)
    left.indicate_inset_zoom(small, edgecolor="#555555")
    left.text(
        0.62,
        0.03,
        f"step {shown[-1]}, magnified;\ndashed: 2 std of\nthe posterior",
        ha="right",
        va="bottom",
        fontsize=9,
        transform=left.transAxes,
    )
    line(right, steps, heights, "", AMBER, marker="o", ms=3)
    right.set_yscale("log")
    ticks = [t for t in (0.01, 0.1, 1, 10, 100, 1000) if 0.7 * min(heights) < t < 1.5 * max(heights)]
    right.set_yticks(ticks, [f"{t:g}" for t in ticks])
    return fig


@in_course_style
def touching_bounds(theta, log_px, bounds: Mapping[float, object], top: float) -> Figure:
    """log p_theta(x) over one weight theta (N,), a bound below it for each theta at which a q is the posterior, and a round of EM.

    Args:
        theta, log_px: the weights and log p_theta(x), in nats, (N,) each.
        bounds: {the theta at which q is the posterior: ELBO(theta, q) (N,)}, from left to right.
        top: the theta at which the first bound is largest.
    """
    theta, log_px = np.asarray(theta), np.asarray(log_px)
    fig, ax = figure("Each bound touches the curve where its q is the posterior", "decoder weight θ", "nats", size=(7.6, 4.6))
    floor, ceiling = log_px.min() - 0.15 * np.ptp(log_px), log_px.max() + 0.2 * np.ptp(log_px)
    for letter, (touch, bound) in zip("abcdef", bounds.items()):
        bound = np.asarray(bound)
        last = np.flatnonzero(bound > floor + 0.12 * np.ptp(log_px))[-1]
        height = np.interp(touch, theta, log_px)
        side = {"xytext": (4, 0), "ha": "left"} if last < 0.8 * len(theta) else {"xytext": (-4, -14), "ha": "right"}
        ax.plot(theta, bound, color=GREEN, lw=1.6)
        ax.plot(touch, height, "o", ms=7, color=GREEN, zorder=4)
        words = {"textcoords": "offset points", "fontsize": 9, "color": GREEN}
        ax.annotate(f"ELBO(θ, q$_{letter}$)", (theta[last], bound[last]), **side, **words)
        right = touch > theta[log_px.argmax()]
        ax.annotate(
            f"q$_{letter}$, θ = {touch:.2f}", (touch, height), (4, 9) if right else (-7, 2), ha="left" if right else "right", **words
        )
    ax.plot(theta, log_px, color=COLORS["exact"], lw=2.4, zorder=3)
    ax.text(theta[-1], log_px[-1] + 0.04 * np.ptp(log_px), "log p$_θ$(x)", ha="right", va="bottom")
    start, first = next(iter(bounds.items()))
    low, high, up = np.interp(start, theta, log_px), np.interp(top, theta, np.asarray(first)), np.interp(top, theta, log_px)
    for tail, head, color, words, place in (
        ((start, low), (top, high), COLORS["importance"], "1 M-step:\nraise the\nbound in θ", (0.02, 0.68)),
        ((top, high), (top, up), AMBER, "2 E-step: set q\nto the posterior", (0.02, 0.86)),
    ):
        ax.annotate("", head, tail, arrowprops={"arrowstyle": "->", "lw": 1.8, "color": color, "shrinkA": 0, "shrinkB": 0}, zorder=5)
        at = ((tail[0] + head[0]) / 2, (tail[1] + head[1]) / 2)
        thin = {"arrowstyle": "-", "color": color, "lw": 0.8}
        ax.annotate(words, at, place, textcoords="axes fraction", color=color, fontsize=9, arrowprops=thin)
    ax.set(xlim=(theta[0], theta[-1]), ylim=(floor, ceiling))
    return fig


@in_course_style
def rise_without_gain(theta, log_px, bound, start: float, end: float) -> Figure:
    """A step in one weight theta that raises the bound of a fixed q while log p_theta(x) falls.

    Args:
        theta: increasing weights (N,).
        log_px, bound: log p_theta(x) and ELBO(theta, q), (N,) each, in nats.
        start, end: theta before and after the step.
    """
    theta, log_px, bound = (np.asarray(a) for a in (theta, log_px, bound))
    rises = [np.subtract(*np.interp((end, start), theta, heights)) > 0 for heights in (bound, log_px)]
    title = " while ".join(f"{name} {'rises' if up else 'falls'}" for name, up in zip(("The bound", "log p(x)"), rises))
    fig, ax = figure(title, "decoder weight θ", "nats", size=(7.6, 3.8))
    ax.plot(theta, log_px, color=COLORS["exact"], lw=2.4)
    ax.plot(theta, bound, color=GREEN, lw=1.6)
    words = {"textcoords": "offset points", "va": "center", "fontsize": 9}
    for heights, color, name in ((log_px, COLORS["exact"], "log p$_θ$(x)"), (bound, GREEN, "ELBO(θ, q$_c$)")):
        low, high = np.interp((start, end), theta, heights)
        ax.plot([start, end], [low, low], color=color, lw=1, ls=":")
        ax.plot([start, end], [low, high], "o", ms=6, color=color, zorder=4)
        ax.annotate("", (end, high), (end, low), arrowprops={"arrowstyle": "->", "lw": 1.8, "color": color, "shrinkA": 0, "shrinkB": 0})
        ax.annotate(f"{name}: {high - low:+.2f}", (end, (low + high) / 2), (8, 8 if high < low else 0), color=color, **words)
    for at, place in ((start, (-8, 0)), (end, (-8, -18))):
        low, high = np.interp(at, theta, bound), np.interp(at, theta, log_px)
        ax.plot([at, at], [low, high], color=AMBER, lw=2)
        ax.annotate(f"gap {high - low:.2f}", (at, (low + high) / 2), place, ha="right", color=AMBER, **words)
    span = np.ptp(np.concatenate([log_px, bound]))
    ax.set(xlim=(theta[0], theta[-1]), ylim=(min(log_px.min(), bound.min()), log_px.max() + 0.2 * span))
    return fig


@in_course_style
def without_the_kl(steps, stddev, objective, elbo, log_px: float) -> Figure:
    """What becomes of q without its KL divergence from the prior, against the step (N,).

    Args:
        steps: the steps (N,).
        stddev: the standard deviations of q (N, K).
        objective, elbo: the mean of log p(x|z) under q and the ELBO of q, (N,) each, in nats.
        log_px: the exact log p(x), in nats.
    """
    steps, stddev, objective, elbo = (np.asarray(a) for a in (steps, stddev, objective, elbo))
    titles = [
        f"σ falls from {stddev[0].max():.3f} to {stddev[-1].max():.3f}",
        "The objective lies above log p(x)" if (objective > log_px).all() else "Objective, ELBO and log p(x)",
    ]
    fig, (left, right) = figure(titles, "step without the KL", ["standard deviation of q", "nats"], size=(8.6, 3.8))
    for k, style in zip(range(stddev.shape[1]), ("-", "--")):
        line(left, steps, stddev[:, k], "", "naive", marker="o", ms=4, ls=style)
    left.text(0.97, 0.93, "solid: $z_1$, dashed: $z_2$", ha="right", va="top", color=COLORS["naive"], transform=left.transAxes, fontsize=9)
    left.set_yscale("log")
    ticks = [t for t in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1) if 0.7 * stddev.min() < t < 1.5 * stddev.max()]
    left.set_yticks(ticks, [f"{t:g}" for t in ticks])
    left.minorticks_off()
    line(right, steps, objective, "", "naive", marker="o", ms=4)
    line(right, steps, elbo, "", "elbo", marker="o", ms=4)
    right.axhline(log_px, color=COLORS["exact"])
    span = objective.max() - elbo.min()
    words = {"ha": "right", "fontsize": 9}
    right.text(steps[-1], log_px + 0.02 * span, f"log p(x): {log_px:.1f}", va="bottom", **words)
    right.text(
        steps[-1],
        objective[-1] - 0.03 * span,
        f"objective, mean of log p(x|z): {objective[-1]:.1f}",
        va="top",
        color=COLORS["naive"],
        **words,
    )
    right.text(steps[-1], elbo[-1] - 0.04 * span, f"ELBO of the same q: {elbo[-1]:.1f}", va="top", color=GREEN, **words)
    right.set_ylim(elbo.min() - 0.16 * span, objective.max() + 0.08 * span)
    return fig
