"""Scores that others published for images that can be downloaded."""

from __future__ import annotations

import csv
from collections.abc import Iterable

import msgspec

from ccsr_bench.errors import unknown_name
from ccsr_bench.manifests import read_toml
from ccsr_bench.places import shipped


class Tolerance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Largest accepted differences between our scores and published ones."""

    image: float
    """Tolerance for each image, to which half of the last published digit is added."""
    mean: float
    """Tolerance for the mean over images, to which half of the last published digit is added."""


class LeftOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Images whose published value has another definition, and the reason."""

    images: list[str]
    reason: str


class SetValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published value of a metric of a set of images, and the tolerance for ours."""

    value: float
    tolerance: float


class PublishedSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One set of published scores: a TOML file, which belongs to a CSV file with the values."""

    title: str
    source: str
    dataset: str
    outputs: str
    """Name of the method whose published outputs of the data set were scored."""
    protocol: str
    tolerances: dict[str, Tolerance]
    left_out: dict[str, LeftOut] = {}
    sets: dict[str, SetValue] = {}
    """Metric of all images together -> its published value."""


def published_sets() -> dict[str, PublishedSet]:
    """Return every set of published scores, by name."""
    return {path.stem: read_toml(path, PublishedSet) for path in sorted(shipped("results/published").glob("*.toml"))}


def find_published(name: str) -> PublishedSet:
    """Return a set of published scores by name.

    Raises:
        BenchError: There is no such set; near names are given.
    """
    sets = published_sets()
    if name not in sets:
        raise unknown_name("set of published scores", name, sets)
    return sets[name]


def published_values(name: str) -> dict[str, dict[str, str]]:
    """Return the published values as printed: metric -> image -> value."""
    path = shipped("results/published") / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {metric: {row["image"]: row[metric] for row in rows} for metric in rows[0] if metric != "image"}


def allowed_difference(tolerance: float, values: Iterable[str]) -> float:
    """Return the accepted difference from a printed value: the tolerance plus half of the last printed digit.

    Args:
        tolerance: Tolerance of the metric.
        values: Printed values of the metric. The longest has the column's digits, as some writers omit final zeros.
    """
    return tolerance + 0.5 * 10.0 ** -max(len(value.partition(".")[2]) for value in values)
