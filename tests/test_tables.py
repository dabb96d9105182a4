"""Tables: files that cannot be used are refused with words that help, and those that can lose nothing on the way."""

from __future__ import annotations

import csv
import gzip
import math
import re
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vaecourse import players
from vaecourse.data import shipped
from vaecourse.tables import EMPTY, KINDS, Column, Table, load_players, load_table

LONG = "POLYGON((" + "1 2, " * 30_000 + "1 2))"  # of more than the 131,072 characters that the csv module allows

quick = settings(max_examples=40, deadline=None, derandomize=True)


def team(n: int = 40, header: str = "height,goals,foot", **lines: str) -> str:
    """A table of 40 players that can be used; `line_7="…"` writes another line 7 (the header is line 1)."""
    rows = [header, *(f"{170 + i * 7 % 23}.5,{i * 5 % 11},{'left' if i % 3 else 'right'}" for i in range(n))]
    for name, text in lines.items():
        rows[int(name.removeprefix("line_")) - 1] = text
    return "\n".join(rows) + "\n"


def column(*cells: str, header: str = "h,x") -> str:
    """A table of 60 rows whose first column repeats these cells, and whose second tells rows apart."""
    return "\n".join([header, *(f"{cells[i % len(cells)]},{i}.5" for i in range(60))])


def many(text: str, n: int = 60) -> str:
    return column(*(text.format(i) for i in range(n)))


