"""Tables: a CSV file becomes rows of numbers that a model can explain, and the rows become words and units of the file again.

A row of `x` holds one number for each column, in the column's standard unit. A quantity is shifted and scaled (a positive one after
taking its logarithm), a count stays a count, a category is its number 0, 1, 2, …, and an empty cell is NaN.
"""

from __future__ import annotations

import csv
import difflib
import io
import itertools
import math
import os
import re
import threading
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vaecourse.arguments import tensors, whole
from vaecourse.data import shipped
from vaecourse.files import located

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EMPTY", "KINDS", "LARGEST_COUNT", "Column", "Table", "check_rows", "load_players", "load_table"]

KINDS = {
    "gaussian": "a quantity on a line, modelled by a normal",
    "positive": "a quantity above 0, modelled by a log-normal",
    "count": "0, 1, 2, …, modelled by a negative binomial",
    "category": "one of a few names",
}
EMPTY = (
    "NA",
    "N/A",
    "NaN",
    "null",
    "None",
    "<NA>",
    "#N/A",
    "#NA",
    "?",
    "-",
)  # in upper or lower case: the words that mean an empty cell by default
MOST_CATEGORIES = 30
FEWEST_ROWS = 20
LARGEST_COUNT = 1_000_000
LARGEST = 1e100  # of a quantity, so that its cube is finite, too


@dataclass(frozen=True)
class Column:
    """What is known about one column, from its training rows alone.

    Attributes:
        name: the name of the column in the file.
        kind: one of `KINDS`.
        shift, scale: mean and standard deviation; for "positive" of the logarithm, for "count" of log(1 + count).
        categories: the names, in the order of their numbers; empty unless kind is "category". Names with the same meaning (1 and 1.0,
            true and TRUE) are one category, which has the shorter name.
        empty: the words that mean an empty cell.

    Example:
        >>> Column("foot", "category", categories=("left", "right")).categories
        ('left', 'right')

    Raises:
        ValueError: there is no such kind.
    """

    name: str
    kind: str
    shift: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()
    empty: tuple[str, ...] = field(default=EMPTY, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in tuple(KINDS):
            raise ValueError(f"column {self.name!r} cannot be of kind {self.kind!r}; the kinds are {', '.join(KINDS)}")


@dataclass(frozen=True)
class Table:
    """A table in three splits.

    Attributes:
        columns: the descriptions of the D columns.
        train, valid, test: rows (N, D) in standard units, with NaN for empty cells.

    Example:
        >>> table = load_players()
        >>> table
        Table(12 columns: 6 gaussian, 3 count, 2 category, 1 positive; 3,500 training, 750 validation and 750 test rows)
        >>> table.train.shape, table["height"]
        (torch.Size([3500, 12]), 3)
    """

    columns: tuple[Column, ...]
    train: Float[Tensor, "rows columns"]
    valid: Float[Tensor, "rows columns"]
    test: Float[Tensor, "rows columns"]

    def __repr__(self) -> str:
        kinds = Counter(column.kind for column in self.columns).most_common()
        rows = f"{len(self.train):,} training, {len(self.valid):,} validation and {len(self.test):,} test rows"
        columns = f"{len(self.columns)} column{'s' * (len(self.columns) > 1)}"
        return f"Table({columns}: {', '.join(f'{n} {kind}' for kind, n in kinds)}; {rows})"

    def __getitem__(self, name: str) -> int:
        """The index of the column called `name`.

        Raises:
            ValueError: there is no such column.
        """
        names = [column.name for column in self.columns]
        if str(name) not in names:
            raise ValueError(f"there is no column {name!r}; the table has {', '.join(names)}")
        return names.index(str(name))

    def encode(self, frame: pd.DataFrame) -> Float[Tensor, "rows columns"]:
        """Rows in standard units, from a frame with the words and units of the file. Columns that are left out are empty cells.

        Cells are compared by value: where the file has 2 or TRUE, the frame may hold 2.0 or True, and where it has 02100 also 2100.
        `encode(pandas.read_csv(path))` gives the rows of the file. If a word such as NA is the name of a category in this table, read the
        file with keep_default_na=False, because pandas otherwise takes the word for an empty cell.

        Args:
            frame: a pandas.DataFrame with columns of this table.

        Returns:
            Rows (N, D).

        Raises:
            TypeError: frame is no pandas.DataFrame.
            ValueError: a column is unknown or occurs twice, a category does not occur in the training rows, or a cell is no number.
        """
        import pandas as pd

        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"frame must be a pandas.DataFrame with columns of this table; got {type(frame).__name__}")
        names = [str(name).strip() for name in frame.columns]
        for i, name in enumerate(names):
            self[name]  # raises
            if name in names[:i]:
                raise ValueError(f"two columns of the frame are called {name!r}: leave one out")
        places = [f"row {i + 1}" for i in range(len(frame))]
        encoded = []
        for column in self.columns:
            cells = [""] * len(frame)
            if column.name in names:
                given = frame.iloc[:, names.index(column.name)]
                cells = _without_words(["" if gone else cell for cell, gone in zip(given.array, given.isna())], column.empty)
            encoded.append(_encode(column, cells, places))
        return _to_tensor(encoded)

    def decode(self, x: Float[Tensor, "rows columns"]) -> pd.DataFrame:
        """The inverse of `encode`: a pandas.DataFrame in the words and units of the file, from rows (N, D).

        An expectation of a count, such as 2.3, stays what it is.

        Raises:
            TypeError, ValueError: x holds no rows of this table (see `check_rows`).
        """
        import pandas as pd

        check_rows(self.columns, x, counts=False)
        return pd.DataFrame({column.name: _decode(column, values) for column, values in zip(self.columns, x.double().T.tolist())})

    def log_jacobian(self, x: Float[Tensor, "rows columns"]) -> Float[Tensor, " rows"]:
        """log |d standard units / d raw units| of the observed cells of each row, (N,), in nats (notebook 10, equation 10.3).

        Added to a log-density in standard units, it gives one in raw units. Counts and categories do not contribute, because their
        probabilities have no unit.

        Args:
            x: rows (N, D) in standard units.

        Raises:
            TypeError, ValueError: x holds no rows of this table (see `check_rows`).
        """
        check_rows(self.columns, x, counts=False)
        total = x.new_zeros(len(x))
        for column, values in zip(self.columns, x.T):
            if column.kind in ("gaussian", "positive"):
                log_value = column.shift + column.scale * values if column.kind == "positive" else torch.zeros_like(values)
                total = total - torch.where(values.isnan(), 0.0, math.log(column.scale) + log_value)
        return total

    def describe(self) -> pd.DataFrame:
        """One line for each column: its kind, its typical values in raw units or its categories, and the share of empty cells."""
        import pandas as pd

        rows = []
        for column, values in zip(self.columns, self.train.T):
            seen = values[~values.isnan()]
            low, middle, high = (_decode(column, [float(seen.quantile(q))])[0] for q in (0.1, 0.5, 0.9))
            typical = ", ".join(column.categories) if column.kind == "category" else f"{low:g} … {middle:g} … {high:g}"
            rows.append((column.name, column.kind, typical, f"{100 * float(values.isnan().float().mean()):.0f} %"))
        return pd.DataFrame(rows, columns=["column", "kind", "typical values", "empty"]).set_index("column")


