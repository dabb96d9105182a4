"""python -m vaecourse doctor: is this machine ready for the course? data and refresh are for its maintainers."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m vaecourse", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help=doctor.__doc__, description=doctor.__doc__)
    make = commands.add_parser("data", help="make a shipped file again: strokes (a minute) or a decoder (a quarter of an hour)")
    make.add_argument("what", choices=["strokes", "decoder-strokes", "decoder-mnist"])
    refresh = commands.add_parser("refresh", help=refresh_notebooks.__doc__, description=refresh_notebooks.__doc__)
    refresh.add_argument("notebooks", nargs="*", type=Path, help="by default all")
    chosen = parser.parse_args(arguments)
    if chosen.command == "doctor":
        return doctor()
    if chosen.command == "refresh":
        return refresh_notebooks(chosen.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")))
    make_data(chosen.what)
    return 0


def doctor() -> int:
    """Look at what the course needs, and say what to do where it is not there; the exit status is 0 where all is well."""
    from vaecourse.doctor import examine, verdict

    checks = examine()
    print(verdict(checks, details=True))
    return 0 if all(check.ok for check in checks) else 1


def refresh_notebooks(paths: list[Path]) -> int:
    """Execute notebooks as the tests do (one thread, no progress bars) and store their outputs as the new reference."""
    if not paths:
        sys.exit(f"no notebooks in {NOTEBOOKS}: run this in a checkout of the course, not from an installed wheel")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "VAECOURSE_DIGITS": "strokes"}
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", "--ExecutePreprocessor.record_timing=False"]
    return subprocess.run([*command, *map(str, paths)], env=environment, check=False).returncode


def make_data(what: str) -> None:
    """Write data/strokes.npz, or train a decoder and put it into data/decoder.safetensors beside the other."""
    from vaecourse import data, training

    if what == "strokes":
        data.save_strokes(data.shipped("strokes.npz"))
    else:
        training.make_decoder(what.removeprefix("decoder-"))


if __name__ == "__main__":
    sys.exit(main())
