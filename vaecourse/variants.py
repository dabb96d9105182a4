"""The comparison of notebook 11: eight recipes for a VAE, each trained with the same budget and evaluated by the same score.

The notebook trains the small runs itself; data/variants.csv holds longer ones, which `python -m vaecourse data` made.
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

__all__ = ["RECIPES", "Recipe", "Run", "log_px", "longer_runs", "make_variants", "train"]

FILE = "variants.csv"


class Recipe(NamedTuple):
    """How a variant differs from the plain VAE.

    Attributes:
        model: makes the model from K and the training images.
        loss: the loss for `fit`; None for the model's own.
        work: the number of multiplications in a training step relative to that of the plain VAE, at 100 images per step.

    Example:
        >>> RECIPES["IWAE, k = 5"].work
        3.0
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
    """One training and its result.

    Attributes:
        variant: a key of `RECIPES`.
        latents: K, the number of latents.
        seed: of the training.
        log_px: held-out log p(x) in nats per image, exact for two latents and otherwise the bound with 500 draws.
        active: the number of latents in use.

    Example:
        >>> Run("plain VAE", latents=2, seed=0, log_px=-150.0, active=2).active
        2
    """

    variant: str
    latents: int
    seed: int
    log_px: float
    active: int


def train(variant: str, latent_dim: int, seed: int, x: Float[Tensor, "images pixels"], labels: Int[Tensor, " images"], epochs: int) -> VAE:
    """Train one of the `RECIPES`, in steps of 100 images, from initial weights that the seed determines.

    Every decoder begins at the average digit: its last bias is the logit of the frequency with which each pixel has ink.

    Args:
        variant: a key of `RECIPES`.
        latent_dim: K, the number of latents.
        seed: of the weights and of the training.
        x: training images (N, D).
        labels: their classes (N,), which only the conditional model uses.
        epochs: the number of passes over the images.

    Returns:
        The trained model, whose parameters are frozen.

    Raises:
        ValueError: there is no such variant.

    Example:
        >>> x, labels = (torch.rand(100, 784) < 0.2).float(), torch.zeros(100, dtype=torch.long)
        >>> train("plain VAE", 2, 0, x, labels, epochs=1).latent_dim
        2
    """
    if variant not in RECIPES:
        raise ValueError(f"no variant is called {variant!r}; there are {', '.join(RECIPES)}")
    recipe = RECIPES[variant]
    torch.manual_seed(seed)
    model = recipe.model(latent_dim, x)
    with torch.no_grad():
        model.decoder.logits[-1].bias.copy_(x.mean(0).clamp(0.002, 0.998).logit())
    rows = model.rows(x, labels) if isinstance(model, ConditionalVAE) else x
    fit(model, rows, epochs, batch_size=100, lr=5e-3, loss=recipe.loss, progress=False)
    return model.requires_grad_(False)


def log_px(model: VAE, x: Float[Tensor, "batch pixels"], n_samples: int = 500) -> Float[Tensor, " batch"]:
    """log p(x) in nats: exact for two latents, otherwise the importance weighted bound.

    For a class-conditional model it is the log-mean-exp over its classes, which are equally probable (equation 11.8); the draws are
    shared among the classes.

    Args:
        model: a trained model.
        x: images (B, D).
        n_samples: the number of draws in all, if there are more than two latents.

    Returns:
        One number for each image, (B,).

    Example:
        >>> log_px(VAE(latent_dim=3), torch.ones(2, 784), n_samples=10).shape
        torch.Size([2])
    """
    if not isinstance(model, ConditionalVAE):
        return exact_log_px(model, x, tol=0.1) if model.latent_dim <= 2 else iwae_bound(model, x, n_samples)
    classes = [model.given(label) for label in range(model.n_classes)]
    by_class = [exact_log_px(one, x, tol=0.1) if one.latent_dim <= 2 else iwae_bound(one, x, n_samples // len(classes)) for one in classes]
    return torch.stack(by_class).logsumexp(0) - math.log(len(classes))


def make_variants(name: str, seeds: int = 3, n_images: int = 6_000, epochs: int = 16, judged: int = 200) -> None:
    """Train every recipe with 2 and with 20 latents on the digits called `name`, and store the runs in data/variants.csv."""
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
    """The runs of data/variants.csv.

    Args:
        name: the digits; by default those that VAECOURSE_DIGITS chooses.

    Example:
        >>> {run.variant for run in longer_runs("strokes")} == set(RECIPES)
        True
    """
    lines = lines_about(FILE, name)
    return [Run(variant, int(k), int(seed), float(nats), int(active)) for variant, k, seed, nats, active in lines]
