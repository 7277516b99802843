"""Drawing a strip: the LR image with the region that is enlarged, then that region of LR, HR and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccsr_bench.figures.drawing import Box, axes_at, write_text
from ccsr_bench.figures.pictures import Group, Strip

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GAP = 0.03
"""Inches between pictures of a group."""

_GROUP_GAP = 0.1
"""Inches between groups."""

_LINE = 0.125
"""Inches from one line of text to the next."""

_TEXT = 2 * _LINE + 0.08
"""Inches below a picture, for its label and its group's title."""

_WIDE = 5.0
"""Width in inches from which a figure has wide rows."""

_WIDE_ROW, _NARROW_ROW = 6, 2
"""Largest numbers of pictures in a row."""

_MARK = "#e6194b"
"""Colour of the square around the region that is enlarged."""


def arrange_rows(groups: list[Group], pictures: int) -> list[list[Group]]:
    """Arrange groups in rows of at most the given number of pictures; no group is divided."""
    rows: list[list[Group]] = [[]]
    for group in groups:
        if _count([*rows[-1], group]) > pictures:
            rows.append([])
        rows[-1].append(group)
    return rows


def draw_strip(strip: Strip, width: float) -> Figure:
    """Draw a strip.

    Args:
        strip: Pictures to draw.
        width: Width of the figure in inches.
    """
    from matplotlib.figure import Figure

    rows = arrange_rows(strip.groups, _WIDE_ROW if width >= _WIDE else _NARROW_ROW)
    tall = min(2, len(rows))  # rows that the overview is as high as
    room = width - (tall - 1) * _TEXT - _GROUP_GAP
    side = min((room - _gaps(row)) / (_count(row) + tall) for row in rows)
    overview = tall * side + (tall - 1) * _TEXT
    figure = Figure(figsize=(width, len(rows) * (side + _TEXT)))
    _draw_overview(figure, strip, overview)
    most = max(map(_count, rows))
    for index, row in enumerate(rows):
        spare = room - tall * side - _count(row) * side - _gaps(row)
        gap = _GROUP_GAP + (spare / (len(row) - 1) if _count(row) == most and len(row) > 1 else 0)
        left, top = overview + _GROUP_GAP, index * (side + _TEXT)
        for group in row:
            _draw_group(figure, group, left, top, side)
            left += len(group.pictures) * (side + _GAP) - _GAP + gap
    return figure


def _count(row: list[Group]) -> int:
    return sum(len(group.pictures) for group in row)


def _gaps(row: list[Group]) -> float:
    return (_count(row) - len(row)) * _GAP + (len(row) - 1) * _GROUP_GAP


def _draw_overview(figure: Figure, strip: Strip, side: float) -> None:
    from matplotlib.patches import Rectangle

    height, width, _ = strip.overview.shape
    shrink = side / max(height, width)
    axes = _picture(figure, Box(0, 0, width * shrink, height * shrink), strip.overview)
    left, top, size = (length / strip.scale for length in strip.region)
    # Pixel centres are at whole numbers.
    axes.add_patch(Rectangle((left - 0.5, top - 0.5), size, size, fill=False, edgecolor=_MARK, linewidth=1.2))
    write_text(figure, strip.image, width * shrink / 2, height * shrink + 0.03, width * shrink)


def _draw_group(figure: Figure, group: Group, left: float, top: float, side: float) -> None:
    for index, picture in enumerate(group.pictures):
        at = left + index * (side + _GAP)
        _picture(figure, Box(at, top, side, side), picture.pixels)
        write_text(figure, picture.label, at + side / 2, top + side + 0.03, side)
    width = len(group.pictures) * (side + _GAP) - _GAP
    write_text(figure, group.title, left + width / 2, top + side + 0.03 + _LINE, width)


def _picture(figure: Figure, box: Box, pixels: np.ndarray) -> Axes:
    axes = axes_at(figure, box)
    axes.imshow(pixels, interpolation="none", aspect="auto")  # a PDF keeps the pixels as they are
    axes.set_axis_off()
    return axes
