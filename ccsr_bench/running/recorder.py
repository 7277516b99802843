"""Recording the results of one image while the next image is computed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_png
from ccsr_bench.ledger import provenance
from ccsr_bench.ledger.records import Output, UnitRecord
from ccsr_bench.ledger.writer import LedgerWriter, storage_errors
from ccsr_bench.running.units import Unit, UnitResult


class Recorder:
    """Encodes the PNGs of a result in the background, and records the result when the next one is given.

    Args:
        ledger: Ledger that results are added to.
        encoders: Threads that encode PNGs.
        origin_sha256: Function that returns, for an image and a run, the sha256 of the file that the output was read
            from; None for a generated output.
    """

    def __init__(
        self, ledger: LedgerWriter, encoders: ThreadPoolExecutor, origin_sha256: Callable[[str, int], str | None]
    ) -> None:
        self._ledger = ledger
        self._encoders = encoders
        self._origin_sha256 = origin_sha256
        self._waiting: tuple[Unit, UnitResult, dict[int, Future[str]]] | None = None

    def record(self, unit: Unit, result: UnitResult) -> None:
        """Record the previous result, and start encoding the PNGs of this one.

        Raises:
            BenchError: The ledger cannot be written.
        """
        self.finish()
        files = {
            run: self._encoders.submit(_write, self._ledger.image_path(result.image, run), pixels)
            for run, pixels in result.outputs.items()
        }
        self._waiting = (unit, result, files)

    def finish(self) -> None:
        """Wait for the PNGs, then record all results of their image in one transaction.

        Raises:
            BenchError: The ledger cannot be written, or a lost output that was generated again differs from the
                recorded one.
        """
        if self._waiting is None:
            return
        unit, result, files = self._waiting
        self._waiting = None
        with storage_errors(self._ledger.folder):
            hashes = {run: future.result() for run, future in files.items()}
        for run, sha256 in hashes.items():
            if run in unit.recorded and unit.recorded[run].sha256 != sha256:
                raise BenchError(
                    f"{unit.recorded[run].path}: was lost, and the newly generated output differs from the recorded "
                    f"one; restore the file from a copy"
                )
        outputs = {
            run: Output(unit.make[run], sha256, self._origin_sha256(result.image, run), result.seconds)
            for run, sha256 in hashes.items()
        }
        record = UnitRecord(
            image=result.image,
            pixels_sha256=result.pixels_sha256,
            files_sha256=result.files_sha256,
            outputs=outputs,
            scores=result.scores,
            l_std=result.l_std,
            failure=result.failure,
            features={run: _vector_bytes(vector) for run, vector in result.features.items()},
            reference_features=(b"" if result.reference_features is None else _vector_bytes(result.reference_features)),
        )
        self._ledger.add(record, provenance.now())


def _vector_bytes(vector: np.ndarray) -> bytes:
    return vector.astype("<f4").tobytes()


def _write(path: Path, pixels: np.ndarray) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_png(path, pixels)
