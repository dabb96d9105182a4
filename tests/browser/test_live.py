"""Live figures in a real browser: the numbers of the package, by keyboard, mouse and touch, wide and narrow, light and dark."""

from __future__ import annotations

import math
import re

import lab
import numpy as np
import pages
import pytest
import torch
from torch.distributions import Normal

from vaecourse import data, models, oracles
from vaecourse.diagnostics import exact_elbo
from vaecourse.distributions import diagonal_normal, gaussian_kl
from vaecourse.logspace import effective_sample_size, log_mean_exp
from vaecourse.regression.compare import compare
from vaecourse.widgets import live
from vaecourse.widgets.explorers.plane import hermite

pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
pytestmark = pytest.mark.skipif(lab.chromium() is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def page():
    with lab.browser(1000, 900) as page:
        yield page


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.getbasetemp()


# ---------------------------------------------------------------- the mathematics


def run(page, expression: str, *arguments):
    """The value of an expression of mathematics.js; a, b, c … are the arguments."""
    names = ", ".join("abcdefgh"[: len(arguments)])
    page.goto("about:blank")
    return page.evaluate(f"([{names}]) => {{ {live.bundled('mathematics')}\nreturn {expression} }}", list(arguments))


def test_log_space(page) -> None:
    values = [-1000.0, -1001.5, -999.2, 3.0, -math.pi]
    t = torch.tensor(values, dtype=torch.float64)
    assert run(page, "logSumExp(a)", values) == pytest.approx(float(t.logsumexp(0)), abs=1e-9)
    assert run(page, "logMeanExp(a)", values[:3]) == pytest.approx(float(log_mean_exp(t[:3], 0)), abs=1e-9)
    assert run(page, "effectiveSampleSize(a)", values[:3]) == pytest.approx(float(effective_sample_size(t[:3], 0)), abs=1e-9)
    assert run(page, "[logSumExp([-Infinity, -Infinity]), logSumExp([-Infinity, 2])].map(String)") == ["-Infinity", "2"]


def test_densities_and_the_divergence(page) -> None:
    z = [-3.0, 0.0, 0.7, 12.0]
    expected = Normal(0.4, 1.7).log_prob(torch.tensor(z, dtype=torch.float64)).tolist()
    assert run(page, "a.map((z) => normalLogProb(z, 0.4, 1.7))", z) == pytest.approx(expected, abs=1e-6)
    expected = torch.nn.functional.logsigmoid(torch.tensor([*z, -800.0], dtype=torch.float64)).tolist()
    assert run(page, "a.map(logSigmoid)", [*z, -800.0]) == pytest.approx(expected, abs=1e-9)
    mu, sigma = torch.tensor([[0.7, -2.0]]).double(), torch.tensor([[0.3, 1.6]]).double()
    kl = run(page, "gaussianKl(a, b)", mu[0].tolist(), sigma[0].tolist())
    assert kl == pytest.approx(float(gaussian_kl(mu, 2 * sigma.log())), abs=1e-9)


def test_mean_and_standard_deviation(page) -> None:
    values = torch.randn(50, generator=torch.Generator().manual_seed(0)).double()
    assert run(page, "[mean(a), std(a)]", values.tolist()) == pytest.approx([float(values.mean()), float(values.std())], abs=1e-9)


def test_numbers_of_sixteen_bits(page) -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([np.exp(rng.uniform(-20, 11, 300)), [0.0, 6e-8, 3e-8, 65504.0, 65519.0, 65521.0, 1 + 2**-11, 1 + 3 * 2**-11]])
    with np.errstate(over="ignore"):
        expected = values.astype(np.float16).astype(float).tolist()
    found = run(page, "a.map((v) => String(toFloat16(v)))", values.tolist())
    assert [float(v.replace("Infinity", "inf")) for v in found] == expected


def test_the_generator_is_the_same_in_both_languages(page) -> None:
    for seed in (0, 7, 123_456):
        assert run(page, "Array.from({ length: 100 }, (_, i) => uniform(i, a))", seed) == pytest.approx(
            live.uniform(100, seed).tolist(), abs=1e-12
        )
        assert run(page, "Array.from(normals(101, a))", seed) == pytest.approx(live.normals(101, seed).tolist(), abs=1e-9)


def test_what_is_packed_in_python_is_unpacked_in_the_page(page) -> None:
    given = {"a": torch.arange(6.0), "b": [torch.tensor([1, 255], dtype=torch.uint8)], "c": np.array([1.5, -2.25]), "d": None, "e": "text"}
    code = live.bundled("kit")
    got = page.evaluate(f"(d) => {{ {code}\nconst u = unpack(d); return [[...u.a], [...u.b[0]], [...u.c], u.d, u.e] }}", live.packed(given))
    assert got == [[0, 1, 2, 3, 4, 5], [1, 255], [1.5, -2.25], None, "text"]


def test_four_nodes_at_once_are_decoded_as_in_python(page) -> None:
    model, z = models.pretrained("strokes"), torch.tensor([[0.0, 0.0], [-1.5, 0.3], [2.0, -3.0], [0.7, 4.0]])
    with torch.no_grad():
        expected = model.decoder.logits(z)
    layers = live.packed(live.layers(model.decoder.logits))
    page.goto("about:blank")
    found = page.evaluate(
        f"([layers, z]) => {{ {live.bundled('draw_your_own')}\nreturn Array.from(new Decoder(unpack(layers)).forwardFour(z)) }}",
        [layers, z.tolist()],
    )
    assert (torch.tensor(found).view(784, 4).T - expected).abs().max() < 0.01  # weights are sent as 16-bit numbers


def joint(model, x, side: int = 97, reach: float = 4.0):
    axis = torch.linspace(-reach, reach, side)
    z = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        return (model.decoder(z[:, None]).log_prob(x) + model.prior.log_prob(z)[:, None]).T


def test_log_px_and_elbo_of_ten_digits_are_those_of_the_oracle(page) -> None:
    model, x = models.pretrained("strokes"), data.load_digits("strokes").test.x[:10]
    exact, grid = oracles.exact_log_px(model, x, tol=1e-3), oracles.posterior_grid(model, x, n=400)
    mean = grid.probs @ grid.z
    sd = torch.stack([(p[:, None] * (grid.z - m) ** 2).sum(0).sqrt() for p, m in zip(grid.probs, mean)])
    ellipses = [(mean + shift, sd * scale) for shift, scale in ((0.0, 1.0), (0.05, 1.0), (-0.04, 0.5), (0.02, 2.0), (0.1, 3.0))]
    bounds = [exact_elbo(model, x, diagonal_normal(m, 2 * s.log())).tolist() for m, s in ellipses]
    page.goto("about:blank")
    found = page.evaluate(
        f"""([layers, xs, scores, qs, rule]) => {{ {live.bundled("draw_your_own")}
            const decoder = new Decoder(unpack(layers));
            return xs.map((x, i) => {{
                const at = (a, b) => decoder.logJoint(x, [a, b]), coarse = new Lattice(scores[i], 4);
                return [logEvidence(coarse, 3, at).logPx, ...qs.map(([m, s]) => elbo(at, m[i], s[i], rule))];
            }}) }}""",
        [
            live.packed(live.layers(model.decoder.logits)),
            x.tolist(),
            joint(model, x).tolist(),
            [[m.tolist(), s.tolist()] for m, s in ellipses],
            hermite(),
        ],
    )
    found = torch.tensor(found, dtype=torch.float64)
    assert (found[:, 0] - exact).abs().max() < 0.01
    assert (found[:, 1:].T - torch.tensor(bounds)).abs().max() < 0.01


def test_a_wide_posterior_is_integrated_on_the_lattice_without_asking_the_decoder(page) -> None:
    torch.manual_seed(0)
    model = models.VAE(2).requires_grad_(False)  # never trained: the posterior is nearly the prior
    x = data.load_digits("strokes").test.x[:3]
    page.goto("about:blank")
    found = page.evaluate(
        f"""(scores) => {{ {live.bundled("draw_your_own")}
            const never = () => {{ throw Error("the decoder was asked") }};
            return scores.map((values) => logEvidence(new Lattice(values, 4), 3, never).logPx) }}""",
        joint(model, x).tolist(),
    )
    assert (torch.tensor(found) - oracles.exact_log_px(model, x, tol=1e-3)).abs().max() < 0.01


# ---------------------------------------------------------------- the figures


@pytest.fixture(scope="module", params=[(name, theme) for name in pages.MAKE for theme in pages.THEMES], ids="-".join)
def shown(request, page, folder):
    """The name and the theme of a figure that was opened; what only looks at it shares one page."""
    name, theme = request.param
    page.problems.clear()
    pages.open_figure(page, folder, name, theme)
    return name, theme


def test_a_figure_says_what_its_still_says(page, shown) -> None:
    name, _ = shown
    assert compare(pages.figure(name).sentence, pages.said(page)) == []
    assert page.problems == []


def test_nothing_is_cut_off_however_wide_the_window(page, shown) -> None:
    widths = (1300, 800, 480) if shown[1] == "light" else (480,)  # colours do not change how wide a figure is
    try:
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            pages.said(page)  # drawn anew
            assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), width
            boxes = [canvas.bounding_box() for canvas in page.locator("canvas").all()]
            assert all(box["width"] >= 100 and box["x"] + box["width"] <= width for box in boxes), (width, boxes)
    finally:
        page.set_viewport_size({"width": 1000, "height": 900})


