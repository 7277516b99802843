"""Where the paper's tables contradict themselves, each other, and what its authors published; found by rules.

No rule names a cell. What is known already, `results/paper/errata.toml`, is only compared with.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from ccsr_bench.datasets.manifest import manifest_paths, read_manifest
from ccsr_bench.manifests import read_toml
from ccsr_bench.methods.registry import MethodSpec, find_methods
from ccsr_bench.metrics.catalogue import METRICS
from ccsr_bench.paper.names import common_name, read_setting, variants_of
from ccsr_bench.paper.printed import PaperTable, Printed, read_tables
from ccsr_bench.places import shipped
from ccsr_bench.published.scores import PublishedSet, published_sets, published_values

SHARED_SPREADS = 2
"""G-STDs that two methods share on a data set before it is no chance: those that share any by chance share one."""

OUT_OF_LINE = 10.0
"""Factor from the median of a column that no two methods of the paper differ by."""

RULES = {
    "printed differently": "the same method, data set and metric has one number in one table, another in another",
    "spreads of another": f"two methods share {SHARED_SPREADS} or more G-STDs on a data set, digit by digit",
    "spreads of another column": "a method has the same G-STDs in two columns on every data set of a table",
    "spread is a mean": "a G-STD is, to four significant digits, the mean of another column of its row; may be chance",
    "out of line": f"a number is {OUT_OF_LINE:g} times away from the median of its column on its data set",
    "steps": "the printed steps of a CCSR setting are not what the paper's formula gives for it",
    "no spread": "no spread is printed for a method whose code draws noise",
    "not as published": "a printed mean is not the mean of the scores that the method's authors published, rounded",
}


@dataclass(frozen=True)
class Finding:
    """One contradiction."""

    rule: str
    """One of `RULES`."""
    about: str
    """What contradicts: data set, method, metric, as far as the rule is about one."""
    says: str
    """The numbers."""
    known: str = ""
    """The erratum that lists it; empty when none does."""


class Erratum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contradiction that is known already."""

    text: str
    findings: dict[str, list[str]] = {}
    """Rule -> what it finds (`Finding.about`)."""
    not_in_the_numbers: str = ""
    """Why no rule can find it; empty when one does."""


class _Row(NamedTuple):
    """A row as printed."""

    table: str
    dataset: str
    method: str
    """As printed."""
    name: str
    """The same for every name of the method."""
    cells: Mapping[str, Printed]

    @property
    def place(self) -> str:
        return f"{self.dataset} {self.name}"

    def parts(self) -> Iterator[tuple[str, str]]:
        """Yield every number that is printed, as (metric or metric and G-STD, text)."""
        for metric, cell in self.cells.items():
            if cell.value:
                yield metric, cell.value
            if cell.g_std:
                yield f"{metric} G-STD", cell.g_std


def read_errata(folder: Path | None = None) -> dict[str, Erratum]:
    """Return what is known already, by name.

    Args:
        folder: Where `errata.toml` is; what ships with ccsr-bench when None.
    """
    return read_toml((folder or shipped("results/paper")) / "errata.toml", dict[str, Erratum])


def audit(folder: Path | None = None) -> list[Finding]:
    """Return what the rules find, in their order.

    Args:
        folder: Where `tables.csv` and `errata.toml` are; what ships with ccsr-bench when None.
    """
    methods = find_methods()
    rows = list(_rows(read_tables(folder), methods))
    known = {
        (rule, about): name
        for name, erratum in read_errata(folder).items()
        for rule, subjects in erratum.findings.items()
        for about in subjects
    }
    found = itertools.chain(
        _printed_differently(rows),
        _spreads_of_another(rows),
        _spreads_of_another_column(rows),
        _spread_is_a_mean(rows),
        _out_of_line(rows),
        _steps(rows),
        _no_spread(rows, methods),
        _not_as_published(rows),
    )
    return [
        Finding(finding.rule, finding.about, finding.says, known.get((finding.rule, finding.about), ""))
        for finding in dict.fromkeys(found)
    ]


def _rows(tables: Mapping[str, PaperTable], methods: Mapping[str, MethodSpec]) -> Iterator[_Row]:
    for table, datasets in tables.items():
        for dataset, rows in datasets.items():
            for method, cells in rows.items():
                yield _Row(table, dataset, method, common_name(method, methods), cells)


def _printed_differently(rows: list[_Row]) -> Iterator[Finding]:
    numbers: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        for part, text in row.parts():
            numbers.setdefault(f"{row.place} {part}", {}).setdefault(text, []).append(row.table)
    for about, printed in numbers.items():
        if len(printed) > 1:
            says = "; ".join(f"{text} in {', '.join(tables)}" for text, tables in printed.items())
            yield Finding("printed differently", about, says)


