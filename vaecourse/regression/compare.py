"""Which outputs of a notebook count as the same: those with the same words, and with numbers that agree to the digits that are printed.

Two texts are compared line by line. Everything but numbers must be equal, up to the blanks that align numbers. A number may differ from
its reference by one unit of its last printed digit, by the number that follows it after ±, or by what the cell allows in a comment:
`# tolerance: 0.3` or `# tolerance: 5 %`. pytest and `python -m vaecourse regress` both use this module.
"""

from __future__ import annotations

import base64
import difflib
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

__all__ = ["Difference", "compare", "compare_outputs", "granted", "numbers", "readable", "same_fragment", "same_picture", "unit", "value"]

NUMBER = re.compile(
    r"(?<![\w.])[-+−]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+−]?\d+)?(?!\w)"
    r"|(?<![\w.])[-+−]?(?:nan|inf|infinity|∞)(?!\w)",
    flags=re.I,
)
EXACT = re.compile(
    r"(?<=[✓✗] )\((?:\d+[a-z]?|[MC])\.\d+\)|\(\d+,(?: ?\d+,)*(?: ?\d+)?\)"
)  # the number of an equation; the shape of a tensor
SPREAD = re.compile(r"[ \t]*(?:[^\W\d]+[ \t]*)?\(?(?:±|\+/-)[ \t]*")  # between a number and its tolerance: "4.1 ± 0.3", "4.1 nats (± 0.3)"
GRANTED = re.compile(r"^\s*#\s*tolerance:\s*([\d.]+(?:e-?\d+)?)\s*(%?)\s*$", flags=re.M)
TEXTS = ("text/plain", "text/html", "text/markdown", "text/latex")
SAME_INK = 24 / 255  # a patch of 8 x 8 pixels whose mean differs by less looks the same


@dataclass(frozen=True)
class Difference:
    """One difference from the reference.

    Attributes:
        kind: "number" or "text".
        old, new: the two numbers as printed, or the two lines; empty if there is nothing on that side.
        line: the line of the reference (the new line, if the reference has none).
        by: by how many tolerances a number moved; infinite if only one of the two is finite.
    """

    kind: str
    old: str
    new: str
    line: str
    by: float = math.inf


def compare(old: str, new: str, tolerance: tuple[float, bool] | None = None) -> list[Difference]:
    """The differences between two texts that count; an empty list if there are none.

    Args:
        old, new: the texts.
        tolerance: what the cell allows for every number (see `granted`).

    Example:
        >>> [d.new for d in compare("ELBO -95.3, gap 1.2", "ELBO -95.2, gap 1.5")]
        ['1.5']
    """
    a, b = ([_Line(line) for line in text.splitlines()] for text in (old, new))
    found = []
    matcher = difflib.SequenceMatcher(None, [line.words for line in a], [line.words for line in b], autojunk=False)
    for what, i, end_i, j, end_j in matcher.get_opcodes():
        if what == "equal":
            for left, right in zip(a[i:end_i], b[j:end_j]):
                found += _moved(left, right, tolerance)
        else:
            left, right = ("\n".join(line.text for line in side) for side in (a[i:end_i], b[j:end_j]))
            found.append(Difference("text", left, right, left or right))
    return found


def granted(source: str) -> tuple[float, bool] | None:
    """The tolerance that a comment in the source of a cell allows: a number, and whether it is a share of the reference.

    Example:
        >>> granted("# tolerance: 5 %")
        (0.05, True)
    """
    comment = GRANTED.search(source)
    if comment is None:
        return None
    return (float(comment[1]) / 100, True) if comment[2] else (float(comment[1]), False)


def compare_outputs(old: Sequence[Mapping], new: Sequence[Mapping], source: str = "") -> list[Difference]:
    """The differences between two lists of outputs of a cell, in notebook format.

    Pictures and live widgets are not compared, nor are the page fragments of live figures and questions (marked data-vae), whose sentence
    is also given as plain text.
    """
    tolerance, found = granted(source), []
    a, b = readable(old), readable(new)
    for name in dict.fromkeys([*a, *b]):
        if name not in a or name not in b:
            missing, text = ("reference", b[name]) if name not in a else ("new run", a[name])
            found.append(Difference("text", a.get(name, ""), b.get(name, ""), f"[{name}, not in the {missing}] {text}"))
        else:
            found += compare(a[name], b[name], tolerance)
    return found


def readable(outputs: Iterable[Mapping]) -> dict[str, str]:
    """What can be read in the outputs of a cell: its streams, each as one text, and the texts of all that is displayed."""
    texts, n = {}, 0
    for output in outputs:
        if output["output_type"] == "stream":
            texts[output["name"]] = texts.get(output["name"], "") + _joined(output["text"])
        elif output["output_type"] == "error":
            texts["error"] = f"{output['ename']}: {output['evalue']}"
        else:
            n += 1
            data = output.get("data", {})
            kinds = [kind for kind in TEXTS if kind in data and not (kind == "text/html" and "data-vae=" in _joined(data[kind]))]
            texts |= {f"display {n}, {kind}": _joined(data[kind]) for kind in kinds}
            texts |= {f"display {n}, {kind}": "" for kind in data if kind.startswith("image/")}  # there, or not
    return {name: re.sub(r"^.*\r(?=[^\n])", "", text, flags=re.M) for name, text in texts.items()}


