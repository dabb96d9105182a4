"""Exercises and quiz of notebook 11, "What can be made better?"."""

import math

import torch
from torch import Tensor

from vaecourse.distributions import diagonal_normal
from vaecourse.exercises import Question
from vaecourse.exercises.engine import Exercise, Mistake, call, gradient, normal


def mixture_prior_log_prob(z, log_weights, loc, log_scale):
    components = diagonal_normal(loc, 2 * log_scale)  # log sigma^2 = 2 log sigma; batch (C,)
    log_joint = log_weights + components.log_prob(z[:, None])  # (B, C)
    return torch.logsumexp(log_joint, 1)


Mixture = tuple[Tensor, Tensor, Tensor, Tensor]
WEIGHTS = torch.tensor([0.3125, 0.0625, 0.25, 0.125, 0.1875, 0.0625], dtype=torch.float64)


def near() -> Mixture:
    return normal(3, 4, seed=1), WEIGHTS.log(), 1.5 * normal(6, 4, seed=2), 0.5 * normal(6, 4, seed=3) - 0.3


def wide() -> Mixture:
    z, log_weights, loc, log_scale = near()
    return 2 * z.flip(1), log_weights, loc, log_scale.abs() + 0.25


def far() -> Mixture:
    """Latents that no component expects: about -10,000 nats, and one row far below the others."""
    z = torch.tensor([[90.0], [-130.0], [250.0]], dtype=torch.float64) + normal(3, 4, seed=4)
    return z, WEIGHTS.log(), 1.5 * normal(6, 4, seed=5), 0.25 * normal(6, 4, seed=6)


