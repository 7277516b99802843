"""Making jobs from a user's request, and running them one after the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from ccsr_bench.datasets.loading import Dataset, Sample
from ccsr_bench.install.files import Progress, silent
from ccsr_bench.ledger.reader import ledger_folder
from ccsr_bench.ledger.records import Description, Identity, Origin, title_of
from ccsr_bench.methods import captions, in_process, loading
from ccsr_bench.methods.base import Execution, Method
from ccsr_bench.methods.registry import MethodSpec
from ccsr_bench.methods.weights import InstalledWeights
from ccsr_bench.running.job import Job, Summary
from ccsr_bench.running.runner import run_job
from ccsr_bench.running.scoring import Scoring
from ccsr_bench.running.sources import Generated, MadeElsewhere

WORKER_LOG = "worker.log"
"""Name of the file, in a ledger's folder, for the output of a method's official code."""


def method_job(
    spec: MethodSpec,
    dataset: Dataset,
    samples: Sequence[Sample],
    scoring: Scoring,
    *,
    out: Path,
    execution: Execution,
    runs: int = 10,
    base_seed: int = 0,
    same_seed: bool = False,
    own_weights: Path | None = None,
) -> Job:
    """Return the job that runs a method on a data set.

    Args:
        spec: The method to run.
        dataset: The data set.
        samples: Images of the data set to restore.
        scoring: Metrics that score the outputs.
        out: Folder of all results.
        execution: Settings of the method's networks.
        runs: Number of runs per image; a deterministic method runs once.
        base_seed: Number that all seeds are derived from; another number gives other noise.
        same_seed: Whether every run has the seed of run 0, which measures the noise floor of method and machine.
        own_weights: Folder of the user's own weights; the installed weights are used when None.

    Raises:
        BenchError: The method does not support the settings or the scale, or weights or captions are missing.
    """
    spec.check_use(dataset.name, dataset.scale, execution, own_weights=own_weights is not None)
    weights = spec.find_weights(own_weights)
    identity, *equivalent = [
        Identity(
            dataset=dataset.name,
            method=spec.name,
            made_by=origin,
            protocol=scoring.protocol.name,
            base_seed=base_seed,
            same_seed=same_seed,
        )
        for origin in _origins(spec, samples, execution, weights)
    ]
    log = ledger_folder(out, identity) / WORKER_LOG
    # Networks divide the runs into batches themselves: one call encodes the LR image only once.
    batch = 0 if spec.manifest.in_process_networks else execution.batch or 0
    return Job(
        identity=identity,
        description=_description(
            spec.variant.title,
            dataset,
            same_seed=same_seed,
            steps=spec.variant.steps,
            own_weights=tuple(sorted(role for role, found in weights.items() if found.own)),
        ),
        dataset=dataset,
        samples=samples,
        runs=runs if spec.stochastic or same_seed else 1,
        protocol=scoring.protocol,
        out=out,
        source=Generated(functools.partial(_load, spec, execution, weights, log), batch=batch),
        equivalent=[earlier.made_by_text for earlier in equivalent],
        execution=execution if spec.manifest.in_process_networks or spec.manifest.isolated else None,
        count_parameters=functools.partial(in_process.count_parameters, spec),
    )


def _origins(
    spec: MethodSpec, samples: Sequence[Sample], execution: Execution, weights: Mapping[str, InstalledWeights]
) -> list[Origin]:
    """Return the present origin of the outputs, then the origins of other code that gives the same outputs."""
    caption_origins = captions.check_captions(spec, samples) if spec.variant.captioned else [None]
    return [
        origin for captioned_by in caption_origins for origin in spec.origins(execution, weights, captions=captioned_by)
    ]


def _load(spec: MethodSpec, execution: Execution, weights: Mapping[str, InstalledWeights], log: Path) -> Method:
    return loading.load_method(spec, execution, weights, log=log)


def images_job(
    files: Mapping[int, Mapping[str, Path]],
    name: str,
    dataset: Dataset,
    samples: Sequence[Sample],
    scoring: Scoring,
    *,
    out: Path,
    title: str = "",
) -> Job:
    """Return the job that scores images made elsewhere.

    Args:
        files: Run -> image name -> file, as returned by `ccsr_bench.datasets.output_folders.find_runs` and checked by
            `check_runs`.
        name: Name of the method that made the images.
        dataset: Data set that the images belong to.
        samples: Images of the data set to score.
        scoring: Metrics that score the images.
        out: Folder of all results.
        title: Title of the method in tables; the method's name when empty.
    """
    return Job(
        identity=Identity(
            dataset=dataset.name, method=name, made_by=Origin(), protocol=scoring.protocol.name, base_seed=0
        ),
        description=_description(title or name, dataset),
        dataset=dataset,
        samples=samples,
        runs=len(files),
        protocol=scoring.protocol,
        out=out,
        source=MadeElsewhere(files),
    )


def _description(
    title: str, dataset: Dataset, *, same_seed: bool = False, steps: int = 0, own_weights: tuple[str, ...] = ()
) -> Description:
    return Description(
        title=title_of(title, same_seed=same_seed, own_weights=bool(own_weights)),
        paper_dataset=dataset.paper_name,
        dataset_images=len(dataset.samples),
        steps=steps,
        own_weights=own_weights,
    )


def do_jobs(
    jobs: Sequence[Job],
    scoring: Scoring,
    *,
    before: Callable[[], object] | None = None,
    progress: Callable[[str], AbstractContextManager[Progress]] = lambda _label: nullcontext(silent),
) -> dict[str, Summary]:
    """Run jobs one after the other.

    Args:
        jobs: Jobs to run.
        scoring: Metrics that score the outputs.
        before: Function that is called once, before the first computation; an exception in it ends all jobs.
        progress: Function that returns, for the label of a job, a context that displays the job's progress.

    Returns:
        Label of the method -> how its job ended.

    Raises:
        BenchError: An input is wrong or a ledger cannot be written; results recorded before the error are kept.
    """
    check = functools.cache(before) if before is not None else lambda: None
    summaries: dict[str, Summary] = {}
    for job in jobs:
        label = job.identity.label
        with progress(f"{label} on {job.dataset.name}") as show:
            summaries[label] = run_job(job, scoring.scorer, device=scoring.device, progress=show, before=check)
    return summaries
