"""What every explorer stands in: controls beside a picture that follows them, and a sentence that says what it shows.

An explorer redraws when a control moves. Moves that arrive while it draws are not queued: the next picture shows the last
of them. The sentence is there for those who do not see the picture, and for a later cell to test.
Without a kernel the saved picture and the sentence stand in its place.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import io
from collections.abc import Callable
from typing import Any

Draw = Callable[..., "tuple[Any, str]"]
DPI = 80


def explorer(
    name: str,
    about: str,
    controls: dict[str, Any],
    draw: Draw,
    clicked: Callable[[Any, float, float], dict[str, float]] | None = None,
):
    """Controls, a picture and a sentence.

    Args:
        name: what is explored, the heading above the controls.
        about: a sentence, what the picture shows whatever the controls say.
        controls: from the name of an argument of `draw` to the ipywidget that sets it.
        draw: from the controls' values to a matplotlib figure and the sentence that says what it shows.
        clicked: what a click on the picture sets: from the figure and the place of the click, as shares of its width (from
            the left) and height (from the top), to values of controls.

    Returns:
        An ipywidgets.VBox with `.controls`, `.sentence` (str) and `.picture` (PNG bytes); let it be the last expression of
        its cell. Setting `box.controls["n"].value = 100` in a cell redraws before the next line.
    """
    import ipywidgets as widgets

    from vaecourse.plots import course_style

    class Explorer(widgets.VBox):
        @property
        def sentence(self) -> str:
            return self.said

        @property
        def picture(self) -> bytes:
            return bytes(image.value)

        def __repr__(self) -> str:  # without results: a trained model's last digits differ between machines
            return f"{name}. {about} ({', '.join(f'{c.description}: {_said(c.value)}' for c in controls.values())})"

        def _repr_mimebundle_(self, **kwargs: Any) -> dict:
            still = {"text/plain": repr(self), "image/png": base64.b64encode(image.value).decode()}
            return (super()._repr_mimebundle_(**kwargs) or {}) | still

    image = widgets.Image(format="png", layout=widgets.Layout(max_width="100%", object_fit="contain"))
    line, pointer = widgets.HTML(), _pointer(len(controls))
    for control in controls.values():
        control.style.description_width, control.layout.width, control.layout.max_width = "7.5em", "30em", "100%"
    row = widgets.HBox(list(controls.values()), layout=widgets.Layout(flex_flow="row wrap"))
    box = Explorer([widgets.HTML(f"<b>{name}{'' if name.endswith('?') else '.'}</b> {about}"), row, image, line, pointer])
    box.controls = controls

    def redraw() -> None:
        with course_style():
            box.figure, box.said = draw(**{key: control.value for key, control in controls.items()})
        image.value = png(box.figure, pointer.narrow)
        line.value = f'<span role="status" aria-live="polite">{box.said}</span>'
        pointer.said = box.said

    later = _Later(redraw)
    for control in controls.values():
        control.observe(lambda change: later.ask(), "value")
    pointer.observe(lambda change: later.ask(), "narrow")
    redraw()
    gc.collect()
    gc.freeze()  # what is loaded by now stays: walking it again whenever figures are collected stops the picture for 0.2 s
    if clicked is not None:

        def click(change: dict) -> None:
            for key, value in clicked(box.figure, *change["new"][:2]).items():
                controls[key].value = value

        pointer.observe(click, "at")
        pointer.clickable = True
    return box


def slider(label: str, value: float, low: float, high: float, step: float):
    """A slider that says its number while it moves. Whole numbers stay whole."""
    import ipywidgets as widgets

    kind = widgets.IntSlider if isinstance(step, int) else widgets.FloatSlider
    return kind(value=value, min=low, max=high, step=step, description=label)


def choice(label: str, options: list[str], value: str | None = None):
    """A slider over names: JupyterLab keeps the arrow keys of a drop-down list for itself."""
    import ipywidgets as widgets

    return widgets.SelectionSlider(options=options, value=value or options[0], description=label)


def _pointer(sliders: int):
    """An invisible widget. It says where the picture was clicked and whether there is little room for it, and it gives sliders and
    picture the names that are read aloud."""
    import anywidget
    import traitlets

    class Pointer(anywidget.AnyWidget):
        _esm = """
        function render({ model, el }) {
          const attach = () => {
            const root = el.closest(".widget-vbox"), picture = root?.querySelector("img");
            const handles = root ? [...root.querySelectorAll(".noUi-handle")] : [];
            if (!picture || handles.length < model.get("sliders")) { requestAnimationFrame(attach); return; }
            for (const handle of handles) {
              const row = handle.closest(".widget-inline-hbox");
              handle.setAttribute("aria-label", row.querySelector(".widget-label").textContent);
              const say = () => {  // the number as it is shown, not 0.20000000000000018
                const shown = row.querySelector(".widget-readout").textContent;
                if (shown && handle.getAttribute("aria-valuetext") !== shown) handle.setAttribute("aria-valuetext", shown);
              };
              new MutationObserver(say).observe(handle, { attributes: true, attributeFilter: ["aria-valuetext"] });
              say();
            }
            const describe = () => { picture.alt = model.get("said"); };
            model.on("change:said", describe);
            describe();
            const clickable = () => { picture.style.cursor = model.get("clickable") ? "crosshair" : ""; };
            model.on("change:clickable", clickable);
            clickable();
            new ResizeObserver(() => {
              const narrow = root.clientWidth < 600;
              if (root.clientWidth === 0 || narrow === model.get("narrow")) return;
              model.set("narrow", narrow);
              model.save_changes();
            }).observe(root);
            picture.addEventListener("click", (event) => {
              if (!model.get("clickable")) return;
              const box = picture.getBoundingClientRect();
              model.set("at", [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, Date.now()]);
              model.save_changes();
            });
          };
          attach();
        }
        export default { render };
        """
        at = traitlets.List().tag(sync=True)
        said = traitlets.Unicode().tag(sync=True)
        sliders = traitlets.Int().tag(sync=True)
        clickable = traitlets.Bool(False).tag(sync=True)
        narrow = traitlets.Bool(False).tag(sync=True)

    return Pointer(sliders=sliders)


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class _Later:
    """Draws once for all the moves that have arrived: at once when a cell asks, and soon when the reader's keys do.

    JupyterLab may have the kernel handle a reader's moves in another thread than its cells. Matplotlib draws in one thread
    only, so the drawing is left to the loop of the thread that made the explorer, for when no cell is running there.
    """

    def __init__(self, redraw: Callable[[], None]):
        self.redraw, self.asked, self.loop = redraw, False, _running_loop()

    def ask(self) -> None:
        if not _from_the_reader():
            self.redraw()
        elif not self.asked:
            self.asked = True
            loop = self.loop or asyncio.get_running_loop()
            loop.call_soon_threadsafe(loop.call_later, 0.005, self.answer)

    def answer(self) -> None:
        self.asked = False
        self.redraw()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _from_the_reader() -> bool:
    """Whether this is the handling of a moved control in a running notebook, rather than a cell's own code."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None or _running_loop() is None:
        return False
    return kernel.get_parent().get("header", {}).get("msg_type") == "comm_msg"


