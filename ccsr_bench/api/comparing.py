"""Comparing results with older results, as the gate does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ccsr_bench.gate import report
from ccsr_bench.gate.compare import Comparison, Outcome, compare_baselines, read_pair


@dataclass(frozen=True)
class GateVerdict:
    """The verdict on new results in comparison with older results; it is displayed as a table."""

    comparison: Comparison

    @property
    def regressions(self) -> tuple[Outcome, ...]:
        """The quantities that got worse."""
        return self.comparison.regressions

    @property
    def passed(self) -> bool:
        """Whether no quantity got worse."""
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
    """Compare new results with older results, and return which quantities got worse.

    A change counts only if it is larger than the noise of seeds and images explains.

    Args:
        base: The older results: a file that ``ccsr-bench export`` wrote, or the folder of a ledger, such as
            ``results/sample/bicubic``.
        new: The newer results: a file or a folder of the same kinds.
        metrics: Names of the metrics to compare; L-STD is always compared. All metrics of `base` when empty.
        tolerances: Largest change that is ignored, even if significant: metric -> difference, or ``g-std`` or
            ``l-std`` -> ratio.

    Raises:
        BenchError: A file or folder cannot be read, or the two results are not comparable.
    """
    older, newer = read_pair(Path(base), Path(new))
    return GateVerdict(compare_baselines(older, newer, metrics=metrics, tolerances=tolerances))
