"""The figures of notebook 08b: variance at equal work, bound and exact value after two trainings, and the overfitting of two networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style

INKS = (COLORS["naive"], COLORS["elbo"], COLORS["exact"])


@in_course_style
def variance_at_equal_work(variances: Mapping[str, tuple[float, float]], most: int = 20) -> Figure:
    """Variance of the gradient against L at equal work, divided by its value at L = 1, for {name: (V_x, V_z)}.

    Left, only the L passes through the decoder count; right, the pass through the encoder costs one more. Dots mark the lowest points.
    The title on the right names the smallest and the largest of the best L.
    """
    best = [max(1, (v_z / v_x) ** 0.5) for v_x, v_z in variances.values()]
    titles = ["Only decoder passes count: L = 1 is best", f"Encoder passes, too: best L from {min(best):.1f} to {max(best):.1f}"]
    fig, axes = figure(titles, "L, samples of z for each image", ["variance at equal work\n(divided by that at L = 1)", ""], size=(10, 3.9))
    L = np.geomspace(1, most, 400)
    for ax, extra in zip(axes, (0, 1)):
        ax.axhline(1, color=COLORS["prior"], lw=1, ls="--")
        for (name, (v_x, v_z)), ink, best_L in zip(variances.items(), INKS, best):
            curve = (extra + L) * (v_x + v_z / L) / ((extra + 1) * (v_x + v_z))
            low = curve.argmin()
            ax.plot(L, curve, color=ink, label=name)
            if extra or ink == INKS[0]:  # on the left the lowest points coincide
                ax.plot(L[low], curve[low], "o", ms=7, color=ink if extra else COLORS["prior"])
            words = f"{name}\n(best L {best_L:.1f})" if extra else name
            ax.annotate(words, (most, curve[-1]), xytext=(6, 0), textcoords="offset points", color=ink, va="center", fontsize=9)
        ax.set(xscale="log", yscale="log", xlim=(0.85, 5 * most), ylim=(0.45, 1.3 * most))
        ax.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
        ax.set_xticks([], minor=True)
        ax.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
        ax.set_yticks([], minor=True)
    return fig


@in_course_style
def bound_and_exact(results: Mapping[str, tuple[float, float]]) -> Figure:
    """One row for the start and for each training: mean ELBO and mean log p(x) in nats, joined by the gap.

    The title compares log p(x) after the last training, the exact one, with that after the first, and names the gap.
    """
    values = np.array(list(results.values()))
    more, gaps = values[-1, 1] - values[1, 1], values[:, 1] - values[:, 0]
    title = (
        f"Exact training: log p(x) {abs(more):.1f} nats {'higher' if more > 0 else 'lower'}, gap {gaps[-1]:.1f} instead of {gaps[1]:.1f}"
    )
    fig, ax = figure(title, "nats per held-out digit", size=(8.6, 0.62 * len(results) + 1.1))
    for i, (bound, exact) in enumerate(values):
        ax.plot([bound, exact], [i, i], color=COLORS["prior"], lw=3, alpha=0.5)
        ax.plot(bound, i, "o", ms=9, color=COLORS["elbo"])
        ax.plot(exact, i, "o", ms=9, color=COLORS["exact"])
        at = {"textcoords": "offset points", "va": "center", "fontsize": 9}
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        ax.annotate(f"{bound:.1f}".replace("-", "−"), (bound, i), xytext=(-9, 0), ha="right", color=COLORS["elbo"], bbox=box, **at)
        ax.annotate(f"{exact:.1f}".replace("-", "−"), (exact, i), xytext=(9, 0), ha="left", **at)
        ax.annotate(f"gap {exact - bound:.1f}", ((bound + exact) / 2, i), xytext=(0, 9), ha="center", color="#555555", **at)
    ax.annotate("ELBO", (values[0, 0], 0), xytext=(5, 12), ha="right", color=COLORS["elbo"], **at)
    ax.annotate("log p(x)", (values[0, 1], 0), xytext=(-5, 12), ha="left", color=COLORS["exact"], **at)
    ax.set(yticks=range(len(results)), yticklabels=list(results), ylim=(len(results) - 0.5, -0.7))
    ax.margins(x=0.14)
    ax.grid(axis="y", visible=False)
    return fig


@in_course_style
def overfitting(epochs: Sequence[int], log_px: Mapping[str, object], gaps: Mapping[str, object], refined: Mapping[str, float]) -> Figure:
    """Mean log p(x) (left) and mean gap (right) against the epoch, for "seen" (dashed) and "unseen" digits: {name: (epochs,)}.

    Open circles at the last epoch mark the gap with q refined for each image. The titles compare unseen with seen digits
    at the last epoch, and say how the values of the unseen ones changed since the last but one.
    """
    less, more = log_px["seen"][-1] - log_px["unseen"][-1], gaps["unseen"][-1] - gaps["seen"][-1]
    rises, grows = (curves["unseen"][-1] > curves["unseen"][-2] for curves in (log_px, gaps))
    titles = [
        f"Unseen digits: log p(x) {abs(less):.1f} nats {'lower' if less > 0 else 'higher'}, {'rising' if rises else 'falling'}",
        f"Unseen digits: gap {abs(more):.1f} nats {'larger' if more > 0 else 'smaller'}, {'growing' if grows else 'shrinking'}",
    ]
    fig, axes = figure(titles, "epoch", ["log p(x), nats per digit", "log p(x) − ELBO, nats per digit"], size=(10.4, 3.9))
    for ax, curves, color in zip(axes, (log_px, gaps), (COLORS["exact"], COLORS["naive"])):
        at = {"xytext": (8, 0), "textcoords": "offset points", "color": color, "va": "center", "fontsize": 9}
        for name, values in curves.items():
            ax.plot(epochs, np.asarray(values), "o", ls="--" if name == "seen" else "-", ms=5, color=color)
            ax.annotate(name, (epochs[-1], float(values[-1])), **at)
        ax.set_xlim(0, (1.3 if ax is axes[0] else 1.6) * epochs[-1])
        ax.set_xticks(list(epochs))
    for name, value in refined.items():
        axes[1].plot(epochs[-1], float(value), "o", ms=7, mfc="white", color=color)
        axes[1].annotate(f"{name}, q refined", (epochs[-1], float(value)), **at)
    axes[1].set_ylim(0, None)
    return fig