def check_rows(columns: Sequence[Column], x: Float[Tensor, "rows columns"], counts: bool = True) -> None:
    """Raise an error that says what to do, unless x holds rows of these columns in standard units, with NaN for empty cells.

    Args:
        columns: the descriptions of the D columns.
        x: rows (N, D).
        counts: whether counts must be whole; otherwise they may be expectations.

    Raises:
        TypeError: x is no tensor.
        ValueError: x has another shape, infinite entries, or a count or the number of a category that is out of range.

    Example:
        >>> check_rows([Column("foot", "category", categories=("left", "right"))], torch.tensor([[0.0], [2.0]]))
        Traceback (most recent call last):
        ValueError: column 'foot' must hold 0 … 1, the number of a category: Table.encode makes such rows from the words of a file
    """
    tensors(x=x)
    if x.ndim != 2 or x.shape[1] != len(columns):
        raise ValueError(f"x must have shape (N, {len(columns)}), one row of the table in each; got {tuple(x.shape)}")
    if x.isinf().any():
        raise ValueError("x holds infinity: x.isinf().any(1) is True for such rows; correct or remove them")
    for column, values in zip(columns, x.T):
        known = values[~values.isnan()]
        most = len(column.categories) - 1 if column.kind == "category" else math.inf
        checked = column.kind == "category" or (column.kind == "count" and counts)
        if checked and not ((known == known.round()) & (known >= 0) & (known <= most)).all():
            wanted = f"0 … {most}, the number of a category" if column.kind == "category" else "0, 1, 2, …, a count"
            raise ValueError(f"column {column.name!r} must hold {wanted}: Table.encode makes such rows from the words of a file")


def load_players() -> Table:
    """The 5,000 invented football players that ship with the course, in splits of 3,500, 750 and 750; `vaecourse.players` draws them.

    Example:
        >>> [column.name for column in load_players().columns][:4]
        ['position', 'foot', 'age', 'height']
    """
    return load_table(shipped("players.csv"))


