"""pyiqa's metrics, built from files of random weights instead of downloads."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from ccsr_bench.devices.torchvision_operators import import_torchvision
from ccsr_bench.metrics.networks.maniqa_network import UNUSED
from ccsr_bench.metrics.weight_files import FILES

Score = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(1, 3, H, W) output and reference in [0, 1] -> its score."""


def build(name: str, folder: Path, device: torch.device) -> Score:
    """Return one of pyiqa's metrics.

    Args:
        name: As ccsr-bench calls it.
        folder: Holds files with the published names.
        device: Where it computes.
    """
    import_torchvision()
    import pyiqa

    if name in ("psnr", "ssim"):
        metric = pyiqa.create_metric(name, device=device, test_y_channel=True, color_space="ycbcr")
        return lambda output, reference: metric(output, reference)
    if name == "niqe":
        niqe = pyiqa.create_metric(name, device=device, pretrained_model_path=str(folder / FILES["niqe"].name))
        return lambda output, _: niqe(output)
    network = _BUILDERS[name](folder).eval().to(device)
    if name in ("lpips", "dists"):
        return lambda output, reference: network(output, reference)
    return lambda output, _: network(output)


def _path(folder: Path, key: str) -> str:
    return str(folder / FILES[key].name)


def _features(folder: Path, key: str) -> Callable[..., Any]:
    def network(**_: object) -> Any:
        vgg = importlib.import_module("torchvision.models.vgg")
        alexnet = importlib.import_module("torchvision.models.alexnet")
        features = alexnet.AlexNet().features if key == "alexnet" else vgg.make_layers(vgg.cfgs["D"])
        tensors = torch.load(_path(folder, key), weights_only=True)
        features.load_state_dict({name: tensors[f"features.{name}"] for name in features.state_dict()})
        holder = torch.nn.Module()
        holder.features = features
        return holder

    return network


def _lpips(folder: Path) -> Any:
    arch = importlib.import_module("pyiqa.archs.lpips_arch")
    with patch("torchvision.models.alexnet", _features(folder, "alexnet")):
        return arch.LPIPS(net="alex", pretrained_model_path=_path(folder, "lpips-alex"))


def _dists(folder: Path) -> Any:
    arch = importlib.import_module("pyiqa.archs.dists_arch")
    with patch("torchvision.models.vgg16", _features(folder, "vgg16")):
        return arch.DISTS(pretrained_model_path=_path(folder, "dists"))


def _clipiqa(folder: Path) -> Any:
    arch, model = importlib.import_module("pyiqa.archs.clipiqa_arch"), importlib.import_module("pyiqa.archs.clip_model")
    with patch.object(arch, "load", lambda _name, device: model.load(_path(folder, "clip-rn50"), device)):
        return arch.CLIPIQA()


def _musiq(folder: Path) -> Any:
    network = importlib.import_module("pyiqa.archs.musiq_arch").MUSIQ(pretrained=False)
    network.load_state_dict(torch.load(_path(folder, "musiq-koniq"), weights_only=True))
    return network


def build_maniqa(folder: Path, **options: Any) -> Any:
    """Return pyiqa's MANIQA with the PIPAL file; options are its own, such as ``test_sample``, the number of crops."""
    arch = importlib.import_module("pyiqa.archs.maniqa_arch")
    create = arch.timm.create_model
    with patch.object(arch.timm, "create_model", lambda name, **_: create(name, pretrained=False)):
        network = arch.MANIQA(pretrained=False, **options)
    tensors = torch.load(_path(folder, "maniqa-pipal"), weights_only=True)
    # What no score depends on is in the random file by name only.
    used = {name: tensor for name, tensor in tensors.items() if name not in UNUSED}
    network.load_state_dict(network.state_dict() | used)
    return network


_BUILDERS: dict[str, Callable[[Path], Any]] = {
    "lpips": _lpips,
    "dists": _dists,
    "clipiqa": _clipiqa,
    "musiq": _musiq,
    "maniqa": build_maniqa,
}
