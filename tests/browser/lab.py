"""JupyterLab in a real browser: a server of its own on a folder of notebooks, and a page that has one of them open."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


def chromium() -> str | None:
    """The browser's program, if there is one on this machine."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def reachable() -> bool:
    """Whether this machine can reach itself over 127.0.0.1, where the server would be."""
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            socket.create_connection(listener.getsockname(), timeout=1).close()
        except OSError:
            return False
    return True


@contextlib.contextmanager
def server(notebooks: Path, home: Path) -> Iterator[tuple[str, str]]:
    """A JupyterLab server on a folder, with settings of its own below `home`. Yields its address and token."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    tracker = home / "settings" / "@jupyterlab" / "notebook-extension"
    tracker.mkdir(parents=True)
    (tracker / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')  # all cells stay in the page
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    folders = {f"JUPYTER_{what}_DIR": str(home / what.lower()) for what in ("CONFIG", "DATA", "RUNTIME")}
    folders |= {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}
    options = f"--no-browser --allow-root --ip=127.0.0.1 --port={port} --ServerApp.port_retries=0 --IdentityProvider.token={token}"
    command = [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        *options.split(),
        f"--ServerApp.root_dir={notebooks}",
        "--LabApp.expose_app_in_browser=True",
    ]
    with open(home / "lab.log", "w") as log:
        lab = subprocess.Popen(command, env=os.environ | folders, stdout=log, stderr=log, cwd=home)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(lambda: urllib.request.urlopen(f"{url}/api/status?token={token}", timeout=2).status == 200, 60)
        yield url, token
    finally:
        lab.terminate()
        lab.wait(60)


def _wait_for(ready: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if ready():
                return
        if time.monotonic() > end:
            raise TimeoutError(f"not ready after {seconds:g} seconds")
        time.sleep(0.2)


@contextlib.contextmanager
def browser(width: int = 1300, height: int = 900) -> Iterator[Any]:
    """A page of a fresh browser. `page.problems` collects the errors of the page and of its console."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chrome = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = chrome.new_page(viewport={"width": width, "height": height})
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(f"page: {error}"))
        page.on("console", lambda message: page.problems.append(f"console: {message.text}") if message.type == "error" else None)
        try:
            yield page
        finally:
            chrome.close()


def open_notebook(page: Any, url: str, token: str, name: str) -> None:
    """The notebook, its kernel idle and connected. Nothing has been run."""
    page.goto(f"{url}/lab/tree/{name}?token={token}&reset")
    page.wait_for_function("() => window.jupyterapp")
    page.evaluate("async () => { await window.jupyterapp.restored }")
    page.wait_for_function("() => window.jupyterapp.shell.currentWidget?.context?.isReady", timeout=60_000)
    page.wait_for_function(
        """() => { const k = window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel;
                   return k && k.status === 'idle' && k.connectionStatus === 'connected' }""",
        timeout=60_000,
    )


def run_all(page: Any, seconds: float = 120) -> None:
    """Run all cells, and wait until the last one is done. Raises RuntimeError with the output where a cell fails."""
    page.evaluate("async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    wait_until_run(page, seconds)
    errors = page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
                   .flatMap(c => c.cell_type === 'code' ? c.outputs : []).filter(o => o.output_type === 'error').map(o => o.evalue)"""
    )
    if errors:
        raise RuntimeError(json.dumps(errors))


def wait_until_run(page: Any, seconds: float) -> None:
    """Wait until every cell has been run and the kernel is idle."""
    page.wait_for_function(
        """() => { const w = window.jupyterapp.shell.currentWidget;
                   const cells = w.content.model.sharedModel.cells.filter(c => c.cell_type === 'code' && c.source.trim());
                   return cells.every(c => c.execution_count) && w.sessionContext.session.kernel.status === 'idle' }""",
        timeout=1000 * seconds,
    )


def notebook_of(sources: list[str]) -> Any:
    """A notebook with a code cell for each source."""
    import nbformat

    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    return nbformat.v4.new_notebook(metadata=kernel, cells=[nbformat.v4.new_code_cell(source) for source in sources])


PREPARE = """import torch
from vaecourse import data, estimators, models, oracles
from vaecourse.exercises import check
from vaecourse.tables import load_players
from vaecourse.tabular import TabularVAE
from vaecourse.widgets import *

torch.manual_seed(0)
table = load_players()
digits, model, vae = data.load_digits("strokes"), models.pretrained("strokes"), models.VAE(2).requires_grad_(False)
mixed = models.VAE(2, prior=models.MixturePrior(2, 20)).requires_grad_(False)
x = digits.test.x[:10]
snapshots = {i: {k: w * (1 + i / 10) for k, w in vae.state_dict().items()} for i in range(4)}
log_w, exact = estimators.log_weights(vae, x[:1], 2**12)[:, 0], oracles.exact_log_px(vae, x[:1]).item()"""
FIGURES = {
    "draw_a_digit": "draw_a_digit()",
    "latent_plane": 'latent_plane({"exact likelihood": model, "VAE": vae}, x)',
    "estimate_px": "estimate_px()",
    "move_the_proposal": "move_the_proposal()",
    "the_gap": "the_gap(model, x[:1])",
    "the_kl": "the_kl()",
    "two_gradients": "two_gradients()",
    "training_replay": "training_replay(vae, snapshots, digits.test.x[:100], digits.test.labels[:100])",
    "how_many_draws": "how_many_draws(log_w, exact)",
    "choose_a_prior": 'choose_a_prior({"N(0, I)": vae, "mixture": mixed}, digits.test.x[:100], digits.test.labels[:100])',
    "table_plane": 'table_plane(TabularVAE(table.columns, 2), table, "position")',
    "draw_your_own": "draw_your_own(vae, x)",
}
QUESTIONS = [
    'predict("What happens?", {"it rises": "It would, if it could.", "it falls": "So it does."}, right="it falls")',
    'quiz("04")',
    'check("log_mean_exp", lambda log_w, dim: log_w.logsumexp(dim))',
]


def save_and_end(page: Any) -> None:
    """Save the notebook, and end its kernel."""
    page.evaluate(
        """async () => { const w = window.jupyterapp.shell.currentWidget;
                         await w.context.save(); await w.sessionContext.shutdown() }"""
    )
