"""The exact log p(x): a sum, a closed form, or a quadrature. Every estimate of the course is held against these.

The quadrature is the trapezoidal rule on a square lattice of spacing h: log p(x) = log sum_i h^K p(z_i) p(x|z_i).
For a smooth integrand that dies away at both ends its error falls faster than any power of h (Trefethen and Weideman
2014, "The exponentially convergent trapezoidal rule"). The nodes are the same for every image, so the likelihood of
all images at all nodes is one matrix product.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from vaecourse.distributions import log_prob_pairs
from vaecourse.logspace import log_mean_exp
from vaecourse.models import LatentVariableModel, LinearGaussian

RADIUS = 7.0  # beyond it the N(0, I) prior holds less than 1e-10
BLOCK = 1 << 20  # numbers held at once for each intermediate array: 4 MB in float32, what a processor's cache takes
COARSEST = 0.125
FINEST = 0.01  # the quadrature gives up where a lattice of this spacing does not settle it


class PosteriorGrid(NamedTuple):
    """p(z|x) on a grid: `z` (G, K) nodes, `probs` (B, G) probabilities of the nodes, each row summing to 1."""

    z: Tensor
    probs: Tensor


def exact_log_px(model: LatentVariableModel, x: Float[Tensor, "batch data"], tol: float = 1e-2) -> Float[Tensor, " batch"]:
    """log p(x) of every row of x, in nats.

    Enumeration where the latent is discrete, the closed form where the model is linear-Gaussian, otherwise quadrature
    for one or two latent dimensions. The quadrature lays 2^K interleaved lattices and halves their spacing until, for
    each image, all of them agree within `tol` nats. Their average, itself a lattice of half the spacing, is returned:
    its error is below `tol`, as a rule a hundred times smaller, plus the rounding of x's dtype (up to 1e-3 in float32).

    Raises:
        ValueError: bad x; more than two latent dimensions; tol not positive.
        RuntimeError: the lattices still disagree where their average would be finer than a spacing of 0.01.
    """
    model.check(x)
    if not tol > 0:
        raise ValueError(f"tol is the largest accepted error in nats and must be above 0; got {tol}")
    with torch.no_grad():
        if isinstance(model, LinearGaussian):
            return model.marginal.log_prob(x)
        if model.prior.has_enumerate_support:
            return _log_joint(model, x, model.prior.enumerate_support()).logsumexp(0)
        return _refined(model, x, tol)


def quadrature_log_px(
    model: LatentVariableModel,
    x: Float[Tensor, "batch pixels"],
    spacing: float,
    shift: Float[Tensor, " latents"] | None = None,
    radius: float = RADIUS,
) -> Float[Tensor, " batch"]:
    """log p(x) in nats on one lattice of the given spacing, moved by `shift` (K,) lattice steps; differentiable.

    With a fresh uniform shift at every step p(x) is unbiased whatever the spacing (within the radius), and log p(x) is
    biased low, the less the finer the lattice: training by exact maximum likelihood starts coarse and ends fine
    (notebook 04).
    """
    z = lattice(model.latent_dim, spacing, shift, radius).to(x)
    return _log_joint(model, x, z).logsumexp(0) + model.latent_dim * math.log(spacing)


def lattice(
    latent_dim: int, spacing: float, shift: Float[Tensor, " latents"] | None = None, radius: float = RADIUS
) -> Float[Tensor, "nodes latents"]:
    """The nodes spacing * (i + shift) within a ball around 0, for one or two dimensions: (G, K)."""
    if latent_dim > 2:
        raise ValueError(
            f"quadrature takes one or two latent dimensions; this model has {latent_dim}, and a lattice of 100 nodes an axis "
            f"would need 100^{latent_dim} of them: estimate log p(x) instead, see vaecourse.estimators.importance_estimate"
        )
    if not spacing > 0:
        raise ValueError(f"spacing must be above 0; got {spacing}")
    steps = torch.arange(-math.ceil(radius / spacing) - 1, math.ceil(radius / spacing) + 2, dtype=torch.float64)
    offsets = [0.0] * latent_dim if shift is None else shift.tolist()
    axes = torch.meshgrid(*(spacing * (steps + o) for o in offsets), indexing="ij")
    z = torch.stack([a.flatten() for a in axes], -1)
    return z[z.norm(dim=-1) <= radius]


def posterior_grid(
    model: LatentVariableModel, x: Float[Tensor, "batch data"], n: int = 120, extent: float = 4.0
) -> PosteriorGrid:
    """p(z|x) by Bayes' rule on n nodes an axis from -extent to extent, or exactly where the latent is discrete.

    For one or two latent dimensions; what lies outside the grid is left out. Memory: B x n^K numbers.
    """
    model.check(x)
    if model.prior.has_enumerate_support:
        z = model.prior.enumerate_support()
    else:
        lattice(model.latent_dim, 1.0)  # refuses more than two dimensions
        axis = torch.linspace(-extent, extent, n).to(x)
        z = torch.stack([a.flatten() for a in torch.meshgrid(*[axis] * model.latent_dim, indexing="ij")], -1)
    with torch.no_grad():
        return PosteriorGrid(z, torch.softmax(_log_joint(model, x, z), dim=0).T)


def _log_joint(model: LatentVariableModel, x: Tensor, z: Tensor) -> Float[Tensor, "nodes batch"]:
    return log_prob_pairs(model.decoder(z), x) + model.prior.log_prob(z)[:, None]


def _refined(model: LatentVariableModel, x: Tensor, tol: float) -> Tensor:
    """Halve the spacing, image by image, until the interleaved lattices agree. A sum once made is used at every finer level."""
    k, spacing = model.latent_dim, COARSEST
    log_px, open_rows = x.new_empty(len(x)), torch.arange(len(x))
    means = [_log_sum(model, x, lattice(k, spacing)) + k * math.log(spacing)]
    shifts = [torch.tensor(s) / 2 for s in itertools.product((0, 1), repeat=k)][1:]
    while True:
        if spacing / 2 < FINEST:
            raise RuntimeError(
                f"the quadrature does not settle for {len(open_rows)} of {len(x)} images, down to a spacing of {spacing}: their posterior is "
                f"narrower than that, or lies beyond |z| = {RADIUS}; ask for a larger tol, or look at them with posterior_grid"
            )
        means += [_log_sum(model, x[open_rows], lattice(k, spacing, s)) + k * math.log(spacing) for s in shifts]
        stacked = torch.stack(means)
        log_px[open_rows] = log_mean_exp(stacked, 0)
        apart = stacked.amax(0) - stacked.amin(0) > tol
        if not apart.any():
            return log_px
        open_rows, spacing = open_rows[apart], spacing / 2
        means = [log_px[open_rows]]


def _log_sum(model: LatentVariableModel, x: Tensor, z: Tensor) -> Tensor:
    """log sum_i p(x, z_i) for every x, in blocks of nodes and images."""
    total = x.new_full((len(x),), -math.inf)
    nodes = max(1, BLOCK // max(x.shape[1], 1024))
    for part in z.to(x).split(nodes):
        p, log_prior = model.decoder(part), model.prior.log_prob(part)[:, None]
        images = max(1, BLOCK // len(part))
        sums = [(log_prob_pairs(p, rows) + log_prior).logsumexp(0) for rows in x.split(images)]
        total = torch.logaddexp(total, torch.cat(sums))
    return total
