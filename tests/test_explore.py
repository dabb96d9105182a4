"""`explore`: the numbers of its sentence for every kind of model, its moves, and what stays in the output."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Bernoulli

from vaecourse import data, models, tables
from vaecourse.tabular import TabularVAE
from vaecourse.widgets import explore, exploring, frame


@pytest.fixture(scope="module")
def digits():
    return data.load_digits("strokes")


@pytest.fixture(scope="module")
def players():
    return tables.load_players()


def seeded(make):
    torch.manual_seed(0)
    return make()


def said(explorer):
    """log p(x|z) in the sentence, and that at the mean of q."""
    return [float(n) for n in re.findall(r"is (-?\d+\.\d)", explorer.sentence)]


class Convolutional(torch.nn.Module):
    """A decoder of the reader's own."""

    def __init__(self):
        super().__init__()
        self.start, self.up = torch.nn.Linear(3, 49), torch.nn.ConvTranspose2d(1, 1, 4, stride=4)

    def forward(self, z):
        logits = self.up(self.start(z).reshape(-1, 1, 7, 7)).reshape(*z.shape[:-1], 784)
        return torch.distributions.Independent(Bernoulli(logits=logits), 1)


@pytest.mark.parametrize("latents", [1, 2, 5])
def test_the_sentence_says_log_p_of_x_given_z(digits, latents):
    model = seeded(lambda: models.VAE(latents))
    explorer = explore(model, digits.test)
    z = torch.linspace(-1, 2, latents).mul(10).round() / 10
    explorer.move(row=3, z=z.tolist())
    x = digits.test.x[3]
    with torch.no_grad():
        at_z, at_q = (Bernoulli(logits=model.decoder.logits(at)).log_prob(x).sum().item() for at in (z, model.encoder(x[None]).mean[0]))
    assert said(explorer) == pytest.approx([at_z, at_q], abs=0.06)
    assert "of digit 3" in explorer.sentence
    assert explorer.sentence.startswith(f"z₁ = {z[0]:.1f}")


def test_of_many_latents_those_whose_codes_vary_most_can_be_moved_and_the_others_stay_at_the_mean_of_q(digits):
    model = seeded(lambda: models.VAE(12))
    with torch.no_grad():
        model.encoder.parameters_of_q[-1].weight[:12] *= torch.tensor([5.0, 0.1] * 6)[:, None]
        model.encoder.parameters_of_q[-1].weight[1] *= 100
        codes = model.encoder(digits.test.x[:20]).mean
    explorer = explore(model, digits.test.x)
    assert len(explorer.shown) == 8
    assert {0, 1, 2, 4, 6, 8, 10} <= set(explorer.shown)
    explorer.move(row=7, z=[0.5] * 8)
    others = [k for k in range(12) if k not in explorer.shown]
    torch.testing.assert_close(explorer.z[others], codes[7, others])
    assert explorer.z[explorer.shown].tolist() == [0.5] * 8
    with torch.no_grad():
        expected = model.decoder(explorer.z).log_prob(digits.test.x[7]).item()
    assert said(explorer)[0] == pytest.approx(expected, abs=0.06)
    assert "the other 4 at the mean of q" in explorer.sentence


def test_any_decoder_and_a_model_without_an_encoder_can_be_explored(digits):
    model = seeded(lambda: models.LatentVariableModel(3, decoder=Convolutional()))
    explorer = explore(model, digits.test.x[:2])
    with torch.no_grad():
        expected = model.decoder(torch.zeros(3)).log_prob(digits.test.x[0]).item()
    assert said(explorer) == pytest.approx([expected], abs=0.06)
    assert explorer.values["z"] == [0.0, 0.0, 0.0]


def test_a_conditional_model_is_told_the_class_of_the_row(digits):
    model = seeded(lambda: models.ConditionalVAE(2))
    explorer = explore(model, digits.test)
    for row in (0, 5):
        explorer.move(row=row, z=[0.3, -0.8])
        hot = torch.nn.functional.one_hot(digits.test.labels[row], 10).float()
        with torch.no_grad():
            expected = model.decoder(torch.cat([torch.tensor([0.3, -0.8]), hot])).log_prob(digits.test.x[row]).item()
        assert said(explorer)[0] == pytest.approx(expected, abs=0.06)


