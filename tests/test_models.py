"""Models, held against scipy, full enumeration and loss functions written out by hand."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from vaecourse import models
from vaecourse.annealing import ais
from vaecourse.audit import audit
from vaecourse.data import DataUnavailable
from vaecourse.estimators import elbo, importance_estimate, iwae_bound, log_weights, naive_monte_carlo
from vaecourse.models import (
    VAE,
    BernoulliMixture,
    ConditionalVAE,
    Decoder,
    Encoder,
    LatentVariableModel,
    LinearGaussian,
    MixturePrior,
    VampPrior,
    mlp,
    pretrained,
    pretrained_vae,
)
from vaecourse.oracles import exact_log_px, quadrature_log_px
from vaecourse.tabular import generate
from vaecourse.training import iwae_loss

quick = settings(max_examples=25, deadline=None, derandomize=True)
EVERY_IMAGE = torch.tensor(list(itertools.product((0.0, 1.0), repeat=9)), dtype=torch.float64)


def linear_gaussian(seed: int, data_dim: int, latent_dim: int, sigma: float = 0.5) -> LinearGaussian:
    """A float64 model whose bias is not zero."""
    torch.manual_seed(seed)
    model = LinearGaussian(data_dim, latent_dim, sigma).double()
    with torch.no_grad():
        model.bias.normal_()
    return model.requires_grad_(False)


def as_numpy(model: LinearGaussian) -> tuple[np.ndarray, np.ndarray, float]:
    return model.weight.detach().numpy(), model.bias.detach().numpy(), model.log_sigma.exp().item()


def forward(layers: nn.Sequential, values: np.ndarray) -> np.ndarray:
    """The network in numpy and float64: ELU after each layer but the last."""
    linear = [m for m in layers if isinstance(m, nn.Linear)]
    for i, layer in enumerate(linear):
        values = values @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()
        if i + 1 < len(linear):
            values = np.where(values > 0, values, np.expm1(values))
    return values


def binary(n: int, pixels: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 2, (n, pixels)).astype(np.float32))


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_prior_decoder_and_encoder_have_the_shapes_of_the_course(latent_dim: int) -> None:
    model = VAE(latent_dim, (8, 6), 20)
    assert (model.prior.batch_shape, model.prior.event_shape) == ((), (latent_dim,))
    p = model.decoder(torch.zeros(7, 4, latent_dim))
    assert (p.batch_shape, p.event_shape) == ((7, 4), (20,))
    q = model.encoder(torch.zeros(4, 20))
    assert (q.batch_shape, q.event_shape) == ((4,), (latent_dim,))


def test_the_prior_is_standard_normal_in_the_dtype_of_the_model() -> None:
    model = LatentVariableModel(3, (4,), 9).double()
    z = model.prior.sample((5,))
    assert z.dtype == torch.float64
    np.testing.assert_allclose(model.prior.log_prob(z), scipy.stats.norm.logpdf(z).sum(-1), rtol=1e-12)


def test_networks_are_linear_layers_with_an_elu_between_them() -> None:
    torch.manual_seed(0)
    network = mlp([3, 5, 4, 2])
    assert [type(layer) for layer in network] == [nn.Linear, nn.ELU, nn.Linear, nn.ELU, nn.Linear]
    values = torch.randn(6, 3)
    np.testing.assert_allclose(network(values).detach(), forward(network, values.double().numpy()), atol=1e-6)


def test_the_encoder_goes_through_the_hidden_layers_backwards() -> None:
    model = VAE(2, (5, 7), 20)
    shapes = [tuple(p.shape) for name, p in model.named_parameters() if name.endswith("weight")]
    assert shapes == [(5, 2), (7, 5), (20, 7), (7, 20), (5, 7), (4, 5)]


def test_the_decoder_gives_the_probability_of_ink_in_every_pixel() -> None:
    torch.manual_seed(0)
    model, z = LatentVariableModel(2, (6,), 9), torch.randn(4, 2)
    expected = scipy.special.expit(forward(model.decoder.logits, z.double().numpy()))
    np.testing.assert_allclose(model.decoder(z).mean.detach(), expected, atol=1e-6)


def test_the_encoder_s_first_half_is_the_mean_and_its_second_half_the_log_variance() -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (6,), 9), binary(4, 9)
    output = forward(model.encoder.parameters_of_q, x.double().numpy())
    q = model.encoder(x)
    np.testing.assert_allclose(q.mean.detach(), output[:, :2], atol=1e-6)
    np.testing.assert_allclose(q.variance.detach(), np.exp(output[:, 2:]), rtol=1e-5)


# ---------------------------------------------------------------- VAE.loss


def test_vae_loss_is_minus_the_elbo_worked_out_by_hand() -> None:
    torch.manual_seed(0)
    model, x = VAE(3, (8,), 20), binary(6, 20)
    torch.manual_seed(1)
    loss = model.loss(x)
    torch.manual_seed(1)
    noise = torch.normal(torch.zeros(6, 3), torch.ones(6, 3)).double().numpy()

    mu, log_var = np.split(forward(model.encoder.parameters_of_q, x.double().numpy()), 2, axis=-1)
    logits = forward(model.decoder.logits, mu + np.exp(log_var / 2) * noise)
    reconstruction = np.where(x == 1, scipy.special.log_expit(logits), scipy.special.log_expit(-logits)).sum(-1)
    divergence = (np.exp(log_var) + mu**2 - 1 - log_var).sum(-1) / 2
    assert loss.shape == ()
    assert loss.item() == pytest.approx((divergence - reconstruction).mean(), abs=1e-4)


def test_vae_loss_passes_gradients_to_every_parameter() -> None:
    torch.manual_seed(0)
    model = VAE(2, (8,), 20)
    model.loss(binary(6, 20)).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_the_gradient_of_the_vae_loss_goes_through_the_samples() -> None:
    """Slopes by finite differences, the noise held fixed."""
    torch.manual_seed(0)
    model, x = VAE(2, (8,), 20).double(), binary(6, 20).double()
    bias = model.encoder.parameters_of_q[-1].bias

    def loss() -> Tensor:
        torch.manual_seed(1)
        return model.loss(x)

    loss().backward()
    assert bias.grad is not None
    for i in range(4):
        with torch.no_grad():
            bias[i] += 1e-5
            up = loss().item()
            bias[i] -= 2e-5
            down = loss().item()
            bias[i] += 1e-5
        assert bias.grad[i].item() == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-7)


# ---------------------------------------------------------------- pieces of one's own, learned priors


def shaken(prior: nn.Module) -> nn.Module:
    """The prior with random parameters in float64."""
    with torch.no_grad():
        for p in prior.double().parameters():
            p.normal_()
    return prior.requires_grad_(False)


def by_a_sum(z: np.ndarray, weights: np.ndarray, loc: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """log of the weighted sum of normal densities, in probability space."""
    density = sum(w * scipy.stats.norm(m, s).pdf(z).prod(-1) for w, m, s in zip(weights, loc, scale))
    return np.log(density)


def test_given_pieces_take_the_place_of_the_default_networks_and_nothing_else_is_made() -> None:
    encoder, decoder = Encoder(2, (3,), 9), Decoder(2, (4,), 9)
    prior = MixturePrior(2, 3)
    model = VAE(2, data_dim=9, prior=prior, encoder=encoder, decoder=decoder)
    assert model.encoder is encoder
    assert model.decoder is decoder
    pieces = [*decoder.parameters(), *encoder.parameters(), *prior.parameters()]
    assert {id(p) for p in model.parameters()} == {id(p) for p in pieces}


def test_without_pieces_weights_and_draws_are_those_of_the_networks_made_in_order() -> None:
    torch.manual_seed(3)
    model, after = VAE(2, (5, 4), 9), torch.rand(1)
    torch.manual_seed(3)
    decoder, encoder = Decoder(2, (5, 4), 9), Encoder(2, (4, 5), 9)
    assert torch.equal(after, torch.rand(1))
    assert list(model.state_dict()) == [f"decoder.{k}" for k in decoder.state_dict()] + [f"encoder.{k}" for k in encoder.state_dict()]
    for mine, given_ in zip(model.parameters(), [*decoder.parameters(), *encoder.parameters()]):
        assert torch.equal(mine, given_)


def test_a_mixture_prior_is_a_weighted_sum_of_normals() -> None:
    torch.manual_seed(0)
    prior = shaken(MixturePrior(2, 4, floor=0.2))
    model = VAE(2, (4,), 9, prior=prior).double()
    z = torch.randn(3, 5, 2, dtype=torch.float64)
    weights = np.exp(prior.log_weights.numpy()) / np.exp(prior.log_weights.numpy()).sum()
    expected = by_a_sum(z.numpy(), weights, prior.loc.numpy(), 0.2 + np.exp(prior.log_scale.numpy()))
    assert (model.prior.batch_shape, model.prior.event_shape) == ((), (2,))
    np.testing.assert_allclose(model.prior.log_prob(z), expected, rtol=1e-10)
    assert model.prior.log_prob(torch.full((1, 2), 300.0).double()).item() < -1000  # in log space throughout


def test_a_fresh_mixture_prior_has_equal_weights_different_means_and_scales_near_1() -> None:
    prior = MixturePrior(3, 4)
    p = prior(None)
    assert p.mixture_distribution.probs.tolist() == [0.25] * 4
    assert len(prior.loc.detach().unique(dim=0)) == 4
    np.testing.assert_allclose(p.component_distribution.stddev.detach(), 1.05, rtol=1e-6)


def test_a_mixture_prior_s_scales_stay_above_the_floor() -> None:
    prior = MixturePrior(2, 3, floor=0.1)
    with torch.no_grad():
        prior.log_scale.fill_(-50)
    assert prior(None).component_distribution.stddev.min() >= 0.1


def test_the_loss_under_one_standard_component_has_the_closed_form_loss_as_its_mean() -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (8,), 20, prior=MixturePrior(2, 1, floor=0.5)).double(), binary(6, 20).double()
    plain = VAE(2, data_dim=20, encoder=model.encoder, decoder=model.decoder)
    with torch.no_grad():
        model.learned_prior.loc.zero_()
        model.learned_prior.log_scale.fill_(math.log(0.5))
        drawn = torch.stack([model.loss(x) for _ in range(3000)])
        closed = torch.stack([plain.loss(x) for _ in range(3000)])
    error = (drawn.var() / 3000 + closed.var() / 3000).sqrt()
    assert abs(drawn.mean() - closed.mean()) < 4 * error
    assert error < 0.02
    assert drawn.std() > 0


def test_the_loss_under_a_mixture_prior_is_minus_the_elbo_and_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (8,), 20, prior=MixturePrior(2, 3)), binary(6, 20)
    with torch.no_grad():
        losses = torch.stack([model.loss(x) for _ in range(2000)])
        bound = elbo(model, x, 20_000).mean()
    assert abs(-losses.mean() - bound) < 5 * losses.std() / 2000**0.5
    model.loss(x).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


@pytest.mark.parametrize(("loc", "scale"), [((0.7, -1.0), (0.8, 1.7)), ((90.0, -40.0), (30.0, 8.0))])
def test_exact_log_px_sees_the_learned_prior_wherever_it_lies(loc: tuple[float, float], scale: tuple[float, float]) -> None:
    """One component is a normal that the decoder's first layer can absorb: the same model in other coordinates."""
    torch.manual_seed(0)
    prior = MixturePrior(2, 1, floor=0.5)
    model, x = VAE(2, (8,), 20, prior=prior).requires_grad_(False), binary(6, 20)
    prior.loc.copy_(torch.tensor([loc]))
    prior.log_scale.copy_((torch.tensor([scale]) - 0.5).log())
    same = LatentVariableModel(2, (8,), 20).requires_grad_(False)
    same.decoder.load_state_dict(model.decoder.state_dict())
    first = same.decoder.logits[0]
    first.bias += first.weight @ torch.tensor(loc)
    first.weight *= torch.tensor(scale)
    np.testing.assert_allclose(exact_log_px(model, x), exact_log_px(same, x), atol=2e-2)


