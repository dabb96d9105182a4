"""Files: paths as people write them, files that are written completely or not at all, and messages that say what an unreadable file is."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["can_be_written", "existing", "kind", "located", "read_tensors", "replaceable", "replacing"]

# The first bytes of files that are often found where another file was expected.
BEGINNINGS = {
    b"version https://git-lfs": "a Git LFS pointer whose file has not been fetched (`git lfs pull` fetches it)",
    b"PK\x03\x04": "a zip archive (torch.save writes such .pt files, and NumPy such .npz files)",
    b"\x80": "a Python pickle (an old .pt or .pkl file)",
    b"\x1f\x8b": "a gzip file",
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"\x89HDF": "an HDF5 file",
    b"<": "a web page or another text with markup",
}


def located(path: str | os.PathLike[str]) -> Path:
    """The path with `~` expanded to the home folder.

    Args:
        path: the path of a file or folder, as a reader writes it.

    Raises:
        ValueError: the path is an address such as https://…, or it begins with `~` and no home folder can be found.

    Example:
        >>> located("data/players.csv").name
        'players.csv'
        >>> located("https://a.org/players.csv")
        Traceback (most recent call last):
        ValueError: https://a.org/players.csv is an address, not a path on this machine: pass a path (to read a file, download it first)
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]", os.fspath(path)):  # pathlib makes one / of two; C:/ is a disk
        address = re.sub(r":[/\\]+", "://", os.fspath(path), count=1) if isinstance(path, Path) else path
        raise ValueError(f"{address} is an address, not a path on this machine: pass a path (to read a file, download it first)")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"the ~ in {path} stands for a home folder that cannot be found: write the full path (or ./ before ~)") from error


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A context manager that replaces the file at `path` in a single step, once its block has finished.

    It yields a new path in the same folder, which it creates if necessary. The block writes to that path, and at the end the new
    file takes the place of `path`. The file at `path` is therefore complete at all times, however many processes write it at once;
    the last one to finish wins. If the block fails or is interrupted, `path` stays as it was and nothing is left behind. If `path`
    is a symbolic link, the file that it points to is replaced. A file that is replaced keeps its permissions.

    Raises:
        OSError, ValueError: `path` cannot be written (see `replaceable`).

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with replacing(f"{folder}/note.txt") as part:
        ...         _ = part.write_text("complete")
        ...     print(Path(folder, "note.txt").read_text())
        complete
    """
    target = replaceable(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name[:40]}.{secrets.token_hex(6)}.part")
    try:
        yield part
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(part, target)
    except BaseException:  # including an interruption
        part.unlink(missing_ok=True)
        raise


def replaceable(path: str | os.PathLike[str]) -> Path:
    """The file that `replacing(path)` would write, links followed, after checking that it can be written; nothing is changed.

    Raises:
        IsADirectoryError: `path` is a folder.
        NotADirectoryError: a file stands where a folder is needed.
        PermissionError: the file is write-protected, or its folder cannot be written to.
        ValueError: `path` is an address such as https://…, a device or a pipe, or its `~` cannot be expanded (see `located`).

    Example:
        >>> replaceable("new/note.txt").name
        'note.txt'
    """
    target = Path(os.path.realpath(located(path)))
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder, but a file is to be written: add the name of a file")
    if target.exists() and not target.is_file():  # to replace /dev/null would break the machine of an administrator
        raise ValueError(f"{path} is a device or a pipe, which is not replaced: name an ordinary file")
    can_be_written(target.parent)
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"{path} is write-protected: change its permissions, or choose another file")
    return target


def existing(folder: Path) -> Path:
    """The folder, if there is one.

    Raises:
        FileNotFoundError: there is nothing.
        NotADirectoryError: there is something else.

    Example:
        >>> existing(Path(".")).is_dir()
        True
    """
    if not os.path.lexists(folder):
        raise FileNotFoundError(f"there is no folder {folder}")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is {'a file' if folder.exists() else 'a broken link'}; a folder is needed")
    return folder


def can_be_written(folder: Path) -> None:
    """Raise an error if the folder neither exists nor can be made. The nearest thing that exists on its path decides.

    Raises:
        NotADirectoryError: a file stands where a folder is needed.
        PermissionError: the folder cannot be written to.

    Example:
        >>> can_be_written(Path("new"))
    """
    nearest = existing(next(place for place in (folder, *folder.parents) if os.path.lexists(place)))
    if not os.access(nearest, os.W_OK):
        raise PermissionError(f"{nearest} cannot be written to: choose another folder")


def read_tensors(path: str | os.PathLike[str], wanted: str) -> tuple[dict, dict[str, str]]:
    """Read a safetensors file: its tensors by name, and its metadata.

    Args:
        path: the path of the file.
        wanted: what the file should be, for example "a checkpoint"; the message of an error states it.

    Returns:
        Two dictionaries: from names to tensors, and the metadata, from names to texts.

    Raises:
        FileNotFoundError: there is no file at `path`.
        ValueError: the file is damaged or of another format; the message says which.

    Example:
        >>> from vaecourse.data import shipped
        >>> tensors, _ = read_tensors(shipped("decoder.safetensors"), "a file with decoders")
        >>> tuple(tensors["strokes/decoder.logits.0.weight"].shape)
        (128, 2)
    """
    import safetensors  # imported here, so that modules that only write files do not load torch

    there = located(path)
    if not there.exists():
        raise FileNotFoundError(f"there is no file {there}; it should be {wanted}")
    try:
        with safetensors.safe_open(there, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{there} is not {wanted}: it is {kind(there)}") from error


def kind(path: Path) -> str:
    """Say in words what is stored at `path`, judged by its first bytes; used in messages about files that cannot be read.

    Example:
        >>> kind(Path("no such file"))
        'not there'
        >>> kind(Path("."))
        'a folder'
    """
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
