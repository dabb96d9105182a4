"""Questions that answer without a kernel: what is saved of them can be read, opened and compared."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from vaecourse.exercises import chapters
from vaecourse.regression.compare import compare_outputs
from vaecourse.widgets import predict, quiz, skip_the_rest

QUESTION = "What happens to the estimate, if n < 10?"
CHOICES = {"it rises": "More samples do not raise an average.", "it falls": "The logarithm is concave.", "it stays": "Only E[p̂] does."}
PLAIN = "Predict: What happens to the estimate, if n < 10?\n  (a) it rises\n  (b) it falls\n  (c) it stays"


class Reader(HTMLParser):
    """The choices of a fragment: for each `details` element its summary, what it opens on, and whether it is marked as right."""

    def __init__(self, html: str):
        super().__init__()
        self.choices, self.names, self.place = [], [], None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        attrs = dict(attrs)
        if tag == "details":
            self.choices.append(["", "", attrs["data-right"] == "1"])
        if tag in ("summary", "script"):
            self.place = tag
        self.names += [attrs["aria-label"]] if attrs.get("role") == "group" else []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("summary", "script"):
            self.place = "inside"

    def handle_data(self, data: str) -> None:
        if self.choices and self.place != "script":
            self.choices[-1][0 if self.place == "summary" else 1] += data


def test_every_choice_of_a_prediction_opens_on_its_verdict_and_reason() -> None:
    read = Reader(predict(QUESTION, CHOICES, right="it falls")._repr_html_())
    assert [c[0] for c in read.choices] == ["(a) it rises", "(b) it falls", "(c) it stays"]
    assert [c[2] for c in read.choices] == [False, True, False]
    for (_, said, right), reason in zip(read.choices, CHOICES.values()):
        assert said.startswith("✓ Right." if right else "✗ Not so.")
        assert reason in said
    assert read.names == [f"Predict: {QUESTION}"]


def test_the_plain_text_asks_and_does_not_answer() -> None:
    asked = predict(QUESTION, CHOICES, right="it falls")
    assert repr(asked) == PLAIN


@pytest.mark.parametrize(
    ("choices", "right", "says"),
    [
        ({}, "x", "2 to 26 choices"),
        ({"only one": "why"}, "only one", "2 to 26 choices; got 1"),
        ({"this": "why", "that": " "}, "this", "'that' has none"),
        ({"this": "why", "that": "why not"}, "those", "must be one of the choices"),
    ],
)
def test_a_prediction_that_could_not_answer_is_refused(choices: dict, right: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        predict(QUESTION, choices, right=right)


@pytest.mark.parametrize("number", list(chapters()))
def test_every_choice_of_a_quiz_opens_on_its_own_reason(number: str) -> None:
    questions = chapters()[number].QUIZ
    assert 3 <= len(questions) <= 5
    read = Reader(quiz(number)._repr_html_())
    expected = [(text, reason, i == q.right) for q in questions for i, (text, reason) in enumerate(q.choices)]
    assert len(read.choices) == len(expected)
    for (summary, said, right), (text, reason, should) in zip(read.choices, expected):
        assert summary.endswith(f") {text}")
        assert reason in said
        assert right == should == said.startswith("✓")
    assert read.names == [f"Question {i}" for i in range(1, len(questions) + 1)]


def test_a_quiz_reads_as_plain_text_and_unknown_ones_are_refused() -> None:
    for question in chapters()["04"].QUIZ:
        assert question.question in repr(quiz("04"))
        assert all(text in repr(quiz("04")) for text, _ in question.choices)
    with pytest.raises(ValueError, match="no quiz for notebook '4'"):
        quiz("4")


def test_questions_are_compared_by_their_text() -> None:
    def saved(script: str) -> list[dict]:
        data = {"text/html": f'<div data-vae="1"></div><script>{script}</script>', "text/plain": PLAIN}
        return [{"output_type": "execute_result", "metadata": {}, "data": data, "execution_count": 1}]

    assert compare_outputs(saved("one"), saved("another")) == []


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
