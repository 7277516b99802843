"""The colours and the markers of methods, which are the same in every figure and everywhere in a report."""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """The colour of a method, in two versions; text in either has a contrast of at least 4.5 to 1 with its page."""

    on_light: str
    """Version for a white page, as in every figure."""
    on_dark: str
    """Version for the dark page of a report."""


class Marker(NamedTuple):
    """The shape of a method's points."""

    matplotlib: str
    """matplotlib's name of the shape."""
    svg: str
    """Data of an SVG path that draws the same shape around (0, 0), about 14 wide."""


COLOURS = (
    Colour("#097cb6", "#1ebae6"),
    Colour("#c74284", "#ed3788"),
    Colour("#13663b", "#bcfec9"),
    Colour("#8d6f20", "#ffd25f"),
    Colour("#232323", "#eaeaea"),
    Colour("#5c3100", "#ce9068"),
    Colour("#1d3968", "#5b86c0"),
)
"""Colours chosen by a search: any two of the same version differ by at least 10 in CIEDE2000, as seen by readers with
normal vision, deuteranopia, protanopia or tritanopia (Machado et al., 2009)."""

MARKERS = (
    Marker("o", "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0Z"),
    Marker("s", "M-5.5-5.5h11v11h-11Z"),
    Marker("^", "M0-7 6.5 5H-6.5Z"),
    Marker("D", "M0-7.5 7.5 0 0 7.5-7.5 0Z"),
    Marker("v", "M-6.5-5H6.5L0 7Z"),
    Marker("P", "M-2.5-7h5v4.5H7v5H2.5V7h-5V2.5H-7v-5h4.5Z"),
    Marker("X", "M-3.5-7 0-3.5 3.5-7 7-3.5 3.5 0 7 3.5 3.5 7 0 3.5-3.5 7-7 3.5-3.5 0-7-3.5Z"),
    Marker("<", "M-7 0 5-6.5V6.5Z"),
    Marker(">", "M7 0-5-6.5V6.5Z"),
    Marker("*", "M0-7.5 2.2-2.8 7.1-2.3 3.4 1 4.4 6.1 0 3.5-4.4 6.1-3.4 1-7.1-2.3-2.2-2.8Z"),
)
"""Shapes that can be told apart in black and white, too. The number of shapes and the number of colours have no common
factor, so no two of 70 methods look alike."""


def colour_of(place: int) -> Colour:
    """Return the colour of the method at a place in the list of all compared methods."""
    return COLOURS[place % len(COLOURS)]


def marker_of(place: int) -> Marker:
    """Return the marker of the method at a place in the list of all compared methods."""
    return MARKERS[place % len(MARKERS)]
