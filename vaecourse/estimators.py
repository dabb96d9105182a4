"""One quantity, log w = log p(x|z) + log p(z) - log q(z) with z ~ q, and its averages.

Mean of w with q the prior: naive Monte Carlo (notebook 03). Log-mean-exp of log w: importance sampling (04, 05) and,
with q from the encoder, the IWAE bound (09). Mean of log w: the ELBO (06, 08).

Samples come in blocks, so that no array ever holds more than `BLOCK` numbers beyond the (S, B) weights themselves
(the averages do not even hold those). Randomness is torch's global generator: seed it with torch.manual_seed.
"""

import math
from collections.abc import Iterator
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from vaecourse.arguments import positive
from vaecourse.distributions import log_prob_pairs, mixture
from vaecourse.models import LatentVariableModel

BLOCK = 1 << 21  # 8 MB in float32


def log_weights(
    model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int, proposal: Distribution | None = None
) -> Float[Tensor, "samples batch"]:
    """log w for n_samples draws of z for every row of x, in nats (notebook 05, equation 5.2).

    Args:
        proposal: q(z), of batch (B,), one for each row of x, or of batch (), whose samples all rows share (much
            faster: one matrix product). By default the model's encoder proposes.

    Raises:
        TypeError, ValueError: bad x or n_samples; no encoder and no proposal; a proposal of another batch or event.
    """
    log_w, start = None, 0
    for block in weight_blocks(model, x, n_samples, proposal):
        # Filled as they come: a list of small results between the large arrays of the blocks would keep their memory in use.
        log_w = block.new_empty(n_samples, len(x)) if log_w is None else log_w
        log_w[start : start + len(block)] = block
        start += len(block)
    return log_w


def naive_monte_carlo(model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int) -> Float[Tensor, " batch"]:
    """The average of p(x|z) over the prior: an unbiased estimate of p(x) itself, not of its logarithm (notebook 03).

    For images it underflows to exactly 0: that is its lesson. In log space: `importance_estimate` with model.prior.
    """
    return sum(log_w.exp().sum(0) for log_w in weight_blocks(model, x, n_samples, model.prior)) / n_samples


def importance_estimate(
    model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int, proposal: Distribution | None = None
) -> Float[Tensor, " batch"]:
    """The log of the average weight: consistent for log p(x), and on average below it, in nats (notebooks 04 and 05)."""
    sums = (log_w.logsumexp(0) for log_w in weight_blocks(model, x, n_samples, proposal))
    return reduce(torch.logaddexp, sums) - math.log(n_samples)


def elbo(
    model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int, proposal: Distribution | None = None
) -> Float[Tensor, " batch"]:
    """The average log-weight: an unbiased estimate of log p(x) - KL(q || posterior), in nats (notebook 06)."""
    return sum(log_w.sum(0) for log_w in weight_blocks(model, x, n_samples, proposal)) / n_samples


def iwae_bound(model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int) -> Float[Tensor, " batch"]:
    """`importance_estimate` with the encoder as proposal: Burda et al. 2016, equation 8, in nats (notebook 09)."""
    return importance_estimate(model, x, n_samples)


def defensive(model: LatentVariableModel, x: Float[Tensor, "batch data"], share: float = 0.5) -> Distribution:
    """The encoder's q(z|x) mixed with the prior, which gets `share` of the samples: batch (B,).

    No weight can exceed p(x|z) / share, so that a mode the encoder misses is paid for, not overlooked (Hesterberg 1995).
    """
    encoder = _encoder(model)
    if not 0 < share < 1:
        raise ValueError(f"share is the prior's part of the samples, above 0 and below 1; got {share}")
    model.check(x)
    return mixture([encoder(x), model.prior], [1 - share, share])


def weight_blocks(
    model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int, proposal: Distribution | None = None
) -> Iterator[Float[Tensor, "block batch"]]:
    """The rows of `log_weights`, a block at a time."""
    (n_samples,) = positive(n_samples=n_samples)
    model.check(x)
    q = _encoder(model)(x) if proposal is None else proposal
    prior = model.prior  # once: a learned one may have to ask the encoder
    if q.batch_shape not in ((), (len(x),)) or q.event_shape != prior.event_shape:
        raise ValueError(
            f"the proposal must have batch shape () or ({len(x)},) and event shape {tuple(prior.event_shape)}; got "
            f"{tuple(q.batch_shape)} and {tuple(q.event_shape)}: torch.distributions.Independent turns batch into event dimensions"
        )
    per_sample = max(x.shape[1], len(x)) if q.batch_shape == () else x.numel()
    block = max(1, BLOCK // per_sample)
    for start in range(0, n_samples, block):
        shape = (min(block, n_samples - start),)
        z = q.rsample(shape) if q.has_rsample else q.sample(shape)
        log_ratio = prior.log_prob(z) - q.log_prob(z)
        if q.batch_shape == ():
            yield log_prob_pairs(model.decoder(z), x) + log_ratio[:, None]
        else:
            yield _log_likelihood(model, x, z) + log_ratio


def _log_likelihood(model: LatentVariableModel, x: Tensor, z: Tensor) -> Float[Tensor, "samples batch"]:
    """log p(x_b | z_sb), in blocks of images where one sample for all of them is already too much."""
    rows = max(1, BLOCK // (len(z) * x.shape[1]))
    parts = zip(z.split(rows, dim=1), x.split(rows))
    return torch.cat([model.decoder(z_part).log_prob(x_part) for z_part, x_part in parts], dim=1)


def _encoder(model: LatentVariableModel):
    if not hasattr(model, "encoder"):
        raise ValueError(f"{type(model).__name__} has no encoder: pass a proposal, for instance proposal=model.prior")
    return model.encoder
