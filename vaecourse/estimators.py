"""One quantity, the log importance weight log w = log p(x|z) + log p(z) - log q(z) with z ~ q, and its averages.

- The mean of w, with the prior as q, is naive Monte Carlo (notebook 03).
- The log-mean-exp of log w is importance sampling (notebooks 04 and 05) and, with q from the encoder, the IWAE bound (09).
- The mean of log w is the ELBO (notebooks 06 and 08).

The samples come in blocks, so no array ever holds more than `BLOCK` numbers beyond the (S, B) weights themselves, and the averages
do not even hold those. Randomness is torch's global generator: seed it with torch.manual_seed.
"""

import math
from collections.abc import Iterator
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from vaecourse.arguments import number, positive
from vaecourse.distributions import log_prob_pairs, mixture
from vaecourse.models import LatentVariableModel

__all__ = ["defensive", "elbo", "importance_estimate", "iwae_bound", "log_weights", "mean_and_error", "naive_monte_carlo", "weight_blocks"]

BLOCK = 1 << 21  # 8 MB in float32


def log_weights(
    model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int, proposal: Distribution | None = None
) -> Float[Tensor, "samples batch"]:
    """The logarithms of S importance weights for every row of x, in nats.

        log w = log p(x|z) + log p(z) - log q(z),    z ~ q

    Args:
        model: a latent variable model.
        x: images (B, D).
        n_samples: S, the number of samples of z for each image.
        proposal: q(z), of batch (B,), one distribution for each row of x; or of batch (), and then all rows share its samples, which is
            much faster, because the likelihoods are one matrix product. By default the encoder of the model proposes.

    Returns:
        log w, (S, B).

    Raises:
        TypeError, ValueError: x or n_samples does not fit, there is neither a proposal nor an encoder, or the proposal has another
            batch or event shape.

    References:
        Notebook 05, equation 5.2.

    Example:
        >>> from vaecourse.models import VAE
        >>> log_weights(VAE(latent_dim=2), torch.ones(3, 784), n_samples=100).shape
        torch.Size([100, 3])
    """
    log_w, start = None, 0
    for block in weight_blocks(model, x, n_samples, proposal):
        # Filled block by block: a list of small results between the large arrays of the blocks would keep their memory in use.
        log_w = block.new_empty(n_samples, len(x)) if log_w is None else log_w
        log_w[start : start + len(block)] = block
        start += len(block)
    return log_w


def naive_monte_carlo(model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int) -> Float[Tensor, " batch"]:
    """The average of p(x|z) over samples from the prior: an unbiased estimate of p(x) itself, not of its logarithm (notebook 03).

        p(x) ~ (1/S) sum_s p(x|z_s),    z_s ~ p(z)

    For images of 784 pixels the result underflows to exactly 0, which is what notebook 03 shows. `importance_estimate` with
    proposal=model.prior is the same estimate in log space.

    Args:
        model: a latent variable model.
        x: images (B, D).
        n_samples: S, the number of samples of z.

    Returns:
        One number for each image, (B,).

    Raises:
        TypeError, ValueError: x or n_samples does not fit.

    Example:
        >>> from vaecourse.models import BernoulliMixture
        >>> model = BernoulliMixture(n_components=1, data_dim=3)  # with one component every sample is the same
        >>> estimate = naive_monte_carlo(model, torch.ones(1, 3), n_samples=10)
        >>> bool(torch.isclose(estimate, model.logits.sigmoid().prod()))
        True
    """
    return sum(log_w.exp().sum(0) for log_w in weight_blocks(model, x, n_samples, model.prior)) / n_samples


def importance_estimate(
    model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int, proposal: Distribution | None = None
) -> Float[Tensor, " batch"]:
    """The logarithm of the average weight, in nats: a consistent estimate of log p(x), whose expectation lies below it.

        log p(x) ~ log( (1/S) sum_s w_s ),    w_s = p(x, z_s) / q(z_s),    z_s ~ q

    Args:
        model: a latent variable model.
        x: images (B, D).
        n_samples: S, the number of samples of z for each image.
        proposal: q(z), as in `log_weights`; by default the encoder of the model.

    Returns:
        One number for each image, (B,).

    Raises:
        TypeError, ValueError: as `log_weights`.

    References:
        Notebooks 04 and 05.

    Example:
        >>> from vaecourse.models import LinearGaussian
        >>> model, x = LinearGaussian(data_dim=5, latent_dim=2), torch.zeros(3, 5)
        >>> exact = model.marginal.log_prob(x)
        >>> error = importance_estimate(model, x, 10, proposal=model.posterior(x)) - exact
        >>> bool(error.abs().max() < 1e-4)  # with the exact posterior as proposal all weights equal p(x)
        True
    """
    sums = (log_w.logsumexp(0) for log_w in weight_blocks(model, x, n_samples, proposal))
    return reduce(torch.logaddexp, sums) - math.log(n_samples)


