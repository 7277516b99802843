"""Random weights in the layout of MANIQA's published files."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ccsr_bench.metrics.weight_files import FILES

TOKENS, CHANNELS, SIDE, WINDOW = 784, 768, 28, 4


def _layer(name: str, *shape: int, gain: float = 1) -> dict[str, Tensor]:
    """Return a layer that multiplies the scale of activations by the gain."""
    inputs = torch.Size(shape[1:]).numel()
    return {f"{name}.weight": gain * inputs**-0.5 * torch.randn(shape), f"{name}.bias": 0.1 * torch.randn(shape[0])}


def _norm(name: str, channels: int) -> dict[str, Tensor]:
    return {f"{name}.weight": 1 + 0.1 * torch.randn(channels), f"{name}.bias": 0.1 * torch.randn(channels)}


def _unused(name: str) -> dict[str, Tensor]:
    """Return a part that no score depends on, with its names but hardly any size."""
    return {f"{name}.{kind}": torch.full((4,), torch.nan) for kind in ("weight", "bias")}


def _block(name: str, channels: int, hidden: int) -> dict[str, Tensor]:
    return {
        **_norm(f"{name}.norm1", channels),
        **_layer(f"{name}.attn.qkv", 3 * channels, channels),
        **_layer(f"{name}.attn.proj", channels, channels, gain=0.5),
        **_norm(f"{name}.norm2", channels),
        **_layer(f"{name}.mlp.fc1", hidden, channels),
        **_layer(f"{name}.mlp.fc2", channels, hidden, gain=0.5),
    }


def relative_positions() -> Tensor:
    """Return the row of the bias table for each two of a window's 16 tokens."""
    span = 2 * WINDOW - 1
    index = torch.empty(WINDOW**2, WINDOW**2, dtype=torch.long)
    for first in range(WINDOW**2):
        for second in range(WINDOW**2):
            down, right = first // WINDOW - second // WINDOW, first % WINDOW - second % WINDOW
            index[first, second] = (down + WINDOW - 1) * span + right + WINDOW - 1
    return index


def shift_mask() -> Tensor:
    """Return -100 for each two of a window's tokens that shifting by half a window brought together."""
    places = (torch.arange(SIDE) >= SIDE - WINDOW).long() + (torch.arange(SIDE) >= SIDE - WINDOW // 2).long()
    regions = 3 * places[:, None] + places
    windows = regions.view(SIDE // WINDOW, WINDOW, SIDE // WINDOW, WINDOW).transpose(1, 2).reshape(-1, WINDOW**2)
    return -100 * (windows[:, :, None] != windows[:, None]).float()


def _swin(name: str, channels: int) -> dict[str, Tensor]:
    tensors = _unused(f"{name}.downsample")
    for layer in range(2):
        tensors |= _layer(f"{name}.layers.{layer}.conv", channels, channels, 3, 3, gain=0.5)
        for number in range(2):
            block = f"{name}.layers.{layer}.blocks.{number}"
            tensors |= _block(block, channels, CHANNELS)
            tensors[f"{block}.attn.relative_position_bias_table"] = torch.randn((2 * WINDOW - 1) ** 2, 4)
            tensors[f"{block}.attn.relative_position_index"] = relative_positions()
        tensors[f"{name}.layers.{layer}.blocks.1.attn_mask"] = shift_mask()
    return tensors


def tensors_of_maniqa() -> dict[str, Tensor]:
    """Return all tensors of a file, random; those that no score depends on are not a number."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tensors = {
            "vit.cls_token": torch.randn(1, 1, CHANNELS),
            "vit.pos_embed": 0.3 * torch.randn(1, 1 + TOKENS, CHANNELS),
            **_layer("vit.patch_embed.proj", CHANNELS, 3, 8, 8),
        }
        for number in range(10):
            tensors |= _block(f"vit.blocks.{number}", CHANNELS, 4 * CHANNELS)
        for part in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"):
            tensors |= _unused(f"vit.blocks.10.{part}") | _unused(f"vit.blocks.11.{part}")
        tensors |= _unused("vit.norm") | _unused("vit.head")
        for stage, channels in ((1, CHANNELS), (2, CHANNELS // 2)):
            for number in range(2):
                for part in ("c_q", "c_k", "c_v"):
                    # Small enough that a float32 rounding error does not choose another channel.
                    gain = 1 if part == "c_v" else 0.6
                    tensors |= _layer(f"tablock{stage}.{number}.{part}", TOKENS, TOKENS, gain=gain)
            tensors |= _layer(f"conv{stage}", channels, 4 * channels if stage == 1 else 2 * channels, 1, 1)
            tensors |= _swin(f"swintransformer{stage}", channels)
        for head in ("fc_score", "fc_weight"):
            tensors |= _layer(f"{head}.0", CHANNELS // 2, CHANNELS // 2)
            tensors |= _layer(f"{head}.3", 1, CHANNELS // 2, gain=0.2)
        tensors["fc_score.3.bias"] += 0.5
    return tensors


def write_maniqa(folder: Path) -> None:
    """Write both files, with the same random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    first, second = (folder / FILES[key].name for key in ("maniqa-pipal", "maniqa-koniq"))
    torch.save(tensors_of_maniqa(), first)
    second.hardlink_to(first)
