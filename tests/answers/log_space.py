"""Answers of learners to the exercises of notebook 04: right ones in many styles, and wrong ones with words of their diagnosis."""

import math

import numpy as np
import scipy.special
import scipy.stats
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Independent


def likelihood_loop(x, logits):
    rows = []
    for image, row in zip(x, logits):
        total = 0.0
        for pixel, a in zip(image, row):
            total = total + (F.logsigmoid(a) if pixel == 1 else F.logsigmoid(-a))
        rows.append(total)
    return torch.stack(rows)


def likelihood_manual_softplus(x, logits):
    return (x * logits - logits.clamp(min=0) - torch.log1p(torch.exp(-logits.abs()))).sum(dim=1)


def mean_exp_manual(log_w, dim):
    top = log_w.max(dim, keepdim=True).values
    return (top + (log_w - top).exp().mean(dim, keepdim=True).log()).squeeze(dim)


def mean_exp_accumulated(log_w, dim):
    total = None
    for part in log_w.unbind(dim):
        total = part if total is None else torch.logaddexp(total, part)
    return total - math.log(log_w.shape[dim])


def mean_exp_rows(log_w, dim):
    log_w = log_w.movedim(dim, -1)
    result = torch.zeros(log_w.shape[:-1])
    for i, row in enumerate(log_w):
        result[i] = torch.logsumexp(row, 0) - math.log(len(row))
    return result


def ess_manual(log_w, dim):
    w = torch.exp(log_w - log_w.amax(dim, keepdim=True))
    return w.sum(dim) ** 2 / (w**2).sum(dim)


def ess_variation(log_w, dim):
    """N / (1 + cv^2), with the population variance of the weights."""
    w = torch.exp(log_w - log_w.amax(dim, keepdim=True))
    return log_w.shape[dim] / (1 + w.var(dim, unbiased=False) / w.mean(dim) ** 2)


CORRECT = {
    "log_likelihood_from_logits": [
        likelihood_loop,
        likelihood_manual_softplus,
        lambda x, logits: -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1),
        lambda x, logits: Independent(Bernoulli(logits=logits), 1).log_prob(x),
        lambda x, logits: Bernoulli(logits=logits).log_prob(x).sum(-1),
        lambda x, logits: (x * logits - torch.logaddexp(torch.zeros_like(logits), logits)).sum(-1),
        lambda x, logits: F.logsigmoid((2 * x - 1) * logits).sum(1),
        lambda x, logits: (x * logits).sum(1) - torch.nn.Softplus()(logits).sum(1),
        lambda x, logits: torch.einsum("bd,bd->b", x, logits) - F.softplus(logits).sum(-1),
        lambda x, logits: torch.as_tensor(-np.logaddexp(0, -(2 * x.numpy() - 1) * logits.numpy()).sum(1)),
        lambda x, logits: torch.where(x > 0.5, F.logsigmoid(logits), F.logsigmoid(-logits)).float().sum(1),
    ],
    "log_mean_exp": [
        mean_exp_manual,
        mean_exp_accumulated,
        mean_exp_rows,
        lambda log_w, dim: torch.logsumexp(log_w, dim) - math.log(log_w.size(dim)),
        lambda log_w, dim: torch.logsumexp(log_w, dim) - torch.log(torch.tensor(log_w.shape[dim])),
        lambda log_w, dim: torch.logsumexp(log_w - math.log(log_w.shape[dim]), dim=dim),
        lambda log_w, dim: torch.as_tensor(scipy.special.logsumexp(log_w.numpy(), axis=dim) - np.log(log_w.shape[dim])),
        lambda log_w, dim: scipy.special.logsumexp(log_w.numpy(), axis=dim, b=1 / log_w.shape[dim]),
        lambda log_w, dim: log_w.float().logsumexp(dim) - np.log(log_w.shape[dim]),
        lambda log_w, dim: torch.log(torch.exp(log_w - log_w.amax(dim, True)).sum(dim) / log_w.shape[dim]) + log_w.amax(dim),
    ],
    "effective_sample_size": [
        ess_manual,
        ess_variation,
        lambda log_w, dim: 1 / (F.softmax(log_w, dim) ** 2).sum(dim),
        lambda log_w, dim: torch.exp(2 * torch.logsumexp(log_w, dim) - torch.logsumexp(2 * log_w, dim)),
        lambda log_w, dim: (log_w - log_w.logsumexp(dim, keepdim=True)).exp().pow(2).sum(dim).reciprocal(),
        lambda log_w, dim: 1 / np.square(scipy.special.softmax(log_w.numpy(), axis=dim)).sum(dim),
        lambda log_w, dim: 1 / torch.softmax(log_w.float(), dim).norm(dim=dim) ** 2,
    ],
}