def write(folder: Path, content: str | bytes, name: str = "team.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def load(folder: Path, content: str | bytes, **arguments: Any) -> Table:
    return load_table(write(folder, content), **arguments)


def every(table: Table) -> Tensor:
    return torch.cat([table.train, table.valid, table.test])


# ---------------------------------------------------------------- files that cannot be used

MALFORMED: dict[str, tuple[str | bytes, dict[str, Any], list[str]]] = {
    # the file as a whole: content, arguments, and what the message says: what was found, where, what to do
    "empty": ("", {}, ["team.csv is empty", "its first line must hold the names"]),
    "blank lines only": ("\n\n \n", {}, ["team.csv is empty"]),
    "header only": ("height,goals\n", {}, ["names of columns (height, goals) but no rows", "add one line for each row"]),
    "too few rows": (team(19), {}, ["holds 19 rows", "at least 20", "collect more"]),
    "not UTF-8": (team(line_7="170.5,1,zurück").encode("latin1"), {}, ["not text in UTF-8 (line 7)", "save it as CSV with encoding UTF-8"]),
    "binary": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), {}, ["not text in UTF-8 (line 1)", "save it as CSV"]),
    "a zero byte": (team(line_7="170.5,1,le\0ft"), {}, ["not text in UTF-8 (a zero byte in line 7)", "save the table as CSV"]),
    # the first line
    "no header": (team(header="180.5,3,left"), {}, ["first line", "(180.5, 3, left)", "looks like a row", "write the names above it", "pass header=False", "pass header=True"]),
    "unnamed column": (team(header="height,,foot"), {}, ["column 2", "has no name", "write one in the first line"]),
    "unnamed row numbers": (team(header=",goals,foot"), {}, ["column 1", "has no name", "if it only numbers the rows, you can then leave it out with drop"]),
    "separator at the end of all": (team().replace("\n", ",\n"), {}, ["column 4", "has no name", "ends with a separator, remove that"]),
    "duplicate names": (team(header="height,goals,height"), {}, ["two columns", "'height'", "give them different names"]),
    "semicolons": (team().replace(",", ";"), {}, ["a single column, 'height;goals;foot'", "pass separator=';'"]),
    "tabs": (team().replace(",", "\t"), {}, ["a single column", r"pass separator='\t'"]),
    "separator that is not there": (team(), {"separator": ";"}, ["a single column", "pass separator=','"]),
    "separator of two characters": (team(), {"separator": "::"}, ["one character", "got '::'"]),
    # rows
    "row too long": (team(line_7="1,2,left,4"), {}, ["line 7", "has 4 cells", "names 3 (height, goals, foot)", "correct that line", "needs quotes"]),
    "row too short": (team(line_7="170.5,2"), {}, ["line 7", "has 2 cells", "names 3", "correct that line"]),
    "separator at the end of rows": (team().replace("t\n", "t,\n").replace("foot,", "foot"), {}, ["line 2", "has 4 cells", "names 3"]),
    "decimal comma without quotes": (team(line_9="170,5,1,left"), {}, ["line 9", "has 4 cells", "a cell that contains ',' needs quotes"]),
    "empty row": (team(line_9=",NA, "), {}, ["line 9", "empty in every column:", "remove it"]),
    "empty rows": (team(line_9=",,", line_20=",,"), {}, ["line 9", "(2 such rows)", "remove it"]),
    "unclosed quote": (team(line_7='170.5,2,"left'), {}, ["begins in line 7", "with a quote", "not closed before the end of the file: close it"]),
    "quote closed far below": (team(line_7='170.5,2,"left', line_30='170.5,2,"right"'), {}, ["begins in line 7", "after its closing quote", "in line 30", "an earlier quote is open"]),
    "text after a quote": (team(line_7='170.5,2,"le"ft'), {}, ["begins in line 7", "after its closing quote (\") in line 7", "just before ','"]),
    "a quote closed far below by another": (team(80, line_7='170.5,2,"left', line_30='170.5,2,left"'), {}, ["column 'foot'", "begins in line 7", "spans 24 lines", "close its quote", "kinds={'foot': 'category'}"]),
    "names and a row that repeats them": (team(line_9="height,goals,foot"), {}, ["line 9", "repeats the first line (height, goals, foot): remove it", "header=False"]),
    "no header, names among its cells": (team(header="180.5,3,left", line_2="Utrecht,3,left").replace("180.5,3,left\n", "", 1), {}, ["(Utrecht, 3, left) looks like a row"]),
    "years as names": (team(header="2019,2020,foot"), {}, ["(2019, 2020, foot) looks like a row", "pass header=True"]),
    "0 and 1, which rows hold too": ("0,1\n" + "".join(f"{i % 2},{i // 2 % 2}\n" for i in range(40)), {}, ["(0, 1) looks like a row", "header=False", "header=True"]),
    "pandas' row numbers and names": (pd.DataFrame(np.eye(30)).to_csv(), {}, ["column 1", "has no name", "then leave it out with drop"]),
    "numbers as names, twice": (team(header="1,1,foot"), {"header": True}, ["two columns", "'1'"]),
    "names, one with blanks, twice": (team(header="height, goals ,goals"), {}, ["two columns", "'goals'"]),
    # sep=
    "sep= against separator": ("sep=;\n" + team().replace(",", ";"), {"separator": ","}, ["the first line", "cells are separated by ';', but separator=',' was passed", "leave out separator, or remove that line"]),
    "sep= that contradicts itself": ("sep=;,,\n" + team(), {}, ["first line", "'sep=;,,'", "remove that line"]),
    "sep= counts as a line": ("sep=;\n" + team(line_7="1;2").replace(",", ";"), {}, ["line 8", "has 2 cells"]),
    "separator that is a quote": (team(), {"separator": '"'}, ["one character", "got '\"'"]),
    "separator that is a number": (team(), {"separator": 5}, ["one character", "got 5"]),
    "sep= that contradicts itself after a blank line": ("\n\nsep=;,,\n" + team(), {}, ["first line", "'sep=;,,'", "remove that line"]),
    # files of other kinds
    "UTF-16": (team().encode("utf-16"), {}, ["text in UTF-16", "save it as CSV with encoding UTF-8"]),
    "UTF-16 without its mark": (team().encode("utf-16-le"), {}, ["not text in UTF-8 (a zero byte in line 1)"]),
    "not UTF-8, old line ends": (team(line_7="170.5,1,zurück").replace("\n", "\r").encode("latin1"), {}, ["not text in UTF-8 (line 7)"]),
    "a spreadsheet called csv": (b"PK\x03\x04" + bytes(40), {}, ["team.csv is a zip archive or a spreadsheet", "save it as CSV"]),
    "an old spreadsheet called csv": (b"\xd0\xcf\x11\xe0" + bytes(40), {}, ["spreadsheet", "save it as CSV"]),
    "a compressed file called csv": (gzip.compress(team().encode()), {}, ["team.csv is compressed: unpack it"]),
    "a web page": ("\n<!DOCTYPE html>\n<html>", {}, ["not a CSV file, but a web page", "download the file itself"]),
    "a Git LFS pointer": ("version https://git-lfs.github.com/spec/v1\n", {}, ["a Git LFS pointer", "git lfs pull"]),
    "Parquet": (b"PAR1" + bytes(9), {}, ["Parquet", "pandas.read_parquet"]),
    # words for empty cells
    "two names, one a word for empty": (column("NA", "EU"), {}, ["column 'h'", "same value, 'EU'", "drop=['h']", "if 'NA' in line 2 is a name and not an empty cell, pass empty={'h': []}"]),
    "rhesus factors": (column("+", "-"), {}, ["same value, '+'", "if '-' in line 3 is a name", "empty={'h': []}"]),
    "a row of words for empty": ("region\n" + "EU\nNA\n" * 20, {}, ["line 3", "empty in every column (20 such rows)", "if 'NA' in it is a name, pass empty={'region': []}"]),
    "a word as empty": (team(), {"empty": "NA"}, ["lists of words: pass ['NA']"]),
    "a word as empty, by column": (team(), {"empty": {"foot": "NA"}}, ["lists of words: pass ['NA']"]),
    "unknown column in empty": (team(), {"empty": {"Foot": []}}, ["no column 'Foot'", "the file has height, goals, foot"]),
    "NA among numbers, said to be no empty cell": (team(line_7="NA,2,left"), {"empty": []}, ["column 'height'", "also 'NA' in line 7"]),
    # names made of digits
    "many postal codes": ("zip,x\n" + "".join(f"{i * 137:05d},{i}.5\n" for i in range(60)), {}, ["column 'zip'", "free text (60 different", "'00000'", "leading zeros", "kinds={'zip': 'gaussian'}"]),
    "many telephone numbers": (many("+4366012345{:02d}"), {}, ["column 'h'", "free text", "a + count as names", "kinds={'h': 'category'}"]),
    "many numbers with leading zeros": (many("0{}.5"), {}, ["column 'h'", "free text", "leading zeros", "kinds={'h': 'gaussian'}"]),
    "a leading zero among numbers": (column("007", "7", "12.5", "3"), {}, ["numbers, but also '007' in line 2, with a leading zero", "'category'", "'gaussian'"]),
    "00.5": (column("00.5", "1.5", "2.5", "3.5"), {}, ["also '00.5' in line 2, with a leading zero"]),
    # other ways to write a number
    "minus sign of typographers": (column("−1", "0", "1", "2", "3"), {}, ["also '−1' in line 2", "minus sign other than the one on the keyboard"]),
    "points between thousands": (column("1.234.567", "2.345.678"), {}, ["'1.234.567' in line 2, with '.' between thousands"]),
    "points and a decimal comma": (column('"1.234,56"', '"2.345,7"'), {}, ["'1.234,56' in line 2, with '.' between thousands"]),
    "apostrophes between thousands": (column("1’234", "2’345", "3’456"), {}, ["with '’' between thousands"]),
    "brackets for negative numbers": (column("(5)", "3", "4", "6"), {}, ["also '(5)' in line 2, a number in brackets"]),
    "an error of a spreadsheet": (column("#DIV/0!", "3", "4", "6"), {}, ["also '#DIV/0!' in line 2", "leave empty"]),
    "a line of units": (team(line_2="cm,,"), {}, ["column 'height'", "also 'cm' in line 2"]),
    "a line of comment": ("# by R\n" + team(), {}, ["line 2", "has 3 cells", "names 1 (# by R)"]),
    "true and TRUE alone": (column("true", "TRUE"), {}, ["same value, 'true'"]),
    "one row": (team(1), {}, ["holds 1 row,", "at least 20"]),
    # long cells
    "a long cell among numbers": (team(line_7=f'"{LONG}",2,left'), {}, ["column 'height'", "also 'POLYGON((1 2, ", "…' in line 7"]),
    "long cells": (column(f'"{LONG}"', f'"{LONG}2"'), {"kinds": {"h": "gaussian"}}, ["'POLYGON((1 2,", "…' in line 2 is not a finite number"]),
    "the same long cell": (column(f'"{LONG}"'), {}, ["same value, 'POLYGON((1 2,"]),
    "long numbers": (column("9" * 150_000, "1" * 150_000, "3", "4.5"), {}, ["'99999", "…' in line 2 is not a finite number"]),
    # columns without information
    "constant": (team().replace("right", "left"), {}, ["column 'foot'", "same value, 'left'", "drop=['foot']"]),
    "constant number, written twice": (column("1", "1.0"), {}, ["column 'h'", "same value, '1'", "drop=['h']"]),
    "constant and empty": (column("1", ""), {}, ["column 'h'", "same value, '1'", "drop=['h']"]),
    "all empty": (column("", "NA", "?", "n/a", "NULL", "-"), {}, ["column 'h'", "empty in every row", "drop=['h']"]),
    "hardly varies": (column("1000000000", "1000000000.01"), {"kinds": {"h": "gaussian"}}, ["column 'h'", "hardly varies", "mean 1e+09", "drop=['h']"]),
    # columns whose cells are no numbers
    "free text": (many("player {}"), {}, ["column 'h'", "free text (60 different values in 60 rows, such as 'player 0')", "drop=['h']", "at most 30", "occurs often, pass kinds={'h': 'category'}"]),
    "too many categories": (many("c{}", 31), {}, ["column 'h'", "31 different values", "merge its values into at most 30 categories"]),
    "decimal comma": (team().replace(",", ";").replace(".", ","), {"separator": ";"}, ["column 'height'", "'170,5' in line 2", "decimal comma", "plain numbers, such as 1.85"]),
    "decimal comma in quotes": (many('"1,{}"'), {}, ["column 'h'", "'1,0' in line 2", "decimal comma", "write plain numbers, such as 1.85"]),
    "comma between thousands": (many('"{},000"'), {}, ["column 'h'", "'0,000' in line 2", "comma between thousands", "write plain numbers"]),
    "space between thousands": (many("{} 000"), {}, ["column 'h'", "'0 000' in line 2", "with ' ' between thousands"]),
    "underscore between thousands": (many("{}_000"), {}, ["column 'h'", "'0_000' in line 2", "with '_' between thousands"]),
    "centimetres": (many("183 cm", 1) + "\n184 cm,1", {}, ["column 'h'", "'183 cm' in line 2", "a number with a unit", "write plain numbers"]),
    "per cent": (many("{}%"), {}, ["column 'h'", "'0%' in line 2", "a number with a unit", "kinds={'h': 'category'}"]),
    "euros": (many("€ {}.50"), {}, ["column 'h'", "'€ 0.50' in line 2", "a number with a unit"]),
    "dates": (column("2024-01-31", "24/12/2023"), {}, ["column 'h'", "'2024-01-31' in line 2", "a date", "write plain numbers"]),
    "a word among numbers": (team(line_7="tall,2,left"), {}, ["column 'height'", "also 'tall' in line 7", "correct this cell", "kinds={'height': 'category'}"]),
    "words among numbers": (column("unknown", "3", "unknown", "4", "5", "6"), {}, ["also 'unknown' in line 2", "correct these 20 cells", "leave empty"]),
    "many words among numbers": (column("unknown", "unknown", "unknown", "4", "5"), {}, ["holds numbers, but also 'unknown' in line 2", "these 36 cells"]),
    "one number with a unit": (team(line_7="183 cm,2,left"), {}, ["column 'height'", "'183 cm' in line 7, a number with a unit", "correct this cell"]),
    "infinity": (team(line_7="inf,2,left"), {}, ["column 'height'", "'inf' in line 7 is not a finite number:", "correct the cell, or leave it empty"]),
    "too large": (team(line_7="1e200,2,left"), {}, ["column 'height'", "'1e200' in line 7 is too large", "correct the cell"]),
    # against what `kinds` says
    "words as numbers": (team(), {"kinds": {"foot": "gaussian"}}, ["column 'foot'", "'gaussian'", "'right' in line 2 is not a finite number"]),
    "negative count": (team(line_7="170.5,-2,left"), {"kinds": {"goals": "count"}}, ["column 'goals'", "'count'", "-2 in line 7", "'gaussian'"]),
    "fractional count": (team(line_7="170.5,2.5,left"), {"kinds": {"goals": "count"}}, ["column 'goals'", "2.5 in line 7 is not one of 0, 1, 2"]),
    "enormous count": (team(line_7="170.5,1000001,left"), {"kinds": {"goals": "count"}}, ["column 'goals'", "1000001 in line 7", "1,000,000"]),
    "zero in positive": (team(line_7="0,2,left"), {"kinds": {"height": "positive"}}, ["column 'height'", "0 in line 7 is not above 0", "kinds={'height': 'gaussian'}"]),
    "unknown kind": (team(), {"kinds": {"goals": "poisson"}}, ["column 'goals'", "'poisson'", "gaussian, positive, count, category"]),
    "unknown column in kinds": (team(), {"kinds": {"Goals": "count"}}, ["no column 'Goals'", "the file has height, goals, foot"]),
    "unknown column in drop": (team(), {"drop": ["name"]}, ["no column 'name'", "the file has height, goals, foot"]),
    "a word as drop": (team(), {"drop": "foot"}, ["drop must be a list of names: pass ['foot']"]),
    "everything dropped": (team(), {"drop": ["height", "goals", "foot"]}, ["every column is dropped", "keep at least one"]),
    # splits
    "shares beyond 1": (team(), {"shares": (0.7, 0.2, 0.2)}, ["sum to 1", "got (0.7, 0.2, 0.2)"]),
    "a share of nothing": (team(), {"shares": (0.9, 0.1, 0.0)}, ["above 0", "got (0.9, 0.1, 0.0)"]),
    "a single share": (team(), {"shares": 0.7}, ["three numbers above 0", "got 0.7"]),
    "shares of nobody": (team(), {"shares": None}, ["three numbers above 0", "got None"]),
    "shares as text": (team(), {"shares": "abc"}, ["three numbers above 0", "got 'abc'"]),
    "shares as a tensor": (team(), {"shares": torch.ones(3) / 3}, ["three numbers above 0", "got tensor("]),
    "shares with NaN": (team(), {"shares": (math.nan, 0.5, 0.5)}, ["three numbers above 0", "got (nan, 0.5, 0.5)"]),
    "an unhashable kind": (team(), {"kinds": {"goals": ["count"]}}, ["column 'goals' cannot be of kind ['count']", "the kinds are gaussian"]),
    "two shares": (team(), {"shares": (0.9, 0.1)}, ["training, validation and test", "got (0.9, 0.1)"]),
    "shares that leave a split empty": (team(), {"shares": (0.98, 0.01, 0.01)}, ["40 rows are too few", "one of the three splits is empty"]),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_a_table_that_cannot_be_used_is_refused_with_what_where_and_what_to_do(case: str, tmp_path: Path) -> None:
    content, arguments, words = MALFORMED[case]
    with pytest.raises(ValueError, match=r".") as refused:
        load(tmp_path, content, **arguments)
    said = str(refused.value)
    assert words
    assert [word for word in words if word not in said] == [], said
    assert len(said) < 500


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"header": 0}, "header must be True if the first line holds names, False if it does not, or None; got 0"),
        ({"header": "infer"}, "header must be True .* got 'infer'"),
        ({"kinds": ["count"]}, r"kinds must be a dictionary from names of columns to kinds, such as \{'age': 'count'\}; got \['count'\]"),
        ({"kinds": "category"}, "kinds must be a dictionary .* got 'category'"),
        ({"drop": 0}, r"drop must be a list of names; got 0: pass \['0'\]"),
        ({"drop": None}, "drop must be a list of names; got None"),
        ({"empty": -999}, r"empty must hold lists of words; got -999: pass \['-999'\]"),
        ({"empty": {"foot": -999}}, "empty must hold lists of words; got -999"),
    ],
)
def test_arguments_of_another_type_are_refused(arguments: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=words):
        load(tmp_path, team(), **arguments)


