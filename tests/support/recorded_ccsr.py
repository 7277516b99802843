"""Outputs of CCSR's whole official script, as `tests/official/ccsr_recording.py` recorded them."""

from __future__ import annotations

import json
from typing import Any

from ccsr_bench.ccsr.settings import Settings, read_settings
from ccsr_bench.methods.registry import find_method
from tests.support.tiny_ccsr import GOLDEN

PIXELS = GOLDEN / "restore.npz"
"""By name of the case: ``lr``, ``float16`` as the script runs, and ``float32``, which it has no option for."""

NUMERICS = {"float16": "official", "float32": "clean"}
"""Precision of the official script -> ours, where the two compute the same."""


def cases() -> list[dict[str, Any]]:
    """Return the recorded cases."""
    recorded: list[dict[str, Any]] = json.loads((GOLDEN / "restore.json").read_text())
    return recorded


def settings_of(case: dict[str, Any], precision: str = "float16") -> Settings:
    """Return a case's settings: those of the method's variant, with what the case changes."""
    parameters = {**find_method(case["variant"]).variant.parameters, **case["parameters"]}
    return read_settings({**parameters, "quirks": {"numerics": NUMERICS[precision]}})
