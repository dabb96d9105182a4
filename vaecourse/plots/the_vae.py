"""The figures of notebook 08: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, classes, ellipse, figure, in_course_style, plane, sheet

GREEN, BLUE, GREY, AMBER = COLORS["elbo"], COLORS["importance"], "#555555", "#A36A00"  # amber: the posterior's orange, dark enough for text


@in_course_style
def codes_and_map(codes, labels, pictures, reach: float) -> Figure:
    """Codes of digits, each drawn as its class, beside the decoder's mean images on the same part of the plane.

    Args:
        codes, labels: means of q (N, 2), and classes (N,).
        pictures: (n * n, 784), in the order that `vaecourse.plots.sheet` takes.
        reach: both panels show the plane from about -reach to reach.
    """
    codes = np.asarray(codes)
    outside = (abs(codes) > reach).any(1).mean()
    inside = ((codes**2).sum(1) < 4).mean()
    titles = [f"The circle holds {inside:.0%} of codes, {1 - np.exp(-2):.0%} of the prior", "The decoder's mean image at each place"]
    fig, axes = figure(titles, size=(9.2, 5.2))
    classes(axes[0], codes, labels)
    ellipse(axes[0], (0, 0), (1, 1), "prior", lw=1.4, ls="--")
    words = "dashed: two standard deviations of the prior"
    words += f"\n{outside:.0%} of the codes lie outside the frame" if outside else ""
    axes[0].set_xlabel(f"$z_1$\n{words}", fontsize=10)
    sheet(axes[1], pictures, reach)
    ellipse(axes[1], (0, 0), (1, 1), "prior", lw=1.4, ls="--")
    for ax in axes:
        ax.set(xlim=axes[1].get_xlim(), ylim=axes[1].get_ylim(), aspect="equal")
    return fig


@in_course_style
def two_gaps(approximation, amortisation, least: float = 0.003) -> Figure:
    """The two parts of the gap of each digit, on one logarithmic axis, sorted by their sum; values below `least` are drawn there."""
    approximation, amortisation = np.asarray(approximation), np.asarray(amortisation)
    order = (approximation + amortisation).argsort()
    means, medians = [[f(a) for a in (amortisation, approximation)] for f in (np.mean, np.median)]
    fig, ax = figure(
        f"For {(amortisation > approximation).sum()} of {len(order)} digits the amortisation gap is the larger part",
        f"{len(order)} held-out digits, sorted by their whole gap (smaller values are drawn at {least:g})",
        "nats (logarithmic)",
        size=(7.6, 4.2),
    )
    place = np.arange(1, len(order) + 1)
    for values, color, marker in ((amortisation, GREEN, "o"), (approximation, AMBER, "s")):
        ax.plot(place, np.maximum(values[order], least), marker, ms=4.5, color=color, alpha=0.75, mew=0)
    ax.set(yscale="log", ylim=(0.8 * least, 1.6 * max(amortisation.max(), approximation.max())), xlim=(0, len(order) + 1))
    ticks = [0.01, 0.1, 1, 10, 100]
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_ylim(0.8 * least, 1.6 * max(amortisation.max(), approximation.max()))
    ax.minorticks_off()
    words = {"transform": ax.transAxes, "fontsize": 10, "weight": "bold"}
    says = "{} gap, mean {:.{}f}, median {:.{}f} nats"
    ax.text(0.02, 0.94, "● " + says.format("amortisation", means[0], 1, medians[0], 1), color=GREEN, **words)
    ax.text(0.02, 0.87, "■ " + says.format("approximation", means[1], 1, medians[1], 2), color=AMBER, **words)
    return fig


@in_course_style
def one_digit(x, grid, probs, q, best, pictures, values: tuple[float, float, float]) -> Figure:
    """One digit on its way through encoder and decoder, and below it the gap on a number line.

    Args:
        x: the digit (784,).
        grid, probs: nodes (G, 2) around the posterior, and the exact posterior on them (G,).
        q, best: (mean, standard deviations) of the encoder's proposal and of the best diagonal normal.
        pictures: (2, 784), the decoder's mean at the mean of q, and a sample of the model given a z from q.
        values: ELBO(q), ELBO(best) and log p(x), in nats.
    """
    titles = ["The digit x", "Exact posterior p(z|x) and q(z|x)", "Mean image at q", "z from q, x given z"]
    fig, axes = figure(titles, size=(8.4, 4.3))
    fig.set_layout_engine("none")
    low, height = 0.41, 0.46
    for ax, left, width in zip(axes, (0.01, 0.315, 0.645, 0.825), (0.165, 0.235, 0.165, 0.165)):
        ax.set_position((left, low, width, height))
        ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=10)
    for ax, image in zip(axes[[0, 2, 3]], (x, *pictures)):
        _image(ax, image)
    plane(axes[1], grid, probs)
    ellipse(axes[1], *q, GREEN, lw=2.2)
    ellipse(axes[1], *best, BLUE, lw=1.8, ls="--")
    axes[1].locator_params(nbins=4)
    key = {"transform": axes[1].transAxes, "fontsize": 10}
    axes[1].text(0.03, 0.93, "q of the encoder", color=GREEN, weight="bold", **key)
    axes[1].text(0.03, 0.86, "best q", color=BLUE, weight="bold", **key)
    axes[1].text(0.03, 0.03, "two standard deviations", color=GREY, **key)
    for left, right, name in ((0.19, 0.235, "encoder"), (0.575, 0.62, "decoder")):
        middle = low + height / 2
        fig.text((left + right) / 2, middle + 0.03, name, ha="center", fontsize=10, color=GREY)
        arrow = {"arrowstyle": "-|>", "color": GREY, "lw": 1.8}
        axes[0].annotate("", (right, middle), (left, middle), "figure fraction", "figure fraction", arrowprops=arrow)
    _number_line(fig.add_axes((0.06, 0.03, 0.88, 0.25)), values)
    share = (values[1] - values[0]) / (values[2] - values[0])
    _headline(fig, f"The gap of this digit is {values[2] - values[0]:.1f} nats; the best q of this shape closes {share:.0%}")
    return fig


def _headline(fig: Figure, words: str) -> None:
    fig.suptitle(words, x=0.01, ha="left", fontsize=11, fontweight="bold")


def _image(ax: Axes, image) -> None:
    image = np.asarray(image)
    side = int(round(len(image) ** 0.5))
    ax.imshow(image.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set(visible=True, color="#BBBBBB")


def _number_line(ax: Axes, values: tuple[float, float, float]) -> None:
    """ELBO(q), ELBO(q*) and log p(x) as ticks, and the two gaps between them as arrows."""
    bound, better, exact = values
    span = exact - bound
    ax.plot([bound - 0.1 * span, exact + 0.1 * span], [0, 0], color="#999999", lw=1)
    names = (("ELBO(q)", bound, GREEN, "right"), ("ELBO(q*), best q", better, BLUE, "center"), ("log p(x)", exact, COLORS["exact"], "left"))
    for name, value, color, side in names:
        ax.plot([value, value], [-0.35, 0.35], color=color, lw=3)
        words = f"{name}\n{value:.2f} nats".replace("-", "−")
        ax.annotate(words, (value, -0.4), (0, -2), textcoords="offset points", ha=side, va="top", color=color, fontsize=10)
    for name, start, end, color in (("amortisation gap", bound, better, GREEN), ("approximation gap", better, exact, AMBER)):
        arrow = {"arrowstyle": "<|-|>", "color": color, "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (end, 0.55), (start, 0.55), arrowprops=arrow)
        words = {"ha": "center", "va": "bottom", "color": color, "weight": "bold", "fontsize": 10}
        ax.text((start + end) / 2, 0.75, f"{name} {end - start:.2f}", **words)
    ax.set(xlim=(bound - 0.12 * span, exact + 0.12 * span), ylim=(-1.5, 1.3))
    ax.axis("off")


@in_course_style
def claimed_and_true(results: Mapping[str, tuple[object, object, str]], named: Mapping[int, str]) -> Figure:
    """True error of log p(x) against the standard error that the weights report: {name: (error, reported, colour)}, a dot a digit.

    Args:
        results: one panel for each name.
        named: digits, by their place in the arrays, whose dots get a name in every panel.
    """
    results = {name: (np.asarray(error), np.asarray(reported), color) for name, (error, reported, color) in results.items()}
    titles = [f"{name}: {(e < -10).sum()} of {len(e)}\nmore than 10 nats too low" for name, (e, _, _) in results.items()]
    fig, axes = figure(
        titles, "standard error that the weights report, nats", ["true error, nats (logarithmic beyond ±1)", ""], size=(8.0, 4.4)
    )
    low = min(0.8 * s.min() for _, s, _ in results.values())
    ramp = np.geomspace(low, 1, 100)
    bottom, top = min(e.min() for e, _, _ in results.values()), max(e.max() for e, _, _ in results.values())
    for ax, (error, reported, color) in zip(axes, results.values()):
        ax.fill_between(ramp, -3 * ramp, 3 * ramp, color="#999999", alpha=0.3, lw=0)
        ax.plot(reported, error, "o", ms=4.5, mew=0, color=COLORS[color], alpha=0.6)
        ax.axvline(1, color=COLORS["exact"], lw=1.2)
        ax.set(xscale="log", xlim=(low, 1.6), ylim=(1.5 * bottom, max(4.0, 1.5 * top)))
        ax.set_yscale("symlog", linthresh=1)
        ticks = [0.03, 0.1, 0.3, 1]
        ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
        ax.set_yticks([-100, -10, -1, 0, 1], ["−100", "−10", "−1", "0", "1"])
        ax.minorticks_off()
        ax.set_ylim(1.5 * bottom, max(4.0, 1.5 * top))
        for i, name in named.items():
            ax.plot(reported[i], error[i], "o", ms=9, mew=1.5, mfc="none", color=COLORS["exact"])
            words = {
                "textcoords": "offset points",
                "ha": "right",
                "va": "center",
                "fontsize": 9,
                "weight": "bold",
                "color": COLORS["exact"],
            }
            ax.annotate(name, (reported[i], error[i]), (-8, 0), **words)
    words = "grey: within 3 standard errors\nblack: 1 nat, the limit of (8.4)"
    axes[1].text(0.02, 0.04, words, transform=axes[1].transAxes, fontsize=10, color=GREY)
    return fig


@in_course_style
def wrong_place(grid, probs, q, mode, pictures, fits: Sequence[float], depth: float = 60.0) -> Figure:
    """A digit for which the encoder proposes one place while its posterior has its mode at another; both with two standard deviations.

    Args:
        grid, probs: nodes (G, 2) and the exact posterior on them (G,).
        q: mean (2,) and standard deviations (2,) of the encoder's proposal.
        mode: the node with the largest posterior, (2,).
        pictures: (3, 784): the digit, the decoder's mean at the mean of q, and at the mode.
        fits: log p(x|z) of the digit at these two places.
        depth: how many nats below its maximum the log posterior is drawn pale.
    """
    (mu, sigma), mode, grid = (np.asarray(a) for a in q), np.asarray(mode), np.asarray(grid)
    probs = np.asarray(probs, dtype=float) / np.sum(np.asarray(probs, dtype=float))
    log_posterior = np.log(np.maximum(probs, 1e-300))
    places = [f"decoder {place}\nlog p(x|z) = {fit:.0f}" for place, fit in zip(("at q", "at the mode"), fits)]
    titles = ["Log posterior, and q of the encoder", "held out", *places]
    fig, axes = figure([t.replace(" -", " −") for t in titles], size=(8.4, 3.8))
    fig.set_layout_engine("none")
    for ax, left, width in zip(axes, (0.06, 0.445, 0.63, 0.815), (0.3, 0.17, 0.17, 0.17)):
        ax.set_position((left, 0.13, width, 0.68))
        ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=10)
    plane(axes[0], grid, np.maximum(log_posterior - log_posterior.max() + depth, 0))
    middle, reach = (mu + mode) / 2, 1.5 * np.linalg.norm(mode - mu)
    axes[0].set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach))
    axes[0].locator_params(nbins=5)
    ellipse(axes[0], mu, sigma, GREEN, lw=2.2)
    mean = probs @ grid
    ellipse(axes[0], mean, np.sqrt(probs @ (grid - mean) ** 2), "#FFFFFF", lw=2)
    axes[0].plot(*mode, "+", ms=5, mew=1.5, color="#FFFFFF")
    box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}
    for place, name, color, nudge in ((mu, "q", GREEN, 8 + 70 * sigma[0] / reach), (mode, "posterior", "#000000", 16)):
        words = {"textcoords": "offset points", "va": "center", "color": color, "weight": "bold", "fontsize": 9, "bbox": box}
        axes[0].annotate(name, place, (nudge, 0), **words)
    words = f"pale: over {depth:.0f} nats below the mode\ncurves: two standard deviations"
    axes[0].text(0.03, 0.03, words, transform=axes[0].transAxes, fontsize=9, color=GREY, bbox=box)
    for ax, image, color in zip(axes[1:], pictures, ("#BBBBBB", GREEN, "#000000")):
        _image(ax, image)
        ax.spines[:].set(color=color, linewidth=1.6)
    away = np.linalg.norm(mode - mu) / sigma.max()
    _headline(fig, f"The mode, {away:.0f} standard deviations from the mean of q, has a log p(x|z) {fits[1] - fits[0]:.0f} nats higher")
    return fig
