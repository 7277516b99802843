"""The network of MUSIQ (Ke et al., ICCV 2021): a small convolutional stem for each patch, and a transformer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ccsr_bench.devices.layout import to_channels_last
from ccsr_bench.metrics.networks.musiq_patches import GRID, LONGER_SIDES, PATCH, Places, multi_scale_patches

_STEM = 64
_STEM_OUT = 256
_WIDTH = 384
_HIDDEN = 1152
_HEADS = 6
_BLOCKS = 14
_GROUPS = 32
_STEM_BEFORE, _STEM_AFTER = 2, 3
"""Zeros before and after a patch with which a 7x7 convolution of stride 2 halves its sides (TensorFlow's ``SAME``)."""
_PATCHES_AT_ONCE = 64
"""Patches that go through the stem at once on a CPU, so that their activations stay in the cache."""


class StandardisedConv(nn.Conv2d):
    """A convolution whose weights have mean 0 and standard deviation 1 for each output channel."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding, bias=False)

    @torch.no_grad()
    def standardise(self) -> None:
        """Standardise the weights as loaded from the file; to be called once."""
        centred = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        standardised = centred / (centred.std((1, 2, 3), keepdim=True) + 1e-5)
        self.weight.copy_(standardised)


class GroupNorm(nn.Module):
    """Group normalisation of patches in channels-last layout, in float32.

    It is several times as fast as torch's on a CPU, which either processes one group of two channels at a time or needs
    another layout than the convolutions.
    """

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.eps = eps

    def forward(self, patches: Tensor) -> Tensor:
        """Normalise each group of channels of each patch.

        Args:
            patches: Patches, (n, C, h, w) in any precision and ``channels_last`` layout.

        Returns:
            The normalised patches, (n, C, h, w) float32 in the same layout.
        """
        values = patches.permute(0, 2, 3, 1).flatten(1, 2).float()
        centred = values - self._of_groups(values.mean(1, keepdim=True))
        # The mean square minus the squared mean would lose the precision of nearly uniform patches.
        variance = self._of_groups(centred.square().mean(1, keepdim=True))
        normalised = centred.mul_((variance + self.eps).rsqrt_().mul_(self.weight)).add_(self.bias)
        return normalised.view(len(patches), *patches.shape[2:], -1).permute(0, 3, 1, 2)

    @staticmethod
    def _of_groups(channels: Tensor) -> Tensor:
        """Replace each channel's value by the mean of its group, (n, 1, C)."""
        grouped = channels.reshape(len(channels), 1, _GROUPS, -1)
        return grouped.mean(3, keepdim=True).expand_as(grouped).flatten(2)


class StemBlock(nn.Module):
    """The residual block of the stem."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = StandardisedConv(_STEM, _STEM, 1)
        self.gn1 = GroupNorm(_STEM, 1e-4)
        self.conv2 = StandardisedConv(_STEM, _STEM, 3, padding=1)
        self.gn2 = GroupNorm(_STEM, 1e-4)
        self.conv3 = StandardisedConv(_STEM, _STEM_OUT, 1)
        self.gn3 = GroupNorm(_STEM_OUT, 1e-4)
        self.conv_proj = StandardisedConv(_STEM, _STEM_OUT, 1)
        self.gn_proj = GroupNorm(_STEM_OUT, 1e-4)

    def forward(self, patches: Tensor) -> Tensor:
        """(n, 64, h, w) -> (n, 256, h, w)."""
        inner = self.gn1(self.conv1(patches)).relu_()
        inner = self.gn2(self.conv2(inner)).relu_()
        outer: Tensor = self.gn_proj(self.conv_proj(patches))
        return outer.add_(self.gn3(self.conv3(inner))).relu_()


class Attention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(_WIDTH, _WIDTH)
        self.key = nn.Linear(_WIDTH, _WIDTH)
        self.value = nn.Linear(_WIDTH, _WIDTH)
        self.out = nn.Linear(_WIDTH, _WIDTH)

    def forward(self, tokens: Tensor, queries: int) -> Tensor:
        """(N, T, 384) -> (N, queries, 384): the attention of the first `queries` tokens to all tokens."""
        query, key, value = (
            layer(inputs).view(*inputs.shape[:2], _HEADS, -1).transpose(1, 2)
            for layer, inputs in ((self.query, tokens[:, :queries]), (self.key, tokens), (self.value, tokens))
        )
        attended = functional.scaled_dot_product_attention(query, key, value)
        result: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return result


class Feedforward(nn.Module):
    """Two layers with a GELU between them."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(_WIDTH, _HIDDEN)
        self.fc2 = nn.Linear(_HIDDEN, _WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T, 384) -> (N, T, 384)."""
        result: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return result


class TransformerBlock(nn.Module):
    """One block of the transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(_WIDTH, eps=1e-6)
        self.attention = Attention()
        self.norm2 = nn.LayerNorm(_WIDTH, eps=1e-6)
        self.mlp = Feedforward()

    def forward(self, tokens: Tensor, wanted: int) -> Tensor:
        """(N, T, 384) -> (N, wanted, 384): the first `wanted` tokens after the block."""
        tokens = tokens[:, :wanted] + self.attention(self.norm1(tokens), wanted)
        result: Tensor = tokens + self.mlp(self.norm2(tokens))
        return result


class Positions(nn.Module):
    """The learned embeddings of positions."""

    def __init__(self) -> None:
        super().__init__()
        self.position_emb = nn.Parameter(torch.empty(1, GRID * GRID, _WIDTH))


class Scales(nn.Module):
    """The learned embeddings of the copies of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.scale_emb = nn.Parameter(torch.empty(len(LONGER_SIDES) + 1, _WIDTH))


class TransformerEncoder(nn.Module):
    """The transformer, from embedded patches to the class token."""

    def __init__(self) -> None:
        super().__init__()
        self.posembed_input = Positions()
        self.scaleembed_input = Scales()
        self.cls = nn.Parameter(torch.empty(1, 1, _WIDTH))
        self.encoder_norm = nn.LayerNorm(_WIDTH, eps=1e-6)
        self.transformer = nn.ModuleDict({f"encoderblock_{index}": TransformerBlock() for index in range(_BLOCKS)})

    def embed_places(self, places: Places) -> Tensor:
        """Return the learned embeddings of the places of patches, (T, 384)."""
        position = self.posembed_input.position_emb[0, places.position]
        return position + self.scaleembed_input.scale_emb[places.scale]

    def forward(self, patches: Tensor, embedding: Tensor) -> Tensor:
        """Return the normalised class token after the last block, which computes no other token.

        Args:
            patches: Features of the patches, (N, T, 384) float32.
            embedding: Embeddings of the patches' places, (T, 384).

        Returns:
            The class token, (N, 384) float32.
        """
        tokens = torch.cat([self.cls.expand(len(patches), -1, -1), patches + embedding], 1)
        for index, block in enumerate(self.transformer.values(), 1):
            tokens = block(tokens, 1 if index == _BLOCKS else tokens.shape[1])
        result: Tensor = self.encoder_norm(tokens[:, 0])
        return result


class MUSIQNetwork(nn.Module):
    """MUSIQ with one output; its tensors have the names of the published files.

    Call `finish` after loading the weights and before the first use.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_root = StandardisedConv(3, _STEM, 7, stride=2)
        self.gn_root = GroupNorm(_STEM, 1e-6)
        self.block1 = StemBlock()
        self.embedding = nn.Linear(_STEM_OUT * (PATCH // 4) ** 2, _WIDTH)
        self.transformer_encoder = TransformerEncoder()
        self.head = nn.Linear(_WIDTH, 1)

    def finish(self, device: torch.device) -> None:
        """Standardise the weights of convolutions, and move the network to a device."""
        for module in self.modules():
            if isinstance(module, StandardisedConv):
                module.standardise()
        self.to(device).requires_grad_(requires_grad=False)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                to_channels_last(module)

    def forward(self, images: Tensor, embedding: Tensor) -> Tensor:
        """Score images.

        Args:
            images: Images, (N, 3, H, W) float32 in [0, 1].
            embedding: Embeddings of their patches' places, by ``transformer_encoder.embed_places``.

        Returns:
            The scores, (N,) float32, about 0 to 100.
        """
        patches = multi_scale_patches((images - 0.5) * 2, _STEM_BEFORE, _STEM_AFTER)
        features = torch.cat([self._stem(part) for part in _parts(patches.flatten(0, 1))])
        tokens = self.embedding(features).view(len(images), -1, _WIDTH)
        token = self.transformer_encoder(tokens, embedding)
        result: Tensor = self.head(token)[:, 0]
        return result

    def _stem(self, patches: Tensor) -> Tensor:
        """(n, 3, 37, 37) -> (n, 16384), row after row, channels innermost."""
        features = self.gn_root(self.conv_root(patches))
        # TensorFlow pads with zeros at the bottom and right after the ReLU, which commutes with the maximum.
        pooled = functional.max_pool2d(features, 3, 2, ceil_mode=True).relu_()
        result: Tensor = self.block1(pooled).permute(0, 2, 3, 1).flatten(1)
        return result


def _parts(patches: Tensor) -> Sequence[Tensor]:
    return patches.chunk(1 if patches.is_cuda else math.ceil(len(patches) / _PATCHES_AT_ONCE))
