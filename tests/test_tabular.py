"""The VAE for tables, held against scipy column by column, and against a linear-Gaussian table whose answers are known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vaecourse import tabular
from vaecourse.distributions import log_prob_pairs
from vaecourse.estimators import elbo, iwae_bound, log_weights
from vaecourse.models import ConditionalVAE
from vaecourse.oracles import exact_log_px
from vaecourse.tables import LARGEST_COUNT, Column
from vaecourse.tabular import FLOOR, Cells, TabularVAE, feature_count, features, generate, impute, parameter_count
from vaecourse.training import fit

COLUMNS = (
    Column("height", "gaussian", 182.0, 6.5),
    Column("goals", "count", 1.2, 0.8),
    Column("foot", "category", categories=("both", "left", "right")),
    Column("value", "positive", 6.9, 1.1),
)
NAN = math.nan


def parameters(*batch: int, seed: int = 0) -> Tensor:
    return torch.randn(*batch, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def rows(n: int, seed: int = 0) -> Tensor:
    """Complete rows in standard units."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.stack([rng.normal(size=n), rng.poisson(3, n), rng.integers(0, 3, n), rng.normal(size=n)], 1))


def softplus(value: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, value)


def by_scipy(p: np.ndarray, x: np.ndarray, floor: float = FLOOR) -> np.ndarray:
    """log p of each of the four cells from the nine parameters of its row."""
    mean, r = np.exp(1.2 + p[..., 2]), softplus(p[..., 3] + 2) + 0.05
    terms = [
        scipy.stats.norm(p[..., 0], softplus(p[..., 1] + 0.55) + floor).logpdf(x[..., 0]),
        scipy.stats.nbinom(r, r / (r + mean)).logpmf(x[..., 1]),
        np.take_along_axis(scipy.special.log_softmax(p[..., 4:7], -1), x[..., 2, None].astype(int), -1)[..., 0],
        scipy.stats.norm(p[..., 7], softplus(p[..., 8] + 0.55) + floor).logpdf(x[..., 3]),
    ]
    return np.stack(terms, -1)


# ---------------------------------------------------------------- Cells


@pytest.mark.parametrize("floor", [FLOOR, 0.0, 0.7])
def test_every_cell_has_the_probability_that_scipy_gives_it(floor: float) -> None:
    p, x = parameters(40), rows(40)
    cells = Cells(COLUMNS, p, floor)
    expected = by_scipy(p.numpy(), x.numpy(), floor)
    assert (cells.batch_shape, cells.event_shape) == ((40,), (4,))
    assert parameter_count(COLUMNS) == 9
    np.testing.assert_allclose(cells.cell_log_probs(x), expected, atol=1e-9)
    np.testing.assert_allclose(cells.log_prob(x), expected.sum(-1), atol=1e-9)


def test_samples_and_rows_broadcast() -> None:
    p, x = parameters(5, 6), rows(6)
    result = Cells(COLUMNS, p).log_prob(x)
    assert result.shape == (5, 6)
    np.testing.assert_allclose(result, by_scipy(p.numpy(), np.broadcast_to(x.numpy(), (5, 6, 4))).sum(-1), atol=1e-9)
    pairs = log_prob_pairs(Cells(COLUMNS, p[:, 0]), x)
    expected = by_scipy(np.broadcast_to(p[:, :1].numpy(), (5, 6, 9)), np.broadcast_to(x.numpy(), (5, 6, 4))).sum(-1)
    np.testing.assert_allclose(pairs, expected, atol=1e-9)


def test_pairs_in_blocks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from vaecourse import distributions

    cells, x, plus = Cells(COLUMNS, parameters(5)), rows(7), torch.arange(5.0, dtype=torch.float64)
    expected = torch.stack([cells.log_prob(row) for row in x], 1) + plus[:, None]
    for block in (1, 50, 1 << 18):
        monkeypatch.setattr(distributions, "BLOCK", block)
        np.testing.assert_allclose(distributions.pair_with(cells, plus)(x), expected, atol=1e-12)


