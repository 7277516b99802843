"""The data of the page: everything that it prints, plots and sorts by."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np

from ccsr_bench.errors import BenchError
from ccsr_bench.html_report.pictures import ImageContent
from ccsr_bench.html_report.plotted import PlotsContent, plots_content
from ccsr_bench.ledger.results import Results, Scores
from ccsr_bench.metrics.catalogue import METRICS
from ccsr_bench.metrics.quantities import G_STD_DECIMALS, L_STD, SCORES
from ccsr_bench.plots.measures import LOCAL_SPREAD, Estimate, quality, run_spread
from ccsr_bench.plots.palette import COLOURS, MARKERS
from ccsr_bench.plots.points import Estimates
from ccsr_bench.statistics.extremes import find_extremes, ranking_metric
from ccsr_bench.tables.collect import row_of, section_of
from ccsr_bench.tables.marks import mark_best
from ccsr_bench.tables.rows import Cell, Mark, Table, covered_images


class ColumnContent(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the table: a metric, or L-STD."""

    name: str
    label: str
    title: str
    higher_is_better: bool
    decimals: int
    kind: str
    """`reference`, `no-reference`, `distribution`, or `stability` for L-STD."""


class CellContent(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of the table."""

    value: float
    interval: tuple[float, float] | None
    """Lower and upper end of the value's interval."""
    g_std: float | None
    mark: Mark
    """Rank of the value in its column: best, second best or neither."""
    coverage: str
    """Number of images that the value covers, such as ``3 of 6 images``; empty if it covers all images of its row."""
    complete: bool
    """Whether the value covers all images of its row and of its column; otherwise it is sorted after those that do."""


class MethodContent(msgspec.Struct, frozen=True, kw_only=True):
    """One method. Its lists have an item for each image of the data set, which is None where the method lacks it."""

    name: str
    title: str
    runs: int
    """N of the method."""
    images: int
    """Number of images that have all N runs."""
    coverage: str
    """The same in words, such as ``3 of 6`` where the data set has more images."""
    seconds: float | None
    """Median wall time of an output; None where no time was recorded."""
    cells: dict[str, CellContent]
    """Name of a column -> its cell."""
    present: list[bool]
    """For each image, whether the method has it."""
    scores: dict[str, list[list[float] | None]]
    """Quantity -> image -> the score of each run; for L-STD, which is over all runs, a single score."""
    best: list[int | None]
    """For each image, the run with the best score of `DatasetContent.ranked_by`."""
    worst: list[int | None]
    """For each image, the run with the worst score of `DatasetContent.ranked_by`."""


class DatasetContent(msgspec.Struct, frozen=True, kw_only=True):
    """One data set."""

    name: str
    columns: list[ColumnContent]
    notes: list[str]
    """Notes below the table: protocol, definitions, versions, and what is missing."""
    ranked_by: str | None
    """Metric by which best and worst runs are chosen; None where the methods have none in common."""
    methods: list[MethodContent]
    plots: PlotsContent
    images: list[ImageContent]


class ColourContent(msgspec.Struct, frozen=True, kw_only=True):
    """The colour of a method, in two versions."""

    light: str
    """Version for a light page."""
    dark: str
    """Version for a dark page."""


class PageContent(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    version: str
    """Version of ccsr-bench that built the report."""
    colours: list[ColourContent]
    """Colours of methods; the list starts again where there are more methods."""
    markers: list[str]
    """Shapes of methods, each the data of an SVG path; the list starts again where there are more methods."""
    spread_decimals: int
    """Decimals of standard deviations over runs."""
    datasets: list[DatasetContent]


def page_content(datasets: Sequence[DatasetContent]) -> PageContent:
    """Return the data of the page."""
    return PageContent(
        version=importlib.metadata.version("ccsr-bench"),
        colours=[ColourContent(light=colour.on_light, dark=colour.on_dark) for colour in COLOURS],
        markers=[marker.svg for marker in MARKERS],
        spread_decimals=G_STD_DECIMALS,
        datasets=list(datasets),
    )


def dataset_content(results: Sequence[Results], images: Sequence[str]) -> DatasetContent:
    """Return the contents of one data set, without its images, whose pictures are made later.

    Args:
        results: Results of the methods on the data set.
        images: Names of the images, in the order in which they are shown.

    Raises:
        BenchError: Two ledgers define a metric differently.
    """
    dataset = results[0].identity.dataset
    table = mark_best(Table(dataset, (section_of(results, SCORES),)))
    section = table.sections[0]
    try:
        ranked_by = ranking_metric(results)
    except BenchError:
        ranked_by = None
    cells = {row.method: row.cells for row in section.rows}
    covered = {column.name: covered_images(section.rows, column.name) for column in section.columns}
    return DatasetContent(
        name=dataset,
        columns=[
            ColumnContent(
                name=column.name,
                label=column.label,
                title=METRICS[column.name].title if column is not L_STD else "Local standard deviation over runs",
                higher_is_better=column.higher_is_better,
                decimals=column.decimals,
                kind=METRICS[column.name].kind if column is not L_STD else "stability",
            )
            for column in section.columns
        ],
        notes=[*section.notes, *table.notes],
        ranked_by=ranked_by,
        methods=[_method(method, cells.get(method.label, {}), covered, images, ranked_by) for method in results],
        plots=plots_content(
            _estimates(results, cells), [column.name for column in section.columns if column is not L_STD]
        ),
        images=[],
    )


def _estimates(results: Sequence[Results], cells: Mapping[str, Mapping[str, Cell]]) -> Estimates:
    """Return estimates with those of the table stored: intervals and distances of sets take long to compute."""
    estimates = Estimates(results)
    for place, method in enumerate(results):
        for name, cell in cells.get(method.label, {}).items():
            value = LOCAL_SPREAD if name == LOCAL_SPREAD.key else quality(name)
            estimates.remember(place, value, cell.covers, Estimate(cell.value, cell.value_interval))
            if cell.g_std is not None:
                estimates.remember(place, run_spread(name), cell.covers, Estimate(cell.g_std, cell.g_std_interval))
    return estimates


def _method(
    results: Results,
    cells: dict[str, Cell],
    covered: Mapping[str, Collection[str]],
    images: Sequence[str],
    ranked_by: str | None,
) -> MethodContent:
    scores = {column.name: recorded for column in SCORES if (recorded := _scores(results, column.name)) is not None}
    ranked = find_extremes(results, ranked_by) if ranked_by else {}
    present, seconds = set(results.images), results.seconds()
    return MethodContent(
        name=results.label,
        title=results.description.title,
        runs=results.runs,
        images=len(results.images),
        coverage=row_of(results, {}).coverage,
        seconds=None if seconds is None else float(np.median(seconds.values)),
        cells={name: _cell(cell, covered[name]) for name, cell in cells.items()},
        present=[image in present for image in images],
        scores={name: _by_image(recorded, images) for name, recorded in scores.items()},
        best=[ranked[image].best_run if image in ranked else None for image in images],
        worst=[ranked[image].worst_run if image in ranked else None for image in images],
    )


def _scores(results: Results, name: str) -> Scores | None:
    if name != L_STD.name:
        return results.scores(name)
    l_std = results.l_std()
    return l_std and Scores(l_std.images, l_std.values[:, None])


def _by_image(scores: Scores, images: Sequence[str]) -> list[list[float] | None]:
    of_image = dict(zip(scores.images, scores.values.tolist(), strict=True))
    return [of_image.get(image) for image in images]


def _cell(cell: Cell, covered: Collection[str]) -> CellContent:
    return CellContent(
        value=cell.value,
        interval=cell.value_interval,
        g_std=cell.g_std,
        mark=cell.mark,
        coverage=cell.coverage,
        complete=cell.covers_all(covered),
    )
