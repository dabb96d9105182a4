"""Tables: a CSV file becomes rows of numbers that a model can explain, and comes back in the file's own words and units.

A row of `x` holds one number a column, in the column's standard unit: a quantity is shifted and scaled (a positive one after
taking its logarithm), a count stays a count, a category is its number 0, 1, 2, …; an empty cell is NaN, and stays one.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vaecourse.data import shipped

if TYPE_CHECKING:
    import pandas as pd

KINDS = {
    "gaussian": "a quantity on a line, modelled by a normal",
    "positive": "a quantity above 0, modelled by a log-normal",
    "count": "0, 1, 2, …, modelled by a negative binomial",
    "category": "one of a few names",
}
MOST_CATEGORIES = 30
FEWEST_ROWS = 20
LARGEST_COUNT = 1_000_000
LARGEST = 1e100  # of a quantity: its cube is a number too


@dataclass(frozen=True)
class Column:
    """What is known about one column, from its training rows alone.

    Attributes:
        kind: one of `KINDS`.
        shift, scale: mean and standard deviation, of the logarithm for "positive", of log(1 + count) for "count".
        categories: the names, in the order of their numbers; empty unless kind is "category".
    """

    name: str
    kind: str
    shift: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table in three splits, each (N, D) in standard units with NaN for empty cells."""

    columns: tuple[Column, ...]
    train: Float[Tensor, "rows columns"]
    valid: Float[Tensor, "rows columns"]
    test: Float[Tensor, "rows columns"]

    def __getitem__(self, name: str) -> int:
        """The number of the column called `name`."""
        names = [column.name for column in self.columns]
        if name not in names:
            raise ValueError(f"there is no column {name!r}; the table has {', '.join(names)}")
        return names.index(name)

    def encode(self, frame: pd.DataFrame) -> Float[Tensor, "rows columns"]:
        """Rows in the file's own words and units, as the model wants them. Columns that are left out are empty cells.

        Raises ValueError for an unknown column, a category that the training rows do not have, and cells that are no numbers.
        """
        for name in frame.columns:
            self[str(name)]  # raises
        cells = {str(name): [_text(cell) for cell in frame[name]] for name in frame.columns}
        empty = [""] * len(frame)
        places = [f"row {i + 1}" for i in range(len(frame))]
        return _to_tensor([_encode(column, cells.get(column.name, empty), places) for column in self.columns])

    def decode(self, x: Float[Tensor, "rows columns"]) -> pd.DataFrame:
        """The way back: a pandas.DataFrame in the file's own words and units."""
        import pandas as pd

        return pd.DataFrame({column.name: _decode(column, values) for column, values in zip(self.columns, x.double().T.tolist())})

    def log_jacobian(self, x: Float[Tensor, "rows columns"]) -> Float[Tensor, " rows"]:
        """log |d standard units / d raw units| of each row's observed cells, in nats (notebook 10, equation 10.3).

        Added to a log-density in standard units it makes one in raw units. Counts and categories have none: their
        probabilities have no unit.
        """
        total = x.new_zeros(len(x))
        for column, values in zip(self.columns, x.T):
            if column.kind in ("gaussian", "positive"):
                log_value = column.shift + column.scale * values if column.kind == "positive" else torch.zeros_like(values)
                total = total - torch.where(values.isnan(), 0.0, math.log(column.scale) + log_value)
        return total

    def describe(self) -> pd.DataFrame:
        """One line a column: its kind, its typical values in raw units or its categories, and the share of empty cells."""
        import pandas as pd

        rows = []
        for column, values in zip(self.columns, self.train.T):
            seen = values[~values.isnan()]
            low, middle, high = (_decode(column, [float(seen.quantile(q))])[0] for q in (0.1, 0.5, 0.9))
            typical = ", ".join(column.categories) if column.kind == "category" else f"{low:g} … {middle:g} … {high:g}"
            rows.append((column.name, column.kind, typical, f"{100 * float(values.isnan().float().mean()):.0f} %"))
        return pd.DataFrame(rows, columns=["column", "kind", "typical values", "empty"]).set_index("column")


def load_players() -> Table:
    """The 5,000 football players that ship with the course (vaecourse.players tells their story): 3,500 / 750 / 750."""
    return load_table(shipped("players.csv"))


