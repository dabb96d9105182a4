"""The shipped decoder is as good as its datasheet says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vaecourse.data import load_digits
from vaecourse.models import pretrained
from vaecourse.oracles import exact_log_px

DATASHEET = (Path(__file__).parent.parent / "data" / "README.md").read_text(encoding="utf-8")


def test_the_exact_likelihood_of_the_strokes_decoder_is_the_one_in_the_datasheet() -> None:
    written = re.search(r"^\| strokes \|.*\| (-[\d.]+) ± ([\d.]+) \|$", DATASHEET, flags=re.M)
    log_px = exact_log_px(pretrained("strokes"), load_digits("strokes").test.x)
    assert log_px.mean().item() == pytest.approx(float(written.group(1)), abs=0.06)
    assert log_px.std().item() / len(log_px) ** 0.5 == pytest.approx(float(written.group(2)), abs=0.06)
