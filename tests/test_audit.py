"""The audit: its numbers against closed forms and scipy, and what it says about models that are broken in known ways."""

from __future__ import annotations

import doctest
import math
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest
import scipy.stats
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits

from vaecourse import audit as module
from vaecourse import diagnostics
from vaecourse.audit import Audit, implied_beta
from vaecourse.data import Digits, Split, load_digits
from vaecourse.distributions import diagonal_normal
from vaecourse.models import VAE, LinearGaussian, MixturePrior
from vaecourse.oracles import exact_log_px
from vaecourse.training import beta_loss, fit

D = 196  # pixels
SETTINGS = {"n_samples": 100, "n_images": 150, "n_polished": 10}


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def thinned(values: Tensor) -> Tensor:
    """Images of 14 by 14 pixels: every second one of every second row."""
    return values.reshape(-1, 28, 28)[:, ::2, ::2].reshape(len(values), -1).contiguous()


@cache
def digits(name: str = "strokes") -> Digits:
    full = load_digits("strokes")
    parts = [Split(thinned(s.x[:n]), thinned(s.grey[:n]), s.levels, None, None) for s, n in ((full.train, 3_000), (full.test, 300))]
    return Digits(name, parts[0], parts[1], parts[1])


def averaged(model: VAE, x: Tensor) -> Tensor:
    """The loss of notebook 08 that averages over pixels."""
    q = model.encoder(x)
    return binary_cross_entropy_with_logits(model.decoder.logits(q.rsample()), x) + kl_divergence(q, model.prior).mean()


def trained(loss=None, latent_dim: int = 2, epochs: int = 8, x: Tensor | None = None) -> VAE:
    torch.manual_seed(1)
    model, x = VAE(latent_dim, (48,), D), digits().train.x if x is None else x
    with torch.no_grad():
        model.decoder.logits[-1].bias.copy_(x.mean(0).clamp(0.002, 0.998).logit())
    fit(model, x, epochs, batch_size=100, lr=5e-3, loss=loss, progress=False)
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def good() -> VAE:
    return trained()


def found(report: Audit) -> dict[str, str]:
    return {finding.name: finding.kind for finding in report.findings}


def text_of(report: Audit, name: str) -> str:
    return next(finding.text for finding in report.findings if finding.name == name)


# ---------------------------------------------------------------- the numbers


def linear(beta: float = 1.0, narrow: float = 1.0) -> LinearGaussian:
    """Two latents, whose posterior is a diagonal normal. The encoder has the spread that is best under beta, times `narrow`."""
    model = LinearGaussian(6, 2, 0.5).double().requires_grad_(False)
    model.weight.zero_()
    model.weight[:3, 0], model.weight[3:, 1] = 0.8, 1.1
    precision = model.weight.square().sum(0) / 0.25
    model.encoder = lambda x: diagonal_normal(
        model.posterior(x).mean, (narrow**2 / (1 + precision / beta)).log().expand(len(x), 2)
    )  # of E_q log p(x|z) - beta KL the derivative in log sigma^2 is (beta - (beta + precision) sigma^2) / 2
    return model


