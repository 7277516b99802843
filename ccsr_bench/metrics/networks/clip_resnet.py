"""CLIP with a ResNet-50 (Radford et al., ICML 2021), without the positional embedding of its attention pool.

Modules and tensors are named as in the published weights.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ccsr_bench.devices.layout import to_channels_last
from ccsr_bench.metrics.networks.weights import load_strictly
from ccsr_bench.metrics.networks.winograd import WinogradConvolution

_EMBEDDING = 1024
_WIDTH = 64
_BLOCKS = (3, 4, 6, 3)
_EXPANSION = 4
_HEAD_CHANNELS = 64
"""Channels of an attention head, in the image network and in the text network."""
_TRAINED_CELLS = 7 * 7

_TEXT_WIDTH = 512
_TEXT_LAYERS = 12
_TEXT_LENGTH = 77
_VOCABULARY = 49408

_WINOGRAD_CHANNELS = 128
"""Channels from which Winograd's convolution is faster; with fewer, its transforms take as much time as it saves."""

_SIZES_IN_FILE = ("input_resolution", "context_length", "vocab_size")
"""Numbers among the tensors of the published file that do not belong to the network."""


class _NotInitialised:
    """Skips the random initialisation of a layer, which is slow and is overwritten by the weights."""

    def reset_parameters(self) -> None:
        """Leave the weights uninitialised."""


class _Convolution(_NotInitialised, nn.Conv2d):
    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, size, stride, padding=size // 2, bias=False)


class _Linear(_NotInitialised, nn.Linear):
    pass


class _Embedding(_NotInitialised, nn.Embedding):
    pass


