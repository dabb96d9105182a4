"""The figures of the course: arrays in, figure out. Each method has one colour, lines are labelled where they end, figures have
alternative text.

They look the same whatever style and settings of matplotlib the reader has chosen, and they leave those settings as they are.
"""

from __future__ import annotations

import functools
import inspect
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyBboxPatch

__all__ = [
    "COLORS",
    "RUNGS",
    "STYLE",
    "CourseAxes",
    "CourseFigure",
    "classes",
    "cliffs",
    "course_style",
    "dots",
    "ellipse",
    "figure",
    "images",
    "in_course_style",
    "ladder",
    "line",
    "manifold",
    "note",
    "picture",
    "plane",
    "scoreboard",
    "sheet",
    "show",
]

# The palette of Okabe and Ito (2008), which colour-blind readers can distinguish. One colour per method, in every notebook.
COLORS = {
    "exact": "#000000",
    "naive": "#D55E00",
    "importance": "#0072B2",
    "elbo": "#009E73",
    "iwae": "#CC79A7",
    "prior": "#7F7F7F",
    "posterior": "#E69F00",
}
RUNGS = ("exact", "naive", "log space", "importance\nsampling", "ELBO", "VAE", "IWAE")
RUNG_COLORS = ("exact", "naive", "naive", "importance", "elbo", "elbo", "iwae")

STYLE = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # the default position, which is slow to compute: a third of the time of a drawing
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "lines.linewidth": 1.8,
}


# Settings that determine where and how a window opens, not how a figure looks.
NOT_OF_THE_LOOK = ("backend", "interactive", "toolbar", "webagg", "tk.", "macosx", "keymap", "docstring", "timezone", "date.epoch")
NOT_OF_THE_LOOK += ("savefig.directory", "figure.max_open_warning")
DEFAULTS = {name: matplotlib.rcParamsDefault[name] for name in matplotlib.rcParamsDefault if not name.startswith(NOT_OF_THE_LOOK)}
_ours = False  # whether matplotlib's settings are those of the course


@contextmanager
def course_style(extra: Mapping[str, object] | None = None) -> Iterator[None]:
    """Draw with matplotlib's default settings, and those in `extra`, instead of the reader's settings.

    Inside another block of this kind only `extra` is set.

    Args:
        extra: settings of matplotlib, by name.

    Example:
        >>> with course_style({"font.size": 20}):
        ...     print(matplotlib.rcParams["font.size"])
        20.0
    """
    global _ours
    wanted = {} if _ours else DEFAULTS
    wanted = {name: value for name, value in (wanted | dict(extra or {})).items() if matplotlib.rcParams[name] != value}
    before = _ours
    with plt.rc_context(wanted):  # only what differs, because setting everything takes a millisecond
        _ours = True
        try:
            yield
        finally:
            _ours = before


def in_course_style(function: Callable) -> Callable:
    """A decorator: the function draws in the style of the course.

    Example:
        >>> font_size = in_course_style(lambda: matplotlib.rcParams["font.size"])
        >>> font_size() == matplotlib.rcParamsDefault["font.size"]
        True
    """

    @functools.wraps(function)
    def styled(*args, **kwargs):
        if _ours:
            return function(*args, **kwargs)
        with course_style():
            return function(*args, **kwargs)

    return styled


def _owns_its_style(cls: type) -> type:
    """Let the methods of a class of artists draw in the style of the course, because cells call them, and ticks are made on demand."""
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if not name.startswith("_") and ("tick" in name or not name.startswith("get_")):
            setattr(cls, name, in_course_style(method))
    return cls


@_owns_its_style
class CourseFigure(Figure):
    """A figure that is drawn in the style of the course, whatever the reader's style is. `figure` makes one.

    Example:
        >>> fig, ax = figure("A title")
        >>> isinstance(fig, CourseFigure)
        True
        >>> plt.close(fig)
    """


