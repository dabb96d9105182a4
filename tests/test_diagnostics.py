"""Diagnostics, held against closed forms, quadrature by scipy, and numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import torch
from largest_tensor import LargestTensor
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.distributions import Independent, Laplace, MultivariateNormal, Normal, kl_divergence

from vaecourse import diagnostics, estimators
from vaecourse.data import load_digits
from vaecourse.diagnostics import active_units, aggregate, bits_per_dim, exact_elbo, refine, split_gap
from vaecourse.distributions import diagonal_normal, standard_normal
from vaecourse.models import VAE, LinearGaussian, MixturePrior, pretrained


class Saved(saved_tensors_hooks):
    """Counts the tensors that autograd keeps for a backward pass."""

    def __init__(self) -> None:
        self.count = 0
        super().__init__(self.pack, lambda tensor: tensor)

    def __enter__(self) -> Saved:
        super().__enter__()
        return self

    def pack(self, tensor: Tensor) -> Tensor:
        self.count += 1
        return tensor


def linear_gaussian(latent_dim: int = 2) -> LinearGaussian:
    """Of its two latents the posterior is correlated by 0.6, so that no diagonal normal fits."""
    torch.manual_seed(0)
    model = LinearGaussian(3, latent_dim, 0.6).double().requires_grad_(False)
    model.weight.copy_(torch.tensor([[1.0, 0.6], [0.2, -0.8], [0.9, 1.3]])[:, :latent_dim])
    model.bias.normal_()
    return model


def off(model: LinearGaussian, x: Tensor) -> Independent:
    """A q near the posterior, but neither its mean nor its variances."""
    mean = model.posterior(x).mean
    return diagonal_normal(mean + 0.2 * torch.arange(1.0, len(x) + 1)[:, None], torch.full_like(mean, -0.5))


def full(q: Independent) -> MultivariateNormal:
    return MultivariateNormal(q.mean, torch.diag_embed(q.variance))


def closed_elbo(model: LinearGaussian, x: Tensor, q: Independent) -> Tensor:
    """log p(x) - KL(q || posterior), both from torch.distributions."""
    return model.marginal.log_prob(x) - kl_divergence(full(q), model.posterior(x))


def mean_field(model: LinearGaussian, x: Tensor) -> tuple[Tensor, Tensor]:
    """The best diagonal normal in closed form: the posterior's mean, and one over the diagonal of its precision."""
    posterior = model.posterior(x)
    return posterior.mean, 1 / posterior.precision_matrix.diagonal(dim1=-2, dim2=-1)


# ---------------------------------------------------------------- exact_elbo


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("block", [1, 1 << 20])
def test_the_elbo_of_a_linear_gaussian_model_is_its_closed_form(latent_dim: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "BLOCK", block)
    model = linear_gaussian(latent_dim)
    x = model.marginal.sample((5,))
    q = off(model, x)
    torch.testing.assert_close(exact_elbo(model, x, q), closed_elbo(model, x, q), atol=1e-9, rtol=0)


def test_the_elbo_of_a_network_agrees_with_scipy_and_its_nodes_can_be_chosen() -> None:
    torch.manual_seed(0)
    model = VAE(1, (5,), 4).double().requires_grad_(False)
    x = torch.tensor([[0.0, 1, 1, 0]]).double()
    q = diagonal_normal(torch.tensor([[0.4]]).double(), torch.tensor([[-0.7]]).double())

    def integrand(z: float) -> float:
        value = torch.tensor([[z]]).double()
        log_q = scipy.stats.norm(0.4, math.exp(-0.35)).logpdf(z)
        log_joint = model.decoder(value).log_prob(x).item() + scipy.stats.norm.logpdf(z)
        return math.exp(log_q) * (log_joint - log_q)

    expected = scipy.integrate.quad(integrand, -8, 8, limit=200)[0]
    assert exact_elbo(model, x, q).item() == pytest.approx(expected, abs=1e-4)
    assert exact_elbo(model, x, q, nodes=1).item() != pytest.approx(expected, abs=1e-3)  # the mean of q alone