def png(fig: Any, narrow: bool = False) -> bytes:
    """The figure as a picture, made as quickly as a moving control asks for; the figure is closed."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator
    from matplotlib.transforms import ScaledTranslation

    from vaecourse.plots import course_style

    buffer = io.BytesIO()
    fig.set_layout_engine(None)  # a layout that is computed takes longer than the drawing
    if narrow:
        _stack(fig)
    else:
        fig.subplots_adjust(left=0.095, right=0.97, top=0.88, bottom=0.17, wspace=0.32)
    below = ScaledTranslation(0, -22 / 72, fig.dpi_scale_trans)
    for ax in fig.axes:
        # where it would be anyway: to find the place takes as long as to draw
        ax.xaxis.set_label_coords(0.5, 0, ax.transAxes + below)
        for axis in (ax.xaxis, ax.yaxis):
            if isinstance(axis.get_major_locator(), MaxNLocator):
                axis.get_major_locator().set_params(nbins=4)  # a tick with its label and its line takes a millisecond
    with course_style({"text.hinting": "none"}):  # hinting the letters is a third of the work of writing them
        fig.savefig(buffer, format="png", dpi=DPI, facecolor="white", pil_kwargs={"compress_level": 1})
    plt.close(fig)
    return buffer.getvalue()


def _stack(fig: Any) -> None:
    """The panels below each other, from four on in two columns, for a window in which a row of them could not be read."""
    columns = 1 if len(fig.axes) < 4 else 2
    rows = -(-len(fig.axes) // columns)
    height = 2.9 * rows if columns == 1 else 2.4 * rows
    fig.set_size_inches(4.7, height)
    places = fig.add_gridspec(
        rows, columns, left=0.27 / columns, right=0.96, top=1 - 0.3 / height, bottom=0.5 / height, hspace=0.5, wspace=0.35
    )
    for ax, place in zip(fig.axes, places):
        ax.set_subplotspec(place)
