"""SUPIR's official script, run by its own interpreter; called by `test_official.py`.

    python supir_script.py tiny METHOD SOURCE FOLDER
    python supir_script.py restore METHOD SOURCE FOLDER LR SEED OUTPUT STEPS
    python supir_script.py caption METHOD SOURCE FOLDER LR SEED OUTPUT

``tiny`` saves networks with random weights in the official layout. ``restore`` runs `test.py` as a program, in a folder
with the options file of the tiny networks and with the caption in FOLDER/caption.txt, or without a caption if the file
is empty. ``caption`` runs it with LLaVA in the captioner's environment and writes only the caption. Patches replace the
GPU that the official code requires by a CPU that computes in float32.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from supir_tiny import shrink
from tiny_stable_diffusion import write_tokenizer

OPTIONS = "options/SUPIR_v0.yaml"
TEXT_WIDTHS = (32, 256)
"""Sizes of the text encoders; the second is a small architecture of open_clip."""


def tiny(folder: Path) -> None:
    """Save random networks."""
    import torch
    import transformers
    from safetensors.torch import save_file

    torch.manual_seed(0)
    write_clips(folder)
    if transformers.__version__ == "4.31.0":  # the captioner's environment has this version
        write_llava(folder)
    options = write_options(folder)
    set_paths(folder, second="")
    shrink()
    from SUPIR import util

    model = util.create_model(options)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for tensor in state.values():  # parameters that are initialised to zero would hide mistakes
        if tensor.is_floating_point() and tensor.ndim:
            tensor.add_(0.03 * torch.randn(tensor.shape))
    own = {name for name in state if any(part in name for part in ("control_model", "project_modules", "denoise_enc"))}
    for part in ("sdxl", "supir"):
        (folder / part).mkdir()
    save_file(
        {name: state[name] for name in state if name not in own},
        folder / "sdxl" / "sd_xl_base_1.0_0.9vae.safetensors",
    )
    torch.save({"state_dict": {name: state[name] for name in own}}, folder / "supir" / "SUPIR-v0Q.ckpt")
    (folder / "parameters.json").write_text(json.dumps({"options": str(options)}))


def write_clips(folder: Path) -> None:
    """Save the text encoders that the official code loads first; SDXL's file has other weights for both."""
    import open_clip
    import torch
    from transformers import CLIPTextConfig, CLIPTextModel

    size = write_tokenizer(folder / "clip")
    CLIPTextModel(
        CLIPTextConfig(
            vocab_size=size,
            hidden_size=TEXT_WIDTHS[0],
            intermediate_size=64,
            num_hidden_layers=12,
            num_attention_heads=2,
            bos_token_id=size - 2,
            eos_token_id=size - 1,
            pad_token_id=0,
        )
    ).save_pretrained(folder / "clip")
    torch.save(open_clip.create_model("ViT-S-32-alt").state_dict(), folder / "open_clip_pytorch_model.bin")


def write_llava(folder: Path) -> None:
    """Save LLaVA and its image encoder."""
    import CKPT_PTH
    import sentencepiece
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel, LlamaTokenizer

    vision = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=2, image_size=56, patch_size=14
    )
    CLIPVisionModel(vision).save_pretrained(folder / "vision")
    CLIPImageProcessor(size={"shortest_edge": 56}, crop_size=56).save_pretrained(folder / "vision")
    CKPT_PTH.LLAVA_CLIP_PATH = str(folder / "vision")
    from llava.model.language_model.llava_llama import LlavaConfig, LlavaLlamaForCausalLM

    (folder / "llava").mkdir()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["Describe this image and its style in a very detailed manner."] * 9),
        model_prefix=str(folder / "llava" / "tokenizer"),
        vocab_size=300,
        byte_fallback=True,
        model_type="bpe",
        hard_vocab_limit=False,
    )
    tokenizer = LlamaTokenizer(str(folder / "llava" / "tokenizer.model"))
    tokenizer.save_pretrained(folder / "llava")
    config = LlavaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        mm_vision_tower="openai/clip-vit-large-patch14-336",
        mm_hidden_size=32,
        mm_vision_select_layer=-2,
        mm_projector_type="mlp2x_gelu",
        mm_use_im_start_end=False,
        mm_use_im_patch_token=False,
        max_sequence_length=2048,
        pad_token_id=0,
    )
    model = LlavaLlamaForCausalLM(config)
    for parameter in model.parameters():
        parameter.data.mul_(5)  # so that words other than the likeliest are sampled
    model.save_pretrained(folder / "llava", safe_serialization=False)


