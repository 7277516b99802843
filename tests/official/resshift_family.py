"""ResShift's and SinSR's official code, run directly by their own interpreter; called by `test_official.py`.

    python resshift_family.py tiny METHOD SOURCE FOLDER
    python resshift_family.py restore METHOD SOURCE FOLDER LR SEED OUTPUT STEPS

``tiny`` saves networks with random weights in the official layout. ``restore`` restores an image with the official
sampler class. Patches replace the GPU that the official code requires by a CPU that computes in float32.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

TINY = {
    "model": {
        "params": {
            "model_channels": 32,
            "channel_mult": [1, 1, 1, 1],
            "num_res_blocks": [1, 1, 1, 1],
            "num_head_channels": 16,
            "swin_embed_dim": 32,
        }
    },
    "autoencoder": {"params": {"n_embed": 64, "ddconfig": {"ch": 32}}},
}
CONFIG = {"resshift": "realsr_swinunet_realesrgan256.yaml", "sinsr": "SinSR.yaml"}
CHECKPOINT = {"resshift": "resshift_realsrx4_s15_v1.pth", "sinsr": "SinSR_v1.pth"}
AUTOENCODER = "autoencoder_vq_f4.pth"


def settings(method: str, folder: Path) -> Any:
    """Return the official configuration with tiny networks."""
    from omegaconf import OmegaConf

    merged = OmegaConf.merge(OmegaConf.load(f"configs/{CONFIG[method]}"), OmegaConf.create(TINY))
    merged.model.ckpt_path = str(folder / method / CHECKPOINT[method])
    merged.autoencoder.ckpt_path = str(folder / "autoencoder" / AUTOENCODER)
    return merged


def tiny(method: str, folder: Path) -> None:
    """Save random networks."""
    import torch
    from utils.util_common import instantiate_from_config

    torch.manual_seed(0)
    (folder / "parameters.json").write_text(json.dumps({"overrides": TINY}))
    chosen = settings(method, folder)
    for part in (chosen.model, chosen.autoencoder):
        network = instantiate_from_config(part)
        with torch.no_grad():
            for parameter in network.parameters():  # zero initialisation would hide mistakes
                parameter.add_(0.05 * torch.randn(parameter.shape))
        Path(part.ckpt_path).parent.mkdir(parents=True, exist_ok=True)
        torch.save(network.state_dict(), part.ckpt_path)


def restore(method: str, folder: Path, lr: str, seed: str, output: str, steps: str) -> None:
    """Restore one image with the official sampler class."""
    import numpy as np
    import torch

    torch.cuda.device_count = lambda: 1
    torch.nn.Module.cuda = lambda self, *_: self  # type: ignore[method-assign]
    load = torch.load
    torch.load = lambda file, **_: load(file, map_location="cpu", weights_only=True)
    datasets = ModuleType("datapipe.datasets")
    datasets.create_dataset = None  # type: ignore[attr-defined]
    sys.modules.update({"datapipe": ModuleType("datapipe"), "datapipe.datasets": datasets})
    for name in ("cv2", "loguru", "utils.util_image"):  # modules that read and write files
        sys.modules[name] = MagicMock()
    import sampler

    chosen = settings(method, folder)
    image = torch.from_numpy(np.load(lr).astype(np.float32) / 255).permute(2, 0, 1)[None]
    with torch.no_grad():
        if method == "resshift":
            model = sampler.ResShiftSampler(
                chosen, sf=4, chop_size=512, chop_stride=448, use_amp=False, padding_offset=64
            )
            model.setup_seed(int(seed) % 2**32)
            torch.manual_seed(int(seed))
            result = model.sample_func((image - 0.5) / 0.5, mask=None)
        else:
            chosen.diffusion.params.timestep_respacing = 15
            chosen.autoencoder.use_fp16 = False
            model = sampler.Sampler(chosen, sf=4, chop_size=512, chop_stride=448, use_fp16=False)
            model.setup_seed(int(seed) % 2**32)
            torch.manual_seed(int(seed))
            result = model.sample_func((image - 0.5) / 0.5, one_step=True)
    # As utils.util_image.tensor2img with min_max (0, 1), which rounds to nearest.
    levels = (result[0] * 0.5 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy() * 255
    np.save(output, levels.round().astype(np.uint8))


if __name__ == "__main__":
    what, method, source, folder, *rest = sys.argv[1:]
    sys.path[0] = source
    os.chdir(source)
    (tiny if what == "tiny" else restore)(method, Path(folder), *rest)