def test_nothing_serious_stands_in_the_way_of_assistive_technology(page, shown) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    rules = {} if shown[1] == "light" else {"runOnly": ["color-contrast"]}  # all else is the same in both
    found = axe.Axe().run(page, options=rules).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found if v["impact"] in ("serious", "critical")] == []


def test_every_control_answers_the_keyboard_and_every_handle_the_mouse(page, shown) -> None:
    """By keyboard on the light page, by mouse on the dark one: what moves a figure does not depend on its colours."""
    name, theme = shown
    figure = page.locator(".vae-live")
    if theme == "light":
        controls = figure.locator("input, [role=slider]")
        assert controls.count() >= 1
        for i in range(controls.count()):
            moves_by_keyboard(page, controls.nth(i))
    else:
        handles = figure.locator("[role=slider]:not(input)")
        assert handles.count() >= 1 or name in ("estimate_px", "two_gradients", "training_replay")
        if handles.count() and name != "draw_a_digit":
            follows_the_mouse(page, handles.last if name == "draw_your_own" else handles.first)
    assert page.problems == []


def moves_by_keyboard(page, control) -> None:
    """The control has a name and the focus, and an arrow key changes its value and the figure."""
    control.focus()
    assert control.evaluate("e => document.activeElement === e")
    label = control.evaluate("e => e.getAttribute('aria-label') || e.closest('label')?.textContent")
    assert label.strip()
    before, value = pages.drawn(page), control.evaluate("e => e.getAttribute('aria-valuetext') ?? String(e.checked)")
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"):  # at an end of its range only one way is open
        page.keyboard.press(key)
        page.wait_for_timeout(60)
        if pages.drawn(page) > before and control.evaluate("e => e.getAttribute('aria-valuetext') ?? String(e.checked)") != value:
            return
    pytest.fail(f"{label} does not move")


