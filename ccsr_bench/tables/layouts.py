"""Which rows and columns a table has: the user's choice, or a layout of the paper's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import Results, open_results
from ccsr_bench.methods.registry import MethodSpec, find_methods
from ccsr_bench.metrics.quantities import COSTS, SCORES, Quantity, find_quantities
from ccsr_bench.paper import printed
from ccsr_bench.paper.names import corrected_name, read_setting, variants_of
from ccsr_bench.tables import paper
from ccsr_bench.tables.collect import by_dataset, collect, interval_note, section_of
from ccsr_bench.tables.costs import cost_section
from ccsr_bench.tables.marks import Marking, marked
from ccsr_bench.tables.rows import Row, Section, Table
from ccsr_bench.tables.with_paper import beside, rows_below

FREE = "free"

LAYOUTS: Mapping[str, str] = {f"paper-{number.lower()}": number for number in printed.TITLES}
"""Layout -> table of the paper."""

Paper = Literal["no", "rows", "beside", "only"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a user wants to see."""

    out: Path = Path("results")
    """The output folder."""
    layout: str = FREE
    """`FREE` or one of `LAYOUTS`, which chooses what is not asked for by name."""
    methods: Sequence[str] = ()
    datasets: Sequence[str] = ()
    metrics: Sequence[str] = ()
    runs: int | None = None
    """N, for methods with more than one run; for each method the most runs that all its images have when None."""
    sort: str = ""
    """A column by which rows are sorted, best first; empty for the order of names, or the paper's."""
    paper: Paper = "no"
    """The paper's numbers: not at all, as rows of their own, beside ours in every cell, or alone."""
    marking: Marking = "none"
    intervals: bool = False
    """Show 95 % intervals in the cells."""


def build(request: Request) -> list[Table]:
    """Return the tables that are asked for: one for each data set, or the one of a layout.

    Raises:
        BenchError: There are no such results, a name does not exist, or the wishes exclude each other.
    """
    if request.paper == "only":
        tables = [_paper_alone(request)]
    elif request.layout == FREE:
        tables = _free(request)
    else:
        tables = [_layout(request)]
    if request.sort:  # some table must have the column
        find_quantities([request.sort], [column for table in tables for column in table.columns])
    return [marked(_sorted(_with_intervals(table, request), request.sort), request.marking) for table in tables]


def _free(request: Request) -> list[Table]:
    sections = collect(
        request.out,
        methods=request.methods,
        datasets=request.datasets,
        runs=request.runs,
        columns=find_quantities(request.metrics) or SCORES,
        set_intervals=request.intervals,
    )
    if not any(section.columns for section in sections):
        raise BenchError(
            f"{request.out}: no results of {', '.join(request.metrics) or 'any metric'} for what was asked; "
            f"`ccsr-bench run` with --metrics adds them"
        )
    return [Table(section.dataset, (section,), section.notes) for section in _with_paper(sections, request)]


def _layout(request: Request) -> Table:
    """Return our numbers in the layout of one of the paper's tables."""
    number = LAYOUTS[request.layout]
    columns = _columns(request, number)
    with open_results(request.out, methods=request.methods, datasets=request.datasets, runs=request.runs) as found:
        methods = find_methods()
        sections = []
        for group in _chosen_datasets(by_dataset(found), request, number):
            chosen, names = _rows_of(group, request, number, methods)
            missing = [] if request.methods else [name for name in paper.paper_methods(number) if name not in names]
            if chosen:
                section = _section(chosen, columns, request)
                section = _named(section, dict(zip((one.label for one in chosen), names, strict=True)))
                sections.append(replace(section, notes=(*section.notes, *_missing(missing, section, request, methods))))
    if not sections:
        raise BenchError(
            f"{request.out}: no results of {', '.join(paper.paper_methods(number))} on "
            f"{' or '.join(_dataset_names(request, number))}; "
            f"`ccsr-bench table --layout {request.layout} --paper only` prints the paper's"
        )
    sections = _same_columns(_with_paper(sections, request), columns)
    title = f"Table {number} of the CCSR paper, with numbers computed here: {printed.TITLES[number]}"
    notes = (*_count_notes(sections), *_missing_datasets(sections, request, number), *_merged_notes(sections))
    return Table(title, tuple(sections), notes, counts=False)


def _paper_alone(request: Request) -> Table:
    """Return one of the paper's tables, as printed."""
    if request.layout == FREE:
        raise BenchError(f"--paper only needs a --layout: {', '.join(LAYOUTS)}")
    if request.methods or request.datasets or request.runs or request.intervals or request.marking == "significant":
        raise BenchError(
            "--paper only prints a table of the paper as it is: leave out --method, --dataset, --runs, --intervals and "
            "--mark significant, which need results of yours"
        )
    number = LAYOUTS[request.layout]
    columns = _columns(request, number)
    sections = tuple(replace(section, columns=columns) for section in paper.paper_sections(number))
    title = f"Table {number} of the CCSR paper: {printed.TITLES[number]}"
    return Table(title, sections, tuple(paper.paper_notes(number)), counts=False)


def _columns(request: Request, number: str) -> tuple[Quantity, ...]:
    known = COSTS if number == printed.COST_TABLE else SCORES
    return find_quantities(request.metrics, known) or paper.paper_columns(number)


