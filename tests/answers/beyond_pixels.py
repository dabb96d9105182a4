"""Answers of learners to the exercises of notebook 10: right ones in many styles, and wrong ones with words of their diagnosis."""

import math

import numpy as np
import scipy.special
import scipy.stats
import torch
import torch.nn.functional as F
from torch.distributions import Categorical, Independent, Normal


def table_loop(x_num, x_cat, loc, log_scale, cat_logits):
    rows = []
    for b in range(len(x_num)):
        total = cat_logits[b, x_cat[b]] - torch.logsumexp(cat_logits[b], 0)
        for x, m, s in zip(x_num[b], loc[b], log_scale[b]):
            total = total - 0.5 * (x - m) ** 2 * torch.exp(-2 * s) - s - 0.5 * math.log(2 * math.pi)
        rows.append(total)
    return torch.stack(rows)


def table_losses(x_num, x_cat, loc, log_scale, cat_logits):
    nll = F.gaussian_nll_loss(loc, x_num, torch.exp(2 * log_scale), full=True, eps=0.0, reduction="none").sum(1)
    return -nll - F.cross_entropy(cat_logits, x_cat, reduction="none")


def table_one_hot(x_num, x_cat, loc, log_scale, cat_logits):
    one_hot = F.one_hot(x_cat, cat_logits.shape[1]).to(cat_logits.dtype)
    return Normal(loc, log_scale.exp()).log_prob(x_num).sum(-1) + torch.einsum("bc,bc->b", one_hot, cat_logits.log_softmax(-1))


def table_manual_shift(x_num, x_cat, loc, log_scale, cat_logits):
    shifted = cat_logits - cat_logits.amax(1, keepdim=True)
    log_cat = shifted[torch.arange(len(x_cat)), x_cat] - shifted.exp().sum(1).log()
    u = (x_num - loc) / torch.exp(log_scale)
    return -(u**2).sum(1) / 2 - log_scale.sum(1) - u.shape[1] * 0.5 * np.log(2 * np.pi) + log_cat


def table_scipy(x_num, x_cat, loc, log_scale, cat_logits):
    numbers = scipy.stats.norm.logpdf(x_num.numpy(), loc.numpy(), np.exp(log_scale.numpy())).sum(1)
    return numbers + scipy.special.log_softmax(cat_logits.numpy(), axis=1)[np.arange(len(x_cat)), x_cat.numpy()]


def raw_loop(log_p, scales):
    result = log_p.clone()
    for s in scales:
        result -= torch.log(s)
    return result


CORRECT = {
    "table_log_likelihood": [
        table_loop,
        table_losses,
        table_one_hot,
        table_manual_shift,
        table_scipy,
        lambda x, c, loc, s, logits: Independent(Normal(loc, s.exp()), 1).log_prob(x) + Categorical(logits=logits).log_prob(c),
        lambda x, c, loc, s, logits: Normal(loc, s.exp()).log_prob(x).sum(1) + F.log_softmax(logits, 1).gather(1, c[:, None]).squeeze(1),
        lambda x, c, loc, s, logits: -F.nll_loss(F.log_softmax(logits, 1), c, reduction="none") + Normal(loc, s.exp()).log_prob(x).sum(1),
        lambda x, c, loc, s, logits: table_loop(x.float(), c, loc.float(), s.float(), logits.float()),
        lambda x, c, loc, s, logits: torch.cat(
            [Normal(loc, s.exp()).log_prob(x), Categorical(logits=logits).log_prob(c).unsqueeze(1)], dim=1
        ).sum(1),
        lambda x, c, loc, s, logits: (
            torch.distributions.MultivariateNormal(loc, scale_tril=torch.diag_embed(s.exp())).log_prob(x)
            + torch.distributions.OneHotCategorical(logits=logits).log_prob(F.one_hot(c, logits.shape[1]))
        ),
    ],
    "raw_log_likelihood": [
        raw_loop,
        lambda log_p, scales: log_p - scales.log().sum(),
        lambda log_p, scales: log_p + torch.log(1 / scales).sum(),
        lambda log_p, scales: (log_p[:, None] - scales.log()[None] / 1).sum(1) - (len(scales) - 1) * log_p,
        lambda log_p, scales: log_p - np.log(scales.numpy()).sum(),
        lambda log_p, scales: log_p.numpy() - np.sum(np.log(scales.numpy())),
        lambda log_p, scales: log_p.float() - scales.float().log().sum(),
        lambda log_p, scales: log_p - len(scales) * scales.log().mean(),
        lambda log_p, scales: torch.stack([value - sum(math.log(s) for s in scales) for value in log_p]),
        lambda log_p, scales: log_p - torch.linalg.slogdet(torch.diag(scales)).logabsdet,
        lambda log_p, scales: log_p - math.log(2) * scales.log2().sum(),
    ],
}

