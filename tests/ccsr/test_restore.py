"""`CCSR.restore` from end to end, against recorded outputs of the whole official script.

An LR image and seeds in, 8-bit pixels out: the script's own resizing before and after, prompts, tokenizer and text
encoder, sampler, decoder and colour fix, for tiny networks. What differs is the noise: the script was given that of our
seeds in the places where it draws. The arithmetic is that of `tests.support.rounding`, which is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from ccsr_bench.ccsr.model import CCSR
from ccsr_bench.ccsr.networks import Networks
from ccsr_bench.ccsr.settings import Settings
from ccsr_bench.ccsr.text import embed, load_tokenizer
from ccsr_bench.ccsr.weights import Placement, WeightFolders, load_text_encoder
from tests.support.pictures import picture
from tests.support.recorded_ccsr import NUMERICS, PIXELS, cases, settings_of
from tests.support.rounding import RoundedOnce
from tests.support.tiny_ccsr import write_weights

CASES = cases()
RECORDED = np.load(PIXELS)

OFFICIAL_PROMPT = "clean, high-resolution, 8k"
OFFICIAL_NEGATIVE_PROMPT = "blurry, dotted, noise, raster lines, unclear, lowres, over-smoothed"
"""The defaults of ``--added_prompt`` and ``--negative_prompt``."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> WeightFolders:
    """The weights that the official script was given."""
    folder = write_weights(tmp_path_factory.mktemp("restore") / "weights")
    return WeightFolders(folder / "stable-diffusion-2-1-base", folder / "controlnet", folder / "vae")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute in one thread: for tiny networks more are slower where other programs run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("precision", NUMERICS)
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_official_script_is_reproduced_exactly_from_lr_image_to_8_bit_output(
    case: dict[str, Any], precision: str, folders: WeightFolders
) -> None:
    lr, expected = RECORDED[f"{case['name']}/lr"], RECORDED[f"{case['name']}/{precision}"]
    with RoundedOnce():
        outputs = CCSR.load(folders, settings_of(case, precision)).restore(lr, case["seeds"])
    assert outputs.dtype == np.uint8
    np.testing.assert_array_equal(outputs, expected)


def test_recorded_cases_cover_every_size_colour_fix_and_step() -> None:
    settings = [settings_of(case) for case in CASES]
    least = [chosen.process_size // chosen.upscale for chosen in settings]
    sizes = [case["size"] for case in CASES]
    assert {min(size) < m for size, m in zip(sizes, least, strict=True)} == {False, True}
    assert {max(side % 2 for side in size) for size in sizes} == {0, 1}  # 4 times an odd side is no multiple of 8
    assert {chosen.color_fix for chosen in settings} == {"adain", "wavelet", "none"}
    assert {case["variant"] for case in CASES} >= {"ccsr-s1", "ccsr-s2"}
    assert any(seed >= 2**32 for case in CASES for seed in case["seeds"])


def test_default_prompts_are_those_of_the_official_script() -> None:
    settings = Settings()
    assert (settings.prompt, settings.negative_prompt) == (OFFICIAL_PROMPT, OFFICIAL_NEGATIVE_PROMPT)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("ccsr-s2", [[OFFICIAL_NEGATIVE_PROMPT], [OFFICIAL_NEGATIVE_PROMPT, OFFICIAL_PROMPT]]),
        ("ccsr-s1", [[OFFICIAL_PROMPT]]),
    ],
    ids=["S2", "S1"],
)
def test_first_call_is_told_the_negative_prompt_under_guidance_and_the_loop_both(
    variant: str, expected: list[list[str]], folders: WeightFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[torch.Tensor] = []
    predict = Networks.predict_noise

    def listening(self: Networks, *arguments: Any, **named: Any) -> torch.Tensor:
        told.append(named["text"])
        return predict(self, *arguments, **named)

    monkeypatch.setattr(Networks, "predict_noise", listening)
    settings = settings_of({"variant": variant, "parameters": {"process_size": 64}}, "float32")
    CCSR.load(folders, settings, batch=1).restore(picture(0, 16), [0])

    encoder = load_text_encoder(folders.base / "text_encoder", Placement(torch.device("cpu"), torch.float32)).eval()
    known = embed((OFFICIAL_PROMPT, OFFICIAL_NEGATIVE_PROMPT), load_tokenizer(folders.base / "tokenizer"), encoder)
    assert not torch.allclose(known[OFFICIAL_PROMPT], known[OFFICIAL_NEGATIVE_PROMPT], atol=0.1)
    assert len(told) == len(expected)
    for text, names in zip(told, expected, strict=True):
        torch.testing.assert_close(text, torch.cat([known[name] for name in names]))
