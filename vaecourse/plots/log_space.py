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
    left, right = -340, 410
    ax.axvspan(UNDERFLOW, OVERFLOW, color=plots.COLORS["importance"], alpha=0.12, lw=0)
    ax.text((UNDERFLOW + OVERFLOW) / 2, -0.75, "exp fits", ha="center", va="center", color=plots.COLORS["importance"], fontsize=9)
    ax.text(UNDERFLOW - 8, -0.75, "exp becomes 0", ha="right", va="center", color=plots.COLORS["naive"], fontsize=9)
    ax.text(OVERFLOW + 8, -0.75, "exp becomes inf", ha="left", va="center", color=plots.COLORS["naive"], fontsize=9)
    for row, (name, m) in enumerate(by.items()):
        at = terms - m
        fits, good = (at >= UNDERFLOW) & (at <= OVERFLOW), math.isfinite(results[name])
        far = at < left  # written at the border: an axis that reached them would be half empty
        color = plots.COLORS["exact" if good else "naive"]
        ax.plot(at[fits], np.full(fits.sum(), row), "o", ms=9, color=plots.COLORS["exact"])
        for x in at[~fits & ~far]:
            ax.plot(x, row, "o" if good else "x", ms=9, mew=2.2, mfc="none", color=plots.COLORS["prior" if good else "naive"])
            if good:
                ax.text(x, row + 0.36, "becomes 0, harmless", ha="center", va="center", color=plots.COLORS["prior"], fontsize=9)
        if far.any():
            ax.text(left + 8, row, "← " + ", ".join(f"{x:g}" for x in sorted(at[far])), ha="left", va="center", color=color)
        ax.text(right - 8, row, f"{results[name]:g}", ha="right", va="center", color=color, weight="bold")
    ax.text(right - 8, -0.75, "log of the sum", ha="right", va="center", fontsize=9)
    ax.set(yticks=range(len(by)), yticklabels=list(by), ylim=(len(by) - 0.4, -1.1), xlim=(left, right))
    ax.set_xticks([-300, -200, -100, 0, 100, 200])
    ax.grid(axis="y", visible=False)
    return fig


@plots.in_course_style
def errors(error, title: str, cut: float = -20.0) -> Figure:
    """The share of the errors, estimate minus exact value, (B,) in nats, that lie at or below each value.

    The share within 2 nats of the exact value is written beside its band, the share at `cut` or lower beside its point.
    """
    error, ink = np.sort(np.asarray(error)), plots.COLORS["naive"]
    low = (error <= cut).mean()
    fig, ax = plots.figure(title, "error: estimate minus exact, nats", "share of the digits at or below", size=(8.4, 3.7))
    ax.axvspan(-2, 2, color=plots.COLORS["importance"], alpha=0.15, lw=0)
    ax.axvline(0, color=plots.COLORS["exact"], lw=1.2)
    ax.step(error, np.arange(1, len(error) + 1) / len(error), where="post", color=ink, lw=2)
    ax.plot(cut, low, "o", ms=8, color=ink)
    words = {"textcoords": "offset points", "ha": "right", "fontsize": 9.5, "weight": "bold"}
    ax.annotate(f"{low:.0%} of the digits at {cut:.0f} or lower", (cut, low), xytext=(-8, 8), color=ink, **words)
    inside = f"{(np.abs(error) < 2).mean():.0%} within 2 nats"
    ax.annotate(inside, (-2, 0.75), xytext=(-8, 0), color=plots.COLORS["importance"], **words)
    ax.annotate("exact", (0, 0.97), xytext=(-14, 0), va="center", **{**words, "weight": "normal"})
    ax.annotate(f"lowest: {error[0]:.0f}", (error[0], 0), xytext=(0, 10), color=ink, **{**words, "ha": "left", "weight": "normal"})
    ax.set_ylim(0, 1.02)
    return fig


