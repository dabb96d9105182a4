"""Annealed importance sampling in both directions, held against closed forms, quadrature, and torch.distributions."""

from __future__ import annotations

import doctest
import math
from collections.abc import Callable

import pytest
import torch
from largest_tensor import LargestTensor
from torch import Tensor
from torch.distributions import Normal

from vaecourse import annealing
from vaecourse.annealing import ais, reverse_ais, sandwich, temperatures, tune
from vaecourse.data import load_digits
from vaecourse.models import VAE, BernoulliMixture, LatentVariableModel, LinearGaussian, MixturePrior
from vaecourse.oracles import exact_log_px
from vaecourse.training import fit


@pytest.fixture(autouse=True)
def seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TQDM_DISABLE", "1")
    torch.manual_seed(0)


def line() -> LinearGaussian:
    """x = 1.5 z + 0.3 + noise of 0.8: p(x), p(z|x) and every f_t are normal."""
    model = LinearGaussian(1, 1, 0.8).double().requires_grad_(False)
    model.weight.fill_(1.5)
    model.bias.fill_(0.3)
    return model


X = torch.tensor([[-1.0], [0.4], [1.6]]).double()
N = 20_000
SIZES = torch.full((9, 3), 0.6).double()  # of nine transitions: steps long enough for Metropolis's rule to matter


def small_digits(n: int) -> Tensor:
    """Digits of 14 by 14 pixels: every second one of every second row."""
    return load_digits("strokes").train.x[:n].reshape(-1, 28, 28)[:, ::2, ::2].reshape(n, -1).contiguous()


@pytest.fixture(scope="module")
def trained() -> dict[int, VAE]:
    """VAEs with 2 and 20 latents, each after a second of training."""
    x, models = small_digits(4_000), {}
    for latent_dim in (2, 20):
        torch.manual_seed(1)
        models[latent_dim] = VAE(latent_dim, (48,), 196)
        with torch.no_grad():
            models[latent_dim].decoder.logits[-1].bias.copy_(x.mean(0).clamp(0.002, 0.998).logit())
        fit(models[latent_dim], x, 6, batch_size=100, lr=5e-3, progress=False)
        models[latent_dim].requires_grad_(False)
    return models


# ---------------------------------------------------------------- the path


def test_the_path_leads_from_0_to_1_in_steps_that_are_short_at_both_ends() -> None:
    for n in (1, 2, 5, 100):
        beta = temperatures(n)
        assert len(beta) == n + 1
        assert beta[0] == 0
        assert beta[-1] == 1
        assert (beta.diff() > 0).all()
        torch.testing.assert_close(beta, 1 - beta.flip(0))
    steps = temperatures(100).diff()
    assert steps[0] < steps.max() / 10
    logit = torch.tensor([-2.0, 0.0, 2.0]).sigmoid()
    low, high = torch.tensor([-4.0, 4.0]).sigmoid()
    torch.testing.assert_close(temperatures(4)[1:-1], (logit - low) / (high - low))


def test_one_step_is_importance_sampling() -> None:
    model = line()
    torch.manual_seed(3)
    found = ais(model, X, 7, 1, step_sizes=torch.empty(0, 3))
    torch.manual_seed(3)
    z = model.prior.sample((7, 3))
    expected = Normal(1.5 * z + 0.3, 0.8).log_prob(X)[..., 0]
    torch.testing.assert_close(found.log_w, expected)
    torch.testing.assert_close(found.log_px, expected.exp().mean(0).log())
    assert found.acceptance == 1.0
    assert found.evaluations == 7 * 3


# ---------------------------------------------------------------- unbiased, and what breaks it


def forward_deviation(start: str = "prior", model: LatentVariableModel | None = None) -> Tensor:
    """By how many standard errors the mean of w / p(x) differs from 1, for each x."""
    model = model or line()
    log_px = line().marginal.log_prob(X)
    ratio = (ais(model, X, N, 10, leapfrog=2, start=start, step_sizes=SIZES).log_w - log_px).exp()
    return (ratio.mean(0) - 1) / (ratio.std(0) / math.sqrt(N))


