"""Answers of learners to the exercises of notebook 06: right ones in many styles, and wrong ones with words of their diagnosis."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence


def kl_loop(mu, log_var):
    rows = []
    for means, log_vars in zip(mu, log_var):
        total = 0.0
        for m, v in zip(means, log_vars):
            total = total + 0.5 * (m**2 + torch.exp(v) - 1 - v)
        rows.append(total)
    return torch.stack(rows)


def kl_library(mu, log_var):
    q = Independent(Normal(mu, torch.exp(0.5 * log_var)), 1)
    return kl_divergence(q, Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1))


def kl_full_covariance(mu, log_var):
    q = MultivariateNormal(mu, scale_tril=torch.diag_embed(torch.exp(log_var / 2)))
    return kl_divergence(q, MultivariateNormal(torch.zeros(4, dtype=mu.dtype), torch.eye(4, dtype=mu.dtype)))


def kl_entropy_form(mu, log_var):
    """Cross-entropy minus entropy."""
    q = Independent(Normal(mu, torch.exp(0.5 * log_var)), 1)
    cross = 0.5 * (mu**2 + log_var.exp() + math.log(2 * math.pi)).sum(1)
    return cross - q.entropy()


def kl_sigma(mu, log_var):
    sigma = torch.sqrt(torch.exp(log_var))
    return (-torch.log(sigma) + (sigma**2 + mu**2) / 2 - 0.5).sum(dim=1)


def kl_numpy(mu, log_var):
    mu, log_var = mu.numpy(), log_var.numpy()
    return -0.5 * np.sum(1 + log_var - mu**2 - np.exp(log_var), axis=1)


def kl_numpy_loop(mu, log_var):
    result = np.zeros(len(mu))
    for b in range(mu.shape[0]):
        for k in range(mu.shape[1]):
            result[b] += 0.5 * (float(mu[b, k]) ** 2 + math.exp(log_var[b, k]) - 1 - float(log_var[b, k]))
    return result


def kl_latent_by_latent(mu, log_var):
    total = torch.zeros(len(mu), dtype=mu.dtype)
    for k in range(mu.shape[1]):
        total = total + kl_divergence(Normal(mu[:, k], (log_var[:, k] / 2).exp()), Normal(0.0, 1.0))
    return total


def elbo_loop(log_px, mu, log_var):
    rows = []
    for b in range(len(mu)):
        mean = sum(log_px[s, b] for s in range(len(log_px))) / len(log_px)
        rows.append(mean - kl_loop(mu[b : b + 1], log_var[b : b + 1])[0])
    return torch.stack(rows)


def elbo_sample_by_sample(log_px, mu, log_var):
    total = 0
    for row in log_px:
        total = total + row - kl_library(mu, log_var)
    return total / log_px.shape[0]


def elbo_numpy(log_px, mu, log_var):
    return np.mean(log_px.numpy(), axis=0) - kl_numpy(mu, log_var)


def elbo_energy_and_entropy(log_px, mu, log_var):
    """E[log p(x, z)] plus the entropy of q, the prior's term in closed form."""
    log_prior = -0.5 * (mu**2 + log_var.exp() + math.log(2 * math.pi)).sum(1)
    return log_px.mean(0) + log_prior + Normal(mu, torch.exp(0.5 * log_var)).entropy().sum(-1)


def kl_in_place(mu, log_var):
    """Its own temporary is overwritten: the numbers are right, and torch then refuses the gradient."""
    total = log_var.exp()
    total += mu**2
    total -= 1 + log_var
    return total.mul_(0.5).sum(1)


CORRECT = {
    "gaussian_kl": [
        kl_in_place,
        kl_loop,
        kl_library,
        kl_full_covariance,
        kl_entropy_form,
        kl_sigma,
        kl_numpy,
        kl_numpy_loop,
        kl_latent_by_latent,
        lambda mu, log_var: -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=1),
        lambda mu, log_var: 0.5 * (torch.expm1(log_var) + mu * mu - log_var).sum(-1),
        lambda mu, log_var: 0.5 * (torch.einsum("bk,bk->b", mu, mu) + log_var.exp().sum(1) - mu.shape[1] - log_var.sum(1)),
        lambda mu, log_var: kl_divergence(Normal(mu, log_var.exp().sqrt()), Normal(0, 1)).sum(-1),
        lambda mu, log_var: 0.5 * (mu.float() ** 2 + log_var.float().exp() - 1 - log_var.float()).sum(-1),
        lambda mu, log_var: kl_library(mu.float(), log_var.float()),
        lambda mu, log_var: (0.5 * (mu**2 + torch.exp(log_var) - 1 - log_var)) @ torch.ones(mu.shape[1], dtype=mu.dtype),
        lambda mu, log_var: torch.vmap(lambda m, v: 0.5 * (m @ m + (v.exp() - 1 - v).sum()))(mu, log_var),
        lambda mu, log_var: [float(k) for k in kl_loop(mu, log_var)],
    ],
    "elbo": [
        elbo_loop,
        elbo_sample_by_sample,
        elbo_numpy,
        elbo_energy_and_entropy,
        lambda log_px, mu, log_var: (log_px - kl_loop(mu, log_var)).mean(dim=0),
        lambda log_px, mu, log_var: log_px.sum(0) / log_px.shape[0] - kl_library(mu, log_var),
        lambda log_px, mu, log_var: torch.mean(log_px, 0) + 0.5 * torch.sum(1 + log_var - mu**2 - torch.exp(log_var), 1),
        lambda log_px, mu, log_var: -(kl_sigma(mu, log_var) - log_px.mean(0)),
        lambda log_px, mu, log_var: log_px.float().mean(0) - kl_library(mu.float(), log_var.float()),
        lambda log_px, mu, log_var: torch.einsum("sb->b", log_px) / len(log_px) - kl_entropy_form(mu, log_var),
        lambda log_px, mu, log_var: log_px.T.mean(1) - kl_divergence(Normal(mu, (log_var / 2).exp()), Normal(0.0, 1.0)).sum(1),
        lambda log_px, mu, log_var: (log_px - kl_loop(mu, log_var)[None, :].expand_as(log_px)).sum(0).div(log_px.size(0)),
    ],
}

