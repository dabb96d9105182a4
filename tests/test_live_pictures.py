"""Live figures of what a decoder draws: the data handed over, the sentence of the still, and the scripts' mathematics in Node."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.distributions import LogNormal, NegativeBinomial, Normal

from vaecourse import data, diagnostics, models, oracles, strokes, tables, widgets
from vaecourse.tabular import TabularVAE
from vaecourse.widgets.explorers import pictures
from vaecourse.widgets.live import bundled, packed, uniform

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="runs the scripts of the figures in Node")


@pytest.fixture(scope="module")
def digits():
    return data.load_digits("strokes").test


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(0)
    return models.VAE(2, (8,)).requires_grad_(False)


@pytest.fixture(scope="module")
def mixed():
    torch.manual_seed(1)
    return models.VAE(2, (8,), prior=models.MixturePrior(2, 3)).requires_grad_(False)


@pytest.fixture(scope="module")
def tabular():
    """A table with all four kinds of columns, and a small network with large weights, so that rows differ."""
    torch.manual_seed(0)
    table = tables.load_players()
    model = TabularVAE(table.columns, 2, (8, 8)).requires_grad_(False)
    for weight in model.decoder.parameters():
        weight.mul_(2.5)
    return model, table


@pytest.fixture(scope="module")
def snapshots(vae):
    return {epoch: {name: w * (1 + epoch / 4) for name, w in vae.state_dict().items()} for epoch in (6, 1, 2)}


@pytest.fixture(scope="module")
def replay(vae, snapshots, digits):
    return widgets.training_replay(vae, snapshots, digits.x[:80], digits.labels[:80])


@pytest.fixture(scope="module")
def priors(vae, mixed, digits):
    return widgets.choose_a_prior({"N(0, I)": vae, "mixture": mixed}, digits.x[:40], digits.labels[:40])


@pytest.fixture(scope="module")
def live(tabular, replay, priors):
    return {
        "draw_a_digit": widgets.draw_a_digit(),
        "table_plane": widgets.table_plane(*tabular, "position"),
        "choose_a_prior": priors,
        "training_replay": replay,
    }


def numbers(text):
    return [float(n.replace(",", "")) for n in re.findall(r"(?<![\w.])-?\d[\d,]*\.?\d*", text)]


def node(name, expression, values):
    """What an expression of the functions of a figure's script gives; `data` in it are the values as the page unpacks them."""
    code = "\n".join(
        [
            bundled(name),
            f"const data = unpack({json.dumps(packed(values))});",
            f"console.log(JSON.stringify({expression}));",
        ]
    )
    done = subprocess.run(["node", "--input-type=module"], input=code, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-500:]
    return json.loads(done.stdout)


NAMES = ["draw_a_digit", "table_plane", "choose_a_prior", "training_replay"]


@pytest.mark.parametrize("name", NAMES)
def test_the_still_and_the_page_fragment_are_complete_and_small(live, name):
    figure = live[name]
    assert figure.png.startswith(b"\x89PNG")
    assert figure.sentence in repr(figure)
    html = figure.html()
    assert len(html) < 350_000
    held = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])
    assert held.keys() == figure.data.keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_function_leaves_the_random_stream_alone(name, vae, mixed, tabular, snapshots, digits):
    before = torch.get_rng_state()
    x, labels = digits.x[:8], digits.labels[:8]
    {
        "draw_a_digit": lambda: widgets.draw_a_digit(),
        "table_plane": lambda: widgets.table_plane(*tabular, "foot"),
        "choose_a_prior": lambda: widgets.choose_a_prior({"one": mixed}, x, labels),
        "training_replay": lambda: widgets.training_replay(vae, snapshots, x, labels),
    }[name]()
    assert torch.equal(torch.get_rng_state(), before)


# ---------------------------------------------------------------- draw_a_digit


