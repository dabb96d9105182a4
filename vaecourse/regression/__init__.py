"""python -m vaecourse regress: run the notebooks in this environment, and report what differs from their reference and what it means.

The reference of the texts and pictures is the outputs saved in the notebooks. The reference of the versions, of the room that every
equation and claim had, and of time and memory is notebooks/reference.json. `python -m vaecourse refresh` writes both.
"""

from __future__ import annotations

import json
import math
import platform
import re
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

from vaecourse.files import replacing
from vaecourse.regression import compare
from vaecourse.regression.findings import LARGER, SLOWER, STATUS, Finding, examine
from vaecourse.regression.report import Report, writable
from vaecourse.regression.runner import NOTEBOOKS, Run, Unusable, find, kernel_manager, read, run

__all__ = [
    "STATUS",
    "Finding",
    "Report",
    "Run",
    "Unusable",
    "entry",
    "examine",
    "find",
    "kernel_manager",
    "load_reference",
    "merged",
    "read",
    "refresh",
    "regress",
    "run",
    "versions",
]

REFERENCE = "reference.json"
PACKAGES = ("torch", "numpy", "pandas", "scikit-learn", "matplotlib", "jaxtyping", "safetensors", "ipywidgets", "ipykernel")


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that compute, and the machine.

    Example:
        >>> "torch" in versions()
        True
    """
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}", "instructions": _instructions()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _instructions() -> str:
    import torch

    return torch.backends.cpu.get_cpu_capability()


def load_reference(folder: Path = NOTEBOOKS) -> dict:
    """The content of reference.json, or an empty reference if there is none yet.

    Raises:
        Unusable: the file is damaged.
    """
    path = folder / REFERENCE
    if not path.exists():
        return {"versions": {}, "notebooks": {}}
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        if all(isinstance(entry, dict) for entry in (found["versions"], found["notebooks"], *found["notebooks"].values())):
            return found
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unusable(_NO_REFERENCE.format(path)) from error
    raise Unusable(_NO_REFERENCE.format(path))


_NO_REFERENCE = "{} cannot be read as a reference: fetch it again (git checkout), or delete it and run refresh"


def entry(after: Run) -> dict:
    """What reference.json stores of a run."""
    records = [r for cell in after.records for r in cell if r["kind"] != "skipped"]
    kept = [
        {**r, "value": [_rounded(v) for v in r["value"]], "limit": [_rounded(v) for v in r["limit"]], "room": _rounded(r["room"])}
        for r in records
    ]
    return {"seconds": [round(s, 1) for s in after.seconds], "megabytes": _megabytes(after), "records": kept}


def _rounded(number: float) -> float | str:
    """A number to four digits; a number that is not finite as a word, because JSON has no number for it."""
    return float(f"{number:.4g}") if math.isfinite(number) else str(number)


def _megabytes(after: Run) -> int | None:
    return round(after.megabytes) if after.megabytes else None


def regress(paths: list[Path], html: Path | None = None, as_json: Path | None = None) -> int:
    """Run notebooks and report what differs from their reference, by kind. If interrupted, report the notebooks that were run to their end.

    Args:
        paths: the notebooks.
        html: a file to which the report is also written as a web page.
        as_json: a file to which the report is also written as JSON.

    Returns:
        The exit status, which says the worst kind (see `STATUS`); at least 1 if a report could not be written.

    Raises:
        Unusable: a notebook or the reference cannot be read, or a report cannot be written. Nothing has been run.
    """
    from tqdm import tqdm

    writable(html, as_json)
    reference, found, costs, checked = load_reference(paths[0].parent), [], {}, Counter()
    before = [read(path) for path in paths]
    total = sum(cell.cell_type == "code" for notebook in before for cell in notebook.cells)
    with tqdm(total=total, unit="cell", disable=None) as bar:
        try:
            for path, old in zip(paths, before):
                bar.set_description(path.stem)
                after = run(path, bar.update)
                found += examine(path.name, old, after, reference["notebooks"].get(path.name, {}))
                costs[path.name] = {"seconds": round(sum(after.seconds), 1), "megabytes": _megabytes(after)}
                checked += _checked(after)
        except KeyboardInterrupt:
            print(f"Interrupted: {len(costs)} of {len(paths)} notebooks were run to their end.")
    here, there = versions(), reference["versions"]
    moved = {name: (there.get(name, "unknown"), now) for name, now in here.items() if there.get(name) != now}
    report = Report(moved, dict(checked), costs, found)
    print(report.text())
    status = report.status
    for path, content in ((html, report.html), (as_json, report.json)):
        try:
            _store(path, content()) if path is not None else None
        except (OSError, ValueError) as error:  # it could be written when the run began
            print(error, file=sys.stderr)
            status = max(status, 1)
    return status


def _checked(after: Run) -> Counter:
    """The numbers of cells that were run and skipped, and of equations and claims that were checked."""
    code = [i for i, cell in enumerate(after.notebook.cells) if cell.cell_type == "code"]
    kinds = Counter(f"{record['kind']}s" for records in after.records for record in records if record["kind"] != "skipped")
    return Counter({"cells": len(code), "skipped cells": sum(map(after.idle, code))}) + kinds


def refresh(paths: list[Path], digits: str = "strokes") -> int:
    """Execute notebooks as the tests do, and store outputs that changed as the new reference.

    An output that is equal within tolerance, and whose picture looks the same, stays as it is. A notebook with an error or a broken
    claim is not changed.

    Args:
        paths: the notebooks.
        digits: the data set, as VAECOURSE_DIGITS names it.

    Returns:
        The exit status, 0 if all cells ran.

    Raises:
        Unusable: a notebook or the reference cannot be read. Nothing has been run.
    """
    reference, done = load_reference(paths[0].parent), []
    for path in paths:
        read(path)  # raises now rather than after the notebooks before it have run
    try:
        return 1 if _refreshed(paths, reference, done, digits) else 0
    except KeyboardInterrupt:
        print(f"Interrupted: {len(done)} of {len(paths)} notebooks were stored, and the reference with them.")
        return 1
    finally:
        if done:  # however the loop ended, the reference goes with the notebooks that were stored
            reference["versions"] = versions()
            reference["notebooks"] = dict(sorted(reference["notebooks"].items()))
            _store(paths[0].parent / REFERENCE, json.dumps(reference, indent=1, ensure_ascii=False) + "\n")


def _refreshed(paths: list[Path], reference: dict, done: list[Path], digits: str) -> int:
    """Execute and store notebooks, add their entries to the reference and their paths to `done`; the number of those that failed."""
    import nbformat
    from tqdm import tqdm

    failed = 0
    for path in tqdm(paths, unit="notebook", disable=None):
        before, after = read(path), run(path, digits=digits)  # as the author has left it by now
        wrong = [f for f in examine(path.name, before, after, {}) if f.kind in ("error", "claim broken")]
        if wrong or after.skipped_from is not None:
            failed += bool(wrong)
            print(f"{path.name} was left as it was" + (":" if wrong else ": its data is not available"))
            print("".join(f"  cell {f.cell}: {f.says}\n" for f in wrong), end="")
            continue
        kept = reference["notebooks"].get(path.name, {})
        found = entry(after) | ({k: kept[k] for k in ("seconds", "megabytes")} if _costs_alike(kept, after) else {})
        _store(path, nbformat.writes(merged(before, after.notebook)) + "\n")
        reference["notebooks"][path.name] = found
        done.append(path)
    return failed


def _store(path: Path, text: str) -> None:
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def _costs_alike(kept: dict, after: Run) -> bool:
    """Whether time and memory are about what the reference says, so that they need not be written again."""
    then, now = sum(kept.get("seconds", [])), sum(after.seconds)
    same_cells = len(kept.get("seconds", [])) == len(after.seconds)
    return same_cells and then / SLOWER[0] < now < SLOWER[0] * then and abs((after.megabytes or 0) - (kept["megabytes"] or 0)) < LARGER[1]


def merged(before: Any, after: Any) -> Any:
    """The executed notebook, with the outputs of the reference where they are equivalent; outputs that need a kernel are left out."""
    count = 0
    for old, new in zip(before.cells, after.cells):
        new.metadata.pop("execution", None)
        if new.cell_type != "code":
            continue
        count += bool(new.source.strip())
        new.execution_count = count if new.source.strip() else None
        new.outputs = [saved for output in new.outputs if (saved := _readable_output(output)) is not None]
        olds = [saved for output in old.get("outputs", []) if (saved := _readable_output(output)) is not None]
        new.outputs = [b if a is None or not _as_good(a, b, new.source) else a for a, b in zip(_paired(olds, new.outputs), new.outputs)]
        for output in new.outputs:
            if "execution_count" in output:
                output.execution_count = new.execution_count
    after.metadata.pop("widgets", None)
    return after


def _paired(old: list, new: list) -> list:
    """The output of the reference beside each new one; None for all of them if their numbers differ."""
    return old if len(old) == len(new) else [None] * len(new)


def _as_good(old: Any, new: Any, source: str) -> bool:
    """Whether an output of the reference says and shows the same as the new one."""
    if (
        old.output_type != new.output_type
        or set(old.get("data", {})) != set(new.get("data", {}))
        or old.get("metadata") != new.get("metadata")
    ):
        return False
    same = {"image/png": compare.same_picture, "text/html": compare.same_fragment}
    shown = [kind for kind in new.get("data", {}) if kind in same]
    return not compare.compare_outputs([old], [new], source) and all(same[kind](old.data[kind], new.data[kind]) for kind in shown)


def _readable_output(output: Any) -> Any | None:
    """An output without its live widget, which shows nothing once the kernel has ended; None if nothing else remains."""
    data = output.get("data", {})
    if "application/vnd.jupyter.widget-view+json" in data:
        del data["application/vnd.jupyter.widget-view+json"]
        if not data or re.search(r"\d+%\|", data.get("text/plain", "")):  # a progress bar
            return None
    return output
