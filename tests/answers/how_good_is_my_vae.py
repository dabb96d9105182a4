"""Answers of learners to the exercises of notebook 09: right ones in many styles, and wrong ones with words of their diagnosis."""

import math

import numpy as np
import scipy.special
import scipy.stats
import torch
import torch.nn.functional as F


def bound_manual(log_w):
    top = log_w.max(dim=0).values
    return top + torch.log(torch.mean(torch.exp(log_w - top), dim=0))


def bound_accumulated(log_w):
    total = log_w[0]
    for row in log_w[1:]:
        total = torch.logaddexp(total, row)
    return total - math.log(len(log_w))


def bound_by_image(log_w):
    result = torch.zeros(log_w.shape[1])
    for b in range(log_w.shape[1]):
        result[b] = torch.logsumexp(log_w[:, b], 0) - math.log(log_w.shape[0])
    return result


def bound_in_chunks(log_w):
    parts = torch.stack([torch.logsumexp(part, 0) for part in log_w.split(2)])
    return torch.logsumexp(parts, 0) - np.log(log_w.shape[0])


def bound_by_median(log_w):
    """Any entry near the top may be the one that is taken out."""
    shift = log_w.median(0, keepdim=True).values
    return ((log_w - shift).exp().sum(0) / log_w.size(0)).log() + shift.squeeze(0)


def units_loop(mu, threshold=0.01):
    count = 0
    for column in mu.T:
        centre = sum(column) / len(column)
        if sum((m - centre) ** 2 for m in column) / len(column) > threshold:
            count += 1
    return count


def units_two_moments(mu, threshold=0.01):
    variance = (mu**2).mean(0) - mu.mean(0) ** 2
    return (variance > threshold).sum()


def bits_loop(log_px, n_dims):
    return torch.stack([-value / math.log(2) / n_dims for value in log_px])


CORRECT = {
    "iwae_bound": [
        bound_manual,
        bound_accumulated,
        bound_by_image,
        bound_in_chunks,
        bound_by_median,
        lambda log_w: torch.logsumexp(log_w, dim=0) - torch.log(torch.tensor(float(log_w.shape[0]))),
        lambda log_w: (log_w - math.log(log_w.size(0))).logsumexp(0),
        lambda log_w: scipy.special.logsumexp(log_w.numpy(), axis=0, b=1 / len(log_w)),
        lambda log_w: torch.from_numpy(scipy.special.logsumexp(log_w.numpy(), axis=0)) - np.log(len(log_w)),
        lambda log_w: log_w.float().logsumexp(0) - math.log(log_w.shape[0]),
        lambda log_w: torch.logsumexp(log_w.T, 1) - math.log(log_w.T.shape[1]),
        lambda log_w: log_w[0] - F.log_softmax(log_w, 0)[0] - math.log(len(log_w)),
    ],
    "active_units": [
        units_loop,
        units_two_moments,
        lambda mu, threshold=0.01: (mu.var(0) > threshold).sum().item(),
        lambda mu, threshold=0.01: torch.count_nonzero(torch.var(mu, dim=0, unbiased=False) > threshold),
        lambda mu, threshold=0.01: int(np.sum(np.var(mu.numpy(), axis=0) > threshold)),
        lambda mu, threshold=0.01: len([v for v in mu.float().std(0) ** 2 if v > threshold]),
        lambda mu, threshold=0.01: (torch.diag(torch.cov(mu.T)) > threshold).sum(),
        lambda mu, threshold=0.01: float((((mu - mu.mean(0)) ** 2).mean(0) > threshold).sum()),
        lambda mu, threshold=0.01: sum(torch.var(mu[:, k]).item() > threshold for k in range(mu.shape[1])),
        lambda mu, threshold=0.01: mu.var(0).gt(threshold).nonzero().numel(),
    ],
    "bits_per_dim": [
        bits_loop,
        lambda log_px, n_dims: -log_px / (n_dims * math.log(2)),
        lambda log_px, n_dims: -log_px / np.log(2) / n_dims,
        lambda log_px, n_dims: -log_px * math.log2(math.e) / n_dims,
        lambda log_px, n_dims: log_px / n_dims / -torch.log(torch.tensor(2.0, dtype=torch.float64)),
        lambda log_px, n_dims: -log_px.float() / n_dims / math.log(2),
        lambda log_px, n_dims: -(log_px / n_dims) * torch.log2(torch.exp(torch.ones((), dtype=torch.float64))),
        lambda log_px, n_dims: np.negative(log_px.numpy()) / (np.log(2) * n_dims),
        lambda log_px, n_dims: torch.log2(torch.exp(-log_px / n_dims)),
        lambda log_px, n_dims: log_px.neg().div(n_dims).div(math.log(2)),
    ],
}

