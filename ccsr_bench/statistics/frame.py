"""Every single score as one row of a data frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ccsr_bench.ledger.results import Results
from ccsr_bench.metrics.quantities import L_STD

if TYPE_CHECKING:
    import pandas

COLUMNS = (
    "dataset",
    "method",
    "title",
    "image",
    "run",
    "seed",
    "metric",
    "value",
    "seconds",
    "protocol",
    "definition",
)
"""Columns of the data frame."""

_TYPES = {"run": "Int64", "seed": "Int64", "value": "float64", "seconds": "float64"}
_TYPES |= {name: "category" for name in COLUMNS if name not in _TYPES}


def scores_frame(ledgers: Sequence[Results]) -> pandas.DataFrame:
    """Return every recorded score of some ledgers.

    Args:
        ledgers: Open ledgers.

    Returns:
        A data frame with `COLUMNS`; texts are categories, runs and seeds nullable integers.
    """
    import pandas

    columns = zip(*(row for results in ledgers for row in _rows(results)), strict=True)
    values = dict(zip(COLUMNS, columns, strict=True)) or dict.fromkeys(COLUMNS, ())
    # Each column gets its type at once: a conversion through floats would round seeds of 63 bits.
    return pandas.DataFrame({name: pandas.Series(values[name], dtype=_TYPES[name]) for name in COLUMNS})


def _rows(results: Results) -> Iterator[tuple[object, ...]]:
    dataset, protocol = results.identity.dataset, results.identity.protocol
    label, title, definitions = results.label, results.description.title, results.definitions
    for image, run, seed, metric, value, seconds in results.ledger.score_rows():
        if not results.chosen or run < results.runs:
            yield dataset, label, title, image, run, seed, metric, value, seconds, protocol, definitions[metric]
    for image, value in results.ledger.l_std(results.runs).items():
        name = L_STD.name
        yield dataset, label, title, image, None, None, name, value, None, protocol, definitions[name]
