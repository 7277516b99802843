"""NIQE (Mittal et al., IEEE Signal Processing Letters 20(3), 2013), through pyiqa."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.places import weights_home
from ccsr_bench.prepare import file_sha256

WEIGHTS = "niqe_modelparameters.mat"
WEIGHTS_SHA256 = "df16a821ebd0856ef4894baa0bb810feb2d442e06e23ed339458aa3d5e4f922d"
WEIGHTS_ADDRESSES = [
    f"https://huggingface.co/chaofengc/IQA-PyTorch-Weights/resolve/main/{WEIGHTS}",
    f"https://github.com/chaofengc/IQA-PyTorch/releases/download/v0.1-weights/{WEIGHTS}",
]
_BLOCK = 96


def weights_path() -> Path:
    """Return where the pristine model is: in our cache, or where pyiqa keeps it.

    Raises:
        MetricUnavailableError: It is in neither.
    """
    places = (weights_home() / WEIGHTS, Path(torch.hub.get_dir()) / "pyiqa" / WEIGHTS)
    for path in places:
        if path.is_file():
            return path
    raise MetricUnavailableError(f"niqe: no {WEIGHTS} in {places[0].parent}: run `ccsr-bench prepare --metrics`")


class NIQE:
    """NIQE by pyiqa, on Y of full-range YIQ.

    Its search of the generalised Gaussian's shape is a table look-up, so the last digit of a float can move one image
    by up to 2e-2 between machines.

    Args:
        device: Where it is computed.

    Raises:
        MetricUnavailableError: pyiqa or the pristine model is missing.
        BenchError: The pristine model is not the published one.
    """

    def __init__(self, *, device: torch.device) -> None:
        path = weights_path()
        sha256 = file_sha256(path)
        if sha256 != WEIGHTS_SHA256:
            raise BenchError(f"{path}: wrong sha256: it is not the published model; delete it and prepare again")
        try:
            import pyiqa
        except ImportError as error:
            raise MetricUnavailableError(
                f"niqe: pyiqa cannot be imported ({error}): run `pip install 'ccsr-bench[pyiqa]'` "
                f"(its licence is non-commercial)"
            ) from error
        self._network = pyiqa.create_metric("niqe", device=device, pretrained_model_path=str(path))
        self.definition = (
            f"NIQE by pyiqa {pyiqa.__version__} on Y of full-range YIQ, rounded to 8 bits; no crop; "
            f"96x96 blocks at two scales; {WEIGHTS} sha256 {sha256[:12]}"
        )

    def prepare(self, reference: ImageBatch) -> None:
        """Return nothing: NIQE has no reference."""

    def score(self, outputs: ImageBatch, prepared: None) -> Tensor:  # noqa: ARG002
        """Return (N,) float64, 0 or more; see `ccsr_bench.metrics.base.Metric`."""
        if min(outputs.rgb.shape[-2:]) < _BLOCK:
            raise BenchError(f"niqe: the image is smaller than its {_BLOCK}-pixel block; leave niqe out with --metrics")
        # One image at a time: on a CPU faster than pyiqa's batch, and independent of it.
        return torch.stack([self._network(image[None]).reshape(()) for image in outputs.rgb])
