"""Random changes of the references: what computes something else does not pass.

VAECOURSE_MUTANTS=250 makes 250 of each reference instead of 30.
"""

import os
import time

import pytest
import torch
from mutants import mutants

from vaecourse.exercises import engine, exercise, guard, names

COUNT = int(os.environ.get("VAECOURSE_MUTANTS", "30"))


def values(task: engine.Exercise, answer) -> list | None:
    """What the value probes see on inputs that the check does not use; None where the answer breaks."""
    try:
        seen = guard.run(lambda: [engine.look(task, probe, answer) for probe in task.probes if not probe.aside], 5)[0]
    except guard.Stopped:
        return None
    return seen


def differs(a: list, b: list | None) -> bool:
    if b is None:
        return True
    for one, other in zip(a, b):
        if one.keys() != other.keys():
            return True
        for name in one:
            x, y = one[name], other[name]
            if isinstance(x, engine.Odd) or isinstance(y, engine.Odd) or x.value.shape != y.value.shape:
                return x != y
            slack = 1e-5 * (1 + x.value.abs()) + sum(8 * s.error for s in (x, y) if s.error is not None)
            if not bool((((x.value - y.value).abs() <= slack) | (x.value == y.value)).all()):
                return True
    return False


def passes(task: engine.Exercise, answer, seconds: float) -> bool:
    """As engine.judge decides, without a diagnosis and no further than to the first probe that sees something wrong."""
    pairs = zip(task.probes, engine._expected(task))
    try:
        return guard.run(lambda: all(engine._is_right(p, engine.look(task, p, answer), e) for p, e in pairs), seconds)[0]
    except guard.Stopped:
        return False


@pytest.mark.parametrize("name", names())
def test_no_mutant_that_computes_something_else_passes(name, monkeypatch):
    task = exercise(name)
    original = engine.generator
    passed = []
    assert passes(task, task.reference, 60)  # which also imports what there is to import
    start = time.monotonic()
    assert engine.judge(task, task.reference).passed
    seconds = min(0.4, 0.05 + 20 * (time.monotonic() - start))  # what takes far longer than the reference does not come to an end
    made = 0
    for code, mutant in mutants(task.reference, COUNT):
        made += 1
        if passes(task, mutant, seconds):
            passed.append((code, mutant))
    assert made >= min(COUNT, 10)
    monkeypatch.setattr(engine, "generator", lambda seed=0: original(seed + 1000))
    fresh = values(task, task.reference)
    torch.manual_seed(1)
    wrong = [code for code, mutant in passed if differs(fresh, values(task, mutant))]
    assert not wrong, wrong[0]
