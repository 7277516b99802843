"""NIQE (Mittal et al., IEEE Signal Processing Letters 20(3), 2013), through pyiqa."""

from __future__ import annotations

import torch
from torch import Tensor

from ccsr_bench.devices.torchvision_operators import import_torchvision
from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.weight_files import verified_weights

_BLOCK = 96


class NIQE:
    """NIQE by pyiqa, on Y of full-range YIQ.

    The shape of the generalised Gaussian is looked up in a table, so a difference in the last digit of a float can
    change the score of an image by up to 2e-2 between machines.

    Args:
        device: Device of the metric.

    Raises:
        MetricUnavailableError: pyiqa or the pristine model is missing.
        BenchError: The pristine model is not the published one.
    """

    def __init__(self, *, device: torch.device) -> None:
        path, sha256 = verified_weights("niqe", "niqe")
        import_torchvision()
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
            f"96x96 blocks at two scales; {path.name} sha256 {sha256[:12]}"
        )

    def prepare(self, reference: ImageBatch) -> None:
        """Return nothing: NIQE has no reference."""

    def score(self, outputs: ImageBatch, prepared: None) -> Tensor:  # noqa: ARG002
        """Return (N,) float64, 0 or more; see `ccsr_bench.metrics.base.Metric`."""
        if min(outputs.rgb.shape[-2:]) < _BLOCK:
            raise BenchError(f"niqe: the image is smaller than its {_BLOCK}-pixel block; choose `metrics` without niqe")
        # One image at a time: faster on a CPU than a batch of pyiqa's, and the score cannot depend on other images.
        return torch.stack([self._network(image[None]).reshape(()) for image in outputs.rgb])
