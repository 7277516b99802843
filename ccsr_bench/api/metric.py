"""A metric as a function of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_image
from ccsr_bench.ledger.results import distance_of_sets
from ccsr_bench.metrics.catalogue import DEFAULT_PROTOCOL, find_metric


class MetricFunction:
    """A metric as a function: it takes images and returns scores.

    Args:
        name: Name of the metric.
        protocol: Name of the protocol whose definition is used.
        device: Device to compute on: ``auto``, ``cpu`` or ``cuda``.
        precision: Precision of the metric's network: ``exact`` (float32), or ``fast`` (TF32 and bfloat16 where the
            effect is small).
        backend: Name of another package that computes the metric, for example ``lpips``; the implementation in
            ccsr-bench when None.

    Raises:
        BenchError: The metric or the device does not exist, or the metric's weights or package are missing.
    """

    def __init__(
        self,
        name: str,
        *,
        protocol: str = DEFAULT_PROTOCOL,
        device: str = "auto",
        precision: Literal["exact", "fast"] = "exact",
        backend: str | None = None,
    ) -> None:
        info = find_metric(name)

        from ccsr_bench.running.scoring import build_scoring  # imports torch

        backends = {} if backend is None else {name: backend}
        scoring = build_scoring([name], protocol=protocol, device=device, precision=precision, backends=backends)
        self.name = name
        self.kind = info.kind
        """``reference``, ``no-reference`` or ``distribution``."""
        self.higher_is_better = info.higher_is_better
        self.definition = scoring.scorer.definitions[name]
        """The full definition of the metric."""
        self._scorer = scoring.scorer

    def __repr__(self) -> str:
        return f"<metric {self.name}: {self.definition}>"

    def __call__(self, output: Any, reference: Any = None) -> float | np.ndarray:
        """Score an image or a batch of images.

        Args:
            output: (H, W, 3) or (N, H, W, 3) uint8 RGB array, a Pillow image, the path of an image file, or a list of
                images.
            reference: HR image or images, in the same forms: one image for all outputs, or one for each output. None
                for metrics without a reference.

        Returns:
            A number for a single output, (N,) float64 for a batch. A distance of sets, such as FID, is always one
            number.

        Raises:
            BenchError: An argument is not an 8-bit RGB image, sizes differ, or the metric cannot score the image.
        """
        outputs, single = _batch("output", output)
        if self.kind == "no-reference":
            if reference is not None:
                raise BenchError(f"{self.name} needs no HR image; leave out `reference`")
            scores = self._score(outputs, outputs[0])
        elif reference is None:
            raise BenchError(f"{self.name} compares an output with its HR image; give it as `reference`")
        else:
            references, shared = _batch("reference", reference)
            if self.kind == "distribution":
                return self._distance(outputs, references)
            scores = self._score_pairs(outputs, references, shared=shared)
        return float(scores[0]) if single else scores

    def _score_pairs(self, outputs: np.ndarray, references: np.ndarray, *, shared: bool) -> np.ndarray:
        if shared:
            return self._score(outputs, references[0])
        if len(references) != len(outputs):
            raise BenchError(
                f"`output` and `reference` differ in their number of images ({len(outputs)} and {len(references)}); "
                f"give a single reference, or one for each output"
            )
        return np.concatenate([self._score(out[None], hr) for out, hr in zip(outputs, references, strict=True)])

    def _score(self, outputs: np.ndarray, reference: np.ndarray) -> np.ndarray:
        scores, failures = self._scorer.score(outputs, self._scorer.reference(reference), [self.name])
        if failures:
            raise BenchError(failures[0])
        return np.array(scores[self.name], np.float64)

    def _distance(self, outputs: np.ndarray, references: np.ndarray) -> float:
        if min(len(outputs), len(references)) < 2:
            raise BenchError(
                f"{self.name} compares two sets of images; give at least two images as `output` and as `reference`"
            )
        return distance_of_sets(self.name, self._scorer.features(outputs), self._scorer.features(references))


def metric(
    name: str,
    *,
    protocol: str = DEFAULT_PROTOCOL,
    device: str = "auto",
    precision: Literal["exact", "fast"] = "exact",
    backend: str | None = None,
) -> MetricFunction:
    """Return a metric as a function of images; `MetricFunction` describes the arguments.

    Example:
        >>> import numpy as np
        >>> hr = np.zeros((64, 64, 3), np.uint8)
        >>> metric("psnr", device="cpu")(hr, hr)
        80.0
    """
    return MetricFunction(name, protocol=protocol, device=device, precision=precision, backend=backend)


def _batch(argument: str, images: Any) -> tuple[np.ndarray, bool]:
    """Return images as (N, H, W, 3) uint8 RGB, and whether the argument is a single image."""
    if isinstance(images, Sequence) and not isinstance(images, str | bytes):
        if not images:
            raise BenchError(f"`{argument}` is an empty list; give at least one image")
        stacked = [_pixels(argument, image) for image in images]
        if len({image.shape for image in stacked}) > 1:
            raise BenchError(f"`{argument}` has images of different sizes; call the metric once for each size")
        return np.stack(stacked), False
    pixels = _pixels(argument, images)
    return (pixels, False) if pixels.ndim == 4 else (pixels[None], True)


def _pixels(argument: str, image: Any) -> np.ndarray:
    """Return an image, or an array of several images, as (H, W, 3) or (N, H, W, 3) uint8 RGB."""
    if isinstance(image, str | Path):
        return read_image(Path(image))
    mode = getattr(image, "mode", "RGB")  # Pillow's images have a mode
    if mode != "RGB":
        raise BenchError(f"`{argument}` is a {mode} image; convert it with .convert('RGB')")
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        raise BenchError(
            f"`{argument}` is {pixels.dtype}: scores are computed from 8-bit images; convert values in [0, 1] with "
            f"(255 * x).round().clip(0, 255).astype('uint8')"
        )
    if pixels.ndim not in (3, 4) or pixels.shape[-1] != 3:
        raise BenchError(
            f"`{argument}` has shape {pixels.shape}: it must have shape (H, W, 3) or (N, H, W, 3), in RGB order"
        )
    return pixels
