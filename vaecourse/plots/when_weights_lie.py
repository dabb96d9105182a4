"""The figures of notebook 05b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line

BLUE, RED, GREY, AMBER = COLORS["importance"], COLORS["naive"], "#555555", "#A36A00"  # amber: the posterior's orange, dark enough for text


@in_course_style
def wall(widths, k_hat, ess, n: int) -> Figure:
    """k-hat (runs, W) and ESS (runs, W) of n samples against the width of q in posterior widths (W,), medians with bars from 10 to 90 %."""
    widths, k_hat, ess = (np.asarray(a) for a in (widths, k_hat, ess))
    titles = ["k̂ crosses ½ where the variance becomes infinite", "The ESS falls smoothly across it"]
    fig, axes = figure(
        titles, "width of q / width of the posterior", ["shape k of the tail", f"effective samples of {n:,}"], size=(9.6, 3.9)
    )
    fine = np.linspace(widths.min(), widths.max(), 200)
    axes[0].plot(fine, 1 - fine**2, color=COLORS["exact"])
    axes[0].annotate("exact k", (widths.max(), 1 - widths.max() ** 2), xytext=(-62, -14), textcoords="offset points", fontsize=9)
    _medians(axes[0], widths, k_hat)
    axes[0].axhline(0.5, color=RED, lw=1, ls="--")
    _medians(axes[1], widths, ess)
    for ax in axes:
        ax.axvspan(widths.min() - 0.04, 0.5**0.5, color=RED, alpha=0.12, lw=0)
        ax.set(xlim=(widths.min() - 0.04, widths.max() + 0.02))
    axes[0].text(widths.min() - 0.02, np.quantile(k_hat, 0.1, axis=0).min(), "shaded: infinite variance", color=RED, fontsize=9)
    return fig


def _medians(ax: Axes, x, runs) -> None:
    low, middle, high = np.quantile(runs, [0.1, 0.5, 0.9], axis=0)
    ax.errorbar(x, middle, yerr=[middle - low, high - middle], fmt="o", color=BLUE, ms=5, capsize=3, lw=1.3)


@in_course_style
def missed_mode(z, posterior, q, samples, said: str) -> Figure:
    """Two modes, a proposal that covers one of them, and where its samples fell; `said` is what the alarms report."""
    fig, ax = figure("All samples lie on the smaller mode", "z", "density", size=(7.4, 3.3))
    z, posterior, q = (np.asarray(a) for a in (z, posterior, q))
    ax.fill_between(z, posterior, color=COLORS["posterior"], alpha=0.45, lw=0)
    line(ax, z, posterior, "", "posterior")
    line(ax, z, q, "", "importance")
    left, right = (int(np.argmax(np.where(side, posterior, 0))) for side in (z < 0, z > 0))
    ax.annotate("posterior p(z|x)", (z[left], posterior[left]), xytext=(14, -4), textcoords="offset points", color=AMBER, fontsize=9)
    ax.annotate("q", (z[right], q.max()), xytext=(14, -4), textcoords="offset points", color=BLUE, fontsize=9)
    samples = np.asarray(samples)
    ax.plot(samples, np.full(len(samples), -0.04 * q.max()), "|", color=BLUE, ms=7, alpha=0.5)
    ax.text(0, 0.55 * q.max(), said, ha="center", va="center", fontsize=9)
    ax.set(ylim=(-0.09 * q.max(), 1.12 * max(q.max(), posterior.max())))
    return fig


@in_course_style
def alarms(error, ess, k_hat, named: Sequence[int], ess_limit: float, k_limit: float, cut: float = -50.0) -> Figure:
    """Error in nats of many digits against the two alarms; the region in which each rings is shaded, and digits in `named` are labelled."""
    error, ess, k_hat = (np.asarray(a) for a in (error, ess, k_hat))
    rings = [int((np.asarray(ess)[list(named)] < ess_limit).sum()), int((np.asarray(k_hat)[list(named)] > k_limit).sum())]
    titles = [f"{name} warns of {count or 'none'} of the {len(named)} failures" for name, count in zip(("The ESS", "k̂"), rings)]
    fig, axes = figure(titles, ["effective samples of 1,000", "k̂"], "", size=(9.6, 4.2))
    axes[0].set(ylabel="estimate minus exact, nats")
    drawn = np.maximum(error, cut)
    for ax, alarm in zip(axes, (ess, k_hat)):
        ax.axhline(0, color=COLORS["exact"], lw=1)
        ax.plot(alarm, drawn, "o", ms=4.5, color=BLUE, alpha=0.55)
        for i in named:
            ax.plot(alarm[i], drawn[i], "o", ms=9, mfc="none", mec=RED, mew=1.5)
            late = alarm[i] > np.mean(ax.get_xlim())
            ax.annotate(
                f"#{i}",
                (alarm[i], drawn[i]),
                xytext=(-8 if late else 8, 6),
                textcoords="offset points",
                color=RED,
                ha="right" if late else "left",
            )
        ax.set(ylim=(cut - 3, max(4, error.max() + 1)))
    axes[0].set(xlim=(-20, 1020))
    axes[0].axvspan(-20, ess_limit, color=RED, alpha=0.12, lw=0)
    axes[1].axvspan(k_limit, max(k_limit + 0.5, k_hat.max() + 0.2), color=RED, alpha=0.12, lw=0)
    axes[1].set(xlim=(min(-1.8, k_hat.min() - 0.2), max(k_limit + 0.5, k_hat.max() + 0.2)))
    axes[0].text(ess_limit + 12, 0.24 * cut, "← shaded: the alarm rings", color=RED, fontsize=9)
    return fig


@in_course_style
def reach(radius, error, named: Sequence[int], n: int, cut: float = -50.0) -> Figure:
    """Error in nats against the distance of the posterior mean from the origin, above how many of n prior samples lie beyond it."""
    radius, error = np.asarray(radius), np.asarray(error)
    fig, ax = figure(
        "The fits fail where the prior has few samples",
        "distance of the posterior mean from the origin",
        "estimate minus exact, nats",
        size=(7.4, 4),
    )
    ax.axhline(0, color=COLORS["exact"], lw=1)
    drawn = np.maximum(error, cut)
    ax.plot(radius, drawn, "o", ms=4.5, color=BLUE, alpha=0.55)
    for i in named:
        ax.plot(radius[i], drawn[i], "o", ms=9, mfc="none", mec=RED, mew=1.5)
        ax.annotate(f"#{i}", (radius[i], drawn[i]), xytext=(9, -3), textcoords="offset points", color=RED)
    ax.set(ylim=(cut - 9, max(4, error.max() + 1)), xlim=(0, 4.3))
    ax.text(0.05, cut - 3, f"of {n:,} prior samples\nlie farther out:", color=GREY, fontsize=9, va="center")
    for r in (1.5, 2, 2.5, 3, 3.5, 4):
        beyond = n * np.exp(-(r**2) / 2)
        ax.text(r, cut - 5, f"{beyond:.0f}" if beyond >= 1 else f"{beyond:.1f}", color=GREY, fontsize=9, ha="center")
    return fig


@in_course_style
def repeats(rows: Mapping[str, Sequence[object]], title: str, names: Sequence[str], low: float = -50.0) -> Figure:
    """Repeated estimates minus the exact value: a panel for each of `names`, a row for each method, {method: [values a panel]}."""
    fig, axes = figure(list(names), "error, nats", size=(9.8, 1.6 + 0.5 * len(rows)))
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    for j, ax in enumerate(axes):
        for i, values in enumerate(rows.values()):
            values = np.maximum(np.asarray(values[j]), low)
            ax.plot(values, i + 0.34 * (np.arange(len(values)) / max(len(values) - 1, 1) - 0.5), "o", ms=4.5, color=BLUE, alpha=0.6)
        ax.axvline(0, color=COLORS["exact"], lw=1.2)
        ax.set(yticks=range(len(rows)), yticklabels=list(rows) if j == 0 else [], ylim=(len(rows) - 0.5, -0.5), xlim=(low - 2, 6))
        ax.grid(axis="y", visible=False)
    return fig


@in_course_style
def enough(kl, errors: Mapping[int, object], cut: float = -30.0) -> Figure:
    """Error of the prior's estimate against KL(posterior || prior), a panel for each number of samples, with a line at its logarithm."""
    kl = np.asarray(kl)
    fig, axes = figure(
        [f"{n:,} samples: errors grow beyond log N" for n in errors],
        "KL(posterior ‖ prior), nats",
        ["estimate minus exact, nats", ""],
        size=(9.6, 3.8),
    )
    for ax, (n, error) in zip(axes, errors.items()):
        ax.axhline(0, color=COLORS["exact"], lw=1)
        ax.plot(kl, np.maximum(np.asarray(error), cut), "o", ms=4.5, color=RED, alpha=0.6)
        ax.axvline(np.log(n), color=GREY, lw=1.2, ls="--")
        ax.text(np.log(n) - 0.1, 0.45 * cut, f"log N = {np.log(n):.1f}", color=GREY, ha="right", fontsize=9)
        ax.set(ylim=(cut - 1.5, 5))
    lowest = min(np.min(np.asarray(error)) for error in errors.values())
    if lowest < cut:
        said = f"lower ones are drawn at {cut:g}".replace("-", "−")
        axes[0].text(np.log(min(errors)) + 0.15, 0.92 * cut, said, color=GREY, fontsize=9, va="center")
    return fig
