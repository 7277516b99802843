"""DiffBIR's adapter: the inputs that it gives to the official loop, which enlarges and restores images."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.official_code import Network, OmegaConf, Recorder, load_module
from tests.support.paper_settings import paper_settings
from tests.support.pictures import picture

FAMILY = paper_settings().families["diffbir"]
NEGATIVE = "low quality, blurry, low-resolution, noisy, unsharp, weird textures"
FILES = {"base": "v2-1_512-ema-pruned.ckpt", "control": "v1_general.pth", "cleaner": "general_swinir_v1.ckpt"}


DEFAULTS = {
    "task": "denoise",
    "upscale": 2.0,
    "version": "v2.1",
    "sampler": "edm_dpm++_3m_sde",
    "steps": 10,
    "captioner": "llava",
    "pos_prompt": "a photograph",
    "neg_prompt": "low quality",
    "cfg_scale": 6.0,
    "device": "cuda",
    "precision": "fp16",
    "input": "",
    "output": "results",
}
"""Defaults of the command line; none of them is a setting of the paper."""


def parse_args() -> Namespace:
    """Read the command line as the official script does."""
    parser = argparse.ArgumentParser()
    for name, default in DEFAULTS.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser.parse_args()


class ControlLDM(Network):
    """Substitute for the official network; a file may lack some of its weights."""

    missing: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.unet = Network()
        self.prepare = Recorder(self._prepare)

    def load_pretrained_sd(self, state: dict[str, torch.Tensor]) -> tuple[set[str], set[str]]:
        return set(), set(self.missing)

    def prepare_condition(self, image: torch.Tensor, prompts: list[str], *tiles: Any) -> dict[str, Any]:
        prepared: dict[str, Any] = self.prepare(image, prompts, *tiles)
        return prepared

    def _prepare(self, image: torch.Tensor, prompts: list[str], *tiles: Any) -> dict[str, Any]:
        return {"c_txt": f"embedding of '{prompts[0]}'", "c_img": image.mean()}


class BSRInferenceLoop:
    """Substitute for the official loop over the images of a folder."""

    common: Any = None
    """Substitute for the official module that downloads files."""

    def __init__(self, args: Namespace) -> None:
        self.args = args
        self.cldm = ControlLDM()
        self.weights = self.common.load_file_from_url("https://example.org/weights/v1_general.pth", model_dir="weights")
        self.cldm.load_pretrained_sd({})
        self.configuration = OMEGA.load("configs/inference/cldm.yaml")
        self.clean = Recorder(self._clean)
        self.pipeline = Namespace(apply_cleaner=lambda *given: self.clean(*given))
        self.seen: list[np.ndarray] = []
        self.conditions: list[tuple[Any, Any]] = []

    def _clean(self, image: torch.Tensor, *tiles: Any) -> torch.Tensor:
        return image + 1

    def run(self) -> None:
        """Restore every image: the output is the negative of the image enlarged four times."""
        self.setup()  # type: ignore[attr-defined]
        for lq in self.load_lq():  # type: ignore[attr-defined]
            self.seen.append(np.asarray(lq))
            cleaned = self.pipeline.apply_cleaner(torch.from_numpy(np.asarray(lq, np.float32)), False, 512, 256)
            both = [
                self.cldm.prepare_condition(cleaned, [prompt], False, 256)
                for prompt in (self.args.pos_prompt, self.args.neg_prompt)
            ]
            self.conditions.append((both[0].pop("c_txt"), both[1].pop("c_txt")))
            self.save([255 - np.asarray(lq).repeat(4, 0).repeat(4, 1)], "positive", "negative")  # type: ignore[attr-defined]


OMEGA = OmegaConf({"cldm.yaml": {"target": "cldm"}})


@pytest.fixture(autouse=True)
def original_autocast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo the change that the adapter makes to torch on a CPU."""
    monkeypatch.setattr(torch, "autocast", torch.autocast)


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, str]:
    """Folders with empty files of the official names."""
    for role, file in FILES.items():
        (tmp_path / role).mkdir()
        (tmp_path / role / file).write_bytes(b"")
    return {role: str(tmp_path / role) for role in FILES}