def write_options(folder: Path) -> Path:
    """Write the official options file with tiny networks, without xformers and on the CPU."""
    from omegaconf import OmegaConf

    options = OmegaConf.load(OPTIONS)
    options.SDXL_CKPT = str(folder / "sdxl" / "sd_xl_base_1.0_0.9vae.safetensors")
    options.SUPIR_CKPT_Q = str(folder / "supir" / "SUPIR-v0Q.ckpt")
    parts = options.model.params
    for part in (parts.control_stage_config.params, parts.network_config.params):
        part.model_channels, part.num_head_channels, part.transformer_depth = 32, 16, [1, 1, 1]
        part.context_dim, part.adm_in_channels = sum(TEXT_WIDTHS), TEXT_WIDTHS[1] + 6 * 256
    ddconfig = parts.first_stage_config.params.ddconfig
    # Latents are 64 times smaller than images instead of 8 times, since images have at least 1024 pixels.
    ddconfig.ch, ddconfig.ch_mult, ddconfig.num_res_blocks, ddconfig.attn_type = 32, [1] * 7, 0, "vanilla"
    parts.sampler_config.params.device = "cpu"
    first, second = parts.conditioner_config.params.emb_models[:2]
    first.params.device = second.params.device = "cpu"
    second.params.arch = "ViT-S-32-alt"
    file = folder / OPTIONS
    file.parent.mkdir()
    OmegaConf.save(options, file)
    return file


def set_paths(folder: Path, second: str) -> None:
    """Replace the authors' paths by ours."""
    import CKPT_PTH

    CKPT_PTH.SDXL_CLIP1_PATH = str(folder / "clip")
    CKPT_PTH.SDXL_CLIP2_CKPT_PTH = second
    CKPT_PTH.LLAVA_CLIP_PATH = str(folder / "vision")
    CKPT_PTH.LLAVA_MODEL_PATH = str(folder / "llava")


def instead_of_llava(caption: str) -> ModuleType:
    """Return a substitute for LLaVA's module that returns a fixed caption."""

    class LLavaAgent:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def gen_image_caption(self, images: list[Any]) -> list[str]:
            return [caption] * len(images)

    module = ModuleType("llava.llava_agent")
    module.LLavaAgent = LLavaAgent  # type: ignore[attr-defined]
    return module


def restore(source: str, folder: Path, lr: str, seed: str, output: str, steps: str) -> None:
    """Run the official script on one image."""
    import numpy as np
    from PIL import Image

    caption = (folder / "caption.txt").read_text()
    images = Path(output).with_suffix("")
    options = ["--seed", int(seed) % 2**32, "--edm_steps", steps, *([] if caption else ["--no_llava"])]
    run_script(source, folder, lr, images, options, instead_of_llava(caption))
    np.save(output, np.asarray(Image.open(images / "image_0.png")))


def caption(source: str, folder: Path, lr: str, seed: str, output: str) -> None:
    """Run the official script on one image with LLaVA, and write the caption."""
    import torch
    from llava import llava_agent

    class LLavaAgent(llava_agent.LLavaAgent):  # type: ignore[misc]
        def __init__(self, path: str, **more: Any) -> None:
            super().__init__(path, **{**more, "device": "cpu"})
            self.model.float()

        def gen_image_caption(self, images: list[Any]) -> Any:
            torch.manual_seed(int(seed))
            with patch.object(torch.Tensor, "half", torch.Tensor.float):
                return super().gen_image_caption(images)

    module = ModuleType("llava.llava_agent")
    module.LLavaAgent = LLavaAgent  # type: ignore[attr-defined]
    variables = run_script(source, folder, lr, Path(output).with_suffix(""), ["--edm_steps", 1], module)
    Path(output).write_text(variables["captions"][0])


def run_script(
    source: str, folder: Path, lr: str, images: Path, options: list[Any], llava: ModuleType
) -> dict[str, Any]:
    """Run the official script as a program on one image, and return its global variables at the end."""
    import numpy as np
    import torch
    from PIL import Image

    (images / "in").mkdir(parents=True)
    Image.fromarray(np.load(lr)).save(images / "in" / "image.png")
    shrink()
    os.chdir(folder)
    options = ["--img_dir", images / "in", "--save_dir", images, "--upscale", 4, *options]
    options += ["--s_noise", 1.003, "--s_cfg", 7.5, "--spt_linear_CFG", 4.0, "--ae_dtype", "fp32"]
    options += ["--diff_dtype", "fp32"]
    module_to, tensor_to = torch.nn.Module.to, torch.Tensor.to
    with (
        patch.dict(sys.modules, {"llava.llava_agent": llava}),
        patch.object(torch.cuda, "device_count", lambda: 1),
        patch.object(torch.nn.Module, "to", lambda self, *a, **k: module_to(self, *map(on_cpu, a), **k)),
        patch.object(torch.Tensor, "to", lambda self, *a, **k: tensor_to(self, *map(on_cpu, a), **k)),
        patch.object(sys, "argv", ["test.py", *map(str, options)]),
    ):
        return runpy.run_path(str(Path(source) / "test.py"), run_name="__main__")


def on_cpu(value: Any) -> Any:
    """Replace the name of the GPU by that of the CPU, and return other values unchanged."""
    return "cpu" if isinstance(value, str) and value == "cuda:0" else value


if __name__ == "__main__":
    what, method, source, folder, *rest = sys.argv[1:]
    sys.path[0] = source
    os.chdir(source)
    if what == "tiny":
        tiny(Path(folder))
    else:
        set_paths(Path(folder), second=str(Path(folder) / "open_clip_pytorch_model.bin"))
        if what == "restore":
            restore(source, Path(folder), *rest)
        else:
            caption(source, Path(folder), *rest)
