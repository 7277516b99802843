"""SeeSR's, AddSR's and OSEDiff's adapters: the inputs that they give to the official code."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.official_code import (
    TORCHVISION,
    Compose,
    Network,
    Recorder,
    Resize,
    first_noise,
    load_module,
    pillow,
)
from tests.support.paper_settings import paper_settings
from tests.support.pictures import picture

BICUBIC, LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.LANCZOS
SEED = 7_000_000_000_000_000_001
TAGS = "lamp, street"
SCHEDULE = {"clip_sample": False, "steps_offset": 1, "timestep_spacing": "leading", "prediction_type": "epsilon"}

LARGE = picture(1, 160)[:133, :159]
SMALL = picture(2, 160)[:100, :134]
EXPECTED = {
    "large": (LARGE, [(636, 532), (632, 528)]),
    "small": (SMALL, [(171, 128), (684, 512), (680, 512)]),
    "even": (LARGE[:128, :128], [(512, 512)]),
}
"""LR images and the sizes that the scripts resize them to: at least 128 pixels, four times that, multiples of 8."""


def enlarged(name: str, last: Image.Resampling = BICUBIC) -> Image.Image:
    """Return the image that the scripts give to the network."""
    lr, sizes = EXPECTED[name]
    image = Image.fromarray(lr)
    for width, height in sizes[:-1]:
        image = pillow(image, width, height, BICUBIC)
    return pillow(image, *sizes[-1], last if len(sizes) > 1 else BICUBIC)


def inverted(image: Image.Image) -> Image.Image:
    """Return the output of the substitute networks for an image."""
    return Image.fromarray(255 - np.asarray(image))


def colour_fixed(image: Image.Image) -> Image.Image:
    """Return the output of the substitute colour fix for an image."""
    return Image.fromarray(np.asarray(image) // 2)


class Vae:
    """Substitute for the decoder, which returns the latent."""

    config = Namespace(scaling_factor=0.18215)

    def decode(self, latents: torch.Tensor, *, return_dict: bool) -> tuple[torch.Tensor]:
        assert not return_dict
        return (latents,)


class Scheduler:
    """Substitute for the scheduler of SeeSR's or AddSR's pipeline."""

    def __init__(self) -> None:
        self.config = {**SCHEDULE}


class Pipeline:
    """Substitute for the official pipeline, whose output is the control image's negative."""

    def __init__(self) -> None:
        self.unet = Network()
        self.vae = Vae()
        self.scheduler = Scheduler()
        self.image_processor = Namespace(postprocess=Recorder(self._postprocess))
        self.given = Recorder(self._sample)
        self.timesteps: list[int] = []
        self.noise: list[torch.Tensor] = []

    def set_progress_bar_config(self, *, disable: bool) -> None:
        assert disable

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.given(*arguments, **named)

    def _postprocess(self, decoded: torch.Tensor, output_type: str) -> list[Image.Image]:
        return [PICTURE]

    def _sample(self, prompt: str, image: Image.Image, *, generator: torch.Generator, **_: Any) -> Any:
        self.noise.append(torch.randn(3, generator=generator))
        for timestep in (999, 749, 499, 249):
            self.timesteps.append(timestep)
            if hasattr(self.scheduler, "get_z0"):
                self.scheduler.get_z0(torch.full((1, 4, 2, 2), 2.0), torch.ones(1, 4, 2, 2), timestep)
        return Namespace(images=[inverted(image)])


PICTURE = Image.fromarray(picture(3, 512))
"""Decoded output of a single step."""


class Script:
    """Substitutes for the parts of the official script that the adapters of SeeSR and AddSR use."""

    def __init__(self) -> None:
        self.pipeline = Pipeline()
        self.embeddings = torch.full((1, 2, 512), 0.5)
        self.load = Recorder(self._load)
        self.prompt = Recorder(self._prompt)
        self.colour = Recorder(self._colour)

    def _load(self, options: Namespace, place: Namespace, xformers: bool) -> Pipeline:
        return self.pipeline

    def _prompt(self, options: Namespace, image: Image.Image, model: Any, device: str) -> tuple[str, torch.Tensor]:
        return f"{TAGS}, {options.prompt},", self.embeddings

    def _colour(self, target: Image.Image, source: Image.Image) -> Image.Image:
        return colour_fixed(target)


