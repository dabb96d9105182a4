"""The explorers: pictures that follow their controls, and sentences that say the right numbers."""

from __future__ import annotations

import asyncio
import base64
import io
import math
import re
from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaecourse import data, estimators, models, oracles, plots, tables, widgets
from vaecourse.diagnostics import aggregate
from vaecourse.tabular import TabularVAE
from vaecourse.widgets import frame

WITHOUT_ARGUMENTS = ["draw_a_digit", "estimate_px", "move_the_proposal", "the_kl", "two_gradients"]


@pytest.fixture(scope="module")
def digits():
    return data.load_digits("strokes")


@pytest.fixture(scope="module")
def model():
    return models.pretrained("strokes")


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(0)
    return models.VAE(2).requires_grad_(False)


@pytest.fixture(scope="module")
def tabular():
    torch.manual_seed(0)
    table = tables.load_players()
    return TabularVAE(table.columns, 2).requires_grad_(False), table


@pytest.fixture(scope="module")
def boxes(digits, model, vae, tabular):
    x, labels = digits.test.x[:20], digits.test.labels[:20]
    snapshots = {epoch: {k: v + 0.02 * epoch for k, v in vae.state_dict().items()} for epoch in (1, 2, 6)}
    log_w = estimators.log_weights(vae, x[:1], 1024)[:, 0]
    made = {name: getattr(widgets, name)() for name in WITHOUT_ARGUMENTS}
    made["latent_plane"] = widgets.latent_plane({"first": model, "second": vae}, x)
    made["the_gap"] = widgets.the_gap(model, x[:1])
    made["training_replay"] = widgets.training_replay(vae, snapshots, x, labels)
    made["table_plane"] = widgets.table_plane(*tabular, "position")
    made["how_many_draws"] = widgets.how_many_draws(log_w, oracles.exact_log_px(vae, x[:1]).item())
    mixture = models.VAE(2, prior=models.MixturePrior(2, 3)).requires_grad_(False)
    made["choose_a_prior"] = widgets.choose_a_prior({"standard": vae, "mixture": mixture}, x, labels)
    return made


NAMES = [*WITHOUT_ARGUMENTS, "latent_plane", "the_gap", "training_replay", "how_many_draws", "table_plane", "choose_a_prior"]


def step(control):
    """One step of a control, as an arrow key would make it."""
    if hasattr(control, "step"):
        control.value = control.value + control.step if control.value + control.step <= control.max else control.value - control.step
    else:
        i = control.options.index(control.value)
        control.value = control.options[(i + 1) % len(control.options)]


def numbers(text):
    return [float(n.replace(",", "").replace("−", "-")) for n in re.findall(r"[-+−]?\d[\d,]*\.?\d*", text)]


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_a_name_and_changes_picture_and_sentence(boxes, name):
    box = boxes[name]
    for control in box.controls.values():
        assert control.description
        picture, sentence, plain = box.picture, box.sentence, repr(box)
        step(control)
        assert box.picture != picture, control.description
        assert box.sentence != sentence, control.description
        assert repr(box) != plain
        assert box.sentence in box.children[3].value


@pytest.mark.parametrize("name", NAMES)
def test_without_a_kernel_the_picture_and_a_description_stand_in_the_output(boxes, name):
    bundle = boxes[name]._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == boxes[name].picture
    assert boxes[name].picture.startswith(b"\x89PNG")
    assert bundle["text/plain"] == repr(boxes[name])
    assert len(repr(boxes[name]).split()) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_an_explorer_leaves_the_random_stream_alone(boxes, name):
    before = torch.get_rng_state()
    step(next(iter(boxes[name].controls.values())))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_the_same_whatever_style_the_reader_has_set(boxes, name):
    import matplotlib.pyplot as plt

    control = next(iter(boxes[name].controls.values()))
    step(control)
    value, plain = control.value, boxes[name].picture
    step(control)
    with plt.style.context(
        ["dark_background", {"font.size": 17, "lines.linewidth": 5, "savefig.dpi": 40, "text.hinting": "force_autohint"}]
    ):
        control.value = value
    assert boxes[name].picture == plain


def test_no_figure_is_left_open(boxes):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    step(boxes["the_kl"].controls["mu"])
    assert plt.get_fignums() == before


