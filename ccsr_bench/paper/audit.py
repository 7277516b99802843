"""Contradictions of the paper's tables with themselves, each other, and published scores, which rules detect.

No rule names a cell. The known contradictions in `results/paper/errata.toml` only label what the rules detect.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
"""Number of equal G-STDs on a data set from which two methods are reported; one equal value can be a coincidence."""

OUT_OF_LINE = 10.0
"""Factor from the median of a column from which a number is reported; correct numbers differ by less."""

RULES = {
    "printed differently": "the same method, data set and metric has one number in one table, another in another",
    "spreads of another": f"two methods share {SHARED_SPREADS} or more G-STDs on a data set, digit by digit",
    "spreads of another column": "a method has the same G-STDs in two columns on every data set of a table",
    "spread is a mean": "a G-STD is the mean of another column of its row to 4 significant digits; may be coincidence",
    "out of line": f"a number is {OUT_OF_LINE:g} times away from the median of its column on its data set",
    "steps": "the printed steps of a CCSR setting are not what the paper's formula gives for it",
    "no spread": "no spread is printed for a method whose code draws noise",
    "not as published": "a printed mean is not the mean of the scores that the method's authors published, rounded",
}


@dataclass(frozen=True)
class Contradiction:
    """One contradiction that a rule detected."""

    rule: str
    """Name of the rule, one of `RULES`."""
    about: str
    """Subject: the data set, the method and the metric, as far as the rule concerns one."""
    says: str
    """The contradictory numbers and their places."""
    known: str = ""
    """Name of the erratum that lists the contradiction; empty where none does."""


class Erratum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A known error of the paper."""

    text: str
    findings: dict[str, list[str]] = {}
    """Rule -> subjects of its contradictions (`Contradiction.about`)."""
    not_in_the_numbers: str = ""
    """Reason for which no rule can detect the error; empty where a rule does."""


class _Row(NamedTuple):
    """A printed row."""

    table: str
    dataset: str
    method: str
    """Name of the method as printed in this row."""
    name: str
    """Common name of the method, which is the same for all its printed names."""
    cells: Mapping[str, Printed]

    @property
    def place(self) -> str:
        return f"{self.dataset} {self.name}"

    def parts(self) -> Iterator[tuple[str, str]]:
        """Yield every printed number as (column, text), where a column is a metric's mean or G-STD."""
        for metric, cell in self.cells.items():
            if cell.value:
                yield metric, cell.value
            if cell.g_std:
                yield f"{metric} G-STD", cell.g_std


def read_errata(folder: Path | None = None) -> dict[str, Erratum]:
    """Return the known errors of the paper, by name.

    Args:
        folder: Folder of `errata.toml`; the one that ships with ccsr-bench when None.
    """
    return read_toml((folder or shipped("results/paper")) / "errata.toml", dict[str, Erratum])


def audit(folder: Path | None = None) -> list[Contradiction]:
    """Return the contradictions that the rules detect, in the order of the rules.

    Args:
        folder: Folder of `tables.csv` and `errata.toml`; the one that ships with ccsr-bench when None.
    """
    methods = find_methods()
    rows = list(_rows(read_tables(folder), methods))
    known = {
        (rule, about): name
        for name, erratum in read_errata(folder).items()
        for rule, subjects in erratum.findings.items()
        for about in subjects
    }
    detected = itertools.chain(
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
        replace(contradiction, known=known.get((contradiction.rule, contradiction.about), ""))
        for contradiction in dict.fromkeys(detected)
    ]


def _rows(tables: Mapping[str, PaperTable], methods: Mapping[str, MethodSpec]) -> Iterator[_Row]:
    for table, datasets in tables.items():
        for dataset, rows in datasets.items():
            for method, cells in rows.items():
                yield _Row(table, dataset, method, common_name(method, methods), cells)


def _printed_differently(rows: list[_Row]) -> Iterator[Contradiction]:
    numbers: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        for part, text in row.parts():
            numbers.setdefault(f"{row.place} {part}", {}).setdefault(text, []).append(row.table)
    for about, printed in numbers.items():
        if len(printed) > 1:
            says = "; ".join(f"{text} in {', '.join(tables)}" for text, tables in printed.items())
            yield Contradiction("printed differently", about, says)


