"""The figures of notebooks 02 and 02b: the recipe, the integral behind p(x), the posterior, and what a few latents can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from vaecourse.plots import COLORS, figure, in_course_style, line, note, plane, sheet

GREYS = ("#9A9A9A", "#6A6A6A", "#000000")
ACCENT = "#8B2FC9"  # what a figure is about where that is no method of the course


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
def plate_and_flow(z, probs, x) -> Figure:
    """The model twice: as a plate diagram, and as the flow of data from one z (2,) through probabilities (784,) to an image (784,)."""
    fig, axes = figure(["The plate diagram", "The flow of data for one image"], size=(10.4, 3.3))
    for ax in axes:
        ax.axis("off")
    fig.get_layout_engine().set(w_pad=0.02)
    axes[0].get_gridspec().set_width_ratios([1, 2.35])
    _plate(axes[0])
    _flow(axes[1], np.asarray(z), probs, x)
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
    ax.text(2.95, 3.2, "latent", va="center", fontsize=9)
    ax.text(2.95, 1.35, "observed", va="center", fontsize=9)
    ax.text(3.85, 0.32, "$n = 1, …, N$", ha="right", fontsize=10)


def _flow(ax: Axes, z: np.ndarray, probs, x) -> None:
    """Boxes from left to right: the latent, the layers of the decoder, the probabilities, the image."""
    ax.set(xlim=(-0.1, 10), ylim=(0, 4.2))
    numbers = "\n".join(f"{value:+.2f}" for value in z)
    boxes = ((0.0, 1.2, "white", f"$z$\n{numbers}"), (2.0, 1.2, "#E8F3EF", "128\nELU"), (3.4, 1.2, "#E8F3EF", "128\nELU"))
    for left, width, fill, text in (*boxes, (4.8, 1.2, "#E8F3EF", "784\nsigmoid")):
        ax.add_patch(FancyBboxPatch((left, 1.25), width, 1.7, boxstyle="round,pad=0.02", fc=fill, ec="#555555", lw=1.2))
        ax.text(left + width / 2, 2.1, text, ha="center", va="center", fontsize=10)
    arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.3}
    for start, end in ((1.2, 2.0), (3.2, 3.4), (4.6, 4.8), (6.0, 6.5), (8.0, 8.55)):
        ax.annotate("", (end, 2.1), (start, 2.1), arrowprops=arrow)
    for left, image, name in ((0.65, probs, "probabilities $p_j(z)$"), (0.855, x, "image $x$")):
        inset = ax.inset_axes([left, 0.27, 0.145, 0.46])
        _picture(inset, image)
        inset.set_title(name, fontsize=9, weight="normal", loc="center", pad=4)
    ax.text(0.6, 0.95, r"$z \sim \mathcal{N}(0, I)$" + "\nrandom", ha="center", va="top", fontsize=9)
    ax.text(4.0, 0.95, r"the decoder, with weights $\theta$" + "\nno random number", ha="center", va="top", fontsize=9)
    ax.text(9.27, 0.95, r"$x_j \sim \mathrm{Bernoulli}(p_j)$" + "\nrandom", ha="center", va="top", fontsize=9)


@in_course_style
def integral_as_area(z, integrand, middles, heights, areas, frequencies) -> Figure:
    """Left: p(x|z) p(z) of one image as a curve over z (G,), with bars of equal width; right: areas and frequencies of all images."""
    titles = ["The area of the bars is p(x) of one image", "The recipe makes each image as often"]
    fig, (left, right) = figure(titles, ["latent $z$", "image, sorted by p(x)"], ["p(x | z) p(z)", "probability"], size=(10, 3.6))
    width = float(middles[1] - middles[0])
    left.bar(middles, heights, width, color=COLORS["posterior"], alpha=0.45, ec="white", lw=0.8)
    line(left, z, integrand, "", "exact")
    left.set(xlim=(-4, 4), ylim=(0, None))
    order = np.argsort(-np.asarray(areas))
    places = np.arange(1, len(order) + 1)
    right.bar(places, np.asarray(areas)[order], 0.7, color=COLORS["posterior"], alpha=0.45, label="area under the curve")
    right.plot(places, np.asarray(frequencies)[order], "o", color=COLORS["naive"], ms=5, label="frequency among the samples")
    right.set(xticks=places[::3])
    right.legend(frameon=False, fontsize=9)
    return fig


@in_course_style
def posterior_speck(x, grid, probs, near, near_probs) -> Figure:
    """A digit (784,) and its posterior on the whole plane, with the part that holds it enlarged: grids (G, 2), probabilities (G,)."""
    fig, (left, right) = figure(["The digit", "Its posterior is a speck under the prior"], size=(8.6, 4.1))
    left.get_gridspec().set_width_ratios([1, 1.9])
    _picture(left, x)
    plane(right, grid, probs, extent=4)
    for radius in (1, 2, 3):
        right.add_patch(Circle((0, 0), radius, fill=False, ec=COLORS["prior"], lw=1.1, ls="--"))
        right.text(
            -radius * 0.71,
            radius * 0.71,
            f"{radius}",
            color="#555555",
            fontsize=8,
            ha="center",
            va="center",
            bbox={"fc": "white", "ec": "none", "pad": 1},
        )
    near = np.asarray(near)
    low, high = near.min(0), near.max(0)
    inset = right.inset_axes([1.1, 0.25, 0.66, 0.66])
    plane(inset, near, near_probs)
    inset.set(xlabel="$z_1$", ylabel="$z_2$", title="enlarged")
    inset.spines[:].set_visible(True)
    inset.yaxis.set_ticks_position("right")
    inset.yaxis.set_label_position("right")
    right.add_patch(Rectangle(low, *(high - low), fill=False, ec="black", lw=1.2))
    right.indicate_inset([*low, *(high - low)], inset, edgecolor="black", alpha=1)
    right.text(0, -3.62, "rings: 1, 2 and 3 standard deviations of the prior", color="#555555", fontsize=8, ha="center", va="center")
    return fig


@in_course_style
def covariance_maps(maps: Sequence, titles: Sequence[str], at: tuple[int, int], limit: float) -> Figure:
    """Covariances with one pixel, one picture (28, 28) a panel, coloured from -limit to limit; `at` is (row, column) of the pixel."""
    fig, axes = figure(titles, size=(8.6, 3.9))
    for ax, values in zip(axes, maps):
        values = np.array(values, dtype=float)
        values[at] = np.nan
        picture = ax.imshow(values, cmap=plt.get_cmap("PuOr", 21), vmin=-limit, vmax=limit)
        ax.plot(at[1], at[0], "s", mfc="none", mec="black", ms=7, mew=1.4)
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(True)
    fig.colorbar(picture, ax=list(axes), label="covariance with the framed pixel", shrink=0.85)
    return fig


@in_course_style
def product_and_logarithm(theta, product, log_sum, peak: float) -> Figure:
    """The likelihood of a data set and its logarithm against one parameter, with their common place of the maximum."""
    titles = ["The likelihood peaks at the share of ink", "Its logarithm peaks at the same place"]
    fig, axes = figure(titles, r"$\theta$, the probability of ink", ["probability, in millionths", "nats"], size=(8.6, 3.2))
    for ax, values in zip(axes, (1e6 * np.asarray(product), np.asarray(log_sum))):
        line(ax, theta, values, "", "exact")
        ax.axvline(peak, color=COLORS["prior"], ls="--", lw=1.2)
        ax.annotate(f" {peak:.2f}", (peak, 0.04), xycoords=("data", "axes fraction"), color="#555555", fontsize=9)
    top = np.asarray(log_sum).max()
    axes[1].set_ylim(top - 45, top + 5)
    return fig


@in_course_style
def gain_by_width(widths, train, held_out, best: int) -> Figure:
    """The mean change of log p(x) under priors of the given widths: lists of equal length; `best` is the index that the title names."""
    title = f"A prior {widths[best]:g} times as wide raises the likelihood"
    fig, ax = figure(title, "width $s$ of the prior", "mean change of log p(x), nats", size=(6.6, 3.5))
    ax.plot(widths, train, color=COLORS["exact"], marker="o", ms=4, label="training digits")
    ax.plot(widths, held_out, color=COLORS["prior"], marker="s", ms=4, ls="--", label="held-out digits")
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    ax.axhline(0, color="#555555", lw=1)
    ax.axvline(1, color=COLORS["prior"], ls="--", lw=1.1)
    ax.text(1.02, min(train), "as shipped", fontsize=9, color="#555555")
    return fig


@in_course_style
def sheets(pictures: Mapping[str, object], extent: float) -> Figure:
    """A row of maps of decoded images, {title: pictures (n * n, 784)}, all on one part of the plane."""
    fig, axes = figure(list(pictures), size=(4.4 * len(pictures), 4.5))
    for ax, decoded in zip(axes, pictures.values()):
        sheet(ax, decoded, extent)
    return fig


@in_course_style
def bends(decoded, extent: float, z, logits: Mapping[str, object]) -> Figure:
    """Left: a map of decoded images; right: the logit of one pixel along a line z (G,) for several decoders, {name: logits (G,)}."""
    titles = ["Repaired: with ELU", "Without ELU a logit is a straight line"]
    fig, axes = figure(titles, ["", "$z_1$, at $z_2 = 0$"], ["", "logit of the centre pixel"], size=(9.4, 4.4))
    sheet(axes[0], decoded, extent)
    styles = zip(logits.items(), (*GREYS[:0:-1], ACCENT), ("-", "--", "-"))
    for (name, values), color, dashes in styles:
        axes[1].plot(z, values, color=color, ls=dashes, label=name)
    axes[1].legend(frameon=False, fontsize=9)
    return fig


# ---------------------------------------------------------------------------------------------------------------------
# notebook 02b


@in_course_style
def clouds(points: Sequence, titles: Sequence[str], reaches: Sequence[float]) -> Figure:
    """Clouds of points (N, 2) side by side: the first in the prior's grey, the others in black; each axis from -reach to reach."""
    fig, axes = figure(titles, "first number", "second number", size=(3.3 * len(points), 3.5))
    for i, (ax, cloud, reach) in enumerate(zip(axes, points, reaches)):
        ax.scatter(*np.asarray(cloud).T, s=3, color=COLORS["exact" if i else "prior"], alpha=0.5)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    return fig


