"""Scores that others published for images that can be had, and the comparison of ours with them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError, unknown_name
from ccsr_bench.manifests import read_toml
from ccsr_bench.metrics.catalogue import METRICS, entry_point
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.places import shipped


class Tolerance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far ours may be from a published value."""

    image: float
    """For each image; half of the last published digit is added."""
    mean: float
    """For the mean over images; half of the last published digit is added."""


class LeftOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Images whose published value another definition gave, and why."""

    images: list[str]
    reason: str


class SetValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published value of a metric of a set of images, and how far ours may be from it."""

    value: float
    tolerance: float


class PublishedSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One set of published scores: a TOML file beside the CSV with the values."""

    title: str
    source: str
    dataset: str
    outputs: str
    """Which published outputs of the data set were scored."""
    protocol: str
    tolerances: dict[str, Tolerance]
    left_out: dict[str, LeftOut] = {}
    sets: dict[str, SetValue] = {}
    """Metrics of all images together."""


@dataclass(frozen=True)
class Comparison:
    """Our values of one metric against the published ones."""

    metric: str
    images: int
    ours: float
    """Mean over images."""
    published: float
    """Mean over images, of the published per-image values."""
    allowed_mean: float
    """How far the means may be apart."""
    worst: float
    """Largest difference of one image."""
    worst_image: str
    """Which; empty for a metric of all images together."""
    allowed_image: float
    """How far one image may be off."""
    left_out: str
    """Which images were left out and why; empty for none."""

    @property
    def agrees(self) -> bool:
        """Whether every image and the mean are within the tolerance."""
        return self.worst <= self.allowed_image and abs(self.ours - self.published) <= self.allowed_mean


def published_sets() -> dict[str, PublishedSet]:
    """Return every set of published scores, by name."""
    return {path.stem: read_toml(path, PublishedSet) for path in sorted(shipped("results/published").glob("*.toml"))}


def find_published(name: str) -> PublishedSet:
    """Return a set of published scores by name.

    Raises:
        BenchError: There is no such set; near names are given.
    """
    sets = published_sets()
    if name not in sets:
        raise unknown_name("set of published scores", name, sets)
    return sets[name]


def published_values(name: str) -> dict[str, dict[str, str]]:
    """Return the published values as printed: metric -> image -> value."""
    path = shipped("results/published") / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {metric: {row["image"]: row[metric] for row in rows} for metric in rows[0] if metric != "image"}


def compare(
    name: str,
    published: PublishedSet,
    dataset: Dataset,
    outputs: Mapping[str, Path],
    scorer: Scorer,
    progress: Callable[[int, int, str], None],
) -> list[Comparison]:
    """Score the published outputs and compare with the published scores.

    Args:
        name: Name of the set, which its CSV has.
        published: The set.
        dataset: Its data set, installed.
        outputs: The published outputs, by image name.
        scorer: With the metrics to compare.
        progress: Called after every image.

    Raises:
        BenchError: A published output is damaged, or none of the metrics was published.
    """
    values = published_values(name)
    metrics = [metric for metric in scorer.metrics if metric in published.tolerances]
    sets = [metric for metric in scorer.set_metrics if metric in published.sets]
    if not metrics and not sets:
        asked = ", ".join([*scorer.metrics, *scorer.set_metrics])
        raise BenchError(f"{name} has no published value of {asked} to compare with")
    ours: dict[str, dict[str, float]] = {metric: {} for metric in metrics}
    vectors: list[np.ndarray] = []
    for index, sample in enumerate(dataset.samples, start=1):
        output, hr = dataset.read_output(published.outputs, outputs[sample.name]), sample.read_hr()
        scores, failures = scorer.score(output[None], scorer.reference(hr), metrics)
        if failures:
            raise BenchError(f"{outputs[sample.name]}: {failures[0]}")
        for metric in metrics:
            ours[metric][sample.name] = scores[metric][0]
        if sets:
            vectors.append(np.concatenate([scorer.features(image[None]) for image in (output, hr)]))
        progress(index, len(dataset.samples), sample.name)
    return [
        *(_compare_metric(metric, published, values[metric], ours[metric]) for metric in metrics),
        *(_compare_set(metric, published.sets[metric], np.stack(vectors)) for metric in sets),
    ]


def allowed_difference(tolerance: float, values: Iterable[str]) -> float:
    """Return how far a value may be from a printed one: the tolerance, and half of the last printed digit.

    Args:
        tolerance: Of the metric.
        values: The printed values of its column, which has as many digits as the longest; some writers drop zeros.
    """
    return tolerance + 0.5 * 10.0 ** -max(len(value.partition(".")[2]) for value in values)


def _compare_set(metric: str, published: SetValue, vectors: np.ndarray) -> Comparison:
    """Compare a metric of all images: (M, 2, D) vectors of outputs and references."""
    ours = entry_point(METRICS[metric].entry)(vectors[:, 0], vectors[:, 1])
    difference = abs(ours - published.value)
    return Comparison(
        metric, len(vectors), ours, published.value, published.tolerance, difference, "", published.tolerance, ""
    )


def _compare_metric(
    metric: str, published: PublishedSet, values: Mapping[str, str], ours: Mapping[str, float]
) -> Comparison:
    left_out = published.left_out.get(metric, LeftOut([], ""))
    images = [image for image in values if image not in left_out.images]
    tolerance = published.tolerances[metric]
    differences = {image: abs(ours[image] - float(values[image])) for image in images}
    worst = max(images, key=differences.__getitem__)
    return Comparison(
        metric=metric,
        images=len(images),
        ours=float(np.mean([ours[image] for image in images])),
        published=float(np.mean([float(values[image]) for image in images])),
        worst=differences[worst],
        worst_image=worst,
        allowed_image=allowed_difference(tolerance.image, values.values()),
        allowed_mean=allowed_difference(tolerance.mean, values.values()),
        left_out=f"{', '.join(left_out.images)} left out: {left_out.reason}" if left_out.images else "",
    )
