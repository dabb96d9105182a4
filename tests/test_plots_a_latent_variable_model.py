"""What the figures of notebooks 02, 02b and 02c show: the numbers that were given, where they belong."""

from __future__ import annotations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox
from matplotlib.patches import Circle, ConnectionPatch, Polygon
from matplotlib.text import Annotation
from scipy.integrate import trapezoid
from scipy.stats import norm

from vaecourse import plots
from vaecourse.plots import a_latent_variable_model as pictures

matplotlib.use("Agg")


def shown(ax: Axes) -> np.ndarray:
    """The data of the one image in a panel."""
    (image,) = ax.images
    return np.ma.filled(image.get_array().astype(float), np.nan)


def clipped(fig: Figure) -> list[str]:
    """Texts that reach beyond the edge of the figure; ticks are not looked at, because those out of view are there, too."""
    fig.canvas.draw()
    page, renderer = fig.bbox, fig.canvas.get_renderer()
    axes = [*fig.axes, *(child for ax in fig.axes for child in ax.child_axes)]
    texts = [t for ax in axes for t in (*ax.texts, ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label) if t.get_text().strip()]
    boxes = {t.get_text(): t.get_window_extent(renderer) for t in texts}
    return [text for text, box in boxes.items() if box.x0 < -1 or box.y0 < -1 or box.x1 > page.x1 + 1 or box.y1 > page.y1 + 1]


RANDOM = np.random.default_rng(3)
IMAGE = RANDOM.random(784)


def grid(reach: float, n: int = 11, centre: tuple[float, float] = (0, 0)) -> np.ndarray:
    axis = np.linspace(-reach, reach, n)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2) + centre


# ---------------------------------------------------------------- notebook 02


def test_the_plate_diagram_has_its_symbols_and_the_flow_its_pictures() -> None:
    fig = pictures.plate_and_flow([0.25, -1.5], IMAGE)
    plate, flow = fig.axes
    assert {"$z_n$", "$x_n$", r"$\theta$", "$n = 1, …, N$"} <= {t.get_text() for t in plate.texts}
    filled = {tuple(np.round(c.get_facecolor()[:3], 1)) for c in plate.patches if isinstance(c, Circle)}
    assert filled == {(1.0, 1.0, 1.0), (0.8, 0.8, 0.8)}  # latent and observed
    assert "$z$\n+0.25\n−1.50" in [t.get_text() for t in flow.texts]
    assert all(flow.get_xlim()[0] <= box.get_x() <= flow.get_xlim()[1] - box.get_width() for box in flow.patches)
    left, right = flow.child_axes
    np.testing.assert_array_equal(shown(left), IMAGE.reshape(28, 28))
    assert not shown(right).any()  # the image is left for the reader to guess
    assert not clipped(fig)


def small(ax: Axes) -> list[np.ndarray]:
    """The small images in a panel, in the order in which they were drawn."""
    return [np.asarray(a.offsetbox.get_data()) for a in ax.artists if isinstance(a, AnnotationBbox)]


def test_the_bars_have_the_width_between_their_middles_and_the_images_are_sorted() -> None:
    z, middles = np.linspace(-4, 4, 81), np.arange(-4, 4.1, 0.5)
    areas, frequencies = np.array([0.2, 0.5, 0.3]), np.array([0.21, 0.48, 0.31])
    images = np.array([[0, 0, 0, 1], [0, 0, 1, 0], [1, 1, 0, 0]])
    fig = pictures.integral_as_area(z, np.exp(-z * z), middles, np.exp(-middles * middles), areas, frequencies, images)
    left, right = fig.axes
    bars = left.patches
    assert sum(b.get_width() * b.get_height() for b in bars) == pytest.approx(np.pi**0.5, abs=1e-6)  # the Gaussian integral
    assert [b.get_x() + b.get_width() / 2 for b in bars] == pytest.approx(list(middles))
    assert [b.get_height() for b in right.patches] == [0.5, 0.3, 0.2]
    np.testing.assert_array_equal(right.lines[0].get_ydata(), [0.48, 0.31, 0.21])
    np.testing.assert_array_equal(small(left), [[[0, 0], [1, 0]]])  # the most probable one
    np.testing.assert_array_equal(small(right), [[[0, 0], [1, 0]], [[1, 1], [0, 0]], [[0, 0], [0, 1]]])
    assert [a.xy[0] for a in right.artists] == [1, 2, 3]  # below their bars
    assert [ax.get_title(loc="left") for ax in fig.axes] == [
        "The area under the curve is p(x) = 0.500",
        "Areas and frequencies differ by at most 0.020",
    ]
    named = {t.get_text(): to_hex(t.get_color()) for t in right.texts}
    assert named["dot: frequency among the samples"] == to_hex(right.lines[0].get_color())
    assert "bar: area under the curve" in named
    assert "area: 0.500\nbars: 1.772" in texts(fig)  # of the most probable image, and the square root of pi


