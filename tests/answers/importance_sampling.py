"""Answers of learners to the exercises of notebook 05: right ones in many styles, and wrong ones with words of their diagnosis."""

import math

import numpy as np
import scipy.special
import torch
import torch.nn.functional as F
from torch.distributions import Categorical, Normal


def estimate_loop(x, q, n_samples, log_joint):
    total = None
    for _ in range(n_samples):
        z = q.sample()
        log_w = log_joint(x, z) - q.log_prob(z)
        total = log_w if total is None else torch.logaddexp(total, log_w)
    return total - math.log(n_samples)


def estimate_stacked(x, q, n_samples, log_joint):
    rows = []
    for _ in range(n_samples):
        z = q.rsample((1,))
        rows.append((log_joint(x, z) - q.log_prob(z))[0])
    return torch.logsumexp(torch.stack(rows), 0) - math.log(len(rows))


def estimate_chunks(x, q, n_samples, log_joint):
    parts, left = [], n_samples
    while left > 0:
        z = q.sample((min(left, 10),))
        parts.append((log_joint(x, z) - q.log_prob(z)).logsumexp(0))
        left -= len(z)
    return torch.stack(parts).logsumexp(0) - math.log(n_samples)


def estimate_images(x, q, n_samples, log_joint):
    z = q.sample((n_samples,))
    log_q, result = q.log_prob(z), []
    for b in range(len(x)):
        log_w = log_joint(x[b : b + 1], z[:, b : b + 1])[:, 0] - log_q[:, b]
        result.append(torch.logsumexp(log_w, 0) - math.log(n_samples))
    return torch.stack(result)


def estimate_manual_shift(x, q, n_samples, log_joint):
    z = q.sample([n_samples])
    log_w = log_joint(x, z) - q.log_prob(z)
    top = log_w.max(dim=0).values
    return top + torch.log(torch.mean(torch.exp(log_w - top), dim=0))


def estimate_numpy(x, q, n_samples, log_joint):
    z = q.sample((n_samples,))
    log_w = (log_joint(x, z) - q.log_prob(z)).numpy()
    return scipy.special.logsumexp(log_w, axis=0) - np.log(n_samples)


def estimate_own_noise(x, q, n_samples, log_joint):
    """Draws made by hand from NumPy's noise, for a normal q."""
    eps = torch.as_tensor(np.random.randn(n_samples, *q.mean.shape))
    z = q.mean + q.stddev * eps
    log_q = Normal(q.mean, q.stddev).log_prob(z).sum(-1)
    return torch.logsumexp(log_joint(x, z) - log_q - math.log(n_samples), 0)


def estimate_single_precision(x, q, n_samples, log_joint):
    z = q.sample((n_samples,)).float()
    return (log_joint(x, z) - q.log_prob(z)).float().logsumexp(0) - math.log(n_samples)


