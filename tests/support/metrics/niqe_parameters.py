"""NIQE's model of natural images: the published file where it is at hand, else one with the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ccsr_bench.metrics.weight_files import FILES
from tests.support.mat_files import mat_file
from tests.support.places import SHARED

NUMBERS = Path(__file__).parents[2] / "fixtures" / "niqe" / "parameters.npy"


def write_niqe(folder: Path) -> None:
    """Write the file under its published name."""
    name = FILES["niqe"].name
    published = SHARED / "weights" / name
    numbers = np.load(NUMBERS)
    content = mat_file({"mu_prisparam": numbers[:1], "cov_prisparam": numbers[1:]})
    (folder / name).write_bytes(published.read_bytes() if published.is_file() else content)
