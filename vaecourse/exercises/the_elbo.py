"""Exercises and quiz of notebook 06, "How do we turn the integral into an optimisation?"."""

import math

import torch
from torch import Tensor

from vaecourse.distributions import diagonal_normal, gaussian_kl
from vaecourse.exercises import Question
from vaecourse.exercises.engine import Exercise, Mistake, call, gradient, normal
from vaecourse.logspace import log_mean_exp


def ordinary_q() -> tuple[Tensor, Tensor]:
    return 1.5 * normal(3, 4, seed=1), normal(3, 4, seed=2)


def extreme_q() -> tuple[Tensor, Tensor]:
    """Far from the prior, very narrow and very wide, by numbers that single precision holds exactly."""
    mu = torch.tensor([[50.0, -30.0, 0.25, -0.5], [-64.0, 1.5, -2.0, 0.125], [0.5, -0.25, 3.0, 100.0]], dtype=torch.float64)
    log_var = torch.tensor([[-40.0, 5.0, -20.0, 8.0], [2.0, -30.0, 10.0, -1.0], [-24.0, -0.5, 6.0, -16.0]], dtype=torch.float64)
    return mu, log_var


def q_is_prior() -> tuple[Tensor, Tensor]:
    return torch.zeros(3, 4, dtype=torch.float64), torch.zeros(3, 4, dtype=torch.float64)


def _by_latent(mu: Tensor, log_var: Tensor) -> Tensor:
    return gaussian_kl(mu[..., None], log_var[..., None])


