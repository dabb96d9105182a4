"""The report of a regression run: as text, as a web page, as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from vaecourse.files import replaceable
from vaecourse.regression.findings import STATUS, Finding
from vaecourse.regression.runner import Unusable

__all__ = ["Report", "writable"]


def writable(*paths: Path | None) -> None:
    """Try whether files can be written, before a long run whose results they are to hold. The files stay as they are.

    Raises:
        Unusable: one of them is a folder or a device, or its folder cannot be written to.
    """
    for path in filter(None, paths):
        try:
            replaceable(path)
        except (OSError, ValueError) as error:
            raise Unusable(str(error)) from error


def _cost(cost: dict) -> str:
    return f"{cost['seconds']:.0f} s" + (f", {cost['megabytes']} MB" if cost["megabytes"] else "")


@dataclass(frozen=True)
class Report:
    """The findings of a whole run, with what is needed to read them.

    Attributes:
        versions: from the name to (the version in the reference, the version here), where the two differ.
        checked: the numbers of cells, equations and claims, and of cells that were skipped.
        costs: seconds and megabytes of each notebook.
        findings: all findings.
    """

    versions: dict[str, tuple[str, str]]
    checked: dict[str, int]
    costs: dict[str, dict[str, float | None]]
    findings: list[Finding]

    @property
    def status(self) -> int:
        """The exit status, which says the worst kind that was found; 0 if nothing was."""
        return max((STATUS[f.kind] for f in self.findings), default=0)

    def counts(self) -> str:
        """How often each kind was found, in words."""
        found = Counter(f.kind for f in self.findings)
        return ", ".join(f"{found[kind]} × {kind}" for kind in STATUS if found[kind]) or "nothing differs from the reference"

    def text(self) -> str:
        """The report as text."""
        lines = ["Versions that differ from the reference:" if self.versions else "Versions: those of the reference."]
        lines += [f"  {name:12} {old} → {new}" for name, (old, new) in self.versions.items()]
        lines += ["Checked: " + ", ".join(f"{n:,} {what}" for what, n in self.checked.items()) + "."]
        for name in self.costs:
            mine = [f for f in self.findings if f.notebook == name]
            lines += [
                "",
                f"{name}: {_cost(self.costs[name])}" + ("" if mine else "; as in the reference"),
            ]
            for finding in mine:
                where = "" if finding.cell is None else f" · cell {finding.cell} · {finding.heading}"
                lines += [f"  {finding.kind}{where}", *(f"    {line}" for line in finding.says.splitlines())]
                lines += [f"      the text says: {sentence}" for sentence in finding.sentences]
        return "\n".join([*lines, "", f"In all: {self.counts()}."])

    def json(self) -> str:
        """The report as JSON."""
        whole = {
            "versions": {name: {"reference": old, "here": new} for name, (old, new) in self.versions.items()},
            "checked": self.checked,
            "notebooks": self.costs,
            "findings": [asdict(f) for f in self.findings],
            "status": self.status,
        }
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"

    def html(self) -> str:
        """The report as a web page without other files: a table of the versions, then the findings of each notebook."""
        rows = "".join(
            f"<tr><th scope=row>{escape(n)}</th><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for n, (a, b) in self.versions.items()
        )
        parts = []
        for name, cost in self.costs.items():
            mine = [f for f in self.findings if f.notebook == name]
            parts.append(f"<h2>{escape(name)}</h2><p>{_cost(cost)}{'' if mine else '; as in the reference'}</p>")
            for f in mine:
                quoted = "".join(f"<blockquote>{escape(s)}</blockquote>" for s in f.sentences)
                where = "" if f.cell is None else f", cell {f.cell}, {escape(f.heading)}"
                parts.append(f"<section><h3>{escape(f.kind)}{where}</h3><pre>{escape(f.says)}</pre>{quoted}</section>")
        table = (
            f"<table><tr><th>version</th><th>reference</th><th>here</th></tr>{rows}</table>"
            if rows
            else "<p>Versions: those of the reference.</p>"
        )
        checked = ", ".join(f"{n:,} {what}" for what, n in self.checked.items())
        return PAGE.format(counts=escape(self.counts()), versions=table, checked=checked, findings="".join(parts))


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>vaecourse: what differs from the reference</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color-scheme: light dark }}
section {{ border-left: 4px solid #D55E00; padding-left: 1em }}
pre {{ white-space: pre-wrap }} td, th {{ text-align: left; padding: 0 1em 0 0 }}
</style></head><body>
<h1>What differs from the reference</h1><p><b>{counts}.</b></p>{versions}<p>Checked: {checked}.</p>{findings}
</body></html>
"""
