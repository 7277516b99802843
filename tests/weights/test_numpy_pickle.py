"""Arrays in a pickle: both names of numpy's modules, and what is refused without being executed."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.weights.numpy_pickle import read_arrays

ARRAYS = {
    "float32": np.arange(6, dtype=np.float32).reshape(1, 2, 3),
    "float64": np.array([0.1, np.inf]),
    "int64": np.array(7),
    "uint8": np.zeros((0, 2), np.uint8),
    "by columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big-endian": np.arange(3, dtype=">f4"),
}


def write(folder: Path, content: object, module: str = "") -> Path:
    """Pickle something, with another name of numpy's module if one is given."""
    pickled = pickle.dumps(content, protocol=3)  # the last one with names of modules as lines
    if module:
        own = next(name for name in (b"numpy._core", b"numpy.core") if name in pickled)
        pickled = pickled.replace(own, module.encode())
    path = folder / "weights.ckpt"
    path.write_bytes(pickled)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BenchError) as error:
        read_arrays(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("module", ["numpy.core", "numpy._core"])
def test_arrays_are_read_by_the_keys_that_lead_to_them(tmp_path: Path, module: str) -> None:
    arrays = read_arrays(write(tmp_path, {"network": {"a": ARRAYS}, "b": np.ones(2)}, module))
    assert list(arrays) == [*(f"network.a.{name}" for name in ARRAYS), "b"]
    for name, array in ARRAYS.items():
        read = arrays[f"network.a.{name}"]
        assert read.dtype == array.dtype.newbyteorder("=")
        assert read.shape == array.shape
        np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(
    "content",
    [
        {"a": np.array([{}], dtype=object)},
        {"a": np.array(["text"])},
        {"a": np.array([True])},
        {"a": np.zeros(1, dtype=[("x", "f4")])},
        {"a": [np.ones(1)]},
        {"a": 1.0},
        {1: np.ones(1)},
        "text",
    ],
    ids=["objects", "texts", "booleans", "records", "list", "number", "number as key", "no dictionary"],
)
def test_what_is_no_array_of_numbers_by_name_is_refused(tmp_path: Path, content: object) -> None:
    assert refusal(write(tmp_path, content)).endswith("; get the published file")


class Calls:
    """Pickled as the call of a function."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[object, ...]:
        return self._call


def test_nothing_that_a_pickle_names_is_executed(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for function, *arguments in (
        (marker.touch,),
        (eval, f"open({str(marker)!r}, 'w')"),
        (np.fromfile, str(marker)),
        (np.ndarray, 3),
    ):
        path = write(tmp_path, {"a": np.ones(1), "b": Calls(function, *arguments)})
        assert refusal(path)
        assert not marker.exists()
    assert "names builtins.eval, which is not weights; nothing of it was executed" in refusal(
        write(tmp_path, Calls(eval, "1"))
    )


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": np.ones(100)})
    whole = path.read_bytes()
    for content in (b"", b"not a pickle", whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(content)
        assert "no readable weights" in refusal(path)
    path.write_bytes(whole.replace(b"Kd", b"Ke", 1))  # a shape of 101 for 100 values
    assert "cannot reshape" in refusal(path)
