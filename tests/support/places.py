"""Where files that are no part of the repository are."""

from __future__ import annotations

import os
from pathlib import Path

SHARED = Path(os.environ.get("CCSR_BENCH_SHARED", Path(__file__).parents[3] / "shared"))
"""A folder with RealSR images and metric weights; the tests that use it skip where there is none."""
