"""Files that a command writes into a folder of the teacher: all of them or none, and never over a file that differs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from vaecourse.files import can_be_written, replacing

__all__ = ["private_folder", "write_all"]


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


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner can read, unless it exists: then it is left as it is.

    Raises:
        NotADirectoryError, PermissionError: as `can_be_written`.
    """
    can_be_written(folder)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
