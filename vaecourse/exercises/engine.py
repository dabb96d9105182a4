"""What an exercise is, and how an answer to it is judged.

An answer is run on probes and compared with the reference: every right answer passes, whatever its style. If it differs, the wrong
functions that the exercise knows are run on the same probes. If the answer agrees with one of them, and only one, that one names the
mistake; otherwise the report says what differs, and names no cause.
"""

from __future__ import annotations

import dis
import inspect
import math
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaecourse.exercises import errors, guard

__all__ = [
    "Exercise",
    "Mistake",
    "Odd",
    "Probe",
    "Seen",
    "Verdict",
    "alike",
    "as_seen",
    "call",
    "coins",
    "draws",
    "generator",
    "gradient",
    "judge",
    "look",
    "mean_and_error",
    "normal",
    "statistics",
    "unpack",
]

SIGMAS = 5.0
ASIDE = ("The result is right", "The values are right")  # so begins a diagnosis of something other than the values
MANY = 100  # draws of an answer that are looked at one by one
TOLERANCE = {True: 1e-6, False: 2e-3}  # relative and absolute; in single precision -10,000 is known to 1e-3 only
_OTHER_BASE = " That factor is {}: a logarithm has base {} instead of e."
FACTORS = {  # that tell where they come from
    "0.4343": _OTHER_BASE.format("1 / log 10", 10),
    "2.303": _OTHER_BASE.format("log 10", 10),
    "1.443": _OTHER_BASE.format("1 / log 2", 2),
    "0.6931": _OTHER_BASE.format("log 2", 2),
}
LAZY = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
Answer = Callable[..., Any]


class Seen(NamedTuple):
    """One result that a probe compares. `error` is the standard error of each entry, and None if nothing is random.

    With `ceiling`, a right answer may lie below what is expected, because its draws may be chosen so that they scatter less.
    """

    value: Tensor
    double: bool = True
    error: Tensor | None = None
    ceiling: bool = False


class Odd(NamedTuple):
    """In place of a result: the answer raised an error, or returned something that is no result. `says` states this in a sentence."""

    says: str
    kind: str


Sight = Seen | Odd
Look = Callable[[Answer], dict[str, Sight]]


@dataclass(frozen=True)
class Probe:
    """A situation in which an answer is called.

    Attributes:
        what: the situation in words, for instance "logits of 1000 and -1000".
        look: calls the answer and returns what is to be compared, by name.
        optional: a result that an answer does not give (such as a gradient that was not requested) is no mistake.
        aside: it compares something other than the values, such as a gradient.
    """

    what: str
    look: Look
    optional: bool = False
    aside: bool = False


@dataclass(frozen=True)
class Mistake:
    """A wrong function that learners write, and one or two sentences: what was computed, why it differs, what to do.

    `id` names the mistake in a class's statistics, for instance "mean-over-pixels". It stays when the sentences change.
    """

    says: str
    wrong: Answer
    id: str = ""


@dataclass(frozen=True)
class Exercise:
    """A function for the learner to write.

    Attributes:
        name: the name with which `check` is called.
        statement: what to compute, with shapes and units, in Markdown; the notebook contains it word for word.
        stub: the signature with a docstring and `...`, from which the learner starts.
        hints: a nudge, the formula, the first line.
        reference: a right answer, made of the package's own blocks.
        axes: the names of the axes of the result, for messages about its shape.
    """

    name: str
    statement: str
    stub: str
    hints: tuple[str, str, str]
    reference: Answer
    probes: tuple[Probe, ...]
    mistakes: tuple[Mistake, ...]
    axes: str = ""


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check: passed, not attempted, or what is wrong with the answer.

    `mistake` is the id of the known mistake, "aside" where the values are right and something else is not, and otherwise empty.
    """

    passed: bool
    attempted: bool
    diagnosis: str = ""
    printed: str = field(default="", compare=False)
    mistake: str = ""


# ---------------------------------------------------------------------------------------------------------------------
# Probes


def generator(seed: int = 0) -> torch.Generator:
    """Random inputs for a probe, the same at every call and on every machine."""
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers in double precision, the same at every call."""
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def coins(*shape: int, seed: int = 0) -> Tensor:
    """Zeros and ones in double precision, the same at every call."""
    return (torch.rand(*shape, generator=generator(seed), dtype=torch.float64) < 0.5).double()