def follows_the_mouse(page, handle) -> None:
    handle.scroll_into_view_if_needed()
    box, value = handle.bounding_box(), handle.get_attribute("aria-valuetext")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + 5 * step, y - 5 * step)
    page.mouse.up()
    page.wait_for_timeout(100)
    assert handle.get_attribute("aria-valuetext") != value


def test_a_handle_follows_a_finger(page, folder) -> None:
    touched = page.context.browser.new_page(viewport={"width": 900, "height": 700}, has_touch=True)
    try:
        handle = pages.open_figure(touched, folder, "the_kl").locator("[role=slider]:not(input)").first
        box, value = handle.bounding_box(), handle.get_attribute("aria-valuetext")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        client = touched.context.new_cdp_session(touched)
        for kind, dx in (("touchStart", 0), *(("touchMove", 6 * step) for step in range(1, 9)), ("touchEnd", None)):
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [] if dx is None else [{"x": x + dx, "y": y}]})
        touched.wait_for_timeout(100)
        assert handle.get_attribute("aria-valuetext") != value
    finally:
        touched.close()


def test_a_goal_is_seen_to_be_reached(page, folder) -> None:
    figure = pages.open_figure(page, folder, "the_kl")
    assert figure.locator(".vae-goal").inner_text().startswith("Goal: ")
    page.evaluate(
        "() => { const [mu, sigma] = document.querySelectorAll('.vae-live input'); for (const [e, v] of [[mu, 0.2], [sigma, 0.9]]) { e.value = v; e.dispatchEvent(new Event('input')) } }"
    )
    assert "KL(q‖p) = 0.0" in pages.said(page)
    assert figure.locator(".vae-goal").inner_text().startswith("✓ Reached: ")


