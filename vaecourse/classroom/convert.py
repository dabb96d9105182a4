"""From a notebook of the course to a source notebook of nbgrader."""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
import re
import textwrap
from types import ModuleType
from typing import Any

from vaecourse.exercises import exercise, names

__all__ = ["exercises_in", "solution_of", "source_notebook"]

CHECK = re.compile(r'^check\("(\w+)", \1\)\s*\Z', flags=re.M)
STATEMENT = re.compile(r"^### Exercise · `(\w+)`", flags=re.M)
HIDE = 'import os\n\nos.environ["VAECOURSE_HIDE_SOLUTIONS"] = "1"\n\n'
LINK = re.compile(r"\[([^\]\n]+)\]\((?!\w+:)[^)\s]*\.ipynb[^)\s]*\)")  # to another notebook of the course
FOLD = re.compile(r"<details>\s*<summary>(?:Solution|Answer|What a good answer contains)</summary>.*?</details>\n*", flags=re.S)
INSTALL = "or install it here:\\n\"\n        \"run '%pip install -e ..' in a cell, then restart the kernel."
ASK = 'or ask your teacher\\n"\n        "where it is installed.'
SKIP = "skip-execution"  # a tag that makes the grading kernel pass over a cell


def exercises_in(notebook: Any) -> list[str]:
    """The names of the exercises whose cells a notebook has, in their order."""
    found = [CHECK.search(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    return [match[1] for match in found if match and match[1] in names()]


def source_notebook(notebook: Any, points: float, partial: float, hide_solutions: bool = False) -> Any:
    """A copy for nbgrader: every exercise becomes an answer with its solution and a test cell that gives the points.

    The first code cell (the imports) and the statements are locked. Other code cells are skipped while nbgrader grades: an answer may
    use what the first cell imports and nothing else of the notebook. Outputs are dropped, and so are links to other notebooks, which
    students do not have beside this one. With hide_solutions the first cell hides the solutions, and the folded solutions of exercises
    on paper are left out.
    """
    made, first = copy.copy(notebook), True
    made.cells = []
    made.metadata = {key: value for key, value in notebook.metadata.items() if key != "widgets"}
    for cell in copy.deepcopy(notebook.cells):
        if cell.cell_type != "code":
            _mark(cell, f"statement-{m[1]}", locked=True) if (m := STATEMENT.search(cell.source)) and m[1] in names() else None
            cell.source = LINK.sub(r"\1", FOLD.sub("", cell.source) if hide_solutions else cell.source)
            made.cells.append(cell)
            continue
        cell.outputs, cell.execution_count = [], None
        match = CHECK.search(cell.source)
        if match and match[1] in names():
            made.cells += _graded(cell, match[1], points, partial)
        else:
            if first:
                cell.source = (HIDE if hide_solutions else "") + cell.source.replace(INSTALL, ASK)
                _mark(cell, "imports", locked=True)
            else:
                cell.metadata["tags"] = [*cell.metadata.get("tags", []), SKIP]
            made.cells.append(cell)
        first = False
    return made


def solution_of(name: str) -> str:
    """The source of a right answer that runs in a notebook of its own: the reference, with the imports that it needs."""
    reference = exercise(name).reference
    tree = ast.parse(textwrap.dedent(inspect.getsource(reference)))
    function = tree.body[0]
    function.name, function.decorator_list, function.returns = name, [], None
    for argument in (*function.args.args, *function.args.kwonlyargs):
        argument.annotation = None
    if ast.get_docstring(function):
        function.body = function.body[1:]
    used = sorted({n.id for n in ast.walk(function) if isinstance(n, ast.Name)} - set(dir(builtins)))
    imports = [_import(n, reference.__globals__[n]) for n in used if n in reference.__globals__]
    function.body = [*ast.parse("\n".join(imports)).body, *function.body]
    return ast.unparse(ast.fix_missing_locations(tree))


def _import(name: str, value: Any) -> str:
    if isinstance(value, ModuleType):
        return f"import {value.__name__}" + (f" as {name}" if name != value.__name__ else "")
    if callable(value):
        return f"from {value.__module__} import {value.__name__}" + (f" as {name}" if name != value.__name__ else "")
    return f"{name} = {value!r}"


def _graded(cell: Any, name: str, points: float, partial: float) -> list[Any]:
    """The cell of an exercise in two: the answer, and the test that gives the points."""
    answer, test = cell, copy.deepcopy(cell)
    stub = CHECK.sub("", cell.source).rstrip()
    definition, _, body = solution_of(name).partition("\n")
    head = stub[: stub.rindex("...")].rstrip() if stub.endswith("...") else definition
    answer.source = f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
    _mark(answer, name, solution=True)
    test.id = f"{cell.id[:50]}-test"
    test.source = (
        "import os\n\nfrom vaecourse.exercises import check, exercise\n\n"
        f'report = check("{name}", globals().get("{name}", ...), strict=False)\n'
        f'if "NBGRADER_EXECUTION" in os.environ:\n    {name} = exercise("{name}").reference  # so that a mistake is not counted twice\n'
        f"report.score({points:g}, partial={partial:g})"
    )
    _mark(test, f"test-{name}", locked=True, grade=True, points=points)
    return [answer, test]


def _mark(cell: Any, grade_id: str, *, locked: bool = False, solution: bool = False, grade: bool = False, points: float = 0) -> None:
    told = {"grade_id": grade_id, "locked": locked, "solution": solution, "grade": grade, "task": False, "schema_version": 3}
    cell.metadata["nbgrader"] = told | ({"points": points} if grade else {})