@_owns_its_style
class CourseAxes(Axes):
    """Axes on which everything is drawn in the style of the course, whatever the reader's style is. `figure` makes them.

    Example:
        >>> fig, ax = figure("A title")
        >>> isinstance(ax, CourseAxes)
        True
        >>> plt.close(fig)
    """


def _subplots(rows: int, columns: int, size: tuple[float, float]) -> tuple[CourseFigure, np.ndarray]:
    with course_style(STYLE):
        kinds = {"FigureClass": CourseFigure, "subplot_kw": {"axes_class": CourseAxes}}
        return plt.subplots(rows, columns, figsize=size, squeeze=False, **kinds)


@in_course_style
def figure(
    title: str | Sequence[str], xlabel: str | Sequence[str] = "", ylabel: str | Sequence[str] = "", size: tuple[float, float] | None = None
) -> tuple[Figure, Axes | np.ndarray]:
    """An empty figure in the style of the course.

    Args:
        title: a text, or a list of texts for a row of panels.
        xlabel, ylabel: the labels of the axes, one for all panels or a list.
        size: width and height in inches.

    Returns:
        The figure and its axes; an array of axes if title is a list.

    Example:
        >>> fig, (left, right) = figure(["prior", "posterior"], xlabel="z")
        >>> left.get_title(loc="left"), right.get_xlabel()
        ('prior', 'z')
        >>> plt.close(fig)
    """
    titles = [title] if isinstance(title, str) else list(title)
    with course_style(STYLE):
        fig, axes = _subplots(1, len(titles), size or (6.4 if len(titles) == 1 else 4.2 * len(titles), 3.6))
        for i, ax in enumerate(axes[0]):
            ax.set_title(titles[i])
            ax.set(xlabel=_one(xlabel, i), ylabel=_one(ylabel, i))
    return fig, axes[0, 0] if isinstance(title, str) else axes[0]


def _one(text: str | Sequence[str], i: int) -> str:
    return text if isinstance(text, str) else text[i]


def show(fig: Figure, alt: str, *, all_greys: bool = False) -> None:
    """Display a figure as a picture with alternative text, and close it.

    The text takes the place of the figure's default text, so a regression run compares it.

    Args:
        fig: the figure.
        alt: one sentence that says what can be seen.
        all_greys: as in `picture`.

    Raises:
        ValueError: alt is empty.

    Example:
        >>> fig, ax = figure("A title")
        >>> show(fig, "")
        Traceback (most recent call last):
        ValueError: alt must say in one sentence what the figure shows
        >>> plt.close(fig)
    """
    if not alt.strip():
        raise ValueError("alt must say in one sentence what the figure shows")
    from IPython.display import display

    display({"image/png": picture(fig, all_greys=all_greys), "text/plain": alt}, metadata={"image/png": {"alt": alt}}, raw=True)


@in_course_style
def picture(fig: Figure, dpi: float = STYLE["figure.dpi"], *, all_greys: bool = False) -> bytes:
    r"""The figure as a PNG picture of at most 256 colours, which is a third as large and looks nearly the same; the figure is closed.

    As a rule the palette has only about 16 levels of red, green and blue. Lines and text need no more, but a soft edge turns into
    a staircase.

    Args:
        fig: the figure.
        dpi: dots per inch.
        all_greys: choose the colours that cover the picture best, for soft grey images. The file becomes up to twice as large.

    Example:
        >>> fig, ax = figure("A title")
        >>> picture(fig)[:4]
        b'\x89PNG'
    """
    from PIL import Image

    pixels, small = io.BytesIO(), io.BytesIO()
    fig.set_dpi(dpi)
    fig.savefig(pixels, format="rgba", dpi=dpi, facecolor="auto")
    size = fig.canvas.get_width_height()
    plt.close(fig)
    method = Image.Quantize.MAXCOVERAGE if all_greys else Image.Quantize.FASTOCTREE
    image = Image.frombytes("RGBA", size, pixels.getvalue()).convert("RGB")
    few = image.quantize(256, method=method, dither=Image.Dither.NONE)
    palette = np.array(few.getpalette())
    palette[palette >= 248], palette[palette <= 6] = 255, 0  # the octree's average of white is slightly grey, that of black not quite black
    few.putpalette(palette.tolist())
    few.save(small, format="png", optimize=True)
    return small.getvalue()


