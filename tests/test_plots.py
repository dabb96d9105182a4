"""Figures: every helper draws what it is given, writes the labels, and comes with alternative text."""

from __future__ import annotations

import inspect
import io
import math
import re
import struct
import sys
from typing import Any

import IPython.display
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from figures_under_test import close_everything, texts  # noqa: F401
from matplotlib import image as reader
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyBboxPatch

from vaecourse import plots

matplotlib.use("Agg")


def rendered(fig: Figure) -> np.ndarray:
    fig.canvas.draw()
    return np.asarray(fig.canvas.buffer_rgba())


# ---------------------------------------------------------------- show


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a notebook would have been sent, by type: `raw` says that the dictionary is the output itself."""
    sent: list[dict[str, Any]] = []

    def display(bundle: dict[str, Any], *, raw: bool = False, metadata: dict | None = None) -> None:
        assert raw
        sent.append(bundle)

    monkeypatch.setattr(IPython.display, "display", display)
    return sent


def test_show_sends_one_picture_whose_plain_text_is_the_sentence_given(outputs: list[dict[str, Any]]) -> None:
    fig, ax = plots.figure("Title")
    plots.line(ax, [0, 1], [0, 1], "a line")
    assert plots.show(fig, "A line that rises.") is None
    assert len(outputs) == 1
    bundle = outputs[0]
    assert set(bundle) == {"image/png", "text/plain"}
    assert bundle["text/plain"] == "A line that rises."
    png = bundle["image/png"]
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (round(6.4 * 110), round(3.6 * 110))


def test_show_closes_the_figure(outputs: list[dict[str, Any]]) -> None:
    fig, _ = plots.figure("Title")
    assert plt.fignum_exists(fig.number)
    plots.show(fig, "An empty figure.")
    assert not plt.fignum_exists(fig.number)


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_show_refuses_a_figure_without_a_sentence(alt: str, outputs: list[dict[str, Any]]) -> None:
    fig, _ = plots.figure("Title")
    with pytest.raises(ValueError, match="alt must say in one sentence what the figure shows"):
        plots.show(fig, alt)
    assert outputs == []


# ---------------------------------------------------------------- figure, line, note


def test_a_figure_has_the_title_and_the_labels_given() -> None:
    fig, ax = plots.figure("Title", "nats", "digits", size=(5, 2))
    assert (ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()) == ("Title", "nats", "digits")
    assert tuple(fig.get_size_inches()) == (5, 2)
    assert not ax.spines["top"].get_visible()


def test_a_list_of_titles_makes_a_row_of_panels() -> None:
    fig, axes = plots.figure(["One", "Two"], "shared", ["left", "right"])
    assert len(fig.axes) == len(axes) == 2
    assert [ax.get_title(loc="left") for ax in axes] == ["One", "Two"]
    assert [ax.get_xlabel() for ax in axes] == ["shared", "shared"]
    assert [ax.get_ylabel() for ax in axes] == ["left", "right"]


def test_a_figure_leaves_the_reader_s_style_alone() -> None:
    before = dict(plt.rcParams)
    plots.figure("Title")
    plots.ladder("VAE")
    plots.images(np.zeros((2, 784)))
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize(("end", "where"), [(-1, (3.0, 9.0)), (0, (1.0, 1.0))])
def test_a_line_is_labelled_where_it_ends_in_its_own_colour(end: int, where: tuple[float, float]) -> None:
    _, ax = plots.figure("Title")
    plots.line(ax, [1.0, 2.0, 3.0], [1.0, 4.0, 9.0], "squares", "elbo", end=end, linestyle="--")
    (drawn,), (label,) = ax.lines, ax.texts
    assert drawn.get_xydata().tolist() == [[1, 1], [2, 4], [3, 9]]
    assert (label.get_text(), label.xy) == ("squares", where)
    assert to_hex(drawn.get_color()) == to_hex(label.get_color()) == plots.COLORS["elbo"].lower()
    assert drawn.get_linestyle() == "--"


def test_a_line_may_have_any_colour_and_no_label() -> None:
    _, ax = plots.figure("Title")
    plots.line(ax, [0, 1], [0, 1], color="#123456")
    assert to_hex(ax.lines[0].get_color()) == "#123456"
    assert len(ax.texts) == 0


def test_every_method_has_a_colour_of_its_own() -> None:
    assert len(set(plots.COLORS.values())) == len(plots.COLORS)


def test_a_note_points_at_its_point() -> None:
    _, ax = plots.figure("Title")
    plots.note(ax, (2.0, 3.0), "here it breaks", (10, -20), "naive")
    (label,) = ax.texts
    assert (label.get_text(), label.xy, tuple(label.get_position())) == ("here it breaks", (2.0, 3.0), (10, -20))
    assert label.arrow_patch is not None
    assert to_hex(label.get_color()) == plots.COLORS["naive"].lower()


# ---------------------------------------------------------------- pictures


def test_pictures_stand_in_rows_with_their_captions() -> None:
    x = np.random.default_rng(0).random((5, 784))
    fig = plots.images(x, "Digits", captions=[f"number {i}" for i in range(5)], columns=3, row_names=["first", "second"])
    assert {"Digits", "first", "second", *(f"number {i}" for i in range(5))} <= set(texts(fig))
    drawn = [ax.get_images()[0].get_array() for ax in fig.axes if ax.get_images()]
    assert len(fig.axes) == 6
    assert len(drawn) == 5
    for picture, image in zip(drawn, x):
        np.testing.assert_array_equal(picture, image.reshape(28, 28))


@pytest.mark.parametrize("shape", [(2, 28, 28), (784,), (0, 784), (1, 10), (2, 0), ()])
def test_what_is_not_one_square_image_a_row_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"x must hold square images, one a row, shape \(N, D\); got"):
        plots.images(np.zeros(shape))


def test_ink_is_dark_on_light() -> None:
    x = np.zeros((1, 784))
    x[0, :392] = 1  # the upper half
    fig = plots.images(x, size=2)
    pixels = rendered(fig).mean(-1)
    axis = fig.axes[0].get_window_extent()
    height = pixels.shape[0]
    column = int((axis.x0 + axis.x1) / 2)
    assert pixels[int(height - axis.y0 - 0.75 * axis.height), column] < 70  # alpha counts as a fourth channel of 255
    assert pixels[int(height - axis.y0 - 0.25 * axis.height), column] > 250


def test_decoded_images_lie_where_their_latents_do() -> None:
    """First latent to the right, second upwards, as `meshgrid(..., indexing="ij")` and `posterior_grid` order them."""
    n = 3
    pictures = np.zeros((n * n, 4))
    pictures[:] = np.arange(n * n)[:, None] / 10
    fig = plots.manifold(pictures, reach=2.0, title="The plane")
    (sheet,) = fig.axes[0].get_images()
    grid = np.asarray(sheet.get_array())[::2, ::2]
    assert sheet.get_extent() == [-3, 3, -3, 3]  # three images, two units wide each: their middles lie at -2, 0 and 2
    for i in range(n):
        for j in range(n):
            assert grid[n - 1 - j, i] == pytest.approx((i * n + j) / 10)
    assert "The plane" in texts(fig)


def test_each_decoded_image_is_upright() -> None:
    picture = np.arange(4.0).reshape(1, 4) / 4
    (sheet,) = plots.manifold(picture, 1.0, "One").axes[0].get_images()
    np.testing.assert_array_equal(sheet.get_array(), picture.reshape(2, 2))


def test_sheets_of_decoded_images_stand_side_by_side() -> None:
    fig, axes = plots.figure(["Left", "Right"])
    for ax, level in zip(axes, (0.2, 0.9)):
        plots.sheet(ax, np.full((4, 9), level), reach=1.5)
    for ax, level in zip(axes, (0.2, 0.9)):
        (drawn,) = ax.get_images()
        np.testing.assert_array_equal(drawn.get_array(), np.full((6, 6), level))
        assert drawn.get_extent() == [-3, 3, -3, 3]
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_1$", "$z_2$")
    assert {"Left", "Right"} <= set(texts(fig))


# ---------------------------------------------------------------- the course's own figures


@pytest.mark.parametrize("here", ["VAE", ["naive", "importance sampling"]])
def test_the_ladder_fills_in_the_rungs_of_this_notebook_alone(here: Any) -> None:
    fig = plots.ladder(here)
    names = [t.get_text().replace("\n", " ") for t in fig.axes[0].texts if t.get_text()]
    assert names == ["exact", "naive", "log space", "importance sampling", "ELBO", "VAE", "IWAE"]
    boxes = fig.findobj(FancyBboxPatch)
    boxes = [b for b in boxes if b.get_facecolor() is not None and b in fig.axes[0].patches]
    filled = [name for name, box in zip(names, boxes) if to_hex(box.get_facecolor()) != "#ffffff"]
    assert len(boxes) == 7
    assert filled == ([here] if isinstance(here, str) else here)


ROWS = [("exact", "exact", -80.0, 0.0, -80.0), ("naive", "naive", -np.inf, 0.0, -80.0), ("VAE", "iwae", -85.0, 1.5, -79.0)]


def test_the_scoreboard_names_each_method_and_writes_what_cannot_be_drawn() -> None:
    fig = plots.scoreboard(ROWS)
    (ax,) = fig.axes
    assert [t.get_text() for t in ax.get_yticklabels()] == ["exact", "naive", "VAE"]
    assert [t.get_text() for t in ax.texts] == ["-inf"]
    assert ax.texts[0].get_position()[1] == 1
    low, high = ax.get_xlim()
    assert low < -86.5
    assert high > -79
    ticks = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2 and line.get_xdata()[0] == line.get_xdata()[1]]
    assert ticks[:3] == [-80, -80, -79]
    assert low < ax.texts[0].get_position()[0] < high
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row stands on top
    rendered(fig)


def test_the_scoreboard_draws_no_tick_for_an_exact_value_that_nobody_knows() -> None:
    def ticks(fig) -> list[float]:
        lines = [line.get_xdata() for line in fig.axes[0].lines]
        return [x[0] for x in lines if len(x) == 2 and x[0] == x[1]]

    known, unknown = ("K = 2", "iwae", -80.0, 0.5, -79.0), ("K = 20", "iwae", -70.0, 0.5, float("nan"))
    fig = plots.scoreboard([known, unknown])
    assert ticks(fig) == [-79]
    low, high = fig.axes[0].get_xlim()
    assert low < -80 < -70 < high  # the axis reaches the estimate all the same
    rendered(fig)


@pytest.mark.parametrize("first", [0, 1])
def test_the_plane_has_its_mass_where_the_density_has_it(first: int) -> None:
    n = 21
    axis = np.linspace(-2, 2, n)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    centre = np.array([1.0, -1.0]) if first == 0 else np.array([-1.0, 0.6])
    probs = np.exp(-8 * ((grid - centre) ** 2).sum(1))
    fig, ax = plots.figure("Plane")
    plots.plane(ax, grid, probs, extent=1.5)
    (picture,) = ax.get_images()
    array = np.asarray(picture.get_array())
    row, column = np.unravel_index(array.argmax(), array.shape)
    low, high, bottom, top = picture.get_extent()
    assert picture.origin == "lower"
    assert (low, high, bottom, top) == (-2, 2, -2, 2)
    np.testing.assert_allclose([axis[column], axis[row]], centre, atol=0.11)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1.5, 1.5), (-1.5, 1.5))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_1$", "$z_2$")
    rendered(fig)


def test_an_ellipse_lies_at_the_radius_in_standard_deviations() -> None:
    _, ax = plots.figure("Ellipse")
    plots.ellipse(ax, [1.0, -1.0], [0.5, 2.0], "posterior", "q(z|x)", radius=3.0, lw=0.7)
    (patch,) = (p for p in ax.patches if isinstance(p, Ellipse))
    assert tuple(patch.center) == (1.0, -1.0)
    assert (patch.width, patch.height, patch.get_linewidth()) == (3.0, 12.0, 0.7)
    assert [t.get_text() for t in ax.texts] == ["q(z|x)"]
    assert to_hex(patch.get_edgecolor()) == plots.COLORS["posterior"].lower()


def test_classes_draw_every_point_as_its_digit() -> None:
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(40, 2)), rng.integers(0, 10, 40)
    fig, ax = plots.figure("Classes")
    plots.classes(ax, z, labels)
    drawn = {line.get_marker(): line.get_xydata() for line in ax.lines}
    assert list(drawn) == [f"${digit}$" for digit in range(10)]
    for digit, points in enumerate(drawn.values()):
        np.testing.assert_allclose(points, z[labels == digit])
    rendered(fig)


def test_dots_stand_at_their_values_with_the_number_beside_them() -> None:
    fig, ax = plots.figure("Dots")
    plots.dots(ax, {"exact": (-80.04, "exact"), "ELBO": (-83.27, "elbo"), "other": (2.0, "#123456")})
    assert [t.get_text() for t in ax.get_yticklabels()] == ["exact", "ELBO", "other"]
    assert [t.get_text() for t in ax.texts] == ["-80.0", "-83.3", "2.0"]
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[-80.04, 0]], [[-83.27, 1]], [[2, 2]]]
    assert to_hex(ax.lines[2].get_color()) == "#123456"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    rendered(fig)


def test_cliffs_end_where_a_number_format_has_no_more_numbers() -> None:
    pixels = np.array([100.0, 200, 300, 400])
    fig, ax = plots.figure("Cliffs")
    plots.cliffs(
        ax, pixels, -pixels / 4, {"float32": ([-25.0, -50.0, -np.inf, -np.inf], "naive"), "log space": (-pixels / 4, "importance")}
    )
    lines = {to_hex(line.get_color()): line.get_xydata().tolist() for line in ax.lines[1:]}
    assert lines[plots.COLORS["naive"].lower()] == [[100, -25], [200, -50]]
    assert lines[plots.COLORS["importance"].lower()] == [[100, -25], [200, -50], [300, -75], [400, -100]]
    assert ax.lines[0].get_ydata().tolist() == [-25, -50, -75, -100]
    labels = {t.get_text(): t.xy for t in ax.texts}
    assert labels["float32 ends"] == (200, -50)
    assert labels["log space goes on"] == (400, -100)
    assert "true value" in labels
    rendered(fig)


def test_a_rung_that_is_not_on_the_ladder_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown rung"):
        plots.ladder("Vae")


def test_a_plane_lies_where_its_grid_lies() -> None:
    first, second = np.linspace(1.0, 3.0, 5), np.linspace(-4.0, -2.0, 5)
    grid = np.stack(np.meshgrid(first, second, indexing="ij"), -1).reshape(-1, 2)
    _, ax = plots.figure("Plane")
    plots.plane(ax, grid, grid[:, 0])
    assert ax.images[0].get_extent() == [1.0, 3.0, -4.0, -2.0]
    assert (ax.get_xlim(), ax.get_ylim()) == ((1.0, 3.0), (-4.0, -2.0))
    rows = np.asarray(ax.images[0].get_array())
    np.testing.assert_allclose(rows, np.tile(first, (5, 1)))  # grows to the right, as the first latent does


# ---------------------------------------------------------------- whatever the reader's style


SETTINGS = {
    "axes.facecolor": "yellow",
    "axes.grid": True,
    "axes.prop_cycle": matplotlib.cycler(color=["red"]),
    "axes.spines.left": False,
    "axes.xmargin": 0.4,
    "errorbar.capsize": 9,
    "figure.autolayout": True,
    "figure.dpi": 60,
    "figure.facecolor": "green",
    "font.family": "serif",
    "font.size": 17,
    "hatch.color": "red",
    "hist.bins": 3,
    "image.cmap": "hot",
    "image.origin": "lower",
    "legend.fontsize": 20,
    "lines.linewidth": 5,
    "lines.marker": "s",
    "mathtext.fontset": "stix",
    "patch.force_edgecolor": True,
    "path.sketch": (1, 100, 2),
    "savefig.bbox": "tight",
    "savefig.dpi": 40,
    "savefig.facecolor": "red",
    "savefig.transparent": True,
    "text.color": "blue",
    "text.usetex": True,  # needs a program that is not there: the figure could not even be drawn
    "xtick.direction": "in",
    "xtick.minor.visible": True,
    "ytick.color": "red",
}
STYLES = ["dark_background", "ggplot", "seaborn-v0_8-talk", SETTINGS]


def by_hand() -> Figure:
    """Drawn as cells of the notebooks draw: by methods of the axes and of the figure."""
    fig, (left, right) = plots.figure(["One", "Two"], "x", "y")
    left.plot([1, 2], [2, 1], label="a line")
    left.scatter([1, 2], [1, 2])
    left.bar([1], [1])
    left.hist([1.0, 1.2, 1.9])
    left.errorbar([1.5], [1.5], yerr=0.2)
    left.text(1, 1, "words")
    left.set_xticks([1, 2], ["one", "two"])
    left.set_title("A title")
    left.legend()
    picture = right.imshow(np.arange(4).reshape(2, 2))
    right.set(xlabel="$z_1$", yscale="linear")
    right.fill_between([0, 1], [0, 1], hatch="/")
    right.axvline(0.5)
    fig.colorbar(picture, ax=[left, right])
    fig.suptitle("Both")
    return fig


def lines() -> Figure:
    fig, ax = plots.figure("Lines")
    plots.line(ax, [0, 1], [0, 1], "a line")
    plots.note(ax, (0.5, 0.5), "a remark", (10, 10))
    plots.ellipse(ax, (0, 0), (1, 2), label="q")
    return fig


def cliff() -> Figure:
    fig, ax = plots.figure("Cliffs")
    plots.cliffs(ax, [100.0, 200, 300], [-25.0, -50, -75], {"float32": ([-25.0, -50, -np.inf], "naive")})
    return fig


def planes() -> Figure:
    fig, axes = plots.figure(["Plane", "Sheet", "Classes", "Dots"])
    grid = np.stack(np.meshgrid(np.arange(3.0), np.arange(3.0), indexing="ij"), -1).reshape(-1, 2)
    plots.plane(axes[0], grid, grid[:, 0])
    plots.sheet(axes[1], np.linspace(0, 1, 4 * 784).reshape(4, 784), 3.0)
    plots.classes(axes[2], grid, np.arange(9))
    plots.dots(axes[3], {"exact": (-80.04, "exact"), "ELBO": (-83.27, "elbo")})
    return fig


FIGURES = {
    "cells": by_hand,
    "line, note, ellipse": lines,
    "cliffs": cliff,
    "plane, sheet, classes, dots": planes,
    "figure": lambda: plots.figure("Title", "x", "y")[0],
    "images": lambda: plots.images(np.linspace(0, 1, 3 * 784).reshape(3, 784), "Title", ["a", "b", "c"], row_names=["row"]),
    "ladder": lambda: plots.ladder("VAE"),
    "manifold": lambda: plots.manifold(np.linspace(0, 1, 4 * 784).reshape(4, 784), 3.0, "Title"),
    "scoreboard": lambda: plots.scoreboard([("naive", "naive", -math.inf, 0.0, -80.0), ("ELBO", "elbo", -83.0, 0.4, -80.0)]),
}


def test_every_function_that_draws_is_among_the_figures() -> None:
    code = inspect.getsource(sys.modules[__name__])
    drawing = {name for name, f in vars(plots).items() if inspect.isfunction(f) and f.__module__ == plots.__name__ and name[0] != "_"}
    assert drawing - {"course_style", "in_course_style", "picture", "show"} <= set(
        re.findall(r"plots\.(\w+)\(", code.partition("\ndef by_hand")[2])
    )


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style if isinstance(style, str) else "settings")
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_whatever_style_the_reader_has_set(name: str, style: Any, outputs: list[dict[str, Any]]) -> None:
    plots.show(FIGURES[name](), "As it is without a style.")
    with plt.style.context(style):
        plots.show(FIGURES[name](), "As it is under a style.")
    plain, styled = (bundle["image/png"] for bundle in outputs)
    assert styled == plain


def test_a_style_set_between_the_making_and_the_showing_changes_nothing(outputs: list[dict[str, Any]]) -> None:
    plots.show(by_hand(), "As it is without a style.")
    fig = by_hand()
    with plt.style.context("dark_background"):
        plots.show(fig, "As it is under a style.")
    assert outputs[0]["image/png"] == outputs[1]["image/png"]


def test_a_figure_of_the_reader_s_own_keeps_the_reader_s_style(outputs: list[dict[str, Any]]) -> None:
    with plt.style.context("dark_background"):
        fig, _ = plt.subplots()
        plots.show(fig, "White ticks on a black background.")
    corner = reader.imread(io.BytesIO(outputs[0]["image/png"]))[0, 0]
    assert corner.tolist() == [0, 0, 0, 1]


def test_an_error_while_drawing_leaves_the_reader_s_settings_alone() -> None:
    with plt.style.context("dark_background"):
        before = dict(plt.rcParams)
        _, ax = plots.figure("Title")
        with pytest.raises(ValueError, match="same first dimension"):
            ax.plot([1, 2], [1, 2, 3])
        assert dict(plt.rcParams) == before


def test_a_picture_of_few_colours_looks_like_that_of_all() -> None:
    from PIL import Image

    def drawn() -> Any:
        fig, ax = plots.figure("Rising", "x", "y")
        ax.imshow(np.linspace(0, 1, 784).reshape(28, 28), cmap="Oranges", extent=(0, 1, 0, 1))
        plots.line(ax, [0, 1], [0, 1], "a line", "elbo")
        return fig

    whole, fig = io.BytesIO(), drawn()
    fig.savefig(whole, format="png", dpi=plots.STYLE["figure.dpi"], facecolor="auto")
    small = plots.picture(drawn())
    before, after = (np.asarray(Image.open(f).convert("RGB")).astype(int) for f in (whole, io.BytesIO(small)))
    assert Image.open(io.BytesIO(small)).mode == "P"
    assert len(small) < len(whole.getvalue())
    assert (after[0, 0] == 255).all()  # paper stays white
    assert ((before == 255).all(-1) <= (after == 255).all(-1)).all()
    assert np.quantile(abs(before - after), 0.999) <= 24


def test_a_soft_ramp_keeps_its_greys_only_where_they_are_asked_for(outputs: list[dict[str, Any]]) -> None:
    from PIL import Image

    for asked in (True, False):
        fig, ax = plots.figure("A ramp")
        ax.imshow(np.linspace(0, 1, 256)[None], cmap="gray", aspect="auto")
        ax.grid(False)
        plots.show(fig, "From black to white.", all_greys=asked)
    fine, coarse = (np.asarray(Image.open(io.BytesIO(sent["image/png"])).convert("L")).astype(int) for sent in outputs)
    middle = len(fine) // 2
    assert len(np.unique(fine[middle])) > 150
    assert len(np.unique(coarse[middle])) < 30
    assert abs(np.diff(fine[middle, 100:-100])).max() <= 8
    assert (fine.min(), fine.max()) == (0, 255)
