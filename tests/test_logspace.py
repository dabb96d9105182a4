"""Averages in log space, held against 50-digit decimal arithmetic."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vaecourse.logspace import effective_sample_size, log_mean_exp

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


@pytest.mark.parametrize("average", [log_mean_exp, effective_sample_size])
@pytest.mark.parametrize("wrong", [[0.0, 1.0], np.zeros(3), torch.zeros(3, dtype=torch.int64), torch.zeros(3, dtype=torch.bool)])
def test_anything_but_a_floating_point_tensor_is_refused(average, wrong) -> None:
    with pytest.raises(TypeError, match=r"log_w must be .*torch\.as_tensor"):
        average(wrong, 0)


@pytest.mark.parametrize("average", [log_mean_exp, effective_sample_size])
@pytest.mark.parametrize(("shape", "dim"), [((0,), 0), ((3, 0), 1), ((0, 3), -2)])
def test_a_dimension_without_entries_is_refused(average, shape: tuple[int, ...], dim: int) -> None:
    with pytest.raises(ValueError, match="no entries along dimension .*at least one sample"):
        average(torch.zeros(shape), dim)
