"""What the figures of one image show: the pictures of a strip, and maps of the standard deviation over runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ccsr_bench.datasets.loading import Dataset, Pair
from ccsr_bench.errors import BenchError, unknown_name
from ccsr_bench.figures.regions import Region, busiest_region
from ccsr_bench.figures.selection import check_scored, with_several_runs
from ccsr_bench.ledger.results import Results
from ccsr_bench.metrics.catalogue import METRICS, find_protocol
from ccsr_bench.plots.pictures import read_scored_pair, scored_pixels
from ccsr_bench.plots.remarks import ONE_RUN, remark_absence
from ccsr_bench.stability import std_map
from ccsr_bench.statistics.extremes import Extremes, find_extremes, ranking_metric


class Picture(NamedTuple):
    """One picture of a strip."""

    label: str
    pixels: np.ndarray
    """(size, size, 3) uint8 RGB."""


class Group(NamedTuple):
    """Pictures that stand side by side under one title."""

    title: str
    pictures: list[Picture]


class Strip(NamedTuple):
    """What a strip shows of one image."""

    image: str
    overview: np.ndarray
    """(h, w, 3) uint8 RGB, the whole LR image."""
    scale: int
    region: Region
    """What is enlarged, in HR pixels."""
    groups: list[Group]
    """LR and HR, then each method's best and worst run, or its only one."""


class HeatMap(NamedTuple):
    """The standard deviation over runs of one method's outputs for an image."""

    title: str
    std: np.ndarray
    """(H, W) float64 in units of [0, 1], as `std_map` returns it."""

    @property
    def l_std(self) -> float:
        """The mean of the map, as tables print it."""
        return float(self.std.mean())


def strip(results: Sequence[Results], dataset: Dataset, image: str, region: Region | None = None) -> Strip:
    """Return the enlarged region of the LR image, the HR image, and each method's best and worst output.

    Args:
        results: The methods, on the data set.
        dataset: The data set with the LR and HR images.
        image: Name of the image.
        region: The region to enlarge; the one with the highest standard deviation over runs when None.

    Raises:
        BenchError: The image or its outputs are missing or were changed, there is nothing to rank runs by, or the
            region reaches out of the image.
    """
    check_image(results, image)
    pair = _read_pair(results, dataset, image)
    metric = ranking_metric(results)
    extremes = [_extremes(one, metric, image) for one in results]
    height, width, _ = pair.hr.shape
    if region is None:
        region = _busiest(results, image, pair)
    region.check_inside(height, width)
    enlarged = pair.lr.repeat(dataset.scale, axis=0).repeat(dataset.scale, axis=1)
    groups = [Group("", [Picture("LR", region.cut(enlarged)), Picture("HR", region.cut(pair.hr))])]
    groups += [_group(one, runs, image, region) for one, runs in zip(results, extremes, strict=True)]
    return Strip(image, pair.lr, dataset.scale, region, groups)


def heat_maps(results: Sequence[Results], image: str) -> tuple[list[HeatMap], list[str]]:
    """Return the standard deviation over runs of each method's outputs for an image, and remarks on what is left out.

    As L-STD does, the maps leave out the border that the protocol says.

    Args:
        results: The methods, on one data set.
        image: Name of the image.

    Raises:
        BenchError: The image or its outputs are missing or were changed, or no method has several runs.
    """
    check_image(results, image)
    several = with_several_runs(results)
    maps = []
    for one in several:
        crop = find_protocol(one.identity.protocol).l_std_crop
        maps.append(HeatMap(one.description.title, std_map(one.outputs(image, range(one.runs)), crop=crop)))
    return maps, remark_absence([(one, ONE_RUN) for one in results if one not in several])


def check_image(results: Sequence[Results], image: str) -> None:
    """Raise a `BenchError` unless every method has all N runs of an image."""
    for one in results:
        if image not in one.images:
            raise unknown_name("image", image, one.images, hint=f"of {one.label} on {one.identity.dataset}")


def _read_pair(results: Sequence[Results], dataset: Dataset, image: str) -> Pair:
    sample = next((sample for sample in dataset.samples if sample.name == image), None)
    if sample is None:
        raise unknown_name("image", image, [sample.name for sample in dataset.samples], hint=f"of {dataset.title}")
    return read_scored_pair(sample, scored_pixels(results, image))


def _extremes(results: Results, metric: str, image: str) -> Extremes:
    extremes = find_extremes(results, metric)
    if image not in extremes:
        check_scored(results, metric)  # says what to do where no image has them
        raise BenchError(f"{results.label}: {metric} of '{image}' is not recorded for all runs; run it again")
    return extremes[image]


def _busiest(results: Sequence[Results], image: str, pair: Pair) -> Region:
    maps = [std_map(one.outputs(image, range(one.runs))) for one in results if one.runs > 1]
    if not any(moves.any() for moves in maps):  # nothing moves: where the methods differ from one another and from HR
        maps = [std_map(np.stack([pair.hr, *(one.outputs(image, [0])[0] for one in results)]))]
    return busiest_region(maps, pair.hr.shape[0] // pair.lr.shape[0])


def _group(results: Results, extremes: Extremes, image: str, region: Region) -> Group:
    """Return a method's best and worst run; one picture where they are the same."""
    named = [("best ", extremes.best_run, extremes.best), ("worst ", extremes.worst_run, extremes.worst)]
    if extremes.best_run == extremes.worst_run:
        named = [("", extremes.best_run, extremes.best)]
    outputs = results.outputs(image, [run for _, run, _ in named])
    return Group(
        results.description.title,
        [
            Picture(f"{name}{_score(extremes.metric, score)}", region.cut(output))
            for (name, _, score), output in zip(named, outputs, strict=True)
        ],
    )


def _score(metric: str, score: float) -> str:
    info = METRICS[metric]
    number = f"{score:.{info.decimals}f}"
    return f"{number} {info.unit}" if info.unit else f"{info.label} {number}"
