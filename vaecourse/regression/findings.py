"""The differences between a run of a notebook and its reference, sorted by their meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from vaecourse.regression import compare
from vaecourse.regression.prose import heading, sentences
from vaecourse.regression.runner import Run

__all__ = ["STATUS", "Finding", "examine"]

STATUS = {  # from the worst to the least; the exit status says the worst that was found
    "error": 70,
    "claim broken": 60,
    "number moved": 50,
    "text changed": 40,
    "margin shrunk": 30,
    "picture changed": 20,
    "slower or larger": 10,
}
SHRUNK = 0.5  # a margin is reported where it is less than this share of the room it had
SLOWER = (1.5, 5.0)  # a notebook is slower where it takes this many times as long, and so many seconds more
LARGER = (1.2, 50.0)  # larger: the same for its memory, in MB


@dataclass(frozen=True)
class Finding:
    """One difference from the reference.

    Attributes:
        kind: a key of STATUS.
        notebook, cell, heading: where it is; the cell is its index in the file, from 0 (None: the notebook as a whole).
        says: what was found, in one or a few lines.
        sentences: the sentences of the text that quote the number or the equation, or that follow the cell.
    """

    kind: str
    notebook: str
    cell: int | None
    heading: str
    says: str
    sentences: list[str] = field(default_factory=list)


def examine(name: str, before: Any, after: Run, reference: dict) -> list[Finding]:
    """All differences of a run from the reference, the worst kind first.

    Args:
        name: the name of the notebook.
        before: the notebook with its saved outputs.
        after: the run.
        reference: the entry of this notebook in reference.json: "records", "seconds", "megabytes".
    """
    found, rooms = [], _rooms(reference.get("records", []))
    for i, (old, new) in enumerate(zip(before.cells, after.notebook.cells)):
        if old.cell_type == "code" and not after.idle(i):
            found += [Finding(kind, name, i, heading(before, i), *rest) for kind, *rest in _of_a_cell(before, i, old, new, after, rooms)]
    for (kind, label), left in rooms.items():
        if left and after.skipped_from is None:
            found.append(Finding("text changed", name, None, "", f"no longer checked: {kind} {label}"))
    found += [Finding("slower or larger", name, None, "", says) for says in _costs(before, after, reference)]
    return sorted(found, key=lambda f: -STATUS[f.kind])


def _of_a_cell(before: Any, i: int, old: Any, new: Any, after: Run, rooms: dict) -> Iterable[tuple]:
    """(kind, what it says, sentences) of every difference in the i-th cell."""
    meant = {o.ename for o in old.outputs if o.output_type == "error"}  # an error that the cell is there to show
    errors = [o for o in new.outputs if o.output_type == "error" and o.ename not in meant]
    for error in errors:
        yield "error", f"{error.ename}: {error.evalue}", sentences(before, i, [])
    for record in after.records[i]:
        had = rooms.get((record["kind"], record["label"]), [])
        was = had.pop(0) if had else None
        if not record["holds"]:
            what = record["label"] if record["kind"] == "claim" else f"equation ({record['label']})"
            says = f"{what}: {_listed(record['value'])}, but it had to be {record['relation']} {_listed(record['limit'])}"
            says += f"; in the reference {_listed(was['value'])}" if was else ""
            quoted = [f"({record['label']})"] if record["kind"] == "equation" else []
            printed = compare.numbers(_line_of(record, old))
            yield "claim broken", says, sentences(before, i, printed, quoted)
        elif was and 0 < record["room"] < SHRUNK * float(was["room"]):
            share = record["room"] / float(was["room"])
            says = (
                f"{record['label']}: {_listed(was['value'])} → {_listed(record['value'])}, limit {record['relation']} "
                f"{_listed(record['limit'])}; {100 * share:.2g} % of the room is left"
            )
            yield "margin shrunk", says, sentences(before, i, compare.numbers(_line_of(record, old)), [f"({record['label']})"])
    if errors:
        return  # what is missing after an error is no further finding
    for difference in compare.compare_outputs(old.outputs, new.outputs, old.source):
        if difference.kind == "number":
            says = f"{difference.old} → {difference.new} ({difference.by:.3g} tolerances) in: {difference.line}"
            yield "number moved", says, sentences(before, i, [difference.old])
        elif not difference.new.startswith("✗"):  # a broken claim was named above
            yield "text changed", f"- {difference.old}\n+ {difference.new}", sentences(before, i, [])
    for n, (a, b) in enumerate(zip(_pictures(old), _pictures(new)), 1):
        if not compare.same_picture(a, b):
            yield "picture changed", f"picture {n} of the cell looks different", []


def _rooms(records: list[dict]) -> dict[tuple[str, str], list[dict]]:
    """The records of the reference by kind and label, those of each label in order."""
    rooms: dict[tuple[str, str], list[dict]] = {}
    for record in records:
        rooms.setdefault((record["kind"], record["label"]), []).append(record)
    return rooms


def _line_of(record: dict, cell: Any) -> str:
    """The line that the reference printed for a claim, whose numbers the text quotes. For an equation it is empty."""
    if record["kind"] == "equation":
        return ""
    parts = re.split(r"\{[^{}]*\}", record["label"])
    fits = re.compile(".*".join(map(re.escape, parts)))
    lines = "\n".join(compare.readable(cell.outputs).values()).splitlines()
    return next((match[0] for line in lines if (match := fits.search(line))), "")


def _listed(numbers: list[float | str]) -> str:
    shown = [f"{float(number):.5g}" for number in numbers]
    return ", ".join(shown) if len(shown) < 6 else f"{', '.join(shown[:2])}, … {shown[-1]}"


def _costs(before: Any, after: Run, reference: dict) -> Iterable[str]:
    """In words, whether the notebook is slower, and because of which cell above all, or takes more memory."""
    then, now = reference.get("seconds", []), after.seconds
    if len(then) == len(now) and sum(now) > max(SLOWER[0] * sum(then), SLOWER[1] + sum(then)):
        worst = max(range(len(now)), key=lambda i: now[i] - then[i])
        yield (
            f"{sum(then):.0f} s → {sum(now):.0f} s, most of it in cell {worst} ({heading(before, worst)}): "
            f"{then[worst]:.1f} s → {now[worst]:.1f} s"
        )
    memory = reference.get("megabytes")
    if memory and after.megabytes and after.megabytes > max(LARGER[0] * memory, LARGER[1] + memory):
        yield f"{memory:.0f} MB → {after.megabytes:.0f} MB of memory at the peak"


def _pictures(cell: Any) -> list[str]:
    return [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
