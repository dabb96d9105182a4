"""How long a notebook is and how long it takes to read; and which numbers in its text none of its outputs backs.

`python -m vaecourse measure` prints the table.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaecourse.regression import compare, prose
from vaecourse.regression.runner import read

__all__ = ["LIMITS", "Measures", "exceeded", "kind_of", "measure", "number_of", "table", "unbacked", "words"]

EXERCISE = re.compile(r"^### (?:Exercise|On paper|Open exercise) · ", flags=re.M)
UNIT = r"(?:\\?%|per ?cent\b|nats?\b|bits?\b|standard (?:errors?|deviations?)\b)"
NUMBER = r"[-+−]?\d[\d,]*(?:\.\d+)?"
WITH_UNIT = re.compile(rf"(?<![\w.^])({NUMBER})(?:(?: (?:to|and|or) |-|–)({NUMBER}))?[ -]?{UNIT}")
MARKED = re.compile(r"<!-- source: (.*?) -->", flags=re.S)


@dataclass(frozen=True)
class Measures:
    """The size of one notebook.

    Attributes:
        words: words of prose, a formula within a line counted as one word and displayed equations not at all.
        questions: words of the predictions, with the reasons that each choice opens.
        code_lines: lines of code that are shown, without blank lines and comments.
        hidden_lines: the same of the cells whose source is hidden, the predictions.
        cells: all cells.
        equations: numbered equations.
        exercises: functions to write, exercises on paper, and open exercises.
    """

    words: int
    questions: int
    code_lines: int
    hidden_lines: int
    cells: int
    equations: int
    exercises: int

    @property
    def minutes(self) -> int:
        """The reading time: 100 words or 13 lines of code a minute, 2 minutes for a numbered equation, rounded to 5.

        The lines of a prediction count as well as its words, because its choices are weighed before its reasons are read: without them
        readers needed more time than stated.
        """
        exact = (self.words + self.questions) / 100 + (self.code_lines + self.hidden_lines) / 13 + 2 * self.equations
        return 5 * max(1, round(exact / 5))

    @property
    def exercise_minutes(self) -> int:
        """The time for the exercises: 10 minutes each."""
        return 10 * self.exercises


LIMITS = {
    "core": Measures(words=2600, questions=10**9, code_lines=280, hidden_lines=10**9, cells=70, equations=10, exercises=10**9),
    "side": Measures(words=3200, questions=10**9, code_lines=380, hidden_lines=10**9, cells=80, equations=10**9, exercises=10**9),
}
LIMITS["extra"] = LIMITS["side"]


def number_of(path: Path) -> str:
    """The beginning of the file name of a notebook: "05", "05b", "mnist".

    Example:
        >>> number_of(Path("05b_annealing.ipynb"))
        '05b'
    """
    return path.stem.partition("_")[0]


def kind_of(path: Path) -> str | None:
    """ "core" for the notebooks 00 to 09, "side" for those with a letter behind their number, "extra" for those without a number."""
    number = number_of(path)
    patterns = {"core": r"0\d", "side": r"\d\d[a-z]", "extra": r"\D+"}
    return next((kind for kind, pattern in patterns.items() if re.fullmatch(pattern, number)), None)


def measure(notebook: Any) -> Measures:
    """The size of a notebook, as read by nbformat."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return Measures(
        words=words(text),
        questions=sum(len(said.split()) for cell in code for said in _predictions(cell.source)),
        code_lines=sum(_lines(cell.source) for cell in code if not _hidden(cell)),
        hidden_lines=sum(_lines(cell.source) for cell in code if _hidden(cell)),
        cells=len(notebook.cells),
        equations=len(set(re.findall(r"\\tag\{([^}]*)\}", text))),
        exercises=len(EXERCISE.findall(text)),
    )


def words(text: str) -> int:
    """The number of words of Markdown text. A formula within a line is one word; displayed equations, addresses and marks do not count.

    Example:
        >>> words("The mean of $x^2$ is **one**.")
        6
    """
    text = re.sub(r"<!--.*?-->|\$\$.*?\$\$|```.*?```|</?\w[^>]*>", " ", text, flags=re.S)
    text = re.sub(r"\$[^$]+\$", "formula", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def unbacked(path: Path) -> list[str]:
    """The numbers with a unit in the text of a notebook that nothing backs, each with its sentence.

    A number is backed if it, or a number of which it is a rounding, occurs in an output of the notebook, in an output of a notebook that
    its sentence names ("notebook 04"), in an equation of its own cell, or in a comment of its cell,
    `<!-- source: 86.76 nats: Burda et al. 2016, table 1 -->`.
    """
    found = []
    notebook = read(path)
    own = _printed(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        near = [n for text in MARKED.findall(cell.source) + re.findall(r"\$\$.*?\$\$", cell.source, flags=re.S) for n in _numbers(text)]
        for sentence in prose.split(re.sub(r"<!--.*?-->", " ", cell.source, flags=re.S)):
            named = [n for number in re.findall(r"[Nn]otebooks? (\d\d[a-z]?)", sentence) for n in _printed_in(path.parent, number)]
            for match in WITH_UNIT.finditer(prose.plain(sentence)):
                said = [number.rstrip(",") for number in match.groups() if number]
                found += [f"{number}: {sentence}" for number in said if not any(prose.rounds(number, n) for n in own + near + named)]
    return found


def table(paths: list[Path]) -> str:
    """The measures of notebooks as text, with a mark at every limit that is exceeded."""
    lines = [f"{'notebook':10}{'words':>8}{'code':>8}{'cells':>8}{'equations':>11}{'exercises':>11}{'minutes':>9}"]
    for path in paths:
        found = measure(read(path))
        limit = LIMITS.get(kind_of(path) or "", None)
        over = exceeded(found, limit) if limit else []
        shown = [
            f"{getattr(found, name):,}{'!' if name in over else ''}" for name in ("words", "code_lines", "cells", "equations", "exercises")
        ]
        lines.append(f"{number_of(path):10}" + "".join(f"{s:>{n}}" for s, n in zip(shown, (8, 8, 8, 11, 11))) + f"{found.minutes:>9}")
    return "\n".join(lines)


def exceeded(found: Measures, limit: Measures) -> list[str]:
    """The names of the measures that exceed their limit."""
    return [name for name in vars(limit) if getattr(found, name) > getattr(limit, name)]


def _lines(source: str) -> int:
    return sum(bool(re.match(r"\s*[^\s#]", line)) for line in source.splitlines())


def _hidden(cell: Any) -> bool:
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def _predictions(source: str) -> list[str]:
    """The texts that a cell with a prediction shows."""
    if "predict(" not in source:
        return []
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "predict"]
    shown = [argument for call in calls for argument in call.args]
    return [n.value for part in shown for n in ast.walk(part) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def _printed(notebook: Any) -> list[str]:
    texts = [text for cell in notebook.cells if cell.cell_type == "code" for text in compare.readable(cell.outputs).values()]
    return [n for text in texts for n in _numbers(text)]


def _printed_in(folder: Path, number: str) -> list[str]:
    return [n for path in folder.glob(f"{number}_*.ipynb") for n in _printed(read(path))]


def _numbers(text: str) -> list[str]:
    return [n for line in prose.plain(text).splitlines() for n in compare.numbers(line)]
