"""What an exception in an answer means: which shapes met in which line, and what to try."""

from __future__ import annotations

import ast
import builtins
import difflib
import inspect
import re
import textwrap
from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaecourse.exercises import guard

__all__ = ["explain", "letters"]

ADVICE = (  # a part of the message of an exception, and what it means
    (
        r"'NoneType' object (has no attribute|is not)|unsupported operand.*'NoneType'",
        "A value in this line is None. backward(), step() and zero_grad() return nothing, nor does a function without a return: "
        "call such a method on a line of its own, and keep what you need before it.",
    ),
    (r"must be Tensor, not (float|int)", "torch functions take tensors; for a plain number use math.log, math.exp or math.sqrt."),
    (
        r"only one element tensors|cannot be converted to Scalar|size-1 arrays|only 0-dimensional arrays",
        "float, int, .item() and the functions of math take a single number, but this tensor has several. "
        "torch.log, torch.exp and the like work entry by entry.",
    ),
    (
        r"Boolean value of Tensor with more than one|truth value of an array",
        "if, and, or need a single truth value, but this tensor holds several: torch.where chooses entry by entry.",
    ),
    (
        r"same dtype|expected scalar type|Double but found Float|Float but found Double|same data type",
        "The inputs of this check are in double precision, but they were combined with a tensor in single precision. "
        "Make new tensors like the inputs: torch.zeros_like(x), or dtype=x.dtype.",
    ),
    (r"'(float|int)' object has no attribute 'backward'", "backward() belongs to the loss as a tensor: call .item() after it, not before."),
    (r"object has no attribute 'backward'", "backward() is a method of the loss: loss.backward()."),
    (
        r"does not require grad",
        "What backward() was called on has lost its gradient: .item(), .detach(), float() or no_grad() came before it.",
    ),
    (r"backward through the graph a second time", "backward() was called twice on one loss: compute the loss again for each call."),
    (
        r"object is not callable",
        "Round brackets follow something that is no function: is a * missing before them, or are square brackets meant?",
    ),
    (
        r"Expected parameter (scale|covariance)|Expected parameter \w+ .*(GreaterThan|Positive)",
        "A scale must be positive. Is it a logarithm? Then exponentiate it first.",
    ),
    (
        r"Expected parameter probs|p_in >= 0|prob.*between 0 and 1|all elements of input should be between 0 and 1",
        "A probability lies between 0 and 1. Are these logits?",
    ),
    (r"Dimension out of range|too many indices", "The tensor has fewer axes than this line asks for."),
    (r"shapes cannot be multiplied", "A matrix product needs as many columns on the left as there are rows on the right."),
    (
        r"return_types\.(max|min)",
        "max and min along an axis return two things, the values and their positions: take .values, or use amax and amin.",
    ),
    (r"'int' object is not iterable", "A shape is a tuple even if it has a single axis: (n,), with a comma."),
    (r"without replacement", "A component may be drawn many times: replacement=True."),
    (r"missing .* arguments?: .?dim", "Say along which axis, with dim=…"),
    (
        r"'numpy.ndarray' and 'Tensor'|'Tensor' and 'numpy.ndarray'",
        "NumPy arrays and torch tensors cannot be combined here: torch.as_tensor turns an array into a tensor.",
    ),
    (
        r"where expected condition|tensors used as indices must be",
        "Zeros and ones are numbers here: x == 1 is a condition, and x.long() holds whole numbers that may index.",
    ),
    (r"out of bounds", "This line asks for an entry beyond the end of an axis."),
    (r"modified by an inplace operation", "A tensor that the gradient needs is changed in place (+=, or a method that ends in _)."),
)
MODULES = {"math": "import math", "np": "import numpy as np", "torch": "import torch", "F": "import torch.nn.functional as F"}
UNFIT = r"must match the size|must match the existing size|could not be broadcast|not broadcastable|shapes cannot be multiplied|not compatible|Expected size for|mismatch in its core dimension|size mismatch|inconsistent tensor size|must be broadcastable"


def explain(error: Exception, answer: Any, sizes: dict[int, str]) -> str:
    """An exception in one to three sentences, with the learner's line.

    Args:
        sizes: the letters of the exercise for the sizes of its axes, for instance {3: "B", 7: "D"}.
    """
    at = guard.where(error, answer)
    frame, number = guard.learner_frame(error, answer)
    message = (str(error).strip().splitlines() or ["no message"])[0].rstrip(".:")
    if frame is not None and re.search(UNFIT, str(error)):
        clash = next(_clashes(frame, number), None)
        says = _in_letters(*clash, sizes) if clash else _in_log_prob(str(error), sizes)
        if says:
            return f"Two shapes do not fit together{at}. {says}"
    advice = " ".join(part for part in (_advice(error, frame, sizes), _missing(error, frame), _arguments(error, answer, frame)) if part)
    return f"It stopped with {type(error).__name__}: {message}{at}.{' ' if advice else ''}{advice}"


