"""The measures that the axes of plots can show: their names, and how they are computed from recorded results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ccsr_bench.ledger.results import Features, Results, Scores, distances
from ccsr_bench.metrics.catalogue import find_metric
from ccsr_bench.metrics.quantities import G_STD_DECIMALS, L_STD
from ccsr_bench.plots.remarks import ONE_RUN
from ccsr_bench.stability import spread
from ccsr_bench.statistics.bootstrap import Interval, bootstrap_interval

_SECONDS_DECIMALS = 3


class Axis(NamedTuple):
    """An axis of a plot."""

    label: str
    """Name of the measure, with its unit."""
    higher_is_better: bool
    logarithmic: bool = False

    @property
    def directed_label(self) -> str:
        """The label with an arrow along the axis that points to better values."""
        return f"{self.label}   better →" if self.higher_is_better else f"← better   {self.label}"


class Estimate(NamedTuple):
    """A value of a measure, with its uncertainty."""

    value: float
    interval: Interval | None = None
    """95 % bootstrap interval over images; None for measures without one."""


class Readings(Protocol):
    """The recorded data of a measure for one method."""

    @property
    def images(self) -> Sequence[str]:
        """Names of the images that have the data."""

    def estimate(self, images: Sequence[str]) -> Estimate | None:
        """Return the estimate on some of the images, or None where these are too few."""


@dataclass(frozen=True)
class Measure:
    """A quantity of methods that an axis can show."""

    key: str
    """Key of the measure in the report's data."""
    name: str
    """Name of the measure where an axis is chosen."""
    axis: Axis
    decimals: int
    """Number of decimals of printed values."""
    read: Callable[[Results], Readings | None]
    """Function that returns the recorded data of a method, or None where the measure is not recorded."""
    reason: str
    """Reason that is printed where the measure is not recorded."""
    is_spread: bool = False
    """Whether the measure is a spread over runs, for which a method needs at least two."""
    is_cost: bool = False
    """Whether the measure depends on the machine that ran the method."""

    def why_missing(self, results: Results) -> str:
        """Return the reason why a method lacks the measure."""
        return ONE_RUN if self.is_spread and results.runs == 1 else self.reason


def quality(metric: str) -> Measure:
    """Return the measure that is a metric's mean.

    Raises:
        BenchError: The metric is unknown.
    """
    info = find_metric(metric)

    def read(results: Results) -> Readings | None:
        if info.kind == "distribution":
            return _read_distance(results, metric, np.mean)
        scores = results.scores(metric)
        return scores and _PerImage(scores, lambda values: _mean(values.mean(axis=1)))

    axis = Axis(_with_unit(info.label, info.unit), info.higher_is_better)
    return Measure(metric, info.label, axis, info.decimals, read, f"no {info.label} for all runs")


def run_spread(metric: str) -> Measure:
    """Return the measure that is a metric's G-STD; for a distance of sets, the STD of its values for each run.

    Raises:
        BenchError: The metric is unknown.
    """
    info = find_metric(metric)
    name = f"{'STD over runs' if info.kind == 'distribution' else 'G-STD'} of {info.label}"

    def read(results: Results) -> Readings | None:
        if results.runs < 2:
            return None
        if info.kind == "distribution":
            return _read_distance(results, metric, np.std)
        scores = results.scores(metric)
        return scores and _PerImage(scores, lambda values: _mean(spread(values)))

    axis = Axis(_with_unit(name, info.unit), higher_is_better=False)
    reason = f"no {info.label} for all runs"
    return Measure(f"{metric} spread", name, axis, G_STD_DECIMALS, read, reason, is_spread=True)


def _read_l_std(results: Results) -> Readings | None:
    scores = results.l_std() if results.runs > 1 else None
    return scores and _PerImage(scores, _mean)


def _read_seconds(results: Results) -> Readings | None:
    seconds = results.seconds()
    return seconds and _PerImage(seconds, lambda values: Estimate(float(np.median(values))))


LOCAL_SPREAD = Measure(
    L_STD.name,
    L_STD.label,
    Axis(L_STD.label, L_STD.higher_is_better),
    L_STD.decimals,
    _read_l_std,
    "no L-STD over all runs",
    is_spread=True,
)

SECONDS = Measure(
    "seconds",
    "Seconds",
    Axis("Seconds per output, median", higher_is_better=False, logarithmic=True),
    _SECONDS_DECIMALS,
    _read_seconds,
    "made elsewhere, no seconds",
    is_cost=True,
)


@dataclass(frozen=True)
class _PerImage:
    """Readings with one number or several for each image."""

    scores: Scores
    summarize: Callable[[np.ndarray], Estimate]

    @property
    def images(self) -> Sequence[str]:
        return self.scores.images

    def estimate(self, images: Sequence[str]) -> Estimate | None:
        return self.summarize(self.scores.values[_indices(self.images, images)]) if images else None


@dataclass(frozen=True)
class _PerSet:
    """Readings that are features, from which each run's distance is computed; features are read when needed."""

    metric: str
    results: Results
    images: Sequence[str]
    summarize: Callable[[np.ndarray], float]

    def estimate(self, images: Sequence[str]) -> Estimate | None:
        features = self.results.features()
        if features is None or len(images) < 2:
            return None
        indices = _indices(features.images, images)
        runs = [vectors[indices] for vectors in features.runs]
        chosen = Features(tuple(images), runs, features.references[indices])
        return Estimate(float(self.summarize(distances(self.metric, chosen))))


def _read_distance(results: Results, metric: str, summarize: Callable[[np.ndarray], float]) -> Readings | None:
    features = results.features() if metric in results.definitions else None
    return features and _PerSet(metric, results, features.images, summarize)


def _indices(images: Sequence[str], chosen: Sequence[str]) -> np.ndarray:
    """Return the indices of the chosen images among all images."""
    index_of = {image: index for index, image in enumerate(images)}
    return np.array([index_of[image] for image in chosen], np.intp)


def _mean(values: np.ndarray) -> Estimate:
    return Estimate(float(values.mean()), bootstrap_interval(values))


def _with_unit(label: str, unit: str) -> str:
    return f"{label} ({unit})" if unit else label