def test_the_digit_says_how_many_pixels_its_coins_blacken(live):
    figure = live["draw_a_digit"]
    label, slant, thickness, scale, wobble, black, _ = numbers(figure.sentence)
    factors = np.array([[slant, thickness, scale, 1, 0, wobble, 0, wobble, 0, 0]])
    ink = strokes.draw(np.array([int(label)]), factors)[0]
    assert black == (uniform(784) < ink).sum()
    assert 50 < black < 200


@needs_node
def test_the_script_draws_the_ink_of_strokes_for_any_factors(live):
    rng = np.random.default_rng(3)
    labels, factors = strokes.sample_factors(rng, 60)
    factors[:, -1] = 0  # the way of writing whose curves are handed over
    factors[0, 5:9] = 2.5
    expected = strokes.draw(labels, factors)
    values = {"labels": labels.tolist(), "factors": factors.astype(float).tolist(), **live["draw_a_digit"].data}
    drawn = "data.labels.map((d, i) => Array.from(ink(framed(data.curves[d], data.aspects[d], data.factors[i]), data.factors[i][1])))"
    found = np.array(node("draw_a_digit", drawn, values))
    assert np.abs(found - expected).max() < 1e-3
    assert np.abs(expected - expected[::-1]).max() > 0.9  # the digits do differ


# ---------------------------------------------------------------- table_plane


def test_the_row_at_the_start_is_what_the_decoder_expects_there(live, tabular):
    (model, table), sentence = tabular, live["table_plane"].sentence
    torch.manual_seed(1)
    rows = table.decode(model.decoder(torch.tensor([0.5, 0.5])).sample((40_000,)))
    position, share = re.search(r"position (\w+) with probability ([\d.]+)", sentence).groups()
    shares = rows["position"].value_counts(normalize=True)
    assert shares[position] == pytest.approx(float(share), abs=0.015)
    assert shares[position] == pytest.approx(shares.max(), abs=0.01)
    said = {name: numbers(value)[0] for name, value in re.findall(r"(\w+) (-?[\d,.]*\d)", sentence.split("on average ")[1])}
    assert set(said) == {column.name for column in table.columns if column.kind != "category"}
    for name, mean in said.items():
        assert mean == pytest.approx(rows[name].mean(), abs=5 * rows[name].std() / 200 + 6e-3 * abs(mean)), name


@needs_node
def test_the_script_expects_the_means_of_torch_distributions(live, tabular):
    (model, table), values = tabular, live["table_plane"].data
    z = torch.tensor([[0.5, 0.5], [-3.2, 1.7], [4.0, -4.0], [0.0, 2.1]])
    expression = "data.z.map((z) => expected(data.columns, new Network(data.layers).forward(z), data.floor))"
    found = node("table_plane", expression, values | {"z": z.tolist()})
    raw = model.decoder.parameters_of_cells(z).double()
    for row, parameters in zip(found, raw):
        at = 0
        for column, cell in zip(table.columns, row):
            if column.kind == "category":
                p = parameters[at : at + len(column.categories)].softmax(0)
                assert cell["probabilities"] == pytest.approx(p.tolist(), abs=1e-5)
                at += len(column.categories)
                continue
            a, b = parameters[at], parameters[at + 1]
            at += 2
            if column.kind == "count":
                c = torch.nn.functional.softplus(b + 2) + 0.05
                mean = NegativeBinomial(c, logits=(column.shift + a).clamp(max=15) - c.log()).mean
                unit = (mean.log1p() - column.shift) / column.scale
            else:
                scale = torch.nn.functional.softplus(b + 0.55) + values["floor"]
                law = LogNormal if column.kind == "positive" else Normal
                mean, unit = law(column.shift + column.scale * a, column.scale * scale).mean, a
            assert cell["raw"] == pytest.approx(mean.item(), rel=1e-4)
            assert cell["unit"] == pytest.approx(unit.item(), abs=1e-4)


