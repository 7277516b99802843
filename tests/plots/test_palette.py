"""The colours and markers of methods."""

from __future__ import annotations

import numpy as np
import pytest

from ccsr_bench.plots.colour_map import LEVELS, colours
from ccsr_bench.plots.palette import COLOURS, MARKERS, colour_of, marker_of

LIGHT_PAGE, DARK_PAGE = "#ffffff", "#14171b"


def linear(colour: str) -> np.ndarray:
    """Return a colour in linear RGB."""
    channels = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.asarray(np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, by WCAG."""
    low, high = sorted(float(linear(colour) @ (0.2126, 0.7152, 0.0722)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_no_two_of_seventy_methods_look_alike() -> None:
    assert len({(colour_of(place), marker_of(place)) for place in range(70)}) == 70
    assert len({marker.svg for marker in MARKERS}) == len({marker.matplotlib for marker in MARKERS}) == len(MARKERS)


@pytest.mark.parametrize("colour", COLOURS)
def test_names_can_be_read_in_the_colour_of_their_method(colour: tuple[str, str]) -> None:
    light, dark = colour
    assert contrast(light, LIGHT_PAGE) >= 4.5
    assert contrast(dark, DARK_PAGE) >= 4.5


def test_colour_map_is_viridis() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="needs the extra `figures`")
    viridis = 255 * matplotlib.colormaps["viridis"](np.linspace(0, 1, LEVELS))[:, :3]
    assert np.abs(colours() - viridis).max() < 1


def test_brighter_is_more() -> None:
    brightness = (colours() / 255) ** 2.2 @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(brightness) > 0).all()
