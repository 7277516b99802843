"""Scores of published images agree with the published ones, and a score that is off does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccsr_bench.datasets.install import prepare_dataset
from ccsr_bench.datasets.loading import load_dataset
from ccsr_bench.datasets.manifest import read_manifest
from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.catalogue import PROTOCOLS
from ccsr_bench.published.scores import PublishedSet, Tolerance, find_published
from ccsr_bench.running.scoring import Scoring
from ccsr_bench.verification.comparison import PublishedComparison, _compare_metric
from ccsr_bench.verification.subject import find_subject
from ccsr_bench.verification.verify import verify
from tests.support.jobs import scorer


def calibrate(shared: Path, out: Path, metrics: list[str], protocol: str) -> dict[str, PublishedComparison]:
    """Verify the calibration pairs."""
    prepare_dataset(read_manifest("calibration"), local=shared / "data" / "calibration")
    scoring = Scoring(scorer(metrics, protocol), PROTOCOLS[protocol], "cpu")
    result = verify(find_subject("calibration"), scoring, out=out, progress=lambda *_: None)
    return {comparison.metric: comparison for comparison in result.comparisons}


def test_calibration_pairs(shared: Path, tmp_path: Path) -> None:
    official = calibrate(shared, tmp_path, ["psnr", "ssim"], "official")
    assert {metric: comparison.agrees for metric, comparison in official.items()} == {"psnr": True, "ssim": True}
    paper = calibrate(shared, tmp_path, ["psnr", "ssim"], "paper")
    assert {metric: comparison.agrees for metric, comparison in paper.items()} == {"psnr": False, "ssim": False}
    with pytest.raises(BenchError, match="no LR images"):
        load_dataset("calibration").samples[0].read()


def test_calibration_niqe_where_flat_areas_are_small(shared: Path, tmp_path: Path, niqe_weights: Path) -> None:
    comparison = calibrate(shared, tmp_path, ["niqe"], "official")["niqe"]
    assert comparison.agrees
    assert comparison.images == 3
    assert "I03, I19 left out: flat areas" in comparison.left_out


def test_damaged_published_output_is_refused(shared: Path, tmp_path: Path) -> None:
    calibrate(shared, tmp_path, ["psnr"], "official")
    outputs = load_dataset("calibration").outputs("distorted")
    outputs["I04"].write_bytes(outputs["I06"].read_bytes())
    with pytest.raises(BenchError, match=r"I04\.bmp: wrong sha256"):
        find_subject("calibration")


ONE = PublishedSet(
    title="t",
    source="s",
    dataset="d",
    outputs="o",
    protocol="paper",
    tolerances={"psnr": Tolerance(image=1e-4, mean=1e-4)},
)


@pytest.mark.parametrize(
    ("ours", "agrees"),
    [
        ({"a": 20.104, "b": 30.0}, True),  # within half of the last printed digit
        ({"a": 20.106, "b": 30.0}, False),
        ({"a": 20.15, "b": 29.95}, False),  # the mean agrees, no image does
        ({"a": 20.1, "b": 30.04}, False),  # "30.0" is as precise as its column: the writer dropped a zero
    ],
)
def test_every_image_must_agree(ours: dict[str, float], agrees: bool) -> None:
    values = {"a": "20.10", "b": "30.0"}
    assert _compare_metric("psnr", ONE, values, ours, ["a", "b"]).agrees == agrees


def test_mean_of_few_images_may_be_off_by_more_but_not_by_more_than_an_image() -> None:
    name = "osediff-realsr"
    tolerance = find_published(name).tolerances["lpips"]
    values = {f"image{index:03d}": "0.500000" for index in range(100)}

    def allowed(count: int) -> float:
        images = list(values)[:count]
        comparison = _compare_metric("lpips", find_published(name), values, dict.fromkeys(values, 0.5), images)
        return comparison.allowed_mean - 5e-7

    assert allowed(100) == pytest.approx(tolerance.mean)
    assert allowed(25) == pytest.approx(2 * tolerance.mean)
    assert allowed(1) == pytest.approx(10 * tolerance.mean)
    coarse = PublishedSet(
        title="t", source="s", dataset="d", outputs="o", protocol="paper", tolerances={"psnr": Tolerance(0.02, 0.005)}
    )
    one = _compare_metric("psnr", coarse, values, dict.fromkeys(values, 0.5), ["image000"])
    assert one.allowed_mean == one.allowed_image
