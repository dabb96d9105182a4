"""Live figures: pictures that react to the reader in the page itself, without a kernel and without a network.

A live figure is displayed as two outputs: a still picture with its sentence, which everybody sees, and a page fragment whose script
replaces the still wherever scripts may run. The scripts are in the folder js: `kit.js` (controls, panels), `mathematics.js` (the
functions of the course that figures need), and one file for each figure. They are written into the output, so a saved notebook needs
nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Live", "bundled", "layers", "normals", "packed", "script", "uniform"]

JS = Path(__file__).parent / "js"
TYPES = {"float32": "f4", "float64": "f8", "int16": "i2", "uint8": "u1"}


@dataclass
class Live:
    """A figure that a script draws, with a still picture for places where no script runs.

    Attributes:
        name: the heading.
        about: one sentence that says what the figure shows, wherever its controls are.
        script: the file in the folder js, without its ending; it exports a function of the same name in camelCase, which is called with a
            frame (see kit.js) and the data.
        data: what the script needs: numbers, texts, lists, dictionaries, tensors.
        still: the figure at its start values, drawn by matplotlib.
        sentence: what the figure says at its start values.
    """

    name: str
    about: str
    script: str
    data: dict[str, Any]
    still: Any
    sentence: str
    png: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from vaecourse.plots import picture

        self.png = picture(self.still)

    def __repr__(self) -> str:
        return f"{self.name}. {self.about} {self.sentence}"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display({"image/png": self.png, "text/plain": repr(self)}, raw=True, metadata={"image/png": {"alt": repr(self)}})
        display({"text/html": self.html(), "text/plain": self.name}, raw=True)

    def html(self) -> str:
        """The page fragment: readable as it is, and live where its script runs."""
        data = json.dumps(packed(self.data), ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        told = f"{json.dumps(self.name, ensure_ascii=False)}, {json.dumps(self.about, ensure_ascii=False)}"
        mark = hashlib.sha256(f"{told}{self.script}{data}".encode()).hexdigest()[:12]
        return (
            f'<figure data-vae="{mark}"><figcaption>{escape(self.name)}: this figure moves where scripts may run '
            "(trust the notebook, or run this cell).</figcaption>"
            f'<script type="application/json">{data}</script></figure>\n'
            + script(self.script, f'begin("{mark}", {told}, {_camel(self.script)});')
        )


def script(name: str, start: str) -> str:
    """A script element: a file of the folder js with all that it imports, and then the line that starts it."""
    return f'<script type="module">\n{bundled(name)}\n{start}\n</script>'


@cache
def bundled(name: str) -> str:
    """A file of the folder js after all that it imports, as one piece of JavaScript without comments and indentation."""
    lines = [line for part in _in_order(name) for line in map(str.strip, (JS / f"{part}.js").read_text(encoding="utf-8").splitlines())]
    kept = [line for line in lines if line and not line.startswith(("//", "import "))]
    return "\n".join(re.sub(r"^export ", "", re.sub(r"\s+// .*$", "", line)) for line in kept)


def _in_order(name: str) -> list[str]:
    """The files that a file imports, each before those that need it, and then the file itself."""
    imported = re.findall(r'^import .* from "\./(\w+)\.js";', (JS / f"{name}.js").read_text(encoding="utf-8"), flags=re.M)
    return list(dict.fromkeys([part for needed in imported for part in _in_order(needed)] + [name]))


def packed(value: Any) -> Any:
    """A value as JSON can hold it: arrays become the base64 text of their bytes, little-endian. `unpack` in kit.js is the inverse."""
    if isinstance(value, dict):
        return {key: packed(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [packed(v) for v in value]
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        value = value.astype(value.dtype.newbyteorder("<"))
        return {"type": TYPES[value.dtype.name], "base64": base64.b64encode(value.tobytes()).decode()}
    return value.item() if isinstance(value, np.generic) else value


def layers(network: nn.Sequential) -> list[dict[str, Any]]:
    """The linear layers of a network for `Decoder` in mathematics.js: weights as 16-bit whole numbers, with a scale for each row.

    The rounding changes a weight by less than 2e-5 of the largest weight in its row.

    Raises:
        ValueError: the network is not a chain of linear layers with an ELU between them.
    """
    if not all(isinstance(layer, nn.Linear if i % 2 == 0 else nn.ELU) for i, layer in enumerate(network)):
        raise ValueError("a live figure needs a network of linear layers with an ELU between them: use `explore` for any other")
    return [{"weight": _whole(layer.weight), "bias": layer.bias.float()} for layer in network[::2]]


def _whole(weight: Tensor) -> dict[str, Any]:
    scales = weight.detach().abs().amax(1).clamp(min=1e-30) / 32767
    return packed((weight.detach() / scales[:, None]).round().to(torch.int16)) | {"scales": packed(scales.float())}


def uniform(n: int, seed: int = 0, start: int = 0) -> np.ndarray:
    """n uniform numbers in (0, 1), equal to those of `uniform` in mathematics.js: a hash of their index."""
    with np.errstate(over="ignore"):
        h = np.arange(start, start + n, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed + 1) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> 16)) * np.uint32(0x21F0AAAD)
        h = (h ^ (h >> 15)) * np.uint32(0x735A2D97)
    return ((h ^ (h >> 15)).astype(np.float64) + 0.5) / 2**32


def normals(n: int, seed: int = 0) -> Tensor:
    """n standard normal numbers, equal to those of `normals` in mathematics.js (Box and Muller 1958)."""
    u = uniform(n + n % 2, seed)
    radius, angle = np.sqrt(-2 * np.log(u[::2])), 2 * np.pi * u[1::2]
    return torch.from_numpy(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:n])


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
