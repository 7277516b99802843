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

BYTES_PER_PIXEL = 3_000
"""Memory to reserve for a run, for each pixel of its output in two-byte precision. Its peak, in the decoder, is 1,300
(`benchmarks/ccsr_full_size.py`, batch 2 against 1); the rest is for a GPU's workspaces, which were not measured."""

_log = logging.getLogger(__name__)


def largest_batch(device: torch.device, pixels: int, dtype: torch.dtype) -> int:
    """Return how many runs fit into the memory that is free: 10, or 10 halved as often as needed.

    On a CPU it is 2: there more need more memory and are not faster (`benchmarks/ccsr_runs.py`).

    Args:
        device: Where the networks are.
        pixels: Of one output.
        dtype: Of the networks.
    """
    if device.type != "cuda":
        return CPU_RUNS
    free, _ = torch.cuda.mem_get_info(device)
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    fitting = (free + cached) // (BYTES_PER_PIXEL * pixels * dtype.itemsize // 2)
    size = MOST_RUNS
    while size > max(fitting, 1):
        size //= 2
    return size


class Batches:
    """The batch size, halved when memory runs out and remembered.

    Args:
        size: Runs at once.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def run(self, work: Callable[[int], T]) -> T:
        """Do work at the largest batch size that memory allows.

        Args:
            work: Called with the batch size; called again with half of it after it ran out of memory.
        """
        while True:
            try:
                return work(self.size)
            except RuntimeError as error:
                if self.size == 1 or not _out_of_memory(error):
                    raise
            # Out of the handler: the error holds the tensors of the failed call.
            self.size //= 2
            _log.warning("out of memory: going on with %d runs at once", self.size)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.cuda.OutOfMemoryError) or "can't allocate memory" in str(error)
