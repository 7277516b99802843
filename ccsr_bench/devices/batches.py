"""The number of images that go through a network at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from ccsr_bench.devices.memory import ran_out_of_memory

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Batches:
    """The batch size for images of any size.

    It is computed from the memory that was free at the start, so it does not depend on earlier images. Where memory
    runs out nevertheless, the batch size that fits is kept for later images.

    Args:
        device: Device of the networks, which are already loaded.
        most: Largest number of images at once.
        bytes_per_pixel: Memory in bytes that an image needs on a GPU, per pixel; 0 to use `most` without a limit.

    Raises:
        ValueError: `most` is less than 1.
    """

    def __init__(self, device: torch.device, most: int, bytes_per_pixel: float = 0) -> None:
        if most < 1:
            raise ValueError(f"batch {most}: must be at least 1")
        self._most = most
        self._pixels = float("inf")
        """The most pixels that fit at once."""
        if bytes_per_pixel and device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
            self._pixels = (free + cached) / bytes_per_pixel

    def size(self, pixels: int) -> int:
        """Return the number of images at once: the largest, halved until the images fit.

        Args:
            pixels: Pixels per image.
        """
        size = self._most
        while size > 1 and size * pixels > self._pixels:
            size //= 2
        return size

    def run(self, pixels: int, work: Callable[[int], T]) -> T:
        """Call a function with the largest batch size that memory allows.

        Args:
            pixels: Pixels per image.
            work: Function of the batch size; it is called again with half of that size after it ran out of memory.
        """
        while True:
            size = self.size(pixels)
            try:
                return work(size)
            except RuntimeError as error:
                if size == 1 or not ran_out_of_memory(error):
                    raise
            # Outside of the handler, because the error keeps the tensors of the failed call alive.
            self._pixels = size // 2 * pixels
            _log.warning("out of memory: continuing with %d images at once", size // 2)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def map(self, work: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """Pass images through a network, as many at once as memory allows.

        Args:
            work: Function (n, ...) -> (n, ...), in which each output depends on its own image only.
            images: Images, (N, ..., H, W).

        Returns:
            The N outputs, concatenated.
        """
        pixels = images.shape[-2] * images.shape[-1]
        done: list[Tensor] = []
        while (count := sum(map(len, done))) < len(images):
            rest = images[count:]
            done.append(self.run(pixels, lambda size, rest=rest: work(rest[:size])))  # type: ignore[misc]
        return torch.cat(done)
