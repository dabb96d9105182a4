"""Small controls for notebooks, questions above all. Each works with the keyboard, and says its state in words.

And one control over the notebook itself: `skip_the_rest`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from string import ascii_lowercase

from vaecourse.exercises.cards import buttons
from vaecourse.verify import note_skipped


def predict(question: str, choices: Sequence[str]):
    """A question to answer before the next cell is run: one button a choice, and a line that keeps the reader's answer.

    The answer is not judged here: the next cell does that. Without a running kernel the question and the choices still
    stand in the output as plain text.

    Returns:
        An ipywidgets.VBox; let it be the last expression of its cell.
    """
    if not 2 <= len(choices) <= 26:
        raise ValueError(f"a prediction needs 2 to 26 choices; got {len(choices)}")
    lettered = _lettered(choices)

    def say(chosen: int) -> str:
        return f"You predicted: {lettered[chosen]}. Now run the next cell."

    parts = _choices(f"<b>Predict.</b> {escape(question)}", lettered, "Predict", "No prediction yet.", say)
    return _in_words(parts, f"Predict: {question}\n" + "\n".join(f"  {text}" for text in lettered))


def quiz(notebook: str):
    """The quiz at the end of a notebook: each choice, right or wrong, is answered with the reason.

    Args:
        notebook: its number, for instance "04".

    Returns:
        An ipywidgets.VBox; let it be the last expression of its cell.
    """
    from vaecourse.exercises import chapters

    if notebook not in chapters():
        raise ValueError(f"there is no quiz for notebook {notebook!r}; there is one for each of {', '.join(chapters())}")
    parts, plain = [], []
    for number, question in enumerate(chapters()[notebook].QUIZ, 1):
        lettered = _lettered([text for text, _ in question.choices])

        def say(chosen: int, question=question, lettered=lettered) -> str:
            verdict = "✓ Right." if chosen == question.right else "✗ Not so."
            return f"<b>{verdict}</b> {escape(lettered[chosen])} {escape(question.choices[chosen][1])}"

        parts += _choices(f"<b>{number}.</b> {escape(question.question)}", lettered, f"Question {number}:", "No answer yet.", say)
        plain += [f"{number}. {question.question}", *(f"  {text}" for text in lettered)]
    return _in_words(parts, "\n".join(plain))


def _lettered(choices: Sequence[str]) -> list[str]:
    return [f"({letter}) {choice}" for letter, choice in zip(ascii_lowercase, choices)]


def _choices(heading: str, labels: Sequence[str], purpose: str, before: str, say: Callable[[int], str]) -> list:
    """A heading, a button for each choice, and a line that says what `say` makes of the choice made last."""
    return buttons(heading, [(label, f"{purpose} {label}", lambda i=i: say(i)) for i, label in enumerate(labels)], before)


def _in_words(parts: list, plain: str):
    """The parts below each other; where there is no kernel, and under test, `plain` stands for them."""
    import ipywidgets as widgets

    class InWords(widgets.VBox):
        def __repr__(self) -> str:
            return plain

        def _repr_mimebundle_(self, **kwargs) -> dict:
            bundle = super()._repr_mimebundle_(**kwargs)  # ipywidgets cuts its plain text after 110 characters
            return bundle | {"text/plain": plain} if bundle else bundle

    return InWords(parts)


def skip_the_rest(why: str) -> None:
    """Print `why`; every cell that is run after this one does nothing, until the kernel is restarted.

    For a notebook whose data cannot be had: it runs to its end, says so once, and shows no error. Outside of IPython
    there are no cells, and the line is all.
    """
    from IPython import get_ipython

    print(why)
    note_skipped(why)
    shell = get_ipython()
    if shell is not None:
        shell.input_transformers_post.append(lambda lines: ["pass\n"])
