from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import open_results
from ccsr_bench.stability import g_std, spread
from ccsr_bench.statistics.bootstrap import Interval
from ccsr_bench.statistics.comparisons import MethodComparison, compare_methods, runs_of_methods
from ccsr_bench.statistics.paired import PairedDifference, holm, paired_difference
from tests.support.jobs import fill


@pytest.fixture
def out(own: Dataset, tmp_path: Path) -> Path:
    """A method without spread, one with little and one with more, which has more runs."""
    fill(tmp_path / "out", own, "plain", "Plain")
    fill(tmp_path / "out", own, "quiet", "Quiet", noise=2, runs=3)
    fill(tmp_path / "out", own, "wild", "Wild", noise=8, runs=4)
    other = Dataset("other", "other", 4, own.samples[:3])
    fill(tmp_path / "out", other, "plain", "Plain")
    fill(tmp_path / "out", other, "wild", "Wild", noise=8)
    return tmp_path / "out"


def test_numbers_are_those_of_the_paired_test_on_the_ledgers(out: Path) -> None:
    with open_results(out, datasets=["own"]) as found:
        comparisons = {(c.first, c.second, c.metric, c.quantity): c for c in compare_methods(found)}
        scores = {one.identity.method: one.scores("ssim") for one in found}
    quiet, wild = scores["quiet"], scores["wild"]
    assert quiet is not None
    assert wild is not None
    mean = comparisons["quiet", "wild", "ssim", "mean"].difference
    assert mean == paired_difference(quiet.values.mean(axis=1), wild.values.mean(axis=1))
    stability = comparisons["quiet", "wild", "ssim", "G-STD"].difference
    # Over three runs of both: the fourth of one would raise its spread by itself.
    assert stability == paired_difference(spread(quiet.values), spread(wild.values[:, :3]))
    assert stability.mean > 0
    assert ("plain", "quiet", "ssim", "G-STD") not in comparisons  # one run has no spread
    assert not [key for key in comparisons if key[2] == "l-std"]  # recorded over 3 and over 4 runs
    assert len(comparisons) == 3 * 2 + 2


def test_p_values_are_corrected_for_all_that_is_returned_together(out: Path) -> None:
    with open_results(out) as found:
        comparisons = compare_methods(found)
    assert {comparison.dataset for comparison in comparisons} == {"own", "other"}
    p_values = {index: comparison.difference.p_value for index, comparison in enumerate(comparisons)}
    assert [comparison.corrected for comparison in comparisons] == list(holm(p_values).values())
    assert not any(comparison.significant for comparison in comparisons)  # four images prove nothing


def test_a_comparison_is_significant_at_five_per_cent_after_correction() -> None:
    difference = PairedDifference(1.0, Interval(0.5, 1.5), 0.0001, 30)
    for corrected, significant in ((0.0001, True), (0.05, True), (0.0501, False), (1.0, False)):
        assert MethodComparison("d", "a", "b", "psnr", "mean", difference, corrected).significant == significant


def test_l_std_is_compared_over_as_many_runs(out: Path, own: Dataset) -> None:
    with open_results(out, datasets=["own"]) as found:
        wild = next(one.l_std() for one in found if one.identity.method == "wild")
        with pytest.raises(BenchError, match="nothing to compare"):  # `quiet` has it over 3 runs, not 4
            compare_methods(found, metrics=["l-std"])
    fill(out, own, "quiet", "Quiet", noise=2, runs=4)
    with open_results(out, datasets=["own"]) as found:
        (comparison,) = compare_methods(found, metrics=["l-std"])
        quiet = next(one.l_std() for one in found if one.identity.method == "quiet")
    assert wild is not None
    assert quiet is not None
    assert comparison.quantity == "L-STD"
    assert comparison.difference == paired_difference(quiet.values, wild.values)


def test_against_one_method_and_one_metric(out: Path) -> None:
    with open_results(out, datasets=["own"]) as found:
        comparisons = compare_methods(found, metrics=["psnr"], against="wild")
    assert [(c.first, c.second, c.quantity) for c in comparisons] == [
        ("wild", "plain", "mean"),
        ("wild", "quiet", "mean"),
        ("wild", "quiet", "G-STD"),
    ]


def test_nothing_to_compare(out: Path) -> None:
    with open_results(out, methods=["plain"]) as found, pytest.raises(BenchError, match="nothing to compare"):
        compare_methods(found)
    with open_results(out, methods=["plain"]) as found, pytest.raises(BenchError, match="no method has several"):
        runs_of_methods(found)


def test_g_std_by_runs_of_every_method_with_several(out: Path) -> None:
    with open_results(out, datasets=["own"]) as found:
        curves = {(curve.method, curve.metric): curve for curve in runs_of_methods(found)}
        wild = next(one.scores("psnr") for one in found if one.identity.method == "wild")
    assert wild is not None
    assert list(curves) == [("quiet", "psnr"), ("quiet", "ssim"), ("wild", "psnr"), ("wild", "ssim")]
    assert [count.runs for count in curves["wild", "psnr"].counts] == [2, 3, 4]
    assert curves["wild", "psnr"].counts[-1].g_std == pytest.approx(g_std(wild.values))
    assert np.isfinite(curves["quiet", "ssim"].counts[0].interval).all()
