"""The regression run: what it says of a notebook whose numbers, claims, words, pictures or costs have changed."""

from __future__ import annotations

import json
import math
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from vaecourse import __main__ as command
from vaecourse import regression
from vaecourse.regression import compare, findings, prose

KNOBS = {"gain": 103.3, "cover": 0.91, "loss": 134.5, "word": "falls", "bar": 1.0, "error": False, "deviation": 0.0, "have": True}
SOURCES = [
    "import json, warnings\nfrom vaecourse import plots\nfrom vaecourse.verify import claim, verify\nknobs = json.load(open('knobs.json'))",
    "claim('without a floor the ELBO loses {:.1f} nats', knobs['gain'], '>', 0.5)",
    "claim('{:.0%} of the cells are covered', knobs['cover'], 'between', (0.84, 0.96))",
    "print(f\"held-out loss {knobs['loss']:.1f} nats\")\nprint('the loss', knobs['word'])",
    "verify('7.1', knobs['deviation'], '=', 0.0, atol=1.0)",
    "fig, ax = plots.figure('A bar', size=(2, 2))\nax.bar([0], [knobs['bar']])\nax.set(ylim=(0, 2))\n"
    "plots.show(fig, alt=f\"A bar of height {knobs['bar']:.1f}.\")",
    "if knobs['error']:\n    raise KeyError('gone')",
]
PROSE = [
    "# 07 · A trial\n\nAs the summary says, little is at stake.",
    "## The floor\n\nWithout a floor the ELBO loses about 103 nats. That is a lot.",
    "## Coverage\n\nOf the cells 91 % are covered, as they should be.\n\n$$a = b \\tag{7.1}$$",
    "The held-out loss is 134.5 nats, far above 12.",
    "## An equation\n\nBy (7.1) both sides are equal.",
    "## A picture\n\nThe bar is as high as it should be.",
    "## The end\n\nNothing more.",
]


