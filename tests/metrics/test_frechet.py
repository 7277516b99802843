"""FID's and KID's distances against theory, and against pyiqa's."""

from __future__ import annotations

import importlib
import os
import time

import numpy as np
import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.frechet import FrechetReference, frechet_distance, kernel_distance

slow = pytest.mark.skipif(
    not os.environ.get("CCSR_BENCH_SLOW"), reason="a root of a 2048x2048 matrix takes long; set CCSR_BENCH_SLOW=1"
)


def vectors(count: int, dimensions: int, seed: int) -> np.ndarray:
    """Return correlated vectors of at least 0, float32, as the network makes."""
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
    made: np.ndarray = np.maximum(generator.normal(0.3 + 0.1 * seed, 1, (count, dimensions)) @ mixing, 0)
    return made.astype(np.float32)


def sample(mean: np.ndarray, covariance: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return vectors whose sample mean and sample covariance are exactly those given."""
    raw = np.random.default_rng(seed).normal(size=(count, len(mean)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    made: np.ndarray = white @ np.linalg.cholesky(covariance).T + mean
    return made


def of_pyiqa(features: np.ndarray, reference: np.ndarray) -> float:
    arch = pytest.importorskip("pyiqa.archs.fid_arch", reason="needs the extra `pyiqa`")
    moments = [(np.mean(one, axis=0), np.cov(one, rowvar=False)) for one in (features, reference)]
    return float(arch.frechet_distance(*moments[0], *moments[1]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("count", "others"), [(10, 10), (40, 64), (65, 65), (200, 200), (200, 10), (10, 200)])
def test_fid_agrees_with_pyiqa(count: int, others: int) -> None:
    features, reference = vectors(count, 64, 0), vectors(others, 64, 1)
    assert frechet_distance(features, reference) == pytest.approx(of_pyiqa(features, reference), rel=1e-4)


@slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("count", [10, 100, 2500])
def test_fid_agrees_with_pyiqa_in_full(count: int) -> None:
    features, reference = vectors(count, 2048, 0), vectors(count, 2048, 1)
    assert frechet_distance(features, reference) == pytest.approx(of_pyiqa(features, reference), rel=1e-3)


def test_fid_of_diagonal_covariances() -> None:
    """|m1 - m2|^2 + sum of (s1 - s2)^2 over the standard deviations, whichever way it is computed."""
    generator = np.random.default_rng(0)
    deviations = generator.uniform(0.1, 3, (2, 8))
    means = generator.normal(size=(2, 8))
    expected = np.square(means[0] - means[1]).sum() + np.square(deviations[0] - deviations[1]).sum()
    for counts in ((9, 9), (30, 400)):
        sets = [sample(means[i], np.diag(deviations[i] ** 2), counts[i], i) for i in range(2)]
        assert frechet_distance(*sets) == pytest.approx(expected, rel=1e-10)


def test_fid_of_covariances_that_do_not_commute() -> None:
    """In two dimensions the trace of the root of A is the root of tr A + 2 root of det A."""
    first, second = np.array([[2, 0.9], [0.9, 0.5]]), np.array([[1, -0.7], [-0.7, 3]])
    product = first @ second
    root_trace = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(first) + np.trace(second) - 2 * root_trace
    assert not np.allclose(product, product.T)
    sets = sample(np.zeros(2), first, 20, 0), sample(np.zeros(2), second, 30, 1)
    assert frechet_distance(*sets) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("count", "dimensions"), [(2, 2048), (100, 2048), (300, 64)])
def test_fid_of_equal_sets_and_of_a_translation(count: int, dimensions: int) -> None:
    features = vectors(count, dimensions, 0).astype(np.float64)
    shuffled = np.random.default_rng(0).permutation(features)
    assert 0 <= frechet_distance(features, shuffled) < 1e-6
    move = np.random.default_rng(1).normal(size=dimensions)
    assert frechet_distance(features + move, features) == pytest.approx(move @ move, rel=1e-9)


def test_fid_is_symmetric_and_grows_with_the_square_of_the_scale() -> None:
    first, second = vectors(30, 64, 0), vectors(200, 64, 1)
    there = frechet_distance(first, second)
    assert there > 0
    assert frechet_distance(second, first) == pytest.approx(there, rel=1e-10)
    assert frechet_distance(4 * first, 4 * second) == pytest.approx(16 * there, rel=1e-10)


def test_fid_of_a_reference_prepared_once() -> None:
    reference = vectors(90, 64, 2)
    prepared = FrechetReference(reference)
    for seed in range(3):
        features = vectors(50, 64, seed)
        assert prepared.distance(features) == frechet_distance(features, reference)


def test_fid_of_100_images_is_fast() -> None:
    """Some 5 ms; a root of a 2048x2048 matrix takes a hundred times as long as this allows."""
    features, reference = vectors(100, 2048, 0), vectors(100, 2048, 1)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        frechet_distance(features, reference)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.5


def test_kid_is_the_mean_over_pairs() -> None:
    features, reference = vectors(5, 7, 0).astype(np.float64), vectors(4, 7, 1).astype(np.float64)

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 7 + 1) ** 3)

    within = [
        np.mean([kernel(x, y) for i, x in enumerate(one) for j, y in enumerate(one) if i != j])
        for one in (features, reference)
    ]
    between = np.mean([kernel(x, y) for x in features for y in reference])
    assert kernel_distance(features, reference) == pytest.approx(sum(within) - 2 * between, rel=1e-10)


@pytest.mark.parametrize(("count", "dimensions"), [(10, 2048), (100, 2048), (1000, 64)])
def test_kid_agrees_with_pyiqa(count: int, dimensions: int) -> None:
    """Up to 1,000 vectors each of its random subsets is the full set; in its own float32 only the last digits move."""
    arch = importlib.import_module(pytest.importorskip("pyiqa", reason="needs pyiqa").__name__ + ".archs.fid_arch")
    features, reference = vectors(count, dimensions, 0), vectors(count, dimensions, 1)
    found = kernel_distance(features, reference)
    doubled = arch.mmd_polynomial_kernel(features.astype(np.float64), reference.astype(np.float64), num_subsets=2)
    assert found == pytest.approx(doubled, rel=1e-9)
    single = arch.mmd_polynomial_kernel(features, reference, num_subsets=2)
    assert found == pytest.approx(single, abs=1e-4)


def test_kid_is_deterministic_symmetric_and_unbiased() -> None:
    reference = vectors(1500, 16, 1)
    features = vectors(1200, 16, 0)
    found = kernel_distance(features, reference)
    assert kernel_distance(features, reference) == found
    assert kernel_distance(reference, features) == pytest.approx(found, rel=1e-9)
    estimates = [kernel_distance(*np.split(vectors(80, 16, 0)[order], 2)) for order in _orders(80, 60)]
    assert min(estimates) < 0 < max(estimates)
    assert abs(np.mean(estimates)) < 3 * np.std(estimates) / np.sqrt(60) + 0.02


def _orders(count: int, times: int) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.permutation(count) for _ in range(times)]


def test_wrong_sets() -> None:
    two, one, wide = np.zeros((2, 4)), np.zeros((1, 4)), np.zeros((2, 5))
    for name, distance in (("fid", frechet_distance), ("kid", kernel_distance)):
        for sets in ((one, two), (two, one)):
            with pytest.raises(BenchError, match=f"{name}: needs at least 2 images, got 1"):
                distance(*sets)
        with pytest.raises(ValueError, match="dimensions"):
            distance(two, wide)
        with pytest.raises(ValueError, match="expected"):
            distance(np.zeros(4), two)
