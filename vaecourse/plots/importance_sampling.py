"""The figures of notebook 05: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vaecourse.plots import COLORS, ellipse, figure, in_course_style, line, note, plane
from vaecourse.plots.text import minus

BLUE, GREY, AMBER = COLORS["importance"], "#555555", "#A36A00"  # amber: the posterior's orange, dark enough for text


@in_course_style
def support(z, prior, posterior, low: float, high: float) -> Figure:
    """Prior and posterior at evenly spaced z (N,), a q that is flat from low to high, and the share of the posterior it never reaches."""
    z, prior, posterior = (np.asarray(a) for a in (z, prior, posterior))
    missed = posterior[(z <= low) | (z >= high)].sum() / posterior.sum()
    fig, ax = figure(f"{missed:.0%} of the posterior lies where q is zero", "z", "density")
    for part in (z <= low, z >= high):
        ax.fill_between(z[part], posterior[part], color=COLORS["posterior"], alpha=0.45, lw=0)
    line(ax, z, prior, "prior p(z)", "prior", end=np.argmin(abs(z + 0.75)), nudge=(-58, 6))
    line(ax, z, posterior, "posterior p(z|x)", AMBER, end=np.argmin(abs(z - 1.45)), nudge=(6, 6))
    line(ax, [low, low, high, high], [0, 1 / (high - low), 1 / (high - low), 0], "q, flat", "importance", end=2, nudge=(5, 4))
    note(ax, (0.8, 0.3), "never sampled", (-125, 56), AMBER)
    return fig


@in_course_style
def integrands(widths: Sequence[float], top: float = 0.8) -> Figure:
    """Normal posterior, normal q and p(z|x)²/q(z), whose area is the second moment of the weights; a panel for each width of q."""
    u = np.linspace(-5, 5, 401)
    log_p = -(u**2) / 2 - np.log(2 * np.pi) / 2
    titles = [f"q {w:g} times as wide: {'finite' if w**2 > 0.5 else 'infinite'} area" for w in widths]
    fig, axes = figure(titles, "z − m, in widths of the posterior", ["densities and p(z|x)²/q(z)", ""], size=(8, 3.2))
    for ax, width in zip(axes, widths):
        log_density = -((u / width) ** 2) / 2 - np.log(2 * np.pi * width**2) / 2
        curve = np.exp(2 * log_p - log_density)
        finite = width**2 > 0.5
        ax.fill_between(u, np.minimum(curve, top), color=COLORS["exact" if finite else "naive"], alpha=0.15, lw=0)
        words = f"area {width**2 / (2 * width**2 - 1) ** 0.5:.2f}" if finite else "infinite\narea ↑"
        ax.text(0 if finite else 3.3, 0.06 if finite else 0.5, words, ha="center", color=COLORS["exact" if finite else "naive"])
        ax.plot(u, np.exp(log_p), color=AMBER)
        ax.plot(u, np.exp(log_density), color=BLUE)
        ax.plot(u, curve, color=COLORS["exact"])
        ax.set(xlim=(u[0], u[-1]), ylim=(0, top))
    axes[0].text(0.03, 0.93, "posterior p(z|x)", color=AMBER, va="top", transform=axes[0].transAxes)
    axes[0].text(0.03, 0.84, "proposal q(z)", color=BLUE, va="top", transform=axes[0].transAxes)
    axes[0].text(0.03, 0.75, "p(z|x)²/q(z)", va="top", transform=axes[0].transAxes)
    return fig


@in_course_style
def price_of_width(width, cost) -> Figure:
    """1 + chi-square against the width of q, in widths of the posterior, and the region where it is infinite."""
    width, cost = np.asarray(width), np.asarray(cost)
    fig, ax = figure(
        f"{width[-1]:.0f} times too wide: {cost[-1]:.0f} samples for one. {0.5**0.5:.2f} times or less: infinite variance",
        "width of q / width of the posterior",
        "samples for one effective sample",
        size=(7.2, 3.6),
    )
    line(ax, width, cost, "1 + χ²", "exact", end=int(0.83 * len(width)), nudge=(-44, 8))
    ax.axvspan(0.2, 0.5**0.5, color=COLORS["naive"], alpha=0.15, lw=0)
    ax.text(0.375, 5, "1 + χ² infinite", color=COLORS["naive"], weight="bold", ha="center", va="center")
    ax.set(xscale="log", yscale="log", ylim=(0.9, 20), xlim=(0.2, 12))
    ax.set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
    ax.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    ax.minorticks_off()
    return fig


@in_course_style
def many_runs(narrow, wide, widths: tuple[float, float], low: float = 0.6, high: float = 1.6) -> Figure:
    """Histograms of the estimates of many runs, in units of p(x), with a q too narrow and with one too wide; what lies above is counted.

    `widths`: of the two q, in widths of the posterior.
    """
    narrow, wide = np.asarray(narrow), np.asarray(wide)
    title = f"Too narrow: {(narrow < 1).mean():.0%} of the estimates are too low. Too wide: {(wide < 1).mean():.0%}"
    fig, ax = figure(title, "estimate divided by p(x)", "runs", size=(7.2, 3.0))
    bins = np.linspace(low, high, 51)
    for estimates, color, alpha in ((wide, COLORS["importance"], 0.35), (narrow, COLORS["naive"], 0.6)):
        ax.hist(estimates, bins, color=color, alpha=alpha)
    ax.axvline(1, color=COLORS["exact"], lw=1.5)
    top = 1.12 * ax.get_ylim()[1]
    ax.set_ylim(0, top)
    ax.text(1.07, 0.8 * top, f"q {widths[1]:g} times as wide", color=BLUE)
    ax.text(0.64, 0.42 * top, f"q {widths[0]:g} times as wide", color=COLORS["naive"])
    ax.text(1.01, 0.98 * top, "exact", va="top")
    beyond = f"{widths[0]:g} times: {(narrow > high).sum()} of {len(narrow):,}\nabove {high:g}, up to {narrow.max():.0f} →"
    ax.text(high, 0.4 * top, beyond, color=COLORS["naive"], ha="right")
    ax.set_xlim(low, high)
    return fig


@in_course_style
def closing_in(grid, probs, path: Sequence[tuple[object, object]]) -> Figure:
    """The normals of a path [(mean, std), ...], the prior first, over the exact posterior: the plane, and the end of the path magnified."""
    grid, probs = np.asarray(grid), np.asarray(probs)
    center = probs @ grid
    spread = np.sqrt(probs @ (grid - center) ** 2)
    last, box = len(path) - 1, {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}
    ratio = (np.asarray(path[-1][1]) / spread).mean()
    titles = [f"From prior to posterior in {last} rounds", f"Framed: q is {ratio:.1f} times as wide as p(z|x)"]
    fig, axes = figure(titles, size=(8.6, 4.5))
    for ax, first, numbered, shade in zip(axes, (0, 3), (range(3), (3, 4, 5, 6)), (0.4, 1)):  # on the left a speck is made visible
        plane(ax, grid, probs**shade, extent=4)
        for i, (mu, sigma) in enumerate(path[first:], first):
            ellipse(ax, mu, sigma, "importance" if i else "prior", lw=1.4)
        for i in numbered:
            mu, sigma = path[i]
            name, color = (f"round {i}" if i < 6 else f"rounds {i}–{last}", BLUE) if i else ("prior", GREY)
            ax.text(mu[0], mu[1] + 2 * sigma[1], name, color=color, ha="center", va="center", fontsize=8, bbox=box, clip_on=True)
    note(axes[0], tuple(path[-1][0]), f"rounds 3–{last}", (18, -68), BLUE)
    mu, sigma = path[-1]
    reach = 10 * float(max(sigma))
    axes[1].set(xlim=(mu[0] - reach, mu[0] + reach), ylim=(mu[1] - reach, mu[1] + reach))
    axes[0].add_patch(Rectangle((mu[0] - reach, mu[1] - reach), 2 * reach, 2 * reach, fill=False, ec="#000000", lw=0.8))
    axes[1].images[0].set_interpolation("bicubic")  # a node of the grid is about as wide as the posterior
    ellipse(axes[1], center, spread, AMBER, lw=1.4, ls="--")
    axes[1].text(
        0.5,
        0.03,
        "orange: p(z|x); dashed: two standard deviations",
        transform=axes[1].transAxes,
        ha="center",
        fontsize=9,
        color=AMBER,
        bbox=box,
    )
    middle = np.array([np.asarray(mu) for mu, _ in path[:2]]).mean(0)
    axes[0].set(xlim=(middle[0] - 3.4, middle[0] + 3.4), ylim=(middle[1] - 3.4, middle[1] + 3.4))
    words = "blue: two standard deviations of q"
    axes[0].text(0.03, 0.97, words, transform=axes[0].transAxes, va="top", color=BLUE, fontsize=9, bbox=box)
    return fig


@in_course_style
def error_against_ess(results: Mapping[str, tuple[object, object, str]], named: Sequence[int]) -> Figure:
    """One dot a digit: effective samples of 1,000 and error in nats; {name: (ESS, error, colour)}. In the last, the digits in `named`
    have a ring and their number.
    """
    last = [np.asarray(some) for some in list(results.values())[-1][:2]]
    (fits, errors), count = (some[list(named)] for some in last), len(last[0])
    low, high = f"{-errors.max():.{int(errors.max() > -1)}f}", f"{-errors.min():.0f}"
    fig, ax = figure(
        f"{len(named)} of {count} fits are {low} to {high} nats too low, at an ESS of {fits.min():.0f} to {fits.max():.0f}",
        "effective samples of 1,000",
        "estimate minus exact, nats (scale linear within ±0.1)",
        size=(7.4, 4.6),
    )
    ax.axhline(0, color=COLORS["exact"], lw=1)
    ax.axhspan(-0.1, 0.1, color="#999999", alpha=0.25, lw=0)
    for i, (name, (ess, error, color)) in enumerate(results.items()):
        ess, error = np.asarray(ess), np.asarray(error)
        ax.plot(ess, error, "o", ms=4, alpha=0.6, color=COLORS[color])
        words = f"{name}: from −{-error.min():.0f} to +{error.max():.1f} nats"
        side, y = ("left", 0.44) if i == 0 else ("right", 0.86)  # each beside its own dots
        ax.text(0.33 if i == 0 else 0.98, y, words, ha=side, color=COLORS[color], transform=ax.transAxes)
    right = (abs(error) < 0.1).sum()
    ax.text(12, -0.05, f"right to 0.1 nats: {right} of {count} fits", va="center", fontsize=9, color=BLUE)
    for i in named:
        place = (ess[i], error[i])
        ax.plot(*place, "o", ms=9, mfc="none", mec=BLUE)
        # a label stands on the left of its ring, or below it where the ring of another digit is in the way
        crowded = any(0.8 < ess[j] / ess[i] < 1 and 0.8 < error[j] / error[i] < 1.25 for j in named)
        nudge, sides = ((0, -7), ("center", "top")) if crowded else ((-8, 0), ("right", "center"))
        words = {"ha": sides[0], "va": sides[1], "color": BLUE, "weight": "bold"}
        ax.annotate(f"#{i}", place, xytext=nudge, textcoords="offset points", **words)
    ax.set(xlim=(0.9, 1200), xscale="log")
    ax.set_yscale("symlog", linthresh=0.1, linscale=0.6)
    ticks = (-100, -10, -1, -0.1, 0, 0.1, 1, 10)
    low, high = (f(np.concatenate([np.asarray(r[1]) for r in results.values()])) for f in (min, max))
    ax.set_ylim(1.5 * low, 1.5 * high)
    ax.set_yticks(ticks, [minus(t) for t in ticks])
    ax.set_ylim(1.5 * low, 1.5 * high)
    ax.minorticks_off()
    ax.set_xticks([1, 3, 10, 30, 100, 300, 1000], ["1", "3", "10", "30", "100", "300", "1,000"])
    return fig


@in_course_style
def missed(titles: Sequence[str], grid, probs, modes, mus, sigmas, missing, pictures, depths: Sequence[float]) -> Figure:
    """Proposals that lie beside the mode: for each of L digits the log posterior on a grid, q, and pictures decoded at the mode and at q.

    Args:
        grid, probs: nodes (G, 2) and the posterior on them (L, G).
        modes, mus, sigmas: the main mode, and mean and standard deviation of q, (L, 2) each.
        missing: minus the log of the share of the posterior that q covers, (L,), in nats.
        pictures: (L, 3, 784), decoded at the mode, the digit itself, decoded at q's mean.
        depths: how many nats below its maximum each log posterior is drawn white, (L,).
    """
    grid, probs, modes, mus, sigmas = (np.asarray(a) for a in (grid, probs, modes, mus, sigmas))
    side, gap, below = 3.0, 1.3, 1.65  # inches; the automatic layout leaves no room for the pictures
    width, tall = len(titles) * (side + gap) + 0.1, below + side + 0.7
    fig, axes = figure(list(titles), size=(width, tall))
    fig.set_layout_engine("none")
    for i, (ax, depth) in enumerate(zip(axes, depths)):
        height = np.log(np.maximum(probs[i], 1e-300))
        plane(ax, grid, np.maximum(height - height.max() + depth, 0))
        left = 0.6 + i * (side + gap)
        ax.set_position((left / width, below / tall, side / width, side / tall))
        ellipse(ax, (0, 0), (1, 1), "prior", lw=1.2, ls="--")
        ax.text(0, 0, "prior, two\nstandard\ndeviations", ha="center", va="center", fontsize=9, color=GREY)
        ellipse(ax, mus[i], sigmas[i], "importance", radius=5, lw=2.2)
        note(ax, tuple(modes[i]), "main mode: nearly\nall of the mass", (-24, -52), AMBER)
        note(
            ax,
            tuple(mus[i]),
            f"lesser mode: the ring, five\nstandard deviations of q,\nholds $e^{{-{float(missing[i]):.1f}}}$ of the mass",
            (-90, 15),
            BLUE,
        )
        names = {"mode, decoded": AMBER, "the digit": "#000000", "q, decoded": BLUE}
        for j, (name, color) in enumerate(names.items()):
            _below(ax, pictures[i][j], name, 0.01 + 0.35 * j, color)
        place = fig.add_axes(((left + side + 0.1) / width, (below + 0.4 * side) / tall, 0.12 / width, side / 2 / tall))
        bar = fig.colorbar(ax.images[0], cax=place, ticks=[0, depth / 2, depth])
        bar.ax.set_yticklabels([f"−{depth:g}\nor less", f"−{depth / 2:g}", "0 nats"], fontsize=9)
    title = "Each q sits on a lesser mode and misses the main one (shade: log posterior minus its maximum)"
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return fig


def _below(ax: Axes, picture, name: str, left: float, color: str) -> None:
    """A small picture below the axes, in a frame of the colour of its place on the plane."""
    side = int(round(len(picture) ** 0.5))
    small = ax.inset_axes((left, -0.51, 0.28, 0.28))
    small.imshow(np.asarray(picture).reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    small.set(xticks=[], yticks=[])
    small.grid(False)
    small.spines[:].set(visible=True, color=color, linewidth=1.5)
    ax.text(left + 0.14, -0.22, name, ha="center", va="bottom", fontsize=9, color=color, transform=ax.transAxes)