def estimate_mirrored(x, q, n_samples, log_joint):
    """Each draw with its mirror image, as far as n_samples allows."""
    half = q.sample(((n_samples + 1) // 2,))
    z = torch.cat([half, 2 * q.mean - half])[:n_samples]
    return torch.logsumexp(log_joint(x, z) - q.log_prob(z), 0) - math.log(n_samples)


def estimate_stratified(x, q, n_samples, log_joint):
    """One draw in each of n strata of every latent (a Latin hypercube), through the quantiles of q."""
    mean, sd = q.mean, q.stddev
    order = torch.rand(n_samples, *mean.shape).argsort(0)
    u = (order + torch.rand(n_samples, *mean.shape, dtype=torch.float64)) / n_samples
    z = mean + sd * torch.special.ndtri(u)
    return torch.logsumexp(log_joint(x, z) - q.log_prob(z), 0) - math.log(n_samples)


@torch.no_grad()
def estimate_without_grad(x, q, n_samples, log_joint):
    z = q.sample(torch.Size([n_samples]))
    log_w = log_joint(x, z).sub(q.log_prob(z))
    return torch.logsumexp(log_w, dim=0).sub(torch.log(torch.tensor(float(n_samples))))


def average_loop(f, log_w):
    result = []
    for b in range(f.shape[1]):
        w = torch.exp(log_w[:, b] - log_w[:, b].max())
        result.append((w * f[:, b]).sum() / w.sum())
    return torch.stack(result)


def average_by_logs(f, log_w):
    log_share = log_w - torch.logsumexp(log_w, dim=0, keepdim=True)
    return torch.sum(torch.exp(log_share) * f, dim=0)


def average_streaming(f, log_w):
    """Draw by draw, with a maximum that moves."""
    top, top_sum, bottom = torch.full_like(log_w[0], -math.inf), torch.zeros_like(f[0]), torch.zeros_like(f[0])
    for value, a in zip(f, log_w):
        new = torch.maximum(top, a)
        old, now = torch.exp(top - new), torch.exp(a - new)
        top_sum, bottom, top = top_sum * old + now * value, bottom * old + now, new
    return top_sum / bottom


def average_python(f, log_w):
    result = []
    for values, logs in zip(f.T.tolist(), log_w.T.tolist()):
        weights = [math.exp(a - max(logs)) for a in logs]
        result.append(sum(w * v for w, v in zip(weights, values)) / sum(weights))
    return result


CORRECT = {
    "importance_estimate": [
        estimate_loop,
        estimate_stacked,
        estimate_chunks,
        estimate_images,
        estimate_manual_shift,
        estimate_numpy,
        estimate_own_noise,
        estimate_single_precision,
        estimate_mirrored,
        estimate_stratified,
        estimate_without_grad,
    ],
    "self_normalised": [
        average_loop,
        average_by_logs,
        average_streaming,
        average_python,
        lambda f, log_w: (F.softmax(log_w, dim=0) * f).sum(dim=0),
        lambda f, log_w: torch.einsum("sb,sb->b", torch.softmax(log_w, 0), f),
        lambda f, log_w: (scipy.special.softmax(log_w.numpy(), axis=0) * f.numpy()).sum(0),
        lambda f, log_w: (torch.softmax(log_w.float(), 0) * f.float()).sum(0),
        lambda f, log_w: torch.diagonal(torch.softmax(log_w.T, 1) @ f),
        lambda f, log_w: (Categorical(logits=log_w.T).probs * f.T).sum(-1),
        lambda f, log_w: np.array([np.average(f[:, b], weights=np.exp(log_w[:, b] - log_w[:, b].max())) for b in range(f.shape[1])]),
        lambda f, log_w: torch.stack([torch.dot(a, b) for a, b in zip(log_w.softmax(0).T, f.T)]),
        lambda f, log_w: ((w := torch.exp(log_w - log_w.amax(0))) * f).mean(0) / w.mean(0),
    ],
}


def weights(x, q, n_samples, log_joint):
    z = q.rsample((n_samples,))
    return (log_joint(x, z) - q.log_prob(z)).detach()


def without_q(x, q, n_samples, log_joint):
    total = torch.stack([log_joint(x, q.sample()) for _ in range(n_samples)])
    return torch.logsumexp(total, 0) - math.log(n_samples)


def two_draws(x, q, n_samples, log_joint):
    log_w = torch.stack([log_joint(x, q.sample()) - q.log_prob(q.sample()) for _ in range(n_samples)])
    return torch.logsumexp(log_w, 0) - math.log(n_samples)


def prior_twice(x, q, n_samples, log_joint):
    z = q.rsample((n_samples,))
    log_w = log_joint(x, z) + Normal(0.0, 1.0).log_prob(z).sum(-1) - q.log_prob(z)
    return torch.logsumexp(log_w, 0) - math.log(n_samples)


def from_prior(x, q, n_samples, log_joint):
    z = torch.randn(n_samples, len(x), 4, dtype=x.dtype)
    log_w = log_joint(x, z) - Normal(0.0, 1.0).log_prob(z).sum(-1)
    return torch.logsumexp(log_w, 0) - math.log(n_samples)


def seeded(x, q, n_samples, log_joint):
    torch.manual_seed(42)
    return estimate_chunks(x, q, n_samples, log_joint)


def one_density_a_latent(x, q, n_samples, log_joint):
    z = q.rsample((n_samples,))
    log_w = log_joint(x, z).unsqueeze(-1) - Normal(q.mean, q.stddev).log_prob(z)
    return torch.logsumexp(log_w, 0) - math.log(n_samples)


WRONG = {
    "importance_estimate": [
        (lambda x, q, n, f: estimate_chunks(x, q, 2 * n, f), "made of 10 different z, and n_samples was 5"),
        (lambda *given: (estimate_chunks(*given) + estimate_mirrored(*given)) / 2, "made of 10 different z"),
        (lambda x, q, n, f: estimate_stratified(x, q, n + 1, f), "made of 6 different z"),
        (without_q, "undo the sampling density"),
        (two_draws, "different samples"),
        (prior_twice, "prior counts twice"),
        (from_prior, "q is not used"),
        (seeded, "seed"),
        (one_density_a_latent, "summed over the latents"),
        (lambda *given: torch.stack([weights(*given[:2], 1, given[3])[0] for _ in range(given[2])]).mean(0), "mean of the log-weights"),
        (lambda *given: torch.logsumexp(weights(*given), 0), "too high by log S"),
        (lambda *given: torch.log(torch.exp(weights(*given)).sum(0) / given[2]), "underflow"),
        (lambda *given: -estimate_loop(*given), "minus the estimate"),
        (lambda *given: np.exp(estimate_numpy(*given)), "average weight"),
        (lambda *given: weights(*given).max(0).values, "largest log-weight"),
        (lambda *given: weights(*given).T.logsumexp(0) - math.log(3), "second axis"),
        (lambda *given: weights(*given).logsumexp((0, 1)) - math.log(3 * given[2]), "whole batch"),
        (lambda x, q, n_samples, log_joint: weights(x, q, 1, log_joint)[0], "A single sample"),
        (lambda x, q, n_samples, log_joint: estimate_manual_shift(x, q, 500, log_joint), "n_samples is not used"),
        (lambda *given: estimate_loop(*given) + 5, "instead of"),
        (lambda *given: estimate_loop(*given)[:, None], "shape (3, 1)"),
    ],
    "self_normalised": [
        (lambda f, log_w: f.sum(0) / len(f), "plain mean"),
        (lambda f, log_w: torch.mean(torch.exp(log_w) * f, 0), "mean of w f"),
        (lambda f, log_w: torch.einsum("sb,sb->b", F.softmax(log_w, -1), f), "taken over the images"),
        (lambda f, log_w: torch.einsum("sb,sb->b", log_w.exp(), f) / log_w.exp().sum(0), "0/0"),
        (lambda f, log_w: average_loop(f, log_w) / len(f), "do not average"),
        (lambda f, log_w: torch.einsum("sb,sb->b", log_w, f) / log_w.sum(0), "logarithms of the weights"),
        (lambda f, log_w: torch.stack([f[log_w[:, b].argmax(), b] for b in range(3)]), "largest weight alone"),
        (lambda f, log_w: average_loop(f, log_w).sum(), "a sum over its images"),
        (lambda f, log_w: torch.einsum("sb,sb->b", w := torch.exp(log_w - log_w.max()), f) / w.sum(0), "One maximum"),
        (lambda f, log_w: F.softmax(log_w, 0).mul(f), "not been summed"),
        (lambda f, log_w: average_loop(f, -log_w), "smallest weights count most"),
        (lambda f, log_w: average_loop(f, log_w / 2), "instead of"),
        (lambda f, log_w: average_loop(f, log_w) - 0.5, "too low by 0.5"),
        (lambda f, log_w: average_loop(f, log_w)[None], "shape (1, 3)"),
        (lambda f, log_w: average_loop(f, log_w.sub_(log_w.amax(0))), "in place"),
    ],
}