def call(what: str, arguments: Callable[[], tuple], names: Sequence[str] = ("value",), whole: bool = False) -> Probe:
    """Calls the answer once with fresh arguments and looks at its result, or at each of several results.

    Args:
        arguments: makes the arguments, anew at each call.
        names: what the results are called, if there are several.
        whole: the result is a whole number.
    """

    def look(answer: Answer) -> dict[str, Sight]:
        given, untouched = arguments(), arguments()
        result = answer(*given)
        seen = unpack(result, names, whole)
        touched = [i for i, (a, b) in enumerate(zip(given, untouched)) if isinstance(a, Tensor) and not _same(a, b)]
        if touched:
            seen["inputs"] = Odd(
                f"It changes its argument number {touched[0] + 1} in place. Make a new tensor instead: the caller still needs the old one.",
                "in place",
            )
        return seen

    return Probe(what, look)


def gradient(what: str, arguments: Callable[[], tuple], wrt: dict[int, str], optional: bool = True) -> Probe:
    """Looks at the gradient of the result in some of the arguments, weighted differently in each entry.

    Args:
        wrt: the positions of these arguments, and their names.
        optional: an answer without a gradient (made with NumPy, say) is right too.
    """

    def look(answer: Answer) -> dict[str, Sight]:
        given = [a.detach().clone().requires_grad_(i in wrt) if isinstance(a, Tensor) else a for i, a in enumerate(arguments())]
        try:
            result = answer(*given)
        except RuntimeError as error:
            if "requires grad" not in str(error) and "requires_grad" not in str(error):
                raise
            result = None
        if isinstance(result, Tensor) and result.layout != torch.strided:
            result = result.to_dense()
        if not isinstance(result, Tensor) or not result.requires_grad:
            odd = Odd(
                "No gradient flows through the result, so training would change nothing. Use torch operations only, without .detach(), .item() or float().",
                "no gradient",
            )
            return {} if optional else {"gradient": odd}
        weights = 1 + torch.arange(result.numel(), dtype=result.dtype, device=result.device).reshape(result.shape)
        try:
            grads = torch.autograd.grad((result * weights).sum(), [given[i] for i in wrt], allow_unused=True)
        except RuntimeError as error:  # the answer overwrote what the gradient is computed from: as if there were none
            if "inplace operation" not in str(error):
                raise
            odd = Odd(
                "No gradient can be computed: a tensor that it needs is changed in place on the way (+=, or a method that ends in _). Make a new tensor instead.",
                "no gradient",
            )
            return {} if optional else {"gradient": odd}
        double = result.dtype == torch.float64
        slopes = [torch.zeros_like(given[i]) if g is None else g for i, g in zip(wrt, grads)]
        return {f"gradient in {wrt[i]}": Seen(g.double(), double) for i, g in zip(wrt, slopes)}

    return Probe(what, look, optional, aside=True)


def statistics(what: str, arguments: Callable[[], tuple], measure: Callable[[Any], dict[str, Sight]], repeats: int = 1) -> Probe:
    """Calls a random answer, several times, and measures the list of its results.

    Args:
        measure: from the list of results to what is compared: Seen with a standard error, or without where it is exact.
    """

    def look(answer: Answer) -> dict[str, Sight]:
        torch.manual_seed(0)
        np.random.seed(0)
        return measure([answer(*arguments()) for _ in range(repeats)])

    return Probe(what, look)


