"""The tensors of a TorchScript archive (`torch.jit.save`), read without executing anything in it.

`torch.jit.load` would compile the code that such a file brings along. Here only its table of attributes, `data.pkl`, is
read, by an unpickler that knows a handful of names and refuses every other.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from ccsr_bench.errors import BenchError, first_line

_DTYPES = {
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "ShortStorage": torch.int16,
    "IntStorage": torch.int32,
    "LongStorage": torch.int64,
    "BoolStorage": torch.bool,
}


class _Module:
    """Stands for a module of any class: its attributes, and no behaviour."""

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
            raise pickle.UnpicklingError("a module whose state is no table of attributes")
        self.attributes = state


def _tensor(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_ignored: object
) -> Tensor:  # torch checks that it lies within the storage
    return storage.as_strided(size, stride, offset)


def _unchanged(value: object, *_type: object) -> object:
    return value


_FUNCTIONS: dict[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch.jit._pickle.build_boollist": _unchanged,
    "torch.jit._pickle.build_doublelist": _unchanged,
    "torch.jit._pickle.build_intlist": _unchanged,
    "torch.jit._pickle.build_tensorlist": _unchanged,
    "torch.jit._pickle.restore_type_tag": _unchanged,
}


class _Unpickler(pickle.Unpickler):
    """Reads `data.pkl`.

    Args:
        archive: Holds it.
        folder: Of the archive, in which all of its files lie.
    """

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{folder}/data.pkl")))
        self._archive = archive
        self._folder = folder
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name of the file stands for; none is ever imported."""
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if f"{module}.{name}" in _FUNCTIONS:
            return _FUNCTIONS[f"{module}.{name}"]
        return _refuse(f"it names {module}.{name}, which no weights need")

    def persistent_load(self, pid: Any) -> Tensor:
        """Return the numbers of one storage, 1-D, on the CPU wherever they were."""
        kind, dtype, key, _device, count = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or not isinstance(key, str):
            _refuse("it refers to something else than a storage")
        if key not in self._storages:
            entry = self._archive.getinfo(f"{self._folder}/data/{key}")
            if entry.file_size != count * dtype.itemsize:
                _refuse(f"data/{key} has {entry.file_size} bytes, not {count} of {dtype}")
            content = self._archive.read(entry)
            # bytearray: torch supports no read-only memory. torch.frombuffer takes no empty one.
            self._storages[key] = (
                torch.frombuffer(bytearray(content), dtype=dtype) if content else torch.empty(0, dtype=dtype)
            )
        return self._storages[key]


def _refuse(reason: str) -> NoReturn:
    raise pickle.UnpicklingError(reason)


def is_torchscript_archive(path: Path) -> bool:
    """Whether a file was written by `torch.jit.save` (and not by `torch.save`, whose files bring no code)."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.count("/") == 1 and name.endswith("/constants.pkl") for name in archive.namelist())


def read_torchscript_archive(path: Path) -> dict[str, Tensor]:
    """Read the parameters, buffers and other tensors of an archived module.

    Args:
        path: The file.

    Returns:
        The tensors on the CPU, as they are stored, by their dotted names; attributes of other kinds are left out.

    Raises:
        BenchError: It is no such archive, damaged, or names anything that weights do not need.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (table,) = (name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl"))
            root = _Unpickler(archive, table.partition("/")[0]).load()
        if not isinstance(root, _Module):
            _refuse("it holds no module")
        return dict(_named_tensors(root, ""))
    except Exception as error:  # zipfile, pickle and torch raise many kinds
        raise BenchError(f"{path}: no readable weights ({first_line(error)}); delete it and prepare again") from error


def _named_tensors(module: _Module, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, value in module.attributes.items():
        if isinstance(value, Tensor):
            yield prefix + name, value
        elif isinstance(value, _Module):
            yield from _named_tensors(value, f"{prefix}{name}.")
