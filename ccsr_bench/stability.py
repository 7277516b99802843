"""Stability: how much a method's outputs differ from run to run.

Definitions of the CCSR paper, as its authors' code computes them (`cal_iqa/iqa_G-STD.py` and `iqa_L-STD.py` of
github.com/csslc/CCSR; Eq. (5) of the paper lacks a square that the code has): population standard deviations (ddof 0)
over the runs of one image, averaged over images. Every function works on one image or on per-image values, so memory
does not grow with the data set.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

L_STD_DEFINITION = (
    "L-STD: mean over images, pixels and RGB channels of the population standard deviation (ddof 0) over runs, "
    "x in [0, 1]"
)
G_STD_DEFINITION = "G-STD, mean over images of the population standard deviation (ddof 0) of the score over runs"


SATURATED_ABOVE = 99.5
"""The percentile of a map above which all pixels have the last colour, so that a few do not darken the rest."""


def finite(name: str, values: np.ndarray, dimensions: int) -> np.ndarray:
    """Return numbers as float64, after checking that each of them is one.

    Args:
        name: Name of the argument, for the error.
        values: The numbers.
        dimensions: Number of dimensions that they must have.

    Raises:
        ValueError: The numbers have another number of dimensions, there is none, or one is not finite.
    """
    array = np.asarray(values, np.float64)
    if array.ndim != dimensions or array.size == 0:
        raise ValueError(f"`{name}` has shape {array.shape}: it must have {dimensions} dimensions and hold a number")
    if not np.isfinite(array).all():
        raise ValueError(f"`{name}` holds {np.count_nonzero(~np.isfinite(array))} values that are not finite")
    return array


def spread(scores: np.ndarray) -> np.ndarray:
    """Return each image's population standard deviation over its runs.

    Args:
        scores: (M, N) float, the score of run i on image j at [j, i].

    Returns:
        (M,) float64. Equal scores give exactly 0.

    Raises:
        ValueError: A score is not finite, or the shape is another.
    """
    values = finite("scores", scores, 2)
    # Without the shift the rounding of the mean would leave 1e-17 where all runs are equal.
    return np.asarray((values - values[:, :1]).std(axis=1))


def g_std(scores: np.ndarray) -> float:
    """Return the global standard deviation, the mean over images of `spread`.

    Args:
        scores: (M, N) float, the score of run i on image j at [j, i].

    Raises:
        ValueError: A score is not finite, or the shape is another.
    """
    return float(spread(scores).mean())


def std_map(outputs: np.ndarray, *, crop: int = 0) -> np.ndarray:
    """Return where one image's outputs differ: over runs for each pixel and channel, averaged over channels.

    Exact in integers up to the square root, so equal outputs give exactly 0.

    Args:
        outputs: (N, H, W, 3) uint8 RGB, the N outputs for one image.
        crop: Border to leave out, in pixels.

    Returns:
        (H - 2 crop, W - 2 crop) float64 in units of [0, 1]; 1/255 is one grey level.

    Raises:
        ValueError: The outputs are no such array, or the crop is negative or leaves no pixel.
    """
    outputs = np.asarray(outputs)
    if outputs.dtype != np.uint8 or outputs.ndim != 4 or outputs.shape[3] != 3 or len(outputs) == 0:
        raise ValueError(f"`outputs` is {outputs.dtype} {outputs.shape}: it must be (N, H, W, 3) uint8, 8-bit RGB")
    if crop < 0:
        raise ValueError(f"`crop` is {crop}: it must be 0 or more")
    if crop:
        outputs = outputs[:, crop:-crop, crop:-crop]
    if outputs.size == 0:
        raise ValueError("the crop leaves no pixel")
    runs = len(outputs)
    total = np.zeros(outputs.shape[1:], np.int64)
    squares = np.zeros(outputs.shape[1:], np.int64)
    for output in outputs:  # one run at a time: half the memory of a stack of integers
        values = output.astype(np.int64)
        total += values
        squares += values * values
    return np.asarray(np.sqrt(runs * squares - total * total).mean(axis=2) / (runs * 255))


def l_std(outputs: np.ndarray, *, crop: int = 0) -> float:
    """Return one image's local standard deviation, the mean over pixels of `std_map`; its arguments and errors.

    Returns:
        In units of [0, 1]; 1/255 is one grey level.
    """
    return float(std_map(outputs, crop=crop).mean())


def std_map_top(maps: Iterable[np.ndarray]) -> float:
    """Return where the common colour scale of several maps ends: at the highest of their percentiles `SATURATED_ABOVE`.

    Args:
        maps: As `std_map` returns them.

    Returns:
        In units of [0, 1], at least one grey level, so that rounding noise is not shown as movement.
    """
    return max([1 / 255, *(float(np.percentile(one, SATURATED_ABOVE)) for one in maps)])
