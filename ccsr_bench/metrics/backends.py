"""LPIPS, DISTS and NIQE by other packages, from the same files of weights, to compare with our implementations.

A package is imported when its metric is built, and never downloads anything.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import warnings
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ccsr_bench.devices.batches import Batches
from ccsr_bench.devices.torchvision_operators import import_torchvision
from ccsr_bench.errors import MetricUnavailableError
from ccsr_bench.metrics.base import ImageBatch, crop_border, crop_text
from ccsr_bench.metrics.dists import read_similarity_weights
from ccsr_bench.metrics.lpips import NETS, read_channel_weights
from ccsr_bench.metrics.networks.alexnet_vgg import ARCHITECTURES, check_size, read_features
from ccsr_bench.metrics.networks.precision import Precision, network_precision
from ccsr_bench.metrics.networks.weights import load_strictly
from ccsr_bench.metrics.niqe import check_block
from ccsr_bench.metrics.weight_files import FILES, verified_weights


def _import(package: str, metric: str, licence: str = "") -> tuple[Any, str]:
    """Return a package and its version.

    Args:
        package: Name of the package and of the extra that installs it.
        metric: Name of the metric, for the error.
        licence: What the error says about the package's licence.
    """
    import_torchvision()
    try:
        return importlib.import_module(package), importlib.metadata.version(package)
    except ImportError as error:
        raise MetricUnavailableError(
            f"{metric}: {package} cannot be imported ({error}): run `pip install 'ccsr-bench[{package}]'`{licence}"
        ) from error


class LPIPSPackage:
    """LPIPS 0.1 by its authors' package ``lpips``.

    Args:
        device: Device of the network.
        precision: Precision of the network: ``fast`` uses TF32 on a GPU, otherwise both are float32.
        net: ``alex`` for AlexNet or ``vgg`` for VGG16.
        crop: Width of the border to leave out, in pixels.

    Raises:
        MetricUnavailableError: The package or a file of weights is missing.
        BenchError: A file of weights is not the published one.
    """

    def __init__(
        self,
        *,
        device: torch.device,
        precision: Precision = "exact",
        net: Literal["alex", "vgg"] = "alex",
        crop: int = 0,
    ) -> None:
        package, version = _import("lpips", "lpips")
        self._architecture, self._crop = NETS[net].architecture, crop
        architecture = ARCHITECTURES[self._architecture]
        features, features_cited = read_features("lpips", self._architecture)
        weights, weights_cited = read_channel_weights(net, architecture.channels)
        with warnings.catch_warnings():  # torchvision warns about arguments that the package passes
            warnings.simplefilter("ignore", UserWarning)
            self._network = package.LPIPS(net=net, pretrained=False, pnet_rand=True, eval_mode=True, verbose=False)
        tensors = {name: tensor for name, tensor in self._network.state_dict().items() if name.startswith("scaling_")}
        for stage, convolutions in enumerate(architecture.stages):
            for name in (f"{layer.number}.{kind}" for layer in convolutions for kind in ("weight", "bias")):
                tensors[f"net.slice{stage + 1}.{name}"] = features[f"features.{name}"]
            for part in (f"lin{stage}", f"lins.{stage}"):
                tensors[f"{part}.model.1.weight"] = weights[stage].float()[None, :, None, None]
        load_strictly(self._network, tensors, FILES[self._architecture].name)
        self._network.to(device).requires_grad_(False)
        self._batches = Batches(device, 1)
        self.definition = (
            f"{NETS[net].label} 0.1 on RGB x/255, no resizing; {crop_text(crop)}; {architecture.title}, "
            f"{network_precision(precision, device)} (lpips {version}); "
            f"{features_cited}, {weights_cited}"
        )

    def prepare(self, reference: ImageBatch) -> Tensor:
        """Return the (1, 3, H, W) reference, whose features the package computes again for every output."""
        cropped = crop_border(reference.rgb, self._crop)
        check_size("lpips", self._architecture, cropped)
        return cropped

    def score(self, outputs: ImageBatch, prepared: Tensor) -> Tensor:
        """Return (N,) float64, 0 or more; see `ccsr_bench.metrics.base.Metric`."""

        def distance(images: Tensor) -> Tensor:
            values: Tensor = self._network(prepared, images, normalize=True)
            return values.flatten().double()

        return self._batches.map(distance, crop_border(outputs.rgb, self._crop))


class DISTSPackage:
    """DISTS by the package ``piq``.

    Args:
        device: Device of the network.
        precision: Precision of the network: ``fast`` uses TF32 on a GPU, otherwise both are float32.
        resize: Whether larger images are first reduced bilinearly to 256 pixels on the shorter side, as in
            ``piq.DISTS`` but not in other implementations of the metric.

    Raises:
        MetricUnavailableError: The package or a file of weights is missing.
        BenchError: A file of weights is not the published one.
    """

    def __init__(self, *, device: torch.device, precision: Precision = "exact", resize: bool = False) -> None:
        package, version = _import("piq", "dists")
        architecture = ARCHITECTURES["vgg16"]
        tensors, features_cited = read_features("dists", "vgg16")
        channels = [3, *architecture.channels]
        alpha, beta, weights_cited = read_similarity_weights(channels)
        total = alpha.sum() + beta.sum()
        parts = [
            part[:, :, None, None]
            for weights in (alpha, beta)
            for part in torch.split((weights / total).float(), channels, 1)
        ]
        features = _vgg16()
        load_strictly(
            features, {name.removeprefix("features."): tensor for name, tensor in tensors.items()}, FILES["vgg16"].name
        )
        # The constructor of `DISTS` downloads weights; the rest of it is repeated here.
        self._network = package.DISTS.__new__(package.DISTS)
        self._content_loss = package.ContentLoss
        self._content_loss.__init__(
            self._network,
            feature_extractor=features,
            layers=[str(convolutions[-1].number + 1) for convolutions in architecture.stages],
            weights=parts,
            replace_pooling=True,
            reduction="none",
            allow_layers_weights_mismatch=True,
        )
        self._network.to(device)
        self._resize = resize
        self._batches = Batches(device, 1)
        size = "256 pixels on the shorter side where larger, bilinear" if resize else "no resizing"
        self.definition = (
            f"DISTS on RGB x/255 standardised by ImageNet's mean and deviation, {size}; {crop_text(0)}; "
            f"VGG16 with L2 pooling, {network_precision(precision, device)} (piq {version}); "
            f"{features_cited}, {weights_cited}"
        )

    def prepare(self, reference: ImageBatch) -> Tensor:
        """Return the (1, 3, H, W) reference, whose features the package computes again for every output."""
        check_size("dists", "vgg16", reference.rgb)
        return reference.rgb

    def score(self, outputs: ImageBatch, prepared: Tensor) -> Tensor:
        """Return (N,) float64, 0 or more except for rounding; see `ccsr_bench.metrics.base.Metric`."""

        def distance(images: Tensor) -> Tensor:
            values: Tensor = (
                self._network(images, prepared)
                if self._resize
                else 1 - self._content_loss.forward(self._network, images, prepared)
            )
            return values.double()

        return self._batches.map(distance, outputs.rgb)


class NIQEPackage:
    """NIQE by pyiqa, whose licence is non-commercial, on Y of full-range YIQ.

    pyiqa computes a part of it in float32, so the score of an image can differ by up to 2e-2 between machines.

    Args:
        device: Device of the metric.

    Raises:
        MetricUnavailableError: pyiqa or the model of natural images is missing.
        BenchError: The model of natural images is not the published one.
    """

    def __init__(self, *, device: torch.device) -> None:
        path, sha256 = verified_weights("niqe", "niqe")
        package, version = _import("pyiqa", "niqe", " (its licence is non-commercial)")
        self._network = package.create_metric("niqe", device=device, pretrained_model_path=str(path))
        # Ledgers recorded with this definition are resumed only as long as no letter of it changes.
        self.definition = (
            f"NIQE by pyiqa {version} on Y of full-range YIQ, rounded to 8 bits; no crop; "
            f"96x96 blocks at two scales; {path.name} sha256 {sha256[:12]}"
        )

    def prepare(self, reference: ImageBatch) -> None:
        """Return nothing: NIQE has no reference."""

    def score(self, outputs: ImageBatch, prepared: None) -> Tensor:  # noqa: ARG002
        """Return (N,) float64, 0 or more; see `ccsr_bench.metrics.base.Metric`."""
        check_block(outputs)
        # One image at a time: faster on a CPU than a batch of pyiqa's, and the score cannot depend on other images.
        return torch.stack([self._network(image[None]).reshape(()) for image in outputs.rgb])


def _vgg16() -> nn.Sequential:
    """Return VGG16's convolutions, with torchvision's numbers as names."""
    layers: list[nn.Module] = []
    architecture = ARCHITECTURES["vgg16"]
    for convolutions, pooled in zip(architecture.stages, architecture.pooled, strict=True):
        if pooled:
            layers.append(nn.MaxPool2d(2))
        for convolution in convolutions:
            layers += [convolution.layer(), nn.ReLU()]
    return nn.Sequential(*layers)
