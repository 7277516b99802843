"""Sections of tables from the scores in ledgers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ccsr_bench.errors import number_of
from ccsr_bench.ledger.results import Results, Scores, common_definitions, distances
from ccsr_bench.metrics.catalogue import METRICS, entry_point, find_protocol
from ccsr_bench.metrics.quantities import L_STD, Quantity
from ccsr_bench.stability import G_STD_DEFINITION, spread
from ccsr_bench.statistics.bootstrap import LARGEST_FRECHET, bootstrap_interval, frechet_interval
from ccsr_bench.tables.rows import Cell, Row, Section

PARTIAL_NOTE = (
    "A number of images in a cell, such as (3 of 6 images), says that a value covers only a part of its row's images. "
    "Such a value is never marked as best or second best, and a sorted table has it below the complete values."
)

OTHER_IMAGES_NOTE = (
    "The rows cover different images, so that their values cannot be compared; `ccsr-bench stats differences` compares "
    "methods on the images that both have."
)

SET_DIMENSIONS = 2048
"""Length of an Inception feature vector; with fewer images the covariance of the vectors is singular."""


def by_dataset(ledgers: Sequence[Results]) -> dict[str, list[Results]]:
    """Return ledgers by the name of their data set."""
    grouped: dict[str, list[Results]] = {}
    for results in ledgers:
        grouped.setdefault(results.identity.dataset, []).append(results)
    return grouped


def section_of(ledgers: Sequence[Results], columns: Sequence[Quantity], *, set_intervals: bool = False) -> Section:
    """Return the section of one data set, with a row for each ledger that has a number.

    Args:
        ledgers: Open ledgers of the data set, in the order of the rows.
        columns: Possible columns, in their order; the section has those in which a row has a number.
        set_intervals: Whether the intervals of distances of sets are computed, which takes seconds for each.

    Raises:
        BenchError: Two ledgers define a metric differently.
    """
    definitions = common_definitions(ledgers)
    rows, row_notes = [], []
    for results in ledgers:
        cells = _Cells(results, columns, set_intervals).all()
        row_notes += [*_set_notes(results, cells), *_notes(results, cells, columns)]
        if cells:
            rows.append(row_of(results, cells))
    row_notes += _coverage_notes(ledgers, rows)
    present = tuple(column for column in columns if any(column.name in row.cells for row in rows))
    notes = [_protocol_note(ledgers), *(f"{definitions[column.name]}." for column in present)]
    if any(column.name in METRICS for column in present):
        notes.append(f"After the slash: {G_STD_DEFINITION}.")
    dataset, paper_dataset = ledgers[0].identity.dataset, ledgers[0].description.paper_dataset
    return Section(dataset, present, tuple(rows), (*notes, *row_notes), paper_dataset)


def row_of(results: Results, cells: dict[str, Cell]) -> Row:
    """Return the row of a ledger, with the number of images that each cell lacks."""
    images = len(results.images)
    return Row(
        results.label,
        results.description.title,
        {
            name: replace(cell, missing=images - len(cell.covers)) if cell.covers else cell
            for name, cell in cells.items()
        },
        results.runs,
        images,
        results.description.dataset_images,
        same_seed=results.identity.same_seed,
        own_weights=results.description.own_weights,
    )


def image_means(results: Results, column: str) -> Scores | None:
    """Return the value of each image, (M,), of which a cell of `section_of` is the mean; None for other cells.

    Args:
        results: Ledger of the row.
        column: Name of the column.
    """
    if column == L_STD.name:
        return results.l_std()
    if column not in METRICS or METRICS[column].kind == "distribution":
        return None
    scores = results.scores(column)
    return None if scores is None else Scores(scores.images, scores.values.mean(axis=1))


@dataclass(frozen=True)
class _Cells:
    """The cells of one ledger."""

    results: Results
    columns: Sequence[Quantity]
    set_intervals: bool

    def all(self) -> dict[str, Cell]:
        return {column.name: cell for column in self.columns if (cell := self._cell(column)) is not None}

    def _cell(self, column: Quantity) -> Cell | None:
        if column is L_STD:
            return self._l_std()
        if METRICS[column.name].kind == "distribution":
            return self._distance(column.name)
        scores = self.results.scores(column.name)
        if scores is None:
            return None
        means = scores.values.mean(axis=1)
        value, interval = float(means.mean()), bootstrap_interval(means)
        if self.results.runs == 1:
            return Cell(value, covers=scores.images, value_interval=interval)
        spreads = spread(scores.values)
        return Cell(
            value,
            float(spreads.mean()),
            covers=scores.images,
            value_interval=interval,
            g_std_interval=bootstrap_interval(spreads),
        )

    def _l_std(self) -> Cell | None:
        scores = self.results.l_std()
        if scores is None:
            return None
        value, interval = float(scores.values.mean()), bootstrap_interval(scores.values)
        return Cell(value, covers=scores.images, value_interval=interval)

    def _distance(self, metric: str) -> Cell | None:
        """Return the mean over runs of a distance of sets, and its standard deviation over runs."""
        features = self.results.features() if metric in self.results.definitions else None
        if features is None:
            return None
        values = distances(metric, features)
        interval = None
        if self.set_intervals:
            interval = frechet_interval(entry_point(METRICS[metric].entry), features.runs, features.references)
        deviation = float(values.std()) if self.results.runs > 1 else None
        return Cell(float(values.mean()), deviation, covers=features.images, value_interval=interval)


def _notes(results: Results, cells: dict[str, Cell], columns: Sequence[Quantity]) -> Iterator[str]:
    """Yield what a reader must know about a method's row apart from the definitions."""
    method, total, images = results.label, results.description.dataset_images, len(results.images)
    asked = results.asked
    yield f"{method}: {results.made_by}."
    if len(asked) < total:
        yield f"{method}: images that were asked for: {len(asked)} of the data set's {total}."
    if images < len(asked):
        yield f"{method}: complete over {number_of(results.runs, 'run')}: {images} of {number_of(len(asked), 'image')}."
    most_asked = max(asked.values(), default=0)
    if most_asked > results.runs and not results.chosen:
        yield f"{method}: {most_asked} runs were asked for; N is the number of runs that all recorded images have."
    for column in columns:
        expected = column.name in results.definitions and (column is not L_STD or results.runs > 1)
        covered = cells[column.name].images if column.name in cells else 0
        if expected and covered != images:
            yield (
                f"{method}: {column.label} covers {covered} of {number_of(images, 'image')}; "
                f"run the method again with N = {results.runs} to complete it."
            )
    failures = results.ledger.failures
    if failures:
        image, reason = next(iter(failures.items()))
        yield f"{method}: {number_of(len(failures), 'image')} failed, for instance {image}: {reason}"


