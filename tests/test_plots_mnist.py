"""The figures of the notebook on MNIST draw what they are given, and their titles say what is in the data."""

from __future__ import annotations

import matplotlib
import numpy as np
from figures_under_test import close_everything, texts  # noqa: F401

from vaecourse.plots import mnist as figures

matplotlib.use("Agg")


def test_number_line_puts_every_value_on_its_row_and_writes_it_there() -> None:
    fig = figures.number_line({"low": (-200.4, "exact"), "high": (-86.7, "iwae")}, "A finding", 1000)
    (ax,) = fig.axes
    drawn = np.concatenate([np.asarray(c.get_offsets()) for c in ax.collections] + [line.get_xydata() for line in ax.lines])
    for value in ([-200.4, 0], [-86.7, 1]):
        assert any(np.allclose(point, value) for point in drawn)
    assert {"A finding", "low", "high", "-200.4", "-86.7", "114 nats"} <= set(texts(fig))


def test_number_line_compares_on_both_sides_and_leaves_out_what_is_less_than_a_nat() -> None:
    fig = figures.number_line({"above": (-74.8, "elbo"), "near": (-88.9, "elbo"), "reference": (-88.7, "elbo")}, "A finding", 500)
    assert {"14 nats", "nats per image, the first 500 test digits"} <= set(texts(fig))
    assert "0 nats" not in texts(fig)


def test_twins_states_the_lowest_validation_losses_and_their_distance() -> None:
    fig = figures.twins(
        {"static": ([150.0, 120.0, 95.0], [150.0, 125.0, 126.4]), "dynamic": ([151.0, 121.0, 104.0], [150.0, 128.0, 118.0])},
    )
    title = "Lowest validation loss in nats: static 125.0, dynamic 118.0"
    assert {title, "Static binarisation", "training 95", "validation 126", "lowest 125.0", "lowest of static", "7 nats"} <= set(texts(fig))
    for ax, ends in zip(fig.axes, ([95, 126.4], [104, 118])):
        assert [line.get_ydata()[-1] for line in ax.lines[:2]] == ends
        assert ax.get_ylim()[0] < 95
    assert list(fig.axes[1].lines[3].get_ydata()) == [125.0, 125.0]
