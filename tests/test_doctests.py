"""The examples in the docstrings run and give what they say; every module lists what it offers, and what it offers is documented."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch

from vaecourse.exercises import CHAPTERS

ROOT = Path(__file__).parent.parent / "vaecourse"
TAUGHT = (
    *(
        "annealing",
        "arguments",
        "audit",
        "baselines",
        "data",
        "diagnostics",
        "distributions",
        "estimators",
        "files",
        "gradients",
        "logspace",
        "models",
    ),
    *("oracles", "players", "plots", "scoreboard", "strokes", "tables", "tabular", "training", "variants", "verify"),
)
# They train for minutes, write a file that ships with the course, or need a network.
WITHOUT_EXAMPLE = {
    "vaecourse.data.fetch",
    "vaecourse.data.replace_lines",
    "vaecourse.data.save_strokes",
    "vaecourse.scoreboard.store",
    "vaecourse.training.make_decoder",
    "vaecourse.training.make_vaes",
    "vaecourse.variants.make_variants",
    # What these hold is shown in the examples of the functions that return them.
    "vaecourse.annealing.Annealing",
    "vaecourse.annealing.Sandwich",
    "vaecourse.audit.Audit",
    "vaecourse.audit.Finding",
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# The exercises of a notebook hold data, and the figures of a notebook are the business of that notebook.
MODULES = [
    name_of(path)
    for path in sorted(ROOT.rglob("*.py"))
    if path.stem not in CHAPTERS and not (path.parent.name == "plots" and path.stem != "__init__")
]


def defined(module: str) -> list[ast.FunctionDef | ast.ClassDef]:
    """The functions and classes that a module defines itself, under names without an underscore."""
    tree = ast.parse(Path(importlib.import_module(module).__file__).read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")]


def has_example(node: ast.FunctionDef | ast.ClassDef) -> bool:
    examples = doctest.DocTestParser().get_examples(ast.get_docstring(node) or "")
    return any(not example.options.get(doctest.SKIP) for example in examples)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECOURSE_PROGRESS", str(tmp_path / "progress.json"))
    for name in ("VAECOURSE_DATA_DIR", "VAECOURSE_DIGITS", "VAECOURSE_RECORD"):
        monkeypatch.delenv(name, raising=False)
    matplotlib.use("agg")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        failed, _ = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    plt.close("all")
    assert failed == 0


@pytest.mark.parametrize("module", [f"vaecourse.{name}" for name in TAUGHT])
def test_what_the_course_teaches_with_has_an_example(module: str) -> None:
    without = {f"{module}.{node.name}" for node in defined(module) if not has_example(node)}
    assert without == {name for name in WITHOUT_EXAMPLE if name.startswith(f"{module}.")}


@pytest.mark.parametrize("module", MODULES)
def test_all_names_what_the_module_defines(module: str) -> None:
    """`__all__` holds every function and class that the module defines under a name without an underscore.

    What else it holds exists, and is a constant or, in a package, imported from one of its modules.
    """
    loaded, names = importlib.import_module(module), [node.name for node in defined(module)]
    listed = getattr(loaded, "__all__", [])
    assert [name for name in listed if not hasattr(loaded, name)] == [], f"{module}.__all__ names what does not exist"
    assert [name for name in names if name not in listed] == [], f"{module}.__all__ leaves out what the module defines"
    assert sorted(set(listed)) == sorted(listed), f"{module}.__all__ names something twice"
    if not loaded.__file__.endswith("__init__.py"):
        others = [name for name in listed if name not in names and inspect.isroutine(getattr(loaded, name))]
        assert others == [], f"{module}.__all__ names what another module defines"


@pytest.mark.parametrize("module", MODULES)
def test_functions_classes_and_methods_have_docstrings(module: str) -> None:
    nodes = {node.name: node for node in defined(module)}
    for node in defined(module):
        methods = [m for m in node.body if isinstance(m, ast.FunctionDef) and not m.name.startswith("_")] if hasattr(node, "bases") else []
        nodes |= {f"{node.name}.{method.name}": method for method in methods}
    assert [name for name, node in nodes.items() if not ast.get_docstring(node)] == []
