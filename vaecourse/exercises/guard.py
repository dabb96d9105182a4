"""Runs a learner's function so that nothing it does can damage the notebook around it.

The function runs in a separate thread, under a time limit and (on Linux) a memory limit. Random states, the default dtype, the
open figures and other global state are restored afterwards. Neither limit applies while a module is being imported, because an
interrupted import leaves half of a module behind for the rest of the session.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import inspect
import io
import linecache
import os
import random
import site
import sys
import sysconfig
import textwrap
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any
from unittest import mock

import numpy as np
import torch

__all__ = ["Stopped", "code_of", "is_library", "learner_frame", "run", "where"]

SECONDS = 5.0
IMPORT_SECONDS = 60.0  # what the imports of an answer may take, all together: the first Adam of a session needs several seconds
GLANCE = 0.02  # seconds between two looks at what the answer is doing
MEMORY = 1 << 29  # what an answer may ask for, in bytes: the probes are tiny
PRINTED = 300  # characters of what an answer prints that are kept


class Stopped(Exception):
    """The answer did not come back with a result. The message says what happened, and what to do."""


class _TimeIsUp(BaseException):
    """Raised inside the learner's function; not an Exception, so that `except Exception` lets it through."""


def run(task: Callable[[], Any], seconds: float = SECONDS) -> tuple[Any, str]:
    """task() and what it printed, its state undone. Raises Stopped where it ran too long, asked for too much, or called exit."""
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["result"] = task()
        except BaseException as error:  # an answer may raise anything, SystemExit too
            outcome["error"] = error

    importing = False
    with _state_kept() as printed, _MemoryLimit() as limit:
        worker = _start(work)
        try:
            importing = _wait(worker, seconds, limit)
        finally:
            _stop(worker, 0 if importing else IMPORT_SECONDS)
    if "error" in outcome:
        raise _in_words(outcome["error"], seconds, importing) from None
    if "result" not in outcome:
        raise Stopped(
            f"It was still running after {seconds:g} seconds and could not be stopped: restart the kernel (Kernel, Restart), "
            "and look for the loop that never ends."
        )
    return outcome["result"], printed.getvalue()


def where(error: BaseException, answer: Any = None) -> str:
    """The last line of the learner's own code on the way to the error, in words; empty where there is none.

    Args:
        answer: the learner's function. What stands in the same cell or file is the learner's, wherever that file lies.
    """
    frame, number = learner_frame(error, answer)
    if frame is None:
        return ""
    line = textwrap.shorten(linecache.getline(frame.f_code.co_filename, number, frame.f_globals), 100, placeholder=" …")
    return f" (line {number} of its cell or file{': ' if line else ''}{line})"


def learner_frame(error: BaseException, answer: Any = None) -> tuple[FrameType | None, int]:
    """The last frame of the learner's own code on the way to the error, and the line in it; None and 0 where there is none."""
    code, found, traceback = code_of(answer), (None, 0), error.__traceback__
    own = code and code.co_filename
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file == own or not is_library(file):
            found = traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next
    return found


def code_of(answer: Any) -> CodeType | None:
    """What the learner has written, also of a method, a partial, a decorated function or an object that can be called."""
    while isinstance(answer, functools.partial):
        answer = answer.func
    if not callable(answer):
        return None
    answer = inspect.unwrap(answer)
    return getattr(answer, "__code__", None) or getattr(type(answer).__call__, "__code__", None)


@functools.cache
def is_library(filename: str) -> bool:
    """Whether a file belongs to Python, to an installed package or to this one, and so not to the learner."""
    return filename.startswith("<frozen") or any(Path(os.path.abspath(filename)).is_relative_to(f) for f in _library_folders())