def load(weights: dict[str, str], **parameters: Any) -> tuple[Any, BSRInferenceLoop]:
    """Load the adapter's model with the parameters of a variant."""
    modules: dict[str, dict[str, Any]] = {
        "diffbir.utils.common": {"load_file_from_url": None, "VRAMPeakMonitor": None},
        "diffbir.model": {"ControlLDM": ControlLDM},
        "diffbir.sampler.spaced_sampler": {"tqdm": None},
        "omegaconf": {"OmegaConf": OMEGA},
        "inference": {"parse_args": parse_args, "BSRInferenceLoop": BSRInferenceLoop},
    }
    adapter = load_module("diffbir", modules)
    with patch.object(BSRInferenceLoop, "common", adapter.common):
        model = adapter.load(source="/source", weights=weights, device="cpu", **parameters)
    return model, model._loop


@pytest.mark.parametrize("variant", sorted(FAMILY.variants))
def test_diffbir_receives_the_official_options(variant: str, weights: dict[str, str]) -> None:
    parameters = FAMILY.variants[variant].parameters
    arguments = list(sys.argv)
    _, loop = load(weights, **parameters)
    assert {**vars(loop.args), "input": "", "output": ""} == {
        **FAMILY.call,
        **parameters,
        "device": "cpu",
        "input": "",
        "output": "",
    }
    assert sys.argv == arguments


def test_diffbir_receives_the_raw_image(weights: dict[str, str]) -> None:
    """The official loop enlarges the image, for v1 by Pillow's bicubic filter and for v2 by a network."""
    model, loop = load(weights, version="v1", steps=50, cfg_scale=1, neg_prompt="")
    lr = picture(1, 160)[:100, :141]
    output = model.restore(lr, 5)
    np.testing.assert_array_equal(loop.seen[0], lr)
    assert isinstance(model._loop.image, Image.Image)
    np.testing.assert_array_equal(output, 255 - lr.repeat(4, 0).repeat(4, 1))
    assert model.network is loop.cldm.unet


def test_what_is_independent_of_the_seed_is_computed_once_per_image_and_prompt(weights: dict[str, str]) -> None:
    model, loop = load(weights, version="v2", steps=50, cfg_scale=4, neg_prompt=NEGATIVE)
    first, second = picture(1, 32), picture(2, 32)
    for lr in (first, first, second):
        model.restore(lr, 5)
    assert loop.conditions == [("embedding of ''", f"embedding of '{NEGATIVE}'")] * 3
    assert [call.arguments[1] for call in loop.cldm.prepare.calls] == [[""], [NEGATIVE]] * 2
    cleaned = [float(call.arguments[0].mean()) for call in loop.clean.calls]
    assert cleaned == pytest.approx([first.mean(), second.mean()], abs=1e-3)
    of_cleaned = [float(call.arguments[0].mean()) for call in loop.cldm.prepare.calls]
    assert of_cleaned == pytest.approx(np.repeat(cleaned, 2) + 1, abs=1e-3)


def test_files_are_the_installed_ones(weights: dict[str, str]) -> None:
    _, loop = load(weights, version="v1", steps=50, cfg_scale=1, neg_prompt="", configurations="/official")
    assert loop.weights == str(Path(weights["control"]) / FILES["control"])
    assert OMEGA.read[-1] == "/official/configs/inference/cldm.yaml"


def test_a_file_that_lacks_weights_is_refused(weights: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControlLDM, "missing", ("b", "a"))
    with pytest.raises(ValueError, match="base lacks 2 weights, such as a"):
        load(weights, version="v1", steps=50, cfg_scale=1, neg_prompt="")
