"""PASD's adapter: the inputs of the official code, as in its script with ``--upscale 4 --process_size 512``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.official_code import TORCHVISION, Network, Recorder, first_noise, load_module, pillow
from tests.support.paper_settings import paper_settings
from tests.support.pictures import picture

BICUBIC, BILINEAR = Image.Resampling.BICUBIC, Image.Resampling.BILINEAR
SEED = 7_000_000_000_000_000_001
CAPTION = "a street at night with lamps "
SCHEDULER = {"beta_schedule": "scaled_linear", "steps_offset": 1, "_class_name": "PNDMScheduler"}
CALL = paper_settings().families["pasd"].call

IMAGES = {
    "square": (picture(0, 128), [(512, 512, BICUBIC)]),
    "large": (picture(1, 160)[:131, :157], [(628, 524, BICUBIC), (624, 520, BICUBIC)]),
    "small": (picture(2, 160)[:102, :133], [(532, 408, BICUBIC), (667, 512, BILINEAR), (664, 512, BICUBIC)]),
}
"""LR images and the sizes that the script resizes them to: four times, at least 512 pixels, multiples of 8."""


class Pipeline:
    """Substitute for the official pipeline, whose output is the image's negative."""

    def __init__(self) -> None:
        self.unet = Network()
        self.scheduler = Namespace(config=SCHEDULER)
        self.given = Recorder(self._sample)
        self.noise: list[torch.Tensor] = []

    def set_progress_bar_config(self, *, disable: bool) -> None:
        assert disable

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.given(*arguments, **named)

    def _sample(
        self, options: Namespace, prompt: str, image: Image.Image, *, generator: torch.Generator, **_: Any
    ) -> Namespace:
        self.noise.append(torch.randn(3, generator=generator))
        return Namespace(images=[Image.fromarray(255 - np.asarray(image))])


class Script:
    """Substitutes for the parts of the official script that the adapter uses."""

    def __init__(self) -> None:
        self.pipeline = Pipeline()
        self.load = Recorder(self._load)
        self.captioner = Recorder(self._captioner)
        self.prompt = Recorder(self._prompt)
        self.colour = Recorder(self._colour)
        self.scheduler_of_authors = dict(SCHEDULER)
        scheduler = Namespace(from_pretrained=lambda _: Namespace(config=self.scheduler_of_authors))
        self.modules: dict[str, Any] = {
            **TORCHVISION,
            "open_clip.factory": {"download_pretrained": None},
            "diffusers": {"UniPCMultistepScheduler": scheduler},
            "pasd.myutils.vaehook": {"perfcount": None},
            "transformers": {"CLIPTextModel": None},
            "test_pasd": {
                "CLIPTextModel": None,
                "load_pasd_pipeline": self.load,
                "load_high_level_net": self.captioner,
                "get_validation_prompt": self.prompt,
                "wavelet_color_fix": self.colour,
            },
        }

    def _load(self, options: Namespace, place: Namespace, xformers: bool) -> Pipeline:
        return self.pipeline

    def _captioner(self, options: Namespace) -> tuple[str, str, None]:
        return "CoCa", "preprocessing", None

    def _prompt(
        self, options: Namespace, image: Image.Image, model: Any, preprocess: Any, category: Any, device: str = "cuda"
    ) -> str:
        return CAPTION

    def _colour(self, target: Image.Image, source: Image.Image) -> Image.Image:
        return Image.fromarray(np.asarray(target) // 2)

    def model(self, steps: int = 20, added_noise_level: int = 900) -> Any:
        """Load the adapter and its model."""
        weights = {role: f"/weights/{role}" for role in ("base", "pasd", "caption")}
        return load_module("pasd", self.modules).load(
            source=Path("/source"), weights=weights, device="cpu", steps=steps, added_noise_level=added_noise_level
        )


@pytest.mark.parametrize("name", IMAGES)
def test_pasd_receives_the_inputs_of_its_script(name: str) -> None:
    script = Script()
    lr, sizes = IMAGES[name]
    output = script.model().restore(lr, SEED)
    expected = Image.fromarray(lr)
    for width, height, kernel in sizes:
        expected = pillow(expected, width, height, kernel)
    call = script.pipeline.given.only
    _, prompt, image = call.arguments
    np.testing.assert_array_equal(image, expected)
    assert prompt == f"{CAPTION}clean, high-resolution, 8k"  # no separator
    for setting in ("negative_prompt", "guidance_scale", "conditioning_scale"):
        assert getattr(call, setting) == CALL[setting]
    torch.testing.assert_close(script.pipeline.noise[0], first_noise(SEED))
    target, source = script.colour.only.arguments
    np.testing.assert_array_equal(target, 255 - np.asarray(expected))
    np.testing.assert_array_equal(source, expected)
    height, width, _ = lr.shape
    np.testing.assert_array_equal(output, pillow(np.asarray(target) // 2, 4 * width, 4 * height, BICUBIC))


def test_the_raw_image_is_described_once() -> None:
    script = Script()
    model = script.model()
    lr = IMAGES["small"][0]
    for seed in (5, 6, 5):
        model.restore(lr, seed)
    torch.testing.assert_close(torch.stack(script.pipeline.noise), torch.stack([first_noise(s) for s in (5, 6, 5)]))
    _, image, *captioner = script.prompt.only.arguments
    np.testing.assert_array_equal(image, lr)
    assert captioner == ["CoCa", "preprocessing", None]


@pytest.mark.parametrize(("steps", "level"), [(20, 900), (3, 400)])
def test_the_settings_are_the_scripts(steps: int, level: int) -> None:
    script = Script()
    script.model(steps, level).restore(IMAGES["square"][0], SEED)
    options, place, xformers = script.load.only.arguments
    assert {name: getattr(options, name) for name in CALL} == CALL
    assert (options.num_inference_steps, options.added_noise_level) == (steps, level)
    assert (options.pretrained_model_path, options.pasd_model_path) == ("/weights/base", "/weights/pasd")
    assert (place.mixed_precision, xformers) == ("no", False)
    call = script.pipeline.given.only
    assert call.arguments[0] is options
    assert call.num_inference_steps == steps  # the pipeline reads both


def test_another_scheduler_than_the_checkouts_is_refused() -> None:
    script = Script()
    script.scheduler_of_authors = {**SCHEDULER, "steps_offset": 0, "_class_name": "UniPCMultistepScheduler"}
    with pytest.raises(ValueError, match=r"the scheduler of the base model has {'steps_offset': 1}"):
        script.model()


def test_images_that_the_official_code_cannot_encode_are_refused() -> None:
    model = Script().model()
    assert model.restore(np.zeros((128, 272, 3), np.uint8), SEED).shape == (512, 1088, 3)
    with pytest.raises(ValueError, match="the image to restore, 512x1096, has a side of more than 1088 pixels"):
        model.restore(np.zeros((128, 274, 3), np.uint8), SEED)
