"""The layouts of the paper's tables, filled with numbers that are computed here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ccsr_bench.errors import BenchError, number_of
from ccsr_bench.ledger.records import title_of
from ccsr_bench.ledger.results import Results
from ccsr_bench.methods.registry import find_methods
from ccsr_bench.metrics.quantities import COSTS, Quantity
from ccsr_bench.paper.names import corrected_name, read_setting, stand_ins
from ccsr_bench.paper.printed import TITLES
from ccsr_bench.tables.collect import by_dataset, section_of
from ccsr_bench.tables.costs import cost_section
from ccsr_bench.tables.paper import paper_columns, paper_datasets, paper_methods
from ccsr_bench.tables.request import LAYOUTS, Request
from ccsr_bench.tables.rows import Section, Table
from ccsr_bench.tables.with_paper import add_paper


def layout_table(results: Sequence[Results], request: Request) -> Table:
    """Return one table with the rows, columns and data sets of a table of the paper, and with our numbers.

    Args:
        results: Open ledgers of the requested methods and data sets.
        request: The user's choice; methods, data sets or metrics that it names replace those of the paper.

    Raises:
        BenchError: A metric does not exist, there are no results, or two ledgers define a metric differently.
    """
    number = LAYOUTS[request.layout]
    columns = paper_columns(number, request.metrics)
    methods = find_methods()
    variants = {name: stand_ins(name, methods, request.paper_rows) for name in paper_methods(number)}
    sections = []
    for group in _groups(results, number, request.datasets):
        by_method = {one.label: one for one in group}
        rows = _choose_rows(by_method, variants, request.methods)
        if rows:
            section = _section([by_method[method] for method in rows], columns, set_intervals=request.intervals)
            missing = {} if request.methods else {n: v for n, v in variants.items() if n not in rows.values()}
            notes = (*section.notes, *_missing_rows(missing, section.dataset, request.out))
            sections.append(replace(_use_paper_names(section, rows, request.paper_rows), notes=notes))
    datasets = request.datasets or paper_datasets(number)
    if not sections:
        raise BenchError(
            f"{request.out}: no results of {', '.join(variants)} on {' or '.join(datasets)}; "
            f"`ccsr-bench table --layout {request.layout} --paper only` prints the paper's"
        )
    sections = add_paper(sections, request.paper, methods, number=number, paired=request.paper_rows)
    sections = _same_columns(sections, columns)
    title = f"Table {number} of the CCSR paper, with numbers computed here: {TITLES[number]}"
    notes = (*_count_notes(sections), *_missing_datasets(datasets, sections, request.out), *_merge_notes(sections))
    return Table(title, tuple(sections), notes, counts=False)


def _groups(results: Sequence[Results], number: str, asked: Sequence[str]) -> Iterator[list[Results]]:
    """Yield the ledgers of each data set that is asked for, or else of each data set of the paper's table."""
    groups = by_dataset(results)
    if asked:
        yield from (groups[name] for name in asked if name in groups)
        return
    for name in paper_datasets(number):
        yield from (group for group in groups.values() if group[0].description.paper_dataset == name)


def _choose_rows(
    present: Collection[str], variants: Mapping[str, Sequence[str]], asked: Sequence[str]
) -> dict[str, str]:
    """Return the rows of a table in its order.

    Args:
        present: Names of the methods with results.
        variants: Printed name of a row -> names of the methods that it stands for.
        asked: Names of the methods that replace those of the paper's table; the table's when empty.

    Returns:
        Name of a method -> the printed name of its row; empty for a method that is not in the paper's table.
    """
    names = {method: name for name, stands_for in variants.items() for method in stands_for if method in present}
    return {method: names.get(method, "") for method in asked if method in present} if asked else names


def _section(results: Sequence[Results], columns: Sequence[Quantity], *, set_intervals: bool) -> Section:
    if columns[0] in COSTS:
        return cost_section(results, columns)
    return section_of(results, columns, set_intervals=set_intervals)


def _use_paper_names(section: Section, names: Mapping[str, str], paired: Collection[str]) -> Section:
    """Return a section with the paper's names of settings of CCSR, and of outputs made elsewhere, which have no title.

    Args:
        section: Section of our numbers.
        names: Name of a method -> the printed name of its row; empty for a method that is not in the paper's table.
        paired: Names of the methods that the user pairs with rows; they keep their titles.
    """
    rows = []
    for row in section.rows:
        name = names[row.method]
        by_paper = name and row.method not in paired and (read_setting(name) or row.title == row.method)
        title = title_of(corrected_name(name), same_seed=row.same_seed, own_weights=bool(row.own_weights))
        rows.append(replace(row, title=title) if by_paper else row)
    return replace(section, rows=tuple(rows))


def _missing_rows(variants: Mapping[str, Sequence[str]], dataset: str, out: Path) -> Iterator[str]:
    """Yield which of the paper's rows have no results, and how to get them."""
    if variants:
        methods = [method for stands_for in variants.values() for method in stands_for]
        yield (
            f"Left out, without results in {out}: {', '.join(variants)}. "
            f"`ccsr-bench run --method {' '.join(methods)} --dataset {dataset} --out {out}` adds them; "
            f"`ccsr-bench score --method` with one of these names adds outputs made elsewhere."
        )


def _missing_datasets(datasets: Sequence[str], sections: Sequence[Section], out: Path) -> Iterator[str]:
    """Yield which data sets have no results."""
    present = {name for section in sections for name in (section.dataset, section.paper_dataset)}
    left_out = [name for name in datasets if name not in present]
    if left_out:
        yield f"Left out, without results of these methods in {out}: {', '.join(left_out)}."


def _same_columns(sections: Sequence[Section], columns: Sequence[Quantity]) -> list[Section]:
    """Return sections that all have the columns of which any section has a number."""
    present = {column for section in sections for column in section.columns}
    kept = tuple(column for column in columns if column in present)
    left_out = [column.label for column in columns if column not in present]
    note = (f"Columns left out, without any number: {', '.join(left_out)}.",) if left_out else ()
    return [replace(section, columns=kept, notes=(*section.notes, *note)) for section in sections]


def _count_notes(sections: Sequence[Section]) -> Iterator[str]:
    """Yield N and the number of images of every row, for which this layout has no columns."""
    for section in sections:
        groups: dict[tuple[int | None, int | None], list[str]] = {}
        for row in section.rows:
            if row.source == "ours":
                groups.setdefault((row.runs, row.images), []).append(row.title)
        parts = [
            f"N = {runs}, {number_of(images or 0, 'image')}: {', '.join(titles)}"
            for (runs, images), titles in groups.items()
        ]
        yield f"{section.dataset}: {'; '.join(parts)}."


def _merge_notes(sections: Sequence[Section]) -> list[str]:
    """Return the notes of all sections, each once; a note that some sections lack starts with its data set."""
    merged: dict[str, None] = {}
    for section in sections:
        for note in section.notes:
            shared = all(note in other.notes for other in sections)
            merged[note if shared else f"{section.dataset}: {note}"] = None
    return list(merged)