def trial() -> nbformat.NotebookNode:
    cells = [cell for text, source in zip(PROSE, SOURCES) for cell in (new_markdown_cell(text), new_code_cell(source))]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def turn(folder: Path, **knobs: object) -> None:
    (folder / "knobs.json").write_text(json.dumps(KNOBS | knobs))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a notebook and its reference."""
    folder = tmp_path_factory.mktemp("trial")
    turn(folder)
    nbformat.write(trial(), folder / "07_trial.ipynb")
    assert regression.refresh([folder / "07_trial.ipynb"]) == 0
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> dict:
    """What is reported where everything has changed that can change."""
    turn(folder, gain=2.7, cover=0.7, loss=135.5, word="rises", bar=1.5, error=True, deviation=0.9)
    paths = [str(folder / name) for name in ("07_trial.ipynb", "report.html", "report.json")]
    status = command.main(["regress", paths[0], "--html", paths[1], "--json", paths[2]])
    found = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert status == found["status"]
    return found


def of_kind(report: dict, kind: str) -> list[dict]:
    return [f for f in report["findings"] if f["kind"] == kind]


def test_a_refreshed_notebook_is_executed_and_its_reference_says_what_was_checked(folder: Path) -> None:
    notebook = nbformat.read(folder / "07_trial.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, 8))
    assert "execution" not in json.dumps([cell.metadata for cell in code])
    assert code[3].outputs[0].text == "held-out loss 134.5 nats\nthe loss falls\n"
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    kept = reference["notebooks"]["07_trial.ipynb"]
    assert [(r["kind"], r["label"], r["room"]) for r in kept["records"]] == [
        ("claim", "without a floor the ELBO loses {:.1f} nats", 102.8),
        ("claim", "{:.0%} of the cells are covered", 0.05),
        ("equation", "7.1", 1.0),
    ]
    assert len(kept["seconds"]) == len(notebook.cells)
    assert 50 < kept["megabytes"] < 2000
    assert reference["versions"] == regression.versions()


def test_a_broken_claim_is_named_with_its_numbers_and_the_sentence_that_became_false(report: dict) -> None:
    (found,) = of_kind(report, "claim broken")
    assert (found["notebook"], found["cell"], found["heading"]) == ("07_trial.ipynb", 5, "Coverage")
    assert found["says"] == "{:.0%} of the cells are covered: 0.7, but it had to be between 0.84, 0.96; in the reference 0.91"
    assert found["sentences"] == ["Of the cells 91 % are covered, as they should be."]


def test_a_claim_that_holds_with_a_fraction_of_its_room_is_reported(report: dict) -> None:
    claim, equation = of_kind(report, "margin shrunk")
    assert "103.3 → 2.7, limit > 0.5; 2.1 % of the room is left" in claim["says"]
    assert claim["sentences"] == ["Without a floor the ELBO loses about 103 nats."]
    assert equation["says"] == "7.1: 0 → 0.9, limit <= 1; 10 % of the room is left"
    assert equation["sentences"] == ["By (7.1) both sides are equal."]


def test_a_number_that_moved_is_told_with_old_new_and_tolerances(report: dict) -> None:
    says = {f["says"]: f for f in of_kind(report, "number moved")}
    found = says["134.5 → 135.5 (10 tolerances) in: held-out loss 134.5 nats"]
    assert found["sentences"] == ["The held-out loss is 134.5 nats, far above 12."]
    assert "1.0 → 1.5 (5 tolerances) in: A bar of height 1.0." in says  # an alternative text


def test_words_errors_and_pictures_are_told_apart(report: dict) -> None:
    assert [f["says"] for f in of_kind(report, "text changed")] == ["- the loss falls\n+ the loss rises"]
    assert [f["says"] for f in of_kind(report, "error")] == ["KeyError: 'gone'"]
    assert [(f["cell"], f["heading"]) for f in of_kind(report, "picture changed")] == [(11, "A picture")]


def test_the_exit_status_says_the_worst_kind_and_the_worst_stands_first(report: dict) -> None:
    assert report["status"] == findings.STATUS["error"] == max(findings.STATUS.values())
    status = [findings.STATUS[f["kind"]] for f in report["findings"]]
    assert status == sorted(status, reverse=True)


def test_the_page_stands_alone_and_holds_every_finding(folder: Path, report: dict) -> None:
    class Reader(HTMLParser):
        text, tags = "", ()

        def handle_data(self, data: str) -> None:
            self.text += data

        def handle_starttag(self, tag: str, attrs: list) -> None:
            self.tags += (tag, *(name for name, _ in attrs))

    reader = Reader()
    reader.feed((folder / "report.html").read_text(encoding="utf-8"))
    assert all(f["says"] in reader.text and all(s in reader.text for s in f["sentences"]) for f in report["findings"])
    assert not {"script", "link", "src", "href"} & set(reader.tags)


def test_nothing_is_reported_where_nothing_changed_and_the_report_counts_what_was_checked(
    folder: Path, report: dict, capsys: pytest.CaptureFixture
) -> None:
    turn(folder, loss=134.6, gain=103.4)  # within a unit of the last digit
    before = (folder / "07_trial.ipynb").read_bytes()
    assert regression.regress([folder / "07_trial.ipynb"]) == 0
    said = capsys.readouterr().out
    assert "Versions: those of the reference." in said
    assert "7 cells, 2 claims, 1 equations" in said
    assert "nothing differs from the reference" in said
    assert regression.refresh([folder / "07_trial.ipynb"]) == 0
    assert (folder / "07_trial.ipynb").read_bytes() == before  # outputs that are as good stay as they are


def test_a_notebook_with_a_broken_claim_is_not_made_the_reference(folder: Path, report: dict, capsys: pytest.CaptureFixture) -> None:
    turn(folder, cover=0.5)
    before = (folder / "07_trial.ipynb").read_bytes()
    assert regression.refresh([folder / "07_trial.ipynb"]) == 1
    assert "07_trial.ipynb was left as it was" in capsys.readouterr().out
    assert (folder / "07_trial.ipynb").read_bytes() == before


# ---------------------------------------------------------------- the parts, without a kernel


def run_of(notebook: nbformat.NotebookNode, records: list | None = None, seconds: float = 1.0, megabytes: float = 500.0, skipped=None):
    n = len(notebook.cells)
    return regression.Run(notebook, records or [[] for _ in range(n)], [seconds] * n, megabytes, skipped)


def test_a_run_that_is_slower_or_larger_is_told_with_the_cell_that_takes_longest() -> None:
    notebook = trial()
    reference = {"seconds": [1.0] * 14, "megabytes": 500}
    slow = run_of(notebook)
    slow.seconds[7] = 20.0
    (found,) = regression.examine("07", notebook, slow, reference)
    assert (found.kind, found.says) == ("slower or larger", "14 s → 33 s, most of it in cell 7 (Coverage): 1.0 s → 20.0 s")
    (found,) = regression.examine("07", notebook, run_of(notebook, megabytes=700), reference)
    assert found.says == "500 MB → 700 MB of memory at the peak"
    assert regression.examine("07", notebook, run_of(notebook, seconds=1.2, megabytes=540), reference) == []


def test_a_claim_that_is_no_longer_made_is_missed() -> None:
    record = {"kind": "claim", "label": "it gains {:.1f}", "value": [1.0], "relation": ">", "limit": [0.0], "room": 1.0, "holds": True}
    (found,) = regression.examine("07", trial(), run_of(trial()), {"records": [record]})
    assert (found.kind, found.says) == ("text changed", "no longer checked: claim it gains {:.1f}")


def test_cells_that_do_nothing_without_their_data_are_neither_compared_nor_missed() -> None:
    before, after = trial(), trial()
    before.cells[9].outputs = [new_output("stream", text="✓ (7.1)\n")]
    record = {"kind": "equation", "label": "7.1", "value": [0.0], "relation": "<=", "limit": [1.0], "room": 1.0, "holds": True}
    assert regression.examine("mnist", before, run_of(after, skipped=3), {"records": [record]}) == []
    assert regression.examine("mnist", before, run_of(after), {"records": [record]}) != []


def test_a_broken_claim_is_not_told_twice() -> None:
    before, after = trial(), trial()
    before.cells[3].outputs = [new_output("stream", text="✓ it gains 2.0 nats  (claimed: > 0.5)\n")]
    after.cells[3].outputs = [new_output("stream", text="✗ it gains 0.1 nats does not hold (claimed: > 0.5)\n")]
    records = [[] for _ in after.cells]
    records[3] = [
        {"kind": "claim", "label": "it gains {:.1f} nats", "value": [0.1], "relation": ">", "limit": [0.5], "room": -0.4, "holds": False}
    ]
    assert [f.kind for f in regression.examine("07", before, run_of(after, records), {})] == ["claim broken"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two!  Three?", ["One.", "Two!", "Three?"]),
        ("# A heading\n\nA sentence\nover two lines.", ["A sentence over two lines."]),
        ("- first\n- second. Third", ["- first", "- second.", "Third"]),
        ("About 3.5 nats, e.g. here.", ["About 3.5 nats, e.g. here."]),
        ("Before.\n\n$$x = 1. Y$$\n\nBehind.", ["Before.", "Behind."]),
        ("| a | 1 |\n| b | 2 |", ["| a | 1 |", "| b | 2 |"]),
    ],
)
def test_sentences_of_a_cell(text: str, expected: list[str]) -> None:
    assert prose.split(text) == expected


@pytest.mark.parametrize(
    ("sentence", "number", "quotes"),
    [
        ("It loses 103 nats.", "103.3", True),
        ("It loses $103.3$ nats.", "-103.3", True),
        ("It loses 104 nats.", "103.3", False),
        ("It loses about 230 nats.", "233", True),
        ("It loses about 240 nats.", "233", False),
        ("It takes 100 steps.", "103", False),  # a single digit says little, however many zeros follow
        ("Of 20{,}000 digits", "20,000", True),
        ("It has 7 latents.", "7.0", False),  # one digit says nothing
        ("It covers 91 % of them.", "91", True),
    ],
)
def test_which_sentence_quotes_a_number(sentence: str, number: str, quotes: bool) -> None:
    notebook = new_notebook(cells=[new_markdown_cell("## A\n\nBefore."), new_code_cell("x"), new_markdown_cell(sentence)])
    assert (prose.sentences(notebook, 1, [number]) == [sentence]) == quotes or not quotes
    assert prose._quotes(sentence, number, near=True) == quotes


def test_without_a_quoting_sentence_the_one_behind_the_cell_is_named() -> None:
    notebook = new_notebook(cells=[new_markdown_cell("## A\n\nBefore."), new_code_cell("x"), new_markdown_cell("So it falls. It does.")])
    assert prose.sentences(notebook, 1, ["12.5"]) == ["So it falls."]


RECORDED = {"kind": "equation", "label": "7.1", "value": [0.0], "relation": "=", "limit": [0.0], "room": 1.0, "holds": True}


def test_notebooks_are_found_by_number_or_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [path.stem for path in regression.find(["03", "mnist"])] == ["03_naive_monte_carlo", "mnist"]
    assert len(regression.find([])) >= 13
    nbformat.write(trial(), tmp_path / "ok.ipynb")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert regression.find(["~/ok.ipynb"]) == [tmp_path / "ok.ipynb"]
    for name in ("99", "/tmp/nope.ipynb", "**", "", "*", "C:\\nope.ipynb"):
        with pytest.raises(SystemExit, match=re.escape(f"there is no notebook {name or repr(name)}: pass")):
            regression.find([name])
    with pytest.raises(SystemExit, match="is an address"):
        regression.find(["https://a.org/03.ipynb"])


@pytest.mark.parametrize("text", ["", "<html>", "[]", "{}", '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}'])
@pytest.mark.parametrize("name", ["measure", "regress", "refresh", "classroom"])
def test_a_file_that_is_no_notebook_is_named(name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.ipynb"
    bad.write_text(text)
    folder = [str(tmp_path / "course")] if name == "classroom" else []
    assert command.main([name, *folder, str(bad)]) == 1
    assert f"{bad} is no notebook that can be read: it is " in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.ipynb"]


@pytest.mark.parametrize("reference", ["{", "[]", "{}", '{"versions": {}, "notebooks": {"07": 3}}'])
def test_a_damaged_reference_is_named_before_anything_is_run(reference: str, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(regression, "run", None)
    nbformat.write(trial(), tmp_path / "07.ipynb")
    (tmp_path / "reference.json").write_text(reference)
    for name in ("regress", "refresh"):
        assert command.main([name, str(tmp_path / "07.ipynb")]) == 1
        assert "reference.json cannot be read as a reference" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_named_before_anything_is_run(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(regression, "run", None)
    nbformat.write(trial(), tmp_path / "07.ipynb")
    for target, says in (
        (tmp_path, f"{tmp_path} is a folder"),
        (tmp_path / "07.ipynb" / "r.html", f"{tmp_path / '07.ipynb'} is a file; a folder is needed"),
    ):
        assert command.main(["regress", str(tmp_path / "07.ipynb"), "--json", str(tmp_path / "r.json"), "--html", str(target)]) == 1
        assert says in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["07.ipynb"]


def test_a_report_that_can_no_longer_be_written_leaves_the_other_and_the_status(tmp_path: Path, capsys, monkeypatch) -> None:
    nbformat.write(trial(), tmp_path / "07.ipynb")
    monkeypatch.setattr(regression, "run", lambda path, *_: ((tmp_path / "r.html").mkdir(), run_of(trial()))[1])
    notebook, html, as_json = (str(tmp_path / name) for name in ("07.ipynb", "r.html", "r.json"))
    assert command.main(["regress", notebook, "--html", html, "--json", as_json]) == 1
    assert "r.html is a folder" in capsys.readouterr().err
    assert json.loads((tmp_path / "r.json").read_text())["status"] == 0


def test_an_interrupted_refresh_stores_the_reference_of_what_it_has_stored(tmp_path: Path, capsys, monkeypatch) -> None:
    def run(path: Path, digits: str) -> regression.Run:
        if path.name == "two.ipynb":
            raise KeyboardInterrupt
        return run_of(trial(), [[RECORDED], *[[]] * 13])

    paths = [tmp_path / "one.ipynb", tmp_path / "two.ipynb"]
    for path in paths:
        nbformat.write(trial(), path)
    monkeypatch.setattr(regression, "run", run)
    assert regression.refresh(paths) == 1
    assert "Interrupted: 1 of 2" in capsys.readouterr().out
    kept = regression.load_reference(tmp_path)
    assert [r["label"] for r in kept["notebooks"]["one.ipynb"]["records"]] == ["7.1"]
    assert list(kept["notebooks"]) == ["one.ipynb"]
    (tmp_path / "reference.json").unlink()
    assert regression.refresh(paths[1:]) == 1
    assert not (tmp_path / "reference.json").exists()


def test_json_holds_nothing_that_is_no_json() -> None:
    record = {"kind": "claim", "label": "it is {}", "value": [math.inf], "relation": ">", "limit": [0.0], "room": math.inf, "holds": True}
    after = run_of(trial(), [[record]], megabytes=None)
    kept = regression.entry(after)
    for text in (json.dumps(kept), regression.Report({}, {"cells": 1}, {"07": {"seconds": 1.0, "megabytes": None}}, []).json()):
        json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    (found,) = regression.examine("07", trial(), run_of(trial(), [[], [record | {"room": 1.0, "value": [1.0]}], *[[]] * 12]), kept)
    assert found.kind == "margin shrunk"


def test_live_widgets_and_progress_bars_are_not_saved() -> None:
    view = "application/vnd.jupyter.widget-view+json"
    before, after = trial(), trial()
    after.metadata["widgets"] = {"state": {}}
    after.cells[1].outputs = [
        new_output("display_data", {view: {"model_id": "1"}, "text/plain": "  0%|          | 0/60 [00:00<?, ?epoch/s]"}),
        new_output("display_data", {view: {"model_id": "2"}, "text/plain": "Predict: what?"}),
        new_output("display_data", {view: {"model_id": "3"}}),
    ]
    saved = regression.merged(before, after)
    assert [output.data for output in saved.cells[1].outputs] == [{"text/plain": "Predict: what?"}]
    assert "widgets" not in saved.metadata
    assert compare.compare_outputs(saved.cells[1].outputs, [new_output("display_data", {view: {}, "text/plain": "Predict: what?"})]) == []


def test_a_live_figure_is_saved_anew_where_its_script_has_changed() -> None:
    def saved(script: str, data: str) -> nbformat.NotebookNode:
        notebook = trial()
        html = f'<figure data-vae="{data}"></figure>\n<script type="module">\n{script}\nbegin("{data}");\n</script>'
        notebook.cells[1].outputs = [new_output("display_data", {"text/html": html, "text/plain": "It is 1.0."})]
        return notebook

    def kept(before: nbformat.NotebookNode, after: nbformat.NotebookNode) -> bool:
        return regression.merged(before, after).cells[1].outputs == before.cells[1].outputs

    assert kept(saved("f()", "1"), saved("f()", "2"))  # the last digits of its data differ from machine to machine
    assert not kept(saved("f()", "1"), saved("g()", "1"))


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the processes of Linux")
def test_no_kernel_outlives_its_notebook(tmp_path: Path) -> None:
    nbformat.write(new_notebook(cells=[new_code_cell("import os\nprint(os.getpid())")]), tmp_path / "one.ipynb")
    after = regression.run(tmp_path / "one.ipynb")
    assert not Path(f"/proc/{int(after.notebook.cells[0].outputs[0].text)}").exists()
