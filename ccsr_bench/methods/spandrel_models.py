"""Deterministic networks that the library spandrel loads from one checkpoint."""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ccsr_bench.devices.memory import ran_out_of_memory
from ccsr_bench.errors import BenchError
from ccsr_bench.methods.base import Execution

TILE_OVERLAP = 64
"""Default overlap of tiles in LR pixels. It must not change, because ledgers do not record a parameter left out.

With Real-ESRGAN's weights the output then differs from the untiled one by at most one grey level, except within 16 LR
pixels of a seam (`benchmarks/tiling.py`).
"""


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
        pre_padding: Number of LR pixels that are added below and to the right before the network, by reflection that
            does not repeat the border pixel, and cut off from the output; ``--pre_pad`` of Real-ESRGAN's script.
        tile: Side of a tile in LR pixels; 0 for the whole image at once. The network restores one tile after the other,
            so that large images fit into memory; ``--tile`` of Real-ESRGAN's script.
        tile_overlap: Number of LR pixels around each tile that the network also sees, and that are cut off from its
            output; ``--tile_pad`` of Real-ESRGAN's script, which has 10. For a network with attention in windows, such
            as SwinIR, `tile` and `tile_overlap` must be multiples of the window.
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
        pre_padding: int = 0,
        tile: int = 0,
        tile_overlap: int = TILE_OVERLAP,
        scale: int = 4,
    ) -> None:
        check_libraries()
        if execution.batch not in (None, 1):
            raise BenchError(f"`batch` {execution.batch}: all runs share one output; leave it out")
        if "network" not in weights:
            raise BenchError("the variant names no weights for network")
        self._network = _load_expected(weights["network"] / file, f"{architecture} x{scale}, 3 to 3 channels")
        self._mirror_to_next = mirror_to_next
        self._pre_padding = pre_padding
        self._tile = tile
        self._tile_overlap = tile_overlap
        self._scale = scale
        self._check_sizes()
        _place(self._network, execution)

    def _check_sizes(self) -> None:
        """Check that the sizes are valid; raises a `BenchError` if not."""
        sizes = {
            "mirror_to_next": self._mirror_to_next,
            "pre_padding": self._pre_padding,
            "tile": self._tile,
            "tile_overlap": self._tile_overlap,
        }
        for parameter, size in sizes.items():
            if not isinstance(size, int) or isinstance(size, bool) or size < 0:
                raise BenchError(f"`{parameter}` {size!r}: must be a number of pixels, 0 or larger")
        # What a network divides an image into, such as windows, lies as in the whole image only if tiles begin there.
        window = getattr(self._network.model, "window_size", 1)
        divisors = (self._mirror_to_next or 1, self._network.size_requirements.multiple_of, window)
        step = math.lcm(*(divisor for divisor in divisors if isinstance(divisor, int)))
        for parameter in ("tile", "tile_overlap") if self._tile else ():
            if sizes[parameter] % step:
                raise BenchError(f"`{parameter}` {sizes[parameter]}: must be a multiple of {step} for this network")

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Return the same output for every seed; see `ccsr_bench.methods.base.Method`.

        Raises:
            FloatingPointError: The network overflowed.
            MemoryError: The image, or a tile, does not fit into memory.
        """
        height, width, _ = lr.shape
        padded = self._padded(lr)
        pixels = np.empty((self._scale * height, self._scale * width, 3), np.uint8)
        for rows in self._intervals(height, padded.shape[0]):
            for columns in self._intervals(width, padded.shape[1]):
                pixels[rows.output(self._scale), columns.output(self._scale)] = self._restore_tile(
                    padded[rows.input, columns.input], rows.kept(self._scale), columns.kept(self._scale)
                )
        return np.repeat(pixels[None], len(seeds), axis=0)

    def _padded(self, lr: np.ndarray) -> np.ndarray:
        """Return an LR image with the padding below and to the right of it."""
        if self._pre_padding:
            lr = np.pad(lr, [(0, self._pre_padding), (0, self._pre_padding), (0, 0)], mode="reflect")
        if self._mirror_to_next:
            added = [(0, self._mirror_to_next - side % self._mirror_to_next) for side in lr.shape[:2]]
            lr = np.pad(lr, [*added, (0, 0)], mode="symmetric")
        return lr

    def _intervals(self, side: int, padded_side: int) -> Iterator[_Interval]:
        """Yield the intervals of the tiles along one side of an image, or one interval for the whole side."""
        tile = self._tile or padded_side
        for start in range(0, side, tile):
            yield _Interval(
                start=start,
                end=min(start + tile, side),
                input_start=max(start - self._tile_overlap, 0),
                input_end=min(start + tile + self._tile_overlap, padded_side),
            )

    def _restore_tile(self, lr: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
        """Return a part of the network's output for an LR image, (H, W, 3) uint8 RGB.

        Args:
            lr: LR image, (h, w, 3) uint8 RGB.
            rows: Rows of the output to return.
            columns: Columns of the output to return.
        """
        import torch

        image = torch.from_numpy(lr.astype(np.float32) / 255).permute(2, 0, 1)[None]
        try:
            output = self._network(image.to(self._network.device, self._network.dtype))[0, :, rows, columns].float()
        except RuntimeError as error:
            if not ran_out_of_memory(error):
                raise
            raise MemoryError(
                f"{lr.shape[0]}x{lr.shape[1]} LR pixels at once do not fit into memory; add `tile`, or a smaller one, "
                "to the parameters of the variant in its method.toml"
            ) from error
        if not torch.isfinite(output).all():
            raise FloatingPointError(
                f"the network overflowed in {self._network.dtype}; use float32, which has a larger range"
            )
        pixels: np.ndarray = (output * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        return pixels


@dataclass(frozen=True)
class _Interval:
    """Where a tile lies along one side of an image, in LR pixels."""

    start: int
    end: int
    input_start: int
    """Start of what the network sees, which is the tile and its overlap."""
    input_end: int

    @property
    def input(self) -> slice:
        """The part of the padded LR image that the network sees."""
        return slice(self.input_start, self.input_end)

    def output(self, scale: int) -> slice:
        """Return the place of the tile in the output of the whole image."""
        return slice(scale * self.start, scale * self.end)

    def kept(self, scale: int) -> slice:
        """Return the part of the network's output that is kept."""
        return slice(scale * (self.start - self.input_start), scale * (self.end - self.input_start))


