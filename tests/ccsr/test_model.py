from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import pytest
import torch

from ccsr_bench.ccsr.model import CCSR, CPU_RUNS, run_batches
from ccsr_bench.ccsr.networks import Networks
from ccsr_bench.ccsr.settings import Quirks, Settings, Tiling
from tests.support.pictures import picture
from tests.support.tiny_ccsr import golden_networks

SETTINGS = Settings(process_size=64, prompt="positive", negative_prompt="negative", quirks=Quirks(numerics="clean"))
SEEDS = [3, 1, 4, 15, 92]


@pytest.fixture(scope="module")
def embeddings(prompts: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: prompt.float() for name, prompt in prompts.items()}


def model(networks: Networks, embeddings: Mapping[str, torch.Tensor], batch: int | None = 4) -> CCSR:
    return CCSR(networks, embeddings, SETTINGS, batch=batch)


def test_a_run_does_not_depend_on_order_number_or_company(
    networks: Networks, embeddings: Mapping[str, torch.Tensor]
) -> None:
    ccsr, lr = model(networks, embeddings), picture(0, 24)
    together = ccsr.restore(lr, SEEDS)
    assert together.shape == (5, 96, 96, 3)
    for index, seed in enumerate(SEEDS):
        np.testing.assert_array_equal(ccsr.restore(lr, [seed])[0], together[index])
    np.testing.assert_array_equal(ccsr.restore(lr, SEEDS[::-1])[::-1], together)
    ccsr.restore(picture(1, 32), [7])
    np.testing.assert_array_equal(ccsr.restore(lr, [8, *SEEDS, 9])[1:-1], together)
    assert (together[0] != together[1]).any()


def test_networks_see_batches_of_one_size(networks: Networks, embeddings: Mapping[str, torch.Tensor]) -> None:
    rows: list[int] = []

    class Counting(Networks):
        encoded = 0

        def encode(self, image: torch.Tensor, *, tile: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
            self.encoded += 1
            return super().encode(image, tile=tile)

        def decode(self, latents: torch.Tensor, *, tile: int | None = None) -> torch.Tensor:
            rows.append(len(latents))
            return super().decode(latents, tile=tile)

    counting = Counting(networks.unet, networks.controlnet, networks.vae)
    model(counting, embeddings).restore(picture(0, 16), SEEDS)
    assert rows == [4, 4]
    assert counting.encoded == 1  # the LR image, for all runs


def test_running_out_of_memory_halves_the_batch_and_is_remembered(
    networks: Networks, embeddings: Mapping[str, torch.Tensor]
) -> None:
    tried: list[int] = []

    class Small(Networks):
        def decode(self, latents: torch.Tensor, *, tile: int | None = None) -> torch.Tensor:
            tried.append(len(latents))
            if len(latents) > 2:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            return super().decode(latents, tile=tile)

    small = Small(networks.unet, networks.controlnet, networks.vae)
    ccsr = model(small, embeddings, batch=10)
    outputs = ccsr.restore(picture(0, 16), SEEDS)
    assert tried == [10, 5, 2, 2, 2]
    ccsr.restore(picture(0, 16), SEEDS[:2])
    assert tried[5:] == [2]
    np.testing.assert_array_equal(outputs, model(networks, embeddings, batch=2).restore(picture(0, 16), SEEDS))


CPU = torch.device("cpu")


@pytest.mark.parametrize(("free_gib", "expected"), [(80, 10), (8, 10), (6, 5), (3, 2), (1, 1), (0.1, 1)])
def test_batch_fits_the_memory_that_was_free(free_gib: float, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (int(free_gib * 2**30), 2**40))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device: 0)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: 0)
    batches = run_batches(torch.device("cuda"), torch.float16, None)
    assert batches.size(512 * 512) == expected
    batches.size(4096 * 4096)
    assert batches.size(512 * 512) == expected  # whatever came before
    assert run_batches(torch.device("cuda"), torch.float16, 7).size(512 * 512) == 7
    assert run_batches(CPU, torch.float16, None).size(512 * 512) == CPU_RUNS


def test_overflow_is_an_error_and_not_a_black_picture(
    networks: Networks, embeddings: Mapping[str, torch.Tensor]
) -> None:
    class Overflowing(Networks):
        def decode(self, latents: torch.Tensor, *, tile: int | None = None) -> torch.Tensor:
            return super().decode(latents, tile=tile) * float("nan")

    overflowing = Overflowing(networks.unet, networks.controlnet, networks.vae)
    with pytest.raises(FloatingPointError, match="`dtype` bfloat16"):
        model(overflowing, embeddings).restore(picture(0, 16), [0])


@pytest.mark.parametrize("lr", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3))])
def test_what_is_no_image_is_refused(
    lr: np.ndarray, networks: Networks, embeddings: Mapping[str, torch.Tensor]
) -> None:
    with pytest.raises(ValueError, match=r"must be \(h, w, 3\) uint8"):
        model(networks, embeddings).restore(lr, [0])


@pytest.mark.parametrize(("height", "width"), [(8, 40), (17, 23), (16, 16), (33, 50)])
def test_any_input_size_gives_four_times_that(
    height: int, width: int, networks: Networks, embeddings: Mapping[str, torch.Tensor]
) -> None:
    lr = picture(0, 64)[:height, :width]
    output = model(networks, embeddings, batch=1).restore(lr, [0])
    assert output.shape == (1, 4 * height, 4 * width, 3)
    assert output.dtype == np.uint8


def test_tiling_works_from_end_to_end(networks: Networks, embeddings: Mapping[str, torch.Tensor]) -> None:
    tiling = Tiling(diffusion=True, size=64, stride=32, vae="both", decoder_size=8, encoder_size=32)
    values = {name: getattr(SETTINGS, name) for name in SETTINGS.__struct_fields__} | {"tiling": tiling}
    tiled = CCSR(networks, embeddings, Settings(**values), batch=2)
    lr = picture(0, 64)[:40, :50]
    output = tiled.restore(lr, [0, 1])
    assert output.shape == (2, 160, 200, 3)
    whole = model(networks, embeddings, batch=2).restore(lr, [0, 1])
    assert 0 < np.abs(output.astype(int) - whole).mean() < 40


@pytest.mark.skipif("CCSR_BENCH_SLOW" not in os.environ, reason="compiles for two minutes; set CCSR_BENCH_SLOW=1")
def test_compiled_networks_give_the_same_images(networks: Networks, embeddings: Mapping[str, torch.Tensor]) -> None:
    compiled = golden_networks(torch.float32)
    compiled.compile()
    lr = picture(0, 16)
    outputs = model(compiled, embeddings, batch=2).restore(lr, [0, 1])
    expected = model(networks, embeddings, batch=2).restore(lr, [0, 1])
    assert np.abs(outputs.astype(int) - expected).mean() < 0.1
