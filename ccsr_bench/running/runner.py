"""Running a job: planning, generating, scoring and recording everything that a ledger lacks, and nothing else."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import msgspec

from ccsr_bench.devices.memory import release_free_memory
from ccsr_bench.errors import BenchError
from ccsr_bench.install.files import Progress
from ccsr_bench.ledger import provenance
from ccsr_bench.ledger.reader import ledger_folder
from ccsr_bench.ledger.writer import LedgerWriter
from ccsr_bench.metrics.base import crop_text
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.running.job import Job, Summary
from ccsr_bench.running.planning import check_unchanged, plan
from ccsr_bench.running.recorder import Recorder
from ccsr_bench.running.sources import OpenSource
from ccsr_bench.running.units import Unit, UnitResult, execute_unit
from ccsr_bench.stability import L_STD_DEFINITION

ENCODERS = 2
"""Threads that encode PNGs while the next image is computed."""

_log = logging.getLogger(__name__)


def run_job(
    job: Job, scorer: Scorer, *, device: str, progress: Progress, before: Callable[[], object] = lambda: None
) -> Summary:
    """Add to a ledger everything that a job requests and the ledger lacks.

    Args:
        job: Requested outputs.
        scorer: Requested metrics.
        device: Device of the metrics, for the provenance.
        progress: Function that is called after every image.
        before: Function that is called before the first computation, unless nothing is missing; an exception in it ends
            the job.

    Raises:
        BenchError: An input is wrong or the ledger cannot be written; results recorded before the error are kept.
    """
    clock = time.perf_counter()
    with _open_ledger(job, scorer) as ledger:
        check_unchanged(job, ledger)
        ledger.ask([sample.name for sample in job.samples], job.runs)
        units = [unit for sample in job.samples if (unit := plan(job, sample, ledger, scorer)) is not None]
        if units:
            before()
        progress(len(job.samples) - len(units), len(job.samples), "")
        failures = _Session(job, units, scorer, ledger, progress).run(device) if units else {}
        return Summary(
            folder=ledger.folder,
            images=len(job.samples),
            runs=job.runs,
            computed=len(units) - len(failures),
            failures=failures,
            seconds=time.perf_counter() - clock,
        )


def recorded_definitions(job: Job, scorer: Scorer) -> dict[str, str]:
    """Return the definitions that a job records: those of the metrics, and that of L-STD."""
    return {**scorer.definitions, "l-std": f"{L_STD_DEFINITION}; {crop_text(job.protocol.l_std_crop)}"}


def _open_ledger(job: Job, scorer: Scorer) -> LedgerWriter:
    folder = ledger_folder(job.out, job.identity)
    definitions = recorded_definitions(job, scorer)
    return LedgerWriter(folder, job.identity, job.description, definitions, equivalent=job.equivalent)


class _Session:
    """Executes units; the provenance is recorded before the first unit and completed after the last."""

    def __init__(
        self, job: Job, units: Sequence[Unit], scorer: Scorer, ledger: LedgerWriter, progress: Progress
    ) -> None:
        self._job = job
        self._units = units
        self._scorer = scorer
        self._ledger = ledger
        self._progress = progress
        self._about: dict[str, object] = {}

    def run(self, device: str) -> dict[str, str]:
        """Execute the units.

        Args:
            device: Device of the metrics.

        Returns:
            Image -> reason of its failure.
        """
        clock = time.perf_counter()
        self._about = {"started": provenance.now(), **provenance.environment(device)}
        if self._job.execution is not None:
            self._about["execution"] = asdict(self._job.execution)
        self._ledger.begin_session(self._about)
        provenance.reset_peak_memory(device)
        failures: dict[str, str] = {}
        try:
            with self._open_source() as source:
                failures = self._execute_units(source)
        finally:
            ended = {
                "finished": provenance.now(),
                "seconds": round(time.perf_counter() - clock, 3),
                "failures": len(failures),
                "peak_memory_mib": provenance.peak_memory_mib(device),
            }
            self._ledger.end_session({**self._about, **ended})
        return failures

    @contextlib.contextmanager
    def _open_source(self) -> Iterator[OpenSource | None]:
        """Load the source of outputs if outputs are missing, and record its versions and numbers of parameters."""
        job = self._job
        if not any(unit.make for unit in self._units):
            yield None
            return
        parameters = job.count_parameters()
        if parameters:
            self._ledger.describe(msgspec.structs.replace(job.description, parameters=dict(parameters)))
        with contextlib.closing(job.source.open()) as source:
            versions: Mapping[str, object] = source.about()
            if versions:
                self._about["method"] = dict(versions)
            yield source

    def _execute_units(self, source: OpenSource | None) -> dict[str, str]:
        failures: dict[str, str] = {}
        total = len(self._job.samples)
        done = total - len(self._units)
        with ThreadPoolExecutor(ENCODERS) as encoders:
            # The PNGs of one image are encoded while the next image is computed. Computed results are recorded even
            # if the next image ends the job.
            recorder = Recorder(self._ledger, encoders, self._job.source.origin_sha256)
            try:
                for unit, result in self._results(source):
                    if isinstance(result, UnitResult):
                        recorder.record(unit, result)
                        reason = result.failure
                    else:
                        reason = result
                        self._ledger.add_failure(unit.sample.name, reason, provenance.now())
                    if reason:
                        failures[unit.sample.name] = reason
                    release_free_memory()
                    done += 1
                    self._progress(done, total, unit.sample.name)
            finally:
                recorder.finish()
        return failures

    def _results(self, source: OpenSource | None) -> Iterator[tuple[Unit, UnitResult | str]]:
        """Yield each unit with its results, or with the reason of its failure."""
        for unit in self._units:
            try:
                result: UnitResult | str = execute_unit(unit, source, self._scorer, timed=self._job.source.generates)
            except (BenchError, KeyboardInterrupt):
                raise
            except BaseException as error:  # an error of the method, even sys.exit, fails its image but not the job
                _log.debug("%s failed", unit.sample.name, exc_info=True)
                result = " ".join(f"{type(error).__name__}: {error}".split())
            yield unit, result