@in_course_style
def line(ax: Axes, x, y, label: str = "", color: str = "exact", *, end: int = -1, nudge: tuple[float, float] = (5, 0), **style) -> None:
    """Draw a line and write its label at its end, in its own colour.

    Args:
        ax: the axes.
        x, y: the points.
        label: the text.
        color: a key of `COLORS`, or a colour of matplotlib.
        end: the index of the point at which the label is written.
        nudge: the offset of the label, in points.
        style: passed to matplotlib.

    Example:
        >>> fig, ax = figure("A title")
        >>> line(ax, [1, 2, 3], [-90, -80, -78], "ELBO", "elbo")
        >>> ax.texts[0].get_text()
        'ELBO'
        >>> plt.close(fig)
    """
    color = COLORS.get(color, color)
    x, y = np.asarray(x), np.asarray(y)
    ax.plot(x, y, color=color, **style)
    if label:
        ax.annotate(label, (x[end], y[end]), xytext=nudge, textcoords="offset points", color=color, va="center", fontsize=9)


@in_course_style
def note(ax: Axes, xy: tuple[float, float], text: str, xytext: tuple[float, float], color: str = "exact") -> None:
    """Write a remark beside a point, connected to it by a thin line.

    Args:
        ax: the axes.
        xy: the point, in the coordinates of the data.
        text: the remark.
        xytext: the offset of the remark from the point, in points.
        color: a key of `COLORS`, or a colour of matplotlib.

    Example:
        >>> fig, ax = figure("A title")
        >>> note(ax, (0.5, 0.5), "the mode", (10, 20))
        >>> ax.texts[0].get_text()
        'the mode'
        >>> plt.close(fig)
    """
    color = COLORS.get(color, color)
    arrow = {"arrowstyle": "-", "color": color, "lw": 0.8}
    ax.annotate(text, xy, xytext=xytext, textcoords="offset points", color=color, fontsize=9, arrowprops=arrow)