def test_the_speck_is_framed_and_enlarged() -> None:
    far, near, samples = grid(4.0), grid(0.25, 101, (2.2, 0.7)), RANDOM.normal(size=(1600, 2))
    inside = np.arange(1600) < 2
    bell = np.exp(-(((near - (2.2, 0.7)) / (0.04, 0.06)) ** 2).sum(1) / 2)
    fig = pictures.posterior_speck(far, np.full(121, 1 / 121), near, bell / bell.sum(), samples, 0.000644, inside)
    plane, enlarged = fig.axes
    assert enlarged.get_title(loc="left") == "99 % of the posterior lies in 0.06 % of the prior"
    (edge,) = (c for c in enlarged.collections if isinstance(c, QuadContourSet))
    (path,) = edge.get_paths()
    # the ellipse that holds 99 % of a normal density: chi squared with two degrees of freedom
    np.testing.assert_allclose((((path.vertices - (2.2, 0.7)) / (0.04, 0.06)) ** 2).sum(1), -2 * np.log(0.01), rtol=0.01)
    for ax in (plane, enlarged):
        np.testing.assert_array_equal(ax.collections[-1].get_offsets(), samples)
        first, second, *others = map(to_hex, ax.collections[-1].get_facecolors())
        assert first == second == pictures.ACCENT.lower()
        assert len(others) == 1598
        assert first not in others
    assert plane.get_title(loc="left") == "2 of 1,600 prior samples hit the 99 % region"
    assert (*enlarged.get_xlim(), *enlarged.get_ylim()) == pytest.approx((1.95, 2.45, 0.45, 0.95))
    rings = [p.radius for p in plane.patches if isinstance(p, Circle)]
    frames = [p.get_bbox().extents for p in plane.patches if not isinstance(p, Circle)]
    assert rings == [1, 2, 3]
    assert {"39%", "86%", "99%"} <= set(texts(fig))  # chi squared with two degrees of freedom
    assert np.allclose(frames[0], (1.95, 0.45, 2.45, 0.95))
    links = [a for a in fig.artists if isinstance(a, ConnectionPatch)]
    np.testing.assert_allclose([link.xy1 for link in links], [(2.45, 0.45), (2.45, 0.95)])  # from the right side of the frame
    assert [link.xy2 for link in links] == [(0, 0), (0, 1)]
    assert not clipped(fig)
    tops = [ax.get_position().y1 for ax in fig.axes]
    assert max(tops) - min(tops) < 1e-6  # the two panels stand at one height


def test_covariances_share_one_scale_and_leave_out_the_pixel_itself() -> None:
    maps, places = [RANDOM.normal(size=(28, 28)) for _ in range(2)], [(14, 3), (5, 20)]
    fig = pictures.covariance_maps(maps, ["one", "two"], places, 0.1)
    for ax, values, (row, column) in zip(fig.axes, maps, places):
        assert ax.images[0].get_clim() == (-0.1, 0.1)
        assert np.isnan(shown(ax)[row, column])
        assert np.isnan(shown(ax)).sum() == 1
        assert shown(ax)[column, row] == values[column, row]
        assert (ax.lines[0].get_xdata()[0], ax.lines[0].get_ydata()[0]) == (column, row)
        colors = ax.images[0].cmap
        assert colors(0.5) == pytest.approx(colors(0.5 + 0.0047 / 0.2))  # one colour up to the limit that the label states
        assert colors(0.5) != pytest.approx(colors(0.5 + 0.0049 / 0.2))
    assert any("within 0.005 of 0" in text for text in texts(fig))
    assert not np.isnan(maps[0]).any()  # what was given stays as it is


