"""CCSR as a method of the benchmark; `methods/ccsr/method.toml` names its variants and their settings."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ccsr_bench.ccsr.settings import read_settings
from ccsr_bench.errors import BenchError
from ccsr_bench.methods.manifest import Execution

_log = logging.getLogger(__name__)


def build(*, weights: Mapping[str, Path], execution: Execution, **settings: Any) -> Any:
    """Load CCSR.

    Args:
        weights: Folders of ``base``, ``controlnet`` and, where the decoder is CCSR's, ``vae``.
        execution: How the networks run. Asking for a precision asks for clean numerics.
        settings: Fields of `ccsr_bench.ccsr.settings.Settings`.

    Returns:
        A `ccsr_bench.ccsr.model.CCSR`.

    Raises:
        BenchError: The settings or the weights are wrong, or a library is missing.
    """
    if execution.dtype is not None:
        settings["quirks"] = {**settings.get("quirks", {}), "numerics": "clean"}
    chosen = read_settings(settings)
    _check_libraries()
    import torch

    from ccsr_bench.ccsr.model import CCSR
    from ccsr_bench.ccsr.weights import WeightFolders

    precision = execution.dtype or ("float16" if chosen.quirks.numerics == "official" else "float32")
    if precision == "float16" and execution.device == "cpu" and not torch.ops.mkldnn._is_mkldnn_fp16_supported():
        _log.warning("this CPU has no float16 of its own, which makes CCSR very slow: --dtype float32 is much faster")
    return CCSR.load(
        WeightFolders(weights["base"], weights["controlnet"], weights.get("vae")),
        chosen,
        device=execution.device,
        dtype=getattr(torch, precision),
        batch=execution.batch,
        compiled=execution.compiled,
    )


def parameter_counts() -> dict[str, int]:
    """Return network -> number of parameters of the released model; see `ccsr_bench.ccsr.architecture`."""
    _check_libraries()
    from ccsr_bench.ccsr import architecture

    return architecture.parameter_counts()


def _check_libraries() -> None:
    try:
        import diffusers  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise BenchError(f"CCSR needs {error.name}: run `pip install 'ccsr-bench[ccsr]'`") from error