def test_exact_log_px_under_several_components_is_their_average() -> None:
    """p(x) is linear in the prior: each component alone, weighed."""
    torch.manual_seed(0)
    model, x = VAE(2, (8,), 20, prior=MixturePrior(2, 3)).requires_grad_(False), binary(6, 20)
    prior = model.learned_prior
    prior.loc.mul_(4)
    prior.log_weights.copy_(torch.tensor([0.2, -1.0, 0.5]))
    alone = []
    for c in range(3):
        one = VAE(2, data_dim=20, prior=MixturePrior(2, 1), encoder=model.encoder, decoder=model.decoder).requires_grad_(False)
        one.learned_prior.loc.copy_(prior.loc[c : c + 1])
        alone.append(exact_log_px(one, x))
    expected = scipy.special.logsumexp(np.stack(alone), axis=0, b=scipy.special.softmax([0.2, -1.0, 0.5])[:, None])
    np.testing.assert_allclose(exact_log_px(model, x), expected, atol=2e-2)


def test_a_vamp_prior_is_the_equal_mixture_of_the_encoder_s_answers() -> None:
    torch.manual_seed(0)
    prior = VampPrior(3, 9)
    model = VAE(2, (6,), 9, prior=prior).double().requires_grad_(False)
    shaken(prior)
    output = forward(model.encoder.parameters_of_q, scipy.special.expit(prior.logits.numpy()))
    loc, scale = output[:, :2], np.exp(output[:, 2:] / 2)
    z = torch.randn(5, 2, dtype=torch.float64)
    np.testing.assert_allclose(model.prior.log_prob(z), by_a_sum(z.numpy(), np.full(3, 1 / 3), loc, scale), rtol=1e-6)
    np.testing.assert_allclose(prior.images, scipy.special.expit(prior.logits.numpy()), rtol=1e-12)


