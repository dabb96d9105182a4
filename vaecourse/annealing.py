"""Bidirectional Monte Carlo: log p(x) between two bounds, by annealed importance sampling in both directions.

A path of T steps leads from a start q0, the prior or the encoder's q(z|x), to the posterior, along the geometric path

    f_t(z) = q0(z)^(1 - beta_t) p(x, z)^beta_t,    0 = beta_0 < beta_1 < ... < beta_T = 1.

A chain draws z_0 from q0 and moves on by transitions that leave f_1, f_2, ..., f_(T-1) invariant. Its weight

    log w = sum_t (beta_t - beta_(t-1)) (log p(x, z_(t-1)) - log q0(z_(t-1)))

is that of importance sampling on all z_t together, so E[w] = p(x) (Neal 2001, section 2), and log w is below log p(x) on
average. The same chain run backwards from an exact sample of the posterior has E[1/w] = 1/p(x), so that log w is above log p(x)
on average (Grosse, Ghahramani and Adams 2015). Where (z, x) is drawn from the model, z is such a sample, and so the two sides
can be compared on simulated images (Wu, Burda, Salakhutdinov and Grosse 2017). With T = 1 this is importance sampling.

Everything is in nats. Randomness is torch's global generator.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.distributions import Distribution

from vaecourse.arguments import positive, tensors, whole
from vaecourse.estimators import mean_and_error
from vaecourse.logspace import effective_sample_size, log_mean_exp
from vaecourse.models import LatentVariableModel

__all__ = ["Annealing", "Sandwich", "ais", "reverse_ais", "sandwich", "temperatures", "tune"]

BLOCK = 1 << 19  # numbers held at once for each intermediate array: 2 MB in float32
TARGET = 0.65  # the acceptance rate at which Hamiltonian Monte Carlo moves farthest for its work (Neal 2011, section 4.4)
PILOTS = 4  # chains an image that choose the step sizes, and are discarded


@dataclass(frozen=True)
class Annealing:
    """What the chains of one direction say about log p(x), in nats.

    Attributes:
        log_px: (B,), the log of the average w (forward) or minus the log of the average 1/w (in reverse): in expectation
            below log p(x) or above it. It errs on the other side by more than b nats with probability e^-b at most.
        error: (B,), the standard error of `log_px` as far as the spread of the chains shows it.
        log_w: (S, B), the log weight of every chain.
        acceptance: share of the transitions that were accepted.
        evaluations: how often the decoder was evaluated and differentiated for one z and one x, the choice of step sizes
            included.
    """

    log_px: Tensor
    error: Tensor
    log_w: Tensor
    acceptance: float
    evaluations: int


@dataclass(frozen=True)
class Sandwich:
    """log p(x) of simulated images between its two bounds.

    Attributes:
        x, z: what was simulated, (B, D) and (B, K): z is an exact sample of the posterior of x.
        lower, upper: what `ais` and `reverse_ais` found.
        evaluations: of the decoder and its gradient, for both sides together.
    """

    x: Tensor
    z: Tensor
    lower: Annealing
    upper: Annealing
    evaluations: int

    @property
    def gap(self) -> tuple[float, float]:
        """The mean of upper - lower over the images, and its standard error, in nats: no estimate between the two is off by more."""
        return mean_and_error(self.upper.log_px - self.lower.log_px)

    def __repr__(self) -> str:
        sides = ((side, *mean_and_error(found.log_px)) for side, found in (("lower", self.lower), ("upper", self.upper)))
        lines = [f"{side}  {mean:9.2f} ± {error:.2f} nats, mean over {len(self.x)} simulated images" for side, mean, error in sides]
        return "\n".join([*lines, f"gap    {self.gap[0]:9.2f} ± {self.gap[1]:.2f} nats, {self.evaluations:,} decoder evaluations"])


def ais(
    model: LatentVariableModel,
    x: Float[Tensor, "batch data"],
    n_chains: int = 16,
    n_steps: int = 300,
    *,
    leapfrog: int = 2,
    start: str = "prior",
    step_sizes: Float[Tensor, "moves batch"] | None = None,
    progress: bool = True,
) -> Annealing:
    """A lower bound, in expectation, on log p(x) of every row of x: the log of the average weight of n_chains chains.

    A transition is `leapfrog` steps of Hamiltonian Monte Carlo with a fresh momentum, accepted or rejected by Metropolis's
    rule. Its step sizes are fixed before the first chain starts (`tune`), so E[w] = p(x) holds exactly. To adapt them while the
    chains run, as is often done, would make the transitions depend on the past, and the equation is lost.

    The decoder is evaluated and differentiated 1 + (n_steps - 1) * leapfrog times for each chain and image.

    Args:
        start: "prior", or "encoder": q0 is then the encoder's q(z|x), which saves steps where it is good.
        step_sizes: (n_steps - 1, B), for instance those of an earlier call of `tune`; by default that is done first.
        progress: show a bar (TQDM_DISABLE=1 in the environment hides it too).

    Raises:
        TypeError, ValueError: bad x or settings; latents that are discrete; a start at an encoder that is not there.

    >>> from vaecourse.models import LinearGaussian
    >>> _ = torch.manual_seed(0)
    >>> model = LinearGaussian(data_dim=6, latent_dim=3)
    >>> x = model.marginal.sample((5,))
    >>> found = ais(model, x, n_chains=16, n_steps=100, progress=False)
    >>> bool((found.log_px - model.marginal.log_prob(x)).abs().max() < 0.5)
    True
    """
    n_chains, n_steps, leapfrog = positive(n_chains=n_chains, n_steps=n_steps, leapfrog=leapfrog)
    spent = 0
    if step_sizes is None:
        step_sizes, spent = tune(model, x, n_steps, leapfrog=leapfrog, start=start, progress=progress), PILOTS
    tensors(step_sizes=step_sizes)
    log_w, _, acceptance = _chains(model, x, None, temperatures(n_steps), step_sizes, n_chains, leapfrog, start, "AIS", progress)
    evaluations = (n_chains + spent) * len(x) * (1 + (n_steps - 1) * leapfrog)
    return Annealing(log_mean_exp(log_w, 0), _error(log_w), log_w, acceptance, evaluations)


def reverse_ais(
    model: LatentVariableModel,
    x: Float[Tensor, "batch data"],
    z: Float[Tensor, "batch latents"],
    n_chains: int = 16,
    n_steps: int = 300,
    *,
    leapfrog: int = 2,
    start: str = "prior",
    step_sizes: Float[Tensor, "moves batch"] | None = None,
    progress: bool = True,
) -> Annealing:
    """An upper bound, in expectation, on log p(x) of every row of x: minus the log of the average 1/w of n_chains chains.

    The chains run from the posterior to q0, all those of an image from its one sample z. Therefore `error` does not show what
    another z would have changed. The step sizes are those of `tune`, which has not seen z: had it, z would no longer be an exact
    sample given the step sizes. The other arguments, the errors and the cost are those of `ais`.

    Args:
        z: (B, K), for each row of x one exact sample of its posterior: the z that x was simulated with.

    >>> from vaecourse.models import LinearGaussian
    >>> _ = torch.manual_seed(0)
    >>> model = LinearGaussian(data_dim=6, latent_dim=3)
    >>> z = model.prior.sample((5,))
    >>> x = model.decoder(z).sample()
    >>> found = reverse_ais(model, x, z, n_chains=16, n_steps=400, progress=False)
    >>> bool((found.log_px - model.marginal.log_prob(x)).abs().max() < 1)
    True
    """
    n_chains, n_steps, leapfrog = positive(n_chains=n_chains, n_steps=n_steps, leapfrog=leapfrog)
    model.check(x)
    if not isinstance(z, Tensor) or z.shape != (len(x), model.latent_dim) or z.dtype != x.dtype:
        raise ValueError(f"z must hold the {model.latent_dim} latents that each of the {len(x)} images was simulated with, as {x.dtype}")
    spent = 0
    if step_sizes is None:
        step_sizes, spent = tune(model, x, n_steps, leapfrog=leapfrog, start=start, progress=progress), PILOTS
    tensors(step_sizes=step_sizes)
    backwards = temperatures(n_steps).flip(0), step_sizes.flip(0)
    minus_log_w, _, acceptance = _chains(model, x, z, *backwards, n_chains, leapfrog, start, "reverse AIS", progress)
    evaluations = (n_chains + spent) * len(x) * (1 + (n_steps - 1) * leapfrog)
    return Annealing(-log_mean_exp(minus_log_w, 0), _error(minus_log_w), -minus_log_w, acceptance, evaluations)


def sandwich(
    model: LatentVariableModel,
    n_images: int = 100,
    n_chains: int = 16,
    n_steps: int = 300,
    *,
    leapfrog: int = 2,
    start: str = "prior",
    progress: bool = True,
) -> Sandwich:
    """Simulate n_images pairs (z, x) from the model, and enclose log p(x) of each: `ais` below, `reverse_ais` above.

    The mean gap bounds the error of either side, and the settings at which it is small on simulated images are those to use on
    others, where only the lower side exists. (That simulated and other images are alike is an assumption.) Both sides
    share the step sizes. The arguments are those of `ais`.

    >>> from vaecourse.models import LinearGaussian
    >>> _ = torch.manual_seed(0)
    >>> found = sandwich(LinearGaussian(data_dim=6, latent_dim=3), n_images=20, n_steps=100, progress=False)
    >>> found.gap[0] < 0.5
    True
    >>> found.evaluations == 20 * (16 + 16 + PILOTS) * (1 + 99 * 2)
    True
    """
    n_images, (n_steps,) = whole("n_images", n_images, least=2), positive(n_steps=n_steps)
    _refuse_discrete(model)
    with torch.no_grad():
        z = model.prior.sample((n_images,))
        x = model.decoder(z).sample()
    step_sizes = tune(model, x, n_steps, leapfrog=leapfrog, start=start, progress=progress)
    settings = {"leapfrog": leapfrog, "start": start, "step_sizes": step_sizes, "progress": progress}
    lower = ais(model, x, n_chains, n_steps, **settings)
    upper = reverse_ais(model, x, z, n_chains, n_steps, **settings)
    pilots = PILOTS * n_images * (1 + (n_steps - 1) * leapfrog)
    return Sandwich(x, z, lower, upper, lower.evaluations + upper.evaluations + pilots)


def temperatures(n_steps: int) -> Float[Tensor, " knots"]:
    """beta_0 = 0 to beta_T = 1 for T = n_steps: equal steps of the logit from -4 to 4, stretched to reach both ends.

    The steps are short near the ends, where the weights vary most (Wu et al. 2017, section 4).

    >>> temperatures(4)
    tensor([0.0000, 0.1050, 0.5000, 0.8950, 1.0000])
    """
    (n_steps,) = positive(n_steps=n_steps)
    if n_steps == 1:
        return torch.tensor([0.0, 1.0])
    beta = torch.sigmoid(torch.linspace(-4, 4, n_steps + 1, dtype=torch.float64))
    return ((beta - beta[0]) / (beta[-1] - beta[0])).float()


def tune(
    model: LatentVariableModel,
    x: Float[Tensor, "batch data"],
    n_steps: int,
    *,
    leapfrog: int = 2,
    start: str = "prior",
    progress: bool = True,
) -> Float[Tensor, "moves batch"]:
    """Step sizes (n_steps - 1, B) for the transitions of every image, in units of the standard deviations of q0.

    Four chains an image go forward once, and are discarded. Behind every transition the step grows or shrinks with the difference
    between their acceptance probability and 0.65. What the chains of `ais` and `reverse_ais` do afterwards has no influence on it.

    >>> from vaecourse.models import LinearGaussian
    >>> model = LinearGaussian(data_dim=6, latent_dim=3)
    >>> sizes = tune(model, model.marginal.sample((5,)), n_steps=10, progress=False)
    >>> tuple(sizes.shape), bool((sizes > 0).all())
    ((9, 5), True)
    """
    n_steps, leapfrog = positive(n_steps=n_steps, leapfrog=leapfrog)
    _, sizes, _ = _chains(model, x, None, temperatures(n_steps), None, PILOTS, leapfrog, start, "step sizes", progress)
    return sizes


class _State(NamedTuple):
    """Where the chains stand, with what was computed there: z (S, B, K), both ends of the path (S, B) and their gradients (S, B, K)."""

    z: Tensor
    log_start: Tensor
    log_joint: Tensor
    start_gradient: Tensor
    joint_gradient: Tensor

    def log_density(self, beta: Tensor) -> Float[Tensor, "chains batch"]:
        """log f(z) at beta, without its normaliser."""
        return (1 - beta) * self.log_start + beta * self.log_joint

    def gradient(self, beta: Tensor) -> Float[Tensor, "chains batch latents"]:
        return (1 - beta) * self.start_gradient + beta * self.joint_gradient


def _chains(
    model: LatentVariableModel,
    x: Tensor,
    z: Tensor | None,
    betas: Tensor,
    step_sizes: Tensor | None,
    n_chains: int,
    leapfrog: int,
    start: str,
    name: str,
    progress: bool,
) -> tuple[Float[Tensor, "chains batch"], Float[Tensor, "moves batch"], float]:
    """`_along` for all images, in blocks of them, and of chains where those of one image are too many.

    Every chain starts at its image's z or, without one, at a draw from q0.
    """
    _refuse_discrete(model)
    model.check(x)
    if start not in ("prior", "encoder"):
        raise ValueError(f'start is "prior" or "encoder"; got {start!r}')
    if start == "encoder" and not hasattr(model, "encoder"):
        raise ValueError(f'{type(model).__name__} has no encoder to start at: use start="prior"')
    moves = len(betas) - 2
    if step_sizes is not None and step_sizes.shape != (moves, len(x)):
        raise ValueError(f"step_sizes must have shape {(moves, len(x))}, see tune; got {tuple(step_sizes.shape)}")
    log_w, sizes, accepted = x.new_empty(n_chains, len(x)), x.new_empty(moves, len(x)), 0.0
    chains, images = max(1, min(n_chains, BLOCK // x.shape[1])), max(1, BLOCK // (n_chains * x.shape[1]))
    with torch.no_grad(), _bar(moves * log_w.numel(), name, progress) as advance:
        for rows in torch.arange(len(x)).split(images):
            q0 = model.encoder(x[rows]) if start == "encoder" else model.prior
            given = None if step_sizes is None else step_sizes[:, rows].to(x)
            for some in torch.arange(n_chains).split(chains):
                shape = (len(some),) if q0.batch_shape else (len(some), len(rows))
                begin = q0.sample(shape) if z is None else z[rows].expand(len(some), -1, -1)
                log_w[some[:, None], rows], sizes[:, rows], share = _along(model, x[rows], q0, begin, betas.to(x), given, leapfrog, advance)
                accepted += share
    return log_w, sizes, accepted / (moves * log_w.numel()) if moves else 1.0


def _along(
    model: LatentVariableModel,
    x: Tensor,
    q0: Distribution,
    z: Tensor,
    betas: Tensor,
    step_sizes: Tensor | None,
    leapfrog: int,
    advance: Callable[[int], object],
) -> tuple[Float[Tensor, "chains batch"], Float[Tensor, "moves batch"], float]:
    """sum_t (beta_t - beta_(t-1)) (log p(x, z) - log q0(z)) along the betas, the step sizes, and how many moves were accepted.

    Betas that rise give log w, betas that fall give minus log w. Where no step sizes are given, they are chosen on the way.
    """
    prior, size, sizes, log_w, accepted = model.prior, x.new_full((len(x),), 0.5), [], 0.0, 0.0

    def look(z: Tensor) -> _State:
        return _look(model, prior, q0, x, z)

    state = look(z)
    for t, step in enumerate(betas.diff()):
        if t > 0:
            size = size if step_sizes is None else step_sizes[t - 1]
            state, probability = _move(look, q0.stddev, state, betas[t], size, leapfrog)
            if step_sizes is None:
                size = size * (probability.mean(0) - TARGET).exp()
            sizes.append(size)
            accepted += probability.sum().item()
            advance(probability.numel())
        log_w = log_w + step * (state.log_joint - state.log_start)
    return log_w, torch.stack(sizes) if sizes else x.new_empty(0, len(x)), accepted


def _look(model: LatentVariableModel, prior: Distribution, q0: Distribution, x: Tensor, z: Tensor) -> _State:
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        images = x.expand(len(z), *x.shape)  # of the shape of the logits, which the likelihood of pixels takes a shorter way for
        log_start, log_joint = q0.log_prob(z), prior.log_prob(z) + model.decoder(z).log_prob(images)
        gradients = [torch.autograd.grad(value.sum(), z)[0] for value in (log_start, log_joint)]
    return _State(z.detach(), log_start.detach(), log_joint.detach(), *gradients)


def _move(
    look: Callable[[Tensor], _State], scale: Tensor, state: _State, beta: Tensor, size: Float[Tensor, " batch"], leapfrog: int
) -> tuple[_State, Float[Tensor, "chains batch"]]:
    """A transition that leaves f at beta invariant, and is its own reverse; with the probability of its acceptance.

    Hamiltonian Monte Carlo (Neal 2011, section 3.2) with lengths in units of `scale`. Each chain varies its step by up to a
    fifth, drawn beforehand, so that no trajectory returns to its beginning again and again.
    """
    step = (size * (0.8 + 0.4 * torch.rand_like(state.log_start)))[..., None] * scale
    momentum = torch.randn_like(state.z)
    end, last = state, momentum + step / 2 * state.gradient(beta)
    for left in reversed(range(leapfrog)):
        end = look(end.z + step * last)
        last = last + (step if left else step / 2) * end.gradient(beta)
    log_ratio = end.log_density(beta) - state.log_density(beta) + (momentum.square().sum(-1) - last.square().sum(-1)) / 2
    accepted = _metropolis(log_ratio)
    new = _State(*(torch.where(accepted if a.ndim == accepted.ndim else accepted[..., None], a, b) for a, b in zip(end, state)))
    return new, log_ratio.clamp(max=0).exp().nan_to_num(0)


def _metropolis(log_ratio: Float[Tensor, "chains batch"]) -> Bool[Tensor, "chains batch"]:
    """True with probability min(1, ratio); a trajectory that ended in NaN is rejected."""
    return torch.rand_like(log_ratio).log() < log_ratio


def _error(log_w: Float[Tensor, "chains batch"]) -> Float[Tensor, " batch"]:
    """The standard error of a log of an average weight, from the spread of the weights (notebook 08, equation 8.4)."""
    return (1 / effective_sample_size(log_w, 0) - 1 / len(log_w)).clamp(min=0).sqrt()


def _refuse_discrete(model: LatentVariableModel) -> None:
    if model.prior.has_enumerate_support:
        raise ValueError("a latent that is discrete has no gradient: sum over its values instead, see vaecourse.oracles.exact_log_px")


@contextmanager
def _bar(total: int, name: str, progress: bool):
    from tqdm.auto import tqdm  # in a notebook it brings ipywidgets along

    hidden = not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")  # which tqdm's bar for notebooks does not look at
    with tqdm(total=total, desc=name, unit="move", unit_scale=True, disable=hidden) as bar:
        yield bar.update
