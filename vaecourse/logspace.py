"""Averages of numbers too small to be written down: they are kept as logarithms, and averaged there."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def log_mean_exp(log_w: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """log of the mean of exp(log_w) along `dim`, in nats (notebook 04, equation 4.4).

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


def _length(log_w: Tensor, dim: int) -> int:
    if not isinstance(log_w, Tensor) or not log_w.is_floating_point():
        raise TypeError("log_w must be a tensor of floating-point log-weights; convert it with torch.as_tensor(log_w, dtype=torch.float32)")
    if log_w.shape[dim] == 0:
        raise ValueError(f"log_w has no entries along dimension {dim} (shape {tuple(log_w.shape)}): give at least one sample")
    return log_w.shape[dim]
