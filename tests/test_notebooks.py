"""The committed notebooks as documents: executed, complete, every numbered equation verified. (nbval executes and compares them.)"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from vaecourse.exercises import chapters, check
from vaecourse.regression import load_reference
from vaecourse.regression.measures import kind_of
from vaecourse.widgets import quiz
from vaecourse.widgets.live import JS, bundled

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def cells(notebook: nbformat.NotebookNode, kind: str) -> list[nbformat.NotebookNode]:
    return [c for c in notebook.cells if c.cell_type == kind and c.source.strip()]


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [o for c in cells(notebook, "code") for o in c.outputs]


def text_of(output: nbformat.NotebookNode) -> str:
    return output.get("text", "") + output.get("data", {}).get("text/plain", "")


def test_there_are_notebooks() -> None:
    assert {"03_naive_monte_carlo", "04_log_space", "06_the_elbo", "08_the_vae"} <= {path.stem for path in NOTEBOOKS}


def test_was_executed_once_from_top_to_bottom(notebook: nbformat.NotebookNode) -> None:
    code = cells(notebook, "code")
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))


def test_every_numbered_equation_is_verified_exactly_once(notebook: nbformat.NotebookNode) -> None:
    text = "\n".join(c.source for c in cells(notebook, "markdown"))
    code = "\n".join(c.source for c in cells(notebook, "code"))
    numbered = re.findall(r"\\tag\{([^}]*)\}", text)
    verified = re.findall(r"""\bverify\(\s*["']([^"']+)["']""", code)
    assert numbered, "a notebook without a numbered equation"
    assert sorted(numbered) == sorted(verified)
    assert len(set(numbered)) == len(numbered)


def test_verdicts_are_committed_for_every_equation(notebook: nbformat.NotebookNode) -> None:
    code = "\n".join(c.source for c in cells(notebook, "code"))
    verified = re.findall(r"""\bverify\(\s*["']([^"']+)["']""", code)
    printed = re.findall(r"✓ \(((?:\d+[a-z]?|[MC])\.\d+)\)", "\n".join(map(text_of, outputs(notebook))))
    assert sorted(printed) == sorted(verified)


def test_no_error_warning_or_machine_path_in_the_outputs(notebook: nbformat.NotebookNode) -> None:
    for output in outputs(notebook):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", text_of(output)
        assert not re.search(r"Warning|/(home|root|tmp|work|Users)/|[A-Z]:\\|0x[0-9a-f]{6,}", text_of(output)), text_of(output)


def test_no_line_is_a_bare_verdict(notebook: nbformat.NotebookNode) -> None:
    lines = "\n".join(map(text_of, outputs(notebook))).splitlines()
    bare = [line for line in lines if re.search(r"(?:^|[:|=,\]] *)(?:True|False)\s*(?:$|[|,;])", line)]
    assert not bare, "print the number (vaecourse.verify.claim), not the verdict"


def test_what_is_saved_needs_no_kernel(notebook: nbformat.NotebookNode) -> None:
    assert "widgets" not in notebook.metadata
    for output in outputs(notebook):
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
        assert not re.search(r"\d+%\|", text_of(output)), "a progress bar"


def test_live_figures_and_questions_are_saved_with_the_scripts_of_the_package(notebook: nbformat.NotebookNode) -> None:
    known = {bundled(path.stem) for path in JS.glob("*.js")}
    fragments = [html for o in outputs(notebook) if "data-vae=" in (html := o.get("data", {}).get("text/html", ""))]
    assert fragments
    for html in fragments:
        (code,) = re.findall(r'<script type="module">\n(.*)\n.*\n</script>', html, flags=re.S)
        assert code in known, "python -m vaecourse refresh brings the new one"


def test_predictions_hide_their_answers_until_they_are_asked_for(notebook: nbformat.NotebookNode) -> None:
    for cell in cells(notebook, "code"):
        if re.search(r"^predict\(", cell.source, flags=re.M):
            assert cell.metadata.jupyter.source_hidden
            assert "hide-input" in cell.metadata.tags


def test_the_reference_holds_every_equation_and_claim(notebook: nbformat.NotebookNode, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["notebook"].name
    records = load_reference()["notebooks"][name]["records"]
    printed = "\n".join(map(text_of, outputs(notebook)))
    assert [r["label"] for r in records if r["kind"] == "equation"] == re.findall(r"✓ \(((?:\d+[a-z]?|[MC])\.\d+)\)", printed)
    assert sum(r["kind"] == "claim" for r in records) == printed.count("(claimed: ")
    assert all(r["holds"] and not float(r["room"]) < 0 for r in records)


def test_no_cell_timings_in_the_metadata(notebook: nbformat.NotebookNode) -> None:
    assert not any("execution" in c.metadata for c in notebook.cells)


def test_every_figure_has_alternative_text(notebook: nbformat.NotebookNode) -> None:
    figures = [o for o in outputs(notebook) if "image/png" in o.get("data", {})]
    assert figures
    for figure in figures:
        alt = figure.data.get("text/plain", "")
        assert len(alt.split()) >= 6, f"alternative text too short: {alt!r}"
        assert "<Figure" not in alt


def test_rhythm_of_text_and_code(notebook: nbformat.NotebookNode, request: pytest.FixtureRequest) -> None:
    text, code = cells(notebook, "markdown"), cells(notebook, "code")
    assert 30 <= len(text) + len(code) <= 110
    assert all(len(c.source.splitlines()) <= 30 for c in code)
    assert sum("predict(" in c.source for c in code) >= 2
    prose = "\n".join(c.source for c in text)
    of_all, of_the_core = ("## Summary", "## Sources"), ("## The scoreboard", "Break it")
    is_aside = kind_of(request.node.callspec.params["notebook"]) in ("side", "extra")
    for part in of_all if is_aside else of_all + of_the_core:
        assert part in prose, f"missing part: {part}"


def test_exercises_and_quiz_stand_in_the_notebook_as_they_stand_in_the_package(notebook: nbformat.NotebookNode) -> None:
    number = notebook.cells[0].source.removeprefix("# ").partition(" ")[0]
    if number not in chapters():
        pytest.skip("a notebook without exercises")
    code = {c.source for c in cells(notebook, "code")}
    shown = {text_of(o) for o in outputs(notebook)}
    for task in chapters()[number].EXERCISES:
        statement = f"### Exercise · `{task.name}`\n\n{task.statement}"
        assert any(statement in c.source for c in cells(notebook, "markdown")), task.name
        assert f'{task.stub}\n\n\ncheck("{task.name}", {task.name})' in code, task.name
        assert repr(check(task.name, ...)) in shown
    assert f'quiz("{number}")' in code
    assert repr(quiz(number)) in shown


def test_headings_are_in_order(notebook: nbformat.NotebookNode) -> None:
    prose = "\n".join(c.source for c in cells(notebook, "markdown"))
    levels = [len(m) for m in re.findall(r"^(#+) ", prose, flags=re.M)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:]))


def test_prose_avoids_what_the_house_style_forbids(notebook: nbformat.NotebookNode) -> None:
    prose = "\n".join(c.source for c in cells(notebook, "markdown"))
    assert not re.findall(r"\b(simply|obviously|it is important to note|we can see that)\b", prose, flags=re.I)


def test_the_extra_says_one_line_and_does_nothing_where_mnist_cannot_be_had(tmp_path: Path) -> None:
    extra = nbformat.read(NOTEBOOKS[0].parent / "mnist.ipynb", as_version=4)
    program = (
        "import json, sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from vaecourse import data\n"
        "data.MIRRORS = ('http://127.0.0.1:9/',)\n"
        "for source in json.load(sys.stdin):\n"
        "    assert InteractiveShell.instance().run_cell(source).success, source\n"
    )
    environment = os.environ | {
        "VAECOURSE_DATA_DIR": str(tmp_path),
        "IPYTHONDIR": str(tmp_path),
        "NO_PROXY": "127.0.0.1",
        "MPLBACKEND": "agg",
    }
    source = json.dumps([c.source for c in cells(extra, "code")])
    run = subprocess.run([sys.executable, "-c", program], input=source, capture_output=True, text=True, encoding="utf-8", env=environment)
    assert (run.returncode, run.stderr) == (0, "")
    (line,) = run.stdout.strip().splitlines()
    assert line.startswith("MNIST is not here")
