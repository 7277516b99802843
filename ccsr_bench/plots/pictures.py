"""The LR and HR images beside outputs: only those that the outputs were scored with."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ccsr_bench.datasets.loading import Pair, Sample
from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import Results


def scored_pixels(results: Sequence[Results], image: str) -> frozenset[str]:
    """Return the hashes of LR and HR pixels that the methods' outputs for an image were scored with."""
    return frozenset(hashes[0] for one in results if (hashes := one.ledger.image_hashes(image)))


def read_scored_pair(sample: Sample, scored: Collection[str]) -> Pair:
    """Read the LR and HR images of a sample.

    Args:
        sample: The sample, as the data set has it now.
        scored: What `scored_pixels` returns.

    Raises:
        BenchError: A file is missing or damaged, or the pixels are not those that every method was scored with.
    """
    pair = sample.read()
    if set(scored) != {pair.pixels_sha256()}:
        raise BenchError(
            f"{sample.hr}: not the image '{sample.name}' that was scored; give the folders that the run was given, "
            f"or choose methods that ran on these with --method"
        )
    return pair
