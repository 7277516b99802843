"""The hash of tensors identifies weights; a converted file must have it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.networks.weights import read_tensors
from ccsr_bench.weights.tensors import tensors_sha256


def test_a_converted_file_with_other_tensors_is_refused(home: Path) -> None:
    from safetensors.torch import save_file

    (home / "weights").mkdir()
    path = home / "weights" / "alexnet-owt-7be5be79.safetensors"
    save_file({"features.0.weight": torch.zeros(1)}, path)
    with pytest.raises(BenchError, match="wrong tensors: these are not the published weights; delete it and prepare"):
        read_tensors("lpips", "alexnet")


def test_name_dtype_shape_and_values_are_hashed_but_not_the_order() -> None:
    tensors = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor(1.5, dtype=torch.bfloat16), "c": torch.ones(0)}
    sha256 = tensors_sha256(tensors)
    lines = b"a bfloat16 \n" + b"\xc0\x3f" + b"b float32 2,3\n" + np.arange(6, dtype="<f4").tobytes() + b"c float32 0\n"
    assert sha256 == hashlib.sha256(lines).hexdigest()
    assert tensors_sha256(dict(reversed(tensors.items()))) == sha256
    assert tensors_sha256(tensors | {"b": tensors["b"].T.contiguous().T}) == sha256
    for other in (
        {"b": tensors["b"].reshape(3, 2)},
        {"b": tensors["b"].double()},
        {"b": tensors["b"] + 1},
        {"d": torch.ones(0)},
    ):
        assert tensors_sha256(tensors | other) != sha256