def tagger_modules() -> dict[str, Any]:
    """Return the tagger's module, with substitutes for the names that the adapters use."""
    return {
        "ram.models.ram_lora": {
            "ram": Recorder(lambda **_: Network()),
            "load_checkpoint_swinlarge": None,
            "init_tokenizer": None,
        }
    }


WEIGHTS = {role: f"/weights/{role}" for role in ("base", "seesr", "addsr", "ram", "dape")}


def check_call(script: Script, family: str) -> None:
    """Assert that the pipeline was built and called with the official settings."""
    expected = paper_settings().families[family].call
    options, place, xformers = script.load.only.arguments
    assert {name: getattr(options, name) for name in expected} == expected
    assert (place.mixed_precision, xformers) == ("no", False)
    call = script.pipeline.given.only
    for name in ("guidance_scale", "negative_prompt", "conditioning_scale", "start_point"):
        assert getattr(call, name) == expected[name]
    assert call.arguments[0] == f"{TAGS}, ,{expected['added_prompt']}"
    assert call.args is options
    torch.testing.assert_close(call.ram_encoder_hidden_states, script.embeddings)
    torch.testing.assert_close(script.pipeline.noise[0], first_noise(SEED))


def check_images(script: Script, name: str, output: np.ndarray) -> None:
    """Assert that the tagger saw the LR image, and the network and the colour fix the enlarged one."""
    lr, expected = EXPECTED[name][0], enlarged(name)
    _, tagged, _, device = script.prompt.only.arguments
    np.testing.assert_array_equal(tagged, lr)
    assert device == "cpu"
    call = script.pipeline.given.only
    np.testing.assert_array_equal(call.arguments[1], expected)
    assert (call.width, call.height) == expected.size
    target, source = script.colour.only.arguments
    np.testing.assert_array_equal(source, expected)
    height, width, _ = lr.shape
    np.testing.assert_array_equal(output, pillow(colour_fixed(target), 4 * width, 4 * height, BICUBIC))


def load_seesr(steps: int) -> tuple[Any, Script]:
    script = Script()
    modules = {
        **tagger_modules(),
        "diffusers": {"DiffusionPipeline": object},
        "diffusers.models.attention": {},
        "diffusers.models.normalization": {"AdaGroupNorm": object},
        "utils.vaehook": {"perfcount": None},
        "test_seesr": {
            "load_seesr_pipeline": script.load,
            "get_validation_prompt": script.prompt,
            "adain_color_fix": script.colour,
        },
    }
    adapter = load_module("seesr", modules)
    return adapter.load(source="/source", weights=WEIGHTS, device="cpu", steps=steps), script


@pytest.mark.parametrize("name", EXPECTED)
def test_seesr_receives_the_inputs_of_its_script(name: str) -> None:
    model, script = load_seesr(steps=50)
    output = model.restore(EXPECTED[name][0], SEED)
    check_call(script, "seesr")
    check_images(script, name, output)
    call = script.pipeline.given.only
    assert (call.num_inference_steps, call.latent_tiled_size, call.latent_tiled_overlap) == (50, 96, 4)
    target, _ = script.colour.only.arguments
    np.testing.assert_array_equal(target, inverted(enlarged(name)))


def test_seesr_starts_every_run_from_its_own_seed_and_tags_an_image_once() -> None:
    model, script = load_seesr(steps=3)
    for seed in (5, 6, 5):
        model.restore(EXPECTED["even"][0], seed)
    assert [call.num_inference_steps for call in script.pipeline.given.calls] == [3, 3, 3]
    torch.testing.assert_close(torch.stack(script.pipeline.noise), torch.stack([first_noise(s) for s in (5, 6, 5)]))
    assert len(script.prompt.calls) == 1
    model.restore(EXPECTED["small"][0], 5)
    assert len(script.prompt.calls) == 2


