from __future__ import annotations

import csv
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.datasets.install import prepare_dataset
from ccsr_bench.datasets.manifest import read_manifest
from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.catalogue import METRICS, PROTOCOLS, build_metrics
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.places import shipped
from ccsr_bench.published import scores as published
from ccsr_bench.published import verify

CPU = torch.device("cpu")


def scorer(metrics: list[str], protocol: str = "paper") -> Scorer:
    return Scorer(build_metrics(metrics, PROTOCOLS[protocol], CPU)[0], CPU)


@pytest.mark.parametrize("name", sorted(published.published_sets()))
def test_shipped_sets_are_complete(name: str) -> None:
    one = published.find_published(name)
    manifest = read_manifest(one.dataset)
    files = manifest.files[f"outputs/{one.outputs}"]
    values = published.published_values(name)
    assert one.protocol in PROTOCOLS
    assert one.tolerances.keys() <= METRICS.keys() & values.keys()
    for column in values.values():
        assert column.keys() == {Path(file).stem for file in files}


def test_means_are_the_published_ones() -> None:
    """The averages that OSEDiff's authors' log gives."""
    values = published.published_values("osediff-realsr")
    means = {metric: np.mean([float(v) for v in column.values()]) for metric, column in values.items()}
    assert means["psnr"] == pytest.approx(25.1511, abs=5e-5)
    assert means["ssim"] == pytest.approx(0.7341, abs=5e-5)
    assert means["niqe"] == pytest.approx(5.6476, abs=5e-5)


def compare(name: str, shared: Path, metrics: list[str], protocol: str) -> dict[str, verify.PublishedComparison]:
    """Compare an installed set."""
    one = published.find_published(name)
    prepare_dataset(read_manifest(one.dataset), local=shared / "data" / one.dataset)
    dataset = datasets.load_dataset(one.dataset)
    outputs = dataset.outputs(one.outputs)
    comparisons = verify.compare(name, one, dataset, outputs, scorer(metrics, protocol), lambda *_: None)
    return {comparison.metric: comparison for comparison in comparisons}


def test_calibration_pairs(shared: Path, home: Path) -> None:
    official = compare("calibration", shared, ["psnr", "ssim"], "official")
    assert {metric: comparison.agrees for metric, comparison in official.items()} == {"psnr": True, "ssim": True}
    paper = compare("calibration", shared, ["psnr", "ssim"], "paper")
    assert {metric: comparison.agrees for metric, comparison in paper.items()} == {"psnr": False, "ssim": False}
    with pytest.raises(BenchError, match="no LR images"):
        datasets.load_dataset("calibration").samples[0].read()


def test_calibration_niqe_where_flat_areas_are_small(shared: Path, niqe_weights: Path) -> None:
    comparison = compare("calibration", shared, ["niqe"], "official")["niqe"]
    assert comparison.agrees
    assert comparison.images == 3
    assert "I03, I19 left out: flat areas" in comparison.left_out


ONE = published.PublishedSet(
    title="t",
    source="s",
    dataset="d",
    outputs="o",
    protocol="paper",
    tolerances={"psnr": published.Tolerance(image=1e-4, mean=1e-4)},
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
    assert verify._compare_metric("psnr", ONE, values, ours).agrees == agrees


def test_metric_that_was_not_published_cannot_be_verified() -> None:
    one = msgspec.structs.replace(published.find_published("calibration"), tolerances={})
    with pytest.raises(BenchError, match="no published value of psnr"):
        verify.compare("calibration", one, datasets.load_dataset("sample"), {}, scorer(["psnr"]), lambda *_: None)


def test_damaged_published_output_is_refused(shared: Path, home: Path) -> None:
    compare("calibration", shared, ["psnr"], "official")
    dataset = datasets.load_dataset("calibration")
    path = dataset.outputs("distorted")["I04"]
    path.write_bytes(dataset.outputs("distorted")["I06"].read_bytes())
    with pytest.raises(BenchError, match=r"I04\.bmp: wrong sha256"):
        dataset.read_output("distorted", path)


def test_unknown_set_gives_near_names() -> None:
    with pytest.raises(BenchError, match=r"did you mean .*osediff-realsr"):
        published.find_published("osediff-realst")


def test_paper_tables_are_the_ones_the_readme_describes() -> None:
    with (shipped("results/paper") / "tables.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["table"] for row in rows} == {"I", "II", "III", "IV", "V", "VI"}
    assert {row["dataset"] for row in rows} == {"DIV2K", "DRealSR", "RealSR"}
