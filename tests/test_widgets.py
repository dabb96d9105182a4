"""The predict control: a question that keeps its answer, and reads as plain text where nothing runs."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets
import pytest

from vaecourse.exercises import chapters
from vaecourse.widgets import predict, quiz, skip_the_rest

QUESTION = "What happens to the estimate?"
CHOICES = ["it rises", "it falls", "it stays"]
PLAIN = "Predict: What happens to the estimate?\n  (a) it rises\n  (b) it falls\n  (c) it stays"


def everything(widget: Any) -> list[Any]:
    return [widget, *(inner for child in getattr(widget, "children", ()) for inner in everything(child))]


def buttons(control: Any) -> list[ipywidgets.Button]:
    return [w for w in everything(control) if isinstance(w, ipywidgets.Button)]


def texts(control: Any) -> list[str]:
    return [w.value for w in everything(control) if isinstance(w, ipywidgets.HTML)]


def test_a_question_stands_above_one_button_a_choice() -> None:
    control = predict(QUESTION, CHOICES)
    assert isinstance(control, ipywidgets.VBox)
    assert [b.description for b in buttons(control)] == ["(a) it rises", "(b) it falls", "(c) it stays"]
    assert [b.tooltip for b in buttons(control)] == ["Predict (a) it rises", "Predict (b) it falls", "Predict (c) it stays"]
    assert QUESTION in texts(control)[0]
    assert texts(control)[-1] == "No prediction yet."


def test_a_click_keeps_the_choice_in_words_and_another_click_replaces_it() -> None:
    control = predict(QUESTION, CHOICES)
    for i in (1, 1, 2):
        buttons(control)[i].click()
        assert texts(control)[-1] == f"You predicted: {buttons(control)[i].description}. Now run the next cell."


def test_two_controls_do_not_share_an_answer() -> None:
    first, second = predict(QUESTION, CHOICES), predict(QUESTION, CHOICES)
    buttons(first)[0].click()
    assert texts(second)[-1] == "No prediction yet."


def test_the_plain_text_is_the_question_and_its_choices_before_and_after_a_click() -> None:
    control = predict(QUESTION, CHOICES)
    assert repr(control) == PLAIN
    buttons(control)[0].click()
    assert repr(control) == repr(predict(QUESTION, CHOICES)) == PLAIN


def test_the_whole_plain_text_stands_in_the_output_however_long() -> None:
    control = predict("Which of these is larger, " + "and by how much, " * 20 + "on average?", CHOICES)
    bundle = control._repr_mimebundle_()
    assert bundle["text/plain"] == repr(control)
    assert "(c) it stays" in bundle["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_choices_may_be_a_tuple_of_two() -> None:
    assert len(buttons(predict("Which?", ("this", "that")))) == 2


@pytest.mark.parametrize("choices", [[], ["only one"]])
def test_fewer_than_two_choices_are_refused(choices: list[str]) -> None:
    with pytest.raises(ValueError, match="2 to 26 choices"):
        predict(QUESTION, choices)


def test_no_choice_is_lost_however_many_there_are() -> None:
    assert len(buttons(predict(QUESTION, [str(i) for i in range(12)]))) == 12


# ---------------------------------------------------------------- skip_the_rest


def test_after_skip_the_rest_cells_do_nothing_and_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        cells = [
            "from vaecourse.widgets import skip_the_rest",
            "skip_the_rest('no data'); after = 'the cell itself goes on'",
            "print(1); 1 / 0",
            "%no_such_magic",
            "later = 2",
        ]
        assert all(shell.run_cell(cell).success for cell in cells)
        assert capsys.readouterr() == ("no data\n", "")
        assert shell.user_ns["after"] == "the cell itself goes on"
        assert "later" not in shell.user_ns
    finally:
        InteractiveShell.clear_instance()


def test_outside_of_a_notebook_the_reason_is_printed_and_that_is_all(capsys: pytest.CaptureFixture[str]) -> None:
    skip_the_rest("no data")
    assert capsys.readouterr().out == "no data\n"


@pytest.mark.parametrize("number", ["04"])
def test_every_choice_of_a_quiz_is_answered_with_its_own_reason(number: str) -> None:
    control, questions = quiz(number), chapters()[number].QUIZ
    assert 3 <= len(questions) <= 5
    pressed = iter(buttons(control))
    for i, question in enumerate(questions):
        for j, (text, reason) in enumerate(question.choices):
            button = next(pressed)
            assert text in button.description
            button.click()
            said = html.unescape(texts(control)[2 * i + 1])
            assert reason in said
            assert ("Right" in said) == (j == question.right)
    assert [text.partition(".</b> ")[2] for text in texts(control)[::2]] == [html.escape(q.question) for q in questions]
    assert next(pressed, None) is None


def test_a_quiz_reads_as_plain_text_and_unknown_ones_are_refused() -> None:
    plain = quiz("04")._repr_mimebundle_()["text/plain"]
    for question in chapters()["04"].QUIZ:
        assert question.question in plain
        assert all(text in plain for text, _ in question.choices)
    with pytest.raises(ValueError, match="no quiz for notebook '4'"):
        quiz("4")
