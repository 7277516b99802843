"""Scoring of the outputs for one reference, for which each metric prepares the reference once."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.base import ImageBatch, Metric, SetMetric
from ccsr_bench.metrics.networks.precision import Precision, float32_products

VECTORS = "features"
"""Key of the feature extractor's definition in the ledger."""

_log = logging.getLogger(__name__)


class Reference:
    """An HR image with each metric's preparation of it, which is made at the metric's first use and kept for all runs.

    A reference is kept only while its image is scored, so memory does not grow with the data set.
    """

    def __init__(self, hr: np.ndarray, metrics: Mapping[str, Metric], device: torch.device) -> None:
        self.shape = hr.shape
        self._image = ImageBatch(hr[None], device)
        self._metrics = metrics
        self._prepared: dict[str, Any] = {}

    def prepare(self, metric: str) -> Any:
        """Return the metric's preparation of this reference."""
        if metric not in self._prepared:
            self._prepared[metric] = self._metrics[metric].prepare(self._image)
        return self._prepared[metric]


class Scorer:
    """Computes a set of metrics on one device.

    Args:
        metrics: Metrics by name, from `ccsr_bench.metrics.catalogue.build_metrics`.
        device: Device of the metrics.
        precision: Precision that the metrics were built with.
    """

    def __init__(
        self, metrics: Mapping[str, Metric | SetMetric], device: torch.device, precision: Precision = "exact"
    ) -> None:
        self.metrics = {name: metric for name, metric in metrics.items() if not isinstance(metric, SetMetric)}
        """The metrics that score single images."""
        self.set_metrics = {name: metric for name, metric in metrics.items() if isinstance(metric, SetMetric)}
        """The metrics that compare all outputs of a run with all references, and need feature vectors."""
        self._extractor = next((metric.extractor for metric in self.set_metrics.values()), None)
        self._device = device
        self._precision = precision

    def only(self, names: Collection[str]) -> Scorer:
        """Return a scorer with some of the metrics, which are not built again."""
        chosen = {name: metric for name, metric in (self.metrics | self.set_metrics).items() if name in names}
        return Scorer(chosen, self._device, self._precision)

    @property
    def definitions(self) -> dict[str, str]:
        """The definition of each metric, and of the vectors that are recorded."""
        definitions = {name: metric.definition for name, metric in self.metrics.items()}
        definitions |= {name: metric.definition for name, metric in self.set_metrics.items()}
        if self._extractor is not None:
            definitions[VECTORS] = self._extractor.definition
        return definitions

    def reference(self, hr: np.ndarray) -> Reference:
        """Return the reference for an HR image, (H, W, 3) uint8 RGB; nothing is computed yet."""
        return Reference(hr, self.metrics, self._device)

    def score(
        self, outputs: np.ndarray, reference: Reference, names: Sequence[str]
    ) -> tuple[dict[str, list[float]], list[str]]:
        """Score outputs.

        Args:
            outputs: Outputs, (N, H, W, 3) uint8 RGB.
            reference: Reference of the same size.
            names: Names of the metrics to compute.

        Returns:
            For each metric, one finite value per output; and for each metric that failed, the reason.

        Raises:
            BenchError: The sizes differ.
        """
        if outputs.shape[1:] != reference.shape:
            raise BenchError(
                f"outputs are {outputs.shape[1:]}, the reference is {reference.shape}; their sizes must match"
            )
        batch = ImageBatch(outputs, self._device)
        scores: dict[str, list[float]] = {}
        failures: list[str] = []
        with torch.inference_mode(), float32_products(self._precision):
            for name in names:
                try:
                    values = self.metrics[name].score(batch, reference.prepare(name)).tolist()
                except Exception as error:  # a metric that fails must not prevent the others
                    _log.debug("%s failed", name, exc_info=True)
                    failures.append(
                        str(error) if isinstance(error, BenchError) else f"{name}: {' '.join(repr(error).split())}"
                    )
                    continue
                if all(math.isfinite(value) for value in values):
                    scores[name] = values
                else:
                    failures.append(f"{name}: not finite for some run: {values}")
        return scores, failures

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return the vectors that the set metrics compare, (N, D) float32, for images (N, H, W, 3) uint8 RGB.

        Raises:
            ValueError: A vector is not finite.
        """
        if self._extractor is None:
            raise ValueError("no set metric was built")
        with torch.inference_mode(), float32_products(self._precision):
            vectors: np.ndarray = self._extractor.features(ImageBatch(images, self._device)).numpy()
        if not np.isfinite(vectors).all():
            raise ValueError(f"{' and '.join(self.set_metrics)}: the vectors are not finite")
        return vectors