def test_an_empty_cell_drops_out_of_the_value_and_of_the_gradient() -> None:
    p, x = parameters(16).requires_grad_(), rows(16)
    gone = torch.tensor([[bool(i >> j & 1) for j in range(4)] for i in range(16)])
    cells = Cells(COLUMNS, p)
    holed = x.masked_fill(gone, NAN)
    expected = by_scipy(p.detach().numpy(), x.numpy())
    np.testing.assert_allclose(cells.cell_log_probs(holed).detach(), np.where(gone, 0, expected), atol=1e-9)
    assert cells.log_prob(holed)[15] == 0
    cells.log_prob(holed).sum().backward()
    assert p.grad is not None
    owner = torch.tensor([0, 0, 1, 1, 2, 2, 2, 3, 3])
    assert p.grad.isfinite().all()
    assert ((p.grad != 0) == ~gone[:, owner]).all()


def test_samples_are_complete_and_have_the_moments_of_their_columns() -> None:
    p, n = parameters(), 40_000
    cells, q = Cells(COLUMNS, p), parameters().numpy()
    torch.manual_seed(0)
    x = cells.sample((n,)).numpy()
    assert (x.shape, x.dtype) == ((n, 4), np.float64)
    mean, r = math.exp(1.2 + q[2]), softplus(q[3] + 2) + 0.05
    scales = softplus(q[[1, 8]] + 0.55) + FLOOR
    moments = [(x[:, 0], q[0], scales[0]), (x[:, 3], q[7], scales[1]), (x[:, 1], mean, math.sqrt(mean + mean**2 / r))]
    for k, share in enumerate(scipy.special.softmax(q[4:7])):
        moments.append((x[:, 2] == k, share, math.sqrt(share * (1 - share))))
    for values, expected, sd in moments:
        assert abs(values.mean() - expected) < 4 * sd / math.sqrt(n)
        assert abs(values.std() / sd - 1) < 0.06
    assert (x[:, 1] == x[:, 1].round()).all()
    best = int(np.argmax(q[4:7]))
    np.testing.assert_allclose(cells.mean, [q[0], mean, best, q[7]], rtol=1e-9)


def test_no_scale_is_below_the_floor() -> None:
    p = torch.full((9,), -80.0, dtype=torch.float64)
    x = torch.tensor([-80.0, NAN, NAN, NAN], dtype=torch.float64)
    assert Cells(COLUMNS, p, 0.05).log_prob(x).item() == pytest.approx(scipy.stats.norm(0, 0.05).logpdf(0))
    assert Cells(COLUMNS, p, 0.0).log_prob(x).item() > 60


# ---------------------------------------------------------------- large counts

COUNTS = np.array([0, 1, 17, 999, 65_537, 499_999, 500_000, 500_001, LARGEST_COUNT - 1, LARGEST_COUNT])


@pytest.mark.parametrize("raw_concentration", [-3.0, 0.0, 4.0, 100.0, 5000.0])
@pytest.mark.parametrize("log_mean", [0.0, 7.0, 13.1, 14.5])
def test_every_count_that_is_allowed_has_its_probability_in_single_precision_too(log_mean: float, raw_concentration: float) -> None:
    column = Column("visitors", "count", 1.5, 1.0)
    p = torch.tensor([log_mean - 1.5, raw_concentration], dtype=torch.float32, requires_grad=True)
    x = torch.tensor(COUNTS, dtype=torch.float32)[:, None]
    log_p = Cells([column], p).cell_log_probs(x)[:, 0]
    first, second = p.detach().double().tolist()
    mean, r = math.exp(1.5 + first), float(softplus(np.float64(second + 2))) + 0.05
    expected = scipy.stats.nbinom(r, r / (r + mean)).logpmf(COUNTS)
    assert log_p.dtype == torch.float32
    np.testing.assert_allclose(log_p.detach(), expected, rtol=2e-7, atol=2e-6)
    log_p.sum().backward()
    assert p.grad is not None
    assert p.grad.isfinite().all()


