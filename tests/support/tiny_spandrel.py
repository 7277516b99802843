"""Tiny networks with random weights, in the layouts of the checkpoints of BSRGAN, Real-ESRGAN and SwinIR."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

from tests.support.pictures import picture

CHECKPOINTS = {
    "bsrgan": "model_zoo/BSRGAN.pth",
    "real-esrgan": "weights/RealESRGAN_x4plus.pth",
    "swinir-gan": "swinir/003_realSR_BSRGAN_DFO_s64w8_SwinIR-M_x4_GAN.pth",
    "swinir-l1": "swinir/003_realSR_BSRGAN_DFO_s64w8_SwinIR-M_x4_PSNR.pth",
}
"""Method -> where `run --weights DIR` looks for its checkpoint."""

BSRGAN_NAMES = ["RRDB_trunk", "RDB", "trunk_conv", "upconv1", "upconv2", "HRconv"]
REAL_ESRGAN_NAMES = ["body", "rdb", "conv_body", "conv_up1", "conv_up2", "conv_hr"]
"""What the authors' code calls the parts of one and the same network."""


def write_checkpoints(folder: Path) -> Path:
    """Write the checkpoint of every method."""
    bsrgan, real_esrgan = rrdb(seed=0).state_dict(), rrdb(seed=1).state_dict()
    write(folder, "bsrgan", renamed(bsrgan, BSRGAN_NAMES))
    write(folder, "real-esrgan", {"params_ema": renamed(real_esrgan, REAL_ESRGAN_NAMES)})
    write(folder, "swinir-gan", {"params_ema": swinir(seed=2).state_dict()})
    write(folder, "swinir-l1", {"params": swinir(seed=3).state_dict()})
    return folder


def write(folder: Path, method: str, content: object) -> Path:
    """Write a checkpoint of a method."""
    import torch

    path = folder / CHECKPOINTS[method]
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    return path


def rrdb(*, seed: int, scale: int = 4) -> Any:
    """Return the network of BSRGAN and Real-ESRGAN."""
    import torch
    from spandrel.architectures.ESRGAN import ESRGAN

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = ESRGAN(num_filters=8, num_blocks=1, scale=scale)
    return _with_contrast(network, network.model[-1])


def swinir(*, seed: int) -> Any:
    """Return the network of SwinIR for real-world images."""
    import torch
    from spandrel.architectures.SwinIR import SwinIR

    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.meshgrid")
        torch.manual_seed(seed)
        network = SwinIR(
            embed_dim=12,
            depths=[2],
            num_heads=[2],
            window_size=8,
            mlp_ratio=2,
            upscale=4,
            upsampler="nearest+conv",
        )
    return _with_contrast(network, network.conv_last)


def _with_contrast(network: Any, last: Any) -> Any:
    """Spread a network's output over [0, 1]: with random weights it is nearly constant."""
    import torch

    image = torch.from_numpy(picture(0, 32)).permute(2, 0, 1)[None].float().div(255)
    with torch.no_grad():
        factor = 0.2 / network.eval()(image).std((2, 3)).mean()
        last.weight *= factor
        last.bias += 0.5 - network(image).mean((0, 2, 3))
    return network


def renamed(tensors: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return the tensors of an RRDB network of one block as an author names them.

    Args:
        tensors: As spandrel names them.
        names: The author's.
    """
    trunk, dense, trunk_last, *upsampling, high = names
    parts = {"model.0": "conv_first", "model.1.sub.1": trunk_last}
    parts |= {f"model.{3 * index}": name for index, name in enumerate(upsampling, start=1)}
    parts |= {"model.8": high, "model.10": "conv_last"}
    result = {}
    for name, tensor in tensors.items():
        part, _, kind = name.rpartition(".")
        block = re.fullmatch(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0", part)
        own = f"{trunk}.{block[1]}.{dense}{block[2]}.conv{block[3]}" if block else parts[part]
        result[f"{own}.{kind}"] = tensor
    return result
