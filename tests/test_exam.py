"""The exam: variants that differ in every question, marks that add up, and answers computed from the questions by other means."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, special, stats

from vaecourse.classroom.exam import MINUTES_PER_MARK, QUESTIONS, exam

SEEDS = range(100)
NUMBER = r"-?\d[\d,]*(?:\.\d+)?"


def numbers(text: str) -> list[float]:
    return [float(n.replace(",", "").rstrip(".")) for n in re.findall(NUMBER, text)]


def asked(question: int, seed: int, part: int = 0) -> str:
    return QUESTIONS[question - 1].made(seed)[part].asked


def answer(question: int, seed: int, part: int = 0) -> str:
    return QUESTIONS[question - 1].made(seed)[part].answer


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.parts.__name__)
def test_a_hundred_variants_of_each_question_differ_and_neighbours_share_no_number(question) -> None:
    told = [" ".join(part.asked for part in question.made(seed)) for seed in SEEDS]
    assert len({*told}) == len(SEEDS)
    for values in question.values:
        assert len({*values}) == len(values) > 2 or len(values) == 2
        assert all(values[seed % len(values)] != values[(seed + 1) % len(values)] for seed in SEEDS)
    assert all(math.gcd(len(a), len(b)) == 1 for a, b in itertools.combinations(question.values, 2))
    assert question.made(-1)  # any whole number is a seed
    answers = [" ".join(part.answer for part in question.made(seed)) for seed in SEEDS]
    assert all(a != b for a, b in itertools.pairwise(answers))


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_marks_add_up_and_answers_are_in_the_teachers_text_alone(seed: int) -> None:
    students, teachers = exam(seed)
    assert exam(seed) == (students, teachers)
    total = int(re.search(r"10 questions, (\d+) marks", students)[1])
    minutes = int(re.search(r"suggested duration (\d+) minutes", students)[1])
    heads, parts = ([int(n) for n in re.findall(rule, students, flags=re.M)] for rule in (r"^## \d+ \((\d+) mark", r"\*\[(\d+) marks?\]\*"))
    assert len(heads) == 10
    assert sum(heads) == sum(parts) == total
    assert minutes == MINUTES_PER_MARK * total
    assert "Answer" not in students
    assert "Answer" not in re.sub(r"\*\*Answer\.\*\* .*", "", teachers)
    assert teachers.count("**Answer.**") == len(parts)
    assert [line for line in students.splitlines() if line.startswith("(")] == [
        line for line in teachers.splitlines() if line.startswith("(")
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_answers_on_latents_with_two_values_are_those_of_enumeration(seed: int) -> None:
    _, weight, _, _, a, _, b, *_ = numbers(asked(1, seed))
    joint = {(z, x): (weight if z == 0 else 1 - weight) * (p if x else 1 - p) for z, p in ((0, a), (1, b)) for x in (0, 1)}
    for part, wanted in enumerate((joint[0, 1] + joint[1, 1], *(joint[0, x] / (joint[0, x] + joint[1, x]) for x in (1, 0)))):
        assert numbers(answer(1, seed, part))[-1] == pytest.approx(wanted, abs=6e-4)
    _, first, _, second, _, q_0 = numbers(asked(7, seed, 1))
    log_px, elbo, kl = (float(n) for n in re.findall(r"-?\d+\.\d{4}", answer(7, seed, 1)))
    posterior, q = np.array([first, second]) / (first + second), np.array([q_0, 1 - q_0])
    assert log_px == pytest.approx(special.logsumexp(np.log([first, second])), abs=6e-5)
    assert kl == pytest.approx(stats.entropy(q, posterior), abs=6e-5)
    assert elbo == pytest.approx(log_px - kl, abs=2e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_answer_on_underflow_is_that_of_exact_powers(seed: int) -> None:
    name, power, p = re.search(r"format (\w+) rounds .* \$2\^\{-(\d+)\}\$\. .* probability ([\d.]+), ", asked(2, seed)).groups()
    pixels = int(re.search(r"From \$(\d+)\$ pixels on", answer(2, seed))[1])
    exact, limit = Fraction(p), Fraction(1, 2 ** int(power))
    assert exact**pixels <= limit < exact ** (pixels - 1)
    kind = {"float16": np.float16, "float32": np.float32, "float64": np.float64}.get(name)
    if kind is None:  # bfloat16 has the exponents of float32 and 7 bits behind the point
        assert int(power) == 1 - int(np.finfo(np.float32).minexp) + 7
    else:
        assert np.ldexp(kind(1), -int(power)) == 0 < np.ldexp(kind(1), 1 - int(power))
    assert numbers(answer(2, seed, 1))[2] == pytest.approx(pixels * np.log(float(p)), abs=0.06)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_answers_on_weights_are_those_of_scipy(seed: int) -> None:
    top, lower = numbers(asked(3, seed))
    assert numbers(answer(3, seed))[-1] == pytest.approx(special.logsumexp([top, lower], b=0.5), abs=6e-4)
    assert np.exp(np.float32(top)) == 0  # as the answer to the second part says
    weights = np.array(numbers(asked(4, seed)))
    assert len(weights) == 4
    shares = weights / weights.sum()
    assert numbers(answer(4, seed))[-1] == pytest.approx(1 / (shares @ shares), abs=6e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_answer_on_a_normal_is_that_of_quadrature(seed: int) -> None:
    mu, sigma = numbers(re.search(r"q = (.*?) and", asked(5, seed))[1])[:2]
    q, p = stats.norm(mu, sigma), stats.norm()
    value, _ = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), mu - 12 * sigma, mu + 12 * sigma)
    assert float(re.search(r"= (\d+\.\d+)\$ nats", answer(5, seed))[1]) == pytest.approx(value, abs=6e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_answers_on_the_gap_and_on_units_are_right(seed: int) -> None:
    log_px, elbo = numbers(asked(6, seed))
    assert numbers(answer(6, seed))[0] == pytest.approx(log_px - elbo)
    assert 0 < log_px - elbo < 10
    nats, pixels = numbers(asked(10, seed))
    assert float(re.search(r"= ([\d.]+)\$ bits", answer(10, seed))[1]) == pytest.approx(-np.log2(np.exp(nats / pixels)), abs=6e-5)
    pixels, reconstruction, kl = numbers(asked(9, seed))
    loss, bound = re.search(r"= ([\d.]+)\$; minus the ELBO is \$([\d.]+)\$", answer(9, seed)).groups()
    assert float(loss) == pytest.approx(reconstruction / pixels + kl, abs=6e-4)
    assert float(bound) == reconstruction + kl
    beta = int(re.search(r"\\beta = (\d+)", answer(9, seed, 1))[1])
    assert (reconstruction + beta * kl) / beta == pytest.approx(float(loss), abs=6e-4)  # the same loss, up to a factor


@pytest.mark.parametrize("seed", SEEDS)
def test_the_answers_on_gradients_are_those_of_quadrature_and_differences(seed: int) -> None:
    a, b = (int(n) for n in re.search(r"f\(z\) = (\d+) z\^2 \+ (\d+) z", asked(8, seed)).groups())
    mu = float(re.search(r"\\mu = ([\d.]+)\$\.", asked(8, seed))[1])
    eps = float(re.search(r"\\varepsilon = (-?[\d.]+)\$", asked(8, seed, 1))[1])

    def f(z: float) -> float:
        return a * z**2 + b * z

    def mean(m: float) -> float:
        return integrate.quad(lambda z: f(z) * stats.norm.pdf(z, m), m - 12, m + 12)[0]

    told = numbers(answer(8, seed))[-1]
    assert told == pytest.approx((mean(mu + 1e-3) - mean(mu - 1e-3)) / 2e-3, abs=1e-4)
    found = re.search(r"z \+ \d+ = (-?[\d.]+)\$; score function .*? = (-?[\d.]+)\$", answer(8, seed, 1))
    path, score = (float(n) for n in found.groups())
    z, h = mu + eps, 1e-4
    assert path == pytest.approx((f(mu + h + eps) - f(mu - h + eps)) / (2 * h), abs=6e-4)
    assert score == pytest.approx(f(z) * (stats.norm.logpdf(z, mu + h) - stats.norm.logpdf(z, mu - h)) / (2 * h), abs=6e-4)
