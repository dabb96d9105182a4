"""Likelihoods and divergences, held against scipy, quadrature and plain loops."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from largest_tensor import LargestTensor
from torch.distributions import Bernoulli, Categorical, Independent, Laplace, MixtureSameFamily, Normal, kl_divergence
from torch.overrides import TorchFunctionMode

from vaecourse.distributions import (
    bernoulli,
    diagonal_normal,
    divergence,
    gaussian_kl,
    log_prob_pairs,
    mixture,
    normal_mixture,
    pair_with,
    standard_normal,
)

quick = settings(max_examples=40, deadline=None, derandomize=True)
seeds = st.integers(0, 2**31 - 1)


def loop_log_prob(logits: np.ndarray, x: np.ndarray) -> float:
    """log p(x) of independent pixels, one after the other in float64."""
    return math.fsum(-np.logaddexp(0.0, -logit) if pixel == 1 else -np.logaddexp(0.0, logit) for logit, pixel in zip(logits, x))


# ---------------------------------------------------------------- bernoulli


@quick
@given(seeds, st.integers(1, 12), st.floats(0.1, 20))
def test_bernoulli_log_prob_is_scipys_summed_over_the_pixels(seed: int, pixels: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    logits, x = rng.normal(0, spread, (3, pixels)), rng.integers(0, 2, (3, pixels)).astype(float)
    expected = np.where(x == 1, scipy.special.log_expit(logits), scipy.special.log_expit(-logits)).sum(-1)
    np.testing.assert_allclose(bernoulli(torch.from_numpy(logits)).log_prob(torch.from_numpy(x)), expected, rtol=1e-10, atol=1e-12)
    if spread < 5:
        by_mass = scipy.stats.bernoulli.logpmf(x, scipy.special.expit(logits)).sum(-1)
        np.testing.assert_allclose(expected, by_mass, rtol=1e-6)


def test_bernoulli_probabilities_of_all_images_sum_to_1() -> None:
    logits = torch.from_numpy(np.random.default_rng(0).normal(0, 2, 9))
    every_image = torch.tensor(list(itertools.product((0.0, 1.0), repeat=9)), dtype=torch.float64)
    assert bernoulli(logits).log_prob(every_image).exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_bernoulli_takes_a_whole_image_as_one_event() -> None:
    p = bernoulli(torch.zeros(4, 3, 784))
    assert p.batch_shape == (4, 3)
    assert p.event_shape == (784,)
    assert p.sample().shape == (4, 3, 784)


def test_bernoulli_does_not_overflow_at_extreme_logits() -> None:
    p = bernoulli(torch.tensor([[1000.0, -1000.0], [-1000.0, 1000.0]]))
    assert p.log_prob(torch.tensor([1.0, 0.0])).tolist() == [0, -2000]


def test_bernoulli_sets_pixels_with_the_probability_of_their_logit() -> None:
    torch.manual_seed(0)
    logits, n = torch.tensor([-2.0, 0.0, 1.0]), 20_000
    p = scipy.special.expit(logits.numpy())
    z = (bernoulli(logits).sample((n,)).mean(0).numpy() - p) / np.sqrt(p * (1 - p) / n)
    assert np.abs(z).max() < 4


# ---------------------------------------------------------------- diagonal_normal, standard_normal


@quick
@given(seeds, st.integers(1, 5))
def test_diagonal_normal_log_prob_is_scipys_with_the_exponential_as_variance(seed: int, latents: int) -> None:
    rng = np.random.default_rng(seed)
    mu, log_var, z = rng.normal(0, 2, (3, 4, latents))
    expected = [scipy.stats.multivariate_normal(m, np.diag(np.exp(v))).logpdf(point) for m, v, point in zip(mu, log_var, z)]
    q = diagonal_normal(torch.from_numpy(mu), torch.from_numpy(log_var))
    assert (q.batch_shape, q.event_shape) == ((4,), (latents,))
    np.testing.assert_allclose(q.log_prob(torch.from_numpy(z)), expected, rtol=1e-9, atol=1e-9)


def test_diagonal_normal_samples_have_its_mean_and_variance_and_pass_gradients() -> None:
    torch.manual_seed(0)
    mu, log_var, n = torch.tensor([1.0, -2.0], requires_grad=True), torch.tensor([0.5, -1.0]), 20_000
    z = diagonal_normal(mu, log_var).rsample((n,))
    variance = log_var.exp()
    assert ((z.mean(0) - mu).abs() < 4 * (variance / n).sqrt()).all()
    assert ((z.var(0) - variance).abs() < 4 * variance * math.sqrt(2 / n)).all()
    z.sum().backward()
    assert mu.grad is not None
    assert mu.grad.tolist() == [n, n]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_standard_normal_is_centred_of_unit_variance_and_of_the_dtype_asked_for(dtype: torch.dtype) -> None:
    z = torch.tensor([[0.0, 0.0, 0.0], [1.0, -2.0, 0.5]], dtype=dtype)
    p = standard_normal(3, like=z)
    assert (p.batch_shape, p.event_shape, p.sample().dtype) == ((), (3,), dtype)
    np.testing.assert_allclose(p.log_prob(z), [-1.5 * math.log(2 * math.pi), -1.5 * math.log(2 * math.pi) - 5.25 / 2], rtol=1e-6)


# ---------------------------------------------------------------- gaussian_kl


@quick
@given(seeds, st.integers(1, 6))
def test_gaussian_kl_is_the_library_s(seed: int, latents: int) -> None:
    rng = np.random.default_rng(seed)
    mu, log_var = torch.from_numpy(rng.normal(0, 3, (2, 5, latents)))
    prior = Independent(Normal(torch.zeros_like(mu), 1.0), 1)
    expected = kl_divergence(Independent(Normal(mu, log_var.exp().sqrt()), 1), prior)
    result = gaussian_kl(mu, log_var)
    assert result.shape == (5,)
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-10)
    assert (result > 0).all()


@pytest.mark.parametrize(("mu", "log_var"), [(0.0, 0.0), (1.3, 0.0), (0.0, -2.0), (-0.7, 1.1)])
def test_gaussian_kl_is_the_integral_it_stands_for(mu: float, log_var: float) -> None:
    q, p = scipy.stats.norm(mu, math.exp(log_var / 2)), scipy.stats.norm()
    reach = 12 * math.exp(log_var / 2)
    integral, _ = scipy.integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), mu - reach, mu + reach, epsabs=1e-11, limit=200)
    result = gaussian_kl(torch.tensor([[mu]], dtype=torch.float64), torch.tensor([[log_var]], dtype=torch.float64))
    assert result.item() == pytest.approx(integral, abs=1e-8)


@pytest.mark.parametrize("leading", [(), (4,), (2, 4)])
def test_gaussian_kl_sums_over_the_latents_and_keeps_every_axis_before_them(leading: tuple[int, ...]) -> None:
    mu, log_var = np.random.default_rng(0).normal(size=(2, *leading, 3))
    expected = (np.exp(log_var) + mu**2).sum(-1) / 2 - 3 / 2 - log_var.sum(-1) / 2
    np.testing.assert_allclose(gaussian_kl(torch.from_numpy(mu), torch.from_numpy(log_var)), expected, rtol=1e-12)


# ---------------------------------------------------------------- log_prob_pairs


@quick
@given(seeds, st.integers(1, 6), st.integers(1, 6), st.integers(1, 20), st.floats(0.1, 30))
def test_log_prob_pairs_is_the_loop_over_samples_and_images(seed: int, samples: int, batch: int, pixels: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    logits, x = rng.normal(0, spread, (samples, pixels)), rng.integers(0, 2, (batch, pixels)).astype(float)
    expected = [[loop_log_prob(row, image) for image in x] for row in logits]
    result = log_prob_pairs(bernoulli(torch.from_numpy(logits)), torch.from_numpy(x))
    assert result.shape == (samples, batch)
    np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-9)


def test_log_prob_pairs_is_stable_at_logits_of_a_thousand() -> None:
    logits = torch.tensor([[1000.0, -1000.0, 1000.0], [-1000.0, 1000.0, 0.0]])
    x = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    expected = [[0, -2000, -1000], [-2000 - math.log(2), -math.log(2), -1000 - math.log(2)]]
    np.testing.assert_allclose(log_prob_pairs(bernoulli(logits), x), expected, atol=2e-4)


def test_log_prob_pairs_of_whole_digits_is_accurate_in_float32() -> None:
    rng = np.random.default_rng(0)
    logits, x = rng.normal(-3, 4, (20, 784)).astype(np.float32), rng.integers(0, 2, (15, 784)).astype(np.float32)
    expected = [[loop_log_prob(row.astype(float), image) for image in x] for row in logits]
    result = log_prob_pairs(bernoulli(torch.from_numpy(logits)), torch.from_numpy(x))
    assert result.dtype == torch.float32
    np.testing.assert_allclose(result, expected, atol=2e-3)


def test_log_prob_pairs_never_holds_samples_times_batch_times_pixels() -> None:
    torch.manual_seed(0)
    logits, x = torch.randn(40, 50), torch.randint(0, 2, (30, 50)).float()
    with LargestTensor() as broadcast:
        expected = bernoulli(logits[:, None]).log_prob(x)
    assert broadcast.numel == 40 * 30 * 50  # the yardstick sees such a tensor where there is one
    with LargestTensor() as largest:
        result = log_prob_pairs(bernoulli(logits), x)
    assert largest.numel <= 40 * 50
    np.testing.assert_allclose(result, expected, atol=1e-4)


class Calls(TorchFunctionMode):
    """Counts the operations on tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.number += 1
        return func(*args, **(kwargs or {}))


