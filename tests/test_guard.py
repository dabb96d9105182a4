"""Whatever an answer does by accident, the notebook around it goes on, and the report says what happened."""

from __future__ import annotations

import ast
import dataclasses
import functools
import html
import inspect
import json
import math
import os
import random
import subprocess
import sys
import textwrap
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from vaecourse import exercises
from vaecourse.exercises import CheckFailed, check, exercise, guard, hint, progress, solution
from vaecourse.exercises.engine import judge


@pytest.fixture(autouse=True)
def own_record(tmp_path, monkeypatch):
    monkeypatch.setenv("VAECOURSE_PROGRESS", str(tmp_path / "record.json"))
    monkeypatch.setattr(exercises, "_hints_given", {})
    monkeypatch.setattr(guard, "SECONDS", 1.0)  # enough for every answer here that comes to an end


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
            assert check("log_likelihood_from_logits", exercises.exercise("log_likelihood_from_logits").reference, note=False).passed
    finally:
        torch.set_default_dtype(torch.float32)
    assert texts[0] == texts[1]


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder on the path, for modules that a test writes; whatever is imported from it is forgotten afterwards."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for path in folder.glob("*.py"):
        sys.modules.pop(path.stem, None)


SLOW = "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end:\n    pass\nwhole = True\n"


def test_an_answer_that_imports_something_slow_is_not_blamed_and_the_module_is_whole(modules):
    (modules / "slow_for_an_answer.py").write_text(SLOW)

    def imports(log_w, dim):
        import slow_for_an_answer

        return right(log_w, dim) if slow_for_an_answer.whole else None

    assert judge(exercises.exercise("log_mean_exp"), imports, 0.3).passed
    assert sys.modules["slow_for_an_answer"].whole


@pytest.mark.parametrize("before", [0.0, 0.25, 0.29, 0.3])
def test_no_limit_interrupts_an_import_that_begins_near_it(modules, monkeypatch, before):
    monkeypatch.setenv("BEGINS_LATE", "not begun")
    note = 'import os\nos.environ["BEGINS_LATE"] = "{}"\n'
    (modules / "begins_late.py").write_text(note.format("begun") + SLOW + note.format("whole"))

    def answer():
        end = time.monotonic() + before
        while time.monotonic() < end:
            pass
        import begins_late  # noqa: F401

        while True:
            pass

    with pytest.raises(guard.Stopped, match="loop that never ends"):
        guard.run(answer, 0.3)
    assert os.environ["BEGINS_LATE"] in ("not begun", "whole")


def test_an_import_that_never_ends_is_stopped_all_the_same(modules, monkeypatch):
    (modules / "never_ends.py").write_text("while True:\n    pass\n")
    monkeypatch.setattr(guard, "IMPORT_SECONDS", 0.5)

    def answer():
        import never_ends  # noqa: F401

    start = time.monotonic()
    with pytest.raises(guard.Stopped, match="still loading after 0.5 seconds"):
        guard.run(answer, 0.2)
    assert time.monotonic() - start < 10


def test_garbage_that_lets_the_answer_run_on_does_not_hang_or_crash_the_look_at_it():
    """Collected inside the look, such garbage makes Python 3.11 read a frame that the answer has left, or wait for a lock of its own."""
    code = (
        "import gc, sys, threading, time\n"
        "from vaecourse.exercises import guard\n"
        "class Garbage:\n"
        "    def __init__(self):\n        self.itself = self\n"
        "    def __del__(self):\n        time.sleep(0.003)\n"
        "def answer(depth):\n"
        "    if depth:\n        return answer(depth - 1)\n"
        "    end = time.monotonic() + 0.002\n"
        "    while time.monotonic() < end:\n        pass\n"
        "sys.setswitchinterval(1e-4)\n"
        "gc.freeze()\n"
        "for attempt in range(120):\n"
        "    worker = threading.Thread(target=answer, args=(50,))\n"
        "    worker.start()\n"
        "    garbage = [Garbage(), Garbage()]\n"
        "    gc.set_threshold(gc.get_count()[0] + attempt % 12)\n"  # the collection falls on each allocation of the look in turn
        "    del garbage\n"
        "    guard._is_importing(worker)\n"
        "    gc.set_threshold(10_000)\n"
        "    worker.join()\n"
        "assert gc.isenabled()\n"
        "print('came back')\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()}, timeout=60
    )
    assert "came back" in out.stdout, out.stdout + out.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits the memory of a process")
