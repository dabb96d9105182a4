"""Answers of learners to the exercises of notebook 01: right ones in many styles, and wrong ones with words of their diagnosis."""

import math
import random

import numpy as np
import scipy.special
import scipy.stats
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Categorical, Independent, MixtureSameFamily

from vaecourse.distributions import bernoulli


def generate_loop(weights, pixel_probs, n):
    z = torch.zeros(n)
    x = torch.zeros(n, pixel_probs.shape[1])
    for i in range(n):
        c = Categorical(weights).sample()
        z[i] = c
        for j in range(pixel_probs.shape[1]):
            x[i, j] = 1 if torch.rand(1) < pixel_probs[c, j] else 0
    return z, x


def generate_lists(weights, pixel_probs, n):
    zs, xs = [], []
    for _ in range(n):
        u, c = random.random(), 0
        while u > weights[: c + 1].sum() and c < len(weights) - 1:
            c += 1
        zs.append(c)
        xs.append(Bernoulli(pixel_probs[c]).sample())
    return torch.tensor(zs), torch.stack(xs)


def generate_numpy(weights, pixel_probs, n):
    z = np.random.choice(len(weights), size=n, p=weights.numpy())
    return z, np.random.binomial(1, pixel_probs.numpy()[z])


def generate_new_generator(weights, pixel_probs, n):
    rng = np.random.default_rng()
    z = rng.choice(len(weights), size=n, p=weights.numpy())
    return torch.from_numpy(z), torch.from_numpy((rng.random((n, pixel_probs.shape[1])) < pixel_probs.numpy()[z]).astype(np.float32))


def generate_cdf(weights, pixel_probs, n):
    z = torch.searchsorted(weights.cumsum(0), torch.rand(n, dtype=torch.float64)).clamp(max=len(weights) - 1)
    return z.float(), torch.rand(n, pixel_probs.shape[1]).lt(pixel_probs[z]).int()


def generate_by_component(weights, pixel_probs, n):
    """First how many images each component makes, then these; in the order of the components."""
    counts = torch.bincount(torch.multinomial(weights, n, replacement=True), minlength=len(weights))
    z = torch.repeat_interleave(torch.arange(len(weights)), counts)
    return z, torch.cat([torch.bernoulli(p.expand(int(k), -1)) for p, k in zip(pixel_probs, counts)])


def generate_one_hot(weights, pixel_probs, n):
    which = torch.distributions.OneHotCategorical(weights).sample((n,))
    return which.argmax(1), torch.bernoulli(which @ pixel_probs)


def generate_gumbel(weights, pixel_probs, n):
    z = (weights.log() - torch.empty(n, len(weights), dtype=torch.float64).exponential_().log()).argmax(-1)
    return [z, Independent(Bernoulli(pixel_probs[z]), 1).sample()]


def marginal_loop(x, log_weights, logits):
    result = []
    for image in x:
        terms = []
        for log_w, row in zip(log_weights, logits):
            term = log_w
            for pixel, a in zip(image, row):
                term = term + (F.logsigmoid(a) if pixel == 1 else F.logsigmoid(-a))
            terms.append(term)
        result.append(torch.logsumexp(torch.stack(terms), 0))
    return torch.stack(result)


def marginal_accumulated(x, log_weights, logits):
    total = torch.full((len(x),), -math.inf, dtype=torch.float64)
    for c in range(len(log_weights)):
        total = torch.logaddexp(total, log_weights[c] + Bernoulli(logits=logits[c]).log_prob(x).sum(-1))
    return total


def marginal_shift(x, log_weights, logits):
    joint = log_weights - F.binary_cross_entropy_with_logits(
        logits.expand(len(x), -1, -1), x[:, None].expand(-1, *logits.shape), reduction="none"
    ).sum(-1)
    top = joint.max(1, keepdim=True).values
    return (joint - top).exp().sum(1).log() + top[:, 0]


def marginal_matmul(x, log_weights, logits):
    likelihood = x @ F.logsigmoid(logits).T + (1 - x) @ F.logsigmoid(-logits).T
    return torch.logsumexp(likelihood + log_weights, dim=-1)


def marginal_library(x, log_weights, logits):
    return MixtureSameFamily(Categorical(logits=log_weights), Independent(Bernoulli(logits=logits), 1)).log_prob(x)


def marginal_scipy(x, log_weights, logits):
    x, a = x.numpy()[:, None], logits.numpy()
    return scipy.special.logsumexp(log_weights.numpy() + (scipy.special.log_expit((2 * x - 1) * a)).sum(-1), axis=1)


def marginal_softplus(x, log_weights, logits):
    likelihood = torch.einsum("bd,cd->bc", x, logits) - F.softplus(logits).sum(1)
    return torch.logsumexp(likelihood + log_weights, 1)


