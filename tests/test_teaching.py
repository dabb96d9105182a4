"""What docs/teaching.md says of the notebooks and of the commands is true."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from vaecourse.__main__ import main

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
TIMES = re.compile(r"^\*About (\d+) minutes to read, (?:(\d+) for the exercises, )?", flags=re.M)


def minutes() -> dict[str, tuple[int, int]]:
    pages = {path.stem[:2]: nbformat.read(path, as_version=4).cells[0].source for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")}
    return {number: tuple(int(n or 0) for n in TIMES.search(page).groups()) for number, page in pages.items()}


def test_the_plan_of_sessions_adds_up_the_minutes_of_the_title_pages() -> None:
    known, taught = minutes(), []
    for row in re.findall(r"^\| \d \| (\d\d.+) \|$", TEXT, flags=re.M):
        numbers, reading, exercises, *_ = (cell.strip() for cell in row.split(" | "))
        listed = numbers.split(", ")
        taught += listed
        assert (int(reading), int(exercises)) == tuple(sum(known[n][i] for n in listed) for i in (0, 1)), row
    assert taught == [f"{i:02d}" for i in range(10)]


def test_the_sections_to_go_through_are_headings_of_their_notebooks() -> None:
    named = re.findall(r"\*([^*|]+)\* \((\d\d)\)", TEXT)
    assert {number for _, number in named} == {f"{i:02d}" for i in range(10)}
    for heading, number in named:
        (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
        pages = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
        assert re.search(rf"^###? {re.escape(heading)}$", pages, flags=re.M), (number, heading)


def test_no_gap_is_left_in_the_text() -> None:
    assert not re.findall(r"^[A-Z]{6,}$", TEXT, flags=re.M)


@pytest.mark.parametrize("line", sorted(set(re.findall(r"^python -m vaecourse (.+)$", TEXT, flags=re.M))))
def test_every_command_of_the_page_is_understood(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*line.split(), "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(option in told for option in re.findall(r"--[a-z-]+", line))
