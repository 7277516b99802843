from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from ccsr_bench import datasets, published
from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_image, write_png
from ccsr_bench.metrics.catalogue import METRICS, PROTOCOLS, build_metrics
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.places import shipped
from ccsr_bench.prepare import prepare_dataset

CPU = torch.device("cpu")


def scorer(metrics: list[str], protocol: str = "paper") -> Scorer:
    return Scorer(build_metrics(metrics, PROTOCOLS[protocol], CPU)[0], CPU)


@pytest.mark.parametrize("name", sorted(published.published_sets()))
def test_shipped_sets_are_complete(name: str) -> None:
    one = published.find_published(name)
    manifest = datasets.read_manifest(one.dataset)
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


def test_calibration_pairs(shared: Path, home: Path) -> None:
    prepare_dataset(datasets.read_manifest("calibration"), local=shared / "data" / "calibration")
    one = published.find_published("calibration")
    dataset = datasets.load("calibration")

    def compare(protocol: str) -> dict[str, bool]:
        comparisons = published.compare(
            "calibration", one, dataset, scorer(["psnr", "ssim"], protocol), lambda *_: None
        )
        return {comparison.metric: comparison.agrees for comparison in comparisons}

    assert compare("official") == {"psnr": True, "ssim": True}
    assert compare("paper") == {"psnr": False, "ssim": False}
    with pytest.raises(BenchError, match="no LR images"):
        dataset.samples[0].read()


def test_calibration_niqe_where_pyiqa_agrees_with_the_official_code(
    shared: Path, home: Path, niqe_weights: Path
) -> None:
    prepare_dataset(datasets.read_manifest("calibration"), local=shared / "data" / "calibration")
    one = published.find_published("calibration")
    (comparison,) = published.compare(
        "calibration", one, datasets.load("calibration"), scorer(["niqe"]), lambda *_: None
    )
    assert comparison.agrees
    assert comparison.images == 3
    assert "I03, I19 left out: pyiqa" in comparison.left_out


def test_a_single_image_that_differs_is_enough(shared: Path, home: Path) -> None:
    prepare_dataset(datasets.read_manifest("RealSR"), local=shared / "data" / "RealSR")
    dataset = datasets.load("RealSR")
    one = published.find_published("osediff-realsr")
    output = dataset.outputs("osediff")["Canon_005_LR4"]
    pixels = np.array(read_image(output))
    pixels[::8, ::8] ^= 16  # too little to move the mean of 100 images by 1e-4 much
    write_png(output, pixels)
    (comparison,) = published.compare("osediff-realsr", one, dataset, scorer(["psnr"]), lambda *_: None)
    assert not comparison.agrees
    assert comparison.worst_image == "Canon_005_LR4"


def test_unknown_set_gives_near_names() -> None:
    with pytest.raises(BenchError, match=r"did you mean .*osediff-realsr"):
        published.find_published("osediff-realst")


def test_paper_tables_are_the_ones_the_readme_describes() -> None:
    with (shipped("results/paper") / "tables.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["table"] for row in rows} == {"I", "II", "III", "IV", "V", "VI"}
    assert {row["dataset"] for row in rows} == {"DIV2K", "DRealSR", "RealSR"}
