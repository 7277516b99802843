"""The points of scatter plots: two measures of every method, on the images that all methods in the plot have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ccsr_bench.ledger.results import Results
from ccsr_bench.plots.measures import Axis, Estimate, Measure, Readings
from ccsr_bench.plots.remarks import remark_absence, remark_coverage, remark_machines, remark_run_counts


class Point(NamedTuple):
    """One method of a scatter plot."""

    place: int
    """The method's place among all methods that are compared, from which its colour and its marker follow."""
    title: str
    x: Estimate
    y: Estimate


class Scatter(NamedTuple):
    """What a scatter plot shows."""

    x: Axis
    y: Axis
    points: list[Point]
    remarks: list[str]
    """What a reader must know and cannot see in the plot."""


class Pairing(NamedTuple):
    """On which images two measures are plotted."""

    images: tuple[str, ...]
    """The images that all methods which have both measures have them for."""
    remarks: list[str]


class Estimates:
    """Estimates of the methods on one data set; each is computed when it is first asked for.

    Args:
        results: The methods, whose ledgers stay open as long as this is used.
    """

    def __init__(self, results: Sequence[Results]) -> None:
        self.results = results
        self._order = list(dict.fromkeys(image for one in results for image in one.images))
        self._readings: dict[tuple[int, str], Readings | None] = {}
        self._estimates: dict[tuple[int, str, frozenset[str]], Estimate | None] = {}

    def remember(self, place: int, measure: Measure, images: Sequence[str], estimate: Estimate) -> None:
        """Take over an estimate that was computed elsewhere, for instance for the table."""
        self._estimates[place, measure.key, frozenset(images)] = estimate

    def estimate(self, place: int, measure: Measure, images: Sequence[str]) -> Estimate | None:
        """Return a method's estimate on some images; None where it is not recorded for all of them.

        Args:
            place: The method's place among the results.
            measure: The measure to estimate.
            images: Names of images.
        """
        key = place, measure.key, frozenset(images)
        if key not in self._estimates:
            readings = self._read(place, measure)
            covered = readings is not None and key[-1].issubset(readings.images)
            self._estimates[key] = readings.estimate(images) if readings is not None and covered else None
        return self._estimates[key]

    def pair(self, x: Measure, y: Measure) -> Pairing:
        """Return the images on which two measures are plotted, and what to say beside the plot."""
        shown, absent = [], []
        common = set(self._order)
        for place, results in enumerate(self.results):
            readings = self._read(place, x), self._read(place, y)
            missing = next((measure for measure, one in zip((x, y), readings, strict=True) if one is None), None)
            if missing is None:
                shown.append(results)
                common.intersection_update(*(one.images for one in readings if one is not None))
            else:
                absent.append((results, missing.why_missing(results)))
        images = tuple(image for image in self._order if image in common) if shown else ()
        remarks = remark_absence(absent)
        if x.is_spread or y.is_spread:
            remarks += remark_run_counts(shown)
        remarks += remark_coverage(shown, len(images))
        if x.is_cost or y.is_cost:
            remarks += remark_machines(shown)
        return Pairing(images, remarks)

    def scatter(self, x: Measure, y: Measure) -> Scatter:
        """Return a point for each method that has both measures."""
        pairing = self.pair(x, y)
        points = []
        for place, results in enumerate(self.results):
            across, up = (self.estimate(place, measure, pairing.images) for measure in (x, y))
            if across is not None and up is not None:
                points.append(Point(place, results.description.title, across, up))
        return Scatter(x.axis, y.axis, points, pairing.remarks)

    def _read(self, place: int, measure: Measure) -> Readings | None:
        key = place, measure.key
        if key not in self._readings:
            self._readings[key] = measure.read(self.results[place])
        return self._readings[key]
