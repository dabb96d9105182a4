"""The exact log p(x) as a sum, a closed form or a quadrature. Every estimate of the course is compared with these values.

The quadrature is the trapezoidal rule on a square lattice of spacing h,

    log p(x) = log sum_i h^K p(z_i) p(x|z_i).

For a smooth integrand that vanishes at both ends, its error decreases faster than any power of h (Trefethen and Weideman 2014,
"The exponentially convergent trapezoidal rule"). The nodes are the same for every image, so the likelihoods of all images at all
nodes are a single matrix product.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import AffineTransform, Independent, TransformedDistribution

from vaecourse.arguments import number, positive, whole
from vaecourse.distributions import pair_with
from vaecourse.models import LatentVariableModel, LinearGaussian

__all__ = ["PosteriorGrid", "exact_log_px", "lattice", "posterior_grid", "quadrature_log_px"]

RADIUS = 8.0  # beyond it the N(0, I) prior holds less than 1e-13
FARTHEST = 32.0  # the largest radius to which the quadrature follows a posterior
BLOCK = 3 << 20  # numbers held at once for each intermediate array: 12 MB in float32
COARSEST = 1 / 8
FINEST = 1 / 128  # the quadrature gives up if lattices of this spacing still disagree
SMALLEST = -80.0  # smaller logarithms are raised to it, because e^-88 and less are denormal numbers in float32, which are slow
NEGLIGIBLE = 1e-7  # squares with a smaller share of p(x) are not visited again


class PosteriorGrid(NamedTuple):
    """The posterior p(z|x) of several images on a grid.

    Attributes:
        z: (G, K), the nodes.
        probs: (B, G), the probabilities of the nodes for each image; each row sums to 1.

    Example:
        >>> grid = PosteriorGrid(torch.tensor([[-1.0], [1.0]]), torch.tensor([[0.25, 0.75]]))
        >>> (grid.probs @ grid.z).item()  # the mean of the posterior
        0.5
    """

    z: Tensor
    probs: Tensor


def exact_log_px(model: LatentVariableModel, x: Float[Tensor, "batch data"], tol: float = 1e-2) -> Float[Tensor, " batch"]:
    """The exact log p(x) = log of the integral of p(z) p(x|z) over z, for every row of x, in nats.

    If the latent is discrete, p(x) is a sum over its values. If the model is linear and Gaussian, it is the closed form. Otherwise it
    is a quadrature, for one or two latents. The quadrature uses 2^K interleaved lattices and halves their spacing, image by image, as
    long as the lattices disagree. The result is the average over the lattices, which is itself a lattice of half the spacing. Its
    estimated error is below `tol` nats, as a rule far below, because the harmonics in which the lattices differ cancel; the rounding
    of x's dtype comes on top (about 1e-4 in float32). A mode beyond |z| = 8 is found if there is probability mass on the way to it. If
    the prior is learned, all lengths are measured in its standard deviations.

    Args:
        model: any model of `vaecourse.models` with a discrete latent, a linear-Gaussian decoder, or at most two latents.
        x: images (B, D).
        tol: the largest accepted error in nats.

    Returns:
        log p(x) of each image, (B,).

    Raises:
        TypeError, ValueError: x does not fit the model, its weights hold NaN, it has more than two latents, or tol is not a number above 0.
        RuntimeError: the lattices still disagree at a spacing of 1/64, or the posterior reaches beyond |z| = 32.

    Example:
        >>> from vaecourse.models import pretrained
        >>> model = pretrained("strokes")
        >>> x = torch.zeros(2, 784)
        >>> exact_log_px(model, x).shape
        torch.Size([2])
    """
    model.check(x)
    number("tol, the largest accepted error in nats,", tol, above=0)
    if any(p.isnan().any() for p in model.parameters()):
        raise ValueError("the weights of the model hold NaN, as they do when a training goes astray: train it again, or load other weights")
    with torch.no_grad():
        if isinstance(model, LinearGaussian):
            return model.marginal.log_prob(x)
        if model.prior.has_enumerate_support:
            return _log_joint(model, x, model.prior.enumerate_support()).logsumexp(0)
        with torch.inference_mode():
            log_px = _quadrature(_rescaled(model), x, tol)
    log_px = log_px.clone()
    unsettled = int((~log_px.isfinite()).sum())
    if unsettled:
        raise RuntimeError(
            f"the quadrature does not settle within {tol:g} nats for {unsettled} of {len(x)} images: their posterior is narrower than a "
            f"spacing of {2 * FINEST:g}, or reaches beyond |z| = {FARTHEST:g}; pass a larger tol, or inspect them with posterior_grid"
        )
    return log_px


def quadrature_log_px(
    model: LatentVariableModel,
    x: Float[Tensor, "batch pixels"],
    spacing: float,
    shift: Float[Tensor, " latents"] | None = None,
    radius: float = RADIUS,
) -> Float[Tensor, " batch"]:
    """log p(x) in nats on one lattice of the given spacing; it can be differentiated with respect to the parameters of the model.

        log p(x) ~ log sum_i h^K p(z_i) p(x|z_i),    z_i = h (i + shift)

    With a new uniform shift at every step, the estimate of p(x) is unbiased whatever the spacing (within the radius). The estimate of
    log p(x) is biased low, and the bias decreases with the spacing. Training by exact maximum likelihood therefore begins with a
    coarse lattice and ends with a fine one (notebook 04b).

    Args:
        model: a model with one or two latents.
        x: images (B, D). Grey levels between 0 and 1 are accepted in place of zeros and ones; p(x|z) is then no probability of an
            image, and the result is not comparable with others.
        spacing: h.
        shift: (K,), how far the lattice is moved, in steps of the lattice; by default not at all.
        radius: the lattice covers a ball of this radius around 0.

    Returns:
        One number for each image, (B,).

    Raises:
        TypeError, ValueError: x does not fit the model, the latent is discrete or has more than two dimensions, or spacing, shift or
            radius does not fit.

    Example:
        >>> from vaecourse.models import pretrained
        >>> model, x = pretrained("strokes"), torch.zeros(1, 784)
        >>> error = quadrature_log_px(model, x, spacing=0.05) - exact_log_px(model, x)
        >>> bool(error.abs() < 0.01)
        True
    """
    if model.prior.has_enumerate_support:
        raise ValueError(f"the latent of a {type(model).__name__} is discrete, so no lattice is needed: exact_log_px sums over its values")
    model.check(x, grey=True) if model.binary else model.check(x)
    z = lattice(model.latent_dim, spacing, shift, radius).to(x)
    return _log_joint(model, x, z).logsumexp(0) + model.latent_dim * math.log(spacing)


def lattice(
    latent_dim: int, spacing: float, shift: Float[Tensor, " latents"] | None = None, radius: float = RADIUS
) -> Float[Tensor, "nodes latents"]:
    """The nodes h (i + shift) of a square lattice within a ball around 0, in one or two dimensions.

    Args:
        latent_dim: K, the number of dimensions.
        spacing: h.
        shift: (K,), how far the lattice is moved, in steps of the lattice.
        radius: of the ball.

    Returns:
        The nodes, (G, K) float64.

    Raises:
        TypeError, ValueError: more than two dimensions, a spacing or radius that is not a number above 0, or a shift of another shape.

    Example:
        >>> lattice(1, spacing=0.5, radius=1.0)[:, 0].tolist()
        [-1.0, -0.5, 0.0, 0.5, 1.0]
    """
    _refuse_many(*positive(latent_dim=latent_dim))
    number("spacing, the distance between neighbouring nodes,", spacing, above=0)
    number("radius, that of the ball which the lattice fills,", radius, above=0)
    if shift is not None and (not isinstance(shift, Tensor) or shift.shape != (latent_dim,)):
        got = f"shape {tuple(shift.shape)}" if isinstance(shift, Tensor) else type(shift).__name__
        raise ValueError(f"shift must be a tensor of shape ({latent_dim},), one number for each dimension of the lattice; got {got}")
    steps = torch.arange(-math.ceil(radius / spacing) - 1, math.ceil(radius / spacing) + 2, dtype=torch.float64)
    offsets = [0.0] * latent_dim if shift is None else shift.tolist()
    axes = torch.meshgrid(*(spacing * (steps + o) for o in offsets), indexing="ij")
    z = torch.stack([a.flatten() for a in axes], -1)
    return z[z.norm(dim=-1) <= radius]


def posterior_grid(model: LatentVariableModel, x: Float[Tensor, "batch data"], n: int = 120, extent: float = 4.0) -> PosteriorGrid:
    """The posterior p(z|x) = p(z) p(x|z) / p(x) on a grid, normalised over its nodes; exact if the latent is discrete.

    For one or two latents. Whatever lies outside of the grid is left out. The result holds B n^K numbers.

    Args:
        model: a model with a discrete latent, or with one or two continuous ones.
        x: images (B, D).
        n: the number of nodes along each axis.
        extent: the grid reaches from -extent to extent along each axis.

    Returns:
        The nodes (G, K) and their probabilities (B, G).

    Raises:
        TypeError, ValueError: x does not fit the model, n is not a whole number of at least 2, extent is not a number above 0, or there
            are more than two latents.

    Example:
        >>> from vaecourse.models import pretrained
        >>> grid = posterior_grid(pretrained("strokes"), torch.zeros(3, 784), n=20)
        >>> grid.z.shape, grid.probs.shape
        (torch.Size([400, 2]), torch.Size([3, 400]))
    """
    model.check(x)
    n, extent = whole("n", n, least=2), number("extent, how far the grid reaches from 0,", extent, above=0)
    if model.prior.has_enumerate_support:
        z = model.prior.enumerate_support()
    else:
        _refuse_many(model.latent_dim)
        axis = torch.linspace(-extent, extent, n, dtype=x.dtype, device=x.device)
        z = torch.stack([a.flatten() for a in torch.meshgrid(*[axis] * model.latent_dim, indexing="ij")], -1)
    with torch.no_grad():
        log_joint, start = x.new_empty(len(z), len(x)), 0
        for part in z.split(max(1, BLOCK // model.data_dim)):  # filled in place: small results between large arrays would keep their memory
            log_joint[start : start + len(part)] = _log_joint(model, x, part)
            start += len(part)
    return PosteriorGrid(z, torch.softmax(log_joint, dim=0).T)


def _refuse_many(latent_dim: int) -> None:
    if latent_dim > 2:
        raise ValueError(
            f"quadrature works for one or two latent dimensions; this model has {latent_dim}, and a lattice with 100 nodes per axis "
            f"would need 100^{latent_dim} of them: estimate log p(x) instead, see vaecourse.estimators.importance_estimate"
        )


def _rescaled(model: LatentVariableModel) -> LatentVariableModel:
    """The same p(x) in the coordinates u = (z - mean) / stddev of the prior, because a learned prior may have any location and width."""
    prior, k = model.prior, model.latent_dim
    if isinstance(prior, Independent):
        return model  # N(0, I)
    mean, scale = prior.mean, prior.stddev
    into = AffineTransform(-mean / scale, 1 / scale, event_dim=1)
    moved = TransformedDistribution(prior, into, validate_args=False)
    return SimpleNamespace(prior=moved, decoder=lambda u: model.decoder(mean + scale * u), latent_dim=k, data_dim=model.data_dim)


def _log_joint(model: LatentVariableModel, x: Tensor, z: Tensor) -> Float[Tensor, "nodes batch"]:
    return pair_with(model.decoder(z), model.prior.log_prob(z))(x)


def _quadrature(model: LatentVariableModel, x: Tensor, tol: float, radius: float = RADIUS) -> Tensor:
    """Halve the spacing, image by image, until the 2^K interleaved lattices agree; NaN where they do not.

    The plane is divided into unit squares. On the coarsest lattice every image is summed over all of them. Each finer lattice visits only
    the squares that hold a share of the image's p(x) that matters, and cuts them into halves along each axis, so that the number of
    nodes in a square stays the same. (The second lattice also visits the squares below them, whose last nodes may be farther from a
    narrow posterior than the first nodes of the next square.) If the outermost squares hold a share, the whole region is enlarged.

    The average of the lattices is more accurate than their spread suggests, because the harmonics in which they differ cancel in it.
    But shifted lattices can also agree by chance, when a narrow posterior lies midway between their nodes. That does not happen at two
    spacings in a row, so the spread that is accepted depends on the spread before.
    """
    k, spacing, side = model.latent_dim, COARSEST, 1.0
    corners = _squares(k, radius).to(x)
    above = corners - corners[:, None]
    reach = ((above == 0) | (above == 1)).all(-1).to(x)
    mass = _sums(model, x, corners, _offsets(x.new_zeros(1, k), spacing, side))[0] + k * math.log(spacing)
    scale = _log_sum_exp_(mass.clone())
    mass.sub_(scale).clamp_(min=SMALLEST).exp_()  # of each square, relative to the image's p(x) on the coarsest lattice
    log_px, before, rows = *x.new_full((2, len(x)), math.nan), torch.arange(len(x), device=x.device)
    far = mass[corners.norm(dim=-1) > radius - 1.5].sum(0) > tol / 10
    if far.any():
        log_px[far] = _quadrature(model, x[far], tol, math.sqrt(2) * radius) if radius < FARTHEST - 1 else math.nan
        rows, mass = rows[~far], mass[:, ~far]
    left = x.new_zeros(len(rows))  # the mass of the squares that are not visited any more
    while len(rows) and spacing / 2 >= FINEST:
        live = mass > NEGLIGIBLE * (left + mass.sum(0))
        if spacing == COARSEST:
            live = reach @ live.to(x) > 0
        left += torch.where(live, 0, mass).sum(0)
        totals, corners, mass = _refine(model, x, rows, corners, side, spacing, live, scale)
        totals += left
        spread = (totals.amax(0) / totals.amin(0)).log()
        previous = before[rows].nan_to_num(4)
        settled = spread <= tol * torch.where(previous <= 3, 10, 4 / previous)
        before[rows] = spread
        log_px[rows[settled]] = scale[rows[settled]] + totals.mean(0)[settled].log()
        rows, mass, left = rows[~settled], mass[:, ~settled], left[~settled]
        spacing, side = spacing / 2, side / 2
    return log_px


def _refine(
    model: LatentVariableModel, x: Tensor, rows: Tensor, corners: Tensor, side: float, spacing: float, live: Tensor, scale: Tensor
) -> tuple[Float[Tensor, "lattices batch"], Float[Tensor, "halves latents"], Float[Tensor, "halves batch"]]:
    """The mass of the images in `rows` on each of 2^K interleaved lattices, in the squares where they are live.

    Returns also the lower corners of the halves of all squares visited, and each image's mass in them, the average of the lattices.
    """
    k, visited = model.latent_dim, live.any(1).nonzero()[:, 0]
    shifts = torch.cartesian_prod(*[x.new_tensor([0.0, 0.5])] * k).reshape(-1, k)
    halves = (corners[visited, None] + side * shifts).to(x)
    offsets, log_area = _offsets(shifts, spacing, side / 2), k * math.log(spacing)
    totals, mass = x.new_zeros(len(shifts), len(rows)), x.new_zeros(*halves.shape[:2], len(rows))
    for i, square in enumerate(visited):
        here = live[square].nonzero()[:, 0]
        images = rows[here]
        some = x.index_select(0, images)  # it copies whole rows, four times as fast as x[images]
        lattices = (_sums(model, some, halves[i], offsets) + log_area - scale[images]).clamp_(min=SMALLEST).exp_()
        totals[:, here] += lattices.sum(1)
        mass[i, :, here] = lattices.mean(0)
    return totals, halves.flatten(0, 1), mass.flatten(0, 1)


def _squares(latent_dim: int, radius: float) -> Float[Tensor, "squares latents"]:
    """The lower corners of the squares of side 1 (intervals, if there is one latent) that cover a ball around 0."""
    _refuse_many(latent_dim)
    steps = torch.arange(-math.ceil(radius), math.ceil(radius), dtype=torch.float64)
    corners = torch.cartesian_prod(*[steps] * latent_dim).reshape(-1, latent_dim)
    nearest = torch.where(corners < 0, corners + 1, corners)
    return corners[nearest.norm(dim=-1) < radius]


def _sums(model: LatentVariableModel, x: Tensor, corners: Tensor, offsets: Tensor) -> Float[Tensor, "shifts squares batch"]:
    """log sum_i p(x, z_i) over the nodes of each square, for each shift of the lattice.

    The offsets (nodes, shifts, 1, K) of the nodes are relative to the corner of a square.
    """
    n, prior = len(offsets), model.prior
    z = (corners + offsets).reshape(n, -1, model.latent_dim)  # the nodes of a square come first, because they are summed
    columns = max(1, BLOCK // (n * max(x.shape[1], min(len(x), 2048))))
    rows = []
    for part in z.split(columns, dim=1):
        part = part.reshape(-1, model.latent_dim)
        log_joint = pair_with(model.decoder(part), prior.log_prob(part))
        parts = [_log_sum_exp_(log_joint(some).view(n, -1, len(some))) for some in x.split(max(1, BLOCK // len(part)))]
        rows.append(torch.cat(parts, 1))
    return torch.cat(rows).view(offsets.shape[1], len(corners), len(x))


def _offsets(shifts: Tensor, spacing: float, side: float) -> Float[Tensor, "nodes shifts 1 latents"]:
    """The nodes of a lattice in a square at 0, for each shift by a fraction of its spacing."""
    steps = torch.arange(0, side, spacing).to(shifts)
    inside = torch.cartesian_prod(*[steps] * shifts.shape[1]).reshape(-1, 1, 1, shifts.shape[1])
    return inside + spacing * shifts[:, None]


def _log_sum_exp_(a: Tensor) -> Tensor:
    """logsumexp over the first axis, overwriting a."""
    top = a.amax(0)
    return a.sub_(top).clamp_(min=SMALLEST).exp_().sum(0).log_().add_(top)
