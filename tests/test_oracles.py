"""The exact log p(x), held against enumeration, closed forms, scipy's quadrature and fine brute-force grids."""

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
from torch import Tensor
from torch.distributions import Distribution

from vaecourse import oracles
from vaecourse.models import BernoulliMixture, LatentVariableModel, LinearGaussian
from vaecourse.oracles import exact_log_px, lattice, posterior_grid, quadrature_log_px
from vaecourse.training import exact_loss

quick = settings(max_examples=8, deadline=None, derandomize=True)
EVERY_IMAGE = torch.tensor(list(itertools.product((0.0, 1.0), repeat=9)), dtype=torch.float64)


class Disguised(LatentVariableModel):
    """A linear-Gaussian model that does not say so: nothing but a quadrature can integrate it."""

    binary = False

    def __init__(self, inner: LinearGaussian):
        torch.nn.Module.__init__(self)
        self.inner, self.latent_dim, self.data_dim = inner, inner.latent_dim, inner.data_dim

    @property
    def prior(self) -> Distribution:
        return self.inner.prior

    def decoder(self, z: Tensor) -> Any:
        return self.inner.decoder(z)


def linear_gaussian(seed: int, data_dim: int, latent_dim: int, sigma: float = 0.5) -> LinearGaussian:
    torch.manual_seed(seed)
    model = LinearGaussian(data_dim, latent_dim, sigma).double()
    with torch.no_grad():
        model.bias.normal_()
    return model


def latent_variable_model(latent_dim: int, seed: int = 0, gain: float = 2.0) -> LatentVariableModel:
    """A float64 model of 3x3 images, its weights enlarged so that the posterior is not the prior."""
    torch.manual_seed(seed)
    model = LatentVariableModel(latent_dim, (8,), 9).double().requires_grad_(False)
    for parameter in model.parameters():
        parameter.mul_(gain)
    return model


