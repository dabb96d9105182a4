"""The figures of the notebook on convolutional VAEs draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
from figures_under_test import close_everything, texts  # noqa: F401

from vaecourse.plots import conv as figures

matplotlib.use("Agg")


def test_convolution_marks_the_window_that_gives_the_marked_number() -> None:
    rng = np.random.default_rng(0)
    padded, kernel = rng.integers(0, 5, (8, 8)), rng.integers(-2, 3, (4, 4))
    result = np.array([[(padded[2 * i : 2 * i + 4, 2 * j : 2 * j + 4] * kernel).sum() for j in range(3)] for i in range(3)])
    (ax,) = figures.convolution(padded, kernel, result, stride=2, place=(0, 2)).axes
    assert ax.get_title(loc="left").endswith(f"add up to {result[0, 2]}")
    numbers = {text.get_position(): text.get_text() for text in ax.texts}
    frames = [patch for patch in ax.patches if not patch.get_fill()]
    window, weights, marked = (
        np.array(
            [
                [int(numbers[frame.get_x() + j + 0.5, frame.get_y() + i + 0.5]) for j in range(int(frame.get_width()))]
                for i in range(int(frame.get_height()))
            ]
        )
        for frame in frames
    )
    np.testing.assert_array_equal(weights, kernel)
    assert marked.shape == (1, 1)
    assert (window * weights).sum() == marked.item()


def test_transposed_adds_the_copies_and_frames_what_is_left() -> None:
    (ax,) = figures.transposed([3, 5], [-1, 1, 1, -1], [3, -8, 2, 5], stride=2).axes  # -8 is what it is given, and is drawn
    numbers = {text.get_position(): int(text.get_text()) for text in ax.texts if text.get_ha() == "center"}
    drawn = [[numbers[key] for key in sorted(numbers) if key[1] == row + 0.5] for row in range(4)]
    assert drawn == [[3, 5], [-3, 3, 3, -3], [-5, 5, 5, -5], [-3, 3, -8, 2, 5, -5]]
    assert min(key[0] for key in numbers if key[1] == 2.5) == 2.5  # the second copy begins one stride later
    fills = {patch.get_xy(): patch.get_facecolor() for patch in ax.patches if patch.get_fill()}
    assert fills[0, 0] == fills[0, 1] != fills[1, 0] == fills[2, 2]  # a pixel has the tint of its copy
    (frame,) = (patch for patch in ax.patches if not patch.get_fill())
    assert (frame.get_x(), frame.get_width()) == (1, 4)
    assert ax.get_title(loc="left").startswith("2 pixels become 4")


def test_losses_stretches_each_curve_by_the_cost_of_its_epoch_in_the_second_panel_alone() -> None:
    dear, cheap = [200.0, 150.0, 120.0], [220.0 - 8 * i for i in range(12)]
    fig = figures.losses({"slow": (4.0, dear, {3: 125.0}), "fast": (1.0, cheap, {3: 195.0, 12: 118.0})})
    drawn = [[line.get_xydata() for line in ax.lines] for ax in fig.axes]
    for panel, slow_time, fast_test in zip(drawn, (1, 4), ([3, 195], [12, 118])):
        np.testing.assert_array_equal(panel[0], [[slow_time, 200], [2 * slow_time, 150], [3 * slow_time, 120]])
        np.testing.assert_array_equal(panel[1], [[3 * slow_time, 125]])  # test digits
        np.testing.assert_array_equal(panel[3], [fast_test])
    assert [panel[2][:, 0].tolist() for panel in drawn] == [[1, 2, 3], list(range(1, 13))]  # as many epochs as are compared
    assert [set(panel[4][:, 1]) for panel in drawn] == [{125, 195}, {125, 118}]  # the bar between what is compared
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["3 epochs each: slow 70 nats ahead", "similar time: fast 7 nats ahead"]
    for ax in fig.axes:
        assert ax.get_ylim()[1] > 195
        assert "lower is better" in ax.get_ylabel()  # the axis points up, while the ELBO is to be large
    assert [[text.get_text() for text in ax.texts] for ax in fig.axes] == [
        ["slow", "fast", "• training digits, mean over the epoch\n◇ test digits, after it", lead] for lead in ("70", "7")
    ]
    assert [[text.get_color() for text in ax.texts[:2]] for ax in fig.axes] == [
        [ax.lines[0].get_color(), ax.lines[2].get_color()] for ax in fig.axes
    ]
    for ax, upper in zip(fig.axes, (1, 0)):  # the name of the upper curve stands above it, the other below
        assert [text.get_va() for text in ax.texts[:2]] == ["bottom" if i == upper else "top" for i in range(2)]


def test_leads_draws_a_dot_for_each_seed_and_rings_the_first() -> None:
    new, trained = [[3.0, 2.0], [-1.0, -4.0]], [[1.0, -2.0], [-5.0, -6.0]]
    (ax,) = figures.leads(["first", "second"], new, trained, "A finding").axes
    dots = [line for line in ax.lines if line.get_marker() == "o" and line.get_markersize() < 10]
    rings = [line for line in ax.lines if line.get_markersize() > 10]
    rows = {y: [line for line in dots if line.get_ydata()[0] == y] for y in (0, 1, 3, 4)}
    found = {y: [line.get_xdata()[0] for line in row] for y, row in rows.items()}
    assert found == {0: new[0], 1: trained[0], 3: new[1], 4: trained[1]}
    assert [ring.get_xydata().tolist() for ring in rings] == [[[3, 0]], [[1, 1]], [[-1, 3]], [[-5, 4]]]
    assert all((line.get_markerfacecolor() == "white") == (y in (1, 4)) for y, row in rows.items() for line in row)
    colours = {line.get_xdata()[0] > 0: line.get_markeredgecolor() for line in dots}
    assert all(line.get_markeredgecolor() == colours[line.get_xdata()[0] > 0] for line in dots)
    said = {text.get_text(): text for text in ax.texts}
    assert said["convolutional ahead"].get_color() == colours[True] != colours[False] == said["fully connected ahead"].get_color()
    assert said["convolutional ahead"].get_position()[0] > 0 > said["fully connected ahead"].get_position()[0]
    assert [(text.get_text(), text.xy[1]) for text in ax.texts if hasattr(text, "xy")] == [
        ("test digits", 0),
        ("training digits", 1),
        ("test digits", 3),
        ("training digits", 4),
    ]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["first", "second"]
    assert ax.get_title(loc="left") == "A finding"


def test_shifts_draws_our_run_and_beside_it_the_range_and_mean_of_others() -> None:
    elbos = {"one, 8": [-100.0, -110.0, -150.0], "two, 8": [-90.0, -100.0, -180.0], "two, 24": [-95.0, -96.0, -199.0]}
    (ax,) = figures.shifts([0, 2, 4], elbos, [(40, 52, 60), (70, 85, 95), (100, 101, 110)]).axes
    np.testing.assert_array_equal(ax.lines[3].get_xydata(), [[0, 0], [2, 10], [4, 90]])
    assert ax.get_title(loc="left") == "Mean cost of 4 pixels: one 52 nats, two 85 and 101 nats"
    bars = [line for line in ax.lines if len(line.get_xdata()) == 2]
    means = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert [list(bar.get_ydata()) for bar in bars] == [[40, 60], [70, 95], [100, 110]]
    assert [mean.get_ydata()[0] for mean in means] == [52, 85, 101]
    assert all(line.get_xdata()[0] > 4 for line in bars + means)
    assert [bar.get_color() for bar in bars] == [ax.lines[i].get_color() for i in (0, 3, 6)]
    names = [text for text in ax.texts if text.get_text() in elbos]
    assert {text.get_text(): text.xy[1] for text in names} == {"one, 8": 52, "two, 8": 85, "two, 24": 101}
    assert [text.get_color() for text in names] == [bar.get_color() for bar in bars]


def test_rows_puts_every_image_at_its_place() -> None:
    images = np.zeros((3, 784))
    images[2, 0] = 1
    fig = figures.rows({"first": np.zeros((3, 784)), "second": images}, "Two rows")
    sheet = np.asarray(fig.axes[0].images[0].get_array())
    assert sheet.shape == (56, 84)
    assert np.argwhere(sheet).tolist() == [[28, 56]]
    assert {"first", "second", "Two rows"} <= set(texts(fig))