def load_table(
    path: str | Path,
    *,
    kinds: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    separator: str = ",",
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15),
    seed: int = 0,
) -> Table:
    """Read a CSV file whose first line holds the names of its columns.

    Args:
        kinds: from the name of a column to its kind, where the guess is wrong: one of `KINDS`. Without it, names are categories,
            and so are numbers with two values; whole numbers from 0, 1 or 2 up to at most a million are counts; numbers above 0 with a long
            tail to the right are positive quantities; all others are quantities on a line.
        drop: columns to leave out (names of people, row numbers).
        separator: what stands between two cells.
        shares: of training, validation and test rows, which are dealt at random with `seed`.

    Returns:
        The table. Shifts, scales and categories come from the training rows only.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the table cannot be used as it is; says what was found where, and what to do.
    """
    if len(shares) != 3 or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"shares are those of training, validation and test rows, above 0 and together 1; got {shares}")
    if len(separator) != 1:
        raise ValueError(f"separator is the one character between two cells, such as ',' ';' or '\\t'; got {separator!r}")
    if isinstance(drop, str):
        raise ValueError(f"drop is a list of names: pass drop=[{drop!r}]")
    cells, places = _read(Path(path), separator)
    for name in [*drop, *(kinds or {})]:
        if name not in cells:
            raise ValueError(f"there is no column {name!r} to drop or to set the kind of; the file has {_some(list(cells), 20)}")
    cells = {name: column for name, column in cells.items() if name not in drop}
    if not cells:
        raise ValueError("every column is dropped: leave at least one")
    n = len(next(iter(cells.values())))
    if n < FEWEST_ROWS:
        raise ValueError(f"{path} holds {n} rows; at least {FEWEST_ROWS} are needed to learn from some and to test on others: collect more")
    blank = [i for i in range(n) if not any(column[i] for column in cells.values())]
    if blank:
        such = f" ({len(blank)} such rows)" if len(blank) > 1 else ""
        raise ValueError(f"{places[blank[0]]} of {path} is empty in every column{such}: remove it from the file")
    for name, kind in (kinds or {}).items():
        if kind not in KINDS:
            raise ValueError(f"column {name!r} cannot be of kind {kind!r}; the kinds are {', '.join(KINDS)}")
    order = np.random.default_rng(seed).permutation(n)
    first, second = round(shares[0] * n), round((shares[0] + shares[1]) * n)
    parts = [order[:first], order[first:second], order[second:]]
    if not all(len(part) for part in parts):
        raise ValueError(f"{n} rows are too few for shares of {shares}: one of the three splits is empty")
    columns = [_fit(name, column, places, parts[0], (kinds or {}).get(name)) for name, column in cells.items()]
    encoded = _to_tensor([_encode(column, cells[column.name], places) for column in columns])
    return Table(tuple(columns), *(encoded[part] for part in parts))


def _read(path: Path, separator: str) -> tuple[dict[str, list[str]], list[str]]:
    """The cells as text, "" where empty, by column; and where each row begins, such as "line 7". Blank lines are passed over."""
    text = _read_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    rows, places, before = [], [], 0
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                rows.append([_text(cell) for cell in row])
                places.append(f"line {before + 1}")  # a quoted cell may go on over several lines
            before = reader.line_num
    except csv.Error:
        raise ValueError(
            f'in the row of {path} that begins in line {before + 1} a quote (") is opened and not closed as it should be: a quoted cell '
            f"ends with a quote right before {separator!r} or the end of the line, and a quote within it is doubled"
        ) from None
    if not rows:
        raise ValueError(f"{path} is empty: the first line must hold the names of the columns, the others a row each")
    names, *rows = rows
    _check_names(names, path, separator)
    for row, place in zip(rows, places[1:]):
        if len(row) != len(names):
            raise ValueError(
                f"{place} of {path} has {len(row)} cells, and the first line names {len(names)} ({_some(names)}): mend that line; "
                f"a cell with {separator!r} in it needs quotes"
            )
    if not rows:
        raise ValueError(f"{path} holds names of columns ({_some(names)}) and no rows: add the rows, a line each")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}, places[1:]


def _read_text(path: Path) -> str:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}: check its name and folder; the current folder is {Path.cwd().name}/")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give the file in it")
    if path.suffix.lower() in (".xlsx", ".xls", ".ods", ".numbers"):
        raise ValueError(f"{path.name} is a spreadsheet: save it as CSV (comma separated, UTF-8) and load that file")
    if path.suffix.lower() in (".zip", ".gz", ".bz2", ".xz", ".7z"):
        raise ValueError(f"{path.name} is compressed: unpack it and load the CSV file in it")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f'{path} is not text in UTF-8 (line {line}): save it as CSV with encoding UTF-8 ("CSV UTF-8" in Excel)') from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(f"{path} is not text (a zero byte in line {line}): save the table as CSV with encoding UTF-8")
    return text


