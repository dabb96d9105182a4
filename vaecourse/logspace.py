"""Averages of numbers that are too small for floating point: they are stored as logarithms and averaged in log space."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["effective_sample_size", "log_mean_exp", "pareto_k"]


def log_mean_exp(log_w: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """The logarithm of the mean of exp(log_w) along one dimension, in nats (notebook 04, equation 4.3).

        log_mean_exp(log_w) = log( (1/S) sum_s exp(log_w_s) ) = m + log sum_s exp(log_w_s - m) - log S,    m = max_s log_w_s

    Because the largest entry is taken out of the sum before anything is exponentiated, the result is finite wherever the
    exact value is, and entries of -1000 or +1000 neither underflow nor overflow. A slice that holds only -inf (weights that are all
    zero) gives -inf.

    Args:
        log_w: logarithms of weights, of any shape, in nats.
        dim: the dimension along which the S weights are averaged.

    Returns:
        The shape of log_w without the dimension `dim`.

    Raises:
        TypeError: log_w is not a floating-point tensor.
        ValueError: log_w has no dimension `dim`, or no entries along it.

    Example:
        >>> log_w = torch.tensor([-1000.0, -1000.0 + math.log(3)])
        >>> round(log_mean_exp(log_w, 0).item(), 3)  # log of (1 + 3) / 2, less 1000
        -999.307
    """
    n = _length(log_w, dim)
    return torch.logsumexp(log_w, dim) - math.log(n)


def effective_sample_size(log_w: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """The effective sample size of weighted samples, ESS = (sum_s w_s)^2 / sum_s w_s^2, along one dimension.

    It is a number between 1 and S, and says how many equally weighted samples the S weighted ones are worth.

    Args:
        log_w: logarithms of the weights, of any shape, in nats. A constant added to all of them changes nothing.
        dim: the dimension along which the S samples lie.

    Returns:
        The shape of log_w without the dimension `dim`. NaN where every weight is zero.

    Raises:
        TypeError: log_w is not a floating-point tensor.
        ValueError: log_w has no dimension `dim`, or no entries along it.

    References:
        Kong 1992; notebook 04, equation 4.10.

    Example:
        >>> log_w = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, -50.0, -50.0, -50.0]])
        >>> effective_sample_size(log_w, 1).tolist()  # four equal weights, and one that dominates
        [4.0, 1.0]
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

    Args:
        log_w: logarithms of the weights, of any shape, in nats. A constant added to all of them changes nothing.
        dim: the dimension along which the S samples lie.

    Returns:
        The shape of log_w without the dimension `dim`; no gradient flows through it.

    Raises:
        TypeError: log_w is not a floating-point tensor.
        ValueError: no dimension `dim`, fewer than 25 samples along it, NaN or +inf, or a slice that holds only -inf.

    Example:
        >>> u = (torch.arange(10_000) + 0.5) / 10_000
        >>> log_w = -0.6 * torch.log(u)  # weights u^(-0.6): a Pareto tail of shape 0.6
        >>> round(pareto_k(log_w, 0).item(), 1)
        0.6
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
    if not -log_w.ndim <= dim < log_w.ndim:
        raise ValueError(f"log_w has no dimension {dim}: its shape is {tuple(log_w.shape)}")
    if log_w.shape[dim] == 0:
        raise ValueError(f"log_w has no entries along dimension {dim} (shape {tuple(log_w.shape)}): give at least one sample")
    return log_w.shape[dim]
