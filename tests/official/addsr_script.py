"""AddSR's official script, run by its own interpreter; called by `test_official.py`.

    python addsr_script.py tiny METHOD SOURCE FOLDER
    python addsr_script.py restore METHOD SOURCE FOLDER LR SEED OUTPUT STEPS

``tiny`` saves networks with random weights in the official layout, the tagger in full size. ``restore`` calls `main` of
`test_addsr.py`. Patches replace the GPU that the official code requires by a CPU that computes in float32.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tiny_stable_diffusion import Tokenizer, on_cpu, run_main, write_base, write_seesr_networks, write_tagger


def tiny(method: str, folder: Path) -> None:
    """Save random networks."""
    import torch

    torch.manual_seed(0)
    write_base(folder / "base")
    write_seesr_networks(folder / "addsr")
    write_tagger(folder)
    (folder / "parameters.json").write_text("{}")


def load_tagger(folder: Path, original: Any, **_: Any) -> Any:
    """Return the tagger with the installed weights, for a CPU, where float16 and float32 cannot be mixed."""
    tagger = original(
        pretrained=str(folder / "ram" / "ram_swin_large_14m.pth"),
        pretrained_condition=str(folder / "dape" / "DAPE.pth"),
        image_size=384,
        vit="swin_l",
    )
    generate = tagger.generate_image_embeds
    tagger.generate_image_embeds = lambda image: generate(image.float())
    tagger.to = lambda *_: tagger
    tagger.cuda = lambda: tagger
    return tagger


def official_scheduler() -> Any:
    """Return the scheduler by which the authors replace that of diffusers."""
    name = "diffusers.schedulers.official"
    spec = importlib.util.spec_from_file_location(name, "utils/scheduling_ddpm.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.DDPMScheduler


def restore(method: str, folder: Path, lr: str, seed: str, output: str, steps: str) -> None:
    """Run the official script on one image."""
    import torch
    from ram.models import ram_lora

    options = Namespace(
        addsr_model_path=str(folder / "addsr"),
        ram_ft_path="",
        pretrained_model_path=str(folder / "base"),
        prompt="",
        PSR_weight=0.5,
        added_prompt="clean, high-resolution, 8k, extremely detailed, best quality, sharp",
        negative_prompt="dotted, noise, blur, lowres, smooth",
        mixed_precision="no",
        guidance_scale=0,
        conditioning_scale=1.0,
        blending_alpha=1.0,
        num_inference_steps=2,
        process_size=512,
        vae_tiled_size=224,
        latent_tiled_size=320,
        latent_tiled_overlap=4,
        upscale=4,
        seed=int(seed),
        sample_times=1,
        align_method="adain",
        start_steps=999,
        start_point="lr",
        save_prompts=False,
    )
    original, tensor, tensor_to = ram_lora.ram, torch.tensor, torch.Tensor.to

    def tensor_on_cpu(*arguments: Any, **more: Any) -> Any:
        return tensor(*arguments, **{name: on_cpu(value) for name, value in more.items()})

    with (
        patch.object(ram_lora, "init_tokenizer", Tokenizer),
        patch.object(ram_lora, "ram", lambda **more: load_tagger(folder, original, **more)),
        patch.object(torch, "tensor", tensor_on_cpu),
        patch.object(torch.Tensor, "to", lambda self, *a, **k: tensor_to(self, *map(on_cpu, a), **k)),
        patch.object(torch.Tensor, "cuda", lambda self: self),
    ):
        import test_addsr

        with patch.object(test_addsr, "DDPMScheduler", official_scheduler()):
            run_main(test_addsr, options, lr, output)


if __name__ == "__main__":
    what, method, source, folder, *rest = sys.argv[1:]
    sys.path[0] = source
    os.chdir(source)
    (tiny if what == "tiny" else restore)(method, Path(folder), *rest)