@functools.cache
def _library_folders() -> tuple[str, ...]:
    installed = [sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    installed += [*site.getsitepackages(), site.getusersitepackages()]
    packages = [Path(__file__).parent.parent, *(Path(package.__file__).parent for package in (torch, np))]
    return tuple({str(place) for place in (*installed, *packages)})


def _start(work: Callable[[], None]) -> threading.Thread:
    """A thread with room for a deep recursion."""
    before = threading.stack_size(64 << 20)
    try:
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
    finally:
        threading.stack_size(before)
    return worker


def _wait(worker: threading.Thread, seconds: float, limit: _MemoryLimit) -> bool:
    """Wait until the thread ends or its time is used up. Imports have a time of their own: True where that is used up."""
    used = {True: 0.0, False: 0.0}
    while worker.is_alive():
        importing, start = _is_importing(worker), time.monotonic()
        if not importing:
            limit.set()
        worker.join(GLANCE)
        used[importing] += time.monotonic() - start
        if used[True] > IMPORT_SECONDS:
            return True
        if used[False] > seconds and not _is_importing(worker):
            return False
    return False


def _is_importing(worker: threading.Thread) -> bool:
    """Whether a module that the thread imports is not yet whole."""
    with _garbage_kept():
        frame = sys._current_frames().get(worker.ident)
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib._bootstrap"):
                return True
            frame = frame.f_back
    return False


@contextlib.contextmanager
def _garbage_kept() -> Iterator[None]:
    """No garbage is collected meanwhile.

    Python 3.11 may collect it inside `f_back`. A finaliser can then let the thread run on and leave the very frame that is being
    read, and Python crashes.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _stop(worker: threading.Thread, patience: float) -> None:
    """Raise _TimeIsUp in the thread until it ends; after a second it is left alone. An import may end first, within `patience` seconds."""
    deadline, before = time.monotonic() + patience, sys.getswitchinterval()
    try:
        # Whoever gets the interpreter keeps it this long, so that no import begins between the look and the exception.
        sys.setswitchinterval(0.05)
        for _ in range(20):
            worker.join(0.01)  # gives the interpreter away, and gets it anew
            while worker.is_alive() and _is_importing(worker) and time.monotonic() < deadline:
                worker.join(GLANCE)
            if not worker.is_alive():
                return
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker.ident), ctypes.py_object(_TimeIsUp))
            worker.join(0.05)
    finally:
        sys.setswitchinterval(before)


def _in_words(error: BaseException, seconds: float, importing: bool) -> BaseException:
    if isinstance(error, _TimeIsUp) and importing:
        return Stopped(
            f"A module that it imports was still loading after {IMPORT_SECONDS:g} seconds, and was stopped. Import it in a cell of its own first."
        )
    if isinstance(error, _TimeIsUp):
        return Stopped(f"It was still running after {seconds:g} seconds, and was stopped. Is there a loop that never ends?")
    if isinstance(error, SystemExit):
        return Stopped("It called exit(), which ends a program. A function hands its result back with return.")
    if isinstance(error, RecursionError):
        return Stopped(f"It calls itself without end{where(error)}. Where does the recursion stop?")
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error) or "Unable to allocate" in str(error):
        return Stopped(
            f"It asked for more than {MEMORY >> 20} MB of memory{where(error)}. The inputs are tiny: "
            "look at the shapes of what you make; did two of them broadcast against each other?"
        )
    return error


@contextlib.contextmanager
def _state_kept() -> Iterator[io.StringIO]:
    """Everything global that an answer is likely to touch is put back at the end."""
    torch_state, numpy_state, python_state = torch.get_rng_state(), np.random.get_state(), random.getstate()
    dtype, threads, grad = torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled()
    recursion, folder = sys.getrecursionlimit(), os.getcwd()
    printed = _Bounded()
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            stack.enter_context(contextlib.redirect_stdout(printed))
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            stack.enter_context(_figures_kept())
            stack.enter_context(_kernel_kept())
            yield printed
    finally:
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        sys.setrecursionlimit(recursion)
        os.chdir(folder)


class _Bounded(io.StringIO):
    """Keeps the beginning of what is printed, so that an endless loop of prints does not fill the memory."""

    def write(self, text: str) -> int:
        if self.tell() < PRINTED:
            super().write(text[: PRINTED - self.tell()])
        else:
            time.sleep(1e-5)  # lets the other threads in
        return len(text)


class _MemoryLimit:
    """An upper limit on the address space of this process, if the system has one and says how much is in use.

    It is the first of the finders of modules, so it is notified of every import that loads something, and lifts the limit then:
    libraries request far more address space than they use. `set` restores it, above what is in use by then.
    """

    def __enter__(self) -> _MemoryLimit:
        self.before: tuple[int, int] | None = None
        self.lifted = True
        with contextlib.suppress(ImportError, OSError, ValueError):
            import resource

            self.before = resource.getrlimit(resource.RLIMIT_AS)
            self.set()
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_: Any) -> None:
        sys.meta_path.remove(self)
        self.find_spec()

    def set(self) -> None:
        """Set the limit for the time in which the answer computes, unless it is already set."""
        if not self.lifted or self.before is None:
            return
        self.lifted = False
        with contextlib.suppress(OSError, ValueError):
            import resource

            soft, hard = self.before
            in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            limit = in_use + MEMORY + (128 << 20)  # and room for the thread itself
            if soft == resource.RLIM_INFINITY or limit < soft:
                resource.setrlimit(resource.RLIMIT_AS, (limit, hard))

    def find_spec(self, *_: Any) -> None:
        """Called where a module is about to be loaded: lift the limit, and leave the finding to others."""
        if not self.lifted and self.before is not None:
            self.lifted = True
            import resource

            resource.setrlimit(resource.RLIMIT_AS, self.before)


@contextlib.contextmanager
def _figures_kept() -> Iterator[None]:
    """The open figures and settings of matplotlib, if anyone has loaded it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        yield
        return
    from matplotlib._pylab_helpers import Gcf

    figures, settings = Gcf.figs.copy(), dict.copy(pyplot.rcParams)
    try:
        yield
    finally:
        Gcf.figs.clear()
        Gcf.figs.update(figures)
        if dict.copy(pyplot.rcParams) != settings:
            dict.update(pyplot.rcParams, settings)


@contextlib.contextmanager
def _kernel_kept() -> Iterator[None]:
    """In a notebook exit() asks the kernel to end: here it ends the answer alone."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        yield
        return

    def ask_exit(*args: Any) -> None:
        raise SystemExit

    with mock.patch.object(shell, "ask_exit", ask_exit):
        yield
