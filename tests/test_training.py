"""The training loop: what it learns, what it keeps, and what it refuses."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.distributions import Independent, kl_divergence

from vaecourse import training
from vaecourse.data import Digits, Split
from vaecourse.diagnostics import exact_elbo
from vaecourse.distributions import bernoulli
from vaecourse.files import read_tensors
from vaecourse.models import VAE, BernoulliMixture, ConditionalVAE, LatentVariableModel, MixturePrior, VampPrior, pretrained_vae
from vaecourse.oracles import exact_log_px
from vaecourse.training import History, fit

PIXELS = 16


def vae(seed: int = 0) -> VAE:
    torch.manual_seed(seed)
    return VAE(2, (8,), PIXELS)


def binary(n: int, seed: int = 0, pixels: int = PIXELS) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 2, (n, pixels)).astype(np.float32))


def a_split(n: int, seed: int = 0) -> Split:
    grey = torch.from_numpy(np.random.default_rng(seed).integers(0, 32, (n, PIXELS)).astype(np.uint8))
    return Split(binary(n, seed), grey, 31, None, None)


def digits() -> Digits:
    return Digits("tiny", a_split(40), a_split(20, 1), a_split(20, 2))


def weights(model: LatentVariableModel) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in model.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def train(model: LatentVariableModel, data: Any, epochs: int = 3, *, seed: int = 1, **settings: Any) -> History:
    torch.manual_seed(seed)
    return fit(model, data, epochs, **{"batch_size": 16, "progress": False} | settings)


def ten_times(model: LatentVariableModel, x: Tensor, factor: float) -> Tensor:
    return factor * model.loss(x)


class TenTimes:
    def __call__(self, model: LatentVariableModel, x: Tensor) -> Tensor:
        return 10 * model.loss(x)


def interrupt_after(epoch: int) -> Callable[[int], None]:
    def on_epoch(completed: int) -> None:
        if completed == epoch:
            raise KeyboardInterrupt

    return on_epoch


def first_parameter(model: LatentVariableModel) -> Tensor:
    return next(model.parameters())


# ---------------------------------------------------------------- learning


def test_a_tiny_set_is_learned_by_heart() -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (32,), 30), binary(6, pixels=30)
    history = fit(model, x, 700, batch_size=6, lr=1e-2, progress=False)
    assert history.train[0] > 0.9 * 30 * math.log(2)
    assert np.mean(history.train[-20:]) < 7  # six images can not cost less than log 6 = 1.8 nats
    assert history.stopped == "finished"


def test_a_mixture_of_one_learns_the_frequency_of_ink_of_every_pixel() -> None:
    model, x = BernoulliMixture(1, PIXELS), binary(64)
    fit(
        model,
        x,
        400,
        batch_size=64,
        lr=0.05,
        loss=lambda m, batch: -m.decoder(torch.zeros(len(batch), dtype=torch.long)).log_prob(batch).mean(),
        progress=False,
    )
    np.testing.assert_allclose(torch.sigmoid(model.logits[0]).detach(), x.mean(0), atol=1e-3)


def test_exact_maximum_likelihood_raises_log_p() -> None:
    torch.manual_seed(0)
    model, x = LatentVariableModel(1, (8,), PIXELS), binary(8)
    before = exact_log_px(model, x).mean()
    history = fit(model, x, 100, batch_size=8, lr=2e-2, loss=training.exact_loss(0.2), progress=False)
    after = exact_log_px(model, x).mean().item()
    assert after > before + 2
    assert -history.train[-1] == pytest.approx(after, abs=0.3)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_the_loss_of_exact_maximum_likelihood_is_minus_log_p_a_batch_at_a_time(latent_dim: int) -> None:
    torch.manual_seed(0)
    model, x = LatentVariableModel(latent_dim, (4,), PIXELS).requires_grad_(False), binary(5)
    losses = torch.stack([training.exact_loss(0.25)(model, x) for _ in range(10)])
    assert losses.std() > 0  # the lattice moves
    np.testing.assert_allclose(losses, -exact_log_px(model, x).mean().expand(10), atol=2e-3)


# ---------------------------------------------------------------- other objectives


def test_beta_weighs_the_kl_and_at_1_is_the_model_s_own_loss() -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (4,), PIXELS), binary(5)
    kl = kl_divergence(model.encoder(x), model.prior).mean()
    values = {}
    for beta in (0.0, 1.0, 2.5):
        torch.manual_seed(1)
        values[beta] = training.beta_loss(beta)(model, x)
    torch.manual_seed(1)
    assert torch.equal(values[1.0], model.loss(x))
    for beta in (0.0, 2.5):
        torch.testing.assert_close(values[beta], values[1.0] + (beta - 1) * kl)


def test_free_bits_count_a_latent_s_average_kl_as_the_allowance_at_least() -> None:
    torch.manual_seed(0)
    model, x = VAE(3, (4,), PIXELS), binary(5)
    with torch.no_grad():
        model.encoder.parameters_of_q[-1].bias[:3] = torch.tensor([2.0, 0.0, -1.0])
    mu, log_var = model.encoder.parameters_of_q(x).detach().double().numpy().reshape(5, 2, 3).transpose(1, 0, 2)
    by_latent = (np.exp(log_var) + mu**2 - 1 - log_var).mean(0) / 2
    for nats in (0.0, float(np.median(by_latent)) + 1e-3, 50.0):
        torch.manual_seed(1)
        loss = training.free_bits_loss(nats)(model, x)
        torch.manual_seed(1)
        reconstruction = model.decoder(model.encoder(x).rsample()).log_prob(x).mean().item()
        assert loss.item() == pytest.approx(np.maximum(by_latent, nats).sum() - reconstruction, abs=1e-4)


def test_free_bits_give_no_gradient_to_a_kl_within_the_allowance() -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (4,), PIXELS), binary(5)
    with torch.no_grad():
        for p in model.decoder.parameters():
            p.zero_()
    training.free_bits_loss(10.0)(model, x).backward()
    assert all(p.grad is None or p.grad.abs().max() == 0 for p in model.encoder.parameters())


def test_iwae_training_with_one_draw_is_minus_the_elbo_and_with_more_is_lower() -> None:
    torch.manual_seed(0)
    model, x = VAE(1, (6,), PIXELS), binary(5)
    with torch.no_grad():
        bound = exact_elbo(model, x, model.encoder(x)).mean().item()
        log_px = exact_log_px(model, x).mean().item()
        losses = {k: torch.stack([training.iwae_loss(k)(model, x) for _ in range(2000)]) for k in (1, 8)}
    assert abs(losses[1].mean().item() + bound) < 4 * losses[1].std().item() / math.sqrt(2000)
    assert -log_px - 1e-3 < losses[8].mean() < losses[1].mean()


def test_the_gradient_of_iwae_training_is_that_of_a_bound_written_out() -> None:
    torch.manual_seed(0)
    model, x = VAE(2, (4,), PIXELS).double(), binary(5).double()
    torch.manual_seed(1)
    loss = training.iwae_loss(6)(model, x)
    found = torch.autograd.grad(loss, list(model.parameters()))
    torch.manual_seed(1)
    noise = torch.normal(torch.zeros(6, 5, 2).double(), torch.ones(6, 5, 2).double())
    mu, log_var = model.encoder.parameters_of_q(x).chunk(2, -1)
    z = mu + (log_var / 2).exp() * noise
    log_q = (-(noise**2) / 2 - log_var / 2).sum(-1)
    log_p = (-(z**2) / 2).sum(-1)
    p = model.decoder.logits(z).sigmoid()
    log_px_given_z = (x * p.log() + (1 - x) * (1 - p).log()).sum(-1)
    written = -(log_px_given_z + log_p - log_q).exp().mean(0).log().mean()
    torch.testing.assert_close(loss, written)
    torch.testing.assert_close(found, torch.autograd.grad(written, list(model.parameters())))


def test_every_objective_trains_every_kind_of_model() -> None:
    x, labels = binary(40), torch.arange(40) % 3
    for make in (lambda: None, lambda: MixturePrior(2, 3), lambda: VampPrior(3, PIXELS)):
        for loss in (None, training.beta_loss(2.0), training.iwae_loss(3)):
            torch.manual_seed(0)
            history = fit(VAE(2, (8,), PIXELS, prior=make()), x, 12, batch_size=10, lr=1e-2, loss=loss, progress=False)
            assert history.train[-1] < history.train[0]
    torch.manual_seed(0)
    model = ConditionalVAE(2, (8,), PIXELS, n_classes=3)
    history = fit(model, model.rows(x, labels), 12, batch_size=10, lr=1e-2, loss=training.beta_loss(0.5), progress=False)
    assert history.train[-1] < history.train[0]


def test_bad_objectives_are_refused() -> None:
    for make, value, message in (
        (training.beta_loss, -1.0, "0 or above; got -1"),
        (training.free_bits_loss, math.nan, "nats must be a finite number; got nan"),
        (training.iwae_loss, 0, "n_samples must be at least 1; got 0"),
        (training.exact_loss, 0, "spacing .* must be above 0; got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            make(value)
    for make, name in ((training.beta_loss, "beta"), (training.free_bits_loss, "nats"), (training.exact_loss, "spacing")):
        with pytest.raises(TypeError, match=f"{name} must be a number; got 'a'"):
            make("a")
    with pytest.raises(ValueError, match=r"the prior must be N\(0, I\), not a MixtureSameFamily"):
        training.free_bits_loss(0.5)(VAE(2, (4,), PIXELS, prior=MixturePrior(2, 3)), binary(5))


@pytest.mark.parametrize("make", [training.beta_loss, training.free_bits_loss])
def test_a_loss_that_needs_an_encoder_says_so(make: Callable) -> None:
    with pytest.raises(ValueError, match="this loss needs an encoder, and LatentVariableModel has none: pass a VAE, or use exact_loss"):
        train(LatentVariableModel(2, (8,), PIXELS), binary(4), loss=make(1.0))


@pytest.mark.parametrize(
    ("model", "loss", "words"),
    [
        (
            LatentVariableModel(2, (8,), PIXELS),
            None,
            r"LatentVariableModel has no loss of its own: pass loss=, for example exact_loss\(0\.3\)",
        ),
        (VAE(2, (8,), PIXELS), "elbo", "loss must be a function of the model and a batch: pass loss="),
    ],
)
def test_a_loss_is_asked_for_where_there_is_none(model: LatentVariableModel, loss: object, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        train(model, binary(4), loss=loss)


@pytest.mark.parametrize(
    ("answer", "epochs"),
    [(True, 1), (np.True_, 1), (torch.tensor(True), 1), (torch.tensor([True]), 1), (np.array([True]), 1)]
    + [(answer, 3) for answer in (False, np.False_, torch.tensor(False), None, 1, 1.0, torch.tensor(1.0), np.array([True, True]), "yes")],
)
def test_a_true_answer_of_any_library_ends_the_training(answer: object, epochs: int) -> None:
    history = train(vae(), binary(4), 3, on_epoch=lambda epoch: answer)
    assert (len(history.train), history.stopped) == (epochs, "on request" if epochs == 1 else "finished")


def test_the_loss_given_takes_the_place_of_the_model_s_own() -> None:
    seen: list[tuple[int, ...]] = []

    def loss(model: LatentVariableModel, x: Tensor) -> Tensor:
        seen.append(tuple(x.shape))
        return first_parameter(model).square().sum()

    model = vae()
    before = weights(model)
    train(model, binary(40), 2, loss=loss, lr=0.01)
    after = weights(model)
    assert seen == [(16, PIXELS), (16, PIXELS), (8, PIXELS)] * 2
    name = next(iter(before))
    assert after[name].abs().sum() < before[name].abs().sum()
    assert same({k: v for k, v in before.items() if k != name}, {k: v for k, v in after.items() if k != name})


def test_every_epoch_shows_each_image_once_in_a_new_order() -> None:
    x = binary(40)
    x[:, :6] = torch.tensor([[i >> bit & 1 for bit in range(6)] for i in range(40)]).float()  # every image carries its number
    batches: list[list[int]] = []

    def loss(model: LatentVariableModel, batch: Tensor) -> Tensor:
        batches.append((batch[:, :6] @ torch.tensor([1.0, 2, 4, 8, 16, 32])).int().tolist())
        return first_parameter(model).sum()

    train(vae(), x, 2, loss=loss)
    epochs = [sum(batches[:3], []), sum(batches[3:], [])]
    assert [sorted(epoch) for epoch in epochs] == [list(range(40))] * 2
    assert epochs[0] != epochs[1] != list(range(40))


def test_the_history_averages_over_images_not_over_batches() -> None:
    x, valid = binary(40), binary(2_500, 1)

    def loss(model: LatentVariableModel, batch: Tensor) -> Tensor:
        return batch.sum(1).mean() + 0 * first_parameter(model).sum()

    history = train(vae(), x, 1, loss=loss, valid=valid)
    assert history.train == [pytest.approx(x.sum(1).mean().item(), rel=1e-6)]
    assert history.valid == [pytest.approx(valid.sum(1).mean().item(), rel=1e-6)]


@pytest.mark.parametrize("decay", [True, False])
def test_the_rate_falls_along_a_cosine_only_where_asked(decay: bool) -> None:
    """With a gradient of 1 at every step, Adam moves a weight by exactly the rate."""
    values: list[float] = []

    def loss(model: LatentVariableModel, batch: Tensor) -> Tensor:
        values.append(first_parameter(model)[0, 0].item())
        return first_parameter(model).sum()

    model = vae().double()
    train(model, binary(40).double(), 40, loss=loss, lr=0.1, decay=decay)
    values.append(first_parameter(model)[0, 0].item())
    rates = -np.diff(values)
    assert len(rates) == 120
    if decay:
        assert rates[0] == pytest.approx(0.1, rel=1e-4)
        assert rates[60] == pytest.approx(0.0505, rel=1e-3)
        assert rates[-1] == pytest.approx(0.001, rel=0.05)
        assert (np.diff(rates) < 0).all()
    else:
        np.testing.assert_allclose(rates, 0.1, rtol=1e-4)


# ---------------------------------------------------------------- data


def test_a_data_set_brings_its_validation_images() -> None:
    data = digits()
    whole, parts = vae(), vae()
    one = train(whole, data)
    other = train(parts, data.train.x, valid=data.valid.x)
    assert one == other
    assert same(weights(whole), weights(parts))
    assert len(one.valid) == 3
    assert train(vae(), data.train).valid == []


def test_validation_images_given_replace_those_of_the_data_set() -> None:
    data = digits()
    assert train(vae(), data, valid=data.test.x) == train(vae(), data.train, valid=data.test.x)


def test_dynamic_binarisation_draws_the_images_anew_every_epoch() -> None:
    data = digits()
    seen: list[Tensor] = []

    def loss(model: LatentVariableModel, x: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            seen.append(x.clone())
        return first_parameter(model).sum()

    epochs = 150
    train(vae(), data, epochs, loss=loss, dynamic=True, batch_size=40)
    x = torch.stack(seen)
    assert set(x.unique().tolist()) == {0.0, 1.0}
    p = data.train.intensity.double().mean(0)  # every batch is the whole split, in another order
    variance = (data.train.intensity.double() * (1 - data.train.intensity.double())).mean(0) / (40 * epochs)
    assert ((x.double().mean((0, 1)) - p).abs() < 4.5 * variance.sqrt()).all()
    assert len({tuple(epoch.sum(0).tolist()) for epoch in x}) > 1
    seen.clear()
    train(vae(), data, 3, loss=loss, batch_size=40)
    assert len({tuple(epoch.sum(0).tolist()) for epoch in seen}) == 1


# ---------------------------------------------------------------- randomness


def test_the_reader_s_seed_decides() -> None:
    results = []
    for seed in (1, 1, 2):
        model = vae()
        train(model, binary(40), seed=seed)
        results.append(weights(model))
    assert same(results[0], results[1])
    assert not same(results[0], results[2])


def test_validation_leaves_the_random_state_and_the_weights_alone() -> None:
    results = []
    for valid in (None, binary(20, 1)):
        model = vae()
        train(model, binary(40), valid=valid)
        results.append((weights(model), torch.get_rng_state()))
    assert same(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


def test_validation_meets_the_same_noise_every_time() -> None:
    history = train(vae(), binary(40), 4, valid=binary(20, 1), lr=0.0)
    assert len(set(history.valid)) == 1
    assert len(set(history.train)) == 4


# ---------------------------------------------------------------- early stop


def overfitting(**settings: Any) -> tuple[VAE, History, list[dict[str, Tensor]]]:
    """Ten images to learn by heart and others to validate on: the validation loss soon rises."""
    model = vae()
    after: list[dict[str, Tensor]] = []
    history = train(model, binary(10), 200, valid=binary(50, 1), lr=3e-2, on_epoch=lambda _: after.append(weights(model)), **settings)
    return model, history, after


def test_patience_stops_early_and_goes_back_to_the_best_weights() -> None:
    model, history, after = overfitting(patience=5)
    best = int(np.argmin(history.valid))
    assert history.stopped == "early"
    assert history.best_epoch == best
    assert len(history.valid) == len(history.train) == best + 6 < 200
    assert same(weights(model), after[best])
    assert not same(after[best], after[-1])


def test_without_patience_the_last_weights_stay() -> None:
    model, history, after = overfitting()
    assert history.stopped == "finished"
    assert len(history.train) == 200
    assert same(weights(model), after[-1])


def test_the_best_weights_return_also_where_patience_did_not_run_out() -> None:
    model, history, after = overfitting(patience=200)
    assert history.stopped == "finished"
    assert history.best_epoch != 199
    assert same(weights(model), after[int(np.argmin(history.valid))])


def test_the_best_epoch_is_the_first_of_the_lowest_validation_loss() -> None:
    assert History([3.0, 2.0, 1.0], [5.0, 4.0, 4.0]).best_epoch == 1
    assert History([3.0, 2.0, 1.0], []).best_epoch is None


# ---------------------------------------------------------------- interruption and resumption


def test_an_interruption_returns_the_history_and_keeps_the_weights() -> None:
    stopped, whole = vae(), vae()
    history = train(stopped, binary(40), 6, decay=False, on_epoch=interrupt_after(2))
    expected = train(whole, binary(40), 3, decay=False)
    assert history.stopped == "interrupted"
    assert history.train == expected.train
    assert same(weights(stopped), weights(whole))


def test_an_interruption_keeps_the_weights_reached_even_where_others_were_better() -> None:
    model, history, _ = overfitting(patience=50)
    assert history.best_epoch is not None
    stop = history.best_epoch + 10
    interrupted = vae()
    reached: list[dict[str, Tensor]] = []

    def on_epoch(epoch: int) -> None:
        reached.append(weights(interrupted))
        interrupt_after(stop)(epoch)

    shorter = train(interrupted, binary(10), 200, valid=binary(50, 1), lr=3e-2, patience=50, on_epoch=on_epoch)
    assert (shorter.stopped, shorter.best_epoch) == ("interrupted", history.best_epoch)
    assert same(weights(interrupted), reached[-1])
    assert not same(weights(interrupted), weights(model))


def test_an_interruption_within_an_epoch_counts_only_complete_epochs() -> None:
    model, moving = vae(), []

    def loss(m: LatentVariableModel, x: Tensor) -> Tensor:
        moving.append(weights(m))
        if len(moving) == 5:
            raise KeyboardInterrupt
        return m.loss(x)

    history = train(model, binary(40), 6, loss=loss)
    assert (history.stopped, len(history.train)) == ("interrupted", 1)
    assert same(weights(model), moving[-1])


@pytest.mark.parametrize(
    "settings", [{}, {"decay": False}, {"patience": 3}, {"dynamic": True}, {"dynamic": True, "patience": 4, "decay": False}], ids=str
)
def test_resuming_gives_the_same_bit_for_bit_as_no_interruption(settings: dict[str, Any], tmp_path: Path) -> None:
    file, data = tmp_path / "run.safetensors", digits()
    whole = vae()
    expected = train(whole, data, 6, lr=3e-2, **settings)
    state = torch.get_rng_state()

    train(vae(), data, 6, lr=3e-2, checkpoint=file, on_epoch=interrupt_after(2), **settings)
    resumed = vae(seed=99)
    history = train(resumed, data, 6, seed=99, lr=3e-2, checkpoint=file, resume=True, **settings)
    assert history == expected
    assert same(weights(resumed), weights(whole))
    assert torch.equal(torch.get_rng_state(), state)


def test_resuming_remembers_the_best_weights_from_before_the_interruption(tmp_path: Path) -> None:
    expected_model, expected, _ = overfitting(patience=5)
    assert expected.best_epoch is not None
    last = len(expected.train) - 2  # after the best epoch
    model = vae()
    settings: dict[str, Any] = {"valid": binary(50, 1), "lr": 3e-2, "patience": 5, "checkpoint": tmp_path / "run.safetensors"}
    train(model, binary(10), 200, on_epoch=interrupt_after(last), **settings)
    resumed = vae(seed=99)
    history = train(resumed, binary(10), 200, seed=99, resume=True, **settings)
    assert history == expected
    assert same(weights(resumed), weights(expected_model))


def test_resuming_a_finished_training_changes_nothing(tmp_path: Path) -> None:
    model, again = vae(), vae(seed=99)
    settings: dict[str, Any] = {"checkpoint": str(tmp_path / "run.safetensors"), "valid": binary(20, 1), "patience": 2}
    expected = train(model, binary(40), **settings)
    assert train(again, binary(40), resume=True, seed=5, **settings) == expected
    assert same(weights(model), weights(again))


def test_resuming_without_a_checkpoint_file_starts_from_the_beginning(tmp_path: Path) -> None:
    assert train(vae(), binary(40), checkpoint=tmp_path / "new" / "run.safetensors", resume=True) == train(vae(), binary(40))


def test_without_resume_a_checkpoint_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"
    train(vae(), binary(40), checkpoint=file)
    assert train(vae(), binary(40), seed=2, checkpoint=file) == train(vae(), binary(40), seed=2)
    with safetensors.safe_open(file, framework="pt") as stored:
        assert torch.equal(stored.get_tensor("random"), torch.get_rng_state())


def test_without_decay_a_finished_training_can_be_made_longer(tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"
    whole, parts = vae(), vae()
    expected = train(whole, binary(40), 5, decay=False)
    train(parts, binary(40), 2, decay=False, checkpoint=file)
    assert train(parts, binary(40), 5, seed=9, decay=False, checkpoint=file, resume=True) == expected
    assert same(weights(parts), weights(whole))


# ---------------------------------------------------------------- checkpoints


def test_a_checkpoint_is_one_plain_file_that_holds_the_weights(tmp_path: Path) -> None:
    model = vae()
    train(model, binary(40), checkpoint=tmp_path / "deep" / "run.safetensors")
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["run.safetensors"]
    stored = load_file(tmp_path / "deep" / "run.safetensors")  # safetensors cannot hold code: no pickle
    assert same({k.removeprefix("model/"): v for k, v in stored.items() if k.startswith("model/")}, weights(model))
    assert {k.split("/")[0] for k in stored} == {"model", "adam", "random"}


def test_a_failure_while_writing_leaves_the_last_checkpoint_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.safetensors"
    train(vae(), binary(40), checkpoint=file)
    before = file.read_bytes()

    def full_disk(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
        Path(path).write_bytes(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(training, "save_file", full_disk)
    with pytest.raises(OSError, match="no space left"):
        train(vae(), binary(40), seed=7, checkpoint=file)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"epochs": 7}, "epochs: 6 then, 7 now"),
        ({"batch_size": 8}, "batch_size: 16 then, 8 now"),
        ({"lr": 1e-3}, "lr: 0.002 then, 0.001 now"),
        ({"decay": False}, "decay: True then, False now"),
        ({"dynamic": True}, "dynamic: False then, True now"),
        ({"data": a_split(30)}, "training data: 40 rows of sha256 [0-9a-f]{12} then, 30 rows of sha256 [0-9a-f]{12} now"),
        ({"data": a_split(40, seed=5)}, "training data: 40 rows of sha256 [0-9a-f]{12} then, 40 rows of sha256 [0-9a-f]{12} now"),
        ({"valid": binary(20, 1)}, "validation data: none then, 20 rows of sha256 [0-9a-f]{12} now"),
        ({"loss": training.beta_loss(4.0)}, r"loss: the model's own then, beta_loss\(4.0\) now"),
        ({"loss": lambda m, x: m.loss(x)}, "loss: the model's own then, <lambda> now"),
        ({"loss": partial(ten_times, factor=10)}, "loss: the model's own then, ten_times now"),
        ({"loss": TenTimes()}, "loss: the model's own then, TenTimes now"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(changed: dict[str, Any], named: str, tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"
    settings: dict[str, Any] = {"data": a_split(40), "epochs": 6, "checkpoint": file}
    train(vae(), **settings, on_epoch=interrupt_after(0))
    model = vae()
    before = weights(model)
    with pytest.raises(
        ValueError, match=rf"run\.safetensors belongs to a training with other settings \(.*{named}.*another checkpoint file"
    ):
        train(model, **settings | changed, resume=True)
    assert same(weights(model), before)


@pytest.mark.parametrize(
    ("then", "now", "named"),
    [
        (lambda: training.beta_loss(1.0), lambda: training.beta_loss(4.0), r"loss: beta_loss\(1\.0\) then, beta_loss\(4\.0\) now"),
        (lambda: training.iwae_loss(2), lambda: training.iwae_loss(3), r"loss: iwae_loss\(2\) then, iwae_loss\(3\) now"),
        (
            lambda: training.free_bits_loss(0.5),
            lambda: training.free_bits_loss(1.0),
            r"free_bits_loss\(0\.5\) then, free_bits_loss\(1\.0\) now",
        ),
        (lambda: training.exact_loss(1.5), lambda: training.exact_loss(0.5), r"exact_loss\(1\.5\) then, exact_loss\(0\.5\) now"),
        (lambda: training.beta_loss(1.0), lambda: None, r"loss: beta_loss\(1\.0\) then, the model's own now"),
    ],
)
def test_a_checkpoint_knows_the_loss(then: Callable, now: Callable, named: str, tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"
    train(vae(), binary(20), 2, loss=then(), checkpoint=file, on_epoch=interrupt_after(0))
    with pytest.raises(ValueError, match=named):
        train(vae(), binary(20), 2, loss=now(), checkpoint=file, resume=True)
    assert len(train(vae(), binary(20), 2, loss=then(), checkpoint=file, resume=True).train) == 2


@pytest.mark.parametrize(
    ("then", "now", "named"),
    [
        ({"valid": binary(20, 1)}, {"valid": binary(20, 2)}, "validation data: 20 rows .* then, 20 rows .* now"),
        ({"valid": binary(20, 1)}, {}, "validation data: 20 rows .* then, none now"),
        ({"dynamic": True}, {"dynamic": True, "data": Split(a_split(40).x, a_split(40, 1).grey, 31, None, None)}, "training data: 40"),
        ({"decay": False}, {"decay": False, "epochs": 1}, "already holds 2 epochs, but only 1 are requested"),
    ],
)
def test_a_checkpoint_knows_the_data_and_how_far_it_is(then: dict[str, Any], now: dict[str, Any], named: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"data": a_split(40), "epochs": 4, "checkpoint": tmp_path / "run.safetensors"}
    train(vae(), **settings | then, on_epoch=interrupt_after(1))
    model = vae(seed=3)
    before, state = weights(model), torch.get_rng_state()
    with pytest.raises(ValueError, match=named):
        fit(model, **{"batch_size": 16, "progress": False} | settings | now, resume=True)
    assert same(weights(model), before)
    assert torch.equal(torch.get_rng_state(), state)


def with_decoder(activation: torch.nn.Module) -> VAE:
    class Pixels(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.logits = torch.nn.Sequential(torch.nn.Linear(2, 8), activation, torch.nn.Linear(8, PIXELS))

        def forward(self, z: Tensor) -> Independent:
            return bernoulli(self.logits(z))

    torch.manual_seed(0)
    return VAE(2, (8,), PIXELS, decoder=Pixels())


def frozen_decoder() -> VAE:
    model = vae()
    model.decoder.requires_grad_(False)
    return model


@pytest.mark.parametrize(
    ("then", "now", "named"),
    [
        (vae, lambda: VAE(3, (8,), PIXELS), r"in_features=2, .* then, .*in_features=3, .* now"),
        (vae, lambda: VAE(2, (8, 8), PIXELS), r"then, .* now.*, and \d+ more"),
        (vae, lambda: vae().double(), r"tensor decoder\.logits\.0\.weight: float32 \(8, 2\) then, float64 \(8, 2\) now"),
        (vae, frozen_decoder, r"float32 \(8, 2\) then, float32 \(8, 2\) frozen now"),
        (vae, lambda: VAE(2, (8,), PIXELS, prior=MixturePrior(2, 3)), r"layer learned_prior: none then, MixturePrior\(\) now"),
        (lambda: with_decoder(torch.nn.Tanh()), lambda: with_decoder(torch.nn.ReLU()), r"Tanh\(\) then, ReLU\(\) now"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(then: Callable[[], VAE], now: Callable[[], VAE], named: str, tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"
    train(then(), binary(40), checkpoint=file)
    model = now()
    before = weights(model)
    with pytest.raises(ValueError, match=rf"run\.safetensors belongs to a training with other settings.*{named}"):
        train(model, binary(40).to(first_parameter(model).dtype), checkpoint=file, resume=True)
    assert same(weights(model), before)


def test_a_loss_that_changes_under_the_same_name_is_noticed_by_its_validation_loss(tmp_path: Path) -> None:
    file, valid = tmp_path / "run.safetensors", binary(20, 1)
    settings: dict[str, Any] = {"checkpoint": file, "valid": valid}
    history = train(vae(), binary(40), loss=lambda m, x: m.loss(x), on_epoch=interrupt_after(1), **settings)
    kept = file.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(vae(), binary(40), loss=lambda m, x: m.loss(x), resume=True, **settings)
    file.write_bytes(kept)
    with pytest.warns(
        UserWarning, match=rf"had a validation loss of {history.valid[1]:.6g}, but now have one of {3 * history.valid[1]:.5g}"
    ):
        train(vae(), binary(40), loss=lambda m, x: 3 * m.loss(x), resume=True, **settings)


def test_patience_that_comes_with_resuming_knows_the_best_weights_from_before(tmp_path: Path) -> None:
    """The first training had no patience, and its validation loss was rising when it ended."""
    file, settings = tmp_path / "run.safetensors", {"valid": binary(50, 1), "lr": 3e-2, "decay": False}
    after: list[dict[str, Tensor]] = []
    model = vae()
    history = train(model, binary(10), 60, checkpoint=file, on_epoch=lambda _: after.append(weights(model)), **settings)
    best = int(np.argmin(history.valid))
    assert best < 50
    resumed = vae(seed=99)
    more = train(resumed, binary(10), 90, checkpoint=file, resume=True, patience=5, **settings)
    assert (more.stopped, more.best_epoch, len(more.train)) == ("early", best, 60)
    assert same(weights(resumed), after[best])


def test_more_patience_goes_on_where_less_had_stopped(tmp_path: Path) -> None:
    file, settings = tmp_path / "run.safetensors", {"valid": binary(50, 1), "lr": 3e-2}
    expected_model, expected, _ = overfitting(patience=20)
    short = train(vae(), binary(10), 200, patience=3, checkpoint=file, **settings)
    assert short.stopped == "early"
    model = vae(seed=99)
    assert train(model, binary(10), 200, seed=99, patience=20, checkpoint=file, resume=True, **settings) == expected
    assert same(weights(model), weights(expected_model))


def written(content: bytes) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(content)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
NOT_CHECKPOINTS = [
    (written(b""), "an empty file"),
    (written(LFS), "a Git LFS pointer"),
    (lambda file: file.write_bytes(file.read_bytes()[:5000]), "cut off, damaged"),
    (lambda file: file.write_bytes(file.read_bytes()[:-1]), "cut off, damaged"),
    (lambda file: file.write_bytes(file.read_bytes()[:4]), "cut off, damaged"),
    (written(b"\0" * 1000), "cut off, damaged"),
    (written(b"not tensors at all"), "cut off, damaged"),
    (lambda file: torch.save({"weights": torch.zeros(3)}, file), "a zip archive.*torch.save"),
    (lambda file: torch.save({"a": torch.zeros(3)}, file, _use_new_zipfile_serialization=False), "a Python pickle"),
    (written(b"<!DOCTYPE html><html>not found</html>"), "a web page"),
    (lambda file: save_file({"numbers": torch.zeros(3)}, file), "a safetensors file with other content"),
    (lambda file: save_file({"numbers": torch.zeros(3)}, file, {"step": "7"}), "a safetensors file with other content"),
]


@pytest.mark.parametrize(("spoil", "found"), NOT_CHECKPOINTS, ids=[found for _, found in NOT_CHECKPOINTS])
def test_a_file_that_is_no_checkpoint_is_refused_by_what_it_is(spoil: Callable[[Path], object], found: str, tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"
    train(vae(), binary(40), checkpoint=file)
    spoil(file)
    model = vae()
    before, content = weights(model), file.read_bytes()
    with pytest.raises(
        ValueError, match=rf"{re.escape(str(file))} is not a checkpoint of fit: .*{found}.*pass another file as checkpoint="
    ):
        train(model, binary(40), checkpoint=file, resume=True)
    assert same(weights(model), before)
    assert file.read_bytes() == content


def rewritten(change: Callable[[dict, dict], object]) -> Callable[[Path], object]:
    def rewrite(file: Path) -> None:
        tensors, meta = read_tensors(file, "a checkpoint")
        change(tensors, meta)
        save_file(tensors, file, meta)

    return rewrite


def turn_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-100] ^= 0x40
    file.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        turn_a_byte,
        rewritten(lambda tensors, meta: tensors.pop("random")),
        rewritten(lambda tensors, meta: tensors.update(random=torch.zeros(3))),
        rewritten(lambda tensors, meta: meta.update(history="{")),
        rewritten(lambda tensors, meta: meta.update(history="[1]")),
        rewritten(lambda tensors, meta: meta.update(step="x")),
        rewritten(lambda tensors, meta: meta.pop("step")),
        rewritten(lambda tensors, meta: meta.update(settings="7")),
    ],
)
def test_a_checkpoint_that_has_changed_since_it_was_saved_is_refused(spoil: Callable[[Path], object], tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"
    train(vae(), binary(40), checkpoint=file)
    spoil(file)
    model = vae()
    before = weights(model)
    with pytest.raises(ValueError, match="is a damaged checkpoint, whose content has changed since it was saved: pass another file"):
        train(model, binary(40), 3, checkpoint=file, resume=True)
    assert same(weights(model), before)


@pytest.mark.parametrize("place", ["a.txt/run.safetensors", "a.txt/deep/run.safetensors"])
def test_a_checkpoint_that_cannot_be_written_is_refused_before_anything_is_trained(place: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    model = vae()
    before = weights(model)
    with pytest.raises(NotADirectoryError, match=r"a\.txt is a file; a folder is needed"):
        train(model, binary(40), checkpoint=tmp_path / place)
    assert same(weights(model), before)


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_as_checkpoint_is_refused_before_anything_is_trained(resume: bool, tmp_path: Path) -> None:
    model = vae()
    before = weights(model)
    with pytest.raises(ValueError, match=rf"checkpoint='{re.escape(str(tmp_path))}' is a folder: add the name of a file"):
        train(model, binary(40), checkpoint=tmp_path, resume=resume)
    assert same(weights(model), before)


def test_a_checkpoint_may_lie_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    train(vae(), binary(40), checkpoint="~/deep/run.safetensors", on_epoch=interrupt_after(0))
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()] == [str(Path("home/deep/run.safetensors"))]
    whole, resumed = vae(), vae(seed=5)
    expected = train(whole, binary(40))
    assert train(resumed, binary(40), seed=5, checkpoint=Path("~/deep/run.safetensors"), resume=True) == expected
    assert same(weights(resumed), weights(whole))


TRAIN = """
import sys, torch
from vaecourse.models import VAE
from vaecourse.training import fit
torch.manual_seed(int(sys.argv[2]))
fit(VAE(2, (8,), 16), torch.ones(64, 16), 40, batch_size=16, checkpoint=sys.argv[1], progress=False)
"""


def test_two_processes_may_write_one_checkpoint_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TRAIN, str(tmp_path / "race.safetensors")]
    running = [subprocess.Popen([*command, str(seed)], stderr=subprocess.PIPE, text=True) for seed in (0, 1)]
    assert [(p.communicate(timeout=120)[1], p.returncode) for p in running] == [("", 0)] * 2
    assert [p.name for p in tmp_path.iterdir()] == ["race.safetensors"]
    assert "history" in read_tensors(tmp_path / "race.safetensors", "a checkpoint")[1]


def test_a_frozen_model_is_refused_with_the_way_to_thaw_it() -> None:
    model, x = vae().requires_grad_(False), binary(40)
    with pytest.raises(
        ValueError, match=r"all parameters of the model are frozen .*model\.requires_grad_\(True\) makes them trainable again"
    ):
        train(model, x)
    before = weights(model)
    train(model.requires_grad_(True), x, 1)
    assert not same(weights(model), before)


def test_a_model_of_which_a_part_is_frozen_trains_the_rest() -> None:
    model = frozen_decoder()
    before = weights(model)
    train(model, binary(40), 1)
    assert {k.split(".")[0] for k, v in model.state_dict().items() if not torch.equal(v, before[k])} == {"encoder"}


def test_fit_goes_on_from_the_weights_that_it_was_interrupted_at() -> None:
    model, reached = vae(), []

    def watch(epoch: int) -> None:
        reached.append(weights(model))
        interrupt_after(1)(epoch)

    assert len(train(model, binary(40), 6, on_epoch=watch).train) == 2

    def loss(m: LatentVariableModel, x: Tensor) -> Tensor:
        reached.append(weights(m))
        return m.loss(x)

    assert len(train(model, binary(40), 2, loss=loss).train) == 2
    assert same(reached[2], reached[1])


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        (lambda m, x: m.loss(x).item(), r"got \d"),
        (lambda m, x: m.loss(x).detach(), r"got tensor\("),
        (lambda m, x: m.terms(x)[0], r"got a tensor of shape \(16,\)"),
        (lambda m, x: None, "got None"),
        (lambda m, x: torch.ones((), requires_grad=True), r"got tensor\("),
    ],
)
def test_a_loss_that_cannot_be_minimised_is_refused(loss: Callable, found: str) -> None:
    with pytest.raises(ValueError, match=rf"loss must return one number, a tensor that depends on the parameters.*{found}"):
        train(vae(), binary(40), loss=loss)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_numpy_s_whole_numbers_are_whole_numbers(kind: type, tmp_path: Path) -> None:
    file, valid = tmp_path / "run.safetensors", binary(20, 1)
    expected_model, model = vae(), vae()
    expected = train(expected_model, binary(40), 3, patience=2, valid=valid)
    settings: dict[str, Any] = {"batch_size": kind(16), "patience": kind(2), "valid": valid, "checkpoint": file}
    assert train(model, binary(40), kind(3), on_epoch=interrupt_after(0), **settings).stopped == "interrupted"
    assert train(model, binary(40), kind(3), resume=True, **settings | {"batch_size": 16}) == expected
    assert same(weights(model), weights(expected_model))


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_reported_before_it_touches_the_weights(value: float) -> None:
    model, moving = vae(), []

    def loss(m: LatentVariableModel, x: Tensor) -> Tensor:
        moving.append(weights(m))
        return m.loss(x) * (value if len(moving) == 5 else 1.0)

    with pytest.raises(
        FloatingPointError, match=r"the loss became -?(nan|inf) at step 4 \(epoch 1\); the weights are those before this step.*lower lr"
    ):
        train(model, binary(40), loss=loss)
    assert same(weights(model), moving[-1])
    assert not same(weights(model), moving[-2])


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs must be at least 1; got 0"),
        ({"epochs": 2.0}, TypeError, r"epochs must be a whole number; got 2\.0"),
        ({"epochs": np.float64(2.0)}, TypeError, r"epochs must be a whole number; got (np\.float64\(2\.0\)|2\.0)"),
        ({"epochs": True}, TypeError, "epochs must be a whole number; got True"),
        ({"epochs": np.True_}, TypeError, r"epochs must be a whole number; got (np\.True_|True)"),
        ({"epochs": "8"}, TypeError, "epochs must be a whole number; got '8'"),
        ({"epochs": torch.tensor(8)}, TypeError, r"epochs must be a whole number; got tensor\(8\): pass its \.item\(\)"),
        ({"epochs": np.int64(0)}, ValueError, "epochs must be at least 1; got 0"),
        ({"patience": 2.0, "valid": binary(4)}, TypeError, r"patience must be a whole number; got 2\.0"),
        ({"lr": -1.0}, ValueError, r"lr is the learning rate and must be a finite number, 0 or above; got -1\.0"),
        ({"lr": math.nan}, ValueError, "lr is the learning rate and must be a finite number, 0 or above; got nan"),
        ({"lr": math.inf}, ValueError, "lr is the learning rate and must be a finite number, 0 or above; got inf"),
        ({"lr": "fast"}, ValueError, "lr is the learning rate and must be a finite number, 0 or above; got 'fast'"),
        ({"checkpoint": "https://example.org/run.safetensors"}, ValueError, "is an address, not a path on this machine"),
        ({"checkpoint": Path("https://example.org/run.safetensors")}, ValueError, "https://example.org/run.safetensors is an address"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1; got 0"),
        ({"batch_size": 16.5}, TypeError, "batch_size must be a whole number"),
        ({"patience": 0, "valid": binary(4)}, ValueError, "patience must be at least 1; got 0"),
        ({"patience": 3}, ValueError, "patience needs validation images: pass valid="),
        ({"dynamic": True}, ValueError, "dynamic binarisation needs grey levels: pass a data set or a split"),
        ({"resume": True}, ValueError, "resume=True needs checkpoint="),
        ({"data": torch.full((4, PIXELS), 0.37)}, ValueError, r"found 0\.37: binarise first"),
        ({"data": torch.zeros(4, PIXELS + 1)}, ValueError, "one image a row"),
        ({"valid": torch.full((4, PIXELS), 0.37)}, ValueError, r"found 0\.37: binarise first"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_trained(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    model = vae()
    before = weights(model)
    with pytest.raises(error, match=message):
        train(model, **{"data": binary(40)} | settings)
    assert same(weights(model), before)


# ---------------------------------------------------------------- the shipped decoder


def test_a_new_decoder_takes_its_place_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "decoder.safetensors"
    save_file({"mnist/kept": torch.ones(2), "strokes/stale": torch.ones(2)}, file)
    monkeypatch.setattr(training, "shipped", lambda name: tmp_path / name)
    monkeypatch.setattr(training, "load_digits", lambda name: digits())
    trained: list[LatentVariableModel] = []
    monkeypatch.setattr(training, "fit", lambda model, *_, **__: trained.append(model))
    training.make_decoder("strokes")
    stored = load_file(file)
    assert stored.pop("mnist/kept").tolist() == [1, 1]
    assert same({k.removeprefix("strokes/"): v for k, v in stored.items()}, weights(trained[-1]))
    assert trained[-1].latent_dim == 2
    assert [p.name for p in tmp_path.iterdir()] == ["decoder.safetensors"]


def test_new_vaes_take_their_places_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "vaes.safetensors"
    save_file({"mnist-20/kept": torch.ones(2), "strokes-2/stale": torch.ones(2)}, file)
    monkeypatch.setattr(training, "shipped", lambda name: tmp_path / name)
    monkeypatch.setattr(training, "load_digits", lambda name: digits())
    monkeypatch.setattr(training, "fit", lambda model, *_, **__: None)
    training.make_vaes("strokes")
    assert {key.split("/")[0] for key in load_file(file)} == {"mnist-20", "strokes-20", "strokes-2"}
    assert load_file(file)["mnist-20/kept"].tolist() == [1, 1]
    for latent_dim in (20, 2):
        torch.manual_seed(0)
        started = VAE(latent_dim, (400, 400) if latent_dim == 20 else (128, 128)).half().float()
        assert same(weights(pretrained_vae(latent_dim, "strokes", file)), weights(started))


def test_the_short_way_to_the_usual_loss_gives_the_loss_of_the_model() -> None:
    model, x = VAE(3, (16, 8), PIXELS), binary(12)
    for seed in range(3):
        model.zero_grad()
        torch.manual_seed(seed)
        expected = model.loss(x)
        expected.backward()
        gradients = [p.grad.clone() for p in model.parameters()]
        model.zero_grad()
        torch.manual_seed(seed)
        found = training._own_loss(model, x)
        found.backward()
        assert torch.equal(found, expected)
        assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), gradients))


def test_a_model_with_a_loss_of_its_own_is_trained_by_it() -> None:
    class Doubled(VAE):
        def loss(self, x: Tensor) -> Tensor:
            return 2 * super().loss(x)

    model, x = Doubled(2, (8,), PIXELS), binary(12)
    torch.manual_seed(0)
    expected = model.loss(x)
    torch.manual_seed(0)
    assert torch.equal(training._own_loss(model, x), expected)


def test_a_gradient_that_is_not_finite_is_reported_before_it_touches_the_weights() -> None:
    model = vae()
    before = weights(model)

    def loss(m: LatentVariableModel, x: Tensor) -> Tensor:
        return m.loss(x) + (first_parameter(m) * 0).sum().abs().sqrt()

    with pytest.raises(FloatingPointError, match="gradient became nan at step 0"):
        train(model, binary(40), 1, loss=loss)
    assert same(before, weights(model))


def test_a_gradient_that_is_not_finite_is_reported_for_the_usual_loss_too(monkeypatch: pytest.MonkeyPatch) -> None:
    model = vae()
    before = weights(model)
    bare = training.gaussian_kl
    monkeypatch.setattr(training, "gaussian_kl", lambda mu, log_var: bare(mu, log_var) + 0 * (mu * 0).abs().sqrt().sum(-1))
    with pytest.raises(FloatingPointError, match="gradient became nan at step 0"):
        train(model, binary(40), 1)
    assert same(before, weights(model))


def test_a_validation_loss_that_is_nan_is_never_the_best() -> None:
    assert History(valid=[math.nan, 3.0, 2.0]).best_epoch == 2


def test_a_batch_that_the_loss_changes_in_place_is_checked_again_and_nothing_is_trusted_afterwards() -> None:
    model, batches = vae(), []

    def loss(m: LatentVariableModel, x: Tensor) -> Tensor:
        batches.append(x)
        m.check(x)
        x.mul_(0.37)
        return m.loss(x)

    with pytest.raises(ValueError, match=r"x must hold 0s and 1s; found 0\.37"):
        train(model, binary(40), loss=loss)
    with pytest.raises(ValueError, match=r"found 0\.37"):
        model.check(batches[0])
    assert model._known is None


def test_no_bar_is_shown_in_a_notebook_where_the_environment_says_so(monkeypatch):
    import tqdm.auto

    shown = []

    def bar(*args, **settings):
        shown.append(not settings["disable"])
        return tqdm.std.tqdm(*args, **settings | {"disable": True})

    monkeypatch.setattr(tqdm.auto, "tqdm", bar)  # in a notebook tqdm's bar does not look at the variable itself
    for value, progress, expected in (("1", True, False), ("0", True, True), ("", True, True), ("0", False, False)):
        monkeypatch.setenv("TQDM_DISABLE", value)
        fit(VAE(2), torch.ones(20, 784), 1, progress=progress)
        assert shown.pop() == expected


def test_a_history_prints_its_losses_and_its_best_epoch() -> None:
    assert repr(History()) == "History(0 epochs, finished)"
    assert repr(History([3.0], stopped="interrupted")) == "History(1 epoch, interrupted: training loss 3.0)"
    full = History([9.0, 8.0, 7.25], [9.5, 8.5, 9.0], "early")
    assert repr(full) == "History(3 epochs, early: training loss 7.2, validation loss 9.0, lowest 8.5 in epoch 1)"