def test_the_log_likelihoods_touch_zero_and_the_best_places_are_counted() -> None:
    thetas = np.linspace(2, 8, 61)
    values = -((thetas[:, None] - np.append([3.5, 5.0], np.full(38, 4.2))) ** 2) - np.arange(40)
    fig = pictures.log_likelihoods(thetas, values, 4.0)
    above, below = fig.axes
    assert above.get_title(loc="left") == "Made with θ = 4: over 40 data sets, the best θ varies from 3.5 to 5.0"
    _, *others, our_curve, our_maximum, at_the_true_one = above.lines
    assert [list(ax.lines[0].get_xdata()) for ax in fig.axes] == [[4, 4]] * 2
    assert len(others) == 29
    curves = np.array([curve.get_ydata() for curve in [our_curve, *others]])
    np.testing.assert_allclose(curves[:3], -((thetas - [[3.5], [5.0], [4.2]]) ** 2), atol=1e-9)
    np.testing.assert_allclose(our_maximum.get_xydata(), [(3.5, 0)], atol=1e-9)
    np.testing.assert_allclose(at_the_true_one.get_xydata(), [(4, -0.25)], atol=1e-9)
    assert " our data: 0.2 nats higher at 3.5" in texts(fig)
    assert our_curve.get_color() not in [curve.get_color() for curve in others]
    counts = {round(bar.get_x() + bar.get_width() / 2, 6): bar.get_height() for bar in below.patches if bar.get_height()}
    assert counts == {3.5: 1, 4.2: 38, 5.0: 1}
    assert "29 other\ndata sets" in texts(fig)
    (ours,) = (t for t in above.texts if t.get_text() == "our data")
    assert (ours.xy, ours.get_color()) == ((8, curves[0, -1]), our_curve.get_color())
    assert not clipped(fig)


def test_the_chord_lies_below_the_curve_at_the_mean() -> None:
    fig = pictures.jensen([0.1, 0.9])
    (ax,) = fig.axes
    curve, chord, above, below, gap, tangent = ax.lines
    np.testing.assert_allclose(np.exp(curve.get_ydata()), curve.get_xdata())
    np.testing.assert_allclose(np.exp(chord.get_ydata()), [0.1, 0.9])
    assert [point.get_xdata()[0] for point in (above, below)] == pytest.approx([0.5, 0.5])
    assert np.exp([above.get_ydata()[0], below.get_ydata()[0]]) == pytest.approx([0.5, 0.3])  # arithmetic and geometric mean
    assert {"the logarithm of the mean: −0.69", "the mean of the logarithms: −1.20"} <= set(texts(fig))
    assert sorted(gap.get_ydata()) == pytest.approx(np.log([0.3, 0.5]))
    assert np.diff(tangent.get_ydata()) / np.diff(tangent.get_xdata()) == pytest.approx([2.0])  # the slope 1 / u at u = 0.5
    assert np.interp(0.5, tangent.get_xdata(), tangent.get_ydata()) == pytest.approx(np.log(0.5))
    assert not clipped(fig)


