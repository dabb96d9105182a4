"""Answers of learners to the exercises of notebook 07: right ones in many styles, and wrong ones with words of their diagnosis."""

import math

import numpy as np
import torch
from torch.distributions import AffineTransform, Independent, MultivariateNormal, Normal


def draw_loop(mu, log_var, eps):
    rows = []
    for m_row, v_row, e_row in zip(mu, log_var, eps):
        rows.append(torch.stack([m + torch.exp(v / 2) * e for m, v, e in zip(m_row, v_row, e_row)]))
    return torch.stack(rows)


def draw_filled(mu, log_var, eps):
    z = torch.zeros_like(mu)
    for k in range(mu.shape[1]):
        z[:, k] = mu[:, k] + eps[:, k] * log_var[:, k].exp().sqrt()
    return z


def draw_by_covariance(mu, log_var, eps):
    root = torch.diag_embed(torch.exp(0.5 * log_var))
    return mu + (root @ eps.unsqueeze(-1)).squeeze(-1)


def draw_by_transform(mu, log_var, eps):
    return AffineTransform(loc=mu, scale=torch.exp(0.5 * log_var))(eps)


def draw_addcmul(mu, log_var, eps):
    return torch.addcmul(mu, torch.exp(log_var.mul(0.5)), eps)


def draw_in_place_on_its_own(mu, log_var, eps):
    sigma = log_var.clone()
    sigma.mul_(0.5).exp_()
    return sigma.mul(eps).add(mu)


def votes_loop(f, log_q):
    total = 0
    for value, score in zip(f, log_q):
        total = total + value.item() * score
    return total / len(f)


def votes_without_grad(f, log_q):
    with torch.no_grad():
        weight = f / f.shape[0]
    return (weight * log_q).sum()


def votes_magic_box(f, log_q):
    """exp(log q - its own value) is 1, with the slope of log q."""
    return (f.detach() * torch.exp(log_q - log_q.detach())).mean()


def votes_numpy_weights(f, log_q):
    weights = torch.from_numpy(np.asarray(f.detach().numpy(), dtype=np.float64).copy())
    return torch.inner(weights, log_q) / len(weights)


class Votes(torch.autograd.Function):
    @staticmethod
    def forward(ctx, f, log_q):
        ctx.save_for_backward(f)
        return (f * log_q).mean()

    @staticmethod
    def backward(ctx, slope):
        (f,) = ctx.saved_tensors
        return None, slope * f / len(f)


def others_loop(f):
    return torch.stack([f[s] - torch.cat([f[:s], f[s + 1 :]]).mean() for s in range(len(f))])


def others_mask(f):
    others = ~torch.eye(len(f), dtype=torch.bool)
    return f - (f.expand(len(f), -1) * others).sum(1) / others.sum(1)


def others_matrix(f):
    n = len(f)
    weights = (torch.eye(n, dtype=f.dtype) * n - 1) / (n - 1)
    return weights @ f


def others_numpy(f):
    f = f.numpy()
    return np.array([f[i] - np.delete(f, i).mean() for i in range(f.size)])


def others_double_loop(f):
    result = []
    for i in range(len(f)):
        total = 0.0
        for j in range(len(f)):
            if i != j:
                total += f[j].item()
        result.append(f[i].item() - total / (len(f) - 1))
    return result


def others_pairs(f):
    return (f[:, None] - f[None, :]).sum(1) / (len(f) - 1)