def test_log_prob_pairs_takes_as_many_operations_for_many_binary_images_as_for_one() -> None:
    p, one, many = bernoulli(torch.zeros(4, 9)), torch.ones(1, 9), torch.ones(50, 9)
    with Calls() as for_one:
        log_prob_pairs(p, one)
    with Calls() as for_many:
        log_prob_pairs(p, many)
    assert for_many.number == for_one.number


def test_log_prob_pairs_serves_pixels_that_are_not_binary() -> None:
    rng = np.random.default_rng(0)
    mean, x = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    result = log_prob_pairs(Independent(Normal(torch.from_numpy(mean), 0.7), 1), torch.from_numpy(x))
    expected = scipy.stats.norm(mean[:, None], 0.7).logpdf(x[None]).sum(-1)
    np.testing.assert_allclose(result, expected, rtol=1e-10)


@pytest.mark.parametrize("binary", [True, False])
def test_pair_with_adds_one_number_to_every_pair_of_a_sample(binary: bool) -> None:
    rng = np.random.default_rng(0)
    parameters, x, plus = rng.normal(size=(4, 3)), rng.integers(0, 2, (5, 3)).astype(float), rng.normal(size=4)
    log_p = (
        scipy.stats.bernoulli(scipy.special.expit(parameters)[:, None]).logpmf
        if binary
        else scipy.stats.norm(parameters[:, None], 0.7).logpdf
    )
    p = bernoulli(torch.from_numpy(parameters)) if binary else Independent(Normal(torch.from_numpy(parameters), 0.7), 1)
    result = pair_with(p, torch.from_numpy(plus))(torch.from_numpy(x))
    np.testing.assert_allclose(result, log_p(x[None]).sum(-1) + plus[:, None], rtol=1e-9)


