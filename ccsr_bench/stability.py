"""Stability: how much a method's outputs differ from run to run.

The definitions are the CCSR paper's, as its authors' code computes them (`cal_iqa/iqa_G-STD.py` and `iqa_L-STD.py` of
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
"""Percentile of a map above which all pixels have the last colour, so that a few pixels do not darken the others."""


def check_finite(name: str, values: np.ndarray, dimensions: int) -> np.ndarray:
    """Return numbers as float64, after checking that each of them is finite.

    Args:
        name: Name of the argument, for the error.
        values: Numbers to check.
        dimensions: Required number of dimensions.

    Raises:
        ValueError: The number of dimensions is another, there are no numbers, or a number is not finite.
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
        scores: Scores, (M, N) float, with that of run i on image j at [j, i].

    Returns:
        The standard deviations, (M,) float64. Equal scores give exactly 0.

    Raises:
        ValueError: A score is not finite, or the shape is another.
    """
    values = check_finite("scores", scores, 2)
    # Without the shift the rounding of the mean would leave 1e-17 where all runs are equal.
    return np.asarray((values - values[:, :1]).std(axis=1))


def g_std(scores: np.ndarray) -> float:
    """Return the global standard deviation, the mean over images of `spread`.

    Args:
        scores: Scores, (M, N) float, with that of run i on image j at [j, i].

    Raises:
        ValueError: A score is not finite, or the shape is another.
    """
    return float(spread(scores).mean())


def std_map(outputs: np.ndarray, *, crop: int = 0) -> np.ndarray:
    """Return the map of one image's standard deviations over runs, per pixel and averaged over channels.

    The computation is exact in integers up to the square root, so equal outputs give exactly 0.

    Args:
        outputs: The N outputs for one image, (N, H, W, 3) uint8 RGB.
        crop: Width of the border to leave out, in pixels.

    Returns:
        The map, (H - 2 crop, W - 2 crop) float64 in units of [0, 1]; 1/255 is one grey level.

    Raises:
        ValueError: The outputs are not such an array, or the crop is negative or leaves no pixel.
    """
    outputs = np.asarray(outputs)
    if outputs.dtype != np.uint8 or outputs.ndim != 4 or outputs.shape[3] != 3 or len(outputs) == 0:
        raise ValueError(f"`outputs` is {outputs.dtype} {outputs.shape}: it must be (N, H, W, 3) uint8, 8-bit RGB")
    if crop < 0:
        raise ValueError(f"`crop` is {crop}: it must be 0 or more")
    if crop:
        outputs = outputs[:, crop:-crop, crop:-crop]
    if outputs.size == 0:
        raise ValueError("`crop` leaves no pixel")
    runs = len(outputs)
    total = np.zeros(outputs.shape[1:], np.int64)
    squares = np.zeros(outputs.shape[1:], np.int64)
    for output in outputs:  # one run at a time, which needs half the memory of a stack of integers
        values = output.astype(np.int64)
        total += values
        squares += values * values
    return np.asarray(np.sqrt(runs * squares - total * total).mean(axis=2) / (runs * 255))


def l_std(outputs: np.ndarray, *, crop: int = 0) -> float:
    """Return one image's local standard deviation, the mean over pixels of `std_map`, which has the same arguments.

    Returns:
        The standard deviation in units of [0, 1]; 1/255 is one grey level.
    """
    return float(std_map(outputs, crop=crop).mean())


def std_map_top(maps: Iterable[np.ndarray]) -> float:
    """Return the end of the common colour scale of several maps: the highest of their percentiles `SATURATED_ABOVE`.

    Args:
        maps: Maps that `std_map` returned.

    Returns:
        The end in units of [0, 1], at least one grey level, so that rounding noise is not shown as instability.
    """
    return max([1 / 255, *(float(np.percentile(std, SATURATED_ABOVE)) for std in maps)])
