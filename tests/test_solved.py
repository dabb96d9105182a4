"""The notebooks as a reader leaves them who has solved every exercise: they run, and every check says so.

A cell after the last one that names an exercise cannot tell whether it was solved: such cells are left to the ordinary run.
VAECOURSE_SOLVED=whole runs them here too.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbclient
import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager

from vaecourse.exercises import chapters

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
SOLVABLE = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if path.stem[:2] in chapters()]
CHECK = re.compile(r'^check\("(\w+)", \1\)$', flags=re.M)


def solved(source: str) -> str:
    """An exercise cell with the reference in place of the stub."""
    name = CHECK.search(source)[1]
    return f'from vaecourse.exercises import exercise\n\n{name} = exercise("{name}").reference\n\ncheck("{name}", {name})'


@pytest.mark.parametrize("path", SOLVABLE, ids=lambda path: path.stem)
def test_a_notebook_runs_with_every_exercise_solved(path: Path, tmp_path: Path, through_files: dict[str, str]) -> None:
    notebook = nbformat.read(path, as_version=4)
    stubs = [cell for cell in notebook.cells if cell.cell_type == "code" and CHECK.search(cell.source)]
    assert len(stubs) == len(chapters()[path.stem[:2]].EXERCISES)
    for cell in stubs:
        cell.source = solved(cell.source)
    if os.environ.get("VAECOURSE_SOLVED") != "whole":
        names = re.compile(r"\b(" + "|".join(task.name for task in chapters()[path.stem[:2]].EXERCISES) + r")\b")
        notebook.cells = notebook.cells[
            : 1 + max(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and names.search(cell.source))
        ]
    manager = AsyncKernelManager(**through_files)
    nbclient.NotebookClient(notebook, km=manager, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell in stubs:
        assert cell.outputs[-1].data["text/plain"].startswith("✓"), cell.outputs[-1].data["text/plain"]
