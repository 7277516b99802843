"""The style and the file format of all figures, and the drawing of boxes and texts that they share."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PNG_DPI = 300
"""Pixels per inch."""

_FONT = "DejaVu Sans"
"""A font that ships with matplotlib, so that a figure is the same on every machine."""

_TEXT_SIZE = 7
"""Size of texts in points."""

_STYLE = {
    "axes.linewidth": 0.6,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
    "font.family": _FONT,
    "font.size": _TEXT_SIZE,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "legend.borderpad": 0.2,
    "legend.columnspacing": 1.2,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handletextpad": 0.4,
    "lines.linewidth": 1.0,
    "lines.markersize": 6,
    "pdf.fonttype": 42,  # TrueType: the text stays text, and publishers refuse Type 3
    "text.hinting": "none",  # the width of a text is the same at every resolution, so that it can be measured
    "text.parse_math": False,  # print a literal "$"
    "xtick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.labelsize": 7,
    "ytick.major.width": 0.6,
}


class Box(NamedTuple):
    """A rectangle of a figure, in inches from the figure's upper left corner."""

    left: float
    top: float
    width: float
    height: float


def check_library() -> None:
    """Raise a `BenchError` where matplotlib is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise BenchError("a figure needs matplotlib: run `pip install 'ccsr-bench[figures]'`")


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw and save in the same style on every machine, whatever the user's settings of matplotlib are."""
    import matplotlib.style

    with matplotlib.style.context(["default", _STYLE]):
        yield


def axes_at(figure: Figure, box: Box) -> Axes:
    """Return new axes that fill a box of a figure."""
    width, height = figure.get_size_inches()
    bounds = (box.left / width, 1 - (box.top + box.height) / height, box.width / width, box.height / height)
    return figure.add_axes(bounds)


def write_text(figure: Figure, text: str, x: float, top: float, room: float) -> None:
    """Write a centred line of text, in a smaller size where it would be wider than the room.

    Args:
        figure: Figure to write into.
        text: Text without line breaks.
        x: Horizontal centre of the line, in inches from the figure's left edge.
        top: Upper edge of the line, in inches from the figure's upper edge.
        room: Largest width of the line in inches.
    """
    width, height = figure.get_size_inches()
    written = figure.text(
        x / width, 1 - top / height, replace_unprintable(text), fontsize=_TEXT_SIZE, ha="center", va="top"
    )
    wide = written.get_window_extent().width / figure.dpi
    if wide > room:
        written.set_fontsize(_TEXT_SIZE * room / wide)


def replace_unprintable(text: str) -> str:
    """Replace every character that the font lacks by its code point, as in LaTeX tables."""
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont(_FONT)).get_charmap()
    return "".join(character if ord(character) in known else f"U+{ord(character):04X}" for character in text)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PDF or PNG, as the path's suffix says; the same figure gives the same bytes.

    Raises:
        OSError: The file cannot be written.
    """
    kind = path.suffix.lower().lstrip(".")
    undated = {"pdf": {"CreationDate": None}, "png": {"Software": None}}[kind]
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=_PNG_DPI, metadata=undated)
    write_atomically(path, buffer.getvalue())
