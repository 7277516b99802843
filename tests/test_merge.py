from __future__ import annotations

from pathlib import Path

import pytest

from ccsr_bench import datasets
from ccsr_bench.datasets import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_png
from ccsr_bench.merge import merge_folders
from tests.conftest import picture
from tests.test_runner import everything, run


@pytest.fixture
def own(pairs: Path) -> Dataset:
    return datasets.from_folders(pairs / "lr", pairs / "hr", name="own")


def test_shards_give_what_one_process_gives(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "whole")
    run(own, tmp_path / "a", names=["image0", "image2"])
    run(own, tmp_path / "b", names=["image1", "image3"])
    assert merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out") == [tmp_path / "out" / "own" / "m"]
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")
    assert run(own, tmp_path / "out").computed == 0


def test_overlap_must_agree(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a", names=["image0", "image1"])
    run(own, tmp_path / "b", names=["image1", "image2"])
    merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert len(everything(tmp_path / "out")["records"]) == 3

    write_png(own.samples[0].hr, picture(9))
    run(own, tmp_path / "c", names=["image0"])
    before = everything(tmp_path / "out")
    with pytest.raises(BenchError, match="'image0' is not the one already merged"):
        merge_folders([tmp_path / "c"], tmp_path / "out")
    assert everything(tmp_path / "out") == before


def test_metrics_of_both_are_kept(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a", metrics=["psnr"])
    run(own, tmp_path / "b", metrics=["ssim"])
    run(own, tmp_path / "whole")
    merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")


def test_different_protocols_are_not_merged(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a", names=["image0"])
    run(own, tmp_path / "b", names=["image1"], protocol="ccsr-v1")
    with pytest.raises(BenchError, match="protocol is 'paper', not 'ccsr-v1'"):
        merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out")


def test_folder_without_ledgers(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no ledger in it"):
        merge_folders([tmp_path], tmp_path / "out")
