from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ccsr_bench.stability import g_std, l_std, spread, std_map, std_map_top
from tests.support.theory import expected_population_std

SCORES = arrays(np.float64, (3, 10), elements=st.floats(-100, 100))


@given(SCORES)
def test_g_std_is_the_mean_of_numpy_population_stds(scores: np.ndarray) -> None:
    assert g_std(scores) == pytest.approx(np.mean([np.std(row, ddof=0) for row in scores]), abs=1e-9)


def test_equal_scores_have_exactly_no_spread() -> None:
    # np.std leaves a rounding error here: the mean of ten times 25.1511 is not 25.1511.
    assert np.std([25.1511] * 10) > 0
    assert g_std(np.full((5, 10), 25.1511)) == 0.0


@given(SCORES, st.randoms(use_true_random=False))
def test_spread_does_not_depend_on_the_order_of_images(scores: np.ndarray, random: object) -> None:
    order = np.random.default_rng(0).permutation(len(scores))
    np.testing.assert_array_equal(spread(scores)[order], spread(scores[order]))


def test_l_std_is_the_mean_of_numpy_population_stds() -> None:
    outputs = np.random.default_rng(1).integers(0, 256, (10, 16, 20, 3), np.uint8)
    assert l_std(outputs) == pytest.approx(np.std(outputs / 255, axis=0, ddof=0).mean(), rel=1e-12)


def test_std_map_is_numpys_population_std_of_every_pixel_and_its_mean_is_l_std() -> None:
    outputs = np.random.default_rng(1).integers(0, 256, (10, 16, 20, 3), np.uint8)
    found = std_map(outputs)
    np.testing.assert_allclose(found, np.std(outputs / 255, axis=0, ddof=0).mean(axis=-1), rtol=1e-12)
    assert found.mean() == l_std(outputs)
    np.testing.assert_array_equal(std_map(outputs, crop=4), found[4:-4, 4:-4])


def test_std_map_is_exactly_zero_only_where_all_outputs_agree() -> None:
    outputs = np.full((7, 8, 8, 3), 201, np.uint8)  # whose mean over seven runs is not exact in floating point
    outputs[3, 2, 5, 1] = 202
    assert np.argwhere(std_map(outputs)).tolist() == [[2, 5]]


def test_l_std_leaves_the_border_out() -> None:
    outputs = np.zeros((2, 16, 16, 3), np.uint8)
    outputs[1, :4] = 255
    assert l_std(outputs) > 0
    assert l_std(outputs, crop=4) == 0
    with pytest.raises(ValueError, match="no pixel"):
        l_std(outputs, crop=8)


def test_l_std_of_equal_outputs_is_exactly_zero() -> None:
    assert l_std(np.repeat(np.random.default_rng(2).integers(0, 256, (1, 8, 8, 3), np.uint8), 10, axis=0)) == 0.0


@pytest.mark.parametrize("runs", [2, 4, 10])
def test_l_std_of_known_noise_is_what_theory_says(runs: int) -> None:
    sigma = 8.0
    noise = sigma * np.random.default_rng(3).standard_normal((runs, 256, 256, 3))
    outputs = np.rint(128 + noise).astype(np.uint8)
    # Rounding adds a uniform error of variance 1/12.
    theory = math.sqrt(sigma**2 + 1 / 12) * expected_population_std(runs) / 255
    assert l_std(outputs) == pytest.approx(theory, rel=5e-3)


def test_scale_of_maps_ends_below_few_highest_pixels_and_not_below_a_grey_level() -> None:
    calm, wild = np.zeros((20, 20)), np.full((20, 20), 0.2)
    wild[0, 0] = 0.9  # one pixel of 400
    assert std_map_top([calm, wild]) == pytest.approx(0.2)
    assert std_map_top([calm]) == 1 / 255


def test_one_pixel_in_two_hundred_is_above_the_scale_of_maps() -> None:
    ramp = np.random.default_rng(0).permutation(np.linspace(0, 1, 2001)[:2000]).reshape(40, 50)
    assert (ramp > std_map_top([ramp])).mean() == pytest.approx(0.005)
