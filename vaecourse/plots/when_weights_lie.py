"""The figures of notebook 05b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style, line

BLUE, RED, GREY, AMBER = COLORS["importance"], COLORS["naive"], "#555555", "#A36A00"  # amber: the posterior's orange, dark enough for text


@in_course_style
def wall(widths, k_hat, ess, n: int, k_limit: float) -> Figure:
    """k-hat (runs, W) and ESS (runs, W) of n samples against the width of q in posterior widths (W,), medians with bars from 10 to 90 %.

    The alarm rings above k_limit.
    """
    widths, k_hat, ess = (np.asarray(a) for a in (widths, k_hat, ess))
    titles = ["The median k̂ crosses ½ at the shaded edge", "The ESS falls, but no value marks the edge"]
    fig, axes = figure(
        titles, "width of q / width of the posterior", ["shape k of the tail", f"effective samples of {n:,}"], size=(9.6, 3.9)
    )
    fine = np.linspace(widths.min(), widths.max(), 200)
    axes[0].plot(fine, 1 - fine**2, color=COLORS["exact"])
    axes[0].annotate("exact k", (widths.max(), 1 - widths.max() ** 2), xytext=(-62, -14), textcoords="offset points", fontsize=9)
    _medians(axes[0], widths, k_hat)
    axes[0].axhline(0.5, color=GREY, lw=1, ls=":")
    axes[0].axhline(k_limit, color=RED, lw=1, ls="--")
    right = widths.max() + 0.015
    axes[0].text(right, k_limit + 0.02, f"the alarm rings above {k_limit:.2f}", color=RED, fontsize=9, ha="right")
    axes[0].text(right, 0.51, "½", color=GREY, fontsize=10, ha="right")
    _medians(axes[1], widths, ess)
    for ax in axes:
        ax.axvspan(widths.min() - 0.04, 0.5**0.5, color=RED, alpha=0.12, lw=0)
        ax.set(xlim=(widths.min() - 0.04, widths.max() + 0.02))
    axes[0].text(widths.min() - 0.02, np.quantile(k_hat, 0.1, axis=0).min(), "shaded: infinite variance", color=RED, fontsize=9)
    axes[1].text(
        right, 0.3 * n, f"dots: medians of {len(k_hat)} runs\nbars: 10 to 90 % of them", color=BLUE, fontsize=9, ha="right", va="top"
    )
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
def alarms(error, ess, k_hat, named: Sequence[int], partial: Sequence[int], ess_limit: float, k_limit: float, cut: float = -50.0) -> Figure:
    """Error in nats of many digits against the two alarms; the region in which each rings is shaded.

    The failures in `named` are ringed, and smaller errors that the scale hides are labelled: `partial`.
    """
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
        _partial(ax, alarm, error, partial)
        ax.set(ylim=(cut - 3, max(4, error.max() + 1)))
    axes[0].set(xlim=(-20, 1020))
    axes[0].axvspan(-20, ess_limit, color=RED, alpha=0.12, lw=0)
    axes[1].axvspan(k_limit, max(k_limit + 0.5, k_hat.max() + 0.2), color=RED, alpha=0.12, lw=0)
    axes[1].set(xlim=(min(-1.8, k_hat.min() - 0.2), max(k_limit + 0.5, k_hat.max() + 0.2)))
    axes[0].text(ess_limit + 12, 0.24 * cut, "← shaded: the alarm rings", color=RED, fontsize=9)
    return fig


def _partial(ax: Axes, x, error, digits: Sequence[int]) -> None:
    """Label points that the scale puts on the line although their error is not small; neighbours stand on different lines."""
    thin = {"arrowstyle": "-", "color": GREY, "lw": 0.6, "shrinkA": 0}
    for row, i in enumerate(sorted(digits, key=lambda i: x[i])):
        said = f"#{i} {error[i]:.1f}".replace("-", "−")
        ax.annotate(
            said,
            (x[i], error[i]),
            xytext=(-24 + 24 * (row % 3), -16 - 11 * (row % 3)),
            textcoords="offset points",
            color=GREY,
            fontsize=8,
            ha="center",
            arrowprops=thin,
        )


@in_course_style
def reach(radius, error, named: Sequence[int], partial: Sequence[int], n: int, cut: float = -50.0) -> Figure:
    """Error in nats against the distance of the posterior mean from the origin, above how many of n prior samples lie beyond it."""
    radius, error = np.asarray(radius), np.asarray(error)
    fig, ax = figure(
        "The failures lie far out, where the prior has few samples",
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
    _partial(ax, radius, error, partial)
    ax.set(ylim=(cut - 9, max(4, error.max() + 1)), xlim=(0, 4.3))
    ax.text(0.05, cut - 3, f"of {n:,} prior samples\nlie farther out:", color=GREY, fontsize=9, va="center")
    for r in (1.5, 2, 2.5, 3, 3.5, 4):
        beyond = n * np.exp(-(r**2) / 2)
        ax.text(r, cut - 5, f"{beyond:.0f}" if beyond >= 1 else f"{beyond:.1f}", color=GREY, fontsize=9, ha="center")
    return fig


@in_course_style
def repeats(rows: Mapping[str, Sequence[object]], title: str, names: Sequence[str]) -> Figure:
    """Repeated estimates minus the exact value, {method: [values a panel]}: a row a method, a panel with its own axis a name."""
    runs = len(next(iter(rows.values()))[0])
    fig, axes = figure(list(names), "error, nats", size=(9.8, 1.6 + 0.5 * len(rows)))
    fig.suptitle(f"{title} ({runs} runs a row, drawn below each other)", x=0.01, ha="left", fontsize=11, fontweight="bold")
    for j, ax in enumerate(axes):
        for i, values in enumerate(rows.values()):
            values = np.asarray(values[j])
            ax.plot(values, i + 0.34 * (np.arange(len(values)) / max(len(values) - 1, 1) - 0.5), "o", ms=4.5, color=BLUE, alpha=0.6)
        ax.axvline(0, color=COLORS["exact"], lw=1.2)
        ax.set(yticks=range(len(rows)), yticklabels=list(rows) if j == 0 else [], ylim=(len(rows) - 0.5, -0.5))
        ax.grid(axis="y", visible=False)
    return fig


@in_course_style
def enough(kl, errors: Mapping[int, object], cut: float = -30.0) -> Figure:
    """Error of the prior's estimate against KL(posterior || prior), a panel for each number of samples N.

    A dashed line marks log N and a dotted one a place two nats beyond; the titles count the digits beyond the first.
    """
    kl = np.asarray(kl)
    counts = [int((kl > np.log(n)).sum()) for n in errors]
    fig, axes = figure(
        [f"{n:,} samples: {count} digits lie beyond log N" for n, count in zip(errors, counts)],
        "KL(posterior ‖ prior), nats",
        ["estimate minus exact, nats", ""],
        size=(9.6, 3.8),
    )
    for ax, (n, error) in zip(axes, errors.items()):
        ax.axhline(0, color=COLORS["exact"], lw=1)
        ax.plot(kl, np.maximum(np.asarray(error), cut), "o", ms=4.5, color=RED, alpha=0.6)
        ax.axvline(np.log(n) + 2, color=GREY, lw=1.2, ls=":")
        ax.axvline(np.log(n), color=GREY, lw=1.2, ls="--")
        ax.text(np.log(n) - 0.1, 0.45 * cut, f"log N = {np.log(n):.1f}", color=GREY, ha="right", fontsize=9)
        ax.text(np.log(n) + 2.08, 3.2, "2 nats beyond", color=GREY, fontsize=9)
        ax.set(ylim=(cut - 1.5, 5))
    lowest = min(np.min(np.asarray(error)) for error in errors.values())
    if lowest < cut:
        said = f"lower ones are\ndrawn at {cut:g}".replace("-", "−")
        axes[0].text(axes[0].get_xlim()[0] + 0.1, cut, said, color=GREY, fontsize=9, va="bottom")
    return fig


@in_course_style
def within_reach(kl, log_share, error, n: int, named: Sequence[int]) -> Figure:
    """Error in nats against KL(posterior || q), and against the log of the share of the posterior within reach of n samples.

    Zero and positive errors share the top of the axis with the small ones: the scale is linear up to 0.1 and logarithmic beyond.
    """
    titles = ["KL does not tell how large an error is", "The share within reach does"]
    fig, axes = figure(titles, ["KL(posterior ‖ q), nats", "log of the share within reach"], "", size=(9.6, 4.2))
    kl, log_share, error = (np.asarray(a) for a in (kl, log_share, error))
    ends = (3 * error.min(), max(0.2, 1.2 * error.max()))
    ticks = [t for t in (-100, -10, -1, -0.1, 0, 0.1) if t > ends[0]]
    labels = [f"{t:g}".replace("-", "−") for t in ticks]
    axes[1].plot(ends, ends, color=COLORS["exact"], lw=1)
    for ax, x in zip(axes, (kl, log_share)):
        ax.plot(x, error, "o", ms=4.5, color=BLUE, alpha=0.55)
        for i in named:
            ax.plot(x[i], error[i], "o", ms=9, mfc="none", mec=RED, mew=1.5)
        far = np.flatnonzero((kl > np.log(n)) & ((error < -0.1) | (x is kl)))
        for i in far:
            crowded = any(x[j] > x[i] and 0.7 < error[j] / error[i] < 1.4 for j in far)  # then the label goes to the left
            ink, side = RED if i in named else GREY, "right" if crowded else "left"
            at = {"xytext": (-8 if crowded else 8, -3), "textcoords": "offset points"}
            ax.annotate(f"#{i}", (x[i], error[i]), color=ink, fontsize=9, ha=side, **at)
        ax.set_yscale("symlog", linthresh=0.1, linscale=0.6)
        ax.set(ylim=ends, yticks=ticks, yticklabels=labels)
        ax.minorticks_off()
    axes[0].set(xscale="log", ylabel="estimate minus exact, nats", xlim=(0.5 * kl.min(), 6 * kl.max()))
    axes[0].axvline(np.log(n), color=GREY, lw=1.2, ls="--")
    axes[0].text(0.8 * np.log(n), 0.8 * ends[0], f"log {n:,}", color=GREY, fontsize=9, ha="right")
    axes[1].set_xscale("symlog", linthresh=0.1, linscale=0.6)
    axes[1].set(xlim=ends, xticks=ticks, xticklabels=labels)
    axes[1].minorticks_off()
    return fig


@in_course_style
def correlation(rho, share, n: int) -> Figure:
    """Effective share (runs, R) of n samples of a diagonal q against the correlation (R,) of the posterior, and its limit 1 - rho^2."""
    fig, ax = figure("Near a correlation of 1 the ESS is optimistic", "correlation ρ of the posterior", "ESS / N", size=(6.4, 3.5))
    rho = np.asarray(rho)
    fine = np.linspace(0, rho.max(), 200)
    line(ax, fine, 1 - fine**2, "limit 1 − ρ²", "exact", end=90, nudge=(-72, -12))
    _medians(ax, rho, np.asarray(share))
    said = f"ESS of {n:,} samples:\nmedian, 10 to 90 %\nof {len(share)} runs"
    ax.text(0.02, 0.05, said, color=BLUE, fontsize=9, va="bottom")
    ax.set(ylim=(0, 1.04), xlim=(-0.02, 1))
    return fig
