"""The figures of notebook 00: the finished model on one page, what is turned on its side, half a digit, and the digit of the course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, images, in_course_style, note, sheet


@in_course_style
def finished_model(known, made, plane, extent: float = 2.5) -> Figure:
    """Training digits and new ones (n * n, 784), and decoded images (m * m, 784) laid out over the plane of the two latents.

    `plane` lists the images as `sheet` takes them: the first latent changes slowly, from -extent to extent.
    """
    fig, axes = figure(["Training digits", "New digits", "The map: one digit for each place"], size=(12.6, 4.3))
    for ax, pictures in zip(axes, (known, made)):
        _tiles(ax, np.asarray(pictures))
    sheet(axes[2], plane, extent)
    axes[2].set(xlabel="first latent $z_1$", ylabel="second latent $z_2$")
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
def two_histograms(upright, turned, threshold: float, blank: float) -> Figure:
    """log p(x) of digits and of the same digits turned, with the threshold for an alarm and the value of a blank page."""
    upright, turned = np.asarray(upright), np.asarray(turned)
    fig, ax = figure("Digits that lie on their side have a lower log p(x)", "log p(x), nats", "digits", size=(7.6, 3.4))
    bins = np.linspace(min(upright.min(), turned.min()), max(upright.max(), turned.max(), blank), 41)
    for values, color, name in ((turned, "prior", "turned by 90°"), (upright, "exact", "upright")):
        counts, _, _ = ax.hist(values, bins, color=COLORS[color], alpha=0.55)
        side = "right" if name == "turned by 90°" else "center"  # the line of the alarm is at its right
        ax.text(np.median(values), counts.max() * 1.03, name, color=COLORS[color], ha=side, fontsize=9)
    ax.axvline(threshold, color=COLORS["exact"], ls="--", lw=1.2)
    top = ax.get_ylim()[1] * 1.12
    ax.set(ylim=(0, top))
    ax.annotate(
        "alarm below this line", (threshold, top * 0.97), xytext=(-6, 0), textcoords="offset points", ha="right", va="top", fontsize=9
    )
    note(ax, (blank, 0), "a blank page", (-22, 46))
    return fig


@in_course_style
def completions(x, completed) -> Figure:
    """Three rows: the upper halves of images (B, 784), the same with the lower half filled in, and the whole images."""
    x, completed = np.asarray(x), np.asarray(completed)
    upper = x.copy()
    upper[:, x.shape[1] // 2 :] = 0.18  # grey: not known
    rows = np.concatenate([upper, completed, x])
    title = "The lower half filled in from the upper half"
    return images(rows, title, columns=len(x), row_names=["given", "filled in", "the digit"], size=0.85)


@in_course_style
def number_line(x, values: Mapping[str, tuple[float, str]]) -> Figure:
    """One image (784,) and, on an axis of nats that ends at 0, what several models say about it: {name: (log p(x), colour)}."""
    fig, axes = figure(["The eight", "log p(x) of the eight under three models"], size=(8.6, 2.3))
    side = int(round(np.asarray(x).size ** 0.5))
    axes[0].imshow(np.asarray(x).reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    axes[0].set(xticks=[], yticks=[])
    axes[0].grid(False)
    axes[0].spines[:].set_visible(True)
    for i, (value, color) in enumerate(values.values()):
        axes[1].plot(value, i, "o", ms=9, color=COLORS[color])
        axes[1].annotate(f"{value:.1f}", (value, i), xytext=(9, 0), textcoords="offset points", va="center", fontsize=9)
    low = min(value for value, _ in values.values())
    axes[1].set(xlabel="nats", xlim=(1.1 * low, 0), ylim=(len(values) - 0.5, -0.5), yticks=range(len(values)), yticklabels=list(values))
    axes[1].grid(axis="y", visible=False)
    axes[0].get_gridspec().set_width_ratios([1, 3])
    return fig


@in_course_style
def sum_and_mean(by_sum: Sequence[float], by_mean: Sequence[float]) -> Figure:
    """What two rules call the probabilities of the same images, a bar an image, with each total in its panel's title."""
    by_sum, by_mean = np.asarray(by_sum), np.asarray(by_mean)
    titles = [f"sum over pixels: total {by_sum.sum():.1f}", f"mean over pixels: total {by_mean.sum():.1f}"]
    fig, axes = figure(titles, "image", "claimed probability", size=(8.6, 3.0))
    for ax, values, color in zip(axes, (by_sum, by_mean), ("exact", "prior")):
        ax.bar(range(1, len(values) + 1), values, color=COLORS[color])
        ax.set(ylim=(0, 1), xticks=[1, 4, 8, 12, 16])
    return fig
