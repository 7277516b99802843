"""The memory layout of the tensors of networks."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


def to_channels_last(network: M) -> M:
    """Store the four-dimensional weights of a network with channels last, in place, and return the network."""
    untyped = cast("Any", network)  # torch accepts the argument, but its annotations lack it
    untyped.to(memory_format=torch.channels_last)
    return network
