"""Merging ledgers of the same method and data set, for instance the shards of several machines."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_atomically
from ccsr_bench.store import Ledger, LedgerWriter, UnitRecord, find_ledgers, storage_errors


def merge_folders(sources: list[Path], out: Path) -> list[Path]:
    """Add every ledger of some output folders to another output folder.

    Args:
        sources: Output folders, as given to `--out`.
        out: The output folder that gets everything; its own ledgers are kept and added to.

    Returns:
        The folders of the ledgers that were added to.

    Raises:
        BenchError: A source has no ledger, two ledgers are about different things, or they disagree about an output.
    """
    groups: dict[Path, list[Path]] = {}
    for source in sources:
        ledgers = find_ledgers(source)
        if not ledgers:
            raise BenchError(f"{source}: no ledger in it; give folders that `run` or `score` wrote with --out")
        for folder in ledgers:
            groups.setdefault(out / folder.relative_to(source), []).append(folder)
    for target, folders in groups.items():
        merge(folders, target)
    return list(groups)


def merge(sources: list[Path], target: Path) -> None:
    """Add several ledgers to the one in `target`; raises as `merge_folders` does."""
    ledgers = [Ledger(folder) for folder in sources]
    try:
        definitions: dict[str, str] = {}
        for ledger in ledgers:
            definitions = {**ledger.definitions, **definitions}
        settings = msgspec.structs.replace(
            ledgers[0].settings,
            runs=max(ledger.settings.runs for ledger in ledgers),
            images=len({name for ledger in ledgers for name in ledger.image_names()}),
        )
        with LedgerWriter(target, ledgers[0].identity, settings, definitions) as writer:
            for ledger in ledgers:
                writer.check_same(ledger.identity, ledger.definitions)
                _merge_one(ledger, writer)
    finally:
        for ledger in ledgers:
            ledger.close()


def _merge_one(ledger: Ledger, writer: LedgerWriter) -> None:
    for image in ledger.image_names():
        record = ledger.record(image)
        existing = writer.record(image)
        _check_agree(record, existing, ledger.folder)
        for run in record.outputs.keys() - existing.outputs.keys():
            with storage_errors(writer.folder):
                path = writer.image_path(image, run)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, ledger.image_path(image, run).read_bytes())
        writer.add(record)
    for session in ledger.sessions:
        writer.add_session(str(session["started"]), session)


def _check_agree(record: UnitRecord, existing: UnitRecord, folder: Path) -> None:
    if existing.pair_sha256 not in ("", record.pair_sha256):
        raise BenchError(
            f"{folder}: image '{record.image}' is not the one already merged; they are different data sets"
        )
    for run in sorted(record.outputs.keys() & existing.outputs.keys()):
        if record.outputs[run].png_sha256 != existing.outputs[run].png_sha256:
            raise BenchError(f"{folder}: run {run} of '{record.image}' is not the one already merged; keep one of them")
