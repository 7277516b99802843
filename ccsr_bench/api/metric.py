"""One metric as a function of images."""

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
    """A metric that is called with images and returns scores.

    Args:
        name: Name of the metric.
        protocol: Name of the protocol whose definition is used.
        device: ``auto``, ``cpu`` or ``cuda``.
        precision: Precision of the metric's network: ``exact`` (float32) or ``fast``.
        backend: Another package that computes the metric; our own implementation when None.

    Raises:
        BenchError: There is no such metric or device, or its weights or package are missing.
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
        """The full text of what is computed."""
        self._scorer = scoring.scorer

    def __repr__(self) -> str:
        return f"<metric {self.name}: {self.definition}>"

    def __call__(self, output: Any, reference: Any = None) -> float | np.ndarray:
        """Score one image or a batch.

        Args:
            output: (H, W, 3) or (N, H, W, 3) uint8 RGB array, a Pillow image, the path of an image file, or a list of
                images.
            reference: The HR image in the same form: one for all outputs, or one for each. Left out for metrics
                without a reference.

        Returns:
            A number for one output, (N,) float64 for a batch; for a distance of sets, such as FID, one number.

        Raises:
            BenchError: An argument is no 8-bit RGB image, sizes differ, or the metric cannot score the image.
        """
        outputs, single = _batch("output", output)
        if self.kind == "no-reference":
            if reference is not None:
                raise BenchError(f"{self.name} scores an image by itself; leave out `reference`")
            scores = self._score(outputs, outputs[0])
        elif reference is None:
            raise BenchError(f"{self.name} compares with the HR image; give it as `reference`")
        else:
            references, one = _batch("reference", reference)
            if self.kind == "distribution":
                return self._distance(outputs, references)
            scores = self._score_pairs(outputs, references, shared=one)
        return float(scores[0]) if single else scores

    def _score_pairs(self, outputs: np.ndarray, references: np.ndarray, *, shared: bool) -> np.ndarray:
        if shared:
            return self._score(outputs, references[0])
        if len(references) != len(outputs):
            raise BenchError(
                f"`reference` holds {len(references)} images for {len(outputs)} outputs; give one, or one for each"
            )
        return np.concatenate([self._score(out[None], hr) for out, hr in zip(outputs, references, strict=True)])

    def _score(self, outputs: np.ndarray, reference: np.ndarray) -> np.ndarray:
        scores, failures = self._scorer.score(outputs, self._scorer.reference(reference), [self.name])
        if failures:
            raise BenchError(failures[0])
        return np.array(scores[self.name], np.float64)

    def _distance(self, outputs: np.ndarray, references: np.ndarray) -> float:
        if min(len(outputs), len(references)) < 2:
            raise BenchError(f"{self.name} compares sets of images; give two images or more on each side")
        return distance_of_sets(self.name, self._scorer.features(outputs), self._scorer.features(references))


def metric(
    name: str,
    *,
    protocol: str = DEFAULT_PROTOCOL,
    device: str = "auto",
    precision: Literal["exact", "fast"] = "exact",
    backend: str | None = None,
) -> MetricFunction:
    """Return a metric that is called with images; see `MetricFunction`.

    Example:
        >>> import numpy as np
        >>> hr = np.zeros((64, 64, 3), np.uint8)
        >>> metric("psnr", device="cpu")(hr, hr)
        80.0
    """
    return MetricFunction(name, protocol=protocol, device=device, precision=precision, backend=backend)


def _batch(argument: str, images: Any) -> tuple[np.ndarray, bool]:
    """Return (N, H, W, 3) uint8 RGB, and whether it was a single image."""
    if isinstance(images, Sequence) and not isinstance(images, str | bytes):
        if not images:
            raise BenchError(f"`{argument}` is an empty list; give at least one image")
        stacked = [_pixels(argument, image) for image in images]
        if len({image.shape for image in stacked}) > 1:
            raise BenchError(f"`{argument}` holds images of different sizes; call the metric for each of them")
        return np.stack(stacked), False
    pixels = _pixels(argument, images)
    return (pixels, False) if pixels.ndim == 4 else (pixels[None], True)


def _pixels(argument: str, image: Any) -> np.ndarray:
    """Return (H, W, 3) or (N, H, W, 3) uint8 RGB."""
    if isinstance(image, str | Path):
        return read_image(Path(image))
    mode = getattr(image, "mode", "RGB")  # of Pillow
    if mode != "RGB":
        raise BenchError(f"`{argument}` is a {mode} image; convert it with .convert('RGB')")
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        raise BenchError(
            f"`{argument}` is {pixels.dtype}: scores are computed from 8-bit images; convert values in [0, 1] by "
            f"(255 * x).round().clip(0, 255).astype('uint8')"
        )
    if pixels.ndim not in (3, 4) or pixels.shape[-1] != 3:
        raise BenchError(f"`{argument}` has shape {pixels.shape}: it must be (H, W, 3) or (N, H, W, 3), RGB")
    return pixels
