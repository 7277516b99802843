"""Reading the tensors of a TorchScript archive (`torch.jit.save`) without executing anything in it.

`torch.jit.load` would compile the code that such a file contains. Here only its table of attributes, `data.pkl`, is
read, by an unpickler that accepts a short list of names and rejects all others.
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
    """A placeholder for a module of any class, with its attributes and without its methods."""

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
            raise pickle.UnpicklingError("a module's state is not a table of attributes")
        self.attributes = state


def _tensor(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_ignored: object
) -> Tensor:  # torch checks that it lies within the storage
    return storage.as_strided(size, stride, offset)


def _first_argument(value: object, *_type: object) -> object:
    return value


_FUNCTIONS: dict[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch.jit._pickle.build_boollist": _first_argument,
    "torch.jit._pickle.build_doublelist": _first_argument,
    "torch.jit._pickle.build_intlist": _first_argument,
    "torch.jit._pickle.build_tensorlist": _first_argument,
    "torch.jit._pickle.restore_type_tag": _first_argument,
}


class _Unpickler(pickle.Unpickler):
    """Reads `data.pkl`.

    Args:
        archive: Archive that contains `data.pkl`.
        folder: Folder in the archive that contains all of its files.
    """

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{folder}/data.pkl")))
        self._archive = archive
        self._folder = folder
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return the object for a name in the file; nothing is imported."""
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if f"{module}.{name}" in _FUNCTIONS:
            return _FUNCTIONS[f"{module}.{name}"]
        return _refuse(f"it names {module}.{name}, which no weights need")

    def persistent_load(self, pid: Any) -> Tensor:
        """Return the content of one storage as a one-dimensional tensor on the CPU."""
        kind, dtype, key, _device, count = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or not isinstance(key, str):
            _refuse("it refers to an object that is not a storage")
        if key not in self._storages:
            member = self._archive.getinfo(f"{self._folder}/data/{key}")
            if member.file_size != count * dtype.itemsize:
                _refuse(f"data/{key} has {member.file_size} bytes, not {count} of {dtype}")
            content = self._archive.read(member)
            # A bytearray, because torch does not support read-only memory; torch.frombuffer rejects empty buffers.
            self._storages[key] = (
                torch.frombuffer(bytearray(content), dtype=dtype) if content else torch.empty(0, dtype=dtype)
            )
        return self._storages[key]


def _refuse(reason: str) -> NoReturn:
    raise pickle.UnpicklingError(reason)


def is_torchscript_archive(path: Path) -> bool:
    """Return whether a file was written by `torch.jit.save`, and not by `torch.save`, whose files contain no code."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.count("/") == 1 and name.endswith("/constants.pkl") for name in archive.namelist())


def read_torchscript_archive(path: Path) -> dict[str, Tensor]:
    """Read the parameters, buffers and other tensors of an archived module.

    Args:
        path: Path of the archive.

    Returns:
        The stored tensors by their dotted names, on the CPU; attributes of other kinds are ignored.

    Raises:
        BenchError: The file is not such an archive, is damaged, or names an object that weights do not need.
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
