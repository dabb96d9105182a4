"""The commands of the course: `python -m vaecourse doctor` checks whether this machine is ready; the others are for its maintainers."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

__all__ = ["class_of", "classroom_of", "doctor", "for_teachers", "main", "make_data", "material_of", "of_notebooks", "rows_of"]


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
    told = "make a course for nbgrader from notebooks with exercises: sources, settings, and the students' versions"
    classroom = commands.add_parser("classroom", help=told, description=told)
    classroom.add_argument("folder", type=Path, help="the course; files that exist and differ are never overwritten")
    classroom.add_argument("notebooks", nargs="*", help="numbers (03), or files of your own; by default all that have exercises")
    classroom.add_argument("--points", type=float, default=2, help="for each exercise (2)")
    classroom.add_argument("--partial", type=float, default=0.5, help="share of the points for a known mistake (0.5)")
    classroom.add_argument("--hide-solutions", action="store_true", help="students see hints, and no solutions")
    told = "which mistakes a class made: by exercise, by mistake and by student, from nbgrader's folder autograded"
    graded = commands.add_parser("class", help=told, description=told)
    graded.add_argument("graded", type=Path, help="the folder autograded of a course")
    graded.add_argument("--csv", type=Path, metavar="FILE", help="also write one row for each student and exercise")
    told = "ask twelve questions about what the course teaches, and store the answers in a file of this folder"
    concepts = commands.add_parser("concepts", help=told, description=told)
    concepts.add_argument("when", choices=["before", "after"], help="the course")
    concepts.add_argument("student", help="a name for the file; it is sent nowhere")
    told = "what a class gained between the two tests, from the folder with its files"
    commands.add_parser("gain", help=told, description=told).add_argument("folder", type=Path)
    told = "write solutions with mistakes, predictions with their debrief, an exam with answers, and slides: for teachers"
    material = commands.add_parser("material", help=told, description=told)
    material.add_argument(
        "folder", type=Path, help="a folder outside of what students see; files that exist and differ are never overwritten"
    )
    material.add_argument("--seed", type=int, default=0, help="of the numbers in the exam (0)")
    chosen, more = parser.parse_known_args(arguments)  # argparse leaves notebooks over that follow an option
    if more and (not hasattr(chosen, "notebooks") or any(word.startswith("-") for word in more)):
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    if more:
        chosen.notebooks = [*chosen.notebooks, *more]
    if chosen.command == "doctor":
        return doctor()
    if chosen.command in ("refresh", "regress", "measure"):
        return of_notebooks(chosen)
    if chosen.command == "classroom":
        return classroom_of(chosen)
    if chosen.command == "class":
        return class_of(chosen.graded, chosen.csv)
    if chosen.command in ("concepts", "gain", "material"):
        return for_teachers(chosen)
    make_data(chosen.what)
    return 0


def doctor() -> int:
    """Check what the course needs, and say what to do if something is missing; the exit status is 0 if all is well."""
    from vaecourse.doctor import examine, verdict

    checks = examine()
    print(verdict(checks, details=True))
    return 0 if all(check.ok for check in checks) else 1


def of_notebooks(chosen: argparse.Namespace) -> int:
    """Run notebooks, or measure them."""
    from vaecourse import regression
    from vaecourse.regression import measures

    paths = regression.find(chosen.notebooks)
    try:
        if chosen.command == "refresh":
            return regression.refresh(paths)
        if chosen.command == "regress":
            return regression.regress(paths, chosen.html, chosen.json)
        print(measures.table(paths))
        print("\n".join(f"{path.name}: no output shows {number}" for path in paths for number in measures.unbacked(path)))
        return 0
    except regression.Unusable as error:
        print(error, file=sys.stderr)
        return 1


def classroom_of(chosen: argparse.Namespace) -> int:
    """Make a course for nbgrader, and say what there is now."""
    from vaecourse import classroom
    from vaecourse.regression import find

    paths = find(chosen.notebooks) if chosen.notebooks else find([f"{i:02d}" for i in range(1, 12)])
    try:
        made = classroom.make_course(chosen.folder, paths, chosen.points, chosen.partial, chosen.hide_solutions)
    except (classroom.ClassroomError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    counted = f"{len(made)} assignment{'' if len(made) == 1 else 's'}"
    print(f"{chosen.folder}: {counted}, {', '.join(made)}. The students' versions are in {chosen.folder / 'release'}.")
    return 0


def for_teachers(chosen: argparse.Namespace) -> int:
    """Ask the twelve questions, tell the gain of a class, or write the teacher's material."""
    from vaecourse.classroom import concepts

    try:
        if chosen.command == "gain":
            print(concepts.gain(chosen.folder))
        elif chosen.command == "material":
            material_of(chosen.folder, chosen.seed)
        else:
            print(f"\nstored: {concepts.take(chosen.when, chosen.student)}")
            if chosen.when == "before":
                print(f"The same questions after the course, in this folder: {concepts.command('after', chosen.student)}")
    except concepts.Interrupted as error:
        print(f"\n{error}", file=sys.stderr)  # the prompt is still open
        return 1
    except (ValueError, OSError) as error:
        told = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.strerror else error
        print(told, file=sys.stderr)
        return 1
    return 0


def material_of(folder: Path, seed: int) -> None:
    """Write the teacher's material, name its files, and say if formulas could not be converted."""
    from vaecourse.classroom import material, mathml

    print("\n".join(str(path) for path in material.write(folder, seed)))
    if not mathml.has_mathml():
        print(mathml.MISSING, file=sys.stderr)


def class_of(graded: Path, table: Path | None) -> int:
    """Print what a class did not understand, and write it as a table if asked to."""
    from vaecourse.classroom import summary
    from vaecourse.files import replaceable

    unreadable: list[Path] = []
    try:
        if table is not None:
            replaceable(table)
        found = summary.outcomes(graded, unreadable)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in unreadable:
        print(f"{path} is damaged, or no graded notebook: what it should hold counts as no result", file=sys.stderr)
    print(summary.summary(found))
    if table is not None:
        summary.write_csv(found, table)
    return 0


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
