"""Formulas as MathML. The package latex2mathml converts them; here they get the spaces that LaTeX would set."""

from __future__ import annotations

import re
from html import escape
from importlib.util import find_spec
from xml.etree import ElementTree

__all__ = ["MISSING", "formula", "has_mathml"]

MISSING = (
    "latex2mathml is not installed, so the formulas of the pages stay LaTeX. For formulas in print run pip install latex2mathml, and "
    "write the material into a new folder"
)
# What the converter takes for letters although it stands between two terms, and what it should be.
BETWEEN = {"~": "∼", "⟶": "⟶", "⟹": "⟹", "±": "±"}
THIN = "0.167em"


def has_mathml() -> bool:
    """Whether formulas can be converted here; the package that does it comes with the extra `classroom`."""
    return find_spec("latex2mathml") is not None


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
    latex = re.sub(r"(\\\\)\[\d+pt\]", r"\1", latex)  # the space below a row
    latex = re.sub(r"\\tag\{([^{}]*)\}", r"\\qquad\\text{(\1)}", latex)
    latex = re.sub(r"\\text\{([^{}]*)\}", lambda found: _words(found[0]), latex)
    # A page of HTML needs no namespace, and so no page has an address in it.
    root = ElementTree.fromstring(re.sub(r' xmlns="[^"]*"', "", convert(latex.strip(), display=display)))
    for element in list(root.iter()):
        _mend(element)
    for row in list(root.iter()):
        if row.tag in ("math", "mrow", "mtd", "mstyle"):
            _space(row)
    return ElementTree.tostring(root, encoding="unicode")


def _words(text: str) -> str:
    """Words in a formula as the converter reads them: without escaped underscores, and with formulas between the words taken out."""
    return re.sub(r"\$([^$]*)\$", r"} \1 \\text{", text.replace(r"\_", "_"))


def _mend(element: ElementTree.Element) -> None:
    """Correct the kind of a symbol, and a width that browsers do not know."""
    text = element.text or ""
    if element.tag == "mi" and text in BETWEEN:
        element.tag, element.text = "mo", BETWEEN[text]
    elif element.tag == "mo" and len(text) > 1 and text.isalpha():  # Var, max: a name, which has no spaces as + has
        element.tag = "mi"
    elif element.tag == "mspace" and element.get("width") == "negativethinmathspace":
        element.set("width", f"-{THIN}")


def _space(row: ElementTree.Element) -> None:
    """Thin spaces around the names of functions, and none behind a sign that belongs to a number."""
    children = list(row)
    for element in children:
        row.remove(element)
    for before, element, after in zip([None, *children], children, [*children[1:], None]):
        if _is_name(element) and _is_term(before):
            row.append(ElementTree.Element("mspace", width=THIN))
        row.append(element)
        if _is_name(element) and _is_term(after, closing=False) and not _is_name(after):
            row.append(ElementTree.Element("mspace", width=THIN))
        if element.tag == "mo" and element.text in ("−", "+") and before is not None and before.tag == "mo" and not _closes(before):
            element.set("form", "prefix")


def _is_name(element: ElementTree.Element) -> bool:
    """Whether this is log, max and the like, also with an index."""
    if element.tag in ("msub", "msup", "munder"):
        element = element[0]
    return element.tag == "mi" and len(element.text or "") > 1 and (element.text or "").isalpha()


def _is_term(element: ElementTree.Element | None, closing: bool = True) -> bool:
    """Whether this is a number, a letter, a fraction or the like, or the bracket at the end of a term."""
    if element is None or element.tag in ("mspace", "mtext"):
        return False
    return closing and _closes(element) if element.tag == "mo" else True


def _closes(element: ElementTree.Element) -> bool:
    return (element.text or "") in (")", "]", "}", "⌉", "⌋", "!")