def test_the_scoreboard_states_the_numbers_of_its_last_row() -> None:
    rows = [("01 a", "exact", -170.0, 0.0, -170.0), ("02 b", "naive", -340.4, 100.0, -107.59)]
    fig = pictures.annotated_scoreboard(rows, ["ten templates", "two latents"], -98.63)
    (ax,) = fig.axes
    assert [t.get_text() for t in ax.get_yticklabels()] == ["01 a\nmodel: ten templates", "02 b\nmodel: two latents"]
    assert {t.get_text(): t.xy for t in ax.texts if isinstance(t, Annotation) and t.get_text()} == {
        "−340, the mean of log p(x | z)": (-340.4, 1),
        "bar: one standard deviation over z to either side": (-340.4, 1),
        "log p(x) = −170.0": (-170.0, 0),
        "log p(x) = −107.6": (-107.59, 1),
        "−98.6\nlog p(x | z)\nat the best z": (-98.63, 1),
    }
    *_, tick = ax.lines
    assert list(tick.get_xdata()) == [-98.63, -98.63]
    (arrow,) = (t for t in ax.texts if isinstance(t, Annotation) and not t.get_text())
    assert sorted((arrow.xy[0], arrow.xyann[0])) == [-340.4, -107.59]
    assert arrow.xy[1] == arrow.xyann[1] > 1  # below the bar of the last row
    assert "233 nats" in texts(fig)
    assert ax.get_title(loc="left") == "One z from the prior: log p(x | z) is 233 nats too low on average"
    assert not clipped(fig)


# ---------------------------------------------------------------- notebook 02b


def test_each_column_has_its_costs_under_the_pictures_and_some_columns_are_framed() -> None:
    rows = RANDOM.random((3, 3, 784))
    fig = pictures.three_pictures(*rows, [[51.6, 40, 60], [126.2, 99, 58]], (1, 2), "A title")
    np.testing.assert_allclose([shown(ax).reshape(784) for ax in fig.axes], rows.reshape(9, 784))
    assert [ax.get_xlabel() for ax in fig.axes] == ["", "", "", "52 nats", "40 nats", "60 nats", "+75 nats", "+59 nats", "-2 nats"]
    assert [to_hex(ax.spines["left"].get_edgecolor()).upper() == pictures.ACCENT for ax in fig.axes] == [False, True, True] * 3
    assert not clipped(fig)


def test_only_the_images_that_are_named_get_a_frame() -> None:
    fig = plots.images(RANDOM.random((6, 784)), columns=3)
    pictures.frame(fig, (1, 5))
    assert [i for i, ax in enumerate(fig.axes) if to_hex(ax.spines["top"].get_edgecolor()).upper() == pictures.ACCENT] == [1, 5]
    assert not clipped(fig)


def test_the_same_share_of_the_samples_is_coloured_at_each_stage() -> None:
    z = RANDOM.standard_normal((1000, 1))
    fig = pictures.two_steps({"z": z, "exp z": np.exp(z)}, 0.2, "A title")
    for ax in fig.axes:
        rest, top = ([bar for bar in bars if bar.get_height()] for bars in ax.containers)
        assert [sum(bar.get_height() for bar in bars) for bars in (rest, top)] == [800, 200]
        assert {to_hex(bar.get_facecolor()).upper() for bar in top} == {pictures.ACCENT}
        assert max(bar.get_x() for bar in rest) < min(bar.get_x() for bar in top)  # no bar is of two colours
    assert [ax.get_xlabel() for ax in fig.axes] == ["z", "exp z"]
    assert not clipped(fig)


def test_the_digits_stand_where_each_panel_puts_them_and_arcs_lead_there_clockwise() -> None:
    decoded, places = RANDOM.random((5, 784)), RANDOM.normal(size=(5, 2)) + 2
    quarter = places @ np.array([[0.0, -1.0], [1.0, 0.0]])  # (x, y) -> (y, -x), clockwise
    fig = pictures.moved_digits({"as it is": places, "moved": quarter}, decoded, (3, 1), "A title")
    for ax, expected in zip(fig.axes, (places, quarter)):
        boxes = np.array([image.get_extent() for image in ax.images])
        np.testing.assert_allclose(np.stack([boxes[:, :2].mean(1), boxes[:, 2:].mean(1)], 1), expected)
        for i, (image, digit) in enumerate(zip(ax.images, decoded)):
            np.testing.assert_allclose(image.get_array()[..., 3], digit.reshape(28, 28) * (1 if i in (1, 3) else 0.75))
        frames = [np.reshape(p.get_bbox().extents, (2, 2)).mean(0) for p in ax.patches]
        np.testing.assert_allclose(frames, expected[[3, 1]])
        assert len({p.get_edgecolor() for p in ax.patches}) == 2
    assert not fig.axes[0].lines
    for arc, digit, frame in zip(fig.axes[1].lines[::2], (3, 1), fig.axes[1].patches):
        way = arc.get_xydata()
        np.testing.assert_allclose(np.hypot(*way.T), np.hypot(*places[digit]))
        np.testing.assert_allclose(way[0], places[digit])
        assert np.linalg.norm(way[-1] - quarter[digit]) < 0.45
        assert (way[:-1, 0] * way[1:, 1] < way[:-1, 1] * way[1:, 0]).all()  # clockwise
        assert to_rgba(arc.get_color()) == frame.get_edgecolor()
    assert not clipped(fig)