def test_a_vamp_prior_does_not_register_the_encoder_twice_and_teaches_it() -> None:
    torch.manual_seed(0)
    model = VAE(2, (6,), 9, prior=VampPrior(3, 9))
    assert [k for k in model.state_dict() if "learned_prior" in k] == ["learned_prior.logits"]
    model.prior.log_prob(torch.zeros(1, 2)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in [*model.encoder.parameters(), model.learned_prior.logits])


def test_a_vamp_prior_begins_at_the_images_it_is_given() -> None:
    x = binary(3, 9)
    np.testing.assert_allclose(VampPrior(3, 9, start=x).images.detach(), scipy.special.expit(4 * x.numpy() - 2), rtol=1e-6)


@pytest.mark.parametrize("make", [lambda: MixturePrior(2, 3), lambda: VampPrior(3, 9), lambda: None])
def test_a_model_with_its_prior_comes_back_from_its_state(make: Any) -> None:
    torch.manual_seed(0)
    first, second = VAE(2, (5,), 9, prior=make()), VAE(2, (5,), 9, prior=make())
    second.load_state_dict(first.state_dict())
    z, x = torch.randn(4, 2), binary(4, 9)
    assert torch.equal(first.prior.log_prob(z), second.prior.log_prob(z))
    assert torch.equal(first.encoder(x).mean, second.encoder(x).mean)


# ---------------------------------------------------------------- ConditionalVAE


@pytest.fixture
def told() -> ConditionalVAE:
    torch.manual_seed(0)
    model = ConditionalVAE(2, (8,), 9, n_classes=3).requires_grad_(False)
    for p in model.decoder.parameters():
        p.mul_(3)
    return model


def test_rows_are_pixels_with_the_class_behind_them(told: ConditionalVAE) -> None:
    x = binary(3, 9)
    rows = told.rows(x, torch.tensor([2, 0, 1]))
    assert torch.equal(rows[:, :9], x)
    assert rows[:, 9:].tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    told.check(rows)


def test_the_model_of_one_class_uses_the_shared_weights_with_that_class(told: ConditionalVAE) -> None:
    x, z = binary(4, 9), torch.randn(5, 4, 2)
    for label in range(3):
        code = np.eye(3)[label]
        one = told.given(label)
        logits = forward(told.decoder.logits, np.concatenate([z.double().numpy(), np.tile(code, (5, 4, 1))], -1))
        np.testing.assert_allclose(one.decoder(z).mean, scipy.special.expit(logits), atol=1e-6)
        output = forward(told.encoder.parameters_of_q, np.concatenate([x.double().numpy(), np.tile(code, (4, 1))], -1))
        np.testing.assert_allclose(one.encoder(x).mean, output[:, :2], atol=1e-5)
        assert one.decoder.network is told.decoder


def test_the_loss_of_rows_is_minus_the_elbo_given_their_classes(told: ConditionalVAE) -> None:
    x, labels = binary(6, 9), torch.tensor([0, 1, 2, 2, 1, 0])
    rows = told.rows(x, labels)
    losses = torch.stack([told.loss(rows) for _ in range(3000)])
    bound = torch.cat([elbo(told.given(label), x[labels == label], 20_000) for label in range(3)]).mean()
    assert abs(-losses.mean() - bound) < 5 * losses.std() / 3000**0.5


def test_bounds_given_a_class_lie_below_the_exact_value_and_close_in_on_it(told: ConditionalVAE) -> None:
    x = binary(6, 9)
    for label in range(3):
        one = told.given(label)
        exact = exact_log_px(one, x)
        assert (elbo(one, x, 4000) <= exact + 0.1).all()
        np.testing.assert_allclose(iwae_bound(one, x, 20_000), exact, atol=0.05)


