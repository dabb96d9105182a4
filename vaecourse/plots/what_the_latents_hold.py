"""The figures of notebook 09b: arrays in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, images, in_course_style
from vaecourse.plots.text import minus

GREEN, AMBER = COLORS["elbo"], "#A36A00"  # amber: the posterior's orange, dark enough for text
PINK_INK = "#A0447C"
OF_RUN = {
    "β = 1": GREEN,
    "weight 1": GREEN,
    "β = 784": PINK_INK,
    "strong start": PINK_INK,
    "annealing": AMBER,
    "free bits": COLORS["naive"],
}  # both pink ones collapse
WHITE = {"fc": "white", "ec": "none", "pad": 1}  # a close white ground for a name that stands on lines


@in_course_style
def clouds(codes, draws, share: float) -> Figure:
    """Codes of images and as many samples of the prior in the same plane; a classifier is right about `share` of both."""
    titles = [f"K = {np.shape(codes)[1]}: codes of {len(codes):,} held-out digits", f"{len(draws):,} samples of the prior"]
    fig, axes = figure(titles, "$z_1$", ["$z_2$", ""], size=(8.6, 4.1))
    codes, draws = np.asarray(codes), np.asarray(draws)
    edge = max(4.0, np.ceil(2 * max(abs(codes).max(), abs(draws).max())) / 2)  # no point is cut off
    for ax, points, color in zip(axes, (codes, draws), ("posterior", "prior")):
        ax.plot(points[:, 0], points[:, 1], "o", ms=2.2, color=COLORS[color], alpha=0.7)
        ax.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
        ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=10, fontweight="normal")
    title = f"The codes do not follow the prior: a classifier is right in {share:.1%} of the cases (chance: 50%)"
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return fig


@in_course_style
def moved(pictures, latents: Sequence[int], values: Sequence[float]) -> Figure:
    """Digits decoded while one latent moves, (2, digits, values, D): in the first row a latent in use, in the second an idle one."""
    pictures = np.asarray(pictures, dtype=float)
    used, idle = latents
    most = np.ptp(pictures[1], axis=1).max()
    title = f"Latent {used} changes the digit; the idle latent {idle} changes no pixel by more than {most:.3f}"
    columns = pictures.shape[1] * pictures.shape[2]
    captions = [""] * columns + [minus(value, ".0f") for value in values] * pictures.shape[1]
    names = [f"latent {used}", f"latent {idle}\n(idle)"]
    return images(pictures.reshape(2 * columns, -1), title, captions, columns, names, size=0.75)


@in_course_style
def plane(runs: Mapping[str, object], baseline: float) -> Figure:
    """Rate and distortion of trained models, {name: (seeds, 2)}, in nats per image, with lines of equal ELBO.

    `baseline` is the distortion of independent pixels, which need no rate; the line of their ELBO is thick.
    """
    runs = {name: np.atleast_2d(np.asarray(points, dtype=float)) for name, points in runs.items()}
    rates, distortions = np.concatenate(list(runs.values())).T
    step, left, right = 20, -0.03 * rates.max(), 1.2 * rates.max()
    low, high = step * np.floor(distortions.min() / step - 0.4), step * np.ceil(max(distortions.max(), baseline) / step + 0.2)
    gains = ", ".join(f"{_signed(baseline - points.sum(1).mean())} with {name}" for name, points in runs.items())
    fig, ax = figure(
        f"ELBO above independent pixels: {gains} (nats)", "rate R, nats per digit", "distortion D, nats per digit", size=(8.6, 4.4)
    )
    _equal_elbo(ax, (0, right), (low, high), step)
    ax.plot([0, right], [baseline, baseline - right], color="black", lw=2, zorder=1)
    place = {"textcoords": "offset points", "fontsize": 9, "bbox": WHITE}
    ax.plot(0, baseline, "s", ms=11, mfc="none", mec="black", mew=1.5)
    ax.annotate(f"independent pixels: ELBO {minus(-baseline, '.0f')}", (0, baseline), xytext=(12, 8), **place)
    for name, points in runs.items():
        ax.plot(points[:, 0], points[:, 1], "o", ms=7, color=_color(name), alpha=0.85)
        label = f"{name}: mean ELBO {minus(-points.sum(1).mean(), '.0f')}"
        last = points[points[:, 0].argmax()]
        far = {"xytext": (8, -17)} if last[0] < 0.7 * right else {"xytext": (0, -19), "ha": "right"}
        ax.annotate(label, last, color=_color(name), **far, **place)
    ax.set(xlim=(left, right), ylim=(low, high))
    return fig


@in_course_style
def cures(runs: Mapping[str, object], carried: Mapping[str, object], floor: float) -> Figure:
    """Left, rate and distortion of trained models, {name: (seeds, 2)}; right, the nats of their latents, {name: (seeds, K)}, sorted.

    The first of the runs is what the others are compared with. Runs with a rate below 1 nat are only named in the left panel.
    `floor` is the free nats of a latent.
    """
    runs = {name: np.atleast_2d(np.asarray(points, dtype=float)) for name, points in runs.items()}
    inside = {name: points for name, points in runs.items() if points[:, 0].max() >= 1}
    (first, reference), *others = inside.items()
    gains = ", ".join(f"{name} {_signed((reference.sum(1) - points.sum(1)).mean())}" for name, points in others)
    fig, (ax, right) = figure(
        ["", ""],
        ["rate R, nats per digit", "the latents, sorted"],
        ["distortion D, nats per digit", "KL from the prior, nats"],
        (8.6, 4.6),
    )
    fig.suptitle(f"Mean ELBO above that of {first}, in nats: {gains}", x=0.01, ha="left", fontsize=11, fontweight="bold")
    rates, distortions = np.concatenate(list(inside.values())).T
    x, y = (rates.min() - 1, rates.max() + 1.5), (distortions.min() - 5, distortions.max() + 3)
    _equal_elbo(ax, x, y, 5)
    place = {"textcoords": "offset points", "fontsize": 9, "bbox": WHITE, "ha": "center"}
    for name, points in inside.items():
        ax.plot(points[:, 0], points[:, 1], "o", ms=7, color=_color(name), alpha=0.85)
        middle = (points[:, 0].mean(), points[:, 1].min())
        ax.annotate(f"{name}:\nELBO {minus(-points.sum(1).mean(), '.0f')}", middle, color=_color(name), xytext=(0, -32), **place)
    outside = [f"{n}: R {p[:, 0].mean():.0f}, D {p[:, 1].mean():.0f} (outside)" for n, p in runs.items() if n not in inside]
    ax.annotate("\n".join(outside), (1, 1), (-6, -16), xycoords="axes fraction", **{**place, "ha": "right"}, color=PINK_INK)
    ax.set(xlim=x, ylim=y)
    for name in inside:
        nats = np.atleast_2d(np.asarray(carried[name], dtype=float)).mean(0)
        right.plot(np.arange(1, len(nats) + 1), nats, "o-", ms=5, lw=1.2, color=_color(name), label=name)
    right.axhline(floor, color="black", lw=0.8, ls="--")
    right.annotate(f"free: {floor:g} nats", (len(nats), floor), (0, 12), textcoords="offset points", fontsize=9, ha="right")
    right.set(xticks=range(1, len(nats) + 1), ylim=(-0.08, None))
    right.legend(fontsize=9, title="mean of the seeds", title_fontsize=9)
    return fig


def _equal_elbo(ax, across: tuple[float, float], along: tuple[float, float], step: float) -> None:
    """Lines of equal ELBO, `step` nats apart, from rate to rate; one says what they are."""
    (left, right), (low, high) = across, along
    for level in np.arange(step * np.ceil((low + left) / step), high + right, step):
        ax.plot([left, right], [level - left, level - right], color="#BBBBBB", lw=0.8, zorder=0)
    ax.annotate(
        f"a dot: one training\nlines: equal ELBO, {step} nats apart",
        (0, 0),
        (6, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        color="#555555",
        bbox=WHITE,
    )


def _color(name: str) -> str:
    return OF_RUN.get(name, COLORS["importance"])


def _signed(change: float) -> str:
    """A rounded number with its true sign, but 0 without one."""
    return minus(change, "+.0f") if abs(change) > 0.5 else "0"


@in_course_style
def held(names: Sequence[str], together, alone) -> Figure:
    """The share of the variance of each factor (F,) that all latents explain, and that the best single one explains.

    Args:
        names: of the F factors.
        together, alone: the shares, (F,), between 0 and 1.
    """
    together, alone = (100 * np.asarray(a, dtype=float) for a in (together, alone))
    order, rows = np.argsort(together), np.arange(len(names))
    title = f"One latent explains at most {alone.max():.0f}% of a factor, all together up to {together.max():.0f}%"
    fig, ax = figure(title, "percent of the factor's variance, explained linearly", size=(8.6, 4.2))
    ax.barh(rows, together[order], color=GREEN, alpha=0.35, height=0.7)
    ax.plot(alone[order], rows, "D", ms=6, color=AMBER)
    top = order[-1]  # the names stand in the longest bar
    beside = {"textcoords": "offset points", "va": "center", "fontsize": 10}
    ax.annotate("the best single latent", (alone[top], rows[-1]), xytext=(9, 0), color="#6B4500", **beside)
    ax.annotate("all latents", (together[top], rows[-1]), xytext=(-6, 0), color="#0B4F3E", ha="right", **beside)
    ax.set(yticks=rows, yticklabels=[names[i] for i in order], xlim=(0, 100))
    ax.grid(axis="y", visible=False)
    return fig


@in_course_style
def rotations(names: Sequence[str], together, best, turned) -> Figure:
    """How much of each factor the best latent explains, in the code and in many rotations of it.

    Args:
        names: of the F factors.
        together: the shares that all latents explain, (F,), between 0 and 1; the rows are sorted by them.
        best: the shares of the best latent of the code, (F,).
        turned: the shares of the best latent of each rotated code, (F, R): drawn are all of them, thin, and their median.
    """
    together, best, turned = (100 * np.asarray(a, dtype=float) for a in (together, best, turned))
    order, better = np.argsort(together), (turned > best[:, None]).mean(1)
    first = int(better.argmin())
    title = f"{names[first].capitalize()}: {100 * better[first]:.1f}% of {turned.shape[1]:,} rotations have a better latent"
    fig, ax = figure(title, "percent of the factor's variance within the classes, explained linearly", size=(8.6, 4.2))
    for row, i in enumerate(order):
        ax.plot(turned[i], [row] * turned.shape[1], "|", color="#555555", ms=9, alpha=0.15)
        ax.plot(np.median(turned[i]), row, "|", color="#000000", ms=16, mew=2)
        ax.plot(together[i], row, "o", ms=7, mfc="none", color=GREEN)
        ax.plot(best[i], row, "D", ms=6, color=AMBER)
    beside = {"textcoords": "offset points", "ha": "center", "fontsize": 10}
    row = len(order) - 0.5  # above the bars
    top = order[-1]
    ax.annotate("each rotation\n(bold: median)", (np.median(turned[top]), row), xytext=(0, 0), color="#000000", **beside)
    ax.annotate("best latent of the code", (best[top], row), xytext=(76, 0), color="#6B4500", **beside)
    ax.annotate("all latents", (together[top], row), xytext=(0, 0), color="#0B4F3E", **beside)
    ax.set_ylim(-0.6, len(order) + 0.3)
    ax.set(yticks=range(len(names)), yticklabels=[names[i] for i in order], xlim=(0, 100))
    return fig
