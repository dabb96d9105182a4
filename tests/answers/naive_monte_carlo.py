"""Answers of learners to the exercises of notebook 03: right ones in many styles, and wrong ones with words of their diagnosis."""

import itertools
import math

import numpy as np
import torch
from torch.distributions import Bernoulli


def naive_loop(x, decoder, latent_dim, n_samples):
    total = torch.zeros(len(x))
    for _ in range(n_samples):
        p = decoder(torch.randn(latent_dim))
        total = total + (p**x * (1 - p) ** (1 - x)).prod(1)
    return total / n_samples


def naive_own_z(x, decoder, latent_dim, n_samples):
    p = decoder(torch.randn(n_samples, len(x), latent_dim))
    return Bernoulli(p).log_prob(x.expand_as(p)).sum(-1).exp().mean(0)


def naive_numpy(x, decoder, latent_dim, n_samples):
    p = decoder(torch.from_numpy(np.random.randn(n_samples, latent_dim))).numpy()
    return [np.where(image.numpy() == 1, p, 1 - p).prod(1).mean() for image in x]


def naive_log(x, decoder, latent_dim, n_samples):
    p = decoder(torch.randn(n_samples, latent_dim))
    return torch.exp(torch.logsumexp(x @ p.log().T + (1 - x) @ (1 - p).log().T, 1) - math.log(n_samples)).float()


CORRECT = {
    "naive_monte_carlo": [naive_loop, naive_own_z, naive_numpy, naive_log],
    "underflow_pixels": [
        lambda p, s: math.floor(math.log(s) / math.log(p)) + 1,
        lambda p, s: int(math.log2(s) / math.log2(p)) + 1,
        lambda p, s: int(np.floor(np.log10(s) / np.log10(p))) + 1,
        lambda p, s: torch.floor(torch.log(torch.tensor(s)) / torch.log(torch.tensor(p))) + 1,
        lambda p, s: next(d for d in itertools.count(1) if p**d < s),
        lambda p, s: 1 + int((p ** np.arange(1, 9000) >= s).sum()),
    ],
}

WRONG = {
    "naive_monte_carlo": [
        (lambda x, f, k, n: n * naive_own_z(x, f, k, n), "sum over the samples"),
        (lambda x, f, k, n: naive_log(x, f, k, n).log(), "the logarithm"),
        (lambda x, f, k, n: naive_own_z(x, f, k, 1), "Only one z"),
        (lambda x, f, k, n: naive_own_z(x, f, k, n).mean(), "whole batch"),
        (lambda x, f, k, n: 0.5 * naive_log(x, f, k, n).double(), "what it should be"),
        (lambda x, f, k, n: naive_own_z(x, f, k, n)[:, None], "shape (3, 1)"),
    ],
    "underflow_pixels": [
        (lambda p, s: math.ceil(math.log2(s) / math.log2(p)), "one more pixel"),
        (lambda p, s: math.floor(math.log(s) / math.log(p)), "one pixel too few"),
        (lambda p, s: math.log2(s) / math.log2(p), "no whole number"),
        (lambda p, s: math.floor(math.log(s) / math.log(p)) + 2, "too many"),
        (lambda p, s: 2 * (math.floor(math.log(s) / math.log(p)) + 1), "2 times"),
    ],
}
