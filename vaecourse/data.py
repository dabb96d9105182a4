"""Data sets. `load_digits()` gives binary images and what is known about them: shipped strokes, or MNIST on demand."""

from __future__ import annotations

import csv
import gzip
import logging
import os
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from vaecourse import strokes
from vaecourse.files import kind, located, replacing

NAMES = ("strokes", "mnist", "static-mnist")
SEED = 20  # of the shipped strokes and of the static binarisation of MNIST
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
STATIC_MIRRORS = ("http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",)
SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    "binarized_mnist_train.amat": "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d",
    "binarized_mnist_valid.amat": "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2",
    "binarized_mnist_test.amat": "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c",
}


RESTORE = "in a clone of the course run `git checkout -- data`, otherwise install the course again"  # where a shipped file is damaged


class DataUnavailable(OSError):
    """A file can be neither found nor downloaded. The message says which, where it was looked for, and what to do."""


@dataclass(frozen=True)
class Split:
    """Images of one split.

    Attributes:
        x: (N, 784) float32 in {0, 1}.
        grey: (N, 784) uint8, the ink before binarisation on a scale of 0 to `levels`.
        labels: (N,) int64, the digit; None where the source has none.
        factors: (N, 10) float32, the true latents, columns as in `vaecourse.strokes.FACTOR_NAMES`; None but for strokes.
    """

    x: Float[Tensor, "n 784"]
    grey: Tensor = field(repr=False)
    levels: int
    labels: Int[Tensor, " n"] | None
    factors: Float[Tensor, "n 10"] | None

    @property
    def intensity(self) -> Float[Tensor, "n 784"]:
        """Ink in [0, 1]: the probability with which each pixel of x was set."""
        return self.grey.float() / self.levels

    def toss(self) -> Float[Tensor, "n 784"]:
        """Every pixel set anew with its probability: one draw of dynamic binarisation."""
        x = torch.empty(self.grey.shape)
        for part, grey in zip(x.split(1000), self.grey.split(1000)):  # all intensities at once would be as large as x
            part.copy_(binarize(grey.float() / self.levels))
        return x

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Digits:
    """A data set of 28 by 28 binary digits in three splits."""

    name: str
    train: Split
    valid: Split
    test: Split


def default_name() -> str:
    """The data set that VAECOURSE_DIGITS names, "strokes" where it is not set."""
    return os.environ.get("VAECOURSE_DIGITS") or "strokes"


def digits_of(name: str | None = None) -> str:
    """The digits of the data set called `name` (by default what VAECOURSE_DIGITS says): those of "static-mnist" are "mnist"."""
    return (name or default_name()).removeprefix("static-")


def load_digits(name: str | None = None) -> Digits:
    """Load a data set of binary digits: x is (N, 784) float32 in {0, 1}, whichever it is.

    Args:
        name: "strokes" (ships with the course; 20,000 / 2,000 / 3,000), "mnist" (downloaded once; 50,000 / 10,000 /
            10,000, binarised from a fixed seed) or "static-mnist" (the binarisation of Larochelle and Murray 2011, for
            comparison with papers; it has no labels and no grey levels). By default what VAECOURSE_DIGITS says.

    Raises:
        ValueError: unknown name.
        DataUnavailable: a file is missing or damaged and no mirror can be reached.
    """
    name = default_name() if name is None else name
    if name not in NAMES:
        raise ValueError(f"unknown data set {name!r}; expected one of {', '.join(NAMES)} (VAECOURSE_DIGITS chooses the default)")
    return {"strokes": _load_strokes, "mnist": _load_mnist, "static-mnist": _load_static_mnist}[name]()


def binarize(intensity: Float[Tensor, "..."], generator: torch.Generator | None = None) -> Float[Tensor, "..."]:
    """Set each pixel to 1 with probability `intensity`, else to 0. Raises ValueError where it is not within [0, 1]."""
    if intensity.numel() and not (0 <= intensity.min() and intensity.max() <= 1):  # NaN fails too
        raise ValueError("intensity must lie between 0 and 1: divide grey levels by their maximum first (255 for MNIST)")
    return torch.rand(intensity.shape, generator=generator, dtype=intensity.dtype).lt_(intensity)  # in place: no third array


def shipped(name: str) -> Path:
    """The path of a file that ships with the course: in the wheel beside this module, in a checkout in data/."""
    here = Path(__file__).parent
    return next((p for p in (here / "_data" / name, here.parent / "data" / name) if p.exists()), here.parent / "data" / name)


def shipped_lines(name: str) -> list[list[str]]:
    """The lines of a shipped CSV file whose first column names a data set, without its heading.

    Raises DataUnavailable where the file is missing or something else.
    """
    path = shipped(name)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            heading, *lines = csv.reader(file)
    except (OSError, ValueError, csv.Error) as error:
        raise DataUnavailable(f"{path} cannot be read, it is {kind(path)}: {RESTORE}") from error
    if heading[:1] != ["digits"]:
        raise DataUnavailable(f"{path} does not begin with a column called digits, it is {kind(path)}: {RESTORE}")
    return lines


def lines_about(name: str, digits: str | None = None) -> list[list[str]]:
    """Of `shipped_lines` those about the digits of the data set called `digits` (see `digits_of`), without their first column."""
    wanted = digits_of(digits)
    return [line for there, *line in shipped_lines(name) if there == wanted]


