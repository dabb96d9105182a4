"""Data sets. `load_digits()` gives binary images of digits: those that ship with the course, or MNIST, which is downloaded on demand."""

from __future__ import annotations

import csv
import gzip
import logging
import os
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from vaecourse import strokes
from vaecourse.arguments import tensors
from vaecourse.files import kind, located, replacing

__all__ = [
    "NAMES",
    "DataUnavailable",
    "Digits",
    "Split",
    "binarize",
    "cache_root",
    "default_name",
    "digits_of",
    "fetch",
    "lines_about",
    "load_digits",
    "replace_lines",
    "save_strokes",
    "shipped",
    "shipped_lines",
]

NAMES = ("strokes", "mnist", "static-mnist")
SEED = 20  # of the shipped strokes, and of the binarisation of MNIST
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


RESTORE = (
    "in a clone of the course run `git checkout -- data`, otherwise install the course again"  # the advice where a shipped file is damaged
)


class DataUnavailable(OSError):
    """A file can be neither found nor downloaded. The message says which file, where it was looked for, and what to do.

    Example:
        >>> raise DataUnavailable("players.csv is missing: install the course again")
        Traceback (most recent call last):
        vaecourse.data.DataUnavailable: players.csv is missing: install the course again
    """


@dataclass(frozen=True)
class Split:
    """The images of one split of a data set, with what is known about them.

    Attributes:
        x: (N, 784) float32 in {0, 1}, the binary images.
        grey: (N, 784) uint8, the ink before binarisation, from 0 to `levels`.
        levels: the grey level of full ink.
        labels: (N,) int64, the digits; None where the source has none.
        factors: (N, 10) float32, the true latent variables, with the columns of `vaecourse.strokes.FACTOR_NAMES`; None for MNIST.

    Example:
        >>> split = Split(torch.ones(2, 4), torch.full((2, 4), 255, dtype=torch.uint8), 255, torch.tensor([3, 7]), None)
        >>> split
        Split(2 images of 4 pixels, with labels)
        >>> split.intensity[0].tolist()
        [1.0, 1.0, 1.0, 1.0]
    """

    x: Float[Tensor, "n 784"]
    grey: Tensor
    levels: int
    labels: Int[Tensor, " n"] | None
    factors: Float[Tensor, "n 10"] | None

    @property
    def intensity(self) -> Float[Tensor, "n 784"]:
        """The ink in [0, 1], (N, 784): the probability with which each pixel of x was set to 1."""
        return self.grey.float() / self.levels

    def toss(self) -> Float[Tensor, "n 784"]:
        """Draw every pixel again with its probability, (N, 784): one draw of dynamic binarisation."""
        x = torch.empty(self.grey.shape)
        for part, grey in zip(x.split(1000), self.grey.split(1000)):  # all intensities at once would take four times the memory of grey
            part.copy_(binarize(grey.float() / self.levels))
        return x

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        known = " and ".join(name for name in ("labels", "factors") if getattr(self, name) is not None)
        return f"Split({len(self):,} images of {self.x.shape[1]} pixels{f', with {known}' if known else ''})"


@dataclass(frozen=True)
class Digits:
    """A data set of binary digits, 28 by 28 pixels, in three splits.

    Attributes:
        name: one of `NAMES`.
        train, valid, test: the three splits.

    Example:
        >>> split = Split(torch.ones(2, 784), torch.ones(2, 784, dtype=torch.uint8), 1, None, None)
        >>> Digits("strokes", split, split, split)
        Digits('strokes': 2 training, 2 validation and 2 test images of 784 pixels)
    """

    name: str
    train: Split
    valid: Split
    test: Split

    def __repr__(self) -> str:
        sizes = f"{len(self.train):,} training, {len(self.valid):,} validation and {len(self.test):,} test images"
        return f"Digits({self.name!r}: {sizes} of {self.train.x.shape[1]} pixels)"


def default_name() -> str:
    """The name of the data set that the environment variable VAECOURSE_DIGITS chooses, or "strokes" if it is not set.

    Example:
        >>> default_name()
        'strokes'
    """
    return os.environ.get("VAECOURSE_DIGITS") or "strokes"


def digits_of(name: str | None = None) -> str:
    """Which digits a data set shows. The two data sets "mnist" and "static-mnist" both show "mnist".

    Args:
        name: the name of a data set; by default the one that VAECOURSE_DIGITS chooses.

    Example:
        >>> digits_of("static-mnist")
        'mnist'
    """
    return (name or default_name()).removeprefix("static-")


