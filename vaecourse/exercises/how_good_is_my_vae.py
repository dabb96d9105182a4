"""Exercises and quiz of notebook 09, "How good is my VAE?"."""

import math

import torch
from torch import Tensor

from vaecourse import diagnostics
from vaecourse.diagnostics import bits_per_dim
from vaecourse.distributions import diagonal_normal
from vaecourse.exercises import Question
from vaecourse.exercises.engine import Exercise, Mistake, call, gradient, normal
from vaecourse.logspace import log_mean_exp


def iwae_bound(log_w):
    return log_mean_exp(log_w, 0)


def ordinary_weights() -> tuple[Tensor]:
    return (2 * normal(5, 3, seed=1) - 3,)


def far_down() -> tuple[Tensor]:
    """Near -10,000, each image at its own height, and one much lower than the others."""
    return (3 * normal(5, 3, seed=2) - torch.tensor([9_000.0, 10_000.0, 20_000.0], dtype=torch.float64),)


def _naive(log_w: Tensor) -> Tensor:
    return log_w.exp().mean(0).log()


IWAE_BOUND = Exercise(
    name="iwae_bound",
    statement=(
        "Write `iwae_bound(log_w)`: the estimate of the importance weighted bound $\\mathcal{L}_k(x)$ of each image, in nats, from the log-weights of $k = S$ samples. `log_w` has shape (S, B), samples by images; the result has shape (B,). It must be right for log-weights near −10,000, and for an image that lies far below the others."
    ),
    stub='''def iwae_bound(log_w):
    """log_w (S, B), the log-weights of S samples for each of B images -> the bound of each image, (B,), in nats."""
    ...''',
    hints=(
        "The weights are averaged over the samples first, and the logarithm is taken afterwards. Which axis holds the samples?",
        "L_S(x_b) = log ( 1/S Σ_s w_sb ) = log Σ_s exp(log w_sb) − log S, with the largest entry taken out before exp.",
        "`S = log_w.shape[0]`, and `torch.logsumexp(log_w, 0)` is the log of the sum over samples.",
    ),
    reference=iwae_bound,
    axes="one number for each image",
    probes=(
        call("ordinary weights", ordinary_weights),
        call("log-weights near -10,000", far_down),
        gradient("the gradient at ordinary weights", ordinary_weights, {0: "log_w"}),
        gradient("the gradient at log-weights near -10,000", far_down, {0: "log_w"}),
    ),
    mistakes=(
        Mistake(
            "This is the mean of the log-weights: the ELBO, whatever S is. The bound averages the weights first and takes the logarithm afterwards.",
            lambda log_w: log_w.mean(0),
            "mean-of-logarithms",
        ),
        Mistake(
            "This is the log of the sum of the weights: too high by exactly log S, which is 8.52 nats for 5,000 samples. A mean divides by S.",
            lambda log_w: torch.logsumexp(log_w, 0),
            "log-of-sum",
        ),
        Mistake(
            "log S has been added. A mean is the sum divided by S: subtract it.",
            lambda log_w: torch.logsumexp(log_w, 0) + math.log(len(log_w)),
            "log-s-added",
        ),
        Mistake(
            "The log of the sum was divided by S. Divide before the logarithm, or subtract log S after it.",
            lambda log_w: torch.logsumexp(log_w, 0) / len(log_w),
            "divided-after-logarithm",
        ),
        Mistake(
            "The logarithm of S has base 10. Everything here is in nats: subtract the natural logarithm, math.log.",
            lambda log_w: torch.logsumexp(log_w, 0) - math.log10(len(log_w)),
            "base-ten",
        ),
        Mistake(
            "log B has been subtracted, with B the number of images. The mean runs over samples: subtract log S.",
            lambda log_w: torch.logsumexp(log_w, 0) - math.log(log_w.shape[1]),
            "log-of-images",
        ),
        Mistake(
            "The logarithm of the number of all entries has been subtracted. The mean runs over samples only: subtract log S.",
            lambda log_w: torch.logsumexp(log_w, 0) - math.log(log_w.numel()),
            "log-of-all",
        ),
        Mistake(
            "The mean inside the logarithm runs over the images: this is one number for each sample. Samples are the first axis.",
            lambda log_w: log_mean_exp(log_w, 1),
            "mean-over-images",
        ),
        Mistake(
            "The mean inside the logarithm runs over samples and images together. Weights of different images belong to different p(x): keep one number for each image.",
            lambda log_w: log_mean_exp(log_w.flatten(), 0),
            "mean-over-everything",
        ),
        Mistake(
            "This is the bound averaged over the images. Asked for is the bound of each image; the average comes when the result is reported.",
            lambda log_w: log_mean_exp(log_w, 0).mean(),
            "one-mean",
        ),
        Mistake(
            "This is the average of the log-weights by their own normalised weights, Σ w̃ log w. It is never below log mean w, and it is no lower bound on log p(x).",
            lambda log_w: (torch.softmax(log_w, 0) * log_w).sum(0),
            "weighted-logarithms",
        ),
        Mistake(
            "This is the largest log-weight of each image. The other samples count, too.",
            lambda log_w: log_w.amax(0),
            "largest-weight",
        ),
        Mistake(
            "This is minus the bound, as a loss would be. Asked for is the bound itself.",
            lambda log_w: -log_mean_exp(log_w, 0),
            "sign",
        ),
        Mistake(
            "The exponentials are taken as they stand: exp(−10,000) is 0, and its logarithm is −inf. Take the largest log-weight of each image out of the sum first.",
            _naive,
            "underflow",
        ),
        Mistake(
            "One maximum was used for all images: the weights of an image far below it have become 0. Each image needs a maximum of its own, over its samples.",
            lambda log_w: _naive(log_w - log_w.max()) + log_w.max(),
            "one-maximum",
        ),
        Mistake(
            "The maximum was taken out and not added back: the result is missing it.",
            lambda log_w: log_mean_exp(log_w - log_w.amax(0), 0),
            "maximum-not-added-back",
        ),
        Mistake(
            "This is the mean of the weights themselves. The bound is its logarithm.",
            lambda log_w: log_w.exp().mean(0),
            "no-logarithm",
        ),
        Mistake(
            "The weights were normalised before they were averaged: they then sum to 1 for every image, and the result is −log S whatever the model is.",
            lambda log_w: log_mean_exp(torch.log_softmax(log_w, 0), 0),
            "normalised-first",
        ),
        Mistake(
            "A small number has been added inside the logarithm. All weights far below it now look the same: take the maximum out instead.",
            lambda log_w: (log_w.exp().mean(0) + 1e-8).log(),
            "small-number-added",
        ),
        Mistake(
            "The axis of the samples is still there, with one entry: drop it.",
            lambda log_w: log_mean_exp(log_w, 0)[None],
            "axis-kept",
        ),
    ),
)