@in_course_style
def singular_values(lines: Mapping[str, tuple[int, object]]) -> Figure:
    """Singular values relative to the first, {name: (K, values)}: K large ones, then a drop."""
    title = "As many large singular values as latents"
    fig, ax = figure(title, "singular value, in order", "size, relative to the first", size=(6.8, 3.7))
    for (name, (k, values)), color, marker in zip(lines.items(), GREYS, "os^"):
        values = np.asarray(values)[:10]
        places = np.arange(1, len(values) + 1)
        ax.plot(places, values / values[0], color=color, marker=marker, ms=5, lw=1.3, label=name)
        ax.plot(places[:k], values[:k] / values[0], ls="none", color=color, marker=marker, ms=8)
    ax.set(yscale="log", xticks=places, ylim=(1e-11, 10))
    ax.legend(frameon=False, fontsize=9)
    return fig


@in_course_style
def one_latent(z, smooth, sharp, slopes, distances) -> Figure:
    """Left: the probability of one pixel over z for a small and a large slope; right: distance from the target against the slope."""
    titles = ["One pixel of the decoder", "Steeper steps come closer to the target"]
    fig, (left, right) = figure(
        titles, ["latent $z$", "steepness $a$ of the steps"], ["probability of ink", "total variation"], size=(9.6, 3.5)
    )
    left.plot(z, smooth[1], color=ACCENT, label=f"a = {smooth[0]:g}")
    left.plot(z, sharp[1], color=COLORS["exact"], label=f"a = {sharp[0]:,g}", lw=1.2)
    left.set(xlim=(-3, 3), ylim=(-0.03, 1.25), yticks=(0, 0.5, 1))
    left.legend(frameon=False, fontsize=9, ncols=2, loc="upper left")
    line(right, slopes, distances, "", "exact", marker="o", ms=4)
    right.set(xscale="log", yscale="log")
    return fig