def load_table(
    path: str | Path,
    *,
    kinds: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    empty: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    header: bool | None = None,
    separator: str | None = None,
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15),
    seed: int = 0,
) -> Table:
    r"""Read a CSV file (text in UTF-8) whose first line holds the names of its columns.

    Args:
        path: the path of the file, in which ~ is the home folder. A table on the web must be downloaded first.
        kinds: a dictionary from names of columns to their kinds, each one of `KINDS`, for columns whose kind is guessed wrongly. The
            guess is: names are categories, and so are numbers with only two values; whole numbers from 0, 1 or 2 up to at most a million
            are counts; numbers above 0 with a long tail to the right are positive quantities; all others are quantities on a line.
            Numbers with leading zeros (02100, 007) are names.
        drop: columns to leave out (names of people, row numbers).
        empty: the words that mean an empty cell, in upper or lower case: a list for all columns, or a dictionary from names of columns to
            lists, such as empty={"region": []} if NA is North America. By default they are those in `EMPTY`, and a warning is given if
            one of them might be a name. A cell without any text is always empty. The names of columns are not searched for such words.
        header: whether the first line holds the names of the columns; if it does not, they are called 0, 1, 2, … By default the line is
            taken for names, unless it looks like a row, which is an error. Names that count from 0 or 1, as pandas writes them, are names.
        separator: the character between two cells; by default the one that a first line such as sep=; states, and otherwise a comma.
        shares: the shares of training, validation and test rows, which are assigned at random.
        seed: of that assignment.

    Returns:
        The table. Shifts, scales and categories come from the training rows only.

    Raises:
        FileNotFoundError: there is no such file.
        PermissionError: the file may not be read.
        TypeError: an argument is of a wrong type.
        ValueError: the table cannot be used as it is. The message says what was found, where, and what to do.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "team.csv"
        ...     _ = path.write_text("height,foot\n" + "180.5,left\n176.0,right\n191.2,right\n" * 10)
        ...     print(load_table(path))
        Table(2 columns: 1 gaussian, 1 category; 21 training, 5 validation and 4 test rows)
    """
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n'):
        raise ValueError(f"separator is the one character between two cells, such as ',' ';' or '\\t'; got {separator!r}")
    if not any(header is known for known in (True, False, None)):
        raise TypeError(f"header must be True if the first line holds names, False if it does not, or None; got {header!r}")
    if not (kinds is None or isinstance(kinds, Mapping)):
        raise TypeError(f"kinds must be a dictionary from names of columns to kinds, such as {{'age': 'count'}}; got {kinds!r}")
    kinds, drop, words_of = (
        {str(name): kind for name, kind in (kinds or {}).items()},
        _texts(drop, "drop must be a list of names"),
        _words(empty),
    )
    shares, path = _shares(shares), _path(path)
    texts, places = _read(path, separator, header)
    for name in [*drop, *kinds, *(words_of if isinstance(empty, Mapping) else ())]:
        if name not in texts:
            raise ValueError(f"there is no column {name!r}, which drop, kinds or empty names; the file has {_some(list(texts), 20)}")
    texts = {name: column for name, column in texts.items() if name not in drop}
    if not texts:
        raise ValueError("every column is dropped: keep at least one")
    for name, kind in kinds.items():
        Column(name, kind)  # raises
    parts = _deal(len(places), shares, whole("seed", seed, least=0), path)
    words = {name: words_of[name] for name in texts}
    cells = {name: _without_words(column, words[name]) for name, column in texts.items()}
    as_empty = {name: [(t, p) for t, c, p in zip(texts[name], column, places) if t and not c] for name, column in cells.items()}
    _refuse_blank_rows(cells, places, path, as_empty)
    fitted = [_fit(name, cells[name], places, parts[0], kinds.get(name), words[name], as_empty[name]) for name in cells]
    columns = tuple(column for column, _ in fitted)
    if empty is None:
        _warn_of_words({column.name: as_empty[column.name] for column in columns if column.kind == "category"})
    encoded = _to_tensor([values for _, values in fitted])
    return Table(columns, *(encoded[part] for part in parts))


def _shares(shares: Iterable[float]) -> tuple[float, ...]:
    """The shares as a tuple, checked."""
    given = tuple(shares) if isinstance(shares, Iterable) else ()
    if len(given) != 3 or not all(isinstance(share, Real) and share > 0 for share in given) or abs(sum(given) - 1) > 1e-6:
        shown = given if given and not isinstance(shares, (str, Tensor)) else shares
        raise ValueError(f"shares are three numbers above 0, of training, validation and test rows, and must sum to 1; got {shown!r}")
    return given


def _deal(n: int, shares: tuple[float, float, float], seed: int, path: Path) -> list[np.ndarray]:
    """The indices of the training, validation and test rows."""
    if n < FEWEST_ROWS:
        rows = "1 row" if n == 1 else f"{n} rows"
        raise ValueError(f"{path} holds {rows}, but at least {FEWEST_ROWS} are needed for training and testing: collect more")
    order = np.random.default_rng(seed).permutation(n)
    first, second = round(shares[0] * n), round((shares[0] + shares[1]) * n)
    parts = [order[:first], order[first:second], order[second:]]
    if not all(len(part) for part in parts):
        raise ValueError(f"{n} rows are too few for shares of {shares}: one of the three splits is empty")
    return parts


