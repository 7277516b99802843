"""Reading named tensors from a file of weights, and comparing them with those of a network."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ccsr_bench.errors import BenchError, first_line
from ccsr_bench.weights.mat_file import read_mat_file


def read_tensors(path: Path, *, nested: str | None = None) -> dict[str, Tensor]:
    """Read named tensors on the CPU; no code in the file is executed.

    Args:
        path: File in the safetensors format, in MATLAB's (numeric arrays only), or in PyTorch's own.
        nested: Key under which the tensors may lie in a PyTorch file.

    Raises:
        BenchError: The file is damaged, or does not hold named tensors.
    """
    try:
        content = _read(path)
    except Exception as error:  # damaged pickles raise nearly every type of error
        if "weights only load failed" in str(error).lower():
            raise BenchError(
                f"{path}: holds code beside weights, or is damaged: no readable weights; nothing in it was executed"
            ) from error
        raise BenchError(
            f"{path}: damaged or truncated: no readable weights ({first_line(error)}); delete it and prepare again"
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
        from safetensors.torch import load_file  # imports safetensors.torch

        return load_file(path)
    if path.suffix == ".mat":
        return read_mat_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about damaged pickles; our own error says what is wrong
        return torch.load(path, map_location="cpu", weights_only=True)


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Return what identifies weights, whatever file they are stored in: the sha256 of their tensors.

    Hashed are, for each tensor in the order of the names' code points, a line ``name dtype shape`` such as
    ``conv_first.weight float32 64,3,3,3`` with a line feed, in UTF-8, and then its values, row-major and little-endian.

    Args:
        tensors: Tensors by name.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        dtype = str(tensor.dtype).removeprefix("torch.")
        digest.update(f"{name} {dtype} {','.join(map(str, tensor.shape))}\n".encode())
        # Bytes, because numpy has no bfloat16. torch supports little-endian machines only.
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


class Difference(NamedTuple):
    """The difference between the tensors of a file and those of a network."""

    missing: list[str]
    """Names of tensors of the network that the file lacks."""
    foreign: list[str]
    """Names of tensors of the file that the network does not have."""
    reshaped: list[str]
    """Names of tensors whose shapes differ."""


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
