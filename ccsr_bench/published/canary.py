"""The canary: before hours of work, every metric scores one published image, whose published score is known.

A network whose weights were not loaded gives numbers like any other; only a known number tells.
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
    """One of the two images."""

    part: str
    """Folder of the image in the data set."""
    file: PublishedFile

    @property
    def target(self) -> Path:
        """Where `prepare --metrics` puts it."""
        return weights_home() / "canary" / self.part / self.file.path


def canary_files() -> tuple[CanaryFile, CanaryFile]:
    """Return the HR image and the published output that the canary is made of."""
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
    """Score the canary.

    Args:
        scorer: With the metrics to check.
        protocol: Their definitions.

    Returns:
        The metrics that were checked; none where the two images are not on this machine.

    Raises:
        BenchError: A metric gives another number than the published one, or the images are damaged.
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
                f"{allowed:.1e}): its weights or a library are not what they should be; "
                f"`ccsr-bench verify {PUBLISHED} --metrics {name}` shows more, --no-canary goes on all the same"
            )
    return names
