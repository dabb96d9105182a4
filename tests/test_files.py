"""Files: paths, writing all or nothing, and words for what cannot be read."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import re
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vaecourse import files
from vaecourse.exercises import check, progress
from vaecourse.files import kind, located, read_tensors, replacing


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


# ---------------------------------------------------------------- paths


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert located("~/a/b.csv") == located(Path("~/a/b.csv")) == tmp_path / "a" / "b.csv"
    assert located("a~/b") == Path("a~/b")
    assert located(tmp_path) == tmp_path


@pytest.mark.parametrize("path", ["https://example.org/a.csv", "http://a/b", "s3://bucket/key", "file:///tmp/a.csv"])
def test_an_address_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match=rf"{path.replace('///', '//')} is an address"):
        located(Path(path))  # pathlib has made one / of two
    with pytest.raises(ValueError, match=rf"{path} is an address, .*to read a file, download it first"):
        located(path)


def test_a_drive_of_windows_is_no_address() -> None:
    assert located(r"C:\data\a.csv") == Path(r"C:\data\a.csv")


@pytest.mark.skipif(os.name != "posix", reason="a Windows user always has a profile folder")
def test_a_home_folder_is_needed_only_where_it_is_used(homeless: None) -> None:
    assert located("a/b") == Path("a/b")
    with pytest.raises(ValueError, match="the ~ in ~/a/b stands for a home folder that cannot be found: write the full path"):
        located("~/a/b")


# ---------------------------------------------------------------- writing


def test_what_is_written_takes_the_place_of_the_file_in_a_folder_made_for_it(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "c.txt"
    for text in ("first", "second"):
        with replacing(target) as part:
            assert part.parent == target.parent
            assert part.name.endswith(".part")
            part.write_text(text)
        assert target.read_text() == text
    assert names(target.parent) == ["c.txt"]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_or_an_interruption_leaves_the_file_as_it_was_and_nothing_behind(error: type[BaseException], tmp_path: Path) -> None:
    target = tmp_path / "c.txt"
    target.write_text("before")

    def fail(write: bool) -> None:
        with replacing(target) as part:
            if write:
                part.write_text("half of")
            raise error

    for write in (True, False):
        with pytest.raises(error):
            fail(write)
    assert target.read_text() == "before"
    assert names(tmp_path) == ["c.txt"]


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_file(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("before")
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "c.txt"):
        pass
    assert (tmp_path / "c.txt").read_text() == "before"


def test_two_at_once_do_not_disturb_each_other_and_the_last_wins(tmp_path: Path) -> None:
    target = tmp_path / "c.txt"
    with replacing(target) as one:
        one.write_text("one")
        with replacing(target) as two:
            two.write_text("two")
            assert one != two
        assert target.read_text() == "two"
    assert target.read_text() == "one"
    assert names(tmp_path) == ["c.txt"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_an_ordinary_new_file(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        with replacing(tmp_path / "c.txt") as part:
            part.write_text("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "c.txt").stat().st_mode) == 0o666 & ~mask


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(mode: int, tmp_path: Path) -> None:
    target = tmp_path / "c.txt"
    target.write_text("before")
    target.chmod(mode)
    with replacing(target) as part:
        part.write_text("after")
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("after", mode)


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_what_is_write_protected_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: bool(os.stat(path).st_mode & 0o200))  # as for a user who is not root
    target = tmp_path / "there" / "c.txt"
    target.parent.mkdir()
    target.write_text("before")
    for protected, mode, words in (
        (target, 0o444, "c.txt is write-protected: change its permissions"),
        (target.parent, 0o555, "there cannot be"),
    ):
        protected.chmod(mode)
        with pytest.raises(PermissionError, match=words), replacing(target) as part:
            part.write_text("after")
        protected.chmod(0o755)
    assert target.read_text() == "before"


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(NotADirectoryError, match=r"a\.txt is a file; a folder is needed"), replacing(tmp_path / "a.txt" / "b" / "c.txt"):
        pass


def test_of_a_link_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.txt"
    try:
        link.symlink_to(tmp_path / "there" / "real.txt")
    except OSError:
        pytest.skip("no links here")
    with replacing(link) as part:
        part.write_text("x")
    assert link.is_symlink()
    assert (tmp_path / "there" / "real.txt").read_text() == "x"


def test_a_long_name_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("ü" * 120 + ".csv")
    with replacing(target) as part:
        part.write_text("x")
    assert names(tmp_path) == [target.name]


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=rf"{re.escape(str(tmp_path))} is a folder, .*add the name of a file"), replacing(tmp_path):
        pass
    assert names(tmp_path) == []


WRITE = """
import sys
from vaecourse.files import replacing
for i in range(200):
    with replacing(sys.argv[1]) as part:
        part.write_text(sys.argv[2] * 10_000)