def load_digits(name: str | None = None) -> Digits:
    """Load a data set of binary digits. Whichever it is, its images x are (N, 784) float32 in {0, 1}.

    Args:
        name: by default the data set that VAECOURSE_DIGITS chooses. The numbers are those of training, validation and test images.

            - "strokes" ships with the course: 20,000, 2,000 and 3,000 images.
            - "mnist" is downloaded once: 50,000, 10,000 and 10,000 images, binarised with a fixed seed.
            - "static-mnist" is downloaded once: the binarisation of Larochelle and Murray (2011), for comparison with published
              numbers. It has no labels and no grey levels.

    Raises:
        ValueError: there is no data set of this name.
        DataUnavailable: a file is missing or damaged, and no mirror can be reached.

    Example:
        >>> digits = load_digits("strokes")
        >>> digits
        Digits('strokes': 20,000 training, 2,000 validation and 3,000 test images of 784 pixels)
        >>> digits.test.labels[:5].shape
        torch.Size([5])
    """
    return {"strokes": _load_strokes, "mnist": _load_mnist, "static-mnist": _load_static_mnist}[_known(name)]()


def _known(name: str | None) -> str:
    """The name of a data set, checked; by default the one that VAECOURSE_DIGITS chooses."""
    name = default_name() if name is None else name
    if name not in NAMES:
        raise ValueError(f"unknown data set {name!r}; expected one of {', '.join(NAMES)} (VAECOURSE_DIGITS chooses the default)")
    return name


def binarize(intensity: Float[Tensor, "..."], generator: torch.Generator | None = None) -> Float[Tensor, "..."]:
    """Set each pixel to 1 with probability `intensity`, and to 0 otherwise.

    Args:
        intensity: probabilities between 0 and 1, of any shape.
        generator: the source of the randomness, on the CPU; by default torch's global generator. The draws are the same on every device.

    Raises:
        TypeError: intensity is no floating-point tensor.
        ValueError: an intensity lies outside of [0, 1], or is NaN.

    Example:
        >>> binarize(torch.tensor([0.0, 0.0, 1.0])).tolist()
        [0.0, 0.0, 1.0]
    """
    tensors(floating=True, intensity=intensity)
    if intensity.numel() and not (0 <= intensity.min() and intensity.max() <= 1):  # NaN fails too
        raise ValueError("intensity must lie between 0 and 1: divide grey levels by their maximum first (255 for MNIST)")
    draws = torch.rand(intensity.shape, generator=generator, dtype=intensity.dtype).to(intensity.device)
    return draws.lt_(intensity)  # in place: no third array


def shipped(name: str) -> Path:
    """The path of a file that ships with the course: beside this module in an installed package, in the folder data of a clone.

    Example:
        >>> shipped("players.csv").exists()
        True
    """
    here = Path(__file__).parent
    return next((p for p in (here / "_data" / name, here.parent / "data" / name) if p.exists()), here.parent / "data" / name)


def shipped_lines(name: str) -> list[list[str]]:
    """The lines of a shipped CSV file whose first column names a data set, without the line of headings.

    Args:
        name: the name of the file, for example "scoreboard.csv".

    Raises:
        DataUnavailable: the file is missing, or it is not such a table.

    Example:
        >>> sorted({line[0] for line in shipped_lines("scoreboard.csv")})
        ['mnist', 'strokes']
    """
    path = shipped(name)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            heading, *lines = csv.reader(file)
    except (OSError, ValueError, csv.Error) as error:
        raise DataUnavailable(f"{path} cannot be read; it is {kind(path)}: {RESTORE}") from error
    if heading[:1] != ["digits"]:
        raise DataUnavailable(f"{path} has no first column called digits; it is {kind(path)}: {RESTORE}")
    return lines


def lines_about(name: str, digits: str | None = None) -> list[list[str]]:
    """The lines of a shipped CSV file that concern one data set, without their first column.

    Args:
        name: the name of the file.
        digits: the name of a data set (see `digits_of`); by default the one that VAECOURSE_DIGITS chooses.

    Raises:
        ValueError: there is no data set of this name.
        DataUnavailable: the file is missing, or it is not such a table.

    Example:
        >>> label, *_ = lines_about("scoreboard.csv", "strokes")[0]
        >>> label[:2]  # the number of a notebook
        '01'
    """
    wanted = digits_of(_known(digits))
    return [line for there, *line in shipped_lines(name) if there == wanted]


