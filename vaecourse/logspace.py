"""Averages of numbers too small to be written down: they are kept as logarithms, and averaged there."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def log_mean_exp(log_w: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """log of the mean of exp(log_w) along `dim`, in nats (notebook 04, equation 4.6).

    Finite wherever the answer is: the largest entry is taken out of the sum before anything is exponentiated. A slice
    that holds only -inf (weights of exactly zero) gives -inf. Raises ValueError where `dim` has no entries.
    """
    n = _length(log_w, dim)
    return torch.logsumexp(log_w, dim) - math.log(n)


def effective_sample_size(log_w: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """(sum w)^2 / sum w^2 along `dim`, a number between 1 and its length (Kong 1992; notebook 04, equation 4.10).

    It says how many equally weighted samples the weighted ones are worth. NaN where every weight is zero.
    """
    _length(log_w, dim)
    w = torch.softmax(log_w, dim)
    return 1 / w.square().sum(dim)


def pareto_k(log_w: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """k-hat, the estimated shape of the tail of the weights along `dim` (notebook 05b, equation 5b.3).

    The M = min(S/5, 3 sqrt(S)) largest of the S weights, as far as they exceed the next one, are fitted by the generalised
    Pareto distribution P(excess > y) = (1 + k y / scale)^(-1/k). Moments of the weights of order 1/k and more are
    infinite: the variance is finite for k < 1/2 and the mean for k < 1. In practice an average of S weights is trusted where
    k-hat < min(1 - 1/log10(S), 0.7). Like the effective sample size, k-hat sees only what was drawn.

    The fit is Zhang and Stephens' (2009), with a prior for k that counts as ten observations of 1/2, as in Vehtari,
    Simpson, Gelman, Yao and Gabry, "Pareto smoothed importance sampling" (2024, JMLR 25). All of it runs in float64.

    Special values: -inf where the tail is constant up to the rounding of log_w's type (equal weights have no tail), and inf
    where it cannot be fitted, because a quarter of it or more are ties with the next weight (few weights, the rest zero).

    Raises ValueError for fewer than 25 samples, for NaN or +inf, and for a slice that holds only -inf; no gradients.
    """
    n, values = _length(log_w, dim), log_w.detach().double().movedim(dim, -1)
    if n < 25:
        raise ValueError(f"pareto_k fits the largest fifth of the weights and needs at least 25 samples along dimension {dim}; got {n}")
    if values.isnan().any() or (values == math.inf).any():
        raise ValueError("log_w holds NaN or +inf: these are no logarithms of weights, so look at how they were computed")
    largest = values.topk(int(min(n / 5, 3 * math.sqrt(n))) + 1).values
    top, cutoff = largest[..., :1], largest[..., -1:]
    if (top == -math.inf).any():
        raise ValueError(f"every weight is zero in {int((top == -math.inf).sum())} slice(s) of log_w: there is no tail to fit")
    excess = ((largest[..., :-1] - top).exp() - (cutoff - top).exp()).flip(-1)  # ascending
    k = _generalised_pareto_shape(excess)
    equal = top - cutoff <= 100 * torch.finfo(log_w.dtype).eps * (1 + top.abs())
    return torch.where(equal[..., 0], -math.inf, k).to(log_w.dtype)


def _generalised_pareto_shape(y: Float[Tensor, "... M"]) -> Float[Tensor, "..."]:
    """k of the generalised Pareto distribution from ascending excesses, inf where more than a quarter of them are 0."""
    m, quartile = y.shape[-1], y[..., int(y.shape[-1] / 4 + 0.5) - 1]
    size = 30 + int(math.sqrt(m))
    # The likelihood depends on b = -k/scale alone once k = mean log(1 - b y) is put in: its posterior mean, on a grid.
    grid = [(1 - math.sqrt(size / (j + 0.5))) / (3 * quartile) + 1 / y[..., -1] for j in range(size)]
    ks = [torch.log1p(-b[..., None] * y).mean(-1) for b in grid]
    b, k = torch.stack(grid), torch.stack(ks)
    weight = torch.softmax(m * (torch.log(-b / k) - k - 1), 0)
    k = torch.log1p(-(weight * b).sum(0)[..., None] * y).mean(-1)
    return torch.where(quartile > 0, (m * k + 10 * 0.5) / (m + 10), math.inf)


def _length(log_w: Tensor, dim: int) -> int:
    if not isinstance(log_w, Tensor) or not log_w.is_floating_point():
        raise TypeError("log_w must be a tensor of floating-point log-weights; convert it with torch.as_tensor(log_w, dtype=torch.float32)")
    if log_w.shape[dim] == 0:
        raise ValueError(f"log_w has no entries along dimension {dim} (shape {tuple(log_w.shape)}): give at least one sample")
    return log_w.shape[dim]
