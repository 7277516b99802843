"""Scores that others published for images that can be downloaded."""

from __future__ import annotations

import csv
from collections.abc import Iterable

import msgspec

from ccsr_bench.errors import unknown_name
from ccsr_bench.manifests import read_toml
from ccsr_bench.places import shipped


class Tolerance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far ours may be from a published value."""

    image: float
    """For each image; half of the last published digit is added."""
    mean: float
    """For the mean over images; half of the last published digit is added."""


class LeftOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Images whose published value another definition gave, and why."""

    images: list[str]
    reason: str


class SetValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published value of a metric of a set of images, and how far ours may be from it."""

    value: float
    tolerance: float


class PublishedSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One set of published scores: a TOML file beside the CSV with the values."""

    title: str
    source: str
    dataset: str
    outputs: str
    """Which published outputs of the data set were scored."""
    protocol: str
    tolerances: dict[str, Tolerance]
    left_out: dict[str, LeftOut] = {}
    sets: dict[str, SetValue] = {}
    """Metrics of all images together."""


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
    """Return how far a value may be from a printed one: the tolerance, and half of the last printed digit.

    Args:
        tolerance: Of the metric.
        values: The printed values of its column, which has as many digits as the longest; some writers drop zeros.
    """
    return tolerance + 0.5 * 10.0 ** -max(len(value.partition(".")[2]) for value in values)