GAUSSIAN_KL = Exercise(
    name="gaussian_kl",
    statement=(
        "Write `gaussian_kl(mu, log_var)`: the divergence $\\mathrm{KL}\\big(\\mathcal{N}(\\mu, \\mathrm{diag}\\,\\sigma^2) \\,\\|\\, \\mathcal{N}(0, I)\\big)$ of (6.7), in nats, "
        "for each image of a batch. `mu` and `log_var` have shape (B, K); `log_var` holds $\\log \\sigma^2$."
    ),
    stub='''def gaussian_kl(mu, log_var):
    """mu (B, K), log_var (B, K) -> KL(N(mu, exp(log_var)) || N(0, I)) of each image, (B,), in nats."""
    ...''',
    hints=(
        "The latents are independent under both distributions, so their divergences add. Begin with one latent, and try it on q = prior: what must the result be?",
        "(6.7): KL = ½ Σ_k (μ_k² + σ_k² − 1 − log σ_k²).",
        "`variance = torch.exp(log_var)`",
    ),
    reference=gaussian_kl,
    axes="one number for each image",
    probes=(
        call("ordinary numbers", ordinary_q),
        call("a q far from the prior, narrow in some latents and wide in others", extreme_q),
        call("q equal to the prior", q_is_prior),
        gradient("the gradient", ordinary_q, {0: "mu", 1: "log_var"}),
    ),
    mistakes=(
        Mistake(
            "This is minus the divergence, as it stands in the ELBO. A divergence is never negative: reverse the sign.",
            lambda mu, log_var: -gaussian_kl(mu, log_var),
            "sign",
        ),
        Mistake(
            "This is twice the divergence: the factor ½ of the normal density is missing.",
            lambda mu, log_var: 2 * gaussian_kl(mu, log_var),
            "factor-half-missing",
        ),
        Mistake(
            "log_var was read as log σ. It is log σ²: its exponential is the variance, not the standard deviation.",
            lambda mu, log_var: gaussian_kl(mu, 2 * log_var),
            "log-var-as-log-sigma",
        ),
        Mistake(
            "log_var was read as the variance itself, and its logarithm was taken; log_var may be negative. It is already a logarithm.",
            lambda mu, log_var: 0.5 * (mu.square() + log_var - 1 - log_var.log()).sum(-1),
            "log-var-as-variance",
        ),
        Mistake(
            "log_var was read as the standard deviation: it was squared, and the logarithm of the square taken. It is already log σ².",
            lambda mu, log_var: 0.5 * (mu.square() + log_var.square() - 1 - log_var.square().log()).sum(-1),
            "log-var-as-sigma",
        ),
        Mistake(
            "mu is not squared. Whether q lies left or right of the prior must make no difference.",
            lambda mu, log_var: 0.5 * (mu + log_var.exp() - 1 - log_var).sum(-1),
            "mean-not-squared",
        ),
        Mistake(
            "mu does not enter. A q that has moved away from the prior has to pay for it.",
            lambda mu, log_var: gaussian_kl(torch.zeros_like(mu), log_var),
            "mean-missing",
        ),
        Mistake(
            "This is the mean over the latents, too small by the factor K. Independent latents add their divergences: sum.",
            lambda mu, log_var: _by_latent(mu, log_var).mean(-1),
            "mean-over-latents",
        ),
        Mistake(
            "The two distributions have changed places: this is KL(prior ‖ q). The average runs over q.",
            lambda mu, log_var: 0.5 * ((1 + mu.square()) * (-log_var).exp() - 1 + log_var).sum(-1),
            "other-direction",
        ),
        Mistake(
            "This sums over the images and keeps the latents. Sum over the last axis, the latents of one image.",
            lambda mu, log_var: _by_latent(mu, log_var).sum(0),
            "sum-over-images",
        ),
        Mistake(
            "The latents have not been summed: this is one number a latent. Independent latents add their divergences.",
            _by_latent,
            "not-summed",
        ),
        Mistake(
            "This is one number for the whole batch, a sum. Sum over the latents only, the last axis, and keep one number for each image.",
            lambda mu, log_var: gaussian_kl(mu, log_var).sum(),
            "one-number",
        ),
        Mistake(
            "This is one number for the whole batch, a mean over its images. Sum over the latents only, and keep one number for each image.",
            lambda mu, log_var: gaussian_kl(mu, log_var).mean(),
            "one-mean",
        ),
        Mistake(
            "This is one number, a mean over images and latents both. The latents are to be summed, and the images kept apart.",
            lambda mu, log_var: _by_latent(mu, log_var).mean(),
            "one-mean-over-latents",
        ),
        Mistake(
            "log σ² stands where σ² should: in one place log_var needs an exponential.",
            lambda mu, log_var: 0.5 * (mu.square() + log_var - 1 - log_var).sum(-1),
            "exponential-missing",
        ),
        Mistake(
            "log_var has been squared where its exponential belongs: σ² is exp(log_var).",
            lambda mu, log_var: 0.5 * (mu.square() + log_var.square() - 1 - log_var).sum(-1),
            "squared-instead-of-exponential",
        ),
        Mistake(
            "σ⁴ stands where σ² should: exp(log_var) is the variance already, and has been squared once more.",
            lambda mu, log_var: 0.5 * (mu.square() + (2 * log_var).exp() - 1 - log_var).sum(-1),
            "variance-squared",
        ),
        Mistake(
            "log σ² counts twice: log_var is log σ² already, without a factor 2.",
            lambda mu, log_var: 0.5 * (mu.square() + log_var.exp() - 1 - 2 * log_var).sum(-1),
            "log-variance-twice",
        ),
        Mistake(
            "σ stands where σ² should: the exponent has been halved. log_var is the logarithm of the variance.",
            lambda mu, log_var: 0.5 * (mu.square() + (0.5 * log_var).exp() - 1 - log_var).sum(-1),
            "sigma-as-variance",
        ),
        Mistake(
            "log σ stands where log σ² should: log_var has been halved once too often.",
            lambda mu, log_var: 0.5 * (mu.square() + log_var.exp() - 1 - 0.5 * log_var).sum(-1),
            "log-variance-halved",
        ),
        Mistake(
            "The −1 is missing: this is too high by ½ for each latent. With q equal to the prior the divergence is 0.",
            lambda mu, log_var: gaussian_kl(mu, log_var) + 0.5 * mu.shape[-1],
            "minus-one-missing",
        ),
        Mistake(
            "The −1 was taken off once, after the sum. Each latent has a −1 of its own.",
            lambda mu, log_var: 0.5 * ((mu.square() + log_var.exp() - log_var).sum(-1) - 1),
            "minus-one-once",
        ),
        Mistake(
            "1 is added where it is to be subtracted. With q equal to the prior the divergence is 0.",
            lambda mu, log_var: gaussian_kl(mu, log_var) + mu.shape[-1],
            "plus-one",
        ),
        Mistake(
            "The sign of log σ² is reversed: a narrow q would then lower the divergence.",
            lambda mu, log_var: 0.5 * (mu.square() + log_var.exp() - 1 + log_var).sum(-1),
            "sign-of-log-variance",
        ),
        Mistake(
            "The term log σ² is missing: without it the result is smallest when σ is zero.",
            lambda mu, log_var: 0.5 * (mu.square() + log_var.exp() - 1).sum(-1),
            "log-variance-missing",
        ),
        Mistake(
            "The term σ² is missing: without it the result falls without limit as q widens.",
            lambda mu, log_var: 0.5 * (mu.square() - 1 - log_var).sum(-1),
            "variance-missing",
        ),
        Mistake(
            "The sign of μ² is reversed: moving away from the prior would then lower the divergence.",
            lambda mu, log_var: 0.5 * (-mu.square() + log_var.exp() - 1 - log_var).sum(-1),
            "sign-of-mean",
        ),
        Mistake(
            "This is the entropy of q alone. The divergence also depends on where q lies relative to the prior.",
            lambda mu, log_var: 0.5 * (log_var + 1 + math.log(2 * math.pi)).sum(-1),
            "entropy",
        ),
        Mistake(
            "This is the cross-entropy, −E[log p(z)] under q. The entropy of q has not been subtracted from it.",
            lambda mu, log_var: 0.5 * (mu.square() + log_var.exp() + math.log(2 * math.pi)).sum(-1),
            "cross-entropy",
        ),
    ),
)


