"""Twelve questions for before and after the course, and what a class gained between the two.

`python -m vaecourse concepts before anna` asks them in a terminal and stores the answers in a file.
`python -m vaecourse gain FOLDER` reads the files of a class. Nothing is sent anywhere. The gain describes this class, and says nothing
about its cause.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from vaecourse.exercises import Question
from vaecourse.files import located, replacing

__all__ = ["QUESTIONS", "Gain", "ask", "gain", "store"]

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


def ask(
    reply: Callable[[str], str] = input, tell: Callable[[str], None] = print, questions: Iterable[Question] = QUESTIONS
) -> list[int | None]:
    """Ask each question once and return the index of each choice, None where it was skipped with an empty line.

    Whether an answer is right is not told, because the same questions come again after the course.
    """
    given = []
    for number, question in enumerate(questions, 1):
        tell(f"\n{number}. {question.question}")
        for letter, (choice, _) in zip("abcd", question.choices):
            tell(f"   {letter}) {choice}")
        answer = reply("Your choice, or Enter to skip: ").strip().lower()
        while answer and (len(answer) != 1 or answer not in "abcd"[: len(question.choices)]):
            answer = reply("a, b, c or d, or Enter to skip: ").strip().lower()
        given.append("abcd".index(answer) if answer else None)
    return given


def store(when: str, student: str, given: list[int | None], folder: str | Path = ".") -> Path:
    """Write the answers of a student to folder/student-when.json, and return its path.

    Raises:
        ValueError: `when` is neither "before" nor "after", or the name holds anything but letters, digits, "_", "." and "-".
        FileExistsError: the answers are there already.
    """
    if when not in WHEN:
        raise ValueError(f'the test is taken "before" or "after" the course; got {when!r}')
    if not re.fullmatch(r"[\w.-]+", student):
        raise ValueError(f"the name is part of a file's name: use letters, digits, _, . and - only; got {student!r}")
    path = located(folder) / f"{student}-{when}.json"
    if path.exists():
        raise FileExistsError(f"{path} exists: these answers are given already. Remove the file to answer again")
    with replacing(path) as part:
        part.write_text(json.dumps({"student": student, "when": when, "answers": given}, indent=1), encoding="utf-8")
    return path


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
    def normalised(self) -> float:
        """The average normalised gain of the class, (after - before) / (1 - before) of the class means (Hake 1998); NaN if before is 1."""
        before, after = mean(self.before), mean(self.after)
        return (after - before) / (1 - before) if before < 1 else float("nan")

    def __repr__(self) -> str:
        differences = [b - a for a, b in zip(self.before, self.after)]
        error = stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else float("nan")
        lines = [
            f"{len(self.students)} students took both tests",
            f"right before {mean(self.before):.0%}, after {mean(self.after):.0%}; difference {mean(differences):+.0%} ± {error:.0%}",
            f"normalised gain {self.normalised:.2f}; it describes this class, and names no cause",
            "question  before  after",
        ]
        return "\n".join([*lines, *(f"{i:8}{a:>8.0%}{b:>7.0%}" for i, (a, b) in enumerate(self.questions, 1))])


def gain(folder: str | Path) -> Gain:
    """The gain of the class whose files lie in a folder. Students who took one of the two tests only are left out.

    Raises:
        ValueError: no student took both tests, or a file holds something else.
    """
    right: dict[str, dict[str, list[bool]]] = {}
    for path in sorted(located(folder).glob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            student, when, given = record["student"], record["when"], record["answers"]
            if when not in WHEN or len(given) != len(QUESTIONS):
                raise ValueError
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} does not hold the answers to the {len(QUESTIONS)} questions: move it out of this folder") from error
        right.setdefault(student, {})[when] = [answer == question.right for answer, question in zip(given, QUESTIONS)]
    both = {student: marks for student, marks in sorted(right.items()) if set(marks) == set(WHEN)}
    if not both:
        raise ValueError(f"no student in {folder} took the test both before and after the course")
    before, after = ([mean(marks[when]) for marks in both.values()] for when in WHEN)
    shares = [tuple(mean(marks[when][i] for marks in both.values()) for when in WHEN) for i in range(len(QUESTIONS))]
    return Gain(tuple(both), tuple(before), tuple(after), tuple(shares))
