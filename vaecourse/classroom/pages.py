"""Pages of HTML from Markdown. Formulas become MathML, which browsers show without a script and without a network."""

from __future__ import annotations

import re
from html import escape
from importlib.util import find_spec

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

__all__ = ["MISSING", "formula", "has_mathml", "html_of", "page"]

MISSING = (
    "latex2mathml is not installed, so the formulas of the pages stay LaTeX. For formulas in print run pip install latex2mathml, and "
    "write the material into a new folder"
)

# Colours follow the reader's light or dark setting on a screen; paper is white. Figures have black writing, so they stay on white.
STYLE = (
    ":root{color-scheme:light dark}body{margin:0;font:20px/1.45 sans-serif;background:Canvas;color:CanvasText}"
    "h1{font-size:1.9em}h2{font-size:1.3em}code{font-size:.9em}pre,math[display=block]{overflow-x:auto}math[display=block]{margin:.8em 0}"
    "table{border-collapse:collapse}th,td{border:1px solid;padding:.3em .6em;text-align:left}"
    "mtd[columnalign=left]{text-align:left}mtd[columnalign=right]{text-align:right}"
    "img{background:#fff}@media print{:root{color-scheme:light}}"
)


def has_mathml() -> bool:
    """Whether formulas can be converted here; the package that does it comes with the extra `classroom`."""
    return find_spec("latex2mathml") is not None


def page(title: str, body: str, style: str = "") -> str:
    """A complete page of HTML.

    Args:
        title: Markdown, shown without its markup in the bar of the browser.
        body: HTML.
        style: CSS besides the style of all pages.
    """
    plain = re.sub(r"<[^>]+>", "", html_of(title)).strip()
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{plain}</title>'
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}{style}</style></head><body>\n{body}\n</body></html>\n'


def html_of(markdown: str) -> str:
    """HTML of a text as the notebooks have it. Comments are dropped, and links to other notebooks become plain text."""
    return MarkdownWithMath(_Renderer(escape=False, exclude_anchor_links=True)).render(re.sub(r"<!--.*?-->", "", markdown, flags=re.S))


def formula(latex: str, display: str = "inline") -> str:
    """A formula as MathML, or its LaTeX as code where latex2mathml is missing.

    Args:
        latex: without dollar signs.
        display: "inline", or "block" for a line of its own.
    """
    if not has_mathml():
        return f"<code>{escape(latex)}</code>"
    from latex2mathml.converter import convert

    latex = latex.replace("{aligned}", "{split}")  # the converter knows the second of these names only
    latex = re.sub(r"\\tag\{([^{}]*)\}", r"\\qquad\\text{(\1)}", latex)
    latex = re.sub(r"\\text\{([^{}]*)\}", lambda found: _words(found[0]), latex)
    # A page of HTML needs no namespace, and so no page has an address in it.
    return re.sub(r' xmlns="[^"]*"', "", convert(latex.strip(), display=display))


def _words(text: str) -> str:
    """Words in a formula as the converter reads them: without escaped underscores, and with formulas between the words taken out."""
    return re.sub(r"\$([^$]*)\$", r"} \1 \\text{", text.replace(r"\_", "_"))


class _Renderer(IPythonRenderer):
    """The renderer of nbconvert, with formulas converted and without links, which would lead nowhere."""

    def block_math(self, body: str) -> str:
        return formula(body, "block")

    def inline_math(self, body: str) -> str:
        return formula(body)

    def latex_environment(self, name: str, body: str) -> str:
        return formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return text
