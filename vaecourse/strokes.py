"""Digits drawn by a generative story whose latent variables are known.

A class and ten numbers determine an image. The class chooses the strokes, each of which is a smooth curve through a few points.
The numbers bend, slant, scale, rotate and thicken the strokes, and a pen of that thickness leaves ink on a 28 by 28 grid. One
Bernoulli draw per pixel then turns ink in [0, 1] into the binary image that every model of the course explains.

`sample_factors` is the prior of the story and `draw` is its decoder. Both are plain NumPy.
"""

from __future__ import annotations

import numpy as np

__all__ = ["FACTOR_NAMES", "GLYPHS", "INK_LEVELS", "SIDE", "curve", "draw", "make", "place", "sample_factors", "skeleton"]

SIDE = 28
INK_LEVELS = 31  # stored ink is a multiple of 1/31: finer steps are invisible and would cost megabytes

FACTOR_NAMES = (
    "slant",  # shear: horizontal pixels per pixel of height, positive where the digit leans to the right
    "thickness",  # width of the pen, pixels
    "scale",  # height of the digit, pixels
    "width",  # width of the digit relative to its height
    "rotation",  # degrees, clockwise
    "wobble_1",  # four standard normals that bend the page the digit is written on
    "wobble_2",
    "wobble_3",
    "wobble_4",
    "variant",  # which of the ways to write this digit: 0, 1 or 2
)

