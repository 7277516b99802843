from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.gate.baseline import Baseline, as_text, read
from ccsr_bench.gate.compare import compare_baselines, read_pair
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.ledger.results import Results, distances
from tests.support.jobs import FailsOn, run, set_scorer


@pytest.fixture
def ledger(own: Dataset, tmp_path: Path) -> Path:
    """Four images, four runs, with PSNR, FID and KID."""
    run(own, tmp_path, scoring=set_scorer())
    return tmp_path / "own" / "m"


@pytest.fixture
def file(ledger: Path, tmp_path: Path) -> Path:
    path = tmp_path / "baseline.json"
    path.write_text(as_text(read(ledger)), encoding="utf-8")
    return path


def test_keeps_what_the_ledger_has(ledger: Path, file: Path) -> None:
    kept = read(file)
    with Ledger(ledger) as opened:
        assert kept.scores.keys() == {"psnr"}
        for image, runs in opened.scores("psnr").items():
            assert kept.scores["psnr"][image] == pytest.approx(list(runs.values()), rel=1e-6)
        assert kept.l_std == pytest.approx(opened.l_std(4), rel=1e-6)
        features = Results(opened).features()
        assert features is not None
        assert kept.distances["fid"] == pytest.approx(list(distances("fid", features)), rel=1e-6)
        assert kept.definitions.keys() == {"psnr", "fid", "kid", "l-std"}
        assert kept.pixels_sha256["image2"] == (opened.image_hashes("image2") or ("", ""))[0]
    assert (kept.dataset, kept.method, kept.made_by, kept.protocol, kept.runs) == ("own", "m", "test", "paper", 4)


def test_ledger_equals_its_own_baseline(ledger: Path, file: Path) -> None:
    assert read(file) == read(ledger)
    outcomes = compare_baselines(*read_pair(file, ledger), metrics=["psnr"]).outcomes
    assert all(outcome.base == outcome.new and outcome.verdict == "same" for outcome in outcomes)


def test_text_has_a_line_for_every_image_and_metric(ledger: Path, file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    (line,) = [line.strip() for line in lines if line.strip().startswith('"image3": [')]
    assert json.loads(f"{{{line.rstrip(',')}}}") == {"image3": read(file).scores["psnr"]["image3"]}
    assert as_text(read(file)) == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"runs": 4,', '"runs": 4', "line 11, column 2: Expecting ',' delimiter"),
        ('"runs": 4,', '"runs": "four",', "Expected `int`, got `str` - at `$.runs`"),
        ('"runs": 4,', "", "missing required field `runs`"),
        ('"runs": 4,', '"runs": 4, "colour": 1,', "unknown field `colour`"),
        ('"format": 1,', '"format": 2,', "Invalid enum value 2 - at `$.format`"),
        ('"image3": [', '"image3": ["x", ', "Expected `float`, got `str` - at `$.scores[...][...][0]`"),
        ('"image0": 0.', '"image0": 1.', "its checksum is not that of its content, so it was edited"),
        ('"method": "m"', '"method": "n"', "its checksum is not that of its content, so it was edited"),
    ],
)
def test_damaged_and_edited_files_are_refused(file: Path, old: str, new: str, named: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BenchError) as error:
        read(file)
    assert str(error.value).startswith(str(file))
    assert named in str(error.value)


def _without(content: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != name}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda b: {"scores": {**b.scores, "psnr": _without(b.scores["psnr"], "image1")}},
            "the images of `scores` of psnr are not those",
        ),
        (lambda _: {"l_std": {}}, "the images of `l_std` are not those"),
        (lambda _: {"runs": 3}, "psnr has 4 values for 3 runs"),
        (lambda b: {"definitions": _without(b.definitions, "psnr")}, "`definitions` lacks psnr"),
        (lambda b: {"definitions": _without(b.definitions, "l-std")}, "`definitions` lacks l-std"),
        (lambda _: {"scores": {}, "distances": {}}, "`scores` and `distances` are empty"),
        (
            lambda b: {"scores": {**b.scores, "better": b.scores["psnr"]}},
            "made by a newer ccsr-bench, which has better;",
        ),
        (lambda b: {"l_std": dict.fromkeys(b.l_std, float("nan"))}, "`l_std` has a number that is not finite"),
        (lambda b: {"distances": {**b.distances, "fid": [float("inf")] * 4}}, "fid has a number that is not finite"),
        (lambda _: {"pixels_sha256": {}, "l_std": {}, "scores": {"psnr": {}}}, "`pixels_sha256` is empty"),
        (lambda _: {"runs": 0, "l_std": {}}, "`runs` is 0"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(
    file: Path, change: Callable[[Baseline], dict[str, Any]], named: str
) -> None:
    """As another version of the program could write them, with a checksum that is right."""
    baseline = read(file)
    file.write_text(as_text(msgspec.structs.replace(baseline, **change(baseline))), encoding="utf-8")
    with pytest.raises(BenchError) as error:
        read(file)
    assert named in str(error.value)


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff\xfe\x00", b"null", b"[" * 100_000, b"9" * 5000])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.json").write_bytes(content)
    with pytest.raises(BenchError, match=r"other\.json.*ccsr-bench export"):
        read(tmp_path / "other.json")


def test_reformatting_changes_nothing(file: Path) -> None:
    before = read(file)
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")), indent=4, sort_keys=True))
    assert read(file) == before


def test_places_without_results_are_named(ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"a folder of results; give one of its ledgers: .*own/m"):
        read(tmp_path)
    with pytest.raises(BenchError, match="no ledger here"):
        read(tmp_path / "own")
    with pytest.raises(BenchError, match=r"nowhere\.json: No such file or directory; give a file that"):
        read(tmp_path / "nowhere.json")


def test_only_a_finished_run_is_a_baseline(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "failed", method=FailsOn(own.samples[1].read().lr))
    with pytest.raises(BenchError, match="incomplete: 3 of 4 images over 4 runs; finish the run first"):
        read(tmp_path / "failed" / "own" / "m")
    run(own, tmp_path / "partial", metrics=["psnr"], runs=2)
    run(own, tmp_path / "partial", names=["image0"], runs=2)
    with pytest.raises(BenchError, match="no ssim over 2 runs for image1, image2, image3; run it again with `runs` 2"):
        read(tmp_path / "partial" / "own" / "m")


def test_longer_ledger_is_read_over_the_runs_of_the_other(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path / "few", runs=3)
    run(own, tmp_path / "more", runs=3)
    run(own, tmp_path / "more", runs=5)
    few, more = tmp_path / "few" / "own" / "m", tmp_path / "more" / "own" / "m"
    for base, new in (read_pair(few, more), read_pair(more, few)):
        assert base.scores == new.scores
        assert base.l_std == new.l_std
    run(own, tmp_path / "at-once", runs=5)
    with pytest.raises(BenchError, match="no l-std over 3 runs"):
        read_pair(few, tmp_path / "at-once" / "own" / "m")


def test_numbers_are_rounded_far_below_what_counts(file: Path) -> None:
    values = np.array(list(read(file).scores["psnr"].values()))
    assert [float(f"{value:.7g}") for value in values.ravel()] == list(values.ravel())
