"""Questions with answers: predictions before a result, and the quiz at the end of a notebook.

Each choice is a line that opens (an HTML `details` element), so a saved notebook answers without a kernel and without scripts. Where
scripts run, the first choice is marked, and a quiz keeps the score. `skip_the_rest` is a control over the notebook itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from string import ascii_lowercase

from vaecourse.exercises import Question
from vaecourse.verify import note_skipped
from vaecourse.widgets.live import script

__all__ = ["Questions", "predict", "quiz", "skip_the_rest"]


@dataclass(frozen=True)
class Questions:
    """One question or several, as a page fragment in a notebook and as plain text elsewhere.

    Attributes:
        items: the questions with their choices and explanations.
        heading: the text before the question of a prediction; a quiz numbers its questions instead.
    """

    items: tuple[Question, ...]
    heading: str = ""

    def __repr__(self) -> str:  # without the answers: it is what is read first
        lines = []
        for number, item in enumerate(self.items, 1):
            lines += [f"{self.heading or number}{':' if self.heading else '.'} {item.question}"]
            lines += [f"  ({letter}) {choice}" for letter, (choice, _) in zip(ascii_lowercase, item.choices)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        groups = [self._group(number, item) for number, item in enumerate(self.items, 1)]
        mark = hashlib.sha256(repr(self).encode()).hexdigest()[:12]
        return f'<div data-vae="{mark}">{"".join(groups)}</div>\n{script("questions", f"bringToLife({mark!r});")}'

    def _group(self, number: int, item: Question) -> str:
        choices = []
        for i, (letter, (choice, reason)) in enumerate(zip(ascii_lowercase, item.choices)):
            verdict = "✓ Right." if i == item.right else "✗ Not so."
            choices.append(
                f'<details data-right="{int(i == item.right)}" style="margin: 2px 0 2px 1em">'
                f'<summary data-lm-suppress-shortcuts="true">({letter}) {escape(choice, quote=False)}</summary>'
                f'<div style="margin-left: 1.2em"><b>{verdict}</b> {escape(reason, quote=False)}</div></details>'
            )
        before = self.heading or str(number)
        question = f"<p><b>{before}.</b> {escape(item.question, quote=False)}</p>"
        name = f"{before}: {item.question}" if self.heading else f"Question {number}"
        return (
            f'<div role="group" aria-label="{escape(name)}" style="max-width: 60em; line-height: 1.45">{question}{"".join(choices)}</div>'
        )


def predict(question: str, choices: Mapping[str, str], right: str) -> Questions:
    """A question to answer before the next cell is run. The choice that the reader takes says whether it is right, and why.

    Args:
        question: the question.
        choices: from each choice to the explanation for a reader who takes it: why it is right, or why it is tempting but wrong.
        right: the right choice.

    Returns:
        The question; let it be the last expression of its cell.

    Raises:
        ValueError: there are fewer than 2 choices or more than 26, a choice has no explanation, or `right` is not among them.

    Example:
        >>> predict("Is 2 + 2 equal to 5?", {"yes": "Count again.", "no": "It is 4."}, right="no")
        Predict: Is 2 + 2 equal to 5?
          (a) yes
          (b) no
    """
    if not 2 <= len(choices) <= 26:
        raise ValueError(f"a prediction needs 2 to 26 choices; got {len(choices)}")
    silent = [choice for choice, reason in choices.items() if not reason.strip()]
    if silent:
        raise ValueError(f"every choice needs an explanation for the reader who takes it; {silent[0]!r} has none")
    if right not in choices:
        raise ValueError(f"right= must be one of the choices ({', '.join(map(repr, choices))}); got {right!r}")
    return Questions((Question(question, tuple(choices.items()), list(choices).index(right)),), "Predict")


def quiz(notebook: str) -> Questions:
    """The quiz at the end of a notebook: each choice, right or wrong, is answered with the reason.

    Args:
        notebook: its number, for example "04".

    Returns:
        The questions; let them be the last expression of their cell.

    Raises:
        ValueError: there is no quiz for this notebook.

    Example:
        >>> len(quiz("04").items) > 1
        True
    """
    from vaecourse.exercises import chapters

    if notebook not in chapters():
        raise ValueError(f"there is no quiz for notebook {notebook!r}; there is one for each of {', '.join(chapters())}")
    return Questions(tuple(chapters()[notebook].QUIZ))


def skip_the_rest(why: str) -> None:
    """Print `why`; every cell that is run afterwards does nothing, until the kernel is restarted.

    It is for a notebook whose data is not available: it runs to its end, says so once, and shows no error. Outside of IPython there are
    no cells, and only the line is printed.

    Example:
        >>> skip_the_rest("MNIST is not available.")
        MNIST is not available.
    """
    from IPython import get_ipython

    print(why)
    note_skipped(why)
    shell = get_ipython()
    if shell is not None:
        shell.input_transformers_post.append(lambda lines: ["pass\n"])
