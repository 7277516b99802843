from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ccsr_bench.tables.collect
from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.methods.interpolation import Interpolation
from ccsr_bench.metrics.quantities import find_quantities
from ccsr_bench.stability import g_std, spread
from ccsr_bench.statistics.bootstrap import bootstrap_interval
from tests.support.jobs import FailsOn, fill, run, set_scorer
from tests.support.tables import collect


def test_numbers_are_those_of_the_ledger(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    (section,) = collect(tmp_path)
    (row,) = section.rows
    with Ledger(tmp_path / "own" / "m") as ledger:
        scores = np.array([list(runs.values()) for runs in ledger.scores("psnr").values()])
        assert row.cells["psnr"].value == pytest.approx(scores.mean())
        assert row.cells["psnr"].g_std == pytest.approx(g_std(scores))
        assert row.cells["l-std"].value == pytest.approx(np.mean(list(ledger.l_std(4).values())))
    assert (row.runs, row.images) == (4, 4)
    cell = row.cells["psnr"]
    assert cell.value_interval == bootstrap_interval(scores.mean(axis=1))
    assert cell.g_std_interval == bootstrap_interval(spread(scores)) != cell.value_interval


def test_single_run_has_no_spread(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, method=Interpolation(kernel="bicubic"), runs=1)
    (section,) = collect(tmp_path)
    assert section.rows[0].cells["psnr"].g_std is None
    assert "l-std" not in section.rows[0].cells


def test_notes_say_what_every_number_means_and_what_is_missing(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, method=FailsOn(own.samples[1].read().lr))
    (section,) = collect(tmp_path)
    notes = "\n".join(section.notes)
    assert "Protocol `paper`" in notes
    assert "PSNR in dB on Y of BT.601" in notes
    assert "m: test." in notes
    assert "m: 3 of the 4 images asked for have 4 runs" in notes
    assert "m: 1 images failed, for instance image1: RuntimeError: out of luck" in notes
    assert section.rows[0].images == 3


def test_unfinished_top_up_keeps_the_row(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, runs=2)
    run(own, tmp_path, runs=5, names=["image0"])
    (section,) = collect(tmp_path)
    assert (section.rows[0].runs, section.rows[0].images) == (2, 4)
    assert "m: 5 runs were asked for; N is what all recorded images have (--runs chooses)." in section.notes
    (section,) = collect(tmp_path, runs=5)
    assert (section.rows[0].runs, section.rows[0].images) == (5, 1)
    assert "m: 1 of the 4 images asked for have 5 runs." in section.notes
    assert not [note for note in section.notes if "all recorded images" in note]
    (section,) = collect(tmp_path, runs=3)
    assert "m: L-STD covers 0 of 1 images; run it again with --runs 3." in section.notes
    assert not [note for note in section.notes if "all recorded images" in note]


def test_a_part_of_a_data_set_says_so(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, names=["image0", "image2"])
    note = "m: 2 of the data set's 4 images were asked for."
    (section,) = collect(tmp_path)
    assert note in section.notes
    run(own, tmp_path)
    (section,) = collect(tmp_path)
    assert [found for found in section.notes if "were asked for" in found] == []


def test_metric_that_covers_fewer_images_says_so(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, metrics=["psnr"])
    run(own, tmp_path, names=["image0"])
    (section,) = collect(tmp_path)
    assert (section.rows[0].cells["psnr"].images, section.rows[0].cells["ssim"].images) == (4, 1)
    assert "m: SSIM covers 1 of 4 images; run it again with --runs 4." in section.notes


def test_different_definitions_are_never_in_one_table(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    run(own, tmp_path / "other", protocol="ccsr-v1")
    (tmp_path / "other" / "own" / "m").rename(tmp_path / "own" / "m-cropped")
    with pytest.raises(BenchError, match=r"is defined differently in .* never mixed"):
        collect(tmp_path)


def test_unknown_names_and_empty_folders(own: Dataset, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no results"):
        collect(tmp_path)
    run(own, tmp_path)
    with pytest.raises(BenchError, match="unknown method 'n'"):
        collect(tmp_path, methods=["n"])
    with pytest.raises(BenchError, match="unknown data set 'owm': did you mean own"):
        collect(tmp_path, datasets=["owm"])


def test_more_runs_than_any_image_has(own: Dataset, tmp_path: Path) -> None:
    fill(tmp_path, own, "a", "A", noise=2)
    fill(tmp_path, own, "b", "B")
    with pytest.raises(BenchError, match="`runs` 4: no image has that many runs of a on own; run more"):
        collect(tmp_path, runs=4)


def test_one_damaged_ledger_does_not_stop_the_others(own: Dataset, tmp_path: Path) -> None:
    fill(tmp_path, own, "a", "A")
    fill(tmp_path, own, "b", "B")
    (tmp_path / "own" / "b" / "ledger.sqlite").write_bytes(b"damaged")
    (section,) = collect(tmp_path, methods=["a"])
    assert [row.method for row in section.rows] == ["a"]


def test_a_noise_floor_is_below_its_method(own: Dataset, tmp_path: Path) -> None:
    for method in ("a-b", "a", "a.same-seed", "a-b.same-seed"):
        fill(tmp_path, own, method, method)
    (section,) = collect(tmp_path)
    assert [row.method for row in section.rows] == ["a", "a.same-seed", "a-b", "a-b.same-seed"]


def test_one_image_has_no_interval(own: Dataset, tmp_path: Path) -> None:
    fill(tmp_path, Dataset("own", "own", 4, own.samples[:1]), "a", "A", noise=2)
    (section,) = collect(tmp_path)
    cell = section.rows[0].cells["psnr"]
    assert (cell.images, cell.value_interval, cell.g_std_interval) == (1, None, None)


def test_columns_are_chosen_and_ordered(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    (section,) = collect(tmp_path, columns=find_quantities(["l-std", "psnr"]))
    assert [column.name for column in section.columns] == ["l-std", "psnr"]
    assert section.rows[0].cells.keys() == {"l-std", "psnr"}
    assert not [note for note in section.notes if note.startswith("SSIM")]


@pytest.mark.parametrize(("dimensions", "few"), [(4, ""), (5, ", fewer than its vectors' 5 dimensions")])
def test_fewer_images_than_dimensions_are_said_to_be_few(
    own: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dimensions: int, few: str
) -> None:
    assert ccsr_bench.tables.collect.SET_DIMENSIONS == 2048  # Inception's
    monkeypatch.setattr(ccsr_bench.tables.collect, "SET_DIMENSIONS", dimensions)
    run(own, tmp_path, scoring=set_scorer())
    (section,) = collect(tmp_path)
    (note,) = [note for note in section.notes if note.startswith("m: FID of")]
    assert note.startswith(f"m: FID of M = 4 images against 4{few}")
    assert ("fewer" in note) == bool(few)


def test_interval_of_a_distance_of_sets_only_when_asked(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, scoring=set_scorer())
    (section,) = collect(tmp_path)
    assert section.rows[0].cells["fid"].value_interval is None
    (section,) = collect(tmp_path, set_intervals=True)
    cell = section.rows[0].cells["fid"]
    assert cell.value_interval is not None
    assert cell.value_interval.low < cell.value < cell.value_interval.high
