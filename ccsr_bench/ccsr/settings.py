"""Every setting of the sampler, and every quirk of the official code that has one.

References of the form ``pipe:885`` are lines of ``pipelines/pipeline_ccsr.py``, and ``test:151`` of
``test_ccsr_tile.py``, in the official repository (github.com/csslc/CCSR, branch CCSR-v2.0, commit c5f7d4e).
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from ccsr_bench.ccsr.schedule import Schedule
from ccsr_bench.errors import BenchError

PROMPT = "clean, high-resolution, 8k"
NEGATIVE_PROMPT = "blurry, dotted, noise, raster lines, unclear, lowres, over-smoothed"


def _check_choices(settings: msgspec.Struct) -> None:
    """Raise a `ValueError` unless every field with a list of choices has one of them; msgspec checks manifests only."""
    for name, hint in get_type_hints(type(settings)).items():
        if get_origin(hint) is Literal and getattr(settings, name) not in get_args(hint):
            raise ValueError(f"{name} {getattr(settings, name)!r}: must be {' or '.join(map(repr, get_args(hint)))}")


class Quirks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the official code does that nobody would expect; the defaults do the same."""

    numerics: Literal["official", "clean"] = "official"
    """``official``: float16 networks and latents, and float32 just where the official code happens to compute in it
    (pipe:779-806, 879-900). ``clean``: networks in any precision, everything else in float32."""
    first_step_prompt: Literal["official", "positive", "empty"] = "official"
    """What the call at t = 999 is told: ``official`` gives it the *negative* prompt under guidance, else the positive
    one (pipe:457, 883)."""
    condition_noise: Literal["per-half", "shared", "mode"] = "per-half"
    """Posterior noise of the condition latent: the two halves of guidance each draw their own (``per-half``), share one
    (``shared``), or take the posterior's mode (``mode``) (pipe:704, 1011)."""
    tile_weights: Literal["official", "symmetric"] = "official"
    """The Gaussian weights of tiled diffusion: the official ones are centred half a latent pixel too low
    (pipe:808-821)."""
    final_rounding: Literal["truncate", "nearest"] = "truncate"
    """From float to 8 bits after the colour fix: the official code truncates, which darkens by half a grey level on
    average (torchvision's ToPILImage, ``myutils/wavelet_color_fix.py``)."""
    conditioning_scale: float = 1.0
    """Factor of the ControlNet's residuals; the official code has the option and ignores it (pipe:847)."""

    def __post_init__(self) -> None:
        _check_choices(self)
        if not math.isfinite(self.conditioning_scale):
            raise ValueError(f"conditioning_scale {self.conditioning_scale}: must be finite")


class Tiling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Working on large images in tiles. Sizes are the official command line's (test:244-249)."""

    diffusion: bool = False
    """ControlNet and UNet see tiles of the latent, blended by Gaussian weights."""
    size: int = 512
    """Tile of tiled diffusion, in output pixels; a multiple of 8."""
    stride: int = 256
    """Step from one tile to the next, in output pixels; a multiple of 8."""
    vae: Literal["off", "decoder", "both"] = "off"
    """Which half of the VAE works in tiles: the official commit tiles the decoder only, whatever it is told; later ones
    tile both."""
    decoder_size: int = 224
    """Tile of the decoder, in latent pixels."""
    encoder_size: int = 1024
    """Tile of the encoder, in image pixels; a multiple of 8."""

    def __post_init__(self) -> None:
        _check_choices(self)
        if self.size % 8 or self.stride % 8 or not 8 <= self.stride <= self.size:
            raise ValueError(
                f"tiles of {self.size} with stride {self.stride}: both must be multiples of 8, the stride from 8 to "
                f"the tile's size"
            )
        if self.decoder_size < 2 or self.encoder_size < 16 or self.encoder_size % 8:
            raise ValueError(
                f"decoder_size {self.decoder_size}, encoder_size {self.encoder_size}: must be at least 2, and "
                f"a multiple of 8 from 16 on"
            )


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How CCSR restores an image. The defaults are the paper's CCSR-S2, as the official README runs it.

    Raises:
        ValueError: The values do not make a sampler; the message says why.
    """

    num_inference_steps: int = 6
    """N: steps of the whole time axis, of which only those between t_max and t_min are taken; 1 for one step."""
    t_max: float = 0.6667
    """Where diffusion starts after the jump from t = 999, as a fraction of the N steps; 1 for no jump."""
    t_min: float = 0.5
    """Where diffusion stops, as a fraction of the N steps; what is decoded is the estimate of x0 there."""
    guidance_scale: float = 4.5
    """Classifier-free guidance; up to 1 there is none."""
    prompt: str = PROMPT
    negative_prompt: str = NEGATIVE_PROMPT
    start_point: Literal["lr", "noise"] = "lr"
    """Whether x at t = 999 is made of the LR image's latent and noise, or of noise alone."""
    color_fix: Literal["adain", "wavelet", "none"] = "adain"
    upscale: int = 4
    process_size: int = 512
    """Smaller inputs are enlarged until their shorter side times the upscale is this."""
    tiling: Tiling = Tiling()
    quirks: Quirks = Quirks()

    def __post_init__(self) -> None:
        _check_choices(self)
        if not math.isfinite(self.guidance_scale):
            raise ValueError(f"guidance_scale {self.guidance_scale}: must be finite")
        self.schedule  # noqa: B018 (raises where the times make no sampler)
        if self.upscale < 1 or self.process_size < 8 * self.upscale:
            raise ValueError(f"upscale {self.upscale} and process_size {self.process_size}: too small")

    @property
    def schedule(self) -> Schedule:
        """The timesteps that N, t_max and t_min give."""
        return Schedule.of(self.num_inference_steps, self.t_max, self.t_min)

    @property
    def guided(self) -> bool:
        """Whether the loop's network calls see the positive and the negative prompt."""
        return self.guidance_scale > 1.0

    @property
    def first_step_text(self) -> str:
        """The prompt of the call at t = 999."""
        choice = self.quirks.first_step_prompt
        if choice == "empty":
            return ""
        return self.negative_prompt if choice == "official" and self.guided else self.prompt

    @property
    def loop_texts(self) -> tuple[str, ...]:
        """The prompts of the loop's calls, the negative one first."""
        return (self.negative_prompt, self.prompt) if self.guided else (self.prompt,)

    @property
    def posterior_rows(self) -> int:
        """How many posterior noises a run needs."""
        return 2 if self.guided and self.quirks.condition_noise == "per-half" else 1


def read_settings(values: dict[str, Any]) -> Settings:
    """Make settings of plain values, as a manifest holds them.

    Raises:
        BenchError: A field is unknown, of the wrong type or out of range; the message names it.
    """
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise BenchError(f"CCSR settings: {error}; correct the parameters") from error
