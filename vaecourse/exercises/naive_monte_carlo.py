"""Exercises and quiz of notebook 03, "Can we just average?"."""

import math
from typing import Any

import torch
from torch import Tensor

from vaecourse.exercises import Question
from vaecourse.exercises.engine import (
    Answer,
    Exercise,
    Mistake,
    Odd,
    Probe,
    Seen,
    Sight,
    call,
    coins,
    draws,
    mean_and_error,
    statistics,
    unpack,
)


def naive_monte_carlo(x, decoder, latent_dim, n_samples):
    p = decoder(torch.randn(n_samples, latent_dim))[:, None]  # (N, 1, D), against x (B, D)
    return torch.where(x == 1, p, 1 - p).prod(-1).mean(0)


def _blind(z: Any) -> Tensor:
    """A decoder that does not look at z: every right estimate is exact."""
    p = torch.tensor([0.75, 0.25, 0.5, 0.375, 0.875, 0.625, 0.75], dtype=torch.float64)
    return p.expand(*torch.as_tensor(z).shape[:-1], 7)


def _soft(z: Any) -> Tensor:
    weight = torch.tensor([[2.0, 0.0], [0.0, -2.0], [1.0, 1.5]], dtype=torch.float64)
    return torch.sigmoid(torch.as_tensor(z).double() @ weight.T + torch.tensor([0.5, 1.0, -1.0]))


def _three_images() -> Tensor:
    return torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=torch.float64)


def _estimates(results: list[Any]) -> Tensor | Odd:
    """All estimates of three images, (calls, 3), or what is odd about one of them."""
    sights = [unpack(result)["value"] for result in results]
    for sight in sights:
        if isinstance(sight, Odd):
            return sight
        if sight.value.shape != (3,):
            shape = tuple(sight.value.shape)
            return Odd(f"The result has shape {shape}; expected is (3,), one number for each image.", f"shape {shape}")
    return torch.stack([sight.value for sight in sights])


VARIANCE = "The variance of the estimates"


def _measure(results: list[Any]) -> dict[str, Sight]:
    values = _estimates(results)
    if isinstance(values, Odd):
        return {"value": values}
    if (values == values[0]).all():
        return {"value": Odd("Every call gives the same estimate. Are fresh z drawn from the prior? Is a seed set inside?", "same draws")}
    scatter = mean_and_error((values - values.mean(0)).square())
    return {"value": mean_and_error(values), VARIANCE: scatter._replace(ceiling=True)}


class _Noting:
    """A decoder that notes the different z it was given. Every pixel of every z has the same probability, and of one z another."""

    def __init__(self, marked: int) -> None:
        self.marked = marked
        self.given: dict[tuple[float, ...], int] = {}

    def __call__(self, z: Any) -> Tensor:
        z = torch.as_tensor(z).detach().double()
        places = [self.given.setdefault(tuple(one), len(self.given)) for one in z.reshape(-1, 2).tolist()]
        p = torch.where(torch.tensor(places) == self.marked, RARE, 1 - RARE)
        return p.reshape(*z.shape[:-1], 1).expand(*z.shape[:-1], 4).clone()


RARE = torch.tensor(1e-6, dtype=torch.float64)
MOMENTS = {  # of a standard normal number
    "z": (lambda z: z, 0.0),
    "z²": (lambda z: z.square(), 1.0),
    "cos 2z": (lambda z: (2 * z).cos(), math.exp(-2)),
    "the product of two latents": (lambda z: z.prod(-1, keepdim=True), 0.0),
}


def _drawn(answer: Answer) -> dict[str, Sight]:
    """Whether an estimate is made of n_samples different z, and whether each of them is from the prior.

    Nothing is said about how the z of one call depend on each other: they may be independent, mirrored or spread out evenly.
    """

    def marked(n: int, place: int = -1) -> tuple[tuple, dict]:
        decoder = _Noting(place)
        return (torch.ones(3, 4, dtype=torch.float64), decoder, 2, n), decoder.given

    for n in (10, 2):
        seen, used = draws(n, 3, lambda place, n=n: marked(n, place), answer)
        if seen or used is None:
            return seen
    calls = []
    for _ in range(300):
        arguments, given = marked(2)
        answer(*arguments)
        calls.append(torch.tensor([z for z, counts in zip(given, used[:, 0].tolist()) if counts], dtype=torch.float64))
    if not calls[0].numel() or len({call.shape for call in calls}) > 1 or all(torch.equal(call, calls[0]) for call in calls):
        return seen  # other probes look at it
    for name, (moment, right) in MOMENTS.items():
        found = mean_and_error(moment(torch.stack(calls)).mean(1))
        if bool(((found.value - right).abs() > 1e-6 + 5 * found.error).any()):
            worst = found.value[(found.value - right).abs().argmax()]
            says = f"over {len(calls)} calls the average of {name} was {worst:.3f}, where {right:.3f} is right"
            return {"prior": Odd(f"The z are not drawn from the prior, the standard normal: {says}.", "prior")}
    return seen


