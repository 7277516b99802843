"""The threads that torch computes with on a CPU."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_NUMBER, _WAITING = "OMP_NUM_THREADS", "OMP_WAIT_POLICY"
"""Environment variables of OpenMP, which torch and numpy read when they are imported."""


def let_threads_sleep() -> None:
    """Let threads that wait for others sleep, unless the user has set how they wait.

    By default they wait actively. Where other processes compute too, torch then spends most of its time in waiting. The
    call has an effect before torch is imported, and on processes that are started afterwards.
    """
    os.environ.setdefault(_WAITING, "PASSIVE")


@contextlib.contextmanager
def computing_threads(count: int | None) -> Iterator[None]:
    """Let torch compute with a number of threads, in this process and in those that are started meanwhile.

    Args:
        count: Number of threads, at least 1; None to change nothing.
    """
    if count is None:
        yield
        return
    import torch

    before, number = torch.get_num_threads(), os.environ.get(_NUMBER)
    torch.set_num_threads(count)
    os.environ[_NUMBER] = str(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        if number is None:
            del os.environ[_NUMBER]
        else:
            os.environ[_NUMBER] = number
