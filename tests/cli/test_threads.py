"""`--threads`, and how threads wait for each other."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ccsr_bench
from ccsr_bench.cli import main
from ccsr_bench.errors import BenchError
from ccsr_bench.images import read_image
from tests.support.cli import Capture, done, mistake
from tests.support.isolated import write_isolated

ISOLATED = """
import os
import numpy as np

class Model:
    def restore(self, lr, seed):
        return np.full((4 * lr.shape[0], 4 * lr.shape[1], 3), int(os.environ.get("OMP_NUM_THREADS", 0)), np.uint8)

def load(source, weights, device, **parameters):
    return Model()
"""
OTHER = torch.get_num_threads() + 2


class CountsThreads:
    """Its outputs are filled with the number of threads that torch computes with."""

    def restore(self, lr: np.ndarray, seeds: list[int]) -> np.ndarray:
        height, width, _ = lr.shape
        return np.full((len(seeds), 4 * height, 4 * width, 3), torch.get_num_threads(), np.uint8)


def output(folder: Path) -> int:
    """Return the grey level of the only output in a folder of results."""
    return int(read_image(next(folder.rglob("run-00/*.png"))).mean())


def test_threads_of_methods_in_this_process(pairs: Path, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    common: dict[str, Any] = {
        "lr": pairs / "lr",
        "hr": pairs / "hr",
        "metrics": "psnr",
        "runs": 1,
        "limit": 1,
        "progress": False,
    }
    ccsr_bench.run(CountsThreads(), out=tmp_path / "default", **common)
    ccsr_bench.run(CountsThreads(), out=tmp_path / "other", threads=OTHER, **common)
    assert (output(tmp_path / "default"), output(tmp_path / "other")) == (before, OTHER)
    assert torch.get_num_threads() == before
    sessions = json.loads(next((tmp_path / "other").rglob("provenance.json")).read_text())["sessions"]
    assert [session["threads"] for session in sessions.values()] == [OTHER]
    with pytest.raises(BenchError, match="`threads` is 0: it must be an integer of at least 1"):
        ccsr_bench.run(CountsThreads(), out=tmp_path / "none", threads=0, **common)


def test_threads_of_isolated_methods(
    pairs: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    methods = write_isolated(tmp_path / "methods", home, adapter=ISOLATED)
    run = ["run", "--method", "fake", "--methods-dir", methods, "--lr", pairs / "lr", "--hr", pairs / "hr"]
    run += ["--metrics", "psnr", "--runs", "1", "--limit", "1", "--no-canary"]
    done([*run, "--threads", "3", "--out", tmp_path / "three"])
    done([*run, "--out", tmp_path / "default"])
    assert (output(tmp_path / "three"), output(tmp_path / "default")) == (3, 0)
    assert "OMP_NUM_THREADS" not in os.environ
    assert "'0' is not an integer of at least 1" in mistake(capsys, *run, "--threads", "0")


def test_waiting_threads_sleep_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, expected in ((None, "PASSIVE"), ("ACTIVE", "ACTIVE")):
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        if given is not None:
            monkeypatch.setenv("OMP_WAIT_POLICY", given)
        assert main(["--version"]) == 0
        assert os.environ["OMP_WAIT_POLICY"] == expected