@plots.in_course_style
def bias_against_formula(sizes: Sequence[int], bias, errors, formula, titles: Sequence[str], scale: float) -> Figure:
    """How much too low the log of an average of N terms is on average, beside what the formula says; on the right, their ratio.

    Bars are two standard errors up and down. A dotted line marks the N that equals `scale`, the relative variance of a term.
    """
    bias, errors, formula = (np.asarray(values) for values in (bias, errors, formula))
    names = ["log p(x) minus average estimate, nats", "measured / formula"]
    fig, axes = plots.figure(titles, "samples N", names, size=(9.4, 3.7))
    plots.line(axes[0], sizes, formula, "formula", "prior", end=1, nudge=(-30, -14), ls="--")
    plots.line(axes[0], sizes, bias, "measured", "naive", marker="o", ms=4, end=1, nudge=(10, 8))
    axes[0].set_yscale("log")
    axes[1].axhline(1, color=plots.COLORS["prior"], ls="--")
    plots.line(axes[1], sizes, bias / formula, "", "naive", marker="o", ms=4)
    axes[1].set_ylim(0, None)
    axes[1].axvline(scale, color=plots.COLORS["exact"], ls=":")
    axes[1].annotate(f" N = Var(w) / p(x)² = {scale:.1f}", (scale, 0.97), xycoords=("data", "axes fraction"), va="top", fontsize=9)
    axes[1].annotate(
        "bars: ± 2 standard errors", (0.97, 0.06), xycoords="axes fraction", ha="right", color=plots.COLORS["naive"], fontsize=9
    )
    for ax, middle, half in zip(axes, (bias, bias / formula), (2 * errors, 2 * errors / formula)):
        ax.errorbar(sizes, middle, half, fmt="none", ecolor=plots.COLORS["naive"], elinewidth=2)
        ax.set_xscale("log")
    return fig


@plots.in_course_style
def errors_by_ess(ess, error, edges: Sequence[float], title: str, cut: float = -30.0) -> Figure:
    """The errors, (B,) in nats, of the estimates whose effective sample size lies between two edges.

    For each bin: the median, the middle 90 % (an arrow where it reaches below `cut`), the share that is more than 5 nats too low
    above, and the number at `cut` or lower below. The digits at -20 or lower with an effective sample size of 3 or more are
    drawn in black, those below `cut` at it, and their lowest five errors are written.
    """
    ess, error = np.asarray(ess), np.asarray(error)
    fig, ax = plots.figure(title, "effective samples of 1,000 (number of digits)", "estimate minus exact, nats", size=(7.6, 4.4))
    names, ink, under = [], plots.COLORS["naive"], cut - 5.6
    for place, (low, high) in enumerate(zip(edges, [*edges[1:], math.inf])):
        here = error[(ess >= low) & (ess < high)]
        names += [f"{low:g} to {high:g}\n({len(here):,})" if math.isfinite(high) else f"{low:g} or more\n({len(here):,})"]
        if len(here):
            ends = np.quantile(here, [0.05, 0.95])
            ax.plot([place, place], np.maximum(ends, cut), color=ink, lw=9, alpha=0.35, solid_capstyle="butt")
            ax.plot(place, max(np.median(here), cut), "o", ms=8, color=ink)
            share = f"{(here < -5).mean():.0%}" if len(here) >= 100 else f"{(here < -5).sum()} of {len(here)}"
            ax.text(place, 5, share, ha="center", va="center", color=ink, weight="bold")
            ax.text(place, under, f"{(here <= cut).sum():,}", ha="center", va="center", color=ink, weight="bold")
            if ends[0] < cut:
                ax.plot(place, cut, "v", ms=11, mew=0, color=ink)
                ax.text(place + 0.17, cut + 0.6, f"continues\nto {ends[0]:.0f}", va="bottom", color=ink, fontsize=9)
    blind = (ess >= 3) & (error <= -20)
    if blind.any():
        at = np.searchsorted(edges, ess[blind], side="right") - 1
        ax.plot(at + 0.1 * np.arange(len(at)) - 0.05 * (len(at) - 1), np.maximum(error[blind], cut), "o", ms=5, color=plots.COLORS["exact"])
        worst = ", ".join(f"{value:.0f}" for value in sorted(error[blind])[:5])
        ax.text(at.max() + 0.4, -20, f"{blind.sum()} digits at 3 or more:\n{worst}", ha="center", va="bottom", fontsize=9)
    ax.axhline(0, color=plots.COLORS["exact"], lw=1.4)
    ax.axhline(cut - 1.4, color=plots.COLORS["prior"], lw=0.8)
    ax.text(-0.5, 8.4, "more than 5 nats too low:", ha="left", va="center", color=ink, fontsize=9)
    ax.text(-0.5, under + 2.7, f"at {cut:.0f} or lower:", ha="left", va="center", color=ink, fontsize=9)
    ax.text(-0.55, 0.5, "exact", fontsize=9, ha="left", va="bottom")
    ax.set(xticks=range(len(names)), xticklabels=names, xlim=(-0.6, len(names) - 0.4), ylim=(under - 1.8, 11))
    ax.set_yticks([y for y in ax.get_yticks() if cut <= y <= 0])
    ax.text(len(names) - 0.45, 8.4, "dot: median; bar: middle 90 %", ha="right", va="center", color=ink, fontsize=9)
    ax.grid(axis="x", visible=False)
    return fig


