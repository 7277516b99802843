"""Networks that the library spandrel loads: one checkpoint, one picture for every image."""

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
    """A network that restores an image as a whole and draws no noise.

    spandrel recognises the network by the names in the file, and computes what the authors' code computes: with random
    weights of full size no pixel differed from BSRGAN's and SwinIR's own (float32 on a CPU). As with their scripts, a
    GPU may multiply float32 in TF32, torch's default.

    Args:
        architecture: spandrel's name of the architecture.
        file: File name of the checkpoint in the folder of the weights.
        weights: Folder by role; the role is ``network``.
        execution: How the network runs; in float32 by default.
        mirror_to_next: Before the network, the image is continued below and to the right by its mirror image, up to
            the next larger multiple of this even where its sides are multiples; afterwards that is cut off. 0 for no
            such padding.
        scale: Magnification.

    Raises:
        BenchError: The file holds another network, the network cannot run in this way, or spandrel is missing.
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
            raise BenchError(f"--batch {execution.batch}: all runs share one picture; leave it out")
        if "network" not in weights:
            raise BenchError("the variant names no weights for network")
        self._network = _load(weights["network"] / file, f"{architecture} x{scale}, 3 to 3 channels")
        self._mirror_to_next = mirror_to_next
        self._scale = scale
        _place(self._network, execution)

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Return the same picture for every seed; see `ccsr_bench.methods.base.Method`.

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
            raise FloatingPointError(f"the network overflowed in {self._network.dtype}; --dtype float32 has more room")
        pixels = (output * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        return np.repeat(pixels[None], len(seeds), axis=0)


def _load(path: Path, wanted: str) -> Any:
    """Return spandrel's descriptor of the network in a file.

    Args:
        path: The file.
        wanted: The architecture, magnification and channels that the network must have.

    Raises:
        BenchError: The file holds something else, is damaged, or holds more than tensors.
    """
    from ccsr_bench.devices.torchvision_operators import import_torchvision  # imports torch

    import_torchvision()
    import spandrel

    advice = "get the published file, or name the folder that holds it with --weights"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.meshgrid")  # of spandrel's own code
            network = spandrel.ModelLoader().load_from_file(path)  # runs nothing that a pickle names
    except Exception as error:  # pickle, torch and spandrel have many
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise BenchError(f"{path}: not the weights of a network that spandrel knows ({reason}); {advice}") from error
    found = f"{network.architecture.id} x{network.scale}"
    found += f", {network.input_channels} to {network.output_channels} channels"
    if found != wanted or not isinstance(network, spandrel.ImageModelDescriptor):
        raise BenchError(f"{path}: holds a network {found}; it must be {wanted}: {advice}")
    return network


def _place(network: Any, execution: Execution) -> None:
    """Move a network to its device and its precision.

    Raises:
        BenchError: The network does not compute in that precision.
    """
    import spandrel
    import torch

    network.to(device=torch.device(execution.device)).eval()
    if execution.dtype is not None:
        try:
            network.to(dtype=getattr(torch, execution.dtype))
            # Tried, because SwinIR computes in bfloat16, as spandrel says, at one size only.
            network(torch.zeros(1, network.input_channels, 24, 40, device=network.device, dtype=network.dtype))
        except (spandrel.UnsupportedDtypeError, RuntimeError) as error:
            raise BenchError(
                f"--dtype {execution.dtype}: {network.architecture.id} does not compute in it; leave it out"
            ) from error
    if execution.compiled:
        network.model.compile()


def check_libraries() -> None:
    """Raise a `BenchError` where spandrel is missing."""
    if importlib.util.find_spec("spandrel") is None:
        raise BenchError("needs `pip install 'ccsr-bench[spandrel]'`")
