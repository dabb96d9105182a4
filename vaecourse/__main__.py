"""The commands of the course: `python -m vaecourse doctor` checks whether this machine is ready; the others are for its maintainers."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

__all__ = ["doctor", "main", "make_data", "rows_of"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command that the arguments name (by default those of the command line), and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m vaecourse", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help=doctor.__doc__, description=doctor.__doc__)
    make = commands.add_parser(
        "data",
        help="make a shipped file again: strokes (a minute), players, a decoder (a quarter of an hour), VAEs (ten minutes), "
        "scoreboard rows (minutes), "
        "or the runs that notebook 11 compares (half an hour)",
    )
    by_digits = [f"{what}-{name}" for what in ("decoder", "vaes", "scoreboard", "variants") for name in ("strokes", "mnist")]
    make.add_argument("what", choices=["strokes", "players", *by_digits])
    told = "execute notebooks as the tests do, and store outputs that changed as the new reference"
    refresh = commands.add_parser("refresh", help=told, description=told)
    told = "run notebooks here, and report what differs from their reference; the exit status says the worst kind"
    compare = commands.add_parser("regress", help=told, description=told)
    compare.add_argument("--html", type=Path, metavar="FILE", help="also write the report as a web page")
    compare.add_argument("--json", type=Path, metavar="FILE", help="also write the report as JSON")
    for command in (refresh, compare):
        command.add_argument("notebooks", nargs="*", help="files, or the numbers 00, 03, mnist; by default all")
    told = "how long notebooks are and how long they take to read; a ! marks values above the limits of the course"
    commands.add_parser("measure", help=told, description=told).add_argument("notebooks", nargs="*")
    chosen = parser.parse_args(arguments)
    if chosen.command == "doctor":
        return doctor()
    if chosen.command in ("refresh", "regress"):
        from vaecourse import regression

        paths = regression.find(chosen.notebooks)
        return regression.refresh(paths) if chosen.command == "refresh" else regression.regress(paths, chosen.html, chosen.json)
    if chosen.command == "measure":
        from vaecourse.regression import find, measures

        paths = find(chosen.notebooks)
        print(measures.table(paths))
        print("\n".join(f"{path.name}: no output shows {number}" for path in paths for number in measures.unbacked(path)))
        return 0
    make_data(chosen.what)
    return 0


def doctor() -> int:
    """Check what the course needs, and say what to do if something is missing; the exit status is 0 if all is well."""
    from vaecourse.doctor import examine, verdict

    checks = examine()
    print(verdict(checks, details=True))
    return 0 if all(check.ok for check in checks) else 1


def make_data(what: str) -> None:
    """Write data/strokes.npz or data/players.csv; or replace a decoder, VAEs, scoreboard rows or runs, and keep those of other digits."""
    from vaecourse import data, players, scoreboard, training, variants
    from vaecourse.regression import find

    if what == "strokes":
        data.save_strokes(data.shipped("strokes.npz"))
    elif what == "players":
        players.save(data.shipped("players.csv"))
    elif what.startswith("decoder-"):
        training.make_decoder(what.removeprefix("decoder-"))
    elif what.startswith("vaes-"):
        training.make_vaes(what.removeprefix("vaes-"))
    elif what.startswith("variants-"):
        variants.make_variants(what.removeprefix("variants-"))
    else:
        name = what.removeprefix("scoreboard-")
        scoreboard.store(name, [row for path in find([f"{i:02d}" for i in range(1, 9)]) for row in rows_of(path, name)])


def rows_of(path: Path, digits: str) -> list:
    """The rows that a notebook adds to the scoreboard, computed again by executing a copy of the notebook."""
    from vaecourse import regression
    from vaecourse.scoreboard import Row

    ask = f"import json; print(json.dumps(scoreboard.rows_in(globals(), '{path.name[:2]}')))"
    after = regression.run(path, digits=digits, last=ask)
    answer = after.notebook.cells[-1].outputs
    if not answer or answer[0].output_type != "stream":
        sys.exit(f"{path.name} does not run to its end: run it in Jupyter to see the error")
    return [Row(*row) for row in json.loads(answer[0].text)]


if __name__ == "__main__":
    sys.exit(main())