@plots.in_course_style
def many_latents(dimensions: Sequence[int], error, ess, titles: Sequence[str], mark: int) -> Figure:
    """Errors of estimates in nats, and their effective sample sizes of 1,000, (K, R) each, against the number of latents.

    A dotted line in both panels marks one number of latents.
    """
    fig, axes = plots.figure(
        titles, "number of latents K", ["estimate minus exact log p(x), nats", "effective samples of 1,000"], size=(9.6, 3.7)
    )
    for ax, values in zip(axes, (np.asarray(error), np.asarray(ess))):
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95], axis=1)
        ax.fill_between(dimensions, low, high, color=plots.COLORS["naive"], alpha=0.25, lw=0)
        plots.line(ax, dimensions, middle, "", "naive", marker="o")
        ax.axvline(mark, color=plots.COLORS["exact"], ls=":", lw=1.2)
        ax.set_xticks(dimensions)
    axes[0].axhline(0, color=plots.COLORS["exact"], lw=1.4)
    axes[0].annotate("exact", (dimensions[-1], 0), xytext=(0, 5), textcoords="offset points", ha="right", fontsize=9)
    axes[0].annotate(
        "line: median of\n300 estimates\nband: middle 90 %",
        (0.04, 0.08),
        xycoords="axes fraction",
        color=plots.COLORS["naive"],
        fontsize=9,
    )
    axes[1].set_yscale("log")
    axes[1].axhline(1, color=plots.COLORS["exact"], lw=1.4)
    axes[1].annotate("cannot fall below 1", (dimensions[-1], 1), xytext=(0, -11), textcoords="offset points", ha="right", fontsize=9)
    axes[1].set_ylim(0.6, None)
    return fig


@plots.in_course_style
def guarded(logit, values: Sequence, gradients: Sequence, titles: Sequence[str]) -> Figure:
    """Log-likelihood of an ink pixel and its gradient against the logit: (with the epsilon, from the logits) of each."""
    fig, axes = plots.figure(titles, "logit of an ink pixel (left: more wrong)", ["log-likelihood, nats", "gradient"], size=(9, 3.5))
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
    """The scoreboard, with every single estimate of the last row as a small dot, (R,) in nats, in a labelled row of its own."""
    fig, estimates = plots.scoreboard(rows), np.asarray(estimates)
    ax, last, exact = fig.axes[0], len(rows) - 1, rows[-1][4]
    left, right = ax.get_xlim()
    left = min(left, float(estimates.min()) - 0.2 * (right - left))
    for text in ax.texts:
        if text.get_text() == "-inf":
            text.set(text="← -inf", x=left + 0.01 * (right - left))
    ax.annotate("exact", (exact, 0), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.plot([exact, exact], [last + 0.38, last + 0.82], color=plots.COLORS["exact"], lw=1)
    ax.plot(estimates, [last + 0.6] * len(estimates), "o", ms=4, mew=0, alpha=0.5, color=plots.COLORS[rows[-1][1]])
    ax.set(xlim=(left, right), ylim=(last + 0.9, -0.5))
    ax.set_yticks([*range(len(rows)), last + 0.6], [*(row[0] for row in rows), f"its {len(estimates)} estimates"])
    fig.set_size_inches(7.6, 1.3 + 0.46 * len(rows))
    return fig
