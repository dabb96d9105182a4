"""Runs a learner's function so that nothing it does can hurt the notebook around it.

It runs in a thread of its own, under a time limit and (on Linux) a memory limit. Random states, the default dtype, the
open figures and whatever else it may have turned are put back afterwards.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import random
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np
import torch

SECONDS = 5.0
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

    with _state_kept() as printed:
        worker = _start(work)
        try:
            worker.join(seconds)
        finally:
            _stop(worker)
    if "error" in outcome:
        raise _in_words(outcome["error"], seconds) from None
    if "result" not in outcome:
        raise Stopped(
            f"It was still running after {seconds:g} seconds and could not be stopped: restart the kernel (Kernel, Restart), "
            "and look for the loop that never ends."
        )
    return outcome["result"], printed.getvalue()


def where(error: BaseException) -> str:
    """The last line of the learner's own code on the way to the error, in words; empty where there is none."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_library(f.filename)]
    if not frames or not frames[-1].line:
        return ""
    return f" (line {frames[-1].lineno} of its cell or file: {frames[-1].line})"


def _is_library(filename: str) -> bool:
    return filename.startswith((os.path.dirname(__file__), "<frozen")) or f"{os.sep}site-packages{os.sep}" in filename


def _start(work: Callable[[], None]) -> threading.Thread:
    """A thread with room for a deep recursion."""
    before = threading.stack_size(64 << 20)
    try:
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
    finally:
        threading.stack_size(before)
    return worker


def _stop(worker: threading.Thread) -> None:
    """Raise _TimeIsUp in the thread until it ends; after a second it is left alone."""
    for _ in range(20):
        if not worker.is_alive():
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker.ident), ctypes.py_object(_TimeIsUp))
        worker.join(0.05)


def _in_words(error: BaseException, seconds: float) -> BaseException:
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
            stack.enter_context(_memory_limit())
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


@contextlib.contextmanager
def _memory_limit() -> Iterator[None]:
    """An upper limit on the address space of this process, where the system knows one and says how much is in use."""
    try:
        import resource

        with open("/proc/self/statm") as file:
            in_use = int(file.read().split()[0]) * resource.getpagesize()
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = in_use + MEMORY + (128 << 20)  # and room for the thread itself
        if soft == resource.RLIM_INFINITY or limit < soft:
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    except (ImportError, OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


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
