"""The figures of notebook 08b: variance at equal work, and the overfitting of two networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaecourse.plots import COLORS, figure, in_course_style

INKS = (COLORS["elbo"], COLORS["exact"], COLORS["naive"])


@in_course_style
def variance_at_equal_work(variances: Mapping[str, tuple[float, float]], most: int = 4) -> Figure:
    """Variance of the gradient against L at equal work, divided by its value at L = 1, for {name: (V_x, V_z)}.

    A pass through the encoder costs as much as one through the decoder. Dots mark the whole numbers L. Where a curve has its minimum
    within the figure, a short bar marks it, with its L, the root of V_z / V_x.
    The title names the change from L = 1 to L = 2, and so do the labels of the second dots.
    """
    L, whole = np.linspace(1, most, 400), np.arange(1, most + 1)
    curves = {name: lambda L, v_x=v_x, v_z=v_z: (1 + L) * (v_x + v_z / L) / (2 * (v_x + v_z)) for name, (v_x, v_z) in variances.items()}
    changes = {name: f"{curve(2) - 1:+.0%}".replace("-", "−").replace("%", " %") for name, curve in curves.items()}
    fig, ax = figure(
        "Variance with a second sample: " + ", ".join(f"{name.removesuffix(' weights')} {change}" for name, change in changes.items()),
        "L, samples of z for each image (a pass through each network costs the same)",
        "variance at equal work\n(divided by that at L = 1)",
        size=(7.6, 3.7),
    )
    ax.axhline(1, color=COLORS["prior"], lw=1, ls="--")
    seconds = [float(curve(2)) for curve in curves.values()]
    places = {max(seconds): (0, 14), min(seconds): (0, -14)}  # of the labels; one in between stands beside its dot
    for (name, curve), ink in zip(curves.items(), INKS):
        at = {"textcoords": "offset points", "color": ink, "va": "center", "fontsize": 11}
        ax.plot(L, curve(L), color=ink, label=name)
        ax.plot(whole, curve(whole), "o", ms=6, color=ink)
        ax.annotate(name, (most, curve(most)), xytext=(8, 0), **at)
        ax.annotate(changes[name], (2, curve(2)), xytext=places.get(float(curve(2)), (28, -7)), ha="center", **at)
        best = float(np.sqrt(variances[name][1] / variances[name][0]))
        if 1 < best < most:
            ax.plot(best, curve(best), "|", ms=12, mew=2, color=ink)
            ax.annotate(f"least at L = {best:.1f}", (best, curve(best)), xytext=(0, -28), ha="center", **at)
    least = min(float(curve(L).min()) for curve in curves.values())
    ax.set(xlim=(0.85, 1.3 * most), ylim=(least - 0.4, None))
    ax.set_xticks(whole)
    return fig


@in_course_style
def overfitting(epochs: Sequence[int], log_px: Mapping[str, object], gaps: Mapping[str, object], refined: Mapping[str, float]) -> Figure:
    """Mean log p(x) (left) and mean gap (right) against the epoch, for "seen" (dashed) and "unseen" digits: {name: (epochs,)}.

    Left, the gap is shaded below log p(x), down to the ELBO; double arrows show by how much log p(x) and the ELBO of the unseen digits lie
    below those of the seen ones at the end. Arrows from the last gap to an open circle show what refining q for each image recovers.
    The titles say how much of the ELBO's difference is in log p(x), and what refining recovers more on unseen digits than on seen ones.
    """
    elbos = {name: np.asarray(log_px[name]) - np.asarray(gaps[name]) for name in log_px}
    ends = [(float(values["seen"][-1]), float(values["unseen"][-1])) for values in (log_px, elbos)]
    more = float(gaps["unseen"][-1] - refined["unseen"] - gaps["seen"][-1] + refined["seen"])
    parts = [f"{high - low:.1f}" for high, low in ends]
    titles = [f"{parts[0]} of the {parts[1]} nats are in log p(x)", f"Unseen: refining q recovers {more:.1f} nats more"]
    fig, axes = figure(titles, "epoch", ["nats per digit (mean)", "mean gap, nats per digit"], size=(9.6, 3.9))
    at = {"textcoords": "offset points", "va": "center", "fontsize": 11}
    for ax, curves, color in zip(axes, (log_px, gaps), (COLORS["exact"], COLORS["naive"])):
        for name, values in curves.items():
            ax.plot(epochs, np.asarray(values), "o", ls="--" if name == "seen" else "-", ms=5, color=color)
            place = {"xytext": (-8, 11 if ax is axes[0] or name == "unseen" else -11), "ha": "right"}
            ax.annotate(name, (epochs[-1], float(values[-1])), color=color, **place, **at)
        ax.set_xlim(0, 1.75 * epochs[-1])
        ax.set_xticks(list(epochs))
    for place, name in ((1.04, "unseen"), (1.1, "seen")):  # beside the curves, so that no arrow hides a point
        start, end, x = float(gaps[name][-1]), float(refined[name]), place * epochs[-1]
        axes[1].annotate("", (x, end), xytext=(x, start), arrowprops={"arrowstyle": "-|>", "color": color, "shrinkA": 0, "shrinkB": 3})
        axes[1].plot(x, end, "o", ms=7, mfc="white", color=color)
        words = f"{name}: refining q\nrecovers {start - end:.1f} nats"
        high = 0.6 * start if name == "unseen" else (start + end) / 2
        axes[1].annotate(words, (x, high), xytext=(8, 0), color=color, **at)
    for name, elbo in elbos.items():
        axes[0].fill_between(epochs, elbo, np.asarray(log_px[name]), color=COLORS["naive"], alpha=0.4, lw=0)
    for place, (high, low), name, color in zip((1.06, 1.42), ends, ("log p(x)", "ELBO"), (COLORS["exact"], COLORS["elbo"])):
        x, arrow = place * epochs[-1], {"arrowstyle": "<->", "color": color, "shrinkA": 0, "shrinkB": 0}
        axes[0].annotate("", (x, high), xytext=(x, low), arrowprops=arrow)
        axes[0].annotate(f"{name}:\n{high - low:.1f} nats", (x, (high + low) / 2), xytext=(5, 0), color=color, **at)
    axes[0].margins(y=0.1)
    axes[0].set_xlabel("epoch (shaded: the gap, from log p(x) down to the ELBO)")
    axes[1].set_xlabel(f"epoch (open circles: q refined after epoch {epochs[-1]})")
    axes[1].set_ylim(0, 1.15 * max(float(max(curve)) for curve in gaps.values()))
    return fig