def replace_lines(name: str, fields: Sequence[str], digits: str, lines: Iterable[Sequence[str]]) -> None:
    """Put `lines` in the place of those of the data set called `digits` in a shipped CSV file, and leave the other data sets alone.

    Args:
        fields: the names of the columns behind the first.
        lines: the cells behind the first column, as they are to stand there.
    """
    path = shipped(name)
    there = shipped_lines(name) if path.exists() else []
    kept = [line for line in there if line[0] != digits] + [[digits, *line] for line in lines]
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("digits", *fields))
        table.writerows(sorted(kept, key=lambda line: line[0], reverse=True))


def cache_root() -> Path:
    """Where downloads live: VAECOURSE_DATA_DIR, else the user's cache folder. MNIST is in its folder `mnist`.

    Raises DataUnavailable where neither can be found, for instance because there is no home folder.
    """
    import pooch

    chosen = os.environ.get("VAECOURSE_DATA_DIR")
    try:
        return located(chosen or pooch.os_cache("vaecourse"))
    except (ValueError, RuntimeError) as error:
        homeless = not chosen or chosen.startswith("~")
        why = "this user has no home folder, where downloads are kept" if homeless else f"VAECOURSE_DATA_DIR cannot be used ({error})"
        raise DataUnavailable(f"{why}: set VAECOURSE_DATA_DIR to a folder that can be written") from error


def save_strokes(path: Path) -> None:
    """Draw the shipped strokes again from their seed and write them to `path` (about a minute)."""
    made = strokes.make(SEED, 25_000)
    made["x"] = np.packbits(made["x"], axis=1)
    with replacing(path) as part, part.open("wb") as file:  # given a name, NumPy would add .npz to it
        np.savez_compressed(file, **made)


def _load_strokes() -> Digits:
    path = shipped("strokes.npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            made = {name: file[name] for name in ("x", "ink", "factors", "labels")}
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataUnavailable(f"{path} does not hold the shipped digits, it is {kind(path)}: {RESTORE}") from error
    x = torch.from_numpy(np.unpackbits(made["x"], axis=1)).float()
    grey, factors = torch.from_numpy(made["ink"]), torch.from_numpy(made["factors"])
    labels = torch.from_numpy(made["labels"].astype(np.int64))
    return _split("strokes", [20_000, 2_000, 3_000], x, grey, strokes.INK_LEVELS, labels, factors)


def _load_mnist() -> Digits:
    images = np.concatenate([_idx(f"{part}-images-idx3-ubyte.gz", 16) for part in ("train", "t10k")]).reshape(-1, 784)
    labels = np.concatenate([_idx(f"{part}-labels-idx1-ubyte.gz", 8) for part in ("train", "t10k")])
    rng, x = np.random.default_rng(SEED), np.empty(images.shape, np.float32)
    for i in range(0, len(x), 1000):  # in blocks: the uniform draws of all images at once would take as much memory as x itself
        part = images[i : i + 1000]
        x[i : i + 1000] = rng.random(part.shape, dtype=np.float32) * 255 < part
    x, grey, labels = (torch.from_numpy(a) for a in (x, images, labels.astype(np.int64)))
    return _split("mnist", [50_000, 10_000, 10_000], x, grey, 255, labels)


def _load_static_mnist() -> Digits:
    parts = []
    for part in ("train", "valid", "test"):
        text = np.frombuffer(fetch(f"binarized_mnist_{part}.amat", STATIC_MIRRORS).read_bytes(), np.uint8)
        parts.append((text.reshape(-1, 2 * 784)[:, ::2] - ord("0")).copy())
    grey = torch.from_numpy(np.concatenate(parts))
    return _split("static-mnist", [len(p) for p in parts], grey.float(), grey, 1)


def _split(
    name: str, sizes: list[int], x: Tensor, grey: Tensor, levels: int, labels: Tensor | None = None, factors: Tensor | None = None
) -> Digits:
    def parts(values: Tensor | None) -> list[Tensor | None]:
        return [None] * 3 if values is None else list(values.split(sizes))

    columns = zip(parts(x), parts(grey), parts(labels), parts(factors))
    return Digits(name, *(Split(a, b, levels, c, d) for a, b, c, d in columns))


def _idx(name: str, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(fetch(name, MIRRORS).read_bytes()), np.uint8, offset=header)


def fetch(name: str, mirrors: tuple[str, ...]) -> Path:
    """The path of a downloaded file whose sha256 is right, downloading it where it is missing or damaged.

    Downloads go to a temporary file in the same folder and are renamed when complete and checked, so any number of
    processes may start at once. A complete folder may be read-only.
    """
    import pooch

    folder = cache_root() / "mnist"
    path, sha256 = folder / name, f"sha256:{SHA256[name]}"
    damaged = path.exists() and (path.is_dir() or pooch.file_hash(str(path)) != SHA256[name])
    if path.exists() and not damaged:
        return path
    pooch.get_logger().setLevel(logging.WARNING)
    failures = []
    for mirror in mirrors:
        try:
            pooch.retrieve(mirror + name, known_hash=sha256, fname=name, path=folder, progressbar=True)
            return path
        except Exception as error:  # every kind of network, disk and digest failure ends in the same advice
            failures.append(f"  {mirror}{name}: {type(error).__name__} {str(error)[:150]}".rstrip())
    state = f"is damaged (its sha256 is wrong: it is {kind(path)})" if damaged else "is not there"
    raise DataUnavailable(
        f"{name} {state} in {folder}, and no mirror could provide it:\n" + "\n".join(failures) + "\n"
        f"Either connect to the network and run this again; or copy the file into {folder} (VAECOURSE_DATA_DIR sets its "
        'parent); or work offline with load_digits("strokes"), which ships with the course.'
    )
