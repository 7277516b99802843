"""The metrics that plots show by default."""

from __future__ import annotations

from collections.abc import Sequence

DISTORTION = ("psnr", "lpips", "ssim", "dists")
"""Metrics of the distance from the reference, in order of preference. Plots of quality show the first of them that was
scored."""

PERCEPTION = ("musiq", "clipiqa", "maniqa", "niqe", "fid")
"""Metrics of how natural an output looks, in order of preference."""


def choose_metric(scored: Sequence[str], preferred: Sequence[str], *, beside: str | None = None) -> str:
    """Return the first preferred metric that was scored, or the first scored metric where none is preferred.

    Args:
        scored: At least one metric to choose from.
        preferred: Metrics in order of preference.
        beside: Metric on the other axis, which is chosen only where it is the only scored metric.
    """
    others = [metric for metric in scored if metric != beside] or list(scored)
    return next((metric for metric in preferred if metric in others), others[0])
