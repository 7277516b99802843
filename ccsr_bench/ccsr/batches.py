"""How many runs go through the networks at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")

MOST_RUNS = 10
"""The paper's number of runs: one batch takes all of an image."""

CPU_RUNS = 2
"""On a CPU more need more memory and are not faster (`benchmarks/ccsr_runs.py`)."""

BYTES_PER_PIXEL = 3_000
"""Memory to reserve for a run, for each pixel of its output in two-byte precision. Its peak, in the decoder, is 1,300
(`benchmarks/ccsr_full_size.py`, batch 2 against 1); the rest is for a GPU's workspaces, which were not measured."""

_OUT_OF_MEMORY = (
    "out of memory", "can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)  # fmt: skip

_log = logging.getLogger(__name__)


class Batches:
    """The batch size for images of any size.

    It follows from the memory that was free at the start, so that it does not depend on which images came before. Where
    memory runs out all the same, what fitted is remembered.

    Args:
        device: Where the networks are, already loaded.
        dtype: Of the networks.
        fixed: Runs at once whatever the image's size; None to choose.

    Raises:
        ValueError: `fixed` is less than 1.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype, fixed: int | None = None) -> None:
        if fixed is not None and fixed < 1:
            raise ValueError(f"batch {fixed}: must be at least 1")
        self._most = fixed or (MOST_RUNS if device.type == "cuda" else CPU_RUNS)
        self._pixels = float("inf")
        """The most pixels of outputs that fit at once."""
        if fixed is None and device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
            self._pixels = (free + cached) / (BYTES_PER_PIXEL * dtype.itemsize / 2)

    def size(self, pixels: int) -> int:
        """Return how many runs go through at once: the most, halved until they fit.

        Args:
            pixels: Of one output.
        """
        size = self._most
        while size > 1 and size * pixels > self._pixels:
            size //= 2
        return size

    def run(self, pixels: int, work: Callable[[int], T]) -> T:
        """Do work at the largest batch size that memory allows.

        Args:
            pixels: Of one output.
            work: Called with the batch size; called again with half of it after it ran out of memory.
        """
        while True:
            size = self.size(pixels)
            try:
                return work(size)
            except RuntimeError as error:
                if size == 1 or not any(text in str(error) for text in _OUT_OF_MEMORY):
                    raise
            # Out of the handler: the error holds the tensors of the failed call.
            self._pixels = size // 2 * pixels
            _log.warning("out of memory: going on with %d runs at once", size // 2)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
