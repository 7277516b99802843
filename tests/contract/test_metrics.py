"""What every metric must do, under every protocol that changes it.

Networks have random weights where the published ones are not at hand; what only trained ones do is skipped then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.errors import MetricUnavailableError
from ccsr_bench.images import read_image, write_png
from ccsr_bench.ledger.merge import merge_folders
from ccsr_bench.metrics.base import ImageBatch, Metric, SetMetric
from ccsr_bench.metrics.catalogue import METRICS, PROTOCOLS, MetricInfo, build_metric, build_metrics, entry_point
from ccsr_bench.metrics.scorer import Scorer
from tests.support.jobs import run
from tests.support.ledgers import everything
from tests.support.metrics.every_metric import published, weights_installed, write_all
from tests.support.pictures import noisy, picture, write_pairs
from tests.support.tables import collect

CPU = torch.device("cpu")
SIZE = 104
"""Of pictures, in pixels: NIQE needs a 96-pixel block."""

SAME_CODE = "maniqa-koniq"
"""The code and the shapes of `maniqa`; its minute is spent where CCSR_BENCH_SLOW asks for it."""

CASES = [
    (info.name, protocol.name)
    for info in METRICS.values()
    for protocol in PROTOCOLS.values()
    if info.kind != "distribution" and (protocol.name == "paper" or info.name in protocol.options)
]
SETS = [info.name for info in METRICS.values() if info.kind == "distribution"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for every network."""
    folder = tmp_path_factory.mktemp("weights")
    write_all(folder)
    return folder


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(
    request: pytest.FixtureRequest, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MetricInfo, Metric]]:
    name, protocol = request.param
    if name == SAME_CODE and not os.environ.get("CCSR_BENCH_SLOW"):
        pytest.skip(f"{name} is the code of maniqa; set CCSR_BENCH_SLOW=1")
    with weights_installed(weights, tmp_path_factory.mktemp("home")):
        try:
            metric = build_metric(name, PROTOCOLS[protocol], CPU)
        except MetricUnavailableError as error:
            pytest.skip(str(error))
        yield METRICS[name], metric


@pytest.fixture(scope="module", params=SETS)
def set_case(
    request: pytest.FixtureRequest, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MetricInfo, SetMetric]]:
    with weights_installed(weights, tmp_path_factory.mktemp("home")):
        metric = build_metrics([request.param], PROTOCOLS["paper"], CPU)[0][request.param]
        assert isinstance(metric, SetMetric)
        yield METRICS[request.param], metric


def outputs(sigmas: list[float], size: int = SIZE) -> np.ndarray:
    """Return the picture with more and more noise."""
    generator = np.random.default_rng(0)
    image = picture(0, size).astype(float)
    return np.stack([np.clip(np.rint(image + s * generator.normal(size=image.shape)), 0, 255) for s in sigmas]).astype(
        np.uint8
    )


