"""Scoring published images, and comparing our scores with the published ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.catalogue import METRICS, entry_point
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.published.scores import LeftOut, PublishedSet, SetValue, allowed_difference, published_values


@dataclass(frozen=True)
class PublishedComparison:
    """The comparison of our values of one metric with the published values."""

    metric: str
    images: int
    ours: float
    """Mean of our values over images."""
    published: float
    """Mean of the published values over images."""
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


def compare(
    name: str,
    published: PublishedSet,
    dataset: Dataset,
    outputs: Mapping[str, Path],
    scorer: Scorer,
    progress: Callable[[int, int, str], None],
) -> list[PublishedComparison]:
    """Score the published outputs, and compare the scores with the published ones.

    Args:
        name: Name of the set of published scores, which is that of its CSV file.
        published: Set of published scores.
        dataset: Installed data set that was scored.
        outputs: Image name -> published output.
        scorer: Scorer with the metrics to compare.
        progress: Function that is called after every image.

    Raises:
        BenchError: A published output is damaged, or none of the metrics was published.
    """
    values = published_values(name)
    metrics = [metric for metric in scorer.metrics if metric in published.tolerances]
    sets = [metric for metric in scorer.set_metrics if metric in published.sets]
    if not metrics and not sets:
        names = ", ".join([*scorer.metrics, *scorer.set_metrics])
        raise BenchError(f"{name} has no published value of {names} to compare with; choose other `metrics`")
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


def _compare_set(metric: str, published: SetValue, vectors: np.ndarray) -> PublishedComparison:
    """Compare a metric of all images, from the vectors of outputs and references, (M, 2, D)."""
    ours = entry_point(METRICS[metric].entry)(vectors[:, 0], vectors[:, 1])
    difference = abs(ours - published.value)
    return PublishedComparison(
        metric, len(vectors), ours, published.value, published.tolerance, difference, "", published.tolerance, ""
    )


def _compare_metric(
    metric: str, published: PublishedSet, values: Mapping[str, str], ours: Mapping[str, float]
) -> PublishedComparison:
    left_out = published.left_out.get(metric, LeftOut([], ""))
    images = [image for image in values if image not in left_out.images]
    tolerance = published.tolerances[metric]
    differences = {image: abs(ours[image] - float(values[image])) for image in images}
    worst = max(images, key=differences.__getitem__)
    return PublishedComparison(
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
