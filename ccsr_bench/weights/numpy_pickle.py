"""Reading numpy arrays from a pickle without executing anything that the pickle names."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
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
    if isinstance(content, _Array):
        return [(".".join(keys), content.values)]
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        raise BenchError("holds something else than arrays of numbers by name; get the published file")
    return [item for key, value in content.items() for item in _flatten(value, *keys, key)]


class _NumberType:
    """A type of numbers; numpy's own class also takes types of Python objects."""

    def __init__(self, name: str, align: bool = False, copy: bool = False) -> None:  # noqa: ARG002
        self.dtype = np.dtype(str(name))
        if self.dtype.kind not in "fiu":
            raise BenchError(f"holds an array of {name}, which are not numbers; get the published file")

    def __setstate__(self, state: Sequence[Any]) -> None:
        """Set the order of the bytes; the rest of what numpy stores does not matter to numbers."""
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array, which a pickle fills after it was made; numpy's own class trusts the sizes that a pickle gives it."""

    values: np.ndarray

    def __init__(self, subtype: object, shape: object, typecode: object) -> None:
        """Take the arguments with which numpy makes an empty array, and ignore them."""

    def __setstate__(self, state: tuple[int, tuple[int, ...], _NumberType, bool, bytes]) -> None:
        """Set the values, in the machine's own order of bytes."""
        _version, shape, numbers, by_columns, content = state
        values = np.frombuffer(content, numbers.dtype).astype(numbers.dtype.newbyteorder("="))
        self.values = values.reshape(shape, order="F" if by_columns else "C")


_KNOWN = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): None,
    ("numpy", "dtype"): _NumberType,
}
"""Names in a pickle -> our class that is called in their place; nothing else is called."""


class _Unpickler(pickle.Unpickler):
    """Builds dictionaries and arrays only."""

    def find_class(self, module: str, name: str) -> Any:
        """Return our replacement of what a pickle names; see `pickle.Unpickler.find_class`."""
        if (module, name) not in _KNOWN:
            raise BenchError(f"names {module}.{name}, which is not weights; nothing of it was executed")
        return _KNOWN[module, name]