@in_course_style
def images(
    x, title: str = "", captions: Sequence[str] = (), columns: int | None = None, row_names: Sequence[str] = (), size: float = 0.9
) -> Figure:
    """A figure with square images in rows, with dark ink on a light background.

    Args:
        x: the images (N, D), with values in [0, 1].
        title: the title.
        captions: a text under each image.
        columns: the number of images in a row; by default all are in one row.
        row_names: a text to the left of each row.
        size: of an image, in inches.

    Raises:
        ValueError: x does not hold square images, one a row.

    Example:
        >>> fig = images(np.zeros((6, 784)), columns=3)
        >>> len(fig.axes)
        6
        >>> plt.close(fig)
    """
    x = np.asarray(x)
    side = math.isqrt(x.shape[1]) if x.ndim == 2 and len(x) else 0
    if side == 0 or side**2 != x.shape[1]:
        raise ValueError(f"x must hold square images, one a row, shape (N, D); got {x.shape}: see x.reshape(N, -1)")
    columns = columns or len(x)
    rows = -(-len(x) // columns)
    height = size * rows * (1.3 if captions else 1.04) + 0.35 * bool(title)
    fig, axes = _subplots(rows, columns, (size * columns + bool(row_names) * 1.2, height))
    for i, ax in enumerate(axes.flat):
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(i < len(x))
        ax.spines[:].set_color("#BBBBBB")
        if i < len(x):
            ax.imshow(x[i].reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
        if i < len(captions):
            ax.set_xlabel(captions[i], fontsize=8)
    for name, ax in zip(row_names, axes[:, 0]):
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return fig


@in_course_style
def ladder(here: str | Sequence[str]) -> Figure:
    """The path from the exact value to the IWAE bound, in which the steps of this notebook are filled in.

    Args:
        here: the name of a step, or several of them: "exact", "naive", "log space", "importance sampling", "ELBO", "VAE", "IWAE".

    Raises:
        ValueError: there is no such step.

    Example:
        >>> fig = ladder("ELBO")
        >>> [text.get_text() for text in fig.axes[0].texts if text.get_weight() == "bold"]
        ['ELBO']
        >>> plt.close(fig)
    """
    current = [here] if isinstance(here, str) else list(here)
    names = [name.replace("\n", " ") for name in RUNGS]
    if not set(current) <= set(names):
        raise ValueError(f"unknown rung in {current}; expected some of {', '.join(names)}")
    fig, axes = _subplots(1, 1, (9, 0.95))
    ax = axes[0, 0]
    for i, (name, color) in enumerate(zip(RUNGS, RUNG_COLORS)):
        lit = names[i] in current
        box = FancyBboxPatch((i, 0), 0.78, 0.8, boxstyle="round,pad=0.02", fc=COLORS[color] if lit else "white", ec=COLORS[color], lw=1.6)
        ax.add_patch(box)
        ax.text(
            i + 0.39,
            0.4,
            name,
            ha="center",
            va="center",
            fontsize=9,
            color="white" if lit else "#222222",
            weight="bold" if lit else "normal",
        )
        if i + 1 < len(RUNGS):
            ax.annotate("", (i + 0.96, 0.4), (i + 0.82, 0.4), arrowprops={"arrowstyle": "->", "color": "#777777"})
    ax.set(xlim=(-0.1, len(RUNGS) - 0.1), ylim=(-0.1, 0.9))
    ax.axis("off")
    return fig


@in_course_style
def scoreboard(rows: Sequence[tuple[str, str, float, float, float]]) -> Figure:
    """log p(x) of one held-out digit, one row for each method, in nats. A black tick marks the exact value.

    Args:
        rows: (label, colour, estimate, error bar, exact value of that row's model), as in `vaecourse.scoreboard.Row`. An exact value of
            nan draws no tick. An estimate of -inf is written as text.

    Example:
        >>> fig = scoreboard([("naive", "naive", -120.0, 2.0, -95.0), ("IWAE", "iwae", -95.2, 0.1, -95.0)])
        >>> [label.get_text() for label in fig.axes[0].get_yticklabels()]
        ['naive', 'IWAE']
        >>> plt.close(fig)
    """
    fig, ax = figure("The scoreboard: log p(x) of one held-out digit", "nats", size=(7.6, 0.9 + 0.46 * len(rows)))
    values = np.array([[r[2], r[4]] for r in rows], dtype=float)
    low, high = values[np.isfinite(values)].min(), values[np.isfinite(values)].max()
    span = max(high - low, 4.0)
    left = low - 0.45 * span
    for i, (_, color, estimate, error, exact) in enumerate(rows):
        ink = COLORS.get(color, color)
        ax.plot([exact, exact], [i - 0.38, i + 0.38], color=COLORS["exact"], lw=2.2)
        if np.isfinite(estimate):
            ax.errorbar(estimate, i, xerr=error, fmt="o", color=ink, capsize=4, ms=6, zorder=3)
            left = min(left, estimate - 1.1 * error)
    for i, (_, color, estimate, _, _) in enumerate(rows):
        if not np.isfinite(estimate):
            ax.text(left + 0.03 * (high - left), i, "-inf", color=COLORS.get(color, color), ha="left", va="center", weight="bold")
    right = high + 0.08 * (high - left) + max((r[3] for r in rows), default=0.0) * 0.5
    ax.set(yticks=range(len(rows)), yticklabels=[r[0] for r in rows], xlim=(left, right), ylim=(len(rows) - 0.5, -0.5))
    ax.grid(axis="y", visible=False)
    return fig


@in_course_style
def plane(ax: Axes, grid, probs, extent: float | None = None, cmap: str = "Oranges") -> None:
    """Draw a density on a square grid of the two latents, from light to dark.

    Args:
        ax: the axes.
        grid: the nodes (G, 2), with G a square number.
        probs: the density or probability of each node, (G,).
        extent: both axes reach from -extent to extent; by default they end where the grid ends.
        cmap: "Oranges" for a posterior, "Greys" for a prior.

    Example:
        >>> axis = np.linspace(-3, 3, 20)
        >>> grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
        >>> fig, ax = figure("A title")
        >>> plane(ax, grid, np.exp(-(grid**2).sum(1) / 2), extent=4.0)
        >>> tuple(map(float, ax.get_xlim()))
        (-4.0, 4.0)
        >>> plt.close(fig)
    """
    grid, probs = np.asarray(grid), np.asarray(probs)
    n = int(round(len(grid) ** 0.5))
    corners = (*grid[[0, -1], 0], *grid[[0, -1], 1])
    picture = probs.reshape(n, n).T
    ax.imshow(picture, origin="lower", extent=corners, cmap=cmap, vmin=0, interpolation="bilinear")
    ax.set_facecolor(plt.get_cmap(cmap)(0.0))
    left, right, low, high = (-extent, extent, -extent, extent) if extent else corners
    ax.set(xlim=(left, right), ylim=(low, high), xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    ax.grid(False)


@in_course_style
def ellipse(
    ax: Axes, mu, sigma, color: str = "elbo", label: str = "", radius: float = 2.0, nudge: tuple[float, float] = (6, 6), **style
) -> None:
    """Draw the curve on which a normal with diagonal covariance is `radius` standard deviations from its mean.

    Args:
        ax: the axes.
        mu, sigma: mean (2,) and standard deviations (2,).
        color: a key of `COLORS`, or a colour of matplotlib.
        label: a text beside the curve, offset by `nudge` points.
        radius: in standard deviations.
        style: passed to matplotlib.

    Example:
        >>> fig, ax = figure("A title")
        >>> ellipse(ax, mu=[0, 0], sigma=[1, 0.5], label="q(z|x)")
        >>> float(ax.patches[0].width), float(ax.patches[0].height)
        (4.0, 2.0)
        >>> plt.close(fig)
    """
    color = COLORS.get(color, color)
    mu, sigma = np.asarray(mu), np.asarray(sigma)
    ax.add_patch(Ellipse(mu, 2 * radius * sigma[0], 2 * radius * sigma[1], fill=False, ec=color, lw=style.pop("lw", 1.8), **style))
    if label:
        ax.annotate(label, mu + radius * sigma * [0.7, 0.7], xytext=nudge, textcoords="offset points", color=color, fontsize=9)


@in_course_style
def cliffs(ax: Axes, pixels, true, computed: Mapping[str, tuple[object, str]]) -> None:
    """Draw log10 of a probability against the size of the image: the true values, and where each number format underflows.

    Args:
        ax: the axes.
        pixels: the sizes (N,).
        true: the true values (N,).
        computed: from the name of a number format to its values (N,), not finite after the underflow, and a colour.

    Example:
        >>> fig, ax = figure("A title")
        >>> cliffs(ax, [1, 2, 3], [-10, -20, -30], {"float16": ([-10, -np.inf, -np.inf], "naive")})
        >>> ax.texts[-1].get_text()
        'float16 ends'
        >>> plt.close(fig)
    """
    pixels, true = np.asarray(pixels), np.asarray(true)
    ax.plot(pixels, true, color=COLORS["exact"], lw=5, alpha=0.18)
    note(ax, (pixels[-1] * 0.62, true[int(len(true) * 0.62)]), "true value", (-70, -22))
    for name, (values, color) in computed.items():
        values = np.asarray(values, dtype=float)
        alive = np.isfinite(values)
        line(
            ax,
            pixels[alive],
            values[alive],
            f"{name} ends" if not alive.all() else f"{name} goes on",
            color,
            marker="o",
            markevery=[-1],
            nudge=(7, 6),
        )


@in_course_style
def sheet(ax: Axes, pictures, reach: float) -> None:
    """Draw decoded images at the places of their latents on the plane.

    Args:
        ax: the axes.
        pictures: (n * n, 784), in the order of a grid whose first axis is the first latent (to the right) and whose second axis is the
            second latent (upwards).
        reach: the outermost latents are -reach and reach. The middle of each image lies at its latents, so the axes end half a step
            further out.

    Example:
        >>> fig, ax = figure("A title")
        >>> sheet(ax, np.zeros((9, 784)), reach=3.0)
        >>> ax.images[0].get_array().shape
        (84, 84)
        >>> plt.close(fig)
    """
    pictures = np.asarray(pictures)
    n, side = int(round(len(pictures) ** 0.5)), int(round(pictures.shape[1] ** 0.5))
    tiles = pictures.reshape(n, n, side, side).transpose(1, 2, 0, 3)[::-1].reshape(n * side, n * side)
    edge = reach * n / (n - 1) if n > 1 else reach
    ax.imshow(tiles, cmap="gray_r", vmin=0, vmax=1, extent=(-edge, edge, -edge, edge), interpolation="bilinear")
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    ax.grid(False)


@in_course_style
def manifold(pictures, reach: float, title: str, size: float = 5.2) -> Figure:
    """A figure with one `sheet` of decoded images.

    Args:
        pictures: (n * n, 784).
        reach: the outermost latents are -reach and reach.
        title: the title.
        size: of the figure, in inches.

    Example:
        >>> fig = manifold(np.zeros((9, 784)), reach=3.0, title="Decoded images")
        >>> fig.axes[0].get_title(loc="left")
        'Decoded images'
        >>> plt.close(fig)
    """
    fig, ax = figure(title, size=(size, size))
    sheet(ax, pictures, reach)
    return fig


@in_course_style
def classes(ax: Axes, z, labels) -> None:
    """Draw points of the latent plane, each as its digit, so that shape as well as shade tells the classes apart.

    Args:
        ax: the axes.
        z: the points (N, 2).
        labels: their digits (N,).

    Example:
        >>> fig, ax = figure("A title")
        >>> classes(ax, np.zeros((3, 2)), [0, 3, 3])
        >>> len(ax.lines)  # one set of points for each digit, empty or not
        10
        >>> plt.close(fig)
    """
    z, labels = np.asarray(z), np.asarray(labels)
    shades = plt.get_cmap("viridis")(np.linspace(0, 0.92, 10))
    for digit in range(10):
        at = z[labels == digit]
        ax.plot(at[:, 0], at[:, 1], ls="", ms=5.1, marker=f"${digit}$", color=shades[digit], mew=0.2)
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")


@in_course_style
def dots(ax: Axes, values: Mapping[str, tuple[float, str]]) -> None:
    """Draw one row for each name: a dot at the value, with the number beside it.

    Args:
        ax: the axes.
        values: from each name to its value and its colour.

    Example:
        >>> fig, ax = figure("A title")
        >>> dots(ax, {"ELBO": (-95.3, "elbo"), "IWAE": (-94.1, "iwae")})
        >>> [text.get_text() for text in ax.texts]
        ['-95.3', '-94.1']
        >>> plt.close(fig)
    """
    for i, (value, color) in enumerate(values.values()):
        ax.plot(value, i, "o", ms=9, color=COLORS.get(color, color))
        ax.annotate(f"{value:.1f}", (value, i), xytext=(0, 9), textcoords="offset points", ha="center", fontsize=9)
    ax.set(yticks=range(len(values)), yticklabels=list(values), ylim=(len(values) - 0.6, -0.7))
    ax.margins(x=0.15)
    ax.grid(axis="y", visible=False)