def _refuse_blank_rows(
    cells: Mapping[str, list[str]], places: list[str], path: Path, as_empty: Mapping[str, list[tuple[str, str]]]
) -> None:
    blank = [place for place, row in zip(places, zip(*cells.values())) if not any(row)]
    if blank:
        such = f" ({len(blank)} such rows)" if len(blank) > 1 else ""
        found = next(((word, name) for name, some in as_empty.items() for word, place in some if place == blank[0]), None)
        or_name = f"; if {found[0]!r} in it is a name, pass empty={{{found[1]!r}: []}}" if found else ""
        raise ValueError(f"{blank[0]} of {path} is empty in every column{such}: remove it from the file{or_name}")


def _warn_of_words(as_empty: Mapping[str, list[tuple[str, str]]]) -> None:
    """Warn of words that were read as empty cells although they might be names: NA, None, -."""
    found = [(name, *first) for name, some in as_empty.items() for first in some if first[0].lower() in ("na", "none", "-")]
    if found:
        name, word, place = found[0]
        more = f" and {len(found) - 1:,} others like it" if len(found) > 1 else ""
        warnings.warn(
            f"{word!r} in {place} of column {name!r}{more} was read as an empty cell. If it is the name of a category, pass "
            f"empty={{{name!r}: []}}; if it does mean an empty cell, pass empty=vaecourse.tables.EMPTY to hide this warning",
            stacklevel=3,
        )


# ---------------------------------------------------------------- from the file to cells of text


def _path(path: str | Path) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path must be the name of a CSV file; got {type(path).__name__}: save a DataFrame with to_csv first")
    return located(path)


def _read(path: Path, separator: str | None, header: bool | None) -> tuple[dict[str, list[str]], list[str]]:
    """The cells as text by column, and where each row begins, such as "line 7". Blank lines are skipped."""
    text, separator = _obey_first_line(_read_text(path), separator, path)
    rows, places = _rows(text, separator, path)
    if not rows:
        raise ValueError(f"{path} is empty: its first line must hold the names of the columns, and every other line a row")
    first = rows[0]
    other = next((s for s in ";\t,|" if s != separator and all(s in separator.join(row) for row in rows[:2]) and len(first) == 1), None)
    if other:
        raise ValueError(f"{path} has a single column, {_show(first[0])}: its cells are separated by {other!r}; pass separator={other!r}")
    for row, place in zip(rows, places):
        if len(row) != len(first):
            raise ValueError(
                f"{place} of {path} has {len(row)} cells, but the first line names {len(first)} ({_some(first)}): correct that line; "
                f"a cell that contains {separator!r} needs quotes"
            )
    if not _holds_names(rows, places, path, header):
        return {str(i): list(column) for i, column in enumerate(zip(*rows))}, places
    _check_names(first, path)
    if len(rows) == 1:
        raise ValueError(f"{path} holds names of columns ({_some(first)}) but no rows: add one line for each row")
    return {name: list(column) for name, column in zip(first, zip(*rows[1:]))}, places[1:]