def test_an_arrow_leads_from_before_to_after_each_change_in_the_colour_of_its_suspect() -> None:
    rows = [
        ("prior", "wide", -200.0, -191.0, "at most {:+.0f}", "short"),
        ("latents", "20", -200.0, -150.0, "{:+.0f} ± 2", "short"),
        ("prior", "narrow", -180.0, -185.0, "{:+.0f}", "long"),
        ("latents", "30", -180.0, -140.0, "{:+.0f}", "long"),
    ]
    fig = pictures.changes(rows, ("ceiling", -100.0), "A title")
    (ax,) = fig.axes
    arrows = [t for t in ax.texts if t.get_text() == "" and t.arrow_patch]
    assert [(t.xyann, t.xy) for t in arrows] == [
        ((-200, 1), (-191, 1)),
        ((-200, 2), (-150, 2)),
        ((-180, 4), (-185, 4)),
        ((-180, 5), (-140, 5)),
    ]
    assert [t.arrow_patch.get_linestyle() not in ("-", "solid") for t in arrows] == [True, False, False, False]  # a bound is dashed
    dots = [drawn for drawn in ax.lines if drawn.get_marker() != "None"]
    assert [drawn.get_xydata().tolist() for drawn in dots] == [[[-200, 1]], [[-200, 2]], [[-180, 4]], [[-180, 5]]]
    labels = ax.get_yticklabels()
    assert [t.get_text() for t in labels] == ["prior: wide", "latents: 20", "prior: narrow", "latents: 30"]
    assert list(ax.get_yticks()) == [1, 2, 4, 5]
    assert labels[0].get_color() == labels[2].get_color() != labels[1].get_color()
    assert [to_rgba(t.get_color()) for t in labels] == [t.arrow_patch.get_edgecolor() for t in arrows]
    headings = {t.get_text(): t.get_position()[1] for t in ax.texts if t.get_weight() == "bold"}
    assert headings == {"short": 0, "long": 3}  # in the free line above the group
    found = {t.get_text().replace("\N{MINUS SIGN}", "-"): t.xy for t in ax.texts if t.get_text() not in ("", *headings)}
    assert found == {"at most +9": (-191, 1), "+50 ± 2": (-150, 2), "-5": (-180, 4), "+40": (-140, 5), "ceiling: -100": (-100, 0)}
    (limit,) = (drawn for drawn in ax.lines if drawn.get_marker() == "None")
    assert list(limit.get_xdata()) == [-100, -100]
    assert ax.get_title(loc="left") == "A title"
    assert not clipped(fig)


# ---------------------------------------------------------------- notebook 02c


def test_the_values_of_a_grey_digit_are_counted_beside_its_pictures() -> None:
    grey = np.repeat([0, 0.25, 0.5, 1], [700, 40, 10, 34])
    fig = pictures.grey_and_binary(grey > 0.3, grey, grey / 2, 4)
    binary, picture, decoded, histogram = fig.axes
    np.testing.assert_array_equal(shown(binary), (grey > 0.3).reshape(28, 28))
    np.testing.assert_array_equal(shown(picture), grey.reshape(28, 28))
    np.testing.assert_array_equal(shown(decoded), grey.reshape(28, 28) / 2)
    bars = {round(bar.get_x() + bar.get_width() / 2, 6): bar.get_height() for bar in histogram.patches}
    assert bars == {0: 700, 0.25: 40, 0.5: 10, 1: 34}
    assert histogram.get_title(loc="left") == "50 of 784 are neither 0 nor 1"
    assert {"700 pixels are 0", "34 pixels are 1", "the others lie between"} == {t.get_text() for t in histogram.texts}
    assert not clipped(fig)


