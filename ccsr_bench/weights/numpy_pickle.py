"""Reading numpy arrays from a pickle without executing anything that the pickle names."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ccsr_bench.errors import BenchError, first_line


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a pickle of nested dictionaries.

    Returns:
        The arrays by the keys that lead to them, joined by dots.

    Raises:
        BenchError: The file is damaged, holds something else than arrays of numbers, or names code.
    """
    try:
        content = _Unpickler(io.BytesIO(path.read_bytes())).load()
        return dict(_flatten(content))
    except BenchError as error:
        raise BenchError(f"{path}: {error}") from None
    except Exception as error:  # damaged pickles raise nearly every type of error
        raise BenchError(f"{path}: no readable weights ({first_line(error)}); remove it and prepare again") from error


def _flatten(content: object, *keys: str) -> list[tuple[str, np.ndarray]]:
    if isinstance(content, np.ndarray) and content.dtype.kind in "fiu":
        return [(".".join(keys), content)]
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        raise BenchError("holds something else than arrays of numbers by name; get the published file")
    return [item for key, value in content.items() for item in _flatten(value, *keys, key)]


def _empty_array(subtype: object, shape: tuple[int, ...], typecode: bytes | str) -> np.ndarray:  # noqa: ARG001
    """Return the empty array that a pickle fills later; numpy's own function would call what the pickle gives it."""
    return np.ndarray.__new__(np.ndarray, (0,), np.dtype("b"))


def _number_type(name: str, align: bool = False, copy: bool = False) -> np.dtype[Any]:  # noqa: ARG001
    """Return a type of numbers; numpy's own class also takes types of Python objects."""
    dtype = np.dtype(str(name))
    if dtype.kind not in "fiu":
        raise BenchError(f"holds an array of {name}, which are not numbers; get the published file")
    return dtype


_KNOWN = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy", "ndarray"): None,
    ("numpy", "dtype"): _number_type,
}
"""Names in a pickle -> our function that is called in their place; nothing else is called."""


class _Unpickler(pickle.Unpickler):
    """Builds dictionaries and numpy arrays only."""

    def find_class(self, module: str, name: str) -> Any:
        """Return our replacement of what a pickle names; see `pickle.Unpickler.find_class`."""
        if (module, name) not in _KNOWN:
            raise BenchError(f"names {module}.{name}, which is not weights; nothing of it was executed")
        return _KNOWN[module, name]
