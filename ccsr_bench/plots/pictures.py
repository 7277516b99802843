"""The LR and HR images that are shown beside outputs: the same pixels that the outputs were scored with."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ccsr_bench.datasets.loading import Pair, Sample
from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import Results


def scored_pixels(results: Sequence[Results], image: str) -> frozenset[str]:
    """Return the hashes of the LR and HR pixels that the methods' outputs for an image were scored with."""
    return frozenset(hashes[0] for method in results if (hashes := method.ledger.image_hashes(image)))


def read_scored_pair(sample: Sample, scored: Collection[str]) -> Pair:
    """Read the LR and HR images of a sample.

    Args:
        sample: The sample of the installed data set.
        scored: Hashes from `scored_pixels`.

    Raises:
        BenchError: A file is missing or damaged, or some method was scored with other pixels.
    """
    pair = sample.read()
    if set(scored) != {pair.pixels_sha256()}:
        raise BenchError(
            f"{sample.hr}: not the image '{sample.name}' that was scored; give the data set or the folders that the "
            f"run was given, or choose `methods` that were scored with these images"
        )
    return pair
