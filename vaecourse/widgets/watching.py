"""`watch`: a view of a training while it runs, with a button to stop it; its last picture remains."""

from __future__ import annotations

import base64
import math
import os
import time
import uuid
from collections.abc import Callable
from html import escape
from numbers import Real
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vaecourse import plots
from vaecourse.data import Digits, Split
from vaecourse.diagnostics import exact_elbo
from vaecourse.estimators import elbo, iwae_bound
from vaecourse.models import ConditionalVAE, LatentVariableModel
from vaecourse.oracles import exact_log_px
from vaecourse.plots import picture
from vaecourse.training import History
from vaecourse.widgets.frame import (
    DPI,
    SIDE,
    Place,
    by_class,
    draws_images,
    figure_element,
    heard_while_running,
    kernel,
    remote,
    rows_of,
)

__all__ = ["Watch", "scores", "watch"]

JUDGED = 20  # held-out rows whose ELBO and log p(x) are computed
SHOWN = 200  # held-out rows whose codes are drawn
DRAWS = 100  # of z for each row, where log p(x) is not known
MOMENTS = 12  # how often during a training the judged rows are judged where it is not seen; where it is, with every picture
SHARE = 0.1  # of the time goes into drawing, at most


def watch(
    model: LatentVariableModel,
    held_out: Digits | Split | Tensor,
    labels: Tensor | None = None,
    *,
    also: Callable[[int], Any] | None = None,
    every: float = 2.0,
    live: bool | None = None,
) -> Watch:
    """A view of a training: `fit(vae, digits, 60, on_epoch=watch(vae, digits.test))`.

    It shows the training and validation loss, the codes of held-out rows, their reconstructions, and the ELBO and the exact log p(x)
    of some of them; with more than two latents, the KL divergence of each latent and the importance weighted bound. A button stops the
    training after the current epoch. When the training ends, its last picture and the sentence below remain. Outside of a
    notebook, in a plain script, nothing is drawn and nothing is computed.

    Args:
        model: the model, which must have an encoder.
        held_out: a split, whose labels are used as well; a data set, whose test split is used; or rows (B, D).
        labels: the classes (B,) of rows that are given as a tensor.
        also: a function of your own, called with the number of every completed epoch before the picture is drawn again.
        every: the least time between two pictures, in seconds; in addition, drawing takes at most a tenth of the time.
        live: show pictures during the training. By default they are shown unless TQDM_DISABLE is set, which also hides the bar of `fit`;
            then only the last picture is shown.

    Raises:
        TypeError, ValueError: the model has no encoder, rows or labels do not fit, or the time is negative.
    """
    if not hasattr(model, "encoder"):
        raise ValueError(
            f"watch shows the codes that an encoder gives to held-out rows, but {type(model).__name__} has no encoder: pass a VAE"
        )
    split = held_out.test if isinstance(held_out, Digits) else held_out
    if isinstance(split, Split):
        if labels is not None:
            raise ValueError("labels belong to rows that are given as a tensor; a split brings its own: leave them out")
        labels = split.labels
    rows = rows_of(model, split, SHOWN)
    if labels is not None:
        labels = torch.as_tensor(labels)[:SHOWN]
        if labels.shape != rows.shape[:1] or not ((labels >= 0) & (labels <= 9)).all():
            raise ValueError(f"labels must hold a class from 0 to 9 for each of the {len(rows)} rows; got shape {tuple(labels.shape)}")
    if not (isinstance(every, Real) and every >= 0):
        raise ValueError(f"every is a time in seconds, 0 or above; got {every!r}")
    return Watch(model, rows, labels, also, every, live)


