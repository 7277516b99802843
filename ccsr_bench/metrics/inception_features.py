"""The Inception features that FID and KID compare (Heusel et al., NeurIPS 2017; Parmar et al., CVPR 2022)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ccsr_bench.devices.batches import Batches
from ccsr_bench.devices.layout import to_channels_last
from ccsr_bench.metrics.base import ImageBatch, crop_text
from ccsr_bench.metrics.networks.inception import FEATURES, INPUT_SIZE, load_inception
from ccsr_bench.metrics.networks.precision import Precision
from ccsr_bench.metrics.networks.weights import read_tensors
from ccsr_bench.metrics.weight_files import FILES

_BYTES_PER_PIXEL = 400
"""Memory per pixel of a 299x299 image: 112 bytes for the two largest layers that exist together, and the rest for
convolutions' workspaces."""


def resize_to_input(images: Tensor) -> Tensor:
    """Resize images of any size to the network's input size, as clean-fid does.

    Args:
        images: Images, (N, 3, H, W) uint8, on any device.

    Returns:
        (N, 3, 299, 299) float32 in [0, 255], not rounded, on the CPU.
    """
    levels = images.cpu().numpy()
    planes = np.empty((*levels.shape[:2], INPUT_SIZE, INPUT_SIZE), dtype=np.float32)

    def resize_plane(index: tuple[int, int]) -> None:
        plane = Image.fromarray(np.ascontiguousarray(levels[index], dtype=np.float32))
        smooth = plane.resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BICUBIC)
        np.clip(np.asarray(smooth), 0, 255, out=planes[index])

    # Pillow releases the interpreter lock while it resizes.
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        list(threads.map(resize_plane, product(range(len(levels)), range(levels.shape[1]))))
    return torch.from_numpy(planes)


class InceptionFeatures:
    """The 2048 features of FID's Inception-v3, of images of any size resized to 299x299 as clean-fid does.

    The network always computes in float32: bfloat16 would change printed digits of FID.

    Args:
        device: Device of the network; resizing is always done on the CPU.
        precision: ``fast`` if the caller lets a GPU multiply in TF32; the definition records it.

    Raises:
        MetricUnavailableError: The file of weights is missing.
        BenchError: The file is not the published one.
    """

    def __init__(self, *, device: torch.device, precision: Precision = "exact") -> None:
        tensors, cited = read_tensors("fid", "inception")
        name = FILES["inception"].name
        self._device = device
        # On a CPU channels_last is a quarter faster; it changes only the rounding of the last digits.
        self._layout = torch.channels_last if device.type == "cpu" else torch.contiguous_format
        self._network = load_inception(tensors, name).to(device)
        if self._layout is torch.channels_last:
            to_channels_last(self._network)
        # One image at a time on a CPU: a tenth slower than ten at once, but features cannot depend on other images.
        self._batches = Batches(device, most=1 if device.type == "cpu" else 10, bytes_per_pixel=_BYTES_PER_PIXEL)
        products = "float32, products in TF32" if precision == "fast" and device.type == "cuda" else "float32"
        self.definition = (
            f"Inception features: {FEATURES} averages of the last maps of FID's Inception-v3 on RGB; {crop_text(0)}; "
            f"each channel resized to {INPUT_SIZE}x{INPUT_SIZE} by Pillow's bicubic in float32, clipped to [0, 255], "
            f"then (x - 128) / 128; {products} (ccsr-bench); {cited}"
        )

    def features(self, images: ImageBatch) -> Tensor:
        """Return (N, 2048) float32, 0 or more, on the CPU; see `ccsr_bench.metrics.base.FeatureExtractor`.

        Args:
            images: N images of one size, which can be any.
        """
        return self._batches.map(self._compute, resize_to_input(images.levels)).cpu()

    def _compute(self, planes: Tensor) -> Tensor:
        inputs = planes.to(self._device).sub(128).div_(128)
        features: Tensor = self._network(inputs.contiguous(memory_format=self._layout))
        return features
