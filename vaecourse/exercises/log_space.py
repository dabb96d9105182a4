"""Exercises and quiz of notebook 04, "How do we average numbers that are too small to store?"."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vaecourse.distributions import bernoulli
from vaecourse.exercises import Question
from vaecourse.exercises.engine import Exercise, Mistake, call, coins, gradient, normal
from vaecourse.logspace import effective_sample_size, log_mean_exp


def log_likelihood_from_logits(x, logits):
    return bernoulli(logits).log_prob(x)


def ordinary_logits() -> tuple[Tensor, Tensor]:
    return coins(3, 7, seed=1), 2 * normal(3, 7, seed=2)


def extreme_logits() -> tuple[Tensor, Tensor]:
    x, logits = coins(3, 7, seed=3), 1000 * (2 * coins(3, 7, seed=4) - 1)
    logits[:, ::3] = 2 * normal(3, 3, seed=5)
    return x, logits


def right_logits() -> tuple[Tensor, Tensor]:
    """Every pixel as it is all but sure to be: the log-likelihood is 0 to the last digit, not -1e-7."""
    x = coins(3, 7, seed=6)
    return x, 1000 * (2 * x - 1)


LOG_LIKELIHOOD = Exercise(
    name="log_likelihood_from_logits",
    statement=(
        "Write `log_likelihood_from_logits(x, logits)`: the log-likelihood of each image, in nats, when pixel $j$ is 1 with probability "
        "sigmoid(logit $j$), independently of the others. `x` holds zeros and ones, shape (B, D); `logits` has shape (B, D); the result has "
        "shape (B,). It must be right for logits of 1000 and of −1000 as well."
    ),
    stub='''def log_likelihood_from_logits(x, logits):
    """x (B, D) of zeros and ones, logits (B, D) -> log p(x) of each image, (B,), in nats."""
    ...''',
    hints=(
        "If you compute the probability of a pixel, a logit of 1000 makes it exactly 0 or 1, and its logarithm is lost. Stay with the logits.",
        "log p(x) = Σ_j [ x_j · logit_j − softplus(logit_j) ], with softplus(a) = log(1 + exp(a)), which torch has as a stable function.",
        "`return (x * logits - torch.nn.functional.softplus(logits))…`: one operation is missing, over the pixels.",
    ),
    reference=log_likelihood_from_logits,
    axes="one number for each image",
    probes=(
        call("ordinary logits", ordinary_logits),
        call("logits of 1000 and -1000", extreme_logits),
        call("logits of 1000 where the pixel is 1 and -1000 where it is 0", right_logits),
        gradient("the gradient at ordinary logits", ordinary_logits, {1: "logits"}),
        gradient("the gradient at logits of 1000 and -1000", extreme_logits, {1: "logits"}),
    ),
    mistakes=(
        Mistake(
            "This is the mean over the pixels. Independent pixels multiply their probabilities, so their logarithms are added: sum them.",
            lambda x, logits: bernoulli(logits).base_dist.log_prob(x).mean(-1),
            "mean-over-pixels",
        ),
        Mistake(
            "This is minus the log-likelihood, as a loss would be. Asked for is the log-likelihood itself, which is never above 0 here.",
            lambda x, logits: -bernoulli(logits).log_prob(x),
            "sign",
        ),
        Mistake(
            "Only the pixels that are 1 are counted. A pixel that is 0 has a probability too, 1 − sigmoid(logit), and its logarithm belongs to the sum.",
            lambda x, logits: (x * F.logsigmoid(logits)).sum(-1),
            "ink-alone",
        ),
        Mistake(
            "Only the pixels that are 0 are counted. A pixel that is 1 has probability sigmoid(logit), and its logarithm belongs to the sum.",
            lambda x, logits: ((1 - x) * F.logsigmoid(-logits)).sum(-1),
            "paper-alone",
        ),
        Mistake(
            "This is one number for the whole batch. Sum over the pixels only, the last axis, and keep one number for each image.",
            lambda x, logits: bernoulli(logits).log_prob(x).sum(),
            "one-number",
        ),
        Mistake(
            "This is one number for the whole batch, a mean over its images. Sum over the pixels only, and keep one number for each image.",
            lambda x, logits: bernoulli(logits).log_prob(x).mean(),
            "one-mean",
        ),
        Mistake(
            "This sums over the images and keeps the pixels. Sum over the last axis, the pixels of one image.",
            lambda x, logits: bernoulli(logits).base_dist.log_prob(x).sum(0),
            "sum-over-images",
        ),
        Mistake(
            "The pixels have not been summed: this is one number a pixel. Independent pixels add their log-probabilities.",
            lambda x, logits: bernoulli(logits).base_dist.log_prob(x),
            "not-summed",
        ),
        Mistake(
            "The sigmoid has been applied twice: the logits became probabilities, and these were taken for logits again. All probabilities then lie between 0.5 and 0.73.",
            lambda x, logits: bernoulli(torch.sigmoid(logits)).log_prob(x),
            "sigmoid-twice",
        ),
        Mistake(
            "The logits are used as if they were probabilities. sigmoid(logit) is the probability of a 1; better, use a form that never leaves the logits.",
            lambda x, logits: (x * logits.log() + (1 - x) * (1 - logits).log()).sum(-1),
            "logits-as-probabilities",
        ),
        Mistake(
            "The formula is right, and sigmoid(−1000) is exactly 0, so its logarithm is −inf, and 0 · (−inf) is NaN. Use a form that never leaves the logits.",
            lambda x, logits: (x * torch.sigmoid(logits).log() + (1 - x) * (1 - torch.sigmoid(logits)).log()).sum(-1),
            "zero-times-inf",
        ),
        Mistake(
            "binary_cross_entropy of the probabilities limits what one pixel can cost to 100 nats, without a warning. binary_cross_entropy_with_logits does not.",
            lambda x, logits: -F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="none").sum(-1),
            "limited-to-100-nats",
        ),
        Mistake(
            "Bernoulli(probs=…) moves probabilities of 0 and 1 inwards without a warning, and a wrong pixel then costs at most 36 nats (16 in single precision), however large its logit is. Give it the logits.",
            lambda x, logits: torch.distributions.Bernoulli(torch.sigmoid(logits)).log_prob(x).sum(-1),
            "probabilities-moved-inwards",
        ),
        Mistake(
            "A small number has been added inside the logarithm against log 0. It changes the model: an impossible pixel costs log(1e-8), not 1000 nats. Use a form that never leaves the logits.",
            lambda x, logits: (x * (torch.sigmoid(logits) + 1e-8).log() + (1 - x) * (1 - torch.sigmoid(logits) + 1e-8).log()).sum(-1),
            "small-number-added",
        ),
        Mistake(
            "The probability has been clamped away from 0 and 1. That caps what a wrong pixel costs, and its gradient is zero: the model cannot learn from its worst pixels. Use a form that never leaves the logits.",
            lambda x, logits: bernoulli(torch.logit(torch.sigmoid(logits).clamp(1e-6, 1 - 1e-6))).log_prob(x),
            "clamped",
        ),
        Mistake(
            "The linear term is missing, or softplus stands alone: this is the log-probability that every pixel is 0, whatever x holds.",
            lambda x, logits: -F.softplus(logits).sum(-1),
            "linear-term-missing",
        ),
        Mistake(
            "softplus(−logit) stands where softplus(logit) should.",
            lambda x, logits: (x * logits - F.softplus(-logits)).sum(-1),
            "softplus-of-minus",
        ),
        Mistake(
            "softplus has been added. It is log(1 + exp(logit)), by which the exponential is divided: subtract it.",
            lambda x, logits: (x * logits + F.softplus(logits)).sum(-1),
            "softplus-added",
        ),
        Mistake(
            "1 − log σ stands where log(1 − σ) should: take the difference first, and then the logarithm, which is logsigmoid(−logit).",
            lambda x, logits: (x * F.logsigmoid(logits) + (1 - x) * (1 - F.logsigmoid(logits))).sum(-1),
            "one-minus-logarithm",
        ),
        Mistake(
            "x and logits have changed places: binary_cross_entropy_with_logits takes the logits first, and x second.",
            lambda x, logits: (x * logits - F.softplus(x)).sum(-1),
            "arguments-swapped",
        ),
        Mistake(
            "This is minus the mean over all pixels of the batch, a loss. Sum over the pixels of each image, without the minus, and keep one number for each.",
            lambda x, logits: -bernoulli(logits).base_dist.log_prob(x).mean(),
            "mean-loss",
        ),
        Mistake(
            "Zeros and ones have changed places: this is the log-likelihood of 1 − x.",
            lambda x, logits: bernoulli(logits).log_prob(1 - x),
            "ink-and-paper-swapped",
        ),
        Mistake(
            "log(1 + exp(logit)) was computed as it stands: exp(1000) is inf. torch.nn.functional.softplus gives the same without the overflow.",
            lambda x, logits: (x * logits - (1 + logits.exp()).log()).sum(-1),
            "overflow",
        ),
    ),
)


def ordinary_weights() -> tuple[Tensor, int]:
    return 2 * normal(5, 3, seed=7), 0


def other_axis() -> tuple[Tensor, int]:
    return 2 * normal(5, 3, seed=8), 1


def far_down() -> tuple[Tensor, int]:
    """Near -10,000, each row at its own height, and one row much lower than the others."""
    return 3 * normal(3, 5, seed=9) - torch.tensor([[9_000.0], [10_000.0], [20_000.0]], dtype=torch.float64), 1


def far_up() -> tuple[Tensor, int]:
    return 3 * normal(3, 5, seed=10) + torch.tensor([[900.0], [1_000.0], [5_000.0]], dtype=torch.float64), -1


def far_apart() -> tuple[Tensor, int]:
    return torch.tensor([0.0, -4000.0, -9000.0, -6000.0, -1.0], dtype=torch.float64) + 3 * normal(3, 5, seed=11), 1


def _naive(log_w: Tensor, dim: int) -> Tensor:
    return log_w.exp().mean(dim).log()


LOG_MEAN_EXP = Exercise(
    name="log_mean_exp",
    statement=(
        "Write `log_mean_exp(log_w, dim)`: the logarithm of the mean of $\\exp(\\text{log\\_w})$ along the axis `dim`, which disappears from the shape. "
        "It must be right for log-weights near −10,000 and for a row that lies far below the others."
    ),
    stub='''def log_mean_exp(log_w, dim):
    """log_w of any shape -> log of the mean of exp(log_w) along dim, in nats; dim is gone from the shape."""
    ...''',
    hints=(
        "exp(−10,000) is 0 in every format. Take out of the sum what makes its terms so small, before anything is exponentiated.",
        "With m the largest entry along dim: log mean exp(a) = m + log Σ exp(a − m) − log N, N the number of entries along dim.",
        "`m = log_w.amax(dim, keepdim=True)`, or begin with `torch.logsumexp(log_w, dim)`, which does the shift for you.",
    ),
    reference=log_mean_exp,
    axes="the axis dim gone",
    probes=(
        call("ordinary weights and dim = 0", ordinary_weights),
        call("ordinary weights and dim = 1", other_axis),
        call("log-weights near -10,000", far_down),
        call("log-weights near 1,000", far_up),
        call("log-weights that differ by thousands", far_apart),
        gradient("the gradient at log-weights near -10,000", far_down, {0: "log_w"}),
    ),
    mistakes=(
        Mistake(
            "The exponentials are taken as they stand: exp(−10,000) is 0, and exp(1,000) is inf. Take the maximum out of the sum first, and add it back at the end.",
            _naive,
            "overflow",
        ),
        Mistake(
            "The mean of the log-weights was taken out of the sum. An entry far above that mean still overflows: exp(1,000) is inf. Take out the largest.",
            lambda log_w, dim: (m := log_w.mean(dim, keepdim=True)).squeeze(dim) + (log_w - m).exp().mean(dim).log(),
            "mean-taken-out",
        ),
        Mistake(
            "This is the log of the sum: it is too high by exactly log N. A mean divides by N, so subtract log N.",
            lambda log_w, dim: torch.logsumexp(log_w, dim),
            "log-of-sum",
        ),
        Mistake(
            "log N has been added. A mean is the sum divided by N: subtract it.",
            lambda log_w, dim: torch.logsumexp(log_w, dim) + math.log(log_w.shape[dim]),
            "log-n-added",
        ),
        Mistake(
            "The sum was divided by N after the logarithm. Divide before it, or subtract log N.",
            lambda log_w, dim: torch.logsumexp(log_w, dim) / log_w.shape[dim],
            "divided-after-logarithm",
        ),
        Mistake(
            "N was taken to be len(log_w), which is the size of the first axis. N is the number of entries along dim: log_w.shape[dim].",
            lambda log_w, dim: torch.logsumexp(log_w, dim) - math.log(len(log_w)),
            "n-of-first-axis",
        ),
        Mistake(
            "N was taken to be log_w.shape[-1], the size of the last axis. N is the number of entries along dim: log_w.shape[dim].",
            lambda log_w, dim: torch.logsumexp(log_w, dim) - math.log(log_w.shape[-1]),
            "n-of-last-axis",
        ),
        Mistake(
            "The logarithm of N has base 10. Everything here is in nats: subtract the natural logarithm, math.log.",
            lambda log_w, dim: torch.logsumexp(log_w, dim) - math.log10(log_w.shape[dim]),
            "base-ten",
        ),
        Mistake(
            "log N was taken from the number of all entries. N is the number of entries along dim.",
            lambda log_w, dim: torch.logsumexp(log_w, dim) - math.log(log_w.numel()),
            "n-of-all",
        ),
        Mistake(
            "This is the mean of the logarithms, which is a lower bound (Jensen), not the log of the mean.",
            lambda log_w, dim: log_w.mean(dim),
            "mean-of-logarithms",
        ),
        Mistake(
            "The maximum was taken out and not added back: the result is missing it.",
            lambda log_w, dim: log_mean_exp(log_w - log_w.amax(dim, keepdim=True), dim),
            "maximum-not-added-back",
        ),
        Mistake(
            "This is the largest entry alone. The others count too: m + log mean exp(log_w − m).",
            lambda log_w, dim: log_w.amax(dim),
            "largest-entry",
        ),
        Mistake(
            "One maximum was used for all rows: a row far below it has become log 0. Each row needs a maximum of its own, along dim, with keepdim=True.",
            lambda log_w, dim: _naive(log_w - log_w.max(), dim) + log_w.max(),
            "one-maximum",
        ),
        Mistake(
            "dim was not used: the mean always runs along the first axis.",
            lambda log_w, dim: log_mean_exp(log_w, 0),
            "first-axis",
        ),
        Mistake(
            "dim was not used: the mean always runs along the last axis.",
            lambda log_w, dim: log_mean_exp(log_w, -1),
            "last-axis",
        ),
        Mistake(
            "The axis is still there, with one entry: drop it (keepdim=False at the end).",
            lambda log_w, dim: log_mean_exp(log_w, dim).unsqueeze(dim),
            "axis-kept",
        ),
        Mistake(
            "This is the mean of the weights themselves, not its logarithm.",
            lambda log_w, dim: log_w.exp().mean(dim),
            "no-logarithm",
        ),
        Mistake(
            "This is one number for the whole array. The mean runs along dim only.",
            lambda log_w, dim: log_mean_exp(log_w.flatten(), 0),
            "one-number",
        ),
        Mistake(
            "A small number has been added inside the logarithm. Everything far below it now looks the same: take the maximum out instead.",
            lambda log_w, dim: (log_w.exp().mean(dim) + 1e-8).log(),
            "small-number-added",
        ),
    ),
)


def _log_ess(log_w: Tensor, dim: int) -> Tensor:
    return 2 * torch.logsumexp(log_w, dim) - torch.logsumexp(2 * log_w, dim)


EFFECTIVE_SAMPLE_SIZE = Exercise(
    name="effective_sample_size",
    statement=(
        "Write `effective_sample_size(log_w, dim)`: $(\\sum w)^2 / \\sum w^2$ along the axis `dim`, which disappears from the shape, from the logarithms "
        "of the weights. It lies between 1 and the number of weights. It must be right for log-weights near −10,000."
    ),
    stub='''def effective_sample_size(log_w, dim):
    """log_w of any shape -> (sum w)^2 / sum w^2 along dim; dim is gone from the shape."""
    ...''',
    hints=(
        "A factor common to all weights cancels in this ratio. You may choose it: which choice keeps exp from underflowing?",
        "With w̃ = w / Σ w, which softmax computes from log w without underflow: ESS = 1 / Σ w̃².",
        "`w = torch.softmax(log_w, dim)`",
    ),
    reference=effective_sample_size,
    axes="the axis dim gone",
    probes=(
        call("ordinary weights and dim = 0", ordinary_weights),
        call("ordinary weights and dim = 1", other_axis),
        call("log-weights near -10,000", far_down),
        call("log-weights near 1,000", far_up),
    ),
    mistakes=(
        Mistake(
            "The exponentials are taken as they stand, so that all weights near −10,000 are 0 and the ratio is 0/0. A common factor cancels: divide by the largest weight first, or use softmax.",
            lambda log_w, dim: log_w.exp().sum(dim).square() / log_w.exp().square().sum(dim),
            "underflow",
        ),
        Mistake(
            "The weights were not normalised: 1 / Σ w² needs weights that sum to 1.",
            lambda log_w, dim: 1 / log_w.exp().square().sum(dim),
            "not-normalised",
        ),
        Mistake(
            "This is Σ w̃², the inverse of what is asked: divide 1 by it.",
            lambda log_w, dim: torch.softmax(log_w, dim).square().sum(dim),
            "inverse",
        ),
        Mistake(
            "This is the exponential of the entropy of the weights, another measure of how many count. Asked for is (Σ w)² / Σ w².",
            lambda log_w, dim: torch.special.entr(torch.softmax(log_w, dim)).sum(dim).exp(),
            "entropy",
        ),
        Mistake(
            "This is the effective sample size as a share of N. Do not divide by N (or multiply by it again).",
            lambda log_w, dim: effective_sample_size(log_w, dim) / log_w.shape[dim],
            "share-of-n",
        ),
        Mistake(
            "This is its logarithm: exponentiate at the end.",
            _log_ess,
            "logarithm",
        ),
        Mistake(
            "The square of the sum is missing: this is Σ w / Σ w² with w the weights divided by their maximum, which is not free of scale.",
            lambda log_w, dim: (w := (log_w - log_w.amax(dim, keepdim=True)).exp()).sum(dim) / w.square().sum(dim),
            "square-missing",
        ),
        Mistake(
            "The weights are normalised along the first axis, and summed along dim. Both run along dim.",
            lambda log_w, dim: 1 / torch.softmax(log_w, 0).square().sum(dim),
            "normalised-along-first-axis",
        ),
        Mistake(
            "This is 1, whatever the weights are: (Σ w)² / (Σ w)². Below the bar each weight is squared before the sum: Σ w².",
            lambda log_w, dim: torch.softmax(log_w, dim).sum(dim).square(),
            "always-one",
        ),
        Mistake(
            "This is 1 over the largest normalised weight, another measure. Asked for is (Σ w)² / Σ w².",
            lambda log_w, dim: 1 / torch.softmax(log_w, dim).amax(dim),
            "largest-weight",
        ),
        Mistake(
            "The logarithms of the weights were used where the weights should be. Exponentiate first: softmax does it without underflow.",
            lambda log_w, dim: log_w.sum(dim).square() / log_w.square().sum(dim),
            "logarithms-as-weights",
        ),
        Mistake(
            "dim was not used: the sums always run along the first axis.",
            lambda log_w, dim: effective_sample_size(log_w, 0),
            "first-axis",
        ),
        Mistake(
            "dim was not used: the sums always run along the last axis.",
            lambda log_w, dim: effective_sample_size(log_w, -1),
            "last-axis",
        ),
        Mistake(
            "One maximum was used for all rows: in a row far below it every weight is 0, and the ratio is 0/0. Each row needs a maximum of its own.",
            lambda log_w, dim: (w := (log_w - log_w.max()).exp()).sum(dim).square() / w.square().sum(dim),
            "one-maximum",
        ),
        Mistake(
            "The axis is still there, with one entry: drop it.",
            lambda log_w, dim: effective_sample_size(log_w, dim).unsqueeze(dim),
            "axis-kept",
        ),
        Mistake(
            "This is one number for the whole array. The sums run along dim only.",
            lambda log_w, dim: effective_sample_size(log_w.flatten(), 0),
            "one-number",
        ),
    ),
)

EXERCISES = (LOG_LIKELIHOOD, LOG_MEAN_EXP, EFFECTIVE_SAMPLE_SIZE)

QUIZ = (
    Question(
        "The estimate of p(x) is unbiased. What about its logarithm?",
        (
            (
                "It is unbiased too.",
                "The logarithm is curved: an estimate that is too low loses more than one that is as much too high gains (Jensen).",
            ),
            (
                "It is too low on average.",
                "E[log p̂] ≤ log E[p̂] = log p(x), by Jensen's inequality; they are equal only if p̂ does not vary.",
            ),
            ("It is too high on average.", "Jensen's inequality has the other direction, because the logarithm is curved downwards."),
        ),
        1,
    ),
    Question(
        "Log-weights of a thousand samples lie near −1000. What does float64 make of torch.logsumexp(log_w, 0)?",
        (
            ("−inf, because exp(−1000) is 0.", "In float64 exp(−1000) is indeed 0, but logsumexp takes out the maximum first."),
            (
                "A finite number, right to about 16 digits.",
                "The maximum is taken out first, so the largest exponential is exactly 1.",
            ),
            (
                "A finite number, only roughly right.",
                "Shifting by the maximum is exact up to rounding; no precision worth speaking of is lost.",
            ),
        ),
        1,
    ),
    Question(
        "An estimate has an effective sample size of 1.02 out of 10,000. What does that say?",
        (
            (
                "The estimate is within 2 % of the truth.",
                "It does not say that. A better sample, which did not occur in this run, may have a thousand times the weight.",
            ),
            (
                "One sample carries nearly all the weight.",
                "The average is nearly one weight, and the other samples hardly count.",
            ),
            ("10,000 samples were enough.", "Nearly all of them contribute almost nothing to the average."),
            (
                "About 2 % of the samples count.",
                "It is a number of samples, not a share of them: 1.02 of 10,000 is a hundredth of a percent.",
            ),
        ),
        1,
    ),
    Question(
        "We double all logits of our decoder, as above. Its images become sharper, and log p(x) of held-out digits falls. What happens to the median ESS of samples from the prior?",
        (
            (
                "It rises, because the model is worse.",
                "In the notebook the median ESS fell at each step: from half to full logits, where the model became better, and from full to twice, where it became worse.",
            ),
            (
                "It falls, because the model is sharper.",
                "In the notebook the median ESS fell from 1.4 to 1.0 when the logits were doubled.",
            ),
            ("It stays, because the samples are the same.", "The samples are the same, but their weights p(x|z) are not."),
        ),
        1,
    ),
    Question(
        "An estimate of log p(x), made from an unbiased, never negative estimate of p(x), is compared with the truth. Which error is rare in every model?",
        (
            (
                "More than 5 nats too low",
                "Nothing forbids it. With twenty latents all 300 estimates were too low, half of them by more than 45 nats.",
            ),
            ("More than 5 nats too high", "By Markov's inequality its probability is at most exp(−5), less than 1 in 100."),
            (
                "Neither is rare in every model",
                "Estimates that are far too high are rare in every model, because p̂(x) is never negative, and right on average.",
            ),
        ),
        1,
    ),
)
