"""Random weights in the layout of OpenAI's RN50.pt: a TorchScript archive, most of it in float16."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ccsr_bench.metrics.weight_files import FILES

WIDTH, TEXT_WIDTH, EMBEDDING = 64, 512, 1024


class Layout:
    """Collects tensors by name: convolutions and matrices in float16, the others in float32, as published."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}

    def convolution(self, name: str, outputs: int, inputs: int, size: int) -> None:
        self.tensors[f"{name}.weight"] = (torch.randn(outputs, inputs, size, size) * (2 / inputs) ** 0.5 / size).half()

    def batch_norm(self, name: str, channels: int, gain: float = 1) -> None:
        self.tensors |= {
            f"{name}.weight": gain * (0.5 + torch.rand(channels)),
            f"{name}.bias": 0.3 * torch.randn(channels),
            f"{name}.running_mean": 0.3 * torch.randn(channels),
            f"{name}.running_var": 0.5 + torch.rand(channels),
            f"{name}.num_batches_tracked": torch.tensor(1234),
        }

    def layer_norm(self, name: str) -> None:
        self.tensors[f"{name}.weight"] = 0.5 + torch.rand(TEXT_WIDTH)
        self.tensors[f"{name}.bias"] = 0.1 * torch.randn(TEXT_WIDTH)

    def matrix(self, name: str, outputs: int, inputs: int, gain: float = 1, suffix: str = ".") -> None:
        self.tensors[f"{name}{suffix}weight"] = (gain * torch.randn(outputs, inputs) * inputs**-0.5).half()
        self.tensors[f"{name}{suffix}bias"] = (0.1 * torch.randn(outputs)).half()

    def block(self, name: str, inputs: int, channels: int, *, first: bool) -> None:
        for index, (out, into, size) in enumerate(
            ((channels, inputs, 1), (channels, channels, 3), (4 * channels, channels, 1)), 1
        ):
            self.convolution(f"{name}.conv{index}", out, into, size)
            self.batch_norm(f"{name}.bn{index}", out, 0.3 if index == 3 else 1)
        if first:
            self.convolution(f"{name}.downsample.0", 4 * channels, inputs, 1)
            self.batch_norm(f"{name}.downsample.1", 4 * channels, 0.7)

    def image_network(self) -> None:
        for index, (out, into) in enumerate(((WIDTH // 2, 3), (WIDTH // 2, WIDTH // 2), (WIDTH, WIDTH // 2)), 1):
            self.convolution(f"visual.conv{index}", out, into, 3)
            self.batch_norm(f"visual.bn{index}", out)
        inputs = WIDTH
        for stage, count in enumerate((3, 4, 6, 3)):
            channels = WIDTH * 2**stage
            for index in range(count):
                self.block(f"visual.layer{stage + 1}.{index}", inputs, channels, first=index == 0)
                inputs = 4 * channels
        self.tensors["visual.attnpool.positional_embedding"] = torch.randn(50, inputs)
        for part in "kqv":
            self.matrix(f"visual.attnpool.{part}_proj", inputs, inputs)
        self.matrix("visual.attnpool.c_proj", EMBEDDING, inputs)

    def text_network(self) -> None:
        for index in range(12):
            name = f"transformer.resblocks.{index}"
            self.matrix(f"{name}.attn", 3 * TEXT_WIDTH, TEXT_WIDTH, suffix=".in_proj_")
            self.matrix(f"{name}.attn.out_proj", TEXT_WIDTH, TEXT_WIDTH, 0.3)
            self.layer_norm(f"{name}.ln_1")
            self.matrix(f"{name}.mlp.c_fc", 4 * TEXT_WIDTH, TEXT_WIDTH)
            self.matrix(f"{name}.mlp.c_proj", TEXT_WIDTH, 4 * TEXT_WIDTH, 0.3)
            self.layer_norm(f"{name}.ln_2")
        self.tensors["token_embedding.weight"] = torch.empty(49408, TEXT_WIDTH).normal_(std=0.1)
        self.layer_norm("ln_final")


def clip_tensors() -> dict[str, Tensor]:
    """Return every tensor of the file by its dotted name."""
    layout = Layout()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layout.tensors = {
            "positional_embedding": 0.1 * torch.randn(77, TEXT_WIDTH),
            "text_projection": (torch.randn(TEXT_WIDTH, EMBEDDING) * TEXT_WIDTH**-0.5).half(),
            "logit_scale": torch.tensor(math.log(100)),
            "input_resolution": torch.tensor(224),
            "context_length": torch.tensor(77),
            "vocab_size": torch.tensor(49408),
        }
        layout.image_network()
        layout.text_network()
    return layout.tensors


def module_tree(tensors: Mapping[str, Tensor]) -> nn.Module:
    """Return empty modules that have the tensors under their dotted names, numbers without gradients as buffers."""
    root = nn.Module()
    for dotted, tensor in tensors.items():
        *path, name = dotted.split(".")
        module = root
        for part in path:
            if part not in module._modules:
                module.add_module(part, nn.Module())
            module = module.get_submodule(part)
        if tensor.is_floating_point() and not name.startswith("running_"):
            module.register_parameter(name, nn.Parameter(tensor))
        else:
            module.register_buffer(name, tensor)
    return root


def save_torchscript(module: nn.Module, path: Path) -> None:
    """Archive a module with what `torch.jit` saves besides tensors: flags, numbers, strings and lists."""
    for name, value in {"number": 3, "text": "text", "numbers": [1, 2], "nothing": None}.items():
        setattr(module, name, value)
    module.add_module("-1", nn.AvgPool2d(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        torch.jit.save(torch.jit.script(module.eval()), path)


def write_clipiqa(folder: Path) -> None:
    """Write the file that CLIPIQA needs, with random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    save_torchscript(module_tree(clip_tensors()), folder / FILES["clip-rn50"].name)
