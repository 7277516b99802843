"""Scores that others published for images that can be had, and the comparison of ours with them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from ccsr_bench.datasets import Dataset
from ccsr_bench.errors import BenchError, unknown_name
from ccsr_bench.manifests import read_toml
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
    if not metrics:
        raise BenchError(f"{name} has no published value of {', '.join(scorer.metrics)} to compare with")
    ours: dict[str, dict[str, float]] = {metric: {} for metric in metrics}
    for index, sample in enumerate(dataset.samples, start=1):
        output = dataset.read_output(published.outputs, outputs[sample.name])
        scores, failures = scorer.score(output[None], scorer.reference(sample.read_hr()), metrics)
        if failures:
            raise BenchError(f"{outputs[sample.name]}: {failures[0]}")
        for metric in metrics:
            ours[metric][sample.name] = scores[metric][0]
        progress(index, len(dataset.samples), sample.name)
    return [_compare_metric(metric, published, values[metric], ours[metric]) for metric in metrics]


def _compare_metric(
    metric: str, published: PublishedSet, values: Mapping[str, str], ours: Mapping[str, float]
) -> Comparison:
    left_out = published.left_out.get(metric, LeftOut([], ""))
    images = [image for image in values if image not in left_out.images]
    tolerance = published.tolerances[metric]
    # A value is printed with as many digits as its column has; some writers drop trailing zeros.
    half_digit = 0.5 * 10.0 ** -max(len(value.partition(".")[2]) for value in values.values())
    differences = {image: abs(ours[image] - float(values[image])) for image in images}
    worst = max(images, key=differences.__getitem__)
    return Comparison(
        metric=metric,
        images=len(images),
        ours=float(np.mean([ours[image] for image in images])),
        published=float(np.mean([float(values[image]) for image in images])),
        worst=differences[worst],
        worst_image=worst,
        allowed_image=tolerance.image + half_digit,
        allowed_mean=tolerance.mean + half_digit,
        left_out=f"{', '.join(left_out.images)} left out: {left_out.reason}" if left_out.images else "",
    )