def test_all_images_of_all_classes_have_a_probability_of_1_together(told: ConditionalVAE) -> None:
    log_px = torch.stack([exact_log_px(told.given(label), EVERY_IMAGE.float()) for label in range(3)])
    assert (log_px.logsumexp(0) - math.log(3)).exp().sum().item() == pytest.approx(1, abs=1e-3)
    assert (log_px[0] - log_px[1]).abs().max() > 0.1


def test_a_conditional_vae_says_what_it_takes(told: ConditionalVAE) -> None:
    with pytest.raises(ValueError, match=r"images without their classes: fit and loss take model\.rows\(x, labels\)"):
        told.loss(binary(4, 9))
    with pytest.raises(ValueError, match="label must be a class from 0 to 2; got 3"):
        told.given(3)


# ---------------------------------------------------------------- BernoulliMixture


@pytest.fixture
def small_mixture() -> BernoulliMixture:
    torch.manual_seed(0)
    model = BernoulliMixture(3, 9).double()
    with torch.no_grad():
        model.log_weights.copy_(torch.tensor([0.3, -1.0, 2.0]))
    return model.requires_grad_(False)


def joint(model: BernoulliMixture, x: Tensor) -> np.ndarray:
    """p(x, z) for every image and component, by loops in probability space: (B, C)."""
    weights = np.exp(model.log_weights.numpy()) / np.exp(model.log_weights.numpy()).sum()
    p = scipy.special.expit(model.logits.numpy())
    return np.array([[w * np.prod(np.where(image == 1, row, 1 - row)) for w, row in zip(weights, p)] for image in x.numpy()])


def test_a_mixture_gives_all_512_images_a_probability_of_1_together(small_mixture: BernoulliMixture) -> None:
    z = small_mixture.prior.enumerate_support()
    joint_log_prob = small_mixture.decoder(z[:, None]).log_prob(EVERY_IMAGE) + small_mixture.prior.log_prob(z)[:, None]
    np.testing.assert_allclose(joint_log_prob.exp().T, joint(small_mixture, EVERY_IMAGE), rtol=1e-10)
    assert joint_log_prob.exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_a_mixture_s_posterior_is_bayes_rule(small_mixture: BernoulliMixture) -> None:
    expected = joint(small_mixture, EVERY_IMAGE)
    q = small_mixture.posterior(EVERY_IMAGE)
    assert (q.batch_shape, q.event_shape) == ((512,), ())
    np.testing.assert_allclose(q.probs, expected / expected.sum(1, keepdims=True), rtol=1e-9)


def test_a_fresh_mixture_has_equal_weights_and_random_components() -> None:
    model = BernoulliMixture(4, 9)
    assert model.prior.probs.tolist() == [0.25] * 4
    assert len(model.logits.detach().unique(dim=0)) == 4
    assert model.decoder(model.prior.sample((5, 2))).batch_shape == (5, 2)


# ---------------------------------------------------------------- LinearGaussian


@quick
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 4), st.floats(0.1, 2))
def test_linear_gaussian_marginal_and_posterior_are_those_of_the_joint_normal(
    seed: int, data_dim: int, latent_dim: int, sigma: float
) -> None:
    model = linear_gaussian(seed, data_dim, latent_dim, sigma)
    weight, bias, s = as_numpy(model)
    assert s == pytest.approx(sigma)
    x = np.random.default_rng(seed).normal(0, 2, (3, data_dim))
    covariance = weight @ weight.T + s**2 * np.eye(data_dim)
    expected = np.atleast_1d(scipy.stats.multivariate_normal(bias, covariance).logpdf(x))
    np.testing.assert_allclose(model.marginal.log_prob(torch.from_numpy(x)), expected, rtol=1e-8)

    # Conditioning the joint normal of (z, x) on x; the model itself uses the other form, by way of the precision.
    q = model.posterior(torch.from_numpy(x))
    gain = np.linalg.solve(covariance, weight).T
    assert (q.batch_shape, q.event_shape) == ((3,), (latent_dim,))
    np.testing.assert_allclose(q.mean, (x - bias) @ gain.T, atol=1e-8)
    np.testing.assert_allclose(q.covariance_matrix, np.tile(np.eye(latent_dim) - gain @ weight, (3, 1, 1)), atol=1e-8)


@quick
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_linear_gaussian_obeys_bayes_rule_at_any_latent(seed: int, latent_dim: int) -> None:
    model = linear_gaussian(seed, 4, latent_dim)
    rng = np.random.default_rng(seed)
    x, z = torch.from_numpy(rng.normal(0, 2, (3, 4))), torch.from_numpy(rng.normal(0, 2, (5, 3, latent_dim)))
    log_px = model.decoder(z).log_prob(x) + model.prior.log_prob(z) - model.posterior(x).log_prob(z)
    np.testing.assert_allclose(log_px, model.marginal.log_prob(x).expand(5, 3), atol=1e-8)


def test_linear_gaussian_decoder_is_a_normal_around_the_plane() -> None:
    model = linear_gaussian(0, 4, 2, sigma=0.3)
    weight, bias, sigma = as_numpy(model)
    assert sigma == pytest.approx(0.3)
    rng = np.random.default_rng(0)
    z, x = rng.normal(size=(5, 2)), rng.normal(size=(5, 4))
    p = model.decoder(torch.from_numpy(z))
    assert (p.batch_shape, p.event_shape) == ((5,), (4,))
    np.testing.assert_allclose(p.log_prob(torch.from_numpy(x)), scipy.stats.norm(z @ weight.T + bias, sigma).logpdf(x).sum(-1), rtol=1e-9)


def test_linear_gaussian_takes_values_that_are_not_binary() -> None:
    linear_gaussian(0, 3, 1).check(torch.tensor([[0.37, -5.0, 2.0]], dtype=torch.float64))


# ---------------------------------------------------------------- pretrained


