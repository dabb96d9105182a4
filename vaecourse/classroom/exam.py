"""An exam whose numbers depend on a seed: every seed is a variant, and the answers are computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

__all__ = ["MINUTES_PER_MARK", "QUESTIONS", "Part", "Question", "exam"]

MINUTES_PER_MARK = 1.5


@dataclass(frozen=True)
class Part:
    """A part of a question: what is asked, the marks for it, and the answer. Markdown."""

    asked: str
    marks: int
    answer: str


@dataclass(frozen=True)
class Question:
    """A question and the values that its numbers take.

    The lengths of the lists have no common divisor. So the numbers of seeds next to each other all differ, and the question is the same
    again only after as many seeds as the product of the lengths.

    Attributes:
        parts: makes the parts from one value of each list.
        values: the lists.
    """

    parts: Callable[..., list[Part]]
    values: tuple[tuple[Any, ...], ...]

    def made(self, seed: int) -> list[Part]:
        """The parts of a variant."""
        return self.parts(*(values[seed % len(values)] for values in self.values))


def exam(seed: int = 0) -> tuple[str, str]:
    """Questions, and questions with their answers, as Markdown.

    Args:
        seed: of the numbers.

    Returns:
        The text for students, and the text for the teacher.
    """
    made = [question.made(seed) for question in QUESTIONS]
    total = sum(part.marks for parts in made for part in parts)
    told = (
        f"{len(made)} questions, {total} marks; suggested duration {MINUTES_PER_MARK * total:.0f} minutes. A calculator is allowed.\n\n"
        "Logarithms are natural unless a question says otherwise, and all log-probabilities are in nats.\n"
    )
    texts = []
    for title, answers in ((f"# Exam, variant {seed}\n\nName:\n\n", False), (f"# Exam, variant {seed}: answers\n\n", True)):
        texts.append(title + told + "".join(_told(i, parts, answers) for i, parts in enumerate(made, 1)))
    return texts[0], texts[1]


def _told(number: int, parts: list[Part], answers: bool) -> str:
    lines = [f"\n## {number} ({_marks(sum(part.marks for part in parts))})\n"]
    for letter, part in zip("abc", parts):
        lines.append(f"({letter}) {part.asked} *[{_marks(part.marks)}]*\n")
        lines += [f"**Answer.** {part.answer}\n"] if answers else []
    return "\n".join(lines)


def _marks(number: int) -> str:
    return f"{number} mark{'s' * (number != 1)}"


def _mixture(weight: float, a: float, b: float) -> list[Part]:
    px, other = weight * a + (1 - weight) * b, weight * (1 - a) + (1 - weight) * (1 - b)
    return [
        Part(
            f"A latent $z$ is 0 with probability {weight:g} and 1 otherwise. One binary pixel is 1 with probability {a:g} if $z = 0$ and {b:g} if "
            "$z = 1$. Compute $p(x = 1)$.",
            2,
            f"${weight:g} \\cdot {a:g} + {1 - weight:g} \\cdot {b:g} = {px:.4f}$.",
        ),
        Part("Compute the posterior $p(z = 0 \\mid x = 1)$.", 2, f"${weight * a:.4f} / {px:.4f} = {weight * a / px:.3f}$."),
        Part(
            "Compute the posterior $p(z = 0 \\mid x = 0)$.",
            2,
            f"${weight * (1 - a):.4f} / {other:.4f} = {weight * (1 - a) / other:.3f}$.",
        ),
    ]


def _underflow(number_format: tuple[str, int], p: str) -> list[Part]:
    name, power = number_format
    nearly = int(power * math.log(2) / -math.log(float(p)))  # exact powers decide, also where this is a whole number but for rounding
    pixels = next(d for d in (nearly - 1, nearly, nearly + 1) if Fraction(p) ** d <= Fraction(1, 2**power))
    return [
        Part(
            f"The number format {name} rounds a positive number to 0 if it is at most $2^{{-{power}}}$. Each pixel of an image has the probability "
            f"{p}, independently of the others. From how many pixels on is the probability of the image rounded to 0?",
            4,
            f"From ${pixels}$ pixels on, the smallest $D$ with ${p}^D \\le 2^{{-{power}}}$, i.e. $D \\ge {power} \\log 2 / (-\\log {p})$.",
        ),
        Part(
            "Why does the sum of logarithms not have this problem? State its value for this image.",
            2,
            f"The sum of the logarithms is ${pixels} \\log {p} = {pixels * math.log(float(p)):.1f}$, an ordinary number: it grows in proportion to the "
            "number of pixels only.",
        ),
    ]


def _log_mean_exp(top: int, gap: int) -> list[Part]:
    value = top + math.log((1 + math.exp(-gap)) / 2)
    return [
        Part(
            f"Two log-weights are {top} and {top - gap}. Compute the logarithm of the mean of the weights.",
            3,
            f"${top} + \\log\\dfrac{{1 + e^{{-{gap}}}}}{{2}} = {value:.3f}$.",
        ),
        Part(
            "What does a program in float32 return that applies exp, mean and log in this order, and what should it do instead?",
            2,
            "Both exponentials are rounded to 0, so it returns $-\\infty$. It should take out the maximum before the exponentials and add it again "
            "after the logarithm.",
        ),
    ]


def _effective(first: float, second: float, third: float) -> list[Part]:
    weights = (first, second, third, 1)
    ess = sum(weights) ** 2 / sum(w * w for w in weights)
    return [
        Part(
            f"Four importance weights are {', '.join(f'{w:g}' for w in weights)}. Compute the effective sample size.",
            3,
            f"$(\\sum w)^2 / \\sum w^2 = {sum(weights):g}^2 / {sum(w * w for w in weights):g} = {ess:.2f}$.",
        ),
        Part(
            "Between which values does the effective sample size of four weights lie?",
            1,
            "Between 1 (one weight counts) and 4 (all are equal).",
        ),
        Part(
            "Can a large effective sample size hide a bad estimate?",
            2,
            "Yes: if the proposal misses a part of the posterior, the sampled weights may all be alike.",
        ),
    ]


def _gaussian_kl(mu: float, sigma: float) -> list[Part]:
    kl = 0.5 * (mu**2 + sigma**2 - 1 - math.log(sigma**2))
    return [
        Part(
            f"Compute $\\mathrm{{KL}}(q \\,\\|\\, p)$ for $q = \\mathcal{{N}}({mu:g}, {sigma:g}^2)$ and $p = \\mathcal{{N}}(0, 1)$.",
            3,
            f"$\\tfrac12(\\mu^2 + \\sigma^2 - 1 - \\log \\sigma^2) = {kl:.3f}$ nats.",
        ),
        Part("For which mean and standard deviation of $q$ is it 0?", 1, "Only for mean 0 and standard deviation 1."),
    ]


def _gap(log_px: float, gap: float) -> list[Part]:
    return [
        Part(
            f"For one image $\\log p(x) = {log_px:g}$, and the ELBO is ${log_px - gap:g}$. What is $\\mathrm{{KL}}(q \\,\\|\\, p(z \\mid x))$?",
            2,
            f"{gap:g} nats, the difference.",
        ),
        Part(
            "After more training the ELBO has risen by 1 nat. What do we know about $\\log p(x)$?",
            2,
            "Nothing for certain, except that it is not below the new ELBO: the ELBO is $\\log p(x)$ minus the gap, and each of the two may have changed.",
        ),
    ]


def _derivation(joint_0: float, joint_1: float, q_0: float) -> list[Part]:
    joint, q, px = (joint_0, joint_1), (q_0, 1 - q_0), joint_0 + joint_1
    elbo = sum(b * math.log(a / b) for a, b in zip(joint, q))
    kl = sum(b * math.log(b * px / a) for a, b in zip(joint, q))
    return [
        Part(
            "Derive $\\log p(x) = \\mathrm{ELBO}(q) + \\mathrm{KL}(q \\,\\|\\, p(z \\mid x))$, with a reason for every step.",
            6,
            "For every $z$, Bayes' rule gives $\\log p(x) = \\log \\dfrac{p(x, z)}{q(z)} + \\log \\dfrac{q(z)}{p(z \\mid x)}$. The left side does not "
            "depend on $z$. Average both sides over $q$: the first term is the ELBO, the second the KL divergence, by their definitions.",
        ),
        Part(
            f"A latent has two values. For one image $p(x, z = 0) = {joint_0:g}$ and $p(x, z = 1) = {joint_1:g}$, and $q(z = 0) = {q_0:g}$. Compute "
            "$\\log p(x)$, the ELBO and the KL divergence, and check the equation.",
            4,
            f"$\\log p(x) = \\log {px:g} = {math.log(px):.4f}$; the ELBO is ${elbo:.4f}$, the KL divergence ${kl:.4f}$. Their sum is $\\log p(x)$, up to rounding.",
        ),
    ]


def _score(mu: float, a: int, b: int, eps: float) -> list[Part]:
    z = mu + eps
    f = a * z * z + b * z
    return [
        Part(
            f"Let $z \\sim \\mathcal{{N}}(\\mu, 1)$ and $f(z) = {a} z^2 + {b} z$. Give the derivative of $\\mathbb{{E}}[f(z)]$ with respect to $\\mu$ at "
            f"$\\mu = {mu:g}$.",
            3,
            f"$\\mathbb{{E}}[f(z)] = {a} (\\mu^2 + 1) + {b} \\mu$, so the derivative is ${2 * a} \\mu + {b} = {2 * a * mu + b:g}$.",
        ),
        Part(
            f"Compute the two estimates of this derivative from the single sample $z = \\mu + \\varepsilon$ with $\\varepsilon = {eps:g}$: by reparameterisation, "
            "and by the score function.",
            4,
            f"With $z = {z:g}$: reparameterisation $f'(z) = {2 * a} z + {b} = {2 * a * z + b:.3f}$; score function $f(z) (z - \\mu) = {f * eps:.3f}$.",
        ),
        Part("Which of the two needs the derivative of $f$?", 1, "Reparameterisation."),
    ]


def _beta(pixels: int, reconstruction: float, kl: float) -> list[Part]:
    return [
        Part(
            f"A program divides the reconstruction term of its loss by the {pixels:,} pixels and leaves the KL divergence as it is. For one image "
            f"$-\\mathbb{{E}}_q[\\log p(x \\mid z)] = {reconstruction:g}$ nats, summed over the pixels, and $\\mathrm{{KL}} = {kl:g}$ nats. Compute the loss of the "
            "program, and minus the ELBO.",
            2,
            f"The program has ${reconstruction:g} / {pixels} + {kl:g} = {reconstruction / pixels + kl:.3f}$; minus the ELBO is ${reconstruction + kl:g}$ nats.",
        ),
        Part("Which $\\beta$ of a $\\beta$-VAE is that?", 2, f"$\\beta = {pixels}$, up to a constant factor of the whole loss."),
        Part(
            "What do you expect of the KL divergence and of the reconstructions after training?",
            2,
            "The KL divergence is pressed towards 0, the decoder receives little about the image, and reconstructions resemble the average image.",
        ),
    ]


def _bits(nats: int, pixels: int) -> list[Part]:
    return [
        Part(
            f"A model has $\\log p(x) = -{nats}$ nats per image of {pixels:,} binary pixels, on average. Convert this to bits per pixel.",
            3,
            f"${nats} / ({pixels} \\log 2) = {nats / (pixels * math.log(2)):.4f}$ bits per pixel.",
        ),
        Part(
            "May the result be compared with the bits per dimension of a model of images with 256 grey levels?",
            2,
            "No: the two describe other data.",
        ),
    ]


QUESTIONS = (
    Question(_mixture, ((0.2, 0.4, 0.7, 0.3, 0.8, 0.6, 0.1), (0.1, 0.2, 0.15, 0.05), (0.6, 0.8, 0.5, 0.9, 0.7))),
    Question(
        _underflow,
        (
            (("float32", 150), ("float16", 25), ("float64", 1075), ("bfloat16", 134)),
            tuple(f"{k / 40:g}" for k in range(12, 39)),
        ),
    ),
    Question(_log_mean_exp, (tuple(range(-1000, -3500, -100)), (1, 3, 2, 4))),
    Question(_effective, ((4, 2, 6, 3, 8, 5, 9), (1, 3, 2), (0.5, 1.5, 0.25, 2.5, 0.75))),
    Question(_gaussian_kl, (tuple(k / 5 for k in range(1, 12)), (0.5, 0.8, 0.3, 1.2, 0.6, 1.5, 0.4, 2.0, 0.7, 0.9))),
    Question(_gap, (tuple(range(-90, -170, -5)), (1.5, 4.0, 2.5, 0.8, 5.5, 3.2, 6.0, 1.2, 2.1))),
    Question(_derivation, ((0.12, 0.02, 0.2, 0.05, 0.3, 0.08, 0.16), (0.04, 0.1, 0.06, 0.24, 0.15), (0.5, 0.8, 0.25, 0.6))),
    Question(_score, ((1, 2, 0.5, 3, 1.5), (3, 2, 4), (2, 5, 4, 3), (0.5, -0.4, 1.2, -1.0, 0.3, -0.7, 0.9))),
    Question(_beta, ((784, 1024, 400, 4096, 1600), (85, 120, 70, 150, 95, 200, 110), (6, 14, 9, 20))),
    Question(_bits, (tuple(range(80, 143, 3)), (784, 1024, 400, 1600, 900))),
)