def test_log_prob_pairs_passes_gradients_to_the_logits() -> None:
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(size=(2, 3))).requires_grad_()
    x = torch.tensor([[0.0, 1.0, 1.0]], dtype=torch.float64)
    log_prob_pairs(bernoulli(logits), x).sum().backward()
    assert logits.grad is not None
    np.testing.assert_allclose(logits.grad, x - torch.sigmoid(logits.detach()), atol=1e-12)


# ---------------------------------------------------------------- mixture


def test_mixture_log_prob_is_the_log_of_the_weighted_sum_of_densities() -> None:
    rng = np.random.default_rng(0)
    (m1, v1), (m2, v2) = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 3))
    z = rng.normal(0, 2, (6, 4, 3))
    q = mixture([diagonal_normal(*map(torch.from_numpy, (m1, v1))), diagonal_normal(*map(torch.from_numpy, (m2, v2)))], [0.3, 0.7])
    assert (q.batch_shape, q.event_shape) == ((4,), (3,))
    first = scipy.stats.norm(m1, np.exp(v1 / 2)).pdf(z).prod(-1)
    second = scipy.stats.norm(m2, np.exp(v2 / 2)).pdf(z).prod(-1)
    np.testing.assert_allclose(q.log_prob(torch.from_numpy(z)), np.log(0.3 * first + 0.7 * second), rtol=1e-9)