@pytest.mark.parametrize(("deviation", "below", "above"), [(0.1, 0.01, 0), (0.2, 0.06, 0.01), (1.0, 2.0, 0.5)])
def test_twenty_nodes_are_as_close_as_the_docstring_says(deviation: float, below: float, above: float) -> None:
    x = load_digits("strokes").test.x[:10]
    mean = torch.randn(10, 2, generator=torch.Generator().manual_seed(0))
    q = diagonal_normal(mean, torch.full_like(mean, 2 * math.log(deviation)))
    model = pretrained("strokes")
    error = (exact_elbo(model, x, q) - exact_elbo(model, x, q, nodes=60)).abs().mean()
    assert above < error < below


def test_the_elbo_under_a_mixture_prior_agrees_with_scipy() -> None:
    torch.manual_seed(0)
    model = VAE(1, (5,), 4, prior=MixturePrior(1, 2)).double().requires_grad_(False)
    model.learned_prior.loc.copy_(torch.tensor([[-1.0], [1.5]]))
    model.learned_prior.log_weights.copy_(torch.tensor([0.7, -0.2]))
    weights = scipy.special.softmax([0.7, -0.2])
    x = torch.tensor([[0.0, 1, 1, 0]]).double()
    q = diagonal_normal(torch.tensor([[0.4]]).double(), torch.tensor([[-0.7]]).double())

    def integrand(z: float) -> float:
        value = torch.tensor([[z]]).double()
        log_q = scipy.stats.norm(0.4, math.exp(-0.35)).logpdf(z)
        prior = sum(w * scipy.stats.norm(m, 1.05).pdf(z) for w, m in zip(weights, (-1.0, 1.5)))
        return math.exp(log_q) * (model.decoder(value).log_prob(x).item() + math.log(prior) - log_q)

    expected = scipy.integrate.quad(integrand, -8, 8, limit=200)[0]
    assert exact_elbo(model, x, q).item() == pytest.approx(expected, abs=1e-4)


def test_the_exact_elbo_keeps_no_graph_and_makes_no_array_of_nodes_images_and_pixels() -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (8,), 784), torch.zeros(40, 784)
    q = model.encoder(x)
    with LargestTensor() as largest:
        result = exact_elbo(model, x, q)
    assert not result.requires_grad
    assert largest.numel <= diagnostics.BLOCK


def test_more_than_two_latents_are_refused() -> None:
    model = VAE(3, (4,), 5)
    with pytest.raises(ValueError, match=r"this model has 3: see vaecourse\.estimators\.elbo"):
        exact_elbo(model, torch.zeros(2, 5), model.encoder(torch.zeros(2, 5)))


@pytest.mark.parametrize(
    "q",
    [
        diagonal_normal(torch.zeros(2), torch.zeros(2)),
        diagonal_normal(torch.zeros(3, 2), torch.zeros(3, 2)),
        diagonal_normal(torch.zeros(4, 3), torch.zeros(4, 3)),
        Normal(torch.zeros(4, 2), 1.0),
        MultivariateNormal(torch.zeros(4, 2), torch.eye(2)),
        Independent(Laplace(torch.zeros(4, 2), 1.0), 1),
    ],
)
def test_a_q_that_is_not_one_diagonal_normal_an_image_is_refused(q: torch.distributions.Distribution) -> None:
    model, x = VAE(2, (4,), 5), torch.zeros(4, 5)
    for ask in (lambda: exact_elbo(model, x, q), lambda: refine(model, x, [q]), lambda: split_gap(model, x, q, q)):
        with pytest.raises(ValueError, match=r"each of the 4 images, event \(2,\); got .* of batch"):
            ask()


def test_bad_images_are_refused() -> None:
    model, x = VAE(2, (4,), 5), torch.full((4, 5), 0.5)
    with pytest.raises(ValueError, match="binarise"):
        exact_elbo(model, x, model.encoder(x))


# ---------------------------------------------------------------- refine and split_gap


