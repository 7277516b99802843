from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from ccsr_bench.statistics import paired
from ccsr_bench.statistics.paired import MOST_EXACT, holm, paired_difference


def test_exact_p_value_is_scipys() -> None:
    generator = np.random.default_rng(0)
    for images in (5, 8, MOST_EXACT):
        first, second = generator.normal(0, 1, images), generator.normal(0.4, 1, images)
        expected = scipy.stats.permutation_test(
            (second - first,), np.mean, permutation_type="samples", n_resamples=np.inf
        )
        assert paired_difference(first, second).p_value == pytest.approx(expected.pvalue)


def test_random_p_value_is_near_the_t_tests() -> None:
    generator = np.random.default_rng(1)
    first = generator.normal(0, 1, 80)
    second = first + generator.normal(0.15, 0.6, 80)
    expected = scipy.stats.ttest_rel(first, second).pvalue
    assert paired_difference(first, second).p_value == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("images", [MOST_EXACT - 3, 40])
def test_methods_that_are_alike_are_found_different_as_seldom_as_it_says(images: int) -> None:
    generator = np.random.default_rng(2)
    p_values = [
        paired_difference(generator.exponential(size=images), generator.exponential(size=images)).p_value
        for _ in range(200)
    ]
    assert np.mean(np.array(p_values) <= 0.05) < 0.10
    assert np.mean(np.array(p_values) <= 0.5) == pytest.approx(0.5, abs=0.12)


def test_actual_assignment_of_signs_is_counted_among_the_random_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """With b of m random ones as far, it is (b + 1) / (m + 1), and never 0 (Phipson and Smyth, 2010)."""
    monkeypatch.setattr(paired, "RANDOM_FLIPS", 4)
    generator = np.random.default_rng(5)
    draws = [generator.normal(0.25, 1, MOST_EXACT + 7) for _ in range(60)]
    p_values = {paired_difference(np.zeros_like(values), values).p_value for values in draws}
    # None of four random ones as far is 1 / 5, unless Hoeffding's inequality says less.
    assert {p for p in p_values if p >= 0.2} == {0.2, 0.4, 0.6, 0.8, 1.0}
    assert min(p_values) > 0


def test_all_random_assignments_are_as_far_where_a_single_image_differs() -> None:
    differences = np.zeros(MOST_EXACT + 1)
    differences[3] = 0.5
    assert paired_difference(np.zeros_like(differences), differences).p_value == 1


def test_where_no_random_assignment_is_as_far_the_p_value_is_hoeffdings() -> None:
    """P(|S| >= t) <= 2 exp(-t^2 / (2 sum d^2)) of a sum S of numbers d with random signs."""
    differences = np.linspace(0.5, 1.5, 80)
    expected = 2 * math.exp(-(differences.sum() ** 2) / (2 * np.square(differences).sum()))
    assert paired_difference(np.zeros(80), differences).p_value == pytest.approx(expected, rel=1e-9, abs=0)


def test_many_comparisons_of_large_differences_stay_significant() -> None:
    first = np.random.default_rng(3).normal(0, 1, 100)
    p_value = paired_difference(first, first + np.random.default_rng(4).normal(1, 0.3, 100)).p_value
    assert 2 / 2**100 <= p_value < 1e-6
    assert max(holm(dict.fromkeys(range(5000), p_value)).values()) < 0.05


def test_sign_order_and_nothing() -> None:
    first, second = np.array([1.0, 2, 3]), np.array([2.0, 4, 3.5])
    there, back = paired_difference(first, second), paired_difference(second, first)
    assert there.mean == -back.mean == pytest.approx(3.5 / 3)
    assert there.p_value == back.p_value == 0.25  # of eight assignments of signs, only ++ + and - - - are as far
    assert paired_difference(first, first).p_value == 1
    with pytest.raises(ValueError, match="same two or more images"):
        paired_difference(first, second[:2])
    with pytest.raises(ValueError, match="same two or more images"):
        paired_difference(first[:1], second[:1])


def test_holm_is_the_textbooks() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )
    assert holm({}) == {}
