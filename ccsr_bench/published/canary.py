"""The canary: before the work starts, every metric scores one published image whose score is known.

A network whose weights were not loaded gives plausible numbers; only the comparison with a known number detects it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ccsr_bench.datasets.manifest import FilesSource, read_manifest
from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_image
from ccsr_bench.install.hashing import file_sha256
from ccsr_bench.install.sources import PublishedFile
from ccsr_bench.metrics.catalogue import MetricProtocol, find_protocol
from ccsr_bench.places import dataset_home, weights_home
from ccsr_bench.published.scores import allowed_difference, find_published, published_values

if TYPE_CHECKING:
    from ccsr_bench.metrics.scorer import Scorer  # imports torch

PUBLISHED = "osediff-realsr"
IMAGE = "Canon_001_LR4"


@dataclass(frozen=True)
class CanaryFile:
    """One of the two images of the canary."""

    part: str
    """Folder of the image in the data set."""
    file: PublishedFile

    @property
    def target(self) -> Path:
        """Path at which `prepare` installs the image with the metrics' weights."""
        return weights_home() / "canary" / self.part / self.file.path


def canary_files() -> tuple[CanaryFile, CanaryFile]:
    """Return the two images of the canary: an HR image and a published output for it."""
    published = find_published(PUBLISHED)
    manifest = read_manifest(published.dataset)
    source = manifest.source
    if not isinstance(source, FilesSource):
        raise TypeError(f"{published.dataset} has no addresses")

    def file(part: str) -> CanaryFile:
        name = next(name for name in manifest.files[part] if Path(name).stem == IMAGE)
        return CanaryFile(part, PublishedFile(name, source.of_part(part), manifest.files[part][name]))

    return file("hr"), file(f"outputs/{published.outputs}")


def _installed(image: CanaryFile) -> Path | None:
    places = (image.target, dataset_home(find_published(PUBLISHED).dataset) / image.part / image.file.path)
    return next((path for path in places if path.is_file()), None)


def comparable(metrics: Iterable[str], protocol: MetricProtocol) -> list[str]:
    """Return the metrics with a published score whose definition is the protocol's."""
    published = find_published(PUBLISHED)
    theirs = find_protocol(published.protocol)
    return [
        name
        for name in metrics
        if name in published.tolerances and protocol.options.get(name) == theirs.options.get(name)
    ]


def check(scorer: Scorer, protocol: MetricProtocol) -> list[str]:
    """Score the canary, and compare the scores with the published ones.

    Args:
        scorer: Scorer with the metrics to check.
        protocol: Protocol of the metrics' definitions.

    Returns:
        Names of the metrics that were checked; none where the two images are not installed.

    Raises:
        BenchError: A score differs from the published one, or an image is damaged.
    """
    names = comparable(scorer.metrics, protocol)
    paths = [_installed(file) for file in canary_files()]
    if not names or None in paths:
        return []
    images = []
    for path, file in zip(paths, canary_files(), strict=True):
        if path is None or file_sha256(path) != file.file.sha256:
            raise BenchError(f"{path}: wrong sha256: remove it and run `ccsr-bench prepare --metrics`")
        images.append(read_image(path))
    scores, failures = scorer.score(images[1][None], scorer.reference(images[0]), names)
    if failures:
        raise BenchError(f"the canary failed before any work: {failures[0]}")
    published, values = find_published(PUBLISHED), published_values(PUBLISHED)
    for name in names:
        ours, theirs = scores[name][0], float(values[name][IMAGE])
        allowed = allowed_difference(published.tolerances[name].image, values[name].values())
        if not abs(ours - theirs) <= allowed:
            raise BenchError(
                f"{name} gives {ours:.6f} for the published image {IMAGE}, which scores {theirs:.6f} (allowed: "
                f"{allowed:.1e}): its weights or a library are wrong; "
                f"`ccsr-bench verify {PUBLISHED} --metrics {name}` shows more. To skip this check, give "
                f"`canary=False` in Python or `--no-canary` on the command line"
            )
    return names
