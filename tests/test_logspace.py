"""Averages in log space, held against 50-digit decimal arithmetic."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from arviz_stats.base import array_stats
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vaecourse.logspace import effective_sample_size, log_mean_exp, pareto_k

quick = settings(max_examples=60, deadline=None, derandomize=True)
log_numbers = st.lists(st.floats(-20_000, 20_000), min_size=1, max_size=12)


def exact_log_mean_exp(values: list[float]) -> float:
    """The definition, in 50 digits and with exponents that do not overflow."""
    with localcontext() as context:
        context.prec = 50
        weights = [Decimal(v).exp() if math.isfinite(v) else Decimal(0) for v in values]
        return float((sum(weights, Decimal(0)) / len(values)).ln())


def exact_effective_sample_size(values: list[float]) -> float:
    with localcontext() as context:
        context.prec = 50
        weights = [Decimal(v).exp() if math.isfinite(v) else Decimal(0) for v in values]
        return float(sum(weights, Decimal(0)) ** 2 / sum((w * w for w in weights), Decimal(0)))


def double(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@quick
@given(log_numbers)
def test_log_mean_exp_is_the_log_of_the_mean_of_the_exponentials(values: list[float]) -> None:
    assert log_mean_exp(double(values), 0).item() == pytest.approx(exact_log_mean_exp(values), rel=1e-13, abs=1e-11)


@quick
@given(st.lists(st.floats(-1_000, 1_000, width=32), min_size=1, max_size=12))
def test_log_mean_exp_keeps_float32_accuracy(values: list[float]) -> None:
    result = log_mean_exp(torch.tensor(values, dtype=torch.float32), 0)
    assert result.dtype == torch.float32
    assert result.item() == pytest.approx(exact_log_mean_exp(values), rel=1e-6, abs=1e-5)


@quick
@given(log_numbers, st.floats(-500, 500))
def test_a_shift_of_all_entries_shifts_log_mean_exp_by_as_much(values: list[float], shift: float) -> None:
    moved = log_mean_exp(double(values) + shift, 0)
    assert moved.item() == pytest.approx(log_mean_exp(double(values), 0).item() + shift, abs=1e-9)


@quick
@given(log_numbers)
def test_log_mean_exp_lies_between_the_mean_and_the_largest_entry(values: list[float]) -> None:
    result = log_mean_exp(double(values), 0).item()
    assert np.mean(values) - 1e-9 <= result <= max(values) + 1e-9


def test_rows_far_below_the_smallest_number_stay_different() -> None:
    rows = [[-10_000.0, -10_001.0], [-10_002.0, -9_999.5], [-10_000.0, -10_000.0]]
    assert torch.exp(double(rows)).max() == 0
    result = log_mean_exp(double(rows), 1)
    np.testing.assert_allclose(result, [exact_log_mean_exp(row) for row in rows], rtol=1e-14)
    assert len(set(result.tolist())) == 3


@pytest.mark.parametrize("dim", [0, 1, 2, -1, -3])
def test_both_averages_run_along_the_dimension_asked_for(dim: int) -> None:
    log_w = np.random.default_rng(0).normal(size=(3, 4, 5))
    w = np.exp(log_w)
    np.testing.assert_allclose(log_mean_exp(torch.from_numpy(log_w), dim), np.log(w.mean(dim)), rtol=1e-12)
    np.testing.assert_allclose(effective_sample_size(torch.from_numpy(log_w), dim), w.sum(dim) ** 2 / (w**2).sum(dim), rtol=1e-12)


def test_entries_of_minus_infinity_count_as_weights_of_zero() -> None:
    log_w = double([[0.0, -math.inf], [-math.inf, -math.inf]])
    assert log_mean_exp(log_w, 1).tolist() == [pytest.approx(-math.log(2)), -math.inf]


def test_gradients_are_the_normalised_weights_however_small_the_weights() -> None:
    log_w = double([-10_000.0, -10_001.0, -math.inf, 50.0, 49.0]).requires_grad_()
    (gradient,) = torch.autograd.grad(log_mean_exp(log_w[:3], 0) + log_mean_exp(log_w[3:], 0), log_w)
    first = 1 / (1 + math.exp(-1))
    np.testing.assert_allclose(gradient, [first, 1 - first, 0, first, 1 - first], rtol=1e-12)


def test_gradients_of_the_effective_sample_size_are_finite_and_right() -> None:
    log_w = double([-10_000.0, -10_001.0, -10_003.0]).requires_grad_()
    (gradient,) = torch.autograd.grad(effective_sample_size(log_w, 0), log_w)
    step = 1e-4
    for i in range(3):
        up, down = ([v + s * (j == i) for j, v in enumerate(log_w.tolist())] for s in (step, -step))
        slope = (exact_effective_sample_size(up) - exact_effective_sample_size(down)) / (2 * step)
        assert gradient[i].item() == pytest.approx(slope, abs=1e-6)


@quick
@given(log_numbers)
def test_effective_sample_size_is_the_squared_sum_over_the_sum_of_squares(values: list[float]) -> None:
    assert effective_sample_size(double(values), 0).item() == pytest.approx(exact_effective_sample_size(values), rel=1e-9)


@quick
@given(log_numbers, st.floats(-500, 500))
def test_effective_sample_size_lies_between_1_and_n_whatever_the_scale(values: list[float], shift: float) -> None:
    size = effective_sample_size(double(values) + shift, 0).item()
    assert 1 - 1e-9 <= size <= len(values) + 1e-9
    assert size == pytest.approx(effective_sample_size(double(values), 0).item(), rel=1e-6)


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_equal_weights_are_worth_their_number(n: int) -> None:
    assert effective_sample_size(torch.full((n,), -800.0), 0).item() == pytest.approx(n, rel=1e-5)


def test_one_dominant_weight_is_worth_one_sample() -> None:
    assert effective_sample_size(double([-5_000.0, -4_900.0, -5_100.0]), 0).item() == pytest.approx(1)
    assert effective_sample_size(double([-math.inf, 3.0, -math.inf, 3.0, -math.inf]), 0).item() == pytest.approx(2)


def test_effective_sample_size_of_nothing_but_zero_weights_is_nan() -> None:
    sizes = effective_sample_size(double([[-math.inf] * 3, [0.0] * 3]), 1)
    assert math.isnan(sizes[0])
    assert sizes[1].item() == pytest.approx(3)


# ---------------------------------------------------------------- the tail of the weights


def arviz_k(log_w: np.ndarray) -> float:
    """k-hat by ArviZ. The version for Python 3.10 has no `psislw` yet, and is asked for the step within it."""
    if hasattr(array_stats, "psislw"):
        return float(array_stats.psislw(-log_w)[1])  # it takes log-likelihoods, which are minus log-weights
    tail = int(min(len(log_w) / 5, 3 * len(log_w) ** 0.5))
    return float(array_stats._ps_tail(log_w, len(log_w), tail, tail="right", log_weights=True)[1])


@pytest.mark.parametrize("n", [40, 100, 225, 226, 1000, 4001])
def test_pareto_k_is_that_of_arviz(n: int) -> None:
    rng = np.random.default_rng(n)
    columns = [rng.normal(size=n) * width - 10_000 for width in (0.01, 1, 3, 30)]
    columns += [rng.exponential(size=n) * k for k in (0.2, 1.5)] + [rng.uniform(size=n), np.log(rng.uniform(size=n))]
    found = pareto_k(torch.from_numpy(np.stack(columns, 1)), 0)
    np.testing.assert_allclose(found, [arviz_k(column) for column in columns], rtol=1e-8, atol=1e-9)
    assert np.ptp(found.numpy()) > 1


@pytest.mark.parametrize("k", [0.2, 0.5, 0.7, 1.0])
def test_pareto_weights_have_the_k_that_they_were_given(k: float) -> None:
    torch.manual_seed(round(10 * k))
    n, tail = 10_000, 300
    log_w = k * torch.empty(n, 200, dtype=torch.float64).exponential_()  # P(w > y) = y^(-1/k)
    without_prior = (pareto_k(log_w, 0) * (tail + 10) - 5) / tail
    assert without_prior.std().item() == pytest.approx((1 + k) / tail**0.5, rel=0.2)  # maximum likelihood's own error
    assert without_prior.mean().item() == pytest.approx(k, abs=4 * without_prior.std().item() / 200**0.5 + 0.01)


@pytest.mark.parametrize("narrow", [0.4, 0.5, 0.6, 0.71, 0.85])
def test_a_normal_proposal_narrower_than_a_normal_posterior_has_one_minus_the_ratio_of_variances(narrow: float) -> None:
    """w is proportional to exp(k u^2 / 2) with u normal: its tail is y^(-1/k) / sqrt(log y), so that k-hat is a little below k."""
    torch.manual_seed(1)
    k, u = 1 - narrow**2, torch.randn(100_000, 20, dtype=torch.float64)
    z = narrow * u
    found = pareto_k(-(z**2) / 2 + u**2 / 2, 0)
    error = 4 * found.std().item() / 20**0.5
    assert k - 0.1 - error < found.mean().item() < k + error


@quick
@given(st.integers(0, 10_000), st.floats(-500, 500), st.sampled_from([25, 60, 300]))
def test_pareto_k_depends_neither_on_a_shift_nor_on_the_order(seed: int, shift: float, n: int) -> None:
    rng = np.random.default_rng(seed)
    log_w = rng.normal(size=n) * rng.uniform(0.1, 20)
    k = pareto_k(torch.from_numpy(log_w), 0).item()
    assert pareto_k(torch.from_numpy(log_w + shift), 0).item() == pytest.approx(k, abs=1e-6)
    assert pareto_k(torch.from_numpy(rng.permutation(log_w)), 0).item() == k


@pytest.mark.parametrize("dim", [0, 1, 2, -1, -3])
def test_pareto_k_runs_along_the_dimension_asked_for(dim: int) -> None:
    log_w = np.random.default_rng(3).normal(size=(40, 50, 60))
    expected = np.apply_along_axis(arviz_k, dim, log_w)
    np.testing.assert_allclose(pareto_k(torch.from_numpy(log_w), dim), expected, rtol=1e-8)


def test_pareto_k_computes_in_float64_and_answers_in_the_type_of_the_weights() -> None:
    log_w = torch.randn(1000, 20, generator=torch.Generator().manual_seed(4)) * 5
    found = pareto_k(log_w.requires_grad_(), 0)
    assert found.dtype == torch.float32
    assert not found.requires_grad
    assert found.tolist() == [np.float32(arviz_k(column)) for column in log_w.detach().double().numpy().T]


def test_equal_weights_have_no_tail() -> None:
    assert pareto_k(torch.full((100,), -813.3), 0).item() == -math.inf
    rounded = double([0.1]) + 1e-16 * torch.arange(100)
    assert pareto_k(torch.stack([rounded, torch.linspace(0, 1, 100)]), 1).isinf().tolist() == [True, False]
    ties_at_the_top = torch.cat([torch.zeros(50), -torch.arange(1.0, 51.0)])
    assert pareto_k(ties_at_the_top, 0).item() == -math.inf


def test_a_few_weights_above_a_heap_of_ties_are_reported_as_the_heaviest_tail() -> None:
    alone = torch.full((100,), -math.inf)
    alone[7] = -3.0
    assert pareto_k(alone, 0).item() == math.inf
    few = torch.cat([torch.zeros(95), torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])])
    assert pareto_k(few, 0).item() == math.inf


def test_weights_of_zero_below_the_tail_change_nothing() -> None:
    log_w = torch.from_numpy(np.random.default_rng(5).normal(size=100))
    with_zeros = torch.where(log_w > log_w.median(), log_w, -math.inf)
    assert pareto_k(with_zeros, 0).item() == pareto_k(log_w, 0).item()


def test_pareto_k_says_what_it_cannot_use() -> None:
    with pytest.raises(ValueError, match=r"at least 25 samples along dimension 1; got 24"):
        pareto_k(torch.zeros(100, 24), 1)
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match=r"holds NaN or \+inf"):
            pareto_k(torch.cat([torch.zeros(99), torch.tensor([bad])]), 0)
    with pytest.raises(ValueError, match=r"every weight is zero in 2 slice"):
        pareto_k(torch.stack([torch.randn(30), *torch.full((2, 30), -math.inf)]), 1)


@pytest.mark.parametrize("average", [log_mean_exp, effective_sample_size, pareto_k])
@pytest.mark.parametrize("wrong", [[0.0, 1.0], np.zeros(3), torch.zeros(3, dtype=torch.int64), torch.zeros(3, dtype=torch.bool)])
def test_anything_but_a_floating_point_tensor_is_refused(average, wrong) -> None:
    with pytest.raises(TypeError, match=r"log_w must be .*torch\.as_tensor"):
        average(wrong, 0)


@pytest.mark.parametrize("average", [log_mean_exp, effective_sample_size, pareto_k])
@pytest.mark.parametrize(("shape", "dim"), [((0,), 0), ((3, 0), 1), ((0, 3), -2)])
def test_a_dimension_without_entries_is_refused(average, shape: tuple[int, ...], dim: int) -> None:
    with pytest.raises(ValueError, match="no entries along dimension .*at least one sample"):
        average(torch.zeros(shape), dim)


@pytest.mark.parametrize("average", [log_mean_exp, effective_sample_size, pareto_k])
@pytest.mark.parametrize(("shape", "dim"), [((3,), 5), ((3,), -2), ((), 0)])
def test_a_dimension_that_is_not_there_is_refused(average, shape: tuple[int, ...], dim: int) -> None:
    with pytest.raises(ValueError, match=f"log_w has no dimension {dim}: its shape is"):
        average(torch.zeros(shape), dim)
