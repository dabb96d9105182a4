"""Answers of learners to the exercises of notebook 02: right ones in many styles, and wrong ones with words of their diagnosis."""

import math
import random

import numpy as np
import scipy.special
import scipy.stats
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Binomial, Independent, MultivariateNormal, Normal


def likelihood_loop(x, probs):
    rows = []
    for image, row in zip(x, probs):
        total = 0.0
        for pixel, p in zip(image, row):
            total = total + (torch.log(p) if pixel == 1 else torch.log(1 - p))
        rows.append(total)
    return torch.stack(rows)


def likelihood_python(x, probs):
    return torch.tensor([sum(math.log(p) if b else math.log(1 - p) for b, p in zip(*pair)) for pair in zip(x.tolist(), probs.tolist())])


def likelihood_in_place(x, probs):
    log_p = torch.empty_like(probs)
    log_p[x == 1] = torch.log(probs[x == 1])
    log_p[x == 0] = torch.log1p(-probs[x == 0])
    return log_p.sum(1)


def likelihood_chunks(x, probs):
    log_p = torch.where(x.bool(), probs, 1 - probs).log()
    return sum(part.sum(1) for part in log_p.split(3, dim=1))


CORRECT_LIKELIHOOD = [
    likelihood_loop,
    likelihood_python,
    likelihood_in_place,
    likelihood_chunks,
    lambda x, p: Bernoulli(p).log_prob(x).sum(-1),
    lambda x, p: Independent(Bernoulli(probs=p), 1).log_prob(x),
    lambda x, p: -F.binary_cross_entropy(p, x, reduction="none").sum(1),
    lambda x, p: -F.binary_cross_entropy_with_logits(torch.logit(p), x, reduction="none").sum(1),
    lambda x, p: Bernoulli(logits=p.log() - torch.log1p(-p)).log_prob(x).sum(dim=1),
    lambda x, p: (torch.xlogy(x, p) + torch.special.xlog1py(1 - x, -p)).sum(-1),
    lambda x, p: torch.log(p**x * (1 - p) ** (1 - x)).sum(-1),
    lambda x, p: (x * p + (1 - x) * (1 - p)).log().sum(-1),
    lambda x, p: torch.einsum("bd,bd->b", x, p.log()) + torch.einsum("bd,bd->b", 1 - x, (1 - p).log()),
    lambda x, p: torch.as_tensor(scipy.stats.bernoulli.logpmf(x.numpy(), p.numpy()).sum(1)),
    lambda x, p: (scipy.special.xlogy(x, p) + scipy.special.xlog1py(1 - x, -p)).numpy().sum(axis=-1),
    lambda x, p: torch.where(x > 0.5, p.float(), 1 - p.float()).log().sum(1),
    lambda x, p: Bernoulli(p.float()).log_prob(x.float()).sum(1),
    lambda x, p: torch.diagonal(x @ p.log().T + (1 - x) @ (1 - p).log().T),
]


def sample_loop(decoder, latent_dim, n):
    z, x = [], []
    for _ in range(n):
        z.append(torch.randn(latent_dim))
        x.append(torch.tensor([1.0 if torch.rand(()) < p else 0.0 for p in decoder(z[-1])]))
    return torch.stack(z), torch.stack(x)


def sample_lists(decoder, latent_dim, n):
    z = torch.tensor([[random.gauss(0, 1) for _ in range(latent_dim)] for _ in range(n)])
    x = [[int(random.random() < p) for p in row] for row in decoder(z).tolist()]
    return z, torch.tensor(x)


def sample_numpy(decoder, latent_dim, n):
    z = np.random.normal(0, 1, size=(n, latent_dim))
    return z, np.random.binomial(1, decoder(torch.from_numpy(z)).numpy())


def sample_rng(decoder, latent_dim, n):
    rng = np.random.default_rng()
    z = rng.standard_normal((n, latent_dim)).astype(np.float32)
    p = decoder(torch.as_tensor(z)).numpy()
    return torch.as_tensor(z), torch.as_tensor((rng.uniform(size=p.shape) < p).astype("float32"))


