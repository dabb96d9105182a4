"""The commands that the README gives are the ones that work, its numbers are true, and the files it points to exist.

`python tests/test_readme.py` writes its table of contents anew, from the title pages of the notebooks.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from vaecourse import data, doctor, exercises, tables, widgets
from vaecourse.regression import STATUS, compare

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TIMES = re.compile(r"^\*About (\d+) minutes to read, (?:(\d+) for the exercises, )?(\d+) (second|minute)s to run\.\*", flags=re.M)
CONTENTS = re.compile(r"(<!-- contents: .*? -->\n).*?\n(?=\n)", flags=re.S)
COMMANDS = [line.strip() for block in re.findall(r"```(?:bash|console|sh)\n(.*?)```", README, flags=re.S) for line in block.splitlines()]


def test_the_two_commands_are_there() -> None:
    assert "pip install -r requirements.txt && jupyter lab notebooks" in COMMANDS
    assert "pip install -r requirements.txt && pytest" in COMMANDS


def contents() -> str:
    """The table of contents, as the title pages of the notebooks have it."""
    lines = ["| notebook | question | read | exercises | run |", "| --- | --- | --- | --- | --- |"]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        page = nbformat.read(path, as_version=4).cells[0].source
        number, question = re.match(r"# (\S+) · (.+)", page).groups()
        read, exercises, run, unit = TIMES.search(page).groups()
        times = f"{read} min | {f'{exercises} min' if exercises else ''} | {run} {'s' if unit == 'second' else 'min'}"
        lines.append(f"| [{number}](notebooks/{path.name}) | {question} | {times} |")
    return "\n".join(lines) + "\n"


def test_the_table_of_contents_is_that_of_the_notebooks() -> None:
    there = CONTENTS.search(README).group().partition("-->\n")[2]
    assert there == contents(), "run: python tests/test_readme.py"


def test_the_numbers_of_the_readme_are_true() -> None:
    digits = data.load_digits("strokes")
    assert f"({len(digits.train) + len(digits.valid) + len(digits.test):,} digits" in README
    players = tables.load_players()
    assert f"{len(players.train) + len(players.valid) + len(players.test):,} football players" in README
    counts = [len(chapter.EXERCISES) for chapter in exercises.chapters().values()]
    words = ("no", "one", "two", "three", "four", "five")
    assert f"{words[min(counts)]} to {words[max(counts)]} functions to write" in README
    assert f"notebooks {min(exercises.chapters())} to {max(exercises.chapters())} has" in README
    assert all(chapter.QUIZ for chapter in exercises.chapters().values())
    explorers = widgets.explorers.__all__
    assert {11: "Eleven", 12: "Twelve"}[len(explorers)] + " figures move" in README
    questions = re.findall(r"^\d+\. \*", (ROOT / "docs" / "questions.md").read_text(encoding="utf-8"), flags=re.M)
    assert {18: "eighteen"}[len(questions)] + " questions" in README
    assert "Python {}.{} or newer".format(*doctor.PYTHON) in README


@pytest.mark.parametrize("name", ["hint", "solution", "progress"])
def test_what_the_readme_says_to_import_is_there(name: str) -> None:
    assert name in re.search(r"`from vaecourse\.exercises import ([^`]+)`", README).group(1).split(", ")
    assert callable(getattr(exercises, name))


def test_the_build_for_the_cpu_is_that_of_the_pinned_release() -> None:
    pinned = re.search(r"^torch==\S+", (ROOT / "requirements.txt").read_text(encoding="utf-8"), flags=re.M).group()
    index = "https://download.pytorch.org/whl/cpu"
    assert f"pip install {pinned} --index-url {index}" in COMMANDS
    lines = [line.strip("- ") for line in (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()]
    assert lines.index(f"extra-index-url {index}") < lines.index("r requirements.txt")


def test_the_conda_way_uses_the_environment_file_that_installs_the_same() -> None:
    environment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    name = re.search(r"^name: (\S+)", environment, flags=re.M).group(1)
    assert "-r requirements.txt" in environment
    assert "conda env create -f environment.yml" in COMMANDS
    assert f"conda activate {name} && jupyter lab notebooks" in COMMANDS


def test_every_requirement_is_pinned_and_torch_is_the_pinned_release() -> None:
    lines = [s.strip() for s in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()]
    lines = [s for s in lines if s and not s.startswith("#") and s != "-e ."]
    assert all(re.match(r"^[A-Za-z0-9_-]+==[^\s=]+( ; python_version (>=|<) \"3\.11\")?$", s) for s in lines)
    assert "torch==2.13.0" in lines


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "pip install -r requirements.txt && pytest" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").replace("python -m pip", "pip")


@pytest.mark.parametrize("command", ["refresh", "regress", "measure"])
def test_the_maintainers_commands_exist(command: str) -> None:
    assert f"python -m vaecourse {command}" in COMMANDS
    run = subprocess.run([sys.executable, "-m", "vaecourse", command, "--help"], capture_output=True, text=True, check=True)
    assert "notebooks" in run.stdout


def test_the_exit_statuses_of_the_readme_are_those_of_the_code() -> None:
    assert all(f"{status} {kind}" in README for kind, status in STATUS.items())


@pytest.mark.parametrize("source", re.findall(r"`(# tolerance: [^`]+)`", README))
def test_the_tolerances_of_the_readme_are_understood(source: str) -> None:
    assert compare.granted(source) is not None


def test_files_and_folders_that_the_readme_links_exist() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README) + re.findall(r'src="([^":]+)"', README)
    assert targets
    assert all((ROOT / target).exists() for target in targets), targets


def test_environment_variables_of_the_readme_are_those_of_the_code() -> None:
    named = set(re.findall(r"VAECOURSE_[A-Z_]+", README))
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "vaecourse").glob("*.py"))
    internal = {"VAECOURSE_RECORD"}  # between `regress` and the kernels that it starts
    assert named == set(re.findall(r"VAECOURSE_[A-Z_]+", code)) - internal


if __name__ == "__main__":
    (ROOT / "README.md").write_text(CONTENTS.sub(lambda there: there.group(1) + contents(), README), encoding="utf-8", newline="\n")