class Bottleneck(nn.Module):
    """A residual block, which can halve the resolution by averaging.

    Args:
        inputs: Number of input channels.
        channels: Number of channels of the 3x3 convolution; the block has four times as many output channels.
        stride: 2 to halve the resolution, otherwise 1.
    """

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        outputs = channels * _EXPANSION
        self.stride = stride
        self.conv1 = _Convolution(inputs, channels, 1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = _Convolution(channels, channels, 3)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = _Convolution(channels, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = (
            nn.Sequential(_Convolution(inputs, outputs, 1), nn.BatchNorm2d(outputs)) if inputs != outputs else None
        )
        self.faster_conv2: WinogradConvolution | None = None
        """Replaces `conv2` and the ReLU after it."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 4 channels, H // stride, W // stride)."""
        inner = self.bn1(self.conv1(x)).relu_()
        inner = self.bn2(self.conv2(inner)).relu_() if self.faster_conv2 is None else self.faster_conv2(inner)
        if self.stride > 1:
            inner, x = F.avg_pool2d(inner, self.stride), F.avg_pool2d(x, self.stride)
        shortcut = x if self.downsample is None else self.downsample(x)
        result: Tensor = self.bn3(self.conv3(inner))
        return result.add_(shortcut).relu_()


class AttentionPool(nn.Module):
    """Attention of the mean of an image's cells to the cells and itself; the cells' own queries are not needed.

    The cells' keys and values are not computed either. A head's query is multiplied by the keys' weights once, without
    their bias, which would change every logit of the head by the same number; and the cells are averaged before they
    are multiplied by the values' weights.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.empty(_TRAINED_CELLS + 1, channels))
        self.k_proj = _Linear(channels, channels)
        self.q_proj = _Linear(channels, channels)
        self.v_proj = _Linear(channels, channels)
        self.c_proj = _Linear(channels, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, outputs)."""
        cells = x.flatten(2).transpose(1, 2)
        mean = cells.mean(dim=1, keepdim=True)
        tokens = torch.cat([mean, cells], dim=1)
        count, _, channels = tokens.shape
        query = self.q_proj(mean[:, 0]).view(count, -1, _HEAD_CHANNELS) * _HEAD_CHANNELS**-0.5
        keys, values = (layer.weight.view(-1, _HEAD_CHANNELS, channels) for layer in (self.k_proj, self.v_proj))
        attention = (torch.einsum("nhd,hdc->nhc", query, keys) @ tokens.transpose(1, 2)).softmax(dim=-1)
        pooled = torch.einsum("nhc,hdc->nhd", attention @ tokens, values).flatten(1) + self.v_proj.bias
        result: Tensor = self.c_proj(pooled)
        return result


class ImageNetwork(nn.Module):
    """CLIP's ResNet-50, with three convolutions in its stem and attention instead of the last average."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _Convolution(3, _WIDTH // 2, 3, stride=2)
        self.bn1 = nn.BatchNorm2d(_WIDTH // 2)
        self.conv2 = _Convolution(_WIDTH // 2, _WIDTH // 2, 3)
        self.bn2 = nn.BatchNorm2d(_WIDTH // 2)
        self.conv3 = _Convolution(_WIDTH // 2, _WIDTH, 3)
        self.bn3 = nn.BatchNorm2d(_WIDTH)
        inputs = _WIDTH
        for stage, count in enumerate(_BLOCKS):
            channels = _WIDTH * 2**stage
            blocks = []
            for index in range(count):
                blocks.append(Bottleneck(inputs, channels, stride=2 if stage and not index else 1))
                inputs = channels * _EXPANSION
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.attnpool = AttentionPool(inputs, _EMBEDDING)

    def forward(self, images: Tensor) -> Tensor:
        """Return the embeddings, (N, 1024) float32, of normalised images, (N, 3, H, W) of 31 pixels or more."""
        x = self.bn1(self.conv1(images)).relu_()
        x = self.bn2(self.conv2(x)).relu_()
        x = self.bn3(self.conv3(x)).relu_()
        x = F.avg_pool2d(x, 2)
        for stage in range(len(_BLOCKS)):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        result: Tensor = self.attnpool(x.float())
        return result


class _QuickGELU(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class TextBlock(nn.Module):
    """A layer of the text transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(_TEXT_WIDTH, _TEXT_WIDTH // _HEAD_CHANNELS, batch_first=True)
        self.ln_1 = nn.LayerNorm(_TEXT_WIDTH)
        self.mlp = nn.Sequential(
            OrderedDict(
                c_fc=_Linear(_TEXT_WIDTH, 4 * _TEXT_WIDTH),
                gelu=_QuickGELU(),
                c_proj=_Linear(4 * _TEXT_WIDTH, _TEXT_WIDTH),
            )
        )
        self.ln_2 = nn.LayerNorm(_TEXT_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """(N, L, C) -> (N, L, C); a token attends to itself and the tokens before it."""
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        normal = self.ln_1(x)
        x = x + self.attn(normal, normal, normal, need_weights=False, attn_mask=mask, is_causal=True)[0]
        result: Tensor = x + self.mlp(self.ln_2(x))
        return result


class CLIP(nn.Module):
    """The image network and the text network, which were published together."""

    def __init__(self) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.empty(_TEXT_LENGTH, _TEXT_WIDTH))
        self.text_projection = nn.Parameter(torch.empty(_TEXT_WIDTH, _EMBEDDING))
        self.logit_scale = nn.Parameter(torch.empty(()))
        self.visual = ImageNetwork()
        self.transformer = nn.Sequential(
            OrderedDict(resblocks=nn.Sequential(*(TextBlock() for _ in range(_TEXT_LAYERS))))
        )
        self.token_embedding = _Embedding(_VOCABULARY, _TEXT_WIDTH)
        self.ln_final = nn.LayerNorm(_TEXT_WIDTH)

    def embed_text(self, tokens: Tensor) -> Tensor:
        """Return the embeddings of texts, (N, 1024) float32.

        Args:
            tokens: Token numbers, (N, L) int64. A row holds a start token, the text, the end token, which has the
                highest number of all, and then zeros. L may be less than 77, as no token attends to later ones.
        """
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        x = self.ln_final(self.transformer(x))
        embeddings: Tensor = x[torch.arange(len(tokens)), tokens.argmax(dim=1)] @ self.text_projection
        return embeddings


def load_clip(tensors: Mapping[str, Tensor], source: str) -> CLIP:
    """Return CLIP with given weights, in float32 on the CPU.

    Args:
        tensors: Tensors by their published names, in any precision.
        source: Name of the file, for errors.

    Raises:
        BenchError: The tensors are weights of another network.
    """
    with torch.random.fork_rng(devices=[]):
        network = CLIP()
    load_strictly(network, {name: value for name, value in tensors.items() if name not in _SIZES_IN_FILE}, source)
    return network.requires_grad_(requires_grad=False)


def make_fast(network: ImageNetwork, device: torch.device) -> ImageNetwork:
    """Return the image network in its fastest form, with the same outputs up to float32 rounding.

    Args:
        network: Network with its weights, in evaluation mode, on the CPU. It must not be used afterwards.
        device: Device of the network.
    """
    _fold_batch_norms(network)
    if device.type != "cpu":
        return network.to(device)
    to_channels_last(network)
    for block in network.modules():
        if isinstance(block, Bottleneck) and block.conv2.in_channels >= _WINOGRAD_CHANNELS:
            weight, bias = block.conv2.weight, block.conv2.bias
            assert bias is not None  # it comes from the folded batch normalisation
            block.faster_conv2 = WinogradConvolution(weight, bias)
            del block.conv2
    return network


def _fold_batch_norms(network: nn.Module) -> None:
    """Replace every convolution and the batch normalisation after it by one convolution."""
    for module in list(network.modules()):
        for (name, convolution), (name_of_norm, norm) in itertools.pairwise(list(module.named_children())):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(convolution.double(), norm.double()).float())
                setattr(module, name_of_norm, nn.Identity())
