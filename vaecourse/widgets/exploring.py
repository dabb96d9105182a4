"""`explore`: sliders for the latents of any model, which the kernel answers; a saved notebook shows the last picture."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Distribution

from vaecourse import plots
from vaecourse.data import Split
from vaecourse.models import LatentVariableModel
from vaecourse.plots import picture
from vaecourse.tables import Table
from vaecourse.tabular import TabularVAE
from vaecourse.widgets.frame import DPI, SIDE, Later, Place, by_class, draws_images, figure_element, remote, rows_of

__all__ = ["Explorer", "explore"]

SLIDERS = 8  # latents that can be moved, at most
ROWS = 20  # rows of x to choose from, at most
LINES = 14  # columns of a table that are written out, at most
REACH, STEP = 4.0, 0.1  # of a slider, at least


def explore(model: LatentVariableModel, x: Split | Tensor) -> Explorer:
    """Explore a model latent by latent: sliders set z, and the kernel shows what the decoder makes of it.

    The view shows the mean of p(x|z), a sample from it, a row of x with log p(x|z), and z beside the encoder's q(z|x). With more than eight
    latents there are sliders for those whose codes vary most over x; the others stay at the mean of q for the row (at 0 without an
    encoder). For a table, the median is shown for a positive quantity, and the most probable value for a category.

    Args:
        model: any prior and decoder, with or without an encoder; a `ConditionalVAE` is given the class of the row.
        x: a split, or rows (B, D), of which the first 20 can be chosen.

    Returns:
        The explorer; let it be the last expression of its cell. `move` sets its controls, `sentence` says what it shows.

    Raises:
        TypeError, ValueError: there is no model with a prior and a decoder, or the rows do not fit it.
    """
    if not isinstance(model, LatentVariableModel):
        raise TypeError(f"explore needs a model with a prior and a decoder, see vaecourse.models; got {type(model).__name__}")
    return Explorer(model, rows_of(model, x, ROWS))


class Explorer:
    """The view that `explore` returns.

    Attributes:
        values: {"row": its number, "z": the values of the sliders, "sample": the number of the sample}.
        shown: the latents that have a slider, by their number from 0.
        sentence: what the picture shows.
        picture: the picture, as PNG.
    """

    name = "Explore the model"

    def __init__(self, model: LatentVariableModel, x: Tensor):
        self.model, self.x = model, x
        self.noun = "digit" if draws_images(model) else "row"
        parts = [part for row in x for part in by_class(model, row[None])]
        self.models, self.images = [one for one, _ in parts], [image for _, image in parts]
        with torch.no_grad():
            self.q = [one.encoder(image) for one, image in parts] if hasattr(model, "encoder") else None
            zero = x.new_zeros(len(x), model.latent_dim)
            self.codes = zero if self.q is None else torch.cat([q.mean for q in self.q])
        order = self.codes.var(0, correction=0).argsort(descending=True, stable=True)
        self.shown = sorted(order[:SLIDERS].tolist())
        self.values = {"row": 0, "z": self._at_the_code(0), "sample": 1}
        self.about = f"z by sliders; the mean of p(x|z), a sample from it, and a {self.noun} with its log p(x|z)."
        self.page, self.still = None, None
        self._draw()

    def move(self, *, row: int | None = None, z: Any = None, sample: int | None = None) -> None:
        """Set the controls that are given, and draw at once.

        Args:
            row: the number of a row; z does not change.
            z: one value for each slider.
            sample: the number of the sample from p(x|z); the same number gives the same sample.

        Raises:
            ValueError: there is no such row, z has another length or is not finite, or sample is no whole number.
        """
        values = self.values | {k: v for k, v in {"row": row, "z": z, "sample": sample}.items() if v is not None}
        if values["row"] not in range(len(self.x)):
            raise ValueError(f"row must be from 0 to {len(self.x) - 1}; got {row}")
        values["z"] = [float(v) for v in values["z"]]
        if len(values["z"]) != len(self.shown) or not all(map(math.isfinite, values["z"])):
            raise ValueError(f"z must hold {len(self.shown)} finite values, one for each slider; got {values['z']}")
        if not isinstance(values["sample"], int):
            raise ValueError(f"sample must be a whole number; got {sample!r}")
        if values == self.values:
            return
        self.values = values
        self._draw()
        if self.page is not None:
            self.page.values = values
            self._answer()

    @property
    def z(self) -> Tensor:
        """All latents (K,): those with a slider have its value, the others the mean of q for the row."""
        z = self.codes[self.values["row"]].clone()
        z[self.shown] = z.new_tensor(self.values["z"])
        return z

    def __repr__(self) -> str:
        return f"{self.name}. {self.about} {self.sentence}"

    def _at_the_code(self, row: int) -> list[float]:
        """Where the sliders stand nearest to the mean of q."""
        return [round(round(float(v) / STEP) * STEP, 6) + 0.0 for v in self.codes[row, self.shown]]

    def _draw(self) -> None:
        row, z = self.values["row"], self.z
        image = self.images[row]
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.values["sample"])
            p = self.models[row].decoder(z[None])
            sample, fit = p.sample()[0], p.log_prob(image).item()
            best = self.models[row].decoder(self.codes[row, None]).log_prob(image).item()
        self.sentence = self._say(fit, best)
        with plots.course_style():  # while it is written, too
            self.picture = picture(self._figure(p, sample), DPI)

    def _say(self, fit: float, best: float) -> str:
        row = self.values["row"]
        names = ", ".join(f"z{_below(k + 1)} = {v:.1f}" for k, v in zip(self.shown, self.values["z"]))
        others = self.model.latent_dim - len(self.shown)
        where = "0" if self.q is None else "the mean of q"
        rest = f", the other {others} at {where}" if others else ""
        at_q = "" if self.q is None else f"; at the mean of q it is {best:.1f}"
        return f"{names}{rest}: log p(x|z) of {self.noun} {row} is {fit:.1f} nats{at_q}."

    def _figure(self, p: Distribution, sample: Tensor):
        import matplotlib.pyplot as plt

        mean, image = p.mean[0], self.images[self.values["row"]][0]
        with plots.course_style(plots.STYLE | {"figure.constrained_layout.use": False}):
            if self.noun == "digit":
                fig, axes = plt.subplots(1, 4, figsize=(9.6, 2.7))
                fig.subplots_adjust(left=0.01, right=0.985, top=0.88, bottom=0.17, wspace=0.12)
                titles = ["Mean of p(x|z)", "A sample", f"Digit {self.values['row']}"]
                for ax, title, values in zip(axes, titles, (mean, sample, image)):
                    ax.imshow(np.asarray(values).reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=1)
                    ax.set(title=title, xticks=[], yticks=[])
                    ax.grid(False)
                    ax.spines[:].set_visible(True)
            else:
                fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.8), width_ratios=(2.4, 1))
                fig.subplots_adjust(left=0.06, right=0.985, top=0.92, bottom=0.13, wspace=0.14)
                draw = _cells if isinstance(self.model, TabularVAE) else _curves
                draw(axes[0], self.model, {f"row {self.values['row']}": image, "mean of p(x|z)": mean, "sample": sample})
            self._latents(axes[-1])
        return fig

    def _latents(self, ax) -> None:
        """Each slider as a cross on the middle 95 % of q(z|x)."""
        ax.set_title("z, and q(z|x)" if self.q is not None else "z")
        lines = range(len(self.shown))
        if self.q is not None:
            q = self.q[self.values["row"]]
            mean, spread = q.mean[0, self.shown].numpy(), 2 * q.stddev[0, self.shown].numpy()
            ax.hlines(lines, mean - spread, mean + spread, color=plots.COLORS["elbo"], lw=7, alpha=0.5)
        ax.plot(self.values["z"], lines, "P", color="black", ms=9, mec="white")
        reach = self._reach()
        ax.set(xlim=(-reach, reach), ylim=(len(self.shown) - 0.4, -0.6), yticks=lines)
        ax.set_yticklabels([f"$z_{{{k + 1}}}$" for k in self.shown])

    def _reach(self) -> float:
        return max(REACH, math.ceil(float(self.codes[:, self.shown].abs().max()) + 0.5))

    def _ipython_display_(self) -> None:
        from IPython.display import display

        self.still = Place()
        self.still.picture(self.picture, repr(self))
        self.page, mark = self._connect()
        waits = f"{self.name}: its sliders appear here while a kernel runs (run this cell)."
        display({"text/html": figure_element(mark, "", waits), "text/plain": self.name}, raw=True)

    def _connect(self):
        """The sliders in the page: a widget that draws when it is moved."""
        import traitlets
        from IPython import get_ipython

        reach = self._reach()
        controls = {
            "title": self.name,
            "about": self.about,
            "noun": self.noun,
            "rows": len(self.x),
            "latents": [{"name": f"z{_below(k + 1)}", "min": -reach, "max": reach, "step": STEP} for k in self.shown],
            "codes": None if self.q is None else [self._at_the_code(row) for row in range(len(self.x))],
        }
        told = json.dumps([controls, self.sentence, getattr(get_ipython(), "execution_count", 0)])
        mark = hashlib.sha256(told.encode()).hexdigest()[:12]  # the same in every run of the notebook
        page = remote(
            "exploring",
            mark=traitlets.Unicode(mark),
            controls=traitlets.Dict(controls),
            values=traitlets.Dict(self.values),
            answered=traitlets.Dict(self.values),
            said=traitlets.Unicode(self.sentence),
            picture=traitlets.Bytes(self.picture),
        )
        later = Later(self._follow)
        page.observe(lambda change: later.ask(), "values")
        return page, mark

    def _follow(self) -> None:
        """Draw what the sliders of the page say."""
        values = dict(self.page.values)
        if values != self.values:
            self.values = values
            self._draw()
        self._answer()

    def _answer(self) -> None:
        """Send the picture to the page, and store it in the notebook."""
        if self.page.answered == self.values:
            return
        with self.page.hold_sync():
            self.page.said, self.page.answered, self.page.picture = self.sentence, self.values, self.picture
        self.still.picture(self.picture, repr(self))


def _below(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _curves(ax, model: LatentVariableModel, rows: dict[str, Tensor]) -> None:
    """The values of x in their order, one line for each row."""
    for (name, values), color, mark in zip(rows.items(), ("exact", "elbo", "importance"), ("o-", "s-", "^:")):
        ax.plot(range(1, 1 + len(values)), values.detach().numpy(), mark, ms=4, color=plots.COLORS[color], label=name)
    ax.set(title="x", xlabel="number of the value")
    ax.legend(frameon=False, fontsize=9)


def _cells(ax, model: TabularVAE, rows: dict[str, Tensor]) -> None:
    """The cells of a table in the words and units of its file, one line for each column."""
    x = torch.stack(list(rows.values()))
    words = Table(model.columns, x, x, x).decode(x)
    ax.axis("off")
    ax.set(title="The row", xlim=(0, 1), ylim=(min(len(model.columns), LINES) - 0.3, -1.3))
    for name, place in zip(rows, (0.52, 0.76, 1.0)):
        ax.text(place, -1, name, ha="right", va="center", fontsize=9, weight="bold")
    for i, column in enumerate(model.columns[:LINES]):
        ax.text(0, i, column.name, va="center", fontsize=9)
        for value, place in zip(words[column.name], (0.52, 0.76, 1.0)):
            said = "empty" if value is None or value != value else value if isinstance(value, str) else f"{value:,.4g}"
            ax.text(place, i, said, ha="right", va="center", fontsize=9)
    if len(model.columns) > LINES:
        ax.text(0, LINES - 0.4, f"and {len(model.columns) - LINES} more columns", fontsize=9)
