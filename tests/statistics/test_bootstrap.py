from __future__ import annotations

import math

import numpy as np
import pytest

from ccsr_bench.metrics.frechet import frechet_distance
from ccsr_bench.statistics import bootstrap
from ccsr_bench.statistics.bootstrap import bootstrap_interval, frechet_interval, ratio_interval


def test_interval_of_the_mean_matches_the_normal_approximation() -> None:
    values = np.random.default_rng(4).normal(25, 3, 400)
    half = 1.96 * values.std() / math.sqrt(len(values))
    interval = bootstrap_interval(values)
    assert interval is not None
    low, high = interval
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_interval_is_a_function_of_the_values() -> None:
    values = np.random.default_rng(5).normal(size=50)
    assert bootstrap_interval(values) == bootstrap_interval(values.copy())
    assert bootstrap_interval(np.full(7, 2.5)) == (2.5, 2.5)
    assert bootstrap_interval(np.array([2.5])) is None  # one image says nothing of others


def test_interval_of_the_mean_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(6)
    intervals = [bootstrap_interval(generator.normal(1, 2, 60)) for _ in range(300)]
    covered = np.mean([one is not None and one.low <= 1 <= one.high for one in intervals])
    assert 0.90 <= covered <= 0.98


def test_ratio_interval_is_paired() -> None:
    base = np.random.default_rng(7).uniform(1, 9, 40)
    assert ratio_interval(base, 1.2 * base) == pytest.approx((1.2, 1.2))
    low, high = ratio_interval(base, np.random.default_rng(8).permutation(base))
    assert low < 1 < high


def test_ratio_interval_to_an_exact_base_is_that_of_the_mean() -> None:
    new = np.random.default_rng(10).lognormal(0, 0.5, 200)
    expected = bootstrap_interval(new)
    assert expected is not None
    width = expected.high - expected.low
    assert ratio_interval(np.full(200, 2.0), new) == pytest.approx(np.array(expected) / 2, abs=0.01 * width)


def test_ratio_of_nothing_to_nothing_is_one_and_of_something_to_nothing_infinite() -> None:
    nothing = np.zeros(5)
    assert ratio_interval(nothing, nothing) == (1, 1)
    assert ratio_interval(nothing, np.ones(5)) == (math.inf, math.inf)


def test_frechet_interval_has_the_spread_of_new_images_and_the_value_inside() -> None:
    generator = np.random.default_rng(9)

    def draw() -> tuple[list[np.ndarray], np.ndarray]:
        references = generator.normal(size=(60, 8))
        return [references + generator.normal(0.5, 1, (60, 8)) for _ in range(2)], references

    def value(runs: list[np.ndarray], references: np.ndarray) -> float:
        return float(np.mean([frechet_distance(run, references) for run in runs]))

    runs, references = draw()
    interval = frechet_interval(frechet_distance, runs, references)
    assert interval is not None
    assert interval.low < value(runs, references) < interval.high
    low, high = np.quantile([value(*draw()) for _ in range(200)], (0.025, 0.975))
    assert (interval.high - interval.low) / (high - low) == pytest.approx(1, abs=0.4)


def test_frechet_interval_is_shifted_by_what_repeated_images_do() -> None:
    """A resample of 200 images lacks 74 of them on average, with a standard deviation of 4.4."""
    references = np.arange(200.0)[:, None]

    def repetitions(outputs: np.ndarray, of: np.ndarray) -> float:
        assert (outputs == of).all()
        return 1000 + float(len(of) - len(np.unique(of)))

    interval = frechet_interval(repetitions, [references], references)
    assert interval is not None
    assert interval == pytest.approx((1000 - 1.96 * 4.4, 1000 + 1.96 * 4.4), abs=3)


@pytest.mark.parametrize(("images", "has_one"), [(6, True), (7, False)])
def test_many_images_have_no_frechet_interval(images: int, has_one: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "LARGEST_FRECHET", 6)
    features = np.random.default_rng(11).normal(size=(images, 2))
    assert (frechet_interval(frechet_distance, [features], features) is not None) == has_one
