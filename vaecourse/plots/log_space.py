"""The figures of notebook 04: the log-sum-exp shift, and how far estimates of log p(x) lie from the exact values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

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
def errors(error, title: str, cut: float = -20.0, end: float = -60.0) -> Figure:
    """A histogram of the errors, estimate minus exact value, (B,) in nats, in bins of 2 nats; all below `end` share the leftmost bar.

    The shares at `cut` or lower and within 2 nats of the exact value have their own colours, and are written.
    """
    error = np.asarray(error)
    fig, ax = plots.figure(title, "error: estimate minus exact, nats (bins of 2 nats)", "digits", size=(8.4, 3.7))
    counts, edges = np.histogram(error, np.arange(end, max(4.0, error.max()) + 2, 2.0))
    low, near, other = plots.COLORS["naive"], plots.COLORS["importance"], "#EBBB98"
    colors = [low if right <= cut else near if left >= -2 and right <= 2 else other for left, right in zip(edges, edges[1:])]
    ax.bar(edges[:-1], counts, width=2, align="edge", color=colors)
    beyond = (error < end).sum()
    ax.bar(end - 5, beyond, width=2, color=low)
    ax.axvline(0, color=plots.COLORS["exact"], lw=1.4)
    words = {"ha": "center", "va": "bottom", "weight": "bold"}
    top, middle = max(counts.max(), beyond), max(counts[edges[:-1] < cut].max(), beyond)
    ax.text(cut / 2 + end / 2, middle + 0.1 * top, f"{(error <= cut).mean():.0%} at {cut:.0f} or lower", color=low, fontsize=11, **words)
    ax.annotate(
        "", (end - 6, middle + 0.07 * top), (cut, middle + 0.07 * top), arrowprops={"arrowstyle": "|-|", "color": low, "mutation_scale": 3}
    )
    inside = f"{(np.abs(error) < 2).mean():.0%} within 2 nats"
    ax.text(-3, 0.9 * top, inside, color=near, fontsize=11, **{**words, "ha": "right"})
    ax.text(0.6, 1.02 * top, "exact", fontsize=9.5, ha="left", va="bottom")
    marks = np.arange(end, 1, 10)
    ax.set_xticks([end - 5, *marks], [f"below\n{end:.0f}", *(f"{mark:.0f}" for mark in marks)])
    ax.set(ylim=(0, 1.1 * top), xlim=(end - 7.5, edges[-1] + 1))
    ax.grid(axis="x", visible=False)
    return fig


@plots.in_course_style
def lead(exact: float, leads: Mapping[int, Sequence[float]], title: str, names: Sequence[str]) -> Figure:
    """By how many nats one decoder is ahead: in truth, and by estimates with N samples each, a dot for each estimate, against N.

    Args:
        exact: the lead by the exact values; negative where the other decoder is ahead.
        leads: the estimated leads, by the number of samples N; a line joins their means.
        title: the finding.
        names: the decoder that is ahead below 0, and the one that is ahead above it.
    """
    fig, ax = plots.figure(title, "samples N for each digit", f"lead of {names[1]}, nats", size=(8.0, 3.9))
    sizes, means = list(leads), [float(np.mean(np.asarray(values))) for values in leads.values()]
    for size, values in leads.items():
        ax.plot([size] * len(values), np.asarray(values), "o", ms=6, mew=0, alpha=0.3, color=plots.COLORS["naive"])
    plots.line(ax, sizes, means, "", "naive", marker="o", ms=7)
    for size, mean in zip(sizes, means):
        last = size == sizes[-1]  # no line goes on to the right of it
        beside = {"xytext": (9, 0 if last else -4), "textcoords": "offset points", "va": "center" if last else "top"}
        ax.annotate(f"{mean:+.2f}", (size, mean), color=plots.COLORS["naive"], weight="bold", **beside)
    ax.axhline(exact, color=plots.COLORS["exact"], lw=1.6)
    ax.annotate(f"exact {exact:+.2f}", (sizes[0], exact), xytext=(0, 4), textcoords="offset points", weight="bold")
    ax.set_xscale("log")
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.minorticks_off()
    ax.set_xlim(0.8 * sizes[0], 1.8 * sizes[-1])
    low, high = ax.get_ylim()
    low, high = min(low, -0.2), max(high, 0.2) + 0.08 * (high - low)
    ax.axhspan(low, 0, color=plots.COLORS["prior"], alpha=0.14, lw=0)
    ax.axhline(0, color=plots.COLORS["prior"], lw=1.4)
    for name, place, nudge in ((names[0], "top", -4), (names[1], "bottom", 4)):
        words = {"xytext": (0, nudge), "textcoords": "offset points", "va": place, "fontsize": 9.5, "color": "#444444"}
        ax.annotate(f"{name} is ahead", (sizes[0], 0), **words)
    key = {"xycoords": "axes fraction", "ha": "right", "fontsize": 9, "color": plots.COLORS["naive"]}
    ax.annotate("large dot: mean\nsmall dots: single sets of N samples", (0.98, 0.06), **key)
    ax.set_ylim(low, high)
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
        "bars: ± 2 standard errors,\nmostly within the dots",
        (0.97, 0.06),
        xycoords="axes fraction",
        ha="right",
        color=plots.COLORS["naive"],
        fontsize=9,
    )
    for ax, middle, half in zip(axes, (bias, bias / formula), (2 * errors, 2 * errors / formula)):
        ax.errorbar(sizes, middle, half, fmt="none", ecolor=plots.COLORS["naive"], elinewidth=2)
        ax.set_xscale("log")
    return fig


@plots.in_course_style
def too_low_by_ess(ess, error, edges: Sequence[float], title: str, limit: float = 5.0) -> Figure:
    """For each bin of the effective sample size, (B,), the share of the errors, (B,), that are more than `limit` nats too low."""
    ess, error = np.asarray(ess), np.asarray(error)
    fig, ax = plots.figure(title, "effective samples of 1,000", f"share more than {limit:g} nats too low", size=(7.6, 3.6))
    names, ink = [], plots.COLORS["naive"]
    for place, (low, high) in enumerate(zip(edges, [*edges[1:], math.inf])):
        here = error[(ess >= low) & (ess < high)]
        names += [f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"]
        if len(here):
            share = (here < -limit).mean()
            ax.bar(place, share, width=0.72, color=ink)
            words = {"textcoords": "offset points", "ha": "center", "va": "bottom"}
            ax.annotate(f"{share:.0%}", (place, share), xytext=(0, 14), color=ink, weight="bold", fontsize=12, **words)
            ax.annotate(f"of {len(here):,} digits", (place, share), xytext=(0, 3), fontsize=8.5, color="#444444", **words)
    ax.set(xticks=range(len(names)), xticklabels=names, ylim=(0, 1.25 * max(bar.get_height() for bar in ax.patches)))
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.grid(axis="x", visible=False)
    return fig


@plots.in_course_style
def by_sharpness(factors: Sequence[float], exact, estimates, titles: Sequence[str]) -> Figure:
    """Mean log p(x) and its mean estimate, in nats, for each factor of the logits; on the right, their difference.

    Both curves carry a ring at their highest point, with its factor.
    """
    factors, exact, estimates = (np.asarray(values) for values in (factors, exact, estimates))
    labels = ["mean log p(x), nats", "exact minus estimate, nats"]
    fig, axes = plots.figure(titles, "factor of the logits (right: sharper)", labels, size=(9.4, 3.7))
    axes[0].fill_between(factors, estimates, exact, color=plots.COLORS["naive"], alpha=0.16, lw=0)
    plots.line(axes[0], factors, exact, "exact", "exact", marker="o", ms=5, end=-2, nudge=(8, 8))
    plots.line(axes[0], factors, estimates, "estimates", "naive", marker="o", ms=5, end=-2, nudge=(-56, -10))
    for values, color, up in ((exact, "exact", 9), (estimates, "naive", -9)):
        best = int(np.argmax(values))
        axes[0].plot(factors[best], values[best], "o", ms=12, mfc="none", mew=1.8, color=plots.COLORS[color])
        words = {"textcoords": "offset points", "ha": "center", "va": "bottom" if up > 0 else "top", "weight": "bold"}
        axes[0].annotate(f"best at {factors[best]:g}", (factors[best], values[best]), (0, up), color=plots.COLORS[color], **words)
    axes[0].margins(y=0.14)
    error = exact - estimates
    plots.line(axes[1], factors, error, "", "naive", marker="o", ms=5)
    for factor, value in zip(factors, error):
        last = factor == factors[-1]
        beside = {"xytext": (-6, 8) if last else (7, -5), "textcoords": "offset points", "ha": "center" if last else "left"}
        beside |= {"va": "bottom" if last else "top"}
        axes[1].annotate(f"{value:.1f}", (factor, value), color=plots.COLORS["naive"], weight="bold", **beside)
    axes[1].set_ylim(0, 1.2 * error.max())
    for ax in axes:
        ax.set_xticks(factors, [f"{factor:g}" for factor in factors])
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
def scoreboard_with_estimates(rows: Sequence[tuple], estimates, title: str = "") -> Figure:
    """The scoreboard, with every single estimate of the last row as a small dot, (R,) in nats, in a labelled row of its own.

    A title, the finding, replaces that of the scoreboard, which then names the axis.
    """
    fig, estimates = plots.scoreboard(rows), np.asarray(estimates)
    ax, last, exact = fig.axes[0], len(rows) - 1, rows[-1][4]
    if title:
        ax.set_title(title, loc="left", fontsize=11, fontweight="bold")  # in place of the title of the scoreboard
        ax.set_xlabel("log p(x) of one held-out digit, nats")
    left, right = ax.get_xlim()
    left, right = min(left, float(estimates.min()) - 0.2 * (right - left)), max(right, float(estimates.max()) + 0.05 * (right - left))
    for text in ax.texts:
        if text.get_text() == "-inf":
            text.set(text="← -inf", x=left + 0.01 * (right - left))
    ax.annotate("exact", (exact, 0), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.plot([exact, exact], [last + 0.38, last + 0.82], color=plots.COLORS["exact"], lw=1)
    ax.plot(estimates, [last + 0.6] * len(estimates), "o", ms=4, mew=0, alpha=0.5, color=plots.COLORS[rows[-1][1]])
    ax.set(xlim=(left, right), ylim=(last + 0.9, -0.5))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))
    ax.set_yticks([*range(len(rows)), last + 0.6], [*(row[0] for row in rows), f"its {len(estimates)} estimates"])
    fig.set_size_inches(7.6, 1.3 + 0.46 * len(rows))
    return fig