def test_a_hidden_peak_is_shown_by_a_button_and_hidden_again_for_the_next_digit(page, folder) -> None:
    figure = pages.open_figure(page, folder, "latent_plane, peak hidden")
    posterior = pages.figure("latent_plane, peak hidden").data["posteriors"].reshape(10, 80, 80)
    i, j = divmod(int(posterior[0].argmax()), 80)
    orange = """([i, j]) => {
        const panel = document.querySelector('.vae-live').vae.panels[0], sharp = window.devicePixelRatio;
        const at = [panel.px(-4 + i * 8 / 79), panel.py(-4 + j * 8 / 79)].map((v) => Math.round(v * sharp));
        return panel.context.getImageData(...at, 1, 1).data[3];
    }"""
    button = figure.get_by_role("button", name="Show the peak")
    assert "peaks at a hidden place, where it is" in pages.said(page)
    assert page.evaluate(orange, [i, j]) == 0
    button.focus()
    page.keyboard.press("Enter")
    assert f"peaks at ({-4 + i * 8 / 79:.1f}, {-4 + j * 8 / 79:.1f}), the ring" in pages.said(page)
    assert figure.locator(".vae-spoken").inner_text().strip() == pages.said(page)
    assert page.evaluate(orange, [i, j]) > 100
    assert figure.get_by_role("button", name="Hide the peak").is_visible()
    figure.get_by_label("digit", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert "peaks at a hidden place, where it is" in pages.said(page)
    figure.get_by_role("button", name="Show the peak").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert "peaks at a hidden place, where it is" in pages.said(page)
    assert page.problems == []


def test_a_digit_drawn_by_mouse_and_by_keyboard_is_judged(page, folder) -> None:
    pages.open_figure(page, folder, "draw_your_own")
    page.get_by_role("button", name="Clear").press("Enter")
    assert pages.said(page).startswith("0 of 784 pixels are ink.")
    box = page.locator("canvas").first.bounding_box()
    unit = box["width"] / 28
    page.mouse.move(box["x"] + 14 * unit, box["y"] + 5 * unit)
    page.mouse.down()
    for row in range(5, 23):
        page.mouse.move(box["x"] + 14 * unit, box["y"] + row * unit)
    page.mouse.up()
    by_mouse = int(re.match(r"(\d+) of 784", pages.said(page))[1])
    assert 35 < by_mouse < 90  # a line of 18 pixels, two to four wide
    values = page.evaluate("() => { const { vae } = document.querySelector('.vae-live'); return vae.values }")
    x = page.evaluate("() => Array.from(document.querySelector('.vae-live').vae.pixels)")
    exact = float(oracles.exact_log_px(models.pretrained("strokes"), torch.tensor([x], dtype=torch.float32), tol=1e-3))
    assert values["logPx"] == pytest.approx(exact, abs=0.01)
    pen = page.locator("[role=slider]:not(input)").first
    pen.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    assert int(re.match(r"(\d+) of 784", pages.said(page))[1]) > by_mouse


def test_what_is_read_aloud_is_the_sentence_once_the_figure_rests(page, folder) -> None:
    figure = pages.open_figure(page, folder, "move_the_proposal")
    spoken = figure.locator("[role=status]")
    assert spoken.get_attribute("aria-live") == "polite"
    figure.locator("input").first.focus()
    page.keyboard.press("ArrowRight")
    assert pages.said(page) in spoken.inner_text(timeout=2000) or pages.said(page) == spoken.text_content().strip()
