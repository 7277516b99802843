"""The network of MANIQA (Yang et al., CVPR Workshops 2022, arXiv:2204.08958), arranged for speed.

The computation differs from the paper's arrangement, with the same result:

- The vision transformer stops after the last block that is used.
- Transposed attention has no separate keys: the products of queries and keys are ``x (Wq' Wk) x'``, and terms that are
  equal for all keys do not change a softmax. Values are projected after they are averaged, not before.
- Windows are a reordering of tokens; no image is rolled, partitioned or reassembled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ccsr_bench.devices.layout import to_channels_last
from ccsr_bench.metrics.networks.winograd import WinogradConvolution

CROP = 224
"""Side of the network's square input, in pixels."""

_PATCH = 8
_SIDE = CROP // _PATCH
_TOKENS = _SIDE * _SIDE
_CHANNELS = 768
_BLOCKS = 12
_USED_BLOCKS = (6, 7, 8, 9)
_WINDOW = 4
_ROWS = 512
"""Rows of an attention map that are computed at once, so that they stay in the cache."""

_BLOCK_PARTS = ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
_UNUSED_PARTS = (
    *(f"vit.blocks.{block}.{part}" for block in range(_USED_BLOCKS[-1] + 1, _BLOCKS) for part in _BLOCK_PARTS),
    "vit.norm",
    "vit.head",
    "swintransformer1.downsample",
    "swintransformer2.downsample",
)
UNUSED = frozenset(f"{part}.{kind}" for part in _UNUSED_PARTS for kind in ("weight", "bias"))
"""Names of the published tensors on which no score depends."""