def test_an_import_may_ask_for_more_memory_and_the_answer_after_it_may_not(modules):
    (modules / "large_for_an_answer.py").write_text("import mmap\nroom = mmap.mmap(-1, 2 << 30)\nroom.close()\nwhole = True\n")

    def answer():
        import large_for_an_answer

        time.sleep(0.2)
        return large_for_an_answer.whole, ten_gigabytes(torch.zeros(2), 0)

    with pytest.raises(guard.Stopped, match="more than 512 MB"):
        guard.run(answer)
    assert sys.modules["large_for_an_answer"].whole


def test_the_reference_runs_before_the_clock_starts_for_the_answer():
    """The first Adam of a process imports for seconds; a right first answer is right under a limit far below that."""
    code = (
        "from vaecourse.exercises import engine, exercise\n"
        "task = exercise('training_step')\n"
        "def step(model, optimiser, x):\n"
        "    optimiser.zero_grad()\n    loss = model.loss(x)\n    loss.backward()\n    optimiser.step()\n    return loss.item()\n"
        "print(engine.judge(task, step, 0.3))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()})
    assert "passed=True" in out.stdout, out.stdout + out.stderr


LEARNERS = "import torch\n\n\ndef answer(log_w, dim):\n    m = log_w.amax(dim)\n    return {}\n"


@pytest.mark.parametrize("place", ["site-packages/course/notebooks", "clone/vaecourse/mine", "clone/notebooks", "with blanks [1]"])
@pytest.mark.parametrize(
    ("wrong", "kind"), [("log_w - m_", "NameError"), ("m.exps()", "AttributeError"), ("torch.logsumexps(m, 0)", "AttributeError")]
)
def test_the_line_of_the_learner_is_named_wherever_the_file_lies(tmp_path, place, wrong, kind):
    file = tmp_path / place / "mine.py"
    file.parent.mkdir(parents=True)
    file.write_text(LEARNERS.format(wrong))
    space: dict = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    diagnosis = check("log_mean_exp", lambda log_w, dim: space["answer"](log_w, dim)).diagnosis
    assert kind in diagnosis
    assert f"(line 6 of its cell or file: return {wrong})" in diagnosis


def test_a_line_of_the_package_is_not_taken_for_the_learners_wherever_the_package_lies(tmp_path):
    """The same under an installation in a folder of any name."""
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "vaecourse").symlink_to(os.path.dirname(exercises.__path__[0]))
    file = tmp_path / "course" / "vaecourse_answers.py"
    file.write_text("from vaecourse.logspace import log_mean_exp\n\n\ndef answer(log_w, dim):\n    return log_mean_exp(log_w, dim + 9)\n")
    code = "from vaecourse_answers import answer\nfrom vaecourse.exercises import check\nprint(check('log_mean_exp', answer).diagnosis)\n"
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "course")}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert "(line 5 of its cell or file: return log_mean_exp(log_w, dim + 9))" in out.stdout, out.stdout + out.stderr


@pytest.mark.parametrize(
    "body",
    [
        "...", "pass", "return", "return None", "return ...", '"A docstring."', '"A docstring."; return ...', '"A docstring."; pass',
        "raise NotImplementedError", "raise NotImplementedError()", "raise NotImplementedError('to do')", "raise NotImplementedError(f'{dim}')",
        "m = log_w.amax(dim); raise NotImplementedError", "raise NotImplemented", "raise NotImplemented('to do')", "return NotImplemented",
        "return ..., ...", "x = ...; return x",
    ],
)  # fmt: skip
def test_a_body_that_says_so_is_not_attempted_and_not_noted(body, tmp_path):
    space: dict = {}
    exec(f"def answer(log_w, dim): {body}", space)
    report = check("log_mean_exp", space["answer"])
    assert (report.passed, report.attempted) == (False, False), report.diagnosis
    assert not (tmp_path / "record.json").exists()