def _measure_exact(results: list[Any]) -> dict[str, Sight]:
    values = _estimates(results)
    if isinstance(values, Odd):
        return {"value": values}
    return {"value": mean_and_error(values) if (values != values[0]).any() else Seen(values[0])}


def _terms(x: Tensor, p: Tensor) -> Tensor:
    return torch.where(x == 1, p[:, None], 1 - p[:, None])


def _prior(z: Tensor) -> Tensor:
    return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1).exp()


def _a_z_for_each_pixel(x: Tensor, f: Any, k: int, n: int) -> Tensor:
    p = torch.stack([f(torch.randn(n, k))[:, j] for j in range(x.shape[1])], dim=1)
    return _terms(x, p).prod(-1).mean(0)


def _count_matches(x: Tensor, f: Any, k: int, n: int) -> Tensor:
    drawn = torch.bernoulli(f(torch.randn(n, k)))
    return (drawn[:, None] == x).all(-1).double().mean(0)


NAIVE = Exercise(
    name="naive_monte_carlo",
    statement=(
        "Write `naive_monte_carlo(x, decoder, latent_dim, n_samples)`: the estimate $\\hat p(x)$ of each image, the average of $p(x \\mid z)$ over "
        "`n_samples` samples of $z$ from the prior, the standard normal in K = `latent_dim` dimensions. Return the estimate itself, not its logarithm. `x` holds "
        "zeros and ones, shape (B, D); `decoder(z)` takes `z` (…, K) and returns pixel probabilities (…, D). The result has shape (B,)."
    ),
    stub='''def naive_monte_carlo(x, decoder, latent_dim, n_samples):
    """x (B, D) of zeros and ones, decoder: z (..., K) -> probabilities (..., D), K, N -> estimate of p(x), (B,)."""
    ...''',
    hints=(
        "Three steps: sample z from the prior; compute p(x|z) for each z and each image; average over the z.",
        "p̂(x) = (1/N) Σ_n Π_j p_j(z_n)^x_j (1 − p_j(z_n))^(1 − x_j), with z_n ~ N(0, I).",
        "`p = decoder(torch.randn(n_samples, latent_dim))[:, None]` has shape (N, 1, D), which broadcasts against x of shape (B, D).",
    ),
    reference=naive_monte_carlo,
    axes="one number for each image",
    probes=(
        statistics("a decoder that does not look at z", lambda: (coins(3, 7, seed=31), _blind, 2, 5), _measure_exact, repeats=100),
        Probe("a decoder that notes each z", _drawn),
        statistics("a decoder that looks at z", lambda: (_three_images(), _soft, 2, 10), _measure, repeats=300),
        statistics("two draws, n_samples = 2", lambda: (_three_images(), _soft, 2, 2), _measure, repeats=300),
    ),
    mistakes=(
        Mistake(
            "This is the sum over the samples. An average divides by N.",
            lambda x, f, k, n: n * naive_monte_carlo(x, f, k, n),
            "sum-over-samples",
        ),
        Mistake(
            "p(x|z) was multiplied by p(z) as well. Drawing z from the prior already visits each z as often as p(z) says.",
            lambda x, f, k, n: (_terms(x, f(z := torch.randn(n, k))).prod(-1) * _prior(z)[:, None]).mean(0),
            "prior-twice",
        ),
        Mistake(
            "This is p(x|z) at the average z. The mean of a function is not the function of the mean: average p(x|z) itself.",
            lambda x, f, k, n: _terms(x, f(torch.randn(n, k).mean(0, keepdim=True))).prod(-1).mean(0),
            "at-the-mean-z",
        ),
        Mistake(
            "The decoder's outputs were averaged before the pixels were multiplied. Each z explains a whole image: the product over pixels first, then the average over z.",
            lambda x, f, k, n: _terms(x, f(torch.randn(n, k))).mean(0).prod(-1),
            "decoder-averaged",
        ),
        Mistake(
            "This is the logarithm. Asked for is the estimate of p(x) itself.",
            lambda x, f, k, n: naive_monte_carlo(x, f, k, n).log(),
            "logarithm",
        ),
        Mistake(
            "The logarithms were averaged. Average the probabilities p(x|z) themselves.",
            lambda x, f, k, n: _terms(x, f(torch.randn(n, k))).log().sum(-1).mean(0),
            "mean-of-logarithms",
        ),
        Mistake(
            "The logarithms were averaged, and exp came last: a geometric mean, which is too low. Average the probabilities p(x|z) themselves.",
            lambda x, f, k, n: _terms(x, f(torch.randn(n, k))).log().sum(-1).mean(0).exp(),
            "geometric-mean",
        ),
        Mistake(
            "z is uniform between 0 and 1: torch.rand. The prior is the standard normal: torch.randn.",
            lambda x, f, k, n: _terms(x, f(torch.rand(n, k))).prod(-1).mean(0),
            "uniform-prior",
        ),
        Mistake(
            "Only one z was drawn for an image. n_samples of them are to be averaged.",
            lambda x, f, k, n: naive_monte_carlo(x, f, k, 1),
            "one-sample",
        ),
        Mistake(
            "This averages over the images and keeps the samples. Average over z, and keep one number for each image.",
            lambda x, f, k, n: _terms(x, f(torch.randn(n, k))).prod(-1).mean(1),
            "mean-over-images",
        ),
        Mistake(
            "This is one number for the whole batch. Keep one for each image.",
            lambda x, f, k, n: naive_monte_carlo(x, f, k, n).mean(),
            "one-number",
        ),
        Mistake(
            "The samples have not been averaged: this is p(x|z) for each z and each image.",
            lambda x, f, k, n: _terms(x, f(torch.randn(n, k))).prod(-1),
            "not-averaged",
        ),
        Mistake(
            "Only the pixels with ink are counted. A pixel without ink has a probability too, 1 − p.",
            lambda x, f, k, n: (f(torch.randn(n, k))[:, None] ** x).prod(-1).mean(0),
            "ink-alone",
        ),
        Mistake(
            "Only the pixels without ink are counted. A pixel with ink has a probability too, p.",
            lambda x, f, k, n: ((1 - f(torch.randn(n, k))[:, None]) ** (1 - x)).prod(-1).mean(0),
            "paper-alone",
        ),
        Mistake(
            "Ink and paper have changed places: a pixel with ink has probability p, one without has 1 − p.",
            lambda x, f, k, n: naive_monte_carlo(1 - x, f, k, n),
            "ink-and-paper-swapped",
        ),
        Mistake(
            "Every pixel got a z of its own. One z explains a whole image: draw it once, and multiply over all pixels.",
            _a_z_for_each_pixel,
            "z-a-pixel",
        ),
        Mistake(
            "This counts how often a drawn image equals x. That is right on average and far noisier than needed: average the probability p(x|z) itself.",
            _count_matches,
            "counting-hits",
        ),
        Mistake(
            "The probabilities of the pixels were added. Given z the pixels are independent, so their probabilities multiply.",
            lambda x, f, k, n: _terms(x, f(torch.randn(n, k))).sum(-1).mean(0),
            "probabilities-added",
        ),
        Mistake(
            "The average was divided by N once more: mean already divides.",
            lambda x, f, k, n: naive_monte_carlo(x, f, k, n) / n,
            "divided-twice",
        ),
        Mistake(
            "This is the largest p(x|z) that was found. Asked for is their average.",
            lambda x, f, k, n: _terms(x, f(torch.randn(n, k))).prod(-1).amax(0),
            "largest-term",
        ),
        Mistake(
            "The probabilities of the pixels were averaged. Given z the pixels are independent, so their probabilities multiply.",
            lambda x, f, k, n: _terms(x, f(torch.randn(n, k))).mean(-1).mean(0),
            "mean-over-pixels",
        ),
    ),
)