def elbo(log_px_given_z, mu, log_var):
    return log_px_given_z.mean(0) - gaussian_kl(mu, log_var)


def ordinary_samples() -> tuple[Tensor, Tensor, Tensor]:
    return 2 * normal(5, 3, seed=3) - 20, 1.5 * normal(3, 4, seed=4), normal(3, 4, seed=5)


def one_sample() -> tuple[Tensor, Tensor, Tensor]:
    return 2 * normal(1, 3, seed=6) - 20, 1.5 * normal(3, 4, seed=7), normal(3, 4, seed=8)


def far_samples() -> tuple[Tensor, Tensor, Tensor]:
    height = torch.tensor([9_000.0, 10_000.0, 20_000.0], dtype=torch.float64)
    return 30 * normal(5, 3, seed=9) - height, *extreme_q()


ELBO = Exercise(
    name="elbo",
    statement=(
        "Write `elbo(log_px_given_z, mu, log_var)`: an unbiased estimate of the ELBO (6.8) of each image, in nats, with the KL to the prior in closed form. "
        "`log_px_given_z` has shape (S, B): $\\log p(x_b \\mid z_s)$ for S samples of $z$ from the $q$ of that image. This $q$ is "
        "given by `mu` and `log_var`, as in the last exercise."
    ),
    stub='''def elbo(log_px_given_z, mu, log_var):
    """log_px_given_z (S, B), mu (B, K), log_var (B, K) -> ELBO of each image, (B,), in nats."""
    ...''',
    hints=(
        "There are two terms: how well the samples explain the image, on average, and the divergence of q from the prior. Only the first of them is sampled.",
        "ELBO = (1/S) Σ_s log p(x|z_s) − KL(q ‖ p), the divergence as in gaussian_kl.",
        "`reconstruction = log_px_given_z.mean(0)`",
    ),
    reference=elbo,
    axes="one number for each image",
    probes=(
        call("ordinary numbers", ordinary_samples),
        call("a single sample of z", one_sample),
        call("log-likelihoods near -10,000", far_samples),
        gradient("the gradient", ordinary_samples, {0: "log_px_given_z", 1: "mu", 2: "log_var"}),
    ),
    mistakes=(
        Mistake(
            "The divergence has been added: a q far from the prior is rewarded for it. It is to be subtracted, because it lowers the bound.",
            lambda log_px, mu, log_var: log_px.mean(0) + gaussian_kl(mu, log_var),
            "divergence-added",
        ),
        Mistake(
            "This is the reconstruction term alone. Without the KL to the prior it may lie above log p(x).",
            lambda log_px, mu, log_var: log_px.mean(0),
            "divergence-missing",
        ),
        Mistake(
            "This is the divergence term alone, with a minus. How well the samples explain the image is missing.",
            lambda log_px, mu, log_var: -gaussian_kl(mu, log_var),
            "reconstruction-missing",
        ),
        Mistake(
            "The log-likelihoods are summed over the samples. The ELBO has their average over q: divide by S.",
            lambda log_px, mu, log_var: log_px.sum(0) - gaussian_kl(mu, log_var),
            "sum-over-samples",
        ),
        Mistake(
            "This is a sum over the samples, S times the ELBO. It is an average over q: divide by S.",
            lambda log_px, mu, log_var: len(log_px) * elbo(log_px, mu, log_var),
            "sum-of-everything",
        ),
        Mistake(
            "The divergence is divided by the number of samples too. It is not sampled here, so it counts in full.",
            lambda log_px, mu, log_var: log_px.mean(0) - gaussian_kl(mu, log_var) / len(log_px),
            "divergence-divided",
        ),
        Mistake(
            "This is minus the ELBO, a loss to be minimised. The exercise asks for the bound itself: reverse the sign.",
            lambda log_px, mu, log_var: -elbo(log_px, mu, log_var),
            "sign",
        ),
        Mistake(
            "The logarithm of the average likelihood was taken. The ELBO averages the logarithms, and the divergence belongs to that average only.",
            lambda log_px, mu, log_var: log_mean_exp(log_px, 0) - gaussian_kl(mu, log_var),
            "log-mean-exp",
        ),
        Mistake(
            "The logarithm of the summed likelihoods was taken. The ELBO averages the logarithms, log p(x|z), over the samples.",
            lambda log_px, mu, log_var: torch.logsumexp(log_px, 0) - gaussian_kl(mu, log_var),
            "log-of-sum",
        ),
        Mistake(
            "The average runs over the images, the second axis. Average over the samples, the first axis: each image has an ELBO of its own.",
            lambda log_px, mu, log_var: log_px.mean(1) - gaussian_kl(mu, log_var),
            "mean-over-images",
        ),
        Mistake(
            "The samples have not been averaged: this is one number for each sample and image.",
            lambda log_px, mu, log_var: log_px - gaussian_kl(mu, log_var),
            "not-averaged",
        ),
        Mistake(
            "This is one number for the whole batch, a mean over its images. Average over the samples only.",
            lambda log_px, mu, log_var: elbo(log_px, mu, log_var).mean(),
            "one-mean",
        ),
        Mistake(
            "This is one number for the whole batch, a sum over its images. Keep one number for each image.",
            lambda log_px, mu, log_var: elbo(log_px, mu, log_var).sum(),
            "one-number",
        ),
        Mistake(
            "The log-likelihoods are averaged over the images too, so that all images share one reconstruction term. Average over the samples, the first axis, only.",
            lambda log_px, mu, log_var: log_px.mean() - gaussian_kl(mu, log_var),
            "reconstruction-shared",
        ),
        Mistake(
            "The divergence of the whole batch, a sum over its images, is subtracted from every image. Each image has a divergence of its own: sum over the latents only.",
            lambda log_px, mu, log_var: log_px.mean(0) - gaussian_kl(mu, log_var).sum(),
            "divergence-summed-over-batch",
        ),
        Mistake(
            "The mean divergence of the batch is subtracted from every image. Each image has a divergence of its own: sum over the latents only.",
            lambda log_px, mu, log_var: log_px.mean(0) - gaussian_kl(mu, log_var).mean(),
            "divergence-averaged-over-batch",
        ),
        Mistake(
            "A mean over images and latents is subtracted from every image. The latents of an image are to be summed, and the images kept apart.",
            lambda log_px, mu, log_var: log_px.mean(0) - _by_latent(mu, log_var).mean(),
            "divergence-averaged-over-everything",
        ),
        Mistake(
            "The divergence is averaged over the latents, so it counts K times too little. Independent latents add their divergences: sum.",
            lambda log_px, mu, log_var: log_px.mean(0) - _by_latent(mu, log_var).mean(-1),
            "mean-over-latents",
        ),
        Mistake(
            "The divergence counts twice: its factor ½ is missing.",
            lambda log_px, mu, log_var: log_px.mean(0) - 2 * gaussian_kl(mu, log_var),
            "divergence-twice",
        ),
        Mistake(
            "log_var was read as log σ in the divergence. It is log σ²: its exponential is the variance.",
            lambda log_px, mu, log_var: log_px.mean(0) - gaussian_kl(mu, 2 * log_var),
            "log-var-as-log-sigma",
        ),
        Mistake(
            "In the divergence log_var has been squared where its exponential belongs: σ² is exp(log_var).",
            lambda log_px, mu, log_var: log_px.mean(0) - 0.5 * (mu.square() + log_var.square() - 1 - log_var).sum(-1),
            "squared-instead-of-exponential",
        ),
        Mistake(
            "The divergence is that of the prior from q, KL(prior ‖ q). In the ELBO the average runs over q: KL(q ‖ prior).",
            lambda log_px, mu, log_var: log_px.mean(0) - 0.5 * ((1 + mu.square()) * (-log_var).exp() - 1 + log_var).sum(-1),
            "other-direction",
        ),
        Mistake(
            "The entropy of q is added to log p(x|z). The entropy goes with the log-joint; log p(x|z) goes with the divergence from the prior.",
            lambda log_px, mu, log_var: log_px.mean(0) + diagonal_normal(mu, log_var).entropy(),
            "entropy-added",
        ),
        Mistake(
            "The prior counts twice: E[log p(z)] has been added to the first term, and the divergence contains it already.",
            lambda log_px, mu, log_var: elbo(log_px, mu, log_var) - 0.5 * (mu.square() + log_var.exp() + math.log(2 * math.pi)).sum(-1),
            "prior-twice",
        ),
        Mistake(
            "Only the best sample counts here. The ELBO is an average over q, with the bad samples included.",
            lambda log_px, mu, log_var: log_px.amax(0) - gaussian_kl(mu, log_var),
            "best-sample",
        ),
        Mistake(
            "Only the first sample is used. That is unbiased, too, but the exercise asks for the average over all S samples.",
            lambda log_px, mu, log_var: log_px[0] - gaussian_kl(mu, log_var),
            "first-sample",
        ),
    ),
)