def test_the_kl_is_that_of_torch(boxes):
    box = boxes["the_kl"]
    for mu, sigma in ((0.0, 1.0), (-2.0, 0.3), (3.0, 2.5)):
        box.controls["mu"].value, box.controls["sigma"].value = mu, sigma
        assert numbers(box.sentence)[-1] == pytest.approx(kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).item(), abs=0.006)


def test_elbo_and_kl_come_from_two_rules_and_add_up_to_log_px(boxes, digits, model):
    box, exact = boxes["the_gap"], oracles.exact_log_px(model, digits.test.x[:1]).item()
    for shift, width in ((0.0, 0.05), (-0.1, 0.1), (0.2, 0.2)):
        box.controls["z1"].value += shift
        box.controls["s1"].value = width
        bound, kl, total, log_px = numbers(re.sub(r"(ELBO|KL) ", "", box.sentence).replace(" + ", " ").replace("(x)", ""))
        assert log_px == pytest.approx(exact, abs=0.06)
        assert total == pytest.approx(exact, abs=0.2)
        assert bound <= exact + 0.1
        assert kl >= -0.1


def test_naive_estimates_die_beyond_the_cliff_and_live_in_log_space(boxes):
    box = boxes["estimate_px"]
    box.controls["side"].value, box.controls["how"].value = 60, "float32"
    assert "200 of 200 estimates are exactly 0" in box.sentence
    box.controls["how"].value = "log space"
    assert "exactly 0" not in box.sentence
    box.controls["side"].value, box.controls["log_n"].value = 10, 12
    nodes, weights = (torch.from_numpy(a) for a in __import__("numpy").polynomial.hermite_e.hermegauss(60))
    p = torch.sigmoid(1.4 + nodes / 2)
    exact = ((p**80 * (1 - p) ** 20) @ weights / math.sqrt(2 * math.pi)).log().item()
    assert f"log p(x) = {exact:.1f}" in box.sentence


def test_a_narrow_proposal_is_a_trap_and_the_posterior_itself_is_perfect(boxes):
    box = boxes["move_the_proposal"]
    box.controls["mean"].value, box.controls["width"].value = 1.0, 0.4
    assert "Effective sample size 1000 of 1,000" in box.sentence
    assert "infinite" not in box.sentence
    box.controls["width"].value = 0.2
    assert "infinite" in box.sentence


def test_two_gradients_have_the_variances_of_theory(boxes):
    box = boxes["two_gradients"]
    box.controls["dims"].value, box.controls["samples"].value = 20, 16
    # f z_1 with f = sum (z_k - 1)^2: E[f^2 z_1^2] - 4; the pathwise slope has variance 4.
    z = torch.randn(400_000, 20, generator=torch.Generator().manual_seed(1)).double()
    theory = ((z - 1).square().sum(1) * z[:, 0]).var().item() / 4
    assert numbers(box.sentence)[2] == pytest.approx(theory, rel=0.25)


def test_a_replay_leaves_the_model_as_it_is(boxes, vae):
    before = {k: v.clone() for k, v in vae.state_dict().items()}
    for value in (0, 2, 1):
        boxes["training_replay"].controls["step"].value = value
        assert boxes["training_replay"].sentence.startswith(f"After epoch {(1, 2, 6)[value]}:")
    assert all(torch.equal(before[k], v) for k, v in vae.state_dict().items())


def test_the_bound_rises_with_the_number_of_draws(boxes):
    box, means = boxes["how_many_draws"], []
    for value in range(box.controls["log_k"].max + 1):
        box.controls["log_k"].value = value
        means.append(numbers(box.sentence)[1])
    assert means == sorted(means)


def test_a_prior_is_drawn_from_and_its_distance_from_the_crowd_is_told(boxes, digits, vae):
    box = boxes["choose_a_prior"]
    box.controls["which"].value = "standard"
    x = digits.test.x[:20]
    found = aggregate(vae.encoder(x), vae.prior, 2000).crowd
    assert numbers(box.sentence.partition("lies")[2])[0] == pytest.approx(found, abs=0.5)
    draws = []
    for number in range(1, 31):
        box.controls["number"].value = number
        draws.append(numbers(box.sentence.partition("z =")[2])[:2])
    draws = torch.tensor(draws)
    assert draws.mean(0).abs().max() < 4 / 30**0.5
    assert 0.4 < draws.std() < 1.6


