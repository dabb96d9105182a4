"""Gradients through samples, held against closed forms, enumeration, quadrature and loops over single draws."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Bernoulli, Categorical, Distribution, Independent, Normal

from vaecourse import data, models, scoreboard
from vaecourse.distributions import diagonal_normal
from vaecourse.gradients import leave_one_out, pathwise_gradients, reparameterise, score_function_gradients, score_function_loss

quick = settings(max_examples=30, deadline=None, derandomize=True)
seeds = st.integers(0, 2**31 - 1)

MU, SIGMA, TARGET = 0.7, 1.2, 2.0
TOY = torch.tensor([MU, math.log(SIGMA)], dtype=torch.float64)
TOY_GRADIENT = [-2.6, 2.88]  # 2 (mu - 2) and 2 sigma^2

ESTIMATES: list[Callable[..., Tensor]] = [
    pathwise_gradients,
    score_function_gradients,
    lambda *a: score_function_gradients(*a, baseline=7.5),
    lambda *a: score_function_gradients(*a, baseline="leave-one-out"),
]


def normal(p: Tensor) -> Normal:
    return Normal(p[..., 0], p[..., 1].exp())


def squared(z: Tensor, q: Distribution) -> Tensor:
    return (z - TARGET) ** 2


def z_scores(rows: Tensor, expected: Any) -> np.ndarray:
    """How many standard errors the mean of independent rows (N, P) lies from the expected value."""
    values = rows.detach().double().numpy()
    return (values.mean(0) - np.asarray(expected)) / (values.std(0, ddof=1) / math.sqrt(len(values)))


def noise(seed: int, n: int) -> np.ndarray:
    torch.manual_seed(seed)
    return torch.randn(n, dtype=torch.float64).numpy()


# ---------------------------------------------------------------- reparameterise


@quick
@given(seeds, st.integers(1, 4), st.integers(1, 3))
def test_reparameterised_noise_is_the_draw_that_rsample_makes_of_it(seed: int, samples: int, latents: int) -> None:
    rng = np.random.default_rng(seed)
    mu, log_var = (torch.from_numpy(rng.normal(size=(2, latents))) for _ in range(2))
    torch.manual_seed(seed)
    expected = diagonal_normal(mu, log_var).rsample((samples,))
    torch.manual_seed(seed)
    torch.testing.assert_close(reparameterise(mu, log_var, torch.randn_like(expected)), expected)


def test_reparameterised_draws_have_the_mean_and_variance_and_slopes_of_the_normal() -> None:
    mu, log_var = torch.tensor([0.3, -2.0]), torch.tensor([0.8, -1.0], requires_grad=True)
    torch.manual_seed(0)
    eps = torch.randn(40_000, 2)
    z = reparameterise(mu, log_var, eps)
    assert np.abs(z_scores(z, mu)).max() < 4
    assert np.abs(z_scores((z - mu) ** 2, log_var.detach().exp())).max() < 4
    (slope,) = torch.autograd.grad(z.sum(), log_var)
    torch.testing.assert_close(slope, (0.5 * (z - mu)).sum(0), rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("shapes", [((2,), (3,), (2,)), ((2,), (2,), (5, 3)), ((4, 2), (4, 2), (2,)), ((2,), (1,), (2,))])
def test_reparameterise_refuses_shapes_that_do_not_fit(shapes: tuple) -> None:
    with pytest.raises(ValueError, match="one shape"):
        reparameterise(*(torch.zeros(s) for s in shapes))


# ---------------------------------------------------------------- leave_one_out


@quick
@given(seeds, st.integers(2, 9), st.floats(-1e4, 1e4))
def test_leave_one_out_subtracts_the_mean_of_the_others(seed: int, n: int, level: float) -> None:
    f = np.random.default_rng(seed).normal(level, 3, n)
    expected = [f[s] - np.delete(f, s).mean() for s in range(n)]
    np.testing.assert_allclose(leave_one_out(torch.from_numpy(f)), expected, atol=1e-9)


@pytest.mark.parametrize("shape", [(0,), (1,), (), (3, 2)])
def test_leave_one_out_refuses_what_is_no_vector_of_two_or_more(shape: tuple) -> None:
    with pytest.raises(ValueError, match="draw more samples"):
        leave_one_out(torch.zeros(shape))


# ---------------------------------------------------------------- score_function_loss


def test_the_gradient_of_the_loss_is_the_average_of_f_times_the_score() -> None:
    log_sigma = torch.tensor(math.log(SIGMA), requires_grad=True)
    mu = torch.tensor(MU, requires_grad=True)
    z = torch.tensor([-1.0, 0.5, 3.0])
    f = (mu - z) ** 2  # carries a gradient of its own, which must not count
    gradients = torch.autograd.grad(score_function_loss(f, Normal(mu, log_sigma.exp()).log_prob(z)), (mu, log_sigma))
    u, values = (z.numpy() - MU) / SIGMA, (MU - z.numpy()) ** 2
    np.testing.assert_allclose(torch.stack(gradients), [(values * u / SIGMA).mean(), (values * (u**2 - 1)).mean()], rtol=1e-5)


def test_the_loss_refuses_shapes_that_differ_and_a_log_q_without_gradient() -> None:
    log_q = torch.zeros(3, requires_grad=True)
    for f, other in ((torch.zeros(2), log_q), (torch.zeros(3, 1), log_q), (torch.zeros(1, 3), torch.zeros(1, 3, requires_grad=True))):
        with pytest.raises(ValueError, match="one value for each sample"):
            score_function_loss(f, other)
    with pytest.raises(ValueError, match="requires_grad=True"):
        score_function_loss(torch.zeros(3), log_q.detach())


# ---------------------------------------------------------------- one row a draw


@quick
@given(seeds, st.integers(1, 6))
def test_a_pathwise_row_is_the_slope_of_f_along_the_path_of_its_draw(seed: int, n: int) -> None:
    eps = noise(seed, n)
    slope = 2 * (MU + SIGMA * eps - TARGET)
    torch.manual_seed(seed)
    np.testing.assert_allclose(pathwise_gradients(squared, normal, TOY, n), np.stack([slope, slope * SIGMA * eps], 1), atol=1e-10)


@quick
@given(seeds, st.integers(1, 6), st.floats(-10, 10))
def test_a_score_function_row_is_f_less_the_baseline_times_the_score(seed: int, n: int, baseline: float) -> None:
    eps = noise(seed, n)
    weight = (MU + SIGMA * eps - TARGET) ** 2 - baseline
    expected = np.stack([weight * eps / SIGMA, weight * (eps**2 - 1)], 1)
    torch.manual_seed(seed)
    np.testing.assert_allclose(score_function_gradients(squared, normal, TOY, n, baseline=baseline), expected, atol=1e-9)


@quick
@given(seeds, st.integers(2, 6))
def test_a_leave_one_out_row_has_the_mean_of_the_others_as_baseline(seed: int, n: int) -> None:
    eps = noise(seed, n)
    f = (MU + SIGMA * eps - TARGET) ** 2
    weight = np.array([f[s] - np.delete(f, s).mean() for s in range(n)])
    expected = np.stack([weight * eps / SIGMA, weight * (eps**2 - 1)], 1)
    torch.manual_seed(seed)
    np.testing.assert_allclose(score_function_gradients(squared, normal, TOY, n, baseline="leave-one-out"), expected, atol=1e-9)


@quick
@given(seeds, st.integers(1, 5), st.integers(1, 4))
def test_rows_of_a_vector_latent_are_those_of_a_loop_over_single_draws(seed: int, n: int, latents: int) -> None:
    torch.manual_seed(seed)
    params, matrix = torch.randn(2 * latents, dtype=torch.float64), torch.randn(3, latents, dtype=torch.float64)

    def q(p: Tensor) -> Independent:
        return diagonal_normal(*p.chunk(2, -1))

    def f(z: Tensor, q: Distribution) -> Tensor:
        return torch.tanh(z @ matrix.T).sum(-1) - q.log_prob(z)

    torch.manual_seed(seed)
    rows = pathwise_gradients(f, q, params, n)
    torch.manual_seed(seed)
    eps = torch.randn(n, latents, dtype=torch.float64)
    leaf = params.clone().requires_grad_()
    for row, e in zip(rows, eps):
        mu, log_var = leaf.chunk(2)
        (expected,) = torch.autograd.grad(f(mu + (0.5 * log_var).exp() * e, q(leaf)), leaf)
        torch.testing.assert_close(row, expected)


# ---------------------------------------------------------------- unbiased


@pytest.mark.parametrize("estimate", ESTIMATES[:3])
def test_the_gradient_of_a_squared_distance_is_met(estimate: Callable[..., Tensor]) -> None:
    torch.manual_seed(0)
    assert np.abs(z_scores(estimate(squared, normal, TOY, 100_000), TOY_GRADIENT)).max() < 4


def test_groups_with_leave_one_out_meet_it_too_even_with_two_draws() -> None:
    torch.manual_seed(0)
    groups = [score_function_gradients(squared, normal, TOY, 2, baseline="leave-one-out").mean(0) for _ in range(6000)]
    assert np.abs(z_scores(torch.stack(groups), TOY_GRADIENT)).max() < 4


@pytest.mark.parametrize("estimate", ESTIMATES[:3])
def test_parameters_inside_f_count(estimate: Callable[..., Tensor]) -> None:
    """E[-log q] is the entropy log sigma + const: slopes 0 and 1. The mean inside f adds a slope of -3 to the 1 of z itself."""
    torch.manual_seed(0)
    rows = estimate(lambda z, q: z - q.mean * 3 - q.log_prob(z), normal, TOY, 50_000)
    assert np.abs(z_scores(rows, [1 - 3, 1])).max() < 4


def test_a_step_has_no_pathwise_gradient_but_a_score_function_one() -> None:
    def step(z: Tensor, q: Distribution) -> Tensor:
        return 0.5 + 0.5 * torch.sign(z - TARGET)

    torch.manual_seed(0)
    assert (pathwise_gradients(step, normal, TOY, 1000) == 0).all()
    density = scipy.stats.norm(MU, SIGMA).pdf(TARGET)
    rows = score_function_gradients(step, normal, TOY, 100_000)
    assert np.abs(z_scores(rows, [density, (TARGET - MU) * density])).max() < 4


@pytest.mark.parametrize("baseline", [0.0, -3.0])
def test_discrete_latents_are_met_by_enumeration(baseline: float) -> None:
    logits, value = np.array([0.3, -1.0, 0.8]), np.array([1.0, 5.0, -2.0])
    p = np.exp(logits) / np.exp(logits).sum()
    torch.manual_seed(0)
    table = torch.from_numpy(value)
    rows = score_function_gradients(lambda z, q: table[z], lambda p: Categorical(logits=p), torch.from_numpy(logits), 60_000, baseline)
    assert np.abs(z_scores(rows, p * (value - p @ value))).max() < 4  # the derivative of sum_z softmax_z value_z

    bits = torch.tensor([0.4, -0.9], dtype=torch.float64)
    s = 1 / (1 + np.exp(-bits.numpy()))
    rows = score_function_gradients(
        lambda z, q: 3 * z[:, 0] + z[:, 0] * z[:, 1], lambda p: Independent(Bernoulli(logits=p), 1), bits, 60_000, baseline
    )
    assert np.abs(z_scores(rows, s * (1 - s) * [3 + s[1], s[0]])).max() < 4


@pytest.fixture(scope="module")
def digit() -> tuple[models.LatentVariableModel, Tensor, Tensor, np.ndarray]:
    """The shipped decoder, a digit, a q near its posterior, and the gradient of its ELBO by Gauss-Hermite quadrature and differences."""
    model = models.pretrained("strokes").double()
    x = scoreboard.the_digit(data.load_digits("strokes")).double()
    params = torch.tensor([2.32, 0.79, -3.5, -3.4], dtype=torch.float64)
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    u = torch.cartesian_prod(torch.from_numpy(nodes), torch.from_numpy(nodes))
    w = torch.from_numpy(np.outer(weights, weights).ravel() / (2 * np.pi))

    @torch.no_grad()
    def elbo(p: Tensor) -> float:
        mu, log_var = p.chunk(2)
        expected = (w * model.decoder(mu + (0.5 * log_var).exp() * u).log_prob(x)).sum()
        return (expected - 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum()).item()

    nudges = 1e-4 * torch.eye(4, dtype=torch.float64)
    return model, x, params, np.array([(elbo(params + e) - elbo(params - e)) / 2e-4 for e in nudges])


@pytest.mark.parametrize("estimate", [*ESTIMATES[:2], lambda *a: score_function_gradients(*a, baseline=-120.0)])
def test_the_gradient_of_a_digits_elbo_is_met(estimate: Callable[..., Tensor], digit: tuple) -> None:
    model, x, params, exact = digit

    def log_w(z: Tensor, q: Distribution) -> Tensor:
        return model.decoder(z).log_prob(x) + model.prior.log_prob(z) - q.log_prob(z)

    torch.manual_seed(0)
    rows = estimate(log_w, lambda p: diagonal_normal(*p.chunk(2, -1)), params, 6000)
    assert np.abs(z_scores(rows, exact)).max() < 4


def test_with_the_parameters_inside_log_q_held_fixed_the_gradient_is_silent_at_the_posterior() -> None:
    torch.manual_seed(0)
    model = models.LinearGaussian(3, 1).double().requires_grad_(False)
    x = torch.randn(1, 3, dtype=torch.float64)
    posterior = model.posterior(x)
    params = torch.cat([posterior.mean[0], posterior.variance[0].log()])
    fixed = diagonal_normal(*params.chunk(2))
    rows = pathwise_gradients(
        lambda z, q: model.decoder(z).log_prob(x) + model.prior.log_prob(z) - fixed.log_prob(z),
        lambda p: diagonal_normal(*p.chunk(2, -1)),
        params,
        200,
    )
    np.testing.assert_allclose(rows, 0, atol=1e-10)


# ---------------------------------------------------------------- manners


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_parameters_are_left_alone_and_rows_carry_no_graph(estimate: Callable[..., Tensor]) -> None:
    leaf = TOY.clone().requires_grad_()
    with torch.no_grad():
        rows = estimate(squared, normal, leaf, 5)
    assert rows.shape == (5, 2)
    assert rows.dtype == torch.float64
    assert not rows.requires_grad
    assert leaf.grad is None
    assert torch.equal(leaf, TOY)


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize(
    ("params", "n_samples", "error", "message"),
    [
        ([0.7, 0.2], 5, TypeError, "floating-point tensor"),
        (torch.tensor([1, 2]), 5, TypeError, "floating-point tensor"),
        (torch.zeros(2, 2), 5, ValueError, "must be a vector"),
        (torch.zeros(0), 5, ValueError, "must be a vector"),
        (TOY, 2.0, TypeError, "whole number"),
        (TOY, True, TypeError, "whole number"),
        (TOY, 0, ValueError, "at least 1"),
    ],
)
def test_bad_parameters_and_sizes_are_refused(estimate: Callable, params: Any, n_samples: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        estimate(squared, normal, params, n_samples)


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("q", [lambda p: Normal(p, 1.0), lambda p: Normal(0.0, 1.0)])
def test_a_q_of_another_batch_is_refused(estimate: Callable, q: Callable) -> None:
    with pytest.raises(ValueError, match="Independent"):
        estimate(squared, q, TOY, 5)


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("f", [lambda z, q: z.sum(), lambda z, q: z[:, None], lambda z, q: 1.0, lambda z, q: z[:3]])
def test_an_f_of_another_shape_is_refused(estimate: Callable, f: Callable) -> None:
    with pytest.raises(ValueError, match="one value for each draw"):
        estimate(f, normal, TOY, 5)


def test_leave_one_out_with_one_draw_and_unknown_baselines_are_refused() -> None:
    with pytest.raises(ValueError, match="draw more samples"):
        score_function_gradients(squared, normal, TOY, 1, baseline="leave-one-out")
    with pytest.raises(ValueError, match="'leave-one-out'"):
        score_function_gradients(squared, normal, TOY, 5, baseline="loo")


def test_what_has_no_path_is_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match=r"Bernoulli has no rsample.*score_function_gradients"):
        pathwise_gradients(squared, lambda p: Bernoulli(logits=p[..., 0]), TOY, 5)
    with pytest.raises(ValueError, match="differentiable way"):
        pathwise_gradients(lambda z, q: (z > 0).double(), normal, TOY, 5)
    weight = torch.ones(5, requires_grad=True)
    with pytest.raises(ValueError, match="differentiable way"):
        pathwise_gradients(lambda z, q: weight * (z > 0), normal, TOY, 5)


def test_a_q_that_ignores_its_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="check that q uses its argument"):
        score_function_gradients(squared, lambda p: Normal(torch.zeros(len(p)), 1.0), TOY, 5)


SIGN: dict[str, Any] = {"q": lambda p: Normal(p[..., 0], 1.0), "params": torch.zeros(1, dtype=torch.float64)}


@pytest.mark.parametrize("baseline", [0.0, "leave-one-out"])
def test_an_f_that_answers_true_or_false_counts_ones(baseline: Any) -> None:
    torch.manual_seed(0)
    rows = score_function_gradients(lambda z, q: z > 0, n_samples=40_000, baseline=baseline, **SIGN)
    assert abs(z_scores(rows, scipy.stats.norm.pdf(0))).max() < 4  # the derivative of P(z > 0) in the mean


def test_a_baseline_is_one_number_or_one_for_each_sample() -> None:
    def rows(baseline: Any) -> Tensor:
        torch.manual_seed(0)
        return score_function_gradients(lambda z, q: z, n_samples=3, baseline=baseline, **SIGN)

    for same in (np.float32(1), torch.tensor(1), torch.ones(1), torch.ones(3)):
        assert torch.equal(rows(same), rows(1.0))
    for bad in (torch.ones(3, 1), torch.ones(1, 3), torch.ones(2)):
        with pytest.raises(ValueError, match="one for each of the 3 samples; got shape"):
            rows(bad)
    for bad in (None, abs, math.nan):
        with pytest.raises((TypeError, ValueError), match="baseline, unless it is .*, must be a (finite )?number; got"):
            rows(bad)
