"""Published scores are computed again once, in ledgers, and compared image by image."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

import ccsr_bench as cb
from benchmarks.verified_rows import write_row
from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError, NotInstalledError
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.metrics.catalogue import PROTOCOLS
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.running import runner
from ccsr_bench.running.scoring import Scoring
from ccsr_bench.running.units import Unit, UnitResult, execute_unit
from ccsr_bench.verification.subject import find_subject
from ccsr_bench.verification.verify import NothingToCompareError, Verification, verify
from tests.support.jobs import scorer, set_scorer
from tests.support.score_sets import output_scores, use_sets_in, write_dataset, write_set

METRICS = ("psnr", "ssim")


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Four pairs with published outputs, whose true scores are the set `true`."""
    use_sets_in(tmp_path, monkeypatch)
    written = write_dataset(tmp_path / "data")
    write_set(tmp_path, "true", output_scores(written, list(METRICS)), dataset=manifest(tmp_path), outputs="others")
    return written


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the images that were computed since."""
    images: list[str] = []
    execute = execute_unit

    def record(unit: Unit, *arguments: object, timed: bool) -> UnitResult:
        images.append(unit.sample.name)
        return execute(unit, *arguments, timed=timed)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "execute_unit", record)
    return images


def manifest(folder: Path) -> str:
    return str(folder / "data" / "own.toml")


def check(
    name: str,
    out: Path,
    *,
    limit: int | None = None,
    metrics: Sequence[str] = METRICS,
    protocol: str = "paper",
    scoring: Scorer | None = None,
) -> Verification:
    """Verify a set on the CPU."""
    chosen = Scoring(scoring or scorer(metrics, protocol), PROTOCOLS[protocol], "cpu")
    return verify(find_subject(name, limit=limit), chosen, out=out, progress=lambda *_: None)


def test_true_scores_agree_and_a_second_call_only_reads(dataset: Dataset, tmp_path: Path, computed: list[str]) -> None:
    first = check("true", tmp_path / "out")
    assert [(c.metric, c.images, c.agrees) for c in first.comparisons] == [("psnr", 4, True), ("ssim", 4, True)]
    assert computed == [sample.name for sample in dataset.samples]
    assert check("true", tmp_path / "out") == first
    assert len(computed) == 4


def test_interrupted_verification_goes_on(dataset: Dataset, tmp_path: Path, computed: list[str]) -> None:
    def interrupt(done: int, _total: int, _name: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    scoring = Scoring(scorer(METRICS), PROTOCOLS["paper"], "cpu")
    with pytest.raises(KeyboardInterrupt):
        verify(find_subject("true"), scoring, out=tmp_path / "out", progress=interrupt)
    assert all(c.agrees for c in check("true", tmp_path / "out").comparisons)
    assert computed == [sample.name for sample in dataset.samples]


def test_limit_compares_the_means_of_the_same_images(dataset: Dataset, tmp_path: Path) -> None:
    values = output_scores(dataset, ["psnr"])
    (comparison,) = check("true", tmp_path / "out", limit=2, metrics=["psnr"]).comparisons
    assert comparison.image_names == ["image0", "image1"]
    assert comparison.published == pytest.approx(
        (float(values["psnr"]["image0"]) + float(values["psnr"]["image1"])) / 2
    )
    assert comparison.agrees
    assert check("true", tmp_path / "out", metrics=["psnr"]).comparisons[0].images == 4


def test_wrong_score_of_one_image_differs(dataset: Dataset, tmp_path: Path) -> None:
    values = output_scores(dataset, ["psnr", "ssim"])
    values["psnr"]["image2"] = f"{float(values['psnr']['image2']) + 1e-4:.8f}"
    write_set(tmp_path, "wrong", values, dataset=manifest(tmp_path), outputs="others")
    psnr, ssim = check("wrong", tmp_path / "out").comparisons
    assert (psnr.agrees, psnr.worst_image, ssim.agrees) == (False, "image2", True)
    assert check("wrong", tmp_path / "out", limit=2).comparisons[0].agrees


def test_changed_output_is_refused_although_its_scores_are_kept(dataset: Dataset, tmp_path: Path) -> None:
    check("true", tmp_path / "out")
    outputs = dataset.outputs("others")
    outputs["image1"].write_bytes(outputs["image2"].read_bytes())
    with pytest.raises(BenchError, match=r"image1\.png: not the image recorded"):
        check("true", tmp_path / "out")


def test_another_protocol_has_a_folder_of_its_own(dataset: Dataset, tmp_path: Path) -> None:
    assert check("true", tmp_path / "out").out == tmp_path / "out" / "paper"
    other = check("true", tmp_path / "out", protocol="ccsr-v1")
    assert other.out == tmp_path / "out" / "ccsr-v1"
    assert not any(c.agrees for c in other.comparisons)
    assert all(c.agrees for c in check("true", tmp_path / "out").comparisons)


def test_scores_of_an_earlier_definition_are_kept_apart(dataset: Dataset, tmp_path: Path, computed: list[str]) -> None:
    first = check("true", tmp_path / "out", metrics=["psnr"])
    database = first.out / "own" / "others" / "ledger.sqlite"
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE definitions SET definition = 'of old' WHERE metric = 'psnr'")
        connection.execute("UPDATE scores SET value = 1.0 WHERE metric = 'psnr'")
    second = check("true", tmp_path / "out", metrics=["psnr"])
    assert second.out == tmp_path / "out" / "paper-2"
    assert second.comparisons == first.comparisons
    assert second.remarks == [f"results are in {second.out}, because {database.parent} has psnr of another definition"]
    assert len(computed) == 8
    with Ledger(database.parent) as ledger:
        assert ledger.definitions["psnr"] == "of old"


def test_metric_of_sets_of_images_needs_all_images(dataset: Dataset, tmp_path: Path) -> None:
    values = output_scores(dataset, ["psnr"])
    write_set(
        tmp_path,
        "sets",
        values,
        dataset=manifest(tmp_path),
        outputs="others",
        more="[sets]\nfid = { value = 1e6, tolerance = 0.5 }\n",
    )
    psnr, fid = check("sets", tmp_path / "out", scoring=set_scorer()).comparisons
    assert (psnr.agrees, fid.metric, fid.images, fid.agrees) == (True, "fid", 4, False)
    assert [c.metric for c in check("sets", tmp_path / "out", limit=3, scoring=set_scorer()).comparisons] == ["psnr"]
    only_sets = set_scorer().only(["fid"])
    with pytest.raises(NothingToCompareError, match=r"no published value of fid on 3 images .* larger `limit`"):
        check("sets", tmp_path / "out", limit=3, scoring=only_sets)


def test_images_that_are_all_left_out_are_nothing_to_compare(dataset: Dataset, tmp_path: Path) -> None:
    left_out = '[left_out.psnr]\nimages = ["image0"]\nreason = "its value is wrong"\n'
    values = output_scores(dataset, ["psnr"])
    write_set(tmp_path, "gaps", values, dataset=manifest(tmp_path), outputs="others", more=left_out)
    (comparison,) = check("gaps", tmp_path / "out", metrics=["psnr"]).comparisons
    assert comparison.image_names == ["image1", "image2", "image3"]
    assert comparison.left_out == "image0 left out: its value is wrong"
    with pytest.raises(NothingToCompareError, match="no published value of psnr on 1 image"):
        check("gaps", tmp_path / "out", metrics=["psnr"], limit=1)


def test_image_that_fails_ends_the_verification(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_keywords: object) -> None:
        raise ValueError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr(runner, "execute_unit", fail)
        with pytest.raises(BenchError, match=r"true: image0 failed \(4 of 4 images\): ValueError: no memory"):
            check("true", tmp_path / "out")
    assert all(c.agrees for c in check("true", tmp_path / "out").comparisons)


def test_verified_row_is_written_from_a_ledger_and_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_sets_in(tmp_path, monkeypatch)
    to = tmp_path / "results" / "verified"
    cb.run("bicubic", dataset="sample", metrics=METRICS, out=tmp_path / "run", canary=False, progress=False)
    write_row(tmp_path / "run", "bicubic", "sample", METRICS, to)
    subject = find_subject("bicubic-sample", limit=3)
    assert subject.published.computed is not None
    assert subject.published.computed.origin == 'ccsr_bench.methods.interpolation:Interpolation {"kernel": "bicubic"}'
    assert subject.published.computed.definitions == scorer(METRICS).definitions
    result = check("bicubic-sample", tmp_path / "out", limit=3)
    assert [(c.metric, c.images, c.agrees) for c in result.comparisons] == [("psnr", 3, True), ("ssim", 3, True)]
    assert result.remarks == ["3 of 3 outputs have the same PNG file as those of the row"]

    # Outputs of another method are told apart by their scores, their files and their origin.
    (to / "bicubic-sample.toml").write_text(
        (to / "bicubic-sample.toml").read_text().replace('method = "bicubic"', 'method = "lanczos"')
    )
    other = check("bicubic-sample", tmp_path / "out", limit=3)
    assert not any(c.agrees for c in other.comparisons)
    assert [remark.partition(" ")[0] for remark in other.remarks] == ["the", "0"]


def test_verified_row_needs_all_images_and_scores(tmp_path: Path) -> None:
    cb.run("bicubic", dataset="sample", metrics=["psnr"], limit=2, out=tmp_path / "run", progress=False)
    for metrics in (["psnr"], ["psnr", "ssim"]):
        with pytest.raises(BenchError, match="images or scores are missing"):
            write_row(tmp_path / "run", "bicubic", "sample", metrics, tmp_path / "rows")
    assert not (tmp_path / "rows").exists()


def test_row_of_a_method_without_its_weights_names_the_command(tmp_path: Path, dataset: Dataset) -> None:
    values = output_scores(dataset, ["psnr"])
    write_set(tmp_path, "network", values, dataset=manifest(tmp_path), method="real-esrgan")
    with pytest.raises(NotInstalledError, match=r"run `ccsr-bench prepare --method real-esrgan`"):
        find_subject("network")