@pytest.mark.parametrize(
    "turned",
    [
        lambda result: result.to_sparse(),
        lambda result: np.flip(np.flip(result.detach().numpy()).copy()),
        lambda result: result.detach().numpy().astype(np.longdouble),
        lambda result: result.detach().numpy().astype(">f8"),
        lambda result: pd.Series(result.detach().numpy(), index=range(1, len(result) + 1)) if result.ndim == 1 else result,
    ],
    ids=["sparse", "backwards", "longdouble", "big-endian", "Series"],
)
def test_a_right_result_is_right_in_every_layout(turned):
    report = check("log_mean_exp", lambda log_w, dim: turned(right(log_w, dim)))
    assert report.passed, report.diagnosis


async def in_the_background(log_w, dim):
    return right(log_w, dim)


def yielding(log_w, dim):
    yield right(log_w, dim)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda log_w, dim: right(log_w, dim).to("meta"), "numbers cannot be read (device meta"),
        (lambda log_w, dim: torch.nested.nested_tensor([right(log_w, dim)]), "numbers cannot be read"),
        (lambda log_w, dim: pd.DataFrame(right(log_w, dim).detach().numpy()[:, None]), "has shape (3, 1)"),
        (lambda log_w, dim: np.array(["a"]), "a NumPy array of <U1, which is no tensor: expected are real numbers"),
        (lambda log_w, dim: [torch.ones(3)], "torch.stack makes one tensor of a list"),
        (in_the_background, "Write def in place of async def"),
        (yielding, "a yield in place of return"),
    ],
)
def test_a_result_that_cannot_be_compared_is_described(answer, words):
    assert words in check("log_mean_exp", answer).diagnosis


def test_a_function_that_returns_not_implemented_is_not_attempted():
    report = check("log_mean_exp", lambda log_w, dim: NotImplemented)
    assert not report.attempted
    assert "still returns NotImplemented" in report.diagnosis


def test_an_error_of_torch_that_is_a_not_implemented_error_is_an_attempt():
    report = check("log_mean_exp", lambda log_w, dim: torch.distributions.Distribution().entropy())
    assert report.attempted
    assert "NotImplementedError" in report.diagnosis


def test_a_demonstration_is_not_noted(tmp_path):
    assert "log of the sum" in check("log_mean_exp", torch.logsumexp, note=False).diagnosis
    assert check("log_mean_exp", right, note=False).passed
    assert not (tmp_path / "record.json").exists()
    assert "○ log_mean_exp" in repr(progress())


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


@pytest.mark.parametrize("name", exercises.names())
def test_the_course_s_own_function_is_no_answer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = exercises.exercise(name).reference
    for given in (reference, functools.partial(reference)):
        report = check(name, given)
        assert (report.passed, report.attempted, report.score(2)) == (False, False, 0)
        assert "not yours" in report.diagnosis
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(CheckFailed, match="not yours"):
        check(name, reference)