def active_units(mu, threshold=0.01):
    q = diagonal_normal(mu, torch.zeros_like(mu))  # the variances of q play no part
    return int(diagnostics.active_units(q, threshold).sum())


def codes(stretch: float = 1.0) -> Tensor:
    """Means of 40 images in 31 latents of five kinds; each kind is twice as many as the one before, so that a count tells which are in it.

    Variances 1, 0.0081, 1e-6 (around a mean of 1), 0.02, and 1e-6: at a threshold of 0.01 the first and the fourth kind are active.
    """
    noise = normal(40, 31, seed=3)
    noise = (noise - noise.mean(0)) / noise.std(0)
    kind = torch.tensor([0] + [1] * 2 + [2] * 4 + [3] * 8 + [4] * 16)
    spread, middle = torch.tensor([[1.0, 0.09, 0.001, 0.02**0.5, 0.001], [0.0, 0.0, 1.0, 0.0, 0.0]], dtype=torch.float64)
    order = torch.randperm(31, generator=torch.Generator().manual_seed(4))
    return (stretch * (noise * spread[kind] + middle[kind]))[:, order]


ACTIVE_UNITS = Exercise(
    name="active_units",
    statement=(
        "Write `active_units(mu, threshold=0.01)`: how many latents are active, a whole number. `mu`, shape (N, K), holds the encoder's means of $N$ images."
    ),
    stub='''def active_units(mu, threshold=0.01):
    """mu (N, K), the means of q for N images -> the number of latents whose mean has a variance above the threshold."""
    ...''',
    hints=(
        "A latent that ignores the image has the same mean for every image. What is measured, and over which axis?",
        "The number of j with Var_n(μ_nj) > threshold: one variance for each latent, over the N images.",
        "`variance = mu.var(0)`, one number for each latent.",
    ),
    reference=active_units,
    axes="a single number",
    probes=(
        call("the threshold of 0.01 that is the default", lambda: (codes(),), whole=True),
        call("a threshold of 0.5", lambda: (codes(), 0.5), whole=True),
        call("means eight times as large", lambda: (codes(8.0),), whole=True),
        call("means eight times as large, a threshold of 1.2", lambda: (codes(8.0), 1.2), whole=True),
    ),
    mistakes=(
        Mistake(
            "The standard deviation was compared with the threshold. The definition compares the variance.",
            lambda mu, threshold=0.01: int((mu.std(0) > threshold).sum()),
            "standard-deviation",
        ),
        Mistake(
            "This counts the idle latents, those below the threshold. The active ones are those above it.",
            lambda mu, threshold=0.01: int((mu.var(0) <= threshold).sum()),
            "idle-counted",
        ),
        Mistake(
            "The variance runs over the latents, so that images were counted. It runs over the images, the first axis: one number for each latent.",
            lambda mu, threshold=0.01: int((mu.var(1) > threshold).sum()),
            "variance-over-latents",
        ),
        Mistake(
            "This is the mean square, not the variance. A latent whose mean is 1 for every image is not active: subtract the average first.",
            lambda mu, threshold=0.01: int((mu.square().mean(0) > threshold).sum()),
            "mean-square",
        ),
        Mistake(
            "The average of the means was compared with the threshold. A latent is active if its mean moves with the image: take the variance.",
            lambda mu, threshold=0.01: int((mu.mean(0).abs() > threshold).sum()),
            "mean",
        ),
        Mistake(
            "The average absolute value was compared with the threshold. A latent with the same large mean for every image is not active: take the variance.",
            lambda mu, threshold=0.01: int((mu.abs().mean(0) > threshold).sum()),
            "mean-absolute",
        ),
        Mistake(
            "The squared deviations were summed over the images and not averaged, so the count would grow with the number of images. A variance is a mean.",
            lambda mu, threshold=0.01: int(((mu - mu.mean(0)).square().sum(0) > threshold).sum()),
            "summed-squares",
        ),
        Mistake(
            "The difference between the largest and the smallest mean was compared with the threshold. Asked for is the variance over the images.",
            lambda mu, threshold=0.01: int((mu.amax(0) - mu.amin(0) > threshold).sum()),
            "range",
        ),
        Mistake(
            "The variance was taken relative to that of all latents together. The definition compares the variance itself with the threshold.",
            lambda mu, threshold=0.01: int((mu.var(0) / mu.var(0).sum() > threshold).sum()),
            "relative-variance",
        ),
        Mistake(
            "The threshold that was passed is ignored: 0.01 is only its default.",
            lambda mu, threshold=0.01: int((mu.var(0) > 0.01).sum()),
            "threshold-ignored",
        ),
        Mistake(
            "This is the share of active latents. Asked for is their number.",
            lambda mu, threshold=0.01: float((mu.var(0) > threshold).double().mean()),
            "share",
        ),
        Mistake(
            "This is all latents there are. Count those whose variance over the images exceeds the threshold.",
            lambda mu, threshold=0.01: mu.shape[1],
            "all-latents",
        ),
        Mistake(
            "One variance was taken over all latents and images together. Each latent needs its own, over the images.",
            lambda mu, threshold=0.01: int((mu.var() > threshold).sum()),
            "one-variance",
        ),
        Mistake(
            "These are the variances of the latents. Compare them with the threshold, and count.",
            lambda mu, threshold=0.01: mu.var(0),
            "variances",
        ),
        Mistake(
            "This says for each latent whether it is active, as zeros and ones. Asked for is how many are: their sum.",
            lambda mu, threshold=0.01: (mu.var(0) > threshold).int(),
            "mask",
        ),
        Mistake(
            "These are the positions of the active latents. Asked for is how many they are.",
            lambda mu, threshold=0.01: (mu.var(0) > threshold).nonzero().flatten(),
            "positions",
        ),
    ),
)