def _advice(error: Exception, frame: FrameType | None, sizes: dict[int, str]) -> str:
    says = next((advice for pattern, advice in ADVICE if re.search(pattern, str(error))), "")
    about_shapes = re.search(UNFIT + r"|Dimension out of range|out of bounds|too many indices|stack expects|must match except", str(error))
    if not about_shapes or frame is None:
        return says
    shapes = [f"`{name}` has shape {_shape(v.shape, sizes)}" for name, v in frame.f_locals.items() if isinstance(v, (Tensor, np.ndarray))]
    return f"{says} In this function {', '.join(shapes)}.".strip() if shapes else says


def _missing(error: Exception, frame: FrameType | None) -> str:
    """A name or an attribute that is not there: what is near to it."""
    name = getattr(error, "name", None)
    if isinstance(error, NameError) and name in MODULES:
        return f"Write `{MODULES[name]}` in a line above."
    if isinstance(error, NameError) and frame is not None:
        there = {*frame.f_locals, *frame.f_globals, *dir(builtins)}
    elif isinstance(error, AttributeError) and getattr(error, "obj", None) is not None:
        there = set(dir(error.obj))
    else:
        return ""
    if getattr(error, "obj", None) is torch and hasattr(torch.nn.functional, str(name)):
        return f"It is in torch.nn.functional: `torch.nn.functional.{name}`."
    near = difflib.get_close_matches(str(name), sorted(n for n in there if not n.startswith("_")), n=1, cutoff=0.75)
    return f"Did you mean {near[0]}?" if near else ""


def _arguments(error: Exception, answer: Any, frame: FrameType | None) -> str:
    """Where the answer does not take the arguments that it is called with."""
    if frame is not None or not isinstance(error, TypeError) or "argument" not in str(error):
        return ""
    return "The function itself cannot be called like this: leave its first line, with all its arguments, as it was given."


# ---------------------------------------------------------------------------------------------------------------------
# Shapes that do not fit


BROADCAST = {"where", "maximum", "minimum", "logaddexp", "add", "sub", "mul", "div", "pow", "xlogy", "xlog1py", "expand_as", "matmul", "mm"}
Operand = tuple[str, tuple[int, ...]]


def _clashes(frame: FrameType, number: int) -> Iterator[tuple[Operand, Operand, bool]]:
    """Pairs of operands in a line that do not fit together: source and shape of each, and whether it is a matrix product.

    The operands are computed once more, from the variables as the exception has left them.
    """
    try:
        source = textwrap.dedent(inspect.getsource(frame.f_code))
        tree = ast.parse(source)
    except Exception:  # no source, or none that stands by itself
        return
    line, names = number - frame.f_code.co_firstlineno + 1, frame.f_globals | frame.f_locals
    for node in reversed(list(ast.walk(tree))):  # what is computed first stands deepest in the tree
        if getattr(node, "lineno", line + 1) <= line <= getattr(node, "end_lineno", 0):
            operands = [o for o in (_operand(part, source, names) for part in _parts(node)) if o is not None]
            product = isinstance(getattr(node, "op", None), ast.MatMult) or _called(node) in ("matmul", "mm")
            if len(operands) >= 2 and not _fit(operands[0][1], operands[1][1], product):
                yield operands[0], operands[1], product


def _in_log_prob(message: str, sizes: dict[int, str]) -> str:
    """The same for log_prob, whose message holds the shapes of the value and of the distribution."""
    found = re.search(r"torch\.Size\(\[([\d, ]*)\]\) vs torch\.Size\(\[([\d, ]*)\]\)", message)
    if found is None:
        return ""
    value, own = (tuple(int(size) for size in re.findall(r"\d+", text)) for text in found.groups())
    says = f"log_prob was given a value of shape {_shape(value, sizes)}, and its distribution has shape {_shape(own, sizes)}."
    new = (*value[:1], 1, *value[1:])
    together = _together(new, own)
    return says + (
        f" The value with [:, None] has shape {_shape(new, sizes)}, and would give {_shape(together, sizes)}." if together else ""
    )


def _called(node: ast.AST) -> str:
    return node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""


def _parts(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.AugAssign):
        return [node.target, node.value]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if _called(node) in BROADCAST:
        return [*([node.func.value] if isinstance(node.func, ast.Attribute) else []), *node.args]
    return []


