"""Explorers of the plane of two latents: decoders and posteriors, a q on a posterior, and a digit that the reader draws."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.patches import Circle, Rectangle
from torch import Tensor
from torch.distributions import Independent

from vaecourse import oracles, plots
from vaecourse.diagnostics import exact_elbo
from vaecourse.distributions import diagonal_normal, log_prob_pairs
from vaecourse.models import VAE, LatentVariableModel
from vaecourse.widgets.live import Live, layers, uniform

__all__ = [
    "draw_your_own",
    "gap_in_nats",
    "hermite",
    "interval",
    "latent_plane",
    "log_joint",
    "picture",
    "square",
    "the_gap",
    "where_it_lies",
]

REACH = 0.8  # half the side of the square of latents that `the_gap` shows


def picture(ax, image) -> None:
    """A 28 x 28 image in a panel."""
    ax.imshow(np.asarray(image).reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(True)


def square(reach: float, side: int, centre: Tensor | None = None) -> Tensor:
    """The nodes (side * side, 2) of a square lattice around a centre, as `Lattice` in mathematics.js orders them."""
    axis = torch.linspace(-reach, reach, side)
    return torch.cartesian_prod(axis, axis) + (0 if centre is None else centre)


def log_joint(model: LatentVariableModel, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z) of one digit (1, 784) at many z (G, 2): (G,), in nats."""
    with torch.no_grad():
        return log_prob_pairs(model.decoder(z), x)[:, 0] + model.prior.log_prob(z)


def hermite(nodes: int = 20) -> dict[str, list[float]]:
    """The rule of `exact_elbo` for an average over a standard normal."""
    at, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return {"nodes": at.tolist(), "weights": (weights / weights.sum()).tolist()}


def latent_plane(models: Mapping[str, LatentVariableModel], x: Tensor, *, hide_peak: bool = False) -> Live:
    """A point moved over the plane of K = 2 latents: what a decoder makes of it, and how well it fits a digit (notebooks 02 and 08).

    Args:
        models: from a name to a model with two latents; several can be switched between.
        x: digits (B, 784), up to 20, whose posteriors may be shown.
        hide_peak: leave the posterior and the ring at its peak out until a button is pressed, so that the peak can be searched for.

    Raises:
        ValueError: no model, a model without two latents, or a decoder that is not made of linear layers with ELU.
    """
    if not models or any(model.latent_dim != 2 for model in models.values()):
        raise ValueError("latent_plane needs models with two latents, {name: model}")
    x, side, start = x[:20], 80, {"digit": 0, "z": [-1.0, 0.5]}
    grids = {name: oracles.posterior_grid(model, x, n=side) for name, model in models.items()}
    modes = torch.cat([grid.z[grid.probs.argmax(1)] for grid in grids.values()])
    densities = torch.cat([grid.probs / grid.probs.amax(1, keepdim=True) for grid in grids.values()])
    name, model = next(iter(models.items()))
    z = torch.tensor([start["z"]])
    with torch.no_grad():
        p = model.decoder(z[0]).mean
        fit, best = (float(model.decoder(at).log_prob(x[:1])) for at in (z, modes[:1]))
    titles = ["Where is the peak?" if hide_peak else "Posterior of the digit", "Mean at the cross", "A sample", "The digit"]
    fig, axes = plots.figure(titles, size=(10.4, 3.0))
    plots.plane(axes[0], grids[name].z, torch.zeros(side * side) if hide_peak else grids[name].probs[0], extent=4)
    if not hide_peak:
        axes[0].plot(*modes[0], "o", color="black", ms=14, mfc="none", mew=1.2)
    axes[0].plot(*z[0], "+", color="black", ms=13, mew=2)
    axes[0].text(0, -3.5, f"log p(x|z) = {fit:.0f} nats", ha="center", va="center", fontsize=9)
    for ax, image in zip(axes[1:], (p, torch.from_numpy(uniform(784)) < p, x[0])):
        picture(ax, image)
    data = {
        "models": {name: layers(model.decoder.logits) for name, model in models.items()},
        "posteriors": (255 * densities).round().to(torch.uint8),
        "modes": modes,
        "digits": x.to(torch.uint8),
        "side": side,
        "start": start,
        "hidePeak": hide_peak,
    }
    peak = "a hidden place" if hide_peak else f"({modes[0, 0]:.1f}, {modes[0, 1]:.1f}), the ring"
    sentence = (
        f"{name}: z = ({z[0, 0]:.2f}, {z[0, 1]:.2f}); log p(x|z) of digit 0 is {fit:.0f} nats; its posterior peaks at "
        f"{peak}, where it is {best:.0f}."
    )
    shown = "a digit whose posterior is hidden" if hide_peak else "the posterior of a digit"
    about = f"A cross on the plane of two latents, the decoder's mean image and a sample there, and {shown}."
    return Live("The latent plane", about, "latent_plane", data, fig, sentence)


