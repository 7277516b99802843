"""Helpers for adapters whose official code requires a GPU or loads weights as trusted pickles."""

from __future__ import annotations

from typing import Any, ContextManager
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode


def load_tensors_only() -> ContextManager[Any]:
    """Return a context in which `torch.load` reads only tensors, onto the CPU, whatever its arguments are."""
    load = torch.load

    def load_tensors(file: Any, *_: Any, **__: Any) -> Any:
        return load(file, map_location="cpu", weights_only=True)

    return patch.object(torch, "load", load_tensors)


class InsteadOfCuda(TorchFunctionMode):
    """Lets code that names the device "cuda" use another device."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.Tensor.cuda:
            return args[0].to(self._device)
        kwargs = {name: self._other(value) for name, value in (kwargs or {}).items()}
        return function(*map(self._other, args), **kwargs)

    def _other(self, value: Any) -> Any:
        names_gpu = isinstance(value, (str, torch.device)) and str(value).startswith("cuda")
        return self._device if names_gpu else value