class Watch:
    """The view that `watch` returns, to be passed to `fit` as on_epoch.

    Attributes:
        sentence: what the last picture shows; empty before there is one.
        picture: the last picture, as PNG; None before there is one.
        scores: from the number of epochs to the average ELBO and log p(x) (or its bound) of the judged rows, in nats.
    """

    def __init__(self, model: LatentVariableModel, x: Tensor, labels: Tensor | None, also: Any, every: float, live: bool | None):
        self.model, self.x, self.labels, self.also, self.every = model, x, labels, also, every
        self.live = os.environ.get("TQDM_DISABLE", "0") in ("", "0") if live is None else live
        self.judged = x[:JUDGED]
        self.exact = model.latent_dim <= 2 and not isinstance(model, ConditionalVAE)
        self.noun, self.unit = ("digits", "image") if draws_images(model) else ("rows", "row")
        self.place: Place | None = None
        self.ear = None
        self.sentence, self.picture, self.scores = "", None, {}

    def begin(self, history: History, epochs: int) -> bool:
        """Called by `fit` before the first epoch with the history that it fills; returns whether this view replaces the progress bar."""
        self.history, self.epochs, self.stop = history, epochs, False
        self.sentence, self.picture, self.scores, self.next = "", None, {}, 0.0
        self.place = None if kernel() is None else Place()
        if self.place is None or not self.live:
            return False
        self.mark = uuid.uuid4().hex
        self.place.show(self._running("", "The first picture appears after the first epoch."))
        self.ear = _ear(self.mark)
        self.ear.observe(self._press, "stop")
        return True

    def _press(self, change: dict) -> None:
        """The button was pressed. An epoch may be running in another thread, so this only makes a note."""
        self.stop = True
        change["owner"].heard = True

    def __call__(self, epoch: int) -> bool:
        """Called by `fit` after every epoch; returns whether the training is to stop."""
        asked = self.also is not None and self.also(epoch) is True
        if self.place is None:
            return asked
        done = epoch + 1
        if not self.live and (done == 1 or done % math.ceil(self.epochs / MOMENTS) == 0):
            self._judge(done)
        if self.live and done < self.epochs and time.monotonic() >= self.next:
            start, first = time.monotonic(), self.picture is None
            self._draw()
            address = f"data:image/png;base64,{base64.b64encode(self.picture).decode()}"
            img = f'<img src="{address}" alt="{escape(self.sentence)}" style="max-width: 100%">'
            self.place.show(self._running(img, self.sentence))
            end = time.monotonic()
            rest = 0.0 if first else (end - start) * (1 / SHARE - 1)  # the first picture is slow, because it loads the fonts
            self.next = end + max(self.every, rest)
        return self.stop or asked

    def end(self) -> None:
        """Called by `fit` when the training is over, whatever ended it: the last picture replaces the live view."""
        if self.ear is not None:
            self.ear.close()
            self.ear = None
        if self.place is None:
            return
        if not self.history.train:
            self.sentence = "The training ended before its first epoch was over."
            self.place.show({"text/plain": self.sentence})
            return
        if self.history.stopped == "interrupted":  # perhaps within an epoch: the model is shown as it was left
            self.scores.pop(len(self.history.train), None)
        self._draw()
        self.place.picture(self.picture, self.sentence)
        self.place = None

    def _running(self, img: str, caption: str) -> dict[str, str]:
        return {"text/html": figure_element(self.mark, img, caption), "text/plain": caption}

    def _judge(self, done: int) -> None:
        if done not in self.scores:
            self.scores[done] = scores(self.model, self.judged, self.exact)

    def _draw(self) -> None:
        done = len(self.history.train)
        self._judge(done)
        self.sentence = self._say(done)
        with plots.course_style():  # while it is written, too
            self.picture = picture(_figure(self), DPI)

    def where(self) -> str:
        """How far the training has come, and what ended it."""
        how = {"interrupted": "Interrupted after", "on request": "Stopped on request after", "early": "Stopped early after"}
        return f"{how.get(self.history.stopped, 'After')} epoch {len(self.history.train)} of {self.epochs}"

    def _say(self, done: int) -> str:
        bound, log_px = self.scores[done]
        digits = 0 if draws_images(self.model) else 1  # as many as all machines agree on
        losses = f"training loss {self.history.train[-1]:.{digits}f}"
        if self.history.valid:
            losses += f", validation loss {self.history.valid[-1]:.{digits}f}"
        known = "exact log p(x)" if self.exact else f"the bound on log p(x) with {DRAWS} samples"
        value = f"{log_px:.{digits}f}" if math.isfinite(log_px) else "not settled"
        return (
            f"{self.where()}: {losses} nats per {self.unit}; of "
            f"{len(self.judged)} held-out {self.noun} the average ELBO is {bound:.{digits}f}, {known} {value} nats."
        )


def scores(model: LatentVariableModel, x: Tensor, exact: bool) -> tuple[float, float]:
    """The average ELBO and log p(x) of x in nats: both exact (NaN if the quadrature does not settle), or both estimates.

    The estimates use `DRAWS` samples for each row, the same at every call, and leave the global random state as it was.
    """
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if exact:
            q = model.encoder(x)
            normal = isinstance(q, Independent) and isinstance(q.base_dist, Normal)
            bound = (exact_elbo(model, x, q) if normal else elbo(model, x, DRAWS)).mean().item()
            try:
                return bound, exact_log_px(model, x, tol=0.05).mean().item()
            except RuntimeError:  # a posterior that is too narrow for the quadrature
                return bound, math.nan
        parts = by_class(model, x)
        bounds = [torch.cat([average(one, rows, DRAWS) for one, rows in parts]) for average in (elbo, iwae_bound)]
        return bounds[0].mean().item(), bounds[1].mean().item()


def _ear(mark: str):
    import traitlets

    ear = remote("watching", mark=traitlets.Unicode(mark), stop=traitlets.Bool(False), heard=traitlets.Bool(False))
    heard_while_running(ear)
    return ear