EXERCISES = (GAUSSIAN_KL, ELBO)

QUIZ = (
    Question(
        "A thousand gradient steps in q alone, the decoder untouched, raise the ELBO by 50 nats. What happened to log p(x)?",
        (
            ("It rose by 50 nats, too.", "q does not appear in log p(x). What moved is the distance between the two."),
            ("It rose, by less than 50 nats.", "Only the decoder and the prior decide log p(x), and neither was touched."),
            ("Nothing.", "log p(x) = ELBO + KL(q ‖ posterior), and its left side contains no q: the gap shrank by 50 nats."),
        ),
        2,
    ),
    Question(
        "When is the ELBO equal to log p(x)?",
        (
            (
                "When q is the prior.",
                "Then the KL to the prior is zero. The gap is another KL, the one to the posterior.",
            ),
            ("When q is the posterior.", "The gap is KL(q ‖ posterior), and that is zero only if the two are equal."),
            ("With infinitely many samples.", "More samples estimate the same bound more precisely. They do not move it."),
            ("Never, it is a strict bound.", "With q equal to the posterior every single log-weight is log p(x), and so is their average."),
        ),
        1,
    ),
    Question(
        "q is not the posterior. Why does one sample of z from it give an unbiased estimate of the ELBO, but in general not of log p(x)?",
        (
            (
                "In the ELBO the average stands outside the logarithm.",
                "So the log-weight of one sample is right on average. In log p(x) the logarithm stands outside, and by Jensen's inequality the log-weight is too low on average.",
            ),
            ("The log-weights of its samples have no variance.", "Log-weights vary if q is not the posterior. They are right on average."),
            ("log p(x|z) cannot be evaluated.", "It can, and it is a term of the ELBO. What is hard is the integral over z."),
        ),
        0,
    ),
    Question(
        "The KL to the prior is dropped, and q is fitted to one image. What does the objective then say?",
        (
            (
                "Still a lower bound, a looser one.",
                "The dropped term was subtracted: without it the number is higher, and may exceed log p(x).",
            ),
            ("Something that may exceed log p(x).", "It is E[log p(x|z)], largest for a q that sits on the single best z."),
            ("Exactly log p(x).", "log p(x) averages over the prior. This rewards the best z, however improbable it is under the prior."),
        ),
        1,
    ),
    Question(
        "KL(q ‖ prior) is zero for every image of a data set. What does that say?",
        (
            ("The fit is perfect.", "The gap is KL(q ‖ posterior). The KL to the prior is another one."),
            (
                "A sample of z from q says nothing about its image.",
                "Every image has the same q, the prior: from such a z one cannot tell which image it belongs to.",
            ),
            ("The images have been compressed well.", "Nothing has been stored at all: for every image, z is a sample from the prior."),
        ),
        1,
    ),
)
