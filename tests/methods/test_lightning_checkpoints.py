"""Checkpoints that hold objects beside their tensors: the tensors are read, and nothing else comes to life."""

from __future__ import annotations

import pathlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from ccsr_bench.methods.worker.lightning_checkpoints import load_tensors_among_objects


class Callback(dict[str, Any]):
    """As a training framework keeps them: with attributes, and with entries."""

    def __init__(self) -> None:
        super().__init__(best=1.0)
        self.names = {"a", "b"}


class Malicious:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return pathlib.Path.touch, (self.trace,)


@pytest.mark.parametrize("zipped", [True, False])
def test_reads_tensors_and_runs_nothing(tmp_path: Path, zipped: bool) -> None:
    trace = tmp_path / "trace"
    state = OrderedDict(weight=torch.randn(3, 4).T, half=torch.randn(2).half(), level=torch.nn.Parameter(torch.ones(1)))
    content = {"state_dict": state, "callbacks": {Callback: Callback()}, "other": [Malicious(trace)], "epoch": 3}
    torch.save(content, tmp_path / "model.ckpt", _use_new_zipfile_serialization=zipped)
    load = torch.load
    with load_tensors_among_objects():
        read = torch.load(tmp_path / "model.ckpt", map_location="cuda")
    assert torch.load is load
    assert not trace.exists()
    assert read["epoch"] == 3
    assert list(read["state_dict"]) == list(state)
    for name, tensor in state.items():
        assert torch.equal(read["state_dict"][name], tensor)
