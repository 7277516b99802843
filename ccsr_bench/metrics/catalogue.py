"""The metrics and protocols that exist; heavy libraries are imported only when a metric is built."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from ccsr_bench.errors import MetricUnavailableError, unknown_name

if TYPE_CHECKING:
    import torch

    from ccsr_bench.metrics.base import FeatureExtractor, Metric, SetMetric
    from ccsr_bench.metrics.networks.precision import Precision


@dataclass(frozen=True)
class MetricInfo:
    """Description of a metric that is available without loading it."""

    name: str
    label: str
    """Name in tables, as the paper prints it."""
    title: str
    higher_is_better: bool
    kind: Literal["reference", "no-reference", "distribution"]
    """A distribution metric compares the set of outputs of one run with the set of references."""
    decimals: int
    """Decimals of the value in a table, as the paper prints it."""
    entry: str
    """``module:attribute`` of the metric's class or, for a distribution metric, of the function for the distance."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the class."""
    network: bool = False
    """Whether the class takes `device` and `precision`."""
    on_device: bool = False
    """Whether the class takes `device` but not `precision`."""
    weights: tuple[str, ...] = ()
    """Keys of the needed files in `ccsr_bench.metrics.weight_files.FILES`."""
    backends: Mapping[str, str] = field(default_factory=dict)
    """Other package that can compute the metric -> ``module:attribute`` of the class that does so."""
    unit: str = ""
    default: bool = True
    """Whether the metric is computed where no metrics are named."""
    licence: str = "Apache-2.0"


METRICS: Mapping[str, MetricInfo] = {
    info.name: info
    for info in (
        MetricInfo(
            name="psnr",
            label="PSNR",
            title="Peak signal-to-noise ratio, dB",
            unit="dB",
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
            name="lpips",
            label="LPIPS",
            title="Learned perceptual image patch similarity, AlexNet v0.1",
            higher_is_better=False,
            kind="reference",
            decimals=4,
            entry="ccsr_bench.metrics.lpips:LPIPS",
            network=True,
            weights=("alexnet", "lpips-alex"),
            backends={"lpips": "ccsr_bench.metrics.backends:LPIPSPackage"},
        ),
        MetricInfo(
            name="lpips-vgg",
            label="LPIPS-VGG",
            title="Learned perceptual image patch similarity, VGG-16 v0.1",
            higher_is_better=False,
            kind="reference",
            decimals=4,
            entry="ccsr_bench.metrics.lpips:LPIPS",
            options={"net": "vgg"},
            network=True,
            weights=("vgg16", "lpips-vgg"),
            backends={"lpips": "ccsr_bench.metrics.backends:LPIPSPackage"},
            default=False,
        ),
        MetricInfo(
            name="dists",
            label="DISTS",
            title="Deep image structure and texture similarity",
            higher_is_better=False,
            kind="reference",
            decimals=4,
            entry="ccsr_bench.metrics.dists:DISTS",
            network=True,
            weights=("vgg16", "dists"),
            backends={"piq": "ccsr_bench.metrics.backends:DISTSPackage"},
        ),
        MetricInfo(
            name="fid",
            label="FID",
            title="Fréchet inception distance",
            higher_is_better=False,
            kind="distribution",
            decimals=2,
            entry="ccsr_bench.metrics.frechet:frechet_distance",
            network=True,
            weights=("inception",),
        ),
        MetricInfo(
            name="kid",
            label="KID",
            title="Kernel inception distance",
            higher_is_better=False,
            kind="distribution",
            decimals=4,
            entry="ccsr_bench.metrics.frechet:kernel_distance",
            network=True,
            weights=("inception",),
        ),
        MetricInfo(
            name="niqe",
            label="NIQE",
            title="Natural image quality evaluator",
            higher_is_better=False,
            kind="no-reference",
            decimals=2,
            entry="ccsr_bench.metrics.niqe:NIQE",
            weights=("niqe",),
            on_device=True,
            backends={"pyiqa": "ccsr_bench.metrics.backends:NIQEPackage"},
        ),
        MetricInfo(
            name="clipiqa",
            label="CLIPIQA",
            title="CLIP image quality assessment, ResNet-50",
            higher_is_better=True,
            kind="no-reference",
            decimals=4,
            entry="ccsr_bench.metrics.clipiqa:CLIPIQA",
            network=True,
            weights=("clip-rn50",),
        ),
        MetricInfo(
            name="musiq",
            label="MUSIQ",
            title="Multi-scale image quality transformer, KonIQ-10k",
            higher_is_better=True,
            kind="no-reference",
            decimals=2,
            entry="ccsr_bench.metrics.musiq:MUSIQ",
            network=True,
            weights=("musiq-koniq",),
        ),
        MetricInfo(
            name="maniqa",
            label="MANIQA",
            title="Multi-dimension attention network for image quality assessment, PIPAL",
            higher_is_better=True,
            kind="no-reference",
            decimals=4,
            entry="ccsr_bench.metrics.maniqa:MANIQA",
            network=True,
            weights=("maniqa-pipal",),
        ),
        MetricInfo(
            name="maniqa-koniq",
            label="MANIQA-KonIQ",
            title="Multi-dimension attention network for image quality assessment, KonIQ-10k",
            higher_is_better=True,
            kind="no-reference",
            decimals=4,
            entry="ccsr_bench.metrics.maniqa:MANIQA",
            options={"weights": "koniq"},
            network=True,
            weights=("maniqa-koniq",),
            default=False,
        ),
    )
}
"""All metrics by name, in the order of the paper's tables."""


