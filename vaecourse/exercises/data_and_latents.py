"""Exercises and quiz of notebook 01, "What does it mean to explain an image?"."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vaecourse.distributions import bernoulli, log_prob_pairs
from vaecourse.exercises import Question
from vaecourse.exercises.engine import Exercise, Mistake, Odd, Seen, Sight, call, coins, gradient, normal, statistics, unpack

# ---------------------------------------------------------------------------------------------------------------------
# generate


def generate(weights, pixel_probs, n):
    z = torch.multinomial(weights, n, replacement=True)
    return z, torch.bernoulli(pixel_probs[z])


def three_strokes() -> tuple[Tensor, Tensor, int]:
    weights = torch.tensor([0.75, 0.1875, 0.0625], dtype=torch.float64)
    pixel_probs = torch.tensor([[0.875, 0.25, 0.75, 0.125], [0.125, 0.875, 0.25, 0.625], [0.25, 0.75, 0.9375, 0.875]], dtype=torch.float64)
    return weights, pixel_probs, 150


def unpack_draws(results: list[Any], shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[list[Tensor], list[Tensor]] | Odd:
    """z and x of every call, or what is odd about one of them; shared with notebook 02."""
    calls = []
    for result in results:
        seen = unpack(result, ("z", "x"))
        if "result" in seen:
            return seen["result"]
        for name, sight in seen.items():
            if isinstance(sight, Odd):
                return Odd(f"{name}: {sight.says[0].lower()}{sight.says[1:]}", f"{name} {sight.kind}")
        got = tuple(tuple(sight.value.shape) for sight in seen.values())
        if got != shapes:
            wrong = [f"{name} has shape {a}; expected is {b}." for name, a, b in zip("zx", got, shapes) if a != b]
            return Odd(" ".join(wrong), f"shapes {got}")
        calls.append((seen["z"].value, seen["x"].value))
    if all(torch.equal(z, calls[0][0]) and torch.equal(x, calls[0][1]) for z, x in calls):
        return Odd("Every call gives the same z and the same x. Is a seed set inside? Leave the random generator as it is.", "same draws")
    return [z for z, _ in calls], [x for _, x in calls]


def values_of(x: list[Tensor]) -> Sight:
    """Whether x holds zeros and ones only."""
    every = torch.cat(x).flatten()
    others = every[(every != 0) & (every != 1)]
    if len(others):
        return Odd(f"x holds {float(others[0]):.3g}: an image drawn from the model holds only zeros and ones.", "not binary")
    return Seen(torch.tensor(0.0, dtype=torch.float64))


def over_calls(values: list[Tensor], n: int) -> Seen:
    """The mean over calls of n draws each, with its standard error, which is never quite 0."""
    stacked = torch.stack([v.double() for v in values])
    return Seen(stacked.mean(0), True, stacked.std(0) / math.sqrt(len(values)) + 0.2 / (n * len(values)))


def _measure_generate(results: list[Any]) -> dict[str, Sight]:
    _, pixel_probs, n = three_strokes()
    draws = unpack_draws(results, ((n,), (n, pixel_probs.shape[1])))
    if isinstance(draws, Odd):
        return {"result": draws}
    is_z = [(z[:, None] == torch.arange(len(pixel_probs))).double() for z in draws[0]]
    first = [x[z == z[0]] for z, x in zip(*draws)]
    seen: dict[str, Sight] = {"x": values_of(draws[1]), "z": Seen(torch.tensor(0.0)), "images": Seen(torch.tensor(0.0))}
    if all((z == z[0]).all() for z in draws[0]):
        seen["z"] = Odd("All images have the same z. Each image has a z of its own.", "one z")
    if all(len(x.unique(dim=0)) == 1 for x in first):
        shared = "one" if len(torch.cat([x[draws[0][i] == 0] for i, x in enumerate(draws[1])]).unique(dim=0)) <= 1 else "one a call"
        seen["images"] = Odd("All images of the same z are the same image. Each pixel of each image tosses a coin of its own.", shared)
    seen["The frequency of each z"] = over_calls([c.mean(0) for c in is_z], n)
    seen["The frequency of ink at a pixel (column) together with a z (row)"] = over_calls([c.T @ x / n for c, x in zip(is_z, draws[1])], n)
    seen["The frequency of ink at two pixels of an image together"] = over_calls([x.T @ x / n for x in draws[1]], n)
    return seen


def _one_z_a_pixel(weights: Tensor, pixel_probs: Tensor, n: int) -> tuple[Tensor, Tensor]:
    D = pixel_probs.shape[1]
    z = torch.multinomial(weights, n * D, replacement=True).reshape(n, D)
    return z[:, 0], torch.bernoulli(pixel_probs[z, torch.arange(D)])


GENERATE = Exercise(
    name="generate",
    statement=(
        "Write `generate(weights, pixel_probs, n)`: sample `n` images from a mixture. `weights`, shape (C,), holds the prior $p(z)$ of the components "
        "0 to C − 1; `pixel_probs`, shape (C, D), holds $\\pi_{zj}$. Return `z`, shape (n,), and `x`, shape (n, D), zeros and ones: row $i$ of `x` is "
        "sampled under entry $i$ of `z`."
    ),
    stub='''def generate(weights, pixel_probs, n):
    """weights (C,), pixel_probs (C, D), number of images -> z (n,), x (n, D) of zeros and ones."""
    ...''',
    hints=(
        "Two steps, as in the recipe: pick a z for each image, with its prior probability; then toss a coin for each pixel of each image.",
        "z_i ~ Categorical(weights), then x_ij ~ Bernoulli(pixel_probs[z_i, j]). Indexing with all z at once, pixel_probs[z], has shape (n, D).",
        "`z = torch.multinomial(weights, n, replacement=True)`",
    ),
    reference=generate,
    probes=(statistics("three components and four pixels", three_strokes, _measure_generate, repeats=24),),
    mistakes=(
        Mistake(
            "The components come out equally often: the weights are not used. p(z) says how often each of them is picked.",
            lambda w, p, n: (z := torch.randint(len(w), (n,)), torch.bernoulli(p[z])),
            "weights-not-used",
        ),
        Mistake(
            "The weights were taken for logits: they have gone through exp once more, which brings them closer together. They are probabilities already.",
            lambda w, p, n: generate(torch.softmax(w, 0), p, n),
            "weights-as-logits",
        ),
        Mistake(
            "x holds probabilities: that is E[x|z], the mean image of the component, and no image. The last step is missing: draw each pixel.",
            lambda w, p, n: (z := torch.multinomial(w, n, replacement=True), p[z]),
            "mean-image",
        ),
        Mistake(
            "x is the most probable image of its component, the same each time. Each pixel is drawn: a probability of 0.75 means ink in three of four images, not in all.",
            lambda w, p, n: (z := torch.multinomial(w, n, replacement=True), (p[z] > 0.5).double()),
            "most-probable-image",
        ),
        Mistake(
            "The images do not belong to the z that are returned: they were made with other samples of z. Sample z once, use it for x, and return the same.",
            lambda w, p, n: (torch.multinomial(w, n, replacement=True), generate(w, p, n)[1]),
            "z-drawn-twice",
        ),
        Mistake(
            "The pixels were drawn from the average of all components, so that z has no influence. Each image is drawn from the one component that its z names.",
            lambda w, p, n: (torch.multinomial(w, n, replacement=True), torch.bernoulli((w @ p).expand(n, -1))),
            "average-of-components",
        ),
        Mistake(
            "Each pixel has a component of its own, so that the pixels of an image no longer belong together. There is one z for a whole image.",
            _one_z_a_pixel,
            "component-a-pixel",
        ),
        Mistake(
            "There is a z for each pixel: one z makes a whole image. z has shape (n,).",
            lambda w, p, n: (z := torch.multinomial(w, n * 4, replacement=True).reshape(n, 4), torch.bernoulli(p[z, torch.arange(4)])),
            "z-a-pixel",
        ),
        Mistake(
            "All images of a call have the same z. Draw a z of its own for each of the n images, according to the weights.",
            lambda w, p, n: (z := torch.multinomial(w, 1).expand(n), torch.bernoulli(p[z])),
            "one-z-for-all",
        ),
        Mistake(
            "All images of a call share their coins: images of the same z are copies of each other. Toss a coin for each pixel of each image, n · D of them.",
            lambda w, p, n: (z := torch.multinomial(w, n, replacement=True), (torch.rand(p.shape[1]) < p[z]).double()),
            "shared-coins",
        ),
        Mistake(
            "The pixels of an image share one random number. Given z they are independent: toss a coin for each of them.",
            lambda w, p, n: (z := torch.multinomial(w, n, replacement=True), (torch.rand(n, 1) < p[z]).double()),
            "coin-shared-by-pixels",
        ),
        Mistake(
            "Ink and paper have changed places: a random number between 0 and 1 is below p with probability p, and above it with probability 1 − p.",
            lambda w, p, n: (z := torch.multinomial(w, n, replacement=True), (torch.rand(n, p.shape[1]) > p[z]).double()),
            "ink-and-paper-swapped",
        ),
        Mistake(
            "The probabilities of ink were taken for logits: a sigmoid has been applied to them, and all of them lie between 0.5 and 0.73.",
            lambda w, p, n: (z := torch.multinomial(w, n, replacement=True), torch.bernoulli(torch.sigmoid(p[z]))),
            "probabilities-as-logits",
        ),
        Mistake(
            "x and z have changed places: return z first, then x.",
            lambda w, p, n: generate(w, p, n)[::-1],
            "order-swapped",
        ),
        Mistake(
            "The components are numbered from 1 to C. Here they are numbered from 0, like the rows of pixel_probs.",
            lambda w, p, n: ((z := torch.multinomial(w, n, replacement=True)) + 1, torch.bernoulli(p[z])),
            "numbered-from-one",
        ),
        Mistake(
            "This is a single tensor. Return both, z and x, in this order.",
            lambda w, p, n: generate(w, p, n)[1],
            "one-tensor",
        ),
    ),
)

# ---------------------------------------------------------------------------------------------------------------------
# log_marginal and posterior


def _log_joint(x: Tensor, log_weights: Tensor, logits: Tensor) -> Tensor:
    """log p(x, z) for each image and each z: (B, C)."""
    return log_weights + log_prob_pairs(bernoulli(logits), x).T


def log_marginal(x, log_weights, logits):
    log_likelihood = log_prob_pairs(bernoulli(logits), x).T  # (B, C): log p(x|z), summed over the pixels
    return torch.logsumexp(log_weights + log_likelihood, 1)


def posterior(x, log_weights, logits):
    log_likelihood = log_prob_pairs(bernoulli(logits), x).T  # (B, C): log p(x|z), summed over the pixels
    return torch.softmax(log_weights + log_likelihood, 1)


def ordinary_mixture() -> tuple[Tensor, Tensor, Tensor]:
    return coins(3, 7, seed=11), torch.log_softmax(normal(6, seed=12), 0), 1.5 * normal(6, 7, seed=13)


def extreme_mixture() -> tuple[Tensor, Tensor, Tensor]:
    """Three pixels with logits of 800 or 2000, in pairs of components that agree there; no image fits any of them."""
    x, log_weights, logits = coins(3, 7, seed=14), torch.log_softmax(normal(6, seed=15), 0), normal(6, 7, seed=16)
    x[:, :3] = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    wanted = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]], dtype=torch.float64)
    logits[:, :3] = torch.tensor([2000.0, 800.0, 800.0]) * (2 * wanted.repeat_interleave(2, 0) - 1)
    return x, log_weights, logits


def _pairs(x: Tensor, logits: Tensor) -> Tensor:
    return log_prob_pairs(bernoulli(logits), x).T


def _pixels(x: Tensor, logits: Tensor) -> Tensor:
    """log p(x_j|z): (B, C, D)."""
    return torch.where(x[:, None] == 1, F.logsigmoid(logits), F.logsigmoid(-logits))


def _by_sigmoid(x: Tensor, logits: Tensor) -> Tensor:
    p, x = torch.sigmoid(logits), x[:, None]
    return (x * p.log() + (1 - x) * (1 - p).log()).sum(-1)


def _by_clamped(x: Tensor, logits: Tensor) -> Tensor:
    return torch.distributions.Bernoulli(probs=torch.sigmoid(logits)).log_prob(x[:, None]).sum(-1)


def _by_twice(x: Tensor, logits: Tensor) -> Tensor:
    return _pairs(x, torch.sigmoid(logits))


LOG_MARGINAL = Exercise(
    name="log_marginal",
    statement=(
        "Write `log_marginal(x, log_weights, logits)`: $\\log p(x) = \\log \\sum_z p(z)\\, p(x \\mid z)$ of each image, in nats. `x`, shape (B, D), holds "
        "zeros and ones; `log_weights`, shape (C,), holds $\\log p(z)$; `logits`, shape (C, D): pixel $j$ has ink under $z$ with probability "
        "sigmoid(logit). The result has shape (B,). Logits of 2000 and of −2000 must come out right, too."
    ),
    stub='''def log_marginal(x, log_weights, logits):
    """x (B, D) of zeros and ones, log_weights (C,), logits (C, D) -> log p(x) of each image, (B,), in nats."""
    ...''',
    hints=(
        "First log p(x|z) for each image and each z, a (B, C) table: there the pixels are summed. Then the weights. Then the sum over z.",
        "log p(x) = log Σ_z exp[ log p(z) + Σ_j log p(x_j|z) ]. torch.logsumexp does log Σ exp without underflow, and "
        "log p(x_j|z) is logsigmoid(logit) for ink, logsigmoid(−logit) for paper.",
        "`log_likelihood = bernoulli(logits).log_prob(x[:, None])` has shape (B, C); bernoulli is in vaecourse.distributions.",
    ),
    reference=log_marginal,
    axes="one number for each image",
    probes=(
        call("ordinary logits", ordinary_mixture),
        call("logits of 2000 and -2000", extreme_mixture),
        gradient("the gradient at ordinary logits", ordinary_mixture, {2: "logits"}),
    ),
    mistakes=(
        Mistake(
            "The weights are missing: this is log Σ p(x|z). Each component counts with its p(z).",
            lambda x, w, a: torch.logsumexp(_pairs(x, a), 1),
            "weights-missing",
        ),
        Mistake(
            "All components count equally here. Each counts with its own p(z), whose logarithm is in log_weights.",
            lambda x, w, a: torch.logsumexp(_pairs(x, a), 1) - math.log(len(w)),
            "weights-equal",
        ),
        Mistake(
            "The logarithms of the components were added, which multiplies their probabilities. What is asked for is the log of a sum, not the sum of the logs.",
            lambda x, w, a: _log_joint(x, w, a).sum(1),
            "logarithms-added",
        ),
        Mistake(
            "This is the average of log p(x|z) over p(z). First average p(x|z) itself, then take the logarithm; in the other order the result is too low.",
            lambda x, w, a: _pairs(x, a) @ w.exp(),
            "mean-of-logarithms",
        ),
        Mistake(
            "This is the largest term of the sum alone: a lower bound on log p(x). The other explanations count too.",
            lambda x, w, a: _log_joint(x, w, a).amax(1),
            "largest-term",
        ),
        Mistake(
            "The sum over z was taken for each pixel by itself, as if each pixel had a z of its own. One z makes the whole image: pixels first, then the sum over z.",
            lambda x, w, a: torch.logsumexp(w[:, None] + _pixels(x, a), 1).sum(-1),
            "sum-inside-pixels",
        ),
        Mistake(
            "The pixels were averaged inside p(x|z). Given z they are independent, so their log-probabilities are added.",
            lambda x, w, a: torch.logsumexp(w + _pixels(x, a).mean(-1), 1),
            "mean-over-pixels",
        ),
        Mistake(
            "This is minus log p(x), as a loss would be. The exercise asks for log p(x) itself, which is never above 0 here.",
            lambda x, w, a: -log_marginal(x, w, a),
            "sign",
        ),
        Mistake(
            "Some probability has become exactly 0 on the way, and its logarithm is −inf: exp(−1000) is 0 in every format. Stay with logarithms from the logits to the end; torch.logsumexp adds up on the way.",
            lambda x, w, a: _log_joint(x, w, a).exp().sum(1).log(),
            "underflow",
        ),
        Mistake(
            "sigmoid(−1000) is exactly 0, its logarithm is −inf, and 0 · (−inf) is NaN. Take log p(x_j|z) from the logits directly, without making the probability first.",
            lambda x, w, a: torch.logsumexp(w + _by_sigmoid(x, a), 1),
            "zero-times-inf",
        ),
        Mistake(
            "Bernoulli(probs=…) silently moves probabilities of 0 and 1 inwards, and a wrong pixel costs at most 36 nats (in float64). Give it the logits: Bernoulli(logits=…).",
            lambda x, w, a: torch.logsumexp(w + _by_clamped(x, a), 1),
            "probabilities-moved-inwards",
        ),
        Mistake(
            "There is a sigmoid too many: the logits became probabilities, which were then taken for logits again. All probabilities then lie between 0.5 and 0.73.",
            lambda x, w, a: torch.logsumexp(w + _by_twice(x, a), 1),
            "sigmoid-twice",
        ),
        Mistake(
            "The weights were added to p(x|z). Prior and likelihood multiply; their logarithms are added.",
            lambda x, w, a: (w.exp() + _pairs(x, a).exp()).sum(1).log(),
            "weights-added",
        ),
        Mistake(
            "exp(log_weights) was added to log p(x|z), a probability to a logarithm. log_weights is the logarithm already: add it as it is.",
            lambda x, w, a: torch.logsumexp(w.exp() + _pairs(x, a), 1),
            "weight-exponentiated",
        ),
        Mistake(
            "p(x|z) was multiplied by log p(z), which is negative, and the logarithm of a negative number is NaN. Multiply by p(z), or better add the logarithms.",
            lambda x, w, a: (w * _pairs(x, a).exp()).sum(1).log(),
            "weight-not-exponentiated",
        ),
        Mistake(
            "The logarithm of log_weights was taken, which is NaN: it holds logarithms already, and they are negative. Add it as it is.",
            lambda x, w, a: torch.logsumexp(w.log() + _pairs(x, a), 1),
            "logarithm-of-log-weights",
        ),
        Mistake(
            "Two logarithms were multiplied. Probabilities multiply, so their logarithms are added.",
            lambda x, w, a: torch.logsumexp(w * _pairs(x, a), 1),
            "logarithms-multiplied",
        ),
        Mistake(
            "The sum runs over the images and not over z: this is one number for each component. Sum over z, and keep one number for each image.",
            lambda x, w, a: torch.logsumexp(_log_joint(x, w, a), 0),
            "sum-over-images",
        ),
        Mistake(
            "This is one number for the whole batch. Keep one number for each image.",
            lambda x, w, a: log_marginal(x, w, a).sum(),
            "one-number",
        ),
        Mistake(
            "This is one number for the whole batch, a mean over its images. Keep one number for each image.",
            lambda x, w, a: log_marginal(x, w, a).mean(),
            "one-mean",
        ),
        Mistake(
            "This is log p(x, z), a number for each image and each z. What is missing is the sum over z.",
            _log_joint,
            "joint-not-summed",
        ),
        Mistake(
            "This is p(x) itself. The exercise asks for its logarithm.",
            lambda x, w, a: log_marginal(x, w, a).exp(),
            "no-logarithm",
        ),
        Mistake(
            "Only the pixels with ink are counted. Paper has a probability too, 1 − sigmoid(logit), and its logarithm belongs to the sum over the pixels.",
            lambda x, w, a: torch.logsumexp(w + x @ F.logsigmoid(a).T, 1),
            "ink-alone",
        ),
        Mistake(
            "Ink and paper have changed places: this is log p of 1 − x.",
            lambda x, w, a: log_marginal(1 - x, w, a),
            "ink-and-paper-swapped",
        ),
    ),
)

POSTERIOR = Exercise(
    name="posterior",
    statement=(
        "Write `posterior(x, log_weights, logits)`: $p(z \\mid x)$ for each image and each $z$, shape (B, C), by Bayes' rule (1.5). The arguments are those of "
        "`log_marginal`, large logits included."
    ),
    stub='''def posterior(x, log_weights, logits):
    """x (B, D) of zeros and ones, log_weights (C,), logits (C, D) -> p(z|x), (B, C); each row sums to 1."""
    ...''',
    hints=(
        "The posterior of an image is the share of each z in the sum that makes p(x). What do the shares of one image add up to?",
        "p(z|x) = p(z) p(x|z) / Σ_z' p(z') p(x|z'). In logarithms: exp[ log p(x, z) − log p(x) ], which is a softmax of log p(x, z) over z.",
        "`log_likelihood = bernoulli(logits).log_prob(x[:, None])` has shape (B, C); bernoulli is in vaecourse.distributions.",
    ),
    reference=posterior,
    axes="one row for each image, one column for each z",
    probes=(
        call("ordinary logits", ordinary_mixture),
        call("logits of 2000 and -2000", extreme_mixture),
    ),
    mistakes=(
        Mistake(
            "The weights are missing: this is p(x|z), normalised over z. The posterior contains the prior, too: multiply by p(z) before normalising.",
            lambda x, w, a: torch.softmax(_pairs(x, a), 1),
            "prior-missing",
        ),
        Mistake(
            "The weights were used twice. p(z) enters the product p(z) p(x|z) once.",
            lambda x, w, a: torch.softmax(2 * w + _pairs(x, a), 1),
            "prior-twice",
        ),
        Mistake(
            "This was normalised over the images: the columns sum to 1. A posterior is normalised over z: the rows do.",
            lambda x, w, a: torch.softmax(_log_joint(x, w, a), 0),
            "normalised-over-images",
        ),
        Mistake(
            "This was normalised over images and z together: the whole table sums to 1. Each image has a posterior of its own: each row sums to 1.",
            lambda x, w, a: torch.softmax(_log_joint(x, w, a).flatten(), 0).reshape(len(x), len(w)),
            "normalised-over-everything",
        ),
        Mistake(
            "This is the joint p(x, z). Divide each row by its sum, p(x).",
            lambda x, w, a: _log_joint(x, w, a).exp(),
            "joint",
        ),
        Mistake(
            "This is the likelihood p(x|z), which as a function of z need not add up to 1. Multiply by p(z), and divide by the sum over z.",
            lambda x, w, a: _pairs(x, a).exp(),
            "likelihood",
        ),
        Mistake(
            "This is the logarithm of the posterior. The exercise asks for the probabilities.",
            lambda x, w, a: torch.log_softmax(_log_joint(x, w, a), 1),
            "logarithm",
        ),
        Mistake(
            "This is log p(x, z), not yet a probability: exponentiate, and divide by the sum over z (without underflow: softmax).",
            _log_joint,
            "log-joint",
        ),
        Mistake(
            "The logarithms were divided by their sum. Shares are shares of probabilities: exponentiate first (without underflow: softmax).",
            lambda x, w, a: (j := _log_joint(x, w, a)) / j.sum(1, keepdim=True),
            "logarithms-divided",
        ),
        Mistake(
            "At very large logits this is NaN: a probability became exactly 0 on the way, and 0/0, 0 · log 0 and log 0 − log 0 are all NaN. Take log p(x_j|z) from the logits directly, stay with logarithms to the end, and let softmax normalise.",
            lambda x, w, a: (j := _log_joint(x, w, a).exp()) / j.sum(1, keepdim=True),
            "underflow",
        ),
        Mistake(
            "One maximum was subtracted from all rows: an image far below it is left with zeros, and 0/0 is NaN. Each row needs the maximum of its own.",
            lambda x, w, a: (j := (_log_joint(x, w, a) - _log_joint(x, w, a).max()).exp()) / j.sum(1, keepdim=True),
            "one-maximum",
        ),
        Mistake(
            "A small number was added to p(x) against dividing by zero: where p(x) is far smaller than it, the rows no longer sum to 1. Subtract the largest log p(x, z) of each row before exp, which softmax does.",
            lambda x, w, a: (j := _log_joint(x, w, a).exp()) / (j.sum(1, keepdim=True) + 1e-8),
            "small-number-added",
        ),
        Mistake(
            "This gives all of the probability to the most probable z. The posterior says how probable each z is.",
            lambda x, w, a: F.one_hot(_log_joint(x, w, a).argmax(1), len(w)).double(),
            "one-hot",
        ),
        Mistake(
            "This is the number of the most probable z. The exercise asks for the probability of each z, shape (B, C).",
            lambda x, w, a: _log_joint(x, w, a).argmax(1),
            "argmax",
        ),
        Mistake(
            "Rows and columns have changed places: one row for each image, one column for each z.",
            lambda x, w, a: posterior(x, w, a).T,
            "transposed",
        ),
        Mistake(
            "This is the prior, the same for every image. A posterior depends on the image: multiply by p(x|z).",
            lambda x, w, a: w.exp().expand(len(x), -1),
            "prior-alone",
        ),
        Mistake(
            "The pixels were averaged inside p(x|z). Given z they are independent, so their log-probabilities are added: each pixel is a full piece of evidence.",
            lambda x, w, a: torch.softmax(w + _pixels(x, a).mean(-1), 1),
            "mean-over-pixels",
        ),
        Mistake(
            "exp(log_weights) was added to log p(x|z), a probability to a logarithm. log_weights is the logarithm already: add it as it is.",
            lambda x, w, a: torch.softmax(w.exp() + _pairs(x, a), 1),
            "weight-exponentiated",
        ),
        Mistake(
            "Only the pixels with ink are counted. Paper is evidence too, with probability 1 − sigmoid(logit).",
            lambda x, w, a: torch.softmax(w + x @ F.logsigmoid(a).T, 1),
            "ink-alone",
        ),
        Mistake(
            "Ink and paper have changed places: this is the posterior of 1 − x.",
            lambda x, w, a: posterior(1 - x, w, a),
            "ink-and-paper-swapped",
        ),
        Mistake(
            "Bernoulli(probs=…) silently moves probabilities of 0 and 1 inwards, and a wrong pixel costs at most 36 nats (in float64). Give it the logits: Bernoulli(logits=…).",
            lambda x, w, a: torch.softmax(w + _by_clamped(x, a), 1),
            "probabilities-moved-inwards",
        ),
        Mistake(
            "There is a sigmoid too many: the logits became probabilities, which were then taken for logits again. All probabilities then lie between 0.5 and 0.73.",
            lambda x, w, a: torch.softmax(w + _by_twice(x, a), 1),
            "sigmoid-twice",
        ),
    ),
)

EXERCISES = (GENERATE, LOG_MARGINAL, POSTERIOR)

QUIZ = (
    Question(
        "Which of these adds up to 1?",
        (
            (
                "p(x|z), over all z",
                "For each z, p(x|z) is a distribution over images. As a function of z, the likelihood, it need not add up to 1.",
            ),
            ("p(z|x), over all x", "The posterior is a distribution over z, one for each image. Over the images nothing fixes the sum."),
            ("p(x|z), over all x", "For each z, p(x|z) is a distribution over images, and its probabilities add up to 1."),
        ),
        2,
    ),
    Question(
        "A model of binary images is the true one: it made the data. What does its p(x) say about an image?",
        (
            ("It is 1: the model made this image", "Then it could make no other image. The true model says how often each image occurs."),
            ("How often it occurs in the long run", "p(x) is a frequency in the long run, and over all images these add up to 1."),
            (
                "It exceeds that of any other model",
                "Another model may give this image more. In expectation over its own data, the true model has the largest log p(x), but not on every single image.",
            ),
        ),
        1,
    ),
    Question(
        "The likelihood p(x|z) is largest for z = 2. Is z = 2 the most probable explanation?",
        (
            (
                "Not if it is rare enough",
                "The posterior multiplies by p(z): a rare z needs a larger likelihood to be the most probable.",
            ),
            ("Yes, by Bayes' rule", "Bayes' rule multiplies the likelihood by the prior, and the prior may turn the order round."),
            ("Yes, p(x) is the same for all z", "It is, but the numerator is p(x|z) p(z), and p(z) is not the same for all z."),
        ),
        0,
    ),
    Question(
        "A latent consists of 40 yes-or-no answers, and through a network each pixel depends on all of them. Why not sum over z term by term?",
        (
            ("The sum does not converge", "It has finitely many terms, each at most 1, and adds up without any trouble, given time."),
            ("p(x|z) is too hard to compute", "One p(x|z) is one evaluation of the model. The problem is how many of them are needed."),
            ("dz is not known", "A sum has no dz; it belongs under an integral."),
            ("It has about a million million terms", "2 to the 40 is 1.1e12 terms, and that for one image and one setting of the model."),
        ),
        3,
    ),
    Question(
        "The posterior over the ten templates is more sure than it is right. What went wrong?",
        (
            ("The posterior was approximated", "With ten components it is exact, up to rounding."),
            (
                "The model is wrong, Bayes' rule is not",
                "It takes the pixels to be independent given z. On 49 pixels, with the dependence removed by shuffling, the posterior was right about as often as it was sure.",
            ),
            ("Dividing by p(x) exaggerates", "Dividing by p(x) makes the shares add up to 1, and leaves their ratios as they are."),
        ),
        1,
    ),
)
