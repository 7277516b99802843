"""Measuring a method's cost: network calls, seconds, parameters and memory, as in the paper's Table VII."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ccsr_bench.errors import BenchError, NotInstalledError, number_of
from ccsr_bench.ledger import provenance
from ccsr_bench.methods import loading
from ccsr_bench.methods.base import Execution, Method
from ccsr_bench.methods.captions import same_caption
from ccsr_bench.methods.in_process import count_parameters
from ccsr_bench.methods.isolated.host import IsolatedMethod
from ccsr_bench.methods.registry import MethodSpec
from ccsr_bench.methods.weights import InstalledWeights
from ccsr_bench.places import worker_log


@dataclass(frozen=True)
class Profile:
    """The cost of one method on one machine."""

    method: str
    title: str
    steps: int
    """Network calls per output, where the passes of guidance count as one call; 0 for a method that does not sample."""
    parameters: dict[str, int]
    """Network -> number of parameters; empty if the method's code does not count them."""
    runs: int
    """Number of runs N of `seconds_all_runs`; 1 for a deterministic method."""
    seconds_one_run: float | None
    """Seconds for one run of one image, which is what the paper prints; None without weights."""
    seconds_all_runs: float | None
    """Seconds for N runs of one image; None without weights."""
    seconds_per_run: float | None
    """`seconds_all_runs` divided by N; None without weights."""
    peak_mib: float | None
    """Peak memory of the GPU in MiB, or without a GPU of the process that the method runs in."""
    missing: str
    """Reason why there are no times; empty if there are."""
    notes: tuple[str, ...]
    """Remarks on the measurement."""


def profile(
    spec: MethodSpec,
    execution: Execution,
    *,
    own: Path | None = None,
    runs: int = 10,
    size: int = 128,
    repeats: int = 3,
) -> Profile:
    """Profile a method on a random image.

    Args:
        spec: Method to profile.
        execution: Settings of the method's networks.
        own: Folder of the user's own weights; the installed weights are used when None.
        runs: Number of runs N.
        size: Side of the LR image in pixels.
        repeats: Number of measurements, of which the median is returned.

    Raises:
        BenchError: The method cannot be loaded, or fails. If only weights that `prepare` can install are missing, the
            profile has no times instead.
    """
    runs = runs if spec.stochastic else 1
    missing, times, peak = "", _Times(None, None), None
    try:
        weights = spec.find_weights(own)
    except NotInstalledError as error:
        if own is not None:
            raise
        missing = str(error)
    else:
        times, peak = _measure(spec, execution, weights, runs, size, repeats)
    return Profile(
        method=spec.name,
        title=spec.variant.title,
        steps=spec.variant.steps,
        parameters={} if own is not None else count_parameters(spec),
        runs=runs,
        seconds_one_run=times.one_run,
        seconds_all_runs=times.all_runs,
        seconds_per_run=None if times.all_runs is None else times.all_runs / runs,
        peak_mib=peak,
        missing=missing,
        notes=_notes(execution, size, repeats),
    )


def _notes(execution: Execution, size: int, repeats: int) -> tuple[str, ...]:
    about = provenance.environment(execution.device)
    return (
        f"LR image {size}x{size}; {about['processor']}, {number_of(int(str(about['threads'])), 'thread')}; "
        f"{execution.dtype or 'precision as published'}; median of {number_of(repeats, 'repeat')} after a warm-up.",
        "Times are from the 8-bit LR image to the 8-bit output, including the colour fix; prompts are embedded while "
        "loading.",
        "A single run is one batch of the networks; several runs are processed in batches.",
        "Parameters are those of the published networks, including the text encoder, counted without weights; - for "
        "your own weights.",
        "Peak memory is that of the GPU, or without a GPU that of the method's process since its start.",
    )


class _Times(NamedTuple):
    one_run: float | None
    all_runs: float | None


def _measure(
    spec: MethodSpec,
    execution: Execution,
    weights: Mapping[str, InstalledWeights],
    runs: int,
    size: int,
    repeats: int,
) -> tuple[_Times, float | None]:
    lr = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    provenance.reset_peak_memory(execution.device)
    with _loaded(spec, replace(execution, batch=1), weights) as method:
        one_run = _seconds(method, lr, 1, repeats, execution.device)
        if not spec.manifest.in_process_networks:
            times = _Times(one_run, _seconds(method, lr, runs, repeats, execution.device))
            return times, method.peak_mib(execution.device)
    del method  # two loaded copies may not fit into memory
    with _loaded(spec, execution, weights) as method:
        times = _Times(one_run, _seconds(method, lr, runs, repeats, execution.device))
        return times, method.peak_mib(execution.device)


@contextlib.contextmanager
def _loaded(
    spec: MethodSpec, execution: Execution, weights: Mapping[str, InstalledWeights]
) -> Iterator[_CheckedMethod]:
    with contextlib.ExitStack() as held:
        method = loading.load_method(spec, execution, weights, log=worker_log(spec.name), caption=same_caption)
        if isinstance(method, IsolatedMethod):
            held.callback(method.close)
        yield _CheckedMethod(method, spec)


class _CheckedMethod:
    """A method whose errors carry its name and whose outputs are checked."""

    def __init__(self, method: Method | IsolatedMethod, spec: MethodSpec) -> None:
        self._method = method
        self._spec = spec

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        try:
            outputs = self._method.restore(lr, seeds)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # third-party code may even call sys.exit
            raise BenchError(f"method '{self._spec.name}' failed: {type(error).__name__}: {error}") from error
        scale = self._spec.manifest.scale
        expected = (len(seeds), scale * lr.shape[0], scale * lr.shape[1], 3)
        shape = getattr(outputs, "shape", None)
        if shape != expected:
            raise BenchError(f"method '{self._spec.name}' returned {shape or outputs!r} but must return {expected}")
        return outputs

    def peak_mib(self, device: str) -> float | None:
        """Return the peak memory of the GPU, or without a GPU of the process that the method runs in."""
        if isinstance(self._method, IsolatedMethod):
            return self._method.peak_mib
        peaks = provenance.peak_memory_mib(device)
        return peaks.get("gpu", peaks.get("process"))


def _seconds(method: Method, lr: np.ndarray, runs: int, repeats: int, device: str) -> float:
    seeds = list(range(runs))
    method.restore(lr, seeds)
    taken = []
    for _ in range(repeats):
        _synchronise(device)
        started = time.perf_counter()
        method.restore(lr, seeds)
        _synchronise(device)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _synchronise(device: str) -> None:
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)
