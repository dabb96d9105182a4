"""What to ask a trained VAE: whose fault the gap is, which latents are in use, where the codes of all images lie.

Everything is in nats. Bits per dimension are made in `bits_per_dim`, and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal, kl_divergence

from vaecourse.arguments import positive, whole
from vaecourse.distributions import diagonal_normal, divergence
from vaecourse.estimators import elbo
from vaecourse.models import LatentVariableModel
from vaecourse.oracles import exact_log_px

if TYPE_CHECKING:
    from vaecourse.audit import audit as audit

BLOCK = 1 << 20  # numbers held at once for each intermediate array: 4 MB in float32
DRAWS = 8  # of z, for each image and step of `refine`


class Gaps(NamedTuple):
    """log p(x) - ELBO(q) of each image (B,) in two parts: no ellipse fits, and a better ellipse was not found."""

    approximation: Tensor
    amortisation: Tensor


class Aggregate(NamedTuple):
    """The mean KL(q_n || p) of N images, and its two parts: what a code tells, and where the crowd of all codes lies."""

    kl: float
    information: float
    crowd: float


def exact_elbo(model: LatentVariableModel, x: Float[Tensor, "batch data"], q: Independent, nodes: int = 20) -> Float[Tensor, " batch"]:
    """The ELBO of each row of x under its own diagonal normal in q, in nats, without sampling noise.

    Gauss and Hermite's rule for the reconstruction term, nodes^K nodes placed under q; the divergence from the prior in
    closed form, or, where the prior is no diagonal normal, by the same rule. Exact where log p(x|z) (and log p(z)) is a
    polynomial in z of degree below 2 * nodes.

    Raises:
        ValueError: bad x; q without one diagonal normal a row; more than two latents.
    """
    _check(model, x, q)
    (nodes,), k = positive(nodes=nodes), model.latent_dim
    if k > 2:
        raise ValueError(f"a product of rules takes one or two latents; this model has {k}: see vaecourse.estimators.elbo for an estimate")
    axis, weight = (torch.from_numpy(a).to(x) for a in np.polynomial.hermite_e.hermegauss(nodes))
    unit = torch.cartesian_prod(*[axis] * k).reshape(-1, 1, k)
    weights = torch.cartesian_prod(*[weight / weight.sum()] * k).reshape(-1, k).prod(1)
    with torch.no_grad():
        reconstruction = torch.empty_like(x[:, 0])  # made first: small results left between the blocks would scatter them over the heap
        rows = zip(*(a.split(max(1, BLOCK // (len(unit) * x.shape[1]))) for a in (x, q.mean, q.stddev, reconstruction)))
        for image, mu, sigma, place in rows:
            place.copy_(weights @ model.decoder(mu + sigma * unit).log_prob(image))
        try:
            return reconstruction - kl_divergence(q, model.prior)
        except NotImplementedError:
            return reconstruction + q.entropy() + torch.einsum("s,sb->b", weights, model.prior.log_prob(q.mean + q.stddev * unit))


def refine(
    model: LatentVariableModel, x: Float[Tensor, "batch data"], starts: Sequence[Independent], steps: int = 200, lr: float = 0.1
) -> Independent:
    """The best diagonal normal found for each row of x: batch (B,), event (K,).

    From every start, `steps` of Adam on the ELBO in q alone, image by image, with the model left as it is; then, for
    each image, the best of all starts and ends, judged by 500 draws. This is a local search: where a posterior has
    patches apart it ends on the patch that a start is near.

    Args:
        starts: what to climb from, each of batch (B,), for instance [model.encoder(x)].

    Raises:
        ValueError: bad x; no start, or one without one diagonal normal a row.
    """
    steps = whole("steps", steps, least=0)  # with none, the best of the starts
    if not starts:
        raise ValueError("give at least one start, for instance starts=[model.encoder(x)]")
    candidates = []
    for q in starts:
        _check(model, x, q)
        start = torch.stack([q.mean, q.variance.log()]).detach()
        rows = max(1, BLOCK // (DRAWS * x.shape[1]))
        ends = [_climb(model, image, part, steps, lr) for image, part in zip(x.split(rows), start.split(rows, dim=1))]
        candidates += [start, torch.cat(ends, dim=1)]
    with torch.no_grad():
        scores = torch.stack([elbo(model, x, 500, diagonal_normal(*candidate)) for candidate in candidates])
    mu, log_var = torch.stack(candidates)[scores.argmax(0), :, torch.arange(len(x))].unbind(1)
    return diagonal_normal(mu, log_var)


def _climb(model: LatentVariableModel, x: Tensor, start: Tensor, steps: int, lr: float) -> Float[Tensor, "2 batch latents"]:
    """Mean and log-variance of each q after Adam with a rate that falls along a cosine."""
    ends = start.clone().requires_grad_()
    adam = torch.optim.Adam([ends], lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps, lr / 20)
    for _ in range(steps):
        (ends.grad,) = torch.autograd.grad(-elbo(model, x, DRAWS, diagonal_normal(*ends)).sum(), ends)
        adam.step()
        schedule.step()
    return ends.detach()


def split_gap(model: LatentVariableModel, x: Float[Tensor, "batch data"], q: Independent, best: Independent) -> Gaps:
    """log p(x) - ELBO(q) of each row as approximation gap + amortisation gap, in nats (notebook 08, equation 8.3).

    Approximation: log p(x) - ELBO(best), which only a richer family can close. Amortisation: ELBO(best) - ELBO(q),
    which a better encoder can (Cremer, Li and Duvenaud 2018, section 3). One or two latents: the oracle gives log p(x).

    Args:
        q: what the encoder proposes, batch (B,).
        best: what `refine` makes of it, batch (B,).
    """
    elbo_q, elbo_best = exact_elbo(model, x, q), exact_elbo(model, x, best)
    return Gaps(exact_log_px(model, x) - elbo_best, elbo_best - elbo_q)


def active_units(q: Independent, threshold: float = 0.01) -> Bool[Tensor, " latents"]:
    """Which latents move with the image: Var_x(E_q[z_k]) > threshold (Burda et al. 2016, section 5.2).

    Args:
        q: encoder(x) of many images, batch (N,), event (K,).
    """
    if len(q.batch_shape) != 1 or q.batch_shape[0] < 2:
        raise ValueError(f"a variance over images needs the encoder's q of at least two of them; got batch shape {tuple(q.batch_shape)}")
    return q.mean.detach().var(0) > threshold


def aggregate(q: Independent, prior: Distribution, n_samples: int = 1) -> Aggregate:
    """mean KL(q_n || p) = I(x; z) + KL(q_bar || p), with q_bar the average of q_1 … q_N (Hoffman and Johnson 2016).

    The left side in closed form, the terms on the right by n_samples draws from each q_n, so their sum differs from the
    left side by noise; under a learned prior the left side is drawn too. x is one of these N images here: the
    information cannot exceed log N. In nats.

    Args:
        q: encoder(x) of the images, batch (N,), event (K,).
        prior: p(z), batch ().
    """
    if len(q.batch_shape) != 1:
        raise ValueError(f"q must hold one distribution for each image; got batch shape {tuple(q.batch_shape)}")
    (n_samples,), n, k = positive(n_samples=n_samples), q.batch_shape[0], q.event_shape[0]
    with torch.no_grad():
        z = q.sample((n_samples,))
        log_q, log_p = q.log_prob(z).flatten(), prior.log_prob(z).flatten()
        rows, log_bar = max(1, BLOCK // (n * k)), torch.empty_like(log_q)
        for part, place in zip(z.reshape(-1, 1, k).split(rows), log_bar.split(rows)):
            place.copy_(q.log_prob(part).logsumexp(1) - math.log(n))
        kl = divergence(q, prior, z).mean()
        return Aggregate(kl.item(), (log_q - log_bar).mean().item(), (log_bar - log_p).mean().item())


def bits_per_dim(nats: Float[Tensor, "..."] | float, dims: int) -> Float[Tensor, "..."] | float:
    """A log-likelihood of `dims` values, in nats, as the bits that an ideal code spends on each: -nats / (dims log 2).

    The sign turns, so lower is better.
    Of grey levels or other real values it depends on their unit.
    """
    (dims,) = positive(dims=dims)
    return -nats / (dims * math.log(2))


def _check(model: LatentVariableModel, x: Tensor, q: Distribution) -> None:
    model.check(x)
    normal = isinstance(q, Independent) and isinstance(q.base_dist, Normal)
    if not normal or q.batch_shape != (len(x),) or q.event_shape != (model.latent_dim,):
        raise ValueError(
            f"q must be a diagonal normal for each of the {len(x)} images, event ({model.latent_dim},); got {type(q).__name__} of batch "
            f"{tuple(q.batch_shape)} and event {tuple(q.event_shape)}: see vaecourse.distributions.diagonal_normal"
        )


def __getattr__(name: str):
    """`diagnostics.audit`: its module needs this one, and is loaded when it is first asked for."""
    if name == "audit":
        from vaecourse.audit import audit

        return audit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "audit"])
