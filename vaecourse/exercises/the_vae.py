"""Exercises and quiz of notebook 08, "Can a network propose z for every image?"."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vaecourse.distributions import bernoulli, gaussian_kl
from vaecourse.exercises import Question
from vaecourse.exercises.engine import Answer, Exercise, Mistake, Odd, Probe, Seen, Sight, as_seen, call, coins, gradient, normal


def vae_loss(x, logits, mu, log_var):
    return (gaussian_kl(mu, log_var) - bernoulli(logits).log_prob(x)).mean()


def ordinary_batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return coins(3, 7, seed=1), 2 * normal(3, 7, seed=2), 1.5 * normal(3, 4, seed=3), normal(3, 4, seed=4) - 0.5


def extreme_batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x, logits = coins(3, 7, seed=5), 1000 * (2 * coins(3, 7, seed=6) - 1)
    logits[:, ::3] = 2 * normal(3, 3, seed=7)
    return x, logits, 20 * normal(3, 4, seed=8), 4 * normal(3, 4, seed=9)


def _reconstruction(x: Tensor, logits: Tensor) -> Tensor:
    """Minus log p(x|z) of each image."""
    return -bernoulli(logits).log_prob(x)


def _naive_reconstruction(x: Tensor, logits: Tensor, epsilon: float = 0.0) -> Tensor:
    p = torch.sigmoid(logits)
    return -(x * (p + epsilon).log() + (1 - x) * (1 - p + epsilon).log()).sum(-1)


def _kl_with(mu: Tensor, variance: Tensor) -> Tensor:
    return 0.5 * (mu.square() + variance - 1 - variance.log()).sum(-1)


VAE_LOSS = Exercise(
    name="vae_loss",
    statement=(
        "Write `vae_loss(x, logits, mu, log_var)`: the loss (8.2), minus the ELBO in nats per image, averaged over the images of the batch, as "
        "one number that can be differentiated. `x` holds zeros and ones, shape (B, D). `logits` (B, D) are the outputs of the decoder for the "
        "sampled $z$. `mu` and `log_var` (B, K) are mean and log-variance of $q(z \\mid x)$. Logits of 1000 and −1000 must be right, too."
    ),
    stub='''def vae_loss(x, logits, mu, log_var):
    """x, logits (B, D), mu, log_var (B, K) -> minus the ELBO in nats per image, averaged over images: a scalar."""
    ...''',
    hints=(
        "Pixels are summed, latents are summed, and only images are averaged. Begin with the two terms, each as one number per image.",
        "L = 1/B Σ_b [ −Σ_j (x_bj ℓ_bj − softplus(ℓ_bj)) + ½ Σ_k (μ_bk² + σ_bk² − 1 − log σ_bk²) ], with σ² = exp(log_var).",
        "`kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)`, the divergence of each image's q from the prior.",
    ),
    reference=vae_loss,
    axes="a single number",
    probes=(
        call("an ordinary batch", ordinary_batch),
        call("logits of 1000 and -1000", extreme_batch),
        gradient("the gradient in an ordinary batch", ordinary_batch, {1: "logits", 2: "mu", 3: "log_var"}, optional=False),
        gradient("the gradient at logits of 1000 and -1000", extreme_batch, {1: "logits", 2: "mu", 3: "log_var"}, optional=False),
    ),
    mistakes=(
        Mistake(
            "The pixels are averaged and the latents are summed. Relative to the reconstruction, the KL then weighs D times as much as in the ELBO: for the digits a beta of 784. Sum over pixels.",
            lambda x, logits, mu, log_var: (_reconstruction(x, logits) / x.shape[1] + gaussian_kl(mu, log_var)).mean(),
            "mean-over-pixels",
        ),
        Mistake(
            "Pixels and latents are both averaged. The reconstruction is divided by D and the KL by K, so that the KL weighs D/K times as much as it should. Sum over both.",
            lambda x, logits, mu, log_var: (_reconstruction(x, logits) / x.shape[1] + gaussian_kl(mu, log_var) / mu.shape[1]).mean(),
            "mean-over-pixels-and-latents",
        ),
        Mistake(
            "The KL is averaged over the latents. It is a sum over latents; divided by K it weighs too little, a beta of 1/K.",
            lambda x, logits, mu, log_var: (_reconstruction(x, logits) + gaussian_kl(mu, log_var) / mu.shape[1]).mean(),
            "mean-over-latents",
        ),
        Mistake(
            "Both terms are divided by the number of pixels. The gradient has the right direction, and the number is wrong: it is not in nats per image. Divide by the number of images only.",
            lambda x, logits, mu, log_var: vae_loss(x, logits, mu, log_var) / x.shape[1],
            "both-divided-by-pixels",
        ),
        Mistake(
            "The images are summed. The gradient has the right direction, but the number grows with the batch: divide by the number of images.",
            lambda x, logits, mu, log_var: vae_loss(x, logits, mu, log_var) * len(x),
            "images-summed",
        ),
        Mistake(
            "The loss has been divided by the size of the batch twice: the mean over images does it already.",
            lambda x, logits, mu, log_var: vae_loss(x, logits, mu, log_var) / len(x),
            "batch-divided-twice",
        ),
        Mistake(
            "The reconstruction is summed over the images, and the KL is averaged over them: the KL then weighs too little, 1/B. Average both over images.",
            lambda x, logits, mu, log_var: _reconstruction(x, logits).sum() + gaussian_kl(mu, log_var).mean(),
            "reconstruction-summed",
        ),
        Mistake(
            "The KL is summed over the images, and the reconstruction is averaged over them: the KL then weighs B times as much as it should. Average both over images.",
            lambda x, logits, mu, log_var: _reconstruction(x, logits).mean() + gaussian_kl(mu, log_var).sum(),
            "divergence-summed",
        ),
        Mistake(
            "The reconstruction is averaged over pixels and images, and the KL is summed over everything: the KL then weighs B · D times as much as it should. Sum over pixels and latents, average over images.",
            lambda x, logits, mu, log_var: _reconstruction(x, logits).mean() / x.shape[1] + gaussian_kl(mu, log_var).sum(),
            "pixel-mean-and-divergence-summed",
        ),
        Mistake(
            "The reconstruction is summed over pixels and images, and the KL is averaged over latents and images. Sum over pixels and latents, average over images.",
            lambda x, logits, mu, log_var: _reconstruction(x, logits).sum() + gaussian_kl(mu, log_var).mean() / mu.shape[1],
            "reconstruction-summed-and-divergence-averaged",
        ),
        Mistake(
            "This is one number for each image. An optimiser needs a single one: average over the images.",
            lambda x, logits, mu, log_var: _reconstruction(x, logits) + gaussian_kl(mu, log_var),
            "one-number-an-image",
        ),
        Mistake(
            "This is the ELBO, to be raised. A loss is lowered: return minus the ELBO.",
            lambda x, logits, mu, log_var: -vae_loss(x, logits, mu, log_var),
            "sign",
        ),
        Mistake(
            "The KL enters with the wrong sign: this loss rewards a q far from the prior. ELBO = log p(x|z) − KL, so minus the ELBO adds the KL.",
            lambda x, logits, mu, log_var: (_reconstruction(x, logits) - gaussian_kl(mu, log_var)).mean(),
            "sign-of-divergence",
        ),
        Mistake(
            "The reconstruction enters with the wrong sign: this is log p(x|z) + KL, and lowering it makes the image less probable. The loss is minus log p(x|z), plus the KL.",
            lambda x, logits, mu, log_var: (gaussian_kl(mu, log_var) - _reconstruction(x, logits)).mean(),
            "sign-of-reconstruction",
        ),
        Mistake(
            "The KL is missing. Without it nothing keeps the codes where the prior has its mass, and the loss is not minus a bound on log p(x).",
            lambda x, logits, mu, log_var: _reconstruction(x, logits).mean() + 0 * (mu.sum() + log_var.sum()),
            "divergence-missing",
        ),
        Mistake(
            "This is the KL alone: the reconstruction term, minus log p(x|z), is missing.",
            lambda x, logits, mu, log_var: gaussian_kl(mu, log_var).mean() + 0 * logits.clamp(0, 1).sum(),
            "reconstruction-missing",
        ),
        Mistake(
            "The KL lacks its factor ½, so it weighs twice as much as it should.",
            lambda x, logits, mu, log_var: (_reconstruction(x, logits) + 2 * gaussian_kl(mu, log_var)).mean(),
            "factor-half-missing",
        ),
        Mistake(
            "The −1 of the KL is missing: the loss is too high by K/2, and a q equal to the prior has a KL above 0.",
            lambda x, logits, mu, log_var: vae_loss(x, logits, mu, log_var) + 0.5 * mu.shape[1],
            "minus-one-missing",
        ),
        Mistake(
            "In the KL the mean is not squared. It is ½ (μ² + σ² − 1 − log σ²).",
            lambda x, logits, mu, log_var: (_reconstruction(x, logits) + 0.5 * (mu + log_var.exp() - 1 - log_var).sum(1)).mean(),
            "mean-not-squared",
        ),
        Mistake(
            "The KL is taken the other way round, from the prior to q. The ELBO has KL(q ‖ prior), an average over q.",
            lambda x, logits, mu, log_var: (
                _reconstruction(x, logits) + 0.5 * ((1 + mu.square()) / log_var.exp() - 1 + log_var).sum(1)
            ).mean(),
            "other-direction",
        ),
        Mistake(
            "In the KL, log_var was taken for log σ. It is log σ², so σ² = exp(log_var), without a factor 2.",
            lambda x, logits, mu, log_var: (_reconstruction(x, logits) + _kl_with(mu, (2 * log_var).exp())).mean(),
            "log-var-as-log-sigma",
        ),
        Mistake(
            "In the KL, exp(log_var / 2) was taken for the variance. That is σ; the variance is exp(log_var).",
            lambda x, logits, mu, log_var: (_reconstruction(x, logits) + _kl_with(mu, (0.5 * log_var).exp())).mean(),
            "sigma-as-variance",
        ),
        Mistake(
            "In the KL, log_var was taken for the standard deviation itself. It is log σ², so σ² = exp(log_var).",
            lambda x, logits, mu, log_var: (_reconstruction(x, logits) + _kl_with(mu, log_var.square())).mean(),
            "log-var-as-sigma",
        ),
        Mistake(
            "In the KL, log_var has been squared where its exponential belongs: σ² is exp(log_var).",
            lambda x, logits, mu, log_var: (
                _reconstruction(x, logits) + 0.5 * (mu.square() + log_var.square() - 1 - log_var).sum(1)
            ).mean(),
            "squared-instead-of-exponential",
        ),
        Mistake(
            "The sigmoid has been applied twice: the logits became probabilities, and these were taken for logits again. All probabilities then lie between 0.5 and 0.73.",
            lambda x, logits, mu, log_var: vae_loss(x, torch.sigmoid(logits), mu, log_var),
            "sigmoid-twice",
        ),
        Mistake(
            "In the reconstruction x and logits have changed places: binary_cross_entropy_with_logits takes the logits first, and x second.",
            lambda x, logits, mu, log_var: (gaussian_kl(mu, log_var) + (F.softplus(x) - x * logits).sum(1)).mean(),
            "arguments-swapped",
        ),
        Mistake(
            "In the reconstruction only the pixels that are 1 are counted. A pixel that is 0 has a probability too, and its logarithm belongs to the sum.",
            lambda x, logits, mu, log_var: (gaussian_kl(mu, log_var) - (x * F.logsigmoid(logits)).sum(1)).mean(),
            "ink-alone",
        ),
        Mistake(
            "The reconstruction is the squared error between x and the probabilities. That is another likelihood, a Gaussian with a fixed scale; here pixels are zeros and ones, with log p(x|z) from the logits.",
            lambda x, logits, mu, log_var: ((x - torch.sigmoid(logits)).square().sum(1) + gaussian_kl(mu, log_var)).mean(),
            "squared-error",
        ),
        Mistake(
            "The formula is right, but in floating point sigmoid(−1000) is exactly 0. Its logarithm is −inf, and 0 · (−inf) is NaN. Compute the log-probability from the logits, with softplus.",
            lambda x, logits, mu, log_var: (_naive_reconstruction(x, logits) + gaussian_kl(mu, log_var)).mean(),
            "zero-times-inf",
        ),
        Mistake(
            "A small number has been added inside the logarithm to avoid log 0. That changes the model: a pixel with the wrong value at a logit of 1000 then costs −log(1e-8), about 18 nats, not 1000. Compute the log-probability from the logits, with softplus.",
            lambda x, logits, mu, log_var: (_naive_reconstruction(x, logits, 1e-8) + gaussian_kl(mu, log_var)).mean(),
            "small-number-added",
        ),
        Mistake(
            "binary_cross_entropy of the probabilities limits the cost of one pixel to 100 nats without a warning, and has no gradient there. binary_cross_entropy_with_logits has no such limit.",
            lambda x, logits, mu, log_var: (
                F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="none").sum(1) + gaussian_kl(mu, log_var)
            ).mean(),
            "limited-to-100-nats",
        ),
    ),
)


class Pixels(nn.Module):
    """The smallest model that can be trained: seven independent pixels, one logit each, and no latents."""

    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(normal(7, seed=10))

    def loss(self, x: Tensor) -> Tensor:
        return -bernoulli(self.logits).log_prob(x).mean()


def two_steps(what: str, make: Callable) -> Probe:
    """Two calls in a row, with two batches: what is returned, and where the weights are after each.

    Where they never move, the order of backward (1) and step (2) is seen too: it says why.
    """

    def look(answer: Answer) -> dict[str, Sight]:
        model = Pixels()
        optimiser, start = make(model.parameters()), model.logits.detach().clone()
        order, weights, losses, seen = [], [], [], {}
        model.logits.register_hook(lambda _: order.append(1.0))
        optimiser.register_step_pre_hook(lambda *_: order.append(2.0))
        for seed in (11, 12):
            x = coins(3, 7, seed=seed)
            try:
                losses.append(_number(answer(model, optimiser, x)))
            except RuntimeError as error:
                if "modified by an inplace operation" not in str(error):
                    raise
                return {"result": _CHANGED}
            weights.append(model.logits.detach().clone())
            if not torch.equal(x, coins(3, 7, seed=seed)):
                seen["inputs"] = Odd(
                    "It changes x in place. Make a new tensor instead, because the next epoch needs the old one.", "in place"
                )
        seen["The model after each of two steps"] = Seen(torch.stack(weights))
        odd = [loss for loss in losses if isinstance(loss, Odd)]
        seen["The loss that it returned"] = odd[0] if odd else Seen(torch.stack([loss.value for loss in losses]), losses[0].double)
        if all(torch.equal(w, start) for w in weights):
            seen["order"] = Seen(torch.tensor(order, dtype=torch.float64))
        return seen

    return Probe(what, look)


_CHANGED = Odd(
    "Between model.loss(x) and backward() something that the gradient needs was changed in place, for instance the parameters by a step. First backward(), then step().",
    "changed before backward",
)


def _number(result: object) -> Sight:
    if isinstance(result, Tensor) and result.requires_grad:
        return Odd("The loss that it returned still holds its graph. Return a number: loss.item().", "graph")
    if isinstance(result, (Tensor, np.ndarray)):
        return Odd("The loss that it returned is a tensor. Return a Python float: loss.item().", "tensor")
    return as_seen(result)


def training_step(model, optimiser, x):
    loss = model.loss(x)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


def _step(backward: Callable = lambda loss: loss.backward(), returned: Callable = lambda loss, x: loss.item()) -> Answer:
    """training_step with another backward pass, or another thing returned."""

    def step(model, optimiser, x):
        loss = model.loss(x)
        optimiser.zero_grad()
        backward(loss)
        optimiser.step()
        return returned(loss, x)

    return step


def _never_cleared(model, optimiser, x):
    loss = model.loss(x)
    loss.backward()
    optimiser.step()
    return loss.item()


def _step_then_backward(model, optimiser, x):
    loss = model.loss(x)
    optimiser.zero_grad()
    optimiser.step()
    loss.backward()
    return loss.item()


def _one_late(model, optimiser, x):
    optimiser.step()
    return _no_step(model, optimiser, x)


def _cleared_too_late(model, optimiser, x):
    loss = model.loss(x)
    loss.backward()
    optimiser.zero_grad()
    optimiser.step()
    return loss.item()


def _no_step(model, optimiser, x):
    loss = model.loss(x)
    optimiser.zero_grad()
    loss.backward()
    return loss.item()


def _stepped_twice(model, optimiser, x):
    loss = training_step(model, optimiser, x)
    optimiser.step()
    return loss


def _trained_twice(model, optimiser, x):
    loss = training_step(model, optimiser, x)
    training_step(model, optimiser, x)
    return loss


def _by_hand(model, optimiser, x):
    loss = model.loss(x)
    optimiser.zero_grad()
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= optimiser.param_groups[0]["lr"] * p.grad
    return loss.item()


def _loss_afterwards(model, optimiser, x):
    training_step(model, optimiser, x)
    return model.loss(x).item()


def _minus_all(model, optimiser, x):
    loss = -model.loss(x)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


TRAINING_STEP = Exercise(
    name="training_step",
    statement=(
        "Write `training_step(model, optimiser, x)`: one step of training on the batch `x`, as in the loop above. `model.loss(x)` gives the loss, a "
        "scalar tensor; `optimiser` holds the model's parameters. Gradients of earlier calls must not count. Return the loss of this batch before the step, as a Python float."
    ),
    stub='''def training_step(model, optimiser, x):
    """Move the model's parameters by one step of the optimiser on the batch x -> the loss before the step, a float."""
    ...''',
    hints=(
        "Four things happen, in this order: the loss, the gradients, the step, the number to return. Note that torch adds new gradients to old ones unless they are cleared.",
        "loss = model.loss(x); optimiser.zero_grad() clears; loss.backward() fills in the gradients; optimiser.step() uses them; .item() makes a float.",
        "`loss = model.loss(x)`, and then `optimiser.zero_grad()`",
    ),
    reference=training_step,
    probes=(
        two_steps("plain gradient descent (SGD)", lambda parameters: torch.optim.SGD(parameters, lr=0.5)),
        two_steps("Adam", lambda parameters: torch.optim.Adam(parameters, lr=0.1)),
    ),
    mistakes=(
        Mistake(
            "The gradients are never cleared. backward() adds to what is there, so the second step still depends on the first batch. Call optimiser.zero_grad() once in every step.",
            _never_cleared,
            "never-cleared",
        ),
        Mistake(
            "The model never moves: step() is called before backward(), on gradients that have been cleared. First the gradients, then the step.",
            _step_then_backward,
            "cleared-before-step-without-gradients",
        ),
        Mistake(
            "step() is called before backward(), so each step uses the gradients of the call before it: the first call moves nothing, and the second uses the first batch. First the gradients, then the step.",
            _one_late,
            "step-before-backward",
        ),
        Mistake(
            "The model never moves: the gradients are cleared between backward() and step(), and the step finds none. Clear them before backward(), or after the step.",
            _cleared_too_late,
            "cleared-between",
        ),
        Mistake(
            "The gradients are computed, but optimiser.step() is not called, so the model does not move.",
            _no_step,
            "no-step",
        ),
        Mistake(
            "step() is called, but no gradient has been computed, so the model does not move. backward() is missing.",
            _step(backward=lambda loss: None),
            "no-backward",
        ),
        Mistake(
            "The loss is computed, but neither backward() nor step() is called.",
            lambda model, optimiser, x: model.loss(x).item(),
            "neither",
        ),
        Mistake(
            "The sign of the loss was turned at the start: the step goes uphill, and the number returned is minus the loss. model.loss is a loss already.",
            _minus_all,
            "uphill-and-sign",
        ),
        Mistake(
            "The step goes uphill. The optimiser lowers what backward() was called on, and model.loss is a loss already: no minus sign.",
            _step(backward=lambda loss: (-loss).backward()),
            "uphill",
        ),
        Mistake(
            "It returns the tensor with its whole graph. A list of such losses keeps the graph of every batch in memory. Return a number: loss.item().",
            _step(returned=lambda loss, x: loss),
            "returns-graph",
        ),
        Mistake(
            "The step is right. The number returned is the loss after it, on weights that have been trained on this batch. Return the loss before the step, which needs no second pass.",
            _loss_afterwards,
            "loss-after-step",
        ),
        Mistake(
            "The step is right. The loss returned is multiplied by the number of images; model.loss is an average over images already, so return it as it is.",
            _step(returned=lambda loss, x: loss.item() * len(x)),
            "loss-times-images",
        ),
        Mistake(
            "The step is right. The loss returned is divided by the number of images; model.loss is an average over images already.",
            _step(returned=lambda loss, x: loss.item() / len(x)),
            "loss-divided-by-images",
        ),
        Mistake(
            "The loss has been divided by the number of images before backward(). It is an average over images already: the steps of plain gradient descent become B times too small.",
            lambda model, optimiser, x: _step(lambda loss: (loss / len(x)).backward(), lambda loss, x: loss.item() / len(x))(
                model, optimiser, x
            ),
            "divided-before-backward",
        ),
        Mistake(
            "The optimiser takes two steps with the same gradients: call step() once.",
            _stepped_twice,
            "step-twice",
        ),
        Mistake(
            "These are two steps of training on the batch. Take only one.",
            _trained_twice,
            "two-steps",
        ),
        Mistake(
            "The parameters are moved by hand, against the gradient. That is what SGD does, but other optimisers do more. Call optimiser.step(), which is right for each of them.",
            _by_hand,
            "by-hand",
        ),
        Mistake(
            "A new Adam is made at every call, and the optimiser that was passed does nothing. Adam remembers earlier gradients, so use the one that is given.",
            lambda model, optimiser, x: training_step(model, torch.optim.Adam(model.parameters(), lr=1e-3), x),
            "new-optimiser",
        ),
    ),
)

EXERCISES = (VAE_LOSS, TRAINING_STEP)

QUIZ = (
    Question(
        "Why is one sample of z for each image enough in training?",
        (
            (
                "The gradient is unbiased, and there are many steps.",
                "By (8.1) one sample gives an unbiased estimate, and many small steps average its noise out.",
            ),
            (
                "One sample has hardly any noise.",
                "It is noisy. What matters is that its average is right, and that the training takes many small steps.",
            ),
            (
                "z is fixed once x is known.",
                "q(z|x) is a distribution, and each call samples from it again. Only if q shrinks to a point is z fixed.",
            ),
        ),
        0,
    ),
    Question(
        "The reconstruction is averaged over D pixels, and the KL is summed over latents. What do you train?",
        (
            (
                "The same VAE.",
                "It would be the same if both terms had been divided. Only one of them was, and that changes where the minimum lies.",
            ),
            ("A VAE with a larger likelihood.", "The loss is no longer minus the ELBO: the KL weighs D times too much."),
            (
                "A VAE whose KL weighs D times as much.",
                "Multiply the loss by D: by (8.5) the reconstruction has its usual size, and the KL has the weight D, 784 for the digits.",
            ),
        ),
        2,
    ),
    Question(
        "Training is over, and you want new images. What do you need?",
        (
            ("Encoder and decoder.", "The encoder needs an image as its input. New images start from a sample of the prior."),
            (
                "Prior and decoder.",
                "They are the model of the images: z from N(0, I), then x from p(x|z). The encoder was needed for training.",
            ),
            ("The encoder alone.", "It computes the parameters of q(z|x) from an image. It produces no image."),
        ),
        1,
    ),
    Question(
        "A better diagonal normal q exists for this image, but the encoder did not propose it. What is that gap called, and what helps?",
        (
            (
                "Amortisation gap: a better encoder.",
                "One network serves all images. A better one, or a few gradient steps on q for this image, comes closer to the best q.",
            ),
            ("Approximation gap: a richer q.", "That is the part that remains even for the best q of the family. Here a better q exists."),
            (
                "Sampling noise: more samples.",
                "The ELBO of a given q is a fixed number. More samples estimate it better, but do not raise it.",
            ),
        ),
        0,
    ),
    Question(
        "From 4,000 samples of the encoder's q for one digit you compute a standard error of 0.1 nats. May you trust it?",
        (
            ("Yes: 4,000 samples are many.", "All of them may lie around one mode, while most of the posterior lies around another."),
            (
                "Yes, if training had converged.",
                "Convergence concerns the average over the training images. For a single digit the proposal may still be wrong.",
            ),
            (
                "Not by that alone.",
                "A standard error computed from samples contains nothing about regions that no sample reached. A mixture with the prior reaches more of them. Where there is an exact value, compare with it.",
            ),
        ),
        2,
    ),
)
