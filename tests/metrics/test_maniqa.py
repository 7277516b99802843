"""MANIQA against pyiqa's, both with the same random weights."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.metrics import maniqa, weights
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.maniqa import MANIQA, uniform_crops
from ccsr_bench.metrics.weights import FILES
from ccsr_bench.prepare import file_sha256
from tests.conftest import picture
from tests.metrics.layouts_maniqa import write_maniqa
from tests.metrics.random_weights import install

CPU = torch.device("cpu")
NAMES = {key: FILES[key].name for key in ("maniqa-pipal", "maniqa-koniq")}
TOLERANCE = 1e-5
"""Scores lie between 0 and 1 or a little more."""

slow = pytest.mark.skipif(not os.environ.get("CCSR_BENCH_SLOW"), reason="takes minutes; set CCSR_BENCH_SLOW=1")


@pytest.fixture(scope="session")
def maniqa_weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, weights.WeightFile]:
    """Random weights, written and hashed once, found by their absolute names."""
    folder = tmp_path_factory.mktemp("maniqa")
    write_maniqa(folder)
    sha256 = file_sha256(folder / NAMES["maniqa-pipal"])
    return {key: dataclasses.replace(FILES[key], name=str(folder / NAMES[key]), sha256=sha256) for key in NAMES}
