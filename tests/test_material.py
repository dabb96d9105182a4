"""The teacher's material: complete, right, and kept apart."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from vaecourse.__main__ import main
from vaecourse.classroom import material, mathml, writing
from vaecourse.classroom.convert import solution_of
from vaecourse.classroom.exam import QUESTIONS
from vaecourse.classroom.mathml import formula
from vaecourse.classroom.pages import html_of
from vaecourse.classroom.slides import slides_of
from vaecourse.exercises import check, exercise, names

needs_mathml = pytest.mark.skipif(not mathml.has_mathml(), reason="latex2mathml is not installed")

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", names())
def test_every_solution_runs_on_its_own_and_is_right(name: str) -> None:
    space: dict = {"__name__": "__main__"}
    exec(solution_of(name), space)
    assert check(name, space[name]).passed


def test_every_mistake_has_an_id_of_its_own() -> None:
    for name in names():
        ids = [mistake.id for mistake in exercise(name).mistakes]
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", i) for i in ids), name
        assert len(set(ids)) == len(ids), name
        assert "aside" not in ids


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teachers")
    assert all(path.exists() for path in material.write(folder, seed=3))
    return folder


def test_the_folder_holds_everything_and_the_exam_for_students_no_answers(written: Path) -> None:
    assert {path.stem for path in written.glob("slides/*.html")} == {path.stem for path in NOTEBOOKS}
    for name in ("exam.md", "exam.html"):
        assert "Answer" not in (written / name).read_text()
    for name in ("exam_answers.md", "exam_answers.html"):
        assert (written / name).read_text().count("Answer.") == sum(len(question.made(3)) for question in QUESTIONS)
    solutions = (written / "solutions.md").read_text()
    assert all(f"· {name}\n" in solutions for name in names())


def test_solutions_have_every_folded_exercise_in_the_words_of_its_notebook(written: Path) -> None:
    solutions, counted = (written / "solutions.md").read_text(), 0
    for path in NOTEBOOKS:
        whole = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
        for title, rest in re.findall(r"^### ((?:On paper|Open exercise) · [^\n]+)\n(.+?)</details>", whole, flags=re.M | re.S):
            told, solution = re.split(r"<details>\s*<summary>.*?</summary>", rest)
            section = solutions.split(f"## {path.stem.split('_')[0]} · {title}\n")[1].split("\n## ")[0]
            for line in re.sub(r"<!--.*?-->", "", told + solution, flags=re.S).splitlines():
                assert " ".join(line.split()) in section, (path.stem, title)
            counted += 1
    assert counted == solutions.count("· On paper · ") + solutions.count("· Open exercise · ") > 30
    assert "<details>" not in solutions
    assert "<!--" not in solutions


def test_the_code_of_an_open_exercise_stands_in_its_statement(written: Path) -> None:
    section = (written / "solutions.md").read_text().split("· Find the bug\n")[1].split("\n## ")[0]
    assert section.index("z = q_start.rsample((1000,))") < section.index("What a good answer contains")


class Reader(HTMLParser):
    """What a reader of a page sees: its words outside of styles, and of each heading and picture."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open, self.words, self.headings, self.alts, self.elements = [], [], [], [], set()
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.elements.add(tag)
        if tag == "img":
            self.alts.append(dict(attributes)["alt"])
        elif tag not in ("meta", "mspace", "br", "hr", "link"):
            self.open.append(tag)
        if tag in ("h1", "h2"):
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, words: str) -> None:
        if {"style", "title"} & {*self.open}:
            return
        self.words.append(words)
        if {"h1", "h2"} & {*self.open}:
            self.headings[-1] += words


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_slides_have_every_figure_with_its_text_and_predictions_one_right_choice_each(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    data = [o.data for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "image/png" in o.get("data", {})]
    page = slides_of(notebook)
    seen = Reader(page)
    assert seen.alts == [d["text/plain"] for d in data]
    assert not any(alt in " ".join(seen.words) for alt in seen.alts)
    assert all(heading.strip() for heading in seen.headings)
    assert seen.headings[-1] == "Summary"
    assert not {"script", "link", "a"} & seen.elements
    assert "http" not in re.sub(r'src="data:[^"]*"', "", page)
    source = next(c.source for c in notebook.cells if re.search("^## Summary$", c.source, flags=re.M))
    last = re.split(r"<h2>Summary</h2>", page)[1]
    points = re.findall(r"^ *(?:\d+\.|-) ", re.split(r"^## ", source.split("## Summary\n")[1], flags=re.M)[0], flags=re.M)
    assert last.count("<li>") == len(points) > 0
    asked = sum("predict(\n" in c.source for c in notebook.cells if c.cell_type == "code")
    assert material.predictions_of(notebook).count("- ✓ *") >= asked


@needs_mathml
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_latex_is_left_in_slides(path: Path) -> None:
    words = "".join(Reader(slides_of(nbformat.read(path, as_version=4))).words)
    assert not re.findall(r"[$\\`]|\*\*", words)


@needs_mathml
@pytest.mark.parametrize("name", ["exam.html", "exam_answers.html"])
def test_no_latex_is_left_in_the_exam_on_paper(name: str, written: Path) -> None:
    page = (written / name).read_text()
    assert not re.findall(r"[$\\`]|\*\*", "".join(Reader(page).words))
    assert page.count("<math") == len(re.findall(r"\$[^$]+\$", (written / name).with_suffix(".md").read_text()))


@needs_mathml
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_formula_of_a_notebook_becomes_mathml(path: Path) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```|`[^`\n]*`|<!--.*?-->", "", text, flags=re.S)
    for block, inline in re.findall(r"\$\$(.+?)\$\$|\$([^$]+?)\$", text, flags=re.S):
        made = formula(block or inline, "block" if block else "inline")
        root = ElementTree.fromstring(made)
        assert root.tag == "math"
        shown = "".join(root.itertext())
        assert not re.findall(r"[$\\&]|\dpt", shown), (block or inline, made)
        assert shown.strip()


@needs_mathml
@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\log p", "log[ ]p"),  # a space behind the name, and none before a bracket
        (r"\log (p)", "log(p)"),
        (r"2 \log_2 p", "2[ ]log2[ ]p"),
        (r"\operatorname{Var}[x]", "Var[x]"),
        (r"z \sim p", "z∼p"),
        (r"\text{log\_w}", "log_w"),
        (r"\text{ for a $q$ with}", "\xa0for\xa0a\xa0q\xa0with"),
        (r"a = b \tag{5b.8}", "a=b[  ](5b.8)"),
    ],
)
def test_formulas_are_spaced_as_in_print(latex: str, shown: str) -> None:
    def read(element: ElementTree.Element) -> str:
        width = element.get("width", "")
        space = {"0.167em": "[ ]", "2em": "[  ]"}[width] if element.tag == "mspace" else ""
        return space + (element.text or "") + "".join(map(read, element))

    assert read(ElementTree.fromstring(formula(latex))) == shown


