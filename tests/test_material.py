"""The teacher's material: complete, right, and kept apart."""

from __future__ import annotations

import math
import re
from pathlib import Path

import nbformat
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaecourse.classroom import material
from vaecourse.classroom.convert import solution_of
from vaecourse.classroom.exam import exam
from vaecourse.exercises import check, exercise, names

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", names())
def test_every_solution_runs_on_its_own_and_is_right(name: str) -> None:
    space: dict = {"__name__": "__main__"}
    exec(solution_of(name), space)
    assert check(name, space[name]).passed


def test_every_mistake_has_an_id_of_its_own() -> None:
    for name in names():
        ids = [mistake.id for mistake in exercise(name).mistakes]
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", i) for i in ids), name
        assert len(set(ids)) == len(ids), name
        assert "aside" not in ids


def test_the_folder_holds_everything_and_the_exam_for_students_no_answers(tmp_path: Path) -> None:
    written = material.write(tmp_path, seed=3)
    assert all(path.exists() for path in written)
    assert {path.stem for path in tmp_path.glob("slides/*.html")} == {path.stem for path in NOTEBOOKS}
    assert "**Answer.**" not in (tmp_path / "exam.md").read_text()
    assert (tmp_path / "exam_answers.md").read_text().count("**Answer.**") == 10
    solutions = (tmp_path / "solutions.md").read_text()
    assert all(f"· {name}\n" in solutions for name in names())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_slides_have_every_figure_with_its_text_and_predictions_one_right_choice_each(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    pictures = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "image/png" in o.get("data", {})]
    page = material.slides_of(notebook)
    assert page.count("<img alt=") == len(pictures)
    assert "http" not in re.sub(r'src="data:[^"]*"', "", page)
    assert "<li>" in page  # the summary
    asked = sum("predict(\n" in c.source for c in notebook.cells if c.cell_type == "code")
    assert material.predictions_of(notebook).count("- ✓ *") >= asked


def test_variants_of_the_exam_differ_and_their_answers_are_right() -> None:
    assert exam(1) != exam(2)
    assert exam(1) == exam(1)
    for seed in range(20):
        _, told = exam(seed)
        mu, sigma, kl = re.search(r"N\}\(([\d.]+), ([\d.]+)\^2.*?= ([\d.]+)\$ nats", told, flags=re.S).groups()
        assert float(kl) == pytest.approx(kl_divergence(Normal(float(mu), float(sigma)), Normal(0.0, 1.0)).item(), abs=6e-4)
        p, pixels = re.search(r"probability ([\d.]+)\. The smallest.*?From \$(\d+)\$ pixels", told, flags=re.S).groups()
        product = torch.tensor(float(p), dtype=torch.float64) ** torch.arange(1, 500, dtype=torch.float64)
        assert int((product.float() > 0).sum()) + 1 == int(pixels)
        top, lower, value = re.search(r"log-weights are (-\d+) and (-\d+).*? = (-[\d.]+)\$", told, flags=re.S).groups()
        assert float(value) == pytest.approx(torch.tensor([float(top), float(lower)]).double().logsumexp(0).item() - math.log(2), abs=6e-4)
        weight, a, b, px = re.search(
            r"probability ([\d.]+) and 1.*?probability ([\d.]+) if.*?and ([\d.]+) if.*?= ([\d.]+)\$; the posterior", told, flags=re.S
        ).groups()
        assert float(px) == pytest.approx(float(weight) * float(a) + (1 - float(weight)) * float(b), abs=6e-4)
