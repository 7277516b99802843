"""Helpers for adapters that read checkpoints of PyTorch Lightning, which contain objects beside tensors."""

from __future__ import annotations

import pickle
from typing import Any, ContextManager
from unittest.mock import patch

import torch

_NEEDED = (
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch._utils", "_rebuild_tensor"),
    ("torch._utils", "_rebuild_tensor_v2"),
)  # torch reads storages by itself


class _Inert:
    """Replaces every other class and function of a checkpoint; it accepts every call and does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def _ignore(self, *_: Any, **__: Any) -> _Inert:
        return self

    __call__ = __setstate__ = __setitem__ = add = append = extend = _ignore


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(module, name) if (module, name) in _NEEDED else _Inert


class _Pickle:
    """The replacement of the module `pickle` in `torch.load`."""

    Unpickler = _Unpickler

    @staticmethod
    def load(file: Any, **options: Any) -> Any:
        return _Unpickler(file, **options).load()


def load_tensors_among_objects() -> ContextManager[Any]:
    """Return a context in which `torch.load` reads tensors and their containers, whatever its arguments are.

    Tensors are read onto the CPU, and all other objects are replaced by inert placeholders.
    `cuda_only_code.load_tensors_only` refuses such files.
    """
    load = torch.load

    def load_inert(file: Any, *_: Any, **__: Any) -> Any:
        return load(file, map_location="cpu", pickle_module=_Pickle, weights_only=False)

    return patch.object(torch, "load", load_inert)