def test_the_codes_are_the_means_of_q_of_the_held_out_rows_by_name(live, tabular):
    (model, table), figure = tabular, live["table_plane"]
    assert sum(len(codes) for codes in figure.data["codes"]) == len(table.test)
    goalkeepers = table.test[table.test[:, table["position"]] == figure.data["names"].index("goalkeeper")]
    assert torch.allclose(figure.data["codes"][figure.data["names"].index("goalkeeper")], model.encoder(goalkeepers).mean)


def test_the_row_to_find_exists_and_is_not_at_the_start(live, tabular):
    (model, table), goal = tabular, live["table_plane"].data["goal"]
    at = table["position"]
    z = torch.cartesian_prod(torch.linspace(-4, 4, 81), torch.linspace(-4, 4, 81))
    probs = model.decoder(z).parts[at].probs[:, goal["name"]]
    column, cell = table.columns[goal["column"]], model.decoder(z).parts[goal["column"]]
    assert ((probs > goal["probability"]) & (pictures._mean(column, cell)[1] > goal["above"])).any()
    assert probs[(z - 0.5).norm(dim=1).argmin()] <= goal["probability"]
    assert table.columns[at].categories[goal["name"]] in goal["text"]


@pytest.mark.parametrize("most", range(4))
def test_the_name_to_find_is_never_the_one_at_the_start(tabular, most):
    model, table = tabular
    assert pictures._row_to_find(model, table, table["position"], most)["name"] != most


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (0.03124, "0.0312"), (25.34, "25.3"), (184.2, "184"), (1234.6, "1,235"), (-7.081, "-7.08")]
)
def test_numbers_are_said_with_three_digits_or_more(value, said):
    assert pictures.three_digits(value) == said
    if shutil.which("node"):
        assert node("table_plane", "threeDigits(data.value)", {"value": value}) == said


# ---------------------------------------------------------------- choose_a_prior


def test_the_density_is_the_cube_root_of_the_priors(priors, vae, mixed):
    for seen, model in zip(priors.data["models"], (vae, mixed)):
        density, n = seen["density"].double() / 255, pictures.GRID
        axis = torch.linspace(-seen["side"], seen["side"], n)
        for i, j in ((0, 0), (45, 45), (20, 60), (60, 20), (44, 10)):
            log_p = model.prior.log_prob(torch.stack([axis[i], axis[j]]))
            log_top = max(model.prior.log_prob(torch.cartesian_prod(axis, axis)))
            assert density[i * n + j].item() == pytest.approx(math.exp((log_p - log_top).item() / 3), abs=0.003)
        assert seen["density"].dtype == torch.uint8


def test_samples_come_from_the_prior_and_pictures_from_the_decoder(priors, vae, mixed):
    for seen, model in zip(priors.data["models"], (vae, mixed)):
        assert seen["samples"].shape == (36, 2)
        spread = model.prior.sample((4000,)).std(0)
        assert ((seen["samples"].mean(0) - model.prior.mean).abs() < 4 * spread / 6).all()
        assert (seen["pictures"] / 255 - torch.sigmoid(model.decoder.logits(seen["samples"]))).abs().max() < 0.5 / 255 + 1e-6
        far = (seen["samples"][:, None] - seen["codes"]).norm(dim=-1)
        assert torch.allclose(seen["distances"], far.amin(1), atol=1e-5)
        assert torch.equal(seen["nearest"], priors.data["labels"][far.argmin(1)])


def test_the_sentence_on_a_prior_says_its_first_sample_and_the_crowd(priors, vae, digits):
    first = priors.data["models"][0]
    crowd, sample, z1, z2, _, distance = numbers(priors.sentence.split("codes lies")[1])
    assert (sample, z1, z2) == (1, *(round(v, 1) for v in first["samples"][0].tolist()))
    assert distance == pytest.approx((first["codes"] - first["samples"][0]).norm(dim=1).min().item(), abs=0.006)
    assert crowd == pytest.approx(diagnostics.aggregate(vae.encoder(digits.x[:40]), vae.prior, 2000).crowd, abs=0.4)
    assert "of 40 codes" in priors.sentence


