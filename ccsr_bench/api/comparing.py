"""Comparing results with older ones, as the gate does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ccsr_bench.gate import report
from ccsr_bench.gate.compare import Comparison, Outcome, compare_baselines, read_pair


@dataclass(frozen=True)
class GateVerdict:
    """What a comparison with older results found; it shows itself as a table."""

    comparison: Comparison

    @property
    def regressions(self) -> tuple[Outcome, ...]:
        """Every quantity that got worse."""
        return self.comparison.regressions

    @property
    def passed(self) -> bool:
        """Whether nothing got worse."""
        return not self.regressions

    def __str__(self) -> str:
        rows = report.rows(self.comparison)
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, report.summary(self.comparison)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rows = report.rows(self.comparison)
        cells = "".join(f"<th>{escape(text)}</th>" for text in head)
        lines = ["<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows]
        return f"<table><tr>{cells}</tr>{''.join(lines)}</table><p>{escape(report.summary(self.comparison))}</p>"


def compare(
    base: str | Path,
    new: str | Path,
    *,
    metrics: Sequence[str] = (),
    tolerances: Mapping[str, float] | None = None,
) -> GateVerdict:
    """Compare results with older ones: which quantities got worse, by more than the noise of seeds and images.

    Args:
        base: The older results: a file that ``ccsr-bench export`` wrote, or the folder of a ledger such as
            ``results/sample/bicubic``.
        new: The newer results, likewise.
        metrics: Compare only these, and L-STD; all that `base` has when empty.
        tolerances: Metric -> difference, or ``g-std`` or ``l-std`` -> ratio, up to which a change does not count.

    Raises:
        BenchError: One of them cannot be read, or they are not comparable.
    """
    older, newer = read_pair(Path(base), Path(new))
    return GateVerdict(compare_baselines(older, newer, metrics=metrics, tolerances=tolerances))
