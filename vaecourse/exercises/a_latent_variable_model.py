"""Exercises and quiz of notebook 02, "What is the model, exactly?"."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vaecourse.distributions import bernoulli
from vaecourse.exercises import Question
from vaecourse.exercises.data_and_latents import over_calls, unpack_draws, values_of
from vaecourse.exercises.engine import Exercise, Mistake, Odd, Seen, Sight, call, coins, gradient, normal, statistics

# ---------------------------------------------------------------------------------------------------------------------
# log_likelihood


def log_likelihood(x, probs):
    log_p = x * torch.log(probs) + (1 - x) * torch.log(1 - probs)  # of each pixel
    return log_p.sum(-1)


def _between(lowest: float, *shape: int, seed: int) -> Tensor:
    """Probabilities between lowest and 1 - lowest, in steps that single precision holds exactly."""
    p = lowest + (1 - 2 * lowest) * torch.sigmoid(2 * normal(*shape, seed=seed))
    return (p * 2**16).round() / 2**16


def ordinary_images() -> tuple[Tensor, Tensor]:
    return coins(3, 7, seed=21), _between(0.02, 3, 7, seed=22)


def extreme_images() -> tuple[Tensor, Tensor]:
    """Some pixels are all but sure, and several of them turn out the other way."""
    x, probs = coins(3, 7, seed=23), _between(0.02, 3, 7, seed=24)
    x[:, :4] = torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]])
    probs[:, :4] = torch.tensor([2.0**-20, 1 - 2.0**-20, 2.0**-20, 2.0**-18])
    return x, probs


def large_images() -> tuple[Tensor, Tensor]:
    """So many pixels that the product of their probabilities is 0 in every format."""
    return coins(2, 1500, seed=25), _between(0.25, 2, 1500, seed=26)


def _table(x: Tensor, probs: Tensor) -> Tensor:
    return torch.where(x == 1, probs, 1 - probs)


LOG_LIKELIHOOD = Exercise(
    name="log_likelihood",
    statement=(
        "Write `log_likelihood(x, probs)`, which returns $\\log p(x \\mid z)$ of each image in nats, shape (B,), by (2.3). `x` holds zeros and ones, shape (B, D). "
        "`probs`, shape (B, D), holds the probabilities of ink, above 0 and below 1. Your function must also be right for images of many pixels."
    ),
    stub='''def log_likelihood(x, probs):
    """x (B, D) of zeros and ones, probs (B, D), the probabilities of ink -> log p(x|z) of each image, (B,), in nats."""
    ...''',
    hints=(
        "How probable is the value that a pixel has? And what happens to a product of 1,500 such numbers, compared with the sum of their logarithms?",
        "log p(x|z) = Σ_j [ x_j log p_j + (1 − x_j) log(1 − p_j) ]: the value of the pixel decides which of the two terms remains.",
        "`log_p = x * torch.log(probs) + …` covers the pixels with ink. Add the term for the pixels without ink, and sum over the pixels.",
    ),
    reference=log_likelihood,
    axes="one number for each image",
    probes=(
        call("ordinary probabilities", ordinary_images),
        call("probabilities very near 0 and 1", extreme_images),
        call("images of 1,500 pixels", large_images),
        gradient("the gradient at ordinary probabilities", ordinary_images, {1: "probs"}),
    ),
    mistakes=(
        Mistake(
            "This is the mean over the pixels. Independent pixels multiply their probabilities, so their logarithms are added: sum them.",
            lambda x, p: _table(x, p).log().mean(-1),
            "mean-over-pixels",
        ),
        Mistake(
            "This is minus the log-likelihood: the cross-entropy, a loss. Return the log-likelihood itself, which is never above 0 here.",
            lambda x, p: -_table(x, p).log().sum(-1),
            "sign",
        ),
        Mistake(
            "This is minus the mean over the pixels: the cross-entropy, averaged. The log-likelihood is the sum over the pixels, without the minus sign.",
            lambda x, p: -_table(x, p).log().mean(-1),
            "cross-entropy-mean",
        ),
        Mistake(
            "Only the pixels with ink are counted. A pixel without ink has a probability too, 1 − p, and its logarithm belongs to the sum.",
            lambda x, p: (x * p.log()).sum(-1),
            "ink-alone",
        ),
        Mistake(
            "Only the pixels without ink are counted. A pixel with ink has probability p, and its logarithm belongs to the sum.",
            lambda x, p: ((1 - x) * (1 - p).log()).sum(-1),
            "paper-alone",
        ),
        Mistake(
            "This is one number for the whole batch. Sum over the pixels only, the last axis, and keep one number for each image.",
            lambda x, p: _table(x, p).log().sum(),
            "one-number",
        ),
        Mistake(
            "This is one number for the whole batch, minus a sum over all its pixels. Return the log-likelihood itself, one number for each image.",
            lambda x, p: -_table(x, p).log().sum(),
            "one-loss",
        ),
        Mistake(
            "This is one number for the whole batch, the cross-entropy averaged over all its pixels. Sum over the pixels, without the minus sign, and keep one number for each image.",
            lambda x, p: -_table(x, p).log().mean(),
            "one-mean-loss",
        ),
        Mistake(
            "This is one number for the whole batch, a mean over its images. Keep one number for each image.",
            lambda x, p: _table(x, p).log().sum(-1).mean(),
            "one-mean",
        ),
        Mistake(
            "This sums over the images and keeps the pixels. Sum over the last axis, the pixels of one image.",
            lambda x, p: _table(x, p).log().sum(0),
            "sum-over-images",
        ),
        Mistake(
            "The pixels have not been summed: this is one number for each pixel. The pixels are independent, so their log-probabilities are added.",
            lambda x, p: _table(x, p).log(),
            "not-summed",
        ),
        Mistake(
            "The probabilities were multiplied first, and the logarithm came last. For a few pixels that is right; the product of 1,500 is exactly 0. Take the logarithm of each pixel, then sum.",
            lambda x, p: _table(x, p).prod(-1).log(),
            "product-first",
        ),
        Mistake(
            "This is p(x|z) itself, the product. Return its logarithm, which is a sum over the pixels.",
            lambda x, p: _table(x, p).prod(-1),
            "no-logarithm",
        ),
        Mistake(
            "The probabilities of the pixels were added, without a logarithm. Probabilities of independent pixels multiply; their logarithms are added.",
            lambda x, p: _table(x, p).sum(-1),
            "probabilities-added",
        ),
        Mistake(
            "The logarithm came after the sum. Take the logarithm of each pixel's probability first.",
            lambda x, p: _table(x, p).sum(-1).log(),
            "logarithm-last",
        ),
        Mistake(
            "The probabilities were taken for logits: a sigmoid has been applied to them, and all of them lie between 0.5 and 0.73. They are probabilities already.",
            lambda x, p: bernoulli(p).log_prob(x),
            "probabilities-as-logits",
        ),
        Mistake(
            "Ink and paper have changed places: this is the log-likelihood of the image 1 − x. A pixel with ink has probability p.",
            lambda x, p: _table(1 - x, p).log().sum(-1),
            "ink-and-paper-swapped",
        ),
        Mistake(
            "A small number, 1e-8, was added inside the logarithm. No probability here is 0, so it is not needed, and it changes the value of improbable pixels.",
            lambda x, p: (x * (p + 1e-8).log() + (1 - x) * (1 - p + 1e-8).log()).sum(-1),
            "small-number-added",
        ),
        Mistake(
            "These are bits: the logarithm has base 2. In nats it is the natural logarithm.",
            lambda x, p: _table(x, p).log2().sum(-1),
            "bits",
        ),
        Mistake(
            "This is minus the squared error, the log-likelihood of a normal distribution up to constants. Pixels that are 0 or 1 are Bernoulli variables: their terms are log p and log(1 − p).",
            lambda x, p: -(x - p).square().sum(-1),
            "squared-error",
        ),
        Mistake(
            "1 − log p stands where log(1 − p) should: take the difference first, and then the logarithm.",
            lambda x, p: (x * p.log() + (1 - x) * (1 - p.log())).sum(-1),
            "one-minus-logarithm",
        ),
        Mistake(
            "The term of the pixels without ink has been subtracted. Both terms are log-probabilities and must be added.",
            lambda x, p: (x * p.log() - (1 - x) * (1 - p).log()).sum(-1),
            "paper-subtracted",
        ),
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# sample_images


def sample_images(decoder, latent_dim, n):
    z = torch.randn(n, latent_dim)
    return z, torch.bernoulli(decoder(z))


def _soft(z: Any) -> Tensor:
    """A decoder from 2 latents to the probabilities of 4 pixels."""
    weight = torch.tensor([[2.0, 0.0], [0.0, -3.0], [1.0, 1.5], [-0.5, 0.5]], dtype=torch.float64)
    return torch.sigmoid(torch.as_tensor(z).double() @ weight.T + torch.tensor([0.5, 0.0, -1.0, 1.0]))


def _sure(z: Any) -> Tensor:
    """A decoder that leaves nothing undecided: all probabilities are 0 or 1."""
    weight = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64)
    return (torch.as_tensor(z).double() @ weight.T > 0).double()


_N = 150


def soft_decoder() -> tuple[Callable, int, int]:
    return _soft, 2, _N


def sure_decoder() -> tuple[Callable, int, int]:
    return _sure, 2, _N


def _below(z: Tensor) -> Tensor:
    """How often each latent lies below each of six places: (6, K)."""
    return (z < torch.linspace(-2, 2, 6, dtype=z.dtype)[:, None, None]).double().mean(1)


def _measure_soft(results: list[Any]) -> dict[str, Sight]:
    draws = unpack_draws(results, ((_N, 2), (_N, 4)))
    if isinstance(draws, Odd):
        return {"result": draws}
    z, x = draws
    seen: dict[str, Sight] = {"x": values_of(x), "z": Seen(torch.tensor(0.0)), "images": Seen(torch.tensor(0.0))}
    if all((a == a[0]).all() for a in z):
        seen["z"] = Odd(
            "All images have the same z. Sample a z from the prior for each image.",
            "zero" if not torch.cat(z).any() else "one z",
        )
    elif any(len(a.unique(dim=0)) < _N for a in z):
        seen["z"] = Odd("Some images of a call share their z. Sample a z from the prior for each image.", "shared z")
    if all((a == a[0]).all() for a in x):
        seen["images"] = Odd("All images are the same. Sample each pixel of each image separately.", "one image")
    seen["The mean of z"] = over_calls([a.mean(0) for a in z], _N)
    seen["The average of z zᵀ, a (K, K) table,"] = over_calls([a.T @ a / _N for a in z], _N)
    seen["The average of the fourth power of z"] = over_calls([a.pow(4).mean(0) for a in z], _N)
    seen["The average of z_1² z_2²"] = over_calls([a.square().prod(1).mean() for a in z], _N)
    seen["The frequency of z_k below −2, −1.2, −0.4, 0.4, 1.2, 2, a (6, K) table,"] = over_calls([_below(a) for a in z], _N)
    seen["The frequency of ink at a pixel"] = over_calls([a.mean(0) for a in x], _N)
    seen["The average of x zᵀ, a (D, K) table,"] = over_calls([b.T @ a / _N for a, b in zip(z, x)], _N)
    seen["The frequency of ink at two pixels of an image together"] = over_calls([a.T @ a / _N for a in x], _N)
    return seen


def _measure_sure(results: list[Any]) -> dict[str, Sight]:
    draws = unpack_draws(results, ((_N, 2), (_N, 4)))
    if isinstance(draws, Odd):
        return {"result": draws}
    agree = [(x == _sure(z)).double().mean() for z, x in zip(*draws)]
    right = all(a == 1 for a in agree)
    return {
        "The share of pixels that are what their z demands": Seen(torch.ones((), dtype=torch.float64)) if right else over_calls(agree, _N)
    }


def _blind(z: Any) -> Tensor:
    """A decoder that does not look at z."""
    return torch.tensor([0.75, 0.25, 0.5, 0.375], dtype=torch.float64).expand(*torch.as_tensor(z).shape[:-1], 4)


def blind_decoder() -> tuple[Callable, int, int]:
    return _blind, 2, _N


def _measure_blind(results: list[Any]) -> dict[str, Sight]:
    draws = unpack_draws(results, ((_N, 2), (_N, 4)))
    if isinstance(draws, Odd):
        return {"result": draws}
    if all((a == a[0]).all() for a in draws[1]):
        return {
            "images": Odd(
                "All images of a call are the same. Sample each pixel of each image separately.",
                "one image" if len(torch.cat(draws[1]).unique(dim=0)) == 1 else "one image a call",
            )
        }
    return {"The frequency of ink at a pixel": over_calls([a.mean(0) for a in draws[1]], _N)}


def _one_z_a_pixel(decoder: Callable, latent_dim: int, n: int) -> tuple[Tensor, Tensor]:
    D = decoder(torch.zeros(latent_dim)).shape[-1]
    z = torch.randn(n, D, latent_dim)
    return z[:, 0], torch.bernoulli(torch.diagonal(decoder(z), dim1=1, dim2=2))


SAMPLE_IMAGES = Exercise(
    name="sample_images",
    statement=(
        "Write `sample_images(decoder, latent_dim, n)`, which samples `n` images by the recipe of this notebook. The prior is the standard normal with K = `latent_dim` "
        "latents. `decoder(z)` takes `z`, shape (…, K), and returns pixel probabilities, shape (…, D). Return `z`, shape (n, K), and `x`, shape (n, D), "
        "which holds only zeros and ones: each row of `x` is sampled given the same row of `z`."
    ),
    stub='''def sample_images(decoder, latent_dim, n):
    """decoder: z (..., K) -> probabilities (..., D); K; number of images -> z (n, K), x (n, D) of zeros and ones."""
    ...''',
    hints=(
        "The recipe has three steps. Which two of them are random, and which is not?",
        "z ~ N(0, I), then p = decoder(z), then x_j ~ Bernoulli(p_j) for each pixel of each image.",
        "`z = torch.randn(n, latent_dim)`",
    ),
    reference=sample_images,
    probes=(
        statistics("a decoder of two latents and four pixels", soft_decoder, _measure_soft, repeats=24),
        statistics("a decoder that does not look at z", blind_decoder, _measure_blind, repeats=8),
        statistics("a decoder whose probabilities are 0 and 1", sure_decoder, _measure_sure, repeats=2),
    ),
    mistakes=(
        Mistake(
            "z is uniform between 0 and 1: torch.rand. The prior is the standard normal, with mean 0 and variance 1: torch.randn.",
            lambda f, k, n: (z := torch.rand(n, k), torch.bernoulli(f(z))),
            "uniform-prior",
        ),
        Mistake(
            "z is uniform between −1 and 1. The prior is the standard normal, with mean 0 and variance 1.",
            lambda f, k, n: (z := 2 * torch.rand(n, k) - 1, torch.bernoulli(f(z))),
            "uniform-around-zero",
        ),
        Mistake(
            "x holds probabilities: this is E[x|z], the mean image, and not a sample. The last line of the recipe is missing: sample each pixel.",
            lambda f, k, n: (z := torch.randn(n, k), f(z)),
            "mean-image",
        ),
        Mistake(
            "Each pixel takes its more probable value. This is the most probable image given z, and not a sample: sample each pixel.",
            lambda f, k, n: (z := torch.randn(n, k), (f(z) > 0.5).double()),
            "most-probable-image",
        ),
        Mistake(
            "The images do not belong to the z that are returned: they were made from another sample of z. Sample z once, decode it, and return this z.",
            lambda f, k, n: (torch.randn(n, k), torch.bernoulli(f(torch.randn(n, k)))),
            "z-drawn-twice",
        ),
        Mistake(
            "The probabilities have gone through a sigmoid once more: all of them lie between 0.5 and 0.73. The decoder returns probabilities, not logits.",
            lambda f, k, n: (z := torch.randn(n, k), torch.bernoulli(torch.sigmoid(f(z)))),
            "sigmoid-twice",
        ),
        Mistake(
            "All images of a call have the same z. Sample one z for each image.",
            lambda f, k, n: (z := torch.randn(k).expand(n, k), torch.bernoulli(f(z))),
            "one-z-for-all",
        ),
        Mistake(
            "z is 0, the mean of the prior, for all images. Sample z from the prior.",
            lambda f, k, n: (z := torch.zeros(n, k), torch.bernoulli(f(z))),
            "z-zero",
        ),
        Mistake(
            "The latents of an image are all the same number. Under the prior the K numbers are independent.",
            lambda f, k, n: (z := torch.randn(n, 1).expand(n, k), torch.bernoulli(f(z))),
            "latents-equal",
        ),
        Mistake(
            "Each pixel has a z of its own, so the pixels of an image no longer belong together. Use one z for a whole image.",
            _one_z_a_pixel,
            "z-a-pixel",
        ),
        Mistake(
            "The probabilities were averaged over all z before the pixels were sampled, so z has no influence. Sample each image with the probabilities of its own z.",
            lambda f, k, n: (z := torch.randn(n, k), torch.bernoulli(f(z).mean(0).expand(n, -1))),
            "average-of-images",
        ),
        Mistake(
            "The pixels of an image share one random number. Given z they are independent: use a random number for each of them.",
            lambda f, k, n: (z := torch.randn(n, k), (torch.rand(n, 1) < f(z)).double()),
            "coin-shared-by-pixels",
        ),
        Mistake(
            "All images of a call share their random numbers. Use one for each pixel of each image, n · D in all.",
            lambda f, k, n: (z := torch.randn(n, k), (torch.rand(4) < f(z)).double()),
            "shared-coins",
        ),
        Mistake(
            "Ink and paper have changed places: a random number between 0 and 1 is below p with probability p, and above it with probability 1 − p.",
            lambda f, k, n: (z := torch.randn(n, k), (torch.rand_like(f(z)) > f(z)).double()),
            "ink-and-paper-swapped",
        ),
        Mistake(
            "The threshold is a normal random number. It has to be uniform between 0 and 1 (torch.rand) to lie below p with probability p.",
            lambda f, k, n: (z := torch.randn(n, k), (torch.randn(f(z).shape) < f(z)).double()),
            "normal-threshold",
        ),
        Mistake(
            "x and z have changed places: return z first, then x.",
            lambda f, k, n: sample_images(f, k, n)[::-1],
            "order-swapped",
        ),
        Mistake(
            "This is a single tensor. Return both, z and x, in this order.",
            lambda f, k, n: sample_images(f, k, n)[1],
            "one-tensor",
        ),
        Mistake(
            "This is a single image. Sample n of them: z has shape (n, K).",
            lambda f, k, n: (z := torch.randn(k), torch.bernoulli(f(z))),
            "one-image",
        ),
    ),
)

EXERCISES = (LOG_LIKELIHOOD, SAMPLE_IMAGES)

QUIZ = (
    Question(
        "A paper shows soft, grey digits and calls them samples. What are they, most likely?",
        (
            ("Samples from p(x|z)", "A sample of binary pixels has no grey in it: every pixel is 0 or 1."),
            ("Samples from p(x)", "Such a sample takes z from the prior and then samples every pixel, so it is 0 or 1 everywhere, too."),
            (
                "Mean images, before the pixels are sampled",
                "The decoder's probabilities are the expectation of a sample at this z. Pixels that z leaves undecided are grey.",
            ),
        ),
        2,
    ),
    Question(
        "Which of these is hard to compute for a decoder of twenty latents?",
        (
            ("p(x|z)", "It takes one pass through the network and a sum over pixels."),
            ("p(z|x)", "It is p(x, z) / p(x), and p(x) is an integral over twenty dimensions with a network inside."),
            ("p(x, z)", "It is a product of two numbers that are easy: p(z) and p(x|z)."),
            ("p(z)", "The standard normal has a formula."),
        ),
        1,
    ),
    Question(
        "Are two pixels of an image independent under the model?",
        (
            (
                "Given z, yes; without z, in general not",
                "Given z each pixel is sampled on its own. Without z, one pixel tells something about z, and so about the other.",
            ),
            (
                "Yes, because p(x|z) is a product",
                "The product stands under the integral over z. The average of a product is in general not the product of the averages.",
            ),
            ("No, not even given z", "Given z the model samples each pixel on its own: p(x|z) is a product over pixels."),
        ),
        0,
    ),
    Question(
        "Training on black and white images prints a loss of −log p(x|z) below zero. What does that mean?",
        (
            ("The model is excellent", "A probability is at most 1, so minus its logarithm is at least 0, however good the model is."),
            (
                "Nothing: only differences count",
                "For a density the sign says nothing, because its size depends on the unit. Pixels that are 0 or 1 have probabilities, at most 1.",
            ),
            (
                "There is a bug",
                "A Bernoulli likelihood is at most 1. Look for a wrong sign first, or for a target that is not 0 or 1.",
            ),
        ),
        2,
    ),
    Question(
        "You sample z from the prior many times and average log p(x|z). How does the result compare with log p(x)?",
        (
            (
                "It is log p(x), with enough samples",
                "The average of p(x|z) tends to p(x). But the logarithm of an average is not the average of the logarithms.",
            ),
            (
                "Its expectation is a lower bound on log p(x)",
                "Your average tends to the left side of (2.8). The logarithm is concave, so this is at most the logarithm of the average, log p(x).",
            ),
            (
                "Its expectation is an upper bound on log p(x)",
                "Jensen's inequality points the other way, because the logarithm is concave.",
            ),
        ),
        1,
    ),
)