@pytest.mark.parametrize("block", [1, 1 << 20])
def test_refining_finds_the_best_diagonal_normal_of_a_linear_gaussian_model(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "BLOCK", block)
    model = linear_gaussian()
    x = model.marginal.sample((4,))
    torch.manual_seed(1)
    best = refine(model, x, [off(model, x)], steps=400)
    mean, variance = mean_field(model, x)
    assert best.batch_shape == (4,)
    torch.testing.assert_close(best.mean, mean, atol=0.06, rtol=0)
    torch.testing.assert_close(best.variance.log(), variance.log(), atol=0.1, rtol=0)
    assert (closed_elbo(model, x, diagonal_normal(mean, variance.log())) - closed_elbo(model, x, best)).max() < 0.02


def test_each_image_gets_the_better_of_the_starts() -> None:
    model = linear_gaussian()
    x = model.marginal.sample((6,))
    mean, variance = mean_field(model, x)
    best = diagonal_normal(mean, variance.log())
    far = torch.where(torch.arange(6)[:, None] % 2 == 0, 9.0, 0.0)
    starts = [diagonal_normal(mean + far, variance.log()), diagonal_normal(mean + 9.0 - far, variance.log())]
    torch.testing.assert_close(refine(model, x, starts, steps=0).mean, mean)
    torch.testing.assert_close(refine(model, x, starts[::-1], steps=0).variance, variance)
    gained = exact_elbo(model, x, refine(model, x, starts[:1], steps=40, lr=0.5)) - exact_elbo(model, x, starts[0])
    assert gained[::2].min() > 10  # these were far away
    assert gained[1::2].min() > -0.05  # these could not be bettered: a start is kept where the climb has ended lower
    torch.testing.assert_close(refine(model, x, [best], steps=3, lr=5.0).mean, mean)


def test_refining_climbs_for_the_steps_and_at_the_rate_that_are_asked_for() -> None:
    model = linear_gaussian(1)
    x = model.marginal.sample((3,))
    start = diagonal_normal(model.posterior(x).mean + 5, torch.full((3, 1), -2.0).double())
    moved = [
        (refine(model, x, [start], steps=n, lr=lr).mean - start.mean).abs().max().item() for n, lr in ((1, 0.02), (20, 0.02), (20, 0.2))
    ]
    assert moved[0] == pytest.approx(0.02, rel=1e-3)  # the first step of Adam is the rate itself
    assert 0.15 < moved[1] < 0.4  # 20 steps, at a rate that falls
    assert 1.5 < moved[2] < 4


def test_refining_leaves_model_gradients_and_starts_alone() -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (8,), 9), torch.eye(9)[:3]
    start = model.encoder(x)
    before = start.mean.clone()
    result = refine(model, x, [start], steps=100)
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(start.mean, before)
    assert not result.mean.requires_grad
    assert not torch.equal(result.mean, before)


def test_a_start_is_needed() -> None:
    with pytest.raises(ValueError, match="at least one start"):
        refine(VAE(2, (4,), 5), torch.zeros(1, 5), [])


def test_refining_many_images_is_done_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (4,), 784), torch.zeros(700, 784)
    sizes, climb = [], diagnostics._climb
    monkeypatch.setattr(diagnostics, "_climb", lambda model, x, *rest: sizes.append(len(x)) or climb(model, x, *rest))
    with LargestTensor() as largest:
        refine(model, x, [model.encoder(x)], steps=2)
    assert largest.numel <= estimators.BLOCK  # the judging is theirs
    assert sum(sizes) == 700
    assert max(sizes) * diagnostics.DRAWS * 784 <= diagnostics.BLOCK  # what autograd keeps, a few times over


def test_candidates_are_judged_without_a_graph() -> None:
    model, x = VAE(2, (4,), 9), torch.eye(9)[:3]
    start = diagonal_normal(torch.zeros(3, 2), torch.zeros(3, 2))
    with Saved() as judging:
        refine(model, x, [start], steps=0)
    with Saved() as climbing:
        refine(model, x, [start], steps=1)
    assert judging.count == 0 < climbing.count


def test_the_gap_of_a_linear_gaussian_model_falls_into_its_two_closed_parts() -> None:
    model = linear_gaussian()
    x = model.marginal.sample((5,))
    q = off(model, x)
    mean, variance = mean_field(model, x)
    best = diagonal_normal(mean, variance.log())
    gaps = split_gap(model, x, q, best)
    precision = model.posterior(x).precision_matrix.numpy()
    determined = [0.5 * (np.log(np.diag(p)).sum() - np.linalg.slogdet(p)[1]) for p in precision]
    np.testing.assert_allclose(gaps.approximation, determined, atol=1e-9)
    np.testing.assert_allclose(gaps.amortisation, closed_elbo(model, x, best) - closed_elbo(model, x, q), atol=1e-9)
    assert gaps.approximation.min() > 0.01
    assert gaps.amortisation.min() > 0.01


