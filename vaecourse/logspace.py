"""Averages of numbers that are too small for floating point: they are stored as logarithms and averaged in log space."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["effective_sample_size", "log_mean_exp"]


def log_mean_exp(log_w: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """The logarithm of the mean of exp(log_w) along one dimension, in nats (notebook 04, equation 4.6).

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
        ValueError: log_w has no entries along `dim`.

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
        ValueError: log_w has no entries along `dim`.

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


def _length(log_w: Tensor, dim: int) -> int:
    if not isinstance(log_w, Tensor) or not log_w.is_floating_point():
        raise TypeError("log_w must be a tensor of floating-point log-weights; convert it with torch.as_tensor(log_w, dtype=torch.float32)")
    if log_w.shape[dim] == 0:
        raise ValueError(f"log_w has no entries along dimension {dim} (shape {tuple(log_w.shape)}): give at least one sample")
    return log_w.shape[dim]