def test_the_formula_is_divided_by_its_area_and_lies_below_its_chord() -> None:
    x = np.linspace(0, 1, 1001)
    values = 0.2**x * 0.8 ** (1 - x)
    area = 0.6 / np.log(4)  # (1 - 2p) / log((1 - p) / p)
    fig = pictures.grey_formula(x, {"0.2": (values, area)})
    raw, density = (trapezoid(ax.lines[0].get_ydata(), ax.lines[0].get_xdata()) for ax in fig.axes)
    assert (raw, density) == pytest.approx((area, 1), abs=1e-5)
    chord = fig.axes[0].lines[1]
    assert (list(chord.get_xdata()), list(chord.get_ydata())) == ([0, 1], pytest.approx([0.8, 0.2]))
    mean = 1 / (1 - 4) + 1 / np.log(4)  # of the density e^(-t x) on [0, 1] with t = log 4
    dot = fig.axes[1].lines[1]
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == pytest.approx((mean, 0.8 * 4**-mean / area), abs=1e-3)
    titles = [ax.get_title(loc="left") for ax in fig.axes]
    assert titles == ["The largest area is 0.43, not 1: no density", "For p = 0.2 the mean (dot) is 0.39, not 0.2"]
    assert {"p = 0.2: area 0.43", "p = 0.2: mean 0.39", "straight line for p = 0.2: area 0.50"} <= set(texts(fig))
    assert all(ax.lines[0].get_ydata().max() < ax.get_ylim()[1] for ax in fig.axes)


def test_the_area_of_a_level_and_its_part_within_the_noise_are_shown() -> None:
    edges = np.array([0.25, 0.75])  # the levels 0, 1/2 and 1
    inner, tail = norm.cdf(0.75, 0.5, 0.2) - norm.cdf(0.25, 0.5, 0.2), norm.cdf(0.25, 0, 0.2)
    fig = pictures.cut_into_levels(edges, 0.2, {"Inner level": (0.5, 1, inner), "Outer level": (0.0, 0, tail)})
    for ax, mean, level, noise in zip(fig.axes, (0.5, 0), ((0.25, 0.75), (-1.8, 0.25)), ((0.25, 0.75), (-0.25, 0.25)), strict=True):
        np.testing.assert_allclose(ax.lines[0].get_ydata(), norm.pdf(ax.lines[0].get_xdata(), mean, 0.2))
        ends = [np.unique(c.get_paths()[0].vertices[:, 0])[[0, -1]] for c in ax.collections[1:]]
        np.testing.assert_allclose(ends, [level, noise])
    titles = ["Inner level 1: the noise covers its interval", "Outer level 0: the noise misses 0.11 of 0.89"]
    assert [ax.get_title(loc="left") for ax in fig.axes] == titles
    within = "area within the\nnoise (dark): 0.79"
    curves = [f"normal with\nmean {mean},\nσ = 0.2" for mean in (0.5, 0)]
    assert [t.get_text() for ax in fig.axes for t in ax.texts] == [within, curves[0], within + "\nbeyond it (pale): 0.11", curves[1]]
    assert not clipped(fig)


