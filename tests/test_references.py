"""Whatever the text points at exists: notebooks, sections, equations, files, names of the package."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from vaecourse.exercises import CHAPTERS, names

ROOT = Path(__file__).parent.parent
NOTEBOOKS = {path.stem: nbformat.read(path, as_version=4) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
PROSE = {name: "\n\n".join(c.source for c in nb.cells if c.cell_type == "markdown") for name, nb in NOTEBOOKS.items()}
PAGES = {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8") for p in [*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md")]}
WRITTEN = {name.partition("_")[2] for name in NOTEBOOKS}
SOURCES = {
    str(p.relative_to(ROOT)): p.read_text(encoding="utf-8")
    for p in (ROOT / "vaecourse").rglob("*.py")
    if p.stem not in set(CHAPTERS) - WRITTEN  # the exercises of a notebook that is still to come
}
MODULES = {p.stem for p in (ROOT / "vaecourse").glob("[!_]*") if p.suffix == ".py" or (p / "__init__.py").exists()}
NUMBERS = {name.partition("_")[0] for name in NOTEBOOKS}


def anchors(text: str) -> set[str]:
    """The anchors that Jupyter gives to headings: the heading itself, with hyphens for spaces."""
    return {re.sub(r"\s+", "-", h.strip()) for h in re.findall(r"^#+ (.+)$", text, flags=re.M)}


@pytest.mark.parametrize("name", sorted(PROSE) + sorted(PAGES))
def test_links_lead_to_files_and_sections_that_exist(name: str) -> None:
    text, folder = (PROSE[name], ROOT / "notebooks") if name in PROSE else (PAGES[name], (ROOT / name).parent)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, section = target.partition("#")
        assert not file or (folder / file).exists(), f"{name} links to {target}"
        stem = Path(file).stem if file else name
        if section and stem in PROSE:
            assert unquote(section) in anchors(PROSE[stem]), f"{name} links to {target}, a section that is not there"


@pytest.mark.parametrize("name", sorted(PROSE) + sorted(PAGES) + sorted(SOURCES))
def test_notebooks_referred_to_by_number_exist(name: str) -> None:
    text = {**PROSE, **PAGES, **SOURCES}[name]
    mentioned = re.findall(r"[Nn]otebooks? (\d\d[a-z]?\b)(?: (?:to|and) (\d\d[a-z]?\b))?", text) + [
        (n, "") for n in re.findall(r"\b[Ss]ee (\d\d[a-z]?)\b", text)
    ]
    assert {n for pair in mentioned for n in pair if n} <= NUMBERS, f"{name} mentions a notebook that is not there"


def test_equations_referred_to_exist() -> None:
    numbered = {tag for text in PROSE.values() for tag in re.findall(r"\\tag\{([^}]+)\}", text)}
    for name, text in {**PROSE, **SOURCES}.items():
        pattern = (
            r"\((\d\d?[a-z]?\.\d\d?|[MC]\.\d\d?)\)" if name in PROSE else r"equations? (\d\d?[a-z]?\.\d\d?)(?: and (\d\d?[a-z]?\.\d\d?))?"
        )
        referred = {label for found in re.finditer(pattern, text) for label in found.groups() if label}
        assert referred <= numbered, f"{name} refers to {referred - numbered}"


@pytest.mark.parametrize("name", sorted(PROSE) + sorted(PAGES))
def test_names_of_the_package_that_prose_mentions_exist(name: str) -> None:
    text = {**PROSE, **PAGES}[name]
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    for code in re.findall(r"`([^`\n]+)`", text):
        for dotted in re.findall(rf"(?<![\w./])(?:vaecourse\.)?((?:{'|'.join(sorted(MODULES))})(?:\.[A-Za-z_]\w*)+)", code):
            module, *attributes = dotted.split(".")
            if attributes[0] in ("py", "npz", "safetensors", "csv", "md"):
                continue
            value = importlib.import_module(f"vaecourse.{module}")
            for attribute in attributes:
                assert hasattr(value, attribute), f"{name} mentions {dotted}"
                value = getattr(value, attribute)


def test_docstrings_name_what_exists() -> None:
    for name, text in SOURCES.items():
        for module, attribute in re.findall(r"vaecourse\.(\w+)\.([A-Za-z_]\w*)", text):
            assert module in MODULES, f"{name} names vaecourse.{module}"
            where = importlib.import_module(f"vaecourse.{module}")
            part = hasattr(where, "__path__") and importlib.util.find_spec(f"{where.__name__}.{attribute}")
            assert part or hasattr(where, attribute), f"{name} names vaecourse.{module}.{attribute}"


def test_the_index_of_questions_answers_all_eighteen() -> None:
    index = PAGES["docs/questions.md"]
    assert [int(n) for n in re.findall(r"^(\d+)\. ", index, flags=re.M)] == list(range(1, 19))
    for entry in re.split(r"^\d+\. ", index, flags=re.M)[1:]:
        assert re.search(r"\]\(\.\./notebooks/[\w.]+#", entry), f"no link to a section: {entry[:60]}"


def test_the_sections_in_which_sentences_are_decided_exist() -> None:
    headings = {name.partition("_")[0]: set(re.findall(r"^#+ (.+)$", text, flags=re.M)) for name, text in PROSE.items()}
    rows = [line.split(" | ")[-1].rstrip(" |") for line in PAGES["docs/questions.md"].splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 20
    for row in rows:
        for number, rest in re.findall(r"(\d\d[a-z]?), (.+?)(?= and \d\d[a-z]?,|$)", row):
            assert any(rest == h or rest.startswith(f"{h} and ") for h in headings[number]), f"notebook {number} has no section {rest!r}"


@pytest.mark.parametrize("name", sorted(NOTEBOOKS) + sorted(PAGES))
def test_exercises_that_the_text_mentions_exist(name: str) -> None:
    text = "\n".join(c.source for c in NOTEBOOKS[name].cells) if name in NOTEBOOKS else PAGES[name]
    mentioned = re.findall(r"""\b(?:check|hint|solution)\(["'](\w+)["']""", text) + re.findall(r"### Exercise · `(\w+)`", text)
    assert set(mentioned) <= set(names())
