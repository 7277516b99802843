from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from ccsr_bench.ccsr import tiled_vae
from ccsr_bench.ccsr.networks import Networks
from ccsr_bench.ccsr.tiles import predict_in_tiles, tile_starts, tile_weights
from tests.support.tiny_ccsr import GOLDEN


@pytest.mark.parametrize(
    ("length", "expected"), [(64, [0]), (96, [0, 32]), (100, [0, 32, 36]), (128, [0, 32, 64]), (40, [0])]
)
def test_tiles_cover_an_axis_and_the_last_ends_at_its_end(length: int, expected: list[int]) -> None:
    assert tile_starts(length, 64, 32) == expected


def test_official_weights_are_centred_too_low() -> None:
    official, symmetric = (tile_weights(8, 8, symmetric=symmetric) for symmetric in (False, True))
    assert torch.equal(symmetric, symmetric.flip(0))
    assert torch.equal(official[3], official[5])  # about row 4, where 3.5 is the middle
    assert torch.allclose(official, official.flip(1))
    assert symmetric[3, 3].item() == pytest.approx((np.exp(-0.5 * (0.5 / 8) ** 2 / 0.01) / np.sqrt(0.02 * np.pi)) ** 2)


def test_tiling_does_not_change_what_is_computed_pixel_by_pixel() -> None:
    latents = torch.randn((2, 4, 20, 30), generator=torch.Generator().manual_seed(0))
    whole = predict_in_tiles(lambda x, c: x * 2 + c, latents, latents, tile=8, stride=4, symmetric=False)
    torch.testing.assert_close(whole, latents * 3)


def test_tile_larger_than_the_latent_is_cut_to_it() -> None:
    seen: list[torch.Size] = []

    def predict(latents: torch.Tensor, _condition: torch.Tensor) -> torch.Tensor:
        seen.append(latents.shape)
        return latents

    latents = torch.ones((1, 4, 6, 40))
    assert torch.allclose(predict_in_tiles(predict, latents, latents, tile=16, stride=8, symmetric=False), latents)
    assert {shape[-2:] for shape in seen} == {torch.Size((6, 16))}


def test_tiled_decoder_agrees_with_the_official_one() -> None:
    """`tiled_decoder.npz`: every eighth pixel of the official code's output for the same weights and latents."""
    config = {
        "block_out_channels": (32, 32, 32, 32),
        "layers_per_block": 2,
        "norm_num_groups": 32,
        "latent_channels": 4,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
    }
    vae = AutoencoderKL.from_config(config).eval().requires_grad_(False)
    for index, (name, parameter) in enumerate(sorted(vae.decoder.named_parameters())):
        waves = torch.sin(torch.arange(parameter.numel(), dtype=torch.float64) * (0.7 + 0.01 * index) + index) * 0.08
        scale = float("norm" in name and name.endswith("weight"))
        parameter.data = (waves + scale).reshape(parameter.shape).float()
    latents = torch.sin(torch.arange(4 * 36 * 44, dtype=torch.float64) * 0.37).reshape(1, 4, 36, 44).float()
    with torch.inference_mode():
        tiled = tiled_vae.decode_in_tiles(vae.decoder, latents, 8)
        whole = vae.decoder(latents)
    recorded = torch.from_numpy(np.load(GOLDEN / "tiled_decoder.npz")["every_eighth"])
    torch.testing.assert_close(tiled[..., 3::8, 5::8], recorded, atol=1e-3, rtol=0)
    assert (tiled - whole).abs().max() > 1e-2  # tiles see less of each other than one whole


@torch.inference_mode()
def test_what_fits_one_tile_is_not_tiled(networks: Networks) -> None:
    latents = torch.randn((1, 4, 30, 20), generator=torch.Generator().manual_seed(0))
    assert torch.equal(networks.decode(latents, tile=8), networks.decode(latents))
    image = torch.randn((1, 3, 96, 64), generator=torch.Generator().manual_seed(0))
    assert torch.equal(networks.encode(image, tile=32)[0], networks.encode(image)[0])


@torch.inference_mode()
def test_tiled_encoder_keeps_size_and_stays_close_to_the_whole(networks: Networks) -> None:
    image = torch.rand((2, 3, 200, 136), generator=torch.Generator().manual_seed(0)) * 2 - 1
    whole, _ = networks.encode(image)
    tiled, _ = networks.encode(image, tile=64)
    assert tiled.shape == whole.shape
    assert torch.corrcoef(torch.stack([tiled.flatten(), whole.flatten()]))[0, 1] > 0.9


@torch.inference_mode()
def test_rows_of_a_tiled_batch_do_not_see_each_other(networks: Networks) -> None:
    latents = torch.randn((2, 4, 34, 32), generator=torch.Generator().manual_seed(0))
    together = networks.decode(latents, tile=8)
    for row in range(2):
        torch.testing.assert_close(networks.decode(latents[row : row + 1], tile=8)[0], together[row], atol=1e-4, rtol=0)


@torch.inference_mode()
def test_thin_images_are_one_tile_across(networks: Networks) -> None:
    latents = torch.randn((1, 4, 8, 60), generator=torch.Generator().manual_seed(0))
    assert networks.decode(latents, tile=8).shape == (1, 3, 64, 480)


def test_vae_tiles_cover_every_pixel_once() -> None:
    for length in (8, 21, 22, 23, 60, 246, 247, 300, 517):
        found = tiled_vae.spans(length, 24, 11)
        covered = np.zeros(length, int)
        for span in found:
            assert span.start <= span.keep_start < span.keep_stop <= span.stop
            covered[span.keep_start : span.keep_stop] += 1
        assert (covered == 1).all()
