"""Loading, preprocessing and postprocessing of ResShift and SinSR, which share one code base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from utils.util_common import instantiate_from_config
from utils.util_net import reload_model

LARGEST_SIDE = 512
"""Longest side of an LR image in pixels; the official scripts cut larger ones into parts."""


def load_network(config: Any, file: Path, device: str) -> torch.nn.Module:
    """Build the network of a configuration with the weights of a file."""
    network: torch.nn.Module = instantiate_from_config(config)
    state = torch.load(file, map_location="cpu", weights_only=True)
    with torch.no_grad():
        reload_model(network, state.get("state_dict", state))
    return network.to(device).eval().requires_grad_(False)


def to_network(lr: np.ndarray, multiple: int, device: str) -> torch.Tensor:
    """Convert an LR image, (h, w, 3) uint8, to the input of the network, (1, 3, H, W) float32 in [-1, 1].

    Args:
        lr: LR image.
        multiple: Number whose multiples the sides are padded to.
        device: Device of the network.

    Raises:
        ValueError: A side is longer than `LARGEST_SIDE`.
    """
    height, width, _ = lr.shape
    if max(height, width) > LARGEST_SIDE:
        raise ValueError(f"LR image of {height}x{width}: larger than {LARGEST_SIDE} pixels is not supported")
    image = torch.from_numpy(lr.astype(np.float32) / 255).permute(2, 0, 1)[None].to(device)
    image = (image - 0.5) / 0.5
    padding = (0, -width % multiple, 0, -height % multiple)
    return functional.pad(image, padding, mode="reflect") if any(padding) else image


def to_levels(output: torch.Tensor, height: int, width: int) -> np.ndarray:
    """Convert the upper left part of an output, (1, 3, H, W) in about [-1, 1], to (height, width, 3) uint8."""
    image = output[0, :, :height, :width].clamp(-1, 1).float() * 0.5 + 0.5
    levels: np.ndarray = (image.permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8)
    return levels
