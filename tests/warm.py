"""Kernels that are forked from one process in which torch and IPython are imported already.

A kernel of its own for every notebook would import them anew each time, two seconds of a processor for each. The package under test is
never imported before the fork. Linux only: elsewhere a fork after such imports is not safe, and kernels start as ever.

    python warm.py serve SOCKET            the process from which kernels are forked
    python -I -S warm.py SOCKET ARGUMENTS  in the place of a kernel: passes on its arguments, its signals and the exit status
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

IMPORTS = (
    *("torch", "torch._dynamo", "safetensors.torch", "jaxtyping", "IPython", "ipykernel.kernelapp"),
    *("matplotlib.figure", "matplotlib.font_manager", "matplotlib.backends.backend_agg", "mpl_toolkits.mplot3d"),  # not pyplot
)


def start(path: str) -> subprocess.Popen:
    """Start the process from which kernels are forked."""
    process = subprocess.Popen([sys.executable, __file__, "serve", path])
    while process.poll() is None and not os.path.exists(path):
        time.sleep(0.01)
    return process


def asking(manager: type, path: str) -> type:
    """A class of kernel managers, like `manager`, whose kernels are forked from the process at `path`."""

    class Warm(manager):
        def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
            cold = super().format_kernel_cmd(extra_arguments)
            return [sys.executable, "-I", "-S", __file__, path, *cold[cold.index("ipykernel_launcher") + 1 :]]

    return Warm


# ---------------------------------------------------------------- the process from which kernels are forked


def serve(path: str) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + ".new")
    listener.listen()
    os.rename(path + ".new", path)  # from here on it can be asked
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as a kernel does, before matplotlib is imported
    for name in IMPORTS:
        __import__(name)
    kernels: dict[socket.socket, int] = {}  # who asked for it, and its number
    starter = os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        while os.getppid() == starter:
            for asks in select.select([listener, *kernels], [], [], 0.1)[0]:
                if asks is listener:
                    new, _ = listener.accept()
                    kernels[new] = fork(new, listener, kernels)
                else:  # its signals; none when it is gone
                    for number in asks.recv(64) or [signal.SIGKILL]:
                        kill(kernels[asks], number)
            for asks, kernel in list(kernels.items()):
                ended, status = os.waitpid(kernel, os.WNOHANG)
                if ended:
                    del kernels[asks]
                    with contextlib.suppress(OSError):  # it is gone
                        asks.send(b"%d" % os.waitstatus_to_exitcode(status))
                    asks.close()
    finally:
        for kernel in kernels.values():
            kill(kernel, signal.SIGKILL)


def kill(kernel: int, number: int) -> None:
    """Send a signal to a kernel and to what it has started."""
    with contextlib.suppress(ProcessLookupError):  # it has ended, or has no group of its own yet
        os.killpg(kernel, number)


def fork(asks: socket.socket, listener: socket.socket, kernels: dict[socket.socket, int]) -> int:
    """Fork a kernel with the files, folder, environment and arguments of the one who asks. Returns its number."""
    request, files, *_ = socket.recv_fds(asks, 1 << 16, 3)
    while not request.endswith(b"\0"):
        request += asks.recv(1 << 16)
    kernel = os.fork()
    if kernel:
        for file in files:
            os.close(file)
        return kernel
    for inherited in (asks, listener, *kernels):
        inherited.close()
    kernels.clear()  # this process is one of them now
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    folder, environment, sys.argv[1:] = json.loads(request[:-1])
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    del sys.path[0]  # the folder of this file
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()
    sys.exit()


# ---------------------------------------------------------------- in the place of a kernel


def stand_in(path: str, arguments: list[str]) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)
    environment = {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"}  # it is not the parent of the fork
    request = json.dumps([os.getcwd(), environment, arguments]).encode() + b"\0"
    socket.send_fds(server, [request[:1]], [0, 1, 2])
    server.sendall(request[1:])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: server.send(bytes([number])))
    status = int(server.recv(16) or 1)
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        stand_in(sys.argv[1], sys.argv[2:])