def test_neighbouring_counts_around_half_a_million_differ_as_they_should() -> None:
    x = torch.arange(499_900, 500_100, dtype=torch.float32)[:, None]
    log_p = Cells([Column("visitors", "count", 13.1, 1.0)], torch.zeros(2)).log_prob(x)
    assert (log_p.max() - log_p.min()).item() < 1e-3  # its distribution is wide: float32's log-gamma would scatter by 0.5
    assert (log_p.diff() <= 0).all()


@pytest.mark.parametrize("most", [1_000, 100_000, LARGEST_COUNT])
def test_single_precision_costs_the_exact_likelihood_of_large_counts_next_to_nothing(most: int) -> None:
    torch.manual_seed(1)
    model = TabularVAE([Column("visitors", "count", math.log(most / 2), 1.0), Column("height", "gaussian")], 1, (16,))
    x = torch.stack([torch.linspace(0, most, 21).round(), torch.linspace(-1, 1, 21)], 1)
    single = exact_log_px(model, x)
    double = exact_log_px(model.double(), x.double(), tol=1e-6)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single, double, atol=1e-4)


def test_a_model_of_large_counts_trains_in_single_precision() -> None:
    rng = np.random.default_rng(0)
    counts = torch.tensor(rng.negative_binomial(2, 2 / (2 + 300_000), 400).clip(max=LARGEST_COUNT), dtype=torch.float32)
    logs = counts.log1p()
    x = torch.stack([counts, (logs - logs.mean()) / logs.std()], 1)
    torch.manual_seed(0)
    model = TabularVAE([Column("visitors", "count", logs.mean().item(), logs.std().item()), Column("size", "gaussian")], 1, (16,))
    before = model.loss(x).item()
    model.loss(x).backward()
    assert all(w.dtype == torch.float32 and w.grad is not None and w.grad.isfinite().all() for w in model.parameters())
    history = fit(model, x, 40, batch_size=50, lr=1e-2, progress=False)
    assert history.train[-1] < before - 0.5


# ---------------------------------------------------------------- features


def test_the_features_of_a_row() -> None:
    x = torch.tensor([[0.5, 3.0, 1.0, -2.0], [NAN, NAN, NAN, NAN]], dtype=torch.float64)
    known = [0.5, 0, (math.log(4) - 1.2) / 0.8, 0, 0, 1, 0, -2.0, 0]
    np.testing.assert_allclose(features(COLUMNS, x), [known, [0, 1, 0, 1, 0, 0, 0, 0, 1]], atol=1e-12)
    assert feature_count(COLUMNS) == 9
    assert features(COLUMNS, x[:, None]).shape == (2, 1, 9)


# ---------------------------------------------------------------- TabularVAE


def vae(latent_dim: int = 2, hidden: tuple[int, ...] = (8, 6)) -> TabularVAE:
    torch.manual_seed(0)
    return TabularVAE(COLUMNS, latent_dim, hidden).double()


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ((1, 2.5), "column 'goals' must hold 0, 1, 2, …, a count: Table.encode makes"),
        ((1, -1.0), "column 'goals' must hold 0, 1, 2"),
        ((2, 3.0), "column 'foot' must hold 0 … 2, the number of a category: Table.encode makes"),
        ((2, -1.0), "column 'foot' must hold 0 … 2"),
        ((2, 0.5), "column 'foot' must hold 0 … 2"),
        ((0, math.inf), "NaN or infinity"),
        ((3, -math.inf), "NaN or infinity"),
    ],
)
def test_rows_that_are_no_rows_of_the_table_are_refused(cell: tuple[int, float], words: str) -> None:
    x = rows(5)
    vae().check(x)
    x[3, cell[0]] = cell[1]
    with pytest.raises(ValueError, match=words):
        vae().check(x)


