"""The commands that the README gives are the ones that work, and the files it points to exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line.strip() for block in re.findall(r"```(?:bash|console|sh)\n(.*?)```", README, flags=re.S) for line in block.splitlines()]


def test_the_two_commands_are_there() -> None:
    assert "pip install -r requirements.txt && jupyter lab notebooks" in COMMANDS
    assert "pip install -r requirements.txt && pytest" in COMMANDS


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


def test_the_refresh_command_exists() -> None:
    assert "python -m vaecourse refresh" in COMMANDS
    run = subprocess.run([sys.executable, "-m", "vaecourse", "refresh", "--help"], capture_output=True, text=True, check=True)
    assert "reference" in run.stdout


def test_files_and_folders_that_the_readme_links_exist() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README) + re.findall(r'src="([^":]+)"', README)
    assert targets
    assert all((ROOT / target).exists() for target in targets), targets


def test_environment_variables_of_the_readme_are_those_of_the_code() -> None:
    named = set(re.findall(r"VAECOURSE_[A-Z_]+", README))
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "vaecourse").glob("*.py"))
    assert named == set(re.findall(r"VAECOURSE_[A-Z_]+", code))
