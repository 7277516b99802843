"""StableSR's adapter: the inputs of the official code, as in `scripts/sr_val_ddpm_text_T_vqganfin_old.py`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.official_code import TORCHVISION, Network, OmegaConf, Recorder, load_module
from tests.support.pictures import picture

SEED = 11
DIFFUSION, AUTOENCODER = "v2-finetune_text_T_512.yaml", "autoencoder_kl_64x64x4_resi.yaml"
FILES = {
    DIFFUSION: {"model": {"target": "diffusion", "params": {"cond_stage_config": {"params": {"freeze": True}}}}},
    AUTOENCODER: {"model": {"target": "autoencoder", "params": {"lossconfig": {"target": "a.download"}}}},
}
SCALE_FACTOR = 0.18215
LATENT = torch.full((1, 4, 64, 64), 0.3)


def evenly(timesteps: int, counts: Sequence[int]) -> set[int]:
    """Return the official choice of timesteps for a single section."""
    (count,) = counts
    return {round(index * (timesteps - 1) / (count - 1)) for index in range(count)}


class Diffusion(Network):
    """Substitute for the official diffusion model."""

    scale_factor = SCALE_FACTOR
    ori_timesteps: list[int]
    num_timesteps: int

    def __init__(self) -> None:
        super().__init__()
        self.model = Namespace(diffusion_model=Network())
        self.register_schedule = Recorder(self._register)
        self.get_first_stage_encoding = Recorder(self._encoding)
        self.cond_stage_model = Recorder(self._prompt)
        self.sample = Recorder(self._sample)
        self.noise: list[torch.Tensor] = []

    def _register(
        self, *, timesteps: int, given_betas: Any = None, linear_start: float = 0, linear_end: float = 0, **_: Any
    ) -> None:
        if given_betas is None:
            given_betas = np.linspace(linear_start**0.5, linear_end**0.5, timesteps) ** 2
        assert len(given_betas) == timesteps
        self.betas = np.asarray(given_betas)
        self.alphas_cumprod = torch.from_numpy(np.cumprod(1 - self.betas)).float()

    def _encoding(self, posterior: str) -> torch.Tensor:
        return LATENT

    def _prompt(self, prompts: list[str]) -> torch.Tensor:
        return torch.ones(1, 77, 8)

    def _sample(self, **_: Any) -> torch.Tensor:
        self.noise.append(torch.randn(3))
        return LATENT * 2


class Autoencoder(Network):
    """Substitute for the official encoder and decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = Namespace(fusion_w=1.0)
        self.encode = Recorder(self._encode)
        self.decode = Recorder(self._decode)

    def _encode(self, image: torch.Tensor) -> tuple[str, str]:
        return "posterior", "features"

    def _decode(self, latent: torch.Tensor, features: str) -> torch.Tensor:
        return torch.full((1, 3, 512, 512), 0.25)


