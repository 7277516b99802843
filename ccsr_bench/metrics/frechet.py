"""The Fréchet and the kernel distance of two sets of features, for FID (Heusel et al., NeurIPS 2017) and KID."""

from __future__ import annotations

import numpy as np

from ccsr_bench.errors import BenchError


def fid_definition(features_definition: str) -> str:
    """Return the definition of FID, from the definition of its features."""
    return (
        "FID: |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of the means and sample covariances (divided by M - 1) of "
        "the features of all M outputs of a run and of their M references, M printed beside it, float64 (ccsr-bench); "
        f"{features_definition}"
    )


def kid_definition(features_definition: str) -> str:
    """Return the definition of KID, from the definition of its features."""
    return (
        "KID: unbiased estimate of the squared maximum mean discrepancy, kernel (x.y / D + 1)^3, of the features of "
        "all M outputs of a run and of their M references at once, without subsets, M printed beside it, not scaled, "
        f"float64 (ccsr-bench); {features_definition}"
    )


class FrechetReference:
    """The moments of the references for the Fréchet distance, computed once and used for every run.

    The distance of two normal distributions is |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2)). With the centred
    features X and Y, divided by the square root of their number minus 1, S1 = X'X and S2 = Y'Y, and the last trace is
    the sum of the singular values of XY'. No covariance matrix and no matrix root is computed: the result is real,
    exact where there are fewer images than dimensions, and 0 for equal sets.

    Args:
        reference: Features of the references, (K, D), one row per image; K is at least 2.

    Raises:
        BenchError: There is only one image.
    """

    def __init__(self, reference: np.ndarray) -> None:
        self._mean, self._factor = _moments(reference)

    def distance(self, features: np.ndarray) -> float:
        """Return the distance, 0 or more.

        Args:
            features: Features of the outputs, (M, D); M is at least 2 and may differ from K.

        Raises:
            BenchError: There is only one image.
            ValueError: The dimensions differ.
        """
        mean, factor = _moments(features)
        if mean.shape != self._mean.shape:
            raise ValueError(f"features have {len(mean)} dimensions, the references' {len(self._mean)}")
        root_trace = np.linalg.svd(factor @ self._factor.T, compute_uv=False).sum()
        difference = mean - self._mean
        total = difference @ difference + np.square(factor).sum() + np.square(self._factor).sum() - 2 * root_trace
        # For equal sets, rounding leaves about 1e-13, of either sign.
        return max(float(total), 0.0)


def _check(features: np.ndarray, metric: str) -> np.ndarray:
    """Return features in float64, after checking their shape."""
    if features.ndim != 2:
        raise ValueError(f"expected (M, D) features, got {features.shape}")
    if len(features) < 2:
        raise BenchError(f"{metric}: needs at least 2 images, got {len(features)}")
    return features.astype(np.float64)


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean, and a factor F of the sample covariance F'F with no more rows than columns."""
    vectors = _check(features, "fid")
    mean = vectors.mean(axis=0)
    factor = (vectors - mean) / np.sqrt(len(vectors) - 1)
    if len(factor) > factor.shape[1]:
        factor = np.linalg.qr(factor, mode="r")
    return mean, factor


def frechet_distance(features: np.ndarray, reference: np.ndarray) -> float:
    """Return the Fréchet distance of two sets of features, as FID is defined by Heusel et al. (NeurIPS 2017).

    Args:
        features: Features of the outputs, (M, D), one row per image; M is at least 2.
        reference: Features of the references, (K, D); K is at least 2.

    Returns:
        The distance, 0 or more.

    Raises:
        BenchError: There is only one image.
        ValueError: The dimensions differ.
    """
    return FrechetReference(reference).distance(features)


def kernel_distance(features: np.ndarray, reference: np.ndarray) -> float:
    """Return the kernel distance of two sets of features, as KID is defined by Bińkowski et al. (ICLR 2018).

    It is the unbiased estimate of the squared maximum mean discrepancy with the kernel (x.y / D + 1)^3, from all
    vectors at once. clean-fid and pyiqa average it over 100 random subsets of at most 1,000 vectors. For two sets of
    equal size up to 1,000, every subset is the full set and the results agree. For larger sets theirs is a random
    estimate of ours, which is deterministic.

    Args:
        features: Features of the outputs, (M, D), one row per image; M is at least 2.
        reference: Features of the references, (K, D); K is at least 2.

    Returns:
        The estimate, not scaled; it can be below 0, because it is unbiased.

    Raises:
        BenchError: There is only one image.
        ValueError: The dimensions differ.
    """
    ours, theirs = _check(features, "kid"), _check(reference, "kid")
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError(f"features have {ours.shape[1]} dimensions, the references' {theirs.shape[1]}")
    return _mean_of_pairs(ours) + _mean_of_pairs(theirs) - 2 * float(_kernel(ours, theirs).mean())


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    products: np.ndarray = (first @ second.T / first.shape[1] + 1) ** 3
    return products


def _mean_of_pairs(vectors: np.ndarray) -> float:
    """Return the mean kernel of two different vectors of a set."""
    kernel = _kernel(vectors, vectors)
    return float((kernel.sum() - np.trace(kernel)) / (len(vectors) * (len(vectors) - 1)))