def _spreads_of_another(rows: list[_Row]) -> Iterator[Finding]:
    found: dict[str, dict[str, list[_Row]]] = {}
    for pair in itertools.combinations(sorted(rows, key=lambda row: row.name), 2):
        first, second = pair
        if first.dataset != second.dataset or first.name == second.name:
            continue
        shared = [
            f"{metric} {cell.g_std}"
            for metric, cell in first.cells.items()
            if cell.g_std and second.cells.get(metric, Printed("", "")).g_std == cell.g_std
        ]
        if len(shared) >= SHARED_SPREADS:
            about = f"{first.dataset} {first.name} and {second.name}"
            found.setdefault(about, {}).setdefault(", ".join(shared), []).extend(pair)
    for about, spreads in found.items():
        says = "; ".join(f"{shared} ({_where(both)})" for shared, both in spreads.items())
        yield Finding("spreads of another", about, says)


def _where(rows: list[_Row]) -> str:
    tables: dict[str, dict[str, None]] = {}
    for row in rows:
        tables.setdefault(row.name, {})[row.table] = None
    return "; ".join(f"{name} in {', '.join(numbers)}" for name, numbers in tables.items())


def _spreads_of_another_column(rows: list[_Row]) -> Iterator[Finding]:
    by_method: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        by_method.setdefault((row.table, row.name), []).append(row)
    for (table, name), own in by_method.items():
        columns = [metric for metric in own[0].cells if all(row.cells[metric].g_std for row in own)]
        for first, second in itertools.combinations(columns, 2):
            if len(own) > 1 and all(row.cells[first].g_std == row.cells[second].g_std for row in own):
                numbers = ", ".join(f"{row.cells[first].g_std} on {row.dataset}" for row in own)
                yield Finding("spreads of another column", f"{name} {first} and {second}", f"{numbers} in {table}")


def _spread_is_a_mean(rows: list[_Row]) -> Iterator[Finding]:
    for row in rows:
        means = {cell.value: metric for metric, cell in row.cells.items()}
        for metric, cell in row.cells.items():
            if len(cell.g_std.lstrip("0.")) >= 4 and cell.g_std in means:
                says = f"{cell.g_std} is also {means[cell.g_std]} in {row.table}"
                yield Finding("spread is a mean", f"{row.place} {metric} G-STD", says)


def _out_of_line(rows: list[_Row]) -> Iterator[Finding]:
    columns: dict[tuple[str, str], list[tuple[_Row, str]]] = {}
    for row in rows:
        for part, text in row.parts():
            columns.setdefault((row.dataset, part), []).append((row, text))
    for (_, part), numbers in columns.items():
        middle = statistics.median(float(text) for _, text in numbers)
        for row, text in numbers:
            if not middle / OUT_OF_LINE < float(text) < middle * OUT_OF_LINE:
                yield Finding("out of line", f"{row.place} {part}", f"{text} in {row.table}, median {middle:.4g}")


def _steps(rows: list[_Row]) -> Iterator[Finding]:
    for row in rows:
        setting = read_setting(row.method)
        if setting is not None and setting.printed_steps != setting.steps:
            says = f"{setting.printed_steps} in {row.table}, {setting.steps} by the formula"
            yield Finding("steps", row.method, says)


def _no_spread(rows: list[_Row], methods: Mapping[str, MethodSpec]) -> Iterator[Finding]:
    spreads = {name: any(cell.g_std for row in rows if row.name == name for cell in row.cells.values())
               for name in dict.fromkeys(row.name for row in rows)}  # fmt: skip
    for name, printed in spreads.items():
        variants = [methods[variant] for variant in variants_of(name, methods)]
        if variants and all(spec.stochastic for spec in variants) and not printed:
            yield Finding("no spread", name, "no G-STD or L-STD in any table; the released code draws noise")


def _not_as_published(rows: list[_Row]) -> Iterator[Finding]:
    names = {dataset: read_manifest(dataset).paper_name for dataset in manifest_paths()}
    for key, published in published_sets().items():
        means = _published_means(key, published)
        for row in rows:
            same_method = row.name.rpartition("-S")[0].lower() == published.outputs
            if same_method and names.get(published.dataset) == row.dataset:
                yield from _against_published(row, means)


def _published_means(key: str, published: PublishedSet) -> dict[str, float]:
    means = {metric: statistics.fmean(map(float, values.values())) for metric, values in published_values(key).items()}
    return means | {metric: value.value for metric, value in published.sets.items()}


def _against_published(row: _Row, means: Mapping[str, float]) -> Iterator[Finding]:
    for metric, mean in means.items():
        label, decimals = METRICS[metric].label, METRICS[metric].decimals
        printed = row.cells.get(label, Printed("", "")).value
        rounded = f"{mean:.{decimals}f}"
        if printed and printed != rounded:
            says = f"{printed} in {row.table}, published {mean:.6f}"
            yield Finding("not as published", f"{row.place} {label}", says)
