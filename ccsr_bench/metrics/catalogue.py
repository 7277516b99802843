"""Which metrics and protocols there are; nothing heavy is imported until one is built."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from ccsr_bench.errors import MetricUnavailableError, unknown_name

if TYPE_CHECKING:
    import torch

    from ccsr_bench.metrics.base import Metric


@dataclass(frozen=True)
class MetricInfo:
    """What is known about a metric without loading it."""

    name: str
    label: str
    """As the paper's tables print it."""
    title: str
    higher_is_better: bool
    kind: Literal["reference", "no-reference"]
    decimals: int
    """Of the value in a table, as the paper prints it; spreads have four."""
    entry: str
    network: bool = False
    """Whether it holds a network, which lives on a device."""
    licence: str = "Apache-2.0"


METRICS: Mapping[str, MetricInfo] = {
    info.name: info
    for info in (
        MetricInfo(
            name="psnr",
            label="PSNR",
            title="Peak signal-to-noise ratio, dB",
            higher_is_better=True,
            kind="reference",
            decimals=2,
            entry="ccsr_bench.metrics.psnr:PSNR",
        ),
        MetricInfo(
            name="ssim",
            label="SSIM",
            title="Structural similarity",
            higher_is_better=True,
            kind="reference",
            decimals=4,
            entry="ccsr_bench.metrics.ssim:SSIM",
        ),
        MetricInfo(
            name="niqe",
            label="NIQE",
            title="Natural image quality evaluator",
            higher_is_better=False,
            kind="no-reference",
            decimals=2,
            entry="ccsr_bench.metrics.niqe:NIQE",
            network=True,
            licence="pyiqa: PolyForm Noncommercial 1.0.0",
        ),
    )
}


@dataclass(frozen=True)
class MetricProtocol:
    """A named preset of metric definitions. Scores of different protocols are never mixed."""

    name: str
    title: str
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Metric -> what its definition is built with, where that is not the metric's default."""
    l_std_crop: int = 0
    """Border that L-STD leaves out, in pixels."""


PROTOCOLS: Mapping[str, MetricProtocol] = {
    protocol.name: protocol
    for protocol in (
        MetricProtocol(
            name="paper",
            title="Reproduces the scores that OSEDiff's authors published: Y of limited-range YCbCr, no crop",
        ),
        MetricProtocol(
            name="ccsr-v1",
            title="The CCSR authors' scripts (cal_iqa): as `paper`, with a 4-pixel border left out of reference "
            "metrics and L-STD",
            options={"psnr": {"crop": 4}, "ssim": {"crop": 4}},
            l_std_crop=4,
        ),
        MetricProtocol(
            name="official",
            title="The metrics' own official code, as IQA-PyTorch's calibration pairs record it: PSNR on RGB, SSIM on "
            "full-range grey without a floor at 0",
            options={"psnr": {"colour": "rgb"}, "ssim": {"colour": "grey", "floor_at_zero": False}},
        ),
    )
}

DEFAULT_PROTOCOL = "paper"


def find_protocol(name: str) -> MetricProtocol:
    """Return a protocol by name.

    Raises:
        BenchError: There is no such protocol; near names are given.
    """
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def find_metric(name: str) -> MetricInfo:
    """Return a metric by name.

    Raises:
        BenchError: There is no such metric; near names are given.
    """
    if name not in METRICS:
        raise unknown_name("metric", name, METRICS)
    return METRICS[name]


def build_metric(name: str, protocol: MetricProtocol, device: torch.device) -> Metric:
    """Build a metric with a protocol's definition.

    Raises:
        MetricUnavailableError: Its package or its weights are missing.
        BenchError: There is no such metric.
    """
    info = find_metric(name)
    module, _, attribute = info.entry.partition(":")
    build = getattr(importlib.import_module(module), attribute)
    options = dict(protocol.options.get(name, {}))
    return cast("Metric", build(device=device, **options) if info.network else build(**options))


def build_metrics(
    names: list[str] | None, protocol: MetricProtocol, device: torch.device
) -> tuple[dict[str, Metric], dict[str, str]]:
    """Build the metrics that were asked for, or every metric that can be had here.

    Args:
        names: Metrics asked for by name; None for all.
        protocol: Which definitions.
        device: Where they compute.

    Returns:
        The metrics by name, and the reason for each that was skipped.

    Raises:
        BenchError: A metric asked for by name cannot be had.
    """
    built: dict[str, Metric] = {}
    skipped: dict[str, str] = {}
    for name in names if names is not None else METRICS:
        try:
            built[name] = build_metric(name, protocol, device)
        except MetricUnavailableError as error:
            if names is not None:
                raise
            skipped[name] = str(error)
    return built, skipped
