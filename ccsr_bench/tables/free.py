"""The free layout: one table for each data set."""

from __future__ import annotations

from collections.abc import Sequence

from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import Results
from ccsr_bench.methods.registry import find_methods
from ccsr_bench.metrics.quantities import SCORES, find_quantities
from ccsr_bench.tables.collect import by_dataset, section_of
from ccsr_bench.tables.request import Request
from ccsr_bench.tables.rows import Table
from ccsr_bench.tables.with_paper import add_paper


def free_tables(results: Sequence[Results], request: Request) -> list[Table]:
    """Return one table for each data set.

    Args:
        results: Open ledgers of the requested methods and data sets.
        request: The user's choice of columns, of intervals and of the paper's numbers.

    Raises:
        BenchError: A metric does not exist or has no results, or two ledgers define it differently.
    """
    columns = find_quantities(request.metrics) or SCORES
    sections = [section_of(group, columns, set_intervals=request.intervals) for group in by_dataset(results).values()]
    if not any(section.columns for section in sections):
        raise BenchError(
            f"{request.out}: no results of {', '.join(request.metrics) or 'any metric'} for the chosen methods and "
            f"data sets; run the methods again with these `metrics`, or choose others"
        )
    if request.paper != "no":
        sections = add_paper(sections, request.paper, find_methods(), paired=request.paper_rows)
    return [Table(section.dataset, (section,), section.notes) for section in sections]
