"""The page of the Python API: every public name, from its docstring."""

from __future__ import annotations

import ccsr_bench
from generate.markdown import page

MAIN = "What the command line does"
GROUPS = {
    "methods": "Methods",
    "datasets": "Data sets",
    "metrics": "Metrics",
    "stability": "Stability and seeds",
    "seeds": "Stability and seeds",
    "statistics": "Statistics",
    "ledger": "Ledgers and errors",
    "errors": "Ledgers and errors",
}
"""Room of the package -> heading that its public names stand under; `MAIN` for all others."""


def pages() -> dict[str, str]:
    """Return the page."""
    groups: dict[str, list[str]] = {heading: [] for heading in (MAIN, *GROUPS.values())}
    for name in sorted(ccsr_bench.__all__, key=str.lower):
        room = getattr(ccsr_bench, name).__module__.split(".")[1]
        groups[GROUPS.get(room, MAIN)].append(name)
    sections = [page(f"## {heading}", *map(_entry, names)) for heading, names in groups.items()]
    return {
        "reference/python.md": page(
            "# Python API",
            "`import ccsr_bench as cb` is cheap: a name is loaded when it is first used. Names and paths may be "
            "strings. Errors that a user can correct are a [`BenchError`][ccsr_bench.BenchError] with one line of "
            "text. [Python and notebooks](../how-to/python.md) shows how the names are used together.",
            *sections,
        )
    }


def _entry(name: str) -> str:
    return f"::: ccsr_bench.{name}"