def _operand(node: ast.expr, source: str, names: dict[str, Any]) -> Operand | None:
    try:
        text = ast.get_source_segment(source, node) or ast.unparse(node)
        value = eval(compile(f"({text})", "<operand>", "eval"), dict(names))
    except Exception:  # not ours to explain
        return None
    return (text, tuple(value.shape)) if isinstance(value, (Tensor, np.ndarray)) else None


def _fit(a: tuple[int, ...], b: tuple[int, ...], product: bool) -> bool:
    return _together(a, b, product) is not None


def _together(a: tuple[int, ...], b: tuple[int, ...], product: bool = False) -> tuple[int, ...] | None:
    try:
        if product:
            return tuple((torch.empty(a, device="meta") @ torch.empty(b, device="meta")).shape)
        return tuple(np.broadcast_shapes(a, b))
    except (ValueError, RuntimeError):
        return None


def _in_letters(one: Operand, other: Operand, product: bool, sizes: dict[int, str]) -> str:
    """Both operands with their shapes, and what would fit."""
    says = " and ".join(f"`{_short(text)}` has shape {_shape(shape, sizes)}" for text, shape in (one, other)) + ". "
    if product:
        turned = other[1][::-1]
        fits = len(turned) == 2 and _together(one[1], turned, True)
        return says + (
            f"`{_indexed(other[0], '.T')}` has shape {_shape(turned, sizes)}, and would fit."
            if fits
            else "A matrix product needs as many columns on the left as rows on the right."
        )
    for text, shape, against in sorted([(*other, one[1]), (*one, other[1])], key=lambda o: (len(o[1]), sizes.get(o[1][0]) == "B")):
        for place in range(len(shape), 0, -1):
            new = (*shape[:place], 1, *shape[place:])
            together = _together(new, against)
            if together is not None and len(together) <= 3:
                index = f"[{':, ' * place}None]"
                keep = " (or with keepdim=True)" if re.search(r"\.(amax|amin|sum|mean|logsumexp|max|std|var)\(", text) else ""
                return (
                    f"{says}Shapes are compared from the right. `{_indexed(text, index)}`{keep} has shape {_shape(new, sizes)}, "
                    f"and would give {_shape(together, sizes)}.{'' if keep else _or_summed(one, other, sizes)}"
                )
    return f"{says}Shapes are compared from the right: two sizes fit where they are equal or one of them is 1."


def _or_summed(one: Operand, other: Operand, sizes: dict[int, str]) -> str:
    """The other way out: the operand with an axis more has not been summed over its last axis."""
    small, large = sorted((one, other), key=lambda operand: len(operand[1]))
    if len(small[1]) == len(large[1]) or _together(small[1], large[1][:-1]) is None:
        return ""
    axis = sizes.get(large[1][-1], large[1][-1])
    return f" Or is `{_short(large[0])}` still to be summed over its last axis, of size {axis}?"


def _indexed(text: str, index: str) -> str:
    return f"{_short(text)}{index}" if re.fullmatch(r"[\w.]+(\([^()]*\))?", text) else f"({_short(text)}){index}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 50 else f"{text[:47]}…"


def _shape(shape: tuple[int, ...], sizes: dict[int, str]) -> str:
    """A shape in numbers, and in letters where the exercise has letters for all of its sizes."""
    letters = [sizes.get(size, "1" if size == 1 else "") for size in shape]
    inside = ", ".join(letters) + ("," if len(letters) == 1 else "")
    return f"{tuple(shape)}" + (f" = ({inside})" if letters and all(letters) and any(x != "1" for x in letters) else "")


def letters(stub: str, arguments: dict[str, Any]) -> dict[int, str]:
    """From the sizes of the arguments to the letters that a stub's docstring has for them; a size with two letters is left out."""
    found: dict[int, set[str]] = {}
    docstring = stub.split('"""')[1] if '"""' in stub else ""
    for names, axes in re.findall(r"((?:\w+(?:, | and ))*\w+) \(([A-Z](?:, [A-Z])*),?\)", docstring):
        for name in re.findall(r"\w+", names):
            value = arguments.get(name)
            if isinstance(value, (Tensor, np.ndarray)) and value.ndim == len(axes.split(", ")):
                for size, letter in zip(value.shape, axes.split(", ")):
                    found.setdefault(int(size), set()).add(letter)
    numbers = {"latent_dim": "K", "n_dims": "D", "n": "n", "n_samples": "S" if "(S," in docstring else "N"}
    for name, letter in numbers.items():
        if isinstance(arguments.get(name), int):
            found.setdefault(arguments[name], set()).add(letter)
    return {size: next(iter(some)) for size, some in found.items() if len(some) == 1 and size != 1}