def the_gap(model: LatentVariableModel, x: Tensor) -> Live:
    """An ellipse q moved over the exact posterior of one digit (1, 784): ELBO and gap change, log p(x) does not (notebook 06).

    Raises:
        ValueError: a model without two latents, or not exactly one digit.
    """
    if model.latent_dim != 2 or x.shape[0] != 1:
        raise ValueError(
            f"the_gap needs a model with two latents and one digit, (1, 784); got {model.latent_dim} latents, {tuple(x.shape)}"
        )
    log_px, coarse = float(oracles.exact_log_px(model, x)), oracles.posterior_grid(model, x, n=160)
    centre = (20 * coarse.z[coarse.probs[0].argmax()]).round() / 20
    near, far = square(REACH, 129, centre), square(4.0, 129)
    start = {"mean": [round(float(c) + 0.15, 2) for c in centre], "sd": [0.1, 0.1]}
    q = diagonal_normal(torch.tensor([start["mean"]]), 2 * torch.tensor([start["sd"]]).log())
    bound, joint = float(exact_elbo(model, x, q)), log_joint(model, x, near)
    fig, (left, right) = plots.figure(["q on the exact posterior", "ELBO + gap = log p(x)"], size=(9, 3.6))
    plots.plane(left, near, (joint - log_px).exp())
    plots.ellipse(left, start["mean"], start["sd"], "elbo", "q")
    interval(right, bound, log_px)
    data = {
        "near": joint.float(),
        "far": log_joint(model, x, far).float(),
        "centre": centre.tolist(),
        "reach": REACH,
        "logPx": log_px,
        "rule": hermite(),
        "start": start,
    }
    sentence = f"ELBO {bound:.1f} nats, gap {gap_in_nats(bound, log_px)} nats; together log p(x) = {log_px:.1f} nats."
    about = "An ellipse, q, on the exact posterior of one digit; beside it the ELBO, log p(x) and the gap between them on a number line."
    return Live("The gap", about, "the_gap", data, fig, sentence)


