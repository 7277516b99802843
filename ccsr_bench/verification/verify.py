"""Computing the images of a set of published scores again, as a job that is resumed, and comparing the scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.errors import BenchError, number_of
from ccsr_bench.install.files import Progress
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.methods.base import Execution
from ccsr_bench.published.scores import output_hashes, published_values
from ccsr_bench.running.job import Job
from ccsr_bench.running.jobs import images_job, method_job
from ccsr_bench.running.runner import recorded_definitions, run_job
from ccsr_bench.running.scoring import Scoring
from ccsr_bench.verification.comparison import PublishedComparison, comparable_metrics, compare_scores
from ccsr_bench.verification.kept import choose_folder
from ccsr_bench.verification.subject import Subject


class NothingToCompareError(BenchError):
    """A set of published scores has no value of the requested metrics."""


@dataclass(frozen=True)
class Verification:
    """The outcome of the verification of one set."""

    out: Path
    """Folder of results that the ledger is in."""
    comparisons: list[PublishedComparison]
    remarks: list[str]
    """Differences from the computation of a verified row, and folders that have other results."""


def verify(subject: Subject, scoring: Scoring, *, out: Path, progress: Progress) -> Verification:
    """Compute what is missing of a set's scores, and compare all of them with the published ones.

    Args:
        subject: Set of published scores.
        scoring: Metrics to compute, of which those that the set has are used.
        out: Folder of all verifications.
        progress: Function that is called after every image.

    Raises:
        NothingToCompareError: The set has none of the metrics.
        BenchError: An image failed, or an input is wrong; results recorded before the error are kept.
    """
    published = subject.published
    images = [sample.name for sample in subject.samples]
    all_images = len(images) == len(subject.dataset.samples)
    requested = [*scoring.scorer.metrics, *scoring.scorer.set_metrics]
    metrics = comparable_metrics(published, requested, images, all_images=all_images)
    if not metrics:
        on = "" if all_images else f" on {number_of(len(images), 'image')}"
        raise NothingToCompareError(
            f"{subject.name} has no published value of {', '.join(requested)}{on} to compare with; "
            f"choose other `metrics`{'' if all_images else ', or a larger `limit`'}"
        )
    scorer = scoring.scorer.only(metrics)
    job = _job(subject, scoring, out)
    definitions = recorded_definitions(job, scorer)
    folder, reasons = choose_folder(out, job, definitions)
    summary = run_job(_job(subject, scoring, folder), scorer, device=scoring.device, progress=progress)
    if summary.failures:
        image, reason = next(iter(summary.failures.items()))
        raise BenchError(f"{subject.name}: {image} failed ({len(summary.failures)} of {len(images)} images): {reason}")
    with Ledger(summary.folder) as ledger:
        comparisons = compare_scores(ledger, published, published_values(subject.name), images, metrics)
        remarks = [f"results are in {folder}, because {reason}" for reason in reasons]
        remarks += _differences(subject, job, definitions, ledger, images)
    return Verification(folder, comparisons, remarks)


def _job(subject: Subject, scoring: Scoring, out: Path) -> Job:
    """Return the job that computes the scores of a set again."""
    if subject.method is None:
        name = subject.published.outputs
        return images_job({0: subject.outputs}, name, subject.dataset, subject.samples, scoring, out=out)
    execution = Execution(device=scoring.device)
    return method_job(subject.method, subject.dataset, subject.samples, scoring, out=out, execution=execution, runs=1)


def _differences(
    subject: Subject, job: Job, definitions: Mapping[str, str], ledger: Ledger, images: Sequence[str]
) -> Iterator[str]:
    """Yield how our computation differs from that of a verified row."""
    computed = subject.published.computed
    if computed is None:
        return
    if computed.origin not in (job.identity.made_by_text, *job.equivalent):
        yield f"the outputs are made by {job.identity.made_by_text}; those of the row by {computed.origin}"
    for metric, definition in computed.definitions.items():
        if definitions.get(metric, definition) != definition:
            yield f'{metric} is "{definitions[metric]}"; in the row it is "{definition}"'
    recorded = output_hashes(subject.name)
    same = sum(ledger.outputs(image)[0].png_sha256 == recorded[image] for image in images)
    yield f"{same} of {number_of(len(images), 'output')} have the same PNG file as those of the row"