def _read_text(path: Path) -> str:
    if path.is_dir():
        raise ValueError(f"{path} is a folder: pass the path of a file in it")
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(
            f"there is no file {path}{_neighbours(path)}: check its name and folder; the current folder is {Path.cwd().name}/"
        ) from None
    except PermissionError:
        raise PermissionError(f"{path} may not be read: change its permissions, or close the program that holds it open") from None
    found = next((what for start, what in SIGNATURES.items() if data[:200].lstrip().lower().startswith(start)), "")
    if path.suffix.lower() in (".xlsx", ".xls", ".ods", ".numbers") or "spreadsheet" in found:
        raise ValueError(f"{path.name} is a {found or 'spreadsheet'}: save it as CSV (comma separated, UTF-8) and load that file")
    if path.suffix.lower() in (".zip", ".gz", ".bz2", ".xz", ".7z") or "compressed" in found:
        raise ValueError(f"{path.name} is compressed: unpack it and load the CSV file in it")
    if found:
        raise ValueError(f"{path.name} is not a CSV file, but {found}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + len(re.findall(rb"\r\n?|\n", data[: error.start]))
        what = "text in UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else f"not text in UTF-8 (line {line})"
        raise ValueError(f'{path} is {what}: save it as CSV with encoding UTF-8 ("CSV UTF-8" in Excel)') from None
    if "\0" in text:
        line = 1 + len(re.findall(r"\r\n?|\n", text[: text.index("\0")]))
        raise ValueError(f"{path} is not text in UTF-8 (a zero byte in line {line}): save the table as CSV with encoding UTF-8")
    return text


SIGNATURES = {  # how files of other kinds begin, in small letters
    b"pk\x03\x04": "zip archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "spreadsheet in an old format, or another document",
    b"\x1f\x8b": "compressed",
    b"bzh": "compressed",
    b"\xfd7zxz": "compressed",
    b"7z\xbc\xaf": "compressed",
    b"par1": "a Parquet file: read it with pandas.read_parquet and save it with to_csv(path, index=False)",
    b"%pdf": "a PDF",
    b"sqlite format 3": "a database",
    b"<!doctype html": "a web page: download the file itself (the link called raw or download)",
    b"<html": "a web page: download the file itself (the link called raw or download)",
    b"version https://git-lfs": "a Git LFS pointer: fetch the file itself with git lfs pull",
}


def _neighbours(path: Path) -> str:
    """The files in the folder of `path` whose names are similar to the requested one."""
    try:
        names = {p.name.lower(): p.name for p in itertools.islice(path.parent.iterdir(), 2000)}
    except OSError:
        return f", and no folder {path.parent}"
    near = difflib.get_close_matches(path.name.lower(), names, 3)
    return f", but {' and '.join(names[name] for name in near)} in that folder" if near else ""


def _obey_first_line(text: str, separator: str | None, path: Path) -> tuple[str, str]:
    """Excel's first line, sep=; or "sep=;", states the separator. It is removed, but its line end stays, for the line numbers."""
    blank, line = re.match(r"((?:[ \t]*[\r\n])*)([^\r\n]*)", text).groups()
    said = re.match(r' *"?sep *= *"?([^"])"?(.*)', line, re.IGNORECASE)
    if not said or set(said[2]) - set(';,\t| "' + said[1]):
        return text, separator or ","
    if set(said[2]) - set(' "' + said[1]):
        raise ValueError(f"the first line of {path} says {line!r}, which contradicts itself: remove that line")
    if separator not in (None, said[1]):
        raise ValueError(
            f"the first line of {path} says that cells are separated by {said[1]!r}, but separator={separator!r} was passed: leave out "
            "separator, or remove that line"
        )
    return blank + text[len(blank) + len(line) :], said[1]


def _rows(text: str, separator: str, path: Path) -> tuple[list[list[str]], list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    rows, places, before = [], [], 0
    try:
        with _cells_of_any_length():
            for row in reader:
                if len(row) > 1 or (row and row[0].strip()):
                    rows.append([cell.strip() for cell in row])
                    places.append(f"line {before + 1}")  # a quoted cell may go on over several lines
                before = reader.line_num
    except csv.Error as error:
        where = f"in the row of {path} that begins in line {before + 1}"
        if "unexpected end of data" in str(error):
            raise ValueError(
                f'{where} a cell begins with a quote (") that is not closed before the end of the file: close it; a quote inside a '
                "quoted cell must be doubled"
            ) from None
        if "expected after" in str(error):
            raise ValueError(
                f'{where} a quoted cell continues after its closing quote (") in line {reader.line_num}: a quoted cell must end with '
                f"a quote just before {separator!r} or the end of the line, and a quote inside it doubled; or an earlier quote is open"
            ) from None
        raise ValueError(f"{where} the text is not CSV: {error}") from None
    return rows, places


_LIMIT = threading.Lock()


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """Suspend the limit of 131,072 characters per cell, which `csv` keeps for the whole process; one thread at a time."""
    with _LIMIT:
        before = csv.field_size_limit(2**31 - 1)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _holds_names(rows: list[list[str]], places: list[str], path: Path, header: bool | None) -> bool:
    """Whether the first line holds names.

    Raises:
        ValueError: it might be a row, and `header` does not say which.
    """
    if header is not None:
        return header
    first, below = rows[0], rows[1:]
    numbers = [_number(cell) for cell in first]
    counted = numbers[first[0] == "" :]  # pandas leaves the column of row numbers without a name
    if counted in ([*range(len(counted))], [*range(1, len(counted) + 1)]):
        if not any(all(_number(cell) == number for cell, number in zip(row, numbers)) for row in below):
            return True
    elif first in below:
        raise ValueError(
            f"{places[1 + below.index(first)]} of {path} repeats the first line ({_some(first, 3)}): remove it, or pass "
            "header=False if the first line is a row, too"
        )
    like_cells = [
        (number is not None and math.isfinite(number)) or bool(cell and any(cell == row[i] for row in below))
        for i, (cell, number) in enumerate(zip(first, numbers))
    ]
    if sum(like_cells) >= len(first) / 2:
        raise ValueError(
            f"the first line of {path} ({_some(first, 3)}) looks like a row, not like names of columns: if it is a row, write the names "
            "above it, or pass header=False, which names the columns 0, 1, 2, …; if it holds the names, pass header=True"
        )
    return True


def _check_names(names: list[str], path: Path) -> None:
    if "" in names:
        i = names.index("")
        hint = " (if every line merely ends with a separator, remove that)" if i == len(names) - 1 > 0 else ""
        hint = " (if it only numbers the rows, you can then leave it out with drop)" if i == 0 else hint
        raise ValueError(f"column {i + 1} of {path} has no name: write one in the first line{hint}")
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ValueError(f"two columns of {path} are called {_show(twice[0])}: give them different names")


# ---------------------------------------------------------------- what a cell says


def _words(empty: Iterable[str] | Mapping[str, Iterable[str]] | None) -> Mapping[str, tuple[str, ...]]:
    """The words that mean an empty cell, by the name of the column."""
    wanted = "empty must hold lists of words"
    if isinstance(empty, Mapping):
        return defaultdict(lambda: EMPTY, {str(name): EMPTY if words is None else _texts(words, wanted) for name, words in empty.items()})
    words = EMPTY if empty is None else _texts(empty, wanted)
    return defaultdict(lambda: words)


def _texts(given: Iterable[object], wanted: str) -> tuple[str, ...]:
    """A list of names or words, as texts; if it is none, the error says what was wanted."""
    if isinstance(given, (str, bytes)):
        raise ValueError(f"{wanted}: pass [{given!r}]")
    if not isinstance(given, Iterable):
        raise TypeError(f"{wanted}; got {given!r}{'' if given is None else f': pass [{str(given)!r}]'}")
    return tuple(str(word) for word in given)


def _without_words(cells: Iterable[object], words: Sequence[str]) -> list:
    """The cells, as texts without surrounding blanks; "" if the cell is empty or one of the words that mean so."""
    cells = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    keys = {_key(word.strip().lower()) for word in words}
    gone = {text: not text or _key(text.lower()) in keys for text in {str(cell) for cell in cells}}
    return ["" if gone[str(cell)] else cell for cell in cells]


def _number(text: str) -> int | float | None:
    """A text as a number; whole numbers as int, so that no digit is lost."""
    try:
        number = None if "_" in text else float(text)  # float would read 1_000
    except ValueError:
        return None
    return int(text) if number is not None and math.isfinite(number) and text.lstrip("+-").isdecimal() else number


def _is_code(text: str) -> bool:
    """Whether a leading zero marks a name made of digits: 02100, 007, 00, but not 0, 0.5 or -0.5."""
    return re.match(r"[-+]?0\d", text) is not None


def _are_codes(texts: Iterable[str]) -> bool:
    """Whether all texts are names made of digits: of the same length and some with leading zeros (01 … 12), or telephone numbers."""
    texts = set(texts)
    fixed = len({len(text) for text in texts}) == 1 and any(map(_is_code, texts)) and all(text.isdecimal() for text in texts)
    return fixed or all(re.fullmatch(r"(\+|0)\d{6,15}", text) for text in texts)


def _key(text: str) -> int | float | str:
    """The same value for cells with the same meaning: 1 and 1.0, true and TRUE, but not 02100 and 2100."""
    number = None if _is_code(text) else _number(text)
    if number is not None and math.isfinite(number):
        return number
    return text.lower() if text.lower() in ("true", "false") else text


def _value(cell: object) -> int | float | datetime | str:
    """The value that pandas reads from a cell, or could have read from its text: a number (1 for true), or a date."""
    text = str(cell)
    number = _number(text)
    if number is not None:
        return number
    if text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def _show(cell: object) -> str:
    text = str(cell)
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _some(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(name if len(name) <= 40 else name[:39] + "…" for name in names[:most]) + (", …" if len(names) > most else "")


# ---------------------------------------------------------------- from cells to columns


def _fit(
    name: str,
    cells: list[str],
    places: list[str],
    train: np.ndarray,
    kind: str | None,
    empty: tuple[str, ...],
    as_empty: list[tuple[str, str]],
) -> tuple[Column, np.ndarray]:
    """A column and its cells in standard units. The kind is guessed from all rows; everything else comes from the training rows.

    `as_empty` lists the words that were read as empty, and where; they may be what the column lacks.
    """
    known = [cell for cell in cells if cell]
    word, place = as_empty[0] if as_empty else ("", "")
    or_name = f"; if {word!r} in {place} is a name and not an empty cell, pass empty={{{name!r}: []}}" if as_empty else ""
    if not known:
        raise ValueError(f"column {name!r} is empty in every row: leave it out with drop=[{name!r}]{or_name}")
    kind = kind or _guess(name, cells, places)
    values = np.array([]) if kind == "category" else _values(name, kind, cells, places)
    if len({_key(cell) for cell in known}) == 1 or len(np.unique(values[~np.isnan(values)])) == 1:
        raise ValueError(
            f"column {name!r} has the same value, {_show(known[0])}, in every row that has one: leave it out with drop=[{name!r}]{or_name}"
        )
    seen: dict = {}  # the training rows' names, the shortest spelling of each
    for cell in sorted({cells[i] for i in train if cells[i]}, key=lambda cell: (len(cell), cell)):
        seen.setdefault(_key(cell), cell)
    if len(seen) < 2:
        what = f"is {_show(*seen.values())} in every training row that is not empty" if seen else "is empty in every training row"
        raise ValueError(f"column {name!r} {what}: its values hardly vary; leave it out with drop=[{name!r}], or try another seed{or_name}")
    if kind == "category":
        numbers = {cell: _number(cell) for cell in seen.values()}
        numeric = all(number is not None and math.isfinite(number) for number in numbers.values())
        names = sorted(seen.values(), key=lambda cell: (numbers[cell] if numeric else 0, cell))
        column = Column(name, kind, categories=tuple(names), empty=empty)
        return column, _encode(column, cells, places)
    standard = {"positive": np.log, "count": np.log1p}.get(kind, lambda v: v)(values)
    mean, scale = float(np.nanmean(standard[train])), float(np.nanstd(standard[train]))
    if not scale > 1e-6 * max(1.0, abs(mean)):
        raise ValueError(
            f"column {name!r} hardly varies in the training rows (standard deviation {scale:.2g}, mean {mean:.6g}): subtract a constant "
            f"from it, choose a smaller unit, or leave it out with drop=[{name!r}]"
        )
    column = Column(name, kind, mean, scale, empty=empty)
    return column, _standardised(column, values)


def _guess(name: str, cells: Sequence[str], places: Sequence[str]) -> str:
    known = [cell for cell in cells if cell]
    number = {cell: _number(cell) for cell in set(known)}
    plain = {cell for cell, value in number.items() if value is not None and not _is_code(cell)}
    if _are_codes(number) or not any(math.isfinite(number[cell]) for cell in plain):  # "Infinity" among words is a word
        plain = set()
    words = [(cell, place) for cell, place in zip(cells, places) if cell and cell not in plain]
    if not words:
        return _guess_number(np.array([number[cell] for cell in known], float))
    distinct, distinct_words = len({_key(cell) for cell in number}), len(number) - len(plain)
    as_names = f"if its values are names, pass kinds={{{name!r}: 'category'}}"
    or_number = f"; if they are numbers, pass kinds={{{name!r}: 'gaussian'}}"
    first, place = words[0]
    if plain and (len(words) < len(known) / 2 or len(plain) > distinct_words):
        cells_ = "this cell" if len(words) == 1 else f"these {len(words):,} cells"
        raise ValueError(
            f"column {name!r} holds numbers, but also {_show(first)} in {place}{_mistaken_number(first)}: correct {cells_}, or leave empty "
            f"what is unknown; {as_names}{or_number if _is_code(first) else ''}"
        )
    if all(_mistaken_number(cell) and not _is_code(cell) for cell in number if cell not in plain):
        raise ValueError(
            f"column {name!r} holds text such as {_show(first)} in {place}{_mistaken_number(first)}: write plain numbers, such as 1.85; "
            f"{as_names}"
        )
    most = min(MOST_CATEGORIES, max(2, len(known) // 2))
    if distinct > most:
        as_codes = _are_codes(number) or (not plain and all(value is not None for value in number.values()))
        codes = f"; values with leading zeros or a + count as names{or_number}" if as_codes else ""
        raise ValueError(
            f"column {name!r} looks like free text ({distinct:,} different values in {len(known):,} rows, such as {_show(known[0])}): "
            f"leave it out with drop=[{name!r}], or merge its values into at most {most} categories; if they are names each of which "
            f"occurs often, pass kinds={{{name!r}: 'category'}}{codes}"
        )
    long, place = next((found for found in words if "\n" in found[0] or "\r" in found[0]), ("", ""))
    if long:
        raise ValueError(
            f"column {name!r} holds a quoted cell, {_show(long)}, that begins in {place} and spans {len(long.splitlines())} lines: "
            f"close its quote; {as_names}"
        )
    return "category"


def _mistaken_number(cell: str) -> str:
    """What is wrong, if a text was probably meant as a number."""
    if _is_code(cell) and _number(cell) is not None:
        return ", with a leading zero, as names have"
    if "\u2212" in cell and _number(cell.replace("\u2212", "-")) is not None:
        return ", with a minus sign other than the one on the keyboard"
    if re.fullmatch(r"[-+]?\d{1,3}(\.\d{3}){2,}(,\d*)?|[-+]?\d{1,3}(\.\d{3})+,\d*", cell):
        return ", with '.' between thousands"
    if "," in cell and _number(cell.replace(",", "")) is not None:
        return ", with a decimal comma or a comma between thousands"
    if re.fullmatch(r"[-+]?\d{1,3}([ '’_\u00a0\u2009\u202f]\d{3})+([.,]\d*)?", cell):
        return f", with {cell.lstrip('+-0123456789')[0]!r} between thousands"
    if re.match(r"(\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d\d(\d\d)?)\b", cell):
        return ", a date"
    number = r"[-+]?(\d[\d.,]*)(e[-+]?\d+)?"
    if re.fullmatch(rf"\({number}\)", cell):
        return ", a number in brackets"
    if re.fullmatch(rf"{number}\s*([^\W\d]|[%°€$£'\"′″/²³])+", cell) or re.fullmatch(rf"[€$£]\s*{number}\s*\w*", cell):
        return ", a number with a unit"
    return ""


def _guess_number(values: np.ndarray) -> str:
    finite = values[np.abs(values) < LARGEST]  # others are refused later
    if len(np.unique(values)) == 2:
        return "category"
    if len(finite) and (finite == finite.round()).all() and 0 <= finite.min() <= 2 and finite.max() <= LARGEST_COUNT:
        return "count"
    if len(finite) and finite.min() > 0:
        centred = finite - finite.mean()
        if (centred**3).mean() > centred.std() ** 3:  # a skewness above 1
            return "positive"
    return "gaussian"


def _values(name: str, kind: str, cells: Sequence[object], places: Sequence[str]) -> np.ndarray:
    """The numbers of a column that is not a category, with NaN for empty cells."""
    values = np.full(len(cells), np.nan)
    for i, (cell, place) in enumerate(zip(cells, places)):
        if cell == "":
            continue
        number = _value(cell)
        if not isinstance(number, (int, float)) or not abs(number) < LARGEST:  # NaN fails too
            what = "is too large" if isinstance(number, (int, float)) and math.isfinite(number) else "is not a finite number"
            raise ValueError(
                f"column {name!r} is of kind {kind!r}, and {_show(cell)} in {place} {what}{_mistaken_number(str(cell))}: correct the cell, "
                "or leave it empty"
            )
        wrong = {
            "positive": number <= 0 and "above 0",
            "count": (not 0 <= number <= LARGEST_COUNT or number != round(number)) and f"one of 0, 1, 2, … {LARGEST_COUNT:,}",
        }.get(kind)
        if wrong:
            raise ValueError(
                f"column {name!r} is of kind {kind!r}, and {_some([str(cell)])} in {place} is not {wrong}: correct the cell, or leave it "
                f"empty; if it is right, pass kinds={{{name!r}: 'gaussian'}}"
            )
        values[i] = number
    return values


def _standardised(column: Column, values: np.ndarray) -> np.ndarray:
    if column.kind == "count":
        return values
    return ((np.log(values) if column.kind == "positive" else values) - column.shift) / column.scale


def _encode(column: Column, cells: Sequence[object], places: Sequence[str]) -> np.ndarray:
    """Cells in standard units; they are texts as the file has them, or what pandas reads from those."""
    if column.kind != "category":
        return _standardised(column, _values(column.name, column.kind, cells, places))
    by_text = {_key(name): float(i) for i, name in enumerate(column.categories)} | {"": math.nan}
    by_value: dict = {}
    for name in column.categories:
        by_value.setdefault(_value(name), []).append(name)
    encoded = []
    for cell, place in zip(cells, places):
        if isinstance(cell, str):
            number = by_text.get(_key(cell))
        else:
            names = by_value.get(_value(cell), [])
            if len(names) > 1:
                raise ValueError(
                    f"column {column.name!r}: {_show(cell)} in {place} may be any of the categories {_some(names)}: pass its text; "
                    f"pandas.read_csv reads it with dtype={{{column.name!r}: str}}"
                )
            number = by_text[_key(names[0])] if names else None
        if number is None:
            raise ValueError(
                f"column {column.name!r}: {_show(cell)} in {place} is a category that no training row has; the training rows have "
                f"{_some(column.categories)}: correct it, merge rare categories, leave the cell empty, or leave the column out"
            )
        encoded.append(number)
    return np.array(encoded)


def _decode(column: Column, values: Sequence[float]) -> list:
    if column.kind == "category":
        return [None if math.isnan(v) else column.categories[int(v)] for v in values]
    if column.kind == "count":
        return list(values)
    raw = [column.shift + column.scale * v for v in values]
    return [(math.inf if v > 709 else math.exp(v)) if column.kind == "positive" else v for v in raw]  # exp(710) overflows


def _to_tensor(columns: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(columns, 1).astype(np.float32))