def draws(n: int, images: int, marked: Callable[[int], tuple[tuple, Any]], answer: Answer) -> tuple[dict[str, Sight], Tensor | None]:
    """Whether the random estimate of each image depends on n different draws, whatever they are and however they were made.

    The answer is called once as it is, and once for each draw that it has made, with the outcome of that draw changed. A draw whose
    change leaves the estimate of an image as it was, does not count for that image. An estimate that no single draw changes (a median,
    say) is left to other probes.

    Args:
        n: the number of draws that an estimate should be made of.
        images: the number of estimates.
        marked: makes the arguments that change the draw with this index (-1: none), and a container of the draws that were made.

    Returns:
        What is odd, if anything is; and which draws changed the estimate of which image, (draws, images), None if that cannot be said.
    """

    def estimate(marking: int) -> tuple[Sight, int]:
        torch.manual_seed(0)
        np.random.seed(0)
        arguments, made = marked(marking)
        return as_seen(answer(*arguments)), len(made)

    base, made = estimate(-1)
    if isinstance(base, Odd):
        return {"value": base}, None
    if base.value.shape != (images,):
        shape = tuple(base.value.shape)
        return {"value": Odd(f"The result has shape {shape}; expected is ({images},), one number for each image.", f"shape {shape}")}, None
    others = [estimate(i)[0] for i in range(min(made, MANY))]
    if any(isinstance(other, Odd) or other.value.shape != base.value.shape for other in others):
        return {}, None
    changed = torch.stack([~torch.isclose(other.value, base.value, 1e-5, 0, equal_nan=True) for other in others]) if others else None
    counts = changed.sum(0) if changed is not None else torch.zeros(images)
    wrong = counts[(counts != n) & (counts != 0)]
    if not len(wrong):
        return {}, changed
    says = f"{'at least ' if made > MANY else ''}{int(wrong[0])} different z"
    return {
        "draws": Odd(f"The estimate of an image is made of {says}, and n_samples was {n}. Draw n_samples of them, each anew.", "draws")
    }, changed


def mean_and_error(samples: Tensor) -> Seen:
    """The mean over the first axis, with its standard error."""
    samples = samples.double()
    return Seen(samples.mean(0), True, samples.std(0) / math.sqrt(len(samples)))


def unpack(result: Any, names: Sequence[str] = ("value",), whole: bool = False) -> dict[str, Sight]:
    """The result under its name, or each of several results under its own."""
    if len(names) == 1 or isinstance(result, LAZY):
        return {names[0]: as_seen(result, whole)}
    if not isinstance(result, (tuple, list)) or len(result) != len(names):
        if isinstance(result, (tuple, list)):
            got = f"{len(result)} things"
        elif isinstance(result, (Tensor, np.ndarray)):
            got = "a single tensor"
        else:
            got = "nothing (None)" if result is None else f"one {_kind(result)}"
        return {"result": Odd(f"It returned {got}; expected are {len(names)}: return {', '.join(names)}.", f"count: {got}")}
    return {name: as_seen(part, whole) for name, part in zip(names, result)}


