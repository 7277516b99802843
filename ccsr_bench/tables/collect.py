"""Rows from ledgers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ccsr_bench.ledger.results import Results, Scores, common_definitions, distances
from ccsr_bench.metrics.catalogue import METRICS, entry_point, find_protocol
from ccsr_bench.metrics.quantities import L_STD, Quantity
from ccsr_bench.stability import G_STD_DEFINITION, spread
from ccsr_bench.statistics.bootstrap import LARGEST_FRECHET, bootstrap_interval, frechet_interval
from ccsr_bench.tables.rows import Cell, Row, Section

SET_DIMENSIONS = 2048
"""Of Inception's vectors: with fewer images their covariance has no full rank."""


def by_dataset(found: Sequence[Results]) -> dict[str, list[Results]]:
    """Return ledgers by the name of their data set."""
    grouped: dict[str, list[Results]] = {}
    for results in found:
        grouped.setdefault(results.identity.dataset, []).append(results)
    return grouped


def section_of(found: Sequence[Results], columns: Sequence[Quantity], *, set_intervals: bool = False) -> Section:
    """Return the section of the ledgers of one data set, a row for each that has a number, in their order.

    Args:
        found: The ledgers, open.
        columns: Which, and in which order; the section has those that one of its rows has.
        set_intervals: Compute the intervals of distances of sets too.

    Raises:
        BenchError: Two ledgers define a metric differently.
    """
    definitions = common_definitions(found)
    rows, row_notes = [], []
    for one in found:
        cells = _Cells(one, columns, set_intervals).all()
        row_notes += [*_set_notes(one, cells), *_notes(one, cells, columns)]
        if cells:
            rows.append(row_of(one, cells))
    present = tuple(column for column in columns if any(column.name in row.cells for row in rows))
    notes = [_protocol_note(found), *(f"{definitions[column.name]}." for column in present)]
    if any(column.name in METRICS for column in present):
        notes.append(f"After the slash: {G_STD_DEFINITION}.")
    description = found[0].description
    return Section(
        found[0].identity.dataset,
        present,
        tuple(rows),
        tuple(notes + row_notes),
        paper_dataset=description.paper_dataset,
    )


def row_of(results: Results, cells: dict[str, Cell]) -> Row:
    """Return the row of a ledger."""
    title, same_seed = results.description.title, results.identity.same_seed
    return Row(results.label, title, cells, results.runs, len(results.images), same_seed=same_seed)


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
    """Yield what a reader must know about a method's row beside the definitions."""
    method, total, images = results.label, results.description.dataset_images, len(results.images)
    asked = results.asked
    yield f"{method}: {results.identity.made_by_text}."
    if len(asked) < total:
        yield f"{method}: {len(asked)} of the data set's {total} images were asked for."
    if images < len(asked):
        yield f"{method}: {images} of the {len(asked)} images asked for have {results.runs} runs."
    most_asked = max(asked.values(), default=0)
    if most_asked > results.runs and not results.chosen:
        yield f"{method}: {most_asked} runs were asked for; N is what all recorded images have (--runs chooses)."
    for column in columns:
        expected = column.name in results.definitions and (column is not L_STD or results.runs > 1)
        covered = cells[column.name].images if column.name in cells else 0
        if expected and covered != images:
            yield (
                f"{method}: {column.label} covers {covered} of {images} images; "
                f"run it again with --runs {results.runs}."
            )
    failures = results.ledger.failures
    if failures:
        image, reason = next(iter(failures.items()))
        yield f"{method}: {len(failures)} images failed, for instance {image}: {reason}"


def _set_notes(results: Results, cells: dict[str, Cell]) -> Iterator[str]:
    """Yield how many images a distance of sets is of, without which it means little."""
    for name, cell in cells.items():
        if name in METRICS and METRICS[name].kind == "distribution":
            images = cell.images or 0
            few = f", fewer than its vectors' {SET_DIMENSIONS} dimensions: compare it at equal M only"
            deviation = "; after the slash its standard deviation over the runs" if cell.g_std is not None else ""
            yield (
                f"{results.label}: {METRICS[name].label} of M = {images} images against {images}"
                f"{few if images < SET_DIMENSIONS else ''}{deviation}."
            )


def _protocol_note(found: Sequence[Results]) -> str:
    names = sorted({one.identity.protocol for one in found})
    versions = sorted({version for one in found if (version := one.version())})
    return f"Protocol {', '.join(f'`{name}` ({find_protocol(name).title})' for name in names)}. {'; '.join(versions)}."


def interval_note(sections: Sequence[Section]) -> str:
    """Return what the intervals in cells are."""
    cells = [(name, cell) for section in sections for row in section.rows for name, cell in row.cells.items()]
    distances_shown = any(name in METRICS and METRICS[name].kind == "distribution" for name, _ in cells)
    return (
        "In brackets: 95 % bootstrap intervals over images, how far a number would move with other images of the same "
        "kind."
        + (
            f" Those of FID and KID are shifted to the value; above {LARGEST_FRECHET} images they have none."
            if distances_shown
            else ""
        )
    )