def test_a_part_of_a_mixture_may_be_a_mixture_and_be_shared() -> None:
    """As in a defensive proposal where the prior is learned: one q for each image, one prior for all."""
    rng = np.random.default_rng(0)
    (m, v), z = rng.normal(size=(2, 4, 3)), rng.normal(0, 2, (6, 4, 3))
    loc, scale, log_weights = rng.normal(size=(2, 3)), rng.uniform(0.5, 2, (2, 3)), np.array([0.4, -1.1])
    shared = normal_mixture(*map(torch.from_numpy, (log_weights, loc, scale)))
    q = mixture([diagonal_normal(*map(torch.from_numpy, (m, v))), shared], [0.3, 0.7])
    assert (q.batch_shape, q.event_shape) == ((4,), (3,))
    w = np.exp(log_weights) / np.exp(log_weights).sum()
    inner = sum(w_c * scipy.stats.norm(loc_c, scale_c).pdf(z).prod(-1) for w_c, loc_c, scale_c in zip(w, loc, scale))
    np.testing.assert_allclose(shared.log_prob(torch.from_numpy(z)), np.log(inner), rtol=1e-9)
    first = scipy.stats.norm(m, np.exp(v / 2)).pdf(z).prod(-1)
    np.testing.assert_allclose(q.log_prob(torch.from_numpy(z)), np.log(0.3 * first + 0.7 * inner), rtol=1e-9)
    assert q.sample((5,)).shape == (5, 4, 3)


def test_the_divergence_is_closed_where_torch_knows_it_and_otherwise_right_on_average() -> None:
    q = diagonal_normal(torch.tensor([0.5, -1.0]), torch.tensor([-0.4, 0.3]))
    p = diagonal_normal(torch.tensor([0.0, 0.2]), torch.tensor([0.1, 0.5]))
    torch.manual_seed(0)
    z = q.sample((100_000,))
    closed = sum(
        math.log(s2 / s1) + (s1**2 + (a - b) ** 2) / (2 * s2**2) - 0.5
        for a, s1, b, s2 in zip(q.mean.tolist(), q.stddev.tolist(), p.mean.tolist(), p.stddev.tolist())
    )
    same = normal_mixture(torch.zeros(1), p.mean[None], p.stddev[None])
    np.testing.assert_allclose(divergence(q, p, z[:3]), closed, rtol=1e-5)
    drawn = divergence(q, same, z)
    assert drawn.shape == (100_000,)
    assert abs(drawn.mean().item() - closed) < 4 * drawn.std().item() / math.sqrt(100_000)
    assert drawn.std() > 0.1


def test_mixture_density_integrates_to_1() -> None:
    one = torch.zeros(1, dtype=torch.float64)
    q = mixture([diagonal_normal(one - 2, one), diagonal_normal(one + 3, one - 1)], [0.25, 0.75])
    z = torch.linspace(-15, 15, 6_001, dtype=torch.float64)
    assert scipy.integrate.simpson(q.log_prob(z[:, None]).exp().numpy(), x=z.numpy()) == pytest.approx(1, abs=1e-10)


