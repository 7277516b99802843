from __future__ import annotations

from pathlib import Path

import pytest

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import open_results
from ccsr_bench.methods.interpolation import Interpolation
from ccsr_bench.metrics.catalogue import METRICS
from ccsr_bench.statistics.extremes import find_extremes, ranking_metric
from tests.support.jobs import run


def test_best_and_worst_run_are_those_of_the_recorded_scores(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path)
    with open_results(tmp_path) as (results,):
        recorded = results.ledger.scores("psnr")
        found = find_extremes(results, "psnr")
    assert list(found) == ["image0", "image1", "image2", "image3"]
    for image, extremes in found.items():
        scores = recorded[image]
        assert extremes.best == scores[extremes.best_run] == max(scores.values())
        assert extremes.worst == scores[extremes.worst_run] == min(scores.values())


def test_best_is_lowest_where_lower_is_better(own: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(own, tmp_path)
    with open_results(tmp_path) as (results,):
        as_psnr = find_extremes(results, "psnr")["image0"]
        monkeypatch.setitem(METRICS, "psnr", METRICS["lpips"])
        as_distance = find_extremes(results, "psnr")["image0"]
    assert (as_distance.best_run, as_distance.worst_run) == (as_psnr.worst_run, as_psnr.best_run)


def test_single_run_is_best_and_worst(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, method=Interpolation(kernel="bicubic"), runs=1)
    with open_results(tmp_path) as (results,):
        extremes = find_extremes(results, "psnr")["image0"]
    assert (extremes.best_run, extremes.worst_run) == (0, 0)


def test_runs_are_ranked_by_the_first_metric_with_a_reference_that_all_have(own: Dataset, tmp_path: Path) -> None:
    run(own, tmp_path, metrics=["psnr", "ssim"])
    run(own, tmp_path / "other", metrics=["ssim"])
    (tmp_path / "other" / "own" / "m").rename(tmp_path / "own" / "n")
    with open_results(tmp_path) as (both, only_ssim):
        assert ranking_metric([both]) == "psnr"
        assert ranking_metric([both, only_ssim]) == "ssim"
        assert find_extremes(only_ssim, "psnr") == {}
        only_ssim.definitions.clear()
        with pytest.raises(BenchError, match=r"no metric with a reference .* psnr in `metrics`"):
            ranking_metric([both, only_ssim])