def underflow_pixels(p, smallest):
    count = 1
    while p**count > smallest:
        count += 1
    return count


def _ratio(p: float, smallest: float) -> float:
    return math.log(smallest) / math.log(p)


CASES = ((0.8, 2.0**-120), (0.5, 2.0**-64), (0.25, 2.0**-64), (0.99, 1e-20), (0.3, 0.5))

UNDERFLOW = Exercise(
    name="underflow_pixels",
    statement=(
        "Write `underflow_pixels(p, smallest)`: the smallest whole number D of pixels, at least 1, for which $p^D$ is at most `smallest`, as in (3.7). "
        "`p` is the probability of each pixel, between 0 and 1; `smallest` is a positive number below 1."
    ),
    stub='''def underflow_pixels(p, smallest):
    """p, smallest: two numbers between 0 and 1 -> the fewest pixels D with p**D <= smallest."""
    ...''',
    hints=(
        "You may count the pixels up, one by one; or take the logarithm of both sides.",
        "p^D ≤ s means D · log p ≤ log s, and so D ≥ log s / log p, because dividing by a negative number reverses the inequality.",
        "Start with `count = 1`, and add 1 in a loop while p**count is still above smallest.",
    ),
    reference=underflow_pixels,
    probes=tuple(call(f"p = {p} and smallest = {s:.3g}", lambda p=p, s=s: (p, s), whole=True) for p, s in CASES),
    mistakes=(
        Mistake(
            "Where log s / log p is whole, p^D equals smallest, and that suffices: one pixel fewer.",
            lambda p, s: math.floor(_ratio(p, s)) + 1,
            "strictly-below",
        ),
        Mistake(
            "log s / log p was rounded down, which is one pixel too few: p^D is still above smallest.",
            lambda p, s: math.floor(_ratio(p, s)),
            "rounded-down",
        ),
        Mistake(
            "This is the largest image that is still above smallest: one pixel too few.",
            lambda p, s: underflow_pixels(p, s) - 1,
            "one-too-few",
        ),
        Mistake(
            "This is one pixel too many: p^D is at most smallest before that.", lambda p, s: underflow_pixels(p, s) + 1, "one-too-many"
        ),
        Mistake("log s / log p was rounded to the nearest number. Round it up.", lambda p, s: round(_ratio(p, s)), "rounded-to-nearest"),
        Mistake("This is log s / log p, no whole number of pixels. Round it up.", _ratio, "not-rounded"),
        Mistake("The ratio of the logarithms is upside down.", lambda p, s: math.ceil(1 / _ratio(p, s)), "ratio-upside-down"),
        Mistake(
            "Two kinds of logarithm were mixed. Any base will do, if it is the same for both.",
            lambda p, s: math.ceil(math.log10(s) / math.log(p)),
            "bases-mixed",
        ),
        Mistake(
            "This is the probability p^D. Asked for is the number of pixels D.", lambda p, s: p ** underflow_pixels(p, s), "probability"
        ),
    ),
)