@pytest.mark.parametrize(
    ("labels", "error", "says"),
    [
        (torch.tensor([0, 1]), ValueError, r"a class from 0 to 2 for each of the 4 images, shape \(4,\); got shape \(2,\)"),
        (torch.zeros(4, 1).long(), ValueError, r"got shape \(4, 1\)"),
        (torch.zeros(0).long(), ValueError, r"got shape \(0,\)$"),
        (torch.tensor([0.5, 0, 1, 2]), ValueError, "values from 0.0 to 2.0"),
        (torch.tensor([0, 1, 2, 3]), ValueError, "values from 0 to 3"),
        ([0, 1, 2, 0], TypeError, "labels must be a torch tensor; got list"),
        (np.zeros(4, int), TypeError, "got ndarray"),
        (None, TypeError, "got NoneType"),
    ],
)
def test_labels_that_are_not_one_class_an_image_are_refused(told: ConditionalVAE, labels: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        told.rows(binary(4, 9), labels)


def test_rows_take_whole_numbers_of_any_type_and_images_alone(told: ConditionalVAE) -> None:
    x, labels = binary(3, 9), torch.tensor([2, 0, 1])
    assert torch.equal(told.rows(x, labels.float()), told.rows(x, labels))
    for bad in (x[:, :5], x[:0], x[0]):
        with pytest.raises(ValueError, match=r"x must have shape \(B, 9\)"):
            told.rows(bad, labels[: len(bad)])


@pytest.mark.parametrize("code", [[0, 0, 0], [1, 1, 1], [0, 1, 1]])
def test_rows_without_exactly_one_class_are_refused(told: ConditionalVAE, code: list[int]) -> None:
    rows = torch.cat([told.rows(binary(2, 9), torch.tensor([0, 2])), torch.cat([binary(1, 9), torch.tensor([code])], 1)])
    with pytest.raises(ValueError, match=r"1 of 3 rows do not end with exactly one class: model\.rows"):
        told.loss(rows)


KNOWS_NO_CLASS: dict[str, Callable[[Any, Any], Any]] = {
    "elbo": lambda model, x: elbo(model, x, 3),
    "exact_log_px": exact_log_px,
    "quadrature_log_px": lambda model, x: quadrature_log_px(model, x, 0.5),
    "ais": lambda model, x: ais(model, x, 2, 3, progress=False),
    "audit": audit,
    "iwae_loss": lambda model, x: iwae_loss(2)(model, x),
    "generate": lambda model, x: generate(model, 3),
}


@pytest.mark.parametrize("name", KNOWS_NO_CLASS)
def test_what_knows_no_class_says_what_to_pass(told: ConditionalVAE, name: str) -> None:
    x, call = binary(4, 9), KNOWS_NO_CLASS[name]
    for rows in (x, told.rows(x, torch.tensor([0, 1, 2, 0]))):
        with pytest.raises(ValueError, match=r"take model\.given\(label\), the model of one class"):
            call(told, rows)
    if name not in ("audit", "iwae_loss"):
        call(told.given(1), x)


@pytest.fixture
def decoder_file(tmp_path: Path) -> tuple[Path, LatentVariableModel, LatentVariableModel]:
    torch.manual_seed(0)
    first, second = LatentVariableModel(2, (5, 7), 9), LatentVariableModel(3, (4,), 6)
    tensors = {f"first/{k}": v.half() for k, v in first.state_dict().items()} | {f"second/{k}": v for k, v in second.state_dict().items()}
    save_file(tensors, tmp_path / "decoder.safetensors")
    return tmp_path / "decoder.safetensors", first, second


def test_pretrained_gives_the_model_that_was_stored_under_its_name(
    decoder_file: tuple[Path, LatentVariableModel, LatentVariableModel],
) -> None:
    path, first, second = decoder_file
    for name, stored, tolerance in (("first", first, 3e-3), ("second", second, 1e-7)):
        model = pretrained(name, path)
        assert (model.latent_dim, model.data_dim) == (stored.latent_dim, stored.data_dim)
        z = torch.randn(8, stored.latent_dim)
        np.testing.assert_allclose(model.decoder(z).mean, stored.decoder(z).mean.detach(), atol=tolerance)
        assert all(p.dtype == torch.float32 and not p.requires_grad for p in model.parameters())


def test_pretrained_takes_a_path_written_as_text(decoder_file: tuple[Path, LatentVariableModel, LatentVariableModel]) -> None:
    assert pretrained("second", str(decoder_file[0])).latent_dim == 3


def test_pretrained_chooses_the_shipped_decoder_of_the_default_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECOURSE_DIGITS", "")
    by_default, strokes = pretrained(), pretrained("strokes")
    assert (strokes.latent_dim, strokes.data_dim) == (2, 784)
    z = torch.randn(8, 2)
    assert torch.equal(by_default.decoder(z).mean, strokes.decoder(z).mean)
    monkeypatch.setenv("VAECOURSE_DIGITS", "third")
    with pytest.raises(ValueError, match="no decoder called 'third'"):
        pretrained()


def test_pretrained_serves_the_static_binarisation_with_the_decoder_of_mnist(tmp_path: Path) -> None:
    torch.manual_seed(0)
    stored = LatentVariableModel(2, (5,), 9)
    save_file({f"mnist/{k}": v for k, v in stored.state_dict().items()}, tmp_path / "decoder.safetensors")
    model, z = pretrained("static-mnist", tmp_path / "decoder.safetensors"), torch.randn(8, 2)
    assert torch.equal(model.decoder(z).mean, stored.decoder(z).mean)


def test_pretrained_names_what_there_is_where_the_name_is_unknown(
    decoder_file: tuple[Path, LatentVariableModel, LatentVariableModel],
) -> None:
    with pytest.raises(ValueError, match=r"no decoder called 'third' in .*decoder\.safetensors; it holds first, second"):
        pretrained("third", decoder_file[0])


def test_pretrained_says_that_the_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        pretrained("strokes", tmp_path / "nowhere.safetensors")


def test_pretrained_vae_gives_the_vae_that_was_stored_under_its_name_and_number_of_latents(tmp_path: Path) -> None:
    torch.manual_seed(0)
    stored, file = VAE(3, (5, 7), 9), tmp_path / "vaes.safetensors"
    save_file({f"mine-3/{k}": v for k, v in stored.state_dict().items()}, file)
    model, x = pretrained_vae(3, "mine", file), torch.ones(4, 9)
    assert torch.equal(model.encoder(x).mean, stored.encoder(x).mean)
    assert torch.equal(model.decoder(torch.ones(4, 3)).mean, stored.decoder(torch.ones(4, 3)).mean)
    assert not any(p.requires_grad for p in model.parameters())
    with pytest.raises(ValueError, match=r"no VAE called 'mine-2' in .*vaes\.safetensors; it holds mine-3"):
        pretrained_vae(2, "mine", file)
    with pytest.raises(TypeError, match="latent_dim"):
        pretrained_vae("mine")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        pretrained_vae(3, "mine", tmp_path / "nowhere")


def test_a_file_of_other_tensors_is_no_decoder(tmp_path: Path) -> None:
    others = {"two-2": VAE(2, (4,), 9).state_dict(), "odd": {"decoder.a.weight": torch.zeros(3)}, "none": {"w": torch.zeros(3)}}
    save_file({f"{name}/{k}": v for name, state in others.items() for k, v in state.items()}, tmp_path / "others.safetensors")
    for name in others:
        with pytest.raises(ValueError, match=f"others.safetensors holds as '{name}' is no decoder of the course"):
            pretrained(name, tmp_path / "others.safetensors")


# ---------------------------------------------------------------- bad input

STRAY = torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.37, 1.0]])
BAD_IMAGES: list[tuple[Any, type[Exception], str]] = [
    (STRAY, ValueError, r"0s and 1s; found 0\.37: binarise first, see vaecourse\.data\.binarize"),
    (-torch.ones(1, 3), ValueError, "0s and 1s; found -1: binarise first"),
    (torch.zeros(2, 4), ValueError, r"shape \(B, 3\), one image a row; got \(2, 4\): see x\.reshape"),
    (torch.zeros(3), ValueError, r"shape \(B, 3\), one image a row; got \(3,\): see x\.reshape"),
    (torch.zeros(1, 2, 3), ValueError, r"one image a row; got \(1, 2, 3\)"),
    (torch.zeros(0, 3), ValueError, r"x holds no image \(shape \(0, 3\)\): pass at least one row"),
    (torch.tensor([[0.0, math.nan, 1.0]]), ValueError, r"NaN or infinity: torch\.isfinite"),
    (torch.tensor([[0.0, math.inf, 1.0]]), ValueError, "NaN or infinity"),
    (torch.tensor([[0.0, -math.inf, 1.0]]), ValueError, "NaN or infinity"),
    (torch.tensor([[0.0, 1e-30, 1.0]]), ValueError, "0s and 1s; found 1e-30: binarise first"),
    (torch.tensor([[0.0, 1 + 2**-23, 1.0]]), ValueError, "0s and 1s; found 1: binarise first"),
    (torch.tensor([[0.0, 1 - 2**-24, 1.0]]), ValueError, "0s and 1s; found 1: binarise first"),
    (torch.tensor([[0.0, 3e38, 1.0]]), ValueError, r"0s and 1s; found 3e\+38: binarise first"),
    (torch.cat([torch.zeros(1500, 3), STRAY]), ValueError, r"0s and 1s; found 0\.37"),
    (torch.zeros(2, 3, dtype=torch.int64), TypeError, r"floating point; got torch\.int64: convert it with x\.float\(\)"),
    (torch.zeros(2, 3, dtype=torch.bool), TypeError, r"got torch\.bool: convert it with x\.float\(\)"),
    (np.zeros((2, 3)), TypeError, r"torch tensor of shape \(B, 3\); got ndarray: convert it with torch\.as_tensor"),
    ([[0.0, 1.0, 1.0]], TypeError, "got list: convert it"),
]


