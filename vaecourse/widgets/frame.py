"""The basis of the figures that need a kernel: an output that can be replaced, and messages from the page.

`watch` and `explore` are displayed as a picture with its sentence, so a saved notebook shows their last state without a kernel and
without a script. A script that talks to the kernel adds buttons and sliders, which are no part of the saved output.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from html import escape
from typing import Any

from torch import Tensor

from vaecourse.data import Split
from vaecourse.models import ConditionalVAE, LatentVariableModel
from vaecourse.widgets.live import bundled

__all__ = ["Later", "Place", "by_class", "draws_images", "figure_element", "heard_while_running", "kernel", "remote", "rows_of"]

DPI = 100  # of a picture that is drawn while something else is going on
SIDE = 28  # pixels of an image, in a row


class Place:
    """One output of the running cell, which can be displayed and then replaced as long as the kernel lives."""

    def __init__(self) -> None:
        self.handle = None

    def show(self, data: dict[str, Any], alt: str = "") -> None:
        """Display a bundle of representations: the first time as a new output, and then in its place."""
        from IPython.display import DisplayHandle, display

        metadata = {"image/png": {"alt": alt}} if alt else {}
        if self.handle is None:
            self.handle = DisplayHandle()
            display(data, metadata=metadata, raw=True, display_id=self.handle.display_id)
        else:
            self.handle.update(data, metadata=metadata, raw=True)

    def picture(self, picture: bytes, sentence: str) -> None:
        """Display a PNG picture whose alternative text is `sentence`."""
        self.show({"image/png": picture, "text/plain": sentence}, sentence)


def figure_element(mark: str, inside: str, caption: str) -> str:
    """The element that the script of a `remote` with the same mark looks for."""
    return f'<figure data-vae="{mark}" style="margin: 0">{inside}<figcaption>{escape(caption)}</figcaption></figure>'


def remote(script: str, **traits: Any):
    """A widget without a view: the page runs the file `script` of the folder js, with a model that has these traits.

    The file exports a function of its own name, which is called once with {model}.
    """
    import anywidget

    synchronised = {name: trait.tag(sync=True) for name, trait in traits.items()}
    start = f"export default {{ initialize: {script} }};"
    return type("Remote", (anywidget.AnyWidget,), {"_esm": f"{bundled(script)}\n{start}", **synchronised})()


def heard_while_running(widget: Any) -> None:
    """Let messages of the page to a widget be handled even while a cell is running.

    JupyterLab and Notebook 7 send them to a subshell of the kernel, a thread beside that of the cells. Newer versions of ipykernel pass
    them on to the thread from which the kernel last wrote to the widget, which is the busy one; this widget opts out.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda data, subshell: subshell


def kernel() -> Any:
    """The Jupyter kernel that runs this code; None elsewhere."""
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None)


class Later:
    """Draw once for all moves that have arrived: immediately if a cell asks for it, and soon afterwards if the page does.

    The moves of the page may be handled in another thread than the cells. Matplotlib draws in one thread only, so the drawing is
    postponed to the event loop of the thread that made the figure, until no cell is running there.
    """

    def __init__(self, redraw: Callable[[], None]):
        self.redraw, self.asked, self.loop = redraw, False, _running_loop()

    def ask(self) -> None:
        """Request a drawing."""
        if not _from_the_reader():
            self.redraw()
        elif not self.asked:
            self.asked = True
            loop = self.loop or asyncio.get_running_loop()
            loop.call_soon_threadsafe(loop.call_later, 0.005, self.answer)

    def answer(self) -> None:
        """Draw, for all requests since the last drawing."""
        self.asked = False
        self.redraw()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _from_the_reader() -> bool:
    """Whether a moved control in a running notebook is being handled, rather than the code of a cell."""
    here = kernel()
    if here is None or _running_loop() is None:
        return False
    return here.get_parent().get("header", {}).get("msg_type") == "comm_msg"


def rows_of(model: LatentVariableModel, x: Split | Tensor, most: int) -> Tensor:
    """The first rows of a split or of a tensor, checked; followed by their classes if the model is conditional.

    Raises:
        TypeError, ValueError: the rows do not fit the model, or a conditional model is given a split without labels.
    """
    if isinstance(x, Split) and isinstance(model, ConditionalVAE):
        if x.labels is None:
            raise ValueError(f"a {type(model).__name__} needs the classes of the images, and this split has none")
        x = model.rows(x.x[:most], x.labels[:most])
    x = x.x if isinstance(x, Split) else x
    model.check(x)
    return x[:most]


def by_class(model: LatentVariableModel, x: Tensor) -> list[tuple[LatentVariableModel, Tensor]]:
    """Models that take z alone, each with its rows of x: the model itself, or for a `ConditionalVAE` the model of each class."""
    if not isinstance(model, ConditionalVAE):
        return [(model, x)]
    images, labels = x[:, : model.n_pixels], x[:, model.n_pixels :].argmax(1)
    return [(model.given(int(label)), images[labels == label]) for label in labels.unique()]


def draws_images(model: LatentVariableModel) -> bool:
    """Whether x is a picture of black and white pixels, 28 by 28."""
    pixels = model.n_pixels if isinstance(model, ConditionalVAE) else model.data_dim
    return model.binary and pixels == SIDE * SIDE