def test_a_click_on_the_plane_moves_the_point(boxes):
    box = boxes["latent_plane"]
    ax = box.figure.axes[0]
    width, height = box.figure.bbox.size
    for z in ((1.0, -2.0), (-0.5, 2.5)):
        across, up = ax.transData.transform(z)
        box.children[-1].at = [across / width, 1 - up / height, 0]
        assert (box.controls["z1"].value, box.controls["z2"].value) == pytest.approx(z, abs=0.051)
    box.children[-1].at = [0.99, 0.5, 1]  # on another panel
    assert (box.controls["z1"].value, box.controls["z2"].value) == pytest.approx((-0.5, 2.5), abs=0.051)


def test_the_plane_of_a_table_says_the_means_of_many_sampled_rows(boxes, tabular):
    box, (model, table) = boxes["table_plane"], tabular
    box.controls["z1"].value, box.controls["z2"].value = -1.2, 0.7
    torch.manual_seed(1)
    rows = table.decode(model.decoder(torch.tensor([-1.2, 0.7])).sample((40_000,)))
    position, share = re.search(r"position (\w+) with probability ([\d.]+)", box.sentence).groups()
    assert (rows["position"] == position).mean() == pytest.approx(float(share), abs=0.015)
    assert (rows["position"] == position).mean() == pytest.approx(rows["position"].value_counts(normalize=True).max(), abs=0.01)
    said = {name: numbers(value)[0] for name, value in re.findall(r"(\w+) ([\d,.]*\d)", box.sentence.split("on average ")[1])}
    assert set(said) == {column.name for column in table.columns if column.kind != "category"}
    for name, mean in said.items():
        assert mean == pytest.approx(rows[name].mean(), abs=5 * rows[name].std() / 200 + 1e-3 * mean), name


def test_a_click_on_the_plane_of_a_table_moves_the_cross(boxes):
    box = boxes["table_plane"]
    width, height = box.figure.bbox.size
    across, up = box.figure.axes[0].transData.transform((1.5, -0.4))
    box.children[-1].at = [across / width, 1 - up / height, 0]
    assert (box.controls["z1"].value, box.controls["z2"].value) == pytest.approx((1.5, -0.4), abs=0.051)


def test_quick_moves_of_the_reader_are_drawn_once_with_the_last_value(monkeypatch):
    kernel = SimpleNamespace(get_parent=lambda: {"header": {"msg_type": "comm_msg"}})
    box = widgets.the_kl()
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=kernel))
    drawn = []
    original = frame.png
    monkeypatch.setattr(frame, "png", lambda fig, narrow: drawn.append(1) or original(fig))

    async def press() -> None:
        for _ in range(10):
            step(box.controls["mu"])
        assert not drawn
        await asyncio.sleep(0.5)

    asyncio.run(press())
    assert len(drawn) == 1
    assert f"Mean {box.controls['mu'].value:.1f}" in box.sentence


@pytest.mark.parametrize("panels", [1, 2, 3, 4])
def test_in_a_narrow_window_the_panels_stand_below_each_other(panels):
    from matplotlib import image as reader

    fig, _ = plots.figure([f"Panel {i}" for i in range(panels)], "x", "y", size=(9, 3))
    drawn = reader.imread(io.BytesIO(frame.png(fig, narrow=True)))
    assert drawn.shape[1] <= 380
    boxes = [ax.get_position() for ax in fig.axes]
    columns = 2 if panels == 4 else 1
    for i, box in enumerate(boxes):
        assert all(box.y1 < above.y0 for above in boxes[: i // columns * columns])
        assert box.width > 0.25


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_no_words_are_cut(boxes, name, narrow):
    box = boxes[name]
    words = box.controls.get("how")
    if words is not None:  # the longest title
        words.value = max(words.options, key=len)
    fig = box.figure
    frame.png(fig, narrow)
    fig.draw_without_rendering()  # at its own resolution, no longer at that of the picture
    edge = fig.bbox.padded(1)
    for ax in fig.axes:
        for text in [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]:
            if text.get_visible() and text.get_text():
                at = text.get_window_extent()
                assert edge.contains(at.x0, at.y0), text.get_text()
                assert edge.contains(at.x1, at.y1), text.get_text()
