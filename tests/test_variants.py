"""The recipes of notebook 11: what they train, how they are judged, what the file holds."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from vaecourse import data, variants
from vaecourse.data import load_digits, shipped
from vaecourse.models import VAE, ConditionalVAE, MixturePrior, VampPrior
from vaecourse.oracles import exact_log_px


@pytest.fixture(scope="module")
def digits():
    return load_digits("strokes")


def few(digits, n=300):
    return digits.train.x[:n], digits.train.labels[:n]


@pytest.mark.parametrize("variant", variants.RECIPES)
def test_every_recipe_trains_and_is_judged(variant, digits):
    model = variants.train(variant, 2, 0, *few(digits), epochs=4)
    value = variants.log_px(model, digits.test.x[:2])
    assert value.shape == (2,)
    assert -400 < value.mean() < -100  # independent pixels reach about -230
    assert not any(p.requires_grad for p in model.parameters())


def test_a_recipe_changes_what_it_says():
    x = torch.zeros(60, 784)
    made = {name: recipe.model(2, x) for name, recipe in variants.RECIPES.items()}
    assert isinstance(made["mixture prior"].learned_prior, MixturePrior)
    assert isinstance(made["VampPrior"].learned_prior, VampPrior)
    assert isinstance(made["told the class"], ConditionalVAE)
    assert all(
        isinstance(m, VAE) and m.learned_prior is None
        for name, m in made.items()
        if name not in ("mixture prior", "VampPrior", "told the class")
    )
    changed = {name for name, recipe in variants.RECIPES.items() if recipe.loss is not None}
    assert changed == {"beta = 1/2", "beta = 4", "free bits", "IWAE, k = 5"}


def test_the_work_of_a_step_is_counted_from_the_sizes_of_the_networks():
    """Multiplications of one forward pass: encoder and decoder are alike up to the ends on the latents' side."""
    layers = 784 * 128 + 128 * 128
    encoder, decoder = layers + 128 * 4, layers + 128 * 2
    plain = encoder + decoder
    expected = {"VampPrior": (plain + encoder * 50 / 100) / plain, "IWAE, k = 5": (encoder + 5 * decoder) / plain}
    for name, recipe in variants.RECIPES.items():
        assert recipe.work == pytest.approx(expected.get(name, 1.0), abs=0.02)


def test_a_seed_decides_the_run_and_another_seed_makes_another(digits):
    first, again, other = (variants.train("plain VAE", 2, seed, *few(digits), epochs=1) for seed in (0, 0, 1))
    for a, b, c in zip(first.parameters(), again.parameters(), other.parameters()):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


def test_the_class_is_summed_out_with_equal_weights(digits):
    torch.manual_seed(0)
    model, x = ConditionalVAE(2, hidden=(16,)).requires_grad_(False), digits.test.x[:2]
    model.decoder.logits[0].weight.mul_(10)  # so that the ten classes differ by nats
    by_class = torch.stack([exact_log_px(model.given(label), x) for label in range(10)]).double()
    assert by_class.std(0).min() > 1
    torch.testing.assert_close(variants.log_px(model, x).double(), by_class.exp().mean(0).log(), atol=0.02, rtol=0)


def test_with_many_latents_the_bound_takes_all_its_draws(digits, monkeypatch):
    asked = []
    monkeypatch.setattr(variants, "iwae_bound", lambda model, x, n: asked.append(n) or torch.zeros(len(x)))
    x = digits.test.x[:2]
    assert variants.log_px(VAE(3), x, 500).tolist() == [0, 0]
    assert variants.log_px(ConditionalVAE(3), x, 500).tolist() == pytest.approx([0, 0], abs=1e-6)
    assert asked == [500] + [50] * 10


@pytest.mark.parametrize("name", ["strokes", "mnist"])
def test_the_file_holds_three_runs_of_every_recipe(name):
    runs = variants.longer_runs(name)
    assert len(runs) == 2 * 3 * len(variants.RECIPES)
    assert {(r.variant, r.latents, r.seed) for r in runs} == {(v, k, s) for v in variants.RECIPES for k in (2, 20) for s in range(3)}
    assert all(math.isfinite(r.log_px) and -250 < r.log_px < -80 and 0 <= r.active <= r.latents for r in runs)
    assert variants.longer_runs("static-mnist") == variants.longer_runs("mnist")


def test_runs_that_are_made_come_back_and_leave_the_other_digits_alone(monkeypatch, tmp_path: Path, digits):
    copy = tmp_path / "variants.csv"
    copy.write_bytes(shipped("variants.csv").read_bytes())
    monkeypatch.setattr(data, "shipped", lambda name: copy)
    monkeypatch.setattr(variants, "load_digits", lambda name: digits)
    before = variants.longer_runs("mnist")
    variants.make_variants("strokes", seeds=1, n_images=200, epochs=1, judged=3)
    made = variants.longer_runs("strokes")
    assert [(r.variant, r.latents) for r in made] == [(v, k) for k in (2, 20) for v in variants.RECIPES]
    assert variants.longer_runs("mnist") == before
    assert not list(tmp_path.glob("*.part"))


def test_an_unknown_variant_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="no variant is called 'foo'; there are plain VAE, mixture prior, "):
        variants.train("foo", 2, 0, torch.zeros(1, 784), torch.zeros(1), epochs=1)