WRONG = {
    "log_likelihood_from_logits": [
        (
            lambda x, logits: -torch.stack([F.binary_cross_entropy(p, row, reduction="sum") for row, p in zip(x, logits.sigmoid())]),
            "100 nats",
        ),
        (lambda x, logits: Independent(Bernoulli(probs=logits.sigmoid()), 1).log_prob(x), "36 nats"),
        (lambda x, logits: -F.binary_cross_entropy_with_logits(logits, x, reduction="none").mean(1), "mean over the pixels"),
        (lambda x, logits: F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1), "minus the log-likelihood"),
        (lambda x, logits: -F.binary_cross_entropy_with_logits(logits, x, reduction="sum"), "one number for the whole batch"),
        (lambda x, logits: Bernoulli(logits=logits).log_prob(x), "not been summed"),
        (lambda x, logits: Bernoulli(logits=torch.sigmoid(logits)).log_prob(x).sum(-1), "applied twice"),
        (lambda x, logits: x.mul(torch.sigmoid(logits).log()).add((1 - x).mul((1 - torch.sigmoid(logits)).log())).sum(-1), "NaN"),
        (
            lambda x, logits: (x * torch.log(torch.sigmoid(logits) + 1e-8) + (1 - x) * torch.log(1 - torch.sigmoid(logits) + 1e-8)).sum(1),
            "small number",
        ),
        (lambda x, logits: (x * logits - torch.log(1 + torch.exp(logits))).sum(1), "exp(1000) is inf"),
        (lambda x, logits: 0.5 * Bernoulli(logits=logits).log_prob(x).sum(-1), "0.5 times"),
        (lambda x, logits: Bernoulli(logits=logits).log_prob(x).sum(-1, keepdim=True), "shape (3, 1)"),
    ],
    "log_mean_exp": [
        (
            lambda log_w, dim: torch.stack([a.mean() + torch.exp(a - a.mean()).mean().log() for a in log_w.movedim(dim, -1)]),
            "Take out the largest",
        ),
        (lambda log_w, dim: log_w.exp().mean(dim).log(), "Take the maximum out"),
        (lambda log_w, dim: log_w.exp().sum(dim).log() - math.log(log_w.shape[dim]), "Take the maximum out"),
        (lambda log_w, dim: torch.logsumexp(log_w, dim), "log of the sum"),
        (lambda log_w, dim: log_w.mean(dim), "Jensen"),
        (lambda log_w, dim: (log_w - log_w.max(dim, keepdim=True).values).exp().mean(dim).log(), "not added back"),
        (lambda log_w, dim: log_w.max() + (log_w - log_w.max()).exp().mean(dim).log(), "One maximum was used"),
        (lambda log_w, dim: torch.logsumexp(log_w, dim, keepdim=True) - math.log(log_w.shape[dim]), "still there"),
        (lambda log_w, dim: torch.logsumexp(log_w, dim) - math.log(log_w.shape[dim] - 1), "too high by 0.2231"),
    ],
    "effective_sample_size": [
        (lambda log_w, dim: log_w.exp().sum(dim) ** 2 / (log_w.exp() ** 2).sum(dim), "0/0"),
        (lambda log_w, dim: (F.softmax(log_w, dim) ** 2).sum(dim), "inverse"),
        (lambda log_w, dim: torch.distributions.Categorical(logits=log_w.movedim(dim, -1)).entropy().exp(), "entropy"),
        (lambda log_w, dim: 1 / log_w.exp().pow(2).sum(dim), "not normalised"),
        (lambda log_w, dim: ess_manual(log_w, dim) / log_w.shape[dim], "share of N"),
        (lambda log_w, dim: ess_manual(log_w, dim).log(), "logarithm"),
        (lambda log_w, dim: 1 / (F.softmax(log_w, 0) ** 2).sum(0), "first axis"),
    ],
}
