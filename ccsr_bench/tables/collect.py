"""Rows from ledgers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ccsr_bench.metrics.catalogue import METRICS, find_protocol
from ccsr_bench.results import Results, common_definitions, distances, open_results
from ccsr_bench.stability import G_STD_DEFINITION, spread
from ccsr_bench.statistics.bootstrap import bootstrap_interval
from ccsr_bench.tables.paper import paper_rows
from ccsr_bench.tables.rows import COLUMNS, L_STD, Cell, Column, Row, Section

SET_DIMENSIONS = 2048
"""Of Inception's vectors: with fewer images their covariance has no full rank."""


def collect(
    out: Path,
    *,
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
    runs: int | None = None,
    paper: bool = False,
) -> list[Section]:
    """Return one section for each data set of an output folder.

    Args:
        out: The output folder.
        methods: Only these; all when empty.
        datasets: Only these; all when empty.
        runs: N, for methods with more than one run; for each method the most runs that all its images have when None.
        paper: Add the rows of the paper's Tables IV-VI.

    Raises:
        BenchError: There is no ledger, a name is not among them, or two ledgers define a metric differently.
    """
    with open_results(out, methods=methods, datasets=datasets, runs=runs) as found:
        grouped: dict[str, list[Results]] = {}
        for results in found:
            grouped.setdefault(results.identity.dataset, []).append(results)
        return [_section(name, results, paper=paper) for name, results in grouped.items()]


def _cells(results: Results) -> dict[str, Cell]:
    return {column.name: cell for column in COLUMNS if (cell := _cell(results, column)) is not None}


def _cell(results: Results, column: Column) -> Cell | None:
    if column is L_STD:
        scores = results.l_std()
        if scores is None:
            return None
        return Cell(
            float(scores.values.mean()), images=len(scores.images), value_interval=bootstrap_interval(scores.values)
        )
    if METRICS[column.name].kind == "distribution":
        return _set_cell(results, column.name)
    scores = results.scores(column.name)
    if scores is None:
        return None
    means = scores.values.mean(axis=1)
    value, interval = float(means.mean()), bootstrap_interval(means)
    if results.runs == 1:
        return Cell(value, images=len(scores.images), value_interval=interval)
    spreads = spread(scores.values)
    return Cell(value, float(spreads.mean()), len(scores.images), interval, bootstrap_interval(spreads))


def _set_cell(results: Results, metric: str) -> Cell | None:
    """Return the mean over runs of a distance of sets, and its standard deviation over runs."""
    features = results.features() if metric in results.definitions else None
    if features is None:
        return None
    values = distances(metric, features)
    return Cell(float(values.mean()), float(values.std()) if results.runs > 1 else None, len(features.images))


def _notes(results: Results, cells: dict[str, Cell]) -> Iterator[str]:
    """Yield what a reader must know about a method's row beside the definitions."""
    method, total, images = results.identity.method, results.description.dataset_images, len(results.images)
    asked = results.asked
    yield f"{method}: {results.identity.made_by}."
    if len(asked) < total:
        yield f"{method}: {len(asked)} of the data set's {total} images were asked for."
    if images < len(asked):
        yield f"{method}: {images} of the {len(asked)} images asked for have {results.runs} runs."
    most_asked = max(asked.values(), default=0)
    if most_asked > results.runs and not results.chosen:
        yield f"{method}: {most_asked} runs were asked for; N is what all recorded images have (--runs chooses)."
    for column in COLUMNS:
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
            few = f", fewer than its vectors' {SET_DIMENSIONS} dimensions: compare it at equal M only"
            spread = "; after the slash its standard deviation over the runs" if cell.g_std is not None else ""
            images = cell.images or 0
            yield (
                f"{results.identity.method}: {METRICS[name].label} of M = {images} images against {images}"
                f"{few if images < SET_DIMENSIONS else ''}{spread}."
            )


def _section(dataset: str, results: list[Results], *, paper: bool) -> Section:
    definitions = common_definitions(results)
    cells = [_cells(one) for one in results]
    rows = [
        Row(one.identity.method, one.description.title, row, runs=one.runs, images=len(one.images))
        for one, row in zip(results, cells, strict=True)
        if row
    ]
    present = {name for row in rows for name in row.cells}
    columns = tuple(column for column in COLUMNS if column.name in present)
    notes = [_protocol_note(results), *(f"{definitions[column.name]}." for column in columns)]
    if present & METRICS.keys():
        notes.append(f"After the slash: {G_STD_DEFINITION}.")
    notes += [note for one, row in zip(results, cells, strict=True) for note in _set_notes(one, row)]
    notes += [note for one, row in zip(results, cells, strict=True) for note in _notes(one, row)]
    if paper:
        name = results[0].description.paper_dataset
        printed = paper_rows(name, [column.label for column in columns]) if name else []
        rows += printed
        notes.append(
            "Rows marked (paper) are printed in the CCSR paper's Tables IV-VI, not computed here."
            if printed
            else f"The paper has no results on {dataset}."
        )
    return Section(dataset, columns, tuple(rows), tuple(notes))


def _protocol_note(results: list[Results]) -> str:
    names = sorted({one.identity.protocol for one in results})
    versions = sorted({version for one in results if (version := one.version())})
    return f"Protocol {', '.join(f'`{name}` ({find_protocol(name).title})' for name in names)}. {'; '.join(versions)}."
