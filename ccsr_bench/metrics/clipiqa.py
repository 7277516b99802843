"""CLIPIQA (Wang, Chan and Loy, AAAI 2023), with the five pairs of prompts of pyiqa."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ccsr_bench.devices.batches import Batches
from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.networks.clip_resnet import load_clip, make_fast
from ccsr_bench.metrics.networks.precision import Precision, network_precision
from ccsr_bench.metrics.networks.torchscript_archive import is_torchscript_archive, read_torchscript_archive
from ccsr_bench.metrics.networks.weights import read_tensors
from ccsr_bench.metrics.weight_files import verified_weights

_KEY = "clip-rn50"

PROMPTS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("Good image", (886, 2867)),
    ("bad image", (2103, 2867)),
    ("Sharp image", (8157, 2867)),
    ("blurry image", (21977, 2867)),
    ("sharp edges", (8157, 20938)),
    ("blurry edges", (21977, 20938)),
    ("High resolution image", (1400, 9977, 2867)),
    ("low resolution image", (1042, 9977, 2867)),
    ("Noise-free image", (9307, 268, 1139, 2867)),
    ("noisy image", (33495, 2867)),
)
"""Five pairs of prompts, the positive one first, each with its tokens by CLIP's tokenizer."""

_START, _END = 49406, 49407

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)

_SMALLEST = 31
"""Image sides, in pixels, that leave one cell after halving five times."""

_GPU_BYTES_PER_PIXEL = 500
"""Memory per pixel: about 200 bytes for the largest activations in float32, and more for convolutions' workspaces."""


def prompt_tokens() -> Tensor:
    """Return the prompts' tokens for CLIP, (10, 6) int64, without columns that are padding in all of them."""
    rows = [torch.tensor([_START, *tokens, _END]) for _, tokens in PROMPTS]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True)


class CLIPIQA:
    """The probability, by CLIP, that an image fits the positive prompt of a pair, averaged over five pairs.

    Args:
        device: Device of the network.
        precision: Precision of the network: ``fast`` uses TF32 on a GPU, otherwise both are float32. bfloat16 would
            change a score by up to 3e-3.

    Raises:
        MetricUnavailableError: CLIP's weights are missing.
        BenchError: The weights are not the published ones.
    """

    def __init__(self, *, device: torch.device, precision: Precision = "exact") -> None:
        path, sha256 = verified_weights("clipiqa", _KEY)
        tensors = read_torchscript_archive(path) if is_torchscript_archive(path) else read_tensors("clipiqa", _KEY)[0]
        clip = load_clip(tensors, path.name)
        self._directions = _directions(clip.embed_text(prompt_tokens()), clip.logit_scale).to(device)
        self._network = make_fast(clip.visual, device)
        self._mean, self._deviation = (
            torch.tensor(values, device=device).view(3, 1, 1) for values in (_MEAN, _DEVIATION)
        )
        # One image at a time on a CPU: as fast as a batch, and the score cannot depend on other images.
        self._batches = Batches(device, 1 if device.type == "cpu" else 10, _GPU_BYTES_PER_PIXEL)
        pairs = ", ".join(f"{good} / {bad}" for (good, _), (bad, _) in zip(PROMPTS[::2], PROMPTS[1::2], strict=True))
        self.definition = (
            f"CLIPIQA on RGB in [0, 1] normalised by CLIP's mean and deviation; no crop, no resizing; CLIP ResNet-50 "
            f"without the positional embedding of its attention pool; mean over prompt pairs ({pairs}) of the softmax "
            f"of the scaled cosines; {network_precision(precision, device)} (ccsr-bench); "
            f"{path.name} sha256 {sha256[:12]}"
        )

    def prepare(self, reference: ImageBatch) -> None:
        """Return nothing: CLIPIQA has no reference."""

    def score(self, outputs: ImageBatch, prepared: None) -> Tensor:  # noqa: ARG002
        """Return (N,) float64 in [0, 1]; see `ccsr_bench.metrics.base.Metric`."""
        if min(outputs.rgb.shape[-2:]) < _SMALLEST:
            raise BenchError(f"clipiqa: the image is smaller than {_SMALLEST} pixels; choose `metrics` without clipiqa")
        return self._batches.map(self._probability, outputs.rgb)

    def _probability(self, images: Tensor) -> Tensor:
        normal = (images - self._mean) / self._deviation
        if normal.device.type == "cpu":
            normal = normal.contiguous(memory_format=torch.channels_last)
        embedding = self._network(normal).double()
        logits: Tensor = _unit(embedding) @ self._directions.T
        return logits.sigmoid().mean(dim=1)


def _directions(embeddings: Tensor, logit_scale: Tensor) -> Tensor:
    """Return the scaled differences of the pairs' embeddings, (5, 1024) float64.

    The softmax of a pair is the sigmoid of the difference of its logits.
    """
    unit = _unit(embeddings.double())
    return logit_scale.double().exp() * (unit[::2] - unit[1::2])


def _unit(vectors: Tensor) -> Tensor:
    return nn.functional.normalize(vectors, dim=1)
