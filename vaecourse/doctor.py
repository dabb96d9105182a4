"""What a machine needs for the course, checked one thing at a time: what was found, and what to do about it.

At the top this module imports only the standard library, because it must also work where torch is missing.
"""

from __future__ import annotations

import hashlib
import importlib
import math
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from vaecourse import MODULES, PACKAGES

__all__ = [
    "Check",
    "advice",
    "digits",
    "examine",
    "memory",
    "missing",
    "mnist",
    "module_of",
    "package",
    "python",
    "shipped",
    "threads",
    "verdict",
]

PYTHON = (3, 10)  # the lowest version that pyproject.toml allows
SHIPPED = {  # sha256, as in data/README.md; None if the file may change
    "strokes.npz": "48b271d34ef0508bd50e1389cdec19568418efd9f97f0ce6d0ab05799b96ed07",
    "decoder.safetensors": "dcabd80a5dcd345815b98402001d649ac762e55775d5f3559c7a15db61423d9e",
    "vaes.safetensors": "c5566f34f5fa8bd414675e4746a410e340215eb62d3a54181a28aebf3bc83917",
    "players.csv": "e0ddbab2003d4324b1968dc9db2cc51148a997c57068e2f4c16124b23310cb54",
    "scoreboard.csv": None,
    "variants.csv": None,
}
COLABS_OWN = ("ipython", "ipywidgets")  # Colab depends on old versions of these two, with which the notebooks run as well
MEMINFO, CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
GB = 2**30


class Check(NamedTuple):
    """The result of one check.

    Attributes:
        name: what was checked.
        ok: whether it is as the course needs it.
        found: what was found.
        todo: how to fix it if it is not ok; otherwise a tip, or nothing.

    Example:
        >>> Check("memory", True, "4.0 GB free").todo
        ''
    """

    name: str
    ok: bool
    found: str
    todo: str = ""


def module_of(name: str) -> str:
    """The name under which a package is imported.

    Example:
        >>> module_of("scikit-learn")
        'sklearn'
    """
    return MODULES.get(name, name)


def missing(module: str = "") -> list[str]:
    """The packages among `PACKAGES` that are not installed for this Python, including the one whose module could not be imported.

    Example:
        >>> missing("sklearn")
        ['scikit-learn']
    """
    return [name for name in PACKAGES if _version(name) is None or module_of(name) == module]


def advice(missing: Sequence[str]) -> str:
    """What to do if these packages are missing.

    Example:
        >>> "pip install" in advice(["torch"])
        True
    """
    wanted = " ".join(f'"{name}>={PACKAGES[name]}"' for name in missing)
    return (
        f"The course needs packages that are not installed for {sys.executable}: {', '.join(missing)}.\n"
        "In a notebook, choose the kernel of the environment in which you installed the course (Kernel, Change Kernel...).\n"
        f"Or install them here, then restart: {_this_python()} -m pip install {wanted}"
    )


def examine() -> list[Check]:
    """Run all checks. This never raises an error: what cannot be checked is not ok."""
    looks: dict[str, Callable[[], tuple]] = {
        "Python {}.{} or newer".format(*PYTHON): python,
        **{f"{name} {minimum} or newer": partial(package, name, minimum) for name, minimum in PACKAGES.items()},
        "choice of digits": digits,
        "shipped data": shipped,
        "MNIST, where it is asked for": mnist,
        "memory": memory,
        "threads": threads,
    }
    return [_check(name, look) for name, look in looks.items()]


def verdict(checks: Sequence[Check], details: bool = False) -> str:
    """The results as text, one line for each check: ok, or FIX with what was found and what to do.

    Args:
        checks: what `examine` returns.
        details: also state what was found where all is well, and the tips.

    Example:
        >>> print(verdict([Check("memory", False, "0.2 GB free", "close other programs")]))
        FIX  memory: 0.2 GB free
             do: close other programs
    """
    lines = []
    for name, ok, found, todo in checks:
        lines.append(f"{'ok ' if ok else 'FIX'}  {name}" + (f": {found}" if details or not ok else ""))
        if todo and (details or not ok):
            lines.append(f"     {'tip' if ok else 'do'}: {todo}")
    return "\n".join(lines)


def _check(name: str, look: Callable[[], tuple]) -> Check:
    try:
        return Check(name, *look())
    except Exception as error:  # whatever is broken, the other checks go on
        return Check(name, False, f"cannot be checked ({_said(error)})", "fix the lines above first, restart, and check again")


def python() -> tuple[bool, str, str]:
    """Check the version of Python."""
    found = f"{sys.version_info[0]}.{sys.version_info[1]} at {sys.executable}"
    ok = tuple(sys.version_info[:2]) >= PYTHON
    return ok, found, "" if ok else "make an environment with a newer Python (from python.org or conda), and install the course in it"


