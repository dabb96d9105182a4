"""Answers of learners to the exercises of notebook 03: right ones in many styles, and wrong ones with words of their diagnosis."""

import itertools
import math

import numpy as np
import scipy.stats
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Independent, Normal


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


def naive_chunks(x, decoder, latent_dim, n_samples):
    parts = []
    for z in torch.randn(n_samples, latent_dim, dtype=torch.float64).split(4):
        p = decoder(z).unsqueeze(0)
        parts.append((x.unsqueeze(1) * p + (1 - x.unsqueeze(1)) * (1 - p)).prod(2).sum(1))
    return sum(parts) / n_samples


def naive_images_in_turn(x, decoder, latent_dim, n_samples):
    prior = Independent(Normal(torch.zeros(latent_dim), torch.ones(latent_dim)), 1)
    return torch.stack([Bernoulli(probs=decoder(prior.sample((n_samples,)))).log_prob(image).sum(1).exp().mean() for image in x])


def naive_entropy(x, decoder, latent_dim, n_samples):
    p = decoder(torch.normal(0.0, 1.0, (n_samples, latent_dim))).expand(len(x), n_samples, -1)
    return torch.exp(-F.binary_cross_entropy(p, x[:, None].expand_as(p), reduction="none").sum(2)).sum(1).div(n_samples)


def naive_scipy(x, decoder, latent_dim, n_samples):
    p = decoder(torch.from_numpy(scipy.stats.norm.rvs(size=(n_samples, latent_dim)))).numpy()
    return np.exp(scipy.stats.bernoulli.logpmf(x.numpy()[:, None], p).sum(2)).mean(1)


