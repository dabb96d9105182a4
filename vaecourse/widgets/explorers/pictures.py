"""Explorers of what a decoder generates: digits by hand, the rows of a table, samples of a prior, and the replay of a training."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from matplotlib.patches import Rectangle
from torch import Tensor

from vaecourse import oracles, plots, strokes
from vaecourse.diagnostics import aggregate, exact_elbo
from vaecourse.models import VAE, LatentVariableModel
from vaecourse.tables import Column, Table
from vaecourse.tabular import TabularVAE
from vaecourse.widgets.live import Live, layers, uniform

__all__ = ["choose_a_prior", "draw_a_digit", "table_plane", "three_digits", "training_replay"]

PLANE = {"xlim": (-4, 4), "ylim": (-4, 4), "xticks": (-4, 0, 4), "yticks": (-4, 0, 4)}
MARKS = (("o", "importance"), ("^", "naive"), ("s", "posterior"), ("v", "elbo"), ("D", "iwae"), ("*", "prior"))
ACROSS = 6  # decoded samples in a row, and rows
SAMPLES = ACROSS**2  # of each prior
PAIRS = 8  # digits with their reconstructions, four in a row
GRID = 90  # nodes an axis of a prior's density


def draw_a_digit() -> Live:
    """The story of notebook 01 by hand: class and factors give strokes, those give ink, and that gives pixels (notebook 01)."""
    start = {"label": 3, "slant": 0.2, "thickness": 2.3, "scale": 19.0, "wobble": 0.0}
    label, slant, thickness, scale, wobble = start.values()
    settings = {"slant": slant, "thickness": thickness, "scale": scale, "width": 1.0, "wobble_1": wobble, "wobble_3": wobble}
    factors = np.array([[settings.get(name, 0.0) for name in strokes.FACTOR_NAMES]], np.float32)
    curves = [strokes.skeleton(digit, 0) for digit in range(10)]
    ink = strokes.draw(np.array([label]), factors)[0]
    x = uniform(ink.size) < ink
    fig, axes = plots.figure(["Strokes", "Probability of ink", "Coins"], size=(8.8, 3.2))
    for stroke in curves[label]:
        axes[0].plot(*strokes.place(stroke, label, factors)[0].T, color=plots.COLORS["importance"], lw=2.5)
    lean = slant * scale / 2
    axes[0].plot([-lean, lean], [scale / 2, -scale / 2], "--", color=plots.COLORS["prior"], lw=1.2)
    axes[0].set(xlim=(-14, 14), ylim=(14, -14), xticks=[], yticks=[], aspect="equal")
    axes[0].spines[:].set_visible(True)
    _picture(axes[1], ink)
    _picture(axes[2], x)
    said = f"slant {slant:.2f}, thickness {thickness:.1f} pixels, scale {scale:.1f} pixels, wobble {wobble:.1f}"
    sentence = f"Class {label}, {said}: {int(x.sum())} of 784 pixels have ink."
    data = {
        "start": start,
        "curves": [[stroke.astype(np.float32) for stroke in digit] for digit in curves],
        "aspects": [strokes.ASPECT[digit] for digit in range(10)],
    }
    about = "Strokes, probabilities of ink and tossed pixels of one digit. Sliders set its class and its factors."
    return Live("Draw a digit", about, "draw_a_digit", data, fig, sentence)


def table_plane(model: TabularVAE, table: Table, by: str) -> Live:
    """A point moved over the plane of two latents of a table: the row that the decoder expects there (notebook 10).

    Args:
        model: K = 2, trained on the table.
        table: its held-out rows are shown as codes, the means of q(z|row).
        by: the name of a category, which gives them colour and shape.

    Raises ValueError unless the model has two latents and the table's columns, and `by` is one of its categories.
    """
    if not isinstance(model, TabularVAE) or model.columns != table.columns:
        raise ValueError("model must be a TabularVAE for the columns of this table: TabularVAE(table.columns, latent_dim=2)")
    _check_two_latents(model, "model")
    chosen = table[by]
    if table.columns[chosen].kind != "category":
        categories = [column.name for column in table.columns if column.kind == "category"]
        raise ValueError(f"by must name a column of categories; this table has {', '.join(categories) or 'none'}; got {by!r}")
    names, start = table.columns[chosen].categories, (0.5, 0.5)
    network = model.decoder.parameters_of_cells
    with torch.no_grad():
        codes = model.encoder(table.test).mean.float()
        cells = model.decoder(torch.tensor(start).to(codes)).parts
    of_name = [codes[table.test[:, chosen] == i] for i in range(len(names))]
    probabilities = cells[chosen].probs
    most = int(probabilities.argmax())
    shares = [
        (f"{c.name} {n}", p) for c, cell in zip(table.columns, cells) if c.kind == "category" for n, p in zip(c.categories, cell.probs)
    ]
    means = [(c.name, *_mean(c, cell)) for c, cell in zip(table.columns, cells) if c.kind != "category"]
    titles = [f"Codes of held-out rows, by {by}", "At the cross: probabilities", *(["Means, against average"] if means else [])]
    fig, axes = plots.figure(titles, ["$z_1$", "", ""], ["$z_2$", "", ""], size=(12.4, 4.2))
    _draw_codes(axes[0], of_name, names, start)
    _bars(axes[1], [(f"{name}  {p:.2f}", float(p)) for name, p in shares], (0, 1), "importance")
    if means:
        _bars(axes[2], [(f"{name}  {three_digits(float(raw))}", float(unit)) for name, unit, raw in means], (-2.5, 2.5), "elbo")
    average = f"; on average {', '.join(f'{name} {three_digits(float(raw))}' for name, _, raw in means)}" if means else ""
    sentence = f"z = ({start[0]}, {start[1]}): {by} {names[most]} with probability {float(probabilities[most]):.2f}{average}."
    data = {
        "start": start,
        "columns": [vars(column) for column in table.columns],
        "floor": model.decoder.floor,
        # whole weights: the figure says three digits and more of what this small network expects
        "layers": [packed | {"weight": layer.weight.float()} for packed, layer in zip(layers(network), network[::2])],
        "codes": of_name,
        "names": names,
        "by": by,
        "goal": _row_to_find(model, table, chosen, most),
    }
    about = (
        "Codes of held-out rows on the plane of two latents, and what the decoder expects at the cross, cell by cell: probabilities, "
        "and means as standard deviations from the column's average."
    )
    return Live("The plane of a table", about, "table_plane", data, fig, sentence)


def choose_a_prior(models: Mapping[str, VAE], x: Tensor, labels: Tensor) -> Live:
    """Priors of trained models and the codes of all images on the plane of two latents; samples of the prior, decoded (notebook 11).

    Args:
        models: from a name to a model with two latents and a prior of any kind.
        x, labels: held-out digits (B, 784) and (B,), whose codes are shown.

    Raises ValueError without models, for a model without two latents or without square pictures, and where x and labels do not fit.
    """
    if not models:
        raise ValueError("models must hold at least one VAE by its name, such as {'N(0, I)': vae}; it is empty")
    for name, model in models.items():
        _check_pictures(model, f"models[{name!r}]", x, labels)
    seen = [{"name": name} | _seen(model, x, labels) for name, model in models.items()]
    start, first, side = 1, seen[0], seen[0]["side"]
    z, pictures = first["samples"][start - 1], first["pictures"].float() / 255
    fig, axes = plots.figure(["Prior (grey), codes, samples of the prior", "All samples, decoded", f"Sample {start}"], size=(11.4, 4.4))
    axis = torch.linspace(-side, side, GRID)
    plots.plane(axes[0], torch.cartesian_prod(axis, axis), first["density"] / 255, cmap="Greys")
    axes[0].images[0].set_clim(0, 2.5)  # light, so that the codes can be read on it
    plots.classes(axes[0], first["codes"], labels)
    axes[0].plot(*first["samples"].T, "x", color=plots.COLORS["naive"], ms=5)
    axes[0].plot(*z, "+", color=plots.COLORS["naive"], ms=22, mew=2.5)
    axes[0].set(xlim=(-side, side), ylim=(-side, side))
    pixels = math.isqrt(pictures.shape[1])
    sheet = pictures.reshape(-1, ACROSS, pixels, pixels).transpose(1, 2).reshape(-1, ACROSS * pixels)
    axes[1].imshow(sheet, cmap="gray_r", vmin=0, vmax=1)
    _frame(axes[1])
    row, column = divmod(start - 1, ACROSS)
    box = {"fc": "none", "ec": plots.COLORS["naive"], "lw": 2.5}
    axes[1].add_patch(Rectangle((column * pixels - 0.5, row * pixels - 0.5), pixels, pixels, **box))
    _picture(axes[2], pictures[start - 1])
    where = f"z = ({_tenths(z[0])}, {_tenths(z[1])})"
    code = f"the nearest code, of a digit {int(first['nearest'][start - 1])}, is {float(first['distances'][start - 1]):.2f} away"
    sentence = (
        f"{first['name']}: the crowd of {len(x)} codes lies {_tenths(first['crowd'])} nats from the prior; "
        f"sample {start} is {where}, and {code}."
    )
    farthest = sorted(float(d) for s in seen for d in s["distances"])
    distance = math.floor(100 * farthest[-3]) / 100  # two samples at least lie farther, as a rule three
    goal = {"distance": distance, "text": f"find a sample in a hole: no code within {distance:.2f} of it"}
    data = {"models": seen, "labels": labels.to(torch.uint8), "start": start, "goal": goal}
    about = "Codes of held-out digits over the prior's density (cube root), samples of the prior as crosses, and the samples decoded."
    return Live("Choose a prior", about, "choose_a_prior", data, fig, sentence)


def training_replay(vae: VAE, snapshots: Mapping[int, Mapping[str, Tensor]], x: Tensor, labels: Tensor) -> Live:
    """A training replayed: for each epoch kept, the latent plane, reconstructions, ELBO and exact log p(x) (notebook 08).

    Args:
        vae: the model, K = 2; it is left as it is.
        snapshots: from the number of an epoch to the state_dict after it; two or more.
        x, labels: held-out digits (B, 784) and (B,), eight or more; ELBO and log p(x) are means over all of them.

    Raises ValueError where one of these is not so, or a snapshot is of another model.
    """
    _check_pictures(vae, "vae", x, labels)
    if len(snapshots) < 2 or len(x) < PAIRS:
        raise ValueError(f"a replay needs at least two snapshots and at least {PAIRS} digits; got {len(snapshots)} and {len(x)}")
    replayed, epochs = copy.deepcopy(vae), sorted(snapshots)
    bounds, exacts, codes, reconstructions = [], [], [], []
    for epoch in epochs:
        try:
            replayed.load_state_dict(snapshots[epoch])
        except RuntimeError as error:
            raise ValueError(
                f"the snapshot of epoch {epoch} is not of this model: keep vae.state_dict() of the same vae ({error})"
            ) from None
        with torch.no_grad():
            q = replayed.encoder(x)
            codes.append(q.mean)
            reconstructions.append(replayed.decoder(q.mean[:PAIRS]).mean)
            bounds.append(float(exact_elbo(replayed, x, q, nodes=12).mean()))  # the average is right to about 0.001 nats
        exacts.append(float(oracles.exact_log_px(replayed, x).mean()))
    goal = _epoch_to_find(bounds)
    start = len(epochs) - 1 if goal["step"] < len(epochs) - 1 else 0
    first, final = (_tenths(exacts[i] - bounds[i]) for i in (0, -1))
    titles = ["Codes of held-out digits", "Digits over their reconstructions", f"The gap: first {first}, at last {final} nats"]
    fig, axes = plots.figure(titles, ["", "", "epoch"], ["", "", "nats per image"], size=(12, 3.9))
    plots.classes(axes[0], codes[start], labels)
    axes[0].set(**PLANE)
    pixels = math.isqrt(x.shape[1])
    pairs = torch.stack([x[:PAIRS].reshape(2, -1, pixels, pixels), reconstructions[start].reshape(2, -1, pixels, pixels)], 1)
    axes[1].imshow(pairs.permute(0, 1, 3, 2, 4).reshape(4 * pixels, -1), cmap="gray_r", vmin=0, vmax=1)
    _frame(axes[1])
    axes[2].fill_between(epochs, bounds, exacts, color=plots.COLORS["posterior"], alpha=0.35, lw=0)
    plots.line(axes[2], epochs, exacts, "log p(x)", "exact", nudge=(-44, 10))
    plots.line(axes[2], epochs, bounds, "ELBO", "elbo", nudge=(-30, -12))
    axes[2].plot([epochs[start]] * 2, [exacts[start], bounds[start]], "o", color="black", ms=5)
    axes[2].xaxis.get_major_locator().set_params(integer=True)
    axes[2].margins(y=0.12)
    sentence = (
        f"After epoch {epochs[start]}: ELBO {_tenths(bounds[start])}, log p(x) {_tenths(exacts[start])} nats per image; "
        f"the gap between them is {_tenths(exacts[start] - bounds[start])}."
    )
    data = {
        "epochs": epochs,
        "bounds": bounds,
        "exacts": exacts,
        "codes": [(1000 * z).round().clamp(-32_000, 32_000).to(torch.int16) for z in codes],
        "labels": labels.to(torch.uint8),
        "digits": x[:PAIRS].to(torch.uint8),
        "reconstructions": [_bytes(p) for p in reconstructions],
        "start": start,
        "goal": goal,
    }
    about = "Codes of held-out digits on the latent plane, eight reconstructions, and ELBO and exact log p(x) by epoch."
    return Live("Training, replayed", about, "training_replay", data, fig, sentence)


def three_digits(value: float) -> str:
    """A number with at least three significant digits, and commas between thousands: 0.0312, 25.3, 1,234."""
    digits = 0 if value == 0 else min(6, max(0, 2 - math.floor(math.log10(abs(value)))))
    return f"{value:,.{digits}f}"


def _tenths(value: Any) -> str:
    """The number with one decimal; never a minus before a zero."""
    return f"{round(float(value), 1) + 0.0:.1f}"


def _bytes(probabilities: Tensor) -> Tensor:
    """Numbers from 0 to 1 as whole numbers from 0 to 255."""
    return (255 * probabilities).round().to(torch.uint8)


def _check_two_latents(model: Any, name: str) -> None:
    if not isinstance(model, LatentVariableModel) or model.latent_dim != 2:
        found = f"one with {model.latent_dim}" if isinstance(model, LatentVariableModel) else type(model).__name__
        raise ValueError(f"{name} must be a model with two latents, which can be drawn as a plane; got {found}")


def _check_pictures(model: Any, name: str, x: Tensor, labels: Tensor) -> None:
    """ValueError (or TypeError, by the model's own check) unless model is a VAE with two latents for the pictures x, of digits labels."""
    _check_two_latents(model, name)
    if not isinstance(model, VAE):
        raise ValueError(f"{name} must be a VAE, whose encoder gives the codes; got {type(model).__name__}")
    model.check(x)
    if math.isqrt(x.shape[1]) ** 2 != x.shape[1]:
        raise ValueError(f"x must hold square pictures, such as 784 = 28 · 28 pixels; got {x.shape[1]} columns")
    if not isinstance(labels, Tensor) or labels.shape != (len(x),) or not torch.isin(labels, torch.arange(10).to(labels)).all():
        found = f"shape {tuple(labels.shape)}" if isinstance(labels, Tensor) else type(labels).__name__
        raise ValueError(f"labels must be a tensor with a digit from 0 to 9 for each of the {len(x)} images; got {found}")


def _seen(model: VAE, x: Tensor, labels: Tensor) -> dict[str, Any]:
    """What is shown of one model: its prior's density, codes, samples and what they decode to, and the distances between them."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        q, prior = model.encoder(x), model.prior
        codes, samples = q.sample(), prior.sample((SAMPLES,))
        crowd = aggregate(q, prior, 4).crowd
        side = 1.1 * max(float(samples.abs().max()), float(codes.abs().quantile(0.99)))  # a code far out may be out of sight
        axis = torch.linspace(-side, side, GRID)
        log_density = prior.log_prob(torch.cartesian_prod(axis, axis).to(codes))
        distances, nearest = torch.cdist(samples, codes).min(1)
        return {
            "side": side,
            "density": _bytes(((log_density - log_density.max()) / 3).exp()),  # the cube root, so that thin parts are seen too
            "codes": codes.float(),
            "samples": samples.float(),
            "pictures": _bytes(model.decoder(samples).mean),
            "crowd": crowd,
            "distances": distances.float(),
            "nearest": labels[nearest].to(torch.uint8),
        }


def _epoch_to_find(bounds: list[float]) -> dict[str, Any]:
    """A small thing to look for, and the number of the snapshot that has it: from when on training longer hardly paid."""
    step = next(i for i, bound in enumerate(bounds) if abs(bounds[-1] - bound) <= 1)
    return {"step": step, "text": "find the earliest epoch shown whose ELBO is within 1 nat of the last one's"}


def _mean(column: Column, cell: Any) -> tuple[Tensor, Tensor]:
    """The mean of a cell on the standard scale of its column, and in raw units."""
    mean = cell.mean.double()
    if column.kind == "count":
        return (mean.log1p() - column.shift) / column.scale, mean
    if column.kind == "positive":  # the mean of a log-normal
        return mean, (column.shift + column.scale * mean + (column.scale * cell.stddev) ** 2 / 2).exp()
    return mean, column.shift + column.scale * mean


def _row_to_find(model: TabularVAE, table: Table, chosen: int, most: int) -> dict[str, Any]:
    """A kind of row that lives where the prior has mass, and not at the start: a rare name that is likely there, and a high mean."""
    columns, axis = table.columns, torch.linspace(-3, 3, 31)
    z = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        cells = model.decoder(z[z.norm(dim=1) <= 3].to(next(model.parameters()))).parts
    probs = cells[chosen].probs
    best = probs.amax(0)
    best[most] = -1
    rows = torch.stack([(table.test[:, chosen] == i).sum() for i in range(len(best))])
    likely = [i for i in range(len(best)) if best[i] > 0.5]
    name = min(likely, key=lambda i: int(rows[i])) if likely else int(best.argmax())
    probability = 0.9 if best[name] > 0.95 else math.floor(90 * float(best[name])) / 100
    there = probs[:, name] > probability
    goal = {"name": name, "probability": probability, "column": None, "above": 0.0}
    text = f"find a row whose {columns[chosen].name} is {columns[chosen].categories[name]} with probability above {probability:.2f}"
    units = {i: _mean(c, cell)[0][there] for i, (c, cell) in enumerate(zip(columns, cells)) if c.kind != "category"}
    if not units:
        return goal | {"text": text}
    column = max(units, key=lambda i: float(units[i].max() - units[i].min()))
    raw = _mean(columns[column], cells[column])[1][there]
    above = float(f"{float(raw.quantile(0.7)):.2g}")
    if not above < float(raw.max()):
        above = float(raw.min())
    return goal | {"column": column, "above": above, "text": f"{text} and whose mean {columns[column].name} is above {three_digits(above)}"}


def _draw_codes(ax: Any, of_name: list[Tensor], names: tuple[str, ...], at: tuple[float, float]) -> None:
    for i, codes in enumerate(of_name):
        mark, color = MARKS[i % len(MARKS)]
        ax.plot(*codes.T, ls="", marker=mark, ms=2.5, color=plots.COLORS[color], alpha=0.7)
    for i, (name, codes) in enumerate(zip(names, of_name)):
        if len(codes):
            box = {"fc": "white", "ec": "none", "alpha": 0.7, "pad": 1}
            color = plots.COLORS[MARKS[i % len(MARKS)][1]]
            ax.text(*codes.mean(0).tolist(), name, ha="center", fontsize=8, weight="bold", color=color, bbox=box)
    ax.plot(*at, "+", color="black", ms=20, mew=2.5, zorder=5)
    ax.set(**PLANE, aspect="equal")


def _bars(ax: Any, rows: list[tuple[str, float]], limits: tuple[float, float], color: str) -> None:
    """A line for each row: its words on the left, its bar from 0 on the right."""
    ax.barh(
        [words for words, _ in rows], [min(limits[1], max(limits[0], length)) for _, length in rows], color=plots.COLORS[color], alpha=0.75
    )
    ax.axvline(0, color="black", lw=0.8)
    ax.set(xlim=limits, ylim=(len(rows) - 0.5, -0.5), xticks=[])
    ax.tick_params(axis="y", length=0, labelsize=8)
    ax.spines[:].set_visible(False)
    ax.grid(False)


def _picture(ax: Any, image: Any) -> None:
    side = math.isqrt(len(image))
    ax.imshow(np.asarray(image).reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    _frame(ax)


def _frame(ax: Any) -> None:
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(True)
