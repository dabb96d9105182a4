"""Runs a notebook in this environment, as the tests do, and records its outputs, what it checked, and what it cost."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaecourse.files import kind, located

__all__ = ["NOTEBOOKS", "TESTED", "Run", "Unusable", "find", "folder_for_sockets", "kernel_manager", "read", "run"]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
TESTED = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "TQDM_DISABLE": "1"}  # the settings under which the reference is made


class Unusable(ValueError):
    """A file cannot be read or written as it has to be. The message names it, and says what to do."""


@dataclass
class Run:
    """The result of running a notebook: its outputs, and for every cell what it checked and how many seconds it took."""

    notebook: Any
    records: list[list[dict]]
    seconds: list[float]
    megabytes: float | None = None  # at the peak; None where the system does not say
    skipped_from: int | None = None  # from this cell on nothing was done, because the data of the notebook is not available

    def idle(self, cell: int) -> bool:
        """Whether the cell did nothing, because the data of the notebook is not available."""
        return self.skipped_from is not None and cell >= self.skipped_from


def find(names: list[str]) -> list[Path]:
    """The notebooks with these files, numbers ("03", "05b") or beginnings of names ("mnist"); all notebooks if no name is given."""
    if not names:
        found = sorted(NOTEBOOKS.glob("*.ipynb"))
        if not found:
            sys.exit(f"there are no notebooks in {NOTEBOOKS}: run this in a clone of the course, not from an installed wheel")
        return found
    found, there = [], sorted(NOTEBOOKS.glob("*.ipynb"))
    for name in names:
        try:
            file = located(name)
        except ValueError as error:
            sys.exit(str(error))
        starts = (f"{name}_", name) if name else ()
        fit = [file] if file.is_file() else next(filter(None, ([path for path in there if path.name.startswith(s)] for s in starts)), [])
        if not fit:
            sys.exit(f"there is no notebook {name or repr(name)}: pass a file, or the beginning of a name in {NOTEBOOKS}")
        found += fit
    return found


def read(path: Path) -> Any:
    """A notebook, of format 4.

    Raises:
        Unusable: there is no notebook at this path.
    """
    import nbformat

    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)
        if all(isinstance(cell.source, str) for cell in notebook.cells):
            return notebook
    except Exception as error:  # nbformat raises what it happens to meet
        raise Unusable(f"{path} is no notebook that can be read: it is {kind(path)}") from error
    raise Unusable(f"{path} is no notebook that can be read: it has cells without text")


def run(path: Path, on_cell: Callable[[], None] = lambda: None, digits: str = "strokes", last: str = "") -> Run:
    """Execute a copy of a notebook in a kernel of this environment, as the tests do; errors do not stop it.

    Args:
        path: the notebook.
        on_cell: called after every cell that was executed.
        digits: the data set, as VAECOURSE_DIGITS names it.
        last: the source of one more cell to run at the end.
    """
    import nbclient
    import nbformat
    from jupyter_core.utils import run_sync

    notebook = read(path)
    if last:
        notebook.cells.append(nbformat.v4.new_code_cell(last))
    done = Run(notebook, [[] for _ in notebook.cells], [0.0] * len(notebook.cells))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as folder, _sockets() as sockets:
        record = Path(folder) / "record"
        manager = kernel_manager(sockets)
        client = nbclient.NotebookClient(
            notebook, km=manager, timeout=None, allow_errors=True, store_widget_state=False, record_timing=False, coalesce_streams=True
        )
        client.resources = {"metadata": {"path": str(path.parent)}}
        since = [time.perf_counter(), 0]

        def executed(cell: Any, cell_index: int, **_: Any) -> None:
            done.seconds[cell_index] = time.perf_counter() - since[0]
            lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
            done.records[cell_index] = [json.loads(line) for line in lines[since[1] :]]
            if done.skipped_from is None and any(r["kind"] == "skipped" for r in done.records[cell_index]):
                done.skipped_from = cell_index
            done.megabytes = _peak_memory(manager) or done.megabytes
            since[:] = [time.perf_counter(), len(lines)]
            on_cell()

        client.on_cell_start = lambda **_: since.__setitem__(0, time.perf_counter())
        client.on_cell_executed = executed
        settings = {"VAECOURSE_RECORD": str(record), "VAECOURSE_PROGRESS": str(Path(folder) / "progress.json"), "VAECOURSE_DIGITS": digits}
        try:
            client.execute(env=os.environ | TESTED | settings)
        finally:
            run_sync(manager.shutdown_kernel)(now=True)  # nbclient does not shut down a kernel whose manager was passed
    return done


def kernel_manager(folder: str | None) -> Any:
    """A manager that starts kernels of the running Python. If `folder` is given, they are reached through files in it instead of ports."""
    from ipykernel.kernelspec import RESOURCES, get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class OfThisPython(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())

    files = {"transport": "ipc", "ip": os.path.join(folder, "kernel")} if folder else {}
    return AsyncKernelManager(kernel_name="python3", kernel_spec_manager=OfThisPython(), **files)


def folder_for_sockets() -> str | None:
    """A new folder whose path is short, as that of a Unix socket must be (103 bytes); None if no such folder can be made."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if os.name == "posix" and len(os.fsencode(parent)) < 70 and os.access(parent, os.W_OK):
            return tempfile.mkdtemp(prefix="kernels-", dir=parent)
    return None


@contextlib.contextmanager
def _sockets() -> Iterator[str | None]:
    folder = folder_for_sockets()
    try:
        yield folder
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _peak_memory(manager: Any) -> float | None:
    """The largest amount of memory that a kernel has taken, in MB; the present amount, if the system does not store the peak."""
    import psutil

    try:
        pid = manager.provisioner.process.pid
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()) if sys.platform == "linux" else None
        now = psutil.Process(pid).memory_info()
        return int(peak[1]) / 1024 if peak else getattr(now, "peak_wset", now.rss) / 1024**2
    except (OSError, AttributeError, psutil.Error):  # the kernel has died
        return None
