"""Models and images on a graphics processor. Where there is none, only the messages are tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vaecourse import annealing, data, diagnostics, estimators, models, oracles
from vaecourse.training import exact_loss, fit
from vaecourse.verify import verify

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture(scope="module")
def few() -> Tensor:
    return data.load_digits("strokes").test.x[:40]


def test_images_elsewhere_than_the_weights_are_refused_with_a_word_on_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"x is on meta and the model's weights are on cpu: move one of them, x.to\('cpu'\)"):
        models.VAE(2).check(torch.zeros(3, 784, device="meta"))
    with pytest.raises(ValueError, match=r"x is on cpu and the model's weights are on meta"):
        estimators.elbo(models.VAE(2).to("meta"), torch.zeros(3, 784), 5)


def test_the_class_of_a_conditional_model_moves_with_its_weights() -> None:
    model = models.ConditionalVAE(2, (16,)).given(3).to("meta")
    assert model.decoder(torch.zeros(5, 2, device="meta")).mean.shape == (5, 784)


@on_a_gpu
def test_exact_values_agree(few: Tensor) -> None:
    def values(device: str) -> tuple[Tensor, ...]:
        model, x = models.pretrained_vae(2, "strokes").to(device), few.to(device)
        q = model.encoder(x)
        return oracles.exact_log_px(model, x), diagnostics.exact_elbo(model, x, q), oracles.posterior_grid(model, x).probs

    for here, there in zip(values("cpu"), values("cuda")):
        assert there.is_cuda
        torch.testing.assert_close(here, there.cpu(), rtol=1e-4, atol=1e-3)


@on_a_gpu
def test_estimates_agree_within_their_errors(few: Tensor) -> None:
    model = models.pretrained_vae(2, "strokes").to("cuda")
    x = few.to("cuda")
    with torch.no_grad():
        samples = estimators.log_weights(model, x, 2_000)
        found, error = samples.mean(0), samples.std(0) / 2_000**0.5
    exact = diagnostics.exact_elbo(model, x, model.encoder(x))
    assert ((found - exact).abs() < 5 * error + 1e-3).all()
    verify("on a GPU", exact, "=", exact.cpu())


@on_a_gpu
def test_the_other_instruments_stay_on_the_gpu(few: Tensor) -> None:
    model, x = models.pretrained_vae(2, "strokes").to("cuda"), few[:5].to("cuda")
    q = model.encoder(x)
    gaps = diagnostics.split_gap(model, x, q, diagnostics.refine(model, x, [q]))
    lower = annealing.ais(model, x, n_steps=50, n_chains=4, progress=False)
    prior_only = estimators.naive_monte_carlo(model, x, 500)
    mixture = estimators.importance_estimate(model, x, 500, estimators.defensive(model, x))
    for values in (*gaps, lower.log_w, prior_only, mixture, data.binarize(x / 2)):
        assert values.is_cuda
    assert (gaps.approximation > -0.01).all()


@on_a_gpu
@pytest.mark.parametrize("dynamic", [False, True])
def test_a_training_moves_the_images_and_resumes_bit_for_bit(tmp_path: Path, dynamic: bool) -> None:
    digits = data.load_digits("strokes")
    train = digits.train
    some = replace(train, x=train.x[:512], grey=train.grey[:512]) if dynamic else train.x[:512]

    def run(epochs: int, **kwargs: object) -> models.VAE:
        torch.manual_seed(0)
        model = models.VAE(2, (32,)).to("cuda")
        fit(model, some, epochs, decay=False, dynamic=dynamic, valid=digits.valid.x[:100], progress=False, **kwargs)
        return model

    whole = run(4, checkpoint=tmp_path / "whole.safetensors")
    run(2, checkpoint=tmp_path / "a.safetensors")
    torch.rand(7, device="cuda")
    resumed = run(4, checkpoint=tmp_path / "a.safetensors", resume=True)
    for a, b in zip(whole.parameters(), resumed.parameters()):
        assert a.is_cuda
        assert torch.equal(a, b)


@on_a_gpu
def test_validation_leaves_the_random_state_of_the_gpu() -> None:
    torch.manual_seed(0)
    model, x = models.VAE(2, (8,), 16).to("cuda"), torch.rand(20, 16).lt(0.3).float()
    draws = []
    for valid in (None, x):
        torch.manual_seed(1)
        fit(model, x, 1, lr=0.0, valid=valid, progress=False)
        draws.append(torch.rand(3, device="cuda"))
    assert torch.equal(*draws)


@on_a_gpu
def test_exact_maximum_likelihood_and_an_audit_run(few: Tensor) -> None:
    model = models.LatentVariableModel(latent_dim=2).to("cuda")
    history = fit(model, few, 3, loss=exact_loss(0.3), progress=False)
    assert history.train[-1] < history.train[0]
    report = diagnostics.audit(
        models.pretrained_vae(20, "strokes").to("cuda"), data.load_digits("strokes"), n_images=50, n_samples=100, n_polished=16
    )
    assert not [finding for finding in report.findings if finding.kind == "wrong"]


def mixture_prior() -> models.VAE:
    return models.VAE(2, (16,), 784, prior=models.MixturePrior(2, 3))


def vamp_prior() -> models.VAE:
    return models.VAE(2, (16,), 784, prior=models.VampPrior(3))


def one_class() -> models.VAE:
    return models.ConditionalVAE(2, (16,)).given(3)


def mixture_of_images() -> models.BernoulliMixture:
    return models.BernoulliMixture(10)


@on_a_gpu
@pytest.mark.parametrize("make", [mixture_prior, vamp_prior, one_class, mixture_of_images])
def test_every_model_has_the_same_exact_values(few: Tensor, make: Callable[[], models.LatentVariableModel]) -> None:
    torch.manual_seed(0)
    model = make().requires_grad_(False)
    here = oracles.exact_log_px(model, few[:5])
    there = oracles.exact_log_px(model.to("cuda"), few[:5].to("cuda"))
    torch.testing.assert_close(here, there.cpu(), rtol=1e-4, atol=1e-3)


@on_a_gpu
def test_a_model_with_classes_and_a_linear_one_train(few: Tensor) -> None:
    torch.manual_seed(0)
    model = models.ConditionalVAE(2, (16,)).to("cuda")
    rows = model.rows(few.to("cuda"), torch.arange(len(few), device="cuda") % 10)
    assert len(fit(model, rows, 2, progress=False).train) == 2
    linear = models.LinearGaussian(4, 1, sigma=0.5).to("cuda")
    x = linear.marginal.sample((50,))
    closed = linear.marginal.log_prob(x)
    torch.testing.assert_close(oracles.exact_log_px(linear, x), closed)
