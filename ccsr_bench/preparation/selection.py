"""The selection of what to prepare, by name, and the list of its missing parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.datasets.loading import is_ready
from ccsr_bench.datasets.manifest import DatasetManifest, read_manifest
from ccsr_bench.errors import BenchError
from ccsr_bench.methods import loading
from ccsr_bench.methods.registry import MethodSpec, find_method
from ccsr_bench.metrics import weight_files
from ccsr_bench.metrics.catalogue import METRICS, MetricInfo, find_metric, needed_weights
from ccsr_bench.places import dataset_home, weights_home


@dataclass(frozen=True)
class Selection:
    """Data sets, methods and metrics to prepare."""

    datasets: tuple[DatasetManifest, ...] = ()
    methods: tuple[MethodSpec, ...] = ()
    metrics: tuple[MetricInfo, ...] = ()

    @property
    def models(self) -> tuple[MethodSpec, ...]:
        """The selected methods, and the captioners that they need."""
        return (*self.methods, *(spec.captioner for spec in self.methods if spec.variant.captioned))


def select(
    *,
    datasets: Iterable[str] = (),
    methods: Iterable[str] = (),
    metrics: Iterable[str] | None = None,
    methods_dirs: Iterable[Path] = (),
) -> Selection:
    """Find data sets, methods and metrics by name; a name that is given twice counts once.

    Args:
        datasets: Names of data sets, or paths of ``.toml`` manifests.
        methods: Names of methods.
        metrics: Names of metrics; an empty list for all that are computed by default, None for no metric.
        methods_dirs: Folders of the user's own methods.

    Raises:
        BenchError: A name does not exist, or there are no names.
    """
    folders = list(methods_dirs)
    chosen = [] if metrics is None else [find_metric(name) for name in dict.fromkeys(metrics)]
    if metrics is not None and not chosen:
        chosen = [info for info in METRICS.values() if info.default]
    selection = Selection(
        datasets=tuple(read_manifest(name) for name in dict.fromkeys(datasets)),
        methods=tuple(find_method(name, folders) for name in dict.fromkeys(methods)),
        metrics=tuple(chosen),
    )
    if selection == Selection():
        raise BenchError("say what to prepare: give `dataset`, `method` or `metrics`")
    return selection


def missing(selection: Selection) -> list[str]:
    """Return one line for each missing item, with its place and its sources; nothing is downloaded."""
    lines = [
        f"data set {manifest.name}: goes to {dataset_home(manifest.name)}"
        for manifest in selection.datasets
        if not is_ready(manifest)
    ]
    for spec in selection.methods:
        try:
            loading.check_installed(spec)
        except BenchError as error:
            lines.append(str(error))
    files = [weight_files.FILES[key] for key in weight_files.missing_files(needed_weights(selection.metrics))]
    lines += [
        f"{file.name} ({file.size:,} bytes, sha256 {file.sha256}): goes to {weights_home()}, from "
        f"{' or '.join(file.addresses)}"
        for file in files
    ]
    return lines