def recognise(path: Path) -> tuple[str, int]:
    """Return the name of a network's architecture in spandrel, and its magnification.

    Args:
        path: File of the checkpoint.

    Raises:
        BenchError: spandrel does not know the network, the network does not restore RGB images, the file is damaged or
            holds objects other than tensors, or spandrel is missing.
    """
    check_libraries()
    network = _load(path, "give a file that spandrel loads")
    if not _restores_rgb(network):
        raise BenchError(f"{path}: holds a network {_describe(network)}; it must restore RGB images, 3 to 3 channels")
    return str(network.architecture.id), int(network.scale)


def _load_expected(path: Path, expected: str) -> Any:
    """Return spandrel's descriptor of the network in a file.

    Args:
        path: File of the checkpoint.
        expected: Architecture, magnification and channels that the network must have.

    Raises:
        BenchError: The file holds another network, is damaged, or holds objects other than tensors.
    """
    advice = "get the published file, or give the folder that contains it as `weights`"
    network = _load(path, advice)
    actual = _describe(network)
    if actual != expected or not _restores_rgb(network):
        raise BenchError(f"{path}: holds a network {actual}; it must be {expected}: {advice}")
    return network


def _restores_rgb(network: Any) -> bool:
    """Return whether a network maps one RGB image to another, without a mask."""
    import spandrel

    is_rgb = network.input_channels == network.output_channels == 3
    return is_rgb and isinstance(network, spandrel.ImageModelDescriptor)


def _describe(network: Any) -> str:
    channels = f"{network.input_channels} to {network.output_channels} channels"
    return f"{network.architecture.id} x{network.scale}, {channels}"


def _load(path: Path, advice: str) -> Any:
    """Return spandrel's descriptor of whatever network a file holds.

    Args:
        path: File of the checkpoint.
        advice: What the user can do if the file is not one of a network.

    Raises:
        BenchError: The file is damaged, or holds objects other than tensors or a network that spandrel does not know.
    """
    from ccsr_bench.devices.torchvision_operators import import_torchvision  # imports torch

    import_torchvision()
    import spandrel

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.meshgrid")  # a warning about code of spandrel
            network = spandrel.ModelLoader().load_from_file(path)  # runs no code that a pickle names
    except Exception as error:  # pickle, torch and spandrel raise errors of many types
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise BenchError(f"{path}: not the weights of a network that spandrel knows ({reason}); {advice}") from error
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
