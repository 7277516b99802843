"""Tiled VAE: encoder and decoder process large images tile by tile, with group norms over all tiles.

All tiles go through the network together, layer by layer: at each group norm they wait until the statistics of all
tiles are known. With a GPU, waiting tiles are kept in the CPU's memory; on a CPU, tiling saves no memory. Source:
"Tiled VAE" of multidiffusion-upscaler-for-automatic1111, as in ``utils/vaehook.py`` of the official code. As there,
attention is within one tile, and the variance over all tiles is the mean of the tiles' variances, without the variance
of their means.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.autoencoders.vae import Decoder, Encoder
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_blocks import UNetMidBlock2D
from torch import Tensor, nn
from torch.nn import functional

DECODER_PADDING = 11
"""Padding of a decoder's tile on each side, in latent pixels."""

ENCODER_PADDING = 32
"""Padding of an encoder's tile on each side, in image pixels."""

_ENLARGED = Fraction(8)

_Steps = Generator[tuple[Tensor, nn.GroupNorm], Tensor, Tensor]
"""A network's pass over one tile: it yields (input, norm) at each group norm, receives the normalised input, and
returns the output."""


@dataclass(frozen=True)
class _Span:
    """A tile on one axis, in pixels of the network's input."""

    start: int
    stop: int
    keep_start: int
    """The output from here to `keep_stop` is taken from this tile."""
    keep_stop: int


def decode_in_tiles(decoder: Decoder, latents: Tensor, tile: int) -> Tensor:
    """Decode latents in tiles, or at once where they are not larger than a tile with its padding.

    The result of tiles is float32 on the CPU; otherwise it has the network's precision and device.

    Args:
        decoder: Decoder of the VAE.
        latents: Output of ``post_quant_conv``, (rows, 4, h, w).
        tile: Side of a tile without its padding, in latent pixels.
    """
    if max(latents.shape[-2:]) <= 2 * DECODER_PADDING + tile:
        decoded: Tensor = decoder(latents)
        return decoded
    return _in_tiles(partial(_decode, decoder), latents, tile, DECODER_PADDING, ratio=_ENLARGED)


def encode_in_tiles(encoder: Encoder, image: Tensor, tile: int) -> Tensor:
    """Encode images in tiles to the input of ``quant_conv``; see `decode_in_tiles`.

    Args:
        encoder: Encoder of the VAE.
        image: Images in [-1, 1], (rows, 3, H, W).
        tile: Side of a tile without its padding, in image pixels.
    """
    if max(image.shape[-2:]) <= 2 * ENCODER_PADDING + tile:
        encoded: Tensor = encoder(image)
        return encoded
    return _in_tiles(partial(_encode, encoder), image, tile, ENCODER_PADDING, ratio=1 / _ENLARGED)


