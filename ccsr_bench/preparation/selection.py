"""The selection of what to prepare, by name, and the list of its missing parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.datasets.loading import is_ready
from ccsr_bench.datasets.manifest import DatasetManifest, read_manifest
from ccsr_bench.errors import BenchError
from ccsr_bench.methods import loading
from ccsr_bench.methods.manifest import Weights
from ccsr_bench.methods.registry import MethodSpec, find_method
from ccsr_bench.methods.weights import missing_files
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

    @property
    def weights(self) -> dict[str, Weights]:
        """The weights of the selected methods and of their captioners, by name."""
        return {name: spec.manifest.weights[name] for spec in self.models for name in spec.variant.weights.values()}


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
    """Return one line for each item that is missing or wrong, with its place and its sources; nothing is downloaded."""
    lines = [
        f"data set {manifest.name}: goes to {dataset_home(manifest.name)}"
        for manifest in selection.datasets
        if not is_ready(manifest)
    ]
    for name, weights in selection.weights.items():
        lines += missing_files(name, weights)
    for spec in selection.models:
        try:
            loading.check_runtime(spec)
        except BenchError as error:
            lines.append(str(error))
    keys = needed_weights(selection.metrics)
    absent, wrong = weight_files.missing_files(keys), weight_files.wrong_files(keys)
    for key in keys:
        if key in absent or key in wrong:
            file = weight_files.FILES[key].published
            described = file.described(weights_home() / file.path)
            lines.append(f"{described}; {wrong[key]}" if key in wrong else described)
    return lines


def ready(metrics: Iterable[MetricInfo]) -> list[str]:
    """Return the names of the metrics whose files are all on this machine, and right."""
    return [
        info.name
        for info in metrics
        if not (weight_files.missing_files(info.weights) or weight_files.wrong_files(info.weights))
    ]
