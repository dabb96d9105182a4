"""An exam whose numbers are drawn: every seed is a variant, and the answers are computed."""

from __future__ import annotations

import math
import random

__all__ = ["exam"]


def exam(seed: int = 0) -> tuple[str, str]:
    """Questions, and questions with their answers, as Markdown.

    Args:
        seed: of the numbers.

    Returns:
        The text for students, and the text for the teacher.
    """
    draw = random.Random(seed)
    made = [question(draw) for question in QUESTIONS]
    head = f"# Exam, variant {seed}\n\nLogarithms are natural, and all log-probabilities are in nats.\n"
    students = [f"## {i}\n\n{told}\n" for i, (told, _) in enumerate(made, 1)]
    teacher = [f"## {i}\n\n{told}\n\n**Answer.** {answer}\n" for i, (told, answer) in enumerate(made, 1)]
    return "\n".join([head, *students]), "\n".join([head, *teacher])


def _mixture(draw: random.Random) -> tuple[str, str]:
    weight, a, b = draw.choice([0.2, 0.25, 0.4]), draw.choice([0.1, 0.2]), draw.choice([0.6, 0.8])
    px = weight * a + (1 - weight) * b
    return (
        f"A latent $z$ is 0 with probability {weight} and 1 otherwise. One binary pixel is 1 with probability {a} if $z = 0$ and {b} if $z = 1$. "
        "Compute $p(x = 1)$ and the posterior $p(z = 0 \\mid x = 1)$.",
        f"$p(x=1) = {weight} \\cdot {a} + {1 - weight:g} \\cdot {b} = {px:.3f}$; the posterior is ${weight * a:.3f} / {px:.3f} = {weight * a / px:.3f}$.",
    )


def _underflow(draw: random.Random) -> tuple[str, str]:
    p = draw.choice([0.3, 0.5, 0.7])
    pixels = math.ceil(math.log(2.0**-150) / math.log(p))
    return (
        f"Each pixel of an image has the probability {p}. The smallest number that float32 does not round to 0 lies just above $2^{{-150}}$. From "
        "how many pixels on is the product 0 in float32? Why does the sum of logarithms not have this problem?",
        f"From ${pixels}$ pixels on, the smallest $D$ with ${p}^D \\le 2^{{-150}}$, i.e. $D \\ge 150 \\log 2 / -\\log {p}$. The sum of the "
        f"logarithms is about {pixels * math.log(p):.0f}, an ordinary number.",
    )


def _log_mean_exp(draw: random.Random) -> tuple[str, str]:
    top, gap = draw.choice([-1000, -2000, -500]), draw.choice([1, 2, 3])
    value = top + math.log((1 + math.exp(-gap)) / 2)
    return (
        f"Two log-weights are {top} and {top - gap}. Compute the logarithm of the mean of the weights, and say how a computer should do it.",
        f"${top} + \\log\\frac{{1 + e^{{-{gap}}}}}{{2}} = {value:.3f}$: the maximum is taken out before the exponentials.",
    )


def _effective(draw: random.Random) -> tuple[str, str]:
    weights = draw.choice([(1, 1, 2), (4, 1, 1), (3, 1, 0.5)])
    ess = sum(weights) ** 2 / sum(w * w for w in weights)
    return (
        f"Three importance weights are {', '.join(f'{w:g}' for w in weights)}. Compute the effective sample size. Can a large effective sample "
        "size hide a bad estimate?",
        f"$(\\sum w)^2 / \\sum w^2 = {ess:.2f}$. Yes: if the proposal misses a part of the posterior, the sampled weights may all be alike.",
    )


def _gaussian_kl(draw: random.Random) -> tuple[str, str]:
    mu, sigma = draw.choice([0.5, 1.0, 2.0]), draw.choice([0.5, 0.8])
    kl = 0.5 * (mu**2 + sigma**2 - 1 - math.log(sigma**2))
    return (
        f"Compute the KL divergence of $\\mathcal{{N}}({mu:g}, {sigma:g}^2)$ from $\\mathcal{{N}}(0, 1)$. For which mean and standard deviation is it 0?",
        f"$\\frac12(\\mu^2 + \\sigma^2 - 1 - \\log \\sigma^2) = {kl:.3f}$ nats; 0 only for mean 0 and standard deviation 1.",
    )


def _gap(draw: random.Random) -> tuple[str, str]:
    log_px, gap = draw.choice([-90.0, -120.0, -150.0]), draw.choice([1.5, 2.5, 4.0])
    return (
        f"For one image $\\log p(x) = {log_px:g}$ and the ELBO is {log_px - gap:g}. What is KL$(q \\| p(z \\mid x))$? After more training the ELBO has risen "
        "by 1 nat. What do we know about $\\log p(x)$?",
        f"{gap:g} nats. Nothing for certain: the ELBO is $\\log p(x)$ minus the gap, and each of the two may have changed.",
    )


def _derivation(draw: random.Random) -> tuple[str, str]:
    return (
        "Derive $\\log p(x) = \\mathrm{ELBO}(q) + \\mathrm{KL}(q \\| p(z \\mid x))$, with a reason for every step.",
        "For every $z$, Bayes' rule gives $\\log p(x) = \\log \\frac{p(x, z)}{q(z)} + \\log \\frac{q(z)}{p(z \\mid x)}$. The left side does not depend on "
        "$z$. Average both sides over $q$: the first term is the ELBO, the second the KL divergence, by their definitions.",
    )


def _score(draw: random.Random) -> tuple[str, str]:
    mu = draw.choice([1, 2, 3])
    return (
        f"Let $z \\sim \\mathcal{{N}}(\\mu, 1)$ and $f(z) = z^2$. Give the derivative of $\\mathbb{{E}}[f(z)]$ with respect to $\\mu$ at $\\mu = {mu}$, and the "
        "single-sample estimates by reparameterisation and by the score function. Which of them needs the derivative of $f$?",
        f"$\\mathbb{{E}}[z^2] = \\mu^2 + 1$, so the derivative is ${2 * mu}$. Reparameterisation: $2z$ with $z = {mu} + \\epsilon$; it needs $f'$. Score "
        f"function: $z^2 (z - {mu})$.",
    )


def _beta(draw: random.Random) -> tuple[str, str]:
    pixels = draw.choice([784, 1024, 4096])
    return (
        f"A program divides the reconstruction term by the {pixels:,} pixels and leaves the KL divergence as it is. Which $\\beta$ of a $\\beta$-VAE is that? "
        "What do you expect of the samples and of the KL divergence?",
        f"$\\beta = {pixels:,}$, up to a constant factor of the whole loss. The KL divergence is pressed towards 0, the decoder receives little about the image, "
        "and reconstructions resemble the average image.",
    )


def _bits(draw: random.Random) -> tuple[str, str]:
    nats = draw.choice([-86, -100, -135])
    return (
        f"A model has {nats} nats per image of 784 binary pixels. Convert this to bits per pixel. May the result be compared with bits per dimension of a model "
        "of 256 grey levels?",
        f"${-nats} / (784 \\log 2) = {-nats / (784 * math.log(2)):.3f}$ bits per pixel. No: they describe other data.",
    )


QUESTIONS = (_mixture, _underflow, _log_mean_exp, _effective, _gaussian_kl, _gap, _derivation, _score, _beta, _bits)