class Built:
    """The adapter's model, and records of the arguments of official functions."""

    def __init__(self, folder: Path, steps: int, lacks: str = "") -> None:
        self.diffusion, self.autoencoder = Diffusion(), Autoencoder()
        self.configurations: dict[str, Any] = {}
        self.colour = Recorder(self._colour)
        self.omega = OmegaConf(FILES)
        for file, network in (("stablesr_000117", self.diffusion), ("vqgan_cfw_00011", self.autoencoder)):
            torch.save({"state_dict": {} if file == lacks else network.state_dict()}, folder / f"{file}.ckpt")
        modules: dict[str, dict[str, Any]] = {
            **TORCHVISION,
            "omegaconf": {"OmegaConf": self.omega},
            "ldm.util": {"instantiate_from_config": self._instantiate},
            "scripts.sr_val_ddpm_text_T_vqganfin_old": {"space_timesteps": evenly},
            "scripts.wavelet_color_fix": {"adaptive_instance_normalization": self.colour},
        }
        adapter = load_module("stablesr", modules)
        self.model = adapter.load(source="/source", weights={"stablesr": str(folder)}, device="cpu", steps=steps)

    def _instantiate(self, config: Any) -> Network:
        self.configurations[config.target] = config.params
        return {"diffusion": self.diffusion, "autoencoder": self.autoencoder}[config.target]

    def _colour(self, content: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        return content + 0.6 * style


def bilinear(lr: np.ndarray) -> np.ndarray:
    """Return an image enlarged four times, (4h, 4w, 3) float64, where values are at the centres of pixels."""
    enlarged = lr.astype(np.float64)
    for axis in (0, 1):
        places = np.clip((np.arange(4 * enlarged.shape[axis]) + 0.5) / 4 - 0.5, 0, enlarged.shape[axis] - 1)
        low = np.floor(places).astype(int)
        high = np.minimum(low + 1, enlarged.shape[axis] - 1)
        share = (places - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        enlarged = enlarged.take(low, axis) * (1 - share) + enlarged.take(high, axis) * share
    return enlarged


def test_the_image_is_enlarged_bilinearly_and_everything_else_is_the_scripts(tmp_path: Path) -> None:
    built = Built(tmp_path, steps=200)
    lr = picture(1, 128)
    output = built.model.restore(lr, SEED)
    expected = torch.from_numpy(bilinear(lr) / 127.5 - 1).permute(2, 0, 1)[None].float()
    (image,) = built.autoencoder.encode.only.arguments
    torch.testing.assert_close(image, expected, atol=1e-5, rtol=0)
    assert built.diffusion.get_first_stage_encoding.only.arguments == ("posterior",)
    assert built.diffusion.cond_stage_model.only.arguments == ([""],)
    sample = vars(built.diffusion.sample.only)
    torch.testing.assert_close(sample.pop("struct_cond"), LATENT)
    torch.testing.assert_close(sample.pop("cond"), torch.ones(1, 77, 8))
    assert sample == {"arguments": (), "batch_size": 1, "timesteps": 200, "time_replace": 200, "verbose": False}
    latent, features = built.autoencoder.decode.only.arguments
    torch.testing.assert_close(latent, 2 * LATENT / SCALE_FACTOR)
    assert features == "features"
    content, style = built.colour.only.arguments
    torch.testing.assert_close(content, torch.full((1, 3, 512, 512), 0.25))
    assert style is image
    # The output is truncated to 8 bits, not rounded.
    fixed = np.clip((0.25 + 0.6 * (bilinear(lr) / 127.5 - 1) + 1) / 2, 0, 1) * 255
    assert np.abs(output - np.floor(fixed)).max() <= 1
    assert (output == np.floor(fixed)).mean() > 0.99


def test_the_feature_weight_is_the_readmes(tmp_path: Path) -> None:
    """The README uses ``--dec_w 0.5``."""
    assert Built(tmp_path, steps=3).autoencoder.decoder.fusion_w == 0.5


@pytest.mark.parametrize(("steps", "visited"), [(3, [0, 500, 999]), (200, [0, 5, 10])])
def test_timesteps_are_spaced_over_the_trained_schedule(steps: int, visited: list[int], tmp_path: Path) -> None:
    diffusion = Built(tmp_path, steps=steps).diffusion
    assert diffusion.ori_timesteps[:3] == visited
    assert (len(diffusion.ori_timesteps), diffusion.num_timesteps) == (steps, 1000)
    assert diffusion.ori_timesteps[-1] == 999
    trained = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)
    np.testing.assert_allclose(diffusion.alphas_cumprod, trained[diffusion.ori_timesteps], rtol=1e-3)
    first, second = (vars(call) for call in diffusion.register_schedule.calls)
    assert (first["beta_schedule"], first["timesteps"], second["timesteps"]) == ("linear", 1000, steps)


def test_the_unused_noise_of_the_script_is_drawn_before_the_sampler_starts(tmp_path: Path) -> None:
    built = Built(tmp_path, steps=3)
    torch.manual_seed(SEED)
    built.model.restore(picture(1, 128), SEED)
    torch.manual_seed(SEED)
    torch.randn_like(LATENT)
    torch.testing.assert_close(built.diffusion.noise[0], torch.randn(3))


def test_an_image_is_encoded_once_and_its_posterior_sampled_for_every_run(tmp_path: Path) -> None:
    built = Built(tmp_path, steps=3)
    for seed in (1, 2, 3):
        built.model.restore(picture(1, 128), seed)
    assert len(built.autoencoder.encode.calls) == 1
    assert len(built.diffusion.get_first_stage_encoding.calls) == 3


def test_nothing_is_downloaded_that_the_checkpoints_hold(tmp_path: Path) -> None:
    built = Built(tmp_path, steps=3)
    assert built.configurations["diffusion"].cond_stage_config.params == {
        "freeze": True,
        "version": None,
        "device": "cpu",
    }
    assert built.configurations["autoencoder"].lossconfig == {"target": "torch.nn.Identity"}
    assert built.omega.read == [
        f"/source/configs/stableSRNew/{DIFFUSION}",
        f"/source/configs/autoencoder/{AUTOENCODER}",
    ]


@pytest.mark.parametrize("file", ["stablesr_000117", "vqgan_cfw_00011"])
def test_a_checkpoint_that_lacks_weights_is_refused(file: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"{file}\.ckpt lacks 1 weights, such as weight"):
        Built(tmp_path, steps=3, lacks=file)


def test_other_sizes_than_the_scripts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="LR image of 128x132: the official script takes 128x128 only"):
        Built(tmp_path, steps=3).model.restore(np.zeros((128, 132, 3), np.uint8), SEED)
