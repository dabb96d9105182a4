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
    *("arguments", "baselines", "data", "diagnostics", "distributions", "estimators", "files", "gradients", "logspace", "models"),
    *("oracles", "players", "plots", "scoreboard", "strokes", "tables", "tabular", "training", "variants", "verify"),
)
# They train for minutes, write a file that ships with the course, or need a network.
WITHOUT_EXAMPLE = {
    "vaecourse.data.fetch",
    "vaecourse.data.replace_lines",
    "vaecourse.data.save_strokes",
    "vaecourse.scoreboard.store",
    "vaecourse.training.make_decoder",
    "vaecourse.variants.make_variants",
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


def public(module: str) -> dict[str, object]:
    """The functions and classes that a module defines itself, under names without an underscore."""
    loaded = importlib.import_module(module)
    tree = ast.parse(Path(loaded.__file__).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name: getattr(loaded, node.name) for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")}


def has_example(thing: object) -> bool:
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(thing) or "")
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
    missing = {f"{module}.{name}" for name, thing in public(module).items() if not has_example(thing)}
    assert missing == WITHOUT_EXAMPLE & {f"{module}.{name}" for name in public(module)}


@pytest.mark.parametrize("module", MODULES)
def test_all_names_what_the_module_defines(module: str) -> None:
    """`__all__` holds every function and class that the module defines under a name without an underscore.

    What else it holds exists: constants and, in a package, what is imported from its modules.
    """
    loaded = importlib.import_module(module)
    listed = list(getattr(loaded, "__all__", []))
    assert len(listed) == len(set(listed)), f"a name is listed twice in {module}.__all__"
    assert [name for name in listed if not hasattr(loaded, name)] == [], f"{module}.__all__ names what does not exist"
    assert [name for name in public(module) if name not in listed] == [], f"{module}.__all__ leaves out what the module defines"
    if Path(loaded.__file__).stem != "__init__":
        imported = [name for name in listed if isinstance(getattr(loaded, name), type) and getattr(loaded, name).__module__ != module] + [
            name for name in listed if inspect.isfunction(getattr(loaded, name)) and getattr(loaded, name).__module__ != module
        ]
        assert imported == [], f"{module}.__all__ names what another module defines"


@pytest.mark.parametrize("module", MODULES)
def test_what_is_public_has_a_docstring(module: str) -> None:
    """Functions, classes, and the methods and properties that a class defines itself."""
    things = {name: thing for name, thing in public(module).items()}
    for name, thing in public(module).items():
        if inspect.isclass(thing):
            members = {f"{name}.{key}": value for key, value in vars(thing).items() if not key.startswith("_")}
            things |= {key: v for key, v in members.items() if inspect.isroutine(v) or isinstance(v, (property, staticmethod, classmethod))}
    assert [name for name, thing in things.items() if not (getattr(thing, "__doc__", None) or "").strip()] == []
