"""Which outputs of a notebook count as the same: words exactly, numbers to their last printed digit."""

from __future__ import annotations

import base64
import io
import json
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imsave

from vaecourse.regression import compare
from vaecourse.regression.compare import compare_outputs, granted, same_fragment, same_picture
from vaecourse.widgets.live import packed

SAME = [
    ("the bound is 4.1 nats", "the bound is 4.2 nats"),
    ("the bound is 4.1 nats", "the bound is 4.0 nats"),
    ("-134.5", "-134.6"),
    ("−134.5", "-134.5"),  # the two signs for minus
    ("-0.0", "0.0"),
    ("+0.1", "+0.0"),
    ("1,234,567", "1,234,568"),
    ("1,999.9 nats", "2,000.0 nats"),
    ("93 %", "94 %"),
    ("93.5%", "93.4%"),
    ("1.2e-08", "1.3e-08"),
    ("1e+300", "2e+300"),
    ("9.99", "10.0"),  # as many significant digits
    ("10.0", "9.99"),
    ("[  9.9   3.0]", "[ 10.0   3.1]"),  # numbers of another length, aligned
    ("a= 9.9", "a=10.0"),
    ("4.1 ± 0.3", "4.4 ± 0.3"),
    ("4.1 ± 0.3", "3.8 ± 0.4"),
    ("4.1 nats ± 0.3", "4.4 nats ± 0.3"),
    ("4.1 (± 0.3)", "4.4 (± 0.3)"),
    ("4.1 +/- 0.3", "4.4 +/- 0.3"),
    ("-120 ± 5 nats", "-125 ± 5 nats"),
    ("nan and inf", "nan and inf"),
    ("-inf", "-inf"),
    ("e^-500", "e^-501"),
    ("12-15", "12-16"),  # a range, not a sign
    ("x", "x   "),  # blanks at the end of a line
    ("loss 3.1\n", "loss 3.1"),
    ("", ""),
]
DIFFERENT = [
    ("the bound is 4.1 nats", "the bound is 4.3 nats"),
    ("the bound is 4.1 nats", "the gap is 4.1 nats"),
    ("4.1 nats", "4.1 bits"),
    ("4.1", "4.10 nats"),
    ("0.3", "-0.3"),
    ("-134.5", "134.5"),
    ("1,234", "1,236"),
    ("1,234", "1234567"),
    ("93 %", "95 %"),
    ("93 %", "93"),
    ("1.2e-08", "1.2e-07"),
    ("1.2e-08", "1.4e-08"),
    ("1e-08", "1e+08"),
    ("4.1 ± 0.3", "4.5 ± 0.3"),
    ("4.1 ± 0.3", "4.1 ± 0.5"),
    ("4.1 nats, known to ± 0.3", "4.4 nats, known to ± 0.3"),  # not printed behind the number
    ("4.1 ± nan", "4.4 ± nan"),
    ("4.1", "nan"),
    ("nan", "4.1"),
    ("4.1", "inf"),
    ("inf", "-inf"),
    ("1e308", "inf"),
    ("4.1 ± 100", "nan ± 100"),
    ("(300, 784)", "(301, 784)"),  # a shape
    ("(300,)", "(301,)"),
    ("✓ (6.1)  left = right", "✓ (6.2)  left = right"),  # the number of an equation
    ("float32", "float64"),
    ("Python 2.13.0", "Python 2.13.1"),
    ("True", "False"),
    ("a\nb", "a"),
    ("a", "a\nb"),
    ("1 2 3", "1 2"),
    ("12", "1 2"),
]


@pytest.mark.parametrize(("old", "new"), SAME)
def test_what_must_pass(old: str, new: str) -> None:
    assert compare.compare(old, new) == []


@pytest.mark.parametrize(("old", "new"), DIFFERENT)
def test_what_must_fail(old: str, new: str) -> None:
    assert compare.compare(old, new) != []


@given(
    st.decimals(-(10**6), 10**6, places=3), st.integers(-3, 3), st.sampled_from(["{}", "{} nats", "x={}, y=2.0", "  {} %", "({} of 10)"])
)
def test_a_number_passes_up_to_one_unit_of_its_last_digit(number: Decimal, units: int, line: str) -> None:
    moved = number + units * Decimal("0.001")
    same = compare.compare(line.format(f"{number:,.3f}"), line.format(f"{moved:,.3f}")) == []
    assert same == (abs(units) <= 1)


@given(st.floats(1e-12, 1e12), st.integers(-3, 3))
def test_a_unit_in_scientific_notation(number: float, units: int) -> None:
    mantissa, exponent = f"{number:.4e}".split("e")
    moved = f"{Decimal(mantissa) + units * Decimal('0.0001')}e{exponent}"
    assert (compare.compare(f"{mantissa}e{exponent}", moved) == []) == (abs(units) <= 1)


@pytest.mark.parametrize(
    ("number", "unit"), [("3", "1"), ("3.0", "0.1"), ("-1,204.50", "0.01"), ("3.2e-08", "1e-9"), ("5e3", "1e3"), (".25", "0.01")]
)
def test_the_unit_of_the_last_digit(number: str, unit: str) -> None:
    assert compare.unit(number) == Decimal(unit)


def test_a_difference_names_both_numbers_the_line_and_how_far_it_moved() -> None:
    (found,) = compare.compare("first\nELBO -134.5, gap 2.0", "first\nELBO -134.5, gap 2.7")
    assert (found.kind, found.old, found.new, found.line) == ("number", "2.0", "2.7", "ELBO -134.5, gap 2.0")
    assert found.by == pytest.approx(7)
    (found,) = compare.compare("gap 2.0", "gap nan")
    assert found.by == math.inf


