"""Planning a job: one unit of work for each image that lacks outputs or scores."""

from __future__ import annotations

from ccsr_bench.datasets.loading import Sample
from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import OutputFile
from ccsr_bench.ledger.writer import LedgerWriter
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.running.job import Job
from ccsr_bench.running.units import Unit


def check_unchanged(job: Job, ledger: LedgerWriter) -> None:
    """Check that the images of a job and its outputs made elsewhere are those that the ledger recorded.

    Raises:
        BenchError: An image of the data set, or an output that was made elsewhere, differs from the recorded one.
    """
    known = {sample.name for sample in job.dataset.samples}
    foreign = [name for name in ledger.image_names() if name not in known]
    if foreign:
        raise BenchError(
            f"{ledger.folder}: holds image '{foreign[0]}', which is not in the data set; the ledger is about another "
            f"data set: give `dataset` another name, or give another `out`"
        )
    for sample in job.samples:
        recorded = ledger.image_hashes(sample.name)
        # Different files can hold the same picture, so pixels are compared only if the files differ.
        if recorded and recorded[1] != sample.files_sha256() and recorded[0] != sample.read_inputs().pixels_sha256():
            raise BenchError(
                f"{ledger.folder}: image '{sample.name}' differs from the image recorded under that name; "
                f"give `dataset` another name, or give another `out`"
            )
        for run, output in ledger.outputs(sample.name).items():
            job.source.check_recorded(sample.name, run, output.origin_sha256)


def plan(job: Job, sample: Sample, ledger: LedgerWriter, scorer: Scorer) -> Unit | None:
    """Return the outputs and scores that are missing for one image, or None if none is."""
    outputs = ledger.outputs(sample.name)
    scored = ledger.image_scores(sample.name)
    wanted = range(job.runs)
    # A lost PNG is generated again, and must equal the recorded one.
    make = {
        run: job.source.seed(job.identity, sample.name, run)
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
        run: OutputFile(ledger.image_path(sample.name, run), output.png_sha256) for run, output in outputs.items()
    }
    return Unit(sample, make, recorded, score, features, reference_features, spread, job.protocol.l_std_crop)
