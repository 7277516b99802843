"""`tests/methods/paper_settings.toml`: what every shipped variant has to run with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ccsr_bench.manifests import read_toml

FILE = Path(__file__).parents[1] / "methods" / "paper_settings.toml"


class VariantSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one variant has to run with."""

    printed: list[str] = []
    """The rows of the paper's tables that it is."""
    steps: int = 0
    deterministic: bool = False
    calls_per_step: int = 1
    captioned: bool = False
    parameters: dict[str, Any] = {}
    weights: dict[str, str] = {}
    """Role -> name among the weights."""


class CaptionerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the captioner of a family has to run with."""

    weights: dict[str, str]


class FamilySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a family has to run with."""

    source: str
    """Where the settings are from."""
    stochastic: bool
    variants: dict[str, VariantSettings]
    repository: str = ""
    commit: str = ""
    """The first digits."""
    call: dict[str, Any] = {}
    """What the official code is given, whatever the variant."""
    captioner: CaptionerSettings | None = None


class WeightsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where weights are from."""

    source: str
    """An official repository or folder id, or some whole parts of an address."""
    files: list[str]
    """Some of those that are needed."""


class PaperSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    families: dict[str, FamilySettings]
    weights: dict[str, WeightsSettings]


def paper_settings() -> PaperSettings:
    """Read the file."""
    return read_toml(FILE, PaperSettings)
