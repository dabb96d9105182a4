"""Answers of learners to the exercises of notebook 11: right ones in many styles, and wrong ones with words of their diagnosis."""

import math

import numpy as np
import scipy.special
import scipy.stats
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal


def mix_loop(z, log_weights, loc, log_scale):
    rows = []
    for row in z:
        terms = []
        for c in range(len(loc)):
            term = log_weights[c]
            for k in range(len(row)):
                term = term - 0.5 * ((row[k] - loc[c, k]) / log_scale[c, k].exp()) ** 2 - log_scale[c, k] - 0.5 * math.log(2 * math.pi)
            terms.append(term)
        rows.append(torch.logsumexp(torch.stack(terms), 0))
    return torch.stack(rows)


def mix_torch(z, log_weights, loc, log_scale):
    prior = MixtureSameFamily(Categorical(logits=log_weights), Independent(Normal(loc, log_scale.exp()), 1))
    return prior.log_prob(z)


def mix_accumulated(z, log_weights, loc, log_scale):
    total = None
    for w, m, s in zip(log_weights, loc, log_scale):
        part = w + Normal(m, s.exp()).log_prob(z).sum(-1)
        total = part if total is None else torch.logaddexp(total, part)
    return total


def mix_manual_shift(z, log_weights, loc, log_scale):
    u = (z.unsqueeze(1) - loc.unsqueeze(0)) * torch.exp(-log_scale)
    log_joint = log_weights - 0.5 * (u * u).sum(2) - log_scale.sum(1) - z.shape[1] * 0.5 * np.log(2 * np.pi)
    top = log_joint.max(1, keepdim=True).values
    return (top + torch.exp(log_joint - top).sum(1, keepdim=True).log()).squeeze(1)


def mix_expanded_square(z, log_weights, loc, log_scale):
    """The square multiplied out, so that all pairs are matrix products."""
    precision = torch.exp(-2 * log_scale)
    square = z**2 @ precision.T - 2 * z @ (loc * precision).T + (loc**2 * precision).sum(1)
    return torch.logsumexp(log_weights - 0.5 * square - log_scale.sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi), dim=1)


def mix_scipy(z, log_weights, loc, log_scale):
    logs = [scipy.stats.norm.logpdf(z.numpy(), m, np.exp(s)).sum(1) for m, s in zip(loc.numpy(), log_scale.numpy())]
    return scipy.special.logsumexp(np.stack(logs, 1), axis=1, b=np.exp(log_weights.numpy()))


def mix_full_covariance(z, log_weights, loc, log_scale):
    components = MultivariateNormal(loc, torch.diag_embed(torch.exp(2 * log_scale)))
    return torch.logsumexp(components.log_prob(z[:, None, :]) + log_weights, -1)


def mix_first_axis(z, log_weights, loc, log_scale):
    log_p = Normal(loc[:, None], log_scale[:, None].exp()).log_prob(z[None]).sum(-1)
    return torch.logsumexp(log_weights[:, None] + log_p, dim=0)


CORRECT = {
    "mixture_prior_log_prob": [
        mix_loop,
        mix_torch,
        mix_accumulated,
        mix_manual_shift,
        mix_expanded_square,
        mix_scipy,
        mix_full_covariance,
        mix_first_axis,
        lambda z, w, loc, s: mix_manual_shift(z.float(), w.float(), loc.float(), s.float()),
        lambda z, w, loc, s: torch.cat([mix_first_axis(row[None], w, loc, s) for row in z]),
        lambda z, w, loc, s: MixtureSameFamily(Categorical(probs=w.exp()), Independent(Normal(loc, s.exp()), 1)).log_prob(z),
    ],
}


def log_terms(z, log_weights, loc, log_scale):
    return log_weights + Independent(Normal(loc, log_scale.exp()), 1).log_prob(z[:, None])


WRONG = {
    "mixture_prior_log_prob": [
        (lambda z, w, loc, s: log_terms(z, w, loc, s).max(1).values, "largest term alone"),
        (lambda z, w, loc, s: torch.logsumexp(log_terms(z, 0 * w, loc, s), 1), "weights are missing"),
        (lambda z, w, loc, s: mix_torch(z, torch.zeros_like(w), loc, s), "same weight"),
        (
            lambda z, w, loc, s: sum(
                MixtureSameFamily(Categorical(logits=w), Normal(loc[:, k], s[:, k].exp())).log_prob(z[:, k]) for k in range(z.shape[1])
            ),
            "latent by latent, and the latents summed",
        ),
        (lambda z, w, loc, s: sum(a.exp() for a in log_terms(z, w, loc, s).T).log(), "exp(−10,000) is 0"),
        (lambda z, w, loc, s: log_terms(z, 0 * w, loc, s) @ w.exp(), "Jensen"),
        (lambda z, w, loc, s: sum(log_terms(z, w, loc, s).T), "logarithm of their product"),
        (lambda z, w, loc, s: mix_torch(z, w, loc, s / 2), "log-variance"),
        (lambda z, w, loc, s: Normal(0.0, 1.0).log_prob(z).sum(1), "N(0, I)"),
        (lambda z, w, loc, s: log_terms(z, w, loc, s), "have not been mixed"),
        (lambda z, w, loc, s: mix_loop(z, w.exp(), loc, s), "enters as its logarithm"),
        (lambda z, w, loc, s: 0.5 * mix_torch(z, w, loc, s), "0.5 times"),
        (lambda z, w, loc, s: mix_torch(z, w, loc, s) + math.log(2 * math.pi), "too high by 1.838"),
        (lambda z, w, loc, s: mix_torch(z, w.flip(0), loc, s), "not what it should be"),
        (lambda z, w, loc, s: mix_torch(z, w, loc, s).unsqueeze(1), "shape (3, 1)"),
        (lambda z, w, loc, s: mix_torch(z, w, loc.detach(), s), "gradient in loc"),
    ],
}