@pytest.mark.parametrize("changed", [{"steps_offset": 0}, {"timestep_spacing": "trailing"}, {"clip_sample": True}])
def test_seesr_refuses_a_scheduler_that_would_visit_other_timesteps(changed: dict[str, Any]) -> None:
    with patch.dict(SCHEDULE, changed), pytest.raises(ValueError, match="the scheduler of /weights/base has"):
        load_seesr(steps=3)


SCHEDULING = """
class DDPMScheduler:
    def get_z0(self, x, noise, timestep):
        return (x - noise) * timestep
"""


@pytest.fixture
def no_new_modules() -> Iterator[None]:
    """Forget modules that are imported by a test."""
    with patch.dict(sys.modules):
        yield


def load_addsr(source: Path, steps: int) -> tuple[Any, Script]:
    script = Script()
    (source / "utils").mkdir()
    (source / "utils" / "scheduling_ddpm.py").write_text(SCHEDULING)
    script.pipeline.scheduler = type("OwnScheduler", (Scheduler,), {})()
    modules = {
        **tagger_modules(),
        "utils.vaehook": {"perfcount": None},
        "pipelines.pipeline_addsr": {"RAM": None},
        "test_addsr": {
            "load_addsr_pipeline": script.load,
            "get_validation_prompt": script.prompt,
            "adain_color_fix": script.colour,
        },
    }
    adapter = load_module("addsr", modules)
    settings = {"steps": steps, "psr_weight": 0.4}
    return adapter.load(source=str(source), weights=WEIGHTS, device="cpu", **settings), script


@pytest.mark.usefixtures("no_new_modules")
@pytest.mark.parametrize("name", EXPECTED)
def test_addsr_receives_the_inputs_of_its_script(tmp_path: Path, name: str) -> None:
    model, script = load_addsr(tmp_path, steps=4)
    output = model.restore(EXPECTED[name][0], SEED)
    check_call(script, "addsr")
    check_images(script, name, output)
    call = script.pipeline.given.only
    assert (call.num_inference_steps, call.PSR_weight) == (2, 0.4)
    assert script.pipeline.timesteps == [999, 749, 499, 249]
    target, _ = script.colour.only.arguments
    np.testing.assert_array_equal(target, inverted(enlarged(name)))


@pytest.mark.usefixtures("no_new_modules")
def test_addsr_of_one_step_decodes_what_it_predicts_at_999(tmp_path: Path) -> None:
    """The author of AddSR describes this in issue 18 of the repository."""
    model, script = load_addsr(tmp_path, steps=1)
    output = model.restore(EXPECTED["large"][0], SEED)
    check_call(script, "addsr")
    check_images(script, "large", output)
    assert script.pipeline.timesteps == [999]
    processed = script.pipeline.image_processor.postprocess.only
    torch.testing.assert_close(processed.arguments[0], torch.full((1, 4, 2, 2), (2.0 - 1) * 999 / 0.18215))
    assert processed.output_type == "pil"
    target, _ = script.colour.only.arguments
    np.testing.assert_array_equal(target, PICTURE)


@pytest.mark.usefixtures("no_new_modules")
def test_addsr_has_four_steps_or_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 steps: AddSR has 1 or 4"):
        load_addsr(tmp_path, steps=2)


class OneStep(Network):
    """OSEDiff's model, whose output is half of the image with its sign changed."""

    def __init__(self, options: Namespace) -> None:
        super().__init__()
        self.options = options
        self.unet = Network()
        self.vae = Namespace(encode=self._encode)
        self.given = Recorder(self._restore)

    def _encode(self, image: str) -> Namespace:
        return Namespace(latent_dist=Namespace(sample=lambda: f"sample of {image}", mode=lambda: f"mode of {image}"))

    def _restore(self, image: torch.Tensor, prompt: str) -> torch.Tensor:
        return -image / 2

    def forward(self, image: torch.Tensor, prompt: str) -> Any:
        return self.given(image, prompt=prompt)