@pytest.mark.parametrize(("x", "error", "message"), BAD_IMAGES)
def test_bad_images_are_refused_with_what_to_do(x: Any, error: type[Exception], message: str) -> None:
    vae, mixture = VAE(1, (4,), 3), BernoulliMixture(2, 3)
    for refuse in (vae.check, vae.loss, mixture.check, mixture.posterior):
        with pytest.raises(error, match=message):
            refuse(x)


@pytest.mark.parametrize("x", [torch.zeros(2, 4), torch.full((1, 3), math.nan), torch.zeros(0, 3)])
def test_linear_gaussian_posterior_refuses_bad_data(x: Tensor) -> None:
    with pytest.raises(ValueError, match="x "):
        LinearGaussian(3, 1).posterior(x)


def test_images_of_zeros_and_ones_pass_the_check() -> None:
    x = binary(5, 3)
    assert LatentVariableModel(2, (4,), 3).check(x) is None
    assert BernoulliMixture(2, 3).double().check(x.double()) is None


BAD_SIZES: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (VAE, {"latent_dim": 0}, ValueError, "latent_dim must be at least 1; got 0"),
    (VAE, {"latent_dim": 2.0}, TypeError, r"latent_dim must be a whole number; got 2\.0"),
    (VAE, {"latent_dim": True}, TypeError, "latent_dim must be a whole number; got True"),
    (LatentVariableModel, {"latent_dim": 2, "data_dim": -1}, ValueError, "data_dim must be at least 1; got -1"),
    (LatentVariableModel, {"latent_dim": 2, "hidden": (16, 0)}, ValueError, r"hidden\[1\] must be at least 1; got 0"),
    (LatentVariableModel, {"latent_dim": 2, "hidden": (16.0,)}, TypeError, r"hidden\[0\] must be a whole number; got 16\.0"),
    (LatentVariableModel, {"latent_dim": 2, "hidden": 128}, TypeError, r"hidden must be a sequence of sizes, such as .*; got 128"),
    (VAE, {"latent_dim": 2, "hidden": ("8",)}, TypeError, r"hidden\[0\] must be a whole number; got '8'"),
    (VAE, {"latent_dim": np.float64(2)}, TypeError, r"latent_dim must be a whole number; got (np\.float64\(2\.0\)|2\.0)"),
    (VAE, {"latent_dim": np.True_}, TypeError, r"latent_dim must be a whole number; got (np\.True_|True)"),
    (VAE, {"latent_dim": torch.tensor(2)}, TypeError, r"latent_dim must be a whole number; got tensor\(2\): pass its \.item\(\)"),
    (VAE, {"latent_dim": np.int64(0)}, ValueError, "latent_dim must be at least 1; got 0"),
    (LinearGaussian, {"data_dim": 3, "latent_dim": 0}, ValueError, "latent_dim must be at least 1; got 0"),
    (
        LinearGaussian,
        {"data_dim": 3, "latent_dim": 1, "sigma": 0},
        ValueError,
        "sigma, a standard deviation, must be a finite number above 0; got 0",
    ),
    (LinearGaussian, {"data_dim": 3, "latent_dim": 1, "sigma": -0.5}, ValueError, r"must be a finite number above 0; got -0\.5"),
    (LinearGaussian, {"data_dim": 3, "latent_dim": 1, "sigma": math.nan}, ValueError, "must be a finite number above 0; got nan"),
    (LinearGaussian, {"data_dim": 3, "latent_dim": 1, "sigma": "a"}, TypeError, "sigma, .* must be a number; got 'a'"),
    (mlp, {"sizes": [2, -1, 3]}, ValueError, r"sizes\[1\] must be at least 1; got -1"),
    (mlp, {"sizes": [2.0, 3]}, TypeError, r"sizes\[0\] must be a whole number; got 2\.0"),
    (MixturePrior, {"latent_dim": 2, "n_components": 0}, ValueError, "n_components must be at least 1; got 0"),
    (
        MixturePrior,
        {"latent_dim": 2, "n_components": 3, "floor": 0.0},
        ValueError,
        r"floor, the smallest standard deviation .*; got 0\.0",
    ),
    (VampPrior, {"n_components": 2.0}, TypeError, r"n_components must be a whole number; got 2\.0"),
    (VampPrior, {"n_components": 2, "data_dim": 9, "start": torch.zeros(3, 9)}, ValueError, r"start must hold 2 images of 9 pixels"),
    (VAE, {"latent_dim": 3, "prior": MixturePrior(2, 4)}, ValueError, r"the model has 3 latents, but its prior has event shape \(2,\)"),
    (VAE, {"latent_dim": 3, "data_dim": 9, "prior": VampPrior(2, 7)}, ValueError, "have 7 pixels, but the images of the model have 9"),
    (ConditionalVAE, {"latent_dim": 2, "n_classes": 0}, ValueError, "n_classes must be at least 1; got 0"),
    (BernoulliMixture, {"n_components": 0}, ValueError, "n_components must be at least 1; got 0"),
    (BernoulliMixture, {"n_components": 2, "data_dim": "9"}, TypeError, "data_dim must be a whole number; got '9'"),
]


