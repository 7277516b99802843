from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from ccsr_bench.statistics.paired import MOST_EXACT, holm, paired_difference


def test_exact_p_value_is_scipys() -> None:
    generator = np.random.default_rng(0)
    for images in (5, 8, 11):
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
