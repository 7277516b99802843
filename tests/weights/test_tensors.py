from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from ccsr_bench.errors import BenchError
from ccsr_bench.weights.tensors import compare_tensors, read_tensors

TENSORS = {"a": torch.ones(2), "b": torch.zeros(3, 1)}


def names(tensors: dict[str, torch.Tensor]) -> list[str]:
    assert all(torch.equal(tensor, TENSORS[name]) for name, tensor in tensors.items())
    return list(tensors)


def test_both_formats_are_read(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch", reason="needs the extra `ccsr`")
    safetensors.save_file(TENSORS, tmp_path / "model.safetensors")
    torch.save(TENSORS, tmp_path / "model.bin")
    assert names(read_tensors(tmp_path / "model.safetensors")) == ["a", "b"]
    assert names(read_tensors(tmp_path / "model.bin")) == ["a", "b"]


def test_nested_tensors_are_found_where_they_are_expected(tmp_path: Path) -> None:
    torch.save({"params": TENSORS, "epoch": 3}, tmp_path / "model.pth")
    assert names(read_tensors(tmp_path / "model.pth", nested="params")) == ["a", "b"]
    with pytest.raises(BenchError, match=r"model\.pth: holds no named tensors"):
        read_tensors(tmp_path / "model.pth")


class Payload:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def test_code_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(pickle.dumps({"a": Payload(tmp_path / "ran")}))
    with pytest.raises(
        BenchError,
        match=r"holds code beside weights, or is damaged: no readable weights",
    ):
        read_tensors(tmp_path / "model.pth")
    assert not (tmp_path / "ran").exists()


def test_differences_are_named() -> None:
    given = {"a": torch.ones(3), "c": torch.ones(1)}
    assert compare_tensors(TENSORS, given) == (["b"], ["c"], ["a"])
    assert compare_tensors(TENSORS, dict(TENSORS)) == ([], [], [])