@dataclass(frozen=True)
class MetricProtocol:
    """A named preset of metric definitions. Scores of different protocols are never mixed."""

    name: str
    title: str
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Metric -> arguments of its class, where they differ from the metric's defaults."""
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
            options={name: {"crop": 4} for name in ("psnr", "ssim", "lpips", "lpips-vgg")},
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


def recorded_backend(metric: str, definition: str) -> str | None:
    """Return the name of the other package that a recorded definition names; None for our own implementation."""
    packages = METRICS[metric].backends if metric in METRICS else ()
    return next((package for package in packages if re.search(rf"\b{package} \d+\.\d", definition)), None)


def needed_weights(metrics: Sequence[MetricInfo]) -> list[str]:
    """Return the keys in `ccsr_bench.metrics.weight_files.FILES` of the files that metrics need, each once."""
    return list(dict.fromkeys(key for info in metrics for key in info.weights))


def entry_point(entry: str) -> Any:
    """Import the object that a ``module:attribute`` of the catalogue names."""
    module, _, attribute = entry.partition(":")
    return getattr(importlib.import_module(module), attribute)


def build_metric(
    name: str,
    protocol: MetricProtocol,
    device: torch.device,
    *,
    precision: Precision = "exact",
    backend: str | None = None,
) -> Metric:
    """Build a metric that scores images, with a protocol's definition.

    Args:
        name: Name of a metric that is not a distribution metric.
        protocol: Protocol that determines the definition.
        device: Device of the metric.
        precision: Precision of the metric's network.
        backend: Other package that computes the metric; None for our own implementation.

    Raises:
        MetricUnavailableError: The package or the weights of the metric are missing.
        BenchError: There is no such metric, or the package cannot compute it.
    """
    info = find_metric(name)
    options = {**info.options, **protocol.options.get(name, {})}
    if backend is not None and backend not in info.backends:
        raise unknown_name(f"backend of {name}", backend, info.backends)
    build = entry_point(info.entry if backend is None else info.backends[backend])
    if info.network or info.on_device:
        options |= {"device": device}
    if info.network:
        options |= {"precision": precision}
    return cast("Metric", build(**options))


def build_metrics(
    names: Sequence[str] | None,
    protocol: MetricProtocol,
    device: torch.device,
    *,
    precision: Precision = "exact",
    backends: Mapping[str, str] | None = None,
) -> tuple[dict[str, Metric | SetMetric], dict[str, str]]:
    """Build the requested metrics, or every default metric that is available on this machine.

    Args:
        names: Names of the requested metrics; None for all default metrics.
        protocol: Protocol that determines the definitions.
        device: Device of the metrics.
        precision: Precision of the metrics' networks.
        backends: Metric -> other package that computes it.

    Returns:
        The metrics by name, and for each skipped metric the reason.

    Raises:
        BenchError: A requested metric is not available.
    """
    from ccsr_bench.metrics.base import SetMetric  # imports torch

    chosen = backends or {}
    built: dict[str, Metric | SetMetric] = {}
    skipped: dict[str, str] = {}
    extractor: FeatureExtractor | None = None
    for name in names if names is not None else [info.name for info in METRICS.values() if info.default]:
        try:
            if find_metric(name).kind == "distribution":
                extractor = extractor or entry_point(_EXTRACTOR)(device=device, precision=precision)
                built[name] = SetMetric(entry_point(_SET_DEFINITIONS[name])(extractor.definition), extractor)
            else:
                built[name] = build_metric(name, protocol, device, precision=precision, backend=chosen.get(name))
        except MetricUnavailableError as error:
            if names is not None or name in chosen:
                raise
            skipped[name] = str(error)
    return built, skipped


_EXTRACTOR = "ccsr_bench.metrics.inception_features:InceptionFeatures"
_SET_DEFINITIONS = {
    "fid": "ccsr_bench.metrics.frechet:fid_definition",
    "kid": "ccsr_bench.metrics.frechet:kid_definition",
}
