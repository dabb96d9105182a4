"""Whatever an answer does by accident, the notebook around it goes on, and the report says what happened."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import time

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from vaecourse import exercises
from vaecourse.exercises import CheckFailed, check, hint, progress, solution


@pytest.fixture(autouse=True)
def own_record(tmp_path, monkeypatch):
    monkeypatch.setenv("VAECOURSE_PROGRESS", str(tmp_path / "record.json"))
    monkeypatch.setattr(exercises, "_hints_given", {})


def right(log_w, dim):
    return torch.logsumexp(log_w, dim) - math.log(log_w.shape[dim])


def endless(log_w, dim):
    while True:
        pass


def endless_and_deaf(log_w, dim):
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            pass


def without_end(log_w, dim):
    return without_end(log_w, dim)


def leaves(log_w, dim):
    sys.exit()


def ten_gigabytes(log_w, dim):
    return torch.randn(10 * 2**28).sum() + right(log_w, dim)


def ten_gigabytes_in_numpy(log_w, dim):
    return np.ones(10 * 2**27) + right(log_w, dim).numpy()


def emptied(log_w, dim):
    result = right(log_w, dim)
    log_w.resize_(0)
    return result


def changed(log_w, dim):
    result = right(log_w, dim)
    log_w -= 1
    return result


def misspelt(log_w, dim):
    return torch.logsumexps(log_w, dim)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (endless, "loop that never ends"),
        (endless_and_deaf, "loop that never ends"),
        (without_end, "calls itself without end"),
        (leaves, "called exit()"),
        (emptied, "in place"),
        (changed, "it changes its argument number 1 in place"),
        (misspelt, "AttributeError: module 'torch' has no attribute 'logsumexps' (line"),
        (lambda log_w, dim: None if log_w.sum() else 0, "returned nothing (None)"),
        (lambda log_w, dim: "3", "returned a str"),
        (lambda log_w, dim: {}, "returned a dict"),
        (lambda log_w, dim: log_w > 0, "has shape"),
        (lambda log_w, dim: [right(log_w, dim), None], "which is no tensor"),
        (lambda log_w, dim: 1.5, "shape ()"),
        (lambda log_w: log_w, "TypeError"),
        (lambda log_w, dim: 1 / 0, "ZeroDivisionError"),
        (lambda log_w, dim: right(log_w, dim) * float("nan"), "NaN"),
    ],
)
def test_an_accident_is_reported_in_words(answer, words):
    report = check("log_mean_exp", answer)
    assert report.attempted
    assert not report.passed
    assert words in report.diagnosis


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits the memory of a process")
@pytest.mark.parametrize("answer", [ten_gigabytes, ten_gigabytes_in_numpy])
def test_a_request_for_gigabytes_is_refused(answer):
    assert "more than 512 MB" in check("log_mean_exp", answer).diagnosis


def test_nothing_global_is_touched():
    def meddles(log_w, dim):
        torch.manual_seed(1), np.random.seed(1), random.seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.set_num_threads(torch.get_num_threads() + 1)
        sys.setrecursionlimit(5000)
        os.chdir("/")
        plt.close("all")
        plt.figure()
        plt.rcParams["lines.linewidth"] = 17.0
        print("much " * 1000)
        return right(log_w, dim)

    def state():
        rng = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()
        figures = plt.get_fignums(), plt.rcParams["lines.linewidth"], sys.stdout
        return (
            rng,
            figures,
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.get_num_threads(),
            sys.getrecursionlimit(),
            os.getcwd(),
        )

    plt.figure(7)
    try:
        before = state()
        assert check("log_mean_exp", meddles).passed
        check("log_mean_exp", lambda log_w, dim: meddles(log_w, dim) + 1)
        assert state() == before
    finally:
        plt.close(7)


def test_the_text_does_not_hang_on_default_dtype_grad_mode_or_seed():
    def wrong(log_w, dim):
        return right(log_w, dim) + 0.25 * log_w.amin(dim)

    texts = [check("log_mean_exp", wrong).diagnosis]
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            torch.manual_seed(5)
            texts.append(check("log_mean_exp", wrong).diagnosis)
            assert check("log_likelihood_from_logits", exercises.exercise("log_likelihood_from_logits").reference).passed
    finally:
        torch.set_default_dtype(torch.float32)
    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", exercises.names())
def test_an_untouched_stub_is_neutral_and_fails_when_graded(name, monkeypatch):
    space: dict = {}
    exec(exercises.exercise(name).stub, space)
    report = check(name, space[name])
    assert (report.passed, report.attempted) == (False, False)
    with pytest.raises(CheckFailed, match="Not attempted"):
        check(name, space[name], strict=True)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(CheckFailed, match="Not attempted"):
        check(name, space[name])
    assert not check(name, space[name], strict=False).passed


def test_three_dots_in_any_place_are_not_an_attempt():
    def half(log_w, dim):
        m = ...
        return m

    for answer in (..., half):
        assert not check("log_mean_exp", answer).attempted


def test_graded_answers_raise_the_diagnosis_and_right_ones_do_not():
    with pytest.raises(CheckFailed, match="log of the sum"):
        check("log_mean_exp", torch.logsumexp, strict=True)
    assert check("log_mean_exp", right, strict=True).passed


def test_an_unforeseen_mistake_is_described_and_no_cause_is_invented():
    said = {m.says for m in exercises.exercise("log_mean_exp").mistakes}
    for answer, words in [
        (lambda w, d: right(w, d) * 3, "3 times what it should be"),
        (lambda w, d: right(w, d) + 2, "too high by 2, the same in every entry"),
        (lambda w, d: -right(w, d), "the sign is turned"),
        (lambda w, d: right(w, d)[:-1], "shape (2,); expected is (3,), the axis dim gone"),
        (lambda w, d: right(w.clamp(min=-5000), d), "with ordinary weights and dim = 0 the result is right"),
        (lambda w, d: right(w, d) + (w.detach() - w).sum(d), "gradient in log_w"),
    ]:
        diagnosis = check("log_mean_exp", answer).diagnosis
        assert words in diagnosis
        assert diagnosis not in said


def test_what_is_no_function_or_no_exercise_is_refused():
    with pytest.raises(TypeError, match="without parentheses"):
        check("log_mean_exp", torch.tensor(1.0))
    with pytest.raises(ValueError, match="log_mean_exp"):
        check("log_mean_expp", right)


def test_hints_come_one_by_one():
    texts = [hint("log_mean_exp").text for _ in range(4)]
    assert texts[:3] == list(exercises.exercise("log_mean_exp").hints)
    assert "no further hint" in texts[3]


def test_the_solution_is_the_source_of_the_reference():
    shown = solution("log_mean_exp")
    assert "logsumexp" in shown.code
    assert "vaecourse.logspace.log_mean_exp" in shown.text


def test_progress_is_kept_and_a_success_is_not_lost(tmp_path):
    check("log_mean_exp", torch.logsumexp)
    assert "✗ log_mean_exp" in repr(progress())
    check("log_mean_exp", right)
    check("log_mean_exp", torch.logsumexp)
    assert "✓ log_mean_exp" in repr(progress())
    assert json.loads((tmp_path / "record.json").read_text()) == {"log_mean_exp": True}
    assert os.listdir(tmp_path) == ["record.json"]


def test_a_record_that_cannot_be_read_or_written_is_no_reason_to_stop(tmp_path, monkeypatch):
    (tmp_path / "record.json").write_text("not json")
    assert check("log_mean_exp", right).passed
    monkeypatch.setenv("VAECOURSE_PROGRESS", str(tmp_path / "missing" / "record.json"))
    assert check("log_mean_exp", right).passed


def test_a_card_is_text_markup_and_buttons():
    report = check("log_mean_exp", lambda log_w, dim: log_w.nosuch["<b>"])
    bundle = report._repr_mimebundle_()
    assert bundle["text/plain"] == repr(report)
    assert "<b>✗ log_mean_exp</b>" in bundle["text/html"]
    assert "&lt;" not in repr(report)
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "application/vnd.jupyter.widget-view+json" not in check("log_mean_exp", right)._repr_mimebundle_()


def test_exit_in_a_notebook_does_not_end_the_kernel():
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.ask_exit = lambda: (_ for _ in ()).throw(RuntimeError('the kernel ends'))\n"
        "shell.run_cell('from vaecourse.exercises import check\\n"
        "def leaves(log_w, dim):\\n    get_ipython().ask_exit()\\n"
        'print(check("log_mean_exp", leaves).diagnosis)\')\n'
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()})
    assert "called exit()" in out.stdout, out.stdout + out.stderr