def ordinary_nats() -> tuple[Tensor, int]:
    return torch.tensor([-4.5, -0.25, -7.125], dtype=torch.float64), 7


def digits_nats() -> tuple[Tensor, int]:
    return torch.tensor([-86.75, -512.0, -2000.0], dtype=torch.float64), 784


def density_nats() -> tuple[Tensor, int]:
    """Log-densities of real values may be positive."""
    return torch.tensor([3.5, -1.25, 12.0], dtype=torch.float64), 4


BITS_PER_DIM = Exercise(
    name="bits_per_dim",
    statement=(
        "Write `bits_per_dim(log_px, n_dims)`: the bits that an ideal code spends on each dimension of an image. `log_px` holds $\\log p(x)$ in nats, shape (B,); the result has the same shape."
    ),
    stub='''def bits_per_dim(log_px, n_dims):
    """log_px (B,) in nats, n_dims the number of dimensions -> bits per dimension of each image, (B,)."""
    ...''',
    hints=(
        "An ideal code spends −log₂ p(x) bits on x. What turns nats into bits, and a whole image into one dimension?",
        "bits per dimension = −log p(x) / (D · log 2), because log₂ p = log p / log 2.",
        "`bits = -log_px / math.log(2)`, for the whole image.",
    ),
    reference=bits_per_dim,
    axes="one number for each image",
    probes=(
        call("seven dimensions", ordinary_nats),
        call("digits of 784 pixels, down to -2,000 nats", digits_nats),
        call("densities, whose logarithm may be positive", density_nats),
    ),
    mistakes=(
        Mistake(
            "This is in nats per dimension. One bit is log 2 = 0.693 nats: divide by log 2.",
            lambda log_px, n_dims: -log_px / n_dims,
            "nats",
        ),
        Mistake(
            "The sign is missing: a code spends −log₂ p bits, so a less probable image costs more.",
            lambda log_px, n_dims: log_px / (n_dims * math.log(2)),
            "sign",
        ),
        Mistake(
            "Sign and unit are missing: this is log p(x) in nats, per dimension. Change the sign, and divide by log 2.",
            lambda log_px, n_dims: log_px / n_dims,
            "sign-and-unit",
        ),
        Mistake(
            "These are bits for the whole image. Divide by the number of dimensions.",
            lambda log_px, n_dims: -log_px / math.log(2),
            "bits-an-image",
        ),
        Mistake(
            "This multiplies by log 2 where it should divide. A nat is more than a bit: 1.44 of them.",
            lambda log_px, n_dims: -log_px / n_dims * math.log(2),
            "multiplied-by-log-2",
        ),
        Mistake(
            "These are decimal digits per dimension: the base is 10 here. For bits the base is 2.",
            lambda log_px, n_dims: -log_px / (n_dims * math.log(10)),
            "base-ten",
        ),
        Mistake(
            "The images have been averaged. Asked for is one number for each image; the average comes when the result is reported.",
            lambda log_px, n_dims: bits_per_dim(log_px, n_dims).mean(),
            "one-mean",
        ),
        Mistake(
            "The result is divided by the number of images too. Each image has its own number.",
            lambda log_px, n_dims: bits_per_dim(log_px, n_dims) / len(log_px),
            "divided-by-images",
        ),
        Mistake(
            "p(x) itself was computed on the way, and exp(−2,000) is 0: its logarithm is −inf. Stay with log p(x); a change of base is a division.",
            lambda log_px, n_dims: -log_px.exp().log2() / n_dims,
            "underflow",
        ),
        Mistake(
            "The logarithm was taken of a logarithm. log_px is log p(x) already: for another base, divide it by log 2.",
            lambda log_px, n_dims: -log_px.log2() / n_dims,
            "logarithm-twice",
        ),
        Mistake(
            "The logarithm was taken of a logarithm, with its sign changed. log_px is log p(x) already: for another base, divide it by log 2.",
            lambda log_px, n_dims: (-log_px).log2() / n_dims,
            "logarithm-twice-and-sign",
        ),
        Mistake(
            "The absolute value was taken. A density may exceed 1; its log is then positive, and its bits per dimension are negative. Change the sign instead.",
            lambda log_px, n_dims: bits_per_dim(log_px, n_dims).abs(),
            "absolute-value",
        ),
        Mistake(
            "Negative values were cut off at 0. A density may exceed 1, and its bits per dimension are then negative.",
            lambda log_px, n_dims: bits_per_dim(log_px, n_dims).clamp(min=0),
            "cut-off-at-0",
        ),
        Mistake(
            "This is divided by log D where it should be divided by D · log 2.",
            lambda log_px, n_dims: -log_px / math.log(n_dims),
            "log-of-dimensions",
        ),
        Mistake(
            "This is multiplied by the number of dimensions where it should be divided.",
            lambda log_px, n_dims: -log_px * n_dims / math.log(2),
            "multiplied-by-dimensions",
        ),
        Mistake(
            "This is the perplexity of a dimension, 2 to the power of its bits. Asked for are the bits.",
            lambda log_px, n_dims: torch.exp(-log_px / n_dims),
            "perplexity",
        ),
    ),
)