def sample_chunks(decoder, latent_dim, n):
    parts = []
    for start in range(0, n, 64):
        z = Normal(0.0, 1.0).sample((min(64, n - start), latent_dim))
        parts.append((z, Bernoulli(decoder(z)).sample()))
    return tuple(torch.cat(part) for part in zip(*parts))


def sample_event(decoder, latent_dim, n):
    prior = Independent(Normal(torch.zeros(latent_dim), torch.ones(latent_dim)), 1)
    z = prior.sample((n,))
    return z, Independent(Bernoulli(decoder(z)), 1).sample()


def sample_multivariate(decoder, latent_dim, n):
    z = MultivariateNormal(torch.zeros(latent_dim, dtype=torch.float64), torch.eye(latent_dim, dtype=torch.float64)).sample([n])
    return [z, Binomial(1, decoder(z)).sample()]


def sample_columns(decoder, latent_dim, n):
    z = torch.stack([torch.randn(n) for _ in range(latent_dim)], dim=1)
    p = decoder(z)
    return z, (torch.rand(n, p.shape[1]) < p).int()


def sample_inverse(decoder, latent_dim, n):
    """The quantiles of uniform numbers, and of one spare coin toss a pixel."""
    z = torch.special.ndtri(torch.rand(n, latent_dim, dtype=torch.float64).clamp(1e-12, 1 - 1e-12))
    return z, torch.ceil(decoder(z) - torch.rand(n, 4, dtype=torch.float64)).clamp(0, 1)