# For each digit the ways to write it, for each way its strokes, for each stroke its points (x, y) in the unit square, y downwards.
# A curve runs smoothly through the points; a point given twice is a corner.
_Stroke = tuple[tuple[float, float], ...]
# fmt: off
GLYPHS: dict[int, tuple[tuple[_Stroke, ...], ...]] = {
    0: (
        (((0.55, 0.02), (0.18, 0.16), (0.03, 0.52), (0.20, 0.90), (0.52, 0.99), (0.84, 0.84), (0.97, 0.46), (0.80, 0.10), (0.48, 0.03)),),
        (((0.62, 0.05), (0.28, 0.10), (0.06, 0.45), (0.14, 0.86), (0.48, 0.98), (0.84, 0.76), (0.95, 0.38), (0.76, 0.08), (0.42, 0.10)),),
        (((0.40, 0.04), (0.10, 0.28), (0.04, 0.66), (0.30, 0.97), (0.66, 0.95), (0.94, 0.62), (0.90, 0.22), (0.62, 0.02), (0.34, 0.08)),),
    ),
    1: (
        (((0.50, 0.00), (0.50, 0.33), (0.50, 0.66), (0.50, 1.00)),),
        (((0.28, 0.24), (0.42, 0.13), (0.54, 0.00), (0.54, 0.00), (0.54, 0.34), (0.53, 0.67), (0.53, 1.00)),),
        (
            ((0.26, 0.22), (0.40, 0.13), (0.52, 0.00), (0.52, 0.00), (0.52, 0.33), (0.51, 0.66), (0.51, 0.98)),
            ((0.20, 0.99), (0.50, 0.98), (0.82, 0.98)),
        ),
    ),
    2: (
        (((0.08, 0.24), (0.26, 0.05), (0.58, 0.01), (0.84, 0.18), (0.80, 0.42), (0.52, 0.68), (0.08, 0.97), (0.08, 0.97), (0.50, 0.95), (0.96, 0.96)),),
        (((0.10, 0.18), (0.38, 0.01), (0.72, 0.06), (0.86, 0.28), (0.68, 0.56), (0.36, 0.82), (0.14, 0.95), (0.10, 0.82), (0.28, 0.79), (0.56, 0.93), (0.94, 0.90)),),
        (((0.04, 0.16), (0.34, 0.03), (0.76, 0.06), (0.88, 0.28), (0.62, 0.58), (0.30, 0.78), (0.02, 0.99), (0.02, 0.99), (0.40, 0.93), (0.92, 0.99)),),
    ),
    3: (
        (((0.12, 0.12), (0.42, 0.01), (0.80, 0.10), (0.82, 0.32), (0.58, 0.46), (0.38, 0.48), (0.38, 0.48), (0.72, 0.52), (0.92, 0.72), (0.74, 0.95), (0.36, 0.99), (0.06, 0.86)),),
        (((0.10, 0.05), (0.45, 0.02), (0.84, 0.04), (0.84, 0.04), (0.62, 0.24), (0.42, 0.42), (0.42, 0.42), (0.76, 0.46), (0.94, 0.70), (0.76, 0.94), (0.40, 1.00), (0.08, 0.88)),),
        (((0.16, 0.18), (0.36, 0.03), (0.68, 0.02), (0.84, 0.20), (0.70, 0.40), (0.44, 0.49), (0.70, 0.54), (0.88, 0.76), (0.64, 0.98), (0.28, 0.96), (0.06, 0.80)),),
    ),
    4: (
        (
            ((0.20, 0.02), (0.16, 0.28), (0.10, 0.56), (0.10, 0.56), (0.44, 0.57), (0.94, 0.52)),
            ((0.74, 0.04), (0.72, 0.36), (0.70, 0.68), (0.68, 1.00)),
        ),
        (((0.88, 0.64), (0.46, 0.65), (0.06, 0.66), (0.06, 0.66), (0.34, 0.34), (0.66, 0.00), (0.66, 0.00), (0.66, 0.34), (0.64, 0.68), (0.63, 1.00)),),
        (
            ((0.12, 0.05), (0.10, 0.32), (0.22, 0.53), (0.50, 0.54), (0.76, 0.42), (0.82, 0.26)),
            ((0.82, 0.02), (0.82, 0.34), (0.80, 0.68), (0.76, 1.00)),
        ),
    ),
    5: (
        (
            ((0.24, 0.04), (0.21, 0.24), (0.17, 0.45), (0.17, 0.45), (0.50, 0.37), (0.84, 0.52), (0.88, 0.78), (0.60, 0.98), (0.28, 0.98), (0.06, 0.86)),
            ((0.24, 0.04), (0.56, 0.04), (0.90, 0.02)),
        ),
        (((0.92, 0.03), (0.60, 0.04), (0.28, 0.05), (0.28, 0.05), (0.22, 0.26), (0.17, 0.45), (0.17, 0.45), (0.52, 0.40), (0.82, 0.54), (0.84, 0.80), (0.52, 0.99), (0.06, 0.94)),),
        (((0.88, 0.06), (0.58, 0.02), (0.34, 0.08), (0.20, 0.28), (0.36, 0.44), (0.66, 0.52), (0.82, 0.72), (0.62, 0.95), (0.30, 0.99), (0.08, 0.90)),),
    ),
    6: (
        (((0.76, 0.02), (0.40, 0.20), (0.14, 0.52), (0.14, 0.84), (0.44, 0.99), (0.80, 0.88), (0.84, 0.64), (0.56, 0.52), (0.26, 0.62), (0.15, 0.78)),),
        (((0.58, 0.00), (0.30, 0.26), (0.12, 0.60), (0.20, 0.90), (0.52, 1.00), (0.82, 0.84), (0.76, 0.60), (0.46, 0.56), (0.20, 0.72)),),
        (((0.88, 0.06), (0.54, 0.10), (0.22, 0.36), (0.10, 0.70), (0.30, 0.96), (0.66, 0.97), (0.88, 0.76), (0.70, 0.55), (0.38, 0.57), (0.14, 0.74)),),
    ),
    7: (
        (((0.06, 0.05), (0.46, 0.04), (0.90, 0.03), (0.90, 0.03), (0.70, 0.34), (0.52, 0.66), (0.40, 1.00)),),
        (
            ((0.08, 0.06), (0.46, 0.05), (0.90, 0.04), (0.90, 0.04), (0.68, 0.34), (0.50, 0.66), (0.36, 1.00)),
            ((0.28, 0.50), (0.54, 0.49), (0.82, 0.48)),
        ),
        (((0.06, 0.18), (0.12, 0.05), (0.48, 0.08), (0.88, 0.04), (0.80, 0.28), (0.62, 0.60), (0.54, 1.00)),),
    ),
    8: (
        (((0.76, 0.12), (0.48, 0.00), (0.20, 0.14), (0.28, 0.36), (0.58, 0.52), (0.84, 0.76), (0.62, 0.98), (0.28, 0.96), (0.14, 0.74), (0.40, 0.52), (0.72, 0.34), (0.78, 0.14)),),
        (((0.52, 0.46), (0.20, 0.28), (0.36, 0.03), (0.68, 0.04), (0.80, 0.26), (0.52, 0.48), (0.18, 0.66), (0.20, 0.92), (0.54, 1.00), (0.84, 0.86), (0.78, 0.62), (0.50, 0.47)),),
        (((0.86, 0.08), (0.54, 0.01), (0.24, 0.10), (0.24, 0.32), (0.52, 0.48), (0.76, 0.72), (0.60, 0.96), (0.30, 0.98), (0.20, 0.78), (0.44, 0.54), (0.72, 0.32), (0.90, 0.10)),),
    ),
    9: (
        (((0.82, 0.20), (0.56, 0.02), (0.22, 0.10), (0.14, 0.36), (0.40, 0.52), (0.70, 0.40), (0.83, 0.16), (0.83, 0.16), (0.80, 0.46), (0.74, 0.74), (0.66, 1.00)),),
        (((0.80, 0.22), (0.58, 0.03), (0.24, 0.08), (0.14, 0.34), (0.38, 0.51), (0.70, 0.40), (0.82, 0.18), (0.82, 0.44), (0.76, 0.76), (0.50, 0.98), (0.16, 0.92)),),
        (((0.76, 0.10), (0.40, 0.02), (0.16, 0.22), (0.26, 0.46), (0.58, 0.46), (0.78, 0.22), (0.78, 0.12), (0.78, 0.12), (0.72, 0.42), (0.62, 0.72), (0.50, 1.00)),),
    ),
}
# fmt: on

