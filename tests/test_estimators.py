"""Estimates of log p(x), held against models whose log p(x) and posterior are known in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from largest_tensor import LargestTensor
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, Normal

from vaecourse import estimators
from vaecourse.distributions import diagonal_normal
from vaecourse.estimators import defensive, elbo, importance_estimate, iwae_bound, log_weights, naive_monte_carlo
from vaecourse.models import VAE, BernoulliMixture, LatentVariableModel, LinearGaussian

ESTIMATORS: list[Callable[..., Tensor]] = [log_weights, naive_monte_carlo, importance_estimate, elbo, iwae_bound]


class Tabled(Distribution):
    """A proposal whose draws are the rows of a table, in order: the same draws whatever the size of the blocks."""

    has_rsample = False

    def __init__(self, q: Distribution, table: Tensor):
        super().__init__(q.batch_shape, q.event_shape, validate_args=False)
        self.q, self.table, self.drawn = q, table, 0

    def sample(self, sample_shape: Any = ()) -> Tensor:
        first, self.drawn = self.drawn, self.drawn + sample_shape[0]
        return self.table[first : self.drawn]

    def log_prob(self, value: Tensor) -> Tensor:
        return self.q.log_prob(value)


def linear_gaussian(seed: int = 0, data_dim: int = 3, latent_dim: int = 2, sigma: float = 0.6) -> LinearGaussian:
    torch.manual_seed(seed)
    model = LinearGaussian(data_dim, latent_dim, sigma).double().requires_grad_(False)
    model.bias.normal_()
    return model


def off_target(model: LinearGaussian, x: Tensor, wider: float = 0.3) -> Independent:
    """A proposal near the posterior, but neither its mean nor its covariance."""
    mean = model.posterior(x).mean
    return diagonal_normal(mean + 0.1, torch.full_like(mean, math.log(wider)))


def kl_to_posterior(model: LinearGaussian, x: Tensor, q: Independent) -> np.ndarray:
    """KL(q || p(z|x)) in closed form, in numpy: q diagonal, the posterior from the joint normal of (z, x)."""
    weight, bias, s = model.weight.numpy(), model.bias.numpy(), model.log_sigma.exp().item()
    gain = np.linalg.solve(weight @ weight.T + s**2 * np.eye(len(bias)), weight).T
    covariance = np.eye(weight.shape[1]) - gain @ weight
    precision = np.linalg.inv(covariance)
    result = []
    for mean, variance, image in zip(q.mean.detach().numpy(), q.variance.detach().numpy(), x.numpy()):
        d = mean - gain @ (image - bias)
        log_det = np.linalg.slogdet(covariance)[1] - np.log(variance).sum()
        result.append(0.5 * (np.trace(precision @ np.diag(variance)) + d @ precision @ d - len(d) + log_det))
    return np.array(result)


def z_scores(draws: Tensor, expected: Any) -> np.ndarray:
    """How many standard errors the mean of the draws (N, ...) lies from the expected value."""
    values = draws.detach().numpy().astype(float)
    return (values.mean(0) - np.asarray(expected)) / (values.std(0, ddof=1) / math.sqrt(len(values)))


def vae(data_dim: int = 9, hidden: tuple[int, ...] = (8,)) -> VAE:
    torch.manual_seed(0)
    return VAE(2, hidden, data_dim)


def binary(n: int, pixels: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 2, (n, pixels)).astype(np.float32))


# ---------------------------------------------------------------- log_weights


@pytest.mark.parametrize("shared", [True, False])
def test_a_log_weight_is_likelihood_plus_prior_minus_proposal(shared: bool) -> None:
    model, rng = vae(), np.random.default_rng(0)
    x = binary(4, 9)
    batch = () if shared else (4,)
    mu, log_var, z = rng.normal(size=(*batch, 2)), rng.normal(size=(*batch, 2)), rng.normal(size=(6, *batch, 2))
    q = Tabled(diagonal_normal(torch.tensor(mu).float(), torch.tensor(log_var).float()), torch.tensor(z).float())
    result = log_weights(model, x, 6, q)

    w1, b1, w2, b2 = (p.detach().double().numpy() for p in model.decoder.parameters())
    each = np.broadcast_to(z[:, None] if shared else z, (6, 4, 2))
    h = each @ w1.T + b1
    logits = np.where(h > 0, h, np.expm1(h)) @ w2.T + b2
    likelihood = np.where(x.numpy() == 1, scipy.special.log_expit(logits), scipy.special.log_expit(-logits)).sum(-1)
    prior = scipy.stats.norm.logpdf(each).sum(-1)
    proposal = scipy.stats.norm(mu, np.exp(log_var / 2)).logpdf(each).sum(-1)
    assert result.shape == (6, 4)
    np.testing.assert_allclose(result.detach(), likelihood + prior - proposal, atol=1e-4)


def test_without_a_proposal_the_encoder_proposes() -> None:
    model, x = vae(), binary(4, 9)
    torch.manual_seed(1)
    by_default = log_weights(model, x, 5)
    torch.manual_seed(1)
    assert torch.equal(by_default, log_weights(model, x, 5, model.encoder(x)))


@pytest.mark.parametrize("block", [1, 100, 1 << 21])
@pytest.mark.parametrize("shared", [True, False])
def test_every_average_is_an_average_of_the_log_weights(block: int, shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimators, "BLOCK", block)
    model, x = vae(), binary(4, 9)
    proposal = model.prior if shared else None

    def seeded(estimate: Callable[..., Tensor], *arguments: Any) -> np.ndarray:
        torch.manual_seed(3)
        return estimate(model, x, 23, *arguments).detach().double().numpy()

    log_w = seeded(log_weights, proposal)
    assert log_w.shape == (23, 4)
    np.testing.assert_allclose(seeded(importance_estimate, proposal), np.log(np.exp(log_w).mean(0)), rtol=1e-5)
    np.testing.assert_allclose(seeded(elbo, proposal), log_w.mean(0), rtol=1e-5)
    if shared:
        np.testing.assert_allclose(seeded(naive_monte_carlo), np.exp(log_w).mean(0), rtol=1e-4)
    else:
        np.testing.assert_allclose(seeded(iwae_bound), np.log(np.exp(log_w).mean(0)), rtol=1e-5)


@pytest.mark.parametrize("block", [1, 40, 200])
@pytest.mark.parametrize("shared", [True, False])
def test_the_same_draws_give_the_same_weights_whatever_the_block(block: int, shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = vae().double(), binary(5, 9).double()
    torch.manual_seed(2)
    q = model.prior if shared else model.encoder(x)
    table = q.sample((31,))
    expected = log_weights(model, x, 31, Tabled(q, table)).detach()
    estimate = importance_estimate(model, x, 31, Tabled(q, table)).detach()
    monkeypatch.setattr(estimators, "BLOCK", block)
    proposal = Tabled(q, table)
    np.testing.assert_allclose(log_weights(model, x, 31, proposal).detach(), expected, rtol=1e-12)
    assert proposal.drawn == 31
    np.testing.assert_allclose(importance_estimate(model, x, 31, Tabled(q, table)).detach(), estimate, rtol=1e-12)


@pytest.mark.parametrize("shared", [True, False])
def test_no_array_is_larger_than_the_block(shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = vae(20, (16,)), binary(10, 20)
    monkeypatch.setattr(estimators, "BLOCK", 2_000)
    with LargestTensor() as largest:
        importance_estimate(model, x, 500, model.prior if shared else None)
    assert 1_000 <= largest.numel <= 2_000


@pytest.mark.parametrize("block", [2_000, 300])
def test_images_are_decoded_in_blocks_where_one_sample_for_all_is_too_much(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = vae(20, (16,)), binary(30, 20)
    decoded: list[int] = []
    model.decoder.register_forward_hook(lambda module, z, p: decoded.append(p.base_dist.logits.numel()))
    monkeypatch.setattr(estimators, "BLOCK", block)
    log_weights(model, x, 10)
    assert sum(decoded) == 10 * 30 * 20
    assert max(decoded) <= block


def test_different_draws_are_made_for_each_image() -> None:
    model = vae()
    image = binary(1, 9)
    torch.manual_seed(0)
    log_w = log_weights(model, image.expand(2, -1), 8)
    assert (log_w[:, 0] != log_w[:, 1]).any()


# ---------------------------------------------------------------- naive Monte Carlo


def test_naive_monte_carlo_is_unbiased_for_p_of_x_of_a_linear_gaussian() -> None:
    model = linear_gaussian()
    x = model.marginal.sample((4,))
    torch.manual_seed(1)
    estimates = torch.stack([naive_monte_carlo(model, x, 50) for _ in range(400)])
    weight, s = model.weight.numpy(), model.log_sigma.exp().item()
    px = scipy.stats.multivariate_normal(model.bias.numpy(), weight @ weight.T + s**2 * np.eye(3)).pdf(x)
    assert np.abs(z_scores(estimates, px)).max() < 4
    assert (estimates.std(0) > 0).all()


def test_naive_monte_carlo_is_unbiased_for_p_of_x_of_a_mixture() -> None:
    torch.manual_seed(0)
    model, x = BernoulliMixture(3, 6).double().requires_grad_(False), binary(5, 6).double()
    model.log_weights.copy_(torch.tensor([0.0, 1.0, -1.0]))
    p, w = scipy.special.expit(model.logits.numpy()), scipy.special.softmax(model.log_weights.numpy())
    px = np.array([w @ np.where(image == 1, p, 1 - p).prod(1) for image in x.numpy()])
    torch.manual_seed(1)
    estimates = torch.stack([naive_monte_carlo(model, x, 20) for _ in range(500)])
    assert np.abs(z_scores(estimates, px)).max() < 4


def test_naive_monte_carlo_underflows_where_the_log_space_estimate_does_not() -> None:
    torch.manual_seed(0)
    model, x = LatentVariableModel(2, (8,), 784), binary(3, 784)
    assert naive_monte_carlo(model, x, 100).tolist() == [0, 0, 0]
    assert torch.isfinite(importance_estimate(model, x, 100, model.prior)).all()


# ---------------------------------------------------------------- importance sampling


@pytest.mark.parametrize("n_samples", [1, 3, 40])
def test_the_posterior_as_proposal_gives_log_p_exactly_and_without_variance(n_samples: int) -> None:
    model = linear_gaussian()
    x = model.marginal.sample((4,))
    log_px = model.marginal.log_prob(x)
    log_w = log_weights(model, x, n_samples, model.posterior(x))
    np.testing.assert_allclose(log_w, log_px.expand(n_samples, 4), atol=1e-9)
    np.testing.assert_allclose(importance_estimate(model, x, n_samples, model.posterior(x)), log_px, atol=1e-5)
    np.testing.assert_allclose(elbo(model, x, n_samples, model.posterior(x)), log_px, atol=1e-5)


def test_a_mixture_s_posterior_as_proposal_gives_log_p_exactly() -> None:
    torch.manual_seed(0)
    model, x = BernoulliMixture(3, 6).double().requires_grad_(False), binary(5, 6).double()
    p = scipy.special.expit(model.logits.numpy())
    log_px = np.log([np.where(image == 1, p, 1 - p).prod(1).mean() for image in x.numpy()])
    np.testing.assert_allclose(importance_estimate(model, x, 7, model.posterior(x)), log_px, atol=1e-9)


@pytest.mark.parametrize("shared", [True, False])
def test_the_mean_weight_is_unbiased_for_any_proposal(shared: bool) -> None:
    model = linear_gaussian()
    x = model.marginal.sample((4,))
    wide = torch.full((2,), math.log(2.0)).double()
    proposal = diagonal_normal(torch.tensor([0.3, -0.2]).double(), wide) if shared else off_target(model, x, wider=1.0)
    torch.manual_seed(1)
    w = (log_weights(model, x, 20_000, proposal) - model.marginal.log_prob(x)).exp()
    assert np.abs(z_scores(w, 1.0)).max() < 4
    assert (importance_estimate(model, x, 20_000, proposal) - model.marginal.log_prob(x)).abs().max() < 0.1


# ---------------------------------------------------------------- ELBO and IWAE


def test_the_elbo_and_the_divergence_from_the_posterior_add_up_to_log_p() -> None:
    model = linear_gaussian()
    x = model.marginal.sample((4,))
    q = off_target(model, x)
    torch.manual_seed(1)
    log_w = log_weights(model, x, 5_000, q)
    divergence = kl_to_posterior(model, x, q)
    assert divergence.min() > 0.1
    assert np.abs(z_scores(log_w, model.marginal.log_prob(x).numpy() - divergence)).max() < 4
    torch.manual_seed(1)
    np.testing.assert_allclose(elbo(model, x, 5_000, q), log_w.mean(0), rtol=1e-9)


def test_the_iwae_bound_rises_with_its_samples_and_stays_below_log_p() -> None:
    model = linear_gaussian()
    x = model.marginal.sample((3,))
    model.encoder = lambda images: off_target(model, images, wider=0.2)
    torch.manual_seed(1)
    repeated = x.repeat(4_000, 1)  # every row has draws of its own: 4,000 independent bounds an image
    bounds = {k: iwae_bound(model, repeated, k).reshape(4_000, 3) for k in (1, 4, 16)}
    assert z_scores(bounds[4] - bounds[1], 0.0).min() > 5
    assert z_scores(bounds[16] - bounds[4], 0.0).min() > 5
    assert z_scores(bounds[16], model.marginal.log_prob(x)).max() < -5


def test_the_iwae_bound_is_the_estimate_with_the_encoder_and_one_sample_makes_it_the_elbo() -> None:
    model, x = vae(), binary(4, 9)
    results = []
    for estimate in (
        lambda: iwae_bound(model, x, 1),
        lambda: elbo(model, x, 1),
        lambda: importance_estimate(model, x, 1, model.encoder(x)),
    ):
        torch.manual_seed(5)
        results.append(estimate().detach().numpy())
    np.testing.assert_allclose(results[1], results[0], rtol=1e-6)
    np.testing.assert_allclose(results[2], results[0], rtol=1e-6)


@pytest.mark.parametrize("estimate", [elbo, iwae_bound])
def test_gradients_reach_the_encoder_and_are_the_slopes_of_the_estimate(estimate: Callable[..., Tensor]) -> None:
    model, x = vae().double(), binary(4, 9).double()

    def value() -> Tensor:
        torch.manual_seed(7)
        return estimate(model, x, 6).sum()

    value().backward()
    bias = model.encoder.parameters_of_q[-1].bias
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())
    for i in range(len(bias)):
        with torch.no_grad():
            bias[i] += 1e-5
            up = value().item()
            bias[i] -= 2e-5
            down = value().item()
            bias[i] += 1e-5
        assert bias.grad is not None
        assert bias.grad[i].item() == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-6)


# ---------------------------------------------------------------- defensive


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_defensive_proposal_mixes_the_encoder_with_the_prior(share: float) -> None:
    model, x = vae().double(), binary(4, 9).double()
    q, z = defensive(model, x, share), 3 * torch.randn(50, 4, 2, dtype=torch.float64)
    assert (q.batch_shape, q.event_shape) == ((4,), (2,))
    encoder = model.encoder(x)
    mean, sd = encoder.mean.detach().numpy(), encoder.stddev.detach().numpy()
    density = (1 - share) * scipy.stats.norm(mean, sd).pdf(z).prod(-1) + share * scipy.stats.norm.pdf(z).prod(-1)
    np.testing.assert_allclose(q.log_prob(z).detach(), np.log(density), rtol=1e-9)


def test_no_defensive_weight_exceeds_the_likelihood_divided_by_the_share() -> None:
    model, x, share = vae().double(), binary(4, 9).double(), 0.25
    with torch.no_grad():  # an encoder that is sure, and wrong
        model.encoder.parameters_of_q[-1].bias.copy_(torch.tensor([4.0, -4.0, -3.0, -3.0]))
    torch.manual_seed(0)
    q = defensive(model, x, share)
    z = q.sample((400,))
    ceiling = model.decoder(z).log_prob(x) - math.log(share)
    log_w = log_weights(model, x, 400, Tabled(q, z))
    assert (log_w <= ceiling + 1e-9).all()
    assert (log_w > ceiling - 1e-3).any()  # reached wherever the encoder has no mass
    unprotected = log_weights(model, x, 400, Tabled(model.encoder(x), z))
    assert (unprotected > ceiling).any()


def test_defensive_samples_come_from_the_prior_in_the_share_asked_for() -> None:
    model, x, n = vae(), binary(2, 9), 4_000
    with torch.no_grad():
        model.encoder.parameters_of_q[-1].weight.zero_()
        model.encoder.parameters_of_q[-1].bias.copy_(torch.tensor([20.0, 20.0, 0.0, 0.0]))
    torch.manual_seed(0)
    from_prior = (defensive(model, x, 0.3).sample((n,))[..., 0] < 10).double().mean(0)
    assert ((from_prior - 0.3).abs() < 4 * math.sqrt(0.3 * 0.7 / n)).all()


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("estimate", ESTIMATORS)
@pytest.mark.parametrize(
    ("n_samples", "error", "message"),
    [
        (0, ValueError, "n_samples must be at least 1; got 0"),
        (-3, ValueError, "n_samples must be at least 1; got -3"),
        (2.5, TypeError, r"n_samples must be a whole number; got 2\.5"),
        (True, TypeError, "n_samples must be a whole number; got True"),
    ],
)
def test_a_bad_number_of_samples_is_refused(estimate: Callable[..., Tensor], n_samples: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        estimate(vae(), binary(2, 9), n_samples)


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_bad_images_are_refused(estimate: Callable[..., Tensor]) -> None:
    with pytest.raises(ValueError, match=r"found 0\.37: binarise first"):
        estimate(vae(), torch.full((2, 9), 0.37), 3)
    with pytest.raises(ValueError, match=r"one image a row; got \(2, 8\)"):
        estimate(vae(), torch.zeros(2, 8), 3)


@pytest.mark.parametrize("estimate", [log_weights, importance_estimate, elbo, iwae_bound, defensive])
def test_a_model_without_an_encoder_asks_for_a_proposal(estimate: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"LatentVariableModel has no encoder: pass a proposal, for instance proposal=model\.prior"):
        estimate(LatentVariableModel(2, (4,), 9), binary(2, 9), 1)


def bad_proposals() -> dict[str, Distribution]:
    return {
        "batch of another length": diagonal_normal(torch.zeros(3, 2), torch.zeros(3, 2)),
        "latents taken for a batch": Normal(torch.zeros(4, 2), torch.ones(4, 2)),
        "too many latents": diagonal_normal(torch.zeros(3), torch.zeros(3)),
        "discrete": Categorical(logits=torch.zeros(5)),
    }


@pytest.mark.parametrize("which", list(bad_proposals()))
@pytest.mark.parametrize("estimate", [log_weights, importance_estimate, elbo])
def test_a_proposal_of_another_batch_or_event_is_refused(estimate: Callable[..., Tensor], which: str) -> None:
    with pytest.raises(ValueError, match=r"batch shape \(\) or \(4,\) and event shape \(2,\); got .*Independent turns batch into event"):
        estimate(vae(), binary(4, 9), 3, bad_proposals()[which])


def test_a_proposal_from_another_network_serves_as_well() -> None:
    """Estimators know nothing of a model but its prior, its decoder and its check."""
    torch.manual_seed(0)
    model, x = LatentVariableModel(2, (8,), 9), binary(4, 9)
    network = nn.Linear(9, 4)
    mu, log_var = network(x).chunk(2, -1)
    elbo(model, x, 3, diagonal_normal(mu, log_var)).sum().backward()
    assert network.weight.grad is not None
    assert network.weight.grad.abs().max() > 0


@pytest.mark.parametrize(("image", "message"), [(torch.full((2, 9), 0.37), r"found 0\.37"), (torch.zeros(2, 8), r"got \(2, 8\)")])
def test_no_defensive_proposal_is_made_for_bad_images(image: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        defensive(vae(), image)


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5, -0.1, math.nan, "a"])
def test_a_share_of_the_prior_that_is_no_share_is_refused(share: Any) -> None:
    with pytest.raises(TypeError if share == "a" else ValueError, match="share, the prior's part of the samples, must"):
        estimators.defensive(VAE(2, (4,), 3), torch.zeros(1, 3), share)


@pytest.mark.parametrize("values", [torch.tensor([1.0, 3.0]), np.array([1.0, 3.0]), [1, 3], torch.tensor([1, 3])])
def test_the_standard_error_divides_by_n_minus_1_whatever_holds_the_values(values: Any) -> None:
    assert estimators.mean_and_error(values) == (2.0, scipy.stats.sem([1.0, 3.0]))


@pytest.mark.parametrize("shape", [(2, 2), (1,), (0,), ()])
def test_a_standard_error_of_less_than_two_values_or_of_a_table_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a vector of at least two independent values; got shape"):
        estimators.mean_and_error(torch.ones(shape))


@pytest.mark.parametrize("proposal", [VAE(2, (4,), 3).encoder, 5, torch.zeros(2)])
def test_a_proposal_that_is_no_distribution_is_refused(proposal: Any) -> None:
    with pytest.raises(TypeError, match=r"the proposal must be a distribution of z, such as model\.encoder\(x\) .*; got (Enc|int|Tensor)"):
        elbo(VAE(2, (4,), 3), torch.ones(1, 3), 2, proposal)
