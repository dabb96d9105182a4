"""What a teacher needs beside the notebooks, written from the notebooks themselves: `python -m vaecourse material FOLDER`.

The folder must lie outside of what students see. Everything in it is text or one page of HTML, and works without a network.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from vaecourse.classroom.convert import solution_of
from vaecourse.classroom.exam import exam
from vaecourse.classroom.pages import html_of, page
from vaecourse.classroom.slides import slides_of, title_of
from vaecourse.classroom.writing import private_folder, write_all
from vaecourse.exercises import chapters
from vaecourse.files import located
from vaecourse.regression import find

__all__ = ["folded_of", "mistakes_of", "predictions_of", "solutions_of", "write"]

EXERCISE = re.compile(r"^### ((?:On paper|Open exercise) · .+)$")
FOLD = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", flags=re.S)
# The exam fills the page in print, with a margin for notes.
EXAM = (
    "body{max-width:46em;margin:2em auto;padding:0 1em}h2,p{break-inside:avoid}h2{break-after:avoid;margin-top:1.6em}"
    "@media print{body{font-size:11pt;margin:0}}"
)


def write(folder: str | Path, seed: int = 0) -> list[Path]:
    """Write solutions.md, predictions.md, the exam and its answers as Markdown and HTML, and slides/NN.html, and return their paths.

    Files that hold the same text already are left alone. If one of them differs, nothing is written at all.

    Args:
        folder: where; if it does not exist it is made, for its owner alone.
        seed: of the numbers in the exam: another seed is another variant.

    Raises:
        FileExistsError: a file would be overwritten.
        NotADirectoryError: a file stands where the folder should be.
    """
    folder = located(folder)
    notebooks = {path: nbformat.read(path, as_version=4) for path in find([])}
    questions, answers = exam(seed)
    texts = {
        "solutions.md": "# Solutions and known mistakes\n\n" + "\n".join(solutions_of(path, nb) for path, nb in notebooks.items()),
        "predictions.md": "# Predictions and their debrief\n\n" + "\n".join(predictions_of(notebook) for notebook in notebooks.values()),
        "exam.md": questions,
        "exam_answers.md": answers,
        "exam.html": page(f"Exam, variant {seed}", html_of(questions), EXAM),
        "exam_answers.html": page(f"Exam, variant {seed}: answers", html_of(answers), EXAM),
    } | {f"slides/{path.stem}.html": slides_of(notebook) for path, notebook in notebooks.items()}
    private_folder(folder)  # the answers of the exam are in it
    write_all({folder / name: text for name, text in texts.items()})
    return [folder / name for name in texts]


def solutions_of(path: Path, notebook: Any) -> str:
    """All exercises of a notebook: those that are checked, those on paper, and the open ones. Markdown."""
    number = path.stem.split("_")[0]
    checked = mistakes_of(number) + "\n" if number in chapters() else ""
    return checked + "\n".join(
        f"## {number} · {title}\n\n{told}\n\n**{summary}.**\n\n{solution}\n" for title, told, summary, solution in folded_of(notebook)
    )


def folded_of(notebook: Any) -> Iterator[tuple[str, str, str, str]]:
    """The exercises on paper and the open ones: title, statement, heading of the solution, and solution, in the notebook's own words.

    A statement may go over several cells, code included; it ends where the folded solution begins.
    """
    title, told = "", ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            told += f"```python\n{cell.source}\n```\n\n"
            continue
        for piece in re.split(r"^(?=##+ )", re.sub(r"\s*<!--.*?-->", "", cell.source, flags=re.S), flags=re.M):
            if re.match("##+ ", piece):
                heading, _, piece = piece.partition("\n")
                found = EXERCISE.match(heading)
                title, told = found[1] if found else "", ""
            fold = FOLD.search(piece)
            if title and fold:
                yield title, (told + piece[: fold.start()]).strip(), fold[1], fold[2].strip()
                title = ""
            told += piece.strip() + "\n\n"


def mistakes_of(number: str) -> str:
    """The exercises of one notebook: statement, a right answer, and what to say about each known mistake. Markdown."""
    lines = []
    for task in chapters()[number].EXERCISES:
        lines += [f"## {number} · {task.name}", "", task.statement, "", "```python", solution_of(task.name), "```", ""]
        lines += [f"- **{mistake.id or '?'}**: {mistake.says}" for mistake in task.mistakes] + [""]
    return "\n".join(lines)


def predictions_of(notebook: Any) -> str:
    """The predictions of one notebook, every choice with its reason; the right one is marked. Markdown."""
    lines = [f"## {title_of(notebook)}", ""]
    for question, choices, right in _predictions(notebook):
        lines += [f"**{question}**", ""]
        lines += [f"- {'✓ ' if choice == right else ''}*{choice}*: {reason}" for choice, reason in choices.items()] + [""]
    return "\n".join(lines)


def _predictions(notebook: Any) -> Iterator[tuple[str, dict[str, str], str]]:
    """Question, choices with their reasons, and the right choice of each `predict` in a notebook, without running it."""
    for cell in notebook.cells:
        if cell.cell_type != "code" or "predict(" not in cell.source:
            continue
        for call in ast.walk(ast.parse(cell.source)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "predict":
                right = next(keyword.value for keyword in call.keywords if keyword.arg == "right")
                yield ast.literal_eval(call.args[0]), ast.literal_eval(call.args[1]), ast.literal_eval(right)
