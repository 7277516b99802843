"""The points of scatter plots: two measures of every method, on the images that all methods in a plot have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ccsr_bench.ledger.results import Results
from ccsr_bench.plots.measures import Axis, Estimate, Measure, Readings
from ccsr_bench.plots.remarks import remark_absence, remark_coverage, remark_machines, remark_run_counts


class Point(NamedTuple):
    """One method of a scatter plot."""

    place: int
    """Place of the method among all compared methods, which determines its colour and its marker."""
    title: str
    x: Estimate
    y: Estimate


class Scatter(NamedTuple):
    """The contents of a scatter plot."""

    x: Axis
    y: Axis
    points: list[Point]
    remarks: list[str]
    """Facts that a reader must know and cannot see in the plot."""


class Pairing(NamedTuple):
    """The images on which two measures are plotted against each other."""

    images: tuple[str, ...]
    """Names of the images for which all methods in the plot have both measures."""
    remarks: list[str]
    """Facts that a reader must know and cannot see in the plot."""


class Estimates:
    """Estimates for the methods on one data set, each computed when it is first needed.

    Args:
        results: Results of the methods; their ledgers must stay open while this object is used.
    """

    def __init__(self, results: Sequence[Results]) -> None:
        self.results = results
        self._order = list(dict.fromkeys(image for method in results for image in method.images))
        self._readings: dict[tuple[int, str], Readings | None] = {}
        self._estimates: dict[tuple[int, str, frozenset[str]], Estimate | None] = {}

    def remember(self, place: int, measure: Measure, images: Sequence[str], estimate: Estimate) -> None:
        """Store an estimate that was computed elsewhere, for instance for the table."""
        self._estimates[place, measure.key, frozenset(images)] = estimate

    def estimate(self, place: int, measure: Measure, images: Sequence[str]) -> Estimate | None:
        """Return a method's estimate on some images, or None where the measure is not recorded for all of them.

        Args:
            place: Index of the method in the results.
            measure: Measure to estimate.
            images: Names of the images.
        """
        key = place, measure.key, frozenset(images)
        if key not in self._estimates:
            readings = self._read(place, measure)
            covered = readings is not None and key[-1].issubset(readings.images)
            self._estimates[key] = readings.estimate(images) if readings is not None and covered else None
        return self._estimates[key]

    def pair(self, x: Measure, y: Measure) -> Pairing:
        """Return the images on which two measures are plotted, and the remarks beside the plot."""
        shown, absent = [], []
        common = set(self._order)
        for place, results in enumerate(self.results):
            readings = self._read(place, x), self._read(place, y)
            missing = next((measure for measure, read in zip((x, y), readings, strict=True) if read is None), None)
            if missing is None:
                shown.append(results)
                common.intersection_update(*(read.images for read in readings if read is not None))
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