def as_seen(result: Any, whole: bool = False) -> Sight:
    """A tensor (of any layout, on any device), an array, a table or a number as something to compare."""
    if result is None:
        return Odd("It returned nothing (None). Is a return missing?", "none")
    if isinstance(result, LAZY):
        way = "Is there a yield in place of return?" if inspect.isgenerator(result) else "Write def in place of async def, and return."
        return Odd(f"It returned a {_kind(result)}, which has not computed anything yet. {way}", "type")
    if isinstance(result, (str, bytes, dict, set, bool)) or callable(result):
        return Odd(f"It returned a {_kind(result)}; expected is {'a whole number' if whole else 'a tensor'}.", "type")
    try:
        tensor = torch.as_tensor(result if isinstance(result, Tensor) or not hasattr(result, "__array__") else _native(result))
    except (TypeError, ValueError, RuntimeError):
        advice = "torch.stack makes one tensor of a list of tensors" if isinstance(result, (list, tuple)) else "expected are real numbers"
        of = f" of {result.dtype}" if isinstance(result, np.ndarray) else ""
        return Odd(f"It returned a {_kind(result)}{of}, which is no tensor: {advice}.", "type")
    if tensor.is_complex():
        return Odd(f"It returned a tensor of {tensor.dtype}; expected are real numbers.", "type")
    try:
        numbers = (tensor.detach() if tensor.layout == torch.strided else tensor.detach().to_dense()).cpu().double().clone()
        numbers = numbers.reshape(() if whole and tensor.numel() == 1 else tensor.shape)
    except (RuntimeError, NotImplementedError):  # on the device "meta", for example, there are none
        return Odd(f"It returned a tensor whose numbers cannot be read (device {tensor.device}, {tensor.layout}).", "type")
    double = tensor.dtype not in (torch.float32, torch.float16, torch.bfloat16) or isinstance(result, (int, float))
    return Seen(numbers, double)


def _native(result: Any) -> np.ndarray:
    """An array, or a table of numbers, as torch takes it: in the byte order of this machine, not backwards, and at most in double precision."""
    array = np.asarray(result)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)


def _kind(result: Any) -> str:
    return {"ndarray": "NumPy array"}.get(type(result).__name__, type(result).__name__)


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(torch.equal(a.nan_to_num(), b.nan_to_num()))


# ---------------------------------------------------------------------------------------------------------------------
# Judging


def judge(exercise: Exercise, answer: Answer, seconds: float | None = None) -> Verdict:
    """Whether the answer is right on every probe, and if not, which mistake it is. By default it has guard.SECONDS."""
    if answer is ... or _is_stub(answer):
        return Verdict(False, False, "Not attempted yet: replace the three dots by your own lines, and run the cell again.")
    if not callable(answer):
        raise TypeError(
            f'check("{exercise.name}", …) expects your function itself, without parentheses after its name; got {_kind(answer)}'
        )
    expected = _expected(exercise)  # first, so that what the exercise itself has to import costs the answer no time
    try:
        sights, printed = _run_all(exercise, answer, guard.SECONDS if seconds is None else seconds)
    except guard.Stopped as stopped:
        return Verdict(False, True, str(stopped))
    blank = [sight.says for seen in sights for sight in seen.values() if isinstance(sight, Odd) and sight.kind in BLANK]
    if blank:
        return Verdict(False, False, blank[0], printed)
    if all(_is_right(probe, a, b) for probe, a, b in zip(exercise.probes, sights, expected)):
        return Verdict(True, True, "", printed)
    says = _diagnose(exercise, sights, expected)
    known = next((mistake.id for mistake in exercise.mistakes if mistake.says == says), "")
    return Verdict(False, True, says, printed, known or ("aside" if says.startswith(ASIDE) else ""))


def alike(exercise: Exercise, one: int, other: int) -> bool:
    """Whether two of the known mistakes cannot be told apart on the exercise's probes."""

    def same() -> bool:
        sights = [[_seen_of(exercise, mistake, j) for j in range(len(exercise.probes))] for mistake in (one, other)]
        return all(_match(probe, a, b) and _match(probe, b, a) for probe, a, b in zip(exercise.probes, *sights))

    return guard.run(same, 60)[0]


BLANK = ("dots", "not implemented")  # the kinds of what is no attempt
_DOTS = Odd("Not finished yet: it still returns the three dots.", "dots")
_RETURNS_NOT_IMPLEMENTED = Odd("Not attempted yet: it still returns NotImplemented. Return your result instead.", "not implemented")
_NOT_IMPLEMENTED = Odd(
    "Not attempted yet: it still raises NotImplementedError. Replace that line by your own lines, and run the cell again.",
    "not implemented",
)


