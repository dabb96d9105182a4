"""The figures of notebook 07 draw what they are given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401
from matplotlib.colors import to_hex

from vaecourse import plots
from vaecourse.plots import gradients_through_samples as figures

matplotlib.use("Agg")


def xy(line) -> np.ndarray:
    return np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float)


def labelled(ax) -> dict[str, np.ndarray]:
    """Each line of the axes that has a label at its end, by the label."""
    ends = {t.get_text(): t.xy for t in ax.texts if hasattr(t, "xy")}
    return {name: xy(line) for name, at in ends.items() for line in ax.lines if any(np.allclose(row, at) for row in xy(line))}


def test_samples_move_along_f_or_stay_and_change_their_density() -> None:
    fig = figures.two_ways(lambda z: (z - 2) ** 2, 0.5, 2.0, 0.25)
    for ax in fig.axes:
        arrows = [t for t in ax.texts if hasattr(t, "xyann")]
        (dots,) = (xy(curve) for curve in ax.lines if curve.get_marker() == "o")
        np.testing.assert_allclose([arrow.xyann for arrow in arrows], dots)
        tips = np.array([arrow.xy for arrow in arrows])
        if ax is fig.axes[0]:
            np.testing.assert_allclose(tips[:, 0], dots[:, 0] + 0.25)
            np.testing.assert_allclose(tips[:, 1], (tips[:, 0] - 2) ** 2)
        else:
            np.testing.assert_allclose(tips[:, 0], dots[:, 0])
            for ends, mean in ((dots, 0.5), (tips, 0.75)):
                np.testing.assert_allclose(ends[:, 1], np.exp(-((ends[:, 0] - mean) ** 2) / 8) / np.sqrt(8 * np.pi))
            assert ((tips > dots)[:, 1] == (dots[:, 0] > 0.625)).all()
    assert "solid: μ = 0.5\ndashed: μ = 0.8\nat the dots:\nchange of q × f(z)" in texts(fig)
    factors = [t.get_text() for t in fig.axes[1].texts if " % × " in t.get_text()]
    changes = ("−20", "−12", "−6", "+4", "+12", "+23")  # exp(((z - 0.5)² - (z - 0.75)²) / 8) - 1, by hand
    assert factors == [f"{change} % × {(z - 2) ** 2:.1f}" for change, z in zip(changes, (-2.9, -1.5, -0.3, 1.3, 2.5, 3.9))]


def test_each_cloud_has_its_dots_its_mean_and_the_true_gradient_on_common_axes() -> None:
    narrow = np.array([[-3.0, 2.0], [-2.0, 4.0], [-2.5, 3.0]])
    wide = np.array([[-9.0, 20.0], [3.0, -8.0], [-1.0, 0.0]])
    fig = figures.clouds({"Pathwise": (narrow, "elbo"), "Score function": (wide, "naive")}, (-2.6, 2.88))
    for ax, dots, color in zip(fig.axes, (narrow, wide), ("elbo", "naive")):
        cloud, mean, truth = ax.lines
        np.testing.assert_array_equal(xy(cloud), dots)
        assert to_hex(cloud.get_color()) == plots.COLORS[color].lower()
        np.testing.assert_allclose(xy(mean), [dots.mean(0)])
        np.testing.assert_allclose(xy(truth), [[-2.6, 2.88]])
    assert fig.axes[0].axis() == fig.axes[1].axis()
    low_x, high_x, low_y, high_y = fig.axes[0].axis()
    assert low_x < -9 < 3 < high_x  # every dot lies inside
    assert low_y < -8 < 20 < high_y
    assert fig.axes[0].get_title(loc="left") == "Pathwise: ± 0.4 in μ, ± 0.8 in log σ"
    assert "true gradient (−2.60, 2.88)" in "".join(texts(fig))
    assert "149 times the pathwise variance in μ,\n208 times in log σ" in texts(fig)  # 74.67 / 0.5 and 416 / 2


def test_the_mean_stays_and_the_variance_is_marked_at_the_named_baselines() -> None:
    b = np.linspace(-8, 16, 97)
    variance = 22 + (b - 6) ** 2
    marked = {"no baseline": 0.0, "mean of f": 3.0, "best": 6.0}
    fig = figures.baselines([-8.0, 0.0, 3.0, 16.0], [-2.5, -2.7, -2.6, -2.4], [0.1, 0.05, 0.02, 0.2], -2.6, b, variance, marked, 5.8)
    left, right = fig.axes
    assert [round(float(y), 3) for y in left.containers[0].lines[0].get_ydata()] == [-2.5, -2.7, -2.6, -2.4]
    (bars,) = left.containers[0].lines[2]
    assert np.ptp(bars.get_segments()[0][:, 1]) == pytest.approx(4 * 0.1)  # two standard errors to each side
    assert any(np.allclose(line.get_ydata(), -2.6) for line in left.lines if len(line.get_ydata()) == 2)
    np.testing.assert_allclose(xy(right.lines[0]), np.column_stack([b, variance]))
    places = [xy(line)[0] for line in right.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(places, [[0, 58], [3, 31], [6, 22]])
    assert left.get_title(loc="left") == "The mean stays, within 2.0 standard errors"  # 0.1 off by an error of 0.05
    assert right.get_title(loc="left") == "The variance changes: 58 without, 22 at best"
    assert {"no baseline: 58", "mean of f: 31", "best: 22", "pathwise: 5.8"} <= set(texts(fig))


def test_every_climb_is_a_thin_line_and_the_median_a_thick_one() -> None:
    ends = {"pathwise": [0.5, 0.1, 60.0], "leave-one-out": [0.2, 0.1, 0.3], "no baseline": [8.0, 9.0, 11.0]}
    curves = {name: np.array([[200.0] * 3, [50.0] * 3, gaps]) for name, gaps in ends.items()}
    fig = figures.climbs([0, 20, 40], curves, {"pathwise": 0.4, "leave-one-out": 0.8, "no baseline": 0.1})
    for ax, (name, curve), color in zip(fig.axes, curves.items(), ("elbo", "naive", "naive")):
        *thin, median = ax.lines
        np.testing.assert_array_equal([xy(line)[:, 1] for line in thin], curve.T)
        assert {to_hex(line.get_color()) for line in thin} == {plots.COLORS[color].lower()}
        assert median.get_linewidth() > 2 * thin[0].get_linewidth()
        np.testing.assert_array_equal(xy(median), np.column_stack([[0, 20, 40], np.median(curve, axis=1)]))
        assert ax.get_ylim() == fig.axes[0].get_ylim(), name
    (stopped,) = (t for ax in fig.axes for t in ax.texts if " of 3 stop" in t.get_text())  # the only climb far from the others
    assert stopped.axes is fig.axes[0]
    assert stopped.get_text() == "1 of 3 stops at 60"
    assert 60 < stopped.get_position()[1] < 80
    titles = ["Pathwise: median 0.50", "Leave-one-out: median 0.20", "No baseline: median 9"]
    assert [ax.get_title(loc="left") for ax in fig.axes] == titles
    assert {"learning rate 0.4", "learning rate 0.8", "learning rate 0.1", "thin: 3 climbs\nthick: their median"} <= set(texts(fig))
    assert fig.axes[0].get_ylim()[0] < 0.1
    assert fig.axes[0].get_ylim()[1] > 200


def test_each_ratio_of_variances_is_a_dot_in_the_color_of_its_estimator() -> None:
    ratios = {
        "2: pathwise, log w": [0.5, 0.2, 1.4],
        "2: score function, log p(x|z)": [3.5, 2.5, 9.0],
        "20: score function, log p(x|z)": [8.0, 12.4, 9.0],
    }
    fig = figures.noise_ratios(ratios)
    (ax,) = fig.axes
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal([xy(line) for line in dots], [[[r, i] for r in row] for i, row in enumerate(ratios.values())])
    assert [line.get_color() for line in dots] == [figures.GREEN, figures.RED, figures.RED]
    assert [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() != "o"] == [1]
    assert [t.get_text() for t in ax.get_yticklabels()] == list(ratios)
    assert ax.get_title(loc="left") == "For log p(x|z) the score function has 2.5 to 12 times the variance"


def test_the_scoreboard_writes_the_distance_beside_each_elbo() -> None:
    rows = [("06 ELBO", "elbo", -10.5, 0.0, -10.0), ("07 ELBO, pathwise", "elbo", -10.25, 0.0, -10.0)]
    fig = figures.scoreboard(rows, "07")
    written = {t.get_text(): t.xy for t in fig.axes[0].texts}
    assert written == {"0.50 below": (-10.5, 0), "0.25 below": (-10.25, 1), "exact": (-10.0, 1)}
    assert fig.axes[0].get_title(loc="left") == "0 of the 1 new bounds end within 0.1 nats of log p(x)"
    fig = figures.scoreboard([*rows, ("07 ELBO, other", "elbo", -10.05, 0.0, -10.0)], "07")
    assert fig.axes[0].get_title(loc="left") == "1 of the 2 new bounds end within 0.1 nats of log p(x)"


def test_loss_and_divergence_start_at_epoch_one() -> None:
    fig = figures.missing_r(
        {"rsample": [250.0, 190.0, 180.0], "sample": [257.0, 212.0, 211.0]}, {"rsample": [2.0, 3, 4], "sample": [0.003, 0, 0]}
    )
    left, right = (labelled(ax) for ax in fig.axes)
    np.testing.assert_array_equal(left["sample"], [[1, 257], [2, 212], [3, 211]])
    np.testing.assert_array_equal(right["rsample"], [[1, 2], [2, 3], [3, 4]])
    assert [ax.get_title(loc="left") for ax in fig.axes] == [
        "Both losses fall, to 180 and 211 nats",
        "Without the r the KL stays below 0.01 nats",
    ]
    assert "nats" in fig.axes[0].get_ylabel()
    assert "nats" in fig.axes[1].get_ylabel()
