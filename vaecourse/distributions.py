"""Likelihoods, priors and divergences as torch distributions.

One entry of a batch is one image: log-probabilities are sums over its pixels, never averages, in nats.
"""

from collections.abc import Callable
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Bernoulli, Categorical, Distribution, Independent, MixtureSameFamily, Normal, kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

__all__ = [
    "DiagonalNormal",
    "Pixels",
    "bernoulli",
    "diagonal_normal",
    "divergence",
    "gaussian_kl",
    "log_prob_of_pixels",
    "log_prob_pairs",
    "mixture",
    "normal_mixture",
    "pair_with",
    "standard_normal",
]

BLOCK = 1 << 18  # numbers held at once where the pairs are no matrix product: as many as the cache of a processor holds


class Pixels(Independent):
    """Independent Bernoulli pixels; one event is a whole image.

    It equals `Independent(Bernoulli(logits=logits), 1)`, but evaluates images of the shape of its logits with two passes over the
    pixels fewer. Make one with `bernoulli`.

    Example:
        >>> p = Pixels(Bernoulli(logits=torch.zeros(3, 784)), 1)
        >>> p.batch_shape, p.event_shape
        (torch.Size([3]), torch.Size([784]))
    """

    def log_prob(self, x: Float[Tensor, "... pixels"]) -> Float[Tensor, "..."]:
        """log p(x) = sum_j x_j logit_j - softplus(logit_j), one number for each image, in nats."""
        logits = self.base_dist.logits
        if x.shape != logits.shape or x.dtype != logits.dtype:
            return super().log_prob(x)
        return log_prob_of_pixels(logits, x)


def log_prob_of_pixels(logits: Float[Tensor, "... pixels"], x: Float[Tensor, "... pixels"]) -> Float[Tensor, "..."]:
    """log p(x|z) of binary images given the logits of their pixels, in nats (notebook 04, equation 4.2).

        log p(x|z) = sum_j x_j logit_j - log(1 + exp(logit_j))

    Args:
        logits: (..., D), one logit for each pixel.
        x: images of the same shape.

    Returns:
        One number for each image, (...).

    Example:
        >>> round(log_prob_of_pixels(torch.zeros(784), torch.ones(784)).item(), 2)  # -784 log 2
        -543.43
    """
    return -binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


def bernoulli(logits: Float[Tensor, "... pixels"]) -> Independent:
    """Independent pixels, each of which is 1 with probability sigmoid(logit); one event is a whole image.

        log p(x) = sum_j x_j log sigmoid(logit_j) + (1 - x_j) log(1 - sigmoid(logit_j))

    Args:
        logits: (..., D), one logit for each pixel.

    Returns:
        A distribution of batch (...) and event (D,).

    Example:
        >>> p = bernoulli(torch.zeros(784))  # every pixel is a fair coin
        >>> round(p.log_prob(torch.ones(784)).item(), 2)  # -784 log 2
        -543.43
    """
    return Pixels(Bernoulli(logits=logits, validate_args=False), 1, validate_args=False)


class DiagonalNormal(Independent):
    """N(mu, diag(exp(log_var))), which keeps the parameters that `diagonal_normal` was given.

    Attributes:
        mu, log_var: (..., K), the means and the logarithms of the variances; None if the distribution was made in another way.

    Example:
        >>> diagonal_normal(torch.zeros(2), torch.ones(2)).log_var.tolist()
        [1.0, 1.0]
    """

    mu: Tensor | None = None
    log_var: Tensor | None = None


def diagonal_normal(mu: Float[Tensor, "... latents"], log_var: Float[Tensor, "... latents"]) -> DiagonalNormal:
    """The normal distribution N(mu, diag(exp(log_var))); one event is a whole latent vector.

    Args:
        mu: (..., K), the means.
        log_var: (..., K), the logarithms of the variances.

    Returns:
        A distribution of batch (...) and event (K,).

    Example:
        >>> q = diagonal_normal(torch.zeros(5, 2), torch.zeros(5, 2))
        >>> q.batch_shape, q.event_shape
        (torch.Size([5]), torch.Size([2]))
        >>> round(q.log_prob(torch.zeros(2))[0].item(), 4)  # -log(2 pi)
        -1.8379
    """
    q = DiagonalNormal(Normal(mu, torch.exp(0.5 * log_var), validate_args=False), 1, validate_args=False)
    q.mu, q.log_var = mu, log_var
    return q