def test_the_sample_to_find_exists_and_is_rare(priors):
    distances = torch.cat([seen["distances"] for seen in priors.data["models"]])
    assert 1 <= (distances > priors.data["goal"]["distance"]).sum() <= 3


@needs_node
def test_the_script_lays_the_samples_out_row_by_row():
    images = torch.arange(36 * 4, dtype=torch.uint8).reshape(36, 2, 2)
    found = node("choose_a_prior", "Array.from(mosaic(data.images))", {"images": images})
    rows = [torch.cat(list(images[i : i + 6]), 1) for i in range(0, 36, 6)]
    assert found == pytest.approx((torch.cat(rows).flatten() / 255).tolist(), abs=1e-6)


# ---------------------------------------------------------------- training_replay


def test_the_replay_hands_over_codes_pictures_and_both_curves_in_the_order_of_epochs(replay, vae, snapshots, digits):
    held, x = replay.data, digits.x[:80]
    assert held["epochs"] == [1, 2, 6]
    for i, epoch in enumerate(held["epochs"]):
        model = models.VAE(2, (8,)).requires_grad_(False)
        model.load_state_dict(snapshots[epoch])
        mu = model.encoder(x).mean
        assert (held["codes"][i] / 1000 - mu).abs().max() < 6e-4
        assert (held["reconstructions"][i] / 255 - model.decoder(mu[:8]).mean).abs().max() < 0.5 / 255 + 1e-6
        assert held["exacts"][i] == pytest.approx(oracles.exact_log_px(model, x).mean().item(), abs=1e-3)
        torch.manual_seed(0)
        estimate = -torch.stack([model.loss(x) for _ in range(500)])
        assert held["bounds"][i] == pytest.approx(estimate.mean().item(), abs=5 * estimate.std().item() / 500**0.5)
    assert torch.equal(held["digits"], x[:8].to(torch.uint8))


def test_the_replay_says_the_numbers_of_its_epoch_and_leaves_the_model_as_it_is(vae, snapshots, digits):
    before = {name: w.clone() for name, w in vae.state_dict().items()}
    figure = widgets.training_replay(vae, snapshots, digits.x[:20], digits.labels[:20])
    assert all(torch.equal(before[name], w) for name, w in vae.state_dict().items())
    i, held = figure.data["start"], figure.data
    epoch, bound, exact, gap = numbers(figure.sentence.replace("log p(x)", ""))
    assert epoch == held["epochs"][i]
    assert (bound, exact, gap) == pytest.approx((held["bounds"][i], held["exacts"][i], held["exacts"][i] - held["bounds"][i]), abs=0.051)
    assert gap >= 0


@pytest.mark.parametrize(("bounds", "step"), [([-9.0, -5.1, -4.2, -4.0], 2), ([-9.0, -4.5, -6.0, -4.0], 1), ([-9.0, -4.0], 1)])
def test_the_epoch_to_find_is_the_first_within_a_nat_of_the_last(bounds, step):
    assert pictures._epoch_to_find(bounds)["step"] == step


def test_the_replay_names_the_first_and_the_last_gap(replay):
    gaps = [exact - bound for bound, exact in zip(replay.data["bounds"], replay.data["exacts"])]
    assert numbers(replay.still.axes[2].get_title(loc="left")) == pytest.approx([gaps[0], gaps[-1]], abs=0.051)


def test_a_replay_does_not_begin_where_its_goal_is(replay):
    assert replay.data["start"] != replay.data["goal"]["step"]


# ---------------------------------------------------------------- bad arguments


