"""What a teacher needs beside the notebooks, written from the notebooks themselves: `python -m vaecourse material FOLDER`.

The folder must lie outside of what students see. Everything in it is text or one page of HTML, and works without a network.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import nbformat

from vaecourse.classroom.convert import solution_of
from vaecourse.classroom.exam import exam
from vaecourse.exercises import chapters
from vaecourse.files import located, replacing
from vaecourse.regression import find

__all__ = ["mistakes_of", "predictions_of", "slides_of", "write"]

STYLE = (
    "body{margin:0;font:20px/1.4 sans-serif;background:#fff;color:#111}"
    "section{box-sizing:border-box;min-height:100vh;padding:4vh 5vw;scroll-snap-align:start;break-after:page}"
    "html{scroll-snap-type:y proximity}img{max-width:90vw;max-height:65vh}h1{font-size:2em}h2{font-size:1.3em}"
)


def write(folder: str | Path, seed: int = 0) -> list[Path]:
    """Write solutions.md, predictions.md, exam.md, exam_answers.md and slides/NN.html, and return their paths.

    Args:
        folder: where; files of these names are replaced.
        seed: of the numbers in the exam: another seed is another variant.
    """
    folder = located(folder)
    (folder / "slides").mkdir(parents=True, exist_ok=True)
    notebooks = {path: nbformat.read(path, as_version=4) for path in find([])}
    questions, answers = exam(seed)
    texts = {
        "solutions.md": "# Solutions and known mistakes\n\n" + "\n".join(map(mistakes_of, chapters())),
        "predictions.md": "# Predictions and their debrief\n\n" + "\n".join(predictions_of(notebook) for notebook in notebooks.values()),
        "exam.md": questions,
        "exam_answers.md": answers,
    } | {f"slides/{path.stem}.html": slides_of(notebook) for path, notebook in notebooks.items()}
    for name, text in texts.items():
        with replacing(folder / name) as part:
            part.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def mistakes_of(number: str) -> str:
    """The exercises of one notebook: statement, a right answer, and what to say about each known mistake. Markdown."""
    lines = []
    for task in chapters()[number].EXERCISES:
        lines += [f"## {number} · {task.name}", "", task.statement, "", "```python", solution_of(task.name), "```", ""]
        lines += [f"- **{mistake.id or '?'}**: {mistake.says}" for mistake in task.mistakes] + [""]
    return "\n".join(lines)


def predictions_of(notebook: Any) -> str:
    """The predictions of one notebook, every choice with its reason; the right one is marked. Markdown."""
    lines = [f"## {_title(notebook)}", ""]
    for question, choices, right in _predictions(notebook):
        lines += [f"**{question}**", ""]
        lines += [f"- {'✓ ' if choice == right else ''}*{choice}*: {reason}" for choice, reason in choices.items()] + [""]
    return "\n".join(lines)


def slides_of(notebook: Any) -> str:
    """The figures of one notebook, a page each, under the heading where they stand and with what they show; then the summary. HTML."""
    pages, heading, summary = [f"<section><h1>{escape(_title(notebook))}</h1></section>"], "", ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = (re.findall(r"^##+ (.+)$", cell.source, flags=re.M) or [heading])[-1]
            summary = summary or _section(cell.source, "Summary")
            continue
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                alt = escape(data.get("text/plain", ""), quote=True)
                picture = f'<img alt="{alt}" src="data:image/png;base64,{data["image/png"].strip()}">'
                pages.append(f"<section><h2>{escape(heading)}</h2>{picture}<p>{alt}</p></section>")
    points = "".join(f"<li>{escape(line)}</li>" for line in re.findall(r"^(?:\d+\.|-) (.+)$", summary, flags=re.M))
    pages.append(f"<section><h2>Summary</h2><ol>{points}</ol></section>")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(_title(notebook))}</title><style>{STYLE}</style>'
        + "".join(pages)
        + "</html>\n"
    )


def _title(notebook: Any) -> str:
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")


def _section(text: str, name: str) -> str:
    found = re.search(rf"^## {name}$(.*?)(?=^## |\Z)", text, flags=re.M | re.S)
    return found[1] if found else ""


def _predictions(notebook: Any) -> Iterator[tuple[str, dict[str, str], str]]:
    """Question, choices with their reasons, and the right choice of each `predict` in a notebook, without running it."""
    for cell in notebook.cells:
        if cell.cell_type != "code" or "predict(" not in cell.source:
            continue
        for call in ast.walk(ast.parse(cell.source)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "predict":
                right = next(keyword.value for keyword in call.keywords if keyword.arg == "right")
                yield ast.literal_eval(call.args[0]), ast.literal_eval(call.args[1]), ast.literal_eval(right)
