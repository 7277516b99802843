"""Reading checkpoints for adapters: only tensors are loaded and no code runs, whatever official code passes."""

from __future__ import annotations

import pathlib
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from ccsr_bench.methods.isolated.worker.cuda_only_code import load_tensors_only
from ccsr_bench.methods.isolated.worker.lightning_checkpoints import load_tensors_among_objects


class Callback(dict[str, Any]):
    """An object of a training framework in a checkpoint, with attributes and with items."""

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


def test_refuses_objects_where_only_tensors_are_expected(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    torch.save({"weight": torch.ones(2)}, tmp_path / "tensors.pth")
    torch.save({"weight": torch.ones(2), "other": Malicious(trace)}, tmp_path / "objects.pth")
    with load_tensors_only():
        assert torch.equal(torch.load(tmp_path / "tensors.pth", map_location="cuda")["weight"], torch.ones(2))
        with pytest.raises(pickle.UnpicklingError):
            torch.load(tmp_path / "objects.pth", weights_only=False)
    assert not trace.exists()
