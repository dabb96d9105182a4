"""The figures of the notebook on convolutional VAEs draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
from figures_under_test import close_everything, texts  # noqa: F401

from vaecourse.plots import conv as figures

matplotlib.use("Agg")


def test_losses_stretches_each_curve_by_the_time_of_its_epoch_in_the_second_panel_alone() -> None:
    fig = figures.losses({"slow": (4.0, [200.0, 150.0, 120.0], 125.0), "fast": (1.0, [220.0, 190.0, 160.0, 130.0], 140.0)})
    drawn = [[line.get_xydata() for line in ax.lines] for ax in fig.axes]
    for panel, slow_time in zip(drawn, (1, 4)):
        np.testing.assert_array_equal(panel[0], [[slow_time, 200], [2 * slow_time, 150], [3 * slow_time, 120]])
        np.testing.assert_array_equal(panel[1], [[3 * slow_time, 125]])  # on test digits
        np.testing.assert_array_equal(panel[2][:, 0], [1, 2, 3, 4])
    assert {"slow", "fast", "◇ loss on test digits, at the end"} <= set(texts(fig))


def test_rows_puts_every_image_at_its_place() -> None:
    images = np.zeros((3, 784))
    images[2, 0] = 1
    fig = figures.rows({"first": np.zeros((3, 784)), "second": images})
    sheet = np.asarray(fig.axes[0].images[0].get_array())
    assert sheet.shape == (56, 84)
    assert np.argwhere(sheet).tolist() == [[28, 56]]
    assert ["first", "second"] == texts(fig)[-2:]
