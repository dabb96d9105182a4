"""python -m vaecourse doctor: is this machine ready for the course? data and refresh are for its maintainers."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m vaecourse", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help=doctor.__doc__, description=doctor.__doc__)
    make = commands.add_parser(
        "data",
        help="make a shipped file again: strokes (a minute), players, a decoder (a quarter of an hour), scoreboard rows (minutes), "
        "or the runs that notebook 11 compares (half an hour)",
    )
    by_digits = [f"{what}-{name}" for what in ("decoder", "scoreboard", "variants") for name in ("strokes", "mnist")]
    make.add_argument("what", choices=["strokes", "players", *by_digits])
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
    return execute(paths, "strokes")


def execute(paths: list[Path], digits: str) -> int:
    """Run notebooks in place on the digits of that name; the exit status is 0 where all cells ran."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "VAECOURSE_DIGITS": digits}
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", "--ExecutePreprocessor.record_timing=False"]
    return subprocess.run([*command, *map(str, paths)], env=environment, check=False).returncode


def make_data(what: str) -> None:
    """Write data/strokes.npz or data/players.csv; or a decoder, scoreboard rows or runs, beside those for the other digits."""
    from vaecourse import data, players, scoreboard, training, variants

    if what == "strokes":
        data.save_strokes(data.shipped("strokes.npz"))
    elif what == "players":
        players.save(data.shipped("players.csv"))
    elif what.startswith("decoder-"):
        training.make_decoder(what.removeprefix("decoder-"))
    elif what.startswith("variants-"):
        variants.make_variants(what.removeprefix("variants-"))
    else:
        name = what.removeprefix("scoreboard-")
        scoreboard.store(name, [row for path in sorted(NOTEBOOKS.glob("0[1-8]_*.ipynb")) for row in rows_of(path, name)])


def rows_of(path: Path, digits: str) -> list:
    """The rows that a notebook adds to the scoreboard, computed anew: a copy of it is executed, and asked for them."""
    from vaecourse.scoreboard import Row  # not at the top: the doctor must be able to say that a package is missing

    notebook = json.loads(path.read_text(encoding="utf-8"))
    ask = f"import json; print(json.dumps(scoreboard.rows_in(globals(), '{path.name[:2]}')))"
    notebook["cells"].append({"id": "ask", "cell_type": "code", "source": ask, "metadata": {}, "outputs": [], "execution_count": None})
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_text(json.dumps(notebook), encoding="utf-8")
        if execute([copy], digits):
            sys.exit(f"{path.name} does not run to its end")
        answer = json.loads(copy.read_text(encoding="utf-8"))["cells"][-1]["outputs"][0]["text"]
    return [Row(*row) for row in json.loads("".join(answer))]


if __name__ == "__main__":
    sys.exit(main())