def test_each_group_has_its_level_0_and_its_costs() -> None:
    chances = {"counted": [0.875, 0.5, 0.25], "confined": [0.5, 0.5, 0.375], "free": [0.875, 0.5, 0.5]}
    costs = {"counted": [10, 20, 30], "confined": [1000, 300, 30], "free": [10, 25, 30]}
    fig = pictures.level_0_in_groups([0.1, 0.5], chances, costs, marked=[1])
    left, right = fig.axes
    assert [bar.get_height() for bar in left.containers[0]] == chances["free"]
    assert [segment[0][1] for segment in left.collections[0].get_segments()] == chances["confined"]
    assert list(left.lines[0].get_ydata()) == chances["counted"]
    assert [[bar.get_height() for bar in bars] for bars in right.containers] == [costs["confined"], costs["free"]]
    assert not any(a.get_x() < b.get_x() < a.get_x() + a.get_width() - 1e-9 for a, b in zip(*right.containers))
    assert list(right.lines[0].get_ydata()) == costs["counted"]
    for ax in fig.axes:
        assert [t.get_text() for t in ax.get_xticklabels()] == ["below 0.1", "0.1 to 0.5", "above 0.5"]
        assert list(ax.get_xticks()) == [0.5, 1.5, 2.5]  # the middle of each group
        boxes = [patch.get_window_extent() for patch in ax.patches]
        bands = [ax.transData.inverted().transform_bbox(box) for box in boxes if box.height == pytest.approx(ax.bbox.height)]
        assert [(band.x0, band.x1) for band in bands] == [pytest.approx((1, 2))]
    titles = ["Level 0: means from 0 to 1 miss by up to 0.38", "A test digit: 65 nats with free means, not 1,330"]
    assert [ax.get_title(loc="left") for ax in fig.axes] == titles
    assert not clipped(fig)


def test_the_decoder_is_stacked_on_the_noise_and_the_data_are_marked() -> None:
    fig = pictures.noise_and_decoder([2.0, 0.4], [1.5, 0.0], 0.5)
    (ax,) = fig.axes
    noise, decoder = ax.containers
    assert [(bar.get_y(), bar.get_height()) for bar in noise] == [(0, 0.5)] * 2
    assert [(bar.get_y(), bar.get_height()) for bar in decoder] == [(0.5, 1.5), (0.5, 0)]
    data = ax.collections[0]
    assert [segment[0][1] for segment in data.get_segments()] == [2.0, 0.4]
    assert [t.get_text() for t in ax.texts[:3]] == ["2.00", "0.40", "noise above the data:\ndecoder unused"]
    heights = {t.get_text(): t.get_position()[1] for t in ax.texts[3:]}
    assert heights == pytest.approx({"data": 2.0, "decoder": 1.55, "noise,\nσ² = 0.5": 0.375})
    assert ax.get_title(loc="left") == "The decoder adds variance in only 1 of the first 2 directions"
    assert [t.xy for t in ax.texts[:3]] == [(1, 2.0), (2, 0.4), (2, 0.5)]
    assert not clipped(fig)


def test_the_local_maximum_and_the_floors_that_are_too_high_or_too_low_are_marked() -> None:
    sigmas = np.logspace(1, -6, 50)
    fig = pictures.without_maximum(sigmas, -np.log(sigmas), (0.5, -1.0), 0.004)
    (ax,) = fig.axes
    assert ax.get_title(loc="left") == "Below σ = 0.0040 the likelihood is higher than at its local maximum"
    assert {"local maximum: −1.0\nat σ = 0.50", "as high again\nat σ = 0.0040"} <= set(texts(fig))
    _, level, *points = ax.lines
    assert (list(level.get_xdata()), list(level.get_ydata())) == ([0.5, 0.004], [-1, -1])
    assert [(float(p.get_xdata()[0]), float(p.get_ydata()[0])) for p in points] == [(0.5, -1.0), (0.004, -1.0)]
    zones = [p.get_path().vertices[:, 0] if isinstance(p, Polygon) else p.get_bbox().extents[[0, 2]] for p in ax.patches]
    assert [(min(zone), max(zone)) for zone in zones] == [pytest.approx((0.5, 10)), pytest.approx((1e-6, 0.004))]
    floors = ["a floor here\nis too high", "a floor here\nis too low", "a floor here: the\nlocal maximum is best"]
    assert [t.get_text() for t in ax.texts[:3]] == floors
    assert ax.get_xlim()[0] > ax.get_xlim()[1]  # sigma shrinks to the right


def test_they_leave_the_settings_of_matplotlib_alone() -> None:
    before = dict(plt.rcParams)
    plots.picture(pictures.plate_and_flow([0.0, 0.0], IMAGE))
    plots.picture(pictures.covariance_maps([np.zeros((28, 28))] * 2, ["one", "two"], [(1, 1)] * 2, 0.1))
    assert dict(plt.rcParams) == before
