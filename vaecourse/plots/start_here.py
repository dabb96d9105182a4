"""The figures of notebook 00: the finished model on one page, what is turned on its side, half a digit, and the digit of the course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vaecourse.plots import COLORS, figure, images, in_course_style, sheet


@in_course_style
def finished_model(known, made, plane, extent: float = 2.5) -> Figure:
    """Training digits and new ones (n * n, 784), and decoded images (m * m, 784) laid out over the plane of the two latents.

    `plane` lists the images as `sheet` takes them: the first latent changes slowly, from -extent to extent.
    """
    fig, axes = figure(["Training digits", "New digits: probability of ink", "The map: one digit for each place"], size=(12.6, 4.3))
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
def made_and_nearest(means, samples, nearest) -> Figure:
    """Three rows of images (B, 784): the decoder's probabilities of ink, pixels sampled from them, the most similar training digits."""
    rows = np.concatenate([np.asarray(pictures) for pictures in (means, samples, nearest)])
    names = ["probability of ink", "sampled pixels", "nearest\ntraining digit"]
    title = "New digits, and the training digits that are most like them"
    return images(rows, title, columns=len(means), row_names=names, size=0.85)


@in_course_style
def two_histograms(upright, turned, threshold: float, blank: float) -> Figure:
    """log p(x) of digits and of the same digits turned; lines at the threshold for an alarm and at a blank page."""
    upright, turned = np.asarray(upright), np.asarray(turned)
    fig, ax = figure("Turned digits score lower, but a blank page scores higher", "log p(x), nats", "digits", size=(7.6, 3.4))
    bins = np.linspace(min(upright.min(), turned.min()), max(upright.max(), turned.max(), blank), 41)
    for values, color, name in ((turned, "prior", "turned by 90°"), (upright, "exact", "upright")):
        counts, _, _ = ax.hist(values, bins, color=COLORS[color], alpha=0.55)
        side = "right" if name == "turned by 90°" else "center"  # the line of the alarm is at its right
        ax.text(np.median(values), counts.max() * 1.03, name, color=COLORS[color], ha=side, fontsize=9)
    top = ax.get_ylim()[1] * 1.25
    alarm = f"alarm below {threshold:.0f} nats:\n{(turned < threshold).mean():.0%} of the turned digits"
    for at, text, dashes in ((threshold, alarm, "--"), (blank, f"a blank page:\n{blank:.0f} nats", ":")):
        ax.axvline(at, color=COLORS["exact"], ls=dashes, lw=1.6)
        ax.annotate(text, (at, top), xytext=(-6, 0), textcoords="offset points", ha="right", va="top", fontsize=9)
    ax.set(ylim=(0, top))
    return fig


@in_course_style
def completions(x, completed, title: str) -> Figure:
    """Three rows: the upper halves of images (B, 784), the same with the lower half filled in, and the whole images."""
    x, completed = np.asarray(x), np.asarray(completed)
    upper = x.copy()
    upper[:, x.shape[1] // 2 :] = 0.18  # grey: not known
    rows = np.concatenate([upper, completed, x])
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
def sum_and_mean(pictures, by_sum: Sequence[float], by_mean: Sequence[float]) -> Figure:
    """What two rules call the probabilities of the same images (N, D): a bar an image, sorted by the first rule, the image below it.

    The title of a panel gives the total of its bars, and how many times as high as the lowest bar the highest is.
    """
    pictures, by_sum, by_mean = np.asarray(pictures), np.asarray(by_sum), np.asarray(by_mean)
    order, side = np.argsort(-by_sum, kind="stable"), int(round(pictures.shape[1] ** 0.5))
    rules = {"Sum": (by_sum, "exact"), "Mean": (by_mean, "prior")}
    titles = [f"{rule}: total {v.sum():.1f}, best to worst {v.max() / v.min():.0f} to 1" for rule, (v, _) in rules.items()]
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
