"""The CCSR model, which restores an LR image once for each seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ccsr_bench.ccsr.color_fix import ColorFix
from ccsr_bench.ccsr.networks import Networks
from ccsr_bench.ccsr.noise import Noise, draw_noise
from ccsr_bench.ccsr.resize import resize, upscale
from ccsr_bench.ccsr.sampler import Posterior, Sampler
from ccsr_bench.ccsr.settings import Settings
from ccsr_bench.ccsr.text import embed, load_tokenizer
from ccsr_bench.ccsr.weights import (
    Placement,
    WeightFolders,
    check_scheduler,
    load_controlnet,
    load_text_encoder,
    load_unet,
    load_vae,
)
from ccsr_bench.devices.batches import Batches
from ccsr_bench.errors import BenchError

MOST_RUNS = 10
"""Runs at once on a GPU: the paper's number of runs, so that one batch holds all runs of an image."""

CPU_RUNS = 2
"""Runs at once on a CPU, where larger batches need more memory and are not faster (`benchmarks/ccsr_runs.py`)."""

BYTES_PER_PIXEL = 3_000
"""Memory to reserve for a run, per pixel of its output, with networks in two-byte precision.

The decoder has the highest use: 1,300 bytes, measured as the difference between batch sizes 2 and 1 of
`benchmarks/ccsr_full_size.py`. The rest is for a GPU's workspaces, which were not measured.
"""


