"""Memory: errors of torch that mean a lack of it, and freed memory, which is kept until the end of an image."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


def ran_out_of_memory(error: RuntimeError) -> bool:
    """Return whether an error of torch means that the memory of the GPU or of the machine does not suffice."""
    return any(text in str(error) for text in _OUT_OF_MEMORY)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # not glibc
        return None
    trim.argtypes = [ctypes.c_size_t]
    trim.restype = ctypes.c_int
    return trim


def release_free_memory() -> None:
    """Return the free pages of the C library's heap to the system, where the library supports it.

    There is no leak without this call, but image-sized buffers of several threads fragment glibc's heap, and the peak
    grows by a few hundred MiB over a hundred images.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # from glibc's malloc.h
_KEPT_BYTES = 2**31 - 1
_TOP_PAD_BYTES = 2**28


@functools.cache
def keep_freed_memory() -> None:
    """Let the C library reuse freed memory instead of returning it to the system at once, where it supports that.

    Networks on a CPU free and allocate hundreds of megabytes at every layer. By default glibc returns large blocks to
    the system at once, and faulting the pages in again took half the run time of a small network. `release_free_memory`
    still returns everything.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not glibc
        return
    mallopt.argtypes = [ctypes.c_int, ctypes.c_int]
    mallopt.restype = ctypes.c_int
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    mallopt(_M_TOP_PAD, _TOP_PAD_BYTES)