CORRECT = {
    "reparameterise": [
        draw_loop,
        draw_filled,
        draw_by_covariance,
        draw_by_transform,
        draw_addcmul,
        draw_in_place_on_its_own,
        lambda mu, log_var, eps: mu + torch.exp(log_var / 2) * eps,
        lambda mu, log_var, eps: mu + eps * log_var.exp() ** 0.5,
        lambda mu, log_var, eps: torch.sqrt(torch.exp(log_var)).mul(eps).add(mu),
        lambda mu, log_var, eps: mu + Normal(mu, (0.5 * log_var).exp()).stddev * eps,
        lambda mu, log_var, eps: mu + MultivariateNormal(mu, log_var.exp().diag_embed()).scale_tril.diagonal(dim1=-2, dim2=-1) * eps,
        lambda mu, log_var, eps: mu.float() + (0.5 * log_var.float()).exp() * eps.float(),
        lambda mu, log_var, eps: mu + torch.einsum("bk,bk->bk", torch.exp(0.5 * log_var), eps),
        lambda mu, log_var, eps: mu + Independent(Normal(torch.zeros_like(mu), log_var.exp().sqrt()), 1).base_dist.scale * eps,
        lambda mu, log_var, eps: mu + torch.pow(math.e, log_var / 2) * eps,
    ],
    "score_function_loss": [
        votes_loop,
        votes_without_grad,
        votes_magic_box,
        votes_numpy_weights,
        Votes.apply,
        lambda f, log_q: (f.detach() * log_q).mean(),
        lambda f, log_q: torch.mean(f.data * log_q),
        lambda f, log_q: f.detach().dot(log_q) / f.numel(),
        lambda f, log_q: torch.einsum("s,s->", f.detach(), log_q) / len(log_q),
        lambda f, log_q: (f.detach().float() * log_q.float()).mean(),
        lambda f, log_q: (torch.tensor(f.tolist(), dtype=log_q.dtype) @ log_q) / len(f),
        lambda f, log_q: (f.detach() * log_q).mean() + f.detach().mean() - (f.detach() * log_q.detach()).mean(),
        lambda f, log_q: torch.stack([a.detach() * b for a, b in zip(f, log_q)]).mean(),
        lambda f, log_q: (f.detach() * log_q).mean(0, keepdim=True),
    ],
    "leave_one_out": [
        others_loop,
        others_mask,
        others_matrix,
        others_numpy,
        others_double_loop,
        others_pairs,
        lambda f: f - (f.sum() - f) / (len(f) - 1),
        lambda f: (f - f.mean()) * len(f) / (len(f) - 1),
        lambda f: (f * f.numel() - f.sum()) / (f.numel() - 1),
        lambda f: (f - f.mean()) / (1 - 1 / len(f)),
        lambda f: f.float() - (f.float().sum() - f.float()) / (len(f) - 1),
        lambda f: f.detach() - torch.tensor([(sum(f) - v) / (f.shape[0] - 1) for v in f]),
        lambda f: f - torch.vmap(lambda row: row.mean())(f.repeat(len(f), 1)[~torch.eye(len(f), dtype=bool)].view(len(f), -1)),
    ],
}

