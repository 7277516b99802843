from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from ccsr_bench.gate import seed_noise
from ccsr_bench.gate.seed_noise import REACH, difference_tolerance, g_std_tolerance, l_std_tolerance, swap_p_value
from ccsr_bench.stability import g_std, l_std

WIDTHS = np.array([[0.1], [0.2], [0.4], [3.0]])
"""Of four images' scores over runs: one image moves most."""


def test_tolerance_of_a_difference_is_three_standard_errors() -> None:
    generator = np.random.default_rng(0)
    draws = [WIDTHS * generator.normal(size=(2, 4, 5)) for _ in range(3000)]
    differences = [new.mean() - base.mean() for base, new in draws]
    squares = [difference_tolerance(base, new) ** 2 for base, new in draws]
    assert math.sqrt(np.mean(squares)) == pytest.approx(REACH * np.std(differences), rel=0.05)


def test_tolerance_of_a_difference_is_the_documented_formula() -> None:
    base = np.array([[0.0, 2.0, 4.0], [1.0, 1.0, 1.0]])
    new = np.array([[7.0, 8.0, 9.0], [0.0, 3.0, 6.0]])
    variances = 4 + 0 + 1 + 9  # of runs, ddof 1
    assert difference_tolerance(base, new) == pytest.approx(3 * math.sqrt(variances / 3) / 2, rel=1e-12)


@pytest.mark.parametrize(("images", "runs"), [(6, 10), (25, 2)])
def test_tolerances_of_equal_images_are_the_documented_formulas(images: int, runs: int) -> None:
    l_stds = np.full(images, 0.03)
    assert l_std_tolerance(l_stds, l_stds, runs) == pytest.approx(math.exp(3 / math.sqrt(64 * (runs - 1) * images)))
    scores = np.tile([0.4, 0.6], (images, runs // 2))  # whose tails are light, so that they count as normal
    assert g_std_tolerance(scores, scores) == pytest.approx(math.exp(3 / math.sqrt((runs - 1) * images)))


def test_an_image_counts_in_a_tolerance_by_its_share_of_the_mean() -> None:
    one, other = np.array([0.01, 0.03]), np.array([0.02, 0.0])
    shares = (0.25**2 + 0.75**2) + 1
    assert l_std_tolerance(one, other, 5) == pytest.approx(math.exp(3 * math.sqrt(shares / 8) / 8), rel=1e-12)


@pytest.mark.parametrize("runs", [3, 10])
@pytest.mark.parametrize("distribution", ["normal", "laplace", "exponential"])
def test_tolerance_of_g_std_is_three_standard_errors_whatever_the_distribution(distribution: str, runs: int) -> None:
    generator = np.random.default_rng(1)
    draws = [WIDTHS * getattr(generator, distribution)(size=(2, 4, runs)) for _ in range(200)]
    logarithms = [math.log(g_std(new) / g_std(base)) for base, new in draws]
    # The mean is not the same, as of a method that changed.
    tolerances = [math.log(g_std_tolerance(base, new + 5)) for base, new in draws]
    assert np.mean(tolerances) == pytest.approx(REACH * np.std(logarithms), rel=0.35)
    assert np.mean(np.abs(logarithms) > tolerances) <= 0.02


@pytest.mark.parametrize("runs", [2, 3, 10])
@pytest.mark.parametrize("distribution", ["normal", "exponential"])
def test_the_same_seeds_are_granted_what_other_seeds_are(distribution: str, runs: int) -> None:
    generator = np.random.default_rng(6)
    draws = [WIDTHS * getattr(generator, distribution)(size=(2, 4, runs)) for _ in range(100)]
    others = np.mean([math.log(g_std_tolerance(base, new)) for base, new in draws])
    same = np.mean([math.log(g_std_tolerance(base, base)) for base, _ in draws])
    assert same == pytest.approx(others, rel=0.25)


def test_tolerance_of_l_std_is_that_of_patches_that_vary_alone() -> None:
    """Images of 8x8 tiles, each of one value: as many independent parts as the tolerance assumes."""
    generator = np.random.default_rng(2)

    def one() -> np.ndarray:
        tiles = np.rint(128 + 12 * generator.normal(size=(6, 10, 8, 8, 1))).astype(np.uint8)
        return np.array([l_std(outputs.repeat(2, 1).repeat(2, 2).repeat(3, 3)) for outputs in tiles])

    draws = [(one(), one()) for _ in range(200)]
    logarithms = [math.log(new.mean() / base.mean()) for base, new in draws]
    tolerance = math.log(l_std_tolerance(*draws[0], 10))
    assert tolerance == pytest.approx(REACH * np.std(logarithms), rel=0.15)


def test_nothing_varies() -> None:
    same = np.full((3, 4), 0.7)
    assert difference_tolerance(same, same) == 0
    assert g_std_tolerance(same, same) == 1
    assert l_std_tolerance(np.zeros(3), np.zeros(3), 4) == 1
    assert swap_p_value(same, same) == 1


def test_p_value_is_that_of_every_swap_of_runs_counted_out() -> None:
    generator = np.random.default_rng(3)
    base = generator.normal(size=(2, 3)) * [[1.0], [4.0]]
    new = generator.normal(size=(2, 3)) * [[1.0], [4.0]] + 1

    def standard_errors(one: np.ndarray, other: np.ndarray) -> float:
        variance = (one.var(axis=1, ddof=1) + other.var(axis=1, ddof=1)).sum() / 3
        return float(abs((other - one).mean(axis=1).sum()) / math.sqrt(variance))

    swaps = [np.reshape(swap, (2, 3)) for swap in itertools.product((False, True), repeat=6)]
    apart = [standard_errors(np.where(swap, new, base), np.where(swap, base, new)) for swap in swaps]
    expected = np.mean([value >= standard_errors(base, new) - 1e-9 for value in apart])
    assert swap_p_value(base, new) == pytest.approx(float(expected), abs=0.02)


def test_actual_assignment_is_counted_among_the_random_swaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """With b of m random ones as far, it is (b + 1) / (m + 1), and never 0 (Phipson and Smyth, 2010)."""
    monkeypatch.setattr(seed_noise, "SWAPS", 4)
    generator = np.random.default_rng(7)
    p_values = {swap_p_value(*generator.normal(size=(2, 3, 5))) for _ in range(60)}
    assert p_values == {0.2, 0.4, 0.6, 0.8, 1.0}


@pytest.mark.parametrize(("images", "runs"), [(1, 10), (6, 2), (12, 4)])
def test_p_values_of_no_change_are_uniform_whatever_the_distribution(images: int, runs: int) -> None:
    generator = np.random.default_rng(4)
    p_values = np.array([swap_p_value(*generator.exponential(size=(2, images, runs))) for _ in range(200)])
    assert (p_values <= 0.05).mean() < 0.10
    assert (p_values <= 0.5).mean() == pytest.approx(0.5, abs=0.12)


def test_a_change_for_the_worse_shows_beside_one_for_the_better() -> None:
    noise = np.random.default_rng(5).normal(0, 0.01, (2, 2, 10))
    base, new = np.array([[20.0], [30.0]]) + noise[0], np.array([[19.0], [30.5]]) + noise[1]
    assert swap_p_value(base, new) < 0.001
