"""Comparing our scores in a ledger with the published ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.ledger.results import Results, distances
from ccsr_bench.published.scores import PublishedSet, SetValue, allowed_difference


@dataclass(frozen=True)
class PublishedComparison:
    """The comparison of our values of one metric with the published values."""

    metric: str
    images: int
    """Number of compared images."""
    image_names: list[str]
    """Names of the compared images."""
    ours: float
    """Mean of our values over images."""
    published: float
    """Mean of the published values over the same images."""
    allowed_mean: float
    """Largest accepted difference of the means."""
    worst: float
    """Largest difference of an image."""
    worst_image: str
    """Name of the image with the largest difference; empty for a metric of all images together."""
    allowed_image: float
    """Largest accepted difference of an image."""
    left_out: str
    """Images that were left out and the reason; empty where there are none."""

    @property
    def agrees(self) -> bool:
        """Whether every image and the mean are within the tolerance."""
        return self.worst <= self.allowed_image and abs(self.ours - self.published) <= self.allowed_mean


def compare_scores(
    ledger: Ledger,
    published: PublishedSet,
    values: Mapping[str, Mapping[str, str]],
    images: Sequence[str],
    metrics: Sequence[str],
) -> list[PublishedComparison]:
    """Compare the recorded scores of run 0 with the published ones.

    Args:
        ledger: Ledger with our scores.
        published: Set of published scores.
        values: Published values as printed: metric -> image -> value.
        images: Names of the images to compare.
        metrics: Names of the metrics to compare, from `comparable_metrics`; all are recorded for these images.

    Returns:
        One comparison for each metric.
    """
    comparisons = []
    for metric in metrics:
        if metric in published.sets:
            comparisons.append(_compare_set(metric, published.sets[metric], ledger))
        else:
            ours = {image: runs[0] for image, runs in ledger.scores(metric).items()}
            comparisons.append(_compare_metric(metric, published, values[metric], ours, images))
    return comparisons


def comparable_metrics(
    published: PublishedSet, metrics: Iterable[str], images: Sequence[str], *, all_images: bool
) -> list[str]:
    """Return the metrics for which a set has a value to compare with.

    Args:
        published: Set of published scores.
        metrics: Names of metrics.
        images: Names of the images to compare.
        all_images: Whether these are all images of the data set, which a metric of sets of images needs.
    """
    return [
        metric
        for metric in metrics
        if (metric in published.tolerances and any(image not in _left_out(metric, published) for image in images))
        or (metric in published.sets and all_images)
    ]


def _left_out(metric: str, published: PublishedSet) -> list[str]:
    return published.left_out[metric].images if metric in published.left_out else []


def _compare_metric(
    metric: str, published: PublishedSet, values: Mapping[str, str], ours: Mapping[str, float], images: Sequence[str]
) -> PublishedComparison:
    skipped = _left_out(metric, published)
    comparable = [image for image in values if image not in skipped]
    compared = [image for image in images if image not in skipped]
    absent = [image for image in images if image in skipped]
    tolerance = published.tolerances[metric]
    differences = {image: abs(ours[image] - float(values[image])) for image in compared}
    worst = max(compared, key=differences.__getitem__)
    # The errors of images are independent of each other, so that of a mean grows with the root of 1 / their number.
    mean_tolerance = min(tolerance.image, tolerance.mean * math.sqrt(len(comparable) / len(compared)))
    return PublishedComparison(
        metric=metric,
        images=len(compared),
        image_names=compared,
        ours=float(np.mean([ours[image] for image in compared])),
        published=float(np.mean([float(values[image]) for image in compared])),
        worst=differences[worst],
        worst_image=worst,
        allowed_image=allowed_difference(tolerance.image, values.values()),
        allowed_mean=allowed_difference(mean_tolerance, values.values()),
        left_out=f"{', '.join(absent)} left out: {published.left_out[metric].reason}" if absent else "",
    )


def _compare_set(metric: str, published: SetValue, ledger: Ledger) -> PublishedComparison:
    """Compare a metric of all images together, from the recorded vectors."""
    features = Results(ledger, 1).features()
    if features is None:
        raise BenchError(f"{ledger.folder}: {metric} compares sets of images, and there are fewer than two images")
    ours = float(distances(metric, features)[0])
    return PublishedComparison(
        metric=metric,
        images=len(features.images),
        image_names=list(features.images),
        ours=ours,
        published=published.value,
        worst=abs(ours - published.value),
        worst_image="",
        allowed_image=published.tolerance,
        allowed_mean=published.tolerance,
        left_out="",
    )