def spans(length: int, tile: int, padding: int) -> list[_Span]:
    """Divide one axis into tiles of one size of at most `tile`, rounded up to a multiple of 32 where that fits."""
    inner = length - 2 * padding
    count = max(-(-inner // tile), 1)
    size = max(-(-inner // count), 1)
    size = next((up for step in (32, 16, 8, 4, 2) if (up := -(-size // step) * step) <= tile), size)
    tiles = []
    for start in range(padding, max(length - padding, padding + 1), size):
        stop = min(start + size, length)
        keep_start = 0 if start == padding else start
        keep_stop = length if stop >= length - padding else stop
        tiles.append(_Span(max(start - padding, 0), min(stop + padding, length), keep_start, keep_stop))
    return tiles


def _in_tiles(steps: Callable[[Tensor], _Steps], whole: Tensor, tile: int, padding: int, *, ratio: Fraction) -> Tensor:
    """Pass the tiles of an image through a network together, and assemble their outputs.

    Args:
        steps: Function that starts the network's pass over one tile.
        whole: Input of the network, (rows, channels, height, width).
        tile: Side of a tile without its padding, in pixels of the input.
        padding: Padding of a tile on each side, in pixels of the input.
        ratio: Size of the output divided by that of the input.
    """
    height, width = whole.shape[-2:]
    boxes = [(y, x) for y in spans(height, tile, padding) for x in spans(width, tile, padding)]
    passes = [steps(whole[..., y.start : y.stop, x.start : x.stop]) for y, x in boxes]
    outputs = _run_in_step(passes)
    result = outputs[0].new_empty((*outputs[0].shape[:2], int(height * ratio), int(width * ratio)), dtype=torch.float32)
    for (y, x), output in zip(boxes, outputs, strict=True):
        rows, own_rows = _own(y, ratio)
        columns, own_columns = _own(x, ratio)
        result[..., rows, columns] = output[..., own_rows, own_columns]
    return result


def _own(span: _Span, ratio: Fraction) -> tuple[slice, slice]:
    """Return the place of a tile's contribution in the whole output, and in the tile's output."""
    start, stop, origin = (int(at * ratio) for at in (span.keep_start, span.keep_stop, span.start))
    return slice(start, stop), slice(start - origin, stop - origin)


def _run_in_step(passes: Sequence[_Steps]) -> list[Tensor]:
    """Run passes from group norm to group norm, each normalised by the statistics of all tiles."""
    waiting = [_move_to_cpu(*next(steps)) for steps in passes]
    while True:
        mean, variance = _statistics([tile for tile, _ in waiting], waiting[0][1])
        done: list[Tensor] = []
        for index, steps in enumerate(passes):
            tile, norm = waiting[index]
            try:
                waiting[index] = _move_to_cpu(
                    *steps.send(_normalise(tile.to(norm.weight.device), norm, mean, variance))
                )
            except StopIteration as finished:
                done.append(finished.value.cpu())
        if done:
            return done


def _move_to_cpu(tile: Tensor, norm: nn.GroupNorm) -> tuple[Tensor, nn.GroupNorm]:
    return tile.cpu(), norm


def _statistics(tiles: Sequence[Tensor], norm: nn.GroupNorm) -> tuple[Tensor, Tensor]:
    """Return the mean and the variance of each row's groups, (rows, groups) float32, weighted by the tiles' areas."""
    groups, device = norm.num_groups, norm.weight.device
    moments = [torch.var_mean(t.to(device).float().reshape(len(t), groups, -1), 2, correction=0) for t in tiles]
    areas = torch.tensor([float(tile.shape[-2] * tile.shape[-1]) for tile in tiles], device=device)
    weights = (areas / areas.sum())[:, None, None]
    variance, mean = (torch.stack(parts) for parts in zip(*moments, strict=True))
    return (mean * weights).sum(0), (variance * weights).sum(0)


def _normalise(tile: Tensor, norm: nn.GroupNorm, mean: Tensor, variance: Tensor) -> Tensor:
    channels = tile.shape[1] // norm.num_groups
    scale = (variance + norm.eps).rsqrt().repeat_interleave(channels, dim=1)[..., None, None]
    shift = mean.repeat_interleave(channels, dim=1)[..., None, None]
    normal = ((tile.float() - shift) * scale).to(tile.dtype)
    return normal * norm.weight[:, None, None] + norm.bias[:, None, None]


def _decode(decoder: Decoder, tile: Tensor) -> _Steps:
    hidden = decoder.conv_in(tile)
    hidden = yield from _middle(decoder.mid_block, hidden)
    for block in decoder.up_blocks:
        for resnet in block.resnets:
            hidden = yield from _resnet(resnet, hidden)
        for upsampler in block.upsamplers or ():
            hidden = upsampler(hidden)
    hidden = functional.silu((yield hidden, decoder.conv_norm_out))
    output: Tensor = decoder.conv_out(hidden)
    return output


def _encode(encoder: Encoder, tile: Tensor) -> _Steps:
    hidden = encoder.conv_in(tile)
    for block in encoder.down_blocks:
        for resnet in block.resnets:
            hidden = yield from _resnet(resnet, hidden)
        for downsampler in block.downsamplers or ():
            hidden = downsampler(hidden)
    hidden = yield from _middle(encoder.mid_block, hidden)
    hidden = functional.silu((yield hidden, encoder.conv_norm_out))
    output: Tensor = encoder.conv_out(hidden)
    return output


def _middle(block: UNetMidBlock2D, hidden: Tensor) -> _Steps:
    hidden = yield from _resnet(block.resnets[0], hidden)
    for attention, resnet in zip(block.attentions, block.resnets[1:], strict=True):
        hidden = yield from _attention(attention, hidden)
        hidden = yield from _resnet(resnet, hidden)
    return hidden


def _resnet(resnet: ResnetBlock2D, hidden: Tensor) -> _Steps:
    residual = (hidden if resnet.conv_shortcut is None else resnet.conv_shortcut(hidden)).cpu()
    hidden = resnet.conv1(functional.silu((yield hidden, resnet.norm1)))
    hidden = resnet.conv2(functional.silu((yield hidden, resnet.norm2)))
    return residual.to(hidden.device) + hidden


def _attention(attention: Attention, hidden: Tensor) -> _Steps:
    """Compute attention with one head over all pixels of the tile."""
    residual = hidden.cpu()
    tokens = (yield hidden, attention.group_norm).flatten(2).transpose(1, 2)
    query, key, value = (layer(tokens)[:, None] for layer in (attention.to_q, attention.to_k, attention.to_v))
    attended = functional.scaled_dot_product_attention(query, key, value)[:, 0]
    attended = attention.to_out[0](attended)
    output: Tensor = residual.to(attended.device) + attended.transpose(1, 2).reshape(residual.shape)
    return output
