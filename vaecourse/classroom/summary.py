"""What a class did not understand: read from graded notebooks, without a kernel."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from vaecourse.exercises import exercise, names
from vaecourse.exercises.cards import RECORD
from vaecourse.files import located, replacing

__all__ = ["Outcome", "outcomes", "summary", "write_csv"]

SECOND = ("known mistake", "other mistake", "not attempted", "no result", "not handed in")


@dataclass(frozen=True)
class Outcome:
    """What became of one exercise of one student.

    Attributes:
        student, assignment, exercise: whose, and which.
        points, of: the points, and how many there are.
        outcome: "right", "known mistake", "other mistake", "not attempted", "no result" (the test cell did not come to its end) or
            "not handed in" (of this assignment, though of another one).
        mistake: the id of the known mistake, or nothing.
    """

    student: str
    assignment: str
    exercise: str
    points: float
    of: float
    outcome: str
    mistake: str = ""


def outcomes(folder: str | Path, unreadable: list[Path] | None = None) -> list[Outcome]:
    """The outcome of every graded exercise below a folder of nbgrader, autograded/student/assignment/notebook.ipynb.

    A notebook that was handed in (beside it, in `submitted`) and could not be graded counts as well, without results.

    Args:
        folder: the folder `autograded`, or the course in which it lies.
        unreadable: a list to which the files are added that are damaged or no notebooks. Their exercises count as "no result".

    Raises:
        FileNotFoundError: the folder has no graded notebook that can be read.
    """
    unreadable = [] if unreadable is None else unreadable
    folder = located(folder)
    folder = folder / "autograded" if (folder / "autograded").is_dir() else folder
    both = folder, folder.parent / "submitted"
    graded, handed_in = ({path.relative_to(below): path for path in below.glob("*/*/*.ipynb")} for below in both)
    found = []
    for _, path in sorted((handed_in | graded).items()):
        found += _of_notebook(path, path in graded.values(), unreadable)
    if all(outcome.outcome == "no result" for outcome in found):
        damaged = f" that can be read (not {', '.join(map(str, unreadable))})" if unreadable else ""
        raise FileNotFoundError(
            f"no graded notebook{damaged} lies below {folder}: pass the folder autograded, which `nbgrader autograde` fills"
        )
    return sorted([*found, *_missing(found, unreadable)], key=lambda o: (o.student, o.assignment))


def _missing(found: list[Outcome], unreadable: list[Path]) -> list[Outcome]:
    """The exercises of the assignments that a student did not hand in, where the student handed in another; and those of damaged files."""
    exercises = {(o.assignment, o.exercise): o.of for o in found}
    there = {(o.student, o.assignment) for o in found}
    own = {(o.student, o.assignment, o.exercise) for o in found}
    damaged = {path.parts[-3:-1] for path in unreadable}
    return [
        Outcome(student, assignment, name, 0.0, of, "no result" if (student, assignment) in damaged else "not handed in")
        for student in {student for student, _ in there | damaged}
        for (assignment, name), of in exercises.items()
        if (student, assignment, name) not in own and ((student, assignment) not in there or (student, assignment) in damaged)
    ]


def summary(found: Iterable[Outcome]) -> str:
    """Tables as text: by exercise, the mistakes by how often they were made, other mistakes, and by student."""
    found = list(found)
    return "\n\n".join(filter(None, [_by_exercise(found), _mistakes(found), _others(found), _by_student(found)]))


def write_csv(found: Iterable[Outcome], path: str | Path) -> None:
    """One row for each student and exercise, for a spreadsheet or a learning platform."""
    rows = [asdict(outcome) for outcome in found]
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


DAMAGED = (OSError, ValueError, TypeError, KeyError, AttributeError)  # what reading a damaged file, or a part of it, may raise


def _of_notebook(path: Path, graded: bool, unreadable: list[Path]) -> list[Outcome]:
    made, whole = [], True
    try:
        cells = list(json.loads(path.read_text(encoding="utf-8-sig"))["cells"])
    except DAMAGED:
        cells, whole = [], False
    for cell in cells:
        try:
            made += _of_cell(cell, path, graded)
        except DAMAGED:
            whole = False
    unreadable += [] if whole else [path]
    return made


def _of_cell(cell: dict, path: Path, graded: bool) -> list[Outcome]:
    """The outcome in a test cell; nothing for another cell."""
    mark = cell.get("metadata", {}).get("nbgrader", {})
    if not mark.get("grade") or not str(mark.get("grade_id", "")).startswith("test-"):
        return []
    student, assignment = path.parts[-3:-1]
    name, of = mark["grade_id"].removeprefix("test-"), float(mark.get("points", 0))
    record = next((o["data"][RECORD] for o in cell.get("outputs", []) if RECORD in o.get("data", {})), None)
    if record is None or not graded:  # what a student's own machine has put there does not count
        return [Outcome(student, assignment, name, 0.0, of, "no result")]
    kinds = {"right": record["passed"], "not attempted": not record["attempted"], "known mistake": bool(record["mistake"])}
    outcome = next((kind for kind, holds in kinds.items() if holds), "other mistake")
    return [Outcome(student, assignment, name, float(record["points"]), of, outcome, str(record["mistake"]))]


def _by_exercise(found: list[Outcome]) -> str:
    order = {name: i for i, name in enumerate(names())}
    there = sorted({o.exercise for o in found}, key=lambda name: order.get(name, len(order)))
    lines = [f"{'exercise':28}{'students':>9}{'right':>7}" + "".join(f"{kind:>15}" for kind in SECOND)]
    for name in there:
        counts = Counter(o.outcome for o in found if o.exercise == name)
        lines.append(f"{name:28}{sum(counts.values()):>9}{counts['right']:>7}" + "".join(f"{counts[kind]:>15}" for kind in SECOND))
    return "\n".join(lines)


def _mistakes(found: list[Outcome]) -> str:
    counts = Counter((o.exercise, o.mistake) for o in found if o.mistake)
    lines = ["Known mistakes, the most frequent first" if counts else "No known mistake was made."]
    for (name, mistake), n in counts.most_common():
        who = ", ".join(sorted(o.student for o in found if (o.exercise, o.mistake) == (name, mistake)))
        lines.append(f"{n:4} × {name}, {mistake}: {_says(name, mistake)}\n       {who}")
    return "\n".join(lines)


def _others(found: list[Outcome]) -> str:
    """The answers that a teacher should look at, because nothing is known about them."""
    others = sorted((o.exercise, o.student) for o in found if o.outcome == "other mistake")
    lines = ["Other mistakes, which got no points: look at these answers"] if others else []
    for name in dict.fromkeys(at for at, _ in others):
        lines.append(f"       {name}: {', '.join(student for at, student in others if at == name)}")
    return "\n".join(lines)


def _says(name: str, mistake: str) -> str:
    known = exercise(name).mistakes if name in names() else ()
    return next((m.says for m in known if m.id == mistake), "the values are right, and something else is not.")


def _by_student(found: list[Outcome]) -> str:
    lines = [f"{'student':28}{'points':>9}{'of':>7}   not attempted, without a result, or not handed in"]
    for student in sorted({o.student for o in found}):
        own = [o for o in found if o.student == student]
        missing = ", ".join(o.exercise for o in own if o.outcome in ("not attempted", "no result", "not handed in"))
        lines.append(f"{student:28}{sum(o.points for o in own):>9g}{sum(o.of for o in own):>7g}   {missing}".rstrip())
    return "\n".join(lines)