def test_only_the_line_that_changed_is_named() -> None:
    (found,) = compare.compare("one 1\ntwo 2\nthree 3", "one 1\nthree 3")
    assert (found.kind, found.old, found.new) == ("text", "two 2", "")


def test_a_cell_grants_a_tolerance_in_a_comment() -> None:
    assert granted("x = 1\n# tolerance: 0.3\ny = 2") == (0.3, False)
    assert granted("# tolerance: 5 %") == (0.05, True)
    assert granted("x = 1  # no tolerance: 3") is None
    assert compare.compare("5.00", "5.25", granted("# tolerance: 5 %")) == []
    assert compare.compare("5.00", "5.26", granted("# tolerance: 5 %")) != []
    assert compare.compare("5.0 and 7", "5.3 and 7", granted("# tolerance: 0.3")) == []
    assert compare.compare("5.0", "5.4", granted("# tolerance: 0.3")) != []
    assert compare.compare("5.0", "nan", granted("# tolerance: 100 %")) != []


def printed(text: str, name: str = "stdout") -> dict:
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data: str) -> dict:
    return {"output_type": "display_data", "metadata": {}, "data": {kind.replace("_", "/"): text for kind, text in data.items()}}


def test_outputs_are_compared_by_what_can_be_read_in_them() -> None:
    assert compare_outputs([printed("a 1.0\n"), printed("b 2.0\n")], [printed("a 1.1\nb 2.0\n")]) == []  # one stream
    assert compare_outputs([shown(text_plain="falls to 3.1", image_png="x")], [shown(text_plain="falls to 3.2", image_png="y")]) == []
    assert compare_outputs([shown(text_plain="falls to 3.1", image_png="x")], [shown(text_plain="falls to 3.3", image_png="x")]) != []
    assert compare_outputs([shown(text_plain="a", image_png="x")], [shown(text_plain="a")]) != []  # the picture is missing
    assert compare_outputs([], [printed("a warning", "stderr")]) != []
    assert compare_outputs([printed("a")], []) != []
    assert compare_outputs([shown(text_html="<b>1.0</b>")], [shown(text_html="<b>1.1</b>")]) == []
    assert compare_outputs([shown(text_html="<b>1.0</b>")], [shown(text_html="<i>1.0</i>")]) != []
    assert compare_outputs([printed("5.0")], [printed("5.3")], "# tolerance: 0.3\nprint(x)") == []


def test_a_live_figure_is_compared_by_its_sentence() -> None:
    old, new = (shown(text_html=f"<figure data-vae=1>{body}</figure>", text_plain="q lies 2.0 away") for body in ("one script", "another"))
    assert compare_outputs([old], [new]) == []
    new["data"]["text/plain"] = "q lies 2.2 away"
    assert compare_outputs([old], [new]) != []


def fragment(data: object, script: str = "function f() {}", text: str = "The KL", mark: str = "a1", told: str = "what it shows") -> str:
    return (
        f'<figure data-vae="{mark}"><figcaption>{text}</figcaption><script type="application/json">{json.dumps(data)}</script></figure>\n'
        f'<script type="module">\n{script}\nbegin("{mark}", "{told}");\n</script>'
    )


WEIGHTS = np.linspace(-1, 1, 50, dtype=np.float32)


@pytest.mark.parametrize(
    "new",
    [
        fragment({"a": [1.0005, 2], "w": packed(WEIGHTS)}, mark="b2"),
        fragment({"a": [1.0, 2], "w": packed(WEIGHTS + np.float32(0.005))}),
    ],
)
def test_a_fragment_stays_if_it_does_the_same(new: str) -> None:
    assert same_fragment(fragment({"a": [1.0, 2], "w": packed(WEIGHTS)}), new)


@pytest.mark.parametrize(
    "new",
    [
        fragment({"a": [1.0, 2], "w": packed(WEIGHTS)}, script="function g() {}"),
        fragment({"a": [1.0, 2], "w": packed(WEIGHTS)}, text="The gap"),
        fragment({"a": [1.0, 2], "w": packed(WEIGHTS)}, told="what it showed"),
        fragment({"a": [1.01, 2], "w": packed(WEIGHTS)}),
        fragment({"a": [1.0, 3], "w": packed(WEIGHTS)}),
        fragment({"a": [1.0], "w": packed(WEIGHTS)}),
        fragment({"a": [1.0, 2], "w": packed(WEIGHTS + np.float32(0.02))}),
        fragment({"a": [1.0, 2], "w": packed(WEIGHTS[1:])}),
        fragment({"a": [1.0, 2], "w": packed(WEIGHTS.astype(np.float64))}),
        fragment({"a": [1.0, 2]}),
        "<b>1</b>",
    ],
)
def test_a_fragment_is_out_of_date_if_its_script_its_text_or_its_data_differ(new: str) -> None:
    assert not same_fragment(fragment({"a": [1.0, 2], "w": packed(WEIGHTS)}), new)


def test_the_text_of_a_table_is_not_compared_twice() -> None:
    assert same_fragment("<b>1</b>", "<b>2</b>")


def png(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    imsave(buffer, pixels, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def test_pictures_look_the_same_where_no_patch_of_them_differs_visibly() -> None:
    rng = np.random.default_rng(0)
    picture = np.ones((100, 150, 3))
    picture[40:60, 20:130] = [0.0, 0.45, 0.7]
    grain = np.clip(picture + rng.normal(0, 0.02, picture.shape), 0, 1)
    line, smaller = picture.copy(), picture[:, :-1]
    line[20:22, 20:130] = 0
    assert same_picture(png(picture), png(picture))
    assert same_picture(png(picture), png(grain))
    assert not same_picture(png(picture), png(line))
    assert not same_picture(png(picture), png(smaller))
