"""Random weights in the layouts of the published files of AlexNet, VGG16, LPIPS and DISTS."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ccsr_bench.metrics.weight_files import FILES

ALEXNET = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
"""Number among ``features`` -> output channels, input channels, size."""

VGG16 = {
    0: (64, 3, 3),
    2: (64, 64, 3),
    5: (128, 64, 3),
    7: (128, 128, 3),
    10: (256, 128, 3),
    12: (256, 256, 3),
    14: (256, 256, 3),
    17: (512, 256, 3),
    19: (512, 512, 3),
    21: (512, 512, 3),
    24: (512, 512, 3),
    26: (512, 512, 3),
    28: (512, 512, 3),
}

CHANNELS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}


def random_features(sizes: dict[int, tuple[int, int, int]]) -> dict[str, Tensor]:
    """Return layers that keep the scale of activations, as those of a trained network do."""
    tensors = {}
    for number, (outputs, inputs, size) in sizes.items():
        tensors[f"features.{number}.weight"] = torch.randn(outputs, inputs, size, size) * (2 / inputs) ** 0.5 / size
        tensors[f"features.{number}.bias"] = 0.1 * torch.randn(outputs)
    return tensors


def _classifier() -> dict[str, Tensor]:
    """Return the part that no metric uses, with its names but a thousandth of its size."""
    return {f"classifier.{number}.{kind}": torch.randn(4) for number in (1, 4, 6) for kind in ("weight", "bias")}


def write_lpips_dists(folder: Path) -> None:
    """Write the files of both metrics, with random weights.

    The channel weights are 0 or more, as the published ones are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        contents = {
            "alexnet": random_features(ALEXNET) | _classifier(),
            "vgg16": random_features(VGG16) | _classifier(),
        }
        for net, channels in CHANNELS.items():
            contents[f"lpips-{net}"] = {
                f"lin{stage}.model.1.weight": torch.rand(1, count, 1, 1).pow_(3) for stage, count in enumerate(channels)
            }
        contents["dists"] = {name: torch.rand(1, 3 + sum(CHANNELS["vgg"]), 1, 1) for name in ("alpha", "beta")}
    for key, tensors in contents.items():
        torch.save(tensors, folder / FILES[key].name)
