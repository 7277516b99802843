"""Drawing scatter plots, and plots by the number of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccsr_bench.figures.drawing import replace_unprintable
from ccsr_bench.figures.run_lines import Line, Lines
from ccsr_bench.plots.measures import Estimate
from ccsr_bench.plots.palette import colour_of, marker_of
from ccsr_bench.plots.points import Point, Scatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHAPE = 0.72
"""Height of the axes with their labels, divided by their width."""

_MOST_LEGEND_COLUMNS = 6
"""Largest number of methods in a line of the legend."""


def draw_scatter(scatter: Scatter, width: float) -> Figure:
    """Draw a point for each method, with its 95 % intervals.

    Args:
        scatter: Points to draw.
        width: Width of the figure in inches.
    """
    figure, axes = _new_axes()
    for point in scatter.points:
        x, y = point.x.value, point.y.value
        axes.errorbar(x, y, xerr=_bars(point.x), yerr=_bars(point.y), fmt="none", ecolor=_colour(point), elinewidth=0.7)
        axes.plot(x, y, **_marker(point), linestyle="none", zorder=3, label=replace_unprintable(point.title))
    if scatter.x.logarithmic:
        _make_logarithmic(axes, [point.x.value for point in scatter.points])
    axes.set_xlabel(scatter.x.directed_label)
    axes.set_ylabel(scatter.y.directed_label)
    _fit(figure, width)
    return figure


def draw_lines(lines: Lines, width: float) -> Figure:
    """Draw G-STD by the number of runs, with bands of its 95 % intervals.

    Args:
        lines: Lines to draw.
        width: Width of the figure in inches.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = _new_axes()
    for line in lines.lines:
        runs = [count.runs for count in line.counts]
        lows, highs = zip(*(count.interval for count in line.counts), strict=True)
        axes.fill_between(runs, lows, highs, color=_colour(line), alpha=0.2, linewidth=0)
        axes.plot(runs, [count.g_std for count in line.counts], **_marker(line), label=replace_unprintable(line.title))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Runs per image")
    axes.set_ylabel(lines.y.directed_label)
    _fit(figure, width)
    return figure


def _new_axes() -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    axes = figure.add_subplot()
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    return figure, axes


def _fit(figure: Figure, width: float) -> None:
    """Add the legend below the axes, in as many columns as fit into the width, and make the figure higher for it."""
    figure.set_size_inches(width, _SHAPE * width)
    for columns in range(_MOST_LEGEND_COLUMNS, 0, -1):
        legend = figure.legend(loc="outside lower center", ncols=columns)
        extent = legend.get_window_extent()
        if extent.width <= figure.bbox.width:
            break
        if columns > 1:
            legend.remove()
    figure.set_size_inches(width, _SHAPE * width + extent.height / figure.dpi)


def _colour(shown: Point | Line) -> str:
    return colour_of(shown.place).on_light


def _marker(shown: Point | Line) -> dict[str, Any]:
    marker = marker_of(shown.place).matplotlib
    return {"color": _colour(shown), "marker": marker, "markeredgecolor": "white", "markeredgewidth": 0.4}


def _make_logarithmic(axes: Axes, values: list[float]) -> None:
    """Make the x axis logarithmic, with enough numbers to read it even where it spans less than a decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    few_decades = max(values) < 100 * min(values)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few_decades else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _bars(estimate: Estimate) -> list[list[float]] | None:
    """Return the lengths of the bar below and above the value, as matplotlib takes them."""
    if estimate.interval is None:
        return None
    low, high = estimate.interval
    return [[estimate.value - low], [high - estimate.value]]
