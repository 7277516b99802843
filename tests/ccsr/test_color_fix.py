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


def levels_of_adain(output: np.ndarray, reference: np.ndarray, *, epsilon: float, ddof: int) -> np.ndarray:
    """Return what AdaIN gives before the fraction is cut off, by its formula in float64."""
    image, wanted = output.astype(float) / 255, reference.astype(float) / 255
    spread, wanted_spread = (np.sqrt(part.var((0, 1), ddof=ddof) + epsilon) for part in (image, wanted))
    fixed = (image - image.mean((0, 1))) / spread * wanted_spread + wanted.mean((0, 1))
    levels: np.ndarray = fixed.clip(0, 1) * 255
    return levels


FLAT = np.array([[100, 101, 100], [102, 101, 100]], np.uint8)[..., None].repeat(3, -1)
WIDE = np.array([[31, 90, 160], [200, 77, 141]], np.uint8)[..., None].repeat(3, -1)


@pytest.mark.parametrize(("output", "reference"), [(FLAT, WIDE), (WIDE, FLAT)], ids=["flat output", "flat reference"])
def test_adain_adds_1e_5_to_the_variance_of_a_sample(output: np.ndarray, reference: np.ndarray) -> None:
    levels = levels_of_adain(output, reference, epsilon=1e-5, ddof=1)
    assert np.abs(levels - levels.round()).min() > 0.01  # float32 cuts off the same fraction
    np.testing.assert_array_equal(ColorFix("adain", reference)(output), levels.astype(np.uint8))


@pytest.mark.parametrize(("epsilon", "ddof"), [(0.0, 1), (1e-8, 1), (1e-6, 1), (1e-4, 1), (1e-5, 0)], ids=str)
def test_adain_of_another_epsilon_or_of_a_population_would_be_seen(epsilon: float, ddof: int) -> None:
    right, other = (
        levels_of_adain(FLAT, WIDE, epsilon=chosen, ddof=freedom) for chosen, freedom in ((1e-5, 1), (epsilon, ddof))
    )
    assert (right.astype(np.uint8) != other.astype(np.uint8)).any()