WRONG = {
    "reparameterise": [
        (lambda mu, log_var, eps: (mu + torch.exp(log_var / 2) * eps).sum(1), "expected is (3, 4), that of mu."),
        (lambda mu, log_var, eps: torch.addcmul(mu, torch.exp(log_var), eps), "used as σ"),
        (lambda mu, log_var, eps: mu + torch.exp(log_var) * eps**2, "squared"),
        (lambda mu, log_var, eps: mu.clone(), "with no noise"),
        (lambda mu, log_var, eps: torch.exp(log_var / 2).mul(mu).add(eps), "changed places"),
        (lambda mu, log_var, eps: mu + eps * log_var, "log_var itself"),
        (lambda mu, log_var, eps: mu + torch.sqrt(torch.exp(log_var)), "eps does not enter"),
        (lambda mu, log_var, eps: eps * torch.sqrt(torch.exp(log_var)), "mu is missing"),
        (lambda mu, log_var, eps: mu + eps, "log_var does not enter"),
        (lambda mu, log_var, eps: Normal(mu, torch.exp(log_var / 2)).rsample(), "eps thrown away"),
        (lambda mu, log_var, eps: mu + torch.exp(0.5 * log_var) * torch.randn(mu.shape, dtype=mu.dtype), "eps thrown away"),
        (lambda mu, log_var, eps: mu + log_var**0.5 * eps, "NaN"),
        (lambda mu, log_var, eps: mu + torch.exp(log_var) / 2 * eps, "outside of the exponential"),
        (lambda mu, log_var, eps: mu + torch.sqrt(torch.exp(log_var / 2)) * eps, "root was taken twice"),
        (lambda mu, log_var, eps: torch.tensor((mu + torch.exp(log_var / 2) * eps).tolist()), "path is cut"),
        (lambda mu, log_var, eps: mu + torch.exp(log_var / 2).detach() * eps, "log_var is cut off"),
        (lambda mu, log_var, eps: mu.numpy() + np.exp(log_var.numpy() / 2) * eps.numpy(), "the path is cut"),
        (lambda mu, log_var, eps: (mu + torch.exp(log_var / 2) * eps).sum(-1), "shape (3,)"),
        (lambda mu, log_var, eps: mu + torch.exp(log_var / 2).clamp(min=0.01) * eps, "narrow"),
    ],
    "score_function_loss": [
        (lambda f, log_q: (f.detach().abs() * log_q).mean(), "gradient in log_q"),
        (lambda f, log_q: torch.dot(f, log_q) / len(f), "flows through f as well"),
        (lambda f, log_q: torch.dot(f.detach(), torch.exp(log_q)) / len(f), "exponentiated"),
        (lambda f, log_q: torch.dot(f.detach(), log_q), "sum over the samples"),
        (lambda f, log_q: -torch.dot(f.detach(), log_q) / len(f), "sign is wrong"),
        (lambda f, log_q: torch.dot(f, log_q.detach()) / len(f), "wrong factor"),
        (lambda f, log_q: torch.tensor((f * log_q).mean().item()), "Everything has been detached"),
        (lambda f, log_q: (f[:, None].detach() * log_q).mean(), "weighted by the mean of f"),
        (lambda f, log_q: torch.mul(f.detach(), log_q), "needs a scalar"),
        (lambda f, log_q: f.detach().mean() + log_q.sum() / len(f), "does not weigh"),
        (lambda f, log_q: ((f.detach() - f.detach().sum() / len(f)) * log_q).mean(), "own value"),
        (lambda f, log_q: (others_loop(f.detach()) * log_q).mean(), "mean of the others has been subtracted"),
        (lambda f, log_q: f.mean() + torch.dot(f.detach(), log_q) / len(f), "gradient of f itself"),
        (lambda f, log_q: (f.detach() * log_q).mean().item(), "without a gradient"),
        (lambda f, log_q: (f.detach() * log_q).sum() / (len(f) - 1), "1.25 times"),
        (lambda f, log_q: (f.detach() * log_q).mean().square(), "gradient in log_q"),
        (lambda f, log_q: [(f.detach() * log_q).mean(), None][1], "return missing"),
    ],
    "leave_one_out": [
        (lambda f: f - f.sum() / len(f), "its own value included"),
        (lambda f: (f.sum() - f) / (len(f) - 1), "the baseline itself"),
        (lambda f: (f.sum() - f) / (len(f) - 1) - f, "minus f"),
        (lambda f: f - (f.sum() - f), "sum of the others was subtracted"),
        (lambda f: torch.stack([v - (f.sum() - v) / len(f) for v in f]), "one fewer"),
        (lambda f: torch.stack([v - f.sum() / (len(f) - 1) for v in f]), "take it out first"),
        (lambda f: others_loop(f).mean(), "one number, a sum or a mean"),
        (lambda f: (f - f.mean()) / f.std(unbiased=True), "standardised"),
        (lambda f: f - torch.cat([f[-1:], f[:-1]]), "the one before"),
        (lambda f: f, "as it was"),
        (lambda f: f + (f.sum() - f) / (len(f) - 1), "has been added"),
        (lambda f: torch.sub(f.unsqueeze(1), f.unsqueeze(0)), "differences of all pairs"),
        (lambda f: f - f.median(), "instead of"),
        (lambda f: others_loop(f)[:, None], "shape (5, 1)"),
        (lambda f: others_loop(f) + 1, "too high by 1"),
        (lambda f: f.sub_((f.sum() - f) / (len(f) - 1)), "in place"),
    ],
}