def same_picture(old: str, new: str) -> bool:
    """Whether two PNG pictures, as base64 text, look the same: they have the same size, and no patch of 8 x 8 pixels differs visibly."""
    if old == new:
        return True
    a, b = (_pixels(picture) for picture in (old, new))
    return a.shape == b.shape and float(np.abs(_patches(a) - _patches(b)).max()) < SAME_INK


def same_fragment(old: str, new: str) -> bool:
    """Whether two page fragments say and do the same: the same script, the same text, and data that agree to within rounding.

    A live figure works on the data in its fragment, so old data would show another model than the cells around it.
    """
    (script, data, text), (new_script, new_data, new_text) = _parts(old), _parts(new)
    return script == new_script and text == new_text and _same_data(data, new_data)


def _parts(fragment: str) -> tuple[list[str], list[Any], str]:
    """The scripts of a fragment; the data; and, if it is one of ours, its text. Its mark is left out, which changes with the data."""
    for mark in re.findall(r'data-vae="(\w+)"', fragment):
        fragment = fragment.replace(f'"{mark}"', '""')
    scripts = re.findall(r'<script type="module">\n(.*)\n</script>', fragment, flags=re.S)
    data = [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', fragment, flags=re.S)]
    ours = "data-vae=" in fragment  # the text of any other fragment is compared like all that is printed
    return scripts, data, re.sub(r"<script.*?</script>", "", fragment, flags=re.S) if ours else ""


def _same_data(a: Any, b: Any) -> bool:
    """Whether two values from JSON agree: a number may differ by a thousandth, an array by a hundredth of its largest entry."""
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() == b.keys() == {"type", "base64"} and a["type"] == b["type"]:
            x, y = (np.frombuffer(base64.b64decode(value["base64"]), "<" + value["type"]).astype(float) for value in (a, b))
            return x.shape == y.shape and bool(np.allclose(x, y, rtol=0, atol=0.01 * np.abs(x).max(initial=0), equal_nan=True))
        return a.keys() == b.keys() and all(_same_data(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same_data, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-6)
    return a == b


def numbers(text: str) -> list[str]:
    """The numbers in a text, as they are printed."""
    return _Line(text).numbers


def unit(number: str) -> Decimal:
    """One unit of the last printed digit: 0.1 for "-1,204.5", 1e-9 for "3.2e-08".

    Example:
        >>> unit("-1,204.5")
        Decimal('0.1')
    """
    mantissa, _, exponent = _plain(number).lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return Decimal(1).scaleb(int(exponent or 0) - decimals)


def value(number: str) -> float:
    """The number that is printed.

    Example:
        >>> value("-1,204.5")
        -1204.5
    """
    return float(_plain(number))


class _Line:
    """A line split into its numbers and the text before, between and after them."""

    def __init__(self, text: str):
        self.text, self.numbers, self.between, end = text, [], [], 0
        exact = [match.span() for match in EXACT.finditer(text)]
        for match in NUMBER.finditer(text):
            if not any(start <= match.start() < stop for start, stop in exact):
                self.between.append(text[end : match.start()])
                self.numbers.append(match[0])
                end = match.end()
        self.between.append(text[end:])
        self.words = tuple(part.strip(" \t") for part in self.between)  # blanks align numbers of different length


def _moved(old: _Line, new: _Line, tolerance: tuple[float, bool] | None) -> list[Difference]:
    found = []
    for i, (a, b) in enumerate(zip(old.numbers, new.numbers)):
        by = _tolerances(a, b, _accepted(old, i, tolerance))
        if not by <= 1:
            found.append(Difference("number", a, b, old.text, by))
    return found


def _accepted(line: _Line, i: int, tolerance: tuple[float, bool] | None) -> Decimal:
    """How far the i-th number of a line may move."""
    accepted = unit(line.numbers[i]) if math.isfinite(value(line.numbers[i])) else Decimal(0)
    if i + 1 < len(line.numbers) and SPREAD.fullmatch(line.between[i + 1]) and math.isfinite(value(line.numbers[i + 1])):
        accepted = max(accepted, abs(Decimal(_plain(line.numbers[i + 1]))))
    if tolerance is not None and math.isfinite(value(line.numbers[i])):
        size, share = tolerance
        accepted = max(accepted, Decimal(repr(size)) * (abs(Decimal(_plain(line.numbers[i]))) if share else 1))
    return accepted


def _tolerances(old: str, new: str, accepted: Decimal) -> float:
    """By how many tolerances a number moved; infinite where only one of the two is finite."""
    a, b = value(old), value(new)
    if not (math.isfinite(a) and math.isfinite(b)):
        return 0.0 if a == b or (math.isnan(a) and math.isnan(b)) else math.inf
    if unit(new) == 10 * unit(old):
        accepted = max(accepted, unit(new))  # 9.99 became 10.0
    return float(abs(Decimal(_plain(old)) - Decimal(_plain(new))) / accepted)


def _plain(number: str) -> str:
    return number.replace(",", "").replace("−", "-").replace("∞", "inf")


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def _pixels(picture: str) -> np.ndarray:
    from matplotlib.image import imread

    pixels = imread(io.BytesIO(base64.b64decode(_joined(picture))), format="png")
    return pixels[..., :3] if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, -1)


def _patches(pixels: np.ndarray) -> np.ndarray:
    height, width = (-(-side // 8) * 8 for side in pixels.shape[:2])
    padded = np.pad(pixels, ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0)), mode="edge")
    return padded.reshape(height // 8, 8, width // 8, 8, -1).mean((1, 3))
