"""One unit of work: a method's missing runs and scores for one image.

`execute` is a function of its arguments alone and touches no ledger, so that any executor can map units over devices.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ccsr_bench.datasets.loading import Sample
from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import OutputFile
from ccsr_bench.metrics.scorer import Reference, Scorer
from ccsr_bench.running.sources import OpenSource
from ccsr_bench.stability import l_std


@dataclass(frozen=True)
class Unit:
    """What is missing for one image."""

    sample: Sample
    make: Mapping[int, int | None]
    """Runs to generate -> seed; None where images made elsewhere are taken over."""
    recorded: Mapping[int, OutputFile]
    """Runs that exist."""
    score: Mapping[str, tuple[int, ...]]
    """Metric -> runs whose score is missing."""
    features: tuple[int, ...]
    """Runs whose vector for set metrics is missing."""
    reference_features: bool
    """Whether the vector of the HR image is missing."""
    l_std_runs: int
    """Compute the L-STD over runs 0 to this minus 1; 0 for none."""
    l_std_crop: int = 0


@dataclass(frozen=True)
class UnitResult:
    """What a unit gave."""

    image: str
    pixels_sha256: str
    """The sha256 of the decoded LR and HR images."""
    files_sha256: str
    """The sha256 of the files of the LR and HR images."""
    outputs: dict[int, np.ndarray]
    """Run -> (H, W, 3) uint8 RGB, the new ones only."""
    seconds: float | None
    """Wall time of generating, divided by the number of runs; None for images made elsewhere."""
    scores: dict[str, dict[int, float]]
    """Metric -> run -> value."""
    l_std: dict[int, float]
    """Number of runs -> L-STD over that many."""
    failure: str
    """Why some scores are missing; empty when none is."""
    features: dict[int, np.ndarray]
    """Run -> (D,) float32."""
    reference_features: np.ndarray | None
    """(D,) float32 of the HR image."""


def execute(unit: Unit, source: OpenSource | None, scorer: Scorer, *, timed: bool) -> UnitResult:
    """Generate and score what a unit is missing.

    Args:
        unit: What is missing.
        source: Where new outputs come from; not needed where none is missing.
        scorer: Computes the unit's metrics.
        timed: Whether the time that the source takes is the method's.

    Raises:
        BenchError: An input is damaged or not what was recorded.
        Exception: Whatever the method raises.
    """
    pair, files_sha256 = unit.sample.read_with_sha256()
    started = time.perf_counter()
    made: dict[int, np.ndarray] = {}
    seconds = None
    if unit.make and source is not None:
        made = dict(zip(unit.make, source.outputs(unit.sample, pair.lr, unit.make), strict=True))
        seconds = (time.perf_counter() - started) / len(made) if timed else None

    available = _Outputs(unit, made)
    scores, failures = _score(unit, available, scorer.reference(pair.hr), scorer)
    features, reference_features, failed = _features(unit, available, pair.hr, scorer)
    spread = {}
    if unit.l_std_runs:
        spread[unit.l_std_runs] = l_std(available.stack(range(unit.l_std_runs)), crop=unit.l_std_crop)
    return UnitResult(
        image=unit.sample.name,
        pixels_sha256=pair.pixels_sha256(),
        files_sha256=files_sha256,
        outputs=made,
        seconds=seconds,
        scores=scores,
        l_std=spread,
        failure="; ".join([*failures, *failed]),
        features=features,
        reference_features=reference_features,
    )


class _Outputs:
    """The outputs of one image, new and recorded; a recorded one is read when it is first needed."""

    def __init__(self, unit: Unit, made: Mapping[int, np.ndarray]) -> None:
        self._unit = unit
        self._pixels = dict(made)

    def stack(self, runs: range | tuple[int, ...]) -> np.ndarray:
        return np.stack([self._get(run) for run in runs])

    def _get(self, run: int) -> np.ndarray:
        if run not in self._pixels:
            self._pixels[run] = self._unit.recorded[run].read()
        return self._pixels[run]


def _score(
    unit: Unit, available: _Outputs, reference: Reference, scorer: Scorer
) -> tuple[dict[str, dict[int, float]], list[str]]:
    """Return the scores, and why some are missing: a metric that fails costs neither the outputs nor other metrics."""
    # Metrics that miss the same runs share one batch, and with it everything computed once per output.
    groups: dict[tuple[int, ...], list[str]] = {}
    for metric, runs in unit.score.items():
        if runs:
            groups.setdefault(runs, []).append(metric)
    scores: dict[str, dict[int, float]] = {}
    failures: list[str] = []
    for runs, metrics in groups.items():
        values, failed = scorer.score(available.stack(runs), reference, metrics)
        scores.update({metric: dict(zip(runs, found, strict=True)) for metric, found in values.items()})
        failures += failed
    return scores, failures


def _features(
    unit: Unit, available: _Outputs, hr: np.ndarray, scorer: Scorer
) -> tuple[dict[int, np.ndarray], np.ndarray | None, list[str]]:
    """Return the vectors of the outputs, of the HR image, and why they are missing."""
    try:
        reference = scorer.features(hr[None])[0] if unit.reference_features else None
        vectors = scorer.features(available.stack(unit.features)) if unit.features else np.empty((0, 0))
    except BenchError:
        raise
    except Exception as error:  # one metric's failure must not cost the others
        return {}, None, [" ".join(f"features: {error!r}".split())]
    return dict(zip(unit.features, vectors, strict=True)), reference, []
