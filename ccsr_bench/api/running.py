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

    The same call again does only what is missing: more runs and more metrics add to what is recorded.

    Args:
        method: A method's name, a folder that holds its ``method.toml``, a class or an object with ``restore(lr,
            seeds)`` (see `ccsr_bench.Method`), or a list of these.
        dataset: Name of a data set, path of a manifest, or a `Dataset`.
        lr: Folder of your own LR images, instead of a data set; goes with `hr`.
        hr: Folder of your own HR images.
        runs: Number of runs for each image; a deterministic method runs once.
        metrics: Names of metrics; every default metric that can be computed here when None.
        protocol: Name of the protocol whose definitions are used.
        out: Folder of all results.
        device: ``auto``, ``cpu`` or ``cuda``.
        limit: Only the first so many images.
        shard: (I, N) for every N-th image from the I-th on.
        base_seed: Another number gives other noise.
        same_seed: Give every run the seed of run 0, which shows the noise floor of method and machine.
        batch: Runs that go through the networks at once; the method's own choice when None.
        dtype: Precision of the method's networks; what the authors' code computes in when None.
        compiled: Compile the method's networks: minutes once, then faster.
        weights: Folder of your own weights, instead of the published ones.
        precision: Precision of the metrics' networks: ``exact`` (float32) or ``fast``.
        backends: Metric -> another package that computes it.
        methods_dir: Folder of your own methods, or several.
        name: Name in results of a class or an object; its class's name when None.
        canary: Check every metric on a published image before the work starts.
        progress: Show a progress bar.

    Returns:
        The results of these methods on this data set, images that failed among them (`ResultsFolder.failures`).

    Raises:
        BenchError: Something that is asked for does not exist or cannot be done; what was recorded is kept.
    """
    chosen = _dataset(dataset, lr, hr)
    samples = choose_samples(chosen, limit=limit, shard=shard)
    _check_count("runs", runs)
    asked = list(method) if isinstance(method, list | tuple) else [method]
    specs = [spec for one in asked for spec in find_specs(one, name=name, methods_dir=methods_dir)]
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
    limit: int | None = None,
    precision: Literal["exact", "fast"] = "exact",
    backends: Mapping[str, str] | None = None,
    canary: bool = True,
    progress: bool = True,
) -> ResultsFolder:
    """Score images that were made elsewhere, and record everything.

    Args:
        images: Folder with one folder of images for each run (``run-00``, ``sample03``), or with the images of a
            single run; file stems are those of the data set.
        method: Name of the method that made them, for folders and tables.
        dataset: Name of a data set, path of a manifest, or a `Dataset`.
        lr: Folder of your own LR images, instead of a data set; goes with `hr`.
        hr: Folder of your own HR images.
        title: Title of the method in tables; `method` when empty.
        metrics: Names of metrics; every default metric that can be computed here when None.
        protocol: Name of the protocol whose definitions are used.
        out: Folder of all results.
        device: ``auto``, ``cpu`` or ``cuda``.
        limit: Only the first so many images.
        precision: Precision of the metrics' networks: ``exact`` (float32) or ``fast``.
        backends: Metric -> another package that computes it.
        canary: Check every metric on a published image before the work starts.
        progress: Show a progress bar.

    Returns:
        The results of this method on this data set.

    Raises:
        BenchError: An image is missing, extra, damaged or of another size, or a name does not exist.
    """
    check_name("method", method)
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
    do_jobs([job], scoring, before=before, progress=_bar if progress else _no_bar)
    return ResultsFolder(out, methods=[method], datasets=[chosen.name])


def _dataset(dataset: str | Dataset | None, lr: PathLike | None, hr: PathLike | None) -> Dataset:
    if isinstance(dataset, Dataset):
        if lr is not None or hr is not None:
            raise BenchError("`dataset` holds its own images; leave out `lr` and `hr`")
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
