"""The figures of notebook 05b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, ellipse, figure, in_course_style, line
from vaecourse.plots.text import minus

BLUE, RED, GREY, AMBER = COLORS["importance"], COLORS["naive"], "#555555", "#A36A00"  # amber: the posterior's orange, dark enough for text


@in_course_style
def wall(widths, k_hat, ess, n: int, k_limit: float, pair: tuple[int, int]) -> Figure:
    """ESS (runs, W) and k-hat (runs, W) of n samples against the width of q in posterior widths (W,), medians with bars from 10 to 90 %.

    The exact shape of the tail is drawn beside k-hat: 1 - width^2 for a narrow q, -2 for a wide one (one latent). The alarm rings above
    k_limit. The two widths whose places are in `pair` are ringed: a narrow and a wide q with about the same ESS.
    """
    widths, k_hat, ess = (np.asarray(a) for a in (widths, k_hat, ess))
    same, apart = (np.median(runs[:, list(pair)], axis=0) for runs in (ess, k_hat))
    titles = [
        f"Widths {widths[pair[0]]:g} and {widths[pair[1]]:g} look alike: ESS {same[0]:.0f}, {same[1]:.0f}",
        f"k̂ tells them apart: {minus(round(apart[0], 2))} and {minus(round(apart[1], 2))}",
    ]
    fig, axes = figure(
        titles, "width of q / width of the posterior (log scale)", [f"effective samples of {n:,}", "shape k of the tail"], size=(8.6, 3.7)
    )
    left, right = widths.min() / 1.12, widths.max() * 1.12
    for ax, runs in zip(axes, (ess, k_hat)):
        ax.axvspan(left, 0.5**0.5, color=RED, alpha=0.12, lw=0)
        _medians(ax, widths, runs)
        ax.plot(widths[list(pair)], np.median(runs[:, pair], axis=0), "o", ms=12, mfc="none", mec=RED, mew=1.8)
        ticks = [t for t in (0.4, 0.5, 0.7, 1, 2, 4, 7) if left < t < right]
        ax.set(xscale="log", xlim=(left, right), xticks=ticks, xticklabels=[f"{t:g}" for t in ticks])
        ax.minorticks_off()
    axes[0].plot(widths[list(pair)], same, color=RED, lw=1, ls=":", zorder=0)
    axes[0].text(1.03 * left, 1.07 * n, "shaded:\ninfinite\nvariance", color=RED, fontsize=9.5, va="top")
    axes[0].set(ylim=(-0.02 * n, 1.1 * n))
    said = f"dots: medians of {len(k_hat)} runs,\nbars: 10 to 90 %"
    axes[0].text(right / 1.05, 0.02 * n, said, color=BLUE, fontsize=9.5, ha="right", va="bottom")
    narrow = np.linspace(widths.min(), 1, 200)
    axes[1].plot(narrow, 1 - narrow**2, color=COLORS["exact"])
    axes[1].plot([1, widths.max()], [-2, -2], color=COLORS["exact"])
    for x, y, said, at in ((0.93, 0.05, "exact k", "right"), (1.05, -1.95, "exact: −2", "left")):
        axes[1].text(x, y, said, fontsize=9.5, ha=at, va="top" if at == "right" else "bottom")
    axes[1].axhline(k_limit, color=RED, lw=1, ls="--")
    axes[1].text(right / 1.05, k_limit + 0.04, f"the alarm rings above {k_limit:.2f}", color=RED, fontsize=9.5, ha="right")
    axes[1].set(ylim=(-2.3, 1.15))
    return fig


def _medians(ax: Axes, x, runs) -> None:
    low, middle, high = np.quantile(runs, [0.1, 0.5, 0.9], axis=0)
    ax.errorbar(x, middle, yerr=[middle - low, high - middle], fmt="o", color=BLUE, ms=5, capsize=3, lw=1.3)


@in_course_style
def missed_mode(z, posterior, q, samples, error, ess, k_hat) -> Figure:
    """Two modes, a proposal that covers one of them, where its samples fell, and log w/p(x).

    The title and a note say the mean of `error`, in nats, and what the alarms report, all of shape (runs,).
    """
    z, posterior, q = (np.asarray(a) for a in (z, posterior, q))
    log_ratio = np.log(posterior / q)
    left, right = (int(np.argmax(np.where(side, posterior, 0))) for side in (z < 0, z > 0))
    error, ess, k_hat = (np.asarray(a) for a in (error, ess, k_hat))
    too_low = f"{-error.mean():.1f} nats too low, yet ESS {ess.min():.0f} to {ess.max():.0f}"
    titles = [too_low, f"On the missed mode log w/p(x) is {log_ratio[left]:.0f}"]
    fig, (ax, weights) = figure(titles, "z", ["density", "log of w/p(x)"], size=(8.6, 3.2))
    weights.axhline(0, color=COLORS["exact"], lw=1)
    line(weights, z, log_ratio, "", "importance")
    for at, said, offset in ((left, "missed mode", (12, 2)), (right, "covered mode", (-34, 10))):
        weights.plot(z[at], log_ratio[at], "o", ms=9, mfc="none", mec=RED, mew=1.5)
        weights.annotate(said, (z[at], log_ratio[at]), xytext=offset, textcoords="offset points", color=RED, fontsize=9.5)
    ax.fill_between(z, posterior, color=COLORS["posterior"], alpha=0.45, lw=0)
    line(ax, z, posterior, "", "posterior")
    line(ax, z, q, "", "importance")
    ax.annotate("posterior p(z|x)", (z[left], posterior[left]), xytext=(14, -4), textcoords="offset points", color=AMBER, fontsize=9.5)
    ax.annotate("q", (z[right], q.max()), xytext=(14, -4), textcoords="offset points", color=BLUE, fontsize=9.5)
    samples = np.asarray(samples)
    ax.plot(samples, np.full(len(samples), -0.04 * q.max()), "|", color=BLUE, ms=7, alpha=0.5)
    lowest, highest = (minus(round(k, 1)) for k in (k_hat.min(), k_hat.max()))
    said = f"{len(ess)} runs of 1,000\nsamples, all on the\nsmaller mode: k̂\nfrom {lowest} to {highest}"
    ax.text(0, 0.55 * q.max(), said, ha="center", va="center", fontsize=9.5)
    ax.set(ylim=(-0.09 * q.max(), 1.12 * max(q.max(), posterior.max())))
    return fig


@in_course_style
def alarms(error, ess, k_hat, named: Sequence[int], ess_limit: float, k_limit: float) -> Figure:
    """Error in nats of many digits against the two alarms: the region in which each rings is shaded, the failures in `named` are ringed."""
    error, ess, k_hat = (np.asarray(a) for a in (error, ess, k_hat))
    rings = [int((ess[list(named)] < ess_limit).sum()), int((k_hat[list(named)] > k_limit).sum())]
    titles = [f"{alarm} warns of {count or 'none'} of the {len(named)} failures" for count, alarm in zip(rings, ("The ESS", "k̂"))]
    fig, axes = figure(titles, ["effective samples of 1,000", "k̂"], "", size=(8.6, 3.9))
    axes[0].set(ylabel="estimate minus exact, nats", xlim=(-20, 1020))
    axes[1].set(xlim=(min(-1.4, k_hat.min() - 0.1), max(k_limit + 0.9, k_hat.max() + 0.2)))
    for ax, alarm in zip(axes, (ess, k_hat)):
        _failures(ax, alarm, error, named, late=np.mean(ax.get_xlim()))
    _others(axes[0], error, named)
    axes[0].axvspan(-20, ess_limit, color=RED, alpha=0.12, lw=0)
    axes[1].axvspan(k_limit, axes[1].get_xlim()[1], color=RED, alpha=0.12, lw=0)
    middle = (np.mean([ess_limit, axes[0].get_xlim()[0]]), np.mean([k_limit, axes[1].get_xlim()[1]]))
    for ax, x, said in zip(axes, middle, (f"alarm: below {ess_limit:g}", f"alarm:\nabove {k_limit:.2f}")):
        ax.text(x, 0.86 * error.min(), said, color=RED, fontsize=9.5, ha="center", va="center", rotation=90 if ax is axes[0] else 0)
    return fig


def _failures(ax: Axes, x, error, named: Sequence[int], late: float) -> None:
    """The errors of all digits as dots; those in `named` are ringed and labelled, on the left where x is above `late`."""
    ax.axhline(0, color=COLORS["exact"], lw=1)
    ax.plot(x, error, "o", ms=4.5, color=BLUE, alpha=0.55)
    ax.set(ylim=(1.12 * error.min(), max(4, error.max() + 1)))
    for i in named:
        ax.plot(x[i], error[i], "o", ms=9, mfc="none", mec=RED, mew=1.5)
        at = {"xytext": (-9 if x[i] > late else 9, -3), "textcoords": "offset points", "ha": "right" if x[i] > late else "left"}
        ax.annotate(f"#{i}", (x[i], error[i]), color=RED, **at)


def _others(ax: Axes, error, named: Sequence[int]) -> None:
    """Say how small the errors of the other digits are, which all lie on the line."""
    rest = np.abs(np.delete(error, list(named)))
    ax.text(
        0.97,
        0.87,
        f"the other {len(rest)}: within {np.ceil(10 * rest.max()) / 10:.1f} nats",
        color=BLUE,
        fontsize=9.5,
        ha="right",
        transform=ax.transAxes,
    )


@in_course_style
def repairs(methods: Mapping[str, object], names: Sequence[str], close: float = 1.0) -> Figure:
    """Errors in nats of repeated estimates, {method: (digits, runs)}: a panel a method, a row a digit; those within `close` are filled.

    Every row counts them. The highest estimate of a row is labelled if it is more than one nat too high.
    """
    every = [np.asarray(errors) for errors in methods.values()]
    counts = [f"{(np.abs(errors) < close).sum()} of {errors.size}" for errors in (every[0], every[-1])]
    fig, axes = figure(list(methods), "error, nats", size=(8.8, 3.3))
    said = f"With a second fit {counts[1]} estimates are right, before it {counts[0]} (filled: within {close:g} nat)"
    fig.suptitle(said, x=0.01, ha="left", fontsize=11, fontweight="bold")
    low, high = min(errors.min() for errors in every), max(errors.max() for errors in every)
    right = max(0.5 * abs(low), 1.3 * high)
    for ax, errors in zip(axes, every):
        ax.axvline(0, color=COLORS["exact"], lw=1.2)
        for row, values in enumerate(errors):
            height = row + 0.5 * (np.arange(len(values)) / max(len(values) - 1, 1) - 0.5)
            near = np.abs(values) < close
            ax.plot(values[near], height[near], "o", ms=5, color=BLUE)
            ax.plot(values[~near], height[~near], "o", ms=5, mfc="none", mec=RED, mew=1.3)
            ax.text(0.97 * right, row, f"{near.sum()} of {len(values)}", color=BLUE, fontsize=9.5, ha="right", va="center")
            for value, at in [max(zip(values, height))] if values.max() > 1 else []:
                ax.annotate(f"+{value:.1f}", (value, at), xytext=(6, -3), textcoords="offset points", color=RED, fontsize=9.5)
        ax.set(xlim=(1.06 * low, right), ylim=(len(names) - 0.5, -1.1))
        ax.set(yticks=range(len(names)), yticklabels=list(names) if ax is axes[0] else [])
        ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=9.5, fontweight="normal")
        ax.grid(axis="y", visible=False)
        ax.text(0.97 * right, -0.7, "right", color=BLUE, fontsize=9.5, ha="right", va="center")
    return fig


@in_course_style
def enough(kl, errors: Mapping[int, object], named: Sequence[int] = (), cut: float = -30.0) -> Figure:
    """Error of the prior's estimate against KL(posterior || prior), for a smaller and a larger number of samples N.

    A dashed line marks log N; the band reaches from the smaller to the larger, and the digits in it are filled. Those in `named` are
    ringed, with their names. The titles count the errors in the band that are below a nat.
    """
    kl, (few, many) = np.asarray(kl), sorted(errors)
    between = (kl > np.log(few)) & (kl < np.log(many))
    right = [int((np.abs(np.asarray(errors[n]))[between] < 1).sum()) for n in (few, many)]
    titles = [f"N = {n:,}: {count} of {between.sum()} right in the band" for n, count in zip((few, many), right)]
    fig, axes = figure(titles, "KL(posterior ‖ prior), nats", ["estimate minus exact, nats (right: within 1)", ""], size=(9.4, 3.7))
    for ax, n in zip(axes, (few, many)):
        error = np.maximum(np.asarray(errors[n]), cut)
        ax.axvspan(np.log(few), np.log(many), color=BLUE, alpha=0.08, lw=0)
        ax.axhline(0, color=COLORS["exact"], lw=1)
        for mark, drawn in (("o", error > cut), ("v", error <= cut)):
            ax.plot(kl[~between & drawn], error[~between & drawn], mark, ms=4.5, mfc="none", mec=GREY)
            ax.plot(kl[between & drawn], error[between & drawn], mark, ms=4.5, color=BLUE)
        for i in named:
            ax.plot(kl[i], error[i], "o", ms=10, mfc="none", mec=RED, mew=1.5)
            offset = (7, -17 if error[i] > cut else 9)
            ax.annotate(f"#{i}", (kl[i], error[i]), xytext=offset, textcoords="offset points", color=RED, fontsize=9.5, ha="center")
        ax.axvline(np.log(n), color=RED, lw=1.5, ls="--")
        ax.text(np.log(n) - 0.1, 0.6 * cut, f"log {n:,} = {np.log(n):.1f}", color=RED, ha="right", fontsize=9)
        ax.set(ylim=(cut - 1.5, 5))
        if np.min(np.asarray(errors[n])) < cut:
            ax.text(ax.get_xlim()[0] + 0.1, cut, f"triangles:\nbelow {minus(cut)}", color=GREY, fontsize=9, va="bottom")
    axes[1].text(np.log(few) + 0.1, cut, f"filled: the {between.sum()}\ndigits in the band", color=BLUE, fontsize=9, va="bottom")
    return fig


@in_course_style
def within_reach(log_share, error, named: Sequence[int], case: tuple[int, object, object, object, tuple], n: int) -> Figure:
    """The part of a posterior out of reach of n samples, and the error in nats of each digit's estimate against the log share within.

    Args:
        log_share, error: both (digits,). The scales are linear up to 1 nat and logarithmic beyond.
        named: these digits are ringed and labelled.
        case: a digit, a rectangular grid (G, 2), the posterior's probabilities (G,), log w/p(x) (G,), and q's mean and standard deviations.
        n: the number of samples.
    """
    share, error = np.asarray(log_share), np.asarray(error)
    titles = [
        f"#{case[0]}: {100 * np.exp(share[case[0]]):.0f} % of the posterior is within reach",
        f"In this run the errors are log R to {np.abs(error - share).max():.2f} nats",
    ]
    labels = ["$z_1$", "log of the share R within reach"], ["$z_2$", "estimate minus exact, nats"]
    fig, (plane, ax) = figure(titles, *labels, size=(9.4, 4.2))
    _two_parts(plane, *case[1:], n=n)
    low, high = 3 * min(share.min(), error.min(), -1), max(1.5, 2 * error.max())
    ticks = [t for t in (-100, -30, -10, -3, -1, 0, 1, 3) if low < t < high]
    ax.plot([low, high], [low, high], color=COLORS["exact"], lw=1)
    ax.plot(share, error, "o", ms=4.5, color=BLUE, alpha=0.55)
    ax.set_xscale("symlog", linthresh=1, linscale=1)
    ax.set_yscale("symlog", linthresh=1, linscale=1)
    ax.xaxis.set_ticks([t for t in ticks if t <= 0], [minus(t) for t in ticks if t <= 0])
    ax.yaxis.set_ticks(ticks, [minus(t) for t in ticks])
    ax.set(xlim=(low, 0.35), ylim=(low, high))
    ax.minorticks_off()
    for i in named:
        ax.plot(share[i], error[i], "o", ms=9, mfc="none", mec=RED, mew=1.5)
        crowded = any(share[j] > share[i] and 0.7 < error[j] / error[i] < 1.4 for j in named)
        at = {"xytext": (-9 if crowded else 9, -3), "textcoords": "offset points", "ha": "right" if crowded else "left"}
        ax.annotate(f"#{i}", (share[i], error[i]), color=RED, fontsize=9.5, **at)
    said = "black line: error = log R\nscales: linear up to 1 nat,\nthen logarithmic"
    ax.text(0.03, 0.95, said, fontsize=9.5, va="top", transform=ax.transAxes)
    inset = ax.inset_axes((0.6, 0.13, 0.37, 0.27))
    inset.hist(error - share, bins=25, color=BLUE)
    inset.set_title(f"error − log R, {len(error)} digits", fontsize=9, fontweight="normal")
    inset.set(yticks=[], xlabel="nats")
    inset.tick_params(labelsize=8.5)
    inset.xaxis.label.set_size(9)
    return fig


def _two_parts(ax: Axes, grid, probs, log_ratio, q: tuple, n: int) -> None:
    """The region that holds 99 % of a posterior, the border w = n p(x) of the reach of n samples, and an ellipse of q."""
    grid, probs, log_ratio = np.asarray(grid), np.asarray(probs, dtype=float), np.asarray(log_ratio, dtype=float)
    falling, out = np.sort(probs)[::-1], log_ratio >= np.log(n)
    border = falling[np.searchsorted(falling.cumsum(), 0.99 * probs.sum())]
    x, y = np.unique(grid[:, 0]), np.unique(grid[:, 1])
    for part, color, said, offset in (
        (~out, COLORS["posterior"], "within reach", (88, 0)),
        (out, RED, f"out of reach\nof {n:,} samples", (-44, 4)),
    ):
        picture = np.where(part, probs, 0).reshape(len(x), len(y)).T
        ax.contourf(x, y, picture, levels=[border, 1.001 * probs.max()], colors=[color], alpha=0.75)
        share, middle = probs[part].sum(), probs[part] @ grid[part] / probs[part].sum()
        color = color if color == RED else AMBER
        place = {"textcoords": "offset points", "color": color, "fontsize": 9.5, "va": "center", "ha": "left" if offset[0] > 0 else "right"}
        ax.annotate(
            f"{said}:\n{100 * share:.0f} % of the posterior",
            middle,
            xytext=offset,
            arrowprops={"arrowstyle": "-", "color": color, "lw": 0.8},
            **place,
        )
    mu, sigma = (np.asarray(a) for a in q)
    ellipse(ax, mu, sigma, BLUE, radius=2, lw=1.3)
    ax.contour(x, y, log_ratio.reshape(len(x), len(y)).T, levels=[np.log(n)], colors="black", linewidths=1.5)
    note = {"xytext": (0, 20), "textcoords": "offset points", "color": BLUE, "fontsize": 9.5, "ha": "center"}
    ax.annotate("q: 2 s.d.", mu + 2 * sigma * [0, 1], **note)
    ax.text(0.03, 0.97, f"black: w = {n:,} p(x),\nthe border of reach", fontsize=9.5, va="top", transform=ax.transAxes)
    ax.text(0.98, 0.04, "coloured: 99 %\nof the posterior", fontsize=9.5, ha="right", transform=ax.transAxes)
    seen = np.concatenate([grid[probs >= border], [mu - 5 * sigma, mu + 5 * sigma]])
    center, half = (seen.min(0) + seen.max(0)) / 2, 0.58 * np.ptp(seen, axis=0).max()
    ax.set(xlim=(center[0] - half, center[0] + half), ylim=(center[1] - half, center[1] + half), aspect="equal")