@pytest.mark.parametrize(("model", "settings_", "error", "message"), BAD_SIZES)
def test_bad_sizes_are_refused_with_what_was_expected(model: Any, settings_: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        model(**settings_)


def test_images_and_weights_of_different_precision_are_refused() -> None:
    with pytest.raises(TypeError, match=r"x is torch\.float64 and the model's weights are torch\.float32: convert one of them"):
        LatentVariableModel(2, (4,), 3).check(binary(5, 3).double())


def test_a_decoder_of_many_layers_is_loaded_in_their_order(tmp_path: Path) -> None:
    deep = LatentVariableModel(2, (3, 4, 5, 6, 7), 9)
    save_file({f"deep/{k}": v for k, v in deep.state_dict().items()}, tmp_path / "deep.safetensors")
    z = torch.randn(4, 2)
    assert torch.equal(pretrained("deep", tmp_path / "deep.safetensors").decoder(z).mean, deep.decoder(z).mean)


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint8])
def test_numpy_s_whole_numbers_make_the_same_models(kind: type) -> None:
    """100 latents: twice as many are too many for an np.int8."""
    models_: list[tuple[Any, dict[str, Any]]] = [
        (VAE, {"latent_dim": 100, "hidden": (7, 5), "data_dim": 9}),
        (LatentVariableModel, {"latent_dim": 2, "hidden": [4], "data_dim": 9}),
        (ConditionalVAE, {"latent_dim": 2, "hidden": (4,), "n_pixels": 120, "n_classes": 10}),
        (LinearGaussian, {"data_dim": 9, "latent_dim": 2}),
        (BernoulliMixture, {"n_components": 3, "data_dim": 9}),
        (MixturePrior, {"latent_dim": 2, "n_components": 3}),
        (VampPrior, {"n_components": 3, "data_dim": 9}),
    ]
    for model, sizes in models_:
        made = {name: tuple(map(kind, size)) if name == "hidden" else kind(size) for name, size in sizes.items()}
        shapes = [{k: tuple(v.shape) for k, v in model(**arguments).state_dict().items()} for arguments in (sizes, made)]
        assert shapes[0] == shapes[1]
    assert type(VAE(kind(2), (4,), kind(9)).latent_dim) is int
    assert VAE(2, np.array([7, 5]), 9).decoder.logits[2].weight.shape == (5, 7)


