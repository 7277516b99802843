from __future__ import annotations

from pathlib import Path

import pytest

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_png
from ccsr_bench.ledger.merge import merge_folders
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.methods.interpolation import DitheredBicubic
from tests.support.jobs import FailsOn, run
from tests.support.ledgers import everything
from tests.support.pictures import picture
from tests.support.tables import collect


def test_shards_give_the_results_of_one_process(own: Dataset, tmp_path: Path) -> None:
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
    with pytest.raises(BenchError, match="'image0' differs from the image already merged"):
        merge_folders([tmp_path / "c"], tmp_path / "out")
    assert everything(tmp_path / "out") == before


def test_other_outputs_of_the_same_runs_are_refused(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a", names=["image0", "image1"])
    run(own, tmp_path / "b", names=["image1", "image2"], method=DitheredBicubic(sigma=9.0))
    with pytest.raises(BenchError, match="run 0 of 'image1' differs from the run already merged; keep one of them"):
        merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out")


def test_metrics_of_both_are_kept(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a", metrics=["psnr"])
    run(own, tmp_path / "b", metrics=["ssim"])
    run(own, tmp_path / "whole")
    merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")


def test_different_protocols_are_not_merged(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a", names=["image0"])
    run(own, tmp_path / "b", names=["image1"], protocol="ccsr-v1")
    with pytest.raises(BenchError, match="protocol of this ledger is 'paper', not 'ccsr-v1'"):
        merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out")


def test_folder_without_ledgers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no ledger in it"):
        merge_folders([tmp_path], tmp_path / "out")


def test_merging_in_two_calls_equals_merging_in_one(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a", names=["image0", "image2"])
    run(own, tmp_path / "b", names=["image1", "image3"])
    merge_folders([tmp_path / "a"], tmp_path / "out")
    merge_folders([tmp_path / "b"], tmp_path / "out")
    (section,) = collect(tmp_path / "out")
    assert section.rows[0].images == 4
    assert [note for note in section.notes if note.startswith("m:")] == ["m: test."]  # nothing is missing


def test_failures_are_merged_unless_another_ledger_completed_the_image(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a", method=FailsOn(own.samples[1].read().lr))
    run(own, tmp_path / "b", names=["image1"])
    merge_folders([tmp_path / "a"], tmp_path / "out")
    with Ledger(tmp_path / "out" / "own" / "m") as ledger:
        assert ledger.failures == {"image1": "RuntimeError: out of luck"}
    merge_folders([tmp_path / "b"], tmp_path / "out")
    merge_folders([tmp_path / "a"], tmp_path / "out")
    with Ledger(tmp_path / "out" / "own" / "m") as ledger:
        assert ledger.failures == {}
        assert len(ledger.outputs("image1")) == 4


def test_damaged_output_is_not_merged(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a")
    with Ledger(tmp_path / "a" / "own" / "m") as ledger:
        path = ledger.image_path("image2", 1)
    path.write_bytes(b"bad")
    with pytest.raises(BenchError, match=r"a/own/m/images/run-01/image2\.png: wrong sha256"):
        merge_folders([tmp_path / "a"], tmp_path / "out")
    path.unlink()
    with pytest.raises(BenchError, match=r"a/own/m/images/run-01/image2\.png: no such image"):
        merge_folders([tmp_path / "a"], tmp_path / "out")


def test_sessions_are_merged(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a", names=["image0"])
    run(own, tmp_path / "b", names=["image1"])
    merge_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    with Ledger(tmp_path / "out" / "own" / "m") as ledger:
        made = {row[-1] for name in ("image0", "image1") for row in ledger.rows(name)["outputs"]}
        assert made == ledger.sessions.keys()
        assert len(made) == 2


def test_folder_cannot_be_merged_into_itself(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "a")
    with pytest.raises(BenchError, match="cannot be merged into itself"):
        merge_folders([tmp_path / "a"], tmp_path / "a")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(BenchError, match="cannot be merged into itself"):
        merge_folders([tmp_path / "link"], tmp_path / "a")