def replace_lines(name: str, fields: Sequence[str], digits: str, lines: Iterable[Sequence[str]]) -> None:
    """Replace the lines of one data set in a shipped CSV file. The lines of other data sets stay as they are.

    Args:
        name: the name of the file.
        fields: the names of the columns after the first.
        digits: the data set, which is written into the first column.
        lines: the cells after the first column, as they are to be written.
    """
    path = shipped(name)
    there = shipped_lines(name) if path.exists() else []
    kept = [line for line in there if line[0] != digits] + [[digits, *line] for line in lines]
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("digits", *fields))
        table.writerows(sorted(kept, key=lambda line: line[0], reverse=True))


def cache_root() -> Path:
    """The folder for downloads: VAECOURSE_DATA_DIR if it is set, otherwise the user's cache folder. MNIST lies in its folder `mnist`.

    Raises:
        DataUnavailable: the user has no home folder, or VAECOURSE_DATA_DIR is no path.

    Example:
        >>> os.environ["VAECOURSE_DATA_DIR"] = "downloads"
        >>> cache_root().name
        'downloads'
        >>> del os.environ["VAECOURSE_DATA_DIR"]
    """
    import pooch

    chosen = os.environ.get("VAECOURSE_DATA_DIR")
    try:
        return located(chosen or pooch.os_cache("vaecourse"))
    except (ValueError, RuntimeError) as error:
        why = f"VAECOURSE_DATA_DIR cannot be used ({error})" if chosen else "this user has no home folder, in which downloads are kept"
        raise DataUnavailable(f"{why}: set VAECOURSE_DATA_DIR to a folder that can be written to") from error


def save_strokes(path: Path) -> None:
    """Draw the shipped digits again from their seed, and write them to `path`. This takes about a minute."""
    made = strokes.make(SEED, 25_000)
    made["x"] = np.packbits(made["x"], axis=1)
    with replacing(path) as part, part.open("wb") as file:  # given a path, NumPy would append .npz to it
        np.savez_compressed(file, **made)


def _load_strokes() -> Digits:
    path = shipped("strokes.npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            made = {name: file[name] for name in ("x", "ink", "factors", "labels")}
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataUnavailable(f"{path} does not hold the shipped digits; it is {kind(path)}: {RESTORE}") from error
    x = torch.from_numpy(np.unpackbits(made["x"], axis=1)).float()
    grey, factors = torch.from_numpy(made["ink"]), torch.from_numpy(made["factors"])
    labels = torch.from_numpy(made["labels"].astype(np.int64))
    return _split("strokes", [20_000, 2_000, 3_000], x, grey, strokes.INK_LEVELS, labels, factors)


def _load_mnist() -> Digits:
    images = np.concatenate([_idx(f"{part}-images-idx3-ubyte.gz", 16) for part in ("train", "t10k")]).reshape(-1, 784)
    labels = np.concatenate([_idx(f"{part}-labels-idx1-ubyte.gz", 8) for part in ("train", "t10k")])
    rng, x = np.random.default_rng(SEED), np.empty(images.shape, np.float32)
    for i in range(0, len(x), 1000):  # in blocks, because the uniform draws of all images at once would take as much memory as x itself
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
    """The path of a downloaded file whose sha256 is right. The file is downloaded if it is missing or damaged.

    A download goes to a temporary file in the same folder, which is renamed once it is complete and checked, so any number of
    processes may start at the same time. A folder that is complete may be read-only.

    Args:
        name: a key of `SHA256`.
        mirrors: addresses of folders that hold the file, tried in this order.

    Raises:
        DataUnavailable: no mirror could provide the file.
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
        except Exception as error:  # every failure of network, disk and digest leads to the same advice
            failures.append(f"  {mirror}{name}: {type(error).__name__} {str(error)[:150]}".rstrip())
    state = f"is damaged (its sha256 is wrong: it is {kind(path)})" if damaged else "is missing"
    raise DataUnavailable(
        f"{name} {state} in {folder}, and no mirror could provide it:\n" + "\n".join(failures) + "\n"
        f"Connect to the network and run this again; or copy the file into {folder} (VAECOURSE_DATA_DIR sets its "
        'parent); or work offline with load_digits("strokes"), which ships with the course.'
    )
