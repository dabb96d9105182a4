"""The comparison of notebook 11: eight recipes for a VAE, one training of each at the same budget, one score for all.

The notebook trains the small runs itself; data/variants.csv holds longer ones, made by `python -m vaecourse data`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vaecourse.data import lines_about, load_digits, replace_lines
from vaecourse.diagnostics import active_units
from vaecourse.estimators import iwae_bound
from vaecourse.models import VAE, ConditionalVAE, MixturePrior, VampPrior
from vaecourse.oracles import exact_log_px
from vaecourse.training import Loss, beta_loss, fit, free_bits_loss, iwae_loss

FILE = "variants.csv"


class Recipe(NamedTuple):
    """How a variant differs from the plain VAE: the model, made from K and the training images, and the loss (None: its own).

    `work` counts its multiplications in a training step relative to the plain VAE's, at 100 images a step.
    """

    model: Callable[[int, Tensor], VAE]
    loss: Loss | None
    work: float


RECIPES = {
    "plain VAE": Recipe(lambda k, x: VAE(k), None, 1.0),
    "mixture prior": Recipe(lambda k, x: VAE(k, prior=MixturePrior(k, 20)), None, 1.0),
    "VampPrior": Recipe(lambda k, x: VAE(k, prior=VampPrior(50, x.shape[1], start=x[:50])), None, 1.25),
    "beta = 1/2": Recipe(lambda k, x: VAE(k), beta_loss(0.5), 1.0),
    "beta = 4": Recipe(lambda k, x: VAE(k), beta_loss(4.0), 1.0),
    "free bits": Recipe(lambda k, x: VAE(k), free_bits_loss(0.5), 1.0),
    "IWAE, k = 5": Recipe(lambda k, x: VAE(k), iwae_loss(5), 3.0),
    "told the class": Recipe(lambda k, x: ConditionalVAE(k), None, 1.0),
}


class Run(NamedTuple):
    """One training: held-out nats per image (`log_px` exact for two latents, otherwise the bound with 500 draws), latents in use."""

    variant: str
    latents: int
    seed: int
    log_px: float
    active: int


def train(variant: str, latent_dim: int, seed: int, x: Float[Tensor, "images pixels"], labels: Int[Tensor, " images"], epochs: int) -> VAE:
    """A trained model: `epochs` passes over the images in steps of 100, from weights that the seed decides.

    Every decoder begins at the average digit: its last bias is the logit of each pixel's share of ink.
    """
    recipe = RECIPES[variant]
    torch.manual_seed(seed)
    model = recipe.model(latent_dim, x)
    with torch.no_grad():
        model.decoder.logits[-1].bias.copy_(x.mean(0).clamp(0.002, 0.998).logit())
    rows = model.rows(x, labels) if isinstance(model, ConditionalVAE) else x
    fit(model, rows, epochs, batch_size=100, lr=5e-3, loss=recipe.loss, progress=False)
    return model.requires_grad_(False)


def log_px(model: VAE, x: Float[Tensor, "batch pixels"], n_samples: int = 500) -> Float[Tensor, " batch"]:
    """log p(x) in nats: exact for two latents, otherwise an importance weighted bound with n_samples draws in all.

    Of a class-conditional model: the log-mean-exp over its classes, each as probable as the others (equation 11.8); the
    draws are shared out among them.
    """
    if not isinstance(model, ConditionalVAE):
        return exact_log_px(model, x, tol=0.1) if model.latent_dim <= 2 else iwae_bound(model, x, n_samples)
    classes = [model.given(label) for label in range(model.n_classes)]
    by_class = [exact_log_px(one, x, tol=0.1) if one.latent_dim <= 2 else iwae_bound(one, x, n_samples // len(classes)) for one in classes]
    return torch.stack(by_class).logsumexp(0) - math.log(len(classes))


def make_variants(name: str, seeds: int = 3, n_images: int = 6_000, epochs: int = 16, judged: int = 200) -> None:
    """Train every recipe with 2 and with 20 latents on the digits called `name`; store the runs in data/variants.csv."""
    digits = load_digits(name)
    x, labels, held_out = digits.train.x[:n_images], digits.train.labels[:n_images], digits.test.x[:judged]
    runs = []
    for seed in range(seeds):
        for latents in (2, 20):
            for variant in RECIPES:
                model = train(variant, latents, seed, x, labels, epochs)
                told = isinstance(model, ConditionalVAE)
                q = model.encoder(model.rows(held_out, digits.test.labels[:judged]) if told else held_out)
                runs.append(Run(variant, latents, seed, log_px(model, held_out).mean().item(), int(active_units(q).sum())))
                print(name, *runs[-1], flush=True)
        lines = [(run.variant, run.latents, run.seed, f"{run.log_px:.2f}", run.active) for run in runs]
        replace_lines(FILE, Run._fields, name, lines)


def longer_runs(name: str | None = None) -> list[Run]:
    """The runs of data/variants.csv on the digits called `name` (by default what VAECOURSE_DIGITS says)."""
    lines = lines_about(FILE, name)
    return [Run(variant, int(k), int(seed), float(nats), int(active)) for variant, k, seed, nats, active in lines]
