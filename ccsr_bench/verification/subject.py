"""What is computed again: a set of published scores with its images, and its method if it has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.datasets.loading import Dataset, Sample, choose_samples, load_dataset
from ccsr_bench.methods.registry import MethodSpec, find_method
from ccsr_bench.published.scores import PublishedSet, find_published


@dataclass(frozen=True)
class Subject:
    """A set of published scores, and what is needed to compute them again on this machine."""

    name: str
    published: PublishedSet
    dataset: Dataset
    samples: Sequence[Sample]
    """Images to compute."""
    outputs: Mapping[str, Path]
    """Image name -> published output; empty if a method makes the outputs."""
    method: MethodSpec | None
    """Method that makes the outputs; None for published outputs."""


def find_subject(name: str, *, limit: int | None = None) -> Subject:
    """Return a set of published scores with its images and its method; nothing is computed.

    Args:
        name: Name of the set.
        limit: Number of images from the first on; all when None.

    Raises:
        NotInstalledError: The data set, its published outputs or the weights of the method are not installed.
        BenchError: There is no such set, or a file is damaged.
    """
    published = find_published(name)
    dataset = load_dataset(published.dataset)
    samples = choose_samples(dataset, limit=limit)
    if not published.method:
        return Subject(name, published, dataset, samples, dataset.outputs(published.outputs), None)
    method = find_method(published.method)
    method.find_weights()
    return Subject(name, published, dataset, samples, {}, method)