def marginal_weighted(x, log_weights, logits):
    """The weights as factors, after the maximum has been taken out."""
    likelihood = F.logsigmoid((2 * x[:, None] - 1) * logits).sum(-1)
    top = likelihood.amax(1)
    return top + torch.log((likelihood - top[:, None]).exp() @ log_weights.exp())


def posterior_loop(x, log_weights, logits):
    rows = []
    for image in x:
        joint = torch.stack([w + Bernoulli(logits=a).log_prob(image).sum() for w, a in zip(log_weights, logits)])
        rows.append(torch.exp(joint - joint.max()) / torch.exp(joint - joint.max()).sum())
    return torch.stack(rows)


def posterior_odds(x, log_weights, logits):
    """One over the sum of the odds of all components against this one."""
    joint = log_weights + bernoulli(logits).log_prob(x[:, None])
    return 1 / (joint[:, None, :] - joint[:, :, None]).exp().sum(-1)


def posterior_sequential(x, log_weights, logits):
    """One pixel after the other, each posterior the prior of the next."""
    log_p = log_weights.expand(len(x), -1)
    for j in range(x.shape[1]):
        log_p = log_p + F.logsigmoid((2 * x[:, j, None] - 1) * logits[:, j])
        log_p = log_p - torch.logsumexp(log_p, 1, keepdim=True)
    return log_p.exp()


