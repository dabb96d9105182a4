"""The text around a cell: its heading, and the sentences that quote a number."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from vaecourse.regression import compare

__all__ = ["heading", "plain", "rounds", "sentences", "split"]


def heading(notebook: Any, cell: int) -> str:
    """The heading of the section in which a cell is."""
    above = "\n".join(c.source for c in notebook.cells[: cell + 1] if c.cell_type == "markdown")
    titles = re.findall(r"^#+ (.*)", above, flags=re.M)
    return titles[-1] if titles else ""


def sentences(notebook: Any, cell: int, numbers: list[str], quoted: Iterable[str] = ()) -> list[str]:
    """The sentences of the text that quote one of these numbers or contain a text in `quoted`; otherwise the sentence after the cell.

    A sentence quotes a number if it contains that number or a rounding of it: anywhere in the notebook if it has three digits or more,
    otherwise in the section of the cell and in the summary.
    """
    here, found = heading(notebook, cell), []
    quoted = list(quoted)
    for i, source in enumerate(c.source for c in notebook.cells):
        if notebook.cells[i].cell_type == "markdown":
            near = abs(i - cell) <= 3 or here in (heading(notebook, i), heading(notebook, max(i - 1, 0)))
            found += [
                s for s in split(source) if any(text in s for text in quoted) or any(_quotes(s, n, near or "Summary" in s) for n in numbers)
            ]
    if found:
        return list(dict.fromkeys(found))
    behind = [s for c in notebook.cells[cell + 1 : cell + 3] if c.cell_type == "markdown" for s in split(c.source)]
    return behind[:1]


def split(prose: str) -> list[str]:
    r"""The sentences of a Markdown cell, without its headings and displayed equations.

    Example:
        >>> split("# Title\n\nOne sentence. Another one.")
        ['One sentence.', 'Another one.']
    """
    prose = re.sub(r"\$\$.*?\$\$", " ", prose, flags=re.S)
    blocks = re.split(r"\n\s*\n|\n(?=[-*|#>]|\d+\. )", prose)
    flat = [re.sub(r"\s+", " ", block).strip() for block in blocks if not block.lstrip().startswith("#")]
    return [s for block in flat for s in re.split(r"(?<=[.!?])[*)]* (?=[A-Z*(`$\"“])", block) if s]


def plain(text: str) -> str:
    r"""The text without the marks of mathematics and emphasis around and within its numbers.

    Example:
        >>> plain("$1{,}024$ or **5**\\,%")
        '1,024 or 5%'
    """
    return re.sub(r"\\,|\{,\}|\\%|[$~*]", lambda m: {"{,}": ",", "\\%": "%"}.get(m[0], ""), text)


def rounds(said: str, number: str) -> int:
    """How many digits of a number a sentence states if it quotes or rounds it, and 0 if it states another number. The sign is ignored.

    Args:
        said: the number in the sentence, as printed.
        number: the number in an output, as printed.

    Example:
        >>> rounds("95.3", "-95.28"), rounds("95.1", "-95.28")
        (3, 0)
    """
    whole = re.sub(r"\D", "", said).lstrip("0")
    zeros = 0 if "." in said else len(whole) - len(whole.rstrip("0"))  # 230 may be a rounding of 233
    there, here = abs(compare.value(number)), abs(compare.value(said))
    close = abs(here - there) <= 0.51 * 10**zeros * float(compare.unit(said))
    return (len(whole) - (0 if here == there else zeros)) or int(here == there) if close and math.isfinite(here) else 0


def _quotes(sentence: str, number: str, near: bool) -> bool:
    return any(rounds(said, number) >= (2 if near else 3) for said in compare.numbers(plain(sentence)))
