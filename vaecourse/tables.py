"""Tables: a CSV file becomes rows of numbers that a model can explain, and comes back in the file's own words and units.

A row of `x` holds one number a column, in the column's standard unit: a quantity is shifted and scaled (a positive one after
taking its logarithm), a count stays a count, a category is its number 0, 1, 2, …; an empty cell is NaN, and stays one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
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
        return _to_tensor([_encode(column, cells.get(column.name, empty), range(1, len(frame) + 1)) for column in self.columns])

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
            and so are numbers with two values; whole numbers that begin at 0, 1 or 2 are counts; numbers above 0 with a long
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
    cells = _read(Path(path), separator)
    for name in [*drop, *(kinds or {})]:
        if name not in cells:
            raise ValueError(f"there is no column {name!r} to drop or to set the kind of; the file has {', '.join(cells)}")
    cells = {name: column for name, column in cells.items() if name not in drop}
    if not cells:
        raise ValueError("every column is dropped: leave at least one")
    n = len(next(iter(cells.values())))
    if n < FEWEST_ROWS:
        raise ValueError(f"{path} holds {n} rows; at least {FEWEST_ROWS} are needed to learn from some and to test on others")
    blank = [i for i in range(n) if not any(column[i] for column in cells.values())]
    if blank:
        raise ValueError(f"line {blank[0] + 2} of {path} is empty in every column ({len(blank)} such rows): remove them from the file")
    for name, kind in (kinds or {}).items():
        if kind not in KINDS:
            raise ValueError(f"column {name!r} cannot be of kind {kind!r}; the kinds are {', '.join(KINDS)}")
    order = np.random.default_rng(seed).permutation(n)
    first, second = round(shares[0] * n), round((shares[0] + shares[1]) * n)
    parts = [order[:first], order[first:second], order[second:]]
    if not all(len(part) for part in parts):
        raise ValueError(f"{n} rows are too few for shares of {shares}: one of the three splits is empty")
    columns = [_fit(name, column, [column[i] for i in parts[0]], (kinds or {}).get(name)) for name, column in cells.items()]
    splits = (_to_tensor([_encode(c, [cells[c.name][i] for i in part], part + 2) for c in columns]) for part in parts)
    return Table(tuple(columns), *splits)


def _read(path: Path, separator: str) -> dict[str, list[str]]:
    """The cells as text, "" where empty, by column."""
    import pandas as pd

    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}: check its name and folder; this notebook's folder is {Path.cwd().name}/")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give the file in it")
    if path.suffix.lower() in (".xlsx", ".xls", ".ods", ".numbers"):
        raise ValueError(f"{path.name} is a spreadsheet: save it as CSV (comma separated, UTF-8) and load that file")
    try:
        frame = pd.read_csv(path, sep=separator, dtype=str, encoding="utf-8-sig", skipinitialspace=True, header=None, index_col=False)
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} is empty: the first line must hold the names of the columns, the others a row each") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8: save it as CSV with encoding UTF-8") from None
    except pd.errors.ParserError as error:
        said = str(error).replace("Error tokenizing data. C error: ", "").strip()
        raise ValueError(
            f"{path} is not a regular table ({said}): every line needs as many cells as the first one, and a cell with a "
            f"{separator!r} in it needs quotes"
        ) from None
    names = [_text(name) for name in frame.iloc[0]]
    _check_names(names, path, separator)
    if len(frame) == 1:
        raise ValueError(f"{path} holds the names of {len(names)} columns and no rows")
    return {name: [_text(cell) for cell in frame[i].iloc[1:]] for i, name in enumerate(names)}


def _check_names(names: list[str], path: Path, separator: str) -> None:
    other = next((s for s in ";\t,|" if s != separator and len(names) == 1 and s in names[0]), None)
    if other:
        raise ValueError(f"{path} has a single column, {names[0]!r}: its cells stand between {other!r}; pass separator={other!r}")
    if "" in names:
        raise ValueError(f"column {names.index('') + 1} of {path} has no name: write one into the first line")
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ValueError(f"two columns of {path} are called {twice[0]!r}: give each a name of its own")
    if sum(_number(name) is not None for name in names) > len(names) / 2:
        raise ValueError(f"the first line of {path} holds numbers ({', '.join(names[:3])}, …): it must hold the names of the columns")


def _text(cell: object) -> str:
    """A cell as text; "" where it is empty or one of the usual words for that."""
    text = "" if cell is None or (isinstance(cell, float) and math.isnan(cell)) else str(cell).strip()
    return "" if text.lower() in ("", "na", "n/a", "nan", "null", "none", "?", "-", "<na>") else text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _fit(name: str, all_cells: list[str], train_cells: list[str], kind: str | None) -> Column:
    """Kind, scale and categories of a column. The kind is guessed from all rows, the rest comes from the training rows."""
    known = [cell for cell in all_cells if cell]
    if not known:
        raise ValueError(f"column {name!r} is empty in every row: leave it out with drop=[{name!r}]")
    kind = kind or _guess(name, known)
    train = [cell for cell in train_cells if cell]
    if len(set(known)) == 1 or (kind != "category" and len({_number(cell) for cell in known}) == 1):
        raise ValueError(f"column {name!r} is constant ({known[0]} in every row) and tells nothing: leave it out with drop=[{name!r}]")
    if not train or len(set(train)) == 1:
        what = f"is {train[0]} in every training row" if train else "is empty in every training row"
        raise ValueError(f"column {name!r} {what}: it varies too rarely; leave it out with drop=[{name!r}], or try another seed")
    if kind == "category":
        return Column(name, kind, categories=tuple(sorted(set(train))))
    values = _values(name, kind, train, range(len(train)), where=False)
    values = {"positive": np.log, "count": np.log1p}.get(kind, lambda v: v)(values)
    scale = float(values.std())
    if not scale > 1e-6 * max(1.0, abs(float(values.mean()))):
        raise ValueError(f"column {name!r} hardly varies (standard deviation {scale:.2g}): subtract a constant, or leave it out with drop")
    return Column(name, kind, float(values.mean()), scale)


def _guess(name: str, known: list[str]) -> str:
    numbers = [_number(cell) for cell in known]
    bad = [cell for cell, number in zip(known, numbers) if number is None]
    if not bad:
        return _guess_number(np.array(numbers), len(set(known)))
    distinct = len(set(known))
    if len(bad) < len(known) / 2:
        hint = _mistaken_number(bad[0])
        raise ValueError(
            f"column {name!r} holds numbers, but also {bad[0]!r}{hint}: mend these {len(bad)} cells, or leave them empty; if it is meant "
            f'as names, pass kinds={{{name!r}: "category"}}'
        )
    if all(_mistaken_number(cell) for cell in bad):
        raise ValueError(f"column {name!r} holds text such as {bad[0]!r}{_mistaken_number(bad[0])}: write plain numbers, such as 1.85")
    if distinct > MOST_CATEGORIES:
        raise ValueError(
            f"column {name!r} looks like free text ({distinct:,} different values in {len(known):,} rows, such as {known[0][:30]!r}): "
            f"leave it out with drop=[{name!r}], or replace it by at most {MOST_CATEGORIES} categories"
        )
    return "category"


def _mistaken_number(cell: str) -> str:
    """What went wrong, where a text was probably meant as a number."""
    if _number(cell.replace(",", ".")) is not None:
        return ", with a decimal comma or a comma between thousands"
    word = cell.strip("%€$£ ").split(" ")[0]
    if (
        _number(word.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) is not None
        and not word[-1:].isdigit()
        or (_number(word) is not None)
    ):
        return ", a number with a unit"
    return ""


def _guess_number(values: np.ndarray, distinct: int) -> str:
    finite = values[np.isfinite(values)]
    if distinct == 2:
        return "category"
    if len(finite) and (finite == finite.round()).all() and 0 <= finite.min() <= 2:
        return "count"
    if len(finite) and finite.min() > 0:
        centred = finite - finite.mean()
        if (centred**3).mean() > centred.std() ** 3:  # a skewness above 1
            return "positive"
    return "gaussian"


def _values(name: str, kind: str, cells: Sequence[str], lines: Iterable[int], where: bool = True) -> np.ndarray:
    """The numbers of a column that is not a category, NaN where empty."""
    values = np.full(len(cells), np.nan)
    for i, (cell, line) in enumerate(zip(cells, lines)):
        if not cell:
            continue
        number, at = _number(cell), f" in line {line}" if where else ""
        if number is None or not math.isfinite(number):
            raise ValueError(
                f"column {name!r}: {cell!r}{at} is not a finite number{_mistaken_number(cell)}: mend the cell, or leave it empty"
            )
        if kind == "positive" and number <= 0:
            raise ValueError(f'column {name!r} is of kind "positive", and {cell}{at} is not above 0: pass kinds={{{name!r}: "gaussian"}}')
        if kind == "count" and (number < 0 or number != round(number)):
            raise ValueError(f'column {name!r} is of kind "count", and {cell}{at} is not 0, 1, 2, …: pass kinds={{{name!r}: "gaussian"}}')
        values[i] = number
    return values


def _encode(column: Column, cells: Sequence[str], lines: Iterable[int]) -> np.ndarray:
    if column.kind != "category":
        values = _values(column.name, column.kind, cells, lines)
        if column.kind == "count":
            return values
        return ((np.log(values) if column.kind == "positive" else values) - column.shift) / column.scale
    number = {name: float(i) for i, name in enumerate(column.categories)} | {"": math.nan}
    for cell, line in zip(cells, lines):
        if cell not in number:
            raise ValueError(
                f"column {column.name!r}: {cell!r} (line {line}) is a category that no training row has; they have "
                f"{', '.join(column.categories)}: correct it, merge rare categories, or leave the cell empty"
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