def test_mixture_samples_have_the_mean_and_variance_of_the_mixture() -> None:
    torch.manual_seed(0)
    n, mu, var, w = 40_000, np.array([-2.0, 1.0, 4.0]), np.exp([0.0, -1.0, 0.5]), np.array([0.2, 0.5, 0.3])
    q = mixture([diagonal_normal(torch.tensor([m]).float(), torch.tensor([v]).log().float()) for m, v in zip(mu, var)], w.tolist())
    z = q.sample((n,)).numpy().ravel().astype(float)
    mean = w @ mu
    variance = w @ (var + mu**2) - mean**2
    fourth = w @ (3 * var**2 + 6 * var * (mu - mean) ** 2 + (mu - mean) ** 4)
    assert abs(z.mean() - mean) < 4 * math.sqrt(variance / n)
    assert abs(((z - mean) ** 2).mean() - variance) < 4 * math.sqrt((fourth - variance**2) / n)


def test_a_component_of_weight_zero_adds_nothing_even_far_out() -> None:
    narrow, wide = diagonal_normal(torch.zeros(1), torch.zeros(1)), diagonal_normal(torch.zeros(1), torch.full((1,), 6.0))
    far = torch.tensor([8.0])
    assert mixture([narrow, wide], [1.0, 0.0]).log_prob(far).item() == pytest.approx(scipy.stats.norm.logpdf(8.0), rel=1e-5)


@pytest.mark.parametrize("weights", [[1.0], [0.2, 0.3, 0.5]])
def test_mixture_wants_one_weight_a_component(weights: list[float]) -> None:
    parts = [standard_normal(2, like=torch.zeros(1))] * 2
    with pytest.raises(ValueError, match=f"one weight for each component; got 2 components and {len(weights)} weights"):
        mixture(parts, weights)
    with pytest.raises(ValueError, match="got 0 components"):
        mixture([], [])


@pytest.mark.parametrize("weights", [[-0.5, 1.5], [0.5, 0.6], [0.2, 0.2], [math.nan, 0.5], [0.5, math.nan]])
def test_mixture_weights_must_be_a_distribution(weights: list[float]) -> None:
    parts = [standard_normal(2, like=torch.zeros(1))] * 2
    with pytest.raises(ValueError, match="must be 0 or above and sum to 1"):
        mixture(parts, weights)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_likelihood_of_pixels_is_that_of_torch_bit_for_bit(dtype: torch.dtype) -> None:
    logits = (4 * torch.randn(7, 784, dtype=dtype)).requires_grad_()
    x = (torch.rand(7, 784) < 0.5).to(dtype)
    theirs = Independent(Bernoulli(logits=logits), 1)
    values = [p.log_prob(x) for p in (bernoulli(logits), theirs)]
    gradients = [torch.autograd.grad(v.mean(), logits)[0] for v in values]
    assert torch.equal(*values)
    assert torch.equal(*gradients)
    assert torch.equal(bernoulli(logits[:, None]).log_prob(x), Independent(Bernoulli(logits=logits[:, None]), 1).log_prob(x))  # every pair
    assert bernoulli(logits).expand((3, 7)).log_prob(x).shape == (3, 7)


def test_the_prior_that_is_kept_can_be_trained_with_wherever_it_was_first_asked_for() -> None:
    with torch.inference_mode():
        standard_normal(5, torch.zeros(1))
    mu = torch.zeros(3, 5, requires_grad=True)
    kl_divergence(diagonal_normal(mu, torch.zeros(3, 5)), standard_normal(5, mu)).sum().backward()
    assert mu.grad is not None
    assert standard_normal(5, mu) is standard_normal(5, torch.ones(2))
    assert standard_normal(5, mu.double()).mean.dtype == torch.float64


def test_a_mixture_of_anything_but_normals_is_refused() -> None:
    laplace = Laplace(torch.zeros(2), torch.ones(2))
    families = MixtureSameFamily(Categorical(torch.ones(2)), laplace)
    for q in (Independent(laplace, 1), laplace, families, Normal(torch.zeros(2), 1.0), standard_normal):
        with pytest.raises(TypeError, match="must be diagonal normals or mixtures of them"):
            mixture([q], [1.0])
