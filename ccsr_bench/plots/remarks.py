"""Sentences beside a plot, with facts that a reader must know and cannot see in it."""

from __future__ import annotations

from collections.abc import Sequence

from ccsr_bench.ledger.results import Results

ONE_RUN = "one run, no spread"
"""Reason why a method has no spread."""


def remark_absence(absent: Sequence[tuple[Results, str]]) -> list[str]:
    """Return the remark that names the methods that are left out, each with its reason."""
    named = ", ".join(f"{results.description.title} ({reason})" for results, reason in absent)
    return [f"Left out: {named}."] if absent else []


def remark_run_counts(shown: Sequence[Results]) -> list[str]:
    """Return the remark that spreads are over different numbers of runs, where they are."""
    if len({results.runs for results in shown}) < 2:
        return []
    counts = ", ".join(f"{results.description.title} {results.runs}" for results in shown)
    return [f"N differs: {counts}; a spread over fewer runs is smaller on average."]


def remark_coverage(shown: Sequence[Results], images: int) -> list[str]:
    """Return the remark that methods are compared on fewer images than one of them has, where they are."""
    if not shown:
        return []
    if not images:
        return ["The methods have no image in common."]
    most = max(len(results.images) for results in shown)
    return [] if images == most else [f"Compared on the images that all methods have: {images} of {most}."]


def remark_machines(shown: Sequence[Results]) -> list[str]:
    """Return the remark that names the machines on which seconds were recorded."""
    machines = sorted({machine for results in shown for machine in results.machines()})
    if not machines:
        return []
    where = "on" if len(machines) == 1 else "on different machines, whose seconds cannot be compared:"
    return [f"Recorded {where} {'; '.join(machines)}."]