class CCSR:
    """The model of "Improving the Stability and Efficiency of Diffusion Models for Content Consistent
    Super-Resolution", for many runs of one image.

    The LR image is encoded once. The runs go through the networks in batches of one size, and the last batch is padded,
    so a run's result does not depend on how many or which other runs are requested. A single run therefore costs as
    much as a batch.

    Args:
        networks: ControlNet, UNet and VAE.
        embeddings: Prompt -> its text embedding, for every prompt of the settings.
        settings: Settings of the sampler.
        batch: Number of runs at once; None for as many as fit in free memory.

    Raises:
        ValueError: `batch` is less than 1.
    """  # noqa: D205

    def __init__(
        self,
        networks: Networks,
        embeddings: Mapping[str, Tensor],
        settings: Settings,
        *,
        batch: int | None = None,
    ) -> None:
        self.settings = settings
        self._networks = networks
        self._sampler = Sampler(networks, embeddings, settings)
        self._batches = run_batches(networks.device, networks.dtype, batch)

    @classmethod
    def load(
        cls,
        folders: WeightFolders,
        settings: Settings | None = None,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype | None = None,
        batch: int | None = None,
        compiled: bool = False,
    ) -> CCSR:
        """Load a model.

        Args:
            folders: Folders of the weights.
            settings: Settings of the sampler; those of CCSR-S2 when None.
            device: Device on which the networks run.
            dtype: Precision of the networks; None for float16 with official numerics and float32 with clean numerics.
            batch: Number of runs at once; None for as many as fit in free memory.
            compiled: Whether to compile the networks with `torch.compile`: it takes minutes once, then runs are faster.

        Raises:
            BenchError: The weights are missing, damaged, or not those of CCSR.
            ValueError: Official numerics are combined with another precision than float16.
        """
        settings = settings or Settings()
        official = settings.quirks.numerics == "official"
        if official and dtype not in (None, torch.float16):
            raise ValueError(f"official numerics are float16, not {dtype}; set quirks.numerics to clean")
        place = Placement(torch.device(device), dtype or (torch.float16 if official else torch.float32))
        check_scheduler(folders.base / "scheduler")
        unet = load_unet(folders.base / "unet", place)
        networks = Networks(
            unet,
            load_controlnet(folders.controlnet, place, unet.config),
            load_vae(folders.base / "vae", folders.vae, place),
        )
        tokenizer = load_tokenizer(folders.base / "tokenizer")
        encoder = load_text_encoder(folders.base / "text_encoder", place).eval()
        texts = (settings.first_step_text, *settings.loop_texts)
        try:
            embeddings = embed(texts, tokenizer, encoder)
        except IndexError as error:
            raise BenchError(
                f"{folders.base}: the tokenizer has other tokens than the text encoder; prepare the weights again"
            ) from error
        if compiled:
            networks.compile()
        return cls(networks, embeddings, settings, batch=batch)

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Restore one image once per seed; see `ccsr_bench.methods.base.Method`.

        Args:
            lr: LR image, (h, w, 3) uint8 RGB.
            seeds: One seed per output, each 0 or more.

        Returns:
            (len(seeds), upscale*h, upscale*w, 3) uint8 RGB.
        """
        reference = self.reference(lr)
        size = reference.shape[0] // 8, reference.shape[1] // 8
        noises = [draw_noise(seed, self.settings, *size) for seed in seeds]
        return self._restore(reference, lr.shape, noises)

    def reference(self, lr: np.ndarray) -> np.ndarray:
        """Return the upscaled LR image that conditions the model, (H, W, 3) uint8; the latent is (H / 8, W / 8)."""
        if lr.ndim != 3 or lr.shape[2] != 3 or lr.dtype != np.uint8:
            raise ValueError(f"the LR image is {lr.dtype} {lr.shape}: it must be (h, w, 3) uint8")
        return upscale(lr, factor=self.settings.upscale, process_size=self.settings.process_size)

    def restore_from(self, lr: np.ndarray, noises: Sequence[Noise]) -> np.ndarray:
        """Restore one image once for each noise sample.

        Args:
            lr: LR image, (h, w, 3) uint8 RGB.
            noises: One noise sample per output.

        Returns:
            (len(noises), upscale*h, upscale*w, 3) uint8 RGB.

        Raises:
            ValueError: `lr` is not (h, w, 3) uint8.
            FloatingPointError: The networks overflowed.
        """
        return self._restore(self.reference(lr), lr.shape, noises)

    @torch.inference_mode()
    def _restore(self, reference: np.ndarray, lr_shape: tuple[int, ...], noises: Sequence[Noise]) -> np.ndarray:
        image = torch.from_numpy(np.ascontiguousarray(reference.transpose(2, 0, 1)))[None].float() / 255
        posterior = self._sampler.encode(image.to(self._networks.device))
        fix = ColorFix(self.settings.color_fix, reference, rounding=self.settings.quirks.final_rounding)
        height, width = (self.settings.upscale * side for side in lr_shape[:2])
        outputs = np.empty((len(noises), height, width, 3), np.uint8)
        for index, output in enumerate(self._generate(posterior, noises)):
            outputs[index] = resize(fix(output), height, width)
        return outputs

    def _generate(self, posterior: Posterior, noises: Sequence[Noise]) -> list[np.ndarray]:
        """Return one (H, W, 3) uint8 output for each noise sample, before the colour fix."""
        pixels = 64 * posterior.mean.shape[-2] * posterior.mean.shape[-1]
        outputs: list[np.ndarray] = []
        while len(outputs) < len(noises):
            outputs += self._batches.run(pixels, partial(self._generate_batch, posterior, noises[len(outputs) :]))
        return outputs

    def _generate_batch(self, posterior: Posterior, noises: Sequence[Noise], size: int) -> list[np.ndarray]:
        """Return the first `size` outputs; a batch that is not full is padded with copies of its last noise sample."""
        wanted = noises[:size]
        filled = [*wanted, *[wanted[-1]] * (size - len(wanted))]
        noise = Noise.stack(filled).to(self._networks.device, self._sampler.latent_dtype)
        decoded = self._sampler.decode(self._sampler.sample(posterior, noise))[: len(wanted)]
        if not decoded.isfinite().all():
            raise FloatingPointError(
                f"the networks overflowed in {self._networks.dtype}; try `dtype` bfloat16 or float32"
            )
        pixels = (decoded * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu()
        return list(pixels.numpy())


def run_batches(device: torch.device, dtype: torch.dtype, fixed: int | None) -> Batches:
    """Return the batch sizes that memory allows, or the requested one."""
    if fixed is not None:
        return Batches(device, fixed)
    most = MOST_RUNS if device.type == "cuda" else CPU_RUNS
    return Batches(device, most, BYTES_PER_PIXEL * dtype.itemsize / 2)
