"""Drawing heat maps of the standard deviation over runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ccsr_bench.figures.drawing import Box, axes_at, write_text
from ccsr_bench.figures.pictures import HeatMap
from ccsr_bench.plots.colour_map import colours
from ccsr_bench.stability import std_map_top

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GAP = 0.06
_TITLE = 0.29
"""Inches above a map for its method and L-STD."""

_BAR = 0.1
_BAR_TEXT = 0.42
"""Inches for the colour bar and for its numbers."""

_MOST_ACROSS = 4


def draw_heat_maps(maps: Sequence[HeatMap], width: float) -> Figure:
    """Draw the maps side by side, with one scale for all.

    Args:
        maps: The maps of one image, one for each method.
        width: Width of the figure in inches.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    across = min(len(maps), _MOST_ACROSS)
    rows = -(-len(maps) // across)
    side = (width - _BAR - _BAR_TEXT) / across - _GAP
    tall, wide = maps[0].std.shape
    height = side * tall / wide
    figure = Figure(figsize=(width, rows * (height + _TITLE) + 0.05))
    top = 255 * std_map_top(one.std for one in maps)
    colour_map = ListedColormap(colours() / 255)
    for index, one in enumerate(maps):
        box = Box(index % across * (side + _GAP), index // across * (height + _TITLE) + _TITLE, side, height)
        axes = axes_at(figure, box)
        shown = axes.imshow(255 * one.std, cmap=colour_map, vmin=0, vmax=top, interpolation="none", aspect="auto")
        axes.set_axis_off()
        write_text(figure, one.title, box.left + side / 2, box.top - _TITLE + 0.03, side)
        write_text(figure, f"L-STD {one.l_std:.4f}", box.left + side / 2, box.top - _TITLE + 0.155, side)
    bar = axes_at(figure, Box(across * (side + _GAP), _TITLE, _BAR, rows * (height + _TITLE) - _TITLE))
    figure.colorbar(shown, cax=bar, extend="max").set_label("STD (grey levels)")
    return figure