def _check_names(names: list[str], path: Path, separator: str) -> None:
    other = next((s for s in ";\t,|" if s != separator and len(names) == 1 and s in names[0]), None)
    if other:
        raise ValueError(f"{path} has a single column, {names[0]!r}: its cells stand between {other!r}; pass separator={other!r}")
    if sum(_number(name) is not None for name in names) > len(names) / 2:
        raise ValueError(f"the first line of {path} holds numbers ({_some(names, 3)}): write the names of the columns above it, as words")
    if "" in names:
        i = names.index("")
        hint = " (if every line merely ends with a separator, remove that)" if i == len(names) - 1 > 0 else ""
        hint = " (if it only numbers the rows, leave it out with drop then)" if i == 0 else hint
        raise ValueError(f"column {i + 1} of {path} has no name: write one into the first line{hint}")
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ValueError(f"two columns of {path} are called {twice[0]!r}: give each a name of its own")


def _text(cell: object) -> str:
    """A cell as text; "" where it is empty or one of the usual words for that."""
    text = "" if cell is None or (isinstance(cell, float) and math.isnan(cell)) else str(cell).strip()
    return "" if text.lower() in ("", "na", "n/a", "nan", "null", "none", "?", "-", "<na>") else text


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)  # float would read 1_000
    except ValueError:
        return None


