"""The generative story of the digits: its prior, its geometry, and the ink it leaves."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.interpolate
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from vaecourse import strokes
from vaecourse.strokes import FACTOR_NAMES, GLYPHS, curve, draw, place, sample_factors, skeleton

quick = settings(max_examples=25, deadline=None, derandomize=True)
PLAIN = {"slant": 0.0, "thickness": 2.5, "scale": 19.0, "width": 1.0, "rotation": 0.0, "variant": 0.0}
EVERY_DIGIT = np.arange(10)


def factors(n: int = 10, **changed: float) -> np.ndarray:
    """Rows of plain factors, some of them changed; what is not named is 0."""
    values = PLAIN | changed
    assert set(values) <= set(FACTOR_NAMES)
    return np.tile([values.get(name, 0.0) for name in FACTOR_NAMES], (n, 1)).astype(np.float32)


def centroid_x(ink: np.ndarray, rows: slice) -> np.ndarray:
    """Mean column of the ink in some rows of each image."""
    part = ink.reshape(-1, 28, 28)[:, rows].sum(1)
    return part @ np.arange(28) / part.sum(1)


def extent(ink: np.ndarray, axis: int) -> np.ndarray:
    """How many rows (axis 2) or columns (axis 1) hold ink."""
    return (ink.reshape(-1, 28, 28).max(axis) > 0.5).sum(-1)


# ---------------------------------------------------------------- the prior of the story


def test_factors_have_the_distribution_that_the_story_tells() -> None:
    n = 20_000
    labels, z = sample_factors(np.random.default_rng(0), n)
    assert (labels.shape, labels.dtype, z.shape, z.dtype) == ((n,), np.int64, (n, 10), np.float32)
    assert scipy.stats.chisquare(np.bincount(labels, minlength=10)).pvalue > 1e-4
    normal_columns = {
        "slant": (z[:, 0], 0.18, 0.24, -0.45, 0.85),
        "thickness": (np.log(z[:, 1]), np.log(2.3), 0.28, np.log(1.2), np.log(4.2)),
        "scale": (z[:, 2], 19.0, 1.3, 15.0, 22.0),
        "width": (np.log(z[:, 3]), 0.0, 0.14, np.log(0.7), np.log(1.4)),
        "rotation": (z[:, 4], 0.0, 5.0, -14.0, 14.0),
        **{f"wobble_{i}": (z[:, 4 + i], 0.0, 1.0, -2.5, 2.5) for i in range(1, 5)},
    }
    assert [*normal_columns, "variant"] == list(FACTOR_NAMES)
    for column, mean, sd, low, high in normal_columns.values():
        assert low - 1e-5 <= column.min() < column.max() <= high + 1e-5
        inside = column[(column > low + 1e-4) & (column < high - 1e-4)]
        law = scipy.stats.truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd)
        assert scipy.stats.kstest(inside, law.cdf).pvalue > 1e-4
    assert scipy.stats.chisquare(np.bincount(z[:, -1].astype(int)), n * np.array([0.5, 0.3, 0.2])).pvalue > 1e-4


def test_the_same_generator_tells_the_same_story() -> None:
    first, second, other = (sample_factors(np.random.default_rng(seed), 50) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[1] != other[1]).any()


# ---------------------------------------------------------------- curves


@quick
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=7, unique=True), st.integers(1, 8))
def test_a_curve_is_the_cubic_through_its_points_whose_slope_is_that_between_the_neighbours(
    points: list[tuple[float, float]], per_piece: int
) -> None:
    p = np.array(points)
    slopes = np.vstack([p[1] - p[0], (p[2:] - p[:-2]) / 2, p[-1] - p[-2]])
    expected = scipy.interpolate.CubicHermiteSpline(np.arange(len(p)), p, slopes)(np.linspace(0, len(p) - 1, (len(p) - 1) * per_piece + 1))
    result = curve(tuple(points), per_piece)
    np.testing.assert_allclose(result, expected, atol=1e-12)
    np.testing.assert_allclose(result[::per_piece], p, atol=1e-12)


def test_a_point_given_twice_is_a_corner() -> None:
    straight = curve(((0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 1.0)))
    on_first, on_second = np.abs(straight[:, 1]) < 1e-12, np.abs(straight[:, 0] - 1) < 1e-12
    assert (on_first | on_second).all()
    smooth = curve(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)))
    assert smooth[:, 0].max() > 1.01


def test_every_digit_has_three_ways_whose_strokes_stay_near_the_unit_square() -> None:
    assert list(GLYPHS) == list(range(10))
    for label in range(10):
        assert len(GLYPHS[label]) == 3
        for variant in range(3):
            points = np.concatenate(skeleton(label, variant))
            assert -0.1 < points.min()
            assert points.max() < 1.1
            assert np.ptp(points[:, 1]) > 0.9  # as tall as the square


# ---------------------------------------------------------------- place


CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.5]])


def test_plain_factors_scale_the_square_around_its_centre() -> None:
    placed = place(CORNERS, 1, factors(2, scale=20.0, width=1.5))
    assert placed.shape == (2, 5, 2)
    ratio = placed[0, 1, 0] / placed[0, 2, 1]
    np.testing.assert_allclose(placed[0, :, 1], [-10, -10, 10, 10, 0], atol=1e-9)
    np.testing.assert_allclose(placed[0, :, 0], np.array([-10, 10, -10, 10, 0]) * ratio, atol=1e-9)
    assert place(CORNERS, 1, factors(1, scale=20.0))[0, 1, 0] * 1.5 == pytest.approx(placed[0, 1, 0])


def test_slant_shifts_each_height_by_as_many_columns_as_it_says() -> None:
    shift = place(CORNERS, 3, factors(1, slant=0.4))[0] - place(CORNERS, 3, factors(1))[0]
    np.testing.assert_allclose(shift, [[3.8, 0], [3.8, 0], [-3.8, 0], [-3.8, 0], [0, 0]], atol=1e-6)  # 0.4 * 19 / 2, the top to the right


def test_rotation_turns_clockwise_about_the_centre() -> None:
    plain, turned = place(CORNERS, 3, factors(1))[0], place(CORNERS, 3, factors(1, rotation=90.0))[0]
    np.testing.assert_allclose(turned, np.stack([-plain[:, 1], plain[:, 0]], 1), atol=1e-5)  # the top comes to the right; y is downwards


@quick
@given(st.integers(0, 2**31 - 1))
def test_wobble_bends_the_page_as_the_four_formulas_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    (x, y), (w1, w2, w3, w4) = rng.uniform(-0.5, 0.5, 2), rng.normal(size=4).astype(np.float32)
    wobbled = place(np.array([[x + 0.5, y + 0.5]]), 6, factors(1, wobble_1=w1, wobble_2=w2, wobble_3=w3, wobble_4=w4))[0, 0]
    across = place(CORNERS, 6, factors(1))[0, 1, 0] * 2  # pixels to the width of the square
    bent = (x + 0.075 * w1 * np.sin(2 * np.pi * y) + 0.2 * w2 * x * y, y + 0.28 * w3 * (x * x - 0.08) + 0.24 * w4 * (0.25 - y * y))
    np.testing.assert_allclose(wobbled, [bent[0] * across, bent[1] * 19], atol=1e-6)


# ---------------------------------------------------------------- draw


@quick
@given(st.integers(0, 2**31 - 1))
def test_ink_lies_between_0_and_1_and_is_the_same_every_time(seed: int) -> None:
    labels, z = sample_factors(np.random.default_rng(seed), 6)
    ink = draw(labels, z)
    assert (ink.shape, ink.dtype) == ((6, 784), np.float32)
    assert 0 <= ink.min() < ink.max() <= 1
    assert (ink.max(1) > 0.9).all()
    np.testing.assert_array_equal(ink, draw(labels, z))


def test_an_image_does_not_depend_on_the_images_drawn_with_it() -> None:
    labels, z = sample_factors(np.random.default_rng(0), 60)
    labels[:] = labels[0]
    z[:, -1] = 0
    together = draw(labels, z)
    np.testing.assert_array_equal(together, draw(labels, z, block=7))
    for i in (0, 17, 59):
        np.testing.assert_allclose(draw(labels[i : i + 1], z[i : i + 1])[0], together[i], atol=1e-6)


def test_the_pen_leaves_ink_within_half_its_width_of_a_stroke() -> None:
    """Distances by brute force to points packed along the strokes, a fiftieth of a pixel apart."""
    labels, z = sample_factors(np.random.default_rng(1), 12)
    pixels = np.stack(np.meshgrid(np.arange(28.0), np.arange(28.0)), -1).reshape(-1, 2) - 13.5
    for label, row, ink in zip(labels, z, draw(labels, z)):
        lines = [place(s, label, row[None])[0] for s in skeleton(label, int(row[-1]))]
        ends = np.concatenate(lines)
        middle = (ends.min(0) + ends.max(0)) / 2
        packed = np.concatenate(
            [a + t * (b - a) for line in lines for a, b in zip(line, line[1:]) for t in np.linspace(0, 1, 60)[None, :, None]]
        )
        distance = np.sqrt(((pixels[:, None] - (packed - middle)) ** 2).sum(-1)).min(1)
        expected = np.clip((row[1] / 2 - distance) / 1.2 + 0.5, 0, 1)
        np.testing.assert_allclose(ink, expected, atol=0.01)


def test_a_thicker_pen_leaves_more_ink_everywhere() -> None:
    widths = np.linspace(1.2, 4.2, 7)
    for label in range(10):
        ink = draw(np.full(7, label), np.concatenate([factors(1, thickness=w) for w in widths]))
        assert (np.diff(ink, axis=0) >= 0).all()
        assert (np.diff(ink.sum(1)) > 1).all()


def test_a_positive_slant_leans_the_top_to_the_right_of_the_bottom() -> None:
    lean = []
    for slant in (-0.4, 0.0, 0.4, 0.8):
        ink = draw(EVERY_DIGIT, factors(slant=slant))
        lean.append(centroid_x(ink, slice(0, 10)) - centroid_x(ink, slice(18, 28)))
    assert (np.diff(lean, axis=0) > 1).all()
    top, whole = (centroid_x(draw(EVERY_DIGIT, factors(slant=0.6)), rows) for rows in (slice(0, 10), slice(None)))
    upright_top, upright_whole = (centroid_x(draw(EVERY_DIGIT, factors()), rows) for rows in (slice(0, 10), slice(None)))
    assert (top - whole > upright_top - upright_whole).all()


def test_scale_and_width_set_the_height_and_the_width() -> None:
    heights = [extent(draw(EVERY_DIGIT, factors(scale=s)), 2) for s in (15.0, 18.0, 21.0)]
    assert (np.diff(heights, axis=0) >= 2).all()
    widths = [extent(draw(np.array([0, 2, 8]), factors(3, width=w)), 1) for w in (0.7, 1.0, 1.4)]
    assert (np.diff(widths, axis=0) >= 2).all()


def test_the_ways_of_writing_a_digit_differ_and_so_do_the_digits() -> None:
    pictures = np.concatenate([draw(EVERY_DIGIT, factors(variant=v)) for v in range(3)])
    distance = np.linalg.norm(pictures[:, None] - pictures[None], axis=-1)
    assert distance[~np.eye(30, dtype=bool)].min() > 1


def test_digits_stand_in_the_middle_and_hardly_touch_the_border() -> None:
    labels, z = sample_factors(np.random.default_rng(0), 300)
    pictures = draw(labels, z).reshape(-1, 28, 28)
    inked = pictures > 0.5
    for axis in (1, 2):
        along = inked.any(axis)
        low, high = along.argmax(1), 27 - along[:, ::-1].argmax(1)
        assert np.abs(low + high - 27).max() <= 2  # the frame is in the middle, to a pixel
    border = pictures.copy()
    border[:, 1:-1, 1:-1] = 0
    assert border.sum() / pictures.sum() < 1e-3
    assert (border.max((1, 2)) < 0.5).mean() > 0.95


def test_no_labels_give_no_images() -> None:
    assert draw(np.zeros(0, np.int64), np.zeros((0, 10))).shape == (0, 784)


@pytest.mark.parametrize("shape", [(3,), (2, 10), (3, 9), (3, 10, 1)])
def test_factors_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"factors must have shape \(3, 10\), one column per name in FACTOR_NAMES; got \(" + str(shape[0])):
        draw(np.zeros(3, np.int64), np.zeros(shape))


@pytest.mark.parametrize("label", [-1, 10, 3.5, np.nan])
def test_labels_that_are_no_digits_are_refused(label: int) -> None:
    with pytest.raises(ValueError, match="labels must be digits from 0 to 9"):
        draw(np.array([1, label]), factors(2))


@pytest.mark.parametrize("bad", [{"variant": 3.0}, {"variant": -1.0}, {"slant": float("nan")}], ids=str)
def test_factors_that_describe_no_digit_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="factors"):
        draw(EVERY_DIGIT, factors(**bad))


# ---------------------------------------------------------------- make


def test_the_whole_story_follows_from_the_seed() -> None:
    made, again, other = strokes.make(3, 40), strokes.make(3, 40), strokes.make(4, 40)
    for key, dtype, shape in (
        ("labels", np.uint8, (40,)),
        ("factors", np.float32, (40, 10)),
        ("ink", np.uint8, (40, 784)),
        ("x", np.uint8, (40, 784)),
    ):
        assert (made[key].dtype, made[key].shape) == (dtype, shape)
        np.testing.assert_array_equal(made[key], again[key])
        assert (made[key] != other[key]).any()
    np.testing.assert_array_equal(made["ink"], np.round(draw(made["labels"], made["factors"]) * 31))
    assert set(np.unique(made["x"])) == {0, 1}
    assert (made["x"][made["ink"] == 31] == 1).all()
    assert (made["x"][made["ink"] == 0] == 0).all()
    p = made["ink"] / 31
    assert abs((made["x"] - p).sum()) / np.sqrt((p * (1 - p)).sum()) < 4
