from __future__ import annotations

import pytest
import torch

from ccsr_bench.devices.batches import Batches

CPU = torch.device("cpu")


def test_other_errors_and_too_little_memory_for_one_run_are_raised() -> None:
    def fail(size: int) -> None:
        raise RuntimeError(f"[enforce fail] DefaultCPUAllocator: can't allocate memory: {size}")

    batches = Batches(CPU, 8)
    with pytest.raises(RuntimeError, match="can't allocate memory: 1"):
        batches.run(100, fail)
    assert batches.size(100) == 1
    assert batches.size(25) == 4  # what is remembered is how much fitted, not how many

    def break_(size: int) -> None:
        raise RuntimeError(f"shapes {size}")

    with pytest.raises(RuntimeError, match="shapes 8"):
        Batches(CPU, 8).run(100, break_)
    with pytest.raises(ValueError, match="batch 0: must be at least 1"):
        Batches(CPU, 0)


def test_map_gives_every_output_whatever_memory_allows() -> None:
    images = torch.arange(7.0)[:, None, None].expand(7, 2, 3)
    batches = Batches(CPU, 4)
    tried: list[int] = []

    def work(some: torch.Tensor) -> torch.Tensor:
        tried.append(len(some))
        if len(some) > 2:
            raise RuntimeError("CUDA out of memory")
        return some.mean(dim=(1, 2)) * 2

    torch.testing.assert_close(batches.map(work, images), torch.arange(7.0) * 2)
    assert tried == [4, 2, 2, 2, 1]
