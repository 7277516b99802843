"""The numbers behind every plot, of the figures and of the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ccsr_bench.figures.scatters import cost, perception_distortion, quality_stability
from ccsr_bench.html_report.content import dataset_content
from ccsr_bench.ledger.results import Features, Results, distances, open_results
from ccsr_bench.plots.measures import SECONDS, quality, run_spread
from ccsr_bench.plots.points import Estimates, Point, Scatter
from ccsr_bench.plots.preferences import DISTORTION, PERCEPTION, choose_metric
from tests.plots.ledgers import write_ledger

IMAGES = ("a", "b", "c", "d")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[Results]]:
    """Methods that cover different images, one of which has a single run and one of which was made elsewhere."""
    write_ledger(tmp_path, "all", IMAGES, seed=1, features=True)
    write_ledger(tmp_path, "elsewhere", IMAGES, seed=2, seconds=None, features=True)
    write_ledger(tmp_path, "few", IMAGES[:3], seed=3, features=True)
    write_ledger(tmp_path, "single", IMAGES, seed=4, runs=1, metrics=("psnr",))
    with open_results(tmp_path) as results:
        yield results


def drawn_by_the_report(results: list[Results], plot: int, across: str, up: str) -> tuple[list[Any], list[str]]:
    """Return (place, across, up) of every method, and the remarks, as the page reads them."""
    data = msgspec.to_builtins(dataset_content(results, IMAGES).plots)
    pairing = data["plots"][plot]["pairings"][across][up]
    on_images = data["estimates"][pairing["image_set"]]
    both = enumerate(zip(on_images[across], on_images[up], strict=True))
    points = [(place, x, y) for place, (x, y) in both if x is not None and y is not None]
    return points, [data["remarks"][remark] for remark in pairing["remarks"]]


def drawn_by_the_figure(scatter: Scatter) -> list[Any]:
    """Return (place, across, up) of every method, as a figure draws them."""

    def numbers(point: Point) -> tuple[object, ...]:
        across, up = ((e.value, *(e.interval or ())) for e in (point.x, point.y))
        return point.place, across, up

    return [numbers(point) for point in scatter.points]


def test_report_draws_the_numbers_of_the_figures_where_methods_cover_different_images(opened: list[Results]) -> None:
    scored = opened[:3]
    scatter = perception_distortion(scored, "psnr", "ssim")
    assert drawn_by_the_report(scored, 0, "psnr", "ssim") == (drawn_by_the_figure(scatter), scatter.remarks)
    assert scatter.remarks == ["Compared on the images that all methods have: 3 of 4."]
    for spread, key in (("g-std", "psnr spread"), ("l-std", "l-std")):
        scatter = quality_stability(opened, "psnr", spread)
        swapped = [(place, y, x) for place, x, y in drawn_by_the_figure(scatter)]
        assert drawn_by_the_report(opened, 1, "psnr", key) == (swapped, scatter.remarks)
        assert len(swapped) == 3
    scatter = cost(opened, "psnr")
    assert drawn_by_the_report(opened, 2, "seconds", "psnr") == (drawn_by_the_figure(scatter), scatter.remarks)
    assert [point.place for point in scatter.points] == [0, 2, 3]
    assert scatter.remarks == [
        "Left out: Elsewhere (made elsewhere, no seconds).",
        "Compared on the images that all methods have: 3 of 4.",
        "Recorded on A100.",
    ]


def test_each_choice_of_axes_is_on_the_images_of_the_methods_that_it_shows(opened: list[Results]) -> None:
    estimates = Estimates([opened[0], opened[1], opened[3]])
    assert estimates.pair(quality("psnr"), quality("ssim")).images == IMAGES
    assert estimates.pair(quality("psnr"), quality("ssim")).remarks == ["Left out: Single (no SSIM for all runs)."]
    assert Estimates(opened).pair(quality("psnr"), quality("ssim")).images == IMAGES[:3]


def test_distance_of_sets_is_that_of_the_common_images(opened: list[Results]) -> None:
    scatter = Estimates(opened).scatter(quality("fid"), run_spread("fid"))
    features = opened[0].features()
    assert features is not None
    assert len(features.images) == 4
    shared = Features(IMAGES[:3], [vectors[:3] for vectors in features.runs], features.references[:3])
    expected = distances("fid", shared)
    assert scatter.points[0].x == (expected.mean(), None)
    assert scatter.points[0].y == (expected.std(), None)
    assert (scatter.x.label, scatter.y.label) == ("FID", "STD over runs of FID")


def test_distance_of_all_images_is_taken_from_the_table(opened: list[Results], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = drawn_by_the_report(opened[:2], 0, "fid", "psnr")

    def refuse(*_: object) -> np.ndarray:
        raise AssertionError("computed again")

    monkeypatch.setattr("ccsr_bench.plots.measures.distances", refuse)
    assert drawn_by_the_report(opened[:2], 0, "fid", "psnr") == expected
    assert len(expected[0]) == 2


def test_methods_without_a_common_image_have_no_points(tmp_path: Path) -> None:
    write_ledger(tmp_path, "first", IMAGES[:2], seed=1)
    write_ledger(tmp_path, "other", IMAGES[2:], seed=2)
    with open_results(tmp_path) as results:
        remarks = ["The methods have no image in common."]
        assert drawn_by_the_report(results, 0, "psnr", "ssim") == ([], remarks)


def test_report_shares_estimates_of_the_same_images(opened: list[Results]) -> None:
    data = dataset_content(opened, IMAGES).plots
    assert len(data.estimates) == 1  # three of the images, in every plot
    assert all(len(places) == len(opened) for places in data.estimates[0].values())
    assert [plot.chosen for plot in data.plots] == [("psnr", "fid"), ("psnr", "psnr spread"), (SECONDS.key, "psnr")]


def test_preferred_metrics_are_shown_first() -> None:
    assert choose_metric(["ssim", "lpips", "niqe"], DISTORTION) == "lpips"
    assert choose_metric(["ssim", "lpips", "niqe"], PERCEPTION) == "niqe"
    assert choose_metric(["psnr", "ssim"], PERCEPTION, beside="psnr") == "ssim"
    assert choose_metric(["psnr"], PERCEPTION, beside="psnr") == "psnr"
