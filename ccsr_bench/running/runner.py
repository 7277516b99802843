"""Plan, generate, score, record: everything that is missing in a ledger, and only that."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ccsr_bench.datasets.loading import Dataset, Sample
from ccsr_bench.devices.memory import release_free_memory
from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_bytes, write_png
from ccsr_bench.ledger import provenance
from ccsr_bench.ledger.reader import Description, Identity, Output, UnitRecord, ledger_folder
from ccsr_bench.ledger.writer import LedgerWriter, storage_errors
from ccsr_bench.methods.base import Execution
from ccsr_bench.metrics.base import crop_text
from ccsr_bench.metrics.catalogue import MetricProtocol
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.running.units import FolderSource, OutputSource, RecordedOutput, Unit, UnitResult, execute
from ccsr_bench.seeds import seed
from ccsr_bench.stability import L_STD_DEFINITION

ENCODERS = 2
"""Threads that encode PNGs while the next image is computed."""

MADE_ELSEWHERE = "images made elsewhere"
"""What `Identity.made_by` says of images that were not generated here."""

Progress = Callable[[int, int, str], None]
"""Called with (images done, images in all, name of the image)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One method on one data set."""

    method: str
    title: str
    dataset: Dataset
    samples: Sequence[Sample]
    """The images asked for."""
    runs: int
    protocol: MetricProtocol
    out: Path
    made_by: str = MADE_ELSEWHERE
    load: Callable[[], OutputSource] | None = None
    """Loads the method; not called when no output is missing. None for images made elsewhere."""
    files: Mapping[int, Mapping[str, Path]] | None = None
    """For images made elsewhere: run -> image name -> file."""
    base_seed: int = 0
    same_seed: bool = False
    """Give every run the seed of run 0: then what spread remains is the noise floor of method and machine."""
    execution: Execution | None = None
    """How the method's networks run, for the provenance; None where there are none."""


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
    job: Job, scorer: Scorer, *, device: str, progress: Progress, before: Callable[[], None] = lambda: None
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
        _check_unchanged(job, ledger)
        ledger.ask([sample.name for sample in job.samples], job.runs)
        units = [unit for sample in job.samples if (unit := plan(job, sample, ledger, scorer)) is not None]
        if units:
            before()
        progress(len(job.samples) - len(units), len(job.samples), "")
        failures = _session(job, units, scorer, ledger, device, progress) if units else {}
        return Summary(
            folder=ledger.folder,
            images=len(job.samples),
            runs=job.runs,
            computed=len(units) - len(failures),
            failures=failures,
            seconds=time.perf_counter() - clock,
        )


def _open_ledger(job: Job, scorer: Scorer) -> LedgerWriter:
    identity = Identity(
        dataset=job.dataset.name,
        method=job.method,
        made_by=job.made_by,
        protocol=job.protocol.name,
        base_seed=job.base_seed,
    )
    description = Description(
        title=job.title, paper_dataset=job.dataset.paper_name, dataset_images=len(job.dataset.samples)
    )
    definitions = {**scorer.definitions, "l-std": f"{L_STD_DEFINITION}; {crop_text(job.protocol.l_std_crop)}"}
    return LedgerWriter(ledger_folder(job.out, job.dataset.name, job.method), identity, description, definitions)


def _check_unchanged(job: Job, ledger: LedgerWriter) -> None:
    """Raise a `BenchError` when the ledger is about other images than those that are asked for now."""
    known = {sample.name for sample in job.dataset.samples}
    foreign = [name for name in ledger.image_names() if name not in known]
    if foreign:
        raise BenchError(
            f"{ledger.folder}: holds image '{foreign[0]}', which the data set has not; it is another data set: "
            f"give --dataset another name, or another --out"
        )
    for sample in job.samples:
        recorded = ledger.image_hashes(sample.name)
        # Other files may hold the same picture, so only a difference of the files is looked into.
        if recorded and recorded[1] != sample.files_sha256() and recorded[0] != sample.read().pixels_sha256():
            raise BenchError(
                f"{ledger.folder}: image '{sample.name}' is not the one recorded under that name; "
                f"give --dataset another name, or another --out"
            )


def plan(job: Job, sample: Sample, ledger: LedgerWriter, scorer: Scorer) -> Unit | None:
    """Return what is missing for one image, or None when nothing is.

    Raises:
        BenchError: An image made elsewhere is not the one that was recorded.
    """
    outputs = ledger.outputs(sample.name)
    scored = ledger.image_scores(sample.name)
    wanted = range(job.runs)
    for run in wanted:
        if job.files is not None and run in outputs:
            origin = job.files[run][sample.name]
            if _origin_sha256(job, sample.name, run) != outputs[run].origin_sha256:
                raise BenchError(f"{origin}: not the image recorded for that run; give --method another name")
    # A PNG that was lost is made again, and must come out as it was recorded.
    make = {
        run: None if job.files else _seed(job, sample, run)
        for run in wanted
        if run not in outputs or not ledger.image_path(sample.name, run).is_file()
    }
    score = {metric: tuple(run for run in wanted if run not in scored.get(metric, ())) for metric in scorer.metrics}
    spread = job.runs if job.runs > 1 and job.runs not in ledger.image_l_std(sample.name) else 0
    vectors, reference_vector = ledger.image_features(sample.name)
    features = tuple(run for run in wanted if run not in vectors) if scorer.set_metrics else ()
    reference_features = bool(scorer.set_metrics) and not reference_vector
    if not (make or spread or any(score.values()) or features or reference_features):
        return None
    recorded = {
        run: RecordedOutput(ledger.image_path(sample.name, run), output.png_sha256) for run, output in outputs.items()
    }
    return Unit(sample, make, recorded, score, features, reference_features, spread, job.protocol.l_std_crop)


