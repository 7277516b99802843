"""Rows of the paper's tables that ccsr-bench has computed again (`results/verified`), and how closely they agree."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ccsr_bench.datasets.manifest import read_manifest
from ccsr_bench.errors import number_of
from ccsr_bench.methods.registry import MethodSpec, find_methods
from ccsr_bench.metrics.catalogue import METRICS
from ccsr_bench.paper.names import variants_of
from ccsr_bench.paper.printed import COMPARISONS, Printed, read_tables
from ccsr_bench.published.scores import PublishedSet, published_values, verified_sets

MEANING = (
    "Two numbers agree to the d-th decimal if they differ by at most half a unit of that decimal. If they agree to all "
    "printed decimals, ours, rounded, is the printed number."
)
"""Meaning of `Reproduced.decimals`."""


@dataclass(frozen=True)
class Reproduced:
    """One printed number of the paper, beside ours."""

    verified: str
    """Name of the verified row."""
    table: str
    """Number of the paper's table."""
    dataset: str
    """Name of the data set, as the paper prints it."""
    row: str
    """Name of the method, as the paper prints it."""
    metric: str
    """Name of the metric, as the paper prints it."""
    ours: float
    """Mean of our scores over all images of the data set."""
    printed: str
    """The paper's number as printed."""
    difference: float
    """Our number minus the paper's."""
    decimals: int | None
    """Last decimal to which the two numbers agree; None where they differ by more than half a unit."""

    def texts(self) -> tuple[str, ...]:
        """Return the method and its data set, the table, the metric, both numbers, their difference, and its meaning.

        Ours has two decimals more than the printed number.
        """
        places = len(self.printed.partition(".")[2])
        return (
            f"{self.row} on {self.dataset}",
            self.table,
            self.metric,
            f"{self.ours:.{places + 2}f}",
            self.printed,
            f"{self.difference:+.{places + 2}f}",
            self._agreement(places),
        )

    def _agreement(self, places: int) -> str:
        if self.decimals is None:
            return "no decimal"
        if self.decimals == places:
            return f"all {places} decimals"
        return number_of(self.decimals, "decimal")


def reproduced() -> list[Reproduced]:
    """Return every number of the paper that a verified row has, by row and metric.

    The paper's number is that of the first table that prints it; tables that compare methods come before those that
    compare settings of CCSR.
    """
    methods = find_methods()
    return [
        number
        for name, verified in verified_sets().items()
        for number in _numbers(name, verified, verified_means(name), methods)
    ]


def verified_means(name: str) -> dict[str, float]:
    """Return the mean of each metric of a verified row over its images."""
    return {metric: statistics.fmean(map(float, values.values())) for metric, values in published_values(name).items()}


def agreeing_decimals(ours: float, printed: str) -> int | None:
    """Return the last decimal to which a number agrees with a printed one, as `MEANING` defines it.

    Args:
        ours: The number.
        printed: The printed number.
    """
    difference = abs(Decimal(repr(ours)) - Decimal(printed))
    places = range(len(printed.partition(".")[2]), -1, -1)
    return next((place for place in places if difference <= Decimal(5).scaleb(-place - 1)), None)


def _numbers(
    name: str, verified: PublishedSet, means: Mapping[str, float], methods: Mapping[str, MethodSpec]
) -> Iterator[Reproduced]:
    dataset = read_manifest(verified.dataset).paper_name
    for metric, ours in means.items():
        label = METRICS[metric].label
        found = _printed(dataset, verified.method, label, methods)
        if found is not None:
            table, row, printed = found
            difference = ours - float(printed)
            decimals = agreeing_decimals(ours, printed)
            yield Reproduced(name, table, dataset, row, label, ours, printed, difference, decimals)


def _printed(dataset: str, method: str, label: str, methods: Mapping[str, MethodSpec]) -> tuple[str, str, str] | None:
    """Return the table, the row and the text of the paper's first number for a metric; None if it prints none."""
    tables = read_tables()
    for table in (*COMPARISONS, "I", "II", "III"):
        for row, cells in tables[table].get(dataset, {}).items():
            printed = cells.get(label, Printed("", "")).value
            if printed and method in variants_of(row, methods):
                return table, row, printed
    return None