@needs_mathml
def test_a_sign_belongs_to_its_number_and_a_minus_stands_between_two() -> None:
    def forms(latex: str) -> list[str | None]:
        return [e.get("form") for e in ElementTree.fromstring(formula(latex)).iter("mo") if e.text == "−"]

    assert forms("x = -1") == ["prefix"]
    assert forms("x - 1") == forms("f(x) - 1") == [None]


def test_without_the_converter_formulas_stay_latex_and_a_line_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mathml, "find_spec", lambda name: None)
    assert main(["material", str(tmp_path)]) == 0
    assert "pip install latex2mathml" in capsys.readouterr().err
    assert r"<code>\log p(x)</code>" in (tmp_path / "slides" / "06_the_elbo.html").read_text()
    assert r"<code>2^{-150}</code>" in (tmp_path / "exam.html").read_text()


def test_markdown_is_shown_in_headings_and_links_and_comments_are_not() -> None:
    assert html_of("## A `name` and *more*").strip() == "<h2>A <code>name</code> and <em>more</em></h2>"
    assert html_of("See [here](02.ipynb#a). <!-- source: 3 -->").strip() == "<p>See here.</p>"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_writing_twice_changes_nothing_and_a_teachers_edits_are_not_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["material", str(tmp_path)]) == 0
    first, said, times = contents(tmp_path), capsys.readouterr().out, [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*.*"))]
    assert main(["material", str(tmp_path)]) == 0
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*.*"))] == times
    assert (contents(tmp_path), capsys.readouterr().out) == (first, said)
    (tmp_path / "exam.md").write_text("my own exam")
    (tmp_path / "predictions.md").unlink()
    before = contents(tmp_path)
    assert main(["material", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert f"nothing was written: these files exist and differ: {tmp_path / 'exam.md'}. " in told.err
    assert contents(tmp_path) == before
    (tmp_path / "exam.md").write_bytes(first["exam.md"])
    assert main(["material", str(tmp_path)]) == 0  # what is missing is written again
    assert contents(tmp_path) == first
    assert main(["material", str(tmp_path), "--seed", "1"]) == 1
    named = capsys.readouterr().err.split("differ: ")[1].split(". Move")[0].split(", ")
    assert named == [str(tmp_path / name) for name in ("exam.md", "exam_answers.md", "exam.html", "exam_answers.html")]
    assert contents(tmp_path) == first


@pytest.mark.parametrize("place", ["afile", "afile/deeper/still", "folder/exam.md", "broken", "broken/deeper"])
def test_a_path_that_cannot_be_a_folder_gets_a_clear_message(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "afile").write_text("a")
    (tmp_path / "broken").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder" / "exam.md").mkdir(parents=True)
    if place == "folder/exam.md":  # a folder where a file is to be written
        place = "folder"
    assert main(["material", str(tmp_path / place)]) == 1
    told = capsys.readouterr().err
    assert "Errno" not in told
    assert str(tmp_path / place.split("/")[0]) in told
    assert {"afile": "afile is a file; a folder is needed", "broken": "a broken link; a folder is needed", "folder": "exist and differ"}[
        place.split("/")[0]
    ] in told
    assert not (tmp_path / "folder" / "solutions.md").exists()


def test_a_folder_without_permission_and_an_impossible_name_get_clear_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(writing.os, "access", lambda path, mode: False)
    assert main(["material", str(tmp_path / "new")]) == 1
    assert capsys.readouterr().err == f"{tmp_path} cannot be written to: choose another folder\n"
    monkeypatch.undo()
    assert main(["material", str(tmp_path / ("x" * 300))]) == 1
    assert "Errno" not in (told := capsys.readouterr().err)
    assert told.strip().endswith("File name too long")
