"""Which metrics a plot shows unless others are asked for."""

from __future__ import annotations

from collections.abc import Sequence

DISTORTION = ("psnr", "lpips", "ssim", "dists")
"""Metrics of the distance from the reference, the preferred one first; every plot of quality starts with it."""

PERCEPTION = ("musiq", "clipiqa", "maniqa", "niqe", "fid")
"""Metrics of how natural an output looks, the preferred one first."""


def choose_metric(scored: Sequence[str], preferred: Sequence[str], *, beside: str | None = None) -> str:
    """Return the first preferred metric that was scored, or else the first one that was.

    Args:
        scored: Metrics to choose from, at least one.
        preferred: Metrics in the order of preference.
        beside: A metric on the other axis, which is chosen only where there is no other.
    """
    others = [metric for metric in scored if metric != beside] or list(scored)
    return next((metric for metric in preferred if metric in others), others[0])