WRONG = {
    "gaussian_kl": [
        (lambda mu, log_var: 0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=1), "minus the divergence"),
        (lambda mu, log_var: -torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=1), "twice the divergence"),
        (lambda mu, log_var: kl_divergence(Normal(mu, log_var.exp()), Normal(0.0, 1.0)).sum(1), "read as log σ."),
        (lambda mu, log_var: -0.5 * torch.mean(1 + log_var - mu.pow(2) - log_var.exp(), dim=1), "mean over the latents"),
        (lambda mu, log_var: -0.5 * torch.mean(1 + log_var - mu.pow(2) - log_var.exp()), "images and latents both"),
        (lambda mu, log_var: -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp()), "whole batch, a sum"),
        (lambda mu, log_var: kl_divergence(Normal(0.0, 1.0), Normal(mu, (log_var / 2).exp())).sum(1), "changed places"),
        (lambda mu, log_var: -0.5 * torch.sum(1 + log_var - mu - log_var.exp(), dim=1), "not squared"),
        (lambda mu, log_var: kl_divergence(Normal(mu, (log_var / 2).exp()), Normal(0.0, 1.0)), "not been summed"),
        (lambda mu, log_var: -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=0), "keeps the latents"),
        (lambda mu, log_var: -0.5 * torch.sum(log_var - mu.pow(2) - log_var.exp(), dim=1), "−1 is missing"),
        (lambda mu, log_var: -0.5 * torch.sum(1 + log_var.log() - mu.pow(2) - log_var, dim=1), "variance itself"),
        (lambda mu, log_var: -0.5 * torch.sum(1 + log_var - mu.pow(2) - torch.exp(log_var / 2), dim=1), "σ stands where σ²"),
        (lambda mu, log_var: -0.5 * torch.sum(1 + log_var - mu.pow(2), dim=1), "σ² is missing"),
        (lambda mu, log_var: Normal(mu, (log_var / 2).exp()).entropy().sum(1), "entropy of q alone"),
        (lambda mu, log_var: kl_library(mu, log_var) / math.log(2), "1.443 times"),
        (lambda mu, log_var: kl_library(mu, log_var)[:, None], "shape (3, 1)"),
        (lambda mu, log_var: kl_library(mu, log_var.clamp(min=-10)), "is right"),
        (lambda mu, log_var: kl_library(mu.detach(), log_var), "gradient in mu"),
        (lambda mu, log_var: 0.5 * (mu.pow_(2) + log_var.exp() - 1 - log_var).sum(1), "in place"),
    ],
    "elbo": [
        (lambda log_px, mu, log_var: log_px.mean(0) + kl_library(mu, log_var), "has been added"),
        (lambda log_px, mu, log_var: log_px.mean(0) - 0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp(), 1), "has been added"),
        (lambda log_px, mu, log_var: log_px.sum(0) / len(log_px), "reconstruction term alone"),
        (lambda log_px, mu, log_var: log_px.sum(0) - kl_sigma(mu, log_var), "divide by S"),
        (lambda log_px, mu, log_var: (log_px - kl_sigma(mu, log_var)).sum(0), "S times the ELBO"),
        (lambda log_px, mu, log_var: (log_px.sum(0) - kl_sigma(mu, log_var)) / len(log_px), "counts in full"),
        (lambda log_px, mu, log_var: kl_sigma(mu, log_var) - log_px.mean(0), "minus the ELBO"),
        (lambda log_px, mu, log_var: torch.logsumexp(log_px, 0) - math.log(len(log_px)) - kl_loop(mu, log_var), "averages the logarithms"),
        (lambda log_px, mu, log_var: (log_px.sum(1) / log_px.shape[1]) - kl_loop(mu, log_var), "over the images, the second axis"),
        (lambda log_px, mu, log_var: (log_px.mean(0) - kl_loop(mu, log_var)).mean(), "whole batch, a mean"),
        (lambda log_px, mu, log_var: log_px.mean(0) - kl_loop(mu, log_var).sum(), "divergence of the whole batch"),
        (lambda log_px, mu, log_var: log_px.mean(0) - kl_loop(mu, log_var) / mu.shape[1], "averaged over the latents"),
        (lambda log_px, mu, log_var: log_px.mean(0) + Normal(mu, (log_var / 2).exp()).entropy().sum(1), "goes with the log-joint"),
        (lambda log_px, mu, log_var: log_px.mean(0) - F.relu(kl_loop(mu, log_var) - 1), "too high by 1"),
        (lambda log_px, mu, log_var: (log_px.mean(0) - kl_loop(mu, log_var)) / 784, "0.001276 times"),
        (lambda log_px, mu, log_var: (log_px.mean(0) - kl_loop(mu, log_var)).unsqueeze(0), "shape (1, 3)"),
        (lambda log_px, mu, log_var: log_px.mean(0) - kl_loop(mu, log_var).detach(), "gradient"),
    ],
}
