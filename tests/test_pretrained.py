"""The shipped models are as good as their datasheet says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from vaecourse.data import load_digits
from vaecourse.estimators import elbo, mean_and_error
from vaecourse.models import pretrained, pretrained_vae
from vaecourse.oracles import exact_log_px

DATASHEET = (Path(__file__).parent.parent / "data" / "README.md").read_text(encoding="utf-8")


def test_the_exact_likelihood_of_the_strokes_decoder_is_the_one_in_the_datasheet() -> None:
    written = re.search(r"^\| strokes \|.*\| (-[\d.]+) ± ([\d.]+) \|$", DATASHEET, flags=re.M)
    log_px = exact_log_px(pretrained("strokes"), load_digits("strokes").test.x)
    assert log_px.mean().item() == pytest.approx(float(written.group(1)), abs=0.06)
    assert log_px.std().item() / len(log_px) ** 0.5 == pytest.approx(float(written.group(2)), abs=0.06)


@pytest.mark.parametrize("latent_dim", [20, 2])
def test_the_elbo_of_the_strokes_vaes_is_the_one_in_the_datasheet(latent_dim: int) -> None:
    torch.manual_seed(0)
    written = re.search(rf"^\| strokes, K = {latent_dim} \|.*?\| (-[\d.]+) ± ([\d.]+) \|", DATASHEET, flags=re.M)
    found, error = mean_and_error(elbo(pretrained_vae(latent_dim, "strokes"), load_digits("strokes").test.x, 20))
    assert found == pytest.approx(float(written.group(1)), abs=0.12)  # of the samples, about 0.02
    assert error == pytest.approx(float(written.group(2)), abs=0.06)
