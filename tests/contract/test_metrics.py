"""What every metric must do, under every protocol; those whose weights are missing are skipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ccsr_bench.errors import MetricUnavailableError
from ccsr_bench.images import read_image, write_png
from ccsr_bench.metrics.base import ImageBatch, Metric
from ccsr_bench.metrics.catalogue import METRICS, PROTOCOLS, MetricInfo, build_metric
from tests.conftest import WEIGHTS, picture

CPU = torch.device("cpu")
SIZE = 200


@pytest.fixture(params=[(name, protocol) for name in METRICS for protocol in PROTOCOLS], ids="-".join)
def case(request: pytest.FixtureRequest, home: Path) -> tuple[MetricInfo, Metric]:
    name, protocol = request.param
    if WEIGHTS.is_file():
        (home / "weights").mkdir()
        (home / "weights" / WEIGHTS.name).write_bytes(WEIGHTS.read_bytes())
    try:
        return METRICS[name], build_metric(name, PROTOCOLS[protocol], CPU)
    except MetricUnavailableError as error:
        pytest.skip(str(error))


def outputs(sigmas: list[float], size: int = SIZE) -> np.ndarray:
    """Return the picture with more and more noise."""
    generator = np.random.default_rng(0)
    image = picture(0, size).astype(float)
    return np.stack([np.clip(np.rint(image + s * generator.normal(size=image.shape)), 0, 255) for s in sigmas]).astype(
        np.uint8
    )


def score(metric: Metric, images: np.ndarray) -> np.ndarray:
    prepared = metric.prepare(ImageBatch(picture(0, images.shape[1])[None], CPU))
    values: np.ndarray = metric.score(ImageBatch(images, CPU), prepared).numpy()
    return values


def test_shape_and_type(case: tuple[MetricInfo, Metric]) -> None:
    _, metric = case
    values = score(metric, outputs([5, 10, 20]))
    assert values.shape == (3,)
    assert values.dtype == np.float64
    assert np.isfinite(values).all()


def test_direction(case: tuple[MetricInfo, Metric]) -> None:
    info, metric = case
    mild, strong = score(metric, outputs([4, 40]))
    assert (mild > strong) == info.higher_is_better


def test_identity_is_best(case: tuple[MetricInfo, Metric]) -> None:
    info, metric = case
    if info.kind == "no-reference":
        pytest.skip(f"{info.name} has no reference to be identical with")
    perfect, worse = score(metric, outputs([0, 2]))
    assert (perfect > worse) == info.higher_is_better


def test_score_does_not_depend_on_the_batch(case: tuple[MetricInfo, Metric]) -> None:
    _, metric = case
    images = outputs([2, 4, 8, 16])
    together = score(metric, images)
    for index in range(4):
        assert score(metric, images[index : index + 1])[0] == together[index]
    np.testing.assert_array_equal(score(metric, images[::-1])[::-1], together)


def test_score_is_of_the_file_on_disk(case: tuple[MetricInfo, Metric], tmp_path: Path) -> None:
    _, metric = case
    images = outputs([7])
    write_png(tmp_path / "a.png", images[0])
    assert score(metric, read_image(tmp_path / "a.png")[None])[0] == score(metric, images)[0]


def test_reference_is_left_alone_by_scoring(case: tuple[MetricInfo, Metric]) -> None:
    _, metric = case
    prepared = metric.prepare(ImageBatch(picture(0, SIZE)[None], CPU))
    batch = ImageBatch(outputs([3]), CPU)
    assert metric.score(batch, prepared)[0] == metric.score(batch, prepared)[0]


def test_odd_sizes(case: tuple[MetricInfo, Metric]) -> None:
    _, metric = case
    assert np.isfinite(score(metric, outputs([5], size=203))).all()


def test_definition_is_complete_enough_to_be_unique(case: tuple[MetricInfo, Metric]) -> None:
    info, metric = case
    assert info.label in metric.definition
    assert "crop" in metric.definition or "border" in metric.definition


def test_wrong_input_is_refused() -> None:
    for images in (np.zeros((1, 8, 8), np.uint8), np.zeros((1, 8, 8, 3), np.float32), np.zeros((1, 3, 8, 8), np.uint8)):
        with pytest.raises(ValueError, match="expected"):
            ImageBatch(images, CPU)