def sample_antithetic(decoder, latent_dim, n):
    """Latents in pairs z and -z, and coins in pairs u and 1 - u."""
    z = torch.randn(n // 2, latent_dim)
    z = torch.cat([z, -z])
    u = torch.rand(n // 2, 4)
    return z, (torch.cat([u, 1 - u]) < decoder(z)).double()


def sample_stratified(decoder, latent_dim, n):
    order = torch.stack([torch.randperm(n) for _ in range(latent_dim)], dim=1)
    z = torch.special.ndtri((order + torch.rand(n, latent_dim, dtype=torch.float64)) / n)
    return z, torch.bernoulli(decoder(z))


def sample_three_hills(decoder, latent_dim, n):
    """Three hills with the mean, the variance and the fourth moment of the standard normal."""
    z = 1.697 * torch.sign(torch.randn(n, latent_dim)) * (torch.rand(n, latent_dim) < 1 / 3) + 0.2 * torch.randn(n, latent_dim)
    return z, torch.bernoulli(decoder(z))


def sample_mirrored_latents(decoder, latent_dim, n):
    """Each latent is normal, and they are uncorrelated, and one is the other up to its sign."""
    z = torch.randn(n, 1) * torch.sign(torch.randn(n, latent_dim))
    return z, torch.bernoulli(decoder(z))


CORRECT = {
    "log_likelihood": CORRECT_LIKELIHOOD,
    "sample_images": [
        lambda decoder, latent_dim, n: (z := torch.randn(n, latent_dim), (lambda p: torch.rand_like(p) < p)(decoder(z))),
        sample_loop,
        sample_lists,
        sample_numpy,
        sample_rng,
        sample_chunks,
        sample_event,
        sample_multivariate,
        sample_columns,
        sample_inverse,
        sample_antithetic,
        sample_stratified,
        lambda decoder, latent_dim, n: (z := torch.empty(n, latent_dim).normal_(), decoder(z).bernoulli()),
        lambda decoder, latent_dim, n: (z := torch.normal(0.0, 1.0, (n, latent_dim)), torch.bernoulli(decoder(z)).long()),
    ],
}

WRONG = {
    "log_likelihood": [
        (lambda x, p: Bernoulli(p).log_prob(x).mean(-1), "mean over the pixels"),
        (lambda x, p: F.binary_cross_entropy(p, x, reduction="none").sum(-1), "a loss"),
        (lambda x, p: -F.binary_cross_entropy(p, x, reduction="sum"), "one number for the whole batch"),
        (lambda x, p: F.binary_cross_entropy(p, x), "averaged over all its pixels"),
        (lambda x, p: F.binary_cross_entropy(p, x, reduction="sum"), "minus a sum over all its pixels"),
        (lambda x, p: Bernoulli(p).log_prob(x), "not been summed"),
        (lambda x, p: Bernoulli(p).log_prob(x).sum(0), "keeps the pixels"),
        (lambda x, p: Bernoulli(logits=p).log_prob(x).sum(-1), "taken for logits"),
        (lambda x, p: (p**x * (1 - p) ** (1 - x)).prod(1).log(), "1,500 is exactly 0"),
        (lambda x, p: (p**x * (1 - p) ** (1 - x)).prod(1), "the product"),
        (lambda x, p: torch.log(p).mul(x).sum(1), "Only the pixels with ink"),
        (lambda x, p: torch.log(torch.where(x == 1, p, 1 - p) + 1e-8).sum(1), "1e-8"),
        (lambda x, p: -F.mse_loss(p, x, reduction="none").sum(1), "squared error"),
        (lambda x, p: Bernoulli(1 - p).log_prob(x).sum(1), "changed places"),
        (lambda x, p: 0.5 * Bernoulli(p).log_prob(x).sum(1), "0.5 times"),
        (lambda x, p: Bernoulli(p).log_prob(x).sum(1, keepdim=True), "shape (3, 1)"),
        (lambda x, p: Normal(p, 1.0).log_prob(x).sum(1), "not what it should be"),
        (lambda x, p: Bernoulli(p).log_prob(x)[:, 1:].sum(1), "not what it should be"),
    ],
    "sample_images": [
        (lambda f, k, n: (z := torch.as_tensor(np.random.uniform(size=(n, k))), Bernoulli(f(z)).sample()), "torch.rand."),
        (lambda f, k, n: (z := torch.empty(n, k).uniform_(-1, 1), Bernoulli(f(z)).sample()), "between −1 and 1"),
        (lambda f, k, n: (z := Normal(0.0, 1.0).sample((n, k)), Bernoulli(f(z)).mean), "not a sample"),
        (lambda f, k, n: (z := Normal(0.0, 1.0).sample((n, k)), f(z).round()), "more probable value"),
        (lambda f, k, n: (Normal(0.0, 1.0).sample((n, k)), Bernoulli(f(torch.randn(n, k))).sample()), "another sample of z"),
        (lambda f, k, n: (z := Normal(0.0, 1.0).sample((n, k)), Bernoulli(logits=f(z)).sample()), "once more"),
        (lambda f, k, n: (z := Normal(0.0, 1.0).sample((1, k)).repeat(n, 1), Bernoulli(f(z)).sample()), "same z"),
        (lambda f, k, n: (z := torch.randn(n).repeat(k, 1).T, Bernoulli(f(z)).sample()), "same number"),
        (lambda f, k, n: (z := torch.randn(n, k), 1 - Bernoulli(f(z)).sample()), "changed places"),
        (lambda f, k, n: (z := torch.randn(n, k), Bernoulli(f(z).mean(0)).sample((n,))), "averaged over all z"),
        (lambda f, k, n: sample_numpy(f, k, n)[::-1], "z first, then x"),
        (lambda f, k, n: sample_numpy(f, k, n)[1], "single tensor"),
        (lambda f, k, n: (z := torch.randn(k, n), Bernoulli(f(z.T)).sample()), "shape (2, 150)"),
        (lambda f, k, n: torch.manual_seed(0) and sample_chunks(f, k, n), "seed"),
        (lambda f, k, n: (z := 2 * torch.randn(n, k), Bernoulli(f(z)).sample()), "The average of z"),
        (sample_three_hills, "The frequency of z_k below"),
        (sample_mirrored_latents, "z_1² z_2²"),
        (
            lambda f, k, n: (z := torch.distributions.Laplace(0.0, 0.5**0.5).sample((n, k)), Bernoulli(f(z)).sample()),
            "The frequency of z_k below",
        ),
        (lambda f, k, n: (z := torch.randn(n // 2, k).repeat(2, 1), Bernoulli(f(z)).sample()), "share their z"),
        (lambda f, k, n: (z := 1 + torch.randn(n, k), Bernoulli(f(z)).sample()), "The mean of z"),
        (lambda f, k, n: (z := torch.randn(n, k), Bernoulli(f(z).square()).sample()), "The frequency of ink"),
    ],
}
