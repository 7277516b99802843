"""Plan, generate, score, record: everything that is missing in a ledger, and only that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ccsr_bench import provenance
from ccsr_bench.datasets import Dataset, Sample
from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_png
from ccsr_bench.memory import release_free_memory
from ccsr_bench.metrics.catalogue import MetricProtocol
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.seeds import seed
from ccsr_bench.stability import L_STD_DEFINITION
from ccsr_bench.store import (
    Identity,
    LedgerWriter,
    Output,
    Settings,
    UnitRecord,
    ledger_folder,
    storage_errors,
)
from ccsr_bench.units import OutputSource, RecordedOutput, Unit, UnitResult, execute

ENCODERS = 2
"""Threads that encode PNGs while the next image is computed."""

Progress = Callable[[int, int, str], None]
"""Called with (images done, images in all, name of the image)."""


@dataclass(frozen=True)
class Job:
    """One method on one data set."""

    method: str
    title: str
    stochastic: bool
    dataset: Dataset
    samples: Sequence[Sample]
    """The images asked for."""
    runs: int
    protocol: MetricProtocol
    out: Path
    seeded: bool = True
    """False for images made elsewhere, whose seeds nobody knows."""
    base_seed: int = 0


@dataclass(frozen=True)
class Summary:
    """How a job ended."""

    folder: Path
    images: int
    runs: int
    computed: int
    """Images that something was computed for."""
    failures: dict[str, str]
    """Image -> reason."""
    seconds: float


def run_job(
    job: Job, load_source: Callable[[], OutputSource], scorer: Scorer, *, device: str, progress: Progress
) -> Summary:
    """Bring a ledger to what the job asks for.

    Args:
        job: What is asked for.
        load_source: Loads the method; not called when no output is missing.
        scorer: Computes the metrics that are asked for.
        device: The scorer's device, for the provenance.
        progress: Called after every image.

    Raises:
        BenchError: An input is wrong or the ledger cannot be written; what was recorded until then is kept.
    """
    started, clock = provenance.now(), time.perf_counter()
    crop = job.protocol.l_std_crop
    definitions = scorer.definitions | {
        "l-std": f"{L_STD_DEFINITION}; {f'{crop}-pixel border left out' if crop else 'no crop'}"
    }
    settings = Settings(
        title=job.title,
        stochastic=job.stochastic,
        paper_dataset=job.dataset.paper_name,
        runs=job.runs,
        images=len(job.samples),
        dataset_images=len(job.dataset.samples),
    )
    identity = Identity(
        dataset=job.dataset.name, method=job.method, protocol=job.protocol.name, base_seed=job.base_seed
    )
    with LedgerWriter(ledger_folder(job.out, job.dataset.name, job.method), identity, settings, definitions) as ledger:
        units = [unit for sample in job.samples if (unit := plan(job, sample, ledger, scorer)) is not None]
        progress(len(job.samples) - len(units), len(job.samples), "")
        failures = _work(job, units, load_source, scorer, ledger, progress) if units else {}
        summary = Summary(
            folder=ledger.folder,
            images=len(job.samples),
            runs=job.runs,
            computed=len(units) - len(failures),
            failures=failures,
            seconds=time.perf_counter() - clock,
        )
        if units:
            session = {
                "started": started,
                "seconds": round(summary.seconds, 3),
                "images": summary.computed,
                "failures": len(failures),
                "peak_memory_mib": provenance.peak_memory_mib(device),
                **provenance.environment(device),
            }
            ledger.add_session(started, session)
    return summary


def plan(job: Job, sample: Sample, ledger: LedgerWriter, scorer: Scorer) -> Unit | None:
    """Return what is missing for one image, or None when nothing is."""
    outputs = ledger.outputs(sample.name)
    scored = ledger.scored_runs(sample.name)
    wanted = range(job.runs)
    make = {
        run: seed(job.dataset.name, sample.name, run, base_seed=job.base_seed) if job.seeded else None
        for run in wanted
        if run not in outputs
    }
    score = {metric: tuple(run for run in wanted if run not in scored.get(metric, ())) for metric in scorer.metrics}
    spread = job.runs if job.runs > 1 and not ledger.has_l_std(sample.name, job.runs) else 0
    if not (make or spread or any(score.values())):
        return None
    recorded = {
        run: RecordedOutput(ledger.image_path(sample.name, run), output.png_sha256) for run, output in outputs.items()
    }
    return Unit(sample, make, recorded, score, spread, job.protocol.l_std_crop)


def _work(
    job: Job,
    units: Sequence[Unit],
    load_source: Callable[[], OutputSource],
    scorer: Scorer,
    ledger: LedgerWriter,
    progress: Progress,
) -> dict[str, str]:
    source = load_source() if any(unit.make for unit in units) else None
    failures: dict[str, str] = {}
    done = len(job.samples) - len(units)
    with ThreadPoolExecutor(ENCODERS) as encoders:
        # The PNGs of one image are encoded while the next is computed; what was computed is recorded even when the
        # next one ends the job.
        recorder = _Recorder(ledger, encoders)
        try:
            for unit, result in _execute_all(units, source, scorer):
                if isinstance(result, UnitResult):
                    recorder.record(unit, result)
                else:
                    failures[unit.sample.name] = result
                    ledger.add_failure(unit.sample.name, result, provenance.now())
                release_free_memory()
                done += 1
                progress(done, len(job.samples), unit.sample.name)
        finally:
            recorder.finish()
    return failures


def _execute_all(
    units: Sequence[Unit], source: OutputSource | None, scorer: Scorer
) -> Iterator[tuple[Unit, UnitResult | str]]:
    for unit in units:
        try:
            result: UnitResult | str = execute(unit, source, scorer)
        except BenchError:
            raise
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        yield unit, result


class _Recorder:
    """Encodes the PNGs of a result in the background and records it when the next result comes."""

    def __init__(self, ledger: LedgerWriter, encoders: ThreadPoolExecutor) -> None:
        self._ledger = ledger
        self._encoders = encoders
        self._waiting: tuple[Unit, UnitResult, dict[int, Future[str]]] | None = None

    def record(self, unit: Unit, result: UnitResult) -> None:
        """Record the previous result and start encoding this one.

        Raises:
            BenchError: The ledger cannot be written, or holds another image under this name.
        """
        self.finish()
        recorded = self._ledger.pair_sha256(result.image)
        if recorded is not None and recorded != result.pair_sha256:
            raise BenchError(
                f"{self._ledger.folder}: image '{result.image}' is not the one recorded under that name; "
                f"give the data set another --dataset name, or another --out"
            )
        files = {
            run: self._encoders.submit(_write, self._ledger.image_path(result.image, run), pixels)
            for run, pixels in result.outputs.items()
        }
        self._waiting = (unit, result, files)

    def finish(self) -> None:
        """Wait for the PNGs, then record everything about their image in one transaction."""
        if self._waiting is None:
            return
        unit, result, files = self._waiting
        self._waiting = None
        with storage_errors(self._ledger.folder):
            hashes = {run: future.result() for run, future in files.items()}
        outputs = {run: Output(unit.make[run], sha256, result.seconds) for run, sha256 in hashes.items()}
        self._ledger.add(UnitRecord(result.image, result.pair_sha256, outputs, result.scores, result.l_std))


def _write(path: Path, pixels: np.ndarray) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_png(path, pixels)