@in_course_style
def rotated_sheets(decoders: Sequence, extent: float, turn: float) -> Figure:
    """Two maps of decoded images; on the second the axes of the first, turned by `turn` radians, as arrows."""
    fig, axes = figure(["The shipped decoder", "Its copy with the plane rotated"], size=(9, 4.6))
    for ax, decoded, angle in zip(axes, decoders, (0.0, turn)):
        sheet(ax, decoded, extent)
        for name, direction in (("old $z_1$", angle), ("old $z_2$", angle + np.pi / 2)):
            tip = 0.66 * extent * np.array([np.cos(direction), np.sin(direction)])
            ax.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": ACCENT, "lw": 2.4})
            box = {"fc": "white", "ec": "none", "pad": 1.5, "alpha": 0.9}
            ax.annotate(name, 1.22 * tip, color=ACCENT, fontsize=10, weight="bold", ha="center", va="center", bbox=box)
    return fig


@in_course_style
def yardstick(values: Mapping[str, float], title: str) -> Figure:
    """Mean log p(x) of several models on a number line, {name: nats}, each name above or below its mark in turn."""
    fig, ax = figure(title, "mean log p(x) of the held-out digits, nats", size=(9.6, 2.3))
    for i, (name, value) in enumerate(values.items()):
        up = i % 2 == 0
        ax.plot([value, value], [0, 0.45 if up else -0.45], color="#777777", lw=1)
        ax.plot(value, 0, "o", color=COLORS["exact"], ms=7)
        ax.text(value, 0.5 if up else -0.5, f"{name}\n{value:.0f}", ha="center", va="bottom" if up else "top", fontsize=9)
    ax.axhline(0, color="black", lw=1)
    low, high = min(values.values()), max(values.values())
    ax.set(yticks=[], ylim=(-1.25, 1.25), xlim=(low - 0.1 * (high - low), high + 0.1 * (high - low)))
    ax.spines["left"].set_visible(False)
    ax.grid(False)
    return fig


