"""The plots of a page: the numbers to draw for every choice of axes that the page offers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ccsr_bench.plots.measures import LOCAL_SPREAD, SECONDS, Estimate, Measure, quality, run_spread
from ccsr_bench.plots.points import Estimates
from ccsr_bench.plots.preferences import DISTORTION, PERCEPTION, choose_metric


class MeasureContent(msgspec.Struct, frozen=True, kw_only=True):
    """A measure that an axis can show."""

    name: str
    """Name of the measure where an axis is chosen."""
    label: str
    """Label of the axis."""
    decimals: int
    logarithmic: bool


class PairingContent(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of a plot for one choice of both axes."""

    image_set: int
    """Index of `PlotsContent.estimates`."""
    remarks: list[int]
    """Indices of `PlotsContent.remarks`."""


class PlotContent(msgspec.Struct, frozen=True, kw_only=True):
    """One plot, whose axes can be chosen."""

    title: str
    words: str
    """Sentence that says what the plot shows."""
    across: list[str]
    """Keys of the measures that the x axis can show."""
    up: list[str]
    """Keys of the measures that the y axis can show."""
    chosen: tuple[str, str]
    """Keys of the measures that the x axis and the y axis show at first."""
    pairings: dict[str, dict[str, PairingContent]]
    """Measure of the x axis -> measure of the y axis -> contents of the plot."""


EstimateContent = tuple[float] | tuple[float, float, float]
"""A value, or a value with the lower and the upper end of its interval."""


class PlotsContent(msgspec.Struct, frozen=True, kw_only=True):
    """All plots of a data set."""

    measures: dict[str, MeasureContent]
    estimates: list[dict[str, list[EstimateContent | None]]]
    """For each set of images on which methods are compared: measure -> each method's estimate, or None. A plot shows
    the methods that have both of its measures."""
    remarks: list[str]
    plots: list[PlotContent]


def plots_content(estimates: Estimates, metrics: Sequence[str]) -> PlotsContent:
    """Return the plots of a data set.

    Args:
        estimates: Estimates for the methods on the data set.
        metrics: Names of the metrics that at least one of the methods has.
    """
    return _Plots(estimates).content(metrics)


class _Plots:
    """Collects the estimates and the remarks that several plots share."""

    def __init__(self, estimates: Estimates) -> None:
        self._estimates = estimates
        self._image_sets: dict[tuple[str, ...], dict[str, list[EstimateContent | None]]] = {}
        self._measures: dict[str, MeasureContent] = {}
        self._remarks: dict[str, int] = {}

    def content(self, metrics: Sequence[str]) -> PlotsContent:
        if not metrics:
            return PlotsContent(measures={}, estimates=[], remarks=[], plots=[])
        means = [quality(metric) for metric in metrics]
        local = [LOCAL_SPREAD] if any(method.l_std() for method in self._estimates.results) else []
        distortion = choose_metric(metrics, DISTORTION)
        plots = [
            self._plot(
                "Perception and distortion",
                "Closeness to the reference against how natural outputs look: the best methods lead in both.",
                (means, means),
                (distortion, choose_metric(metrics, PERCEPTION, beside=distortion)),
            ),
            self._plot(
                "Quality and stability",
                "A metric’s mean against how much the outputs for an image vary from run to run.",
                (means, [*map(run_spread, metrics), *local]),
                (distortion, run_spread(distortion).key),
            ),
            self._plot(
                "Quality and cost",
                "The median recorded wall time of one output, and a metric’s mean.",
                ([SECONDS], means),
                (SECONDS.key, distortion),
            ),
        ]
        return PlotsContent(
            measures=self._measures,
            estimates=list(self._image_sets.values()),
            remarks=list(self._remarks),
            plots=plots,
        )

    def _plot(
        self, title: str, words: str, axes: tuple[Sequence[Measure], Sequence[Measure]], chosen: tuple[str, str]
    ) -> PlotContent:
        across, up = axes
        return PlotContent(
            title=title,
            words=words,
            across=[x.key for x in across],
            up=[y.key for y in up],
            chosen=chosen,
            pairings={x.key: {y.key: self._pairing(x, y) for y in up} for x in across},
        )

    def _pairing(self, x: Measure, y: Measure) -> PairingContent:
        pairing = self._estimates.pair(x, y)
        on_set = self._image_sets.setdefault(pairing.images, {})
        for measure in (x, y):
            self._measures.setdefault(measure.key, _measure(measure))
            if measure.key not in on_set:
                places = range(len(self._estimates.results))
                estimates = [self._estimates.estimate(place, measure, pairing.images) for place in places]
                on_set[measure.key] = [estimate and _estimate(estimate) for estimate in estimates]
        return PairingContent(
            image_set=list(self._image_sets).index(pairing.images),
            remarks=[self._remarks.setdefault(remark, len(self._remarks)) for remark in pairing.remarks],
        )


def _measure(measure: Measure) -> MeasureContent:
    return MeasureContent(
        name=measure.name,
        label=measure.axis.directed_label,
        decimals=measure.decimals,
        logarithmic=measure.axis.logarithmic,
    )


def _estimate(estimate: Estimate) -> EstimateContent:
    return (estimate.value, *estimate.interval) if estimate.interval else (estimate.value,)