def score(metric: Metric, images: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        prepared = metric.prepare(ImageBatch(picture(0, images.shape[1])[None], CPU))
        values: np.ndarray = metric.score(ImageBatch(images, CPU), prepared).numpy()
    return values


@pytest.fixture(scope="module")
def scored(case: tuple[MetricInfo, Metric]) -> tuple[np.ndarray, np.ndarray]:
    """Two outputs, and their scores as one batch."""
    _, metric = case
    images = outputs([2, 8])
    return images, score(metric, images)


def test_shape_and_type(scored: tuple[np.ndarray, np.ndarray]) -> None:
    _, values = scored
    assert values.shape == (2,)
    assert values.dtype == np.float64
    assert np.isfinite(values).all()


def test_direction(case: tuple[MetricInfo, Metric]) -> None:
    info, metric = case
    if info.kind == "no-reference" and not all(map(published, info.weights)):
        pytest.skip(f"{info.name} with random weights does not know what is better")
    mild, strong = score(metric, outputs([4, 40]))
    assert (mild > strong) == info.higher_is_better


def test_identity_is_best(case: tuple[MetricInfo, Metric]) -> None:
    info, metric = case
    if info.kind == "no-reference":
        pytest.skip(f"{info.name} has no reference to be identical with")
    perfect, worse = score(metric, outputs([0, 2]))
    assert (perfect > worse) == info.higher_is_better


def test_score_does_not_depend_on_the_batch(
    case: tuple[MetricInfo, Metric], scored: tuple[np.ndarray, np.ndarray]
) -> None:
    _, metric = case
    images, together = scored
    for index in range(2):
        assert score(metric, images[index : index + 1])[0] == together[index]
    np.testing.assert_array_equal(score(metric, images[::-1])[::-1], together)


def test_score_is_of_the_file_on_disk(
    case: tuple[MetricInfo, Metric], scored: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    _, metric = case
    images, values = scored
    write_png(tmp_path / "a.png", images[1])
    assert score(metric, read_image(tmp_path / "a.png")[None])[0] == values[1]


def test_reference_is_left_alone_by_scoring(case: tuple[MetricInfo, Metric]) -> None:
    info, metric = case
    if info.kind == "no-reference":
        pytest.skip(f"{info.name} has no reference")
    with torch.inference_mode():
        prepared = metric.prepare(ImageBatch(picture(0, SIZE)[None], CPU))
        batch = ImageBatch(outputs([3]), CPU)
        assert metric.score(batch, prepared)[0] == metric.score(batch, prepared)[0]


def test_odd_sizes(case: tuple[MetricInfo, Metric]) -> None:
    _, metric = case
    assert np.isfinite(score(metric, outputs([5], size=107))).all()


def test_definition_is_complete_enough_to_be_unique(case: tuple[MetricInfo, Metric]) -> None:
    info, metric = case
    assert info.label in metric.definition
    assert "crop" in metric.definition or "border" in metric.definition


def test_wrong_input_is_refused() -> None:
    for images in (np.zeros((1, 8, 8), np.uint8), np.zeros((1, 8, 8, 3), np.float32), np.zeros((1, 3, 8, 8), np.uint8)):
        with pytest.raises(ValueError, match="expected"):
            ImageBatch(images, CPU)


def vectors(metric: SetMetric, images: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        found: np.ndarray = metric.extractor.features(ImageBatch(images, CPU)).numpy()
    return found


def test_vectors_do_not_depend_on_the_batch(set_case: tuple[MetricInfo, SetMetric]) -> None:
    _, metric = set_case
    images = outputs([2, 4, 8])
    together = vectors(metric, images)
    assert together.shape == (3, 2048)
    assert together.dtype == np.float32
    for index in range(3):
        np.testing.assert_array_equal(vectors(metric, images[index : index + 1])[0], together[index])


def test_sets_identity_direction_and_order(set_case: tuple[MetricInfo, SetMetric]) -> None:
    info, metric = set_case
    distance = entry_point(info.entry)
    reference = vectors(metric, np.stack([picture(seed, SIZE) for seed in range(4)]))
    mild, strong = (
        vectors(metric, np.stack([noisy(picture(seed, SIZE), sigma, seed) for seed in range(4)]))
        for sigma in (6.0, 60.0)
    )
    identical = distance(reference, reference)
    assert identical <= 1e-6  # KID is unbiased: that of equal sets is below 0
    assert identical < distance(mild, reference) < distance(strong, reference)
    assert distance(mild[::-1], reference) == pytest.approx(distance(mild, reference), rel=1e-9)


@pytest.fixture(scope="module")
def defaults(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Metric | SetMetric]:
    """The metrics that a run has unless it is told otherwise."""
    with weights_installed(weights, tmp_path_factory.mktemp("home")):
        return build_metrics(None, PROTOCOLS["paper"], CPU)[0]


def test_every_definition_is_another(defaults: dict[str, Metric | SetMetric]) -> None:
    definitions = [metric.definition for metric in defaults.values()]
    assert len(set(definitions)) == len(definitions)
    assert all(METRICS[name].label in metric.definition for name, metric in defaults.items())


def test_shards_give_what_one_process_gives_with_every_metric(
    defaults: dict[str, Metric | SetMetric], tmp_path: Path
) -> None:
    write_pairs(tmp_path, ["image0", "image1"], size=96)
    own = datasets.from_folders(tmp_path / "lr", tmp_path / "hr", name="own")
    scorer = Scorer(defaults, CPU)
    run(own, tmp_path / "whole", runs=2, scoring=scorer)
    run(own, tmp_path / "a", runs=2, scoring=scorer, names=["image1"])
    run(own, tmp_path / "b", runs=2, scoring=scorer, names=["image0"])
    merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")
    assert collect(tmp_path / "out")[0].rows == collect(tmp_path / "whole")[0].rows
    assert collect(tmp_path / "whole")[0].rows[0].cells.keys() == {*scorer.metrics, *scorer.set_metrics, "l-std"}
