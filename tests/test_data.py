"""Data sets: what ships with the course, and what is downloaded, from a server on this machine."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import pytest
import torch

from vaecourse import data, players, strokes
from vaecourse.data import DataUnavailable, Digits, Split, binarize, fetch, load_digits

SIZES = {"train": 20_000, "valid": 2_000, "test": 3_000}


# ---------------------------------------------------------------- strokes, as shipped


@pytest.fixture(scope="module")
def digits() -> Digits:
    return load_digits("strokes")


def splits(digits: Digits) -> dict[str, Split]:
    return {"train": digits.train, "valid": digits.valid, "test": digits.test}


def test_the_shipped_digits_have_the_sizes_and_types_they_are_said_to_have(digits: Digits) -> None:
    assert digits.name == "strokes"
    for name, split in splits(digits).items():
        n = SIZES[name]
        assert len(split) == n
        assert split.labels is not None
        assert split.factors is not None
        assert (split.x.shape, split.x.dtype) == ((n, 784), torch.float32)
        assert (split.grey.shape, split.grey.dtype, split.levels) == ((n, 784), torch.uint8, 31)
        assert (split.labels.shape, split.labels.dtype) == ((n,), torch.int64)
        assert (split.factors.shape, split.factors.dtype) == ((n, 10), torch.float32)
        assert (split.intensity.shape, split.intensity.dtype) == ((n, 784), torch.float32)


def test_pixels_are_binary_and_grey_levels_fill_their_range(digits: Digits) -> None:
    for split in splits(digits).values():
        assert ((split.x == 0) | (split.x == 1)).all()
        assert (split.grey.min().item(), split.grey.max().item()) == (0, 31)
        assert (split.intensity.min().item(), split.intensity.max().item()) == (0.0, 1.0)
        assert split.labels is not None
        assert split.labels.unique().tolist() == list(range(10))


def test_each_pixel_was_set_with_the_probability_of_its_ink(digits: Digits) -> None:
    for split in splits(digits).values():
        totals = torch.bincount(split.grey.flatten().int(), minlength=32).double()
        ones = torch.bincount(split.grey[split.x == 1].int(), minlength=32).double()
        p = torch.arange(32).double() / 31
        assert ones[0] == 0
        assert ones[31] == totals[31]
        z = (ones - totals * p)[1:31] / (totals * p * (1 - p))[1:31].sqrt()
        assert z.abs().max() < 4.5


def test_the_mean_of_the_pixels_is_the_mean_of_the_ink(digits: Digits) -> None:
    x, p = digits.train.x.double(), digits.train.intensity.double()
    assert abs((x - p).sum()) / (p * (1 - p)).sum().sqrt() < 4
    assert 0.1 < p.mean() < 0.25


def test_labels_and_factors_tell_the_ink(digits: Digits) -> None:
    for split in splits(digits).values():
        assert split.labels is not None
        assert split.factors is not None
        rows = np.arange(0, len(split), len(split) // 40)
        ink = strokes.draw(split.labels.numpy()[rows], split.factors.numpy()[rows]) * 31
        assert np.abs(ink - split.grey.numpy()[rows]).max() <= 1


def test_labels_factors_and_pixels_come_from_the_seed(digits: Digits) -> None:
    rng = np.random.default_rng(data.SEED)
    labels, factors = strokes.sample_factors(rng, 25_000)
    parts = splits(digits).values()
    np.testing.assert_array_equal(torch.cat([s.labels for s in parts if s.labels is not None]), labels)
    np.testing.assert_allclose(torch.cat([s.factors for s in parts if s.factors is not None]), factors, rtol=1e-6, atol=1e-7)
    uniform = rng.random((500, 784), dtype=np.float32)  # the binarisation goes on with the same generator, row after row
    np.testing.assert_array_equal(uniform * 31 < digits.train.grey[:500].numpy(), digits.train.x[:500].numpy())


def test_no_image_stands_in_two_splits(digits: Digits) -> None:
    images = torch.cat([s.grey for s in splits(digits).values()]).numpy()
    assert len({hashlib.sha256(image.tobytes()).digest() for image in images}) == 25_000


def test_splits_and_data_sets_print_their_sizes_and_not_their_pixels(digits: Digits) -> None:
    assert repr(digits) == "Digits('strokes': 20,000 training, 2,000 validation and 3,000 test images of 784 pixels)"
    assert repr(digits.test) == "Split(3,000 images of 784 pixels, with labels and factors)"
    plain = Split(torch.zeros(2, 784), torch.zeros(2, 784), 1, None, None)
    assert repr(plain) == "Split(2 images of 784 pixels)"


def test_the_shipped_file_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = strokes.make
    asked: list[tuple[int, int]] = []

    def fewer(seed: int, n: int) -> dict[str, np.ndarray]:
        asked.append((seed, n))
        return make(seed, 12)

    monkeypatch.setattr(strokes, "make", fewer)
    data.save_strokes(tmp_path / "strokes.npz")
    assert asked == [(data.SEED, 25_000)]
    assert [p.name for p in tmp_path.iterdir()] == ["strokes.npz"]
    expected = make(data.SEED, 12)
    with np.load(tmp_path / "strokes.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(np.unpackbits(file["x"], axis=1), expected["x"])
        for key in ("labels", "factors", "ink"):
            np.testing.assert_array_equal(file[key], expected[key])


# ---------------------------------------------------------------- names and folders


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match="unknown data set 'cifar'; expected one of strokes, mnist, static-mnist"):
        load_digits("cifar")


@pytest.mark.parametrize(("value", "name"), [(None, "strokes"), ("", "strokes"), ("mnist", "mnist")])
def test_the_environment_chooses_the_default(value: str | None, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is None:
        monkeypatch.delenv("VAECOURSE_DIGITS", raising=False)
    else:
        monkeypatch.setenv("VAECOURSE_DIGITS", value)
    assert data.default_name() == name


def test_the_default_is_loaded_and_a_name_given_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECOURSE_DIGITS", "nonsense")
    with pytest.raises(ValueError, match="unknown data set 'nonsense'"):
        load_digits()
    assert load_digits("strokes").name == "strokes"
    monkeypatch.setenv("VAECOURSE_DIGITS", "strokes")
    assert load_digits().name == "strokes"


def test_downloads_live_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECOURSE_DATA_DIR", str(tmp_path))
    assert data.cache_root() == tmp_path
    monkeypatch.setenv("VAECOURSE_DATA_DIR", "~/there")
    assert data.cache_root() == Path.home() / "there"
    monkeypatch.delenv("VAECOURSE_DATA_DIR")
    assert data.cache_root() == Path(pooch.os_cache("vaecourse"))


def test_the_shipped_file_is_there() -> None:
    assert data.shipped("strokes.npz").is_file()


# ---------------------------------------------------------------- binarize


def test_binarize_sets_pixels_with_their_probability() -> None:
    p, n = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0]), 20_000
    x = binarize(p.expand(n, 5), torch.Generator().manual_seed(0))
    assert (x.shape, x.dtype) == ((n, 5), torch.float32)
    assert set(x.unique().tolist()) == {0.0, 1.0}
    mean = x.double().mean(0)
    assert (mean[0].item(), mean[4].item()) == (0.0, 1.0)
    assert ((mean - p).abs()[1:4] < 4 * (p * (1 - p) / n).sqrt()[1:4]).all()


def test_binarize_draws_from_the_generator_given_or_the_global_one() -> None:
    p = torch.full((50,), 0.5, dtype=torch.float64)
    torch.manual_seed(3)
    by_global = binarize(p)
    state = torch.get_rng_state()
    by_generator = binarize(p, torch.Generator().manual_seed(3))
    assert torch.equal(by_global, by_generator)
    assert by_global.dtype == torch.float64
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(binarize(p), by_global)


@pytest.mark.parametrize(
    ("intensity", "words"),
    [
        (np.full(3, 0.5), "intensity must be a torch tensor; got ndarray: convert it with torch.as_tensor"),
        ([0.5], "intensity must be a torch tensor; got list"),
        (torch.ones(3, dtype=torch.int64), r"intensity must be floating point; got torch\.int64: convert it with intensity\.float\(\)"),
    ],
)
def test_binarize_refuses_what_is_no_tensor_of_probabilities(intensity: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        data.binarize(intensity)


@pytest.mark.parametrize("value", [-0.01, 1.01, 255.0, float("nan")])
def test_binarize_refuses_what_is_no_probability(value: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1: divide grey levels by their maximum first"):
        binarize(torch.tensor([0.5, value]))


# ---------------------------------------------------------------- fetch

NAME = "train-labels-idx1-ubyte.gz"
CONTENT = b"the right bytes" * 5_000
NOWHERE = "http://127.0.0.1:9/"  # the discard port: nobody listens


@dataclass
class Server:
    """Files served on this machine, and the paths that were asked for."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    delay: float = 0.0

    def mirror(self, folder: str = "a") -> str:
        return f"{self.address}/{folder}/"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked.append(self.path)
            time.sleep(here.delay)
            body = here.files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    try:
        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        socket.create_connection(http.server_address, timeout=5).close()
    except OSError:
        pytest.skip("this machine cannot reach itself over 127.0.0.1, where the test would serve files")
    here = Server(f"http://127.0.0.1:{http.server_address[1]}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield here
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of downloads, not yet there; the file's right digest is that of CONTENT."""
    monkeypatch.setenv("VAECOURSE_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.setitem(data.SHA256, NAME, hashlib.sha256(CONTENT).hexdigest())
    return tmp_path / "cache" / "mnist"


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_a_missing_file_is_downloaded_once(server: Server, cache: Path) -> None:
    server.files[f"/a/{NAME}"] = CONTENT
    for _ in range(2):
        path = fetch(NAME, (server.mirror(),))
        assert path == cache / NAME
        assert path.read_bytes() == CONTENT
    assert server.asked == [f"/a/{NAME}"]
    assert names(cache) == [NAME]


@pytest.mark.parametrize("damaged", [CONTENT[:1000], b"", CONTENT[:-1] + b"?"], ids=["truncated", "empty", "one byte wrong"])
def test_a_damaged_file_is_replaced(damaged: bytes, server: Server, cache: Path) -> None:
    server.files[f"/a/{NAME}"] = CONTENT
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(damaged)
    assert fetch(NAME, (server.mirror(),)).read_bytes() == CONTENT
    assert names(cache) == [NAME]


def test_the_second_mirror_serves_where_the_first_does_not_have_the_file(server: Server, cache: Path) -> None:
    server.files[f"/b/{NAME}"] = CONTENT
    assert fetch(NAME, (server.mirror("a"), server.mirror("b"))).read_bytes() == CONTENT
    assert server.asked == [f"/a/{NAME}", f"/b/{NAME}"]


def test_the_second_mirror_serves_where_the_first_is_wrong_or_unreachable(server: Server, cache: Path) -> None:
    server.files[f"/a/{NAME}"] = b"an error page that says 200"
    server.files[f"/b/{NAME}"] = CONTENT
    assert fetch(NAME, (NOWHERE, server.mirror("a"), server.mirror("b"))).read_bytes() == CONTENT
    assert names(cache) == [NAME]


def test_bytes_of_a_wrong_digest_are_not_kept(server: Server, cache: Path) -> None:
    server.files[f"/a/{NAME}"] = CONTENT[:-1]
    with pytest.raises(DataUnavailable, match="hash"):
        fetch(NAME, (server.mirror(),))
    assert names(cache) == []


def test_a_complete_folder_is_only_read(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(CONTENT)
    (cache / NAME).chmod(0o444)
    cache.chmod(0o555)
    before = [p.stat().st_mtime_ns for p in (cache, cache / NAME)]
    try:
        assert fetch(NAME, (NOWHERE,)) == cache / NAME
        assert [p.stat().st_mtime_ns for p in (cache, cache / NAME)] == before  # nothing was ever made in the folder
    finally:
        cache.chmod(0o755)


@pytest.mark.parametrize("damaged", [False, True])
def test_without_a_mirror_the_error_says_what_is_missing_and_what_to_do(
    damaged: bool, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    if damaged:
        cache.mkdir(parents=True)
        (cache / NAME).write_bytes(b"half")
    with pytest.raises(DataUnavailable) as caught:
        fetch(NAME, (NOWHERE + "first/", NOWHERE + "second/"))
    message = str(caught.value)
    state = "is damaged" if damaged else "is missing"
    for part in (
        f"{NAME} {state}",
        f"in {cache}",
        NOWHERE + "first/" + NAME,
        NOWHERE + "second/" + NAME,
        "VAECOURSE_DATA_DIR",
        'load_digits("strokes")',
    ):
        assert part in message


def test_a_failure_without_words_is_reported_like_any_other(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def retrieve(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(DataUnavailable, match="TimeoutError"):
        fetch(NAME, (NOWHERE,))


EIGHT_AT_ONCE = """
import os, sys
from pathlib import Path
from vaecourse import data

name, digest, mirror, file = sys.argv[1:]
data.SHA256[name] = digest
for begin in ("missing", "damaged"):
    children = []
    for _ in range(8):
        child = os.fork()
        if child == 0:
            try:
                right = len(data.fetch(name, (mirror,)).read_bytes()) == 75_000
            except BaseException as error:
                print(error, file=sys.stderr)
                right = False
            os._exit(0 if right else 1)
        children.append(child)
    print(begin, sum(os.waitpid(child, 0)[1] == 0 for child in children), "of 8", flush=True)
    Path(file).write_bytes(b"cut off")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts its processes by fork")
def test_eight_processes_may_start_at_once(server: Server, cache: Path) -> None:
    server.files[f"/a/{NAME}"] = CONTENT
    server.delay = 0.3
    arguments = [NAME, data.SHA256[NAME], server.mirror(), str(cache / NAME)]
    result = subprocess.run([sys.executable, "-c", EIGHT_AT_ONCE, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout == "missing 8 of 8\ndamaged 8 of 8\n", result.stderr
    assert len(server.asked) > 2  # they did overlap
    assert names(cache) == [NAME]


# ---------------------------------------------------------------- MNIST


def write(folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        monkeypatch.setitem(data.SHA256, name, hashlib.sha256(content).hexdigest())


def test_mnist_is_read_from_its_four_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins of the real sizes: the first pixel of image i is i modulo 256, its label i modulo 10."""
    images, number = np.zeros((70_000, 784), np.uint8), np.arange(70_000)
    images[:, 0], images[:, 783] = number % 256, 255
    labels = (number % 10).astype(np.uint8)
    files = {}
    for part, rows in (("train", slice(60_000)), ("t10k", slice(60_000, None))):
        files[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(bytes([0, 0, 8, 3]) + bytes(12) + images[rows].tobytes(), 1)
        files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(bytes([0, 0, 8, 1]) + bytes(4) + labels[rows].tobytes(), 1)
    write(tmp_path / "mnist", monkeypatch, files)
    monkeypatch.setenv("VAECOURSE_DATA_DIR", str(tmp_path))
    digits = load_digits("mnist")

    first = 0
    for split, n in ((digits.train, 50_000), (digits.valid, 10_000), (digits.test, 10_000)):
        assert (len(split), split.levels, split.factors) == (n, 255, None)
        assert split.x.dtype == torch.float32
        assert split.labels is not None
        np.testing.assert_array_equal(split.grey[:, 0], images[first : first + n, 0])
        np.testing.assert_array_equal(split.labels, labels[first : first + n])
        assert (split.x[:, 783] == 1).all()
        assert (split.x[:, 1:783] == 0).all()
        p = split.intensity[:, 0].double()
        np.testing.assert_allclose(p, images[first : first + n, 0] / 255, rtol=1e-6)
        assert abs((split.x[:, 0] - p).sum()) / (p * (1 - p)).sum().sqrt() < 4
        first += n


def test_static_mnist_is_read_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    parts = {part: rng.integers(0, 2, (n, 784)) for part, n in (("train", 5), ("valid", 3), ("test", 2))}
    text = {
        f"binarized_mnist_{part}.amat": "".join(" ".join(map(str, row)) + "\n" for row in rows).encode() for part, rows in parts.items()
    }
    write(tmp_path / "mnist", monkeypatch, text)
    monkeypatch.setenv("VAECOURSE_DATA_DIR", str(tmp_path))
    digits = load_digits("static-mnist")
    for split, rows in zip((digits.train, digits.valid, digits.test), parts.values()):
        np.testing.assert_array_equal(split.x, rows)
        assert torch.equal(split.intensity, split.x)
        assert (split.x.dtype, split.labels, split.factors) == (torch.float32, None, None)


def test_mnist_without_files_or_network_points_to_the_strokes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("VAECOURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(data, "MIRRORS", (NOWHERE,))
    monkeypatch.setattr(data, "STATIC_MIRRORS", (NOWHERE,))
    for name in ("mnist", "static-mnist"):
        with pytest.raises(DataUnavailable, match=r'work offline with load_digits\("strokes"\)'):
            load_digits(name)


REAL = Path(os.environ.get("VAECOURSE_DATA_DIR") or "nowhere") / "mnist" / "train-images-idx3-ubyte.gz"


@pytest.mark.skipif(not REAL.exists(), reason="VAECOURSE_DATA_DIR names no folder with MNIST in it")
def test_the_real_mnist_is_the_known_one() -> None:
    digits = load_digits("mnist")
    assert [len(s) for s in splits(digits).values()] == [50_000, 10_000, 10_000]
    assert digits.test.labels is not None
    assert digits.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    total = sum(s.grey.sum(dtype=torch.int64).item() for s in (digits.train, digits.valid))
    assert total / (60_000 * 784 * 255) == pytest.approx(0.1307, abs=5e-5)
    z = (digits.train.x - digits.train.intensity).sum(dtype=torch.float64) / (digits.train.intensity * (1 - digits.train.intensity)).sum(
        dtype=torch.float64
    ).sqrt()
    assert z.abs() < 4


def test_lines_of_one_data_set_are_replaced_and_the_others_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "scores.csv"
    monkeypatch.setattr(data, "shipped", lambda name: tmp_path / name)
    data.replace_lines("scores.csv", ("label", "score"), "mnist", [("03 naive", "-1.50")])
    assert there.read_text() == "digits,label,score\nmnist,03 naive,-1.50\n"
    data.replace_lines("scores.csv", ("label", "score"), "strokes", [("03 naive", "-2.00"), ("04 one, two", "-1.00")])
    data.replace_lines("scores.csv", ("label", "score"), "mnist", [("03 naive", "-1.25")])
    assert there.read_text() == 'digits,label,score\nstrokes,03 naive,-2.00\nstrokes,"04 one, two",-1.00\nmnist,03 naive,-1.25\n'
    assert data.shipped_lines("scores.csv")[1:] == [["strokes", "04 one, two", "-1.00"], ["mnist", "03 naive", "-1.25"]]
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_the_datasheet_describes_the_shipped_files() -> None:
    folder = Path(data.__file__).parent.parent / "data"
    sheet = (folder / "README.md").read_text(encoding="utf-8")
    for name in ("strokes.npz", "decoder.safetensors", "vaes.safetensors"):
        content = (folder / name).read_bytes()
        assert f"| {len(content)} | `{hashlib.sha256(content).hexdigest()}` |" in sheet
    for name, digest in data.SHA256.items():
        assert f"`{digest}`" in sheet, name


def test_tossing_a_split_anew_draws_every_pixel_with_its_own_probability() -> None:
    grey = torch.tensor([0, 51, 128, 255], dtype=torch.uint8).repeat(3000, 196)
    split = data.Split(x=torch.zeros(3000, 784), grey=grey, levels=255, labels=None, factors=None)
    torch.manual_seed(0)
    first, second = split.toss(), split.toss()
    assert set(first.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(first, second)
    for i, p in enumerate((0, 0.2, 128 / 255, 1)):
        n = first[:, i::4].numel()
        assert abs(first[:, i::4].mean().item() - p) <= 5 * (p * (1 - p) / n) ** 0.5
    assert not torch.equal(first[0], first[1000])  # the parts are not copies of each other


# ---------------------------------------------------------------- shipped files that are something else

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def other_strokes(file: Path) -> None:
    np.savez(file, images=np.zeros((3, 784)))


def an_array(file: Path) -> None:
    with file.open("wb") as open_file:
        np.save(open_file, np.zeros(3))


SPOILT = [
    (lambda file: file.write_bytes(b""), "an empty file"),
    (lambda file: file.write_bytes(LFS), "a Git LFS pointer"),
    (lambda file: file.write_bytes(data.shipped("strokes.npz").read_bytes()[:100_000]), "a zip archive"),
    (lambda file: file.write_bytes(b"neither this nor that"), "a file of 21 bytes that is cut off"),
    (lambda file: file.write_bytes(pickle.dumps({"x": 1})), "a Python pickle"),
    (other_strokes, "a zip archive"),
    (an_array, "a NumPy array"),
    (lambda file: file.mkdir(), "a folder"),
    (lambda file: None, "not there"),
]


@pytest.mark.parametrize(("spoil", "found"), SPOILT, ids=[f"{i} {found}" for i, (_, found) in enumerate(SPOILT)])
def test_strokes_that_cannot_be_read_are_refused_by_what_is_there(
    spoil: Callable[[Path], object], found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(tmp_path / "strokes.npz")
    monkeypatch.setattr(data, "shipped", lambda name: tmp_path / name)
    with pytest.raises(
        DataUnavailable, match=rf"{re.escape(str(tmp_path / 'strokes.npz'))} .* it is {found}.*: in a clone of the course run `git checkout"
    ):
        load_digits("strokes")


def test_bytes_turned_in_the_middle_of_the_strokes_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(data.shipped("strokes.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "strokes.npz").write_bytes(content)
    monkeypatch.setattr(data, "shipped", lambda name: tmp_path / name)
    with pytest.raises(DataUnavailable, match=r"strokes\.npz does not hold the shipped digits"):
        load_digits("strokes")


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"", "an empty file"), (LFS, "a Git LFS pointer"), (b"a,b\n1,2\n", "a file of 8 bytes"), (b"\xff\xfe\x00", "a file of 3 bytes")],
)
def test_shipped_lines_that_are_something_else_are_refused(
    content: bytes, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scores.csv").write_bytes(content)
    monkeypatch.setattr(data, "shipped", lambda name: tmp_path / name)
    for read in (lambda: data.shipped_lines("scores.csv"), lambda: data.lines_about("scores.csv", "strokes")):
        with pytest.raises(DataUnavailable, match=rf"scores\.csv .*it is {found}.*git checkout"):
            read()
    with pytest.raises(DataUnavailable, match=r"elsewhere\.csv cannot be read; it is not there"):
        data.shipped_lines("elsewhere.csv")


@pytest.mark.parametrize(("content", "found"), [(LFS, "a Git LFS pointer"), (b"", "an empty file"), (None, "a folder")])
def test_a_damaged_download_is_named(content: bytes | None, found: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    cache.mkdir(parents=True)
    if content is None:
        (cache / NAME).mkdir()
    else:
        (cache / NAME).write_bytes(content)
    with pytest.raises(DataUnavailable, match=rf"(?s){NAME} is damaged \(its sha256 is wrong: it is {found}.*copy the file into"):
        fetch(NAME, (NOWHERE,))


@pytest.mark.skipif(os.name != "posix", reason="a Windows user always has a profile folder")
def test_without_a_home_folder_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch, homeless: None) -> None:
    monkeypatch.delenv("VAECOURSE_DATA_DIR", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: Path("~/.cache") / name)
    with pytest.raises(
        DataUnavailable, match="this user has no home folder, .*: set VAECOURSE_DATA_DIR to a folder that can be written to"
    ):
        data.cache_root()


def test_a_folder_for_downloads_in_the_home_of_nobody_is_blamed_on_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECOURSE_DATA_DIR", "~nobody-of-this-name/x")
    with pytest.raises(
        DataUnavailable, match=r"VAECOURSE_DATA_DIR cannot be used \(the ~ in ~nobody-of-this-name/x stands for a home folder"
    ):
        data.cache_root()


def test_the_shipped_players_can_be_made_again(tmp_path: Path) -> None:
    players.save(tmp_path / "made" / "players.csv")
    assert (tmp_path / "made" / "players.csv").read_bytes() == data.shipped("players.csv").read_bytes()
    assert names(tmp_path / "made") == ["players.csv"]
