"""Pages of HTML from Markdown. Formulas become MathML, which browsers show without a script and without a network."""

from __future__ import annotations

import re

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from vaecourse.classroom.mathml import formula

__all__ = ["html_of", "page"]

# Colours follow the reader's light or dark setting on a screen; paper is white. Figures bring their own white background.
STYLE = (
    ":root{color-scheme:light dark}body{margin:0;font:20px/1.45 sans-serif;background:Canvas;color:CanvasText}"
    "h1{font-size:1.9em}h2{font-size:1.3em}code{font-size:.9em}pre,math[display=block]{overflow-x:auto}math[display=block]{margin:.8em 0}"
    "table{border-collapse:collapse}th,td{border:1px solid;padding:.3em .6em;text-align:left}"
    "mtd[columnalign=left]{text-align:left}mtd[columnalign=right]{text-align:right}"
    "@media print{:root{color-scheme:light}}"
)


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
