"""ResShift's and SinSR's adapters: the inputs that they give to the official sampler, as `sampler.py` of each does."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch

from tests.support.official_code import Network, OmegaConf, Recorder, load_module
from tests.support.pictures import picture

SEED = 7_000_000_000_000_000_001
CONFIG = "realsr_swinunet_realesrgan256.yaml"
FILES: dict[str, dict[str, dict[str, Any]]] = {
    name: {
        "model": {"target": "unet", "params": {"lq_size": 64}},
        "autoencoder": {"target": "vqgan", "params": {"n_embed": 8192}},
        "diffusion": {"target": "diffusion", "params": {"sf": 4, "steps": 15, "timestep_respacing": None}},
    }
    for name in (CONFIG, "SinSR.yaml")
}
WEIGHTS = {
    "resshift": ("resshift", "resshift_realsrx4_s15_v1.pth"),
    "sinsr": ("sinsr", "SinSR_v1.pth"),
}


class Diffusion:
    """Substitute for the official sampler; the output is the enlarged LR image, slightly outside [-1, 1]."""

    def __init__(self, params: Any) -> None:
        self.params = params
        self.p_sample_loop = Recorder(self._sample)

    def _sample(self, *, y: torch.Tensor, **_: Any) -> torch.Tensor:
        return 1.25 * y.repeat_interleave(4, 2).repeat_interleave(4, 3)


class Built:
    """Substitutes for `instantiate_from_config` and `reload_model` that record their arguments."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self.loaded: dict[str, Any] = {}

    def instantiate(self, config: Any) -> Any:
        self.made[config.target] = Diffusion(config.params) if config.target == "diffusion" else Network()
        return self.made[config.target]

    def reload(self, network: Any, state: Any) -> None:
        (name,) = [target for target, made in self.made.items() if made is network]
        self.loaded[name] = state


def load(method: str, folder: Path) -> tuple[Any, Built, OmegaConf]:
    """Write checkpoints with distinct contents, and load the method with them."""
    built, omega = Built(), OmegaConf(FILES)
    role, file = WEIGHTS[method]
    for number, path in enumerate([folder / role / file, folder / "autoencoder" / "autoencoder_vq_f4.pth"]):
        path.parent.mkdir()
        torch.save({"state_dict": {"which": torch.tensor(number)}}, path)
    modules: dict[str, dict[str, Any]] = {
        "omegaconf": {"OmegaConf": omega},
        "utils.util_common": {"instantiate_from_config": built.instantiate},
        "utils.util_net": {"reload_model": built.reload},
    }
    weights = {role: str(folder / role), "autoencoder": str(folder / "autoencoder")}
    more = {"config": CONFIG} if method == "resshift" else {}
    adapter = load_module(method, modules)
    model = adapter.load(source="/source", weights=weights, device="cpu", checkpoint=file, **more)
    return model, built, omega


METHODS = pytest.mark.parametrize("method", ["resshift", "sinsr"])


@METHODS
@pytest.mark.parametrize("size", [(64, 128), (40, 72), (65, 64)])
def test_the_sampler_is_given_the_raw_image_padded_by_its_reflection(
    method: str, size: tuple[int, int], tmp_path: Path
) -> None:
    model, built, _ = load(method, tmp_path)
    height, width = size
    lr = picture(1, 160)[:height, :width]
    output = model.restore(lr, SEED)
    below, right = -height % 64, -width % 64
    padded = np.pad(lr, ((0, below), (0, right), (0, 0)), "reflect")
    expected = torch.from_numpy(padded / 255 * 2 - 1).permute(2, 0, 1)[None].float()
    call = built.made["diffusion"].p_sample_loop.only
    torch.testing.assert_close(call.y, expected)
    assert call.model_kwargs.keys() == {"lq"}
    assert call.model_kwargs["lq"] is call.y
    # The output is clamped and rounded to nearest, and the padding is cut off.
    levels = np.rint(np.clip(1.25 * (lr.repeat(4, 0).repeat(4, 1) / 255 * 2 - 1), -1, 1) * 127.5 + 127.5)
    assert output.shape == (4 * height, 4 * width, 3)
    assert np.abs(output - levels).max() <= 1
    assert (output == levels).mean() > 0.99


@METHODS
def test_the_sampler_is_called_as_the_official_class_does(method: str, tmp_path: Path) -> None:
    model, built, _ = load(method, tmp_path)
    model.restore(picture(1, 64), SEED)
    call = vars(built.made["diffusion"].p_sample_loop.only)
    networks = {"model": built.made["unet"], "first_stage_model": built.made["vqgan"]}
    plain = {"noise": None, "noise_repeat": False, "clip_denoised": False, "denoised_fn": None, "progress": False}
    one_step = {"one_step": True} if method == "sinsr" else {}
    without_image = {name: value for name, value in call.items() if name not in ("y", "model_kwargs", "arguments")}
    assert without_image == {**networks, **plain, **one_step}
    assert model.network is built.made["unet"]


@METHODS
def test_networks_and_their_weights_are_the_named_ones(method: str, tmp_path: Path) -> None:
    _, built, omega = load(method, tmp_path)
    assert {name: int(state["which"]) for name, state in built.loaded.items()} == {"unet": 0, "vqgan": 1}
    assert omega.read == [f"/source/configs/{CONFIG if method == 'resshift' else 'SinSR.yaml'}"]
    # As in SinSR's script; the single step is the last of ResShift's fifteen.
    respacing = built.made["diffusion"].params.timestep_respacing
    assert respacing == (15 if method == "sinsr" else None)


@METHODS
def test_images_that_the_scripts_divide_into_tiles_are_refused(method: str, tmp_path: Path) -> None:
    model, _, _ = load(method, tmp_path)
    with pytest.raises(ValueError, match="LR image of 513x8: larger than 512 pixels is not supported"):
        model.restore(np.zeros((513, 8, 3), np.uint8), SEED)


@pytest.mark.parametrize(("params", "side"), [({"lq_size": 32}, 96), ({}, 128)])
def test_resshift_pads_to_what_its_configuration_says(params: dict[str, int], side: int, tmp_path: Path) -> None:
    with patch.dict(FILES[CONFIG]["model"], params=params):
        model, built, _ = load("resshift", tmp_path)
    model.restore(picture(1, 80), SEED)
    assert built.made["diffusion"].p_sample_loop.only.y.shape == (1, 3, side, side)
