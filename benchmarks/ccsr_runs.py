"""Compare ten runs of one image by our CCSR with a loop that repeats the official script's work for every run.

    python benchmarks/ccsr_runs.py                          # networks of a quarter of the width, on the CPU
    python benchmarks/ccsr_runs.py --full --device cuda --dtype float16

The weights are random: times do not depend on them, and nothing is downloaded. The loop embeds the prompts, encodes the
LR image and calls the networks at batch 1 for each run, with the same networks, kernels and memory settings. Both are
warmed up and then measured alternately; the script prints the medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ccsr_bench.ccsr import CCSR, ColorFix, Networks, Quirks, Sampler, Settings, draw_noise
from ccsr_bench.ccsr import architecture as released
from ccsr_bench.ccsr.networks import build_controlnet
from ccsr_bench.ccsr.sampler import Posterior

RUNS = 10
TOKENS = 77
STEPS: dict[str, dict[str, Any]] = {
    "CCSR-S1": {"num_inference_steps": 1, "t_max": 0.6666, "t_min": 0.0, "guidance_scale": 1.0},
    "CCSR-S2": {},
}


def narrow(config: Any, *, groups: int) -> dict[str, Any]:
    """Return a network's configuration with a quarter of its channels; heads keep their width where possible."""
    quarter = dict(config)
    quarter["block_out_channels"] = tuple(width // 4 for width in config["block_out_channels"])
    quarter["norm_num_groups"] = groups
    if "cross_attention_dim" in config:
        quarter["cross_attention_dim"] = config["cross_attention_dim"] // 4
        quarter["attention_head_dim"] = tuple(max(heads // 4, 1) for heads in config["attention_head_dim"])
    return quarter


def build(*, full: bool, device: torch.device, dtype: torch.dtype) -> tuple[Networks, Any]:
    """Build the networks and the text encoder with random weights."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    groups = {"unet": 32 if full else 16, "vae": 32}
    unet, controlnet, vae = (
        dict(config) if full else narrow(config, groups=count)
        for config, count in (
            (released.UNET, groups["unet"]),
            (released.CONTROLNET, groups["unet"]),
            (released.VAE, groups["vae"]),
        )
    )
    text = dict(released.TEXT_ENCODER)
    if not full:
        text |= {"hidden_size": 256, "intermediate_size": 1024, "num_attention_heads": 4}
    with torch.device("meta"):
        built = [
            UNet2DConditionModel.from_config(unet),
            build_controlnet(controlnet),
            AutoencoderKL.from_config(vae),
            CLIPTextModel(CLIPTextConfig(**text)),
        ]
    for network in built:
        fill(network, device, dtype)
    return Networks(*built[:3]), built[3].eval()


def fill(network: Any, device: torch.device, dtype: torch.dtype) -> None:
    """Give a network on the meta device random weights that keep its activations finite."""
    network.to_empty(device=device)
    for name, parameter in network.named_parameters():
        parameter.data = parameter.data.to(dtype)
        if parameter.ndim > 1:
            parameter.data.uniform_(-1, 1).mul_(parameter[0].numel() ** -0.5)
        else:
            parameter.data.fill_(float("norm" in name and name.endswith("weight")))
    for name, buffer in network.named_buffers():
        if name.endswith("position_ids"):
            buffer.copy_(torch.arange(buffer.numel(), device=device)[None])


@torch.inference_mode()
def embed(encoder: Any, texts: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """Return an embedding of 77 random tokens for each text."""
    tokens = torch.randint(0, 1000, (1, TOKENS), device=encoder.device)
    return {text: encoder(tokens, attention_mask=None)[0] for text in dict.fromkeys(texts)}


def compare(name: str, networks: Networks, encoder: Any, lr: np.ndarray, batch: int | None, rounds: int) -> None:
    """Measure and print one method."""
    clean = networks.dtype != torch.float16
    settings = Settings(**STEPS[name], quirks=Quirks(numerics="clean" if clean else "official"))
    texts = (settings.first_step_text, *settings.loop_texts)
    ours = CCSR(networks, embed(encoder, texts), settings, batch=batch)
    height, width, _ = ours.reference(lr).shape
    noises = [draw_noise(seed, settings, height // 8, width // 8) for seed in range(RUNS)]

    @torch.inference_mode()
    def loop() -> None:
        for noise in noises:
            sampler = Sampler(networks, embed(encoder, texts), settings)
            reference = ours.reference(lr)
            image = torch.from_numpy(reference).permute(2, 0, 1)[None].float().div(255).to(networks.device)
            # Under guidance the official script encodes the image twice.
            image = image.repeat(len(settings.loop_texts), 1, 1, 1).to(sampler.latent_dtype)
            posterior = Posterior(*networks.encode(2 * image - 1))
            decoded = sampler.decode(sampler.sample(posterior, noise.to(networks.device, sampler.latent_dtype)))
            pixels = (decoded[0] * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
            ColorFix(settings.color_fix, reference)(pixels)

    def batched() -> None:
        ours.restore_from(lr, noises)

    times: dict[Callable[[], None], list[float]] = {loop: [], batched: []}
    for round_ in range(rounds + 1):
        for work, taken in times.items():
            started = time.perf_counter()
            work()
            if networks.device.type == "cuda":
                torch.cuda.synchronize()
            if round_:
                taken.append(time.perf_counter() - started)
    slow, fast = (statistics.median(taken) / RUNS for taken in times.values())
    sys.stdout.write(f"{name}: loop {slow:.3f} s per run, ours {fast:.3f} s per run: {slow / fast:.2f} times as fast\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="networks of the released size")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--batch", type=int, help="runs at once (default: as the benchmark chooses)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.manual_seed(0)
    device = torch.device(options.device)
    networks, encoder = build(full=options.full, device=device, dtype=getattr(torch, options.dtype))
    processor = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
    )
    sys.stdout.write(f"512x512, {RUNS} runs, {options.dtype}, torch {torch.__version__}, {processor}\n")
    lr = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    for name in STEPS:
        compare(name, networks, encoder, lr, options.batch, options.rounds)


if __name__ == "__main__":
    main()
