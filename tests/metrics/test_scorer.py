from __future__ import annotations

import numpy as np
import pytest
import torch

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.base import ImageBatch, SetMetric
from ccsr_bench.metrics.scorer import VECTORS, Scorer
from tests.support.pictures import picture

CPU = torch.device("cpu")
HR = picture(0, 16)


class Given:
    """A metric whose values a test chooses, or that fails."""

    definition = "as given"

    def __init__(self, *values: float, error: Exception | None = None) -> None:
        self._values = values
        self._error = error
        self.prepared: list[int] = []

    def prepare(self, reference: ImageBatch) -> int:
        self.prepared.append(len(reference))
        return 7

    def score(self, outputs: ImageBatch, prepared: int) -> torch.Tensor:
        assert prepared == 7
        if self._error is not None:
            raise self._error
        return torch.tensor(self._values[: len(outputs)], dtype=torch.float64)


class Means:
    """Vectors of one mean."""

    definition = "means of pictures"

    def __init__(self, factor: float = 1) -> None:
        self._factor = factor

    def features(self, images: ImageBatch) -> torch.Tensor:
        return self._factor * images.rgb.flatten(1).mean(dim=1, keepdim=True)


def outputs(count: int) -> np.ndarray:
    return np.stack([HR] * count)


def test_outputs_of_another_size_are_refused() -> None:
    scorer = Scorer({"a": Given(1, 2)}, CPU)
    with pytest.raises(BenchError, match=r"outputs are \(16, 12, 3\), the reference is \(16, 16, 3\)"):
        scorer.score(outputs(2)[:, :, :12], scorer.reference(HR), ["a"])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_single_value_that_is_not_finite_fails_its_metric_and_no_other(bad: float) -> None:
    scorer = Scorer({"a": Given(1, bad, 3), "b": Given(4, 5, 6)}, CPU)
    scores, failures = scorer.score(outputs(3), scorer.reference(HR), ["a", "b"])
    assert scores == {"b": [4, 5, 6]}
    (failure,) = failures
    assert failure.startswith("a: not finite for some run: [1.0,")


def test_a_metric_that_raises_is_named_with_its_reason() -> None:
    scorer = Scorer({"a": Given(error=ValueError("two\nlines")), "b": Given(1)}, CPU)
    scores, failures = scorer.score(outputs(1), scorer.reference(HR), ["a", "b"])
    assert (scores, failures) == ({"b": [1]}, ["a: ValueError('two\\nlines')"])
    scorer = Scorer({"a": Given(error=BenchError("a needs 96 pixels"))}, CPU)
    assert scorer.score(outputs(1), scorer.reference(HR), ["a"]) == ({}, ["a needs 96 pixels"])


def test_a_reference_is_prepared_once_and_only_for_what_is_asked() -> None:
    metrics = {"a": Given(1, 2), "b": Given(3, 4)}
    scorer = Scorer(metrics, CPU)
    reference = scorer.reference(HR)
    for count in (1, 2):
        scorer.score(outputs(count), reference, ["a"])
    assert (metrics["a"].prepared, metrics["b"].prepared) == ([1], [])
    scorer.score(outputs(1), scorer.reference(HR), ["a"])
    assert metrics["a"].prepared == [1, 1]


def test_definitions_are_of_every_metric_and_of_the_vectors() -> None:
    both = Scorer({"a": Given(1), "fid": SetMetric("distance of means", Means())}, CPU)
    assert both.definitions == {"a": "as given", "fid": "distance of means", VECTORS: "means of pictures"}
    assert Scorer({"a": Given(1)}, CPU).definitions == {"a": "as given"}


def test_vectors_must_be_finite_and_asked_for() -> None:
    scorer = Scorer({"fid": SetMetric("distance of means", Means())}, CPU)
    np.testing.assert_allclose(scorer.features(outputs(2)), np.full((2, 1), HR.mean() / 255), rtol=1e-5)
    broken = Scorer({"fid": SetMetric("d", Means(float("inf"))), "kid": SetMetric("d", Means())}, CPU)
    with pytest.raises(ValueError, match="fid and kid: the vectors are not finite"):
        broken.features(outputs(1))
    with pytest.raises(ValueError, match="no set metric was built"):
        Scorer({"a": Given(1)}, CPU).features(outputs(1))