# ---------------------------------------------------------------- active units


def test_a_unit_is_active_where_the_mean_of_its_q_varies_by_more_than_a_hundredth() -> None:
    scale = torch.tensor([0.0, 0.099, 0.101, 3.0])  # standard deviations of the means
    alternating = torch.tensor([[1.0], [-1.0]]).repeat(500, 1) * math.sqrt(999 / 1000)  # sample variance 1
    q = diagonal_normal(5.0 + alternating * scale, torch.randn(1000, 4))
    assert active_units(q).tolist() == [False, False, True, True]
    assert active_units(q, threshold=0.009).tolist() == [False, True, True, True]
    assert active_units(diagonal_normal(torch.tensor([[0.0], [0.16]]), torch.zeros(2, 1))).tolist() == [True]  # 0.0128, of 2 images


@pytest.mark.parametrize("shape", [(2,), (1, 2), (3, 4, 2)])
def test_active_units_need_the_q_of_several_images(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least two"):
        active_units(diagonal_normal(torch.zeros(shape), torch.zeros(shape)))


# ---------------------------------------------------------------- the aggregate posterior


def normals(mu: list[float], sigma: list[float]) -> Independent:
    return diagonal_normal(torch.tensor(mu, dtype=torch.float64)[:, None], 2 * torch.tensor(sigma, dtype=torch.float64).log()[:, None])


def prior(latent_dim: int) -> Independent:
    return standard_normal(latent_dim, like=torch.zeros(1).double())


def test_overlapping_codes_agree_with_quadrature() -> None:
    mu, sigma = [-1.0, 0.2, 1.5], [0.5, 0.8, 0.3]
    parts = [scipy.stats.norm(m, s) for m, s in zip(mu, sigma)]

    def log_bar(z: float) -> float:
        return math.log(sum(p.pdf(z) for p in parts) / 3)

    def integral(f) -> float:
        return scipy.integrate.quad(f, -9, 9, limit=400)[0]

    crowd = integral(lambda z: math.exp(log_bar(z)) * (log_bar(z) - scipy.stats.norm.logpdf(z)))
    information = sum(integral(lambda z, p=p: p.pdf(z) * (p.logpdf(z) - log_bar(z))) for p in parts) / 3
    closed = sum((m**2 + s**2 - 1 - 2 * math.log(s)) / 2 for m, s in zip(mu, sigma)) / 3
    torch.manual_seed(0)
    found = aggregate(normals(mu, sigma), prior(1), n_samples=60_000)
    assert found.kl == pytest.approx(closed, abs=1e-9)
    assert found.information == pytest.approx(information, abs=0.01)
    assert found.crowd == pytest.approx(crowd, abs=0.01)
    assert information + crowd == pytest.approx(closed, abs=1e-6)  # what the course says about them


def test_the_parts_add_up_under_a_learned_prior_too() -> None:
    torch.manual_seed(0)
    p = MixturePrior(1, 3).double().requires_grad_(False)(None)
    found = aggregate(normals([-1.0, 0.2, 1.5], [0.5, 0.8, 0.3]), p, n_samples=20_000)
    assert found.information + found.crowd == pytest.approx(found.kl, abs=1e-9)
    one = MixturePrior(1, 1, floor=0.5).double().requires_grad_(False)
    one.loc.zero_()
    one.log_scale.fill_(math.log(0.5))
    q = normals([-1.0, 0.2, 1.5], [0.5, 0.8, 0.3])
    assert aggregate(q, one(None), n_samples=40_000).kl == pytest.approx(aggregate(q, prior(1)).kl, abs=0.02)


def test_codes_that_are_all_the_same_tell_nothing() -> None:
    torch.manual_seed(0)
    found = aggregate(normals([0.8] * 4, [0.6] * 4), prior(1), n_samples=40_000)
    assert found.information == pytest.approx(0, abs=1e-12)
    assert found.crowd == pytest.approx((0.64 + 0.36 - 1 - 2 * math.log(0.6)) / 2, abs=0.01)


def test_codes_that_do_not_overlap_tell_the_log_of_their_number() -> None:
    q = diagonal_normal(100 * torch.arange(8.0)[:, None] * torch.ones(3), torch.zeros(8, 3))
    assert aggregate(q, standard_normal(3, like=torch.zeros(1))).information == pytest.approx(math.log(8), abs=1e-5)


@pytest.mark.parametrize("block", [1, 50, 1 << 20])
def test_blocks_change_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    q = normals([-1.0, 0.2, 1.5, 0.4], [0.5, 0.8, 0.3, 0.2])
    torch.manual_seed(0)
    expected = aggregate(q, prior(1), n_samples=20)
    monkeypatch.setattr(diagnostics, "BLOCK", block)
    torch.manual_seed(0)
    assert aggregate(q, prior(1), n_samples=20) == pytest.approx(expected)


def test_no_array_of_draws_images_and_latents() -> None:
    q = diagonal_normal(torch.randn(800, 10, requires_grad=True), torch.zeros(800, 10))
    with LargestTensor() as largest, Saved() as saved:
        found = aggregate(q, standard_normal(10, like=torch.zeros(1)))
    assert saved.count == 0
    assert largest.numel <= diagnostics.BLOCK < 800 * 800 * 10
    assert 0 < found.information <= math.log(800)


def test_an_aggregate_needs_images() -> None:
    with pytest.raises(ValueError, match="for each image"):
        aggregate(prior(1), prior(1))


# ---------------------------------------------------------------- bits


def test_bits_per_dimension() -> None:
    assert bits_per_dim(784 * math.log(0.5), 784) == pytest.approx(1)  # fair coins: one bit each
    assert bits_per_dim(-86.76, 784) == pytest.approx(86.76 * math.log2(math.e) / 784)
    torch.testing.assert_close(bits_per_dim(torch.tensor([-math.log(4), math.log(2)]), 2), torch.tensor([1.0, -0.5]))
    with pytest.raises(ValueError, match="at least 1"):
        bits_per_dim(-1.0, 0)


def test_a_search_that_diverges_leaves_the_start_and_a_start_that_is_nan_the_other() -> None:
    torch.manual_seed(0)
    vae, x = VAE(2, (8,), 16), (torch.rand(4, 16) < 0.3).float()
    start, lost = vae.encoder(x), diagonal_normal(torch.full((4, 2), math.nan), torch.zeros(4, 2))
    assert torch.equal(refine(vae, x, [start], steps=200, lr=1e4).mean, start.mean)
    assert torch.equal(refine(vae, x, [lost, start], steps=0).mean, start.mean)
    kept = refine(vae, x, [lost, start], steps=40)
    assert (estimators.elbo(vae, x, 4000, kept) > estimators.elbo(vae, x, 4000, start)).all()
    with pytest.raises(ValueError, match="no start is a usable distribution"):
        refine(vae, x, [lost], steps=2)


@pytest.mark.parametrize(
    ("starts", "lr", "error", "says"),
    [
        (lambda vae, x: vae.encoder(x), 0.1, TypeError, r"starts must be a list .*\[model\.encoder\(x\)\]; got DiagonalNormal"),
        (lambda vae, x: vae.encoder, 0.1, TypeError, "got Encoder"),
        (lambda vae, x: 3, 0.1, TypeError, "got int"),
        (lambda vae, x: [vae.encoder], 0.1, ValueError, "a diagonal normal for each of the 2 images, .*; got Encoder: see"),
        (lambda vae, x: [vae.encoder(x)], "a", TypeError, "lr, the learning rate, must be a number; got 'a'"),
    ],
)
def test_a_search_without_distributions_to_start_from_is_refused(starts, lr, error: type[Exception], says: str) -> None:
    vae, x = VAE(2, (8,), 16), torch.ones(2, 16)
    with pytest.raises(error, match=says):
        refine(vae, x, starts(vae, x), 1, lr)
