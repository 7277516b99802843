"""The numbers behind the plots."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.figures.run_lines import g_std_lines
from ccsr_bench.figures.scatters import cost, perception_distortion, quality_stability
from ccsr_bench.figures.selection import open_comparison
from ccsr_bench.ledger.results import Results, Scores, on_common_images
from ccsr_bench.methods.interpolation import DitheredBicubic
from ccsr_bench.stability import g_std
from ccsr_bench.statistics.bootstrap import bootstrap_interval
from tests.support.jobs import run
from tests.support.tables import collect


def test_points_and_intervals_are_those_of_the_table(compared: list[Results], out: Path) -> None:
    scatter = perception_distortion(compared, "psnr", "ssim")
    cells = {row.method: row.cells for row in collect(out)[0].rows}
    assert [point.place for point in scatter.points] == [0, 1, 2]
    for method, point in zip(compared, scatter.points, strict=True):
        for estimate, metric in ((point.x, "psnr"), (point.y, "ssim")):
            cell = cells[method.identity.method][metric]
            assert (estimate.value, estimate.interval) == (cell.value, cell.value_interval)
    assert (scatter.x.label, scatter.y.label) == ("PSNR (dB)", "SSIM")
    assert scatter.x.higher_is_better
    assert scatter.remarks == []


@pytest.mark.parametrize("spread_name", ["g-std", "l-std"])
def test_spread_is_that_of_the_table_and_a_single_run_is_left_out(
    compared: list[Results], out: Path, spread_name: str
) -> None:
    scatter = quality_stability(compared, "psnr", spread_name)
    cells = {row.method: row.cells for row in collect(out)[0].rows}
    assert scatter.remarks == ["Left out: Still (one run, no spread)."]
    # A method keeps its colour when another is left out.
    assert [point.place for point in scatter.points] == [1, 2]
    for method, point in zip(("calm", "wild"), scatter.points, strict=True):
        cell = cells[method]["psnr" if spread_name == "g-std" else "l-std"]
        expected = (cell.g_std, cell.g_std_interval) if spread_name == "g-std" else (cell.value, cell.value_interval)
        assert (point.x.value, point.x.interval) == expected
    assert not scatter.x.higher_is_better
    with pytest.raises(BenchError, match="no method here has several runs"):
        quality_stability(compared[:1], "psnr", spread_name)


@pytest.mark.parametrize("spread_name", ["g-std", "l-std"])
def test_different_numbers_of_runs_are_remarked(own: Dataset, out: Path, spread_name: str) -> None:
    run(own, out, name="brief", method=DitheredBicubic(sigma=2.0), runs=2)
    with open_comparison(out, methods=["brief", "wild", "calm"]) as results:
        assert quality_stability(results[1:], "psnr", spread_name).remarks == []
        (remark,) = quality_stability(results, "psnr", spread_name).remarks
    assert remark.startswith("N differs: Brief 2, Wild 4, Calm 4;")


def test_l_std_must_be_recorded_for_that_many_runs(out: Path) -> None:
    with (
        open_comparison(out, methods=["wild"], runs=3) as results,
        pytest.raises(BenchError, match="no L-STD over 3 runs is recorded; run it again with `runs` 3"),
    ):
        quality_stability(results, "psnr", "l-std")


def test_cost_is_the_median_of_the_recorded_seconds(compared: list[Results]) -> None:
    scatter = cost(compared, "psnr")
    wild = compared[2]
    seconds = [output.seconds for image in wild.images for output in wild.ledger.outputs(image).values()]
    assert scatter.points[2].x.value == np.median(np.array(seconds, np.float64))
    assert scatter.points[2].x.interval is None
    assert scatter.x.logarithmic


def test_images_made_elsewhere_have_no_cost(compared: list[Results], monkeypatch: pytest.MonkeyPatch) -> None:
    made_elsewhere = compared[1].ledger
    recorded = type(made_elsewhere).outputs

    def outputs(ledger: object, image: str) -> object:
        by_run = recorded(ledger, image)  # type: ignore[arg-type]
        if ledger is made_elsewhere:
            for output in by_run.values():
                object.__setattr__(output, "seconds", None)
        return by_run

    monkeypatch.setattr(type(made_elsewhere), "outputs", outputs)
    scatter = cost(compared, "psnr")
    assert [point.place for point in scatter.points] == [0, 2]
    assert "Left out: Calm (made elsewhere, no seconds)." in scatter.remarks
    with pytest.raises(BenchError, match="no seconds are recorded"):
        cost(compared[1:2], "psnr")


def test_seconds_of_different_machines_are_remarked(compared: list[Results], monkeypatch: pytest.MonkeyPatch) -> None:
    (machine,) = compared[0].machines()
    assert cost(compared, "psnr").remarks == [f"Recorded on {machine}."]
    sessions = [{"processor": "A100", "device": "cuda"}, {"processor": "H100", "device": "cuda"}]
    monkeypatch.setattr(type(compared[0].ledger), "generating_sessions", lambda _: sessions)
    (remark,) = cost(compared, "psnr").remarks
    assert re.search(r"different machines.*A100.*H100", remark)


def test_lines_end_at_the_recorded_g_std(compared: list[Results]) -> None:
    lines = g_std_lines(compared, "psnr")
    assert [line.place for line in lines.lines] == [1, 2]
    for method, line in zip(compared[1:], lines.lines, strict=True):
        scores = method.scores("psnr")
        assert scores is not None
        assert [count.runs for count in line.counts] == [2, 3, 4]
        assert line.counts[-1].g_std == pytest.approx(g_std(scores.values), rel=1e-12)


def test_methods_are_compared_on_the_images_that_all_have(own: Dataset, out: Path) -> None:
    run(own, out, name="few", names=["image3", "image1"])
    with open_comparison(out, methods=["few", "wild"]) as (few, wild):
        scatter = perception_distortion([few, wild], "psnr", "ssim")
        scores = wild.scores("psnr")
        assert scores is not None
        values = scores.values[[scores.images.index("image1"), scores.images.index("image3")]].mean(axis=1)
    assert scatter.points[1].x == (values.mean(), bootstrap_interval(values))
    assert scatter.remarks == ["Compared on the images that all methods have: 2 of 4."]


def test_common_images_are_paired_by_name() -> None:
    first = Scores(("a", "b", "c"), np.array([[1.0], [2.0], [3.0]]))
    second = Scores(("c", "a", "d"), np.array([[30.0], [10.0], [40.0]]))
    kept = on_common_images([first, second])
    assert kept[0].images == kept[1].images == ("a", "c")
    assert [scores.values[:, 0].tolist() for scores in kept] == [[1.0, 3.0], [10.0, 30.0]]
    other, _ = on_common_images([first, Scores(("x",), np.ones((1, 1)))])
    assert other.images == ()
    assert other.values.shape == (0, first.values.shape[1])


def test_methods_without_a_common_image_have_no_plot(own: Dataset, out: Path) -> None:
    run(own, out, name="few", names=["image1"])
    run(own, out, name="others", names=["image2"])
    with (
        open_comparison(out, methods=["few", "others"]) as results,
        pytest.raises(BenchError, match="no image in common; finish their runs"),
    ):
        perception_distortion(results, "psnr", "ssim")


@pytest.mark.parametrize(
    ("metric", "line"),
    [
        (
            "lpips",
            "still on own: no image has lpips for all its runs; `ccsr-bench run --metrics lpips` adds it, or choose "
            "another of: psnr, ssim",
        ),
        ("fid", "fid scores sets of images"),
        ("pnsr", "unknown metric 'pnsr': did you mean psnr"),
    ],
)
def test_metric_that_is_not_there(compared: list[Results], metric: str, line: str) -> None:
    with pytest.raises(BenchError, match=re.escape(line)):
        perception_distortion(compared, "psnr", metric)


def test_one_data_set_is_compared_and_one_definition(own: Dataset, out: Path) -> None:
    with (
        pytest.raises(BenchError, match="unknown data set 'owm': did you mean own"),
        open_comparison(out, dataset="owm"),
    ):
        pass
    run(own, out, name="cropped", protocol="ccsr-v1")
    with pytest.raises(BenchError, match="defined differently"), open_comparison(out):
        pass


def test_data_set_must_be_chosen_where_there_are_several(own: Dataset, out: Path) -> None:
    run(Dataset("other", "t", 4, own.samples), out)
    with pytest.raises(BenchError, match=r"results on 2 data sets \(other, own\); choose one"), open_comparison(out):
        pass
    with (
        pytest.raises(BenchError, match="no results of m on own"),
        open_comparison(out, dataset="own", methods=["m", "wild"]),
    ):
        pass
    with open_comparison(out, dataset="own", methods=["wild", "calm"]) as results:
        assert [method.identity.method for method in results] == ["wild", "calm"]
