"""CCSR as a method of the benchmark; `methods/ccsr/method.toml` names its variants and their settings."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ccsr_bench.ccsr import architecture
from ccsr_bench.ccsr.settings import read_settings
from ccsr_bench.errors import BenchError
from ccsr_bench.methods.base import Execution

_log = logging.getLogger(__name__)


def build(*, weights: Mapping[str, Path], execution: Execution, **settings: Any) -> Any:
    """Load CCSR with its weights.

    Args:
        weights: Folders by name: ``base``, ``controlnet`` and, where the decoder is CCSR's own, ``vae``.
        execution: Device, precision and batch size of the networks. A precision that is given selects clean numerics.
        settings: Fields of `ccsr_bench.ccsr.settings.Settings`.

    Returns:
        The model, a `ccsr_bench.ccsr.model.CCSR`.

    Raises:
        BenchError: The settings or the weights are wrong, or a library is missing.
    """
    chosen = read_settings(settings)
    if execution.dtype is not None:
        chosen = replace(chosen, quirks=replace(chosen.quirks, numerics="clean"))
    missing = sorted({"base", "controlnet"} - weights.keys())
    if missing:
        raise BenchError(f"the variant names no weights for {' and '.join(missing)}")
    check_libraries()
    import torch

    from ccsr_bench.devices.torchvision_operators import import_torchvision  # imports torch

    import_torchvision()  # before transformers imports it
    from ccsr_bench.ccsr.model import CCSR  # imports diffusers
    from ccsr_bench.ccsr.weights import WeightFolders  # imports diffusers

    dtype = getattr(torch, execution.dtype) if execution.dtype else None
    if dtype is None and execution.device == "cpu" and not torch.ops.mkldnn._is_mkldnn_fp16_supported():
        _log.warning("this CPU has no float16 arithmetic, so CCSR is very slow; `dtype` float32 is much faster")
    return CCSR.load(
        WeightFolders(weights["base"], weights["controlnet"], weights.get("vae")),
        chosen,
        device=execution.device,
        dtype=dtype,
        batch=execution.batch,
        compiled=execution.compiled,
    )


def parameter_counts() -> dict[str, int]:
    """Return the number of parameters of each network of the released model; see `ccsr_bench.ccsr.architecture`."""
    check_libraries()
    from ccsr_bench.devices.torchvision_operators import import_torchvision  # imports torch

    import_torchvision()  # before transformers imports it

    return architecture.count_parameters()


def check_libraries() -> None:
    """Raise a `BenchError` where a library is missing."""
    for name in ("diffusers", "safetensors", "transformers"):
        if importlib.util.find_spec(name) is None:
            raise BenchError(f"CCSR needs {name}: run `pip install 'ccsr-bench[ccsr]'`")
