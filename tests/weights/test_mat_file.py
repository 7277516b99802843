from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.weights.mat_file import read_mat_file
from ccsr_bench.weights.tensors import read_tensors
from tests.support.mat_files import HEADER, compressed, element, mat_file, matrix

NUMBERS = np.arange(6.0).reshape(2, 3) / 7
DOUBLES = NUMBERS.tobytes(order="F")
ARRAY = matrix("a", DOUBLES, (2, 3))


def read(folder: Path, content: bytes) -> dict[str, np.ndarray]:
    path = folder / "model.mat"
    path.write_bytes(content)
    return {name: tensor.numpy() for name, tensor in read_mat_file(path).items()}


def test_plain_and_compressed_arrays_are_read(tmp_path: Path) -> None:
    arrays = read(tmp_path, HEADER + compressed(matrix("a_long_name", DOUBLES, (2, 3))) + ARRAY)
    assert list(arrays) == ["a_long_name", "a"]
    for array in arrays.values():
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, NUMBERS)


def test_doubles_stored_as_bytes_are_doubles(tmp_path: Path) -> None:
    arrays = read(tmp_path, HEADER + matrix("a", bytes(range(12)), (3, 4), stored=2))
    assert arrays["a"].dtype == np.float64
    np.testing.assert_array_equal(arrays["a"], np.arange(12.0).reshape(4, 3).T)


@pytest.mark.parametrize("do_compression", [False, True])
def test_agrees_with_scipy(tmp_path: Path, do_compression: bool) -> None:
    io = pytest.importorskip("scipy.io", reason="needs scipy")
    generator = np.random.default_rng(0)
    wanted: dict[str, np.ndarray] = {
        "covariance": generator.normal(size=(36, 36)),
        "one": generator.normal(size=(1, 1)).astype(np.float32),
        "levels": generator.integers(0, 255, (3, 4, 5)).astype(np.uint8),
        "x": np.array([[-3, 70000]], np.int32),
    }
    io.savemat(tmp_path / "theirs.mat", wanted, do_compression=do_compression)
    arrays = read_mat_file(tmp_path / "theirs.mat")
    assert arrays.keys() == wanted.keys()
    for name, array in wanted.items():
        assert arrays[name].numpy().dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)
    (tmp_path / "ours.mat").write_bytes(mat_file({"covariance": wanted["covariance"]}))
    np.testing.assert_array_equal(io.loadmat(tmp_path / "ours.mat")["covariance"], wanted["covariance"])


BOMB = compressed(struct.pack("<II", 14, 2**31) + bytes(2**20))
"""Announces 2 GiB."""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a little-endian MATLAB file of version 5"),
        (HEADER[:-2] + b"MI" + ARRAY, "not a little-endian MATLAB file of version 5"),
        (HEADER + ARRAY[:-1], "ends after the end of the file"),
        (HEADER + ARRAY[:5], "ends after the end of the file"),
        (HEADER + ARRAY + ARRAY, "two arrays have the name a"),
        (HEADER + element(9, DOUBLES), "an element of type 9 is not an array"),
        (HEADER + element(14, b""), "lacks its class"),
        (HEADER + matrix("a", DOUBLES, (2, 3), array_class=1), "not one of real numbers"),  # cells
        (HEADER + matrix("a", DOUBLES, (2, 3), flags=0x0800), "not one of real numbers"),  # complex
        (HEADER + matrix("a", DOUBLES, (2, 3), stored=16), "not one of real numbers"),  # text
        (HEADER + matrix("a", DOUBLES, (2, 4)), r"array a has 6 numbers for the dimensions \[2, 4\]"),
        (HEADER + matrix("a", DOUBLES, (-2, -3)), r"array a has 6 numbers for the dimensions \[-2, -3\]"),
        (HEADER + matrix("a", DOUBLES[:-1], (2, 3)), "buffer size"),
        (HEADER + struct.pack("<II", 0x00050001, 0), "a small element announces 5 bytes"),
        (HEADER + BOMB, "more than 16777216 bytes of content"),
        (HEADER + compressed(ARRAY + ARRAY), "another size than they announce"),
        (HEADER + compressed(ARRAY[:-8]), "another size than they announce"),
        (HEADER + element(15, zlib.compress(ARRAY)[:-6]), "another size than they announce"),
        (HEADER + element(15, b"something else"), "compressed data are damaged"),
        (HEADER + compressed(b"1234"), "ends after the end of the file"),
        (HEADER + compressed(compressed(ARRAY)), "another size|not an array"),
    ],
)
def test_other_content_is_refused_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(tmp_path, content)
    with pytest.raises(BenchError, match=r"model\.mat: damaged or truncated: no readable weights \(.*prepare again"):
        read_tensors(tmp_path / "model.mat")


def test_many_compressed_arrays_share_one_limit(tmp_path: Path) -> None:
    zeros = [compressed(matrix(name, bytes(2**20 * 6), (3, 2**18))) for name in "abc"]
    with pytest.raises(ValueError, match="more than 16777216 bytes of content"):
        read(tmp_path, HEADER + b"".join(zeros))