def elbo(
    model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int, proposal: Distribution | None = None
) -> Float[Tensor, " batch"]:
    """The average log-weight: an unbiased estimate of the evidence lower bound, in nats (notebook 06).

        ELBO = E_q[log w] = log p(x) - KL(q || p(z|x))

    Args:
        model: a latent variable model.
        x: images (B, D).
        n_samples: S, the number of samples of z for each image.
        proposal: q(z), as in `log_weights`; by default the encoder of the model.

    Returns:
        One number for each image, (B,).

    Raises:
        TypeError, ValueError: as `log_weights`.

    Example:
        >>> from vaecourse.models import LinearGaussian
        >>> model, x = LinearGaussian(data_dim=5, latent_dim=2), torch.zeros(3, 5)
        >>> gap = model.marginal.log_prob(x) - elbo(model, x, 1000, proposal=model.prior)
        >>> bool((gap > 0).all())  # the gap is the divergence of the prior from the posterior
        True
    """
    return sum(log_w.sum(0) for log_w in weight_blocks(model, x, n_samples, proposal)) / n_samples


def iwae_bound(model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int) -> Float[Tensor, " batch"]:
    """The importance weighted bound: `importance_estimate` with the encoder as proposal, in nats (notebook 09).

        IWAE_S = log( (1/S) sum_s w_s ),    z_s ~ q(z|x)

    Its expectation increases with S, from the ELBO at S = 1 to log p(x).

    Args:
        model: a model with an encoder.
        x: images (B, D).
        n_samples: S, the number of samples of z for each image.

    Returns:
        One number for each image, (B,).

    Raises:
        TypeError, ValueError: as `log_weights`.

    References:
        Burda et al. 2016, equation 8.

    Example:
        >>> from vaecourse.models import VAE
        >>> iwae_bound(VAE(latent_dim=2), torch.ones(3, 784), n_samples=50).shape
        torch.Size([3])
    """
    return importance_estimate(model, x, n_samples)


def defensive(model: LatentVariableModel, x: Float[Tensor, "batch data"], share: float = 0.5) -> Distribution:
    """A mixture of the encoder's q(z|x) and the prior, as a proposal for importance sampling.

        q(z) = (1 - share) q(z|x) + share p(z)

    No weight can exceed p(x|z) / share, so a mode of the posterior that the encoder misses cannot lead to weights of unbounded size.

    Args:
        model: a model with an encoder.
        x: images (B, D).
        share: the part of the samples that the prior gets, above 0 and below 1.

    Returns:
        A distribution of batch (B,) and event (K,).

    Raises:
        TypeError, ValueError: x does not fit, the model has no encoder, or share does not lie between 0 and 1.

    References:
        Hesterberg 1995.

    Example:
        >>> from vaecourse.models import VAE
        >>> vae, x = VAE(latent_dim=2), torch.ones(3, 784)
        >>> importance_estimate(vae, x, 50, proposal=defensive(vae, x)).shape
        torch.Size([3])
    """
    encoder = _encoder(model)
    number("share, the prior's part of the samples,", share, above=0, below=1)
    model.check(x)
    return mixture([encoder(x), model.prior], [1 - share, share])


def mean_and_error(values: Float[Tensor, " batch"]) -> tuple[float, float]:
    """The mean of independent values and its standard error, std / sqrt(B), in their own unit.

    Args:
        values: (B,), a tensor or whatever torch.as_tensor turns into one.

    Raises:
        ValueError: they are no vector of at least two values.

    Example:
        >>> mean_and_error(torch.tensor([1.0, 3.0]))
        (2.0, 1.0)
    """
    values = torch.as_tensor(values)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"a standard error needs a vector of at least two independent values; got shape {tuple(values.shape)}")
    values = values if values.is_floating_point() else values.double()
    return values.mean().item(), (values.std() / math.sqrt(len(values))).item()


def weight_blocks(
    model: LatentVariableModel, x: Float[Tensor, "batch data"], n_samples: int, proposal: Distribution | None = None
) -> Iterator[Float[Tensor, "block batch"]]:
    """The rows of `log_weights`, one block at a time, for averages that need not hold all of them.

    Example:
        >>> from vaecourse.models import VAE
        >>> blocks = weight_blocks(VAE(latent_dim=2), torch.ones(3, 784), n_samples=2000)
        >>> sum(len(block) for block in blocks)
        2000
    """
    (n_samples,) = positive(n_samples=n_samples)
    model.check(x)
    q = _encoder(model)(x) if proposal is None else proposal
    if not isinstance(q, Distribution):
        raise TypeError(f"the proposal must be a distribution of z, such as model.encoder(x) or model.prior; got {type(q).__name__}")
    prior = model.prior  # once, because a learned prior may have to run the encoder
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
    """log p(x_b | z_sb), in blocks of images if one sample for all images is already too much."""
    rows = max(1, BLOCK // (len(z) * x.shape[1]))
    parts = zip(z.split(rows, dim=1), x.split(rows))
    return torch.cat([model.decoder(z_part).log_prob(x_part) for z_part, x_part in parts], dim=1)


def _encoder(model: LatentVariableModel):
    if not hasattr(model, "encoder"):
        raise ValueError(f"{type(model).__name__} has no encoder: pass a proposal, for instance proposal=model.prior")
    return model.encoder
