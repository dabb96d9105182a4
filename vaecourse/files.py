"""Files: paths as people write them, writing all or nothing, and saying what a file is that cannot be read."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# How files begin that are often found in the place of another.
BEGINNINGS = {
    b"version https://git-lfs": "a pointer of Git LFS, whose file was never fetched (`git lfs pull` fetches it)",
    b"PK\x03\x04": "a zip archive (torch.save writes such .pt files, and NumPy such .npz files)",
    b"\x80": "a Python pickle (an old .pt or .pkl file)",
    b"\x1f\x8b": "a gzip file",
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"\x89HDF": "an HDF5 file",
    b"<": "a web page or another text with tags",
}


def located(path: str | os.PathLike[str]) -> Path:
    """The path with `~` expanded. Raises ValueError for an address on the network, and for `~` where there is no home folder."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", os.fspath(path)):
        raise ValueError(f"{path} is an address, and the path of a file or folder is needed: download it, and give the path of the copy")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"the ~ in {path} stands for a home folder that cannot be found: write the whole path (or ./ before ~)") from error


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new path in the folder of `path`, made if need be. What is written there takes the place of `path` in one step at the end.

    So `path` always holds something whole, however many processes write it at once: the last to finish wins. Where the
    block fails or is interrupted, `path` stays as it was and nothing is left behind. Of a link, what it points to is replaced.

    Raises:
        IsADirectoryError: `path` is a folder. ValueError: as `located`.
    """
    target = Path(os.path.realpath(located(path)))
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder, and a file is to be written: add the name of a file")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name[:40]}.{secrets.token_hex(6)}.part")
    try:
        yield part
        os.replace(part, target)
    except BaseException:  # an interruption too
        part.unlink(missing_ok=True)
        raise


def read_tensors(path: str | os.PathLike[str], wanted: str) -> tuple[dict, dict[str, str]]:
    """The tensors of a safetensors file by name, and its metadata.

    Args:
        wanted: what the file should be, for the message, such as "a checkpoint".

    Raises:
        FileNotFoundError: there is no such file. ValueError: it is something else, or damaged; the message says what.
    """
    import safetensors  # here, so that whatever only writes needs no torch

    there = located(path)
    if not there.exists():
        raise FileNotFoundError(f"there is no file {there}, which should be {wanted}")
    try:
        with safetensors.safe_open(there, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{there} is not {wanted}: it is {kind(there)}") from error


def kind(path: Path) -> str:
    """What stands at `path`, in words, judged by its first bytes: for the message about a file that cannot be read."""
    if path.is_dir():
        return "a folder"
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except FileNotFoundError:
        return "not there"
    except OSError as error:
        return f"a file that cannot be opened ({error.strerror})"
    if not start:
        return "an empty file"
    found = next((words for beginning, words in BEGINNINGS.items() if start.lstrip(b"\xef\xbb\xbf \r\n").startswith(beginning)), None)
    return found or f"a file of {path.stat().st_size:,} bytes that is cut off, damaged or of another kind"