WRONG = {
    "iwae_bound": [
        (lambda log_w: sum(log_w) / len(log_w), "the ELBO, whatever S is"),
        (lambda log_w: bound_accumulated(log_w) + math.log(len(log_w)), "8.52"),
        (lambda log_w: torch.log(torch.exp(log_w).sum(0) / len(log_w)), "exp(−10,000) is 0"),
        (lambda log_w: torch.logsumexp(log_w, -1) - math.log(log_w.shape[-1]), "runs over the images"),
        (lambda log_w: torch.logsumexp(log_w, (0, 1)) - math.log(log_w.numel()), "samples and images together"),
        (lambda log_w: (F.softmax(log_w, 0) * log_w).sum(0), "no lower bound"),
        (lambda log_w: bound_manual(log_w).mean(), "averaged over the images"),
        (lambda log_w: log_w.max() + (log_w - log_w.max()).exp().sum(0).div(len(log_w)).log(), "One maximum"),
        (lambda log_w: bound_manual(log_w) - log_w.max(0).values, "not added back"),
        (lambda log_w: torch.logsumexp(log_w, 0) - math.log(len(log_w) - 1), "too high by 0.2231"),
        (lambda log_w: log_w.mean(0) + log_w.var(0) / 2, "not what it should be"),
        (lambda log_w: 0.5 * bound_manual(log_w), "0.5 times"),
    ],
    "active_units": [
        (lambda mu, threshold=0.01: int((np.std(mu.numpy(), axis=0) > threshold).sum()), "standard deviation"),
        (lambda mu, threshold=0.01: int((mu.var(0, unbiased=False) < threshold).sum()), "idle latents"),
        (lambda mu, threshold=0.01: int(sum(row.var() > threshold for row in mu)), "images were counted"),
        (lambda mu, threshold=0.01: int(((mu * mu).sum(0) / len(mu) > threshold).sum()), "mean square"),
        (lambda mu, threshold=0.01: int((torch.var(mu, 0) > 0.01).sum()), "only its default"),
        (lambda mu, threshold=0.01: (torch.var(mu, 0) > threshold).float().mean(), "share of active"),
        (lambda mu, threshold=0.01: torch.var(mu, 0) > threshold, "their sum"),
        (lambda mu, threshold=0.01: (torch.var(mu, 0) > threshold).long(), "their sum"),
        (lambda mu, threshold=0.01: np.flatnonzero(np.var(mu.numpy(), 0) > threshold), "positions"),
        (lambda mu, threshold=0.01: units_loop(mu, threshold) + 1, "too high by 1"),
        (lambda mu, threshold=0.01: units_loop(mu, threshold / 10), "with a threshold of 0.5 the result is right"),
    ],
    "bits_per_dim": [
        (lambda log_px, n_dims: log_px.neg().div(n_dims), "nats per dimension"),
        (lambda log_px, n_dims: log_px / np.log(2) / n_dims, "The sign is missing"),
        (lambda log_px, n_dims: -log_px * math.log2(math.e), "whole image"),
        (lambda log_px, n_dims: bits_loop(log_px, n_dims).sum() / len(log_px), "have been averaged"),
        (lambda log_px, n_dims: -torch.log2(torch.exp(log_px)) / n_dims, "exp(−2,000) is 0"),
        (lambda log_px, n_dims: -math.log(2) * log_px / n_dims, "multiplies by log 2"),
        (lambda log_px, n_dims: np.abs(log_px.numpy()) / n_dims / np.log(2), "absolute value"),
        (lambda log_px, n_dims: bits_loop(log_px, n_dims) / 2, "0.5 times"),
        (lambda log_px, n_dims: bits_loop(log_px, n_dims)[:, None], "shape (3, 1)"),
        (lambda log_px, n_dims: bits_loop(log_px, n_dims - 1), "1.167 times"),
    ],
}
