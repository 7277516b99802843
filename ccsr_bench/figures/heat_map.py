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
"""Inches between maps."""

_TITLE = 0.29
"""Inches above a map, for the method's name and L-STD."""

_BAR = 0.1
"""Width of the colour bar in inches."""

_BAR_TEXT = 0.42
"""Width of the numbers at the colour bar in inches."""

_MOST_ACROSS = 4
"""Largest number of maps in a row."""


def draw_heat_maps(maps: Sequence[HeatMap], width: float) -> Figure:
    """Draw maps side by side on a common scale.

    Args:
        maps: Maps of one image, one for each method.
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
    top = 255 * std_map_top(heat_map.std for heat_map in maps)
    colour_map = ListedColormap(colours() / 255)
    for index, heat_map in enumerate(maps):
        box = Box(index % across * (side + _GAP), index // across * (height + _TITLE) + _TITLE, side, height)
        axes = axes_at(figure, box)
        drawn = axes.imshow(255 * heat_map.std, cmap=colour_map, vmin=0, vmax=top, interpolation="none", aspect="auto")
        axes.set_axis_off()
        write_text(figure, heat_map.title, box.left + side / 2, box.top - _TITLE + 0.03, side)
        write_text(figure, f"L-STD {heat_map.l_std:.4f}", box.left + side / 2, box.top - _TITLE + 0.155, side)
    bar = axes_at(figure, Box(across * (side + _GAP), _TITLE, _BAR, rows * (height + _TITLE) - _TITLE))
    figure.colorbar(drawn, cax=bar, extend="max").set_label("STD (grey levels)")
    return figure
