"""The figures of notebooks 02, 02b and 02c: the recipe, the integral behind p(x), the posterior, a few latents, and what a pixel may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Circle, ConnectionPatch, FancyBboxPatch, Rectangle

from vaecourse.plots import COLORS, figure, images, in_course_style, line, note, plane, scoreboard

GREYS = ("#9A9A9A", "#6A6A6A", "#000000")
ACCENT = "#8B2FC9"  # what a figure is about where that is no method of the course
FRAMES = (COLORS["naive"], COLORS["importance"], COLORS["elbo"])  # to recognise the same digit in several panels


def _picture(ax: Axes, image) -> None:
    """A 28 x 28 image in a panel without ticks."""
    ax.imshow(np.asarray(image).reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(True)
    ax.spines[:].set_color("#BBBBBB")


# ---------------------------------------------------------------------------------------------------------------------
# notebook 02


@in_course_style
def plate_and_flow(z, probs) -> Figure:
    """The model twice: as a plate diagram, and as the flow of data from one z (2,) through probabilities (784,) to an image, left open."""
    fig, axes = figure(["The plate diagram", "The flow of data for one image"], size=(10.4, 3.3))
    for ax in axes:
        ax.axis("off")
    fig.get_layout_engine().set(w_pad=0.02)
    axes[0].get_gridspec().set_width_ratios([1, 2.35])
    _plate(axes[0])
    _flow(axes[1], np.asarray(z), probs)
    return fig


def _plate(ax: Axes) -> None:
    """z -> x in a plate that is repeated for every image, and the parameters outside it."""
    ax.set(xlim=(0, 4.2), ylim=(0, 4.4), aspect="equal")
    ax.add_patch(FancyBboxPatch((1.35, 0.2), 2.6, 4.0, boxstyle="round,pad=0.02,rounding_size=0.2", fc="none", ec="#555555", lw=1.4))
    for (left, low), name, fill in (((2.3, 3.2), "$z_n$", "white"), ((2.3, 1.35), "$x_n$", "#CFCFCF")):
        ax.add_patch(Circle((left, low), 0.52, fc=fill, ec="black", lw=1.6))
        ax.text(left, low, name, ha="center", va="center", fontsize=14)
    arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (2.3, 1.9), (2.3, 2.66), arrowprops=arrow)
    ax.annotate("", (1.76, 1.35), (0.62, 1.35), arrowprops=arrow)
    ax.plot(0.5, 1.35, "o", color="black", ms=6)
    ax.text(0.5, 1.6, r"$\theta$", ha="center", va="bottom", fontsize=14)
    ax.text(2.95, 3.2, "latent", va="center", fontsize=9.8)
    ax.text(2.95, 1.35, "observed", va="center", fontsize=9.8)
    ax.text(3.85, 0.32, "$n = 1, …, N$", ha="right", fontsize=10.5)


def _flow(ax: Axes, z: np.ndarray, probs) -> None:
    """Boxes from left to right: the latent, the layers of the decoder, the probabilities, an empty frame for the image."""
    ax.set(xlim=(-0.1, 10), ylim=(0, 4.2))
    numbers = "\n".join(f"{value:+.2f}" for value in z).replace("-", "\N{MINUS SIGN}")
    boxes = ((0.0, 1.2, "white", f"$z$\n{numbers}"), (2.0, 1.2, "#E8F3EF", "128\nELU"), (3.4, 1.2, "#E8F3EF", "128\nELU"))
    for left, width, fill, text in (*boxes, (4.8, 1.2, "#E8F3EF", "784\nsigmoid")):
        ax.add_patch(FancyBboxPatch((left, 1.25), width, 1.7, boxstyle="round,pad=0.02", fc=fill, ec="#555555", lw=1.2))
        ax.text(left + width / 2, 2.1, text, ha="center", va="center", fontsize=11.5)
    arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.3}
    for start, end in ((1.2, 2.0), (3.2, 3.4), (4.6, 4.8), (6.0, 6.5), (7.9, 8.45)):
        ax.annotate("", (end, 2.1), (start, 2.1), arrowprops=arrow)
    for left, image, name in ((0.65, probs, "probabilities $p_j(z)$"), (0.845, np.zeros(784), "image $x$")):
        inset = ax.inset_axes([left, 0.27, 0.14, 0.46])
        _picture(inset, image)
        inset.set_title(name, fontsize=10.5, weight="normal", loc="center", pad=4)
    inset.text(13.5, 7.5, "?", ha="center", va="center", fontsize=16, color="#333333")
    inset.text(13.5, 18.5, "784 pixels,\neach 0 or 1", ha="center", va="center", fontsize=10, color="#333333")
    ax.text(0.6, 0.95, r"$z \sim \mathcal{N}(0, I)$" + "\nrandom", ha="center", va="top", fontsize=10.5)
    ax.text(4.0, 0.95, r"the decoder, with weights $\theta$" + "\ndeterministic", ha="center", va="top", fontsize=10.5)
    ax.text(9.14, 0.95, r"$x_j \sim \mathrm{Bernoulli}(p_j)$" + "\nrandom", ha="center", va="top", fontsize=10.5)


@in_course_style
def integral_as_area(z, integrand, middles, heights, areas, frequencies, images) -> Figure:
    """Left: p(x|z) p(z) of the most probable image over z (G,), with bars; right: area and frequency of all images (N, 4)."""
    areas, frequencies = np.asarray(areas), np.asarray(frequencies)
    apart = np.abs(areas - frequencies).max()
    titles = [f"The area under the curve is p(x) = {areas.max():.3f}", f"Areas and frequencies differ by at most {apart:.3f}"]
    fig, (left, right) = figure(titles, ["latent $z$", ""], ["p(x | z) p(z)", "probability"], size=(9.6, 3.8))
    left.get_gridspec().set_width_ratios([1, 1.4])
    width = float(middles[1] - middles[0])
    left.bar(middles, heights, width, color="#CFCFCF", ec="white", lw=0.8)
    line(left, z, integrand, "", "exact")
    left.set(xlim=(-4, 4), ylim=(0, None))
    order = np.argsort(-areas)
    places = np.arange(1, len(order) + 1)
    right.bar(places, areas[order], 0.7, color=COLORS["posterior"], alpha=0.45)
    right.plot(places, frequencies[order], "o", color=COLORS["naive"], ms=5)
    right.set_xticks(places, [""] * len(places))
    right.set_xlabel("the 16 images, sorted by p(x)", labelpad=28)
    for share, text, color in (
        (1, "dot: frequency among the samples", COLORS["naive"]),
        (0.9, "bar: area under the curve", "#8A6300"),
    ):
        right.text(1.7, share * areas.max(), text, color=color, fontsize=10.5, va="center")
    _small(left, images[order[0]], (0.16, 0.86), "axes fraction", 20)
    left.text(0.16, 0.69, "the image $x$", transform=left.transAxes, ha="center", va="top", fontsize=10)
    both = f"area: {areas.max():.3f}\nbars: {np.asarray(heights).sum() * width:.3f}"
    left.text(0.16, 0.58, both, transform=left.transAxes, ha="center", va="top", fontsize=10)
    for place, i in zip(places, order):
        _small(right, images[i], (place, -0.09), ("data", "axes fraction"), 7)
    return fig


def _small(ax: Axes, image, at: tuple[float, float], coordinates, zoom: float) -> None:
    """An image of 2 x 2 pixels, framed, at a place in or beside a panel."""
    picture = OffsetImage(np.asarray(image).reshape(2, 2), zoom=zoom, cmap="gray_r", interpolation="nearest")
    picture.image.set_clim(0, 1)
    frame = {"ec": "#999999", "lw": 0.8}
    ax.add_artist(AnnotationBbox(picture, at, xycoords=coordinates, pad=0.2, bboxprops=frame, annotation_clip=False))


@in_course_style
def posterior_speck(grid, probs, near, near_probs, samples, share: float, inside) -> Figure:
    """The posterior of a digit on the whole plane, and the part that holds it enlarged, under samples of the prior.

    A line in the enlarged part surrounds the smallest region that holds 99 % of the posterior.

    Args:
        grid, probs: the nodes (G, 2) of the plane and their probabilities (G,).
        near, near_probs: the same for the enlarged part.
        samples: latents (N, 2) from the prior, a dot each in both panels.
        share: of the prior, in the region inside the line.
        inside: which samples (N,) lie in it; they are drawn in another colour.
    """
    inside = np.asarray(inside)
    hits = "hits" if inside.sum() == 1 else "hit"
    titles = [
        f"{inside.sum()} of {len(samples):,} prior samples {hits} the 99 % region",
        f"99 % of the posterior lies in {100 * share:.2f} % of the prior",
    ]
    fig, (middle, right) = figure(titles, size=(9.8, 4.85))
    fig.get_layout_engine().set(w_pad=0.1, wspace=0.04, h_pad=0.08)
    plane(middle, grid, probs, extent=4)
    plane(right, near, near_probs)
    _edge_of_99_percent(right, np.asarray(near), np.asarray(near_probs))
    for ax, size, color in ((middle, 3, "#777777"), (right, 40, "black")):
        ax.scatter(*np.asarray(samples).T, s=size, color=np.where(inside, ACCENT, color), lw=0, zorder=3)
    right.yaxis.tick_right()
    right.yaxis.set_label_position("right")
    right.spines[:].set_visible(True)
    for radius in (1, 2, 3):
        middle.add_patch(Circle((0, 0), radius, fill=False, ec=COLORS["prior"], lw=1.1, ls="--"))
        box = {"fc": "white", "ec": "none", "pad": 1}
        at = (-radius * 0.71, radius * 0.71)
        share = 1 - np.exp(-(radius**2) / 2)  # of the prior inside the ring
        middle.text(*at, f"{share:.0%}", color="#333333", fontsize=10, ha="center", va="center", bbox=box, zorder=5)
    middle.text(
        0, -3.62, "rings: radius 1, 2 and 3, with the share of the prior inside", color="#333333", fontsize=9.5, ha="center", va="center"
    )
    right.text(0.03, 0.03, "colour: density of the posterior; dots: prior samples", transform=right.transAxes, color="#333333", fontsize=10)
    low, high = np.asarray(near).min(0), np.asarray(near).max(0)
    middle.add_patch(Rectangle(low, *(high - low), fill=False, ec="black", lw=1.2))
    for end, y in ((0, low[1]), (1, high[1])):
        link = ConnectionPatch((high[0], y), (0, end), middle.transData, right.transAxes, color="black", lw=0.9)
        link.set_in_layout(False)
        fig.add_artist(link)
    return fig


def _edge_of_99_percent(ax: Axes, grid: np.ndarray, probs: np.ndarray) -> None:
    """A line around the nodes (G, 2) that are needed for 99 % of the probabilities (G,), largest first, with its name above it."""
    largest = np.sort(probs)[::-1]
    level = largest[np.searchsorted(largest.cumsum(), 0.99 * largest.sum())]
    n = int(round(len(grid) ** 0.5))
    x, y = grid.reshape(n, n, 2).transpose(2, 1, 0)
    ax.contour(x, y, probs.reshape(n, n).T, [level], colors="black", linewidths=1.6)
    inside = grid[probs >= level]
    at = (inside[:, 0].mean(), inside[:, 1].max())
    ax.annotate("inside the line: 99 % of the posterior", at, xytext=(0, 8), textcoords="offset points", ha="center")


@in_course_style
def covariance_maps(maps: Sequence, titles: Sequence[str], at: Sequence[tuple[int, int]], limit: float) -> Figure:
    """Covariances with one pixel, one picture (28, 28) a panel, coloured from -limit to limit; `at` holds its (row, column) in each."""
    fig, axes = figure(titles, size=(3.5 * len(maps) + 1, 3.9))
    steps = 21  # the middle one is white
    for ax, values, (row, column) in zip(axes, maps, at):
        values = np.array(values, dtype=float)
        values[row, column] = np.nan
        picture = ax.imshow(values, cmap=plt.get_cmap("PuOr", steps).with_extremes(bad="#999999"), vmin=-limit, vmax=limit)
        ax.plot(column, row, "s", mfc="none", mec="black", ms=7, mew=1.4)
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(True)
    label = f"covariance with the framed pixel\n(white: within {limit / steps:.3f} of 0)"
    fig.colorbar(picture, ax=list(axes), label=label, shrink=0.85)
    return fig


@in_course_style
def log_likelihoods(thetas, values, true: float) -> Figure:
    """The log-likelihood (G, S) of S data sets over a parameter (G,) at even steps, less its maximum, and how often each step is best.

    The first data set is "ours"; at most 30 are drawn, and all are counted. A dashed line marks the parameter that made them.
    """
    thetas, values = np.asarray(thetas), np.asarray(values)
    values = values - values.max(0)
    places = thetas[values.argmax(0)]
    titles = [f"Made with θ = {true:g}: over {len(places)} data sets, the best θ varies from {places.min():.1f} to {places.max():.1f}", ""]
    fig, (above, below) = figure(
        titles,
        ["", r"$\theta$"],
        ["sum of $\\log p_\\theta(x_n)$,\nless its maximum, nats", f"data sets,\nout of {len(places)}"],
        size=(7.6, 4.4),
    )
    cells = fig.add_gridspec(2, 1, height_ratios=[1.7, 1])
    for ax, cell in zip((above, below), cells):
        ax.set_subplotspec(cell)
        ax.axvline(true, color=COLORS["prior"], ls="--", lw=1.2)
        ax.set_xlim(thetas[0], thetas[-1])
    above.plot(thetas, values[:, 1:30], color=GREYS[0], lw=0.5)
    above.plot(thetas, values[:, 0], color=ACCENT)
    above.plot(places[0], 0, "o", color=ACCENT, ms=7, mec="white", mew=0.4)
    drop = np.interp(true, thetas, values[:, 0])
    above.plot(true, drop, "o", color="white", ms=5, mec=ACCENT, mew=1.4)
    above.set_ylim(top=-0.17 * values.min())  # room for the note above its two dots
    above.text(true, -0.04 * values.min(), f" our data: {-drop:.1f} nats higher at {places[0]:.1f}", color=ACCENT, fontsize=10)
    above.text(true, 0.04, f" made with θ = {true:g}", color="#555555", fontsize=10, transform=above.get_xaxis_transform())
    above.annotate("our data", (thetas[-1], values[-1, 0]), xytext=(5, 0), textcoords="offset points", color=ACCENT, va="center")
    others = values[-1, 1:30]
    if others.size:
        text = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "color": "#555555"}
        above.annotate(f"{len(others)} other\ndata sets", (thetas[-1], others.min()), **text)
    above.set_xticklabels([])
    below.bar(thetas, (values == 0).sum(1), 0.8 * (thetas[1] - thetas[0]), color=GREYS[0])
    return fig


@in_course_style
def jensen(u) -> Figure:
    """The logarithm and two values u (2,) that are equally probable: the chord, the tangent at the mean of u, and two points there."""
    u = np.asarray(u, dtype=float)
    title = "The mean of the logarithms lies below the logarithm of the mean"
    fig, ax = figure(title, "$u$", "log $u$", size=(7.4, 3.4))
    t, mean, inside = np.linspace(0.6 * u[0], 1.1 * u[1], 400), u.mean(), np.log(u).mean()
    ax.plot(t, np.log(t), color=COLORS["exact"])
    ax.plot(u, np.log(u), "o--", color=COLORS["prior"], ms=6, lw=1.4)
    for height, name, color in ((np.log(mean), "the logarithm of the mean", "exact"), (inside, "the mean of the logarithms", "elbo")):
        ax.plot(mean, height, "o", color=COLORS[color], ms=8, zorder=3)
        place = {"xytext": (-10, 8), "ha": "right"} if color == "exact" else {"xytext": (10, -14)}
        text = f"{name}: {height:.2f}".replace("-", "\N{MINUS SIGN}")
        ax.annotate(text, (mean, height), textcoords="offset points", color=COLORS[color], fontsize=9, **place)
    ax.plot([mean, mean], [inside, np.log(mean)], color=COLORS["elbo"], lw=1.4)
    ends = np.array([t[0], t[-1]])
    ax.plot(ends, np.log(mean) + (ends - mean) / mean, color=ACCENT, lw=1)
    at = 0.1 * ends[0] + 0.9 * ends[1]
    ax.annotate(
        "tangent at the mean",
        (at, np.log(mean) + (at - mean) / mean),
        xytext=(-8, 0),
        textcoords="offset points",
        color=ACCENT,
        fontsize=9,
        ha="right",
    )
    return fig


@in_course_style
def annotated_scoreboard(rows: Sequence[tuple[str, str, float, float, float]], models: Sequence[str], highest: float) -> Figure:
    """The scoreboard with the model of every row and names at its marks.

    The last row also has the mean and its gap to the exact value, and log p(x|z) at the best z, `highest`, in nats.
    """
    fig = scoreboard(rows)
    fig.set_size_inches(8.6, 2.7)
    (ax,) = fig.axes
    ax.set_yticks(range(len(rows)), [f"{row[0]}\nmodel: {model}" for row, model in zip(rows, models, strict=True)])
    _, color, estimate, _, _ = rows[-1]
    last = len(rows) - 1
    ink = COLORS.get(color, color)
    mean = f"{estimate:.0f}, the mean of log p(x | z)".replace("-", "\N{MINUS SIGN}")
    ax.annotate(mean, (estimate, last), xytext=(0, 23), textcoords="offset points", ha="center", color=ink, weight="bold")
    bar = "bar: one standard deviation over z to either side"
    ax.annotate(bar, (estimate, last), xytext=(0, 8), textcoords="offset points", ha="center", color=ink, fontsize=9.5)
    arrow = {"arrowstyle": "<->", "color": ACCENT, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    gap, low = rows[-1][-1], last + 0.24
    ax.annotate("", (estimate, low), (gap, low), arrowprops=arrow)
    ax.text((estimate + gap) / 2, low + 0.03, f"{gap - estimate:.0f} nats", ha="center", va="top", color=ACCENT, fontsize=10)
    ax.set_title(
        f"One z from the prior: log p(x | z) is {gap - estimate:.0f} nats too low on average", loc="left", weight="bold", fontsize=11
    )
    for i, (*_, exact) in enumerate(rows):
        place = {"xytext": (-7, 0), "ha": "right"} if i == last else {"xytext": (7, 0)}
        ax.annotate(
            f"log p(x) = {exact:.1f}".replace("-", "\N{MINUS SIGN}"),
            (exact, i),
            textcoords="offset points",
            va="center",
            weight="bold",
            **place,
        )
    ax.plot([highest, highest], [last - 0.2, last + 0.2], color=ink, lw=2.2)
    best = f"{highest:.1f}\nlog p(x | z)\nat the best z".replace("-", "\N{MINUS SIGN}")
    ax.annotate(best, (highest, last), xytext=(7, 0), textcoords="offset points", va="center", color=ink, weight="bold")
    return fig


# ---------------------------------------------------------------------------------------------------------------------
# notebook 02b


@in_course_style
def three_pictures(x, grey, decoded, costs, framed: Sequence[int], title: str) -> Figure:
    """Columns of a digit, its grey and its decoded picture, each (N, 784), some of them framed.

    The costs (2, N) of the pixels are in nats: the first stands under the grey picture, what the second adds under the decoded one.
    """
    rows = ["digit $x$", "grey picture $g$\nbehind it", "decoded at the most\nprobable $z$, and\nthe extra cost"]
    own, given_z = np.asarray(costs)
    captions = [""] * len(x) + [f"{cost:.0f} nats" for cost in own] + [f"{more:+.0f} nats" for more in given_z - own]
    fig = images(np.concatenate([x, grey, decoded]), title, captions, columns=len(x), row_names=rows)
    frame(fig, [row * len(x) + column for row in range(3) for column in framed])
    return fig


def frame(fig: Figure, panels: Sequence[int]) -> None:
    """Frame some images of a figure made by `plots.images`, counted row by row from 0."""
    for panel in panels:
        fig.axes[panel].spines[:].set(color=ACCENT, linewidth=2.2)


@in_course_style
def two_steps(samples: Mapping[str, object], share: float, title: str) -> Figure:
    """A histogram of the same samples at each stage, {name: samples (N,)}. The share with the largest first values is coloured in all.

    Every step must keep the order of the samples: an edge of the bins lies where the coloured ones begin.
    """
    values = [np.asarray(stage).ravel() for stage in samples.values()]
    top = values[0] > np.quantile(values[0], 1 - share)
    fig, axes = figure([""] * len(values), list(samples), ["samples"] + [""] * (len(values) - 1), size=(10.2, 2.6))
    fig.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    for ax, stage in zip(axes, values):
        edge = (stage[~top].max() + stage[top].min()) / 2
        width = (edge - stage.min()) / np.round(40 * (edge - stage.min()) / np.ptp(stage))
        bins = stage.min() + width * np.arange(np.ceil(np.ptp(stage) / width - 1e-3) + 1)
        bins[-1] = max(bins[-1], stage.max())
        ax.hist([stage[~top], stage[top]], bins, stacked=True, color=["#BBBBBB", ACCENT])
        ax.grid(False)
    return fig


@in_course_style
def moved_digits(panels: Mapping[str, object], decoded, framed: Sequence[int], title: str) -> Figure:
    """The same decoded digits (N, 784) at other places in each panel, {title: places (N, 2)}.

    Some digits are framed in colours. In every panel but the first an arc leads from their places in the first panel to their
    new ones, clockwise around 0 and at the same distance from it.
    """
    fig, axes = figure(list(panels), "$z_1$", "$z_2$", size=(3.7 * len(panels), 4.2))
    fig.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    first = np.asarray(next(iter(panels.values())))
    for i, (ax, places) in enumerate(zip(axes, panels.values())):
        _digits_at(ax, np.asarray(places), decoded, framed)
        for j, color in zip(framed, FRAMES if i else ()):
            _clockwise(ax, first[j], np.asarray(places)[j], color)
    return fig


def _digits_at(ax: Axes, places: np.ndarray, decoded, framed: Sequence[int]) -> None:
    """Digits at their places, transparent where there is no ink, and paler where they are not framed."""
    reach = np.abs(places).max() + 0.45
    for i, ((left, low), image) in enumerate(zip(places - 0.35, np.asarray(decoded).reshape(-1, 28, 28))):
        ink = np.zeros((28, 28, 4))
        ink[..., 3] = image * (1 if i in framed else 0.75)
        ax.imshow(ink, extent=(left, left + 0.7, low, low + 0.7), interpolation="bilinear")
    for i, color in zip(framed, FRAMES):
        ax.add_patch(Rectangle(places[i] - 0.36, 0.72, 0.72, fill=False, ec=color, lw=2.2))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=range(-2, 3), yticks=range(-2, 3), aspect="equal")
    ax.grid(False)


def _clockwise(ax: Axes, start: np.ndarray, end: np.ndarray, color: str) -> None:
    """An arc around 0 from a dot at `start` to the frame around `end`, with an arrowhead before the frame."""
    radius, begin = np.hypot(*start), np.arctan2(start[1], start[0])
    turn = (begin - np.arctan2(end[1], end[0])) % (2 * np.pi)
    angles = begin - np.linspace(0, turn - 0.42 / radius, 60)
    x, y = radius * np.cos(angles), radius * np.sin(angles)
    ax.plot(x, y, color=color, lw=1.4, ls=(0, (3, 2)))
    ax.plot(x[0], y[0], "o", color=color, ms=5)
    arrow = {"arrowstyle": "-|>", "color": color, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (x[-1], y[-1]), (x[-4], y[-4]), arrowprops=arrow)


@in_course_style
def changes(rows: Sequence[tuple[str, str, float, float, str, str]], ceiling: tuple[str, float], title: str) -> Figure:
    """What changes of a model gain: in every row an arrow from mean log p(x) before a change to that after it, and a ceiling.

    A row holds the suspect, which gives it its colour, the change, the two values in nats, the text of the gain with a place for it,
    and what the arrow starts from: this stands as a heading above every group of rows in which it is the same. A gain of "at most"
    so much is a dashed line to a bar, without a head.
    """
    groups = [place for place, row in enumerate(rows) if place == 0 or row[5] != rows[place - 1][5]]
    places = [place + sum(first <= place for first in groups) for place in range(len(rows))]  # a free line for every heading
    fig, ax = figure(title, "mean log p(x) of the held-out digits, nats", size=(9.2, 0.4 * (len(rows) + len(groups)) + 1.1))
    colors = dict(zip(dict.fromkeys(row[0] for row in rows), (*FRAMES, ACCENT)))
    for place, (suspect, _, before, after, text, _) in zip(places, rows):
        bound = text.startswith("at most")
        style = {"arrowstyle": "-[, widthB=0.35, lengthB=0", "ls": (0, (2, 1))} if bound else {"arrowstyle": "-|>"}
        arrow = {"color": colors[suspect], "lw": 2, "shrinkA": 0, "shrinkB": 0, **style}
        ax.annotate("", (after, place), (before, place), arrowprops=arrow)
        ax.plot(before, place, "o", color=colors[suspect], ms=7)
        text = text.format(after - before).replace("-", "\N{MINUS SIGN}")
        ax.annotate(
            text, (max(before, after), place), xytext=(7, 0), textcoords="offset points", va="center", fontsize=11, color=colors[suspect]
        )
    ax.axvline(ceiling[1], color="black", lw=3)
    text = f"{ceiling[0]}: {ceiling[1]:.0f}".replace("-", "\N{MINUS SIGN}")
    ax.annotate(text, (ceiling[1], 0), xytext=(-8, 0), textcoords="offset points", ha="right", va="center", fontsize=11)
    for first in groups:
        ax.text(0.015, places[first] - 1, rows[first][5], transform=ax.get_yaxis_transform(), va="center", weight="bold", fontsize=11)
    ax.set_yticks(places, [f"{suspect}: {change}" for suspect, change, *_ in rows], fontsize=11)
    for label, (suspect, *_) in zip(ax.get_yticklabels(), rows):
        label.set_color(colors[suspect])
    ax.set(ylim=(places[-1] + 0.6, -0.6))
    ax.grid(False, axis="y")
    return fig


# ---------------------------------------------------------------------------------------------------------------------
# notebook 02c


@in_course_style
def grey_and_binary(binary, grey, decoded, levels: int) -> Figure:
    """A binary version (784,) of a grey digit, the digit itself, the output of a decoder, and a histogram of the grey values.

    The histogram counts the pixels of the digit with each of the values 0, 1/levels, ..., 1.
    """
    values, counts = np.unique(np.asarray(grey), return_counts=True)
    inside = (values > 0) & (values < 1)
    title = f"{counts[inside].sum()} of {counts.sum()} are neither 0 nor 1"
    fig, axes = figure(
        ["binary", "grey", "decoder: $m_j$", title], ["", "", "", "grey value"], ["", "", "", "number of pixels (log)"], size=(11, 3.0)
    )
    axes[0].get_gridspec().set_width_ratios([1, 1, 1, 1.5])
    for ax, image in zip(axes, (binary, grey, decoded)):
        _picture(ax, image)
    ax = axes[3]
    width = 0.8 / max(31, levels)
    ax.bar(values[~inside], counts[~inside], width, color="black")
    ax.bar(values[inside], counts[inside], width, color=ACCENT)
    ax.set(yscale="log", xlim=(-0.03, 1.03), ylim=(0.7, 2 * counts.max()))
    ax.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    for end, side in ((0, "left"), (1, "right")):
        number = int(counts[values == end].sum())
        ax.text(end + (0.03 if end == 0 else -0.03), max(number, 1), f"{number} pixels are {end}", ha=side, va="center", fontsize=10)
    ax.text(0.5, 2.2 * counts[inside].max(), "the others lie between", ha="center", va="bottom", fontsize=10, color=ACCENT)
    return fig


@in_course_style
def grey_formula(x, curves: Mapping[str, tuple[object, float]]) -> Figure:
    """p^x (1 - p)^(1 - x) over grey values x (G,), {p: (values, their integral)}, and the same divided by the integral.

    The last curve has the straight line between its ends beside it, under which the area is one half, and the title names its mean.
    A dot marks the mean of each density.
    """
    x = np.asarray(x)
    means = [(x * np.asarray(values)).sum() / np.asarray(values).sum() for values, _ in curves.values()]
    titles = [
        f"The largest area is {max(area for _, area in curves.values()):.2f}, not 1: no density",
        f"For p = {list(curves)[-1]} the mean (dot) is {means[-1]:.2f}, not {list(curves)[-1]}",
    ]
    fig, axes = figure(titles, "grey value $x$", ["$p^x (1 - p)^{1 - x}$", "density: the same, divided by its area"], size=(10, 3.7))
    shades = (COLORS["importance"], "#444444", ACCENT)
    for i, ((name, (values, area)), color) in enumerate(zip(curves.items(), shades)):
        values = np.asarray(values)
        density = values / area
        for ax, heights in zip(axes, (values, density)):
            ax.plot(x, heights, color=color)
            ax.fill_between(x, heights, color=color, alpha=0.12, lw=0)
        mean = means[i]
        axes[1].plot(mean, np.interp(mean, x, density), "o", color=color, ms=6)
        near, side, rise, gap = ((0, "left", 7, " "), (0, "left", -28, "\n"), (1, "right", 7, " "))[
            i
        ]  # two lines fit before the next curve
        texts = (f"p = {name}:{gap}area {area:.2f}", f"p = {name}:{gap}mean {mean:.2f}")
        for ax, heights, text in zip(axes, (values, density), texts):
            place = {"xytext": (5 - 10 * near, rise), "textcoords": "offset points", "ha": side}
            ax.annotate(text, (near, float(heights[-near])), color=color, fontsize=9.5, **place)
    axes[0].plot([x[0], x[-1]], [values[0], values[-1]], color=color, lw=1.3, ls="--")
    text, at = f"straight line for p = {name}: area 0.50", (0.78, 0.22 * values[0] + 0.78 * values[-1])
    axes[0].annotate(text, at, xytext=(-4, 6), textcoords="offset points", ha="right", color=color, fontsize=9)
    for ax in axes:
        ax.set(xlim=(0, 1), ylim=(0, 1.18 * max(line.get_ydata().max() for line in ax.lines)))
    return fig


@in_course_style
def cut_into_levels(edges, sigma: float, cases: Mapping[str, tuple[float, int, float]]) -> Figure:
    """Normal densities over the intervals of the levels, a panel each: the area of one level, and its part within the noise.

    Args:
        edges: (L - 1,), equally spaced, where one level ends and the next begins.
        sigma: of the normals.
        cases: {kind: (mean, a level, its probability)}; the noise is uniform over one spacing of the edges, around the level.
    """
    edges = np.asarray(edges)
    width = edges[1] - edges[0]
    bounds = np.array([-9 * sigma, *edges, 1 + 9 * sigma])

    def normal(x, mean):
        return np.exp(-(((x - mean) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))

    noises = [level * width + width * np.linspace(-0.5, 0.5, 200) for _, level, _ in cases.values()]
    covered = [width * normal(noise, mean).mean() for noise, (mean, _, _) in zip(noises, cases.values())]
    titles = []
    for (kind, (_, level, area)), within in zip(cases.items(), covered):
        missed = area - within
        finding = f"misses {missed:.2f} of {area:.2f}" if missed > 0.01 * area else "covers its interval"
        titles.append(f"{kind} {level}: the noise {finding}")
    fig, axes = figure(titles, "$x$ (grey lines: ends of the intervals)", "density", size=(10, 3.6))
    for ax, (mean, level, probability), noise, within in zip(axes, cases.values(), noises, covered):
        density = partial(normal, mean=mean)
        x = np.linspace(-0.65, 1.15, 800)
        ax.plot(x, density(x), color="black", lw=1.4)
        ax.vlines(edges, 0, density(edges), color="#aaaaaa", lw=0.9)
        whole = np.linspace(*bounds[level : level + 2], 400)
        ax.fill_between(whole, density(whole), color=ACCENT, alpha=0.35, lw=0)
        ax.fill_between(noise, density(noise), color=ACCENT, lw=0)
        ax.set(xlim=(x[0], x[-1]), ylim=(0, 1.35 * density(mean)))
        text = f"area within the\nnoise (dark): {within:.2f}"
        if probability > 1.01 * within:
            text += f"\nbeyond it (pale): {probability - within:.2f}"
        note(ax, (level * width, density(level * width)), text, (12, 12))
        ax.text(-0.6, density(mean), f"normal with\nmean {mean:.2g},\nσ = {sigma:g}", fontsize=10, va="top")
    return fig


@in_course_style
def level_0_in_groups(cuts, chances: Mapping[str, object], costs: Mapping[str, object], marked: Sequence[int]) -> Figure:
    """For groups of pixels, from left to right: the probability of level 0 by three likelihoods, and the nats of each.

    Args:
        cuts: (G - 1,), where one group of the decoder's outputs ends and the next begins.
        chances: {name: (G,) probabilities of level 0}: the frequencies, a confined mean, a free mean.
        costs: {name: (G,) nats for a digit, on average}, in the same order.
        marked: the numbers of groups that stand on a grey band.
    """
    (counted, frequency), (confined, low), (free, high) = [(name, np.asarray(P)) for name, P in chances.items()]
    by_frequency, more, less = (np.asarray(costs[name]) for name in (counted, confined, free))
    titles = [
        f"Level 0: means from 0 to 1 miss by up to {np.abs(low - frequency).max():.2f}",
        f"A test digit: {less.sum():,.0f} nats with free means, not {more.sum():,.0f}",
    ]
    ylabels = ["probability of level 0", "$-\\log P$ of a test digit (average), nats"]
    fig, (left, right) = figure(titles, "groups of pixels, by the output $m_j$ of the decoder", ylabels, size=(10.4, 4.3))
    places = np.arange(len(frequency)) + 0.5
    left.bar(places, high, 0.8, color=ACCENT, alpha=0.45, label=free)
    left.hlines(low, places - 0.4, places + 0.4, color="black", lw=3, label=confined)
    left.plot(places, frequency, "o", color="black", ms=5, label=counted)
    right.bar(places - 0.2, more, 0.4, color="black", label=confined)
    right.bar(places + 0.2, less, 0.4, color=ACCENT, alpha=0.45, label=free)
    right.plot(places + 0.2, by_frequency, "o", color="black", ms=5, label=counted)
    ends = [f"{float(cut):.4g}" for cut in cuts]
    names = [f"below {ends[0]}", *(f"{low} to {high}" for low, high in zip(ends, ends[1:])), f"above {ends[-1]}"]
    for ax, top in ((left, 1.05), (right, 1.3 * max(more.max(), less.max()))):
        ax.set(xlim=(0, len(places)), ylim=(0, top))
        ax.set_xticks(places, names, rotation=90, fontsize=9)
        for group in marked:
            ax.axvspan(group, group + 1, color="#e8e8e8", lw=0, zorder=0)
        ax.grid(False)
        ax.legend(loc="upper right")
    return fig


@in_course_style
def noise_and_decoder(variances, decoder, noise: float) -> Figure:
    """For each principal direction (K,) the variance of the noise, that of the decoder on top of it, and that of the data."""
    variances, decoder = np.asarray(variances), np.asarray(decoder)
    title = f"The decoder adds variance in only {(decoder > 0.001).sum()} of the first {len(decoder)} directions"
    fig, ax = figure(title, "principal direction of the data", "variance", size=(7.6, 3.6))
    places = np.arange(1, len(variances) + 1)
    ax.bar(places, noise, 0.55, color="#CFCFCF")
    ax.bar(places, decoder, 0.55, bottom=noise, color=ACCENT, alpha=0.7)
    ax.hlines(variances, places - 0.38, places + 0.38, color="black", lw=2)
    for place, variance in zip(places, variances):
        above = variance >= noise
        shift = {"xytext": (0, 4 if above else -4), "textcoords": "offset points", "va": "bottom" if above else "top"}
        ax.annotate(f"{variance:.2f}", (place, variance), ha="center", fontsize=10, **shift)
    unused = places[variances < noise]
    if len(unused):
        ax.hlines(1.1 * noise, unused[0] - 0.38, unused[-1] + 0.38, color="#999999", lw=1)  # the directions of the note
        ax.annotate(
            "noise above the data:\ndecoder unused",
            (unused.mean(), noise),
            xytext=(0, 12),
            textcoords="offset points",
            ha="center",
            fontsize=10,
            color="#555555",
        )
    words = [(1.42, variances[0], "data", "black"), (1.34, noise + 0.7 * decoder[0], "decoder", ACCENT)]
    words.append((places[-1] + 0.45, 0.75 * noise, f"noise,\nσ² = {noise:g}", "#555555"))
    for place, height, text, color in words:
        ax.text(place, height, text, va="center", fontsize=10, color=color)
    ax.set(xticks=places, xlim=(0.5, places[-1] + 1.4), ylim=(0, 1.2 * variances.max()))
    ax.grid(False, axis="x")
    return fig


@in_course_style
def without_maximum(sigmas, heights, peak: tuple[float, float], equal: float) -> Figure:
    """A log-likelihood that grows without bound as sigma shrinks: its local maximum, and the sigma below which it is higher.

    A floor for sigma is too high above the one and too low below the other; both sides are shaded.
    """
    title = f"Below σ = {equal:.4f} the likelihood is higher than at its local maximum"
    fig, ax = figure(title, r"$\sigma$ of the second normal (smaller to the right)", "log-likelihood, nats", size=(8.6, 3.9))
    line(ax, sigmas, heights, "", ACCENT)
    ax.set(xscale="log", xlim=(max(sigmas), min(sigmas)))
    top = np.asarray(heights).max()
    for low, high, text in ((peak[0], max(sigmas), "high"), (min(sigmas), equal, "low")):
        ax.axvspan(low, high, color=COLORS["prior"], alpha=0.15, lw=0)
        ax.text(high * 0.8, top, f"a floor here\nis too {text}", fontsize=10, color="#555555", va="top")
    ax.text(peak[0] * 0.8, top, "a floor here: the\nlocal maximum is best", fontsize=10, color="#555555", va="top")
    ax.plot([peak[0], equal], [peak[1]] * 2, color="black", lw=0.9, ls=":")
    ax.plot(*peak, "o", color="black", ms=6)
    ax.plot(equal, peak[1], "o", mfc="white", mec="black", ms=6)
    note(ax, peak, f"local maximum: {peak[1]:.1f}".replace("-", "−") + f"\nat σ = {peak[0]:.2f}", (16, 34))
    note(ax, (equal, peak[1]), f"as high again\nat σ = {equal:.4f}", (10, -46))
    return fig