def test_while_grading_functions_of_other_packages_are_no_answers_either(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check("log_mean_exp", torch.logsumexp).attempted
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    for given in (torch.logsumexp, torch.nn.functional.binary_cross_entropy_with_logits, len):
        assert not check("log_mean_exp", given, strict=False).attempted
    assert check("log_mean_exp", right, strict=False).passed


def test_a_score_gives_points_for_right_answers_and_a_share_for_known_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("log_mean_exp", right).score(3) == 3
    known = check("log_mean_exp", torch.logsumexp)
    known = dataclasses.replace(known, mistake=known.mistake or "log-of-sum")
    assert (known.score(3), known.score(3, partial=0.2), known.score(3, partial=0)) == (1.5, pytest.approx(0.6), 0)
    assert check("log_mean_exp", lambda log_w, dim: log_w.sum(dim) * 0 + 17).score(3) == 0
    assert check("log_mean_exp", ...).score(3) == 0
    assert "0 of 3 points" in capsys.readouterr().out
    for points, partial in ((0, 0.5), (-1, 0.5), (float("nan"), 0.5), (1, 1.5)):
        with pytest.raises(ValueError, match="points must be above 0"):
            known.score(points, partial)


def test_values_that_are_right_with_another_fault_are_marked_as_such() -> None:
    def in_place(log_w, dim):
        result = right(log_w, dim)
        log_w += 1
        return result

    assert check("log_mean_exp", in_place).mistake == "aside"


def test_a_failed_check_shows_its_message_alone() -> None:
    assert CheckFailed("one\ntwo")._render_traceback_() == ["one", "two"]


def test_a_switch_hides_solutions_and_leaves_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECOURSE_HIDE_SOLUTIONS", "1")
    shown = check("log_mean_exp", torch.logsumexp)._repr_html_()
    assert "Hint 3" in shown
    assert "Show a solution" not in shown
    assert "logsumexp" not in repr(solution("log_mean_exp"))
    monkeypatch.setenv("VAECOURSE_HIDE_SOLUTIONS", "0")
    assert "logsumexp" in repr(solution("log_mean_exp"))


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


@pytest.mark.parametrize("name", ["log_mean_exp", "gaussian_kl", "reparameterise", "generate"])
def test_a_solution_is_a_whole_function_with_no_more_than_a_line_of_docstring(name):
    (function,) = ast.parse(solution(name).code).body
    (original,) = ast.parse(textwrap.dedent(inspect.getsource(exercises.exercise(name).reference))).body
    said, meant = ast.get_docstring(function), ast.get_docstring(original)
    assert said == (meant and meant.splitlines()[0])
    bodies = [node.body[1:] if ast.get_docstring(node) else node.body for node in (function, original)]
    assert [ast.dump(part) for part in bodies[0]] == [ast.dump(part) for part in bodies[1]]


def test_progress_is_kept_and_a_success_is_not_lost(tmp_path):
    check("log_mean_exp", torch.logsumexp)
    assert "✗ log_mean_exp" in repr(progress())
    check("log_mean_exp", right)
    check("log_mean_exp", torch.logsumexp)
    assert "✓ log_mean_exp" in repr(progress())
    assert json.loads((tmp_path / "record.json").read_text()) == {"log_mean_exp": True}
    assert os.listdir(tmp_path) == ["record.json"]


@pytest.mark.parametrize("damaged", ["not json", '{"elbo": true,}', "[1, 2]", "\udcff"])
def test_a_record_that_cannot_be_read_is_kept_and_named(damaged, tmp_path):
    record = tmp_path / "record.json"
    record.write_text(damaged, encoding="utf-8", errors="surrogateescape")
    before = record.read_bytes()
    with pytest.warns(UserWarning, match=r"record\.json, cannot be read.*move it away"):
        assert check("log_mean_exp", right).passed
    assert record.read_bytes() == before
    assert "cannot be read" in progress().text
    assert progress().heading.startswith("0 of")


def test_a_record_is_read_as_editors_of_windows_save_it(tmp_path):
    (tmp_path / "record.json").write_text('{"elbo": true}', encoding="utf-8-sig")
    check("log_mean_exp", right)
    assert json.loads((tmp_path / "record.json").read_text()) == {"elbo": True, "log_mean_exp": True}


def test_a_record_that_cannot_be_written_is_no_reason_to_stop(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VAECOURSE_PROGRESS", str(tmp_path / "file" / "record.json"))
    with pytest.warns(UserWarning, match="cannot be read"):
        assert check("log_mean_exp", right).passed


@pytest.mark.parametrize(
    ("number", "error", "words"), [(-1, ValueError, "at least 0"), (3, ValueError, "at most 2"), (1.0, TypeError, "whole")]
)
def test_a_hint_that_does_not_exist_is_refused(number, error, words):
    with pytest.raises(error, match=words):
        exercises.hint_card("elbo", number)


def test_a_card_is_text_and_markup_that_opens_on_hints_and_a_solution():
    report = check("log_mean_exp", lambda log_w, dim: log_w.nosuch["<b>"])
    page = report._repr_html_()
    assert "<b>✗ log_mean_exp</b>" in page
    assert "&lt;" not in repr(report)
    task = exercise("log_mean_exp")
    places = [page.index(f"Hint {i} for log_mean_exp") for i in (1, 2, 3)] + [page.index("Show a solution of log_mean_exp")]
    assert places == sorted(places)  # each hint stands within the one before it, the solution behind them
    assert page.count("<details") == page.count("</details>") == 4
    assert html.escape(inspect.getsource(task.reference).splitlines()[0]) in page
    assert "<details" not in check("log_mean_exp", right)._repr_html_()


def test_the_solution_asks_once_before_the_first_attempt():
    assert "Show it all the same" in check("log_mean_exp", ...)._repr_html_()
    assert "Show it all the same" not in check("log_mean_exp", lambda log_w, dim: log_w)._repr_html_()


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