EXERCISES = (NAIVE, UNDERFLOW)

QUIZ = (
    Question(
        "The standard error of your estimate is four times as large as you can accept. How many times as many samples do you need?",
        (
            ("2", "The error falls like 1/√N, so twice the samples make it only about 1.4 times smaller."),
            ("4", "Four times the samples make the variance four times smaller, but the error only half as large."),
            ("16", "The error falls like 1/√N, and √16 is 4."),
        ),
        2,
    ),
    Question(
        "The estimate of p(x) is unbiased. What does that promise?",
        (
            ("The mean over many repeats is p(x)", "It promises that, and nothing about a single estimate."),
            (
                "Half of the estimates are too low",
                "That would be a promise about the median. With a few large and many small values, most lie below the mean.",
            ),
            ("A small error", "An unbiased estimate may be wildly wrong each time, as long as it is right on average."),
        ),
        0,
    ),
    Question(
        "In float32 the estimate of a digit's p(x) is exactly 0. What explains this best?",
        (
            ("The digit is impossible", "The decoder leaves every image some probability; the format has no number small enough."),
            ("The model is bad", "A good model also gives an image of 784 pixels a very small probability."),
            ("The number was too small for the format", "Whatever is at most half of the smallest positive number is rounded to 0."),
        ),
        2,
    ),
    Question(
        "An estimate of p(x) is unbiased and never negative. How probable can it be that it is at least ten times p(x)?",
        (
            ("One half", "The high half alone would bring the mean to 5 p(x) or more, but the mean is p(x)."),
            ("At most a tenth", "This is Markov's inequality with t = 10. The bound says at most; it may be much rarer."),
            ("It is impossible", "The largest of our 1,000 estimates was more than ten times p(x). That is rare, but it happens."),
        ),
        1,
    ),
)
