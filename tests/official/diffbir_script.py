"""DiffBIR's official script, run by its own interpreter; called by `test_official.py`.

    python diffbir_script.py tiny METHOD SOURCE FOLDER
    python diffbir_script.py restore METHOD SOURCE FOLDER LR SEED OUTPUT STEPS

``tiny`` saves networks with random weights in the official layout. ``restore`` calls `main` of `inference.py` in a
folder that contains them as ``weights``. The parameters of the variant are read from ``parameters.json``. Patches
replace the GPU that the official code requires by a CPU that computes in float32.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

NETWORK = {
    "model_channels": 32,
    "channel_mult": [1, 1, 1, 1],
    "num_res_blocks": 1,
    "attention_resolutions": [4],
    "num_head_channels": 16,
    "context_dim": 32,
}
TINY = {
    "cldm": {
        "unet_cfg": NETWORK,
        "controlnet_cfg": NETWORK,
        "vae_cfg": {"ddconfig": {"ch": 32, "ch_mult": [1, 1, 1, 1], "num_res_blocks": 1}},
        "clip_cfg": {
            "embed_dim": 32,
            "vision_cfg": {"layers": 1, "width": 32, "head_width": 16},
            "text_cfg": {"width": 32, "heads": 2, "layers": 3},
        },
    },
    "swinir": {"embed_dim": 16, "depths": [2, 2], "num_heads": [2, 2]},
    "bsrnet": {"nf": 8, "nb": 1, "gc": 4},
    "diffusion": {},
}
SD = "v2-1_512-ema-pruned.ckpt"
FILES = {"v1": ("v1_general.pth", "swinir", "general_swinir_v1.ckpt"), "v2": ("v2.pth", "bsrnet", "BSRNet.pth")}
PREFIXES = {"unet": "model.diffusion_model", "vae": "first_stage_model", "clip": "cond_stage_model"}


def write_configuration(name: str, folder: Path) -> Any:
    """Save and return an official configuration with tiny networks."""
    from omegaconf import OmegaConf

    file = f"configs/inference/{name}.yaml"
    config = OmegaConf.merge(OmegaConf.load(file), {"params": TINY[name]})
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, folder / file)
    return config


def randomised(network: Any) -> Any:
    """Return a network with changed weights, since weights that are initialised to zero would hide mistakes."""
    import torch

    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    return network


def tiny(folder: Path) -> None:
    """Save random networks, with Stable Diffusion as PyTorch Lightning saves it, including objects of its classes."""
    import torch
    from diffbir.utils.common import instantiate_from_config
    from pytorch_lightning.callbacks import ModelCheckpoint

    torch.manual_seed(0)
    parameters = json.loads((folder / "parameters.json").read_text())
    control, cleaner, cleaner_file = FILES[parameters["version"]]
    write_configuration("diffusion", folder)
    cldm = randomised(instantiate_from_config(write_configuration("cldm", folder)))
    stage1 = randomised(instantiate_from_config(write_configuration(cleaner, folder)))
    if cleaner == "bsrnet":
        stage1.conv_last.bias.data.fill_(0.5)  # otherwise the output is black
    state = {
        f"{prefix}.{key}": tensor
        for part, prefix in PREFIXES.items()
        for key, tensor in getattr(cldm, part).state_dict().items()
    }
    for role in ("base", "control", "cleaner"):
        (folder / role).mkdir()
    torch.save({"state_dict": state, "callbacks": {ModelCheckpoint: ModelCheckpoint()}}, folder / "base" / SD)
    torch.save(cldm.controlnet.state_dict(), folder / "control" / control)
    torch.save(stage1.state_dict(), folder / "cleaner" / cleaner_file)
    (folder / "parameters.json").write_text(json.dumps({**parameters, "configurations": str(folder)}))


def restore(folder: Path, lr: str, seed: str, output: str, steps: str) -> None:
    """Run the official script on one image, in the folder with its configurations and weights."""
    import inference
    import numpy as np
    import torch
    from diffbir.pipeline import Pipeline
    from PIL import Image

    images = Path(output).with_suffix("")
    (images / "in").mkdir(parents=True)
    Image.fromarray(np.load(lr)).save(images / "in" / "image.png")
    (folder / "weights").mkdir(exist_ok=True)
    for role in ("base", "control", "cleaner"):
        for file in (folder / role).iterdir():
            (folder / "weights" / file.name).unlink(missing_ok=True)
            (folder / "weights" / file.name).symlink_to(file)
    os.chdir(folder)
    run = Pipeline.run

    def seeded(self: Any, *arguments: Any) -> Any:
        torch.manual_seed(int(seed))
        return run(self, *arguments)

    parameters = json.loads((folder / "parameters.json").read_text())
    options = {
        "--task": "sr",
        "--upscale": "4",
        "--version": parameters["version"],
        "--sampler": "spaced",
        "--steps": steps,
        "--captioner": "none",
        "--pos_prompt": "",
        "--neg_prompt": parameters["neg_prompt"],
        "--cfg_scale": str(parameters["cfg_scale"]),
        "--input": str(images / "in"),
        "--output": str(images),
        "--device": "cpu",
        "--precision": "fp32",
    }
    with (
        patch.object(torch.cuda, "synchronize", lambda: None),
        patch.object(torch, "autocast", lambda *_: contextlib.nullcontext()),
        patch.object(Pipeline, "run", seeded),
        patch.object(inference, "set_seed", torch.manual_seed),  # NumPy does not accept a 63-bit seed
        patch.object(sys, "argv", ["inference.py", *chain.from_iterable(options.items())]),
    ):
        inference.main()
    np.save(output, np.asarray(Image.open(images / "image.png")))


if __name__ == "__main__":
    what, method, source, folder, *rest = sys.argv[1:]
    sys.path[0] = source
    os.chdir(source)
    (tiny if what == "tiny" else restore)(Path(folder), *rest)
