"""What every test and every notebook under test runs under: one thread a process (files run side by side), no progress bars."""

import functools
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

if os.name == "posix":
    import nbval.kernel

    # Kernels are reached through files instead of ports, so that the tests pass with every network interface down.
    nbval.kernel.KernelManager = functools.partial(nbval.kernel.KernelManager, transport="ipc")
