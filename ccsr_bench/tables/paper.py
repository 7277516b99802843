"""Rows and columns of the CCSR paper's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ccsr_bench.datasets.manifest import manifest_paths, read_manifest
from ccsr_bench.metrics.quantities import COSTS, SCORES, Quantity, find_quantities
from ccsr_bench.paper.printed import COMPARISONS, COST_TABLE, TITLES, Printed, read_costs, read_tables
from ccsr_bench.tables.rows import Cell, Row, Section, Table


def paper_table(number: str, metrics: Sequence[str] = ()) -> Table:
    """Return a table of the paper's own numbers, as printed.

    Args:
        number: Number of the table, such as ``IV``.
        metrics: Names of the columns to show, in this order; those of the paper when empty.

    Raises:
        BenchError: A metric does not exist.
    """
    columns = paper_columns(number, metrics)
    sections = tuple(replace(section, columns=columns) for section in paper_sections(number))
    title = f"Table {number} of the CCSR paper: {TITLES[number]}"
    return Table(title, sections, tuple(_notes(number)), counts=False)


def paper_columns(number: str, metrics: Sequence[str] = ()) -> tuple[Quantity, ...]:
    """Return the named columns, or else the columns of a table in the paper's order.

    Raises:
        BenchError: A metric does not exist.
    """
    if metrics:
        return find_quantities(metrics, COSTS if number == COST_TABLE else SCORES)
    if number == COST_TABLE:
        return COSTS
    rows = next(iter(read_tables()[number].values()))
    labels = next(iter(rows.values()))
    by_label = {column.label: column for column in SCORES}
    return tuple(by_label[label] for label in labels)


def paper_methods(number: str) -> list[str]:
    """Return the rows of a table, as the paper calls them and in its order; Table VII's with their steps."""
    if number == COST_TABLE:
        return [row.method for row in _cost_rows()]
    return list(dict.fromkeys(method for rows in read_tables()[number].values() for method in rows))


def paper_datasets(number: str) -> list[str]:
    """Return the data sets of a table, as the paper calls them; those of Table IV for Table VII, which has none."""
    return list(read_tables()["IV" if number == COST_TABLE else number])


def paper_sections(number: str) -> list[Section]:
    """Return a table of the paper's own numbers, data set by data set."""
    columns = paper_columns(number)
    if number == COST_TABLE:
        return [Section("", columns, tuple(_cost_rows()))]
    return [
        Section(dataset, columns, tuple(_row(method, method, row) for method, row in rows.items()), (), dataset)
        for dataset, rows in read_tables()[number].items()
    ]


def _notes(number: str) -> Iterator[str]:
    """Yield what a reader must know about a table of the paper's own numbers."""
    yield "As printed in the CCSR paper (arXiv:2401.00877), by its protocol and definitions; nothing is computed here."
    if number == COST_TABLE:
        yield "Seconds are of one run of a 128x128 image on an A100 80G."
        return
    images = {manifest.paper_name: manifest.images for manifest in map(read_manifest, manifest_paths())}
    counts = ", ".join(f"{images[dataset]} images of {dataset}" for dataset in read_tables()[number])
    yield f"N = 10 runs, 1 of methods without a spread; {counts}."
    yield "After the slash: G-STD; - where the paper prints none."
    yield "Some of its numbers contradict each other: `ccsr-bench table --audit` lists which."


def paper_rows(dataset: str, labels: Sequence[str]) -> list[Row]:
    """Return the methods that the paper's Tables IV-VI compare on a data set.

    A method that several tables print alike is one row; one that they print differently is a row for each.

    Args:
        dataset: As the paper calls it.
        labels: The metrics to give, as the paper calls them.
    """
    printed: dict[str, list[tuple[dict[str, Printed], list[str]]]] = {}
    tables = read_tables()
    for number in COMPARISONS:
        for method, row in tables[number].get(dataset, {}).items():
            wanted = {metric: cell for metric, cell in row.items() if metric in labels}
            known = printed.setdefault(method, [])
            same = next((numbers for cells, numbers in known if cells == wanted), None)
            if same is None:
                known.append((wanted, [number]))
            else:
                same.append(number)
    return [
        _row(method, f"{method} (paper, {', '.join(numbers)})", cells)
        for method, known in printed.items()
        for cells, numbers in known
    ]


def _row(method: str, title: str, printed: Mapping[str, Printed]) -> Row:
    names = {column.label: column.name for column in SCORES}
    cells = {
        names[label]: Cell(float(cell.value), float(cell.g_std) if cell.g_std else None)
        for label, cell in printed.items()
        if cell.value
    }
    return Row(method, title, cells, source="paper")


def _cost_rows() -> list[Row]:
    rows = []
    for method, costs in read_costs().items():
        values = (costs.steps, costs.seconds, costs.parameters_billion)
        cells = {column.name: Cell(value) for column, value in zip(COSTS, values, strict=True)}
        full = method if method.endswith(f"-S{costs.steps}") else f"{method}-S{costs.steps}"
        rows.append(Row(full, method, cells, source="paper"))
    return rows