def standard_normal(latent_dim: int, like: Tensor) -> Independent:
    """The prior N(0, I).

    Args:
        latent_dim: K, the number of latents.
        like: a tensor whose dtype and device the distribution gets.

    Returns:
        A distribution of batch () and event (K,).

    Example:
        >>> prior = standard_normal(2, like=torch.zeros(1))
        >>> prior.mean.tolist(), prior.stddev.tolist()
        ([0.0, 0.0], [1.0, 1.0])
    """
    return _standard_normal(latent_dim, like.dtype, like.device)


@cache
def _standard_normal(latent_dim: int, dtype: torch.dtype, device: torch.device) -> Independent:
    """The same, made only once, because a training asks for it at every step."""
    with torch.inference_mode(False):  # tensors made in inference mode cannot be used in a training later
        zeros = torch.zeros(latent_dim, dtype=dtype, device=device)
        return diagonal_normal(zeros, zeros)


def normal_mixture(
    log_weights: Float[Tensor, "... components"],
    mu: Float[Tensor, "... components latents"],
    sigma: Float[Tensor, "... components latents"],
) -> MixtureSameFamily:
    """A mixture of diagonal normals (notebook 11).

        log p(z) = log sum_c w_c N(z; mu_c, diag(sigma_c^2)),    w = softmax(log_weights)

    Args:
        log_weights: (..., C), the logarithms of the weights, which need not be normalised.
        mu: (..., C, K), the means of the components.
        sigma: (..., C, K), their standard deviations.

    Returns:
        A distribution of batch (...) and event (K,).

    Example:
        >>> p = normal_mixture(torch.zeros(2), torch.tensor([[-3.0], [3.0]]), torch.ones(2, 1))
        >>> p.mean.tolist(), p.variance.tolist()  # two modes of variance 1, at -3 and 3
        ([0.0], [10.0])
    """
    which = Categorical(logits=log_weights, validate_args=False)
    return MixtureSameFamily(which, Independent(Normal(mu, sigma, validate_args=False), 1, validate_args=False), validate_args=False)


def mixture(components: list[Distribution], weights: list[float]) -> MixtureSameFamily:
    """A mixture of given distributions with given weights, such as half an encoder's q(z|x) and half the prior.

    Args:
        components: diagonal normals or mixtures of them, each of batch (B,), or of batch () and then shared by all.
        weights: one for each component; not negative, and of sum 1.

    Returns:
        A distribution of batch (B,), or () where all components are shared, and event (K,).

    Raises:
        TypeError: a component is neither a diagonal normal nor a mixture of them.
        ValueError: the number of weights differs from that of components, or the weights are negative or do not sum to 1.

    Example:
        >>> wide = diagonal_normal(torch.zeros(2), torch.ones(2))
        >>> mixture([wide, standard_normal(2, like=torch.zeros(1))], [0.9, 0.1]).event_shape
        torch.Size([2])
    """
    if len(components) != len(weights) or not components:
        raise ValueError(f"give one weight for each component; got {len(components)} components and {len(weights)} weights")
    if not (min(weights) >= 0 and abs(sum(weights) - 1) <= 1e-6):
        raise ValueError(f"the weights of a mixture must be 0 or above and sum to 1; got {weights}")
    parts = [_parts(q) for q in components]
    batch = torch.broadcast_shapes(*(mu.shape[:-2] for _, mu, _ in parts))
    shares = parts[0][1].new_tensor(weights).log()
    return normal_mixture(
        torch.cat([(share + log_weights).expand(*batch, -1) for share, (log_weights, _, _) in zip(shares, parts)], -1),
        torch.cat([mu.expand(*batch, -1, -1) for _, mu, _ in parts], -2),
        torch.cat([sigma.expand(*batch, -1, -1) for _, _, sigma in parts], -2),
    )


def _parts(q: Distribution) -> tuple[Tensor, Tensor, Tensor]:
    """The log-weights (..., C), means (..., C, K) and standard deviations of a mixture. A single normal is a mixture of one component."""
    normal = q.component_distribution if isinstance(q, MixtureSameFamily) else q
    base = getattr(normal, "base_dist", None)
    if not (isinstance(normal, Independent) and isinstance(base, Normal)):
        raise TypeError(f"the components of a mixture must be diagonal normals or mixtures of them, see diagonal_normal; got {q}")
    if isinstance(q, MixtureSameFamily):
        return q.mixture_distribution.logits, base.loc, base.scale
    return base.loc.new_zeros(1), base.loc.unsqueeze(-2), base.scale.unsqueeze(-2)


