"""The contents of figures of one image: the pictures of a strip, and maps of the standard deviation over runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ccsr_bench.datasets.loading import Dataset, Pair
from ccsr_bench.errors import BenchError, unknown_name
from ccsr_bench.figures.regions import Region, busiest_region
from ccsr_bench.figures.selection import require_scores, require_several_runs
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
    """The contents of a strip, which shows one image."""

    image: str
    """Name of the image."""
    overview: np.ndarray
    """(h, w, 3) uint8 RGB, the whole LR image."""
    scale: int
    """HR pixels per LR pixel."""
    region: Region
    """The part that is enlarged."""
    groups: list[Group]
    """LR and HR, then each method's best and worst run, or its only run."""


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
        results: Results of the methods on the data set.
        dataset: Data set with the LR and HR images.
        image: Name of the image.
        region: Region to enlarge; the region with the highest standard deviation over runs when None.

    Raises:
        BenchError: The image or its outputs are missing or were changed, no metric can rank the runs, or the region
            is not inside the image.
    """
    check_image(results, image)
    pair = _read_pair(results, dataset, image)
    metric = ranking_metric(results)
    extremes = [_extremes(method, metric, image) for method in results]
    height, width, _ = pair.hr.shape
    if region is None:
        region = _busiest(results, image, pair)
    region.check_inside(height, width)
    enlarged = pair.lr.repeat(dataset.scale, axis=0).repeat(dataset.scale, axis=1)
    groups = [Group("", [Picture("LR", region.cut(enlarged)), Picture("HR", region.cut(pair.hr))])]
    groups += [_group(method, runs, image, region) for method, runs in zip(results, extremes, strict=True)]
    return Strip(image, pair.lr, dataset.scale, region, groups)


def heat_maps(results: Sequence[Results], image: str) -> tuple[list[HeatMap], list[str]]:
    """Return heat maps of each method's outputs for an image, and remarks on the methods that are left out.

    Like L-STD, the maps leave out the border whose width the protocol sets.

    Args:
        results: Results of the methods on one data set.
        image: Name of the image.

    Raises:
        BenchError: The image or its outputs are missing or were changed, or no method has several runs.
    """
    check_image(results, image)
    several = require_several_runs(results)
    maps = []
    for method in several:
        crop = find_protocol(method.identity.protocol).l_std_crop
        maps.append(HeatMap(method.description.title, std_map(method.outputs(image, range(method.runs)), crop=crop)))
    return maps, remark_absence([(method, ONE_RUN) for method in results if method not in several])


def check_image(results: Sequence[Results], image: str) -> None:
    """Raise a `BenchError` unless every method has all N runs of an image."""
    for method in results:
        if image not in method.images:
            raise unknown_name("image", image, method.images, hint=f"of {method.label} on {method.identity.dataset}")


def _read_pair(results: Sequence[Results], dataset: Dataset, image: str) -> Pair:
    sample = next((sample for sample in dataset.samples if sample.name == image), None)
    if sample is None:
        raise unknown_name("image", image, [sample.name for sample in dataset.samples], hint=f"of {dataset.title}")
    return read_scored_pair(sample, scored_pixels(results, image))


def _extremes(results: Results, metric: str, image: str) -> Extremes:
    extremes = find_extremes(results, metric)
    if image not in extremes:
        require_scores(results, metric)  # its error says what to do where no image has the metric
        raise BenchError(f"{results.label}: {metric} of '{image}' is not recorded for all runs; run it again")
    return extremes[image]


def _busiest(results: Sequence[Results], image: str, pair: Pair) -> Region:
    """Return the region where outputs vary most over runs, or else where methods differ most, also from HR."""
    maps = [std_map(method.outputs(image, range(method.runs))) for method in results if method.runs > 1]
    if not any(std.any() for std in maps):
        maps = [std_map(np.stack([pair.hr, *(method.outputs(image, [0])[0] for method in results)]))]
    return busiest_region(maps, pair.hr.shape[0] // pair.lr.shape[0])


def _group(results: Results, extremes: Extremes, image: str, region: Region) -> Group:
    """Return a method's best and worst run, or a single picture where they are the same run."""
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