def test_words_names_and_shares_may_come_from_a_generator(tmp_path: Path) -> None:
    content = "a,b,c\n" + "".join(f"{i}.5,{['n', 'x', 'y'][i % 3]},{i % 2}\n" for i in range(40))
    expected = load(tmp_path, content, empty=["n"], drop=["c"], shares=(0.5, 0.25, 0.25))
    found = load(tmp_path, content, empty=iter(["n"]), drop=iter(["c"]), shares=iter((0.5, 0.25, 0.25)))
    assert found.columns == expected.columns
    assert found["b"] == 1
    assert found.columns[1].categories == ("x", "y")
    by_column = load(tmp_path, content, empty={"b": iter(["n"])}, drop=["c"], shares=(0.5, 0.25, 0.25))
    assert by_column.columns[1] == expected.columns[1]
    assert torch.equal(every(found).nan_to_num(-1), every(expected).nan_to_num(-1))


SMALL = Table((Column("h", "positive", 5.0, 0.1), Column("foot", "category", categories=("l", "r"))), *[torch.zeros(1, 2)] * 3)


@pytest.mark.parametrize("of", [SMALL.decode, SMALL.log_jacobian])
@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (torch.tensor([[0.0, -1.0]]), ValueError, "column 'foot' must hold 0 … 1, the number of a category"),
        (torch.tensor([[0.0, 1.9]]), ValueError, "column 'foot' must hold 0 … 1"),
        (torch.tensor([[0.0, 2.0]]), ValueError, "column 'foot' must hold 0 … 1"),
        (torch.tensor([[math.inf, 1.0]]), ValueError, "x holds infinity"),
        (torch.zeros(2, 1), ValueError, r"x must have shape \(N, 2\), one row of the table in each; got \(2, 1\)"),
        (torch.zeros(2), ValueError, r"x must have shape \(N, 2\)"),
        (np.zeros((1, 2)), TypeError, "x must be a torch tensor; got ndarray"),
    ],
)
def test_what_are_no_rows_of_the_table_is_refused(of: Any, x: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        of(x)


def test_rows_of_whole_numbers_expectations_of_counts_and_enormous_quantities_are_decoded() -> None:
    assert SMALL.decode(torch.tensor([[0, 1]]))["foot"].tolist() == ["r"]
    assert SMALL.decode(torch.tensor([[1e5, math.nan]]))["h"].tolist() == [math.inf]
    counts = Table((Column("g", "count"),), *[torch.zeros(1, 1)] * 3)
    assert counts.decode(torch.tensor([[2.5]]))["g"].tolist() == [2.5]


def test_a_column_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="column 'g' cannot be of kind 'counts'; the kinds are gaussian, positive, count, category"):
        Column("g", "counts")


