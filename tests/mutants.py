"""Random small changes to a function's source: a sign, a term, an operation, an axis, a number, an argument."""

from __future__ import annotations

import ast
import copy
import inspect
import random
import textwrap
import warnings
from collections.abc import Callable, Iterator

OPERATORS = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.MatMult: [],
}
CALLS = [
    {"sum", "mean", "amax", "logsumexp", "amin", "prod"},
    {"exp", "log", "square", "sqrt", "abs", "neg", "sigmoid", "softplus"},
    {"softmax", "log_softmax"},
    {"sample", "rsample"},
    {"randn", "rand"},
    {"backward", "detach"},
]


def _changes(node: ast.AST, names: list[str]) -> Iterator[ast.AST | None]:
    """What may stand in the place of this expression."""
    if isinstance(node, ast.BinOp):
        for operator in OPERATORS.get(type(node.op), []):
            yield ast.BinOp(node.left, operator(), node.right)
        yield node.left
        yield node.right
        yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        for value in (node.value + 1, node.value - 1, -node.value, 2 * node.value, 0.5 * node.value):
            yield ast.Constant(value)
    elif isinstance(node, ast.Call):
        called = node.func
        if isinstance(called, ast.Attribute):
            for group in CALLS:
                for other in sorted(group - {called.attr}) if called.attr in group else ():
                    yield ast.Call(ast.Attribute(called.value, other, ast.Load()), node.args, node.keywords)
            if not (isinstance(called.value, ast.Name) and called.value.id in ("torch", "math", "F")):
                yield called.value  # the operation is left out
        if node.args:
            yield node.args[0]
            yield ast.Call(called, node.args[1:], node.keywords)
            yield ast.Call(called, node.args[::-1], node.keywords)
        for i in range(len(node.keywords)):
            yield ast.Call(called, node.args, node.keywords[:i] + node.keywords[i + 1 :])
        yield ast.UnaryOp(ast.USub(), node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        for other in names:
            if other != node.id:
                yield ast.Name(other, ast.Load())
        yield ast.UnaryOp(ast.USub(), node)
        yield ast.BinOp(ast.Constant(2), ast.Mult(), node)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node.value


def _mutate(tree: ast.FunctionDef, names: list[str], chance: random.Random) -> None:
    """One random change to the body, in place."""
    body = [node for statement in tree.body for node in ast.walk(statement)]
    for _ in range(100):
        node = chance.choice(body)
        options = list(_changes(node, names))
        if options:
            new = chance.choice(options)
            break
    else:
        return
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, field, copy.deepcopy(new))
                return
            if isinstance(value, list) and any(v is node for v in value):
                setattr(parent, field, [copy.deepcopy(new) if v is node else v for v in value])
                return


def mutants(function: Callable, count: int, seed: int = 0) -> Iterator[tuple[str, Callable]]:
    """Up to `count` different changes of a function, of one or two places each, with their source."""
    source = textwrap.dedent(inspect.getsource(function))
    original = ast.parse(source).body[0]
    original.decorator_list, original.returns = [], None
    for argument in (*original.args.args, *original.args.kwonlyargs):
        argument.annotation = None
    if isinstance(original.body[0], ast.Expr) and isinstance(original.body[0].value, ast.Constant):
        original.body = original.body[1:]
    names = [a.arg for a in original.args.args]
    chance, seen = random.Random(seed), {ast.unparse(original)}
    for _ in range(20 * count):
        tree = copy.deepcopy(original)
        for _ in range(chance.choice([1, 1, 2, 3])):
            _mutate(tree, names, chance)
        code = ast.unparse(ast.fix_missing_locations(tree))
        if code in seen:
            continue
        seen.add(code)
        space = dict(function.__globals__)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                exec(compile(code, "<mutant>", "exec"), space)
        except SyntaxError:  # such as a number with an index
            continue
        yield code, space[function.__name__]
        if len(seen) > count:
            return
