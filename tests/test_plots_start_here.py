"""The figures of notebook 00 draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401

from vaecourse.plots import start_here

matplotlib.use("Agg")


def constant_images(*values: float, side: int = 2) -> np.ndarray:
    return np.array(values)[:, None] * np.ones(side * side)


def test_the_finished_model_is_laid_out_row_by_row_and_its_map_with_the_first_latent_to_the_right() -> None:
    known, made, plane = (constant_images(*values) for values in ((0.1, 0.2, 0.3, 0.4), (0.5, 0.6, 0.7, 0.8), (0, 0.25, 0.75, 1)))
    fig = start_here.finished_model(known, made, plane, extent=2.5)
    one, two, three = (np.asarray(ax.images[0].get_array()) for ax in fig.axes)
    corners = (0, 0), (0, -1), (-1, 0), (-1, -1)
    assert one == pytest.approx(np.kron([[0.1, 0.2], [0.3, 0.4]], np.ones((2, 2))))
    assert two == pytest.approx(np.kron([[0.5, 0.6], [0.7, 0.8]], np.ones((2, 2))))
    # of the map the images are those of z = (-, -), (-, +), (+, -), (+, +); its first row is at the top, where the second latent is large
    assert [three[at] for at in corners] == pytest.approx([0.25, 1, 0, 0.75])
    assert fig.axes[2].images[0].get_extent() == [-2.5, 2.5, -2.5, 2.5]
    assert {"Training digits", "New digits: probability of ink", "first latent $z_1$", "second latent $z_2$"} <= set(texts(fig))


def test_new_digits_stand_above_their_samples_and_the_nearest_training_digits() -> None:
    means, samples, nearest = (constant_images(*values) for values in ((0.1, 0.2), (0.3, 0.4), (0.5, 0.6)))
    fig = start_here.made_and_nearest(means, samples, nearest)
    assert [np.asarray(ax.images[0].get_array()).mean() for ax in fig.axes] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert {"probability of ink", "sampled pixels", "nearest\ntraining digit"} <= set(texts(fig))


def test_the_histograms_count_every_digit_and_mark_the_alarm_and_the_blank_page() -> None:
    upright, turned = np.linspace(-150, -90, 30), np.linspace(-300, -100, 20)
    ax = start_here.two_histograms(upright, turned, threshold=-140.0, blank=-50.0).axes[0]
    bars = [sum(bar.get_height() for bar in group) for group in ax.containers]
    assert bars == [20, 30]
    assert [list(line.get_xdata()) for line in ax.lines] == [[-140.0, -140.0], [-50.0, -50.0]]
    # the step of the turned digits is 200 / 19: number 16 lies at -142.1, number 17 at -131.6
    assert {"alarm below -140 nats:\n80% of the turned digits", "a blank page:\n-50 nats"} <= {t.get_text() for t in ax.texts}
    assert ax.get_xlim()[0] < -300
    assert ax.get_xlim()[1] > -50


def test_of_a_completed_digit_the_lower_half_is_hidden_in_the_first_row_only() -> None:
    x, completed = constant_images(1.0, 1.0, side=4), constant_images(0.5, 0.5, side=4)
    fig = start_here.completions(x, completed, "What was found")
    pictures = [np.asarray(ax.images[0].get_array()) for ax in fig.axes]
    assert len(pictures) == 6
    assert np.array_equal(pictures[0][:2], np.ones((2, 4)))
    assert np.all(pictures[0][2:] == 0.18)
    assert np.all(pictures[2] == 0.5)
    assert np.all(pictures[4] == 1)
    assert np.all(x == 1), "the images that were given are left as they were"
    assert {"given", "filled in", "the digit", "What was found"} <= set(texts(fig))


def test_the_number_line_has_a_dot_and_a_number_for_each_model_on_an_axis_that_ends_at_0() -> None:
    fig = start_here.number_line(np.ones(9), {"coins": (-543.4, "prior"), "a model": (-107.6, "exact")})
    picture, line = fig.axes
    assert picture.images[0].get_array().shape == (3, 3)
    assert [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in line.lines] == [(-543.4, 0), (-107.6, 1)]
    assert [t.get_text() for t in line.get_yticklabels()] == ["coins", "a model"]
    assert {"-543.4", "-107.6"} <= set(texts(fig))
    assert line.get_xlim()[1] == 0
    assert line.get_xlim()[0] < -543.4


def test_sum_and_mean_are_sorted_by_the_sum_with_each_image_below_its_bar() -> None:
    pictures = constant_images(0.1, 0.2, 0.3)
    fig = start_here.sum_and_mean(pictures, [0.25, 0.5, 0.125], [0.9, 0.8, 0.3])
    left, right = fig.axes
    assert [[bar.get_height() for bar in ax.containers[0]] for ax in (left, right)] == [[0.5, 0.25, 0.125], [0.8, 0.9, 0.3]]
    for ax in (left, right):
        assert [float(np.asarray(image.get_array()).mean()) for image in ax.images] == pytest.approx([0.2, 0.1, 0.3])
        assert [sum(image.get_extent()[:2]) / 2 for image in ax.images] == pytest.approx([0, 1, 2])
        assert all(image.get_extent()[3] < 0 for image in ax.images)
    assert left.get_ylim() == right.get_ylim()
    assert left.get_ylim()[1] == 1
    titles = [ax.get_title(loc="left") for ax in (left, right)]
    assert titles == ["Sum: total 0.9, best to worst 4 to 1", "Mean: total 2.0, best to worst 3 to 1"]
