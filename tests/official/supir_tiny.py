"""SUPIR's adapter for tiny networks: the widths that are literals in the code of its UNet are divided by ten.

It runs in SUPIR's own interpreter, as the adapter of the worker and imported by `supir_script.py`.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

ADAPTER = Path(__file__).parents[2] / "methods" / "supir" / "adapter.py"
LITERALS = (160, 320, 640, 1280)


def shrink() -> None:
    """Divide the widths in the code of the official UNet by ten."""
    from SUPIR.modules.SUPIR_v0 import LightGLVUNet

    code = LightGLVUNet.__init__.__code__
    constants = tuple(number // 10 if number in LITERALS else number for number in code.co_consts)
    LightGLVUNet.__init__.__code__ = code.replace(co_consts=constants)


def load(**arguments: Any) -> Any:
    """Load the adapter."""
    shrink()
    spec = importlib.util.spec_from_file_location("supir_adapter", ADAPTER)
    assert spec is not None
    assert spec.loader is not None
    adapter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(adapter)
    return adapter.load(**arguments)
