"""Twelve questions for before and after the course, and what a class gained between the two.

`python -m vaecourse concepts before anna` asks them in a terminal and stores the answers in a file. A test that was interrupted goes on
where it stopped.
`python -m vaecourse gain FOLDER` reads the files of a class. Nothing is sent anywhere. The gain describes this class, and says nothing
about its cause.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from vaecourse.classroom.writing import write_all
from vaecourse.exercises import Question
from vaecourse.files import can_be_written, existing, located, replacing

__all__ = ["QUESTIONS", "Gain", "Interrupted", "ask", "command", "gain", "store", "take"]

WHEN = ("before", "after")


def _question(question: str, right: tuple[str, str], *wrong: tuple[str, str], place: int) -> Question:
    """A question whose right choice stands at `place`, counted from 0."""
    choices = list(wrong)
    choices.insert(place, right)
    return Question(question, tuple(choices), place)


QUESTIONS = (
    _question(
        "A latent variable model has p(z) and p(x|z). Which formula gives p(x)?",
        ("the average of p(x|z) over z from p(z)", "This is the sum or integral of p(z) p(x|z) over all z."),
        ("p(x|z) at the mean of p(z)", "The mean of a function is not the function at the mean."),
        ("the largest p(x|z) over all z", "The largest value is no average; p(x) would not sum to 1 over all x."),
        ("p(x|z) / p(z)", "This is neither a marginal nor a posterior."),
        place=2,
    ),
    _question(
        "The pixels of an image are independent given z. How does the log-likelihood of the image follow from those of its pixels?",
        ("their sum", "Probabilities of independent pixels multiply, so logarithms add."),
        ("their mean", "The mean is the sum divided by the number of pixels, and weighs the KL divergence differently."),
        ("their product", "Probabilities multiply, logarithms add."),
        ("the logarithm of their sum", "The logarithms are added; no further logarithm is taken."),
        place=0,
    ),
    _question(
        "An image of 784 binary pixels has p(x) = e^-150. What does float32 give for the product of its pixel probabilities?",
        ("exactly 0", "The smallest positive float32 is about 1e-45, which is e^-103."),
        ("about 7e-66", "That is e^-150, which lies below the smallest positive float32."),
        ("NaN", "A product of positive numbers that is too small becomes 0, not NaN."),
        ("an error", "Underflow gives no error."),
        place=1,
    ),
    _question(
        "We estimate p(x) without bias by the mean of N importance weights. What is the logarithm of this estimate?",
        ("too low on average", "The logarithm is concave, so Jensen's inequality applies."),
        ("unbiased", "The logarithm of an unbiased estimate is biased, unless the estimate does not vary."),
        ("too high on average", "Jensen's inequality points the other way."),
        ("too low in every single run", "On average only: a single run may be too high."),
        place=3,
    ),
    _question(
        "Importance sampling from q gives nearly equal weights in a sample of 1,000. What follows?",
        (
            "q may be good, or it may miss a part of the posterior that was never sampled",
            "The weights at hand say nothing about places that q did not visit.",
        ),
        ("q covers the posterior", "A mode that q does not reach leaves no trace in the sampled weights."),
        ("the estimate of p(x) has a small error", "The error is large if an important region was missed."),
        ("the variance of the weights is finite", "A sample of finite size cannot show that."),
        place=1,
    ),
    _question(
        "log p(x) - ELBO is equal to",
        ("KL(q(z) || p(z|x))", "The gap is the KL divergence from q to the posterior."),
        ("KL(q(z) || p(z))", "This is the KL divergence to the prior, a term of the ELBO itself."),
        ("KL(p(z|x) || q(z))", "This is the other direction."),
        ("the reconstruction error", "The gap is 0 for the exact posterior, whatever the reconstruction is."),
        place=0,
    ),
    _question(
        "The ELBO of a model rose by 2 nats during training. What do we know about log p(x)?",
        (
            "nothing certain: the gap may have become smaller",
            "The ELBO is log p(x) minus the gap, and both change while encoder and decoder are trained.",
        ),
        ("it rose by 2 nats", "Only if the gap stayed the same."),
        ("it rose by at least 2 nats", "The gap may have shrunk instead."),
        ("it rose by at most 2 nats", "The gap may have grown, so that log p(x) rose by more."),
        place=2,
    ),
    _question(
        "Why does a VAE draw z as mu + sigma * eps?",
        (
            "so that a gradient with respect to mu and sigma passes through the sample",
            "The randomness is moved to eps, which does not depend on the parameters.",
        ),
        ("because other samples of a normal are biased", "Any way of sampling gives the same distribution."),
        ("to make the samples independent", "They are independent anyway."),
        ("to keep the KL divergence finite", "The KL divergence has a closed form and needs no sample."),
        place=3,
    ),
    _question(
        "A loss averages the reconstruction term over 784 pixels and adds the KL divergence unchanged. What was trained?",
        (
            "a VAE whose KL divergence weighs 784 times too much",
            "Dividing the sum by 784 is the same as multiplying the KL divergence by 784, up to a constant factor.",
        ),
        ("the same VAE with a smaller learning rate", "Only if the KL divergence were divided by 784 as well."),
        ("a VAE without a KL divergence", "It is there, and outweighs the reconstruction."),
        ("the same VAE: constants do not matter", "A constant factor on one of two terms matters."),
        place=1,
    ),
    _question(
        "Nearly all samples of z for an image are decoded to the same blurred digit, and the KL divergence is almost 0. This is called",
        ("posterior collapse", "q(z|x) is close to the prior, and z says nothing about x."),
        ("overfitting", "The model does not even use the image."),
        ("underflow", "No number was too small."),
        ("the amortisation gap", "A collapsed posterior may have a gap of 0."),
        place=2,
    ),
    _question(
        "Two papers report -86.8 and -84.7 nats on 'binarised MNIST'. What must we know before we compare them?",
        (
            "which binarisation and which training images they used, and which bound with how many samples",
            "Each of these moves such a number by a nat or more.",
        ),
        ("the number of parameters alone", "A larger model may be compared with a smaller one; other data may not."),
        ("nothing: nats are nats", "They are log-probabilities of different images."),
        ("the batch size alone", "It does not change what is measured."),
        place=0,
    ),
    _question(
        "The importance weighted bound with 5,000 samples has a standard error of 0.2 nats over images. On average log p(x) lies",
        (
            "above the bound by an unknown amount, apart from the error over images",
            "The bias of the bound is not contained in the standard error.",
        ),
        ("within 0.4 nats of the bound", "The standard error does not contain the bias."),
        ("below the bound", "It is a lower bound in expectation."),
        ("exactly at the bound, because k is large", "How large k must be depends on the encoder."),
        place=3,
    ),
)


class Interrupted(RuntimeError):
    """The test was left before its end. The message says what is stored, and how to go on."""


def command(when: str, student: str) -> str:
    """The command that asks a student."""
    return f"python -m vaecourse concepts {when} {student}"


def ask(
    reply: Callable[[str], str] = input,
    tell: Callable[[str], None] = print,
    questions: Sequence[Question] = QUESTIONS,
    given: Sequence[int | None] = (),
    keep: Callable[[list[int | None]], None] = lambda given: None,
) -> list[int | None]:
    """Ask each question once and return the index of each choice, None where it was skipped with an empty line.

    Whether an answer is right is not told, because the same questions come again after the course.

    Args:
        reply: gives the line that is typed after a prompt.
        tell: shows a line.
        questions: what is asked.
        given: the answers that are there already; the questions behind them are asked.
        keep: called with all answers after each of them.
    """
    given = list(given)
    for number, question in list(enumerate(questions, 1))[len(given) :]:
        letters = "abcd"[: len(question.choices)]
        tell(f"\n{number}. {question.question}")
        for letter, (choice, _) in zip(letters, question.choices):
            tell(f"   {letter}) {choice}")
        answer = reply("Your choice, or Enter to skip: ").strip().lower()
        while answer and answer not in tuple(letters):
            tell(f'"{answer}" is none of the choices, and is not stored. Question {number} again:')
            answer = reply(f"{', '.join(letters[:-1])} or {letters[-1]}, or Enter to skip: ").strip().lower()
        given.append(letters.index(answer) if answer else None)
        keep(given)
    return given


def take(
    when: str,
    student: str,
    folder: str | Path = ".",
    reply: Callable[[str], str] = input,
    tell: Callable[[str], None] = print,
) -> Path:
    """Ask a student, store the answers, and return the path of their file. What was answered before an interruption is not asked again.

    Raises:
        Interrupted: the input ended, or the test was interrupted from the keyboard.
        ValueError, FileExistsError: as `store`, before anything is asked.
    """
    path = _new_file(when, student, folder)
    rest = path.with_name(f"{student}-{when}.unfinished")
    given = _record(rest, complete=False)[2] if rest.exists() else []
    if given:
        tell(f"{len(given)} of {len(QUESTIONS)} questions are answered. The others:")

    def keep(so_far: list[int | None]) -> None:
        with replacing(rest) as part:
            part.write_text(_text(when, student, so_far), encoding="utf-8")

    try:
        given = ask(reply, tell, given=given, keep=keep)
    except (EOFError, KeyboardInterrupt):
        given = _record(rest, complete=False)[2] if rest.exists() else []
        stored = f"{len(given)} of {len(QUESTIONS)} answers are stored in {rest}" if given else "nothing was answered yet"
        raise Interrupted(f"The test was interrupted; {stored}. To go on, here: {command(when, student)}") from None
    path = store(when, student, given, folder)
    rest.unlink(missing_ok=True)
    return path


def store(when: str, student: str, given: list[int | None], folder: str | Path = ".") -> Path:
    """Write the answers of a student to folder/student-when.json, and return its path.

    Raises:
        ValueError: `when` is neither "before" nor "after", the name holds anything but letters, digits, "_", "." and "-", or the answers
            are not those to the twelve questions.
        FileExistsError: the answers are there already.
        NotADirectoryError, PermissionError: there is no such folder, or it cannot be written to.
    """
    path = _new_file(when, student, folder)
    _check(given, complete=True)
    write_all({path: _text(when, student, given)})
    return path


def _new_file(when: str, student: str, folder: str | Path) -> Path:
    """The path of the answers, which are not there yet."""
    if when not in WHEN:
        raise ValueError(f'the test is taken "before" or "after" the course; got {when!r}')
    if not re.fullmatch(r"[\w.-]{1,100}", student):
        raise ValueError(f"the name is part of a file's name: use up to 100 letters, digits, _, . and - only; got {student!r}")
    path = located(folder) / f"{student}-{when}.json"
    if path.exists():
        raise FileExistsError(f"{path} exists: these answers are given already. Remove the file to answer again")
    can_be_written(path.parent)
    return path


def _text(when: str, student: str, given: Sequence[int | None]) -> str:
    return json.dumps({"student": student, "when": when, "answers": given}, indent=1)


def _check(given: Sequence[int | None], complete: bool) -> None:
    """Raise a ValueError unless each answer is None or the index of a choice, with an answer to all questions or to the first of them."""
    fits = len(given) == len(QUESTIONS) if complete else len(given) <= len(QUESTIONS)
    known = all(a is None or (type(a) is int and 0 <= a < len(q.choices)) for a, q in zip(given, QUESTIONS))
    if not (fits and known):
        raise ValueError(f"answers are numbers from 0 to 3, or None, one for each of the {len(QUESTIONS)} questions; got {given}")


def _record(path: Path, complete: bool = True) -> tuple[str, str, list[int | None]]:
    """Student, when and answers from a file.

    Raises:
        ValueError: the file holds something else.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        student, when, given = record["student"], record["when"], record["answers"]
        if when not in WHEN or not isinstance(student, str):
            raise ValueError
        _check(given, complete)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} does not hold answers to the {len(QUESTIONS)} questions: move it out of this folder") from error
    return student, when, given


