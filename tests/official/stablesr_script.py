"""StableSR's official script, run by its own interpreter; called by `test_official.py`.

    python stablesr_script.py tiny METHOD SOURCE FOLDER
    python stablesr_script.py restore METHOD SOURCE FOLDER LR SEED OUTPUT STEPS

``tiny`` saves networks with random weights in the official layout. ``restore`` runs the official script as a program.
Patches replace the GPU that the official code requires by a CPU that computes in float32.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

DIFFUSION = "configs/stableSRNew/v2-finetune_text_T_512.yaml"
AUTOENCODER = "configs/autoencoder/autoencoder_kl_64x64x4_resi.yaml"
CHECKPOINTS = {DIFFUSION: "stablesr/stablesr_000117.ckpt", AUTOENCODER: "stablesr/vqgan_cfw_00011.ckpt"}

VAE: dict[str, Any] = {"ddconfig": {"ch": 32, "ch_mult": [1, 1, 1, 1], "num_res_blocks": 1}}
TINY: dict[str, dict[str, Any]] = {
    DIFFUSION: {
        "unet_config": {
            "params": {
                "model_channels": 32,
                "channel_mult": [1, 1, 1, 1],
                "num_res_blocks": 1,
                "num_head_channels": 16,
                "context_dim": 256,
                "semb_channels": 32,
                "attention_resolutions": [4],
            }
        },
        "first_stage_config": {"params": VAE},
        "cond_stage_config": {"params": {"arch": "ViT-S-32-alt"}},  # the smallest text encoder of OpenCLIP
        "structcond_stage_config": {
            "params": {
                "model_channels": 32,
                "out_channels": 32,
                "channel_mult": [1, 1, 1, 1],
                "num_res_blocks": 1,
                "num_heads": 2,
                "attention_resolutions": [4],
            }
        },
    },
    AUTOENCODER: VAE,
}
NO_DOWNLOAD: dict[str, dict[str, Any]] = {
    DIFFUSION: {"cond_stage_config": {"params": {"version": None, "device": "cpu"}}},
    AUTOENCODER: {"lossconfig": {"target": "torch.nn.Identity", "params": {}}},
}


def write_config(source: Path, name: str, changes: dict[str, Any], target: Path) -> Any:
    """Save and return an official configuration with changes to the model's parameters."""
    from omegaconf import OmegaConf

    config = OmegaConf.merge(OmegaConf.load(source / name), {"model": {"params": changes}})
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, target / name)
    return config


def tiny(source: Path, folder: Path) -> None:
    """Save random networks as Lightning does."""
    import torch
    from ldm.util import instantiate_from_config
    from pytorch_lightning.callbacks import ModelCheckpoint

    torch.manual_seed(0)
    (folder / "stablesr").mkdir(parents=True)
    for name, checkpoint in CHECKPOINTS.items():
        write_config(source, name, TINY[name], folder)
        network = instantiate_from_config(write_config(folder, name, NO_DOWNLOAD[name], folder / "official").model)
        with torch.no_grad():
            for parameter in network.parameters():  # zero initialisation would hide mistakes
                parameter.add_(0.05 * torch.randn(parameter.shape))
        torch.save(
            {"state_dict": network.state_dict(), "global_step": 1, "callbacks": {ModelCheckpoint: {"monitor": "x"}}},
            folder / checkpoint,
        )
    (folder / "parameters.json").write_text(json.dumps({"configs": str(folder / "configs")}))


def restore(source: Path, folder: Path, lr: str, seed: str, output: str, steps: str) -> None:
    """Run the official script on one image, in a folder with tiny configurations."""
    import numpy as np
    import torch
    from ldm.models.autoencoder import AutoencoderKLResi
    from PIL import Image
    from pytorch_lightning import LightningModule

    images = Path(output).with_suffix("")
    (images / "in").mkdir(parents=True)
    Image.fromarray(np.load(lr)).save(images / "in" / "image.png")
    os.chdir(folder / "official")
    encode = AutoencoderKLResi.encode

    def seeded(self: Any, image: Any) -> Any:
        torch.manual_seed(int(seed))
        return encode(self, image)

    script = "scripts/sr_val_ddpm_text_T_vqganfin_old.py"
    options = {
        "--config": DIFFUSION,
        "--ckpt": str(folder / CHECKPOINTS[DIFFUSION]),
        "--vqgan_ckpt": str(folder / CHECKPOINTS[AUTOENCODER]),
        "--init-img": str(images / "in"),
        "--outdir": str(images),
        "--ddpm_steps": steps,
        "--dec_w": "0.5",
        "--colorfix_type": "adain",
    }
    with (
        patch.object(AutoencoderKLResi, "encode", seeded),
        patch.object(LightningModule, "cuda", lambda self: self),
        patch.object(sys, "argv", [script, *chain.from_iterable(options.items())]),
    ):
        runpy.run_path(str(source / script), run_name="__main__")
    np.save(output, np.asarray(Image.open(images / "image.png")))


if __name__ == "__main__":
    what, method, source, folder, *rest = sys.argv[1:]
    sys.path[0] = source
    (tiny if what == "tiny" else restore)(Path(source), Path(folder), *rest)
