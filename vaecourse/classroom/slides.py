"""Slides of a notebook: its figures, a page each, and its summary. One page of HTML, which also prints."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from vaecourse.classroom.pages import html_of, page

__all__ = ["slides_of", "title_of"]

TIME = re.compile(r"^\*About \d+ minutes.*\n?", flags=re.M)  # to read alone
STYLE = (
    "html{scroll-snap-type:y proximity}section{box-sizing:border-box;min-height:100vh;padding:4vh 5vw;scroll-snap-align:start}"
    "section:not(:last-child){break-after:page}img{display:block;width:100%;height:76vh;object-fit:contain;object-position:top}"
    "@page{size:A4 landscape;margin:12mm}@media print{section{min-height:0;padding:0}img{height:150mm}}"
)


def slides_of(notebook: Any) -> str:
    """The title page, the figures under the headings where they stand, and the summary. A figure's description is its alternative text."""
    pages, heading, summary = [html_of(TIME.sub("", notebook.cells[0].source))], "", ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = (re.findall(r"^##+ (.+)$", cell.source, flags=re.M) or [heading])[-1]
            summary = summary or _section(cell.source, "Summary")
            continue
        for picture in _pictures(cell):
            if heading:
                pages.append(html_of(f"## {heading}") + picture)
            else:  # before the first heading: it belongs to the title
                pages[0] += picture
    pages.append(html_of(f"## Summary\n\n{summary}"))
    return page(title_of(notebook), "\n".join(f"<section>{inside}</section>" for inside in pages), STYLE)


def title_of(notebook: Any) -> str:
    """The first line of a notebook, without the mark of a heading."""
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")


def _pictures(cell: Any) -> list[str]:
    shown = [output["data"] for output in cell.outputs if "image/png" in output.get("data", {})]
    return [
        f'<img alt="{escape(data.get("text/plain", ""), quote=True)}" src="data:image/png;base64,{data["image/png"].strip()}">'
        for data in shown
    ]


def _section(text: str, name: str) -> str:
    found = re.search(rf"^## {name}$(.*?)(?=^## |\Z)", text, flags=re.M | re.S)
    return found[1] if found else ""