def _some(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def _fit(name: str, cells: list[str], places: list[str], train: np.ndarray, kind: str | None) -> Column:
    """Kind, scale and categories of a column. The kind is guessed from all rows, the rest comes from the training rows."""
    known = [cell for cell in cells if cell]
    if not known:
        raise ValueError(f"column {name!r} is empty in every row: leave it out with drop=[{name!r}]")
    kind = kind or _guess(name, cells, places)
    values = np.array([]) if kind == "category" else _values(name, kind, cells, places)
    if len(set(known)) == 1 or len(np.unique(values[~np.isnan(values)])) == 1:
        raise ValueError(f"column {name!r} holds nothing but {known[0]!r} and tells nothing: leave it out with drop=[{name!r}]")
    seen = {cells[i] for i in train if cells[i]}
    if len(seen) < 2:
        what = f"is {seen.pop()!r} in every training row that is not empty" if seen else "is empty in every training row"
        raise ValueError(f"column {name!r} {what}: it varies too rarely; leave it out with drop=[{name!r}], or try another seed")
    if kind == "category":
        numbers = all(_number(cell) is not None for cell in seen)
        return Column(name, kind, categories=tuple(sorted(seen, key=lambda cell: (_number(cell) if numbers else 0, cell))))
    values = {"positive": np.log, "count": np.log1p}.get(kind, lambda v: v)(values[train])
    mean, scale = float(np.nanmean(values)), float(np.nanstd(values))
    if not scale > 1e-6 * max(1.0, abs(mean)):
        raise ValueError(
            f"column {name!r} hardly varies in the training rows (standard deviation {scale:.2g}, mean {mean:.6g}): subtract a constant "
            f"from it, choose a smaller unit, or leave it out with drop=[{name!r}]"
        )
    return Column(name, kind, mean, scale)


def _guess(name: str, cells: Sequence[str], places: Sequence[str]) -> str:
    known = [cell for cell in cells if cell]
    words = [(cell, place) for cell, place in zip(cells, places) if cell and _number(cell) is None]
    distinct, distinct_words = len(set(known)), len({cell for cell, _ in words})
    if not words:
        return _guess_number(np.array([_number(cell) for cell in known]), distinct)
    as_names = f"if it is meant as names, pass kinds={{{name!r}: 'category'}}"
    first, place = words[0]
    if len(words) < len(known) / 2 or distinct - distinct_words > distinct_words:
        cells_ = "this cell" if len(words) == 1 else f"these {len(words):,} cells"
        raise ValueError(
            f"column {name!r} holds numbers, but also {first!r} in {place}{_mistaken_number(first)}: mend {cells_}, or leave empty what is "
            f"not known; {as_names}"
        )
    if all(_mistaken_number(cell) for cell, _ in words):
        raise ValueError(
            f"column {name!r} holds text such as {first!r} in {place}{_mistaken_number(first)}: write plain numbers, such as 1.85; "
            f"{as_names}"
        )
    most = min(MOST_CATEGORIES, max(2, len(known) // 2))
    if distinct > most:
        raise ValueError(
            f"column {name!r} looks like free text ({distinct:,} different values in {len(known):,} rows, such as {known[0][:30]!r}): "
            f"leave it out with drop=[{name!r}], or merge its values into at most {most} categories"
        )
    return "category"


def _mistaken_number(cell: str) -> str:
    """What went wrong, where a text was probably meant as a number."""
    if "," in cell and _number(cell.replace(",", "")) is not None:
        return ", with a decimal comma or a comma between thousands"
    if re.fullmatch(r"[-+]?\d{1,3}([ '_\u00a0\u202f]\d{3})+(\.\d*)?", cell):
        return f", with {cell.lstrip('+-0123456789')[0]!r} between thousands"
    if re.match(r"(\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d\d(\d\d)?)\b", cell):
        return ", a date"
    number = r"[-+]?(\d[\d.,]*)(e[-+]?\d+)?"
    if re.fullmatch(rf"{number}\s*([^\W\d]|[%°€$£'\"′″/²³])+", cell) or re.fullmatch(rf"[€$£]\s*{number}\s*\w*", cell):
        return ", a number with a unit"
    return ""


def _guess_number(values: np.ndarray, distinct: int) -> str:
    finite = values[np.abs(values) < LARGEST]  # others are refused later
    if len(np.unique(values)) == distinct == 2:  # not where 1 is also written 1.0
        return "category"
    if len(finite) and (finite == finite.round()).all() and 0 <= finite.min() <= 2 and finite.max() <= LARGEST_COUNT:
        return "count"
    if len(finite) and finite.min() > 0:
        centred = finite - finite.mean()
        if (centred**3).mean() > centred.std() ** 3:  # a skewness above 1
            return "positive"
    return "gaussian"


def _values(name: str, kind: str, cells: Sequence[str], places: Sequence[str]) -> np.ndarray:
    """The numbers of a column that is not a category, NaN where empty."""
    values = np.full(len(cells), np.nan)
    for i, (cell, place) in enumerate(zip(cells, places)):
        if not cell:
            continue
        number = _number(cell)
        if number is None or not abs(number) < LARGEST:  # NaN fails too
            what = "is too large" if number is not None and math.isfinite(number) else "is not a finite number"
            raise ValueError(
                f"column {name!r} is of kind {kind!r}, and {cell!r} in {place} {what}{_mistaken_number(cell)}: mend the cell, or leave it "
                "empty"
            )
        wrong = {
            "positive": number <= 0 and "above 0",
            "count": (not 0 <= number <= LARGEST_COUNT or number != round(number)) and f"one of 0, 1, 2, … {LARGEST_COUNT:,}",
        }.get(kind)
        if wrong:
            raise ValueError(
                f"column {name!r} is of kind {kind!r}, and {cell} in {place} is not {wrong}: mend the cell, or leave it empty; if it is "
                f"right, pass kinds={{{name!r}: 'gaussian'}}"
            )
        values[i] = number
    return values


def _encode(column: Column, cells: Sequence[str], places: Sequence[str]) -> np.ndarray:
    if column.kind != "category":
        values = _values(column.name, column.kind, cells, places)
        if column.kind == "count":
            return values
        return ((np.log(values) if column.kind == "positive" else values) - column.shift) / column.scale
    number = {name: float(i) for i, name in enumerate(column.categories)} | {"": math.nan}
    for cell, place in zip(cells, places):
        if cell not in number:
            raise ValueError(
                f"column {column.name!r}: {cell!r} in {place} is a category that no training row has; they have "
                f"{_some(column.categories)}: correct it, merge rare categories, leave the cell empty, or leave the column out"
            )
    return np.array([number[cell] for cell in cells])


def _decode(column: Column, values: Sequence[float]) -> list:
    if column.kind == "category":
        return [None if math.isnan(v) else column.categories[int(v)] for v in values]
    if column.kind == "count":
        return list(values)
    raw = [column.shift + column.scale * v for v in values]
    return [math.exp(v) if column.kind == "positive" else v for v in raw]


def _to_tensor(columns: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(columns, 1).astype(np.float32))
