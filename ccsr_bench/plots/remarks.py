"""Sentences that stand beside a plot: what a reader must know and cannot see in it."""

from __future__ import annotations

from collections.abc import Sequence

from ccsr_bench.ledger.results import Results

ONE_RUN = "one run, no spread"
"""The reason for which a method has no spread."""


def remark_absence(absent: Sequence[tuple[Results, str]]) -> list[str]:
    """Name the methods that are left out, each with the reason."""
    named = ", ".join(f"{results.description.title} ({reason})" for results, reason in absent)
    return [f"Left out: {named}."] if absent else []


def remark_run_counts(shown: Sequence[Results]) -> list[str]:
    """Say where spreads are over different numbers of runs."""
    if len({results.runs for results in shown}) < 2:
        return []
    counts = ", ".join(f"{results.description.title} {results.runs}" for results in shown)
    return [f"N differs: {counts}; over fewer runs a spread comes out smaller."]


def remark_coverage(shown: Sequence[Results], images: int) -> list[str]:
    """Say where the methods are compared on fewer images than one of them has."""
    if not shown:
        return []
    if not images:
        return ["The methods have no image in common."]
    most = max(len(results.images) for results in shown)
    return [] if images == most else [f"Compared on the images that all methods have: {images} of {most}."]


def remark_machines(shown: Sequence[Results]) -> list[str]:
    """Say what seconds were recorded on."""
    machines = sorted({machine for results in shown for machine in results.machines()})
    if not machines:
        return []
    where = "on" if len(machines) == 1 else "on different machines, whose seconds do not compare:"
    return [f"Recorded {where} {'; '.join(machines)}."]