"""


def test_a_reader_never_sees_half_a_file_while_three_processes_write_it(tmp_path: Path) -> None:
    target = tmp_path / "c.txt"
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(target), letter], stderr=subprocess.PIPE, text=True) for letter in "abc"]
    while any(p.poll() is None for p in writers):
        if target.exists():
            text = target.read_text()
            assert text == text[0] * 10_000
    assert [p.communicate()[1] for p in writers] == ["", "", ""]
    assert names(tmp_path) == ["c.txt"]


def test_nobody_else_renames_a_temporary_file() -> None:
    for path in Path(files.__file__).parent.rglob("*.py"):
        if path.name != "files.py":
            assert not re.search(r"os\.replace\(|os\.rename\(|\bpart\.replace\(", path.read_text(encoding="utf-8")), path


def test_the_record_of_exercises_may_lie_in_the_home_folder_and_is_made_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("VAECOURSE_PROGRESS", "~/deep/record.json")
    check("log_mean_exp", torch.logsumexp)
    assert json.loads((tmp_path / "deep" / "record.json").read_text()) == {"log_mean_exp": False}
    assert "✗ log_mean_exp" in repr(progress())
    for hopeless in ("~nobody-of-this-name/record.json", "https://example.org/record.json", str(tmp_path)):
        monkeypatch.setenv("VAECOURSE_PROGRESS", hopeless)
        assert not check("log_mean_exp", torch.logsumexp).passed
        assert "○ log_mean_exp" in repr(progress())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAECOURSE_PROGRESS", "")
    check("log_mean_exp", torch.logsumexp)
    assert names(tmp_path) == [".vaecourse-progress.json", "deep"]


# ---------------------------------------------------------------- reading


def test_tensors_and_their_metadata_are_read(tmp_path: Path) -> None:
    save_file({"a": torch.arange(3)}, tmp_path / "t.safetensors", {"key": "value"})
    tensors, meta = read_tensors(tmp_path / "t.safetensors", "tensors")
    assert {name: value.tolist() for name, value in tensors.items()} == {"a": [0, 1, 2]}
    assert meta == {"key": "value"}
    save_file({"a": torch.arange(3)}, tmp_path / "t.safetensors")
    assert read_tensors(tmp_path / "t.safetensors", "tensors")[1] == {}


def test_what_stands_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    x = np.arange(3)
    contents = {
        "an empty file": b"",
        "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n",
        "a gzip file": gzip.compress(b"hello"),
        "a Python pickle": pickle.dumps(x),
        "a web page": b"\n<html>",
        "a file of 3 bytes that is cut off, damaged or of another kind": b"abc",
    }
    for words, content in contents.items():
        (tmp_path / "file").write_bytes(content)
        assert kind(tmp_path / "file").startswith(words)
        with pytest.raises(ValueError, match=rf"{re.escape(str(tmp_path / 'file'))} is not a decoder: it is {words}"):
            read_tensors(tmp_path / "file", "a decoder")
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x)
    torch.save({"x": torch.zeros(2)}, tmp_path / "x.pt")
    assert kind(tmp_path / "x.npy").startswith("a NumPy array")
    assert kind(tmp_path / "x.npz").startswith("a zip archive")
    assert kind(tmp_path / "x.pt").startswith("a zip archive (torch.save")
    assert kind(tmp_path) == "a folder"
    assert kind(tmp_path / "nowhere") == "not there"
    with pytest.raises(ValueError, match="is not a decoder: it is a folder"):
        read_tensors(tmp_path, "a decoder")
    with pytest.raises(FileNotFoundError, match="there is no file .*nowhere; it should be a decoder"):
        read_tensors(tmp_path / "nowhere", "a decoder")


def test_a_device_or_a_pipe_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path(os.devnull)):
        with pytest.raises(ValueError, match="device or a pipe"), replacing(path):
            pass
        assert not path.is_file()
        assert path.exists()