EXERCISES = (IWAE_BOUND, ACTIVE_UNITS, BITS_PER_DIM)

QUIZ = (
    Question(
        "A training log calls its loss, minus the ELBO, the negative log-likelihood. What is wrong?",
        (
            ("Nothing: in the mean they agree.", "They differ by KL(q ‖ posterior), which no averaging removes."),
            (
                "log p(x) may be higher: the ELBO is a bound.",
                "ELBO ≤ log p(x), so minus the ELBO is at least the negative log-likelihood. How far above is not known from it.",
            ),
            ("log p(x) may be lower than the ELBO.", "The inequality points the other way: log p(x) is never below the ELBO."),
        ),
        1,
    ),
    Question(
        "You evaluate the bound with k = 50 many times over and average. Where does the average go?",
        (
            (
                "To log p(x).",
                "Repetition removes the noise and leaves the bias: the expectation is the bound for k = 50, however often you repeat.",
            ),
            ("To the ELBO.", "That is k = 1. Averaging fifty weights before the logarithm gives a higher bound."),
            (
                "To a bound for k = 50.",
                "The estimate is unbiased for it, and this bound lies between the ELBO and log p(x). A larger k or a better q can bring it closer.",
            ),
        ),
        2,
    ),
    Question(
        "The standard error over 300 held-out images is large, most of it because images differ. What shortens it?",
        (
            ("More images.", "The standard error that comes from differing images falls with the root of their number."),
            (
                "More samples for each image.",
                "That reduces the part that comes from the samples, which is small here, and the bias, which the error bar does not contain.",
            ),
            ("A smaller unit, such as bits per pixel.", "Value and error shrink by the same factor, so the value is not known any better."),
        ),
        0,
    ),
    Question(
        "One paper reports a model on thresholded digits, yours is on randomly binarised ones. May you compare?",
        (
            (
                "Yes, the digits are the same.",
                "The binary images are not. Random binarisation makes the edges ragged, and no model can predict these random draws.",
            ),
            ("Yes, after a change to bits per pixel.", "A change of unit does not make two data sets one."),
            ("No, they are two data sets.", "The thresholded one is easier: in this notebook the same model gained many nats on it."),
        ),
        2,
    ),
    Question(
        "For every image the KL divergence of q from the prior is zero. What has happened?",
        (
            (
                "The encoder has become perfect.",
                "Such a q says nothing about x. It would be perfect only if the posterior, too, were the prior for every image.",
            ),
            (
                "q has collapsed onto the prior.",
                "With q(z|x) = p(z) for every x the code says nothing about x. The decoder may still use z.",
            ),
            (
                "The model is overfitted.",
                "Overfitting is a difference between training and held-out images, and one value of the KL divergence does not show it.",
            ),
        ),
        1,
    ),
)
