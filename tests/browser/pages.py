"""Live figures in a page of their own, opened from disk in a real browser: no server, no kernel, no network."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

from vaecourse import data, estimators, models, oracles, widgets
from vaecourse.tables import load_players
from vaecourse.tabular import TabularVAE
from vaecourse.widgets.live import Live

THEMES = {"light": ("#ffffff", "#111111"), "dark": ("#111111", "#eeeeee")}


@cache
def pieces() -> dict[str, Any]:
    """Models and data that the figures show: a shipped decoder, and models that were never trained."""
    torch.manual_seed(0)
    digits, shipped, vae = data.load_digits("strokes"), models.pretrained("strokes"), models.VAE(2).requires_grad_(False)
    x = digits.test.x[:10]
    return {
        "digits": digits,
        "shipped": shipped,
        "vae": vae,
        "mixed": models.VAE(2, prior=models.MixturePrior(2, 20)).requires_grad_(False),
        "x": x,
        "snapshots": {i: {k: w * (1 + i / 10) for k, w in vae.state_dict().items()} for i in range(8)},
        "log_w": estimators.log_weights(vae, x[:1], 2**14)[:, 0],
        "exact": oracles.exact_log_px(vae, x[:1]).item(),
        "table": load_players(),
    }


MAKE = {
    "draw_a_digit": lambda p: widgets.draw_a_digit(),
    "latent_plane": lambda p: widgets.latent_plane({"exact likelihood": p["shipped"], "VAE": p["vae"]}, p["x"]),
    "latent_plane, peak hidden": lambda p: widgets.latent_plane({"shipped": p["shipped"]}, p["x"], hide_peak=True),
    "estimate_px": lambda p: widgets.estimate_px(),
    "move_the_proposal": lambda p: widgets.move_the_proposal(),
    "the_gap": lambda p: widgets.the_gap(p["shipped"], p["x"][:1]),
    "the_kl": lambda p: widgets.the_kl(),
    "two_gradients": lambda p: widgets.two_gradients(),
    "training_replay": lambda p: widgets.training_replay(p["vae"], p["snapshots"], p["digits"].test.x[:300], p["digits"].test.labels[:300]),
    "how_many_draws": lambda p: widgets.how_many_draws(p["log_w"], p["exact"]),
    "choose_a_prior": lambda p: widgets.choose_a_prior(
        {"N(0, I)": p["vae"], "mixture": p["mixed"]}, p["digits"].test.x[:300], p["digits"].test.labels[:300]
    ),
    "table_plane": lambda p: widgets.table_plane(TabularVAE(p["table"].columns, 2), p["table"], "position"),
    "draw_your_own": lambda p: widgets.draw_your_own(p["shipped"], p["x"]),
}


@cache
def figure(name: str) -> Live:
    """The live figure of that name."""
    torch.manual_seed(0)
    return MAKE[name](pieces())


def write(folder: Path, html: str, theme: str = "light") -> str:
    """The address of a page that holds nothing but this fragment."""
    paper, ink = THEMES[theme]
    style = f"font-family: sans-serif; margin: 8px; background: {paper}; color: {ink}"
    path = folder / f"page-{theme}-{abs(hash(html))}.html"
    path.write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A live figure</title></head>'
        f'<body style="{style}"><main><h1>A live figure</h1>{html}</main></body></html>',
        encoding="utf-8",
    )
    return path.as_uri()


def open_figure(page: Any, folder: Path, name: str, theme: str = "light") -> Any:
    """The figure, drawn and at rest. Returns its element."""
    page.goto(write(folder, figure(name).html(), theme))
    page.wait_for_function("() => document.querySelector('.vae-live')?.vae.settled")
    page.wait_for_function(
        "() => { const { vae } = document.querySelector('.vae-live'); return vae.ready !== false && vae.settled === vae.drawn }",
        timeout=90_000,
    )
    return page.locator(".vae-live")


def said(page: Any) -> str:
    """The sentence of the figure when it rests."""
    page.wait_for_function(
        "() => { const { vae } = document.querySelector('.vae-live'); return !vae.waiting && vae.settled === vae.drawn }"
    )
    return page.locator(".vae-sentence").inner_text()


def drawn(page: Any) -> int:
    """How many pictures the figure has drawn so far."""
    return page.evaluate("() => document.querySelector('.vae-live').vae.drawn")
