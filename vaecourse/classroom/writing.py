"""Files that a command writes into a folder of the teacher: all of them or none, and never over a file that differs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from vaecourse.files import replacing

__all__ = ["can_be_written", "existing", "private_folder", "write_all"]


def write_all(wanted: Mapping[Path, str]) -> None:
    """Write texts as UTF-8. Files that hold the same text already are left alone; if one file differs, nothing is written at all.

    Args:
        wanted: the text of each file. Folders are made where they are missing.

    Raises:
        FileExistsError: files would be overwritten; the message names them.
        NotADirectoryError: a file stands where a folder is needed.
        PermissionError: a folder cannot be written to.
    """
    for folder in {path.parent: None for path in wanted}:
        can_be_written(folder)
    texts = {path: text.encode("utf-8") for path, text in wanted.items()}
    differing = [path for path, text in texts.items() if os.path.lexists(path) and not (path.is_file() and path.read_bytes() == text)]
    if differing:
        named = ", ".join(map(str, differing))
        raise FileExistsError(f"nothing was written: these files exist and differ: {named}. Move them away, or choose another folder")
    for path, text in texts.items():
        if not path.exists():
            with replacing(path) as part:
                part.write_bytes(text)


def existing(folder: Path) -> Path:
    """The folder, if there is one.

    Raises:
        FileNotFoundError: there is nothing.
        NotADirectoryError: there is something else.
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
    """
    nearest = existing(next(place for place in (folder, *folder.parents) if os.path.lexists(place)))
    if not os.access(nearest, os.W_OK):
        raise PermissionError(f"{nearest} cannot be written to: choose another folder")


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner can read, unless it exists: then it is left as it is.

    Raises:
        NotADirectoryError, PermissionError: as `can_be_written`.
    """
    can_be_written(folder)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
