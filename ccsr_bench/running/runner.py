"""Running a job: plan, generate, score, record everything that is missing in a ledger, and only that."""

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
from ccsr_bench.running.units import Unit, UnitResult, execute
from ccsr_bench.stability import L_STD_DEFINITION

ENCODERS = 2
"""Threads that encode PNGs while the next image is computed."""

_log = logging.getLogger(__name__)


def run_job(
    job: Job, scorer: Scorer, *, device: str, progress: Progress, before: Callable[[], object] = lambda: None
) -> Summary:
    """Bring a ledger to what the job asks for.

    Args:
        job: What is asked for.
        scorer: Computes the metrics that are asked for.
        device: The scorer's device, for the provenance.
        progress: Called after every image.
        before: Called before any work, when there is some; what it raises ends the job.

    Raises:
        BenchError: An input is wrong or the ledger cannot be written; what was recorded until then is kept.
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


def _open_ledger(job: Job, scorer: Scorer) -> LedgerWriter:
    definitions = {**scorer.definitions, "l-std": f"{L_STD_DEFINITION}; {crop_text(job.protocol.l_std_crop)}"}
    folder = ledger_folder(job.out, job.identity)
    return LedgerWriter(folder, job.identity, job.description, definitions, equivalent=job.equivalent)


class _Session:
    """Work on units, with the provenance recorded before the first and completed after the last."""

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
        """Work on the units.

        Args:
            device: The scorer's device.

        Returns:
            Image -> why it failed.
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
                failures = self._work(source)
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
        """Load what gives the outputs, where some are missing, and record its versions and parameter counts."""
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

    def _work(self, source: OpenSource | None) -> dict[str, str]:
        failures: dict[str, str] = {}
        total = len(self._job.samples)
        done = total - len(self._units)
        with ThreadPoolExecutor(ENCODERS) as encoders:
            # The PNGs of one image are encoded while the next is computed; what was computed is recorded even when
            # the next one ends the job.
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
        """Yield each unit with what it gave, or with the reason why it failed."""
        for unit in self._units:
            try:
                result: UnitResult | str = execute(unit, source, self._scorer, timed=self._job.source.generates)
            except (BenchError, KeyboardInterrupt):
                raise
            except BaseException as error:  # a method's failure, even sys.exit, costs its image and not the benchmark
                _log.debug("%s failed", unit.sample.name, exc_info=True)
                result = " ".join(f"{type(error).__name__}: {error}".split())
            yield unit, result
