"""`watch` and `explore` in JupyterLab in a real browser, by keyboard; and what is left of them in a saved notebook, without a kernel."""

from __future__ import annotations

import lab
import nbformat
import pytest

pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
pytestmark = [
    pytest.mark.skipif(lab.chromium() is None, reason="there is no Chromium on this machine"),
    pytest.mark.skipif(not lab.reachable(), reason="this machine cannot reach itself over 127.0.0.1, where JupyterLab would be"),
]

PREPARE = """import os
os.environ.pop("TQDM_DISABLE", None)
import torch
from vaecourse import data, models
from vaecourse.training import fit
from vaecourse.widgets import explore, watch

torch.manual_seed(0)
digits, vae = data.load_digits("strokes"), models.VAE(2)"""
TRAIN = "history = fit(vae, digits.train.x[:2000], 5000, valid=digits.valid.x[:100], on_epoch=watch(vae, digits.test, every=0.5))"
NOTEBOOK = "watch.ipynb"
SAID = "Stopped on request after epoch"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")
    report = 'print("reached:", len(history.train) == len(history.valid) > 0, history.stopped)'
    nbformat.write(lab.notebook_of([PREPARE, TRAIN, report, "explore(vae.requires_grad_(False), digits.test)"]), folder / NOTEBOOK)
    with lab.server(folder, home) as (url, token), lab.browser() as page:
        page.place, page.file = (url, token), folder / NOTEBOOK
        lab.open_notebook(page, url, token, NOTEBOOK)
        yield page


def output(page, cell: int):
    return page.locator(".jp-CodeCell").nth(cell).locator(".jp-Cell-outputArea")


def idle(page, seconds: float = 60) -> None:
    page.wait_for_function(
        """() => { const w = window.jupyterapp.shell.currentWidget;
                   const cells = w.content.model.sharedModel.cells.filter(c => c.cell_type === 'code');
                   return cells.every(c => c.execution_count) && w.sessionContext.session.kernel.status === 'idle' }""",
        timeout=1000 * seconds,
    )


def test_a_button_pressed_by_keyboard_stops_the_training_after_its_epoch(page):
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    area = output(page, 1)
    button = area.get_by_role("button", name="Stop after this epoch")
    button.wait_for(timeout=180_000)
    area.get_by_role("img", name="After epoch").wait_for(timeout=120_000)
    button.focus()
    first = area.locator("img").get_attribute("src")
    page.wait_for_function(
        "first => { const i = document.querySelectorAll('.jp-CodeCell')[1].querySelector('img'); return i && i.src !== first }",
        arg=first,
        timeout=120_000,
    )
    assert button.evaluate("e => document.activeElement === e")  # still, after the picture was renewed
    page.keyboard.press("Enter")
    button.wait_for(state="detached", timeout=120_000)
    idle(page)
    assert button.count() == 0
    assert output(page, 2).inner_text().strip() == "reached: True on request"
    assert page.problems == []


def test_a_slider_is_answered_by_the_kernel(page):
    area = output(page, 3)
    slider = area.get_by_role("slider", name="z₁")
    slider.wait_for(timeout=60_000)
    picture = area.locator(".vae-live img")
    before = picture.get_attribute("src")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("([e, before]) => e.src !== before", arg=[picture.element_handle(), before], timeout=60_000)
    value = slider.get_attribute("aria-valuetext")
    area.get_by_text(f"z₁ = {value}").first.wait_for(timeout=60_000)
    area.get_by_role("button", name="Another sample").press("Enter")
    page.wait_for_function("([e, text]) => e.alt.includes(text)", arg=[picture.element_handle(), f"z₁ = {value}"], timeout=60_000)
    assert area.locator("img:visible").count() == 1  # the still gives way
    page.value = value
    assert page.problems == []


def test_saved_and_opened_again_without_a_kernel_the_last_pictures_are_there(page):
    page.wait_for_timeout(1000)
    page.evaluate(
        """async () => { const w = window.jupyterapp.shell.currentWidget; await w.context.save(); await w.sessionContext.shutdown() }"""
    )
    cells = nbformat.read(page.file, 4).cells
    (trained,) = cells[1].outputs
    assert set(trained.data) == {"image/png", "text/plain"}
    assert trained.data["text/plain"].startswith(SAID)
    assert trained.metadata["image/png"]["alt"] == trained.data["text/plain"]
    still, live = cells[3].outputs
    assert set(still.data) == {"image/png", "text/plain"}
    assert f"z₁ = {page.value}" in still.data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" not in live.data

    url, token = page.place
    page.goto(f"{url}/lab/tree/{NOTEBOOK}?token={token}&reset")
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.context?.isReady", timeout=60_000)
    page.evaluate(
        "async () => { const w = window.jupyterapp.shell.currentWidget; await w.sessionContext.ready; await w.sessionContext.shutdown() }"
    )
    for cell in (1, 3):
        picture = output(page, cell).locator("img").first
        picture.wait_for()
        assert picture.evaluate("e => e.complete && e.naturalWidth > 500")
    text = " ".join(output(page, cell).inner_text() for cell in range(4))
    assert "rror" not in text
    assert "model not found" not in text
    assert "Stop after this epoch" not in text
