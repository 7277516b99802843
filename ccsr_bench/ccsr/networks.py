"""ControlNet, UNet and VAE, which are diffusers' own classes except for one layer of the ControlNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from torch import Tensor, nn

from ccsr_bench.ccsr.tiled_vae import decode_in_tiles, encode_in_tiles

_OFFICIAL_CONDITION_LAYER = "condition_conv_in"
_CONDITION_LAYER = "controlnet_cond_embedding"


def build_controlnet(config: Mapping[str, Any]) -> ControlNetModel:
    """Build CCSR's ControlNet: diffusers' own, with a single 3x3 convolution as the input of the condition.

    The official class has this convolution, ``condition_conv_in``, instead of the stack of convolutions that turns an
    RGB image into a condition, because the condition is a latent of the VAE (``models/controlnet.py`` lines 249 to 267
    of the official code).

    Args:
        config: Arguments of the constructor; ``use_vae_encode_condition`` must be true.

    Raises:
        ValueError: The configuration is that of another ControlNet.
    """
    if config.get("use_vae_encode_condition") is not True:
        raise ValueError("use_vae_encode_condition is not true: this is not a ControlNet of CCSR-v2")
    network = ControlNetModel.from_config(
        {name: value for name, value in config.items() if name != "use_vae_encode_condition"}
    )
    channels, wide = network.config["in_channels"], network.config["block_out_channels"][0]
    network.controlnet_cond_embedding = nn.Conv2d(channels, wide, kernel_size=3, padding=1)
    return network


def official_controlnet_name(name: str) -> str:
    """Return the official name of a tensor of `build_controlnet`'s network."""
    return name.replace(_CONDITION_LAYER, _OFFICIAL_CONDITION_LAYER)


class Networks:
    """The three networks that a sampler calls, in one precision on one device.

    Args:
        unet: UNet, which predicts the noise.
        controlnet: ControlNet that `build_controlnet` made.
        vae: VAE, whose encoder and decoder are used.
    """

    def __init__(self, unet: UNet2DConditionModel, controlnet: ControlNetModel, vae: AutoencoderKL) -> None:
        # Parameters keep `requires_grad`, as the recorded official outputs had it: torch multiplies a matrix that
        # requires a gradient in another order, even where no gradient is computed.
        self.unet = unet.eval()
        self.controlnet = controlnet.eval()
        self.vae = vae.eval()
        self.scaling_factor: float = vae.config["scaling_factor"]
        if unet.device.type == "cuda":
            # Tensor cores need this layout; on a CPU it is not faster (measured).
            for network in (unet, controlnet, vae):
                network.to(memory_format=torch.channels_last)

    @property
    def device(self) -> torch.device:
        """The networks' device."""
        device: torch.device = self.unet.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """The networks' precision."""
        dtype: torch.dtype = self.unet.dtype
        return dtype

    def compile(self) -> None:
        """Compile the networks that each run calls; this takes minutes at the first image of every size."""
        self.unet.compile()
        self.controlnet.compile()
        self.vae.decoder.compile()

    def encode(self, image: Tensor, *, tile: int | None = None) -> tuple[Tensor, Tensor]:
        """Encode (rows, 3, H, W) in [-1, 1] to the mean and log variance of the unscaled latent.

        Args:
            image: Images to encode, (rows, 3, H, W).
            tile: Side of a tile in image pixels; None to encode the image without tiles.
        """
        image = image.to(self.dtype)
        encoded = self.vae.encoder(image) if tile is None else encode_in_tiles(self.vae.encoder, image, tile)
        mean, log_variance = self.vae.quant_conv(encoded.to(self.device, self.dtype)).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, latents: Tensor, *, tile: int | None = None) -> Tensor:
        """Decode unscaled latents to (runs, 3, H, W), approximately in [-1, 1].

        Args:
            latents: Unscaled latents, (runs, 4, h, w).
            tile: Side of a tile in latent pixels; None to decode without tiles.
        """
        latents = self.vae.post_quant_conv(latents.to(self.dtype))
        decoded: Tensor = (
            self.vae.decoder(latents) if tile is None else decode_in_tiles(self.vae.decoder, latents, tile)
        )
        return decoded

    def predict_noise(
        self, latents: Tensor, condition: Tensor, *, timestep: int, text: Tensor, conditioning_scale: float
    ) -> Tensor:
        """Predict the noise in latents: the ControlNet sees the condition, the UNet the ControlNet's residuals.

        Args:
            latents: Noisy latents, (rows, 4, h, w).
            condition: Scaled latents of the upscaled LR image, (rows, 4, h, w).
            timestep: Timestep of the latents, 0 to 999.
            text: Text embeddings, (rows, tokens, channels).
            conditioning_scale: Factor of the ControlNet's residuals.

        Returns:
            (rows, 4, h, w) in the networks' precision.
        """
        latents, condition, text = (part.to(self.dtype) for part in (latents, condition, text))
        at = torch.tensor(timestep, device=self.device)  # a number would compile the networks again for each timestep
        down, mid = self.controlnet(
            latents,
            at,
            encoder_hidden_states=text,
            controlnet_cond=condition,
            conditioning_scale=conditioning_scale,
            return_dict=False,
        )
        predicted: Tensor = self.unet(
            latents,
            at,
            encoder_hidden_states=text,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
            return_dict=False,
        )[0]
        return predicted