class Projection(nn.Module):
    """A linear layer, or a convolution whose kernels do not overlap, as a matrix product.

    Args:
        inputs: Number of input channels.
        outputs: Number of output channels.
        kernel: Height and width of a convolution's kernel.
        activation: Function applied to the product.
    """

    def __init__(self, inputs: int, outputs: int, *kernel: int, activation: Literal["none", "gelu"] = "none") -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, *kernel))
        self.bias = nn.Parameter(torch.empty(outputs))
        self._activation = activation

    def freeze(self, dtype: torch.dtype) -> None:
        """Convert the loaded weights for computation; they can no longer be saved or replaced."""
        self._matrix = self.weight.detach().flatten(1).to(dtype)
        self._offset = self.bias.detach().to(dtype)
        del self.weight, self.bias

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs), in the dtype given to `freeze`."""
        outputs = functional.linear(inputs, self._matrix, self._offset)
        return functional.gelu(outputs) if self._activation == "gelu" else outputs


class _GlobalAttention(nn.Module):
    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Projection(channels, 3 * channels)
        self.proj = Projection(channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        queries, keys, values = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(queries, keys, values)
        return self.proj(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


def _window_order(shift: int) -> Tensor:
    """Return the indices of the tokens of window 0, 1, ... in an image that is shifted towards its origin."""
    indices = torch.arange(_TOKENS).view(_SIDE, _SIDE).roll((-shift, -shift), (0, 1))
    return indices.unfold(0, _WINDOW, _WINDOW).unfold(1, _WINDOW, _WINDOW).flatten()


class _WindowAttention(nn.Module):
    relative_position_index: Tensor

    def __init__(self, channels: int, heads: int, *, shift: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Projection(channels, 3 * channels)
        self.proj = Projection(channels, channels)
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * _WINDOW - 1) ** 2, heads))
        self.register_buffer("relative_position_index", torch.empty(_WINDOW**2, _WINDOW**2, dtype=torch.long))
        self._shift = shift

    def freeze(self, mask: Tensor | None, dtype: torch.dtype) -> None:
        """Compute the term that is added to the products of queries and keys, (windows, heads, 16, 16)."""
        bias = self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)[None]
        self._bias = (bias + mask[:, None] if mask is not None else bias).to(dtype)
        self._order = _window_order(self._shift).to(bias.device)
        self._back = self._order.argsort()

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, 784, C) -> (B, 784, C)."""
        count, _, channels = tokens.shape
        windows = tokens.index_select(1, self._order).view(-1, _WINDOW**2, channels)
        queries, keys, values = (
            self.qkv(windows).view(-1, _WINDOW**2, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        )
        bias = self._bias.repeat(count, 1, 1, 1) if len(self._bias) > 1 else self._bias
        mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
        result: Tensor = self.proj(mixed.transpose(1, 2).flatten(2)).view(count, _TOKENS, channels)
        return result.index_select(1, self._back)


class _MultilayerPerceptron(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = Projection(channels, hidden, activation="gelu")
        self.fc2 = Projection(hidden, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.fc2(self.fc1(tokens))  # type: ignore[no-any-return]


class _Block(nn.Module):
    """A transformer block that normalises first; its sums are float32."""

    def __init__(self, channels: int, hidden: int, attention: nn.Module, epsilon: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, epsilon)
        self.attn = attention
        self.norm2 = nn.LayerNorm(channels, epsilon)
        self.mlp = _MultilayerPerceptron(channels, hidden)

    def forward(self, tokens: Tensor, dtype: torch.dtype) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens).to(dtype))
        return tokens.add_(self.mlp(self.norm2(tokens).to(dtype)))


class _SwinBlock(_Block):
    attn: _WindowAttention
    attn_mask: Tensor | None

    def __init__(self, channels: int, heads: int, *, shift: int) -> None:
        super().__init__(channels, _CHANNELS, _WindowAttention(channels, heads, shift=shift), 1e-5)
        windows = (_SIDE // _WINDOW) ** 2
        self.register_buffer("attn_mask", torch.empty(windows, _WINDOW**2, _WINDOW**2) if shift else None)


class _PatchEmbedding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = Projection(3, _CHANNELS, _PATCH, _PATCH)

    def forward(self, crops: Tensor, dtype: torch.dtype) -> Tensor:
        """(B, 3, 224, 224) -> (B, 784, 768)."""
        patches = crops.unfold(2, _PATCH, _PATCH).unfold(3, _PATCH, _PATCH).permute(0, 2, 3, 1, 4, 5)
        return self.proj(patches.reshape(len(crops), _TOKENS, -1).to(dtype))  # type: ignore[no-any-return]


class _VisionTransformer(nn.Module):
    """The first ten blocks of ViT-B/8 (Dosovitskiy et al., ICLR 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, _CHANNELS))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + _TOKENS, _CHANNELS))
        self.patch_embed = _PatchEmbedding()
        self.blocks = nn.ModuleList(
            _Block(_CHANNELS, 4 * _CHANNELS, _GlobalAttention(_CHANNELS, 12), 1e-6) for _ in range(_USED_BLOCKS[-1] + 1)
        )

    def forward(self, crops: Tensor, dtype: torch.dtype) -> Tensor:
        """(B, 3, 224, 224) -> (B, 3072, 784), the channels of four blocks."""
        first = self.cls_token.expand(len(crops), -1, -1)
        tokens = torch.cat([first, self.patch_embed(crops, dtype)], 1) + self.pos_embed
        features = []
        for index, block in enumerate(self.blocks):
            tokens = block(tokens, dtype)
            if index in _USED_BLOCKS:
                features.append(tokens[:, 1:].mT)
        return torch.cat(features, 1)


class _TransposedAttention(nn.Module):
    """Attention between channels."""

    def __init__(self) -> None:
        super().__init__()
        self.c_q = Projection(_TOKENS, _TOKENS)
        self.c_k = Projection(_TOKENS, _TOKENS)
        self.c_v = Projection(_TOKENS, _TOKENS)

    def freeze(self, dtype: torch.dtype) -> None:
        """Merge queries and keys: q k' = x Wq' Wk x' + bq Wk x', plus terms that are equal for all keys."""
        scale = _TOKENS**-0.5
        keys = self.c_k.weight.double()
        merged = Projection(_TOKENS, _TOKENS)
        merged.weight = nn.Parameter((keys.T @ self.c_q.weight.double() * scale).float())
        merged.bias = nn.Parameter((self.c_q.bias.double() @ keys * scale).float())
        self._queries = merged
        self._values = self.c_v.weight.to(dtype)[None]
        self._value_bias = self.c_v.bias[:, None]
        del self.c_q, self.c_k, self.c_v

    def forward(self, signals: Tensor, dtype: torch.dtype) -> Tensor:
        """(B, C, 784) -> (B, C, 784)."""
        inputs = signals.to(dtype)
        queries = self._queries(inputs)
        mixed = torch.empty_like(inputs)
        for start in range(0, signals.shape[1], _ROWS):
            rows = slice(start, start + _ROWS)
            attention = (queries[:, rows] @ inputs.mT).softmax(-1)
            mixed[:, rows] = attention @ inputs
        values = self._values @ mixed.mT
        # The published network was trained with the (784, C) result reshaped to (C, 784), not transposed.
        return (values + self._value_bias).view(signals.shape).add_(signals)


class _SwinLayer(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.blocks = nn.ModuleList(_SwinBlock(channels, 4, shift=shift) for shift in (0, _WINDOW // 2))

    def freeze(self, dtype: torch.dtype) -> None:
        """Select the fastest convolution."""
        weight, bias = self.conv.weight.detach(), self.conv.bias
        if weight.device.type == "cpu" and dtype == torch.float32 and bias is not None:
            self._convolution: Callable[[Tensor], Tensor] = WinogradConvolution(weight, bias.detach())
            del self.conv
        else:
            conv = to_channels_last(self.conv.to(dtype))
            self._convolution = lambda image: conv(image).relu_()

    def forward(self, tokens: Tensor, dtype: torch.dtype) -> Tensor:
        for block in self.blocks:
            tokens = block(tokens, dtype)
        image = tokens.to(dtype).view(len(tokens), _SIDE, _SIDE, -1).permute(0, 3, 1, 2)
        return self._convolution(image).permute(0, 2, 3, 1).flatten(1, 2)


class _ScaleSwin(nn.Module):
    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_SwinLayer(channels) for _ in range(2))
        self._scale = scale

    def forward(self, tokens: Tensor, dtype: torch.dtype) -> Tensor:
        for layer in self.layers:
            tokens = torch.add(tokens, layer(tokens, dtype), alpha=self._scale)
        return tokens


def _head(last: nn.Module) -> nn.Sequential:
    hidden = _CHANNELS // 2
    return nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Identity(), nn.Linear(hidden, 1), last)


class Network(nn.Module):
    """MANIQA's network, with all tensors of the published files except those in `UNUSED`.

    It is built without values: load its weights, then call `freeze`.

    Args:
        scale: Factor of the residual that a layer of windows adds, as in training.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.vit = _VisionTransformer()
        self.tablock1 = nn.ModuleList(_TransposedAttention() for _ in range(2))
        self.conv1 = Projection(4 * _CHANNELS, _CHANNELS, 1, 1)
        self.swintransformer1 = _ScaleSwin(_CHANNELS, scale)
        self.tablock2 = nn.ModuleList(_TransposedAttention() for _ in range(2))
        self.conv2 = Projection(_CHANNELS, _CHANNELS // 2, 1, 1)
        self.swintransformer2 = _ScaleSwin(_CHANNELS // 2, scale)
        self.fc_score = _head(nn.ReLU())
        self.fc_weight = _head(nn.Sigmoid())

    @torch.no_grad()
    def freeze(self, dtype: torch.dtype) -> None:
        """Convert the loaded weights for computation on their device; they can no longer be saved or replaced.

        Args:
            dtype: Precision of matrix products and convolutions. Sums, normalisation and the head are float32.
        """
        self._dtype = dtype
        for module in list(self.modules()):
            if isinstance(module, _TransposedAttention):
                module.freeze(dtype)
            elif isinstance(module, _SwinBlock):
                module.attn.freeze(module.attn_mask, dtype)
            elif isinstance(module, _SwinLayer):
                module.freeze(dtype)
        for module in self.modules():
            if isinstance(module, Projection):
                module.freeze(dtype)

    def forward(self, crops: Tensor) -> Tensor:
        """Score the patches of crops.

        Args:
            crops: Crops, (B, 3, 224, 224) float32 RGB in [-1, 1].

        Returns:
            For each crop, the weighted sum of the patches' scores and the sum of the weights, (B, 2) float64.
        """
        dtype = self._dtype
        signals = self.vit(crops, dtype)
        for attention, reduction, windows in (
            (self.tablock1, self.conv1, self.swintransformer1),
            (self.tablock2, self.conv2, self.swintransformer2),
        ):
            for block in attention:
                signals = block(signals, dtype)
            tokens = windows(reduction(signals.mT.to(dtype)).float(), dtype)
            signals = tokens.mT.contiguous()
        weights = self.fc_weight(tokens).double()
        return torch.stack([(weights * self.fc_score(tokens)).sum((1, 2)), weights.sum((1, 2))], 1)
