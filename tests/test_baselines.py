"""Baselines for tables, held against closed forms, scipy's optimisers and numerical integration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special
import scipy.stats
import torch
from torch import Tensor

from vaecourse.baselines import GaussianTable, independent_columns
from vaecourse.tables import Column

HEIGHT, WEIGHT = Column("height", "gaussian"), Column("weight", "positive")
GOALS = Column("goals", "count", 1.2, 0.6)
FOOT, ROLE = Column("foot", "category", categories=("both", "left", "right")), Column("role", "category", categories=("a", "b"))
NAN = math.nan


def sample(n: int, seed: int = 0) -> Tensor:
    """(N, 5): two correlated quantities, an overdispersed count, and two categories that depend on the first."""
    rng = np.random.default_rng(seed)
    a = rng.normal(0.2, 1.1, n)
    role = (rng.random(n) < scipy.special.expit(2 * a)).astype(float)
    goals = rng.poisson(3 * rng.gamma(2, 0.5, n) * (1 + role))
    foot = rng.choice(3, n, p=[0.1, 0.3, 0.6])
    return torch.from_numpy(np.stack([a, 0.7 * a + rng.normal(0, 0.5, n), goals, foot, role], 1))


# ---------------------------------------------------------------- independent columns


def test_independent_columns_are_those_of_maximum_likelihood() -> None:
    columns, x = [HEIGHT, GOALS, FOOT], sample(500)[:, [0, 2, 3]]
    x[::9, 0], x[::7, 1], x[::5, 2] = NAN, NAN, NAN
    result = independent_columns(columns, x)
    assert (result.batch_shape, result.event_shape) == ((), (3,))
    height, goals, foot = (values[~np.isnan(values)] for values in x.numpy().T)
    normal, count, category = result.parts
    assert normal.loc.item() == pytest.approx(height.mean(), abs=1e-5)
    assert normal.scale.item() == pytest.approx(height.std(), abs=1e-5)
    np.testing.assert_allclose(category.probs, np.bincount(foot.astype(int)) / len(foot), atol=1e-5)

    def minus(p: np.ndarray) -> float:
        r, mean = np.exp(p)
        return -scipy.stats.nbinom(r, r / (r + mean)).logpmf(goals).sum()

    r, mean = np.exp(scipy.optimize.minimize(minus, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}).x)
    assert count.total_count.item() == pytest.approx(r, rel=1e-3)
    assert count.mean.item() == pytest.approx(mean, rel=1e-4)
    assert count.mean.item() == pytest.approx(goals.mean(), rel=1e-4)


def test_independent_columns_keep_the_floor_and_the_dtype() -> None:
    x = torch.full((30, 1), 0.3)
    x[0] = 0.3001
    part = independent_columns([HEIGHT], x, floor=0.2).parts[0]
    assert part.scale.item() == pytest.approx(0.2, abs=1e-3)
    assert part.loc.dtype == torch.float32
    wide = sample(200)[:, :1]
    assert independent_columns([HEIGHT], wide, floor=0.8).parts[0].scale.item() == pytest.approx(wide.numpy().std(), abs=1e-5)
    assert independent_columns([HEIGHT], x.double()).parts[0].scale.item() == pytest.approx(0.05, abs=1e-3)


# ---------------------------------------------------------------- Gaussians


def test_one_component_is_the_normal_of_the_moments() -> None:
    x, fresh = sample(400)[:, :2], sample(50, 1)[:, :2]
    covariance = np.cov(x.numpy().T, bias=True) + 1e-3 * np.eye(2)
    expected = scipy.stats.multivariate_normal(x.numpy().mean(0), covariance).logpdf(fresh.numpy())
    model = GaussianTable([HEIGHT, WEIGHT], x)
    np.testing.assert_allclose(model.log_prob(fresh), expected, atol=1e-6)
    x = torch.cat([x, torch.tensor([[NAN, 50.0], [50.0, NAN]])])
    np.testing.assert_allclose(GaussianTable([HEIGHT, WEIGHT], x).log_prob(fresh), expected, atol=1e-6)


def test_a_mixture_within_each_value_of_a_category() -> None:
    x, fresh = sample(600)[:, [0, 1, 4]], sample(60, 1)[:, [0, 1, 4]]
    model = GaussianTable([HEIGHT, WEIGHT, ROLE], x, by="role")
    expected = np.empty(60)
    for value in (0, 1):
        part, here = x[x[:, 2] == value, :2].numpy(), (fresh[:, 2] == value).numpy()
        normal = scipy.stats.multivariate_normal(part.mean(0), np.cov(part.T, bias=True) + 1e-3 * np.eye(2))
        expected[here] = normal.logpdf(fresh[here, :2].numpy()) + math.log((len(part) + 0.5) / 601)
    np.testing.assert_allclose(model.log_prob(fresh), expected, atol=1e-5)
    assert model.log_prob(fresh).mean() > GaussianTable([HEIGHT, WEIGHT, ROLE], x).log_prob(fresh).mean()


def test_two_components_explain_two_clouds() -> None:
    rng = np.random.default_rng(0)
    x = torch.from_numpy(np.concatenate([rng.normal(-4, 0.5, (200, 1)), rng.normal(3, 1.0, (600, 1))]))
    density = 0.25 * scipy.stats.norm(-4, 0.5).pdf(x) + 0.75 * scipy.stats.norm(3, 1).pdf(x)
    two = GaussianTable([HEIGHT], x, n_components=2).log_prob(x)
    assert abs(two.mean().item() - np.log(density).mean()) < 0.02
    assert GaussianTable([HEIGHT], x).log_prob(x).mean() < two.mean() - 0.4


def test_the_probability_of_a_count_is_the_integral_over_its_unit() -> None:
    x = sample(400)[:, [0, 2]]
    model = GaussianTable([HEIGHT, GOALS], x)
    mixture = model.mixtures[0]
    normal = scipy.stats.multivariate_normal(mixture.means_[0], mixture.covariances_[0])
    fresh = torch.tensor([[a, y] for a in (-1.0, 0.5) for y in (0.0, 1.0, 4.0, 12.0)], dtype=torch.float64)
    expected = [
        math.log(scipy.integrate.quad(lambda u, a=a, y=y: normal.pdf([a, math.log1p(y + u)]) / (1 + y + u), 0, 1)[0])
        for a, y in fresh.tolist()
    ]
    kept = scipy.stats.norm(mixture.means_[0, 1], math.sqrt(mixture.covariances_[0, 1, 1])).sf(0)  # no count lies below log(1 + 0)
    np.testing.assert_allclose(model.log_prob(fresh, n_draws=1500), np.array(expected) - math.log(kept), atol=0.05)
    one = GaussianTable([GOALS], x[:, 1:])
    total = one.log_prob(torch.arange(500.0, dtype=torch.float64)[:, None], n_draws=1000).exp().sum().item()
    assert total == pytest.approx(1, abs=8e-3)


@pytest.mark.parametrize("by", [None, "foot", "role"])
def test_the_probabilities_of_all_combinations_of_categories_sum_to_1(by: str | None) -> None:
    combinations = torch.tensor(list(itertools.product(range(3), range(2))), dtype=torch.float64)
    alone = GaussianTable([FOOT, ROLE], sample(200)[:, 3:], by=by)
    assert alone.log_prob(combinations).exp().sum().item() == pytest.approx(1, abs=1e-6)
    model = GaussianTable([HEIGHT, FOOT, ROLE], sample(200)[:, [0, 3, 4]], by=by)
    grid = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    rows = torch.cat([torch.cat([grid[:, None], c.expand(4001, 2)], 1) for c in combinations])
    assert model.log_prob(rows).exp().sum().item() * (24 / 4000) == pytest.approx(1, abs=1e-5)


def test_frequencies_have_half_a_row_more_so_that_nothing_is_impossible() -> None:
    x = torch.tensor([[0.0]] * 9 + [[2.0]] * 21, dtype=torch.float64)
    p = GaussianTable([FOOT], x).log_prob(torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)).exp()
    np.testing.assert_allclose(p, [9.5 / 31.5, 0.5 / 31.5, 21.5 / 31.5], rtol=1e-5)


def test_the_seed_makes_it_the_same_again() -> None:
    x = sample(200)
    one, same = (GaussianTable([HEIGHT, WEIGHT, GOALS, FOOT, ROLE], x, 2, seed=3).log_prob(x[:20]) for _ in range(2))
    other = GaussianTable([HEIGHT, WEIGHT, GOALS, FOOT, ROLE], x, 2, seed=4).log_prob(x[:20])
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("by", ["height", "shoe"])
def test_by_must_be_a_category(by: str) -> None:
    with pytest.raises(ValueError, match=f"by must be the name of a category; got '{by}', the categories are .'role'"):
        GaussianTable([HEIGHT, ROLE], sample(50)[:, [0, 4]], by=by)


def test_too_few_complete_rows_are_refused() -> None:
    x = sample(50)[:, [0, 4]]
    x[:, 1] = 0
    x[:4, 1] = 1
    GaussianTable([HEIGHT, ROLE], x, by="role")
    with pytest.raises(
        ValueError, match="4 complete rows with role 'b' are too few for 2 components: pass fewer components, or another `by`"
    ):
        GaussianTable([HEIGHT, ROLE], x, 2, by="role")
    with pytest.raises(ValueError, match="0 complete rows are too few for 1 components"):
        GaussianTable([HEIGHT, ROLE], torch.full((40, 2), NAN))


def test_rows_with_empty_cells_are_refused() -> None:
    model = GaussianTable([HEIGHT, WEIGHT], sample(50)[:, :2])
    with pytest.raises(ValueError, match=r"complete rows only: pass x\[~x.isnan\(\).any\(1\)\]"):
        model.log_prob(torch.tensor([[0.0, NAN]]))


MIXED = [HEIGHT, GOALS, Column("foot", "category", categories=("left", "right"))]


def mixed() -> Tensor:
    return torch.tensor([[0.0, 1, 1], [2, 3, 0], [1, 5, 1], [4, 0, 0]] * 5)


@pytest.mark.parametrize(
    "make", [independent_columns, GaussianTable, lambda columns, x: GaussianTable(columns, mixed(), by="foot").log_prob(x)]
)
@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (torch.tensor([[0.0, 1, 2]]), ValueError, "column 'foot' must hold 0 … 1, the number of a category"),
        (torch.tensor([[0.0, 1, -1]]), ValueError, "column 'foot' must hold 0 … 1"),
        (torch.tensor([[0.0, -0.5, 1]]), ValueError, "column 'goals' must hold 0, 1, 2, …, a count"),
        (torch.tensor([[math.inf, 1, 1]]), ValueError, "x holds infinity"),
        (torch.zeros(1, 2), ValueError, r"x must have shape \(N, 3\), one row of the table in each; got \(1, 2\)"),
        (torch.zeros(3), ValueError, r"x must have shape \(N, 3\)"),
        (mixed().long(), TypeError, r"x must be floating point; got torch\.int64: convert it with x\.float\(\)"),
        (mixed().numpy(), TypeError, "x must be a torch tensor; got ndarray: convert it with torch.as_tensor"),
        (mixed().tolist(), TypeError, "x must be a torch tensor; got list"),
    ],
)
def test_what_are_no_rows_of_the_columns_is_refused(make, x, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        make(MIXED, x)


@pytest.mark.parametrize(
    ("x", "floor", "error", "words"),
    [
        (mixed()[:0], 0.05, ValueError, "x holds no row: pass at least one"),
        (mixed(), -1, ValueError, "floor .* must be 0 or above; got -1"),
        (mixed(), "a", TypeError, "floor must be a number; got 'a'"),
    ],
)
def test_settings_that_independent_columns_refuse(x: Tensor, floor, error: type, words: str) -> None:
    assert independent_columns(MIXED, mixed()).parts[0].loc.item() == pytest.approx(1.75, abs=1e-4)
    with pytest.raises(error, match=words):
        independent_columns(MIXED, x, floor=floor)