class OSEDiffScript:
    """Substitutes for the parts of OSEDiff's script that the adapter uses or replaces."""

    def __init__(self) -> None:
        self.colour = Recorder(self._colour)
        self.prompt = Recorder(self._prompt)
        self.modules: dict[str, Any] = {
            **tagger_modules(),
            **TORCHVISION,
            "my_utils.wavelet_color_fix": {"adain_color_fix": self.colour},
            "test_osediff": {
                "OSEDiff_test": OneStep,
                "get_validation_prompt": self.prompt,
                "ram_transforms": Compose([Resize((384, 384)), "normalise"]),
            },
        }

    def _colour(self, target: Image.Image, source: Image.Image) -> Image.Image:
        return colour_fixed(target)

    def _prompt(self, options: Namespace, image: Image.Image, model: Any, device: str) -> tuple[str, torch.Tensor]:
        levels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None] / 255
        return f"{TAGS}, {options.prompt},", levels

    def load(self, posterior: str) -> tuple[Any, Any]:
        """Return the module of the adapter and the model."""
        adapter = load_module("osediff", self.modules)
        return adapter, adapter.load(source="/source", weights=WEIGHTS, device="cpu", posterior=posterior)


@pytest.mark.parametrize("name", ["small", "even"])
def test_osediff_receives_the_inputs_of_its_script(name: str) -> None:
    script = OSEDiffScript()
    _, model = script.load("sample")
    lr = EXPECTED[name][0]
    output = model.restore(lr, SEED)
    expected = enlarged(name, last=LANCZOS)
    _, tagged, _, device = script.prompt.only.arguments
    np.testing.assert_array_equal(tagged, expected)
    assert device == "cpu"
    call = model._model.given.only
    levels = torch.from_numpy(np.array(expected)).permute(2, 0, 1)[None] / 255
    torch.testing.assert_close(call.arguments[0], levels * 2 - 1)
    assert call.prompt == f"{TAGS}, ,"
    np.testing.assert_array_equal(script.colour.only.source, expected)
    # The output is truncated to 8 bits, not rounded.
    made = ((0.5 - (levels[0] * 2 - 1) / 4) * 255).floor().to(torch.uint8).permute(1, 2, 0)
    target = np.asarray(script.colour.only.target)
    assert np.abs(target.astype(int) - made.numpy().astype(int)).max() <= 1
    assert (target == made.numpy()).mean() > 0.99
    height, width, _ = lr.shape
    fixed = pillow(colour_fixed(script.colour.only.target), 4 * width, 4 * height, BICUBIC)
    np.testing.assert_array_equal(output, fixed)


def test_osediff_is_built_with_the_settings_of_its_script() -> None:
    adapter, model = OSEDiffScript().load("sample")
    options, expected = model._model.options, paper_settings().families["osediff"].call
    assert {name: getattr(options, name) for name in expected} == expected
    assert options.osediff_path == "/source/preset/models/osediff.pkl"
    assert options.mixed_precision == "fp32"
    resize, normalise = adapter.official.ram_transforms.transforms
    assert (resize.size, resize.antialias, normalise) == ((384, 384), False, "normalise")


@pytest.mark.parametrize("posterior", ["sample", "mode"])
def test_osediff_samples_the_posterior_unless_the_mode_is_asked_for(posterior: str) -> None:
    _, model = OSEDiffScript().load(posterior)
    assert model._model.vae.encode("image").latent_dist.sample() == f"{posterior} of image"
    with pytest.raises(ValueError, match="posterior 'median' is neither sample nor mode"):
        OSEDiffScript().load("median")
