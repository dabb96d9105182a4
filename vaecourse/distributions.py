"""Likelihoods and divergences, as torch distributions. One batch entry is one image: its pixels are summed, never averaged."""

from collections.abc import Callable
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Bernoulli, Categorical, Distribution, Independent, MixtureSameFamily, Normal, kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

BLOCK = 1 << 18  # numbers held at once where pairs have no matrix product: what the cache of a processor holds


class Pixels(Independent):
    """`Independent(Bernoulli(logits=logits), 1)`, whose log_prob of images of the same shape takes two passes over the pixels less."""

    def log_prob(self, x: Float[Tensor, "... pixels"]) -> Float[Tensor, "..."]:
        logits = self.base_dist.logits
        if x.shape != logits.shape or x.dtype != logits.dtype:
            return super().log_prob(x)
        return log_prob_of_pixels(logits, x)


def log_prob_of_pixels(logits: Float[Tensor, "... pixels"], x: Float[Tensor, "... pixels"]) -> Float[Tensor, "..."]:
    """log p(x|z) of black and white images in nats: sum over pixels of x logit - log(1 + exp(logit)) (notebook 04, equation 4.2)."""
    return -binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


def bernoulli(logits: Float[Tensor, "... pixels"]) -> Independent:
    """Independent pixels, each 1 with probability sigmoid(logit); one event is a whole image."""
    return Pixels(Bernoulli(logits=logits, validate_args=False), 1, validate_args=False)


class DiagonalNormal(Independent):
    """N(mu, diag(exp(log_var))), which keeps its parameters as `diagonal_normal` got them."""

    mu: Tensor | None = None
    log_var: Tensor | None = None


def diagonal_normal(mu: Float[Tensor, "... latents"], log_var: Float[Tensor, "... latents"]) -> DiagonalNormal:
    """N(mu, diag(exp(log_var))); one event is a whole latent vector."""
    q = DiagonalNormal(Normal(mu, torch.exp(0.5 * log_var), validate_args=False), 1, validate_args=False)
    q.mu, q.log_var = mu, log_var
    return q


def standard_normal(latent_dim: int, like: Tensor) -> Independent:
    """The prior N(0, I) in `latent_dim` dimensions, with the dtype and device of `like`."""
    return _standard_normal(latent_dim, like.dtype, like.device)


@cache
def _standard_normal(latent_dim: int, dtype: torch.dtype, device: torch.device) -> Independent:
    """Made once, because a training asks for it at every step."""
    with torch.inference_mode(False):  # what is made in inference mode could not be used in a training later
        zeros = torch.zeros(latent_dim, dtype=dtype, device=device)
        return diagonal_normal(zeros, zeros)


def normal_mixture(
    log_weights: Float[Tensor, "... components"],
    mu: Float[Tensor, "... components latents"],
    sigma: Float[Tensor, "... components latents"],
) -> MixtureSameFamily:
    """A mixture of diagonal normals: batch (...), event (K,). The weights are normalised; log p(z) is their log-sum-exp (notebook 11)."""
    which = Categorical(logits=log_weights, validate_args=False)
    return MixtureSameFamily(which, Independent(Normal(mu, sigma, validate_args=False), 1, validate_args=False), validate_args=False)


def mixture(components: list[Distribution], weights: list[float]) -> MixtureSameFamily:
    """A mixture with the given weights of diagonal normals, or of mixtures of them, each of batch (B,) or shared."""
    if len(components) != len(weights) or not components:
        raise ValueError(f"give one weight for each component; got {len(components)} components and {len(weights)} weights")
    if min(weights) < 0 or abs(sum(weights) - 1) > 1e-6:
        raise ValueError(f"the weights of a mixture are not negative and sum to 1; got {weights}")
    parts = [_parts(q) for q in components]
    batch = torch.broadcast_shapes(*(mu.shape[:-2] for _, mu, _ in parts))
    shares = parts[0][1].new_tensor(weights).log()
    return normal_mixture(
        torch.cat([(share + log_weights).expand(*batch, -1) for share, (log_weights, _, _) in zip(shares, parts)], -1),
        torch.cat([mu.expand(*batch, -1, -1) for _, mu, _ in parts], -2),
        torch.cat([sigma.expand(*batch, -1, -1) for _, _, sigma in parts], -2),
    )


def _parts(q: Distribution) -> tuple[Tensor, Tensor, Tensor]:
    """Log-weights (..., C), means (..., C, K) and scales of a mixture; a single normal is a mixture of one."""
    if isinstance(q, MixtureSameFamily):
        base = q.component_distribution.base_dist
        return q.mixture_distribution.logits, base.loc, base.scale
    base = q.base_dist
    return base.loc.new_zeros(1), base.loc.unsqueeze(-2), base.scale.unsqueeze(-2)


def gaussian_kl(mu: Float[Tensor, "... latents"], log_var: Float[Tensor, "... latents"]) -> Float[Tensor, "..."]:
    """KL(N(mu, diag(exp(log_var))) || N(0, I)) in nats (Kingma and Welling 2014, appendix B; notebook 06, equation 6.7)."""
    return 0.5 * (mu.square() + log_var.exp() - 1 - log_var).sum(-1)


def divergence(q: Distribution, p: Distribution, z: Float[Tensor, "... latents"]) -> Float[Tensor, "..."]:
    """KL(q || p) in nats: the closed form where torch has one, otherwise log q(z) - log p(z) at z drawn from q.

    The second is one number drawn, right on average; it may be negative (notebook 11).
    """
    if isinstance(q, DiagonalNormal) and q.mu is not None and p is standard_normal(q.mu.shape[-1], like=q.mu):
        return gaussian_kl(q.mu, q.log_var)  # the usual case, at every step of a training: half the operations
    try:
        return kl_divergence(q, p)
    except NotImplementedError:
        return q.log_prob(z) - p.log_prob(z)


def log_prob_pairs(p: Distribution, x: Float[Tensor, "batch pixels"]) -> Float[Tensor, "samples batch"]:
    """log p(x_b | z_s) in nats for every pair, from p = decoder(z) of batch (S,).

    For Bernoulli pixels the log-likelihood is linear in x,
    log p(x|z) = sum_j x_j logit_j(z) - sum_j softplus(logit_j(z)), so all pairs are one matrix product.
    """
    return pair_with(p)(x)


def pair_with(p: Distribution, plus: float | Float[Tensor, " samples"] = 0.0) -> Callable[[Tensor], Tensor]:
    """`log_prob_pairs` as a function of x alone, with `plus` (S,) added: for many blocks of x under the same p."""
    if not isinstance(getattr(p, "base_dist", None), Bernoulli):
        rows = max(1, BLOCK // (p.batch_shape + p.event_shape).numel())
        return lambda x: torch.cat([p.log_prob(part[:, None]) + plus for part in x.split(rows)]).T
    logits = p.base_dist.logits
    # Below -26 the softplus is under 1e-11, and float32 meets denormal numbers on its way: up to ten times slower.
    offset = plus - softplus(logits.clamp(min=-26)).sum(1)
    return lambda x: (logits @ x.T).add_(offset[:, None])