def _is_stub(answer: Any) -> bool:
    """A function whose body does nothing: only a docstring, `...`, `pass`, `return ...` or `return None`."""
    code = guard.code_of(answer)
    if code is None:
        return False
    steps = [(i.opname, i.argval) for i in dis.get_instructions(code) if i.opname not in ("RESUME", "NOP", "CACHE")]
    nothing = [[("LOAD_CONST", value), ("RETURN_VALUE", None)] for value in (None, ...)] + [
        [("RETURN_CONST", value)] for value in (None, ...)
    ]
    return steps in nothing


def look(exercise: Exercise, probe: Probe, answer: Answer) -> dict[str, Sight]:
    """What a probe of the exercise sees; whatever the answer raises is seen too."""
    returned, given = [], []

    def noting(*args: Any, **kwargs: Any) -> Any:
        given[:] = args
        returned.append(answer(*args, **kwargs))
        return returned[-1]

    try:
        seen = probe.look(noting)
    except (guard.Stopped, MemoryError, RecursionError):
        raise
    except Exception as error:
        if "can't allocate memory" in str(error):
            raise
        if _says_not_implemented(error, answer):
            return {"result": _NOT_IMPLEMENTED}
        sizes = errors.letters(exercise.stub, dict(zip(inspect.signature(exercise.reference).parameters, given)))
        seen = {"result": Odd(errors.explain(error, answer, sizes), type(error).__name__)}
    for part in (part for r in returned for part in (r if isinstance(r, (tuple, list)) else [r])):
        if part is ... or part is NotImplemented:
            return {"result": _DOTS if part is ... else _RETURNS_NOT_IMPLEMENTED}
    return seen