def test_the_number_of_a_class_may_be_numpy_s() -> None:
    model, x = ConditionalVAE(2, (4,), 9, 3), binary(4, 9)
    z = torch.randn(4, 2)
    by_int, by_numpy = (model.given(label).decoder(z).log_prob(x) for label in (2, np.int64(2)))
    assert torch.equal(by_int, by_numpy)
    for label, error in ((2.0, TypeError), (True, TypeError), ("2", TypeError), (-1, ValueError), (np.int64(3), ValueError)):
        with pytest.raises(error, match="label must be"):
            model.given(label)


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint8])
def test_estimators_take_numpy_s_whole_numbers(kind: type) -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (4,), 9), binary(4, 9)
    for estimate in (elbo, iwae_bound, importance_estimate, naive_monte_carlo, log_weights):
        drawn = []
        for n in (100, kind(100)):
            torch.manual_seed(1)
            drawn.append(estimate(model, x, n, *([model.prior] if estimate is importance_estimate else [])))
        assert torch.equal(*drawn)
        for wrong in (10.0, "8", True, np.float64(8), torch.tensor(8)):
            with pytest.raises(TypeError, match="n_samples must be a whole number"):
                estimate(model, x, wrong)


def spoil(file: Path, content: bytes | None) -> None:
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git LFS pointer"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x80\x04rest", "a Python pickle"),
        (b"\x10\0\0\0\0\0\0\0{}", "cut off"),
        (None, "a folder"),
    ],
)
def test_a_file_that_holds_no_decoders_is_refused_by_what_it_is(
    content: bytes | None, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "decoder.safetensors"
    spoil(file, content)
    with pytest.raises(ValueError, match=rf"{re.escape(str(file))} is not a safetensors file with decoders: it is .*{found}"):
        pretrained("strokes", file)
    monkeypatch.setattr(models, "shipped", lambda name: tmp_path / name)
    with pytest.raises(DataUnavailable, match=rf"{re.escape(str(file))} is not .*{found}.*: in a clone of the course run `git checkout"):
        pretrained("strokes")


def test_a_shipped_decoder_that_is_missing_is_data_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "shipped", lambda name: tmp_path / name)
    with pytest.raises(DataUnavailable, match=r"there is no file .*decoder\.safetensors.*git checkout"):
        pretrained("strokes")


def test_pretrained_finds_a_file_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    save_file({f"mine/{k}": v for k, v in LatentVariableModel(3, (5,), 9).state_dict().items()}, tmp_path / "d.safetensors")
    assert pretrained("mine", "~/d.safetensors").latent_dim == 3
    save_file({}, tmp_path / "d.safetensors")
    with pytest.raises(ValueError, match="no decoder called 'mine' in ~/d.safetensors; it holds nothing"):
        pretrained("mine", "~/d.safetensors")


# ---------------------------------------------------------------- how models print themselves


REPRS = {  # the numbers of weights and biases were added up by hand
    "LatentVariableModel(784 pixels, 2 latents, 118,032 parameters: decoder 2-128-128-784 ELU)": lambda: LatentVariableModel(2),
    "VAE(12 pixels, 3 latents, 274 parameters: encoder 12-4-8-6 ELU, decoder 3-8-4-12 ELU)": lambda: VAE(3, (8, 4), 12),
    "VAE(5 pixels, 1 latent, 21 parameters, frozen: encoder 5-2, decoder Identity, prior MixturePrior)": lambda: VAE(
        1, data_dim=5, prior=MixturePrior(1, 3), encoder=nn.Sequential(nn.Linear(5, 2)), decoder=nn.Identity()
    ).requires_grad_(False),
    "MixturePrior(3 components, 2 latents, 15 parameters)": lambda: MixturePrior(2, 3),
    "VampPrior(4 pseudo-inputs of 9 pixels, 36 parameters)": lambda: VampPrior(4, 9),
    "ConditionalVAE(9 pixels and one of 3 classes, 2 latents, 205 parameters: encoder 12-6-4 ELU, decoder 5-6-9 ELU)": (
        lambda: ConditionalVAE(2, (6,), 9, 3)
    ),
    "VAE(9 pixels, 2 latents, 205 parameters: encoder 12-6-4 ELU, decoder 5-6-9 ELU)": lambda: ConditionalVAE(2, (6,), 9, 3).given(1),
    "LinearGaussian(5 values, 2 latents, 16 parameters: noise of standard deviation 0.25)": lambda: LinearGaussian(5, 2, sigma=0.25),
    "BernoulliMixture(7 pixels, 3 components, 24 parameters)": lambda: BernoulliMixture(3, 7),
}


@pytest.mark.parametrize("expected", REPRS)
def test_models_and_priors_print_their_sizes(expected: str) -> None:
    assert repr(REPRS[expected]()) == expected


def test_a_decoder_that_is_no_chain_of_layers_prints_the_name_of_its_class() -> None:
    mixed = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 4))
    broken = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(4, 4))
    for decoder in (mixed, broken):
        assert repr(LatentVariableModel(2, data_dim=4, decoder=decoder)).endswith("decoder Sequential)")

    class Own(LatentVariableModel):
        def decoder(self, z: Tensor) -> Tensor:
            return z

    own = Own.__new__(Own)
    nn.Module.__init__(own)
    own.latent_dim, own.data_dim = 2, 2
    assert repr(own) == "Own(2 pixels, 2 latents, 0 parameters: decoder method)"


@pytest.mark.parametrize("kind", [np.asarray, torch.Tensor.int, torch.Tensor.tolist, torch.Tensor.float])
def test_pseudo_inputs_start_at_the_images_whatever_holds_them(kind: Callable) -> None:
    x = binary(3, 9)
    prior = VampPrior(3, 9, start=kind(x))
    np.testing.assert_allclose(prior.images.detach(), scipy.special.expit(4 * x.numpy() - 2.0), rtol=1e-6)
    assert VAE(2, (8,), 9, prior=prior).loss(x).dtype == torch.float32
    with pytest.raises(TypeError, match=r"the pseudo-inputs are torch\.float64 and the model's weights are torch\.float32"):
        VAE(2, (8,), 9, prior=VampPrior(3, 9, start=x.double()))
