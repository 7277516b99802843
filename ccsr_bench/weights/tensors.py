"""Reading tensors by name from a file of weights, and comparing them with those that a network has."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ccsr_bench.errors import BenchError, first_line


def read_tensors(path: Path, *, nested: str | None = None) -> dict[str, Tensor]:
    """Read tensors by name on the CPU; nothing in the file is executed.

    Args:
        path: File in the safetensors format, or in PyTorch's own.
        nested: Key under which the tensors may lie in a PyTorch file.

    Raises:
        BenchError: The file is damaged, or holds something else than tensors by name.
    """
    try:
        content = _read(path)
    except Exception as error:  # damaged pickles raise nearly everything
        if "weights only load failed" in str(error).lower():
            raise BenchError(
                f"{path}: holds code beside weights, or is damaged; nothing of it was run: no readable weights"
            ) from error
        raise BenchError(
            f"{path}: damaged or cut short: no readable weights ({first_line(error)}); delete it and prepare again"
        ) from error
    if isinstance(content, dict) and nested is not None and isinstance(content.get(nested), dict):
        content = content[nested]
    if not (
        isinstance(content, dict) and all(isinstance(n, str) and isinstance(t, Tensor) for n, t in content.items())
    ):
        raise BenchError(f"{path}: holds no named tensors: these are not a network's weights; prepare again")
    return content


def _read(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file  # of the extra `ccsr`

        return load_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, about damaged pickles; what is wrong is in our own line
        return torch.load(path, map_location="cpu", weights_only=True)


class Difference(NamedTuple):
    """How tensors differ from those that a network has."""

    missing: list[str]
    """Tensors that the network has, and the file has not."""
    foreign: list[str]
    """Tensors that the file has, and the network has not."""
    reshaped: list[str]
    """Tensors of both whose shapes differ."""


def compare_tensors(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> Difference:
    """Compare the names and shapes of tensors.

    Args:
        wanted: Tensors of the network, by the names that the file gives them.
        given: Tensors of the file.
    """
    return Difference(
        missing=[name for name in wanted if name not in given],
        foreign=[name for name in given if name not in wanted],
        reshaped=[name for name in wanted if name in given and given[name].shape != wanted[name].shape],
    )