def naive_antithetic(x, decoder, latent_dim, n_samples):
    """Draws in pairs z and -z; of an odd number one stands alone."""
    z = torch.randn((n_samples + 1) // 2, latent_dim)
    return naive_given(x, decoder, torch.cat([z, -z])[:n_samples])


def naive_stratified(x, decoder, latent_dim, n_samples):
    """One draw in each of n strata of every latent, in random order (a Latin hypercube)."""
    order = torch.stack([torch.randperm(n_samples) for _ in range(latent_dim)], dim=1)
    u = (order + torch.rand(n_samples, latent_dim, dtype=torch.float64)) / n_samples
    return naive_given(x, decoder, torch.special.ndtri(u))


def naive_antithetic_own_z(x, decoder, latent_dim, n_samples):
    z = torch.randn(n_samples // 2, len(x), latent_dim)
    p = decoder(torch.cat([z, -z]))
    return torch.where(x == 1, p, 1 - p).prod(-1).mean(0)


def naive_stratified_in_turn(x, decoder, latent_dim, n_samples):
    return torch.cat([naive_stratified(image[None], decoder, latent_dim, n_samples) for image in x])


def naive_size_from_the_decoder(x, decoder, latent_dim, n_samples):
    """One call tells the number of pixels, and its z does not count."""
    assert decoder(torch.zeros(1, latent_dim)).shape[-1] == x.shape[-1]
    return naive_antithetic(x, decoder, latent_dim, n_samples)


def naive_sobol(x, decoder, latent_dim, n_samples):
    """A scrambled sequence of Sobol: its points are spread out evenly, and each of them is uniform."""
    u = torch.quasirandom.SobolEngine(latent_dim, scramble=True, seed=int(torch.randint(1 << 30, ()))).draw(n_samples)
    return naive_given(x, decoder, torch.special.ndtri(u.double().clamp(1e-9, 1 - 1e-9)))


def naive_shifted_lattice(x, decoder, latent_dim, n_samples):
    u = (torch.arange(n_samples)[:, None] * torch.tensor([1.0, 0.618034]) / n_samples + torch.rand(latent_dim)) % 1
    return naive_given(x, decoder, Normal(0.0, 1.0).icdf(u.double()))


def naive_own_generator(x, decoder, latent_dim, n_samples):
    return naive_given(x, decoder, torch.from_numpy(np.random.default_rng().normal(size=(n_samples, latent_dim))).float())


def naive_pooled(x, decoder, latent_dim, n_samples):
    """n draws an image, and every image uses those of all."""
    return naive_given(x, decoder, torch.randn(len(x) * n_samples, latent_dim))


def naive_centred(x, decoder, latent_dim, n_samples):
    z = torch.randn(n_samples, latent_dim)
    return naive_given(x, decoder, z - z.mean(0))


def naive_given(x, decoder, z):
    p = decoder(z)[:, None]
    return torch.where(x == 1, p, 1 - p).prod(-1).mean(0)


def naive_noisy(x, decoder, latent_dim, n_samples):
    """Unbiased, and more scattered than n draws allow."""
    return naive_loop(x, decoder, latent_dim, n_samples) * (1 + 3 * torch.randn(()))


def count_down(p, s):
    d, value = 1, p
    while value > s:
        d, value = d + 1, value * p
    return d


CORRECT = {
    "naive_monte_carlo": [
        naive_loop,
        naive_own_z,
        naive_numpy,
        naive_log,
        naive_chunks,
        naive_images_in_turn,
        naive_entropy,
        naive_scipy,
        naive_antithetic,
        naive_stratified,
        naive_antithetic_own_z,
        naive_stratified_in_turn,
        naive_size_from_the_decoder,
        naive_sobol,
        naive_shifted_lattice,
        naive_own_generator,
    ],
    "underflow_pixels": [
        lambda p, s: math.ceil(math.log(s) / math.log(p)),
        lambda p, s: -int(-math.log2(s) // math.log2(p)),
        lambda p, s: int(np.ceil(np.log10(s) / np.log10(p))),
        lambda p, s: torch.ceil(torch.log(torch.tensor(s)) / torch.log(torch.tensor(p))),
        lambda p, s: next(d for d in itertools.count(1) if p**d <= s),
        lambda p, s: 1 + int((p ** np.arange(1, 9000) > s).sum()),
        lambda p, s: float(math.ceil(math.log(s, 2) / math.log(p, 2))),
        count_down,
    ],
}

WRONG = {
    "naive_monte_carlo": [
        (lambda x, f, k, n: np.median(Independent(Bernoulli(f(torch.randn(n, k))[:, None]), 1).log_prob(x).exp(), axis=0), "on average"),
        (lambda x, f, k, n: naive_loop(x, f, k, 10), "made of 10 different z, and n_samples was 2"),
        (lambda x, f, k, n: naive_own_z(x, f, k, 2 * n), "made of 20 different z, and n_samples was 10"),
        (lambda x, f, k, n: (naive_antithetic(x, f, k, n) + naive_loop(x, f, k, n)) / 2, "made of 20 different z"),
        (naive_pooled, "made of 30 different z"),
        (naive_centred, "the average of z² was"),
        (lambda x, f, k, n: naive_given(x, f, math.sqrt(12) * (torch.rand(n, k) - 0.5)), "the average of cos 2z was"),
        (lambda x, f, k, n: naive_given(x, f, torch.randn(n, 1).expand(n, k)), "the average of the product of two latents"),
        (lambda x, f, k, n: naive_given(x, f, 0.3 + torch.randn(n, k)), "the average of z was"),
        (lambda x, f, k, n: naive_given(x, f, torch.randn(n, k, generator=torch.Generator().manual_seed(1))), "Every call gives the same"),
        (naive_noisy, "variance of the estimates"),
        (
            lambda x, f, k, n: naive_given(x, f, torch.randn(n // 2 + n % 2, k).repeat(2, 1)[:n]),
            "5 different z, and n_samples was 10",
        ),
        (lambda x, f, k, n: naive_stratified(x, f, k, 10 * n), "made of 100 different z"),
        (lambda x, f, k, n: n * naive_own_z(x, f, k, n), "sum over the samples"),
        (lambda x, f, k, n: naive_log(x, f, k, n).log(), "the logarithm"),
        (lambda x, f, k, n: naive_own_z(x, f, k, 1), "Only one z"),
        (lambda x, f, k, n: naive_own_z(x, f, k, n).mean(), "whole batch"),
        (lambda x, f, k, n: 0.5 * naive_log(x, f, k, n).double(), "what it should be"),
        (lambda x, f, k, n: naive_own_z(x, f, k, n)[:, None], "shape (3, 1)"),
        (lambda x, f, k, n: naive_own_z(1 - x, f, k, n), "changed places"),
        (lambda x, f, k, n: naive_loop(x, lambda z: f(torch.rand_like(z)), k, n), "uniform"),
        (lambda x, f, k, n: naive_loop(x, f, k, n) / n, "once more"),
        (lambda x, f, k, n: Bernoulli(f(torch.randn(n, 1, k)).expand(n, *x.shape)).log_prob(x).sum(-1).mean(0), "logarithms were averaged"),
    ],
    "underflow_pixels": [
        (lambda p, s: math.floor(math.log2(s) / math.log2(p)) + 1, "one pixel fewer"),
        (lambda p, s: math.floor(math.log(s) / math.log(p)), "one pixel too few"),
        (lambda p, s: count_down(p, s) - 1, "one pixel too few"),
        (lambda p, s: math.log2(s) / math.log2(p), "no whole number"),
        (lambda p, s: math.ceil(math.log(s) / math.log(p)) + 1, "too many"),
        (lambda p, s: math.ceil(math.log(p) / math.log(s)), "upside down"),
        (lambda p, s: round(math.log10(s) / math.log10(p)), "rounded to the nearest"),
        (lambda p, s: math.exp(count_down(p, s) * math.log(p)), "the probability p^D"),
        (lambda p, s: 2 * math.ceil(math.log(s) / math.log(p)), "2 times"),
    ],
}
