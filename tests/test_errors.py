"""An exception in an answer is explained in the terms of the exercise."""

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli

from vaecourse.exercises import check
from vaecourse.exercises.errors import letters


def no_axis(x, decoder, latent_dim, n_samples):
    p = decoder(torch.randn(n_samples, latent_dim))
    return (p**x * (1 - p) ** (1 - x)).prod(-1).mean(0)


def no_keepdim(log_w, dim):
    top = log_w.amax(dim)
    return top + (log_w - top).exp().mean(dim).log()


def in_place(log_w, dim):
    result = log_w.clone()
    result -= log_w.sum(1)
    return result.exp().mean(dim).log()


def not_transposed(x, log_weights, logits):
    return torch.logsumexp(log_weights + x @ F.logsigmoid(logits), 1)


def by_torch_matmul(x, log_weights, logits):
    return torch.logsumexp(log_weights + torch.matmul(x, logits), 1)


def by_log_prob(x, log_weights, logits):
    return torch.logsumexp(log_weights + Bernoulli(logits=logits).log_prob(x).sum(-1), 1)


def pixels_not_summed(x, log_weights, logits):
    log_p = Bernoulli(logits=logits).log_prob(x[:, None])
    return torch.logsumexp(log_weights + log_p, 1)


def by_where(x, decoder, latent_dim, n_samples):
    p = decoder(torch.randn(n_samples, latent_dim))
    return torch.where(x == 1, p, 1 - p).prod(-1).mean(0)


def scales_not_summed(log_p, scales):
    return log_p - scales.log()


def lost_loss(model, optimiser, x):
    loss = model.loss(x).backward()
    optimiser.step()
    return loss.item()


def misspelt(log_w, dim):
    largest = log_w.amax(dim)
    return largets + largest


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("naive_monte_carlo", no_axis, ["`1 - p` has shape (5, 7) = (N, D)", "`1 - x` has shape (3, 7) = (B, D)", "`(1 - p)[:, None]`", "(N, B, D)"]),
        ("naive_monte_carlo", by_where, ["(5, 7) = (N, D)", "(3, 7) = (B, D)", "[:, None]"]),
        ("log_mean_exp", no_keepdim, ["`log_w` has shape (5, 3)", "`top` has shape (5,)", "`top[:, None]`", "return top + (log_w - top)", "dim = 0 the result is right"]),
        ("log_mean_exp", in_place, ["`log_w.sum(1)[:, None]` (or with keepdim=True) has shape (5, 1)"]),
        ("log_marginal", not_transposed, ["(3, 7) = (B, D)", "`F.logsigmoid(logits).T` has shape (7, 6) = (D, C)"]),
        ("log_marginal", by_torch_matmul, ["`x` has shape (3, 7) = (B, D) and `logits` has shape (6, 7) = (C, D)", "`logits.T`"]),
        ("log_marginal", by_log_prob, ["(3, 7) = (B, D)", "its distribution has shape (6, 7) = (C, D)", "with [:, None] has shape (3, 1, 7)"]),
        ("log_marginal", pixels_not_summed, ["`log_p` has shape (3, 6, 7) = (B, C, D)", "Or is `log_p` still to be summed over its last axis, of size D?"]),
        ("raw_log_likelihood", scales_not_summed, ["`log_p` has shape (3,) = (B,)", "(4,) = (M,)"]),
        ("training_step", lost_loss, ["return loss.item()", "backward(), step() and zero_grad() return nothing"]),
        ("log_mean_exp", misspelt, ["return largets + largest", "Did you mean largest?"]),
        ("log_mean_exp", lambda w, d: w.logsumexps(d), ["Did you mean logsumexp?"]),
        ("log_mean_exp", lambda w, d: torch.softplus(w), ["`torch.nn.functional.softplus`"]),
        ("log_mean_exp", lambda w, d: torch.logsumexp(w, d) - torch.log(w.shape[d]), ["math.log"]),
        ("log_mean_exp", lambda w, d: (w - w.max(d)).exp(), ["take .values, or use amax"]),
        ("log_mean_exp", lambda w, d: w if w > 0 else -w, ["torch.where"]),
        ("log_mean_exp", lambda w: w, ["with all its arguments"]),
        ("log_mean_exp", lambda w, d: w.exp().mean(), ["It is a single number"]),
        ("gaussian_kl", lambda mu, v: torch.distributions.Normal(mu, v).entropy(), ["A scale must be positive"]),
        ("gaussian_kl", lambda mu, v: mu @ torch.ones(4), ["single precision", "dtype=x.dtype"]),
        ("table_log_likelihood", lambda x, c, loc, s, logits: logits[:, c], ["placed crosswise"]),
        ("log_likelihood", lambda x, p: -2.302585092994046 * (x * p.log10() + (1 - x) * (1 - p).log10()).sum(-1), ["minus the log-likelihood"]),
        ("log_likelihood", lambda x, p: (x * p.log10() + (1 - x) * (1 - p).log10()).sum(-1), ["base 10 instead of e"]),
    ],
)  # fmt: skip
def test_the_commonest_mistakes_of_beginners_are_explained(name, answer, words):
    report = check(name, answer)
    assert not report.passed
    for word in words:
        assert word in report.diagnosis, report.diagnosis


def test_letters_are_read_from_the_docstring_and_an_ambiguous_size_has_none():
    stub = 'def f(x, logits, n_samples):\n    """x (B, D) of zeros, logits (C, D), scales and more (M,) -> (B, C)."""\n    ...'
    assert letters(stub, {"x": torch.zeros(3, 7), "logits": torch.zeros(6, 7), "n_samples": 5}) == {3: "B", 7: "D", 6: "C", 5: "N"}
    assert letters(stub, {"x": torch.zeros(3, 7), "logits": torch.zeros(3, 7)}) == {7: "D"}
