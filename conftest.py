"""What every test and every notebook under test runs under: one thread a process (files run side by side), no progress bars,
and no record of exercises beside the notebooks."""

import atexit
import collections
import functools
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator

import nbformat
import nbval.kernel
import nbval.plugin
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that wait awake take the cores of the file beside: five times slower
os.environ.setdefault("TQDM_DISABLE", "1")
# glibc, in the processes that are started from here: keep freed memory, instead of returning it and having it zeroed again for each tensor
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(32 * 2**20))
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**30))
os.environ.setdefault("MALLOC_TOP_PAD_", str(64 * 2**20))
os.environ.setdefault("VAECOURSE_PROGRESS", os.path.join(tempfile.gettempdir(), f"vaecourse-progress-{os.getpid()}.json"))

if not os.path.isabs(os.path.expanduser("~")):  # a user without a home folder, as in some containers: Jupyter wants one
    os.environ["HOME"] = home = tempfile.mkdtemp(prefix="home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "tests"))  # as pytest does for its test files
import warm

from vaecourse.regression.runner import folder_for_sockets  # here: NumPy and torch look at the variables above when they are imported

SOCKETS = folder_for_sockets()
if SOCKETS is not None:
    # Kernels are reached through files instead of ports, so that the tests pass with every network interface down.
    atexit.register(shutil.rmtree, SOCKETS, ignore_errors=True)
    nbval.kernel.KernelManager = functools.partial(nbval.kernel.KernelManager, transport="ipc", ip=os.path.join(SOCKETS, "kernel"))

WARM = "VAECOURSE_WARM_KERNELS"


def pytest_configure(config: pytest.Config) -> None:
    """The kernels of the notebooks under test are forked from one process, which this one starts and its workers find by WARM."""
    if sys.platform != "linux" or not config.getoption("nbval", False) or SOCKETS is None:
        return
    if WARM not in os.environ:
        os.environ[WARM] = os.path.join(SOCKETS, "warm")
        atexit.register(warm.start(os.environ[WARM]).terminate)
    manager = nbval.kernel.KernelManager
    nbval.kernel.KernelManager = functools.partial(warm.asking(manager.func, os.environ[WARM]), **manager.keywords)


@pytest.fixture
def through_files() -> Iterator[dict[str, str]]:
    """Arguments of a kernel manager that let it reach its kernel through files; none where that cannot be."""
    folder = folder_for_sockets()
    yield {"transport": "ipc", "ip": os.path.join(folder, "kernel")} if folder else {}
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without HOME and without an entry in the list of users: "~" is nowhere."""
    import pwd

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def _compare_outputs(cell: nbval.plugin.IPyNbCell, new: list, old: list, skip_compare: object = None) -> bool:
    """nbval's comparison of a cell's outputs, in the course's terms: the same words, and numbers within their tolerance."""
    from vaecourse.regression import compare

    differences = compare.compare_outputs(old, new, cell.cell.source)
    cell.comparison_traceback = [
        f"in the line: {d.line}\n  reference: {d.old}\n  now:       {d.new}" + (f"   ({d.by:.3g} tolerances)" if d.kind == "number" else "")
        for d in differences
    ]
    return not differences


def _run_without_data(cell: nbval.plugin.IPyNbCell) -> None:
    """Run a cell that does nothing because its data is not here, and count it as skipped."""
    nbval.plugin.IPyNbCell.runtest(cell)
    pytest.skip("MNIST is not here: the cell was run and did nothing")


nbval.plugin.IPyNbCell.compare_outputs = _compare_outputs


def pytest_collection_modifyitems(items: list) -> None:
    """Behind the cells of a notebook its exercises are solved in the same kernel. And without MNIST its notebook says so in one cell,
    and the cells behind it do nothing: they are not compared, and count as skipped."""
    cells = [item for item in items if isinstance(item, nbval.plugin.IPyNbCell)]
    for name, cell in [(match[1], cell) for cell in cells if (match := EXERCISE.search(cell.cell.source))]:
        last = max(i for i, item in enumerate(items) if item.path == cell.path)
        items.insert(last + 1, _solved(name, cell))
    items.sort(key=_weight, reverse=True)  # whole files, the longest first, so that both processes end together
    extra = [cell for cell in cells if cell.path.name == "mnist.ipynb"]
    if extra and not _mnist_is_here():
        first = next(i for i, item in enumerate(extra) if "skip_the_rest(" in item.cell.source)
        for item in extra[first:]:
            item.options["check"] = False
            item.runtest = functools.partial(_run_without_data, item)


SECONDS = {
    "test_live.py": 150,  # in a browser, which often waits: beside a long notebook
    "test_in_lab.py": 130,
    "test_trained_vae.py": 25,
    "test_exercises.py": 25,
    "test_doctor.py": 15,
    "test_watch.py": 20,
    "test_variants.py": 15,
    "test_guard.py": 15,
    "test_training.py": 10,
    "test_plots.py": 10,
    "test_regression.py": 10,
    "test_audit.py": 10,
    "test_annealing.py": 10,
    "test_doctests.py": 10,
}  # about


@functools.cache
def _notebook_seconds() -> dict[str, float]:
    from vaecourse.regression import load_reference

    return {name: sum(kept["seconds"]) for name, kept in load_reference()["notebooks"].items()}


def _weight(item: pytest.Item) -> float:
    """About how many seconds the file of a test takes; mnist.ipynb takes none where its cells do nothing."""
    name = item.path.name
    return SECONDS.get(name, 0.0 if name == "mnist.ipynb" else _notebook_seconds().get(name, 0.0))


EXERCISE = re.compile(r'^check\("(\w+)", \1\)$', flags=re.M)
SOLVED = """from vaecourse.classroom.convert import solution_of
from vaecourse.exercises import check

exec(solution_of("{name}"))
assert check("{name}", {name}).passed, check("{name}", {name})"""


def _solved(name: str, cell: nbval.plugin.IPyNbCell) -> nbval.plugin.IPyNbCell:
    """A cell that solves an exercise, in the kernel in which its notebook was run. (No cell uses its answer: test_solved.)"""
    code = nbformat.v4.new_code_cell(SOLVED.format(name=name))
    return nbval.plugin.IPyNbCell.from_parent(
        cell.parent, name=f"{name}, solved", cell_num=cell.cell_num, cell=code, options=collections.defaultdict(bool)
    )


def _mnist_is_here() -> bool:
    from vaecourse.data import SHA256, DataUnavailable, cache_root

    try:
        folder = cache_root() / "mnist"
    except DataUnavailable:
        return False
    return all((folder / name).exists() for name in SHA256 if name.endswith(".gz"))