def reverse_deviation() -> Tensor:
    """The same of p(x) / w, of chains that start at exact samples of the posterior, one each."""
    model, log_px = line(), line().marginal.log_prob(X)
    x = X.repeat_interleave(N, 0)
    found = reverse_ais(model, x, model.posterior(x).sample(), 1, 10, leapfrog=2, step_sizes=SIZES.repeat_interleave(N, 1))
    ratio = (log_px - found.log_w.view(3, N).T).exp()
    return (ratio.mean(0) - 1) / (ratio.std(0) / math.sqrt(N))


@pytest.mark.parametrize("deviation", [forward_deviation, reverse_deviation])
def test_the_weights_are_unbiased_in_both_directions(deviation: Callable[[], Tensor]) -> None:
    assert deviation().abs().max() < 4


class Told(torch.nn.Module):
    """An encoder that is off: N(x / 2, 0.7^2)."""

    def forward(self, x: Tensor) -> torch.distributions.Distribution:
        return torch.distributions.Independent(Normal(x / 2, 0.7), 1)


def test_the_weights_are_unbiased_from_an_encoder_too() -> None:
    model = line()
    model.encoder = Told()
    assert forward_deviation("encoder", model).abs().max() < 4


def never_refused(log_ratio: Tensor) -> Tensor:
    return torch.ones_like(log_ratio, dtype=torch.bool)


def without_prior(model, prior, q0, x, z, look=annealing._look):
    state = look(model, prior, q0, x, z)
    return state._replace(log_joint=state.log_joint - prior.log_prob(z))


def ratio_too_steep(model, prior, q0, x, z, look=annealing._look):
    """A log q0 that is a tenth too large."""
    state = look(model, prior, q0, x, z)
    return state._replace(log_start=1.1 * state.log_start)


def short_of_the_posterior(n: int, path=temperatures) -> Tensor:
    return 0.9 * path(n)


BREAKS = [("_metropolis", never_refused), ("_look", without_prior), ("_look", ratio_too_steep), ("temperatures", short_of_the_posterior)]