@dataclass(frozen=True)
class Gain:
    """What a class gained.

    Attributes:
        before, after: the share of right answers of each student who took both tests, in the same order.
        students: their names.
        questions: for each question the share of these students who were right before, and after.
    """

    students: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    questions: tuple[tuple[float, float], ...]

    @property
    def normalised(self) -> float | None:
        """The average normalised gain of the class, (after - before) / (1 - before) of the class means (Hake 1998); None if before is 1."""
        before, after = mean(self.before), mean(self.after)
        return (after - before) / (1 - before) if before < 1 else None

    @property
    def standard_error(self) -> float | None:
        """Of the mean difference between after and before, over students; None for a single student."""
        differences = [b - a for a, b in zip(self.before, self.after)]
        return stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else None

    def __repr__(self) -> str:
        before, after, error, normalised = mean(self.before), mean(self.after), self.standard_error, self.normalised
        between = f"{100 * (after - before):+.0f}" + ("" if error is None else f" ± {100 * error:.0f}") + " percentage points"
        lines = [
            f"{len(self.students)} student{'s' * (len(self.students) != 1)} took both tests",
            f"right before {before:.0%}, after {after:.0%}; difference {between}",
            "no ± for a single student: it would be the standard error over students"
            if error is None
            else "± is the standard error of the mean difference over students",
            "no normalised gain: all answers were right before the course"
            if normalised is None
            else f"normalised gain {normalised:.2f}; it describes this class, and names no cause",
            "question  before  after",
        ]
        return "\n".join([*lines, *(f"{i:8}{a:>8.0%}{b:>7.0%}" for i, (a, b) in enumerate(self.questions, 1))])


def gain(folder: str | Path) -> Gain:
    """The gain of the class whose files lie in a folder. Students who took one of the two tests only are left out.

    Raises:
        ValueError: no student took both tests, a file holds something else, or two files hold the same test of one student.
        FileNotFoundError, NotADirectoryError: there is no such folder.
    """
    right: dict[str, dict[str, list[bool]]] = {}
    for path in sorted(existing(located(folder)).glob("*.json")):
        student, when, given = _record(path)
        if when in right.setdefault(student, {}):
            raise ValueError(f'{path} holds the test "{when}" of {student}, as another file here does: move one of them out of this folder')
        right[student][when] = [answer == question.right for answer, question in zip(given, QUESTIONS)]
    both = {student: marks for student, marks in sorted(right.items()) if set(marks) == set(WHEN)}
    if not both:
        raise ValueError(f"no student in {folder} took the test both before and after the course, in files such as anna-before.json")
    before, after = ([mean(marks[when]) for marks in both.values()] for when in WHEN)
    shares = [tuple(mean(marks[when][i] for marks in both.values()) for when in WHEN) for i in range(len(QUESTIONS))]
    return Gain(tuple(both), tuple(before), tuple(after), tuple(shares))
