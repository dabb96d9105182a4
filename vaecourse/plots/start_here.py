"""The figures of notebook 00: how an image is made, the map, code lengths, what is rotated, where nats go, what is filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from vaecourse.plots import COLORS, figure, images, in_course_style, sheet

MARK = "#56B4E9"  # the colour of the palette that stands for no method
SHARES = LinearSegmentedColormap.from_list("shares", ["white", COLORS["posterior"], "#5A2A00"])  # white, so that no share leaves no trace


@in_course_style
def known_and_new(known, new) -> Figure:
    """Training digits and new ones (n * n, 784), in two squares."""
    fig, axes = figure(["Digits that the model was trained on", "New digits: probability of ink"], size=(8.6, 4.3))
    for ax, pictures in zip(axes, (known, new)):
        _tiles(ax, np.asarray(pictures))
    return fig


def _tiles(ax: Axes, pictures: np.ndarray) -> None:
    """Pictures (n * n, D), row by row, ink dark, with thin lines between them and without axes."""
    n, side = int(round(len(pictures) ** 0.5)), int(round(pictures.shape[1] ** 0.5))
    tiles = pictures.reshape(n, n, side, side).transpose(0, 2, 1, 3).reshape(n * side, n * side)
    ax.imshow(tiles, cmap="gray_r", vmin=0, vmax=1, extent=(0, n, n, 0))
    ax.set(xticks=range(1, n), yticks=range(1, n), xticklabels=[], yticklabels=[])
    ax.tick_params(length=0)
    ax.grid(True, color="#BBBBBB", alpha=1.0, lw=0.8)


@in_course_style
def from_z_to_pixels(z, probs, x) -> Figure:
    """How one image is made, in three panels with arrows between them: z (2,), the probabilities of ink (784,), the image (784,).

    The circles around 0 hold half and 95 % of the prior N(0, I).
    """
    titles = ["1. Sample a point $z$", "2. Probabilities of ink", "3. The image $x$"]
    fig, axes = figure(titles, ["first latent $z_1$", "", ""], ["second latent $z_2$", "", ""], size=(9.4, 3.1))
    fig.get_layout_engine().set(wspace=0.2)
    for share in (0.5, 0.95):
        radius = np.sqrt(-2 * np.log(1 - share))
        axes[0].add_patch(Circle((0, 0), radius, fc="none", ec=COLORS["prior"], lw=1.4))
        axes[0].text(0, radius, f"{share:.0%}", color="#555555", fontsize=8, ha="center", va="bottom")
    axes[0].plot(*np.asarray(z), "o", color=MARK, mec="black", ms=9)
    axes[0].annotate("$z$", np.asarray(z), xytext=(9, 0), textcoords="offset points", va="center", fontsize=13)
    axes[0].set(xlim=(-3, 3), ylim=(-3, 3), xticks=[-2, 0, 2], yticks=[-2, 0, 2], aspect="equal")
    for ax, image in zip(axes[1:], (probs, x)):
        _picture(ax, np.asarray(image))
    for ax, step in zip(axes[1:], ("decoder", "sampling")):
        ax.annotate("", (-0.16, 0.5), (-0.44, 0.5), xycoords="axes fraction", arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.8})
        ax.text(-0.3, 0.54, step, transform=ax.transAxes, ha="center", va="bottom", fontsize=10)
    return fig


def _picture(ax: Axes, image: np.ndarray) -> None:
    """A square image (D,), ink dark, framed and without ticks."""
    side = int(round(image.size**0.5))
    ax.imshow(image.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(True)


@in_course_style
def the_map(pictures, reach: float, row: int, rings, label: str, title: str) -> Figure:
    """Decoded images (n * n, D) at their places on the plane of the two latents, one row framed without its leftmost image, and rings.

    Args:
        pictures: as `sheet` takes them: the first latent changes slowly, from -reach to reach.
        reach: the latents of the outermost images.
        row: the row in the frame, counted from the bottom.
        rings: points z of the plane, (B, 2).
        label: what the legend calls the rings.
        title: of the figure.
    """
    pictures = np.asarray(pictures)
    n = int(round(len(pictures) ** 0.5))
    at = np.linspace(-reach, reach, n)
    step = at[1] - at[0]
    fig, ax = figure(title, size=(6.9, 7.3))
    sheet(ax, pictures, reach)
    inside = 0.46 * step
    frame = {"fc": "none", "ec": MARK, "lw": 2.6, "label": "a path from left to right"}
    path = ax.add_patch(Rectangle((at[1] - inside, at[row] - inside), (n - 2) * step + 2 * inside, 2 * inside, **frame))
    (marks,) = ax.plot(*np.asarray(rings).T, "o", mfc="none", mec=COLORS["naive"], mew=2.2, ms=13, ls="none", label=label)
    fig.legend(handles=[path, marks], loc="outside lower center", ncols=2, frameon=False)
    ax.set(xlabel="first latent $z_1$", ylabel="second latent $z_2$")
    return fig


@in_course_style
def made_and_nearest(means, samples, nearest, fewest, title: str) -> Figure:
    """Four rows of images (B, 784): sampled pixels, the probabilities of ink, the shapes, and the nearest shapes of training digits.

    `fewest` (B,) is the number of pixels in which a shape differs from the nearest one.
    """
    means = np.asarray(means)
    rows = np.concatenate([np.asarray(samples), means, means > 0.5, np.asarray(nearest)])
    names = ["sampled pixels", "probability of ink", "shape: probability\nabove one half", "nearest shape of\na training digit"]
    fig = images(rows, title, columns=len(means), row_names=names, size=0.88)
    for ax, pixels in zip(fig.axes[-len(means) :], fewest):
        ax.set_xlabel(f"{int(pixels)} pixels off", fontsize=9)
    return fig


@in_course_style
def code_lengths(bits: Mapping[str, float], ours: Sequence[str], title: str) -> Figure:
    """A bar for each code, as long as its bits for a digit, in the order given; the codes in `ours` are dark."""
    fig, ax = figure(title, "bits a digit", size=(8.4, 2.3))
    bars = ax.barh(list(bits), list(bits.values()), color=["#222222" if name in ours else "#BBBBBB" for name in bits], height=0.66)
    ax.bar_label(bars, [f"{value:.0f}" for value in bits.values()], padding=4)
    ax.invert_yaxis()
    ax.margins(x=0.08)  # room for the numbers
    ax.set_axisbelow(True)
    ax.grid(axis="y", visible=False)
    return fig


@in_course_style
def two_histograms(upright, rotated, ones, threshold: float, blank: float) -> Figure:
    """log p(x) of digits and, below it, of the same digits rotated; lines at the threshold for an alarm and at a blank page.

    The axis begins at the 0.5% quantile of the rotated digits; how many of a panel lie farther left is written there.

    Args:
        upright, rotated: (B,), in nats.
        ones: whether a digit is a one, (B,); those are dark, the others stand on them.
        threshold, blank: in nats.
    """
    upright, rotated, ones = np.asarray(upright), np.asarray(rotated), np.asarray(ones, dtype=bool)
    caught, caught_ones = rotated < threshold, rotated[ones] < threshold
    titles = [
        f"Upright: alarm for {(upright < threshold).mean():.0%}; the blank page lies above {(upright < blank).mean():.0%} of the digits",
        f"Rotated by 90°: alarm for {caught.mean():.0%}, but for only {caught_ones.mean():.0%} of the {ones.sum()} ones",
    ]
    fig, axes = figure(titles, ["", "log p(x), nats"], "digits, stacked", size=(8.4, 4.8))
    for ax, place in zip(axes, fig.add_gridspec(2, 1)):
        ax.set_subplotspec(place)
    axes[0].sharex(axes[1])
    axes[0].sharey(axes[1])
    start = np.quantile(rotated, 0.005)  # so that a few digits far away do not take half of the axis
    bins = np.linspace(start, max(upright.max(), rotated.max(), blank) + 8, 61)
    for ax, values in zip(axes, (upright, rotated)):
        ax.hist([values[ones], values[~ones]], bins, stacked=True, color=["#222222", "#BBBBBB"])
        if left := int((values < start).sum()):
            ax.annotate(f"{left} farther left", (0.01, 0.1), xycoords="axes fraction", fontsize=9)
        ax.axvline(threshold, color="black", ls="--", lw=1.6)
        ax.axvline(blank, color=MARK, ls=":", lw=2.8, zorder=0)  # behind the bars
    for at, text in ((threshold, f"alarm below {threshold:.0f}"), (blank, f"a blank page: {blank:.0f}")):
        place = {"xy": (at, 0.99), "xycoords": axes[0].get_xaxis_transform(), "xytext": (-5, 0), "textcoords": "offset points"}
        axes[0].annotate(text, **place, ha="right", va="top", fontsize=9)
    top = axes[0].get_ylim()[1]
    axes[0].text(np.median(upright[~ones]), 0.4 * top, "other digits", ha="center", fontsize=10)
    axes[0].annotate(
        "ones",
        (upright[ones].max(), 0.03 * top),
        xytext=(9, 22),
        textcoords="offset points",
        arrowprops={"arrowstyle": "-", "lw": 0.8},
        fontsize=10,
    )
    axes[0].set_ylim(0, 1.25 * top)
    axes[0].tick_params(labelbottom=False)
    return fig


@in_course_style
def costs(x, probs, nats, names: Sequence[str], title: str) -> Figure:
    """Images (B, D); below each the probabilities of ink, and the nats that its pixels cost: white is free, blue more than 3 nats.

    Args:
        x: the images.
        probs: the probability of ink in each pixel, (B, D).
        nats: what each pixel costs, (B, D), 0 or more.
        names: what stands above the images.
        title: of the figure.
    """
    x, nats = np.asarray(x), np.asarray(nats)
    side = int(round(x.shape[1] ** 0.5))
    row_names = ["the image", "probability of ink\nat this $z$", "the cost of\neach pixel"]
    fig = images(np.concatenate([x, np.asarray(probs), nats]), title, columns=len(x), row_names=row_names, size=1.45)
    for ax, name in zip(fig.axes, names):
        ax.set_title(name, fontsize=9)
    below = fig.axes[2 * len(x) : 3 * len(x)]
    colors = colormaps["gist_heat_r"].with_extremes(over=MARK)
    for ax, values in zip(below, nats):
        ax.images[0].remove()
        drawn = ax.imshow(values.reshape(side, side), cmap=colors, vmin=0, vmax=3)
    label, extend = ("nats\n(blue: above 3)", "max") if nats.max() > 3 else ("nats", "neither")
    fig.colorbar(drawn, ax=below, label=label, extend=extend, shrink=0.85)
    return fig


@in_course_style
def completions(x, completed, nats, marked: int, title: str) -> Figure:
    """Three rows: the upper halves of images (B, 784), completed by the model, and the whole images.

    Args:
        x, completed: (B, 784).
        nats: what the true lower half costs with the completed one, (B,).
        marked: the column that has a frame.
        title: of the figure.
    """
    x = np.asarray(x)
    rows = np.concatenate([_upper_half(x), np.asarray(completed), x])
    names = ["given", "filled in by\nthe model", "the digit"]
    fig = images(rows, title, columns=len(x), row_names=names, size=0.85)
    for ax, value in zip(fig.axes[len(x) : 2 * len(x)], np.asarray(nats)):
        ax.set_xlabel(f"{value:.0f} nats", fontsize=9)
    fig.axes[marked].set_title("next figure", fontsize=9)
    for ax in fig.axes[marked :: len(x)]:
        ax.spines[:].set(color=MARK, linewidth=2.6)
    return fig


def _upper_half(x: np.ndarray) -> np.ndarray:
    """Images (B, D) with a lower half in grey, because it is not known."""
    return np.where(np.arange(x.shape[1]) < x.shape[1] // 2, x, 0.18)


@in_course_style
def explanations(x, grid, posterior, at, pictures, totals: Sequence[float], nats: Sequence[float], title: str) -> Figure:
    """The posterior given the upper half of an image, and three lower halves in grey, dotted where the true one has ink.

    Args:
        x: the image of which the upper half is known, (D,).
        grid: points (G, 2), some or all of a square lattice.
        posterior: the probabilities of the points, (G,), summing to 1.
        at: two of the points, (2, 2): the first is called A, the second B.
        pictures: images (3, D) whose lower halves are drawn: decoded at A, decoded at B, averaged.
        totals: the probability of the points around A, and around B.
        nats: what the true lower half costs with the points around A alone, with those around B alone, and with the average.
        title: of the figure.
    """
    x, grid, posterior, at, pictures = (np.asarray(values) for values in (x, grid, posterior, at, pictures))
    titles = ["The digit", "$p(z\\,|\\,$upper half$)$", "Decoded at A", "Decoded at B", "Averaged"]
    fig, (known, plane, *lower) = figure(titles, size=(9.4, 2.9))
    _picture(known, x)
    held = posterior.argsort()[(posterior <= 1e-3 * posterior.max()).sum() :]  # the most probable points are drawn last
    plane.scatter(*grid[held].T, c=posterior[held], s=36, marker="s", lw=0, cmap=SHARES, vmin=0)
    for letter, z, total in zip("AB", at, totals):
        place = {"xytext": (9, 0), "ha": "left"} if z[0] < 0 else {"xytext": (-14, 0), "ha": "right"}
        plane.annotate(f"{letter}: {total:.0%}", z, **place, textcoords="offset points", va="center", fontweight="bold")
    plane.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[-2, 0, 2], yticks=[-2, 0, 2], xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    side = int(round(x.size**0.5))
    rows, columns = np.nonzero(x.reshape(side, side))
    below = rows >= side / 2
    names = ("points around A: ", "points around B: ", "")
    for ax, picture, name, cost in zip(lower, pictures, names, nats):
        _picture(ax, np.where(np.arange(x.size) < x.size // 2, x, picture))
        ax.plot(columns[below], rows[below], "o", color=MARK, ms=2.6, ls="none")
        ax.axhline(side / 2 - 0.5, color=MARK, lw=1.6)  # the upper half ends here
        ax.set_xlabel(f"{name}{cost:.0f} nats", fontsize=9)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return fig


@in_course_style
def sum_and_mean(pictures, by_sum: Sequence[float], by_mean: Sequence[float]) -> Figure:
    """What two rules call the probabilities of the same images (N, D): a bar an image, sorted by the first rule, the image below it.

    The title of a panel gives the total of its bars, and how many times as high as the lowest bar the highest is.
    """
    pictures, by_sum, by_mean = np.asarray(pictures), np.asarray(by_sum), np.asarray(by_mean)
    order, side = np.argsort(-by_sum, kind="stable"), int(round(pictures.shape[1] ** 0.5))
    rules = {"Sum": (by_sum, "exact"), "Mean": (by_mean, "prior")}
    titles = [f"{rule}: total {v.sum():.1f}, highest to lowest {v.max() / v.min():.0f} to 1" for rule, (v, _) in rules.items()]
    fig, axes = figure(titles, f"the {len(order)} images", "claimed probability", size=(9.6, 3.2))
    for ax, (values, color) in zip(axes, rules.values()):
        ax.bar(range(len(order)), values[order], color=COLORS[color])
        for i, picture in enumerate(pictures[order]):
            box = (i - 0.36, i + 0.36, -0.12, -0.03)
            ax.imshow(picture.reshape(side, side), cmap="gray_r", vmin=0, vmax=1, extent=box, aspect="auto")
            ax.add_patch(Rectangle((box[0], box[2]), box[1] - box[0], box[3] - box[2], fill=False, ec="#888888", lw=0.6))
        ax.set(ylim=(-0.14, 1), xlim=(-0.7, len(order) - 0.3), xticks=[])
        ax.grid(axis="x", visible=False)
    return fig
