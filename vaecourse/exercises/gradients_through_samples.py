"""Exercises and quiz of notebook 07, "How do we differentiate through a sample?"."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaecourse.exercises import Question
from vaecourse.exercises.engine import Answer, Exercise, Mistake, Odd, Probe, Seen, Sight, as_seen, call, gradient, normal
from vaecourse.gradients import leave_one_out, reparameterise, score_function_loss


def ordinary_draw() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)  # whoever draws noise of their own draws the same each time
    return 1.5 * normal(3, 4, seed=1), normal(3, 4, seed=2), normal(3, 4, seed=3)


def extreme_draw() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    mu = torch.tensor([[0.0, 1000.0, 0.0, -1000.0], [0.5, 0.0, -0.25, 64.0], [0.0, -2.0, 0.0, 3.0]], dtype=torch.float64)
    log_var = torch.tensor([[-40.0, 6.0, -20.0, 12.0], [4.0, -24.0, 10.0, -1.0], [8.0, -0.5, -16.0, 14.0]], dtype=torch.float64)
    return mu, log_var, 1 + normal(3, 4, seed=4).abs()


def _again(answer: Answer) -> dict[str, Sight]:
    """Two calls with the same noise: is the result the same?"""
    results = [as_seen(answer(*ordinary_draw()))]
    mu, log_var, eps = ordinary_draw()
    torch.manual_seed(1)
    results.append(as_seen(answer(mu, log_var, eps)))
    seen = [r for r in results if isinstance(r, Seen)]
    if len(seen) == 2 and not torch.equal(seen[0].value.nan_to_num(), seen[1].value.nan_to_num()):
        return {"again": Odd("Two calls with the same arguments gave different results: the noise is to be eps, and no other.", "random")}
    return {}


REPARAMETERISE = Exercise(
    name="reparameterise",
    statement=(
        "Write `reparameterise(mu, log_var, eps)`: the draw $z$ from $\\mathcal{N}(\\mu, \\mathrm{diag}\\,\\sigma^2)$ that (7.3) makes of the noise `eps`, "
        "which is a draw from $\\mathcal{N}(0, I)$. All three have the shape (B, K), and so has the result; `log_var` holds $\\log \\sigma^2$. "
        "The gradient must flow through it to `mu` and `log_var`."
    ),
    stub='''def reparameterise(mu, log_var, eps):
    """mu (B, K), log_var (B, K), eps (B, K) from N(0, I) -> z (B, K) from N(mu, exp(log_var))."""
    ...''',
    hints=(
        "The dice have been thrown: eps is given. What is left is to shift and to stretch it, by torch operations on mu and log_var.",
        "(7.3): z = μ + σ ε. log_var is log σ² = 2 log σ.",
        "`sigma = torch.exp(…)`: of what?",
    ),
    reference=reparameterise,
    axes="that of mu",
    probes=(
        Probe("the same noise twice", _again, aside=True),  # first: whoever draws noise of their own is told so
        call("ordinary numbers", ordinary_draw),
        call("very narrow and very wide latents", extreme_draw),
        gradient("the gradient", ordinary_draw, {0: "mu", 1: "log_var"}, optional=False),
    ),
    mistakes=(
        Mistake(
            "exp(log_var) was used as σ. That is the variance; the noise is stretched by the standard deviation. Halve the logarithm first.",
            lambda mu, log_var, eps: mu + log_var.exp() * eps,
        ),
        Mistake(
            "The noise is squared, and stretched by the variance: it never falls below μ. The noise goes in as it is, times the standard deviation.",
            lambda mu, log_var, eps: mu + log_var.exp() * eps.square(),
        ),
        Mistake(
            "This is mu, with no noise at all. A draw needs eps: stretch it, then shift it.",
            lambda mu, log_var, eps: mu + 0 * log_var,
        ),
        Mistake(
            "mu and eps have changed places: the noise is to be stretched by σ, and mu to be added.",
            lambda mu, log_var, eps: (0.5 * log_var).exp() * mu + eps,
        ),
        Mistake(
            "The noise is stretched by log_var itself, which may be negative. It is a logarithm: σ is an exponential.",
            lambda mu, log_var, eps: mu + log_var * eps,
        ),
        Mistake(
            "The noise is stretched by log σ, half of log_var. σ is its exponential.",
            lambda mu, log_var, eps: mu + 0.5 * log_var * eps,
        ),
        Mistake(
            "eps does not enter: this is μ + σ, the same at every throw.",
            lambda mu, log_var, eps: mu + (0.5 * log_var).exp(),
        ),
        Mistake(
            "mu is missing: this is a draw around 0.",
            lambda mu, log_var, eps: (0.5 * log_var).exp() * eps,
        ),
        Mistake(
            "log_var does not enter: this is a draw with standard deviation 1.",
            lambda mu, log_var, eps: mu + eps + 0 * log_var,
        ),
        Mistake(
            "The noise is subtracted. That is a draw from the same distribution, and not the one of (7.3): add it.",
            lambda mu, log_var, eps: mu - (0.5 * log_var).exp() * eps,
        ),
        Mistake(
            "Noise of its own has been drawn inside, and eps thrown away. The dice are given: use eps.",
            lambda mu, log_var, eps: reparameterise(mu, log_var, torch.randn_like(mu)),
        ),
        Mistake(
            "The square root of log_var was taken, which is NaN where it is negative. The root belongs to the variance, and log_var is its logarithm.",
            lambda mu, log_var, eps: mu + log_var.sqrt() * eps,
        ),
        Mistake(
            "log_var was doubled where it is to be halved.",
            lambda mu, log_var, eps: mu + (2 * log_var).exp() * eps,
        ),
        Mistake(
            "The sign of log_var is turned: wide latents become narrow, and narrow ones wide.",
            lambda mu, log_var, eps: mu + (-0.5 * log_var).exp() * eps,
        ),
        Mistake(
            "The ½ stands outside of the exponential: half of the variance is not its square root.",
            lambda mu, log_var, eps: mu + 0.5 * log_var.exp() * eps,
        ),
        Mistake(
            "The root was taken twice: exp(log_var / 2) is the standard deviation already.",
            lambda mu, log_var, eps: mu + (0.25 * log_var).exp() * eps,
        ),
        Mistake(
            "softplus was taken for the exponential. With log_var as the logarithm of the variance, σ is an exponential.",
            lambda mu, log_var, eps: mu + torch.nn.functional.softplus(log_var) * eps,
        ),
        Mistake(
            "The numbers are right, and the thread is cut: no gradient reaches mu or log_var, as with .sample(). Keep to torch operations, without .detach() and no_grad().",
            lambda mu, log_var, eps: reparameterise(mu, log_var, eps).detach(),
        ),
        Mistake(
            "The numbers are right, and log_var is cut off: its gradient is 0, so that the width of q would never learn. Do not detach σ.",
            lambda mu, log_var, eps: reparameterise(mu, log_var.detach(), eps),
        ),
        Mistake(
            "The numbers are right, and mu is cut off: its gradient is 0, so that the centre of q would never learn. Do not detach it.",
            lambda mu, log_var, eps: reparameterise(mu.detach(), log_var, eps),
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


def ordinary_votes() -> tuple[Tensor, Tensor]:
    return 3 * normal(5, seed=5) - 0.5, normal(5, seed=6) - 1.5


def loud_votes() -> tuple[Tensor, Tensor]:
    """f around 1000, and densities so small that they are 0 as they stand."""
    return 1000 + normal(7, seed=7), 3 * normal(7, seed=8) - 10_000


def _standardised(f: Tensor) -> Tensor:
    return (f - f.mean()) / f.std()


SCORE_FUNCTION_LOSS = Exercise(
    name="score_function_loss",
    statement=(
        "Write `score_function_loss(f, log_q)`: a scalar whose gradient is the score-function estimate of $\\nabla_{\\!\\phi}\\, \\mathbb{E}_{q_\\phi}[f(z)]$, the average of the "
        "bracket in (7.6) over S draws, without a baseline. `f` holds $f(z_s)$ and `log_q` holds $\\log q_\\phi(z_s)$, both of shape (S,). The gradient flows through `log_q` and "
        "not through `f`. The value of the scalar does not matter, and is not checked."
    ),
    stub='''def score_function_loss(f, log_q):
    """f (S,), log_q (S,) -> a scalar; its gradient is the average over the draws of f times the gradient of log_q."""
    ...''',
    hints=(
        "Look at (7.6): which of the two factors is to be differentiated, and which is only a number that weighs it?",
        "The gradient wanted is (1/S) Σ_s f(z_s) ∇ log q(z_s). Write down the sum it is the gradient of, if every f(z_s) is a constant.",
        "`votes = f.detach()`",
    ),
    reference=score_function_loss,
    axes="a scalar",
    probes=(
        _slope("ordinary numbers", ordinary_votes),
        _slope("f around 1000 and log_q near -10,000", loud_votes),
        _slope("an f that carries a gradient of its own", ordinary_votes, f_too=True),
    ),
    mistakes=(
        Mistake(
            "A gradient flows through f as well. In (7.6) f only weighs the score: hold it fixed, with .detach().",
            lambda f, log_q: (f * log_q).mean(),
        ),
        Mistake(
            "The gradient is that of q, not of log q: log_q has been exponentiated. The score is the slope of log q.",
            lambda f, log_q: (f.detach() * log_q.exp()).mean(),
        ),
        Mistake(
            "log_q has been exponentiated, so that the gradient is that of q and not of log q; and a gradient flows through f as well.",
            lambda f, log_q: (f * log_q.exp()).mean(),
        ),
        Mistake(
            "This is a sum over the draws: its gradient is S times the estimate. An expectation is estimated by the mean.",
            lambda f, log_q: (f.detach() * log_q).sum(),
        ),
        Mistake(
            "This is a sum over the draws, so that its gradient is S times the estimate; and a gradient flows through f as well.",
            lambda f, log_q: (f * log_q).sum(),
        ),
        Mistake(
            "The sign is turned: the gradient is that of −E[f]. An optimiser that descends would need this to climb; asked for is the gradient of E[f].",
            lambda f, log_q: -(f.detach() * log_q).mean(),
        ),
        Mistake(
            "The sign is turned: the gradient is that of −E[f]; and a gradient flows through f as well.",
            lambda f, log_q: -(f * log_q).mean(),
        ),
        Mistake(
            "The wrong factor has been detached: log_q carries the parameters of q and must keep its gradient; f is the one to hold fixed.",
            lambda f, log_q: (f * log_q.detach()).mean(),
        ),
        Mistake(
            "Everything has been detached: no gradient is left. log_q must keep its own.",
            lambda f, log_q: (f * log_q).mean().detach(),
        ),
        Mistake(
            "This is the mean of f alone. The draws are cut off from the parameters of q; only log_q leads back to them.",
            lambda f, log_q: f.mean(),
        ),
        Mistake(
            "f does not weigh the scores: every draw votes with the same weight, and by (7.2) the average of that is 0. f must multiply log_q, draw by draw.",
            lambda f, log_q: log_q.mean(),
        ),
        Mistake(
            "Every draw is weighted by the mean of f: either two means were multiplied, or shapes (S, 1) and (S,) broadcast to (S, S). Multiply draw by draw, then average.",
            lambda f, log_q: f.detach().mean() * log_q.mean(),
        ),
        Mistake(
            "Every draw is weighted by the mean of f, and not by its own; and a gradient flows through f as well. Multiply draw by draw, then average.",
            lambda f, log_q: f.mean() * log_q.mean(),
        ),
        Mistake(
            "There is one number for each draw; backward() needs a scalar. Average over the draws.",
            lambda f, log_q: f.detach() * log_q,
        ),
        Mistake(
            "The mean of all f has been subtracted. Each draw knows its own share of that mean, so that the estimate is too small by the factor 1 − 1/S; and no baseline is asked for here.",
            lambda f, log_q: ((f - f.mean()).detach() * log_q).mean(),
        ),
        Mistake(
            "The mean of the others has been subtracted. That is unbiased too, by (7.10), but asked for is the estimate without a baseline.",
            lambda f, log_q: (leave_one_out(f).detach() * log_q).mean(),
        ),
        Mistake(
            "f has been standardised: divided by its spread, the gradient no longer estimates the one of E[f]. Use f as it is.",
            lambda f, log_q: (_standardised(f).detach() * log_q).mean(),
        ),
        Mistake(
            "The gradient of f itself has been added to the estimate. Where f contains the parameters that can be right; here f is to be held fixed.",
            lambda f, log_q: (f + f.detach() * log_q).mean(),
        ),
        Mistake(
            "The votes have been turned into shares that sum to 1: softmax(f) in place of f. (7.6) weighs by f itself, whatever its sign and size.",
            lambda f, log_q: (torch.softmax(f.detach(), 0) * log_q).sum(),
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
        "Write `leave_one_out(f)`: for each draw, $f(z_s)$ minus the mean of $f$ over the *other* draws, as in (7.9). "
        "`f` has shape (S,), with S of at least 2; so has the result."
    ),
    stub='''def leave_one_out(f):
    """f (S,), S >= 2 -> each value minus the mean of the others, (S,)."""
    ...''',
    hints=(
        "The sum of the others is the sum of all, less one's own value. How many are they?",
        "(7.9): f_s − (Σ_t f_t − f_s) / (S − 1), which is S/(S − 1) times (f_s − mean of all).",
        "`others = f.sum() - f`",
    ),
    reference=leave_one_out,
    axes="one number for each draw",
    probes=(
        call("five values", ordinary_values),
        call("two values", two_values),
        call("seven values around 1000", high_values),
    ),
    mistakes=(
        Mistake(
            "The mean of all draws was subtracted, one's own included. That makes every entry too small, by the factor 1 − 1/S: leave one's own draw out.",
            lambda f: f - f.mean(),
        ),
        Mistake(
            "This is the mean of the others, the baseline itself. It is to be subtracted from f.",
            lambda f: f - leave_one_out(f),
        ),
        Mistake(
            "The sign is turned: this is the mean of the others minus f.",
            lambda f: -leave_one_out(f),
        ),
        Mistake(
            "The sum of the others was subtracted. The baseline is their mean: divide by how many they are.",
            lambda f: 2 * f - f.sum(),
        ),
        Mistake(
            "The sum of the others was divided by S. They are one fewer.",
            lambda f: f - (f.sum() - f) / len(f),
        ),
        Mistake(
            "The sum of all was divided by S − 1. One's own value is still in it: take it out first.",
            lambda f: f - f.sum() / (len(f) - 1),
        ),
        Mistake(
            "The right factor upside down: (S − 1)/S makes the entries smaller still. Leaving oneself out makes them larger than f minus the mean of all.",
            lambda f: (f - f.mean()) * (len(f) - 1) / len(f),
        ),
        Mistake(
            "This is one number, a sum or a mean over the draws, and it is 0 for every f. Keep one number for each draw.",
            lambda f: leave_one_out(f).sum(),
        ),
        Mistake(
            "f has been standardised: divided by its spread as well. Only the baseline is to be taken off.",
            _standardised,
        ),
        Mistake(
            "Only one other draw is the baseline, the one before. That is unbiased too, but noisier: use the mean of all the others.",
            lambda f: f - f.roll(1),
        ),
        Mistake(
            "Only one other draw is the baseline, the one after. That is unbiased too, but noisier: use the mean of all the others.",
            lambda f: f - f.roll(-1),
        ),
        Mistake(
            "f has been divided by the mean of the others. A baseline is subtracted.",
            lambda f: f / (f - leave_one_out(f)),
        ),
        Mistake(
            "f comes back as it was, with nothing subtracted.",
            lambda f: f.clone(),
        ),
        Mistake(
            "The mean of the others has been added. A baseline is subtracted.",
            lambda f: 2 * f - leave_one_out(f),
        ),
        Mistake(
            "These are the differences of all pairs. For each draw they are to be averaged over the others.",
            lambda f: f[:, None] - f,
        ),
        Mistake(
            "The largest of the others is the baseline. Their mean is asked for.",
            lambda f: f - torch.stack([torch.cat([f[:s], f[s + 1 :]]).max() for s in range(len(f))]),
        ),
    ),
)

EXERCISES = (REPARAMETERISE, SCORE_FUNCTION_LOSS, LEAVE_ONE_OUT)

QUIZ = (
    Question(
        "A VAE is trained with q.sample() where q.rsample() should stand, and the KL in closed form. What does one see?",
        (
            ("An error at backward().", "The KL still leads back to the encoder, and the decoder learns too: backward() has enough to do."),
            (
                "A loss that falls, and a KL near zero.",
                "Only the KL reaches the encoder, and it wants q to be the prior. The decoder learns an average image.",
            ),
            ("A loss that stays where it is.", "The decoder still learns the average image, and that lowers the loss a good deal."),
        ),
        1,
    ),
    Question(
        "f jumps from 0 to 1 at some z. Which estimate of the gradient of E[f(z)] is unbiased?",
        (
            ("The score-function estimate.", "It asks for values of f only, and needs a smooth q, not a smooth f."),
            ("The pathwise estimate.", "Every draw stands on flat ground and reports a slope of 0; the jump is never met."),
            ("Both of them.", "The pathwise one is 0 for every draw, and the true gradient is not."),
            ("Neither of them.", "E[f(z)] is smooth in the parameters of q, and one of the two estimates its slope rightly."),
        ),
        0,
    ),
    Question(
        "A constant is subtracted from f in the score-function estimate. What does that change?",
        (
            ("Its mean and its variance.", "The mean of the score is 0, so that a constant times it adds nothing on average."),
            ("Nothing at all.", "Each single estimate changes, and how widely they scatter changes with them."),
            ("Its variance, not its mean.", "By (7.2) the part taken away averages to 0; a good constant takes much of the noise with it."),
        ),
        2,
    ),
    Question(
        "Why is the mean of the other draws the baseline, and not the mean of all?",
        (
            ("It has the lower variance.", "It is the mean of one draw fewer, and a little noisier. The reason is another."),
            (
                "It does not know the draw it is subtracted from.",
                "So it acts as a constant, and the estimate stays unbiased. The mean of all shrinks it by 1 − 1/S.",
            ),
            ("It is cheaper to compute.", "Both cost one sum. By (7.9) the two differ by a factor only."),
        ),
        1,
    ),
    Question(
        "You can afford 128 passes through the decoder for each step. Which mini-batch gives the gradient of the least variance?",
        (
            ("One image, 128 draws of z.", "The scatter between images then stays in full: one image stands for all of them."),
            (
                "16 images, 8 draws each.",
                "Better than one image, but further draws for an image are never worth more than draws for another one.",
            ),
            ("128 images, 1 draw each.", "By (7.16) the variance is (L V_x + V_z) / 128 with L draws each: L = 1 is the least."),
        ),
        2,
    ),
)