@pytest.mark.parametrize("deviation", [forward_deviation, reverse_deviation])
@pytest.mark.parametrize(("name", "broken"), BREAKS)
def test_a_broken_transition_or_ratio_is_seen(
    deviation: Callable[[], Tensor], name: str, broken: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above is able to fail: each of these makes it do so."""
    monkeypatch.setattr(annealing, name, broken)
    assert deviation().abs().max() > 6


def moved(beta: float) -> tuple[Tensor, Tensor]:
    """How far mean and variance of exact samples of f at beta are from the closed form after five transitions, in standard errors."""
    model, x = line(), X[2:]
    precision = 1 + beta * 1.5**2 / 0.8**2
    mean, sd = beta * 1.5 * (x.item() - 0.3) / 0.8**2 / precision, precision**-0.5

    def look(z: Tensor) -> annealing._State:
        return annealing._look(model, model.prior, model.prior, x, z)

    state = look(mean + sd * torch.randn(N, 1, 1).double())
    for _ in range(5):
        state, _ = annealing._move(look, model.prior.stddev, state, torch.tensor(beta).double(), torch.tensor([1.0]).double(), 2)
    unit = (state.z.flatten() - mean) / sd
    return unit.mean() * math.sqrt(N), (unit.square().mean() - 1) * math.sqrt(N / 2)


@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_a_transition_leaves_its_distribution_as_it_is(beta: float, monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(abs(d) for d in moved(beta)) < 4
    monkeypatch.setattr(annealing, "_metropolis", never_refused)
    assert max(abs(d) for d in moved(beta)) > 8


# ---------------------------------------------------------------- the sandwich


def inside(found: annealing.Sandwich, exact: Tensor, sigmas: float = 3.0) -> int:
    """Of how many images the two sides, each widened by so many of its standard errors, enclose the exact value."""
    below = found.lower.log_px - sigmas * found.lower.error <= exact
    above = exact <= found.upper.log_px + sigmas * found.upper.error
    return int((below & above).sum())


def test_both_sides_enclose_the_closed_form() -> None:
    model = LinearGaussian(8, 4).requires_grad_(False)
    found = sandwich(model, 100, 16, 30)
    exact = model.marginal.log_prob(found.x)
    assert inside(found, exact) >= 95
    lower, upper = found.lower.log_px - exact, found.upper.log_px - exact
    assert lower.mean() < -4 * lower.std() / 10 < 0 < 4 * upper.std() / 10 < upper.mean()  # bounds, and seen to be
    assert max(-lower.mean(), upper.mean()) < 1
    for off in (lower, -upper):  # wrong by more than 2 nats on the other side: with probability e^-2 = 0.135 at most
        assert (off > 2).float().mean() < 0.1


def test_both_sides_enclose_the_oracle(trained: dict[int, VAE]) -> None:
    torch.manual_seed(2)
    found = sandwich(trained[2], 100, 8, 120)
    assert inside(found, exact_log_px(trained[2], found.x)) >= 95
    assert found.gap[0] < 1.5


def test_twenty_latents_are_enclosed_within_half_a_nat(trained: dict[int, VAE]) -> None:
    torch.manual_seed(2)
    found = sandwich(trained[20], 30, 8, 150, start="encoder")
    gap, error = found.gap
    assert gap < 0.5
    assert gap > -3 * error
    assert error < 0.15


def test_more_steps_close_the_gap() -> None:
    model = LinearGaussian(8, 4).requires_grad_(False)
    gaps = [sandwich(model, 50, 8, n).gap[0] for n in (5, 40)]
    assert gaps[1] < gaps[0] / 2


def test_a_learned_prior_of_any_place_and_width() -> None:
    model = VAE(1, (4,), 6, prior=MixturePrior(1, 2)).double().requires_grad_(False)
    model.learned_prior.loc.copy_(torch.tensor([[3.0], [4.0]]))
    found = sandwich(model, 40, 8, 20)
    assert inside(found, exact_log_px(model, found.x)) >= 38
    assert abs(found.gap[0]) < 0.5


def test_what_a_sandwich_says_of_itself() -> None:
    found = sandwich(LinearGaussian(3, 2), 6, 2, 4, leapfrog=3)
    difference = found.upper.log_px - found.lower.log_px
    assert found.gap == pytest.approx((difference.mean().item(), difference.std().item() / math.sqrt(6)))
    assert found.x.shape == (6, 3)
    assert found.z.shape == (6, 2)
    assert found.lower.evaluations == found.upper.evaluations == 6 * 2 * (1 + 3 * 3)
    assert found.evaluations == 6 * (2 + 2 + annealing.PILOTS) * (1 + 3 * 3)
    lines = repr(found).splitlines()
    assert [text.split()[0] for text in lines] == ["lower", "upper", "gap"]
    assert f"{found.lower.log_px.mean():.2f} ± " in lines[0]


def test_the_standard_error_is_that_of_repeated_runs() -> None:
    model = line()
    sizes = torch.full((9, 1), 0.8).double()
    runs = [ais(model, X[1:2], 200, 10, step_sizes=sizes) for _ in range(60)]
    spread = torch.cat([run.log_px for run in runs]).std()
    assert torch.cat([run.error for run in runs]).mean() / spread == pytest.approx(1, abs=0.3)


# ---------------------------------------------------------------- step sizes, cost, and what is left alone


def test_the_number_of_decoder_evaluations_is_counted(trained: dict[int, VAE], monkeypatch: pytest.MonkeyPatch) -> None:
    model, counted = trained[2], []
    decode = model.decoder.forward
    monkeypatch.setattr(model.decoder, "forward", lambda z: counted.append(z.shape[:-1].numel()) or decode(z))
    found = ais(model, small_digits(5), 3, 6, leapfrog=4)
    assert sum(counted) == found.evaluations == 5 * (3 + annealing.PILOTS) * (1 + 5 * 4)


def test_step_sizes_are_chosen_for_each_image_and_reach_the_rate_aimed_at(trained: dict[int, VAE]) -> None:
    x = small_digits(20)
    sizes = tune(trained[20], x, 100)
    assert sizes.shape == (99, 20)
    assert (sizes > 0).all()
    assert sizes[-1].mean() < 0.8 * sizes[20].mean()  # posteriors are narrower than the prior
    found = ais(trained[20], x, 8, 100, step_sizes=sizes)
    assert 0.5 < found.acceptance < 0.8
    before = sizes.clone()
    reverse_ais(trained[20], x, torch.zeros(20, 20), 1, 100, step_sizes=sizes)
    assert torch.equal(sizes, before)


def test_step_sizes_do_not_depend_on_the_exact_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    used, chains = [], annealing._chains
    monkeypatch.setattr(annealing, "_chains", lambda *a: used.append(a[4]) or chains(*a))
    model = line()
    for z in (torch.zeros(3, 1), 50 * torch.ones(3, 1)):
        torch.manual_seed(1)
        reverse_ais(model, X, z.double(), 2, 6)
    assert used[0] is used[2] is None
    assert torch.equal(used[1], used[3])


def test_model_and_gradients_are_left_alone(trained: dict[int, VAE]) -> None:
    model = VAE(2, (4,), 9)
    found = sandwich(model, 4, 2, 5, start="encoder")
    assert all(p.grad is None for p in model.parameters())
    for tensor in (found.lower.log_px, found.upper.log_w, found.upper.error, found.z):
        assert not tensor.requires_grad


@pytest.mark.parametrize("block", [100, 1 << 19])
def test_blocks_bound_the_memory_and_change_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annealing, "BLOCK", block)
    model = LinearGaussian(20, 2).requires_grad_(False)
    with LargestTensor() as largest:
        found = sandwich(model, 6, 6, 15)
    assert largest.numel <= max(block, 14 * 6, 20 * 6, 20 * 2)  # step sizes, images, weights
    assert inside(found, model.marginal.log_prob(found.x), 4) == 6
    assert -1 < found.gap[0] < 4


def test_a_trajectory_that_leaves_all_numbers_is_refused() -> None:
    model = line()
    found = ais(model, X, 4, 5, step_sizes=torch.full((4, 3), 1e6, dtype=torch.float64))
    assert found.acceptance == 0
    assert found.log_w.isfinite().all()


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda m, x: ais(m, x, 0), ValueError, "n_chains must be at least 1"),
        (lambda m, x: ais(m, x, 2, 2.5), TypeError, "n_steps must be a whole number"),
        (lambda m, x: ais(m, x, 2, 3, leapfrog=0), ValueError, "leapfrog must be at least 1"),
        (lambda m, x: ais(m, x[:, :2], 2, 3), ValueError, r"shape \(B, 3\)"),
        (lambda m, x: ais(m, x, 2, 3, start="posterior"), ValueError, 'start is "prior" or "encoder"'),
        (lambda m, x: ais(m, x, 2, 3, start="encoder"), ValueError, "LinearGaussian has no encoder"),
        (lambda m, x: ais(m, x, 2, 3, step_sizes=torch.ones(3, 4)), ValueError, r"shape \(2, 4\), see tune"),
        (lambda m, x: ais(m, x, 2, 3, step_sizes=0.5), TypeError, "step_sizes must be a torch tensor; got float"),
        (lambda m, x: reverse_ais(m, x, torch.zeros(4, 2), 2, 3, step_sizes=0.5), TypeError, "step_sizes must be a torch tensor"),
        (lambda m, x: reverse_ais(m, x, torch.zeros(3, 2), 2, 3), ValueError, "2 latents that each of the 4 images"),
        (lambda m, x: reverse_ais(m, x, torch.zeros(4, 2).double(), 2, 3), ValueError, "torch.float32"),
        (lambda m, x: sandwich(BernoulliMixture(3, 5), 4), ValueError, "no gradient: sum over its values"),
        (lambda m, x: ais(BernoulliMixture(3, 5), torch.zeros(2, 5)), ValueError, "no gradient: sum over its values"),
        (lambda m, x: sandwich(m, 1), ValueError, "n_images must be at least 2"),
    ],
)
def test_bad_requests_are_refused(ask: Callable, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        ask(LinearGaussian(3, 2), torch.zeros(4, 3))


def test_the_examples_in_the_docstrings_are_right() -> None:
    result = doctest.testmod(annealing)
    assert result.failed == 0
    assert result.attempted >= 10