def closed(model: LinearGaussian, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log p(x), KL(q || posterior) and KL(q || prior) of each image, by torch.distributions."""
    q = model.encoder(x)
    full = MultivariateNormal(q.mean, torch.diag_embed(q.variance))
    unit = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
    return model.marginal.log_prob(x), kl_divergence(full, model.posterior(x)), kl_divergence(full, unit)


def test_the_numbers_of_a_linear_gaussian_model_are_their_closed_forms() -> None:
    model = linear(beta=3.0)
    x, learnt = model.marginal.sample((120,)), model.marginal.sample((400,))
    numbers = diagnostics.audit(model, x, learnt, n_samples=2_000, n_images=100, n_polished=40).numbers
    log_px, gap, kl = closed(model, x[:100])
    assert numbers["images"] == 100
    assert numbers["elbo"] == pytest.approx((log_px - gap).mean().item(), abs=0.02)
    assert numbers["elbo_error"] == pytest.approx((log_px - gap).std().item() / 10, abs=0.02)
    assert numbers["bound"] == pytest.approx(log_px.mean().item(), abs=0.02)
    assert numbers["kl"] == pytest.approx(kl.mean().item(), abs=1e-9)
    assert numbers["reconstruction"] == pytest.approx((log_px - gap + kl).mean().item(), abs=0.02)
    assert numbers["exact"] == pytest.approx(log_px[:40].mean().item(), abs=1e-9)
    assert numbers["exact_elbo"] == pytest.approx((log_px - gap)[:40].mean().item(), abs=1e-9)
    assert numbers["approximation"] == pytest.approx(0, abs=0.02)  # the posterior is a diagonal normal
    assert numbers["amortisation"] == pytest.approx(gap[:40].mean().item(), abs=0.02)
    other = closed(model, learnt[:100])[0]
    assert numbers["excess"] == pytest.approx((other.mean() - log_px.mean()).item(), abs=0.03)
    assert numbers["excess_error"] == pytest.approx(math.hypot(other.std().item() / 10, log_px.std().item() / 10), abs=0.03)
    assert numbers["active"] == 2


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0, 6.0])
def test_the_implied_beta_is_the_one_under_which_the_spread_is_best(beta: float) -> None:
    model = linear(beta)
    found, error = implied_beta(model, model.marginal.sample((300,)))
    assert abs(found - beta) < 4 * error + 1e-9
    assert error < 0.05 * beta
    far = implied_beta(model, 1e3 + model.marginal.sample((300,)))  # draws and their mirror images cancel a steep slope
    assert abs(far[0] - beta) < 4 * far[1] + 1e-9
    assert far[1] < 0.05 * beta


def test_the_error_of_the_implied_beta_is_that_of_a_ratio() -> None:
    model = linear()
    precision = model.weight.square().sum(0) / 0.25
    variance = torch.linspace(0.05, 0.4, 80).double()[:, None].expand(80, 2)  # of one image after the other
    model.encoder = lambda x: diagonal_normal(model.posterior(x).mean, variance.log())
    up, down = -(precision * variance).sum(1).numpy() / 2, (variance - 1).sum(1).numpy() / 2
    beta = up.mean() / down.mean()
    error = (up - beta * down).std(ddof=1) / (80**0.5 * abs(down.mean()))
    assert implied_beta(model, model.marginal.sample((80,)), 4_000) == pytest.approx((beta, error), rel=0.02)


def test_the_implied_beta_is_that_of_a_training_and_its_error_that_of_repetitions(good: VAE) -> None:
    x = digits().train.x[:300]
    assert implied_beta(good, x)[0] == pytest.approx(1, abs=0.15)
    heavy = trained(beta_loss(4.0))
    assert implied_beta(heavy, x)[0] == pytest.approx(4, abs=0.6)
    split = [implied_beta(heavy, part, 32) for part in digits().train.x.split(100)]
    values, errors = torch.tensor(split).T
    assert (errors.mean() / values.std()).item() == pytest.approx(1, abs=0.5)


def test_a_learned_prior_has_an_implied_beta_too() -> None:
    model = linear()
    plain = implied_beta(model, model.marginal.sample((200,)))
    prior = MixturePrior(2, 1, floor=0.5).double().requires_grad_(False)
    prior.loc.zero_()
    prior.log_scale.fill_(math.log(0.5))  # N(0, I) once more, of which torch does not know the divergence
    like = type("Model", (), {"prior": prior(None), "decoder": model.decoder, "encoder": model.encoder, "check": model.check})
    drawn = implied_beta(like, model.marginal.sample((200,)))
    assert drawn[0] == pytest.approx(plain[0], abs=4 * math.hypot(plain[1], drawn[1]))


def test_blocks_change_nothing(good: VAE, monkeypatch: pytest.MonkeyPatch) -> None:
    x = digits().test.x[:60]
    whole = implied_beta(good, x)
    monkeypatch.setattr(module, "BLOCK", 50_000)
    parts = implied_beta(good, x)
    assert parts[0] == pytest.approx(whole[0], abs=4 * whole[1])


def test_weights_without_a_tail_and_with_a_heavy_one() -> None:
    model = linear()
    x = model.marginal.sample((60,))
    numbers = diagnostics.audit(model, x, n_samples=400, n_polished=2).numbers
    assert numbers["k_hat_share"] == 0  # q is the posterior: all weights are equal
    assert numbers["sample_size"] == pytest.approx(400, rel=1e-3)
    finite = diagnostics.audit(linear(narrow=0.4**0.5), x, n_samples=1_000, n_polished=2).numbers  # the tail is that of k = 1 - 0.4
    assert finite["k_hat"] == pytest.approx(0.6, abs=0.15)
    assert 0 < finite["k_hat_share"] < 0.4
    heavy = diagnostics.audit(linear(narrow=0.2), x, n_samples=400, n_polished=2)  # the tail is that of k = 1 - 0.04
    assert heavy.numbers["k_hat_share"] > 0.5
    assert heavy.numbers["k_hat"] == pytest.approx(0.96, abs=0.25)
    assert found(heavy)["tail"] == "caution"
    assert found(heavy)["amortisation"] == "caution"


def test_the_numbers_of_a_vae_agree_with_the_oracle_and_scipy(good: VAE) -> None:
    data = digits()
    report = diagnostics.audit(good, data, **SETTINGS)
    x, learnt = data.test.x[:150], data.train.x[:2000]
    assert report.numbers["exact"] == pytest.approx(exact_log_px(good, x[:10]).mean().item(), abs=0.02)
    share = (learnt.double().sum(0).numpy() + 0.5) / 2001
    assert report.numbers["baseline"] == pytest.approx(scipy.stats.bernoulli.logpmf(x.numpy(), share).sum(1).mean(), abs=1e-3)
    assert report.numbers["bound"] == pytest.approx(exact_log_px(good, x).mean().item(), abs=0.3)
    assert report.numbers["elbo"] < report.numbers["bound"]
    assert found(report).keys() <= {"tail"}


def test_more_latents_than_two_are_judged_by_a_polished_q() -> None:
    model = trained(latent_dim=5, epochs=3)
    report = diagnostics.audit(model, digits(), **SETTINGS)
    assert "exact" not in report.numbers
    labels = [name for name, _, _ in report.rows]
    assert "amortisation gap, at least" in labels
    assert 0 < report.numbers["amortisation"] < 5
    assert -0.2 < report.numbers["approximation"] < 5


# ---------------------------------------------------------------- what is wrong


def test_a_good_model_is_not_accused(good: VAE) -> None:
    report = diagnostics.audit(good, digits(), **SETTINGS)
    assert not [kind for kind in found(report).values() if kind != "caution"]


def test_an_untrained_model_is_called_untrained() -> None:
    torch.manual_seed(0)
    report = diagnostics.audit(VAE(2, (48,), D), digits(), **SETTINGS)
    assert found(report) == {"untrained": "wrong"}  # and nothing else, which it would explain
    said = text_of(report, "untrained")
    assert "untrained" in said
    assert "training images too" in said
    assert f"fair coin ({-D * math.log(2):.0f} nats)" in said


def test_a_model_of_other_images_is_not_called_a_coin(good: VAE) -> None:
    data = digits()
    inverted = [replace(split, x=1 - split.x) for split in (data.train, data.test)]
    report = diagnostics.audit(good, inverted[1], inverted[0], **SETTINGS)
    assert found(report)["untrained"] == "wrong"
    assert "fair coin" not in text_of(report, "untrained")


def constant(x: Tensor) -> VAE:
    """A decoder that does not look at z, with each pixel's share of ink, and the prior as encoder."""
    model = VAE(2, (4,), D).requires_grad_(False)
    for network in (model.decoder.logits, model.encoder.parameters_of_q):
        network[-1].weight.zero_()
        network[-1].bias.zero_()
    model.decoder.logits[-1].bias.copy_(((x.sum(0) + 0.5) / (len(x) + 1)).logit())
    return model


def test_a_collapsed_model_is_called_collapsed_and_the_data_is_tried() -> None:
    data = digits()
    report = diagnostics.audit(constant(data.train.x[:2000]), data, **SETTINGS)
    assert found(report)["collapsed"] == "wrong"
    assert found(report)["cause"] == "suspicion"
    assert report.numbers["active"] == 0
    assert report.numbers["kl"] == pytest.approx(0, abs=1e-6)
    assert report.numbers["bound"] == pytest.approx(report.numbers["baseline"], abs=1e-3)
    assert report.numbers["fresh_gain"] > 2
    assert report.numbers["fresh_active"] > 0


def test_a_collapse_that_the_data_explains_is_not_blamed_on_the_loss() -> None:
    share = digits().train.x.mean(0)
    learnt, x = torch.bernoulli(share.expand(1_000, D)), torch.bernoulli(share.expand(150, D))
    report = diagnostics.audit(constant(learnt), x, learnt, **SETTINGS)
    assert found(report)["cause"] == "caution"
    assert "nothing to encode either" in text_of(report, "cause")
    alone = diagnostics.audit(constant(learnt), x, **SETTINGS)
    assert "Without 100 training images" in text_of(alone, "cause")
    assert "unseen" in found(alone)


def test_a_mean_over_pixels_is_suspected() -> None:
    report = diagnostics.audit(trained(averaged), digits(), **SETTINGS)
    assert found(report)["collapsed"] == "wrong"
    assert found(report)["cause"] == "suspicion"
    assert f"weigh the KL {D} times too much" in text_of(report, "cause")


@pytest.mark.parametrize(
    ("beta", "near"), [(6.0, "near 6, the weight that results where the pixels"), (3.0, "near 3, the weight that results where both")]
)
def test_a_mean_that_leaves_something_to_encode_is_known_by_its_weight(beta: float, near: str) -> None:
    model = linear(beta)
    report = diagnostics.audit(model, model.marginal.sample((200,)), model.marginal.sample((200,)), **SETTINGS)
    assert found(report)["beta"] == "suspicion"
    assert f"weighted by {beta:.2g}" in text_of(report, "beta")
    assert near in text_of(report, "beta")


def test_a_small_beta_is_suspected_without_a_mean() -> None:
    model = linear(0.4)
    report = diagnostics.audit(model, model.marginal.sample((200,)), **SETTINGS)
    assert found(report)["beta"] == "suspicion"
    assert "averaged" not in text_of(report, "beta")


def grey_loss(model: VAE, x: Tensor) -> Tensor:
    q = model.encoder(x)
    z = q.rsample()
    reconstruction = binary_cross_entropy_with_logits(model.decoder.logits(z), x, reduction="none").sum(1)
    return (reconstruction + kl_divergence(q, model.prior)).mean()


@pytest.mark.parametrize("scale", [1.0, 255.0])
def test_grey_pixels_are_found_and_the_numbers_are_of_binarised_ones(scale: float) -> None:
    torch.manual_seed(1)
    data, model = digits(), VAE(2, (48,), D)
    grey, adam = data.train.intensity, torch.optim.Adam(model.parameters(), 5e-3)
    for index in torch.randperm(3_000).split(100) * 3:
        adam.zero_grad()
        grey_loss(model, grey[index]).backward()
        adam.step()
    report = diagnostics.audit(model, scale * data.test.intensity, scale * grey, **SETTINGS)
    assert found(report)["grey"] == "wrong"
    ink = data.test.intensity[:150]
    assert f"{((ink > 0) & (ink < 1)).double().mean():.0%} of the pixels" in text_of(report, "grey")
    assert f"from 0 to {scale:g}" in text_of(report, "grey")
    assert "not black and white" in report.comparison
    assert report.numbers["bound"] == pytest.approx(exact_log_px(model, data.test.x[:150]).mean().item(), abs=2)  # another draw
    drawn, _ = module._black_and_white(model, scale * data.test.intensity, 300)
    assert drawn.unique().tolist() == [0, 1]
    assert drawn.mean().item() == pytest.approx(data.test.intensity.mean().item(), abs=0.004)  # four standard errors


def test_rounded_images_are_found(good: VAE) -> None:
    data = digits()
    rounded = replace(data.test, x=(data.test.intensity > 0.5).float())
    report = diagnostics.audit(good, replace(data, test=rounded), **SETTINGS)
    assert found(report)["rounded"] == "caution"
    assert "No published number" in report.comparison
    assert "rounded" not in found(diagnostics.audit(good, data, **SETTINGS))


def test_overfitting_is_found() -> None:
    few = digits().train.x[:150]
    report = diagnostics.audit(trained(latent_dim=10, epochs=200, x=few), digits().test.x, few, **SETTINGS)
    assert found(report)["overfitting"] == "caution"
    assert report.numbers["excess"] > 5
    assert abs(report.numbers["encoder_excess"]) < report.numbers["excess"]


def test_overfitting_of_the_encoder_is_told_from_that_of_the_decoder() -> None:
    model = linear(narrow=0.8)
    x, learnt = model.marginal.sample((40,)), model.marginal.sample((40,))
    right = model.encoder

    def encoder(images: Tensor):  # far off on images that it has not seen
        q = right(images)
        new = (images[:, None] == x).all(2).any(1, keepdim=True)
        return diagonal_normal(q.mean + 3.0 * new, q.variance.log())

    model.encoder = encoder
    report = diagnostics.audit(model, x, learnt, n_samples=100, n_polished=40)
    truth = closed(model, learnt)[0].mean() - closed(model, x)[0].mean()
    assert report.numbers["excess"] > truth + 5
    assert report.numbers["excess"] - report.numbers["encoder_excess"] == pytest.approx(truth.item(), abs=1.5)
    said = text_of(report, "overfitting")
    assert f"less by {report.numbers['encoder_excess']:.2f} ± {report.numbers['encoder_excess_error']:.2f} nats" in said
    assert "polished for each of 40 images" in said


def test_an_implied_beta_that_is_not_known_is_not_shown() -> None:
    data = digits()
    shown = {name: value for name, value, _ in diagnostics.audit(constant(data.train.x[:2000]), data, **SETTINGS).rows}
    assert shown["implied beta"] == "undetermined"
    model = linear()
    kept = {name: value for name, value, _ in diagnostics.audit(model, model.marginal.sample((60,)), n_samples=50, n_polished=3).rows}
    assert float(kept["implied beta"].split(" ± ")[0]) == pytest.approx(1, abs=0.1)


# ---------------------------------------------------------------- what it may be compared with


@pytest.mark.parametrize(
    ("name", "dynamic", "there", "absent"),
    [
        (
            "mnist",
            True,
            ["-86.76", "-85.54", "-84.78", "table 1", "60,000 training images", "dynamic row only", "binarised anew every epoch, so"],
            "-88.71",
        ),
        ("mnist", False, ["-88.71", "-87.63", "-87.10", "appendix D", "50,000 training images", "static row only"], "-86.76"),
        ("mnist", None, ["-86.76", "-88.71", "never beside both"], "row only"),
        ("static-mnist", None, ["-88.71", "static images of Larochelle and Murray"], "-86.76"),
        ("strokes", None, ["No paper has a number on these strokes"], "-8"),
        (None, None, ["does not know which images", "-86.76", "-88.71"], "row only"),
    ],
)
def test_rows_to_compare_with(name: str | None, dynamic: bool | None, there: list[str], absent: str, good: VAE) -> None:
    said = module._comparison(good, name, dynamic, {"k": 1000, "images": 300}, set())
    assert all(words in said for words in there)
    assert absent not in said
    assert ("k = 1,000 on 300 images" in said) == (name != "strokes")


def test_real_values_are_compared_in_their_unit() -> None:
    model = linear()
    report = diagnostics.audit(model, model.marginal.sample((40,)), n_samples=50, n_polished=3)
    assert "depends on their unit" in report.comparison
    assert "baseline" not in report.numbers


# ---------------------------------------------------------------- how it is shown


class Card(HTMLParser):
    """The caption, the cells of each row and the items of the list of a card."""

    def __init__(self, html: str):
        super().__init__()
        self.rows, self.items, self.caption, self.scopes, self.open, self.place = [], [], "", [], [], None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.open.append(tag)
        self.rows += [[]] if tag == "tr" else []
        self.items += [""] if tag == "li" else []
        self.scopes += [dict(attrs)["scope"]] if tag == "th" else []
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "caption" in self.open:
            self.caption += data
        elif "li" in self.open:
            self.items[-1] += data
        elif self.open and self.open[-1] in ("th", "td"):
            self.rows[-1][-1] += data


REPORT = Audit(
    "Audit of <a> VAE",
    (("ELBO", "-98.10 ± 0.80", "held out & so on"), ("rate, KL(q || prior)", "20.00 ± 0.10", "a < b")),
    (module.Finding("grey", "wrong", "Pixels <i> are < 1."),),
    "With nothing.",
    {},
)


def test_the_card_is_a_table_that_can_be_read_aloud() -> None:
    card = Card(REPORT._repr_html_())
    assert card.open == []
    assert card.caption == REPORT.title
    assert card.scopes == ["col"] * 3 + ["row"] * 2
    assert card.rows == [["what", "value", "meaning"], *map(list, REPORT.rows)]
    assert card.items == ["wrong: Pixels <i> are < 1."]  # the kind in words, not by a colour alone


def test_the_text_says_the_same() -> None:
    assert repr(REPORT).splitlines() == [
        "Audit of <a> VAE",
        "ELBO                  -98.10 ± 0.80  held out & so on",
        "rate, KL(q || prior)   20.00 ± 0.10  a < b",
        "Findings",
        "- wrong: Pixels <i> are < 1.",
        "Comparison",
        "- With nothing.",
    ]
    nothing = replace(REPORT, findings=())
    assert "found nothing wrong" in repr(nothing)
    assert Card(nothing._repr_html_()).items == [module.NOTHING]


def test_it_is_found_where_the_other_diagnostics_are() -> None:
    assert diagnostics.audit is module.audit
    assert "audit" in dir(diagnostics)
    with pytest.raises(AttributeError, match="no attribute 'audits'"):
        _ = diagnostics.audits


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda m, x: diagnostics.audit(LinearGaussian(D, 2), x), ValueError, "LinearGaussian has none"),
        (lambda m, x: diagnostics.audit(m, x.numpy()), TypeError, "must be a torch tensor"),
        (lambda m, x: diagnostics.audit(m, x[:, :5]), ValueError, r"shape \(B, 196\)"),
        (lambda m, x: diagnostics.audit(m, x[:1]), ValueError, "two images at least"),
        (lambda m, x: diagnostics.audit(m, 2 * x - 1), ValueError, "undo the standardisation"),
        (lambda m, x: diagnostics.audit(m, x / 0), ValueError, "found NaN"),
        (lambda m, x: diagnostics.audit(m, x, n_samples=24), ValueError, "n_samples must be at least 25"),
        (lambda m, x: diagnostics.audit(m, x, dynamic="yes"), TypeError, "dynamic must be True or False, or None .*; got 'yes'"),
        (lambda m, x: diagnostics.audit(m, x, n_images=1), ValueError, "n_images must be at least 2"),
    ],
)
def test_bad_requests_are_refused(ask, error: type[Exception], says: str, good: VAE) -> None:
    with pytest.raises(error, match=says):
        ask(good, digits().test.x[:4])


def test_the_examples_in_the_docstrings_are_right() -> None:
    result = doctest.testmod(module)
    assert result.failed == 0
    assert result.attempted >= 10
