"""The notebooks are as short as the course promises, their title pages tell the time they take, and their prose says what was run."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from vaecourse.regression import measures

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
SECOND_EDITION = [
    path for path in NOTEBOOKS if "### On paper · " in path.read_text(encoding="utf-8")
]  # the others are still to be rewritten
TIMES = re.compile(r"^\*About (\d+) minutes to read, (?:(\d+) for the exercises, )?(\d+) (second|minute)s to run\.\*", flags=re.M)


@pytest.fixture(params=SECOND_EDITION, ids=measures.number_of)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_no_notebook_is_longer_than_the_course_promises() -> None:
    table = measures.table(SECOND_EDITION)
    print(table)
    assert "!" not in table, table


@pytest.mark.parametrize("path", NOTEBOOKS, ids=measures.number_of)
def test_the_title_page_states_the_time_that_the_notebook_takes(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    found = measures.measure(notebook)
    read, exercises, _, _ = TIMES.search(notebook.cells[0].source).groups()
    assert (int(read), int(exercises or 0)) == (found.minutes, found.exercise_minutes)


def test_numbers_with_units_are_those_of_the_outputs(path: Path) -> None:
    assert not measures.unbacked(path)


def test_there_is_an_exercise_on_paper_with_a_folded_solution(path: Path) -> None:
    prose = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
    on_paper = re.search(r"^### On paper · .*?(?=^#|\Z)", prose, flags=re.M | re.S)
    assert on_paper
    assert "<details>" in on_paper[0]
    assert ("### Open exercise · " in prose) or measures.number_of(path) < "05"


def a_notebook() -> nbformat.NotebookNode:
    code = "# a comment\nx = 1\n\nprint(x)"
    question = 'predict(\n    ("How many?",),\n    {"one or two": "It is one."},\n    right="one or two",\n)'
    hidden = new_code_cell(question, metadata={"jupyter": {"source_hidden": True}})
    text = "# A title\n\nThe value $x = 1 + 1$ is one [link](https://example.org/a).\n\n$$a = b \\tag{1.1}$$\n\n### On paper · b"
    return new_notebook(cells=[new_markdown_cell(text), new_code_cell(code), hidden])


def test_what_is_counted() -> None:
    assert measures.measure(a_notebook()) == measures.Measures(
        words=11, questions=8, code_lines=2, hidden_lines=5, cells=3, equations=1, exercises=1
    )


@pytest.mark.parametrize(
    ("words", "lines", "hidden", "equations", "minutes"),
    [(1000, 130, 0, 10, 40), (1000, 130, 39, 10, 45), (1249, 0, 0, 0, 10), (1251, 0, 0, 0, 15), (10, 0, 0, 0, 5)],
)
def test_the_reading_time(words: int, lines: int, hidden: int, equations: int, minutes: int) -> None:
    found = measures.Measures(words, 0, lines, hidden, 1, equations, exercises=3)
    assert (found.minutes, found.exercise_minutes) == (minutes, 30)


def test_a_limit_that_is_exceeded_is_marked(tmp_path: Path) -> None:
    notebook = a_notebook()
    notebook.cells += [new_markdown_cell("word " * 2600)]
    nbformat.write(notebook, tmp_path / "01_a.ipynb")
    nbformat.write(notebook, tmp_path / "01b_a.ipynb")
    core, side = measures.table([tmp_path / "01_a.ipynb", tmp_path / "01b_a.ipynb"]).splitlines()[1:]
    assert core.split() == ["01", "2,611!", "2", "4", "1", "1", "30"]
    assert side.split() == ["01b", "2,611", "2", "4", "1", "1", "30"]


@pytest.mark.parametrize(
    ("sentence", "backed"),
    [
        ("The bound is 4.1 nats too low.", True),
        ("The bound is $4.13$ nats too low.", True),
        ("The bound is about 4 nats too low.", True),
        ("The bound is 4.2 nats too low.", False),
        ("They lie between -110 and -107.6 nats.", True),
        ("They lie between -120 and -107.6 nats.", False),
        ("On 83 % of the digits it is so.", True),
        ("On $84\\,\\%$ of the digits it is so.", False),
        ("The error is 2 standard errors.", False),
        ("The other notebook, notebook 02, found 55.5 nats.", True),
        ("The other notebook found 55.5 nats.", False),
        ("It is 86.76 nats in the paper. <!-- source: 86.76 nats: a paper, table 1 -->", True),
        ("The rule says 50 %. $$a = 50\\,\\%$$", True),
        ("There are 784 pixels.", True),
    ],
)
def test_a_number_with_a_unit_needs_an_output_or_a_source(tmp_path: Path, sentence: str, backed: bool) -> None:
    printed = new_output("stream", name="stdout", text="gap 4.13 nats, 83% of 100 digits, from -110.02 to -107.59\n")
    nbformat.write(new_notebook(cells=[new_code_cell("print()", outputs=[printed]), new_markdown_cell(sentence)]), tmp_path / "01_a.ipynb")
    other = new_output("stream", name="stdout", text="55.5 nats\n")
    nbformat.write(new_notebook(cells=[new_code_cell("print()", outputs=[other])]), tmp_path / "02_b.ipynb")
    assert (not measures.unbacked(tmp_path / "01_a.ipynb")) == backed