def numpy_log_joint(model: LatentVariableModel, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """log p(x, z) of one image at nodes (G, K), every layer written out in numpy."""
    w1, b1, w2, b2 = (p.numpy() for p in model.decoder.parameters())
    h = z @ w1.T + b1
    logits = np.where(h > 0, h, np.expm1(h)) @ w2.T + b2
    log_px_given_z = np.where(x == 1, scipy.special.log_expit(logits), scipy.special.log_expit(-logits)).sum(-1)
    return log_px_given_z + scipy.stats.norm.logpdf(z).sum(-1)


def gauss_legendre(low: float, high: float, panels: int, order: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of composite Gauss-Legendre quadrature: another rule than the one under test."""
    t, w = np.polynomial.legendre.leggauss(order)
    edges = np.linspace(low, high, panels + 1)
    half = np.diff(edges) / 2
    return ((edges[:-1] + half)[:, None] + half[:, None] * t).ravel(), (half[:, None] * w).ravel()


# ---------------------------------------------------------------- enumeration and closed form


def test_a_discrete_latent_is_summed_out() -> None:
    torch.manual_seed(0)
    model = BernoulliMixture(4, 9).double().requires_grad_(False)
    model.log_weights.normal_()
    weights = np.exp(model.log_weights.numpy())
    p = scipy.special.expit(model.logits.numpy())
    x = EVERY_IMAGE[::37]
    expected = [
        math.log(sum(w * np.prod(np.where(image == 1, row, 1 - row)) for w, row in zip(weights / weights.sum(), p))) for image in x.numpy()
    ]
    np.testing.assert_allclose(exact_log_px(model, x), expected, rtol=1e-10)
    assert exact_log_px(model, EVERY_IMAGE).exp().sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_a_linear_gaussian_model_takes_the_closed_form(latent_dim: int) -> None:
    model = linear_gaussian(0, 4, latent_dim)
    weight, bias, s = model.weight.detach().numpy(), model.bias.detach().numpy(), model.log_sigma.exp().item()
    x = np.random.default_rng(0).normal(0, 2, (6, 4))
    expected = scipy.stats.multivariate_normal(bias, weight @ weight.T + s**2 * np.eye(4)).logpdf(x)
    np.testing.assert_allclose(exact_log_px(model, torch.from_numpy(x)), expected, rtol=1e-9)


# ---------------------------------------------------------------- quadrature


@quick
@given(st.integers(0, 10_000), st.sampled_from([1, 2]), st.floats(0.3, 1.5))
def test_quadrature_agrees_with_the_closed_form(seed: int, latent_dim: int, sigma: float) -> None:
    model = linear_gaussian(seed, 3, latent_dim, sigma)
    x = model.marginal.sample((2,))
    expected = model.marginal.log_prob(x).detach()
    for tol in (1e-2, 1e-4):
        np.testing.assert_allclose(exact_log_px(Disguised(model), x, tol=tol), expected, atol=tol, rtol=0)
    np.testing.assert_allclose(quadrature_log_px(Disguised(model), x, 0.08).detach(), expected, atol=1e-6)


@quick
@given(st.integers(0, 10_000), st.sampled_from([1, 2]), st.floats(-3.0, -1.0))
def test_a_narrow_posterior_is_integrated_or_refused_but_never_wrong(seed: int, latent_dim: int, log10_sigma: float) -> None:
    model = linear_gaussian(seed, 3, latent_dim, 10**log10_sigma)
    x = model.marginal.sample((1,))
    try:
        result = exact_log_px(Disguised(model), x)
    except RuntimeError:
        result = None
    if result is None:
        assert model.posterior(x).covariance_matrix.detach().diagonal(dim1=1, dim2=2).min().sqrt() < 0.02
    else:
        np.testing.assert_allclose(result, model.marginal.log_prob(x).detach(), atol=1e-2, rtol=0)


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("where", [-0.06, -0.01, 0.01, 0.06, 0.99])
def test_a_narrow_posterior_between_the_first_nodes_is_found_whole(latent_dim: int, where: float) -> None:
    """Narrower than a sixth of the coarsest spacing, and near a whole number, where one part of the lattice meets the next."""
    model = linear_gaussian(0, 3, latent_dim, sigma=0.02).requires_grad_(False)
    model.weight.copy_(torch.eye(3, latent_dim))
    x = posterior_at(model, where * math.sqrt(latent_dim))
    np.testing.assert_allclose(model.posterior(x).mean, [[where] * latent_dim], atol=1e-9)
    np.testing.assert_allclose(exact_log_px(Disguised(model), x), model.marginal.log_prob(x), atol=1e-2, rtol=0)


def test_one_latent_is_integrated_as_by_scipy() -> None:
    model, x = latent_variable_model(1), EVERY_IMAGE[[0, 100, 273, 511]]
    integrals = [
        scipy.integrate.quad(lambda z, image=image: math.exp(numpy_log_joint(model, image, np.array([[z]]))[0]), -9, 9, epsabs=1e-13)[0]
        for image in x.numpy()
    ]
    np.testing.assert_allclose(exact_log_px(model, x, tol=1e-5), np.log(integrals), atol=1e-5, rtol=0)


def test_two_latents_are_integrated_as_by_scipy() -> None:
    model, image = latent_variable_model(2), EVERY_IMAGE[273]
    integral, _ = scipy.integrate.dblquad(
        lambda b, a: math.exp(numpy_log_joint(model, image.numpy(), np.array([[a, b]]))[0]), -7, 7, -7, 7, epsabs=1e-6, epsrel=1e-4
    )
    assert exact_log_px(model, image[None], tol=1e-5).item() == pytest.approx(math.log(integral), abs=1e-4)


def test_two_latents_are_integrated_as_on_a_fine_grid_of_another_rule() -> None:
    model, x = latent_variable_model(2, seed=1, gain=3.0), EVERY_IMAGE[::100]
    t, w = gauss_legendre(-8, 8, 40)
    z = np.stack(np.meshgrid(t, t, indexing="ij"), -1).reshape(-1, 2)
    log_w = np.log(np.outer(w, w)).ravel()
    expected = [scipy.special.logsumexp(numpy_log_joint(model, image, z) + log_w) for image in x.numpy()]
    for tol in (1e-2, 1e-4):
        np.testing.assert_allclose(exact_log_px(model, x, tol=tol), expected, atol=tol, rtol=0)


def test_all_512_images_have_a_probability_of_1_together() -> None:
    model = latent_variable_model(2)
    assert exact_log_px(model, EVERY_IMAGE, tol=1e-3).exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_float32_costs_no_more_than_a_thousandth_of_a_nat() -> None:
    model, x = latent_variable_model(2), EVERY_IMAGE[::60]
    exact = exact_log_px(model, x, tol=1e-4)
    single = exact_log_px(model.float(), x.float())
    assert (exact.dtype, single.dtype) == (torch.float64, torch.float32)
    np.testing.assert_allclose(single, exact, atol=1e-3)


def test_no_gradient_is_recorded() -> None:
    x = torch.zeros(2, 3, dtype=torch.float64)
    for model in (linear_gaussian(0, 3, 1), BernoulliMixture(2, 3).double(), Disguised(linear_gaussian(0, 3, 1))):
        assert not exact_log_px(model, x).requires_grad


def test_an_image_s_value_does_not_depend_on_the_images_beside_it() -> None:
    """Narrow and wide posteriors side by side: each image is refined on its own."""
    model = latent_variable_model(1, gain=4.0)
    x = EVERY_IMAGE[::25]
    together = exact_log_px(model, x, tol=1e-3)
    np.testing.assert_allclose(together, torch.cat([exact_log_px(model, image[None], tol=1e-3) for image in x]), atol=1e-12)


@pytest.mark.parametrize("block", [1, 5_000])
def test_the_size_of_the_blocks_does_not_change_the_value(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = latent_variable_model(1), EVERY_IMAGE[::100]
    expected = exact_log_px(model, x)
    monkeypatch.setattr(oracles, "BLOCK", block)
    np.testing.assert_allclose(exact_log_px(model, x), expected, atol=1e-12)


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("where", [0.0, 5.0, 7.5, 9.0, 20.0])
def test_a_posterior_far_from_the_prior_is_found_on_either_side(latent_dim: int, side: int, where: float) -> None:
    model = linear_gaussian(0, 3, latent_dim, sigma=0.5).requires_grad_(False)
    x = posterior_at(model, side * where)
    assert model.posterior(x).mean.norm().item() == pytest.approx(where, abs=1e-6)
    np.testing.assert_allclose(exact_log_px(Disguised(model), x), model.marginal.log_prob(x), atol=1e-2, rtol=0)


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("side", [1, -1])
def test_a_posterior_beyond_reach_is_reported_not_cut_off(latent_dim: int, side: int) -> None:
    model = linear_gaussian(0, 3, latent_dim, sigma=0.5).requires_grad_(False)
    x = torch.cat([posterior_at(model, side * where) for where in (0.0, 40.0, 60.0)])
    with pytest.raises(RuntimeError, match="does not settle .*for 2 of 3 images"):
        exact_log_px(Disguised(model), x)


def posterior_at(model: LinearGaussian, distance: float) -> Tensor:
    """Data whose posterior mean lies at this distance from 0: (1, D)."""
    weight, sigma = model.weight, model.log_sigma.exp()
    direction = torch.full((model.latent_dim,), distance / math.sqrt(model.latent_dim), dtype=torch.float64)
    m = weight.T @ weight + sigma**2 * torch.eye(model.latent_dim, dtype=torch.float64)
    return (model.bias + weight @ torch.linalg.solve(weight.T @ weight, m @ direction))[None]


# ---------------------------------------------------------------- random shifts


@pytest.mark.parametrize(("latent_dim", "spacing"), [(1, 1.0), (1, 2.5), (2, 1.0), (2, 2.0)])
def test_a_randomly_shifted_lattice_is_unbiased_however_coarse(latent_dim: int, spacing: float) -> None:
    model, n = linear_gaussian(3, 2, latent_dim), 1_500
    torch.manual_seed(0)
    x = model.marginal.sample((2,))
    with torch.no_grad():
        px = torch.stack([quadrature_log_px(Disguised(model), x, spacing, torch.rand(latent_dim)).exp() for _ in range(n)])
    assert (px.std(0) > 1e-3 * px.mean(0)).all()  # the lattice is coarse enough to be wrong each time
    z = (px.mean(0) - model.marginal.log_prob(x).detach().exp()) / (px.std(0) / math.sqrt(n))
    assert z.abs().max() < 4


def test_the_gradient_of_the_quadrature_is_that_of_the_closed_form() -> None:
    model = linear_gaussian(0, 3, 2)
    x = model.marginal.sample((5,))
    parameters = list(model.parameters())
    expected = torch.autograd.grad(model.marginal.log_prob(x).sum(), parameters)
    actual = torch.autograd.grad(quadrature_log_px(Disguised(model), x, 0.05).sum(), parameters)
    for a, b in zip(actual, expected):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("radius", [oracles.RADIUS, 3.0])
def test_the_lattice_fills_the_ball_with_evenly_spaced_nodes(latent_dim: int, radius: float) -> None:
    spacing, shift = 0.05, torch.full((latent_dim,), 0.3)
    z = lattice(latent_dim, spacing, shift, radius)
    if radius == oracles.RADIUS:
        assert torch.equal(z, lattice(latent_dim, spacing, shift))
    steps = z / spacing - 0.3
    assert z.norm(dim=-1).max() <= radius
    np.testing.assert_allclose(steps, steps.round(), atol=1e-5)
    assert len(z.unique(dim=0)) == len(z)
    volume = 2 * radius if latent_dim == 1 else math.pi * radius**2
    assert len(z) * spacing**latent_dim == pytest.approx(volume, rel=0.01)


# ---------------------------------------------------------------- refusals


def test_three_latents_are_refused_with_the_reason() -> None:
    model, x = LatentVariableModel(3, (4,), 9), torch.zeros(1, 9)
    for refuse in (lambda: exact_log_px(model, x), lambda: posterior_grid(model, x), lambda: quadrature_log_px(model, x, 0.5)):
        with pytest.raises(
            ValueError, match=r"one or two latent dimensions; this model has 3, .* 100\^3 of them: estimate log p\(x\) instead"
        ):
            refuse()


@pytest.mark.parametrize("tol", [0, -1e-3, math.nan])
def test_a_tolerance_that_is_not_above_0_is_refused(tol: float) -> None:
    with pytest.raises(ValueError, match=f"tol, the largest accepted error in nats, must be a finite number above 0; got {tol}"):
        exact_log_px(latent_variable_model(1), EVERY_IMAGE[:1], tol=tol)


@pytest.mark.parametrize("bad", [0, -0.1, math.nan, math.inf, "a", True, None])
@pytest.mark.parametrize("name", ["spacing", "radius", "extent", "tol"])
def test_lengths_and_tolerances_that_are_no_number_above_0_are_refused(name: str, bad: Any) -> None:
    model, x = latent_variable_model(1), EVERY_IMAGE[:1]
    call = {
        "spacing": lambda: quadrature_log_px(model, x, bad),
        "radius": lambda: lattice(1, 0.5, radius=bad),
        "extent": lambda: posterior_grid(model, x, extent=bad),
        "tol": lambda: exact_log_px(model, x, bad),
    }[name]
    error = ValueError if type(bad) in (int, float) else TypeError
    with pytest.raises(error, match=f"{name}, .*, must be a {'finite number above 0' if error is ValueError else 'number'}; got {bad!r}"):
        call()


@pytest.mark.parametrize("shift", [torch.zeros(1), torch.zeros(2, 1), torch.tensor(0.5), [0.0, 0.0]])
def test_a_shift_that_is_not_one_number_a_dimension_is_refused(shift: Any) -> None:
    with pytest.raises(ValueError, match=r"shift must be a tensor of shape \(2,\), one number for each dimension"):
        lattice(2, 1.0, shift)


def test_weights_that_are_nan_are_not_taken_for_a_narrow_posterior() -> None:
    model = latent_variable_model(1)
    model.decoder.logits[0].weight[0] = math.nan
    with pytest.raises(ValueError, match="the weights of the model hold NaN"):
        exact_log_px(model, EVERY_IMAGE[:1])


def test_a_single_lattice_takes_grey_levels_and_sums_what_the_formula_says() -> None:
    model, x, z = latent_variable_model(2), torch.rand(3, 9, dtype=torch.float64), lattice(2, 0.1)
    p = model.decoder(z).mean[:, None].numpy()
    log_joint = (x.numpy() * np.log(p) + (1 - x.numpy()) * np.log1p(-p)).sum(-1) + scipy.stats.norm.logpdf(z.numpy()).sum(-1)[:, None]
    np.testing.assert_allclose(quadrature_log_px(model, x, 0.1), scipy.special.logsumexp(log_joint, 0) + 2 * math.log(0.1), rtol=1e-9)


@pytest.mark.parametrize(
    ("x", "error", "says"),
    [
        (torch.full((1, 9), 1.5).double(), ValueError, "grey levels between them; found 1.5"),
        (torch.full((1, 9), math.nan).double(), ValueError, "NaN or infinity"),
        (torch.zeros(0, 9).double(), ValueError, "x holds no image"),
        (torch.zeros(1, 9), TypeError, "x is torch.float32"),
        (torch.zeros(1, 9).int(), TypeError, "must be floating point"),
        (np.zeros((1, 9)), TypeError, "must be a torch tensor"),
        (torch.zeros(9).double(), ValueError, r"shape \(B, 9\)"),
        (torch.zeros(1, 5).double(), ValueError, r"shape \(B, 9\)"),
    ],
)
def test_a_single_lattice_refuses_what_is_no_image(x: Any, error: type[Exception], says: str) -> None:
    for oracle in (lambda model, x: quadrature_log_px(model, x, 0.5), exact_loss(0.5)):
        with pytest.raises(error, match=says if "grey" not in says else "found 1.5"):
            oracle(latent_variable_model(2), x)


def test_exact_loss_refuses_grey_levels_and_a_discrete_latent() -> None:
    with pytest.raises(ValueError, match=r"found 0\.5: binarise first"):
        exact_loss(0.5)(latent_variable_model(2), torch.full((1, 9), 0.5).double())
    for oracle in (lambda model, x: quadrature_log_px(model, x, 0.5), exact_loss(0.5)):
        with pytest.raises(ValueError, match="the latent of a BernoulliMixture is discrete, .*: exact_log_px sums"):
            oracle(BernoulliMixture(2, 9), torch.zeros(1, 9))
    for bad in (0.0, math.nan, "a"):
        with pytest.raises((TypeError, ValueError), match="spacing .*must be (above 0|a finite number|a number); got"):
            exact_loss(bad)


@pytest.mark.parametrize("oracle", [exact_log_px, posterior_grid])
def test_bad_images_are_refused(oracle: Any) -> None:
    with pytest.raises(ValueError, match=r"found 0\.5: binarise first"):
        oracle(latent_variable_model(1), torch.full((1, 9), 0.5, dtype=torch.float64))
    with pytest.raises(TypeError, match="convert it with torch.as_tensor"):
        oracle(latent_variable_model(1), np.zeros((1, 9)))


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_a_posterior_narrower_than_the_finest_lattice_is_reported(latent_dim: int) -> None:
    model = LatentVariableModel(latent_dim, (), 4).double().requires_grad_(False)
    for parameter in model.parameters():
        parameter.zero_()
    model.decoder.logits[0].weight[0, :] = 1e5
    model.decoder.logits[0].weight[1, :] = -1e5
    x = torch.tensor([[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]], dtype=torch.float64)  # log p(x|z) = -1e5 |sum z|, the second is wide
    with pytest.raises(
        RuntimeError,
        match="does not settle within 0.05 nats for 1 of 2 images: .* narrower than .*larger tol, or inspect them with posterior_grid",
    ):
        exact_log_px(model, x, tol=0.05)


def test_the_quadrature_gives_up_at_the_finest_spacing(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = latent_variable_model(1), EVERY_IMAGE[:3]
    monkeypatch.setattr(oracles, "FINEST", 0.07)
    with pytest.raises(RuntimeError, match="does not settle .*for 3 of 3 images"):
        exact_log_px(model, x)


# ---------------------------------------------------------------- posterior_grid


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_a_grid_s_probabilities_are_prior_times_likelihood(latent_dim: int) -> None:
    model, x, n = latent_variable_model(latent_dim), EVERY_IMAGE[[3, 400]], 15
    z, probs = posterior_grid(model, x, n=n, extent=3.0)
    axis = np.linspace(-3, 3, n)
    np.testing.assert_allclose(z, list(itertools.product(axis, repeat=latent_dim)), atol=1e-6)
    assert (probs.shape, probs.dtype) == ((2, n**latent_dim), torch.float64)
    weights = np.exp([numpy_log_joint(model, image, z.numpy()) for image in x.numpy()])
    np.testing.assert_allclose(probs, weights / weights.sum(1, keepdims=True), rtol=1e-8)
    np.testing.assert_allclose(probs.sum(1), 1, rtol=1e-12)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_a_fine_grid_is_the_posterior_density_times_the_cell(latent_dim: int) -> None:
    model = linear_gaussian(1, 3, latent_dim)
    x = model.marginal.sample((3,))
    z, probs = posterior_grid(model, x, n=161, extent=6.0)
    q = model.posterior(x)
    density = [
        scipy.stats.multivariate_normal(m, c).pdf(z.numpy()) for m, c in zip(q.mean.detach().numpy(), q.covariance_matrix.detach().numpy())
    ]
    np.testing.assert_allclose(probs, np.array(density) * (12 / 160) ** latent_dim, atol=1e-8)
    assert not probs.requires_grad


def test_the_grid_of_a_discrete_latent_is_its_posterior() -> None:
    torch.manual_seed(0)
    model = BernoulliMixture(3, 9).double().requires_grad_(False)
    model.log_weights.normal_()
    z, probs = posterior_grid(model, EVERY_IMAGE[:5])
    p = scipy.special.expit(model.logits.numpy())
    weights = np.exp(model.log_weights.numpy()) * np.array([np.where(image == 1, p, 1 - p).prod(1) for image in EVERY_IMAGE[:5].numpy()])
    assert z.tolist() == [0, 1, 2]
    np.testing.assert_allclose(probs, weights / weights.sum(1, keepdims=True), rtol=1e-9)
