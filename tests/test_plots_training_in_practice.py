"""The figures of notebook 08b draw what they are given, and their titles and labels say what is in the data."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401

from vaecourse.plots import training_in_practice as figures

matplotlib.use("Agg")


def test_variance_at_equal_work_marks_what_a_second_sample_changes() -> None:
    fig = figures.variance_at_equal_work({"many": (1.0, 16.0), "few": (4.0, 1.0)}, most=8)
    (ax,) = fig.axes
    dots = [drawn for drawn in ax.lines if drawn.get_marker() == "o"]
    for dot, (v_x, v_z) in zip(dots, ((1, 16), (4, 1)), strict=True):
        L = np.arange(1, 9)
        np.testing.assert_array_equal(dot.get_xdata(), L)
        np.testing.assert_allclose(dot.get_ydata(), (1 + L) * (v_x + v_z / L) / (2 * (v_x + v_z)))  # (8b.1) with B = C / (1 + L)
    assert dots[0].get_ydata()[3] == pytest.approx((1 + 4) ** 2 / (2 * 17))  # the least variance of (8b.2), at L = 4
    assert ax.get_xlim()[1] > 8
    bars = [(*drawn.get_xdata(), *drawn.get_ydata()) for drawn in ax.lines if drawn.get_marker() == "|"]
    assert bars == [(4, pytest.approx(25 / 34))]  # the minimum of (8b.2); the other one lies below L = 1
    assert ax.get_ylim()[0] == pytest.approx(25 / 34 - 0.4, abs=1e-3)
    assert [(label.get_text(), label.xy) for label in ax.texts] == [
        ("many", (8, pytest.approx(9 * 3 / 34))),
        ("−21 %", (2, pytest.approx(27 / 34))),
        ("least at L = 4.0", (4, pytest.approx(25 / 34))),
        ("few", (8, pytest.approx(9 * 4.125 / 10))),
        ("+35 %", (2, pytest.approx(1.35))),
    ]
    assert "Variance with a second sample: many −21 %, few +35 %" in set(texts(fig))


def test_overfitting_draws_both_parts_and_says_how_large_they_are() -> None:
    epochs = [1, 5, 9]
    log_px = {"seen": np.array([-5.0, -3.0, -2.0]), "unseen": np.array([-5.0, -4.0, -4.5])}
    gaps = {"seen": [1.0, 0.5, 0.8], "unseen": [1.0, 3.0, 2.0]}
    fig = figures.overfitting(epochs, log_px, gaps, {"seen": 0.1, "unseen": 0.4})
    for ax, curves in zip(fig.axes, (log_px, gaps)):
        for drawn, (name, values), label in zip(ax.lines, curves.items(), ax.texts):
            np.testing.assert_array_equal(drawn.get_xdata(), epochs)
            np.testing.assert_array_equal(drawn.get_ydata(), values)
            assert drawn.get_linestyle() == ("--" if name == "seen" else "-")
            assert (label.get_text(), label.xy) == (name, (9, values[-1]))
    left, right = fig.axes
    assert len(left.lines) == 2
    for band, name in zip(left.collections, ("seen", "unseen"), strict=True):  # from log p(x) down to the ELBO
        heights = band.get_paths()[0].vertices[:, 1]
        assert (heights.max(), heights.min()) == (max(log_px[name]), min(log_px[name] - np.array(gaps[name])))
    assert [(a.xyann[1], a.xy[1]) for a in left.texts if a.arrow_patch is not None] == [
        (-4.5, -2.0),
        (pytest.approx(-6.5), pytest.approx(-2.8)),
    ]
    circles = right.lines[2:]
    assert [(c.get_ydata()[0], c.get_markerfacecolor()) for c in circles] == [(0.4, "white"), (0.1, "white")]
    arrows = [drawn for drawn in right.texts if drawn.arrow_patch is not None]
    assert [(a.xyann, a.xy) for a in arrows] == [
        ((pytest.approx(9 * place), start), (pytest.approx(9 * place), end)) for place, start, end in ((1.04, 2.0, 0.4), (1.1, 0.8, 0.1))
    ]
    said = set(texts(fig))
    assert {"log p(x):\n2.5 nats", "ELBO:\n3.7 nats"} <= {label.get_text() for label in left.texts}
    assert {"seen: refining q\nrecovers 0.7 nats", "unseen: refining q\nrecovers 1.6 nats"} <= said
    assert "2.5 of the 3.7 nats are in log p(x)" in said
    assert "Unseen: refining q recovers 0.9 nats more" in said
    assert left.get_xlabel() == "epoch (shaded: the gap, from log p(x) down to the ELBO)"
    assert right.get_xlabel() == "epoch (open circles: q refined after epoch 9)"
    assert right.get_ylim()[0] == 0
    assert right.get_xlim()[1] > 9
