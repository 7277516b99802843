from __future__ import annotations

import numpy as np
import pytest

from ccsr_bench.ccsr.color_fix import ColorFix
from tests.support.tiny_ccsr import GOLDEN

RECORDED = np.load(GOLDEN / "color_fix.npz")


@pytest.mark.parametrize("kind", ["adain", "wavelet"])
def test_official_results_are_reproduced_exactly(kind: str) -> None:
    np.testing.assert_array_equal(ColorFix(kind, RECORDED["source"])(RECORDED["target"]), RECORDED[kind])


@pytest.mark.parametrize("kind", ["adain", "wavelet"])
def test_rounding_to_the_nearest_is_half_a_level_brighter_on_average(kind: str) -> None:
    nearest = ColorFix(kind, RECORDED["source"], rounding="nearest")(RECORDED["target"])
    brighter = nearest.astype(int) - RECORDED[kind]
    assert set(np.unique(brighter)) == {0, 1}
    assert brighter.mean() == pytest.approx(0.5, abs=0.07)


def test_adain_gives_the_mean_and_spread_of_the_reference() -> None:
    generator = np.random.default_rng(0)
    reference = generator.normal(120, 20, (64, 64, 3)).clip(0, 255).astype(np.uint8)
    output = generator.normal(90, 40, (64, 64, 3)).clip(0, 255).astype(np.uint8)
    fixed = ColorFix("adain", reference, rounding="nearest")(output).astype(float)
    np.testing.assert_allclose(fixed.mean((0, 1)), reference.mean((0, 1)), atol=0.5)
    np.testing.assert_allclose(fixed.std((0, 1)), reference.std((0, 1)), atol=0.5)


def test_none_leaves_the_output_alone_and_others_are_refused() -> None:
    output = RECORDED["target"]
    np.testing.assert_array_equal(ColorFix("none", RECORDED["source"])(output), output)
    with pytest.raises(ValueError, match="colour fix 'sepia'"):
        ColorFix("sepia", RECORDED["source"])