def test_rows_of_a_table_and_of_plain_numbers_can_be_explored(players):
    table = seeded(lambda: TabularVAE(players.columns, 2))
    explorer = explore(table, players.test)
    explorer.move(row=1, z=[0.4, -0.2])
    with torch.no_grad():
        expected = table.decoder(torch.tensor([[0.4, -0.2]])).cell_log_probs(players.test[1:2]).nansum().item()
    assert said(explorer)[0] == pytest.approx(expected, abs=0.06)
    assert "of row 1" in explorer.sentence

    linear = seeded(lambda: models.LinearGaussian(5, 2))
    x = torch.randn(4, 5)
    explorer = explore(linear, x)
    explorer.move(z=[1.0, -1.0])
    residual = (x[0] - linear.weight.detach() @ torch.tensor([1.0, -1.0]) - linear.bias.detach()) / 0.5
    expected = (-0.5 * residual**2 - torch.log(torch.tensor(0.5 * (2 * torch.pi) ** 0.5))).sum().item()
    assert said(explorer)[0] == pytest.approx(expected, abs=0.06)


def test_a_sample_has_a_number_and_the_random_stream_is_left_alone(digits):
    explorer = explore(seeded(lambda: models.VAE(2)), digits.test)
    before, first = torch.get_rng_state(), explorer.picture
    explorer.move(sample=2)
    assert explorer.picture != first
    explorer.move(sample=1)
    assert explorer.picture == first
    assert torch.equal(torch.get_rng_state(), before)


def test_a_picture_is_the_same_whatever_style_the_reader_has_set(digits):
    import matplotlib

    model = seeded(lambda: models.VAE(2))
    plain = explore(model, digits.test).picture
    with matplotlib.rc_context({"font.size": 22, "axes.facecolor": "black", "xtick.labelsize": 30}):
        assert explore(model, digits.test).picture == plain


@pytest.fixture
def counted(digits, monkeypatch):
    """An explorer in a notebook without a page; what was drawn, and what was displayed."""
    drawn, shown, original = [], [], exploring.picture
    monkeypatch.setattr(exploring, "picture", lambda fig, dpi: drawn.append(1) or original(fig, dpi))
    monkeypatch.setattr(frame.Place, "show", lambda self, bundle, alt="": shown.append(bundle))
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: shown.append(bundle))
    explorer = explore(seeded(lambda: models.VAE(2)), digits.test)
    explorer._ipython_display_()
    return explorer, drawn, shown


def test_a_picture_stands_before_the_sliders_and_is_renewed_with_them(counted):
    explorer, drawn, shown = counted
    still, sliders = shown
    assert still == {"image/png": explorer.picture, "text/plain": repr(explorer)}
    assert set(sliders) == {"text/html", "text/plain"}
    assert f'data-vae="{explorer.page.mark}"' in sliders["text/html"]
    explorer.page.values = explorer.values | {"z": [1.0, 0.0]}
    assert explorer.sentence.startswith("z₁ = 1.0, z₂ = 0.0:")
    assert (explorer.page.said, explorer.page.picture) == (explorer.sentence, explorer.picture)
    assert shown[2:] == [{"image/png": explorer.picture, "text/plain": repr(explorer)}]
    assert len(drawn) == 2


def test_no_picture_is_drawn_twice(counted):
    explorer, drawn, shown = counted
    for _ in range(2):
        explorer.move(row=4, z=[0.1, 0.2])
    assert explorer.page.values == explorer.values
    assert (len(drawn), len(shown)) == (2, 3)


def test_quick_moves_of_the_reader_are_drawn_once_with_the_last_value(counted, monkeypatch):
    explorer, drawn, _ = counted
    kernel = SimpleNamespace(get_parent=lambda: {"header": {"msg_type": "comm_msg"}})
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=kernel))

    async def press():
        for i in range(10):
            explorer.page.values = explorer.values | {"z": [i / 10, 0.0]}
        assert len(drawn) == 1
        await asyncio.sleep(0.5)

    asyncio.run(press())
    assert len(drawn) == 2
    assert explorer.sentence.startswith("z₁ = 0.9")


def test_what_cannot_be_explored_is_refused(digits):
    model, x = seeded(lambda: models.VAE(2)), digits.test.x[:3]
    with pytest.raises(TypeError, match=r"model with a prior and a decoder.*got Linear"):
        explore(torch.nn.Linear(2, 2), x)
    with pytest.raises(ValueError, match="0s and 1s"):
        explore(model, x / 2)
    with pytest.raises(ValueError, match="without their classes"):
        explore(models.ConditionalVAE(2), x)
    explorer = explore(model, x)
    for wrong in (3, -1, 0.5, "0"):
        with pytest.raises(ValueError, match="row must be from 0 to 2"):
            explorer.move(row=wrong)
    for wrong in ([1.0], [1.0, 2.0, 3.0], [1.0, float("nan")]):
        with pytest.raises(ValueError, match="z must hold 2 finite values"):
            explorer.move(z=wrong)
    with pytest.raises(ValueError, match="sample must be a whole number"):
        explorer.move(sample=0.5)
    nameless = data.Split(digits.test.x, digits.test.grey, digits.test.levels, None, None)
    with pytest.raises(ValueError, match="needs the classes of the images"):
        explore(models.ConditionalVAE(2), nameless)
