"""What every test and every notebook under test runs under: one thread a process (files run side by side), no progress bars,
and no record of exercises beside the notebooks."""

import atexit
import functools
import os
import shutil
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that wait awake take the cores of the file beside: five times slower
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("VAECOURSE_PROGRESS", os.path.join(tempfile.gettempdir(), f"vaecourse-progress-{os.getpid()}.json"))

if os.name == "posix":
    import nbval.kernel

    # Kernels are reached through files instead of ports, so that the tests pass with every network interface down.
    sockets = tempfile.mkdtemp(prefix="kernels-")
    atexit.register(shutil.rmtree, sockets, ignore_errors=True)
    nbval.kernel.KernelManager = functools.partial(nbval.kernel.KernelManager, transport="ipc", ip=os.path.join(sockets, "kernel"))


def pytest_collection_modifyitems(items: list) -> None:
    """Without MNIST the cells of its notebook run and do nothing; then they are not compared with the figures that readers see."""
    extra = [item for item in items if item.path.name == "mnist.ipynb" and hasattr(item, "options")]
    if extra:
        from vaecourse.data import SHA256, cache_root

        if not all((cache_root() / "mnist" / name).exists() for name in SHA256 if name.endswith(".gz")):
            for item in extra:
                item.options["check"] = False
