"""Deterministic networks that the library spandrel loads from one checkpoint."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ccsr_bench.errors import BenchError
from ccsr_bench.methods.base import Execution


class SpandrelModel:
    """A network that restores a whole image at once and draws no noise.

    spandrel recognises the network by the names of the tensors in the file, and computes the same function as the
    authors' code: with random weights of full size, no pixel differed from the code of BSRGAN and SwinIR (float32 on a
    CPU). As with their scripts, a GPU may multiply float32 in TF32, which is torch's default.

    Args:
        architecture: Name of the architecture in spandrel.
        file: File name of the checkpoint in the folder of the weights.
        weights: Folder by role; the role is ``network``.
        execution: Settings of the network, which runs in float32 by default.
        mirror_to_next: Number whose next larger multiple each side is padded to before the network, below and to the
            right, by mirroring; a side that is already a multiple is padded too. The padding is cut off from the
            output. 0 for no padding.
        scale: Magnification.

    Raises:
        BenchError: The file holds another network, the network does not support the settings, or spandrel is missing.
    """

    def __init__(
        self,
        *,
        architecture: str,
        file: str,
        weights: Mapping[str, Path],
        execution: Execution,
        mirror_to_next: int = 0,
        scale: int = 4,
    ) -> None:
        check_libraries()
        if execution.batch not in (None, 1):
            raise BenchError(f"`batch` {execution.batch}: all runs share one output; leave it out")
        if "network" not in weights:
            raise BenchError("the variant names no weights for network")
        self._network = _load(weights["network"] / file, f"{architecture} x{scale}, 3 to 3 channels")
        self._mirror_to_next = mirror_to_next
        self._scale = scale
        _place(self._network, execution)

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Return the same output for every seed; see `ccsr_bench.methods.base.Method`.

        Raises:
            FloatingPointError: The network overflowed.
        """
        import torch

        height, width, _ = lr.shape
        if self._mirror_to_next:
            added = [(0, self._mirror_to_next - side % self._mirror_to_next) for side in (height, width)]
            lr = np.pad(lr, [*added, (0, 0)], mode="symmetric")
        image = torch.from_numpy(lr.astype(np.float32) / 255).permute(2, 0, 1)[None]
        output = self._network(image.to(self._network.device, self._network.dtype)).float()
        output = output[0, :, : self._scale * height, : self._scale * width]
        if not torch.isfinite(output).all():
            raise FloatingPointError(
                f"the network overflowed in {self._network.dtype}; use float32, which has a larger range"
            )
        pixels = (output * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        return np.repeat(pixels[None], len(seeds), axis=0)


def _load(path: Path, expected: str) -> Any:
    """Return spandrel's descriptor of the network in a file.

    Args:
        path: File of the checkpoint.
        expected: Architecture, magnification and channels that the network must have.

    Raises:
        BenchError: The file holds another network, is damaged, or holds objects other than tensors.
    """
    from ccsr_bench.devices.torchvision_operators import import_torchvision  # imports torch

    import_torchvision()
    import spandrel

    advice = "get the published file, or give the folder that contains it as `weights`"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.meshgrid")  # a warning about code of spandrel
            network = spandrel.ModelLoader().load_from_file(path)  # runs no code that a pickle names
    except Exception as error:  # pickle, torch and spandrel raise errors of many types
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise BenchError(f"{path}: not the weights of a network that spandrel knows ({reason}); {advice}") from error
    actual = f"{network.architecture.id} x{network.scale}"
    actual += f", {network.input_channels} to {network.output_channels} channels"
    if actual != expected or not isinstance(network, spandrel.ImageModelDescriptor):
        raise BenchError(f"{path}: holds a network {actual}; it must be {expected}: {advice}")
    return network


def _place(network: Any, execution: Execution) -> None:
    """Move a network to its device and convert it to its precision.

    Raises:
        BenchError: The network does not run in that precision.
    """
    import spandrel
    import torch

    network.to(device=torch.device(execution.device)).eval()
    if execution.dtype is not None:
        try:
            network.to(dtype=getattr(torch, execution.dtype))
            # Try one image, because SwinIR runs in bfloat16 at one size only although spandrel declares support.
            network(torch.zeros(1, network.input_channels, 24, 40, device=network.device, dtype=network.dtype))
        except (spandrel.UnsupportedDtypeError, RuntimeError) as error:
            raise BenchError(
                f"`dtype` {execution.dtype}: {network.architecture.id} does not run in it; leave it out"
            ) from error
    if execution.compiled:
        network.model.compile()


def check_libraries() -> None:
    """Check that spandrel is installed; raises a `BenchError` if not."""
    if importlib.util.find_spec("spandrel") is None:
        raise BenchError("needs `pip install 'ccsr-bench[spandrel]'`")