def gaussian_kl(mu: Float[Tensor, "... latents"], log_var: Float[Tensor, "... latents"]) -> Float[Tensor, "..."]:
    """The divergence KL(N(mu, diag(exp(log_var))) || N(0, I)) in closed form, in nats.

        KL = 1/2 sum_k (mu_k^2 + exp(log_var_k) - 1 - log_var_k)

    Args:
        mu: (..., K), the means.
        log_var: (..., K), the logarithms of the variances.

    Returns:
        One number for each latent vector, of shape (...).

    References:
        Kingma and Welling 2014, appendix B; notebook 06, equation 6.7.

    Example:
        >>> gaussian_kl(torch.tensor([1.0, 0.0]), torch.zeros(2)).item()  # a mean one standard deviation away costs half a nat
        0.5
    """
    return 0.5 * (mu.square() + log_var.exp() - 1 - log_var).sum(-1)


def divergence(q: Distribution, p: Distribution, z: Float[Tensor, "... latents"]) -> Float[Tensor, "..."]:
    """KL(q || p) in nats: the closed form where torch has one, otherwise the estimate log q(z) - log p(z) at one z drawn from q.

    The estimate is unbiased, and a single value may be negative (notebook 11).

    Args:
        q: a distribution of batch (...) and event (K,).
        p: a distribution over the same event.
        z: (..., K), drawn from q; used only where there is no closed form.

    Returns:
        One number for each entry of the batch, of shape (...).

    Example:
        >>> q, p = diagonal_normal(torch.ones(2), torch.zeros(2)), diagonal_normal(torch.zeros(2), torch.zeros(2))
        >>> divergence(q, p, q.sample()).item()
        1.0
    """
    if isinstance(q, DiagonalNormal) and q.mu is not None and p is standard_normal(q.mu.shape[-1], like=q.mu):
        return gaussian_kl(q.mu, q.log_var)  # the usual case, at every step of a training, in half the operations
    try:
        return kl_divergence(q, p)
    except NotImplementedError:
        return q.log_prob(z) - p.log_prob(z)


def log_prob_pairs(p: Distribution, x: Float[Tensor, "batch pixels"]) -> Float[Tensor, "samples batch"]:
    """log p(x_b | z_s) in nats for every pair of an image and a latent vector.

    For Bernoulli pixels the log-likelihood is linear in x,

        log p(x|z) = sum_j x_j logit_j(z) - sum_j softplus(logit_j(z)),

    so the values of all pairs are a single matrix product.

    Args:
        p: the decoder's answer to S latent vectors, decoder(z), of batch (S,) and event (D,).
        x: images (B, D).

    Returns:
        The log-likelihoods, (S, B).

    Example:
        >>> p = bernoulli(torch.zeros(4, 10))
        >>> log_prob_pairs(p, torch.ones(3, 10)).shape
        torch.Size([4, 3])
    """
    return pair_with(p)(x)


def pair_with(p: Distribution, plus: float | Float[Tensor, " samples"] = 0.0) -> Callable[[Tensor], Tensor]:
    """`log_prob_pairs` as a function of x alone, for evaluating many blocks of images under the same p.

    Args:
        p: of batch (S,) and event (D,), for instance decoder(z).
        plus: added to every log-likelihood: a number, or one number for each of the S latent vectors, such as log p(z).

    Returns:
        A function that takes images (B, D) and returns (S, B) in nats.

    Example:
        >>> log_joint = pair_with(bernoulli(torch.zeros(4, 10)), plus=torch.full((4,), -1.0))
        >>> round(log_joint(torch.ones(3, 10))[0, 0].item(), 3)  # -10 log 2 - 1
        -7.931
    """
    if not isinstance(getattr(p, "base_dist", None), Bernoulli):
        rows = max(1, BLOCK // (p.batch_shape + p.event_shape).numel())
        return lambda x: torch.cat([p.log_prob(part[:, None]) + plus for part in x.split(rows)]).T
    logits = p.base_dist.logits
    # Below -26 the softplus is under 1e-11, and float32 would compute it with denormal numbers, which is up to ten times slower.
    offset = plus - softplus(logits.clamp(min=-26)).sum(1)
    return lambda x: (logits @ x.T).add_(offset[:, None])
