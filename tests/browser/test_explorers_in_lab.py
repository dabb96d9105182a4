"""Every explorer and every card in JupyterLab in a real browser, by keyboard."""

from __future__ import annotations

import socket

import lab
import nbformat
import pytest


def reachable() -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            socket.create_connection(listener.getsockname(), timeout=1).close()
        except OSError:
            return False
    return True


pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
pytestmark = [
    pytest.mark.skipif(lab.chromium() is None, reason="there is no Chromium on this machine"),
    pytest.mark.skipif(not reachable(), reason="this machine cannot reach itself over 127.0.0.1, where JupyterLab would be"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    notebooks, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")
    nbformat.write(lab.notebook_of([lab.PREPARE, *lab.EXPLORERS.values()]), notebooks / "explorers.ipynb")
    wrong = 'from vaecourse.exercises import check\nfrom vaecourse.widgets import quiz\n\ncheck("log_mean_exp", lambda log_w, dim: log_w.logsumexp(dim))'
    nbformat.write(lab.notebook_of([wrong, 'quiz("04")']), notebooks / "cards.ipynb")
    with lab.server(notebooks, home) as (url, token), lab.browser() as page:
        page.place = (url, token)
        lab.open_notebook(page, url, token, "explorers.ipynb")
        lab.run_all(page)
        yield page


@pytest.mark.parametrize("name", lab.EXPLORERS)
def test_every_control_is_reached_by_the_keyboard_and_changes_the_picture(page, name):
    cell = 1 + list(lab.EXPLORERS).index(name)
    controls = lab.controls(page, cell)
    assert controls.count() >= 1
    for i in range(controls.count()):
        control = controls.nth(i)
        control.scroll_into_view_if_needed()
        control.focus()
        assert control.evaluate("e => document.activeElement === e && e.tabIndex === 0")
        before = lab.picture(page, cell)
        at_the_end = control.get_attribute("aria-valuenow") == control.get_attribute("aria-valuemax")
        page.keyboard.press("ArrowLeft" if at_the_end else "ArrowRight")
        lab.wait_for_another(page, cell, before)
    assert page.problems == []


def test_ten_quick_presses_end_in_the_state_of_the_last(page):
    cell = 1 + list(lab.EXPLORERS).index("the_kl")
    output = page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea")
    handle = lab.controls(page, cell).nth(0)
    handle.scroll_into_view_if_needed()
    handle.focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    shown = f"Mean {float(handle.get_attribute('aria-valuenow')):.1f}"
    output.get_by_text(shown).wait_for(timeout=3000)
    settled = lab.picture(page, cell)
    page.wait_for_timeout(800)
    assert lab.picture(page, cell) == settled
    assert shown in output.inner_text()


def test_a_click_on_the_plane_moves_the_point(page):
    cell = 1 + list(lab.EXPLORERS).index("latent_plane")
    output = page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea")
    img = output.locator("img").first
    img.scroll_into_view_if_needed()
    before, box = lab.picture(page, cell), img.bounding_box()
    img.click(position={"x": 0.12 * box["width"], "y": 0.35 * box["height"]})
    lab.wait_for_another(page, cell, before)
    assert page.problems == []


def test_in_a_narrow_window_every_picture_is_whole_and_legible(page):
    page.set_viewport_size({"width": 800, "height": 900})
    try:
        for cell in range(1, 1 + len(lab.EXPLORERS)):
            page.wait_for_function(
                """cell => { const area = document.querySelectorAll('.jp-CodeCell')[cell].querySelector('.jp-OutputArea-output');
                             const img = area.querySelector('img'), box = img.getBoundingClientRect();
                             return img.complete && box.right <= area.getBoundingClientRect().right + 1 && box.width > 0.9 * img.naturalWidth }""",
                arg=cell,
                timeout=10_000,
            )
        assert page.problems == []
    finally:
        page.set_viewport_size({"width": 1300, "height": 900})


def test_a_card_gives_hints_and_a_quiz_its_reasons(page):
    lab.open_notebook(page, *page.place, "cards.ipynb")
    lab.run_all(page)
    page.get_by_text("This is the log of the sum").wait_for()
    page.get_by_role("button", name="Next hint").press("Enter")
    page.get_by_text("Hint 1 of 3").wait_for()
    page.get_by_role("button", name="Show a solution").press("Enter")
    page.get_by_text("A solution of log_mean_exp").wait_for()
    page.get_by_role("button", name="(b) Too low on average.").press("Enter")
    page.get_by_text("Jensen's inequality").first.wait_for()
    assert page.problems == []
