"""Sets of scores that are published: by others for images that can be downloaded, or by ccsr-bench for a method."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from ccsr_bench.errors import unknown_name
from ccsr_bench.manifests import read_toml
from ccsr_bench.places import shipped

FOLDERS = ("results/published", "results/verified")
"""Folders of the sets: scores that others published, and rows that ccsr-bench computed."""

OUTPUT_HASH = "png_sha256"
"""Column of a CSV file with the sha256 of the output of each image."""


class Tolerance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Largest accepted differences between our scores and published ones."""

    image: float
    """Tolerance for each image, to which half of the last published digit is added."""
    mean: float
    """Tolerance for the mean over all images, to which half of the last published digit is added."""


class LeftOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Images whose published value has another definition, and the reason."""

    images: list[str]
    reason: str


class SetValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published value of a metric of a set of images, and the tolerance for ours."""

    value: float
    tolerance: float


class Computation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How ccsr-bench computed a verified row."""

    command: str
    """Command that computes the row and writes its two files."""
    origin: str
    """Code, parameters and hashes of the weights that made the outputs, in words."""
    definitions: dict[str, str]
    """Metric -> its complete definition."""
    environments: list[dict[str, Any]]
    """Code, packages, processor and number of threads of the calls that made and scored the outputs."""


class PublishedSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One set of published scores: a TOML file, which belongs to a CSV file with the values."""

    title: str
    source: str
    dataset: str
    outputs: str = ""
    """Name of the method whose published outputs of the data set were scored; empty for a verified row."""
    method: str = ""
    """Name of the method that ccsr-bench ran; empty for published outputs."""
    protocol: str
    tolerances: dict[str, Tolerance]
    left_out: dict[str, LeftOut] = {}
    sets: dict[str, SetValue] = {}
    """Metric of all images together -> its published value."""
    computed: Computation | None = None
    """How the scores were computed; None for scores that others published."""

    def __post_init__(self) -> None:
        """Check that the set says what was scored.

        Raises:
            ValueError: It names both published outputs and a method, or neither, or a method without its computation.
        """
        if bool(self.outputs) == bool(self.method):
            raise ValueError("a set of scores names either `outputs` or `method`")
        if bool(self.method) != (self.computed is not None):
            raise ValueError("a set of scores has a table `computed` if it names a `method`, and only then")


def published_sets() -> dict[str, PublishedSet]:
    """Return every set of published scores by name: those of others, then the verified rows."""
    return {name: read_toml(path, PublishedSet) for name, path in _manifests().items()}


def verified_sets() -> dict[str, PublishedSet]:
    """Return the verified rows by name."""
    return {name: published for name, published in published_sets().items() if published.method}


def find_published(name: str) -> PublishedSet:
    """Return a set of published scores by name.

    Raises:
        BenchError: There is no such set; near names are given.
    """
    return read_toml(_manifest(name), PublishedSet)


def published_values(name: str) -> dict[str, dict[str, str]]:
    """Return the published values as printed: metric -> image -> value."""
    return {metric: column for metric, column in _columns(name).items() if metric != OUTPUT_HASH}


def output_hashes(name: str) -> dict[str, str]:
    """Return the sha256 of each output by image; empty for a set that has none."""
    return _columns(name).get(OUTPUT_HASH, {})


def allowed_difference(tolerance: float, values: Iterable[str]) -> float:
    """Return the accepted difference from a printed value: the tolerance plus half of the last printed digit.

    Args:
        tolerance: Tolerance of the metric.
        values: Printed values of the metric. The longest has the column's digits, as some writers omit final zeros.
    """
    return tolerance + 0.5 * 10.0 ** -max(len(value.partition(".")[2]) for value in values)


def _manifests() -> dict[str, Path]:
    return {path.stem: path for folder in FOLDERS for path in sorted(shipped(folder).glob("*.toml"))}


def _manifest(name: str) -> Path:
    manifests = _manifests()
    if name not in manifests:
        raise unknown_name("set of published scores", name, manifests)
    return manifests[name]


def _columns(name: str) -> dict[str, dict[str, str]]:
    with _manifest(name).with_suffix(".csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {column: {row["image"]: row[column] for row in rows} for column in rows[0] if column != "image"}
