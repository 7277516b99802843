from __future__ import annotations

from typing import Any

import pytest

from ccsr_bench.ccsr.settings import Quirks, Settings, Tiling, read_settings
from ccsr_bench.errors import BenchError


def test_defaults_are_the_official_ones() -> None:
    assert Settings() == read_settings({"num_inference_steps": 6, "t_max": 0.6667, "t_min": 0.5, "guidance_scale": 4.5})
    assert Quirks() == Quirks(
        numerics="official",
        first_step_prompt="official",
        condition_noise="per-half",
        tile_weights="official",
        final_rounding="truncate",
        conditioning_scale=1.0,
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 3}, "unknown field `steps`"),
        ({"t_max": "high"}, r"Expected `float`, got `str` - at `\$\.t_max`"),
        ({"t_max": 0.1, "t_min": 0.5}, "must be 0 <= t_min < t_max <= 1"),
        ({"quirks": {"numerics": "fast"}}, r"Invalid enum value 'fast' - at `\$\.quirks\.numerics`"),
        ({"quirks": 1}, r"Expected `object`, got `int` - at `\$\.quirks`"),
        ({"tiling": {"size": 100}}, "multiples of 8"),
        ({"tiling": {"encoder_size": 100}}, "a multiple of 8 from 16 on"),
        ({"guidance_scale": float("nan")}, "guidance_scale nan: must be finite"),
        ({"upscale": 0}, "too small"),
    ],
)
def test_mistakes_in_a_manifest_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        read_settings(values)


def test_choices_are_checked_from_python_too() -> None:
    wrong: dict[str, Any] = {"condition_noise": "per_half"}
    with pytest.raises(ValueError, match="condition_noise 'per_half': must be 'per-half' or 'shared' or 'mode'"):
        Quirks(**wrong)
    wrong = {"vae": "encoder"}
    with pytest.raises(ValueError, match="vae 'encoder'"):
        Tiling(**wrong)
    wrong = {"color_fix": "nofix"}
    with pytest.raises(ValueError, match="color_fix 'nofix'"):
        Settings(**wrong)
