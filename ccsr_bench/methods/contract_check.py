"""Checking whether a method keeps the contract of `ccsr_bench.methods.base.Method` about seeds and outputs."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np

from ccsr_bench.methods.base import Method
from ccsr_bench.methods.registry import MethodSpec

SEEDS = (1, 2, 2**63 - 1)


@dataclass(frozen=True)
class CheckedPromise:
    """One promise of the contract, and whether the method keeps it."""

    promise: str
    kept: bool
    detail: str = ""
    """Observation that contradicts the promise, or the reason why the promise could not be checked."""


def check_contract(
    spec: MethodSpec, load: Callable[[], Method], *, size: int, progress: Callable[[str], None] = lambda _: None
) -> Iterator[CheckedPromise]:
    """Check the promises of the contract one after the other, or only the first if the method cannot restore an image.

    Args:
        spec: Method to check.
        load: Function that returns a newly loaded method.
        size: Sides of the LR images in pixels.
        progress: Function that is called with the name of each step before the step starts.

    Raises:
        BenchError: The method cannot be loaded.
    """
    with _closing(load) as method, _no_network():
        checks = _Checks(spec, method, size)
        progress("one output")
        try:
            checks.first = method.restore(checks.lr, SEEDS[:1])
        except Exception as error:  # any error of the method breaks the promise
            yield CheckedPromise("restores an image, without a network", False, " ".join(f"{error!r}".split()))
            return
        yield CheckedPromise("restores an image, without a network", True)
        yield checks.size()
        yield checks.steps()
        for promise in (checks.same_seed, checks.other_seed, checks.input_left_alone):
            progress(promise.__name__.replace("_", " "))
            yield promise()
    progress("a second start")
    with _closing(load) as method, _no_network():
        again = method.restore(checks.lr, SEEDS[:1])
        yield _compare("the same after a restart", again, checks.first)


class _Checks:
    first: np.ndarray

    def __init__(self, spec: MethodSpec, method: Method, size: int) -> None:
        generator = np.random.default_rng(0)
        coarse = generator.integers(32, 224, (2, size // 8 + 1, size // 8 + 1, 3))
        self.lr, self._other = (image.repeat(8, 0).repeat(8, 1)[:size, :size].astype(np.uint8) for image in coarse)
        self._spec = spec
        self._method = method

    def size(self) -> CheckedPromise:
        height, width, _ = self.lr.shape
        scale = self._spec.manifest.scale
        expected = (1, scale * height, scale * width, 3)
        kept = self.first.dtype == np.uint8 and self.first.shape == expected
        return CheckedPromise(
            f"uint8 RGB, {scale} times as large", kept, "" if kept else f"{self.first.dtype} {self.first.shape}"
        )

    def steps(self) -> CheckedPromise:
        variant = self._spec.variant
        calls = getattr(self._method, "network_calls", None)
        promise = f"declared steps ({variant.steps}) are the network's calls"
        if not variant.steps or calls is None:
            return CheckedPromise(
                promise, True, "not counted: the adapter names no network" if variant.steps else "no steps"
            )
        expected = variant.steps * variant.calls_per_step
        kept = calls == expected
        return CheckedPromise(promise, kept, "" if kept else f"{calls} calls, {expected} expected")

    def same_seed(self) -> CheckedPromise:
        """Check the output of a seed after outputs of another image and other seeds, and in another position."""
        self._method.restore(self._other, SEEDS[1:])
        together = self._method.restore(self.lr, SEEDS[::-1])
        return _compare("same seed, same bytes, whatever ran before", together[-1:], self.first)

    def other_seed(self) -> CheckedPromise:
        second = self._method.restore(self.lr, SEEDS[1:2])
        differs = bool((second != self.first).any())
        stochastic = self._spec.stochastic
        promise = "other seeds give other outputs" if stochastic else "deterministic: the seed does not matter"
        spread = np.abs(second.astype(int) - self.first.astype(int)).mean()
        return CheckedPromise(
            promise, differs == stochastic, f"mean difference {spread:.3g} grey levels" if differs else ""
        )

    def input_left_alone(self) -> CheckedPromise:
        lr = self.lr.copy()
        lr.setflags(write=False)
        self._method.restore(lr, SEEDS[:1])
        return CheckedPromise("leaves its input alone", bool((lr == self.lr).all()))


def _compare(promise: str, output: np.ndarray, expected: np.ndarray) -> CheckedPromise:
    if output.shape != expected.shape:
        return CheckedPromise(promise, False, f"shape {output.shape}, {expected.shape} before")
    differing = int((output != expected).any(-1).sum())
    return CheckedPromise(promise, not differing, f"{differing} pixels differ" if differing else "")


@contextlib.contextmanager
def _closing(load: Callable[[], Any]) -> Iterator[Any]:
    method = load()
    try:
        yield method
    finally:
        close = getattr(method, "close", None)
        if close is not None:
            close()


@contextlib.contextmanager
def _no_network() -> Iterator[None]:
    """Make connections from this process fail; a worker disables its network itself."""

    def refuse(*_: object) -> None:
        raise OSError("the network is closed while a method runs")

    with patch.object(socket.socket, "connect", refuse):
        yield
