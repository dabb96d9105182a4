"""The figures of notebook 04: the log-sum-exp shift, and how far estimates of log p(x) lie from the exact values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse import plots

UNDERFLOW, OVERFLOW = -150 * math.log(2), 128 * math.log(2)  # where exp leaves float32: half its smallest number, its largest


@plots.in_course_style
def shifts(terms, by: Mapping[str, float], results: Mapping[str, float], title: str) -> Figure:
    """A row for each shift m: where the exponents a - m lie, and which of them float32 can exponentiate.

    Args:
        terms: the exponents a, (N,).
        by, results: the shift m and the log of the sum that it gives, by the name of the shift.
    """
    terms = np.asarray(terms, dtype=float)
    fig, ax = plots.figure("", "exponent a - m", size=(8.8, 3.2))
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    ax.axvspan(UNDERFLOW, OVERFLOW, color=plots.COLORS["importance"], alpha=0.12, lw=0)
    ax.text((UNDERFLOW + OVERFLOW) / 2, -0.75, "exp fits", ha="center", va="center", color=plots.COLORS["importance"], fontsize=9)
    ax.text(UNDERFLOW - 12, -0.75, "exp becomes 0", ha="right", va="center", color=plots.COLORS["naive"], fontsize=9)
    ax.text(OVERFLOW + 12, -0.75, "exp becomes inf", ha="left", va="center", color=plots.COLORS["naive"], fontsize=9)
    for row, (name, m) in enumerate(by.items()):
        at = terms - m
        fits = (at >= UNDERFLOW) & (at <= OVERFLOW)
        ax.plot(at[fits], np.full(fits.sum(), row), "o", ms=9, color=plots.COLORS["exact"])
        ax.plot(at[~fits], np.full((~fits).sum(), row), "x", ms=9, mew=2.2, color=plots.COLORS["naive"])
        good = math.isfinite(results[name])
        color = plots.COLORS["exact" if good else "naive"]
        ax.text(690, row, f"{results[name]:g}", ha="right", va="center", color=color, weight="bold")
    ax.text(690, -0.75, "log of the sum", ha="right", va="center", fontsize=9)
    ax.set(yticks=range(len(by)), yticklabels=list(by), ylim=(len(by) - 0.5, -1.1), xlim=(-1150, 700))
    ax.set_xticks([-1000, -800, -600, -400, -200, 0, 200])
    ax.grid(axis="y", visible=False)
    return fig


@plots.in_course_style
def errors(exact, error, title: str, cut: float = -20.0) -> Figure:
    """Estimate minus exact value against the exact value, (B,) each, in nats; what lies below `cut` is drawn there and counted."""
    exact, error = np.asarray(exact), np.asarray(error)
    below = int((error <= cut).sum())
    fig, ax = plots.figure(title, "exact log p(x), nats", "estimate minus exact, nats", size=(7.2, 3.9))
    ax.scatter(exact, np.maximum(error, cut), s=6, color=plots.COLORS["naive"], alpha=0.45, lw=0)
    ax.axhline(0, color=plots.COLORS["exact"], lw=1.4)
    ax.annotate("exact", (0, 0), xycoords=("axes fraction", "data"), xytext=(4, 5), textcoords="offset points", fontsize=9)
    ax.annotate(
        f"{below:,} of {len(error):,} lie at {cut:.0f} or below",
        (0.02, cut),
        xycoords=("axes fraction", "data"),
        xytext=(0, 9),
        textcoords="offset points",
        color=plots.COLORS["naive"],
        weight="bold",
        bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1},
    )
    ax.set_ylim(cut - 1.5, None)
    return fig


@plots.in_course_style
def bias_against_formula(sizes: Sequence[int], bias, formula, title: str) -> Figure:
    """How much too low the log of an average of N terms is on average, and what the formula says, on logarithmic axes."""
    fig, ax = plots.figure(title, "samples N", "log p(x) minus average estimate, nats")
    plots.line(ax, sizes, formula, "Var(w) / (2 N p²)", "prior", end=2, nudge=(-72, -14), ls="--")
    plots.line(ax, sizes, bias, "measured", "naive", marker="o", end=0, nudge=(12, 4))
    ax.set(xscale="log", yscale="log")
    return fig


@plots.in_course_style
def errors_by_ess(ess, error, edges: Sequence[float], title: str) -> Figure:
    """Median and middle 90 % of the errors, (B,) in nats, of the estimates whose effective sample size lies between two edges."""
    ess, error = np.asarray(ess), np.asarray(error)
    fig, ax = plots.figure(title, "effective samples of 1,000 (number of digits)", "estimate minus exact, nats", size=(7.2, 3.8))
    names = []
    for place, (low, high) in enumerate(zip(edges, [*edges[1:], math.inf])):
        here = error[(ess >= low) & (ess < high)]
        names += [f"{low:g} to {high:g}\n({len(here):,})" if math.isfinite(high) else f"{low:g} or more\n({len(here):,})"]
        if len(here):
            ends = np.quantile(here, [0.05, 0.95])
            ax.plot([place, place], ends, color=plots.COLORS["naive"], lw=9, alpha=0.35, solid_capstyle="butt")
            ax.plot(place, np.median(here), "o", ms=8, color=plots.COLORS["naive"])
    ax.axhline(0, color=plots.COLORS["exact"], lw=1.4)
    ax.set(xticks=range(len(names)), xticklabels=names, xlim=(-0.6, len(names) - 0.4))
    ax.text(len(names) - 0.45, 1.5, "exact", fontsize=9, ha="right", va="bottom")
    ax.annotate(
        "dot: median; bar: the middle 90 %", (0.98, 0.06), xycoords="axes fraction", ha="right", color=plots.COLORS["naive"], fontsize=9
    )
    ax.grid(axis="x", visible=False)
    return fig


@plots.in_course_style
def many_latents(dimensions: Sequence[int], error, ess, titles: Sequence[str]) -> Figure:
    """Errors of estimates in nats, and their effective sample sizes of 1,000, (K, R) each, against the number of latents."""
    fig, axes = plots.figure(
        titles, "number of latents K", ["estimate minus exact log p(x), nats", "effective samples of 1,000"], size=(9.6, 3.7)
    )
    for ax, values in zip(axes, (np.asarray(error), np.asarray(ess))):
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95], axis=1)
        ax.fill_between(dimensions, low, high, color=plots.COLORS["naive"], alpha=0.25, lw=0)
        plots.line(ax, dimensions, middle, "", "naive", marker="o")
        ax.set_xticks(dimensions)
    axes[0].axhline(0, color=plots.COLORS["exact"], lw=1.4)
    axes[0].annotate("exact", (dimensions[-1], 0), xytext=(0, 5), textcoords="offset points", ha="right", fontsize=9)
    axes[0].annotate(
        "line: median of 300 estimates\nband: the middle 90 %",
        (0.04, 0.08),
        xycoords="axes fraction",
        color=plots.COLORS["naive"],
        fontsize=9,
    )
    axes[1].set_yscale("log")
    return fig


@plots.in_course_style
def guarded(logit, values: Sequence, gradients: Sequence, titles: Sequence[str]) -> Figure:
    """Log-likelihood of an ink pixel and its gradient against the logit: (with the epsilon, from the logits) of each."""
    fig, axes = plots.figure(titles, "logit of an ink pixel", ["log-likelihood, nats", "gradient"], size=(9, 3.5))
    for ax, (with_epsilon, honest) in zip(axes, (values, gradients)):
        plots.line(ax, logit, honest, "", "exact")
        plots.line(ax, logit, with_epsilon, "", "naive", ls="--")
    quarter = len(logit) // 8
    plots.note(axes[0], (logit[quarter], values[0][quarter]), "log(p + 1e-8)", (4, 16), "naive")
    plots.note(axes[0], (logit[quarter], values[1][quarter]), "from logits", (28, -6))
    plots.note(axes[1], (logit[quarter], gradients[0][quarter]), "log(p + 1e-8)", (4, 16), "naive")
    plots.note(axes[1], (logit[quarter], gradients[1][quarter]), "from logits", (4, -18))
    return fig


@plots.in_course_style
def scoreboard_with_estimates(rows: Sequence[tuple], estimates) -> Figure:
    """The scoreboard, with every single estimate of the last row as a small dot, (R,) in nats."""
    fig, estimates = plots.scoreboard(rows), np.asarray(estimates)
    ax, last = fig.axes[0], len(rows) - 1
    ax.plot(estimates, [last + 0.24] * len(estimates), "o", ms=3.5, mew=0, alpha=0.5, color=plots.COLORS[rows[-1][1]])
    left, right = ax.get_xlim()
    ax.set_xlim(min(left, float(estimates.min()) - 0.03 * (right - left)), right)
    return fig