def _figure(view: Watch):
    """Two rows of panels, so that the picture can be read where there is little room."""
    import matplotlib.pyplot as plt

    pictures = draws_images(view.model)
    titles = ["Loss", "", "Held-out digits and reconstructions", f"{len(view.judged)} held-out {view.noun}"]
    with torch.no_grad(), plots.course_style(plots.STYLE | {"figure.constrained_layout.use": False}):
        fig = plt.figure(figsize=(8.4, 6.3))
        grid = fig.add_gridspec(2, 2, left=0.1, right=0.98, top=0.9, bottom=0.08, wspace=0.24, hspace=0.36)
        fig.text(0.01, 0.965, view.where(), fontsize=11)
        _losses(fig.add_subplot(grid[0, 0], title=titles[0]), view)
        q = view.model.encoder(view.x)
        _codes(fig.add_subplot(grid[0, 1]), view, q)
        if pictures:
            _pictures(fig.add_subplot(grid[1, 0], title=titles[2]), view.model, view.x[:12])
        _scores(fig.add_subplot(grid[1, 1] if pictures else grid[1, :], title=titles[3]), view)
    return fig


def _losses(ax, view: Watch) -> None:
    history = view.history
    epochs = range(1, 1 + len(history.train))
    ax.plot(epochs, history.train, color=plots.COLORS["prior"], label="training, mean of the epoch")
    if history.valid:
        ax.plot(epochs, history.valid, color=plots.COLORS["elbo"], label="validation")
    late = [
        v for values in (history.train, history.valid) for v in values[len(values) // 10 :]
    ]  # without the first decrease, which would flatten the rest
    pad = 0.05 * (max(late) - min(late)) or 1.0
    ax.set(xlabel="epoch", ylabel=f"nats per {view.unit}", xlim=(0.5, len(history.train) + 0.5), ylim=(min(late) - pad, max(late) + pad))
    ax.xaxis.get_major_locator().set_params(integer=True)
    if len(history.train) == 1:
        for line in ax.lines:
            line.set_marker("o")
    ax.legend(frameon=False, fontsize=9)


def _codes(ax, view: Watch, q) -> None:
    """The codes of held-out rows: on the plane, on the line, or the divergence of each of many latents."""
    latents, prior = view.model.latent_dim, view.model.prior
    mean = q.mean.numpy()
    if latents == 2:
        ax.set_title(f"Codes of held-out {view.noun}")
        if view.labels is None:
            ax.plot(*mean.T, ".", color=plots.COLORS["elbo"], ms=4)
            ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
        else:
            plots.classes(ax, mean, view.labels)
        reach = max(4.0, 1.05 * abs(mean).max())
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    elif latents == 1:
        ax.set_title(f"q(z|x) of held-out {view.noun}")
        ax.plot(mean[:, 0], q.stddev[:, 0].numpy(), ".", color=plots.COLORS["elbo"], ms=4)
        ax.set(xlabel="mean", ylabel="standard deviation", ylim=(0, None))
    else:
        normal = all(isinstance(p, Independent) and isinstance(p.base_dist, Normal) for p in (q, prior))
        ax.set_title("KL of each latent" if normal else "Variance of the codes, by latent")
        values = kl_divergence(q.base_dist, prior.base_dist).mean(0) if normal else q.mean.var(0, correction=0)
        ax.bar(range(1, latents + 1), values.sort(descending=True).values.numpy(), color=plots.COLORS["elbo"])
        ax.set(xlabel="latents, the largest first", ylabel="nats" if normal else "variance")
        ax.xaxis.get_major_locator().set_params(integer=True)


def _pictures(ax, model: LatentVariableModel, x: Tensor) -> None:
    """Rows of digits, each above the row of their reconstructions: the mean of the decoder at the mean of q."""
    pairs = [(row, one.decoder(one.encoder(row).mean).mean) for x_row in x for one, row in by_class(model, x_row[None])]
    tiles = [torch.cat([a.reshape(SIDE, SIDE), b.reshape(SIDE, SIDE)], 0) for a, b in pairs]
    columns = -(-len(tiles) // 2)
    tiles += [torch.zeros(2 * SIDE, SIDE)] * (2 * columns - len(tiles))
    ax.imshow(torch.cat([torch.cat(tiles[:columns], 1), torch.cat(tiles[columns:], 1)], 0).numpy(), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[SIDE / 2, SIDE * 3 / 2, SIDE * 5 / 2, SIDE * 7 / 2], yticklabels=["$x$", "mean"] * 2)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(True)


def _scores(ax, view: Watch) -> None:
    epochs = sorted(view.scores)
    bounds, log_px = zip(*(view.scores[epoch] for epoch in epochs))
    name, color = ("exact log p(x)", "exact") if view.exact else (f"bound with {DRAWS} samples", "iwae")
    ax.plot(epochs, log_px, "o-", ms=3, color=plots.COLORS[color], label=name)
    ax.plot(epochs, bounds, "o-", ms=3, color=plots.COLORS["elbo"], label="ELBO")
    late = [v for values in (log_px, bounds) for v in values[(len(values) - 1) // 12 :] if math.isfinite(v)]
    if late:
        pad = 0.05 * (max(late) - min(late)) or 1.0
        ax.set_ylim(min(late) - pad, max(late) + pad)
    ax.set(xlabel="epoch", ylabel=f"nats per {view.unit}")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(frameon=False, fontsize=9, loc="lower right")