WRONG = {
    "table_log_likelihood": [
        (
            lambda x, c, loc, s, logits: (
                -F.gaussian_nll_loss(loc, x, torch.exp(2 * s), eps=0.0, reduction="none").sum(1)
                - F.cross_entropy(logits, c, reduction="none")
            ),
            "½ log 2π of every",
        ),
        (
            lambda x, c, loc, s, logits: Normal(loc, torch.exp(s / 2)).log_prob(x).sum(1) + Categorical(logits=logits).log_prob(c),
            "log-variance",
        ),
        (
            lambda x, c, loc, s, logits: -F.mse_loss(loc, x, reduction="none").sum(1) - F.cross_entropy(logits, c, reduction="none"),
            "squared error alone",
        ),
        (
            lambda x, c, loc, s, logits: Normal(loc, s.exp()).log_prob(x).sum(1) + F.cross_entropy(logits, c, reduction="none"),
            "cross-entropy of the category is added",
        ),
        (lambda x, c, loc, s, logits: Normal(loc, s.exp()).log_prob(x).sum(1) - F.cross_entropy(logits, c), "averaged over the rows"),
        (
            lambda x, c, loc, s, logits: Normal(loc, s.exp()).log_prob(x).sum(1) + logits.log_softmax(0)[torch.arange(len(c)), c],
            "runs over the rows",
        ),
        (lambda x, c, loc, s, logits: Normal(loc, s.exp()).log_prob(x).sum(1) + logits[torch.arange(len(c)), c], "as it stands"),
        (lambda x, c, loc, s, logits: Independent(Normal(loc, s.exp()), 1).log_prob(x), "category is missing"),
        (
            lambda x, c, loc, s, logits: Normal(loc, s.exp()).log_prob(x).sum(1) + torch.log(F.softmax(logits, 1))[torch.arange(len(c)), c],
            "−inf",
        ),
        (lambda x, c, loc, s, logits: -table_loop(x, c, loc, s, logits), "minus the log-likelihood"),
        (lambda x, c, loc, s, logits: Normal(loc, s).log_prob(x).sum(1) + Categorical(logits=logits).log_prob(c), "ValueError"),
        (lambda x, c, loc, s, logits: table_loop(x, c, loc, s, logits) / 5, "0.2 times"),
        (lambda x, c, loc, s, logits: table_one_hot(x, (c + 1) % 6, loc, s, logits), "not what it should be"),
        (lambda x, c, loc, s, logits: table_loop(x, c, loc, s, logits)[:, None], "shape (3, 1)"),
    ],
    "raw_log_likelihood": [
        (lambda log_p, scales: log_p - torch.log(1 / scales).sum(), "wrong sign"),
        (lambda log_p, scales: log_p, "as it came"),
        (lambda log_p, scales: log_p - torch.prod(scales), "not its logarithm"),
        (lambda log_p, scales: log_p - torch.log(torch.prod(scales)), "multiplied before"),
        (lambda log_p, scales: torch.log(log_p.exp() / scales.prod()), "multiplied before"),
        (lambda log_p, scales: log_p - math.log(sum(scales)), "sum of the scales"),
        (lambda log_p, scales: log_p - sum(scales), "The scales themselves"),
        (lambda log_p, scales: log_p - np.log2(scales.numpy()).sum(), "base 2"),
        (lambda log_p, scales: log_p[:, None] - torch.log(scales)[None, :], "have not been summed"),
        (lambda log_p, scales: log_p - scales.log(), "RuntimeError"),
        (lambda log_p, scales: log_p - scales.log()[1:].sum(), "too high by 1.872"),
        (lambda log_p, scales: raw_loop(log_p, scales)[None], "shape (1, 3)"),
    ],
}