def package(name: str, minimum: str) -> tuple[bool, str, str]:
    """Check that a package is installed in the version `minimum` or a newer one, and that it can be imported."""
    install = f'{_this_python()} -m pip install --upgrade "{name}>={minimum}", then restart the kernel'
    version = _version(name)
    if version is None:
        return False, f"not installed for {sys.executable}", install
    old = _numbers(version) < _numbers(minimum)
    if old and not (name in COLABS_OWN and "COLAB_RELEASE_TAG" in os.environ):
        return False, version, install
    try:
        importlib.import_module(module_of(name))
    except Exception as error:  # a broken installation can raise anything
        if "home directory" in str(error):  # older releases of matplotlib and IPython need one
            return False, f"{version}, which needs a home folder, but this user has none", "set HOME to a folder of yours, and start again"
        return False, f"{version}, which cannot be imported ({_said(error)})", install.replace("--upgrade", "--force-reinstall")
    return True, version, "this is Colab's own: leave it as it is, the notebooks run with it" if old else ""


def digits() -> tuple[bool, str, str]:
    """Check that VAECOURSE_DIGITS, if it is set, names a data set."""
    from vaecourse import data

    name = data.default_name()
    ok = name in data.NAMES
    return ok, name, "" if ok else f"set VAECOURSE_DIGITS to one of {', '.join(data.NAMES)}, or unset it, and start Jupyter again"


def shipped() -> tuple[bool, str, str]:
    """Check that the files that ship with the course are there and undamaged."""
    from vaecourse import data

    wrong = []
    for name, sha256 in SHIPPED.items():
        path = data.shipped(name)
        if not path.exists():
            wrong.append(f"{name} is missing")
        elif sha256 and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            wrong.append(f"{name} is damaged")
    todo = "in a clone of the course: git checkout -- data; otherwise install the course again"
    return not wrong, ", ".join(wrong) or "complete", todo if wrong else ""


def mnist() -> tuple[bool, str, str]:
    """Check the files of MNIST. They are only required if VAECOURSE_DIGITS asks for them."""
    from vaecourse import data

    asked = data.default_name()
    optional = asked not in ("mnist", "static-mnist")
    try:
        folder = data.cache_root() / "mnist"
    except data.DataUnavailable as error:
        return optional, str(error).partition(": ")[0], str(error).partition(": ")[2]
    kind = asked if asked == "static-mnist" else "mnist"
    names = [name for name in data.SHA256 if name.startswith("binarized") == (kind == "static-mnist")]
    right = [name for name in names if _sha256(folder / name) == data.SHA256[name]]
    if right == names:
        return True, f"complete in {folder}", ""
    damaged = [name for name in names if name not in right and (folder / name).exists()]
    found = f"{len(right)} of {len(names)} files in {folder}" + "".join(f", {name} is damaged" for name in damaged)
    load = f"""python -c "from vaecourse import data; data.load_digits('{kind}')\""""
    todo = (
        f"with a network: {load}; without: copy the {len(names)} files that data/README.md names into that folder "
        "(VAECOURSE_DATA_DIR sets its parent), or unset VAECOURSE_DIGITS"
    )
    return optional, found, todo


def memory() -> tuple[bool, str, str]:
    """Check how much memory is free."""
    free = _free_memory()
    if free is None:
        return True, "unknown on this system", "a notebook takes up to 1 GB"
    todo = "a notebook takes up to 1 GB: shut down other kernels (Kernel, Shut Down All Kernels), or close other programs"
    return free >= GB / 2, f"{free / GB:.1f} GB free", todo if free < GB else ""


def threads() -> tuple[bool, str, str]:
    """Check the number of threads. It is always ok, because too many threads only cost time."""
    import torch

    n, usable = torch.get_num_threads(), _usable_processors()
    tip = f"set OMP_NUM_THREADS={usable} before starting Jupyter: threads that wait for each other can make it many times slower"
    return True, f"{n} for {usable} processors", tip if n > usable else ""


def _version(name: str) -> str | None:
    """The installed version of a package; None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _this_python() -> str:
    """The running Python as it is typed in a terminal: in quotes if its path contains blanks."""
    return shlex.quote(sys.executable) if os.name == "posix" else f'"{sys.executable}"'


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: those of 2.13.0+cpu are (2, 13, 0)."""
    return tuple(int(part) for part in re.match(r"[0-9.]*", version)[0].split(".") if part)


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _free_memory() -> int | None:
    """The number of bytes that a new program may use, of the machine and of the container if there is one. None if it is not known."""
    if not MEMINFO.exists():
        return None
    free = int(re.search(r"MemAvailable:\s+(\d+) kB", MEMINFO.read_text())[1]) * 1024
    limit = _read(CGROUP / "memory.max")
    if limit.isdigit():
        cache = re.search(
            r"^file (\d+)", _read(CGROUP / "memory.stat"), flags=re.M
        )  # which the system frees when a program needs the memory
        free = min(free, int(limit) - int(_read(CGROUP / "memory.current") or 0) + int(cache[1] if cache else 0))
    return max(free, 0)


def _usable_processors() -> int:
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, *period = _read(CGROUP / "cpu.max").split() or ["max"]
    return min(n, math.ceil(int(quota) / int(period[0]))) if quota.isdigit() else n


def _read(path: Path) -> str:
    """The text of a small file; nothing if it cannot be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
