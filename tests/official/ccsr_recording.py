"""Recording the outputs of CCSR's official script for tiny networks, the references of `tests/ccsr/test_restore.py`.

    python -m tests.official.ccsr_recording

This command records them again. It needs the official checkout at the commit of `methods/ccsr/method.toml` and a Python
with torch 2.13.0, Pillow 13.0.0, diffusers 0.21.0, transformers 4.25.1, accelerate 0.29.3 and einops 0.8.2. The
environment variables CCSR_BENCH_OFFICIAL_CCSR and CCSR_BENCH_OFFICIAL_CCSR_PYTHON name the checkout and the Python
interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ccsr_bench.ccsr.noise import Noise, draw_noise
from ccsr_bench.ccsr.resize import upscale
from ccsr_bench.images import read_image, write_png
from tests.support.pictures import picture
from tests.support.recorded_ccsr import NUMERICS, PIXELS, settings_of
from tests.support.tiny_ccsr import GOLDEN, write_weights

CHECKOUT = "CCSR_BENCH_OFFICIAL_CCSR"
PYTHON = "CCSR_BENCH_OFFICIAL_CCSR_PYTHON"
SCRIPT = Path(__file__).with_name("ccsr_script.py")


def case(name: str, variant: str, size: tuple[int, int], seeds: list[int], **parameters: Any) -> dict[str, Any]:
    """Return a case in its recorded form, with the parameters that differ from those of the method's variant."""
    parameters = {"process_size": 64, **parameters}
    return {"name": name, "variant": variant, "size": list(size), "seeds": seeds, "parameters": parameters}


CASES = [
    case("s1", "ccsr-s1", (16, 16), [0, 2**63 - 1]),
    case("s2", "ccsr-s2", (16, 24), [1, 2**32 + 1]),
    case("s2-wavelet-odd", "ccsr-s2", (17, 23), [7], color_fix="wavelet"),
    case("s1-small", "ccsr-s1", (9, 13), [3, 4]),
    case("s2-no-fix-small", "ccsr-s2", (20, 24), [5], color_fix="none", process_size=96),
    case("s1-wavelet", "ccsr-s1", (24, 16), [2**40], color_fix="wavelet"),
    case("three-steps", "ccsr-t12", (16, 16), [11]),
    case("no-jump-from-noise-small", "ccsr-s2", (13, 31), [12], color_fix="none", t_max=1.0, start_point="noise"),
    case("to-the-end-wavelet-small", "ccsr-s2", (10, 15), [13], color_fix="wavelet", t_min=0.0),
]
"""Recorded cases. The shorter upscaled side is `process_size` or more; "small" is enlarged to it first."""


def options_of(recorded: dict[str, Any]) -> str:
    """Return the options of the official script; prompts and all other options keep their defaults."""
    settings = settings_of(recorded)
    options = {
        "num_inference_steps": settings.num_inference_steps,
        "t_max": settings.t_max,
        "t_min": settings.t_min,
        "guidance_scale": settings.guidance_scale,
        "start_point": settings.start_point,
        "align_method": {"none": "nofix"}.get(settings.color_fix, settings.color_fix),
        "upscale": settings.upscale,
        "process_size": settings.process_size,
        "sample_times": len(recorded["seeds"]),
    }
    return " ".join(["--use_vae_encode_condition", *(f"--{name} {value}" for name, value in options.items())])


def lr_image(recorded: dict[str, Any]) -> np.ndarray:
    """Return the LR image of a case: waves with noise, with levels from black to white."""
    height, width = recorded["size"]
    generator = np.random.default_rng(recorded["seeds"][0])
    waves = picture(len(recorded["name"]), 32)[:height, :width] * 2.0 - 128
    pixels: np.ndarray = (waves + generator.normal(0, 25, waves.shape)).clip(0, 255).astype(np.uint8)
    return pixels


def official_outputs(
    recorded: dict[str, Any], lr: np.ndarray, weights: Path, options: str, precision: str
) -> np.ndarray:
    """Run the official script on an LR image with the noise of a case's seeds, and return (runs, H, W, 3) uint8."""
    settings = settings_of(recorded)
    height, width = upscale(lr, factor=settings.upscale, process_size=settings.process_size).shape[:2]
    noise = Noise.stack([draw_noise(seed, settings, height // 8, width // 8) for seed in recorded["seeds"]])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_png(folder / "image.png", lr)
        np.savez(folder / "noise.npz", **{role: tensor.numpy() for role, tensor in vars(noise).items()})
        paths = {
            "pretrained_model_path": weights / "stable-diffusion-2-1-base",
            "controlnet_model_path": weights,
            "vae_model_path": weights,
            "image_path": folder / "image.png",
            "output_dir": folder / "output",
            "mixed_precision": "fp16" if precision == "float16" else "no",
        }
        command = [os.environ[PYTHON], "-B", SCRIPT, os.environ[CHECKOUT], folder / "noise.npz", precision]
        command += options.split()
        command += [part for name, value in paths.items() for part in (f"--{name}", value)]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the official script failed: {done.stderr[-3000:]}")
        (written,) = (folder / "output").iterdir()
        return np.stack([read_image(path) for path in sorted(written.glob("sample*/image.png"))])


def write_official_weights(folder: Path) -> Path:
    """Write tiny weights, and the configuration of a class that the official script loads but never calls."""
    write_weights(folder)
    extractor = folder / "stable-diffusion-2-1-base" / "feature_extractor"
    extractor.mkdir()
    (extractor / "preprocessor_config.json").write_text("{}")
    return folder


def main() -> None:
    """Record every case."""
    arrays: dict[str, np.ndarray] = {}
    cases = []
    with tempfile.TemporaryDirectory() as name:
        weights = write_official_weights(Path(name) / "weights")
        for planned in CASES:
            lr, options = lr_image(planned), options_of(planned)
            arrays[f"{planned['name']}/lr"] = lr
            for precision in NUMERICS:
                outputs = official_outputs(planned, lr, weights, options, precision)
                arrays[f"{planned['name']}/{precision}"] = outputs
            cases.append({**planned, "options": options})
    np.savez_compressed(PIXELS, **arrays)  # type: ignore[arg-type]
    lines = ",\n".join(json.dumps(recorded) for recorded in cases)
    (GOLDEN / "restore.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