def test_a_table_prints_its_columns_and_rows(tmp_path: Path) -> None:
    table = load(tmp_path, team())
    assert repr(table) == "Table(3 columns: 1 gaussian, 1 count, 1 category; 28 training, 6 validation and 6 test rows)"
    assert repr(load(tmp_path, team(), drop=["height", "goals"])).startswith("Table(1 column: 1 category; ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=rf"no file .*team\.csv: check its name and folder; the current folder is {re.escape(Path.cwd().name)}/"
    ):
        load_table(tmp_path / "team.csv")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a folder: pass the path of a file in it"):
        load_table(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"), [("team.XLSX", "is a spreadsheet: save it as CSV"), ("team.csv.gz", "is compressed: unpack it")]
)
def test_files_of_other_programs(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{name} {words}"):
        load_table(write(tmp_path, team(), name))


def rare(seed: int, train: bool) -> int:
    """The line of a row that the split of this seed puts among the training rows of 40, or not."""
    order = np.random.default_rng(seed).permutation(40)
    return int(order[0 if train else 39]) + 2


def test_a_category_that_no_training_row_has(tmp_path: Path) -> None:
    line = rare(3, train=False)
    with pytest.raises(
        ValueError,
        match=f"column 'foot': 'both' in line {line} is a category .* the training rows have left, right: correct it, merge rare",
    ):
        load(tmp_path, team(**{f"line_{line}": "170.5,1,both"}), seed=3)
    assert load(tmp_path, team(**{f"line_{rare(3, train=True)}": "170.5,1,both"}), seed=3).columns[2].categories == (
        "both",
        "left",
        "right",
    )


def test_a_column_that_is_constant_among_training_rows(tmp_path: Path) -> None:
    text = team(**{f"line_{rare(0, train=False)}": "170.5,1,right"}).split("\n")
    text = [row.replace("right", "left") if i != rare(0, train=False) - 1 else row for i, row in enumerate(text)]
    with pytest.raises(
        ValueError, match=r"column 'foot' is 'left' in every training row .* leave it out with drop=\['foot'\], or try another seed"
    ):
        load(tmp_path, "\n".join(text))


def test_a_column_that_is_empty_in_every_training_row(tmp_path: Path) -> None:
    rows = [[*row.split(",")[:2], ""] for row in team().split("\n")[1:41]]
    order = np.random.default_rng(0).permutation(40)
    rows[order[38]][2], rows[order[39]][2] = "left", "right"
    with pytest.raises(ValueError, match="column 'foot' is empty in every training row: its values hardly vary"):
        load(tmp_path, "\n".join(["height,goals,foot", *(",".join(row) for row in rows)]))


def test_a_number_that_is_constant_among_training_rows_written_in_two_ways(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(40)
    cells = ["2.0" if i % 2 else "2" for i in range(40)]
    cells[order[39]] = "3"
    with pytest.raises(ValueError, match="column 'b' is '2' in every training row that is not empty"):
        load(tmp_path, "\n".join(["a,b", *(f"{i},{cell}" for i, cell in enumerate(cells))]))


# Blank lines and quoted cells that go on over lines move the rows below them; messages count as an editor does.
@pytest.mark.parametrize(
    ("above", "moved"), [({}, 0), ({"line_4": ""}, 0), ({"line_1": "\n\nheight,goals,foot"}, 2), ({"line_4": '170.5,1,"le\nft"'}, 1)]
)
@pytest.mark.parametrize(
    ("cell", "words"),
    [("inf,1,left", "line {} is not a finite"), ("x,1,left", "also 'x' in line {}"), (",,", "line {} of"), ("1,2", "line {} of")],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_are_counted_as_an_editor_counts_them(
    above: dict[str, str], moved: int, cell: str, words: str, ending: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=words.format(9 + moved)):
        load(tmp_path, team(line_9=cell, **above).replace("\n", ending), kinds={"foot": "category"})


# ---------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["left", "right", "both"], "category"),
        (["1", "0"], "category"),
        (["38", "40", "M", "L"], "category"),
        (["4-4-2", "3-5-2", "4-3-3"], "category"),
        (["U21", "over 30", "A team"], "category"),
        (["0", "1", "2", "3"], "count"),
        (["1.0", "5", "2"], "count"),
        (["2", "900000", "17"], "count"),
        (["0", "1000001", "17"], "gaussian"),
        (["3", "4", "5"], "gaussian"),
        (["-1", "0", "1"], "gaussian"),
        (["0.5", "1", "2"], "gaussian"),
        (["1", "1.0", "2"], "category"),
        (["1", "1.0", "2", "3"], "count"),
        (["true", "FALSE", "False"], "category"),
        (["02100", "10115", "00184"], "category"),
        (["01", "02", "10", "11", "12"], "category"),
        (["00", "0"], "category"),
        (["0", "0.5", "-0.5", "-0", "0e0"], "gaussian"),
        (["+2500000", "-1200000", "+3.5"], "gaussian"),
        (["+43660123456", "0660123457"], "category"),
        (["Infinity", "Zero"], "category"),
        (["3", "4", "5", "6", "7", "8", "9", "100"], "positive"),
        (["0.0", "4", "5", "6", "7", "8", "9.5", "100"], "gaussian"),
        (["1e-3", "+2.5", " 3.25 "], "gaussian"),
    ],
)
def test_the_kind_of_a_column_is_guessed_from_its_cells(cells: list[str], kind: str, tmp_path: Path) -> None:
    assert load(tmp_path, column(*cells, "")).columns[0].kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_is_given_goes_before_the_guess(kind: str, tmp_path: Path) -> None:
    table = load(tmp_path, column("10", "9", "8", "13"), kinds={"h": kind})
    assert table.columns[0].kind == kind
    assert table.columns[0].categories == (("8", "9", "10", "13") if kind == "category" else ())
    assert load(tmp_path, column("10", "9", "8", "13")).columns[0].kind == "gaussian"


def test_the_columns_keep_the_order_of_the_file_and_dropped_ones_are_gone(tmp_path: Path) -> None:
    table = load(tmp_path, team(), drop=["goals"])
    assert [c.name for c in table.columns] == ["height", "foot"]
    assert (table["height"], table["foot"]) == (0, 1)
    with pytest.raises(ValueError, match="there is no column 'goals'; the table has height, foot"):
        table["goals"]


def test_a_mark_of_the_byte_order_spaces_and_quotes_are_no_part_of_the_cells(tmp_path: Path) -> None:
    spaced = team().replace(",", " , ").replace("left", '"left"')
    plain, marked = load(tmp_path, team()), load(tmp_path, b"\xef\xbb\xbf" + spaced.encode())
    assert plain.columns == marked.columns
    assert torch.equal(plain.train, marked.train)


NAMES = ["RI,Na,Mg", "NA,NaN,None", "null,?,-", "inf,nan,n/a", "0,1,2", "1,2,3", "mean height,no. of goals,a b"]


@pytest.mark.parametrize("names", NAMES)
def test_any_text_is_a_name_and_so_are_numbers_that_count(names: str, tmp_path: Path) -> None:
    table = load(tmp_path, team(header=names))
    assert [column.name for column in table.columns] == names.split(",")
    assert [len(table.train), len(table.valid), len(table.test)] == [28, 6, 6]
    assert torch.equal(table.train, load(tmp_path, team()).train)


def test_the_reader_can_say_whether_the_first_line_holds_names(tmp_path: Path) -> None:
    text = "".join(f"{i}.5,{i * i}\n" for i in range(30))
    named, unnamed = load(tmp_path, text, header=True), load(tmp_path, text, header=False)
    assert [c.name for c in named.columns] == ["0.5", "0"]
    assert [c.name for c in unnamed.columns] == ["0", "1"]
    assert (len(every(named)), len(every(unnamed))) == (29, 30)
    np.testing.assert_allclose(sorted(unnamed.decode(every(unnamed))["0"]), np.arange(30) + 0.5, atol=1e-5)
    assert load(tmp_path, text, header=False, drop=[0], kinds={1: "count"}).columns[0].kind == "count"  # numbers, as pandas calls them


@pytest.mark.parametrize("passed", [True, False])
@pytest.mark.parametrize("line", ["sep={}", "SEP={}", '"sep={}"', "\ufeffsep={}", "Sep={}{}", "sep={}  ", "sep = {}", "\n  \nsep={}"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|", "~"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_first_line_that_names_the_separator_is_obeyed(line: str, separator: str, ending: str, passed: bool, tmp_path: Path) -> None:
    text = line.format(separator, separator) + "\n" + team().replace(",", separator)
    table = load(tmp_path, text.replace("\n", ending), **({"separator": separator} if passed else {}))
    plain = load(tmp_path, team())
    assert table.columns == plain.columns
    assert torch.equal(every(table), every(plain))


def test_a_column_whose_name_holds_a_separator_is_a_column(tmp_path: Path) -> None:
    assert load(tmp_path, "a|b\n" + "".join(f"{i}.5\n" for i in range(30))).columns[0].name == "a|b"


def test_cells_may_be_long_and_the_limit_of_the_process_is_put_back(tmp_path: Path) -> None:
    before = 131_072  # what Python begins with
    csv.field_size_limit(before)
    text = team(header="geometry,goals,foot", line_7=f'"{LONG}",2,left', line_9=f'"{LONG}2",2,left')
    path, plain, errors = write(tmp_path, text), load(tmp_path, team(), drop=["height"]), []

    def once() -> None:
        try:
            assert len(every(load_table(path, drop=["geometry"]))) == len(every(plain))
        except BaseException as error:
            errors.append(error)

    write(tmp_path, text)  # again: `plain` stood in its place
    threads = [threading.Thread(target=once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert csv.field_size_limit() == before
    long = load(tmp_path, column(f'"{LONG}"', f'"{LONG}2"', "a"))
    assert set(long.columns[0].categories) == {"a", LONG, LONG + "2"}


def test_41_countries_are_a_category_if_the_reader_says_so(tmp_path: Path) -> None:
    text = "country,x\n" + "".join(f"land {i % 41},{i}.5\n" for i in range(2000))
    with pytest.raises(ValueError, match=r"41 different values in 2,000 rows.* pass kinds=\{'country': 'category'\}$"):
        load(tmp_path, text)
    table = load(tmp_path, text, kinds={"country": "category"})
    assert sorted(table.columns[0].categories) == sorted(f"land {i}" for i in range(41))
    assert torch.bincount(every(table)[:, 0].long()).tolist() == [
        49 if name in {f"land {i}" for i in range(32)} else 48 for name in table.columns[0].categories
    ]


@pytest.mark.parametrize("kind", ["count", "gaussian"])
def test_leading_zeros_are_numbers_if_the_reader_says_so(kind: str, tmp_path: Path) -> None:
    table = load(tmp_path, column("01", "02", "10", "12"), kinds={"h": kind})
    found = table.decode(every(table))["h"].round(4)
    assert sorted(found) == [1] * 15 + [2] * 15 + [10] * 15 + [12] * 15


# ---------------------------------------------------------------- where the file is


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write(tmp_path, team(), "mine.csv")
    assert torch.equal(load_table("~/mine.csv").train, load_table(Path("~") / "mine.csv").train)
    with pytest.raises(ValueError, match="the ~ in ~nobody-of-this-name/x.csv stands for a home folder that cannot be found"):
        load_table("~nobody-of-this-name/x.csv")


@pytest.mark.parametrize(
    "address",
    ["https://example.org/a.csv", "HTTP://example.org/a", "s3://bucket/a.csv", "file:///tmp/a.csv", Path("https://example.org/a.csv")],
)
def test_an_address_is_no_file(address: str | Path) -> None:
    with pytest.raises(ValueError, match=r"://.* is an address, not a path on this machine: .* download it first"):
        load_table(address)


def test_the_files_whose_names_are_nearly_the_one_asked_for_are_named(tmp_path: Path) -> None:
    write(tmp_path, team(), "teams.csv")
    write(tmp_path, team(), "flats.csv")
    for name in ("team.csv", "Teams.CSV.txt", "team"):
        with pytest.raises(FileNotFoundError, match=rf"no file .*{name}, but teams\.csv in that folder: check its name"):
            load_table(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"no file .*teams\.csv, and no folder .*nowhere: check"):
        load_table(tmp_path / "nowhere" / "teams.csv")
    with pytest.raises(FileNotFoundError, match="no file"):
        load_table(tmp_path / "teams.csv" / "teams.csv")


def test_a_file_that_may_not_be_read_is_not_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    path = write(tmp_path, team())
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PermissionError, match=r"team\.csv may not be read: change its permissions, or close the program"):
        load_table(path)


def test_other_troubles_of_the_disk_keep_their_own_words(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        load_table(tmp_path / ("x" * 300 + ".csv"))


@pytest.mark.parametrize("path", [5, b"team.csv", None, pd.DataFrame()])
def test_what_is_no_path(path: Any) -> None:
    with pytest.raises(TypeError, match="path must be the name of a CSV file; got .*: save a DataFrame with to_csv first"):
        load_table(path)


# ---------------------------------------------------------------- words for empty cells


@pytest.mark.parametrize(
    ("cells", "empty", "categories", "gone"),
    [
        (["None", "Some"], [], ("None", "Some"), 0),
        (["NA", "EU"], {"h": []}, ("EU", "NA"), 0),
        (["NA", "EU", "-"], {"h": ["-"]}, ("EU", "NA"), 20),
        (["None", "mild", "severe"], {"h": ()}, ("None", "mild", "severe"), 0),
        (["none", "mild", "severe"], ["NONE"], ("mild", "severe"), 20),
        (["missing", "a", "b", ""], ["Missing", "x"], ("a", "b"), 30),
    ],
)
def test_the_reader_says_which_words_mean_empty(cells: list[str], empty: Any, categories: tuple, gone: int, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = load(tmp_path, column(*cells), empty=empty)
    assert table.columns[0].categories == categories
    assert int(every(table).isnan().sum()) == gone


def test_a_number_may_mean_empty_and_other_columns_keep_their_words(tmp_path: Path) -> None:
    table = load(
        tmp_path,
        "a,b\n"
        + "".join(f"{('-999', '-999.0', i)[i % 3]},{i if i % 3 < 2 or i % 4 else 'NA'}.5\n".replace("NA.5", "NA") for i in range(60)),
        empty={"a": ["-999"]},
    )
    assert every(table).isnan().sum(0).tolist() == [40, 5]


@pytest.mark.parametrize("word", ["None", "NA", "-"])
def test_a_word_that_may_be_a_name_is_read_as_empty_with_a_warning(word: str, tmp_path: Path) -> None:
    text = column(word, "mild", "severe")
    with pytest.warns(
        UserWarning, match=rf"'{word}' in line 2 of column 'h' and 19 others .*was read as an empty cell.*empty=\{{'h': \[\]\}}"
    ):
        table = load(tmp_path, text)
    assert table.columns[0].categories == ("mild", "severe")
    assert every(table).isnan().sum(0).tolist() == [20, 0]


@pytest.mark.parametrize("cells", [["NA", "1.5", "2.5", "7"], ["", "a", "b"], ["?", "a", "b"], ["NaN", "a", "b"]])
def test_there_is_no_warning_where_no_name_can_be_meant(cells: list[str], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert every(load(tmp_path, column(*cells))).isnan().any()


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators(separator: str, tmp_path: Path) -> None:
    assert torch.equal(load(tmp_path, team().replace(",", separator), separator=separator).test, load(tmp_path, team()).test)


# ---------------------------------------------------------------- missing cells, splits, scaling


def numbered(n: int, holes: set[tuple[int, int]] = frozenset()) -> str:
    """Rows that can be told apart: a quantity, a count, a positive quantity and a category."""
    rng = np.random.default_rng(0)
    rows = [[f"{i}.25", str(rng.poisson(4)), f"{math.exp(rng.normal()):.6f}", "abc"[i % 3]] for i in range(n)]
    for i, j in holes:
        rows[i][j] = ("", "NA", " ? ", "null")[(i + j) % 4]
    return "\n".join(["id,goals,value,kind", *(",".join(row) for row in rows)])


KIND = {"id": "gaussian", "goals": "count", "value": "positive", "kind": "category"}


def test_empty_cells_stay_empty_and_no_others_become_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    holes = {(int(i), int(j)) for i, j in zip(rng.integers(0, 200, 90), rng.integers(1, 4, 90))}
    table = load(tmp_path, numbered(200, holes), kinds=KIND, empty=EMPTY)
    x, frame = every(table), table.decode(every(table))
    row = (frame["id"] - 0.25).round().astype(int).to_numpy()
    expected = np.zeros((200, 4), bool)
    for i, j in holes:
        expected[i, j] = True
    np.testing.assert_array_equal(x.isnan(), expected[row])
    np.testing.assert_array_equal(frame.isna(), expected[row])


@pytest.mark.parametrize("shares", [(0.7, 0.15, 0.15), (0.5, 0.3, 0.2)])
def test_every_row_is_in_one_split_and_in_one_only(shares: tuple[float, float, float], tmp_path: Path) -> None:
    table = load(tmp_path, numbered(101), kinds=KIND, shares=shares)
    assert sorted(table.decode(every(table))["id"].round(3)) == [i + 0.25 for i in range(101)]
    assert [len(table.train), len(table.valid), len(table.test)] == pytest.approx([101 * s for s in shares], abs=1)


def test_rows_are_dealt_by_the_seed(tmp_path: Path) -> None:
    one, same, other = (load(tmp_path, numbered(100), kinds=KIND, seed=seed) for seed in (5, 5, 6))
    assert all(torch.equal(getattr(one, split), getattr(same, split)) for split in ("train", "valid", "test"))
    assert one.columns == same.columns
    assert set(one.decode(one.test)["id"].round(2)) != set(other.decode(other.test)["id"].round(2))
    assert list(one.decode(one.train)["id"]) != sorted(one.decode(one.train)["id"])


def test_shift_and_scale_are_mean_and_standard_deviation_of_the_training_rows(tmp_path: Path) -> None:
    table = load(tmp_path, numbered(100, {(3, 0), (50, 2), (60, 1)}), kinds=KIND)
    frame = table.decode(table.train)
    for name, f in (("id", np.asarray), ("goals", np.log1p), ("value", np.log)):
        values = f(frame[name].to_numpy(float))
        c = table.columns[table[name]]
        assert (c.shift, c.scale) == pytest.approx((np.nanmean(values), np.nanstd(values)), rel=1e-5)
        if name != "goals":
            x = table.train[:, table[name]].double()
            assert (x.nanmean().item(), np.nanstd(x)) == pytest.approx((0, 1), abs=1e-5)
    counts = table.train[:, table["goals"]]
    assert torch.equal(counts.nan_to_num(), counts.nan_to_num().round())


@pytest.mark.parametrize("split", ["valid", "test"])
def test_rows_outside_training_change_nothing_but_themselves(split: str, tmp_path: Path) -> None:
    before = load(tmp_path, numbered(60), kinds=KIND)
    lines = numbered(60).split("\n")
    i = round(before.decode(getattr(before, split))["id"][0] - 0.25)
    lines[i + 1] = "9999.5,77,12345.5,a"
    after = load(tmp_path, "\n".join(lines), kinds=KIND)
    assert after.columns == before.columns
    assert torch.equal(after.train, before.train)
    changed = (getattr(after, split) != getattr(before, split)).any(1)
    assert changed.tolist() == [True] + [False] * (len(changed) - 1)


# ---------------------------------------------------------------- there and back

FOOT = ("both", "left", "right")
COLUMNS = (
    Column("height", "gaussian", 182.0, 6.5),
    Column("value", "positive", 6.9, 1.1),
    Column("goals", "count", 0.9, 0.8),
    Column("foot", "category", categories=FOOT),
)
TABLE = Table(COLUMNS, *(torch.zeros(3, 4) for _ in range(3)))
cells = st.tuples(
    st.none() | st.floats(100, 260),
    st.none() | st.floats(0.5, 1e6),
    st.none() | st.integers(0, 10**6),
    st.none() | st.sampled_from(FOOT),
)


@quick
@given(st.lists(cells, min_size=1, max_size=8))
def test_words_and_units_survive_the_way_there_and_back(rows: list[tuple]) -> None:
    frame = pd.DataFrame(rows, columns=[c.name for c in COLUMNS])
    x = TABLE.encode(frame)
    back = TABLE.decode(x)
    assert x.dtype == torch.float32
    assert list(back.columns) == list(frame.columns)
    for name in ("height", "value", "goals"):
        np.testing.assert_allclose(back[name].astype(float), frame[name].astype(float), rtol=2e-6)
    assert [None if pd.isna(a) else a for a in back["foot"]] == [row[3] for row in rows]
    np.testing.assert_array_equal(x.isnan(), [[cell is None for cell in row] for row in rows])


def test_encode_gives_standard_units_by_the_formulas() -> None:
    frame = pd.DataFrame({"foot": ["right"], "height": [190.0], "goals": [7], "value": [2500]})
    np.testing.assert_allclose(TABLE.encode(frame), [[(190 - 182) / 6.5, (math.log(2500) - 6.9) / 1.1, 7, 2]], rtol=1e-6)


def test_the_file_s_own_rows_are_encoded_as_they_were_loaded(tmp_path: Path) -> None:
    table = load(tmp_path, numbered(60, {(5, 1), (9, 3)}), kinds=KIND)
    frame = pd.read_csv(tmp_path / "team.csv", na_values=[" ? "])
    x = table.encode(frame)
    place = {round(float(v), 2): i for i, v in enumerate(frame["id"])}
    rows = [place[round(v, 2)] for v in table.decode(table.test)["id"]]
    assert torch.equal(x[rows].nan_to_num(-99), table.test.nan_to_num(-99))


READ: dict[str, Any] = {
    "as it comes": lambda path: pd.read_csv(path),
    "text": lambda path: pd.read_csv(path, dtype=str),
    "objects": lambda path: pd.read_csv(path, dtype=object),
    "types with a missing value": lambda path: pd.read_csv(path, dtype_backend="numpy_nullable"),
    "categories": lambda path: pd.read_csv(path).astype("category"),
    "words kept": lambda path: pd.read_csv(path, keep_default_na=False),
}
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "whole numbers as names, some empty": ("stage,age\n" + "".join(f"{'' if i == 3 else 1 + i % 3},{20 + i}.5\n" for i in range(60)), {"kinds": {"stage": "category"}}),
    "0 and 1": (column("0", "1"), {}),
    "0 and 1, some empty": (column("0", "1", ""), {}),
    "TRUE and FALSE": (column("TRUE", "FALSE"), {}),
    "TRUE and FALSE, some empty": (column("TRUE", "FALSE", ""), {}),
    "true, written in many ways": (column("true", "False", "TRUE", ""), {}),
    "true, false, and another": (column("true", "False", "TRUE", "maybe"), {}),
    "1 and 1.0": (column("1", "1.0", "2", ""), {}),
    "1e3": (column("1e3", "1000", "5", "7.50"), {"kinds": {"h": "category"}}),
    "words": (column("a", " b ", '"c,d"', ""), {}),
    "counts": (column("1", "0", "2", "7", ""), {}),
    "positive": (column("1.5", "2.5", "3", "5", "7", "9", "800", ""), {}),
    "question marks": (column("?", "1.5", "2.5", "-", "7.5"), {}),
    "a number for empty": (column("-999", "1.5", "2.5", "7.5", ""), {"empty": ["-999"]}),
    "a word for empty": (column("missing", "a", "b"), {"empty": ["Missing"]}),
    "postal codes": (column("02100", "10115", "00184", ""), {}),
    "months": (column(*(f"{i:02d}" for i in range(1, 13))), {}),
    "months as numbers": (column(*(f"{i:02d}" for i in range(1, 13))), {"kinds": {"h": "count"}}),
    "telephone numbers": (column("+43660123456", "+43660123457"), {}),
    "long numbers as names": (column("9007199254740993", "9007199254740992"), {"kinds": {"h": "category"}}),
    "dates": (column("2024-01-31", "2024-02-01", ""), {"kinds": {"h": "category"}}),
    "numbers as names of columns": (team(header="0,1,2"), {}),
    "names of columns with blanks": (team(header=" height,goals ,foot"), {}),
    "names of columns that mean empty": (team(header="NA,NaN,None"), {}),
}  # fmt: skip


def as_in_file(table: Table, seed: int = 0) -> Tensor:
    """The rows in the order of the file."""
    x = every(table)
    rows = torch.empty_like(x)
    rows[np.random.default_rng(seed).permutation(len(x))] = x
    return rows


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("file", FILES)
def test_a_file_read_by_pandas_is_encoded_as_it_was_loaded(file: str, read: str, tmp_path: Path) -> None:
    text, arguments = FILES[file]
    table = load(tmp_path, text, **arguments)
    expected = as_in_file(table)
    for frame in (READ[read](tmp_path / "team.csv"), table.decode(expected)):
        np.testing.assert_allclose(table.encode(frame), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("cells", "change"),
    [
        (["0", "1"], lambda frame: frame.astype({"h": bool})),
        (["true", "false"], lambda frame: frame.astype({"h": int})),
        (["0.1", "0.2", "0.3"], lambda frame: frame.astype({"h": "float32"})),
        (["2024-01-31", "2024-02-01"], lambda frame: frame.assign(h=pd.to_datetime(frame["h"]))),
        (["2024-01-31 10:30", "2024-02-01 11:00"], lambda frame: frame.assign(h=pd.to_datetime(frame["h"]))),
        (["1", "2", "3"], lambda frame: frame.assign(h=frame["h"].astype(float).astype(str))),
        (["a", "b"], lambda frame: frame.assign(h=frame["h"].astype("string"))),
    ],
)
def test_categories_are_compared_by_value_whatever_their_type(cells: list[str], change: Any, tmp_path: Path) -> None:
    table = load(tmp_path, column(*cells), kinds={"h": "category"})
    expected = [table.columns[0].categories.index(cells[i % len(cells)]) for i in range(60)]
    assert table.encode(change(pd.read_csv(tmp_path / "team.csv")))[:, 0].tolist() == expected


def test_a_number_that_may_be_either_of_two_codes_is_refused(tmp_path: Path) -> None:
    table = load(tmp_path, column("02100", "2100", "x"))
    with pytest.raises(
        ValueError,
        match=r"2100 in row 1 may be any of the categories 02100, 2100: pass its text; .*dtype=\{'h': str\}".replace(
            "2100 in", "'2100' in"
        ),
    ):
        table.encode(pd.DataFrame({"h": [2100]}))
    assert table.encode(pd.DataFrame({"h": ["02100", "2100"]}))[:, 0].tolist() == [0, 1]


def test_what_encode_is_not_given_a_frame_of_the_table() -> None:
    with pytest.raises(TypeError, match=r"frame must be a pandas\.DataFrame .*; got dict"):
        TABLE.encode({"foot": ["left"]})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two columns of the frame are called 'foot'"):
        TABLE.encode(pd.DataFrame([["left", "left"]], columns=["foot", " foot"]))


def test_columns_left_out_are_empty_and_order_does_not_matter() -> None:
    x = TABLE.encode(pd.DataFrame({"foot": ["left", None], "height": [182, 188.5]}))
    np.testing.assert_array_equal(x, [[0, math.nan, math.nan, 1], [1, math.nan, math.nan, math.nan]])


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"weight": [80]}, "no column 'weight'; the table has height, value, goals, foot"),
        ({"foot": ["left", "wooden"]}, r"column 'foot': 'wooden' in row 2 is a category .* the training rows have both, left, right"),
        ({"height": [180, "tall"]}, "column 'height' is of kind 'gaussian', and 'tall' in row 2 is not a finite number"),
        ({"height": [math.inf]}, "'inf' in row 1 is not a finite number"),
        ({"value": [3, 0]}, "column 'value' is of kind 'positive', and 0 in row 2 is not above 0"),
        ({"goals": [0.5]}, "column 'goals' is of kind 'count', and 0.5 in row 1 is not one of 0, 1, 2"),
    ],
)
def test_encode_refuses_what_the_table_does_not_know(frame: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TABLE.encode(pd.DataFrame(frame))


def test_the_description_is_in_raw_units(tmp_path: Path) -> None:
    frame = load(tmp_path, numbered(400, {(i, 1) for i in range(0, 400, 4)}), kinds=KIND).describe()
    assert list(frame.index) == list(KIND)
    assert list(frame["kind"]) == list(KIND.values())
    low, middle, high = (float(v) for v in frame.loc["id", "typical values"].split(" … "))
    assert (low, middle, high) == pytest.approx((40, 200, 360), abs=15)
    assert frame.loc["kind", "typical values"] == "a, b, c"
    assert abs(float(frame.loc["goals", "empty"].removesuffix(" %")) - 25) < 5
    assert frame.loc["id", "empty"] == "0 %"


# ---------------------------------------------------------------- the Jacobian


def test_the_jacobian_turns_standard_densities_into_raw_ones() -> None:
    x = torch.randn(50, 4, dtype=torch.float64)
    x[:, 2:] = 1
    frame = TABLE.decode(x)
    standard = torch.distributions.Normal(0.0, 1.0).log_prob(x[:, :2]).sum(1)
    raw = scipy.stats.norm(182, 6.5).logpdf(frame["height"]) + scipy.stats.lognorm(1.1, scale=math.exp(6.9)).logpdf(frame["value"])
    np.testing.assert_allclose(standard + TABLE.log_jacobian(x), raw, atol=1e-9)
    to_raw = [torch.distributions.AffineTransform(6.9, 1.1), torch.distributions.ExpTransform()]
    value = torch.distributions.TransformedDistribution(torch.distributions.Normal(x.new_tensor(0.0), 1.0), to_raw)
    x[:, 0] = math.nan
    expected = value.log_prob(torch.tensor(frame["value"].to_numpy()))
    np.testing.assert_allclose(torch.distributions.Normal(0.0, 1.0).log_prob(x[:, 1]) + TABLE.log_jacobian(x), expected, atol=1e-9)


def test_empty_cells_counts_and_categories_have_no_jacobian() -> None:
    x = torch.tensor([[math.nan, math.nan, 3.0, 1.0], [0.0, math.nan, 900.0, 2.0], [math.nan, 0.0, math.nan, math.nan]])
    expected = [0, -math.log(6.5), -math.log(1.1) - 6.9]
    np.testing.assert_allclose(TABLE.log_jacobian(x), expected, rtol=1e-6)
    x.requires_grad_()
    TABLE.log_jacobian(x).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("kind", ["gaussian", "positive"])
def test_kilometres_or_metres_shift_the_raw_likelihood_by_log_1000_a_cell(kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    km = np.exp(rng.normal(2, 0.5, 80)).round(3)
    gone = rng.random(80) < 0.2
    texts = ["\n".join(["way,x", *(("" if g else f"{v:.3f}" if unit == 1 else f"{v * 1000:.0f}") + f",{i}.5" for i, (v, g) in enumerate(zip(km, gone)))]) for unit in (1, 1000)]  # fmt: skip
    a, b = (load(tmp_path, text, kinds={"way": kind, "x": "gaussian"}) for text in texts)
    for split in ("train", "valid", "test"):
        in_km, in_m = getattr(a, split), getattr(b, split)
        np.testing.assert_allclose(in_km, in_m, atol=2e-5)  # standard units do not know the unit
        observed = (~in_km[:, 0].isnan()).double()
        difference = a.log_jacobian(in_km.double()) - b.log_jacobian(in_m.double())
        np.testing.assert_allclose(difference, math.log(1000) * observed, atol=5e-5)
    assert b.columns[1] == a.columns[1]


# ---------------------------------------------------------------- the shipped players


@pytest.fixture(scope="module")
def complete() -> dict[str, np.ndarray]:
    return players.make()


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.read_csv(shipped("players.csv"))


def test_the_shipped_players_are_those_of_the_story_byte_for_byte(tmp_path: Path) -> None:
    players.save(tmp_path / "again.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["again.csv"]
    assert (tmp_path / "again.csv").read_bytes() == shipped("players.csv").read_bytes()


def test_absent_marks_exactly_the_empty_cells(frame: pd.DataFrame, complete: dict[str, np.ndarray]) -> None:
    gone = players.absent()
    assert tuple(frame.columns) == tuple(gone) == tuple(complete) == players.COLUMNS
    for name in players.COLUMNS:
        np.testing.assert_array_equal(frame[name].isna(), gone[name])
        here = ~gone[name]
        assert (frame[name][here].to_numpy() == complete[name][here]).all(), name
        share = players.MISSING.get(name, 0.0)
        assert abs(gone[name].mean() - share) <= 4 * math.sqrt(share * (1 - share) / 5000)


def test_the_shipped_players_load_with_the_kinds_of_the_story() -> None:
    table = load_players()
    assert [len(table.train), len(table.valid), len(table.test)] == [3500, 750, 750]
    kinds = {"position": "category", "foot": "category", "games": "count", "goals": "count", "cards": "count", "value": "positive"}
    assert {c.name: c.kind for c in table.columns} == {name: kinds.get(name, "gaussian") for name in players.COLUMNS}
    assert set(table.columns[0].categories) == set(players.POSITIONS)
    assert set(table.columns[1].categories) == set(players.FEET)


def test_positions_and_feet_come_in_their_shares(complete: dict[str, np.ndarray]) -> None:
    position, foot = complete["position"], complete["foot"]
    for name, share in zip(players.POSITIONS, (0.11, 0.34, 0.33, 0.22)):
        assert abs((position == name).mean() - share) < 4 * math.sqrt(share * (1 - share) / 5000)
    for name, right, left in zip(players.POSITIONS, (0.86, 0.66, 0.68, 0.72), (0.11, 0.29, 0.21, 0.20)):
        here = foot[position == name]
        for side, share in zip(players.FEET, (right, left, 1 - right - left)):
            assert abs((here == side).mean() - share) < 4 * math.sqrt(share * (1 - share) / len(here))


def test_height_and_age_follow_the_position(complete: dict[str, np.ndarray]) -> None:
    for name, height, first in zip(players.POSITIONS, (190.5, 184.5, 178.5, 181.5), (20, 18, 17, 17)):
        here = complete["position"] == name
        n = here.sum()
        assert abs(complete["height"][here].mean() - height) < 4 * 5 / math.sqrt(n)
        assert abs(complete["height"][here].std() - 5) < 4 * 5 / math.sqrt(2 * n)
        beta = scipy.stats.beta(2.2, 3.2, loc=first, scale=19)
        assert abs(complete["age"][here].mean() - beta.mean()) < 4 * beta.std() / math.sqrt(n)
        assert complete["age"][here].min() >= first


def test_the_logarithms_of_weight_and_height_go_together_as_the_story_says(complete: dict[str, np.ndarray]) -> None:
    here = complete["position"] == "midfielder"
    height, weight, age = (complete[name][here].astype(float) for name in ("height", "weight", "age"))
    slope = np.polyfit(np.log(height), np.log(weight), 1)[0]
    age_part = 0.06 / 22.4 * age.std()  # d log weight is about d build / build
    noise = math.hypot(0.045, age_part)
    assert abs(slope - 2) < 4 * noise / (np.log(height).std() * math.sqrt(len(height)))
    signal = 2 * np.log(height).std()
    expected = signal / math.hypot(signal, noise)
    found = np.corrcoef(np.log(height), np.log(weight))[0, 1]
    assert abs(np.arctanh(found) - np.arctanh(expected)) < 4 / math.sqrt(len(height))


def test_goals_come_at_the_rate_of_the_position(complete: dict[str, np.ndarray]) -> None:
    for name, goals, cards in zip(players.POSITIONS, (0.001, 0.04, 0.10, 0.32), (0.04, 0.21, 0.15, 0.09)):
        here = complete["position"] == name
        games = complete["games"][here]
        assert abs(complete["cards"][here].sum() - cards * games.sum()) < 4 * math.sqrt(cards * games.sum())
        # talent raises games (0.20) and goals (0.25) alike: E[e^(0.45 t)] / E[e^(0.20 t)] times the rate
        expected = goals * math.exp(0.45**2 / 2 - 0.20**2 / 2) * games.sum()
        assert abs(complete["goals"][here].sum() - expected) < 4 * (math.sqrt(expected) + expected * 0.5 / math.sqrt(here.sum()))


@pytest.mark.parametrize(
    ("first", "second", "sign"),
    [("pace", "passing", 1), ("games", "value", 1), ("height", "pace", -1), ("games", "pace", 1), ("pace", "stamina", 1)],
)
def test_what_talent_and_height_tie_together(first: str, second: str, sign: int, complete: dict[str, np.ndarray]) -> None:
    here = (complete["position"] == "defender") & (complete["age"] < 27)
    found = scipy.stats.spearmanr(complete[first][here], complete[second][here]).statistic
    assert sign * found > 4 / math.sqrt(here.sum())


def test_another_seed_makes_other_players_and_fewer_are_complete_too() -> None:
    one, other = players.make(1, 50), players.make(2, 50)
    assert all(len(values) == 50 for values in one.values())
    assert (one["height"] != other["height"]).any()
    assert (players.make(1, 50)["height"] == one["height"]).all()
    assert (one["value"] >= 1).all()