def _spreads_of_another(rows: list[_Row]) -> Iterator[Contradiction]:
    shared_by_pair: dict[str, dict[str, list[_Row]]] = {}
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
            shared_by_pair.setdefault(about, {}).setdefault(", ".join(shared), []).extend(pair)
    for about, spreads in shared_by_pair.items():
        says = "; ".join(f"{shared} ({_where(both)})" for shared, both in spreads.items())
        yield Contradiction("spreads of another", about, says)


def _where(rows: list[_Row]) -> str:
    tables: dict[str, dict[str, None]] = {}
    for row in rows:
        tables.setdefault(row.name, {})[row.table] = None
    return "; ".join(f"{name} in {', '.join(numbers)}" for name, numbers in tables.items())


def _spreads_of_another_column(rows: list[_Row]) -> Iterator[Contradiction]:
    by_method: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        by_method.setdefault((row.table, row.name), []).append(row)
    for (table, name), own in by_method.items():
        columns = [metric for metric in own[0].cells if all(row.cells[metric].g_std for row in own)]
        for first, second in itertools.combinations(columns, 2):
            if len(own) > 1 and all(row.cells[first].g_std == row.cells[second].g_std for row in own):
                numbers = ", ".join(f"{row.cells[first].g_std} on {row.dataset}" for row in own)
                yield Contradiction(
                    "spreads of another column", f"{name} {first} and {second}", f"{numbers} in {table}"
                )


def _spread_is_a_mean(rows: list[_Row]) -> Iterator[Contradiction]:
    for row in rows:
        means = {cell.value: metric for metric, cell in row.cells.items()}
        for metric, cell in row.cells.items():
            if len(cell.g_std.lstrip("0.")) >= 4 and cell.g_std in means:
                says = f"{cell.g_std} is also {means[cell.g_std]} in {row.table}"
                yield Contradiction("spread is a mean", f"{row.place} {metric} G-STD", says)


def _out_of_line(rows: list[_Row]) -> Iterator[Contradiction]:
    columns: dict[tuple[str, str], list[tuple[_Row, str]]] = {}
    for row in rows:
        for part, text in row.parts():
            columns.setdefault((row.dataset, part), []).append((row, text))
    for (_, part), numbers in columns.items():
        middle = statistics.median(float(text) for _, text in numbers)
        for row, text in numbers:
            if not middle / OUT_OF_LINE < float(text) < middle * OUT_OF_LINE:
                yield Contradiction("out of line", f"{row.place} {part}", f"{text} in {row.table}, median {middle:.4g}")


def _steps(rows: list[_Row]) -> Iterator[Contradiction]:
    for row in rows:
        setting = read_setting(row.method)
        if setting is not None and setting.printed_steps != setting.steps:
            says = f"{setting.printed_steps} in {row.table}, {setting.steps} by the formula"
            yield Contradiction("steps", row.method, says)


def _no_spread(rows: list[_Row], methods: Mapping[str, MethodSpec]) -> Iterator[Contradiction]:
    printed: dict[str, bool] = {}
    for row in rows:
        printed[row.name] = printed.get(row.name, False) or any(cell.g_std for cell in row.cells.values())
    for name, has_spread in printed.items():
        variants = [methods[variant] for variant in variants_of(name, methods)]
        if variants and all(spec.stochastic for spec in variants) and not has_spread:
            yield Contradiction("no spread", name, "no G-STD or L-STD in any table; the released code draws noise")


def _not_as_published(rows: list[_Row]) -> Iterator[Contradiction]:
    names = {dataset: read_manifest(dataset).paper_name for dataset in manifest_paths()}
    for key, published in published_sets().items():
        if published.method:  # ccsr-bench computed the scores, and not the method's authors
            continue
        means = _published_means(key, published)
        for row in rows:
            same_method = row.name.rpartition("-S")[0].lower() == published.outputs
            if same_method and names.get(published.dataset) == row.dataset:
                yield from _against_published(row, means)


def _published_means(key: str, published: PublishedSet) -> dict[str, float]:
    means = {metric: statistics.fmean(map(float, values.values())) for metric, values in published_values(key).items()}
    return means | {metric: value.value for metric, value in published.sets.items()}


def _against_published(row: _Row, means: Mapping[str, float]) -> Iterator[Contradiction]:
    for metric, mean in means.items():
        label, decimals = METRICS[metric].label, METRICS[metric].decimals
        printed = row.cells.get(label, Printed("", "")).value
        rounded = f"{mean:.{decimals}f}"
        if printed and printed != rounded:
            says = f"{printed} in {row.table}, published {mean:.6f}"
            yield Contradiction("not as published", f"{row.place} {label}", says)
