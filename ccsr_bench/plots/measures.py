"""The measures that an axis can show of a method: what each is called, and how it follows from recorded results."""

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
    higher_is_better: bool
    logarithmic: bool = False

    @property
    def directed_label(self) -> str:
        """The label with an arrow along the axis to where it is better."""
        return f"{self.label}   better →" if self.higher_is_better else f"← better   {self.label}"


class Estimate(NamedTuple):
    """A number with its uncertainty."""

    value: float
    interval: Interval | None = None
    """95 % bootstrap interval over images."""


class Readings(Protocol):
    """What a method's results hold of a measure."""

    @property
    def images(self) -> Sequence[str]:
        """The images that it is recorded for."""

    def estimate(self, images: Sequence[str]) -> Estimate | None:
        """Return its estimate on some of the images; None where they are too few."""


@dataclass(frozen=True)
class Measure:
    """What an axis can show of a method."""

    key: str
    """Its name in the report's data."""
    name: str
    axis: Axis
    decimals: int
    read: Callable[[Results], Readings | None]
    """Returns what the results hold of it; None where it is not recorded."""
    reason: str
    """Why it is missing where it is not recorded."""
    is_spread: bool = False
    """Whether it is over runs, of which it needs several."""
    is_cost: bool = False

    def why_missing(self, results: Results) -> str:
        """Return why a method lacks it."""
        return ONE_RUN if self.is_spread and results.runs == 1 else self.reason


def quality(metric: str) -> Measure:
    """Return the mean of a metric.

    Raises:
        BenchError: There is no such metric.
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
    """Return a metric's G-STD; for a distance of sets, which has one value for each run, the STD of these.

    Raises:
        BenchError: There is no such metric.
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
    """Readings that are a number, or several, of each image."""

    scores: Scores
    of_values: Callable[[np.ndarray], Estimate]

    @property
    def images(self) -> Sequence[str]:
        return self.scores.images

    def estimate(self, images: Sequence[str]) -> Estimate | None:
        return self.of_values(self.scores.values[_places(self.images, images)]) if images else None


@dataclass(frozen=True)
class _PerSet:
    """Readings that are features, of which each run has a distance; they are read when they are needed."""

    metric: str
    results: Results
    images: Sequence[str]
    of_runs: Callable[[np.ndarray], float]

    def estimate(self, images: Sequence[str]) -> Estimate | None:
        features = self.results.features()
        if features is None or len(images) < 2:
            return None
        places = _places(features.images, images)
        runs = [vectors[places] for vectors in features.runs]
        chosen = Features(tuple(images), runs, features.references[places])
        return Estimate(float(self.of_runs(distances(self.metric, chosen))))


def _read_distance(results: Results, metric: str, of_runs: Callable[[np.ndarray], float]) -> Readings | None:
    features = results.features() if metric in results.definitions else None
    return features and _PerSet(metric, results, features.images, of_runs)


def _places(images: Sequence[str], chosen: Sequence[str]) -> np.ndarray:
    place = {image: index for index, image in enumerate(images)}
    return np.array([place[image] for image in chosen], np.intp)


def _mean(values: np.ndarray) -> Estimate:
    return Estimate(float(values.mean()), bootstrap_interval(values))


def _with_unit(label: str, unit: str) -> str:
    return f"{label} ({unit})" if unit else label
