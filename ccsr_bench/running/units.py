"""One unit of work: a method's missing runs and scores for one image.

`execute_unit` depends on its arguments alone and reads no ledger, so any executor can distribute units over devices.
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
    """The outputs and scores that are missing for one image."""

    sample: Sample
    make: Mapping[int, int | None]
    """Missing run -> seed; None for a run whose output was made elsewhere."""
    recorded: Mapping[int, OutputFile]
    """Run -> its output, for the recorded runs."""
    score: Mapping[str, tuple[int, ...]]
    """Metric -> runs without a score."""
    features: tuple[int, ...]
    """Runs without a feature vector for metrics of sets of images."""
    reference_features: bool
    """Whether the feature vector of the HR image is missing."""
    l_std_runs: int
    """Number of runs N for the missing L-STD over the first N runs; 0 if it is not missing."""
    l_std_crop: int = 0
    """Width of the border that L-STD leaves out, in pixels."""


@dataclass(frozen=True)
class UnitResult:
    """The results of a unit."""

    image: str
    pixels_sha256: str
    """The sha256 of the decoded LR and HR images."""
    files_sha256: str
    """The sha256 of the files of the LR and HR images."""
    outputs: dict[int, np.ndarray]
    """Run -> new output, (H, W, 3) uint8 RGB."""
    seconds: float | None
    """Wall time of generating the outputs, divided by their number; None for images made elsewhere."""
    scores: dict[str, dict[int, float]]
    """Metric -> run -> value."""
    l_std: dict[int, float]
    """Number of runs N -> L-STD over the first N runs."""
    failure: str
    """Reason why some scores are missing; empty if none is."""
    features: dict[int, np.ndarray]
    """Run -> feature vector of the output, (D,) float32."""
    reference_features: np.ndarray | None
    """Feature vector of the HR image, (D,) float32; None if it was not computed."""


def execute_unit(unit: Unit, source: OpenSource | None, scorer: Scorer, *, timed: bool) -> UnitResult:
    """Generate and score what is missing for one image.

    Args:
        unit: Missing outputs and scores.
        source: Source of new outputs; None if no output is missing.
        scorer: Metrics of the unit.
        timed: Whether the source generates outputs, so that its wall time is the method's.

    Raises:
        BenchError: An input is damaged or differs from the recorded one.
        Exception: Any exception that the method raises.
    """
    inputs = unit.sample.read_inputs()
    started = time.perf_counter()
    made: dict[int, np.ndarray] = {}
    seconds = None
    if unit.make and source is not None:
        made = dict(zip(unit.make, source.outputs(unit.sample, inputs.lr, unit.make), strict=True))
        seconds = (time.perf_counter() - started) / len(made) if timed else None

    available = _Outputs(unit, made)
    scores, failures = _score(unit, available, scorer.reference(inputs.hr), scorer)
    features, reference_features, failed = _features(unit, available, inputs.hr, scorer)
    spread = {}
    if unit.l_std_runs:
        spread[unit.l_std_runs] = l_std(available.stack(range(unit.l_std_runs)), crop=unit.l_std_crop)
    return UnitResult(
        image=unit.sample.name,
        pixels_sha256=inputs.pixels_sha256(),
        files_sha256=inputs.files_sha256,
        outputs=made,
        seconds=seconds,
        scores=scores,
        l_std=spread,
        failure="; ".join([*failures, *failed]),
        features=features,
        reference_features=reference_features,
    )


class _Outputs:
    """The new and the recorded outputs of one image; a recorded output is read when it is first needed."""

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
    """Return the scores, and the reason for each metric that failed; a failed metric does not affect other results."""
    # Metrics that lack the same runs score one batch, so that the tensors they share are computed once.
    groups: dict[tuple[int, ...], list[str]] = {}
    for metric, runs in unit.score.items():
        if runs:
            groups.setdefault(runs, []).append(metric)
    scores: dict[str, dict[int, float]] = {}
    failures: list[str] = []
    for runs, metrics in groups.items():
        values, failed = scorer.score(available.stack(runs), reference, metrics)
        scores.update({metric: dict(zip(runs, scored, strict=True)) for metric, scored in values.items()})
        failures += failed
    return scores, failures


def _features(
    unit: Unit, available: _Outputs, hr: np.ndarray, scorer: Scorer
) -> tuple[dict[int, np.ndarray], np.ndarray | None, list[str]]:
    """Return the feature vectors of the outputs and of the HR image, and the reasons if they could not be computed."""
    try:
        reference = scorer.features(hr[None])[0] if unit.reference_features else None
        vectors = scorer.features(available.stack(unit.features)) if unit.features else np.empty((0, 0))
    except BenchError:
        raise
    except Exception as error:  # a failed metric must not affect other metrics
        return {}, None, [" ".join(f"features: {error!r}".split())]
    return dict(zip(unit.features, vectors, strict=True)), reference, []