def draw_your_own(model: LatentVariableModel, x: Tensor) -> Live:
    """A digit drawn by the reader: its exact posterior, its reconstruction, log p(x), ELBO and gap, and a q to drag (notebook 08).

    Args:
        model: two latents and the prior N(0, I); the encoder of a VAE is offered as a q.
        x: digits (B, 784) to start from, up to 20.

    Raises:
        ValueError: another number of latents, another prior, or networks that are not made of linear layers with ELU.
    """
    if model.latent_dim != 2 or not isinstance(model.prior, Independent):
        raise ValueError("draw_your_own needs a model with two latents and the prior N(0, I)")
    x = x[:20]
    coarse = oracles.posterior_grid(model, x[:1], n=160)
    nodes = square(0.5, 101, coarse.z[coarse.probs[0].argmax()])
    probs = torch.softmax(log_joint(model, x[:1], nodes), 0)
    centre = probs @ nodes
    spread = (probs @ (nodes - centre).square()).sqrt()
    start = {"mean": [round(float(c) + 0.06, 2) for c in centre], "sd": [round(1.5 * float(s) / 0.002) * 0.002 for s in spread]}
    q = diagonal_normal(torch.tensor([start["mean"]]), 2 * torch.tensor([start["sd"]]).log())
    log_px, bound = float(oracles.exact_log_px(model, x[:1])), float(exact_elbo(model, x[:1], q))
    near = square(0.4, 81, centre)
    with torch.no_grad():
        mean = model.decoder(torch.tensor(start["mean"])).mean
    fig, axes = plots.figure(["The digit x", "Posterior; drag q onto it", "Decoder's mean at q", "ELBO + gap = log p(x)"], size=(11.5, 3.0))
    picture(axes[0], x[0])
    plots.plane(axes[1], near, (log_joint(model, x[:1], near) - log_px).exp())
    plots.ellipse(axes[1], start["mean"], start["sd"], "elbo", "q")
    where_it_lies(axes[1], centre)
    picture(axes[2], mean)
    interval(axes[3], bound, log_px)
    data = {
        "decoder": layers(model.decoder.logits),
        "encoder": layers(model.encoder.parameters_of_q) if isinstance(model, VAE) else None,
        "examples": x.to(torch.uint8),
        "rule": hermite(),
        "start": start,
    }
    said = f"log p(x) is {log_px:.1f} nats: ELBO {bound:.1f}, gap {gap_in_nats(bound, log_px)}."
    sentence = f"{int(x[0].sum())} of 784 pixels are ink. {said}"
    about = "Draw with the mouse, a finger or the keyboard: the digit's exact posterior, the decoder's answer, and the bound that q gives."
    return Live("Your own digit", about, "draw_your_own", data, fig, sentence)


def where_it_lies(ax, centre: Tensor) -> None:
    """In a corner of a panel the whole plane, with the circle that holds 95 % of the prior and a frame around what the panel shows."""
    whole = ax.inset_axes((0.66, 0.03, 0.31, 0.31))
    whole.add_patch(Circle((0, 0), 2.45, fc="none", ec=plots.COLORS["prior"], lw=1))
    whole.add_patch(Rectangle(tuple(float(c) - 0.4 for c in centre), 0.8, 0.8, fc="none", ec="black", lw=1.2))
    whole.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xticks=[], yticks=[], aspect="equal")
    whole.text(0, 0, "whole\nplane", ha="center", va="center", fontsize=7)
    whole.spines[:].set_visible(True)


def gap_in_nats(bound: float, log_px: float) -> str:
    """The gap, with two decimals where it is small. A large one is the difference of the numbers as they are shown: they add up."""
    gap = log_px - bound
    return f"{gap:.2f}" if gap < 1 else f"{round(log_px, 1) - round(bound, 1):.1f}"


def interval(ax, bound: float, log_px: float) -> None:
    """The gap as a bar from the ELBO to log p(x)."""
    gap = max(log_px - bound, 1e-3)
    ax.barh([0], [gap], left=bound, height=0.3, color=plots.COLORS["posterior"])
    place = {"textcoords": "offset points", "ha": "center"}
    for value, name, color, y, va in ((bound, "ELBO", "elbo", -0.3, "top"), (log_px, "log p(x)", "exact", 0.3, "bottom")):
        ax.plot([value, value], [-0.3, 0.3], color=plots.COLORS[color], lw=2.5)
        ax.annotate(f"{name}\n{value:.1f}", (value, y), xytext=(0, 4 if y > 0 else -4), va=va, color=plots.COLORS[color], **place)
    ax.annotate(f"gap {gap_in_nats(bound, log_px)}", ((bound + log_px) / 2, 0), xytext=(0, 0), va="center", **place)
    ax.set(xlim=(bound - 0.5 * gap, log_px + 0.5 * gap), ylim=(-1, 1), yticks=[], xlabel="nats")
    ax.locator_params(axis="x", nbins=4)
