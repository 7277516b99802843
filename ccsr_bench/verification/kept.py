"""The folder for the results of a verification: one in which all results have the same definitions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.reader import Ledger, find_ledgers, ledger_folder
from ccsr_bench.running.job import Job


def choose_folder(base: Path, job: Job, definitions: Mapping[str, str]) -> tuple[Path, list[str]]:
    """Return the folder of results that a job can be recorded in, and why others cannot be used.

    The folders are named by the protocol: ``paper``, then ``paper-2`` for results with another definition of a metric
    or with outputs of other code, and so on. `table` and `report` can show each of them.

    Args:
        base: Folder of all verifications.
        job: Job whose results are recorded; its own folder is not used.
        definitions: Definition of each metric of the job.

    Returns:
        The folder, which may not exist yet, and one reason for each folder that has other results.

    Raises:
        BenchError: A ledger is damaged.
    """
    name = job.protocol.name
    reasons: list[str] = []
    while reason := _conflict(out := base / (f"{name}-{len(reasons) + 1}" if reasons else name), job, definitions):
        reasons.append(reason)
    return out, reasons


def _conflict(out: Path, job: Job, definitions: Mapping[str, str]) -> str:
    """Return why a job must not be recorded in a folder of results; empty if it may be."""
    for folder in find_ledgers(out):
        with Ledger(folder) as ledger:
            if not ledger.image_names():
                continue
            recorded = ledger.definitions
            other = [name for name, definition in definitions.items() if recorded.get(name, definition) != definition]
            if other:
                return f"{folder} has {', '.join(other)} of another definition"
            if folder == ledger_folder(out, job.identity):
                try:
                    ledger.check_same(job.identity, {}, equivalent=job.equivalent)
                except BenchError:
                    return f"{folder} has outputs of other code, parameters or weights"
    return ""
