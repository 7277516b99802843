from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.images import read_image
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.niqe import NIQE
from ccsr_bench.metrics.weight_files import FILES, find_weights
from tests.support.pictures import picture

CPU = torch.device("cpu")
WEIGHTS = FILES["niqe"].name


def test_missing_weights_say_how_to_get_them(home: Path) -> None:
    with pytest.raises(MetricUnavailableError, match=r"niqe: no niqe_modelparameters\.mat in .*prepare --metrics"):
        NIQE(device=CPU)


def test_weights_are_found_where_pyiqa_keeps_them(niqe_weights: Path, home: Path) -> None:
    theirs = home / "torch" / "hub" / "pyiqa" / WEIGHTS
    theirs.parent.mkdir(parents=True)
    niqe_weights.rename(theirs)
    assert find_weights("niqe", "niqe") == theirs
    assert "niqe_modelparameters.mat" in NIQE(device=CPU).definition


def test_wrong_weights_are_refused(home: Path) -> None:
    (home / "weights").mkdir()
    (home / "weights" / WEIGHTS).write_bytes(b"something else")
    with pytest.raises(BenchError, match="wrong sha256"):
        NIQE(device=CPU)


def test_definition_names_version_and_weights(niqe_weights: Path) -> None:
    import pyiqa

    definition = NIQE(device=CPU).definition
    assert f"pyiqa {pyiqa.__version__}" in definition
    assert "df16a821ebd0" in definition


def test_too_small_for_a_block(niqe_weights: Path) -> None:
    with pytest.raises(BenchError, match="smaller than its 96-pixel block"):
        NIQE(device=CPU).score(ImageBatch(picture(0, 64)[None], CPU), None)


def test_published_osediff_scores(niqe_weights: Path, shared: Path) -> None:
    """Every tenth image here; `ccsr-bench verify` compares all of them."""
    with (shared / "data" / "published" / "osediff-realsr.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::10]
    metric = NIQE(device=CPU)
    folder = shared / "data" / "RealSR" / "outputs" / "osediff"
    outputs = np.stack([read_image(folder / f"{row['image']}.png") for row in rows])
    scores = metric.score(ImageBatch(outputs, CPU), None)
    np.testing.assert_allclose(scores, [float(row["niqe"]) for row in rows], rtol=0, atol=0.02)
