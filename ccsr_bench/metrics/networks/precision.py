"""The precision in which the networks of metrics are computed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal

import torch

Precision = Literal["exact", "fast"]
"""``exact``: float32 without TF32. ``fast``: TF32, and bfloat16 where its effect on the scores is small."""


@contextlib.contextmanager
def float32_products(precision: Precision) -> Iterator[None]:
    """Multiply float32 matrices on a GPU in float32 (``exact``) or in TF32 (``fast``)."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "fast"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def fast_dtype(precision: Precision) -> torch.dtype:
    """Return the data type of a network that may be computed in bfloat16."""
    return torch.bfloat16 if precision == "fast" else torch.float32


def network_precision(precision: Precision, device: torch.device) -> str:
    """Return the text for the precision in a definition, for a network that is never computed in bfloat16."""
    return f"{'TF32' if precision == 'fast' and device.type == 'cuda' else 'float32'} network"