# The natural width of each digit, relative to its height.
ASPECT = {0: 0.74, 1: 0.46, 2: 0.72, 3: 0.66, 4: 0.72, 5: 0.68, 6: 0.64, 7: 0.68, 8: 0.62, 9: 0.62}


def sample_factors(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw classes and factors from the prior of the story.

    Args:
        rng: a NumPy generator.
        n: how many digits to draw.

    Returns:
        The labels, (n,) int64, and the factors, (n, 10) float32, with the columns of `FACTOR_NAMES`.

    Example:
        >>> labels, factors = sample_factors(np.random.default_rng(0), 5)
        >>> labels.shape, factors.shape
        ((5,), (5, 10))
    """
    labels = rng.integers(0, 10, n)
    columns = [
        np.clip(rng.normal(0.18, 0.24, n), -0.45, 0.85),
        np.clip(np.exp(rng.normal(np.log(2.3), 0.28, n)), 1.2, 4.2),
        np.clip(rng.normal(19.0, 1.3, n), 15.0, 22.0),
        np.clip(np.exp(rng.normal(0.0, 0.14, n)), 0.70, 1.40),
        np.clip(rng.normal(0.0, 5.0, n), -14.0, 14.0),
        *np.clip(rng.standard_normal((4, n)), -2.5, 2.5),
        rng.choice(3, n, p=[0.5, 0.3, 0.2]),
    ]
    return labels, np.stack(columns, 1).astype(np.float32)


def curve(points: _Stroke, per_piece: int = 6) -> np.ndarray:
    """A smooth curve through the given points, a Catmull-Rom spline. A point that is given twice makes a corner.

    Args:
        points: (x, y) in the unit square, with y pointing downwards.
        per_piece: how many points of the curve are computed between one given point and the next.

    Returns:
        The points of the curve in order, (M, 2).

    Example:
        >>> curve(((0, 0), (1, 0), (1, 1)), per_piece=2).round(2).tolist()
        [[0.0, 0.0], [0.56, -0.06], [1.0, 0.0], [1.06, 0.44], [1.0, 1.0]]
    """
    p = np.asarray(points, dtype=np.float64)
    corners = [0, *(i for i in range(1, len(p)) if np.array_equal(p[i], p[i - 1])), len(p)]
    pieces = [_catmull_rom(p[a:b], per_piece) for a, b in zip(corners, corners[1:])]
    return np.concatenate(pieces)


def _catmull_rom(p: np.ndarray, per_piece: int) -> np.ndarray:
    before, after = 2 * p[:1] - p[1:2], 2 * p[-1:] - p[-2:-1]
    p = np.concatenate([before, p, after])
    t = np.linspace(0, 1, per_piece, endpoint=False)[:, None, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    pieces = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate([pieces.transpose(1, 0, 2).reshape(-1, 2), p[-2:-1]])


def skeleton(label: int, variant: int) -> list[np.ndarray]:
    """The strokes of a digit before any factor acts on them.

    Args:
        label: the digit, 0 to 9.
        variant: which of the three ways to write it, 0 to 2.

    Returns:
        One curve (M, 2) for each stroke, in the unit square, with y pointing downwards.

    Example:
        >>> len(skeleton(4, 0)), len(skeleton(4, 1))  # a 4 in two strokes, and one in a single stroke
        (2, 1)
    """
    return [curve(stroke) for stroke in GLYPHS[label][variant]]


def place(points: np.ndarray, label: int, factors: np.ndarray) -> np.ndarray:
    """Transform the points of a curve from the unit square to pixel coordinates, as the factors say.

    Args:
        points: (M, 2), in the unit square.
        label: the digit, which has a natural width.
        factors: (N, 10), with the columns of `FACTOR_NAMES`.

    Returns:
        The points in pixels, relative to the centre of the image: (N, M, 2).

    Example:
        >>> factors = np.zeros((1, 10)); factors[0, 2:4] = 20, 1  # 20 pixels high, of natural width, upright
        >>> place(np.array([[0.5, 0.0], [0.5, 1.0]]), 1, factors)[0].round(1).tolist()
        [[0.0, -10.0], [0.0, 10.0]]
    """
    slant, _, scale, width, rotation, w1, w2, w3, w4, _ = np.asarray(factors, np.float64).T[..., None]
    x, y = points[None, :, 0] - 0.5, points[None, :, 1] - 0.5
    # The page is bent in four ways before the digit is written on it.
    bent_x = x + 0.075 * w1 * np.sin(2 * np.pi * y) + 0.20 * w2 * x * y
    bent_y = y + 0.28 * w3 * (x**2 - 0.08) + 0.24 * w4 * (0.25 - y**2)
    x, y = bent_x * scale * width * ASPECT[label], bent_y * scale
    x = x - slant * y
    angle = np.deg2rad(rotation)
    x, y = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
    return np.stack([x, y], -1)


def draw(labels: np.ndarray, factors: np.ndarray, block: int = 256) -> np.ndarray:
    """The ink of the digits that the labels and factors describe. It is a deterministic function: equal factors give equal ink.

    Args:
        labels: (N,), the digits, 0 to 9.
        factors: (N, 10), with the columns of `FACTOR_NAMES`.
        block: how many digits are drawn at once, which bounds the memory.

    Returns:
        Ink in [0, 1], (N, 784) float32.

    Raises:
        ValueError: the shapes do not match, a label is no digit, or a factor is out of range.

    Example:
        >>> labels, factors = sample_factors(np.random.default_rng(0), 3)
        >>> ink = draw(labels, factors)
        >>> ink.shape, float(ink.min()), float(ink.max())
        ((3, 784), 0.0, 1.0)
    """
    labels, factors = np.asarray(labels), np.asarray(factors)
    if factors.ndim != 2 or factors.shape != (len(labels), len(FACTOR_NAMES)):
        raise ValueError(
            f"factors must have shape ({len(labels)}, {len(FACTOR_NAMES)}), one column per name in FACTOR_NAMES; got {factors.shape}"
        )
    digit = np.isin(labels, range(10))
    if not digit.all():
        raise ValueError(f"labels must be digits from 0 to 9; found {labels[~digit][0]}")
    if not (np.isfinite(factors).all() and np.isin(factors[:, -1].round(), (0, 1, 2)).all()):
        raise ValueError("factors must be finite, and the variant in their last column must be 0, 1 or 2")
    ink = np.zeros((len(labels), SIDE * SIDE), np.float32)
    for label in range(10):
        for variant in range(3):
            rows = np.flatnonzero((labels == label) & (factors[:, -1].round() == variant))
            for i in range(0, len(rows), block):
                ink[rows[i : i + block]] = _ink(label, variant, factors[rows[i : i + block]])
    return ink


def _ink(label: int, variant: int, factors: np.ndarray) -> np.ndarray:
    """Anti-aliased ink (N, 784): every pixel within half the width of the pen of a stroke is black."""
    strokes = [place(s, label, factors) for s in skeleton(label, variant)]
    everything = np.concatenate(strokes, 1)
    centre = (everything.min(1) + everything.max(1)) / 2  # the digit is centred in the frame
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="xy"), -1).reshape(-1, 2) - (SIDE - 1) / 2
    distance = np.full((len(factors), SIDE * SIDE), np.inf, np.float32)
    for s in strokes:
        s = (s - centre[:, None]).astype(np.float32)
        for a, b in zip(s.swapaxes(0, 1), s.swapaxes(0, 1)[1:]):
            np.minimum(distance, _to_segment(grid.astype(np.float32), a, b), out=distance)
    radius = factors[:, 1, None] / 2
    return np.clip((radius - distance) / 1.2 + 0.5, 0, 1).astype(np.float32)


def _to_segment(grid: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The distance of every grid point (P, 2) from the segments that run from a (N, 2) to b (N, 2): (N, P)."""
    along, offset = b - a, grid[None] - a[:, None]
    length2 = (along**2).sum(-1) + 1e-9
    t = np.clip((offset @ along[:, :, None])[..., 0] / length2[:, None], 0, 1)
    return np.linalg.norm(offset - t[..., None] * along[:, None], axis=-1)


def make(seed: int, n: int) -> dict[str, np.ndarray]:
    """Draw a data set of the story: labels and factors, the ink, and the binary images.

    A single random generator, seeded once, draws everything, in this order: labels, factors, binarisation.

    Args:
        seed: of the generator.
        n: how many digits to draw.

    Returns:
        A dictionary with "labels" (n,) uint8, "factors" (n, 10) float32, "ink" (n, 784) uint8 from 0 to 31, and "x" (n, 784) uint8
        in {0, 1}.

    Example:
        >>> made = make(seed=0, n=3)
        >>> {name: values.shape for name, values in made.items()}
        {'labels': (3,), 'factors': (3, 10), 'ink': (3, 784), 'x': (3, 784)}
    """
    rng = np.random.default_rng(seed)
    labels, factors = sample_factors(rng, n)
    ink = np.round(draw(labels, factors) * INK_LEVELS).astype(np.uint8)
    x = (rng.random((n, SIDE * SIDE), dtype=np.float32) * INK_LEVELS < ink).astype(np.uint8)
    return {"labels": labels.astype(np.uint8), "factors": factors, "ink": ink, "x": x}
