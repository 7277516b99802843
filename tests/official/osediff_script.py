"""OSEDiff's official script, run by its own interpreter; called by `test_official.py`.

    python osediff_script.py tiny METHOD SOURCE FOLDER
    python osediff_script.py restore METHOD SOURCE FOLDER LR SEED OUTPUT STEPS

``tiny`` saves networks with random weights in the official layout, the tagger in full size. ``restore`` runs
`test_osediff.py` as a program. Patches replace the GPU that the official code requires by a CPU that computes in
float32.
"""

from __future__ import annotations

import functools
import json
import os
import runpy
import sys
from argparse import Namespace
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tiny_stable_diffusion import Tokenizer, on_cpu, write_base, write_tagger

LORA = "lora/osediff.pkl"


def tiny(method: str, folder: Path) -> None:
    """Save random networks."""
    import torch

    torch.manual_seed(0)
    base = folder / "base"
    write_base(base)
    write_lora(base, folder / LORA)
    write_tagger(folder)
    (folder / "parameters.json").write_text(json.dumps({"checkpoint": str(folder / LORA)}))


def write_lora(base: Path, file: Path) -> None:
    """Save random LoRA weights as the official training does."""
    import osediff
    import torch

    arguments = Namespace(pretrained_model_name_or_path=str(base), lora_rank=4)
    unet, encoder, decoder, others = osediff.initialize_unet(arguments)
    vae, vae_encoder = osediff.initialize_vae(arguments)
    states = []
    for network, extra in ((unet, "conv_in"), (vae, "lora")):
        chosen = {n: p.detach() for n, p in network.named_parameters() if "lora" in n or extra in n}
        states.append({n: p + 0.05 * torch.randn(p.shape) for n, p in chosen.items()})
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            "rank_unet": 4,
            "unet_lora_encoder_modules": encoder,
            "unet_lora_decoder_modules": decoder,
            "unet_lora_others_modules": others,
            "state_dict_unet": states[0],
            "rank_vae": 4,
            "vae_lora_encoder_modules": vae_encoder,
            "state_dict_vae": states[1],
        },
        file,
    )


def restore(method: str, folder: Path, lr: str, seed: str, output: str, steps: str) -> None:
    """Run the official script on one image."""
    import diffusers.schedulers.scheduling_ddpm as scheduling
    import numpy as np
    import osediff
    import torch
    from PIL import Image
    from ram.models import ram_lora
    from torchvision import transforms

    images = Path(output).with_suffix("")
    (images / "in").mkdir(parents=True)
    Image.fromarray(np.load(lr)).save(images / "in" / "image.png")
    forward = osediff.OSEDiff_test.forward

    def seeded(self: Any, *arguments: Any, **more: Any) -> Any:
        torch.manual_seed(int(seed))
        return forward(self, *arguments, **more)

    set_timesteps, tensor, to = scheduling.DDPMScheduler.set_timesteps, torch.tensor, torch.nn.Module.to

    def tensor_on_cpu(*arguments: Any, **more: Any) -> Any:
        return tensor(*arguments, **{name: on_cpu(value) for name, value in more.items()})

    def module_to_cpu(self: Any, *arguments: Any, **more: Any) -> Any:
        return to(self, *map(on_cpu, arguments), **more)

    tensor_to = torch.Tensor.to
    options = {
        "-i": str(images / "in"),
        "-o": str(images),
        "--mixed_precision": "fp32",
        "--pretrained_model_name_or_path": str(folder / "base"),
        "--osediff_path": str(folder / LORA),
        "--ram_path": str(folder / "ram" / "ram_swin_large_14m.pth"),
        "--ram_ft_path": str(folder / "dape" / "DAPE.pth"),
    }
    with (
        patch.object(osediff.OSEDiff_test, "forward", seeded),
        patch.object(scheduling.DDPMScheduler, "set_timesteps", lambda self, n, **_: set_timesteps(self, n)),
        patch.object(torch, "tensor", tensor_on_cpu),
        patch.object(torch.nn.Module, "to", module_to_cpu),
        patch.object(torch.Tensor, "to", lambda self, *a, **k: tensor_to(self, *map(on_cpu, a), **k)),
        patch.object(torch.Tensor, "cuda", lambda self: self),
        patch.object(ram_lora, "init_tokenizer", Tokenizer),
        patch.object(transforms, "Resize", functools.partial(transforms.Resize, antialias=False)),
        patch.object(sys, "argv", ["test_osediff.py", *chain.from_iterable(options.items())]),
    ):
        runpy.run_path("test_osediff.py", run_name="__main__")
    np.save(output, np.asarray(Image.open(images / "image.png")))


if __name__ == "__main__":
    what, method, source, folder, *rest = sys.argv[1:]
    sys.path[0] = source
    os.chdir(source)
    (tiny if what == "tiny" else restore)(method, Path(folder), *rest)
