"""Exercises and quiz of notebook 07, "How do we differentiate through a sample?"."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaecourse.exercises import Question
from vaecourse.exercises.engine import Answer, Exercise, Mistake, Odd, Probe, Seen, Sight, as_seen, call, gradient, normal
from vaecourse.gradients import leave_one_out, reparameterise, score_function_loss


def ordinary_noise() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)  # an answer that samples noise of its own gets the same each time
    return 1.5 * normal(3, 4, seed=1), normal(3, 4, seed=2), normal(3, 4, seed=3)


def extreme_widths() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    mu = torch.tensor([[0.0, 1000.0, 0.0, -1000.0], [0.5, 0.0, -0.25, 64.0], [0.0, -2.0, 0.0, 3.0]], dtype=torch.float64)
    log_var = torch.tensor([[-40.0, 6.0, -20.0, 12.0], [4.0, -24.0, 10.0, -1.0], [8.0, -0.5, -16.0, 14.0]], dtype=torch.float64)
    return mu, log_var, 1 + normal(3, 4, seed=4).abs()


def _again(answer: Answer) -> dict[str, Sight]:
    """Two calls with the same noise: is the result the same?"""
    results = [as_seen(answer(*ordinary_noise()))]
    mu, log_var, eps = ordinary_noise()
    torch.manual_seed(1)
    results.append(as_seen(answer(mu, log_var, eps)))
    seen = [r for r in results if isinstance(r, Seen)]
    if len(seen) == 2 and not torch.equal(seen[0].value.nan_to_num(), seen[1].value.nan_to_num()):
        return {"again": Odd("Two calls with the same arguments gave different results: use eps as the noise, and no other.", "random")}
    return {}


REPARAMETERISE = Exercise(
    name="reparameterise",
    statement=(
        "Write `reparameterise(mu, log_var, eps)`: the sample $z$ from $\\mathcal{N}(\\mu, \\mathrm{diag}\\,\\sigma^2)$ that (7.3) computes from the noise `eps`. "
        "`log_var` holds $\\log \\sigma^2$. "
        "The gradient must flow through $z$ to `mu` and `log_var`."
    ),
    stub='''def reparameterise(mu, log_var, eps):
    """mu (B, K), log_var (B, K), eps (B, K) from N(0, I) -> z (B, K) from N(mu, exp(log_var))."""
    ...''',
    hints=(
        "The noise eps is given. Scale it and shift it, with torch operations on mu and log_var.",
        "(7.3): z = μ + σ ε. log_var is log σ² = 2 log σ.",
        "`sigma = torch.exp(…)`: what belongs in the brackets?",
    ),
    reference=reparameterise,
    axes="that of mu",
    probes=(
        Probe("the same noise twice", _again, aside=True),  # first, so that an answer that samples noise of its own is told so
        call("ordinary numbers", ordinary_noise),
        call("very narrow and very wide latents", extreme_widths),
        gradient("the gradient", ordinary_noise, {0: "mu", 1: "log_var"}, optional=False),
    ),
    mistakes=(
        Mistake(
            "exp(log_var) was used as σ. That is the variance, but the noise is multiplied by the standard deviation. Halve the logarithm first.",
            lambda mu, log_var, eps: mu + log_var.exp() * eps,
            "variance-as-sigma",
        ),
        Mistake(
            "The noise is squared and multiplied by the variance, so z is never below μ. Multiply the noise itself by the standard deviation.",
            lambda mu, log_var, eps: mu + log_var.exp() * eps.square(),
            "noise-squared",
        ),
        Mistake(
            "This is mu, with no noise at all. Multiply eps by σ and add it.",
            lambda mu, log_var, eps: mu + 0 * log_var,
            "mean-alone",
        ),
        Mistake(
            "mu and eps have changed places: multiply eps by σ, then add mu.",
            lambda mu, log_var, eps: (0.5 * log_var).exp() * mu + eps,
            "mean-and-noise-swapped",
        ),
        Mistake(
            "The noise is multiplied by log_var itself, which is a logarithm and may be negative. σ is the exponential of half of it.",
            lambda mu, log_var, eps: mu + log_var * eps,
            "log-var-as-sigma",
        ),
        Mistake(
            "The noise is multiplied by log σ, half of log_var. σ is its exponential.",
            lambda mu, log_var, eps: mu + 0.5 * log_var * eps,
            "log-sigma-as-sigma",
        ),
        Mistake(
            "eps does not enter: this is μ + σ, whatever the noise is.",
            lambda mu, log_var, eps: mu + (0.5 * log_var).exp(),
            "noise-missing",
        ),
        Mistake(
            "mu is missing: this is a sample from a normal with mean 0.",
            lambda mu, log_var, eps: (0.5 * log_var).exp() * eps,
            "mean-missing",
        ),
        Mistake(
            "log_var does not enter: this is a sample with standard deviation 1.",
            lambda mu, log_var, eps: mu + eps + 0 * log_var,
            "unit-variance",
        ),
        Mistake(
            "The noise is subtracted. That is a sample from the same distribution, but (7.3) adds it.",
            lambda mu, log_var, eps: mu - (0.5 * log_var).exp() * eps,
            "noise-subtracted",
        ),
        Mistake(
            "New noise was sampled inside the function, and eps thrown away. Use eps.",
            lambda mu, log_var, eps: reparameterise(mu, log_var, torch.randn_like(mu)),
            "own-noise",
        ),
        Mistake(
            "The square root of log_var was taken, which is NaN where it is negative. σ is the square root of the variance, and log_var is the logarithm of the variance.",
            lambda mu, log_var, eps: mu + log_var.sqrt() * eps,
            "root-of-log-var",
        ),
        Mistake(
            "log_var was doubled. Halve it.",
            lambda mu, log_var, eps: mu + (2 * log_var).exp() * eps,
            "log-var-doubled",
        ),
        Mistake(
            "The sign of log_var is wrong: wide latents become narrow, and narrow ones wide.",
            lambda mu, log_var, eps: mu + (-0.5 * log_var).exp() * eps,
            "sign-of-log-var",
        ),
        Mistake(
            "The ½ stands outside of the exponential: half of the variance is not its square root.",
            lambda mu, log_var, eps: mu + 0.5 * log_var.exp() * eps,
            "half-outside",
        ),
        Mistake(
            "The root was taken twice: exp(log_var / 2) is the standard deviation already.",
            lambda mu, log_var, eps: mu + (0.25 * log_var).exp() * eps,
            "root-twice",
        ),
        Mistake(
            "softplus was taken for the exponential. With log_var as the logarithm of the variance, σ is an exponential.",
            lambda mu, log_var, eps: mu + torch.nn.functional.softplus(log_var) * eps,
            "softplus",
        ),
        Mistake(
            "The numbers are right, but no gradient reaches mu or log_var, as with .sample(): the path is cut. Use torch operations, without .detach() and no_grad().",
            lambda mu, log_var, eps: reparameterise(mu, log_var, eps).detach(),
            "detached",
        ),
        Mistake(
            "The numbers are right, but log_var is cut off: its gradient is 0, so training would not change the width of q. Do not detach σ.",
            lambda mu, log_var, eps: reparameterise(mu, log_var.detach(), eps),
            "log-var-detached",
        ),
        Mistake(
            "The numbers are right, but mu is cut off: its gradient is 0, so training would not move q. Do not detach mu.",
            lambda mu, log_var, eps: reparameterise(mu.detach(), log_var, eps),
            "mean-detached",
        ),
    ),
)


def _slope(what: str, arguments: Callable[[], tuple[Tensor, Tensor]], f_too: bool = False) -> Probe:
    """Looks at the gradient of a scalar in log_q, and in f where it carries one too; the value of the scalar is free."""

    def look(answer: Answer) -> dict[str, Sight]:
        f, log_q = arguments()
        f, log_q = f.requires_grad_(f_too), log_q.requires_grad_()
        result = answer(f, log_q)
        seen = as_seen(result)
        if isinstance(seen, Odd):
            return {"value": seen}
        if not isinstance(result, Tensor):
            return {
                "value": Odd("It returned a number without a gradient: backward() needs a torch tensor that is made of log_q.", "number")
            }
        if result.numel() != 1:
            return {"value": Seen(torch.zeros(result.shape))}
        if not result.requires_grad:
            return {
                "value": Odd("No gradient flows from the result: backward() would refuse. log_q must keep its gradient.", "no gradient")
            }
        wrt = {"log_q": log_q, "f": f} if f_too else {"log_q": log_q}
        double = result.dtype == torch.float64
        slopes = torch.autograd.grad(result.sum(), list(wrt.values()), allow_unused=True)
        slopes = [torch.zeros_like(at) if g is None else g for at, g in zip(wrt.values(), slopes)]
        return {"value": Seen(torch.zeros(()))} | {f"gradient in {name}": Seen(g.double(), double) for name, g in zip(wrt, slopes)}

    return Probe(what, look)


def ordinary_weights() -> tuple[Tensor, Tensor]:
    return 3 * normal(5, seed=5) - 0.5, normal(5, seed=6) - 1.5


def large_weights() -> tuple[Tensor, Tensor]:
    """f around 1000, and densities so small that they are 0 as they stand."""
    return 1000 + normal(7, seed=7), 3 * normal(7, seed=8) - 10_000


def _standardised(f: Tensor) -> Tensor:
    return (f - f.mean()) / f.std()


SCORE_FUNCTION_LOSS = Exercise(
    name="score_function_loss",
    statement=(
        "Write `score_function_loss(f, log_q)`, on which we can call `backward()`: a scalar whose gradient is the score-function estimate of $\\nabla_{\\!\\phi}\\, \\mathbb{E}_{q_\\phi}[f(z)]$, the average of the bracket in (7.6) over S samples, without a baseline. `f` holds $f(z_s)$ and `log_q` holds $\\log q_\\phi(z_s)$. The gradient flows through `log_q` and not through `f`."
    ),
    stub='''def score_function_loss(f, log_q):
    """f (S,), log_q (S,) -> a scalar; its gradient is the average over the samples of f times the gradient of log_q."""
    ...''',
    hints=(
        "Which of the two factors in (7.6) is differentiated, and which is only a weight?",
        "The gradient wanted is (1/S) Σ_s f(z_s) ∇ log q(z_s). Of which sum is this the gradient, if every f(z_s) is a constant?",
        "`weights = f.detach()`",
    ),
    reference=score_function_loss,
    axes="a scalar",
    probes=(
        _slope("ordinary numbers", ordinary_weights),
        _slope("f around 1000 and log_q near -10,000", large_weights),
        _slope("an f that carries a gradient of its own", ordinary_weights, f_too=True),
    ),
    mistakes=(
        Mistake(
            "A gradient flows through f as well. In (7.6) f is only a weight of the score: hold it constant with .detach().",
            lambda f, log_q: (f * log_q).mean(),
            "gradient-through-f",
        ),
        Mistake(
            "The gradient is that of q, not of log q: log_q has been exponentiated. The score is the gradient of log q.",
            lambda f, log_q: (f.detach() * log_q.exp()).mean(),
            "exponentiated",
        ),
        Mistake(
            "log_q has been exponentiated, so the gradient is that of q and not of log q. A gradient flows through f as well.",
            lambda f, log_q: (f * log_q.exp()).mean(),
            "exponentiated-and-gradient-through-f",
        ),
        Mistake(
            "This is a sum over the samples: its gradient is S times the estimate. An expectation is estimated by the mean.",
            lambda f, log_q: (f.detach() * log_q).sum(),
            "sum-over-samples",
        ),
        Mistake(
            "This is a sum over the samples, so its gradient is S times the estimate. And a gradient flows through f as well.",
            lambda f, log_q: (f * log_q).sum(),
            "sum-and-gradient-through-f",
        ),
        Mistake(
            "The sign is wrong: this is the gradient of −E[f]. An optimiser that minimises would need it to maximise E[f], but the exercise asks for the gradient of E[f].",
            lambda f, log_q: -(f.detach() * log_q).mean(),
            "sign",
        ),
        Mistake(
            "The sign is wrong: this is the gradient of −E[f]. And a gradient flows through f as well.",
            lambda f, log_q: -(f * log_q).mean(),
            "sign-and-gradient-through-f",
        ),
        Mistake(
            "The wrong factor has been detached: log_q carries the parameters of q and must keep its gradient; f must be held constant.",
            lambda f, log_q: (f * log_q.detach()).mean(),
            "wrong-factor-detached",
        ),
        Mistake(
            "Everything has been detached, so no gradient is left. log_q must keep its gradient.",
            lambda f, log_q: (f * log_q).mean().detach(),
            "everything-detached",
        ),
        Mistake(
            "This is the mean of f alone. The samples are plain numbers; only log_q depends on the parameters of q.",
            lambda f, log_q: f.mean(),
            "f-alone",
        ),
        Mistake(
            "f does not weigh the scores: every sample has the same weight, and by (7.2) the expectation is then 0. Multiply log_q by f, sample by sample.",
            lambda f, log_q: log_q.mean(),
            "f-missing",
        ),
        Mistake(
            "Every sample is weighted by the mean of f: either two means were multiplied, or shapes (S, 1) and (S,) broadcast to (S, S). Multiply sample by sample, then average.",
            lambda f, log_q: f.detach().mean() * log_q.mean(),
            "mean-of-f",
        ),
        Mistake(
            "Every sample is weighted by the mean of f instead of its own value. And a gradient flows through f as well. Multiply sample by sample, then average.",
            lambda f, log_q: f.mean() * log_q.mean(),
            "mean-of-f-and-gradient-through-f",
        ),
        Mistake(
            "There is one number for each sample; backward() needs a scalar. Average over the samples.",
            lambda f, log_q: f.detach() * log_q,
            "not-averaged",
        ),
        Mistake(
            "The mean of all f has been subtracted. It contains the sample's own value, so the estimate with leave-one-out is multiplied by 1 − 1/S. The exercise asks for no baseline.",
            lambda f, log_q: ((f - f.mean()).detach() * log_q).mean(),
            "own-mean-subtracted",
        ),
        Mistake(
            "The mean of the others has been subtracted. That is unbiased too, by (7.9), but the exercise asks for the estimate without a baseline.",
            lambda f, log_q: (leave_one_out(f).detach() * log_q).mean(),
            "others-mean-subtracted",
        ),
        Mistake(
            "f has been standardised. Divided by its standard deviation, it no longer gives the gradient of E[f]. Use f as it is.",
            lambda f, log_q: (_standardised(f).detach() * log_q).mean(),
            "standardised",
        ),
        Mistake(
            "The gradient of f itself has been added to the estimate. That can be right if f contains the parameters, but here f must be held constant.",
            lambda f, log_q: (f + f.detach() * log_q).mean(),
            "pathwise-added",
        ),
        Mistake(
            "The weights are softmax(f) instead of f. In (7.6) f itself is the weight, whatever its sign and size.",
            lambda f, log_q: (torch.softmax(f.detach(), 0) * log_q).sum(),
            "softmax",
        ),
    ),
)


def ordinary_values() -> tuple[Tensor]:
    return (2 + 3 * normal(5, seed=9),)


def two_values() -> tuple[Tensor]:
    return (torch.tensor([1.5, -4.25], dtype=torch.float64),)


def high_values() -> tuple[Tensor]:
    """Around 1000, and by 64ths, so that single precision loses nothing."""
    return (1000 + (64 * normal(7, seed=10)).round() / 64,)


LEAVE_ONE_OUT = Exercise(
    name="leave_one_out",
    statement=(
        "Write `leave_one_out(f)`: for each sample, $f(z_s)$ minus the mean of $f$ over the *other* samples, which is $a_s$ in (7.9)."
    ),
    stub='''def leave_one_out(f):
    """f (S,), S >= 2 -> each value minus the mean of the others, (S,)."""
    ...''',
    hints=(
        "The sum of the others is the sum of all minus the sample's own value. How many others are there?",
        "(7.9): f_s − (Σ_t f_t − f_s) / (S − 1), which is S/(S − 1) times (f_s − mean of all).",
        "`others = f.sum() - f`",
    ),
    reference=leave_one_out,
    axes="one number for each sample",
    probes=(
        call("five values", ordinary_values),
        call("two values", two_values),
        call("seven values around 1000", high_values),
    ),
    mistakes=(
        Mistake(
            "The mean of all samples was subtracted, its own value included. That multiplies every entry by 1 − 1/S. Leave the sample itself out.",
            lambda f: f - f.mean(),
            "own-value-included",
        ),
        Mistake(
            "This is the mean of the others, the baseline itself. Subtract it from f.",
            lambda f: f - leave_one_out(f),
            "baseline-itself",
        ),
        Mistake(
            "The sign is wrong: this is the mean of the others minus f.",
            lambda f: -leave_one_out(f),
            "sign",
        ),
        Mistake(
            "The sum of the others was subtracted. The baseline is their mean: divide by their number.",
            lambda f: 2 * f - f.sum(),
            "sum-of-others",
        ),
        Mistake(
            "The sum of the others was divided by S, but they are one fewer.",
            lambda f: f - (f.sum() - f) / len(f),
            "divided-by-s",
        ),
        Mistake(
            "The sum of all was divided by S − 1. It still contains the sample's own value: take it out first.",
            lambda f: f - f.sum() / (len(f) - 1),
            "own-value-in-sum",
        ),
        Mistake(
            "The factor is the wrong way up: (S − 1)/S makes the entries smaller. Leaving the sample out makes them larger than f minus the mean of all.",
            lambda f: (f - f.mean()) * (len(f) - 1) / len(f),
            "factor-upside-down",
        ),
        Mistake(
            "This is one number, a sum or a mean over the samples, and it is 0 for every f. Keep one number for each sample.",
            lambda f: leave_one_out(f).sum(),
            "one-number",
        ),
        Mistake(
            "f has been standardised: it was also divided by its standard deviation. Subtract only the baseline.",
            _standardised,
            "standardised",
        ),
        Mistake(
            "Only one other sample is the baseline, the one before. That is unbiased too, but noisier: use the mean of all the others.",
            lambda f: f - f.roll(1),
            "one-before",
        ),
        Mistake(
            "Only one other sample is the baseline, the one after. That is unbiased too, but noisier: use the mean of all the others.",
            lambda f: f - f.roll(-1),
            "one-after",
        ),
        Mistake(
            "f has been divided by the mean of the others. A baseline is subtracted.",
            lambda f: f / (f - leave_one_out(f)),
            "divided",
        ),
        Mistake(
            "f is returned as it was, with nothing subtracted.",
            lambda f: f.clone(),
            "nothing-subtracted",
        ),
        Mistake(
            "The mean of the others has been added. A baseline is subtracted.",
            lambda f: 2 * f - leave_one_out(f),
            "added",
        ),
        Mistake(
            "These are the differences of all pairs. Average them over the other samples.",
            lambda f: f[:, None] - f,
            "all-pairs",
        ),
        Mistake(
            "The largest of the others is the baseline. Use their mean.",
            lambda f: f - torch.stack([torch.cat([f[:s], f[s + 1 :]]).max() for s in range(len(f))]),
            "largest-other",
        ),
    ),
)

EXERCISES = (REPARAMETERISE, SCORE_FUNCTION_LOSS, LEAVE_ONE_OUT)

QUIZ = (
    Question(
        "A VAE is trained with q.sample() instead of q.rsample(), and with the KL in closed form. What do we see?",
        (
            (
                "An error at backward().",
                "The KL still leads back to the encoder, and the log-likelihood to the decoder, so backward() works.",
            ),
            (
                "A loss that falls, and a KL near zero.",
                "Only the gradient of the KL reaches the encoder, and it makes every q the prior. The decoder learns an average image.",
            ),
            ("A loss that stays where it is.", "The decoder still learns the average image, and that lowers the loss."),
        ),
        1,
    ),
    Question(
        "f jumps from 0 to 1 at some z, and q is a normal. Which estimator of the gradient of E[f(z)] is unbiased?",
        (
            ("The score function.", "It uses only the values of f, and needs a smooth q, not a smooth f."),
            ("The pathwise estimator.", "f is flat at almost every z, so each sample gives 0, and the jump is not noticed."),
            ("Both of them.", "The pathwise one is 0 for every sample, but the true gradient is not."),
            ("Neither of them.", "E[f(z)] is smooth in the parameters of q, and one of the two estimators is unbiased here."),
        ),
        0,
    ),
    Question(
        "A constant is subtracted from f in the score-function estimator. What does that change?",
        (
            ("Its mean and its variance.", "The mean of the score is 0, so a constant times the score adds nothing on average."),
            ("Nothing at all.", "Each single estimate changes, and so does their variance."),
            (
                "Its variance, not its mean.",
                "By (7.2) the subtracted part is 0 on average. In general the variance changes, and a good constant lowers it.",
            ),
        ),
        2,
    ),
    Question(
        "Why is the baseline the mean of the other samples, and not the mean of all?",
        (
            ("It has the lower variance.", "It is a mean of one sample fewer, and scatters a little more. There is another reason."),
            (
                "It is independent of the sample it is used for.",
                "So it acts as a constant, and the estimate stays unbiased. With the mean of all it would be multiplied by 1 − 1/S.",
            ),
            ("It is cheaper to compute.", "Both cost one sum. By (7.9) the two differences differ only by a factor."),
        ),
        1,
    ),
    Question(
        "f is differentiable, but rises steeply over a region much narrower than q. Which estimator would you choose?",
        (
            (
                "The pathwise one, because f is differentiable.",
                "It is unbiased. But few samples fall in the steep region, and their derivatives are large.",
            ),
            ("The score function, because its variance is always lower.", "For a smooth f on the scale of q it was the higher one."),
            (
                "I would compare their variances on some samples.",
                "Both are unbiased, and which one scatters less depends on f and q. In the limit of a jump the pathwise one fails.",
            ),
        ),
        2,
    ),
)