def _chosen_datasets(groups: dict[str, list[Results]], request: Request, number: str) -> list[list[Results]]:
    """Return the ledgers of the data sets that are asked for, or else of the table's, in that order."""
    return [
        group
        for name in _dataset_names(request, number)
        for dataset, group in groups.items()
        if name == (dataset if request.datasets else group[0].description.paper_dataset)
    ]


def _missing_datasets(sections: Sequence[Section], request: Request, number: str) -> Iterator[str]:
    """Yield which of the table's data sets are left out."""
    present = {name for section in sections for name in (section.dataset, section.paper_dataset)}
    left_out = [name for name in _dataset_names(request, number) if name not in present]
    if left_out:
        yield f"Left out, without results of these methods in {request.out}: {', '.join(left_out)}."


def _dataset_names(request: Request, number: str) -> list[str]:
    """Return the data sets that are asked for, or else the table's; Table VII's are those of Table IV."""
    return list(request.datasets or printed.read_tables()["IV" if number == printed.COST_TABLE else number])


def _rows_of(
    group: Sequence[Results], request: Request, number: str, methods: Mapping[str, MethodSpec]
) -> tuple[list[Results], list[str]]:
    """Return the ledgers that are rows of a table, in its order, and what the paper calls each; "" for no row of it."""
    by_method = {one.label: one for one in group}
    rows: dict[str, str] = {}
    for name in paper.paper_methods(number):
        rows |= {method: name for method in variants_of(name, methods) if method in by_method}
    if request.methods:
        rows = {method: rows.get(method, "") for method in request.methods if method in by_method}
    return [by_method[method] for method in rows], list(rows.values())


def _section(chosen: Sequence[Results], columns: Sequence[Quantity], request: Request) -> Section:
    if columns[0] in COSTS:
        return cost_section(chosen, columns)
    return section_of(chosen, columns, set_intervals=request.intervals)


def _named(section: Section, names: Mapping[str, str]) -> Section:
    """Return a section with the paper's names for settings of CCSR, and for images made elsewhere, without a title."""
    rows = []
    for row in section.rows:
        name = names[row.method]
        by_paper = name and (read_setting(name) or row.title == row.method)
        rows.append(replace(row, title=corrected_name(name)) if by_paper else row)
    return replace(section, rows=tuple(rows))


def _missing(
    names: Sequence[str], section: Section, request: Request, methods: Mapping[str, MethodSpec]
) -> Iterator[str]:
    """Yield which of the paper's rows are left out, and how to get them."""
    if names:
        variants = [variant for name in names for variant in variants_of(name, methods)]
        yield (
            f"Left out, without results in {request.out}: {', '.join(names)}. "
            f"`ccsr-bench run --method {' '.join(variants)} --dataset {section.dataset} --out {request.out}` adds "
            f"them, `score --method` with one of these names images made elsewhere."
        )


def _same_columns(sections: Sequence[Section], columns: Sequence[Quantity]) -> list[Section]:
    """Return sections with the columns that any of them has."""
    present = {column for section in sections for column in section.columns}
    kept = tuple(column for column in columns if column in present)
    left_out = [column.label for column in columns if column not in present]
    note = (f"Columns left out, without any number: {', '.join(left_out)}.",) if left_out else ()
    return [replace(section, columns=kept, notes=(*section.notes, *note)) for section in sections]


def _count_notes(sections: Sequence[Section]) -> Iterator[str]:
    """Yield N and the number of images of every row, which this layout has no columns for."""
    for section in sections:
        groups: dict[tuple[int | None, int | None], list[str]] = {}
        for row in section.rows:
            if row.source == "ours":
                groups.setdefault((row.runs, row.images), []).append(row.title)
        parts = [f"N = {runs}, {images} images: {', '.join(titles)}" for (runs, images), titles in groups.items()]
        yield f"{section.dataset}: {'; '.join(parts)}."


def _merged_notes(sections: Sequence[Section]) -> list[str]:
    """Return the notes of all sections, what they do not share with their data set before it."""
    merged: dict[str, None] = {}
    for section in sections:
        for note in section.notes:
            shared = all(note in other.notes for other in sections)
            merged[note if shared else f"{section.dataset}: {note}"] = None
    return list(merged)


def _with_paper(sections: Sequence[Section], request: Request) -> list[Section]:
    number = LAYOUTS.get(request.layout)
    if request.paper == "rows":
        return [rows_below(section, number) for section in sections]
    if request.paper == "beside":
        return [beside(section, number) for section in sections]
    return list(sections)


def _with_intervals(table: Table, request: Request) -> Table:
    shown = [cell for section in table.sections for row in section.rows for cell in row.cells.values()]
    if not request.intervals or not any(cell.value_interval for cell in shown):
        return table
    return replace(table, intervals=True, notes=(*table.notes, interval_note(table.sections)))


def _sorted(table: Table, name: str) -> Table:
    """Return a table with the rows of each section sorted by a column, if it has it: best first, those without last."""
    column = next((column for column in table.columns if column.name == name), None)
    if column is None:
        return table
    sign = -1 if column.higher_is_better else 1

    def key(row: Row) -> tuple[bool, float]:
        cell = row.cells.get(column.name)
        return cell is None, 0.0 if cell is None else sign * cell.value

    sections = tuple(replace(section, rows=tuple(sorted(section.rows, key=key))) for section in table.sections)
    return replace(table, sections=sections)