def _seed(job: Job, sample: Sample, run: int) -> int:
    return seed(job.dataset.name, sample.name, 0 if job.same_seed else run, base_seed=job.base_seed)


def _origin_sha256(job: Job, image: str, run: int) -> str | None:
    return None if job.files is None else hashlib.sha256(read_bytes(job.files[run][image])).hexdigest()


def _session(
    job: Job, units: Sequence[Unit], scorer: Scorer, ledger: LedgerWriter, device: str, progress: Progress
) -> dict[str, str]:
    """Work on units, with the provenance recorded before the first and completed after the last."""
    clock = time.perf_counter()
    about = {"started": provenance.now(), **provenance.environment(device)}
    if job.execution is not None:
        about["execution"] = asdict(job.execution)
    ledger.begin_session(about)
    provenance.reset_peak_memory(device)
    failures: dict[str, str] = {}
    try:
        failures = _work(job, units, scorer, ledger, progress)
    finally:
        ledger.end_session(
            {
                **about,
                "finished": provenance.now(),
                "seconds": round(time.perf_counter() - clock, 3),
                "failures": len(failures),
                "peak_memory_mib": provenance.peak_memory_mib(device),
            }
        )
    return failures


def _work(job: Job, units: Sequence[Unit], scorer: Scorer, ledger: LedgerWriter, progress: Progress) -> dict[str, str]:
    source = _source(job) if any(unit.make for unit in units) else None
    failures: dict[str, str] = {}
    done = len(job.samples) - len(units)
    with ThreadPoolExecutor(ENCODERS) as encoders, contextlib.ExitStack() as held:
        if source is not None:
            held.callback(source.close)
        # The PNGs of one image are encoded while the next is computed; what was computed is recorded even when the
        # next one ends the job.
        recorder = _Recorder(job, ledger, encoders)
        try:
            for unit, result in _execute_all(units, source, scorer):
                if isinstance(result, UnitResult):
                    recorder.record(unit, result)
                    reason = result.failure
                else:
                    reason = result
                    ledger.add_failure(unit.sample.name, reason, provenance.now())
                if reason:
                    failures[unit.sample.name] = reason
                release_free_memory()
                done += 1
                progress(done, len(job.samples), unit.sample.name)
        finally:
            recorder.finish()
    return failures


def _source(job: Job) -> OutputSource:
    return job.load() if job.load is not None else FolderSource(job.files or {})


def _execute_all(
    units: Sequence[Unit], source: OutputSource | None, scorer: Scorer
) -> Iterator[tuple[Unit, UnitResult | str]]:
    for unit in units:
        try:
            result: UnitResult | str = execute(unit, source, scorer)
        except (BenchError, KeyboardInterrupt):
            raise
        except BaseException as error:  # a method's failure, even sys.exit, costs its image and not the benchmark
            _log.debug("%s failed", unit.sample.name, exc_info=True)
            result = " ".join(f"{type(error).__name__}: {error}".split())
        yield unit, result


class _Recorder:
    """Encodes the PNGs of a result in the background and records it when the next result comes."""

    def __init__(self, job: Job, ledger: LedgerWriter, encoders: ThreadPoolExecutor) -> None:
        self._job = job
        self._ledger = ledger
        self._encoders = encoders
        self._waiting: tuple[Unit, UnitResult, dict[int, Future[str]]] | None = None

    def record(self, unit: Unit, result: UnitResult) -> None:
        """Record the previous result and start encoding this one.

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
        """Wait for the PNGs, then record everything about their image in one transaction."""
        if self._waiting is None:
            return
        unit, result, files = self._waiting
        self._waiting = None
        with storage_errors(self._ledger.folder):
            hashes = {run: future.result() for run, future in files.items()}
        for run, sha256 in hashes.items():
            if run in unit.recorded and unit.recorded[run].png_sha256 != sha256:
                raise BenchError(
                    f"{unit.recorded[run].path}: was lost, and does not come out as it was recorded; restore it"
                )
        outputs = {
            run: Output(unit.make[run], sha256, _origin_sha256(self._job, result.image, run), result.seconds)
            for run, sha256 in hashes.items()
        }
        record = UnitRecord(
            image=result.image,
            pixels_sha256=result.pixels_sha256,
            files_sha256=unit.sample.files_sha256(),
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