@in_course_style
def grey_integral(p, integral) -> Figure:
    """The integral of p^x (1 - p)^(1 - x) over grey values, against p, far below the line at 1."""
    title = "On grey values the formula is no density"
    fig, ax = figure(title, "probability of ink $p$", "integral over $x$ from 0 to 1", size=(6.2, 3.2))
    line(ax, p, integral, "", ACCENT)
    ax.axhline(1, color=COLORS["exact"], lw=1.4)
    ax.text(0.02, 0.93, "every density integrates to 1", fontsize=9)
    note(ax, (0.5, 0.5), "never above 1/2", (20, 14), ACCENT)
    ax.set(ylim=(0, 1.1), xlim=(0, 1))
    return fig


@in_course_style
def without_maximum(sigmas, heights, floor: float, at_floor: float, harmless: tuple[float, float]) -> Figure:
    """A log-likelihood that grows without bound as sigma shrinks; marked are its harmless local maximum and its value at a floor."""
    title = "The likelihood grows without bound as σ shrinks"
    fig, ax = figure(title, r"$\sigma$ of the narrow component", "log-likelihood, nats", size=(7.4, 3.7))
    line(ax, sigmas, heights, "", ACCENT)
    ax.set(xscale="log", xlim=(max(sigmas), min(sigmas)))
    ax.axvspan(min(sigmas), floor, color=COLORS["prior"], alpha=0.15, lw=0)
    ax.text(floor * 0.7, np.asarray(heights).max() * 0.9, f"excluded by a floor of {floor:g}", fontsize=9, color="#555555", va="top")
    for (x, y), name, offset in (
        ((floor, at_floor), f"at the floor: {at_floor:.1f}", (16, 50)),
        (harmless, f"local maximum: {harmless[1]:.1f}", (-14, 80)),
    ):
        ax.plot(x, y, "o", color="black", ms=5)
        note(ax, (x, y), name, offset)
    return fig