BAD = {
    "three latents": (lambda a: widgets.choose_a_prior({"m": models.VAE(3, (4,))}, a.x, a.labels), "two latents"),
    "no model": (lambda a: widgets.choose_a_prior({}, a.x, a.labels), "at least one"),
    "no encoder": (lambda a: widgets.choose_a_prior({"m": models.LatentVariableModel(2, (4,))}, a.x, a.labels), "encoder"),
    "not a model": (lambda a: widgets.choose_a_prior({"m": "vae"}, a.x, a.labels), "two latents"),
    "told the class": (lambda a: widgets.choose_a_prior({"m": models.ConditionalVAE(2, (4,))}, a.x, a.labels), "classes"),
    "too few labels": (lambda a: widgets.choose_a_prior({"m": a.vae}, a.x, a.labels[:3]), "labels"),
    "labels beyond nine": (lambda a: widgets.choose_a_prior({"m": a.vae}, a.x, a.labels + 10), "labels"),
    "labels in a list": (lambda a: widgets.choose_a_prior({"m": a.vae}, a.x, a.labels.tolist()), "labels"),
    "pictures that are not square": (lambda a: widgets.choose_a_prior({"m": models.VAE(2, (4,), 12)}, a.x[:, :12], a.labels), "square"),
    "one image": (lambda a: widgets.choose_a_prior({"m": a.vae}, a.x[0], a.labels), "shape"),
    "replay of three latents": (lambda a: widgets.training_replay(models.VAE(3, (4,)), a.snapshots, a.x, a.labels), "two latents"),
    "a single snapshot": (lambda a: widgets.training_replay(a.vae, {1: a.vae.state_dict()}, a.x, a.labels), "two snapshots"),
    "few digits": (lambda a: widgets.training_replay(a.vae, a.snapshots, a.x[:7], a.labels[:7]), "8 digits"),
    "snapshots of another model": (
        lambda a: widgets.training_replay(a.vae, {e: models.VAE(2, (5,)).state_dict() for e in (1, 2)}, a.x, a.labels),
        "epoch 1",
    ),
    "replay with few labels": (lambda a: widgets.training_replay(a.vae, a.snapshots, a.x, a.labels[:5]), "labels"),
    "a table's model of four latents": (lambda a: widgets.table_plane(TabularVAE(a.table.columns, 4), a.table, "position"), "two latents"),
    "a model of another table": (lambda a: widgets.table_plane(TabularVAE(a.table.columns[1:], 2), a.table, "position"), "columns"),
    "not a table's model": (lambda a: widgets.table_plane(a.vae, a.table, "position"), "TabularVAE"),
    "by a number": (lambda a: widgets.table_plane(a.tabular, a.table, "age"), "position"),
    "by an unknown column": (lambda a: widgets.table_plane(a.tabular, a.table, "shoe"), "no column 'shoe'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused_with_what_was_expected(case, vae, tabular, snapshots, digits):
    call, words = BAD[case]
    given = SimpleNamespace(vae=vae, tabular=tabular[0], table=tabular[1], snapshots=snapshots, x=digits.x[:10], labels=digits.labels[:10])
    with pytest.raises(ValueError, match=words):
        call(given)


@pytest.mark.parametrize("bad", [-math.inf, math.nan])
def test_weights_that_have_no_place_in_the_figure_are_refused(bad):
    log_w = torch.zeros(64)
    log_w[3] = bad
    with pytest.raises(ValueError, match="log_w holds NaN or infinity"):
        widgets.how_many_draws(log_w)


def test_a_table_without_numbers_with_a_name_that_no_held_out_row_has(tmp_path):
    rows = ["fruit,colour"] + ["apple,red", "pear,green", "plum,blue"] * 40
    (tmp_path / "fruit.csv").write_text("\n".join(rows))
    table = tables.load_table(tmp_path / "fruit.csv")
    table = dataclasses.replace(table, test=table.test[table.test[:, 0] != 2])
    figure = widgets.table_plane(TabularVAE(table.columns, 2, (4,)), table, "fruit")
    assert re.fullmatch(r"z = \(0\.5, 0\.5\): fruit (apple|pear|plum) with probability 0\.\d\d\.", figure.sentence)
    assert [len(codes) for codes in figure.data["codes"]][2] == 0