def generate_systematic(weights, pixel_probs, n):
    """One z in each of n equal strata of the prior, and coins in pairs u and 1 - u."""
    z = torch.searchsorted(weights.cumsum(0), (torch.arange(n) + torch.rand(n, dtype=torch.float64)) / n)
    z = z.clamp(max=len(weights) - 1)[torch.randperm(n)]
    u = torch.rand(n // 2, pixel_probs.shape[1])
    return z, (torch.cat([u, 1 - u]) < pixel_probs[z]).double()


CORRECT = {
    "generate": [
        generate_loop,
        generate_lists,
        generate_numpy,
        generate_new_generator,
        generate_cdf,
        generate_by_component,
        generate_one_hot,
        generate_gumbel,
        generate_systematic,
        lambda w, p, n: (z := Categorical(w).sample((n,)), Bernoulli(p[z]).sample()),
        lambda w, p, n: (z := Categorical(probs=w.float()).sample([n]), (torch.rand_like(p[z]) < p[z]).float()),
        lambda w, p, n: (z := torch.multinomial(w, n, True), torch.distributions.Binomial(1, p[z]).sample().long()),
        lambda w, p, n: (z := torch.tensor(random.choices(range(len(w)), w.tolist(), k=n)), torch.bernoulli(p.index_select(0, z))),
    ],
    "log_marginal": [
        marginal_loop,
        marginal_accumulated,
        marginal_shift,
        marginal_matmul,
        marginal_library,
        marginal_scipy,
        marginal_softplus,
        marginal_weighted,
        lambda x, w, a: torch.logsumexp(w + bernoulli(a).log_prob(x[:, None]), 1),
        lambda x, w, a: marginal_library(x.float(), w.float(), a.float()),
        lambda x, w, a: torch.cat([marginal_softplus(part, w, a) for part in x.split(2)]),
    ],
    "posterior": [
        posterior_loop,
        posterior_odds,
        posterior_sequential,
        lambda x, w, a: F.softmax(w + bernoulli(a).log_prob(x[:, None]), dim=-1),
        lambda x, w, a: (w + marginal_table(x, a) - marginal_library(x, w, a)[:, None]).exp(),
        lambda x, w, a: Categorical(logits=w + marginal_table(x, a)).probs,
        lambda x, w, a: torch.log_softmax(w + marginal_table(x, a), 1).exp(),
        lambda x, w, a: scipy.special.softmax((w + marginal_table(x, a)).numpy(), axis=1),
        lambda x, w, a: F.softmax((w + marginal_table(x, a)).float(), 1),
        lambda x, w, a: F.normalize((w + marginal_table(x, a) - (w + marginal_table(x, a)).amax(1, True)).exp(), p=1, dim=1),
    ],
}


def marginal_table(x, logits):
    return x @ logits.T - F.softplus(logits).sum(1)


def naive_probabilities(x, logits):
    p = torch.sigmoid(logits)[None]
    return torch.where(x[:, None] == 1, p, 1 - p).prod(-1)


WRONG = {
    "generate": [
        (lambda w, p, n: (z := np.random.randint(0, len(w), n), np.random.binomial(1, p.numpy()[z])), "equally often"),
        (lambda w, p, n: (z := Categorical(logits=w).sample((n,)), Bernoulli(p[z]).sample()), "taken for logits"),
        (lambda w, p, n: (z := Categorical(w).sample((n,)), p[z].float()), "no image"),
        (lambda w, p, n: (z := Categorical(w).sample((n,)), p[z].round()), "most probable image"),
        (lambda w, p, n: (Categorical(w).sample((n,)), Bernoulli(p[Categorical(w).sample((n,))]).sample()), "do not belong"),
        (lambda w, p, n: (Categorical(w).sample((n,)), Bernoulli(w @ p).sample((n,))), "average of all components"),
        (lambda w, p, n: (z := Categorical(w).sample().repeat(n), Bernoulli(p[z]).sample()), "same z"),
        (lambda w, p, n: (z := Categorical(w).sample((n,)), Bernoulli(p).sample()[z]), "copies of each other"),
        (lambda w, p, n: (z := Categorical(w).sample((n,)), np.random.rand(n, 1) < p[z].numpy()), "share one random number"),
        (lambda w, p, n: (z := Categorical(w).sample((n,)), 1 - Bernoulli(p[z]).sample()), "changed places"),
        (lambda w, p, n: (z := Categorical(w).sample((n,)), Bernoulli(logits=p[z]).sample()), "taken for logits"),
        (lambda w, p, n: generate_numpy(w, p, n)[::-1], "z first, then x"),
        (lambda w, p, n: generate_cdf(w, p, n)[1], "single tensor"),
        (lambda w, p, n: (*generate_cdf(w, p, n), p), "It returned 3 things; expected are 2"),
        (lambda w, p, n: torch.manual_seed(3) and generate_gumbel(w, p, n), "seed"),
        (lambda w, p, n: generate_one_hot(w.flip(0), p, n), "The frequency of each z"),
        (lambda w, p, n: generate_one_hot(w, p.square(), n), "The frequency of ink"),
        (lambda w, p, n: (z := Categorical(w).sample((n, 1)), Bernoulli(p[z[:, 0]]).sample()), "shape (150, 1)"),
    ],
    "log_marginal": [
        (lambda x, w, a: marginal_accumulated(x, torch.zeros_like(w), a), "weights are missing"),
        (lambda x, w, a: marginal_matmul(x, torch.full_like(w, -math.log(len(w))), a), "equally"),
        (lambda x, w, a: (w + Bernoulli(logits=a).log_prob(x[:, None]).sum(-1)).sum(-1), "not the sum of the logs"),
        (lambda x, w, a: (w.exp() * Bernoulli(logits=a).log_prob(x[:, None]).sum(-1)).sum(-1), "too low"),
        (lambda x, w, a: (w + bernoulli(a).log_prob(x[:, None])).max(1).values, "largest term"),
        (lambda x, w, a: Bernoulli(probs=(w.exp() @ torch.sigmoid(a))).log_prob(x).sum(-1), "for each pixel by itself"),
        (lambda x, w, a: (naive_probabilities(x, a) @ w.exp()).log(), "exactly 0"),
        (lambda x, w, a: (w.exp() * bernoulli(a).log_prob(x[:, None]).exp()).sum(1).log(), "exactly 0"),
        (lambda x, w, a: marginal_loop(x, w, a).mean(), "a mean over its images"),
        (lambda x, w, a: -marginal_library(x, w, a), "as a loss"),
        (lambda x, w, a: np.exp(marginal_scipy(x, w, a)), "p(x) itself"),
        (lambda x, w, a: 0.5 * marginal_library(x, w, a), "0.5 times"),
        (lambda x, w, a: marginal_library(x, w, a)[:, None], "shape (3, 1)"),
        (lambda x, w, a: marginal_library(x, w, a) / math.log(2), "1.443 times"),
    ],
    "posterior": [
        (lambda x, w, a: Categorical(logits=marginal_table(x, a)).probs, "weights are missing"),
        (lambda x, w, a: scipy.special.softmax((w + marginal_table(x, a)).numpy(), axis=0), "columns sum to 1"),
        (lambda x, w, a: (p := naive_probabilities(x, a) * w.exp()) / p.sum(1, keepdim=True), "0/0"),
        (lambda x, w, a: naive_probabilities(x, a) * w.exp(), "joint"),
        (lambda x, w, a: naive_probabilities(x, a), "likelihood"),
        (lambda x, w, a: w + marginal_table(x, a) - marginal_library(x, w, a)[:, None], "logarithm of the posterior"),
        (lambda x, w, a: posterior_odds(x, w, a).mT, "changed places"),
        (lambda x, w, a: posterior_odds(x, w, a).max(1).indices, "number of the most probable"),
        (lambda x, w, a: torch.eye(len(w))[posterior_odds(x, w, a).argmax(1)], "most probable z"),
        (lambda x, w, a: posterior_loop(x, w + w, a), "twice"),
        (lambda x, w, a: 1 - posterior_loop(x, w, a), "not what it should be"),
        (lambda x, w, a: 3 * posterior_loop(x, w, a), "3 times"),
        (lambda x, w, a: posterior_loop(x, w, a)[:, None], "shape (3, 1, 6)"),
    ],
}