def _by_latent(z: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    """log N(z_k; loc_ck, exp(log_scale_ck)^2), (B, C, K)."""
    return -0.5 * ((z[:, None] - loc) / log_scale.exp()).square() - log_scale - 0.5 * math.log(2 * math.pi)


def _components(z: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    return _by_latent(z, loc, log_scale).sum(-1)


def _naive(log_joint: Tensor, shift: Tensor | float = 0.0) -> Tensor:
    return (log_joint - shift).exp().sum(1).log() + shift


def _matched(z: Tensor, log_weights: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    """One normal with the mean and the variance of the mixture."""
    w = log_weights.exp()[:, None]
    mean = (w * loc).sum(0)
    variance = (w * ((2 * log_scale).exp() + (loc - mean).square())).sum(0)
    return diagonal_normal(mean, variance.log()).log_prob(z)


MIXTURE_PRIOR_LOG_PROB = Exercise(
    name="mixture_prior_log_prob",
    statement=(
        "Write `mixture_prior_log_prob(z, log_weights, loc, log_scale)`: $\\log p(z)$ in nats under a prior that is a mixture of C diagonal normals. `z` has "
        "shape (B, K); `log_weights`, shape (C,), holds the logarithms of weights that sum to 1; component $c$ has means `loc[c]` and standard "
        "deviations exp(`log_scale[c]`), both of shape (C, K). The result has shape (B,), and must be right far from all components, near −10,000 nats."
    ),
    stub='''def mixture_prior_log_prob(z, log_weights, loc, log_scale):
    """z (B, K), log_weights (C,), loc and log_scale (C, K) -> log p(z) of each row of z, (B,), in nats."""
    ...''',
    hints=(
        "Every pair of a latent vector and a component has a log-density: (B, C) numbers, each a sum over the K latents. Then the components are mixed, in log space.",
        "log p(z) = log Σ_c exp( log w_c + Σ_k [ −½ ((z_k − loc_ck) / s_ck)² − log s_ck − ½ log 2π ] ), with s = exp(log_scale).",
        "`u = (z[:, None] - loc) / log_scale.exp()`, of shape (B, C, K).",
    ),
    reference=mixture_prior_log_prob,
    axes="one number for each row of z",
    probes=(
        call("latents near the components", near),
        call("scales above 1", wide),
        call("latents far from all components", far),
        gradient("the gradient near the components", near, {0: "z", 2: "loc", 3: "log_scale"}),
        gradient("the gradient far from all components", far, {0: "z", 2: "loc", 3: "log_scale"}),
    ),
    mistakes=(
        Mistake(
            "This is the largest term alone. A mixture adds the densities of all its components: log-sum-exp, not the maximum.",
            lambda z, w, loc, s: (w + _components(z, loc, s)).amax(1),
            "largest-term",
        ),
        Mistake(
            "The weights are missing: the densities are added as they stand, and do not form a density that integrates to 1. Add log w_c to each before the log-sum-exp.",
            lambda z, w, loc, s: torch.logsumexp(_components(z, loc, s), 1),
            "weights-missing",
        ),
        Mistake(
            "All components have the same weight here, 1/C. Use the weights that are given.",
            lambda z, w, loc, s: torch.logsumexp(_components(z, loc, s), 1) - math.log(len(w)),
            "weights-equal",
        ),
        Mistake(
            "The components are mixed latent by latent, and the latents summed afterwards. One component is drawn for the whole vector: sum over the latents first, then mix.",
            lambda z, w, loc, s: torch.logsumexp(w[:, None] + _by_latent(z, loc, s), 1).sum(1),
            "mixed-latent-by-latent",
        ),
        Mistake(
            "The components are mixed latent by latent, and the latents have not been summed. First one number for each component, a sum over the latents; then mix.",
            lambda z, w, loc, s: torch.logsumexp(w[:, None] + _by_latent(z, loc, s), 1),
            "mixed-latent-by-latent-not-summed",
        ),
        Mistake(
            "The formula is right, and exp(−10,000) is 0: its logarithm is −inf. Take the largest term of each row out first, or use logsumexp.",
            lambda z, w, loc, s: _naive(w + _components(z, loc, s)),
            "underflow",
        ),
        Mistake(
            "One maximum was used for all rows: a row far below it has become log 0. Each row of z needs a maximum of its own.",
            lambda z, w, loc, s: _naive(w + _components(z, loc, s), (w + _components(z, loc, s)).max()),
            "one-maximum",
        ),
        Mistake(
            "A small number has been added inside the logarithm. Every z far from the components now looks equally probable: use logsumexp.",
            lambda z, w, loc, s: ((w + _components(z, loc, s)).exp().sum(1) + 1e-8).log(),
            "small-number-added",
        ),
        Mistake(
            "This is the weighted average of the log-densities, which is a lower bound (Jensen). A mixture averages the densities, and then takes the logarithm.",
            lambda z, w, loc, s: (w.exp() * _components(z, loc, s)).sum(1),
            "mean-of-logarithms",
        ),
        Mistake(
            "The logarithms of all weighted densities were added: that is the logarithm of their product. A mixture adds the densities themselves.",
            lambda z, w, loc, s: (w + _components(z, loc, s)).sum(1),
            "logarithms-added",
        ),
        Mistake(
            "The weights themselves were added to the log-densities. In log space a weight enters as its logarithm.",
            lambda z, w, loc, s: torch.logsumexp(w.exp() + _components(z, loc, s), 1),
            "weights-added",
        ),
        Mistake(
            "The logarithm of log_weights was taken, which is NaN: it holds logarithms already, and they are negative. Add it as it is.",
            lambda z, w, loc, s: torch.logsumexp(w.log() + _components(z, loc, s), 1),
            "logarithm-of-log-weights",
        ),
        Mistake(
            "The log-densities were multiplied by the logarithms of the weights. Weights multiply densities; in log space they are added.",
            lambda z, w, loc, s: torch.logsumexp(w * _components(z, loc, s), 1),
            "logarithms-multiplied",
        ),
        Mistake(
            "The weights are counted twice.",
            lambda z, w, loc, s: torch.logsumexp(2 * w + _components(z, loc, s), 1),
            "weights-twice",
        ),
        Mistake(
            "The sum over components was divided by C too. The weights sum to 1 already: no further mean.",
            lambda z, w, loc, s: torch.logsumexp(w + _components(z, loc, s), 1) - math.log(len(w)),
            "divided-by-components",
        ),
        Mistake(
            "log_scale was taken for a log-variance. It is the logarithm of the standard deviation: the variance is exp(2 · log_scale).",
            lambda z, w, loc, s: mixture_prior_log_prob(z, w, loc, 0.5 * s),
            "log-scale-as-log-variance",
        ),
        Mistake(
            "log_scale was taken for the scale itself. Exponentiate it first: a scale is never negative, and the logarithm of a negative number is NaN.",
            lambda z, w, loc, s: mixture_prior_log_prob(z, w, loc, s.log()),
            "log-scale-as-scale",
        ),
        Mistake(
            "The constant ½ log 2π is missing, once for each latent: the result is too high by 0.919 nats a latent.",
            lambda z, w, loc, s: mixture_prior_log_prob(z, w, loc, s) + 0.5 * z.shape[1] * math.log(2 * math.pi),
            "constant-missing",
        ),
        Mistake(
            "The term −log s is missing. Components of different widths are then weighed wrongly: a narrow one is higher at its mean.",
            lambda z, w, loc, s: torch.logsumexp(w + (_by_latent(z, loc, s) + s).sum(-1), 1),
            "log-scale-missing",
        ),
        Mistake(
            "log_scale enters with the wrong sign: a wide normal is low everywhere, so log s is subtracted.",
            lambda z, w, loc, s: torch.logsumexp(w + (_by_latent(z, loc, s) + 2 * s).sum(-1), 1),
            "sign-of-log-scale",
        ),
        Mistake(
            "The latents are averaged within a component. Independent latents add their log-densities: sum over K.",
            lambda z, w, loc, s: torch.logsumexp(w + _by_latent(z, loc, s).mean(-1), 1),
            "mean-over-latents",
        ),
        Mistake(
            "This is one normal with the mean and the variance of the mixture. A mixture has several hills, and is not normal: mix the densities.",
            _matched,
            "one-normal",
        ),
        Mistake(
            "This is the old prior, N(0, I). The mixture takes its place.",
            lambda z, w, loc, s: diagonal_normal(torch.zeros_like(z), torch.zeros_like(z)).log_prob(z),
            "old-prior",
        ),
        Mistake(
            "The components have not been mixed: this is one number for each row and component. Take the log-sum-exp over components.",
            lambda z, w, loc, s: w + _components(z, loc, s),
            "not-mixed",
        ),
        Mistake(
            "The log-sum-exp runs over the rows of z and keeps the components. Mix over components, and keep one number for each row.",
            lambda z, w, loc, s: torch.logsumexp(w + _components(z, loc, s), 0),
            "sum-over-rows",
        ),
        Mistake(
            "This is one number for the whole batch, a sum over the rows of z. Keep one number for each row.",
            lambda z, w, loc, s: mixture_prior_log_prob(z, w, loc, s).sum(),
            "one-number",
        ),
        Mistake(
            "This is one number for the whole batch, a mean over the rows of z. Keep one number for each row.",
            lambda z, w, loc, s: mixture_prior_log_prob(z, w, loc, s).mean(),
            "one-mean",
        ),
        Mistake(
            "This is minus the log-density, as a loss would be. Asked for is log p(z) itself.",
            lambda z, w, loc, s: -mixture_prior_log_prob(z, w, loc, s),
            "sign",
        ),
        Mistake(
            "This is the density itself, not its logarithm.",
            lambda z, w, loc, s: mixture_prior_log_prob(z, w, loc, s).exp(),
            "no-logarithm",
        ),
    ),
)

EXERCISES = (MIXTURE_PRIOR_LOG_PROB,)

QUIZ = (
    Question(
        "Take a mixture prior, trained together with the rest, in place of N(0, I). Which part of the loss can that lower at once?",
        (
            (
                "The distance of the crowd of codes from the prior.",
                "The prior moves to where the codes are: KL(q̄ ‖ p) falls. What the codes say about single images is not touched by that.",
            ),
            ("The information that the codes carry.", "I(x; z) depends on the encoder alone. A new prior leaves it as it is."),
            ("The reconstruction error.", "It depends on encoder and decoder. The prior does not occur in it."),
        ),
        0,
    ),
    Question(
        "The prior is learned now. What must become of the old closed form of the KL?",
        (
            ("It stays: q is still normal.", "The closed form needs both to be normal. A mixture is not."),
            ("It is taken to the nearest component.", "That is another number: a mixture adds up the densities of all components."),
            (
                "It becomes an average over draws of q.",
                "E_q[log q(z|x) − log p(z)] can be estimated with draws, and log p(z) is a log-sum-exp.",
            ),
        ),
        2,
    ),
    Question(
        "Two models trained with beta = 1 and beta = 4 each report their training loss. Which has the better likelihood?",
        (
            ("The one with the smaller loss.", "With beta = 4 the loss counts the KL four times: two different quantities."),
            ("The losses do not tell.", "Evaluate both with the same bound, with beta = 1, on the same held-out images."),
            (
                "Always the one with beta = 4.",
                "A larger beta asks for shorter codes, not for a higher likelihood; the bound is what beta = 1 optimises.",
            ),
        ),
        1,
    ),
    Question(
        "In training, the ELBO is replaced by the importance weighted bound of k = 50 draws. What changes?",
        (
            (
                "What is optimised lies closer to log p(x).",
                "It is a tighter bound, for the same model and the same encoder. It punishes an encoder less for draws that miss.",
            ),
            ("The model family grows: more latents.", "Prior and decoder are what they were. Only the objective is another."),
            (
                "Nothing: more draws mean less noise.",
                "Fifty draws averaged after the logarithm would only reduce noise. Averaged before it they change the objective.",
            ),
        ),
        0,
    ),
)