def test_shapes_and_types_are_checked_as_for_images() -> None:
    for x, error, words in [
        (rows(5)[:, :3], ValueError, r"x must have shape \(B, 4\)"),
        (rows(5).float(), TypeError, "x is torch.float32 and the model's weights are torch.float64"),
        (rows(5).long(), TypeError, "must be floating point"),
        (rows(5).numpy(), TypeError, "must be a torch tensor"),
        (rows(0), ValueError, "at least one row"),
    ]:
        with pytest.raises(error, match=words):
            vae().check(x)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"latent_dim": 0}, ValueError, "latent_dim must be at least 1; got 0"),
        ({"hidden": (4, 0)}, ValueError, r"hidden\[1\] must be at least 1"),
        ({"columns": ()}, ValueError, "columns must be at least 1"),
        ({"floor": -0.1}, ValueError, "floor .* must be 0 or above; got -0.1"),
        ({"floor": NAN}, ValueError, "floor must be a finite number; got nan"),
        ({"floor": "a"}, TypeError, "floor must be a number; got 'a'"),
        ({"latent_dim": 1.5}, TypeError, "latent_dim must be a whole number"),
        ({"hidden": 8}, TypeError, r"hidden must be a sequence of sizes, such as \(128, 128\) or \(400,\); got 8"),
        ({"hidden": None}, TypeError, "hidden must be a sequence of sizes"),
    ],
)
def test_sizes_that_make_no_model(arguments: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        TabularVAE(**({"columns": COLUMNS, "latent_dim": 2} | arguments))


@pytest.mark.parametrize("make", [lambda hidden: TabularVAE(COLUMNS, 2, hidden), lambda hidden: ConditionalVAE(2, hidden, 16, 3)])
def test_sizes_from_a_generator_reach_encoder_and_decoder(make: Callable) -> None:
    assert repr(make(size for size in (8, 4))) == repr(make((8, 4)))
    assert make(size for size in (8, 4)).encoder.parameters_of_q[0].out_features == 4


def test_a_model_of_a_table_prints_its_columns_and_sizes() -> None:
    columns = (Column("height", "gaussian"), Column("goals", "count"), Column("foot", "category", categories=("a", "b", "c")))
    expected = "TabularVAE(3 columns, 2 latents, 99 parameters: encoder 7-4-4 ELU, decoder 2-4-7 ELU)"  # 32 + 20 + 12 + 35
    assert repr(TabularVAE(columns, 2, (4,))) == expected


def test_the_loss_is_minus_the_elbo_worked_out_by_hand() -> None:
    model, x = vae(), rows(6)
    x[2, 1], x[4, 0] = NAN, NAN
    q = model.encoder(x)
    torch.manual_seed(1)
    loss = model.loss(x)
    torch.manual_seed(1)
    z = q.rsample()
    p = model.decoder.parameters_of_cells(z).detach().numpy()
    likelihood = np.where(x.isnan(), 0, by_scipy(p, x.nan_to_num().numpy())).sum(-1)
    mu, variance = q.mean.detach().numpy(), q.variance.detach().numpy()
    kl = 0.5 * (variance + mu**2 - 1 - np.log(variance)).sum(-1)
    assert loss.item() == pytest.approx((kl - likelihood).mean(), abs=1e-9)
    loss.backward()
    assert all(w.grad is not None and w.grad.isfinite().all() and w.grad.abs().max() > 0 for w in model.parameters())


def test_bounds_rise_towards_the_exact_likelihood_with_empty_cells_too() -> None:
    model, x = vae(), rows(20)
    x[::2, 0], x[::3, 2], x[::5, 1] = NAN, NAN, NAN
    torch.manual_seed(0)
    with torch.no_grad():
        lower, tight = elbo(model, x, 200).mean(), iwae_bound(model, x, 4000)
    exact = exact_log_px(model, x, tol=1e-4)
    assert lower < exact.mean()
    np.testing.assert_allclose(tight, exact, atol=0.1)


def test_training_learns_what_goes_with_what() -> None:
    x = rows(400)
    x[:, 3] = 0.9 * x[:, 0] + 0.3 * x[:, 3]
    x[:, 2] = (x[:, 0] > 0).double() * 2
    x[::7, 3] = NAN
    model = vae(1, (16,)).float()
    before = model.loss(x.float()).item()
    torch.manual_seed(0)
    history = fit(model, x.float(), 60, batch_size=50, lr=1e-2, valid=x[:50].float(), progress=False)
    assert history.train[-1] < before - 1
    made = generate(model, 4000)
    model.check(made)
    assert made.shape == (4000, 4)
    assert torch.corrcoef(made[:, [0, 3]].T)[0, 1] > 0.6
    assert torch.corrcoef(made[:, [0, 2]].T)[0, 1] > 0.4


def test_rows_made_by_a_model_in_double_precision_can_be_explained_by_it() -> None:
    model = vae()
    model.check(generate(model, 10))
    assert torch.equal((torch.manual_seed(3), generate(model, 10))[1], (torch.manual_seed(3), generate(model, 10))[1])


def test_weights_can_be_saved_and_loaded() -> None:
    one, x = vae(), rows(4)
    torch.manual_seed(9)
    other = TabularVAE(COLUMNS, 2, (8, 6)).double()
    assert not torch.equal(other.encoder(x).mean, one.encoder(x).mean)
    other.load_state_dict(one.state_dict())
    assert torch.equal(other.encoder(x).mean, one.encoder(x).mean)
    z = torch.zeros(1, 2, dtype=torch.float64)
    assert torch.equal(other.decoder(z).log_prob(x), one.decoder(z).log_prob(x))


# ---------------------------------------------------------------- a linear-Gaussian table: closed forms for every pattern of empty cells

D = 4
SCALES = np.array([0.4, 0.7, 0.5, 0.9])


def linear_table() -> tuple[TabularVAE, np.ndarray, np.ndarray]:
    """x = W z + b + noise with two latents: the model, mean and covariance of x."""
    torch.manual_seed(0)
    model = TabularVAE([Column(f"c{j}", "gaussian") for j in range(D)], 2, ()).double().requires_grad_(False)
    rng = np.random.default_rng(4)
    weight, bias = rng.normal(size=(D, 2)), rng.normal(size=D)
    layer = model.decoder.parameters_of_cells[0]
    layer.weight.zero_()
    layer.weight[0::2], layer.bias[0::2] = torch.from_numpy(weight), torch.from_numpy(bias)
    layer.bias[1::2] = torch.from_numpy(np.log(np.expm1(SCALES - FLOOR)) - 0.55)
    return model, bias, weight @ weight.T + np.diag(SCALES**2)


def holed(bias: np.ndarray, covariance: np.ndarray) -> Tensor:
    """A row for every pattern of empty cells but the one without any observed."""
    x = np.random.default_rng(5).multivariate_normal(bias, covariance, 15)
    x[np.array([[i >> j & 1 for j in range(D)] for i in range(15)]) == 1] = NAN
    return torch.from_numpy(x)


def marginals(x: Tensor, bias: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    seen = (~x.isnan()).numpy()
    return np.array([scipy.stats.multivariate_normal(bias[o], covariance[np.ix_(o, o)]).logpdf(row[o]) for row, o in zip(x.numpy(), seen)])


def test_under_the_exact_posterior_every_weight_is_the_likelihood_of_the_observed_cells() -> None:
    model, bias, covariance = linear_table()
    x = holed(bias, covariance)
    weight, means, precisions = model.decoder.parameters_of_cells[0].weight[0::2].numpy(), [], []
    for row in x.numpy():
        w = weight[~np.isnan(row)] / SCALES[~np.isnan(row), None]
        precisions.append(np.eye(2) + w.T @ w)
        means.append(np.linalg.solve(precisions[-1], w.T @ ((row - bias) / SCALES)[~np.isnan(row)]))
    posterior = MultivariateNormal(torch.tensor(np.array(means)), precision_matrix=torch.tensor(np.array(precisions)))
    expected = marginals(x, bias, covariance)
    np.testing.assert_allclose(log_weights(model, x, 7, posterior), np.broadcast_to(expected, (7, 15)), atol=1e-4)


def test_the_oracle_integrates_over_the_observed_cells() -> None:
    model, bias, covariance = linear_table()
    x = holed(bias, covariance)
    np.testing.assert_allclose(exact_log_px(model, x, tol=1e-4), marginals(x, bias, covariance), atol=1e-3)


def test_imputation_draws_from_the_exact_conditional_normal() -> None:
    model, bias, covariance = linear_table()
    x = holed(bias, covariance)
    n = 4_000
    torch.manual_seed(2)
    drawn, ess = impute(model, x, n, n_proposals=20_000)
    assert drawn.shape == (n, 15, D)
    assert ess.shape == (15,)
    assert ((ess > 1) & (ess <= 20_000)).all()
    for i, row in enumerate(x.numpy()):
        o, m = ~np.isnan(row), np.isnan(row)
        assert torch.equal(drawn[:, i, o], x[i, o].expand(n, -1))
        if not m.any():
            continue
        gain = np.linalg.solve(covariance[np.ix_(o, o)], covariance[np.ix_(o, m)]).T
        mean, cov = bias[m] + gain @ (row[o] - bias[o]), covariance[np.ix_(m, m)] - gain @ covariance[np.ix_(o, m)]
        values = drawn[:, i, m].numpy()
        error = math.sqrt(1 / n + 1 / ess[i])  # draws share their proposals
        assert (np.abs(values.mean(0) - mean) < 4.5 * np.sqrt(np.diag(cov)) * error).all()
        spread = np.sqrt(np.outer(np.diag(cov), np.diag(cov)) + cov**2)
        assert (np.abs(np.cov(values.T).reshape(cov.shape) - cov) < 4.5 * spread * error).all()


def test_imputation_of_a_mixed_row_completes_it_and_keeps_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = vae(), rows(6)
    x[0], x[1, 1:], x[2, 2], x[3, :2] = NAN, NAN, NAN, NAN
    monkeypatch.setattr(tabular, "BLOCK", 1000)  # one row at a time
    drawn, ess = impute(model, x, 50, n_proposals=100)
    assert ess.shape == (6,)
    for draw in drawn:
        model.check(draw)
        assert not draw.isnan().any()
        assert torch.equal(torch.where(x.isnan(), x, draw).nan_to_num(-9), x.nan_to_num(-9))
    assert (drawn[:, 0].std(0) > 0).all()


def test_imputation_serves_a_row_that_the_encoder_proposes_wrongly() -> None:
    model, bias, covariance = linear_table()
    last = model.encoder.parameters_of_q[-1]
    last.weight.zero_()
    last.bias[:2], last.bias[2:] = 6.0, -8.0  # far away and narrow
    torch.manual_seed(0)
    x = torch.tensor([[bias[0], NAN, NAN, NAN]])
    drawn, _ = impute(model, x, 3000, n_proposals=20_000)
    expected = covariance[1:, 1:] - np.outer(covariance[0, 1:], covariance[0, 1:]) / covariance[0, 0]
    assert (np.abs(drawn[:, 0, 1:].numpy().mean(0) - bias[1:]) < 5 * np.sqrt(np.diag(expected) / 2000)).all()


@pytest.mark.parametrize("sizes", [{"n_draws": 0}, {"n_draws": 1, "n_proposals": 0}])
def test_imputation_needs_draws_and_proposals(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be at least 1; got 0"):
        impute(vae(), rows(2), **sizes)
    with pytest.raises(ValueError, match="column 'foot'"):
        impute(vae(), rows(2) + 5, 1)