def _coverage_notes(ledgers: Sequence[Results], rows: Sequence[Row]) -> Iterator[str]:
    """Yield what the marks of partial cells mean, and that rows cover different images, where that is so."""
    if any(cell.missing for row in rows for cell in row.cells.values()):
        yield PARTIAL_NOTE
    shown = {row.method for row in rows}
    if len({results.images for results in ledgers if results.label in shown}) > 1:
        yield OTHER_IMAGES_NOTE


def _set_notes(results: Results, cells: dict[str, Cell]) -> Iterator[str]:
    """Yield the number of images of each distance of sets, on which its value depends."""
    for name, cell in cells.items():
        if name in METRICS and METRICS[name].kind == "distribution":
            images = cell.images or 0
            few = f", fewer than the {SET_DIMENSIONS} dimensions of its features: compare it at equal M only"
            deviation = "; after the slash its standard deviation over the runs" if cell.g_std is not None else ""
            yield (
                f"{results.label}: {METRICS[name].label} of M = {images} images against {images}"
                f"{few if images < SET_DIMENSIONS else ''}{deviation}."
            )


def _protocol_note(ledgers: Sequence[Results]) -> str:
    names = sorted({results.identity.protocol for results in ledgers})
    versions = sorted({version for results in ledgers if (version := results.version())})
    return f"Protocol {', '.join(f'`{name}` ({find_protocol(name).title})' for name in names)}. {'; '.join(versions)}."


def interval_note(sections: Sequence[Section]) -> str:
    """Return the note that explains the intervals in cells."""
    cells = [(name, cell) for section in sections for row in section.rows for name, cell in row.cells.items()]
    distances_shown = any(name in METRICS and METRICS[name].kind == "distribution" for name, _ in cells)
    return (
        "In brackets: 95 % bootstrap intervals over images, how much a number would vary with other images of the "
        "same kind."
        + (
            f" Those of FID and KID are shifted to the value; above {LARGEST_FRECHET} images they have none."
            if distances_shown
            else ""
        )
    )