def _says_not_implemented(error: Exception, answer: Answer) -> bool:
    """Whether a line of the learner's raises NotImplementedError, or tries to raise NotImplemented; torch raises the former too."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    frame, _ = guard.learner_frame(error, answer)
    if last is None or last.tb_frame is not frame:
        return False
    if isinstance(error, NotImplementedError):
        return any(step.offset == last.tb_lasti and step.opname == "RAISE_VARARGS" for step in dis.get_instructions(frame.f_code))
    return isinstance(error, TypeError) and "NotImplemented" in frame.f_code.co_names


def _run_all(exercise: Exercise, answer: Answer, seconds: float) -> tuple[list[dict[str, Sight]], str]:
    """What every probe sees, and what the answer printed meanwhile."""
    return guard.run(lambda: [look(exercise, probe, answer) for probe in exercise.probes], seconds)


@cache
def _expected(exercise: Exercise) -> list[dict[str, Sight]]:
    sights, _ = _run_all(exercise, exercise.reference, 60)
    odd = [sight.says for seen in sights for sight in seen.values() if isinstance(sight, Odd)]
    if odd:
        raise RuntimeError(f"a probe of {exercise.name} cannot look at its reference: {odd[0]}")
    return sights


@cache
def _seen_of(exercise: Exercise, mistake: int, probe: int) -> dict[str, Sight]:
    return look(exercise, exercise.probes[probe], exercise.mistakes[mistake].wrong)


def _named(exercise: Exercise, sights: list[dict[str, Sight]]) -> list[str]:
    """What the mistakes say that saw the same on every probe. Each is followed to the first probe where it differs, and no further."""

    def matching() -> list[str]:
        probes = list(enumerate(exercise.probes))
        return [
            mistake.says
            for i, mistake in enumerate(exercise.mistakes)
            if all(_match(probe, sights[j], _seen_of(exercise, i, j)) for j, probe in probes)
        ]

    return guard.run(matching, 60)[0]


def _match(probe: Probe, seen: dict[str, Sight], expected: dict[str, Sight]) -> bool:
    """Whether a probe saw the same in both; with an optional probe, nothing matches anything."""
    if probe.optional and not seen:
        return True
    return seen.keys() == expected.keys() and all(_equal(seen[k], expected[k]) for k in seen)


def _is_right(probe: Probe, seen: dict[str, Sight], expected: dict[str, Sight]) -> bool:
    return _match(probe, {name: _lifted(sight, expected.get(name)) for name, sight in seen.items()}, expected)


def _lifted(seen: Sight, expected: Sight | None) -> Sight:
    """What was seen; where it may lie below the expected and does, the expected itself."""
    if isinstance(seen, Seen) and isinstance(expected, Seen) and seen.ceiling and seen.value.shape == expected.value.shape:
        return seen._replace(value=torch.maximum(seen.value, expected.value))
    return seen


def _equal(a: Sight, b: Sight) -> bool:
    if isinstance(a, Odd) or isinstance(b, Odd):
        return isinstance(a, Odd) and isinstance(b, Odd) and a.kind == b.kind
    return a.value.shape == b.value.shape and bool(_close(a, b).all())


def _close(a: Seen, b: Seen) -> Tensor:
    """Entry by entry: equal up to rounding, and up to 5 standard errors where they are random."""
    tolerance = TOLERANCE[a.double and b.double]
    allowed = tolerance * (1 + b.value.abs().nan_to_num(0, 0, 0))
    for side in (a, b):
        if side.error is not None:
            allowed = allowed + SIGMAS * side.error
    return ((a.value - b.value).abs() <= allowed) | (a.value == b.value) | (a.value.isnan() & b.value.isnan())


# ---------------------------------------------------------------------------------------------------------------------
# Saying what is wrong


def _diagnose(exercise: Exercise, sights: list[dict[str, Sight]], expected: list[dict[str, Sight]]) -> str:
    in_place = [seen["inputs"].says for seen in sights if "inputs" in seen]
    sights = [{name: sight for name, sight in seen.items() if name != "inputs"} for seen in sights]
    wrong = [i for i, probe in enumerate(exercise.probes) if not _is_right(probe, sights[i], expected[i])]
    values = [j for j, probe in enumerate(exercise.probes) if not probe.aside]
    if in_place and set(wrong).isdisjoint(values):
        return f"{ASIDE[0]}, but {in_place[0][0].lower()}{in_place[0][1:]}"
    named = _named(exercise, sights)
    if len(named) == 1:
        return named[0]
    scalars = _scalars(exercise, values, sights, expected)
    if scalars:
        return scalars
    i = wrong[0]
    says = _describe(exercise, sights[i], expected[i]) if sights[i] else "It gave no result that can be compared."
    if set(wrong).isdisjoint(values):
        return f"{ASIDE[1]}, but not everything is. {says}"
    right = next((j for j in values if j not in wrong), None)
    if right is None:
        return says
    measured = any(isinstance(s, Seen) and s.error is not None for s in expected[right].values())  # which is no proof
    found = "no difference shows" if measured else "the result is right"
    return f"{says} This happens with {exercise.probes[i].what}; with {exercise.probes[right].what} {found}."


def _scalars(exercise: Exercise, values: list[int], sights: list[dict[str, Sight]], expected: list[dict[str, Sight]]) -> str:
    """Of one number a probe: whether it has the same sign, factor or offset on all of them. Empty where there is no such rule."""
    pairs = [(sights[j].get("value"), expected[j].get("value")) for j in values]
    if len(pairs) < 2 or not all(isinstance(s, Seen) and s.value.ndim == 0 and s.error is None for pair in pairs for s in pair):
        return ""
    got, right = (Seen(torch.stack([pair[k].value for pair in pairs]), all(pair[k].double for pair in pairs)) for k in (0, 1))
    if _equal(got, right) or not bool(got.value.isfinite().all()):
        return ""
    says = _difference("The result", got, right, "")
    return says if any(rule in says for rule in ("sign", "times", "too high", "too low")) else ""


def _describe(exercise: Exercise, seen: dict[str, Sight], expected: dict[str, Sight]) -> str:
    """What the answer gave where it differs: an exception, a shape, a sign, a factor, an offset, some rows."""
    odd = [s.says for s in seen.values() if isinstance(s, Odd)]
    if odd:
        return odd[0]
    for name in expected:
        b = expected[name]
        a = _lifted(seen[name], b) if name in seen else None
        if a is None or isinstance(a, Odd) or isinstance(b, Odd) or _equal(a, b):
            continue
        what = "The result" if name == "value" else f"The {name}" if name.startswith("gradient") else name
        return _difference(what, a, b, exercise.axes if name == "value" else "")
    return "The result differs from what is expected."


def _difference(what: str, a: Seen, b: Seen, axes: str) -> str:
    got, right = a.value, b.value
    if got.shape != right.shape:
        meant = f", {axes}" if axes else ""
        return f"{what} has shape {tuple(got.shape)}; expected is {tuple(right.shape)}{meant}.{_about_shapes(got, right)}"
    finite = right.isfinite()
    if bool((~got.isfinite() & finite).any()):
        kinds = [
            word
            for word, there in (("NaN", got.isnan().any()), ("inf", (got == math.inf).any()), ("-inf", (got == -math.inf).any()))
            if there
        ]
        return f"{what} holds {' and '.join(kinds)} where the right value is finite."
    return f"{what} {_pattern(got, right, a, b)}"


def _about_shapes(got: Tensor, right: Tensor) -> str:
    if got.ndim == 0:
        return " It is a single number: sum or average over one axis, and keep the other."
    if got.numel() == right.numel() and [s for s in got.shape if s != 1] == [s for s in right.shape if s != 1] and got.ndim > right.ndim:
        return " An axis of size 1 is left over: drop it, by keepdim=False or squeeze."
    if right.ndim == 1 and got.shape == (len(right), len(right)):
        return (
            " Every entry was combined with every other: two axes of the same size were placed crosswise, by indexing or by broadcasting."
        )
    return ""


def _pattern(got: Tensor, right: Tensor, a: Seen, b: Seen) -> str:
    random = a.error is not None or b.error is not None
    average = " on average" if random else ""
    if _equal(Seen(-got, a.double, a.error), b):
        return f"is{average} minus what it should be: the sign is turned."
    use = right != 0
    ratio = got[use] / right[use]
    same = ratio.numel() > 1 and bool((ratio - ratio[0]).abs().max() <= 1e-6 * ratio[0].abs()) and bool((got[~use] == 0).all())
    if same and not random and ratio[0] == 0:
        return "is 0 in every entry, and should not be."
    if same and not random and _short(ratio[0]) != "1":
        return f"is {_short(ratio[0])} times what it should be, in every entry.{FACTORS.get(_short(ratio[0].abs()), '')}"
    gap = (got - right)[right.isfinite()]
    if gap.numel() > 1 and not random and bool((gap - gap[0]).abs().max() <= 1e-6 * (1 + gap[0].abs())):
        return f"is too {'high' if gap[0] > 0 else 'low'} by {_short(gap[0].abs())}, the same in every entry."
    bad = ~_close(a, b)
    worst = int(torch.where(bad, (got - right).abs().nan_to_num(math.inf), torch.tensor(-1.0, dtype=torch.float64)).argmax())
    share = "" if bool(bad.all()) or bad.numel() == 1 else f" in {int(bad.sum())} of {bad.numel()} entries"
    at = f", for instance at {list(np.unravel_index(worst, tuple(got.shape)))}" if got.numel() > 1 else ""
    at = at.replace("np.int64(", "").replace(")", "") if "np.int64" in at else at
    found, wanted = got.flatten()[worst], right.flatten()[worst]
    digits = next((n for n in (4, 6, 8, 10) if _short(found, n) != _short(wanted, n)), 16)
    return f"is{average} not what it should be{share}{at}: {_short(found, digits)} instead of {_short(wanted, digits)}."


def _short(number: Tensor, digits: int = 4) -> str:
    return f"{float(number):.{digits}g}"
