"""Installing selected data sets, methods and metrics, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ccsr_bench.datasets.install import prepare_dataset
from ccsr_bench.datasets.manifest import DatasetManifest, FolderSource
from ccsr_bench.errors import BenchError
from ccsr_bench.install.files import Progress, install_file, installing
from ccsr_bench.install.records import record_files
from ccsr_bench.methods.isolated.checkouts import install_source
from ccsr_bench.methods.isolated.environments import make_environment
from ccsr_bench.methods.manifest import Isolated, Upstream, Weights
from ccsr_bench.methods.registry import MethodSpec
from ccsr_bench.methods.weights import install_weights
from ccsr_bench.metrics import weight_files
from ccsr_bench.metrics.catalogue import MetricInfo, needed_weights
from ccsr_bench.metrics.weight_files import WeightFile
from ccsr_bench.places import weights_home
from ccsr_bench.preparation.selection import Selection
from ccsr_bench.published import canary


@dataclass(frozen=True)
class Installation:
    """One item to install."""

    name: str
    install: Callable[[Progress], str]
    """Installs the item, and returns a line about it, its place and its licence."""
    files: int = 0
    """Number of files whose progress is reported; 0 where no progress is reported."""
    remark: str = ""
    """Message to show before long work without progress."""
    optional: bool = False
    """Whether later items are installed even if this one cannot be."""


def install_all(installations: Iterable[Installation], install: Callable[[Installation], None]) -> list[str]:
    """Install items in order, up to the first that cannot be installed and is not optional.

    Args:
        installations: Items to install.
        install: Function that installs one item and reports it.

    Returns:
        One line for each item that could not be installed, with the reason.
    """
    failures: list[str] = []
    for item in installations:
        try:
            install(item)
        except BenchError as error:
            failures.append(str(error))
            if not item.optional:
                break
    return failures


def plan(selection: Selection, *, local: Path | None = None, source: Path | None = None) -> list[Installation]:
    """Return the items to install for a selection; an item that several methods share occurs once.

    Args:
        selection: Data sets, methods and metrics.
        local: Folder to take the files from instead of the network.
        source: The user's checkout of a method's official repository, instead of a clone.

    Raises:
        BenchError: A checkout is given, and the selection has not exactly one official repository.
    """
    families = {spec.manifest.id: spec for spec in selection.models if spec.manifest.isolated}
    if source is not None:
        _check_source(list(families.values()))
    upstreams = {family: spec.manifest.upstream for family, spec in families.items()}
    return [
        *(_dataset(manifest, local) for manifest in selection.datasets),
        *(_checkout(family, upstream, source) for family, upstream in upstreams.items() if upstream is not None),
        *_environments(selection.models),
        *_weights(selection, local),
        *_metrics(selection.metrics, local),
    ]


def _check_source(families: Sequence[MethodSpec]) -> None:
    """Check that the selection has exactly one official repository, of which a given checkout can be."""
    if len(families) != 1:
        raise BenchError("`source` is the checkout of one method's official repository: name that method alone")
    if families[0].manifest.upstream is None:
        raise BenchError(
            f"method '{families[0].name}' names no official repository that `source` could be a checkout of: "
            f"add [upstream] with its address and commit to {families[0].defined_in}"
        )


def _dataset(manifest: DatasetManifest, local: Path | None) -> Installation:
    def install(progress: Progress) -> str:
        if isinstance(manifest.source, FolderSource):
            return f"{manifest.name}: already on this machine, nothing to prepare (licence: {manifest.licence})"
        folder = prepare_dataset(manifest, local=local, progress=progress)
        return f"{manifest.name}: verified, in {folder} (licence: {manifest.licence})"

    return Installation(manifest.name, install, 0 if isinstance(manifest.source, FolderSource) else manifest.images)


def _checkout(family: str, upstream: Upstream, source: Path | None) -> Installation:
    def install(_progress: Progress) -> str:
        folder = install_source(family, upstream, source)
        return f"{family}: {upstream.repository} at {upstream.commit[:12]}, in {folder}"

    return Installation(family, install)


def _environments(models: Sequence[MethodSpec]) -> Iterator[Installation]:
    def install(spec: MethodSpec, environment: Isolated, _progress: Progress) -> str:
        interpreter = make_environment(environment.python, spec.file("lock", environment.lock))
        return f"{spec.manifest.id}: environment of {environment.lock}, in {interpreter.parent.parent}"

    planned = set()
    for spec in models:
        family, environment = spec.manifest.id, spec.manifest.environment
        if isinstance(environment, Isolated) and (family, environment.lock) not in planned:
            planned.add((family, environment.lock))
            remark = f"{family}: making its environment, which can take minutes"
            yield Installation(family, partial(install, spec, environment), remark=remark)


def _weights(selection: Selection, local: Path | None) -> Iterator[Installation]:
    def install(name: str, weights: Weights, progress: Progress) -> str:
        others = [other for other_name, other in selection.weights.items() if other_name != name]
        folder = install_weights(name, weights, local=local, others=others, progress=progress)
        how = "verified" if all(weights.files.values()) else "recorded, for no hashes are published"
        return f"{name}: {how}, in {folder} (licence: {weights.licence})"

    for name, weights in selection.weights.items():
        yield Installation(name, partial(install, name, weights), len(weights.files))
    for spec in selection.models:
        if not (spec.variant.weights or spec.manifest.isolated):
            yield Installation(spec.name, partial(_nothing, spec))


def _nothing(spec: MethodSpec, _progress: Progress) -> str:
    return f"{spec.name}: has no weights, nothing to prepare"


def _metrics(metrics: Sequence[MetricInfo], local: Path | None) -> Iterator[Installation]:
    """Yield the weights of metrics, and without a local copy also the images of the canary."""

    def install(key: str, file: WeightFile, _progress: Progress) -> str:
        try:
            with installing(file.name, weights_home()):
                path = install_file(weights_home(), file.published, local=None if local is None else file.inside(local))
                record_files(weights_home(), {path.name: (path, file.expected_sha256(path))})
            for wrong in weight_files.wrong_files([key]).values():  # a published file goes before a converted one
                raise BenchError(wrong)
        except BenchError as error:
            users = [info.name for info in metrics if key in info.weights]
            raise BenchError(f"{', '.join(users)}: {error}") from error
        return f"{path.name}: verified, {path.stat().st_size:,} bytes, in {path.parent} (licence: {file.licence})"

    def install_image(image: canary.CanaryFile, _progress: Progress) -> str:
        what = f"{image.part}/{image.file.path}"
        try:
            with installing(image.file.path, image.target.parent):
                install_file(image.target.parent, image.file)
        except BenchError as error:  # metrics work without it
            return f"{what}: not installed, so `run` cannot check the metrics on it first: {error}"
        return f"{what}: verified, for the canary, in {image.target.parent}"

    for key in needed_weights(metrics):
        file = weight_files.FILES[key]
        yield Installation(file.name, partial(install, key, file), optional=True)
    for image in canary.canary_files() if metrics and local is None else ():
        yield Installation(image.file.path, partial(install_image, image), optional=True)
