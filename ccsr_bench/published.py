"""Scores that others published for images that can be had, and the comparison of ours with them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from ccsr_bench.datasets import Dataset
from ccsr_bench.errors import unknown_name
from ccsr_bench.images import read_image
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
    worst: float
    """Largest difference of one image."""
    worst_image: str
    allowed_image: float
    allowed_mean: float
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
    scorer: Scorer,
    progress: Callable[[int, int, str], None],
) -> list[Comparison]:
    """Score the published outputs and compare with the published scores.

    Args:
        name: Name of the set, which its CSV has.
        published: The set.
        dataset: Its data set, installed.
        scorer: With the metrics to compare.
        progress: Called after every image.

    Raises:
        BenchError: The published outputs are not installed or damaged.
    """
    outputs = dataset.outputs(published.outputs)
    values = published_values(name)
    metrics = [metric for metric in scorer.metrics if metric in values and metric in published.tolerances]
    ours: dict[str, dict[str, float]] = {metric: {} for metric in metrics}
    for index, sample in enumerate(dataset.samples, start=1):
        scores = _score_one(outputs[sample.name], sample.read_hr(), scorer, metrics)
        for metric in metrics:
            ours[metric][sample.name] = scores[metric]
        progress(index, len(dataset.samples), sample.name)
    return [_compare_metric(metric, published, values[metric], ours[metric]) for metric in metrics]


def _score_one(output: Path, hr: np.ndarray, scorer: Scorer, metrics: list[str]) -> Mapping[str, float]:
    scores = scorer.score(read_image(output)[None], scorer.reference(hr), metrics)
    return {metric: values[0] for metric, values in scores.items()}


def _compare_metric(
    metric: str, published: PublishedSet, values: Mapping[str, str], ours: Mapping[str, float]
) -> Comparison:
    left_out = published.left_out.get(metric, LeftOut([], ""))
    images = [image for image in values if image not in left_out.images]
    differences = {image: abs(ours[image] - float(values[image])) for image in images}
    worst = max(images, key=differences.__getitem__)
    half_digit = 0.5 * 10.0 ** -len(values[worst].partition(".")[2])
    tolerance = published.tolerances[metric]
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
