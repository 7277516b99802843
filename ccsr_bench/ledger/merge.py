"""Merging ledgers of the same method and data set, such as shards that were computed on several machines."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_recorded, write_atomically
from ccsr_bench.ledger.reader import Ledger, find_ledgers
from ccsr_bench.ledger.records import Output
from ccsr_bench.ledger.writer import LedgerWriter, storage_errors


def merge_folders(sources: list[Path], out: Path) -> list[Path]:
    """Add every ledger of some output folders to another output folder.

    Args:
        sources: Output folders whose ledgers are added.
        out: Output folder that the ledgers are added to; what it already holds is kept.

    Returns:
        Folders of the ledgers in `out` that were added to.

    Raises:
        BenchError: A source has no ledger, two ledgers differ in their identity, their metric definitions or an
            output, or an output is damaged.
    """
    groups: dict[Path, list[Path]] = {}
    for source in sources:
        if source.resolve() == out.resolve():
            raise BenchError(f"{source}: cannot be merged into itself; leave it out, because `out` keeps what it has")
        ledgers = find_ledgers(source)
        if not ledgers:
            raise BenchError(
                f"{source}: no ledger in it; give the `out` folders of earlier `ccsr-bench run` or `score` calls"
            )
        for folder in ledgers:
            groups.setdefault(out / folder.relative_to(source), []).append(folder)
    for target, folders in groups.items():
        merge(folders, target)
    return list(groups)


def merge(sources: list[Path], target: Path) -> None:
    """Add several ledgers to the ledger in the folder `target`; raises the same errors as `merge_folders`."""
    with contextlib.ExitStack() as stack:
        ledgers = [stack.enter_context(Ledger(folder)) for folder in sources]
        for ledger, other in itertools.permutations(ledgers, 2):
            ledger.check_same(other.identity, other.definitions)
        first = ledgers[0]
        definitions = {metric: text for ledger in ledgers for metric, text in ledger.definitions.items()}
        writer = stack.enter_context(LedgerWriter(target, first.identity, first.description, definitions))
        for ledger in ledgers:
            for image in sorted({*ledger.asked, *ledger.image_names()}):
                with ledger.snapshot():
                    _merge_image(ledger, writer, image)
            writer.add_sessions(ledger.sessions)


def _merge_image(ledger: Ledger, writer: LedgerWriter, image: str) -> None:
    hashes, existing_hashes = ledger.image_hashes(image), writer.image_hashes(image)
    if hashes and existing_hashes and hashes[0] != existing_hashes[0]:
        raise BenchError(
            f"{ledger.folder}: image '{image}' differs from the image already merged; the data sets are different"
        )
    outputs, existing = ledger.outputs(image), writer.outputs(image)
    for run, output in outputs.items():
        if run not in existing:
            _copy_png(ledger, writer, image, run, output)
        elif existing[run].png_sha256 != output.png_sha256:
            raise BenchError(
                f"{ledger.folder}: run {run} of '{image}' differs from the run already merged; keep one of them"
            )
    rows = ledger.rows(image)
    failed = rows.pop("failures")
    # A complete image outweighs a failure on the same image in another ledger.
    complete = not failed or bool(existing and image not in writer.failures)
    writer.add_rows(rows, failure=(image, "", "") if complete else (image, str(failed[0][1]), str(failed[0][2])))


def _copy_png(ledger: Ledger, writer: LedgerWriter, image: str, run: int, output: Output) -> None:
    origin = ledger.image_path(image, run)
    data = read_recorded(origin, output.png_sha256)
    with storage_errors(writer.folder):
        path = writer.image_path(image, run)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
