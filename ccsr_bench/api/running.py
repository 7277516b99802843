"""Running methods and scoring images, with strings, paths or objects as arguments."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ccsr_bench.api.results import ResultsFolder
from ccsr_bench.datasets.loading import Dataset, choose_dataset, choose_samples
from ccsr_bench.datasets.output_folders import check_runs, find_runs
from ccsr_bench.devices.threads import computing_threads
from ccsr_bench.errors import BenchError
from ccsr_bench.install.files import Progress, silent
from ccsr_bench.methods.base import Execution
from ccsr_bench.methods.objects import find_specs
from ccsr_bench.metrics.catalogue import DEFAULT_PROTOCOL
from ccsr_bench.places import check_name

PathLike = str | Path


def run(
    method: Any,
    *,
    dataset: str | Dataset | None = None,
    lr: PathLike | None = None,
    hr: PathLike | None = None,
    runs: int = 10,
    metrics: Sequence[str] | str | None = None,
    protocol: str = DEFAULT_PROTOCOL,
    out: PathLike = "results",
    device: str = "auto",
    threads: int | None = None,
    limit: int | None = None,
    shard: tuple[int, int] = (0, 1),
    base_seed: int = 0,
    same_seed: bool = False,
    batch: int | None = None,
    dtype: Literal["float32", "bfloat16", "float16"] | None = None,
    compiled: bool = False,
    weights: PathLike | None = None,
    precision: Literal["exact", "fast"] = "exact",
    backends: Mapping[str, str] | None = None,
    methods_dir: PathLike | Sequence[PathLike] = (),
    name: str | None = None,
    canary: bool = True,
    progress: bool = True,
) -> ResultsFolder:
    """Run one or several methods on a data set, score every output, and record everything.

    A repeated call computes only what is missing; with more runs or more metrics it adds to the recorded results.

    Args:
        method: Name of a method, folder with its ``method.toml``, class or object with ``restore(lr, seeds)`` (see
            `ccsr_bench.Method`), or a list of these.
        dataset: Name of a data set, path of a manifest, or a `Dataset`; with `lr` and `hr`, the name under which their
            results are recorded.
        lr: Folder of your own LR images, in place of a data set; requires `hr`.
        hr: Folder of your own HR images, with the same file stems; requires `lr`.
        runs: Number of runs for each image; a deterministic method runs once.
        metrics: Names of the metrics to compute; all default metrics that can be computed here when None.
        protocol: Name of the protocol that defines the metrics.
        out: Folder of all results.
        device: Device to compute on: ``auto``, ``cpu`` or ``cuda``.
        threads: Number of threads that torch computes with on the CPU during the call; unchanged when None.
        limit: Number of images to use, from the first on; all when None.
        shard: (I, N) for every N-th image, from the one with index I on.
        base_seed: Base of all seeds; another number gives other noise.
        same_seed: Whether every run gets the seed of run 0. The differences that remain are the noise floor of method
            and machine.
        batch: Number of runs that the networks process at once; chosen by the method when None.
        dtype: Precision of the method's networks; the one of the authors' code when None.
        compiled: Whether the method's networks are compiled, which takes minutes once and makes them faster.
        weights: Folder of your own weights; the published weights when None.
        precision: Precision of the metrics' networks: ``exact`` (float32), or ``fast`` (TF32 and bfloat16 where the
            effect is small).
        backends: Metric -> name of another package that computes it.
        methods_dir: Folder of your own methods, or a list of such folders.
        name: Name under which results of a class or an object are recorded; the name of the class when None.
        canary: Whether every metric is first checked on an image with published scores.
        progress: Whether a progress bar is shown.

    Returns:
        The results of these methods on this data set; `ResultsFolder.failures` names the images that failed.

    Raises:
        BenchError: A name does not exist, or the methods cannot run as requested. Everything that is recorded is kept.
    """
    chosen = _dataset(dataset, lr, hr)
    samples = choose_samples(chosen, limit=limit, shard=shard)
    _check_count("runs", runs)
    _check_threads(threads)
    requested = list(method) if isinstance(method, list | tuple) else [method]
    specs = [spec for choice in requested for spec in find_specs(choice, name=name, methods_dir=methods_dir)]
    if not specs:
        raise BenchError("`method` is an empty list; name at least one method")
    execution = Execution(dtype=dtype, batch=batch, compiled=compiled)
    for spec in specs:
        spec.check_use(chosen.name, chosen.scale, execution, own_weights=weights is not None)

    from ccsr_bench.running.jobs import do_jobs, method_job  # imports torch
    from ccsr_bench.running.scoring import build_scoring  # imports torch

    scoring = build_scoring(
        _names(metrics), protocol=protocol, device=device, precision=precision, backends=backends or {}
    )
    jobs = [
        method_job(
            spec,
            chosen,
            samples,
            scoring,
            out=Path(out),
            execution=replace(execution, device=scoring.device),
            runs=runs,
            base_seed=base_seed,
            same_seed=same_seed,
            own_weights=None if weights is None else Path(weights),
        )
        for spec in specs
    ]
    before = scoring.check_canary if canary else None
    with computing_threads(threads):
        do_jobs(jobs, scoring, before=before, progress=_bar if progress else _no_bar)
    return ResultsFolder(out, methods=[job.identity.label for job in jobs], datasets=[chosen.name])


def score(
    images: PathLike,
    *,
    method: str,
    dataset: str | Dataset | None = None,
    lr: PathLike | None = None,
    hr: PathLike | None = None,
    title: str = "",
    metrics: Sequence[str] | str | None = None,
    protocol: str = DEFAULT_PROTOCOL,
    out: PathLike = "results",
    device: str = "auto",
    threads: int | None = None,
    limit: int | None = None,
    precision: Literal["exact", "fast"] = "exact",
    backends: Mapping[str, str] | None = None,
    canary: bool = True,
    progress: bool = True,
) -> ResultsFolder:
    """Score images that were made elsewhere, and record everything.

    Args:
        images: Folder with one folder of images per run (``run-00``, ``sample03``), or with the images of a single run;
            the file stems must be those of the data set.
        method: Name of the method that made the images, under which results are recorded.
        dataset: Name of a data set, path of a manifest, or a `Dataset`; with `lr` and `hr`, the name under which their
            results are recorded.
        lr: Folder of your own LR images, in place of a data set; requires `hr`.
        hr: Folder of your own HR images, with the same file stems; requires `lr`.
        title: Title of the method in tables; `method` when empty.
        metrics: Names of the metrics to compute; all default metrics that can be computed here when None.
        protocol: Name of the protocol that defines the metrics.
        out: Folder of all results.
        device: Device to compute on: ``auto``, ``cpu`` or ``cuda``.
        threads: Number of threads that torch computes with on the CPU during the call; unchanged when None.
        limit: Number of images to use, from the first on; all when None.
        precision: Precision of the metrics' networks: ``exact`` (float32), or ``fast`` (TF32 and bfloat16 where the
            effect is small).
        backends: Metric -> name of another package that computes it.
        canary: Whether every metric is first checked on an image with published scores.
        progress: Whether a progress bar is shown.

    Returns:
        The results of this method on this data set.

    Raises:
        BenchError: An image is missing, not in the data set, damaged or of the wrong size, or a name does not exist.
    """
    check_name("method", method)
    _check_threads(threads)
    chosen = _dataset(dataset, lr, hr)
    samples = choose_samples(chosen, limit=limit)
    files = find_runs(Path(images))
    check_runs(files, samples, partial=limit is not None)

    from ccsr_bench.running.jobs import do_jobs, images_job  # imports torch
    from ccsr_bench.running.scoring import build_scoring  # imports torch

    scoring = build_scoring(
        _names(metrics), protocol=protocol, device=device, precision=precision, backends=backends or {}
    )
    job = images_job(files, method, chosen, samples, scoring, out=Path(out), title=title)
    before = scoring.check_canary if canary else None
    with computing_threads(threads):
        do_jobs([job], scoring, before=before, progress=_bar if progress else _no_bar)
    return ResultsFolder(out, methods=[method], datasets=[chosen.name])


def _dataset(dataset: str | Dataset | None, lr: PathLike | None, hr: PathLike | None) -> Dataset:
    if isinstance(dataset, Dataset):
        if lr is not None or hr is not None:
            raise BenchError("`dataset` is an object with its own images; leave out `lr` and `hr`")
        return dataset
    folders = {name: None if folder is None else Path(folder) for name, folder in (("lr", lr), ("hr", hr))}
    return choose_dataset(None if dataset is None else str(dataset), **folders)


def _names(metrics: Sequence[str] | str | None) -> list[str] | None:
    if metrics is None:
        return None
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    if not names:
        raise BenchError("`metrics` is empty; name at least one metric, or leave it out for all default metrics")
    return names


def _check_threads(threads: int | None) -> None:
    if threads is not None:
        _check_count("threads", threads)


def _check_count(argument: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BenchError(f"`{argument}` is {value!r}: it must be an integer of at least 1")


@contextlib.contextmanager
def _bar(label: str) -> Iterator[Progress]:
    from tqdm.auto import tqdm

    with tqdm(desc=label, unit="image") as bar:

        def show(done: int, total: int, what: str) -> None:
            bar.total = total
            bar.set_postfix_str(what, refresh=False)
            bar.update(done - bar.n)

        yield show


def _no_bar(_label: str) -> contextlib.AbstractContextManager[Progress]:
    return contextlib.nullcontext(silent)
