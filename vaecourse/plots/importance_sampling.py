"""The figures of notebook 05: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, ellipse, figure, in_course_style, line, note, plane

BLUE, GREY, AMBER = COLORS["importance"], "#555555", "#A36A00"  # amber: the posterior's orange, dark enough for text


@in_course_style
def support(z, prior, posterior, low: float, high: float) -> Figure:
    """Prior and posterior densities at z (N,), a q that is flat from low to high, and what of the posterior it never reaches."""
    z, prior, posterior = (np.asarray(a) for a in (z, prior, posterior))
    fig, ax = figure(f"No sample of q falls outside of [{low:g}, {high:g}]", "z", "density")
    for part in (z <= low, z >= high):
        ax.fill_between(z[part], posterior[part], color=COLORS["posterior"], alpha=0.45, lw=0)
    line(ax, z, prior, "prior p(z)", "prior", end=np.argmin(abs(z + 0.75)), nudge=(-58, 6))
    line(ax, z, posterior, "posterior p(z|x)", AMBER, end=np.argmin(abs(z - 1.45)), nudge=(6, 6))
    line(ax, [low, low, high, high], [0, 1 / (high - low), 1 / (high - low), 0], "q", "importance", end=2, nudge=(5, 4))
    note(ax, (0.8, 0.3), "never sampled", (-125, 56), AMBER)
    return fig


@in_course_style
def price_of_width(width, cost, measured_at, measured) -> Figure:
    """1 + chi-square against the width of q (in posterior widths), N/ESS measured at some widths, and the region where it is infinite."""
    width, cost = np.asarray(width), np.asarray(cost)
    fig, ax = figure(
        "Too wide: the cost rises slowly. Too narrow: it is infinite",
        "width of q / width of the posterior",
        "samples for one effective sample",
    )
    line(ax, width, cost, "1 + χ²", "exact", end=int(0.83 * len(width)), nudge=(-44, 8))
    ax.axvspan(0.34, 0.5**0.5, color=COLORS["naive"], alpha=0.15, lw=0)
    ax.text(0.36, 13.5, "infinite", color=COLORS["naive"], weight="bold")
    ax.plot(measured_at, measured, "o", color=BLUE)
    note(ax, (measured_at[1], measured[1]), "N/ESS of 1,000 samples\nshows no sign of it", (60, 30), "importance")
    ax.set(xscale="log", yscale="log", ylim=(0.9, 18), xlim=(0.34, 12))
    ax.set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
    ax.set_yticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    ax.minorticks_off()
    return fig


@in_course_style
def running_averages(runs: Mapping[str, object]) -> Figure:
    """Average of the weights so far over p(x), against the number of samples: {title: (samples, runs)}."""
    fig, axes = figure(list(runs), "samples so far", ["running average / p(x)", ""], size=(9.4, 3.7))
    for ax, running in zip(axes, runs.values()):
        running = np.asarray(running)
        ax.plot(np.arange(1, len(running) + 1), running, color=BLUE, lw=1, alpha=0.75)
        ax.axhline(1, color=COLORS["exact"], lw=1.2)
        ax.set(xscale="log", xlim=(10, len(running)), ylim=(0.4, 1.8))
        highest = running[9:].max()
        if highest > 1.8:
            ax.text(0.98, 0.97, f"highest: {highest:.1f}", ha="right", va="top", fontsize=9, color=BLUE, transform=ax.transAxes)
    axes[1].text(0.75 * len(running), 1.06, "exact", ha="right", fontsize=9)
    return fig


@in_course_style
def stated_errors(runs: Mapping[str, tuple[object, object]]) -> Figure:
    """One dot a run: the standard error that it states, and its estimate over p(x); {title: (errors, estimates)}."""
    fig, axes = figure(list(runs), "standard error that the run states, relative to p(x)", ["estimate / p(x)", ""], size=(9.4, 3.7))
    for ax, (error, mean) in zip(axes, runs.values()):
        ramp = np.linspace(0, 0.3, 50)
        ax.fill_between(ramp, 1 - 2 * ramp, 1 + 2 * ramp, color="#999999", alpha=0.3, lw=0)
        ax.scatter(error, mean, s=5, color=BLUE, alpha=0.4)
        ax.axhline(1, color=COLORS["exact"], lw=1)
        ax.set(xlim=(0, 0.3), ylim=(0.5, 1.5))  # a few still larger ones are outside
    axes[1].text(0.075, 1.38, "grey: the exact value lies\nwithin two standard errors", va="center", fontsize=9, color=GREY)
    return fig


@in_course_style
def closing_in(grid, probs, path: Sequence[tuple[object, object]]) -> Figure:
    """The normals of a path [(mean, std), ...], the prior first, over the exact posterior: the plane, and the end of the path magnified."""
    last, box = len(path) - 1, {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}
    fig, axes = figure(["From the prior to the posterior", "The last rounds, magnified"], size=(9.6, 4.6))
    for ax, numbered in zip(axes, (range(4), (4, 5, last))):
        plane(ax, grid, np.asarray(probs) ** 0.4, extent=4)
        for i, (mu, sigma) in enumerate(path):
            ellipse(ax, mu, sigma, "importance" if i else "prior", lw=1.4)
        for i in numbered:
            mu, sigma = path[i]
            name, color = (f"round {i}", BLUE) if i else ("prior", GREY)
            ax.text(mu[0], mu[1] + 2 * sigma[1], name, color=color, ha="center", va="center", fontsize=8, bbox=box, clip_on=True)
    mu, sigma = path[-1]
    reach = 8 * float(max(sigma))
    axes[1].set(xlim=(mu[0] - reach, mu[0] + reach), ylim=(mu[1] - reach, mu[1] + reach))
    axes[0].text(-3.85, 3.55, "orange: exact posterior; blue: two standard deviations of q", color=BLUE, fontsize=9)
    return fig


@in_course_style
def error_against_ess(results: Mapping[str, tuple[object, object, str]], named: Sequence[int], cut: float = -50.0) -> Figure:
    """One dot a digit: effective samples of 1,000 and error in nats; {name: (ESS, error, colour)}, the last with the digits in `named`."""
    fits = np.asarray(list(results.values())[-1][0])
    fig, ax = figure(
        f"{len(named)} of {len(fits)} fits are more than a nat too low, at an ESS of up to {max(fits[i] for i in named):.0f}",
        "effective samples of 1,000",
        "estimate minus exact, nats",
        size=(7.4, 4.2),
    )
    ax.axhline(0, color=COLORS["exact"], lw=1)
    for i, (name, (ess, error, color)) in enumerate(results.items()):
        ess, error = np.asarray(ess), np.asarray(error)
        ax.plot(ess, np.maximum(error, cut), "o", ms=4, alpha=0.6, color=COLORS[color])
        below = int((error < cut).sum())
        words = name + (f" ({below} lie below −{-cut:g}, drawn there)" if below else "")
        ax.text(0.2, 0.62 - 0.09 * i, words, color=COLORS[color], transform=ax.transAxes)
    for i in named:
        place = (ess[i], max(error[i], cut))
        ax.plot(*place, "o", ms=9, mfc="none", mec=BLUE)
        ax.annotate(f"#{i}", place, xytext=(-8, 0), textcoords="offset points", ha="right", va="center", color=BLUE, weight="bold")
    ax.set(xscale="log", xlim=(0.9, 1200), ylim=(cut - 3, 7))
    ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    return fig


@in_course_style
def missed(maps: Sequence[Mapping[str, object]], depth: float = 100.0) -> Figure:
    """Proposals that lie beside the mode: for each digit the log posterior on a grid, q, and pictures decoded at the mode and at q.

    Args:
        maps: for each digit "title", "grid" (G, 2), "log_probs" (G,) in nats, "mu", "sigma" and "mode" (2,), and three
            "pictures" (784,): decoded at the mode, the digit itself, decoded at q's mean.
        depth: how many nats below its maximum the log posterior is drawn white.
    """
    fig, axes = figure([str(m["title"]) for m in maps], size=(4.8 * len(maps), 5.3))
    for ax, m in zip(np.atleast_1d(axes), maps):
        height = np.asarray(m["log_probs"])
        plane(ax, m["grid"], np.maximum(height - height.max() + depth, 0))
        ellipse(ax, (0, 0), (1, 1), "prior", lw=1.2, ls="--")
        ax.text(0, 0, "prior, two\nstandard deviations", ha="center", va="center", fontsize=8, color=GREY)
        ellipse(ax, m["mu"], m["sigma"], "importance", radius=3, lw=2)
        places = {"decoded at the mode": (m["mode"], AMBER), "the digit": (None, "#000000"), "decoded at q": (m["mu"], BLUE)}
        for j, (name, (place, color)) in enumerate(places.items()):
            _inset(ax, m["pictures"][j], name, 0.1 + 0.31 * j, place, color)
        ax.set(ylim=(-7.5, float(m["grid"][-1][1])), yticks=range(-4, 5, 2))  # room for the pictures
    bar = fig.colorbar(np.atleast_1d(axes)[-1].images[0], ax=list(np.atleast_1d(axes)), shrink=0.75, ticks=[0, depth / 2, depth])
    bar.ax.set_yticklabels([f"−{depth:g}\nor less", f"−{depth / 2:g}", "0"])
    bar.set_label("log posterior density, relative to its maximum, nats")
    return fig


def _inset(ax: Axes, picture, name: str, left: float, place, color: str) -> None:
    """A small picture at the lower edge of the axes, with a thin line to the point of the plane that was decoded."""
    side = int(round(len(picture) ** 0.5))
    small = ax.inset_axes((left, 0.07, 0.18, 0.18))
    small.imshow(np.asarray(picture).reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    small.set(xticks=[], yticks=[])
    small.grid(False)
    small.spines[:].set_visible(True)
    small.spines[:].set_color(color)
    small.set_xlabel(name, fontsize=8, color=color, labelpad=2)
    if place is not None:
        arrow = {"arrowstyle": "-", "color": color, "lw": 0.9}
        ax.annotate("", tuple(np.asarray(place)), xytext=(left + 0.09, 0.26), textcoords=ax.transAxes, arrowprops=arrow)
