"""SeeSR's official script, run by its own interpreter; called by `test_official.py`.

    python seesr_script.py tiny METHOD SOURCE FOLDER
    python seesr_script.py restore METHOD SOURCE FOLDER LR SEED OUTPUT STEPS

``tiny`` saves networks with random weights in the official layout, the tagger in full size. ``restore`` calls `main` of
`test_seesr.py`. Patches replace the GPU that the official code requires by a CPU that computes in float32.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from tiny_stable_diffusion import Tokenizer, on_cpu, run_main, write_base, write_seesr_networks, write_tagger


def alias_old_names() -> None:
    """Define two names where diffusers 0.21, which the authors pin, has them."""
    import diffusers
    from diffusers.models import attention, normalization

    old = ModuleType("diffusers.pipeline_utils")
    old.DiffusionPipeline = diffusers.DiffusionPipeline  # type: ignore[attr-defined]
    sys.modules[old.__name__] = old
    attention.AdaGroupNorm = normalization.AdaGroupNorm


def tiny(method: str, folder: Path) -> None:
    """Save random networks."""
    import torch

    alias_old_names()
    torch.manual_seed(0)
    write_base(folder / "base")
    write_seesr_networks(folder / "seesr")
    write_tagger(folder)
    (folder / "parameters.json").write_text(json.dumps({}))


def restore(method: str, folder: Path, lr: str, seed: str, output: str, steps: str) -> None:
    """Run the official script on one image."""
    import torch

    alias_old_names()
    import test_seesr

    options = Namespace(
        seesr_model_path=str(folder / "seesr"),
        ram_ft_path=str(folder / "dape" / "DAPE.pth"),
        pretrained_model_path=str(folder / "base"),
        prompt="",
        added_prompt="clean, high-resolution, 8k",
        negative_prompt="dotted, noise, blur, lowres, smooth",
        mixed_precision="no",
        guidance_scale=5.5,
        conditioning_scale=1.0,
        blending_alpha=1.0,
        num_inference_steps=int(steps),
        process_size=512,
        vae_decoder_tiled_size=224,
        vae_encoder_tiled_size=1024,
        latent_tiled_size=96,
        latent_tiled_overlap=4,
        upscale=4,
        seed=int(seed),
        sample_times=1,
        align_method="adain",
        start_steps=999,
        start_point="lr",
        save_prompts=False,
    )
    tensor_to, ram = torch.Tensor.to, test_seesr.ram
    file = str(folder / "ram" / "ram_swin_large_14m.pth")
    with (
        patch.object(test_seesr, "ram", lambda **more: ram(**{**more, "pretrained": file})),
        patch.object(sys.modules["ram.models.ram_lora"], "init_tokenizer", Tokenizer),
        patch.object(torch.Tensor, "to", lambda self, *a, **k: tensor_to(self, *map(on_cpu, a), **k)),
    ):
        run_main(test_seesr, options, lr, output)


if __name__ == "__main__":
    what, method, source, folder, *rest = sys.argv[1:]
    sys.path[0] = source
    os.chdir(source)
    (tiny if what == "tiny" else restore)(method, Path(folder), *rest)
