"""What every test and every notebook under test runs under: one thread a process (files run side by side), no progress bars,
and no record of exercises beside the notebooks."""

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that wait awake take the cores of the file beside: five times slower
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("VAECOURSE_PROGRESS", os.path.join(tempfile.gettempdir(), f"vaecourse-progress-{os.getpid()}.json"))

if not os.path.isabs(os.path.expanduser("~")):  # a user without a home folder, as in some containers: Jupyter wants one
    os.environ["HOME"] = home = tempfile.mkdtemp(prefix="home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)


def folder_for_sockets() -> str | None:
    """A new folder whose path is short, as that of a Unix socket must be (103 bytes); None where no such folder can be made."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if os.name == "posix" and len(os.fsencode(parent)) < 70 and os.access(parent, os.W_OK):
            return tempfile.mkdtemp(prefix="kernels-", dir=parent)
    return None


SOCKETS = folder_for_sockets()
if SOCKETS is not None:
    import nbval.kernel

    # Kernels are reached through files instead of ports, so that the tests pass with every network interface down.
    atexit.register(shutil.rmtree, SOCKETS, ignore_errors=True)
    nbval.kernel.KernelManager = functools.partial(nbval.kernel.KernelManager, transport="ipc", ip=os.path.join(SOCKETS, "kernel"))


@pytest.fixture
def through_files() -> Iterator[dict[str, str]]:
    """Arguments of a kernel manager that let it reach its kernel through files; none where that cannot be."""
    folder = folder_for_sockets()
    yield {"transport": "ipc", "ip": os.path.join(folder, "kernel")} if folder else {}
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list) -> None:
    """Without MNIST the cells of its notebook run and do nothing; then they are not compared with the figures that readers see."""
    extra = [item for item in items if item.path.name == "mnist.ipynb" and hasattr(item, "options")]
    if extra and not _mnist_is_here():
        for item in extra:
            item.options["check"] = False


def _mnist_is_here() -> bool:
    from vaecourse.data import SHA256, DataUnavailable, cache_root

    try:
        folder = cache_root() / "mnist"
    except DataUnavailable:
        return False
    return all((folder / name).exists() for name in SHA256 if name.endswith(".gz"))
