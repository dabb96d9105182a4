"""Exercises and quiz of notebook 05, "Where should we look for z?"."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Independent

from vaecourse.distributions import diagonal_normal
from vaecourse.exercises import Question
from vaecourse.exercises.engine import (
    Answer,
    Exercise,
    Mistake,
    Odd,
    Probe,
    Seen,
    Sight,
    as_seen,
    call,
    draws,
    gradient,
    normal,
    statistics,
)
from vaecourse.logspace import log_mean_exp

# A model whose p(x) and p(z|x) are known: pixel k is N(a_k z_k, 0.5^2) for the four latents, and N(0, 0.5^2) beyond.
SLOPES = torch.tensor([1.5, -0.8, 0.6, 1.0], dtype=torch.float64)
VARIANCE = 0.25


def log_joint(x: Tensor, z: Tensor) -> Tensor:
    """log p(x|z) + log p(z), for x (..., 7) and z (..., 4)."""
    x, z = torch.as_tensor(x).double(), torch.as_tensor(z).double()
    error = x - torch.nn.functional.pad(SLOPES * z, (0, 3))
    log_2pi = math.log(2 * math.pi)
    return -0.5 * (error.square() / VARIANCE + log_2pi + math.log(VARIANCE)).sum(-1) - 0.5 * (z.square() + log_2pi).sum(-1)


def posterior(x: Tensor, shift: float = 0.0, wider: Tensor | float = 1.0) -> Independent:
    """p(z|x); or, spoilt, that moved by `shift` and made `wider` times as wide."""
    precision = 1 + SLOPES.square() / VARIANCE
    log_var = (-precision.log() + 2 * torch.as_tensor(wider, dtype=torch.float64).log()).expand(len(x), 4)
    return diagonal_normal(SLOPES * x[:, :4] / VARIANCE / precision + shift / precision.sqrt(), log_var)


def observed() -> Tensor:
    return 1.5 * normal(3, 7, seed=1)


def with_posterior() -> tuple:
    return observed(), posterior(observed()), 5, log_joint


def with_wide_q(n_samples: int) -> tuple:
    wider = torch.tensor([[1.9, 2.1, 2.0, 1.8], [2.0, 1.9, 2.2, 2.0], [2.1, 2.0, 1.8, 2.1]], dtype=torch.float64)
    return observed(), posterior(observed(), 0.3, wider), n_samples, log_joint


def far_down() -> tuple:
    """log p(x) near -10,000, of its own height for each image, by pixels that no latent can explain."""
    x = observed()
    x[:, 6] = torch.tensor([67.0, 71.0, 100.0], dtype=torch.float64)
    return x, posterior(x), 5, log_joint


class _Noting:
    """log_joint, which notes the different z of each image. The z of one place counts e^20 times as much."""

    def __init__(self, marked: int) -> None:
        self.marked = marked
        self.given: dict[float, dict[tuple[float, ...], int]] = {}

    def __len__(self) -> int:
        return max(map(len, self.given.values()), default=0)

    def __call__(self, x: Tensor, z: Tensor) -> Tensor:
        found = log_joint(x, z)
        image = torch.as_tensor(x).double()[..., 0].expand(found.shape).flatten().tolist()  # its first pixel tells it from the others
        draws_of = [self.given.setdefault(pixel, {}) for pixel in image]
        every = torch.as_tensor(z).detach().double().expand(*found.shape, 4).reshape(-1, 4).tolist()
        places = [given.setdefault(tuple(one), len(given)) for given, one in zip(draws_of, every)]
        return found + 20.0 * (torch.tensor(places) == self.marked).reshape(found.shape)


def _counted(answer: Answer) -> dict[str, Sight]:
    """Whether an estimate is made of n_samples different z. q is the posterior, so that all weights are equal."""

    def marked(place: int) -> tuple[tuple, _Noting]:
        noting = _Noting(place)
        return (observed(), posterior(observed()), 5, noting), noting

    return draws(5, 3, marked, answer)[0]


def _measure(results: list[Any]) -> dict[str, Sight]:
    """The mean over the calls, with its standard error."""
    seen = [as_seen(result) for result in results]
    for sight in seen:
        if isinstance(sight, Odd):
            return {"value": sight}
        if sight.value.shape != seen[0].value.shape:
            return {"value": Odd("Its results have another shape at every call.", "shapes")}
    values = torch.stack([sight.value for sight in seen])
    error = values.std(0) / math.sqrt(len(values))
    return {"value": Seen(values.mean(0), all(sight.double for sight in seen), error)}


def _measure_exact(results: list[Any]) -> dict[str, Sight]:
    """The same, where a right answer gives the same at every call, up to single precision."""
    seen = _measure(results)
    if isinstance(seen["value"], Seen) and bool((seen["value"].error * math.sqrt(len(results)) > 0.01).any()):
        seen["calls"] = Odd(
            "With q the posterior every weight equals p(x), and every call should give the same number. Its results differ from call to call.",
            "random",
        )
    return seen


def _measure_scatter(results: list[Any]) -> dict[str, Sight]:
    """The same, where a right answer differs from call to call, and does not differ much."""
    seen = _measure(results)
    if isinstance(seen["value"], Seen) and bool(seen["value"].value.isfinite().all()):
        scatter = seen["value"].error * math.sqrt(len(results))
        if bool((scatter == 0).all()):
            seen["calls"] = Odd(
                "Every call gave the same numbers. Is a seed set inside the function? Each call should take new samples.", "same"
            )
        elif float(scatter.median()) > 1.5:
            seen["calls"] = Odd(
                "From call to call its results scatter by nats, as those of a single sample would. Does it take n_samples samples and average their weights?",
                "scatter",
            )
    return seen


def importance_estimate(x, q, n_samples, log_joint):
    z = q.sample((n_samples,))
    return log_mean_exp(log_joint(x, z) - q.log_prob(z), 0)


def _log_w(x, q, n_samples, log_joint):
    z = q.sample((n_samples,))
    return log_joint(x, z) - q.log_prob(z)


def _log_prior(z: Tensor) -> Tensor:
    return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)


def _terms(answer: Callable[[Tensor, Tensor], Tensor], from_prior: bool = False) -> Callable:
    """A wrong estimate, from what it makes of log_joint(x, z) and of q at the same samples z."""

    def wrong(x, q, n_samples, log_joint):
        z = q.sample((n_samples,))
        z = torch.randn_like(z) if from_prior else z
        return answer(log_joint(x, z), q, z)

    return wrong


def _self_weighted(log_w: Tensor) -> Tensor:
    return (torch.softmax(log_w, 0) * log_w).sum(0)


IMPORTANCE_ESTIMATE = Exercise(
    name="importance_estimate",
    statement=(
        "Write `importance_estimate(x, q, n_samples, log_joint)`: the logarithm of the average importance weight (5.2), which estimates $\\log p(x)$, for each image. "
        "`q` holds one proposal for each image: `q.sample((S,))` has shape (S, B, K). "
        "`log_joint(x, z)` gives $\\log p(x \\mid z) + \\log p(z)$. The result must be right where $\\log p(x)$ is near −10,000."
    ),
    stub='''def importance_estimate(x, q, n_samples, log_joint):
    """x (B, D), q of batch (B,) and event (K,), log_joint: (x, z (S, B, K)) -> (S, B); an estimate of log p(x), (B,), in nats."""
    ...''',
    hints=(
        "Sample from q and correct for it: every sample gets a weight, and the weights are averaged. Keep to their logarithms until the end.",
        "(5.2): log w = log p(x, z) − log q(z). The estimate is log mean exp of log w over the samples, as in notebook 04.",
        "`z = q.sample((n_samples,))`",
    ),
    reference=importance_estimate,
    axes="one number for each image",
    probes=(
        statistics("q the posterior, where every weight equals p(x)", with_posterior, _measure_exact, 20),
        Probe("a log_joint that notes each z", _counted),
        statistics("a q that is too wide", lambda: with_wide_q(200), _measure_scatter, 24),
        statistics("a single sample, n_samples = 1", lambda: with_wide_q(1), _measure, 200),
        statistics("log p(x) near -10,000", far_down, _measure, 5),
    ),
    mistakes=(
        Mistake(
            "log q(z) is missing: this averages the joint over q. Places that q samples often must count for less, so undo the sampling density.",
            _terms(lambda joint, q, z: log_mean_exp(joint, 0)),
            "q-missing",
        ),
        Mistake(
            "log q(z) has been added. The weight is divided by q(z): subtract its logarithm.",
            _terms(lambda joint, q, z: log_mean_exp(joint + q.log_prob(z), 0)),
            "q-added",
        ),
        Mistake(
            "This is the mean of the log-weights: a lower bound (Jensen), which notebook 06 will use. Average the weights first, then take the logarithm.",
            lambda *given: _log_w(*given).mean(0),
            "mean-of-logarithms",
        ),
        Mistake(
            "This is the log of the sum of the weights, too high by log S. The estimate is their mean.",
            lambda *given: torch.logsumexp(_log_w(*given), 0),
            "log-of-sum",
        ),
        Mistake(
            "log S has been added to the log of the sum. A mean is the sum divided by S: subtract it.",
            lambda *given: torch.logsumexp(_log_w(*given), 0) + math.log(given[2]),
            "log-s-added",
        ),
        Mistake(
            "The logarithm of S has base 10. Everything here is in nats: subtract the natural logarithm, math.log.",
            lambda *given: torch.logsumexp(_log_w(*given), 0) - math.log10(given[2]),
            "base-ten",
        ),
        Mistake(
            "The sum of the log-weights: that is the logarithm of their product. Weights are averaged.",
            lambda *given: _log_w(*given).sum(0),
            "logarithms-summed",
        ),
        Mistake(
            "The prior counts twice: log_joint contains log p(z) already.",
            _terms(lambda joint, q, z: log_mean_exp(joint + _log_prior(z) - q.log_prob(z), 0)),
            "prior-twice",
        ),
        Mistake(
            "log p(z) has been taken off: what is left is the average of p(x|z)/q(z), an integral over all z without the prior. The joint goes in whole.",
            _terms(lambda joint, q, z: log_mean_exp(joint - _log_prior(z) - q.log_prob(z), 0)),
            "prior-removed",
        ),
        Mistake(
            "The weights are right as long as exp does not underflow: near −10,000 every weight is 0, and log 0 is −inf. Stay in log space: log_mean_exp.",
            lambda *given: _log_w(*given).exp().mean(0).log(),
            "underflow",
        ),
        Mistake(
            "z is sampled from the standard normal prior, but weighted as if it came from q. The samples must come from the q that stands in the weight.",
            _terms(lambda joint, q, z: log_mean_exp(joint - q.log_prob(z), 0), from_prior=True),
            "sampled-from-prior",
        ),
        Mistake(
            "z is sampled from the standard normal prior, and q is not used. This is right on average, but few of those samples count. Sample from q, and divide by its density.",
            _terms(lambda joint, q, z: log_mean_exp(joint - _log_prior(z), 0), from_prior=True),
            "prior-as-proposal",
        ),
        Mistake(
            "z is sampled from the standard normal prior, and the joint is averaged: the prior counts twice, and q not at all.",
            _terms(lambda joint, q, z: log_mean_exp(joint, 0), from_prior=True),
            "joint-over-prior",
        ),
        Mistake(
            "Numerator and denominator of the weights are exchanged: this averages q(z)/p(x, z).",
            lambda *given: log_mean_exp(-_log_w(*given), 0),
            "ratio-upside-down",
        ),
        Mistake(
            "This is minus the estimate, a loss. The exercise asks for log p(x) itself.",
            lambda *given: -importance_estimate(*given),
            "sign",
        ),
        Mistake(
            "This is the average weight, an estimate of p(x). The exercise asks for its logarithm, because for real images p(x) underflows to 0.",
            lambda *given: importance_estimate(*given).exp(),
            "no-logarithm",
        ),
        Mistake(
            "The log-weights are averaged with the normalised weights. That exceeds log p(x) in general; average the weights, then take the logarithm.",
            lambda *given: _self_weighted(_log_w(*given)),
            "weighted-logarithms",
        ),
        Mistake(
            "This is the largest log-weight alone. The others count too.",
            lambda *given: _log_w(*given).amax(0),
            "largest-weight",
        ),
        Mistake(
            "The joint and q are averaged separately, and the averages divided. Take the ratio sample by sample, then average.",
            _terms(lambda joint, q, z: log_mean_exp(joint, 0) - log_mean_exp(q.log_prob(z), 0)),
            "averages-divided",
        ),
        Mistake(
            "log_joint and log q were evaluated at different samples. Both belong to the same z: sample it once, and keep it.",
            _terms(lambda joint, q, z: log_mean_exp(joint - q.log_prob(q.sample((len(z),))), 0)),
            "samples-drawn-twice",
        ),
        Mistake(
            "log q(z) has not been summed over the latents: this is one number a latent. z is one event of q, and its density one number.",
            _terms(lambda joint, q, z: log_mean_exp(joint[..., None] - q.base_dist.log_prob(z), 0)),
            "q-a-latent",
        ),
        Mistake(
            "log q(z) is averaged over the latents. Independent latents add their log-densities.",
            _terms(lambda joint, q, z: log_mean_exp(joint - q.base_dist.log_prob(z).mean(-1), 0)),
            "q-averaged-over-latents",
        ),
        Mistake(
            "The average runs over the images, the second axis. Average over the samples, the first axis: every image has its own p(x).",
            lambda *given: log_mean_exp(_log_w(*given), 1),
            "mean-over-images",
        ),
        Mistake(
            "This is one number for the whole batch. Average over the samples, the first axis, only.",
            lambda *given: log_mean_exp(_log_w(*given).flatten(), 0),
            "one-number",
        ),
        Mistake(
            "The samples have not been averaged: these are the log-weights, one for each sample and image.",
            _log_w,
            "not-averaged",
        ),
        Mistake(
            "A single sample is taken, whatever n_samples says. Take n_samples of them, q.sample((n_samples,)), and average their weights.",
            lambda x, q, n_samples, log_joint: importance_estimate(x, q, 1, log_joint),
            "one-sample",
        ),
        Mistake(
            "n_samples is not used: the function takes another, large number of samples. Take exactly n_samples.",
            lambda x, q, n_samples, log_joint: importance_estimate(x, q, 100, log_joint),
            "n-samples-not-used",
        ),
    ),
)


def self_normalised(f, log_w):
    return (torch.softmax(log_w, 0) * f).sum(0)


def ordinary_values() -> tuple[Tensor, Tensor]:
    return 2 + 3 * normal(5, 3, seed=3), 1.5 * normal(5, 3, seed=4) - 1


def low_values() -> tuple[Tensor, Tensor]:
    """Log-weights near -10,000, each image at its own height, and one much lower than the others."""
    height = torch.tensor([9_000.0, 10_000.0, 20_000.0], dtype=torch.float64)
    return 2 + 3 * normal(5, 3, seed=5), (16 * normal(5, 3, seed=6)).round() / 8 - height


def high_values() -> tuple[Tensor, Tensor]:
    height = torch.tensor([900.0, 1_000.0, 5_000.0], dtype=torch.float64)
    return 2 + 3 * normal(5, 3, seed=7), (16 * normal(5, 3, seed=8)).round() / 8 + height


SELF_NORMALISED = Exercise(
    name="self_normalised",
    statement=(
        "Write `self_normalised(f, log_w)`: the self-normalised estimate (5.9) of the posterior average $\\mathbb{E}_{z \\sim p(z \\mid x)}[f(z)]$, for each image. "
        "`f` holds $f(z_s)$ and `log_w` the log-weights of the same samples. "
        "The result must be right for log-weights near −10,000."
    ),
    stub='''def self_normalised(f, log_w):
    """f (S, B), log_w (S, B) -> the average of f under the posterior of each image, (B,)."""
    ...''',
    hints=(
        "Each sample gets a share of the total weight, and the shares of one image sum to 1. A factor common to all weights of an image cancels.",
        "(5.9): Σ_s w̃_s f(z_s), with w̃_s = w_s / Σ_t w_t.",
        "`share = torch.softmax(log_w, …)`: along which axis?",
    ),
    reference=self_normalised,
    axes="one number for each image",
    probes=(
        call("ordinary weights", ordinary_values),
        call("log-weights near -10,000", low_values),
        call("log-weights near 1,000", high_values),
        gradient("the gradient", ordinary_values, {0: "f", 1: "log_w"}),
    ),
    mistakes=(
        Mistake(
            "This is the plain mean of f: it averages under q. The weights turn it into an average under the posterior.",
            lambda f, log_w: f.mean(0),
            "plain-mean",
        ),
        Mistake(
            "The weights are not normalised: this is the mean of w f, which still contains the factor p(x). Divide by the mean of the weights.",
            lambda f, log_w: (log_w.exp() * f).mean(0),
            "not-normalised-mean",
        ),
        Mistake(
            "The weights are not normalised: this is the sum of w f. Divide by the sum of the weights.",
            lambda f, log_w: (log_w.exp() * f).sum(0),
            "not-normalised-sum",
        ),
        Mistake(
            "The shares are taken over the images, the second axis. The shares of one image, over its samples, must sum to 1.",
            lambda f, log_w: (torch.softmax(log_w, 1) * f).sum(0),
            "shares-over-images",
        ),
        Mistake(
            "Shares and sum both run over the images, the second axis. Samples are the first.",
            lambda f, log_w: (torch.softmax(log_w, 1) * f).sum(1),
            "both-over-images",
        ),
        Mistake(
            "The shares are right, and summed over the images. Sum over the samples, the first axis.",
            lambda f, log_w: (torch.softmax(log_w, 0) * f).sum(1),
            "sum-over-images",
        ),
        Mistake(
            "The exponentials are taken as they stand: near −10,000 every weight is 0, and the ratio is 0/0. A common factor cancels; softmax makes use of that.",
            lambda f, log_w: (log_w.exp() * f).sum(0) / log_w.exp().sum(0),
            "underflow",
        ),
        Mistake(
            "The shares sum to 1 already, and their sum was divided by S once more: sum, do not average.",
            lambda f, log_w: (torch.softmax(log_w, 0) * f).mean(0),
            "divided-twice",
        ),
        Mistake(
            "The logarithms of the weights were used as weights. Exponentiate first: softmax does it without underflow.",
            lambda f, log_w: (log_w * f).sum(0) / log_w.sum(0),
            "logarithms-as-weights",
        ),
        Mistake(
            "This is f at the sample with the largest weight alone. The others count too, by their share.",
            lambda f, log_w: f.gather(0, log_w.argmax(0, keepdim=True))[0],
            "largest-weight",
        ),
        Mistake(
            "f has been exponentiated with the weights: this is the logarithm of the posterior average of exp(f).",
            lambda f, log_w: torch.logsumexp(f + log_w, 0) - torch.logsumexp(log_w, 0),
            "log-mean-exp",
        ),
        Mistake(
            "The shares are taken over samples and images together. Each image needs shares of its own that sum to 1.",
            lambda f, log_w: (torch.softmax(log_w.flatten(), 0).reshape(log_w.shape) * f).sum(0),
            "shares-over-everything",
        ),
        Mistake(
            "This is one number for the whole batch, with shares over samples and images together. Every image needs its own.",
            lambda f, log_w: (torch.softmax(log_w.flatten(), 0) * f.flatten()).sum(),
            "one-number-shares-over-everything",
        ),
        Mistake(
            "This is one number for the whole batch, a sum over its images. Sum over the samples only.",
            lambda f, log_w: self_normalised(f, log_w).sum(),
            "one-number",
        ),
        Mistake(
            "This is one number for the whole batch, a mean over its images. Sum over the samples only.",
            lambda f, log_w: self_normalised(f, log_w).mean(),
            "one-mean",
        ),
        Mistake(
            "One maximum was used for all images: in one that lies far below the others every weight is 0, and the ratio 0/0. Each image needs a maximum of its own.",
            lambda f, log_w: ((w := (log_w - log_w.max()).exp()) * f).sum(0) / w.sum(0),
            "one-maximum",
        ),
        Mistake(
            "A small number has been added to the sum of the weights. Far below it every average becomes 0: take a common factor out instead.",
            lambda f, log_w: (log_w.exp() * f).sum(0) / (log_w.exp().sum(0) + 1e-8),
            "small-number-added",
        ),
        Mistake(
            "The samples have not been summed: these are the terms, one for each sample and image.",
            lambda f, log_w: torch.softmax(log_w, 0) * f,
            "not-summed",
        ),
        Mistake(
            "The weights are divided by the largest of them, and not yet by their sum: they do not sum to 1.",
            lambda f, log_w: ((log_w - log_w.amax(0)).exp() * f).sum(0),
            "divided-by-largest",
        ),
        Mistake(
            "The sign of log_w is reversed: the samples with the smallest weights count most.",
            lambda f, log_w: self_normalised(f, -log_w),
            "sign-of-log-weights",
        ),
        Mistake(
            "These are logarithms of the shares, not the shares: log_softmax in place of softmax.",
            lambda f, log_w: (torch.log_softmax(log_w, 0) * f).sum(0),
            "log-softmax",
        ),
        Mistake(
            "f and log_w have changed places: the shares come from log_w, and f is what is averaged.",
            lambda f, log_w: self_normalised(log_w, f),
            "arguments-swapped",
        ),
        Mistake(
            "The weights have been squared. Each sample counts by its weight.",
            lambda f, log_w: self_normalised(f, 2 * log_w),
            "weights-squared",
        ),
    ),
)

EXERCISES = (IMPORTANCE_ESTIMATE, SELF_NORMALISED)

QUIZ = (
    Question(
        "q is zero on a part of the plane that holds half of the posterior. What does the average of the weights tend to, with more and more samples?",
        (
            (
                "p(x): the weights correct for the choice of q.",
                "They correct for how often a place is sampled, but this part is never sampled at all.",
            ),
            ("Half of p(x).", "(5.3): p(x) times the share of the posterior where q is not zero. No single weight shows it."),
            (
                "Infinity.",
                "The average tends to the integral of p(x, z) over the other part, which is less than p(x). The missing part contributes nothing.",
            ),
        ),
        1,
    ),
    Question(
        "The posterior itself is the proposal. How many samples give p(x) exactly?",
        (
            ("One.", "Every weight is p(x, z) / p(z|x) = p(x), whatever z is. But to evaluate this q you need p(x)."),
            ("About a thousand.", "There is no scatter to average away: every weight is the same number."),
            ("No finite number.", "That is so for other proposals in general. Here z cancels in the weight."),
        ),
        0,
    ),
    Question(
        "The posterior is normal, in one dimension. You are not sure how wide to make a normal q. On which side is it safer to err, and why?",
        (
            (
                "Narrow, because all of its samples count.",
                "They seem to. What they miss lies in the tails, and the variance of the weights may be infinite.",
            ),
            ("It does not matter, because only the mean counts.", "By (5.8) the width matters as well, and the two sides are not alike."),
            (
                "Wide: it costs samples, but with enough of them the error bars hold.",
                "Ten times too wide costs about seven times the samples, and the error bars hold once N is well above 1 + χ². Too narrow may have infinite variance, whatever N is.",
            ),
        ),
        2,
    ),
    Question(
        "Your effective sample size is 900 of 1,000. What may still be wrong?",
        (
            (
                "Nothing, because nine samples of ten count.",
                "The effective sample size says how even the weights at hand are. It contains nothing about places that were not sampled.",
            ),
            (
                "q may have missed a mode of the posterior.",
                "Then the weights are even and the estimate is too low, by about minus the log of the share that q covers, as for digit #76.",
            ),
            ("A single weight may dominate all the others.", "That would show: the effective sample size would be near 1."),
        ),
        1,
    ),
    Question(
        "Which of the two is biased for a finite number of samples: the average weight as an estimate of p(x), or the self-normalised average of f?",
        (
            ("Only the self-normalised average.", "It is a ratio of two averages over the same samples, which is in general biased."),
            (
                "Only the average weight.",
                "It is a plain average of terms with mean p(x), so it is unbiased for every N. Its logarithm is not.",
            ),
            ("Both of them.", "The average weight is unbiased. Its logarithm is biased, and so is a ratio."),
            ("Neither of them.", "Both are consistent, but a ratio of two unbiased estimates is in general biased."),
        ),
        0,
    ),
)
