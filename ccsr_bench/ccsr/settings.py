"""Every setting of the sampler, and every quirk of the official code that can be set.

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
    """Unexpected behaviour of the official code, which the defaults reproduce."""

    numerics: Literal["official", "clean"] = "official"
    """``official``: float16 networks and latents, and float32 only where the official code computes in float32
    (pipe:779-806, 879-900). ``clean``: networks in any precision, everything else in float32."""
    first_step_prompt: Literal["official", "positive", "empty"] = "official"
    """The prompt of the call at t = 999: ``official`` is the *negative* prompt under guidance, and the positive prompt
    otherwise (pipe:457, 883)."""
    condition_noise: Literal["per-half", "shared", "mode"] = "per-half"
    """Posterior noise of the condition latent: the two halves of guidance draw separate noise (``per-half``), share it
    (``shared``), or use the posterior's mode without noise (``mode``) (pipe:704, 1011)."""
    tile_weights: Literal["official", "symmetric"] = "official"
    """The Gaussian weights of tiled diffusion: the official weights are centred half a latent pixel too low
    (pipe:808-821)."""
    final_rounding: Literal["truncate", "nearest"] = "truncate"
    """Conversion to 8 bits after the colour fix: the official code truncates, which darkens the image by half a grey
    level on average (torchvision's ToPILImage, ``myutils/wavelet_color_fix.py``)."""
    conditioning_scale: float = 1.0
    """Factor of the ControlNet's residuals; the official code has the option and ignores it (pipe:847)."""

    def __post_init__(self) -> None:
        _check_choices(self)
        if not math.isfinite(self.conditioning_scale):
            raise ValueError(f"conditioning_scale {self.conditioning_scale}: must be finite")


class Tiling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Processing of large images in tiles. The default sizes are those of the official command line (test:244-249)."""

    diffusion: bool = False
    """Whether ControlNet and UNet process tiles of the latent, blended by Gaussian weights."""
    size: int = 512
    """Side of a tile of tiled diffusion, in output pixels; a multiple of 8."""
    stride: int = 256
    """Step from one tile to the next, in output pixels; a multiple of 8."""
    vae: Literal["off", "decoder", "both"] = "off"
    """The half of the VAE that works in tiles: the official commit tiles the decoder only, whatever its options are;
    later commits tile both halves."""
    decoder_size: int = 224
    """Side of a tile of the decoder, in latent pixels."""
    encoder_size: int = 1024
    """Side of a tile of the encoder, in image pixels; a multiple of 8."""

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
    """How CCSR restores an image. The defaults are those of the paper's CCSR-S2, as in the official README.

    Raises:
        ValueError: The values do not define a sampler; the message says why.
    """

    num_inference_steps: int = 6
    """N, the number of steps of the whole time axis; only those between t_max and t_min are taken. 1 for one step."""
    t_max: float = 0.6667
    """Start of the diffusion after the jump from t = 999, as a fraction of the N steps; 1 for no jump."""
    t_min: float = 0.5
    """End of the diffusion, as a fraction of the N steps; the estimate of x0 at this timestep is decoded."""
    guidance_scale: float = 4.5
    """Scale of classifier-free guidance; there is no guidance up to 1."""
    prompt: str = PROMPT
    negative_prompt: str = NEGATIVE_PROMPT
    start_point: Literal["lr", "noise"] = "lr"
    """What x at t = 999 consists of: the LR image's latent and noise (``lr``), or noise alone (``noise``)."""
    color_fix: Literal["adain", "wavelet", "none"] = "adain"
    upscale: int = 4
    process_size: int = 512
    """Shorter side of the upscaled image, in pixels, to which smaller inputs are enlarged."""
    tiling: Tiling = Tiling()
    quirks: Quirks = Quirks()

    def __post_init__(self) -> None:
        _check_choices(self)
        if not math.isfinite(self.guidance_scale):
            raise ValueError(f"guidance_scale {self.guidance_scale}: must be finite")
        self.schedule  # noqa: B018 (raises where the times define no sampler)
        if self.upscale < 1 or self.process_size < 8 * self.upscale:
            raise ValueError(f"upscale {self.upscale} and process_size {self.process_size}: too small")

    @property
    def schedule(self) -> Schedule:
        """The timesteps that follow from N, t_max and t_min."""
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
        """The number of posterior noise samples of a run."""
        return 2 if self.guided and self.quirks.condition_noise == "per-half" else 1


def read_settings(values: dict[str, Any]) -> Settings:
    """Convert plain values, as a manifest holds them, to settings.

    Raises:
        BenchError: A field is unknown, of the wrong type or out of range; the message names it.
    """
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise BenchError(f"CCSR settings: {error}; correct the parameters") from error
