"""CCSR's official script against its recorded outputs; `ccsr_recording.py` describes the requirements."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="needs the extra `ccsr`")

from tests.official.ccsr_recording import CASES, CHECKOUT, PYTHON, official_outputs, options_of, write_official_weights
from tests.support.recorded_ccsr import NUMERICS, PIXELS, cases

RECORDED = np.load(PIXELS)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny weights in the official layout."""
    if not (os.environ.get(CHECKOUT) and os.environ.get(PYTHON)):
        pytest.skip(f"needs CCSR's official code: {CHECKOUT} names its checkout, {PYTHON} a Python with its libraries")
    return write_official_weights(tmp_path_factory.mktemp("ccsr") / "weights")


def test_recorded_cases_are_the_present_cases() -> None:
    assert [{**case, "options": options_of(case)} for case in CASES] == cases()


@pytest.mark.parametrize("precision", NUMERICS)
@pytest.mark.parametrize("case", cases(), ids=[case["name"] for case in CASES])
def test_official_script_still_gives_the_recorded_outputs(case: dict[str, Any], precision: str, weights: Path) -> None:
    outputs = official_outputs(case, RECORDED[f"{case['name']}/lr"], weights, case["options"], precision)
    np.testing.assert_array_equal(outputs, RECORDED[f"{case['name']}/{precision}"])
