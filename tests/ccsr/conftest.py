"""Tiny networks, loaded as the recorded outputs had them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("diffusers", reason="needs the extra `ccsr`")

import torch
from safetensors.torch import load_file

from ccsr_bench.ccsr.networks import Networks
from tests.support.tiny_ccsr import GOLDEN, golden_networks, write_weights


@pytest.fixture(scope="session")
def official_networks() -> Networks:
    """In float16, as the official code runs them."""
    return golden_networks(torch.float16)


@pytest.fixture(scope="session")
def networks() -> Networks:
    """In float32."""
    return golden_networks(torch.float32)


@pytest.fixture(scope="session")
def prompts() -> dict[str, torch.Tensor]:
    """The recorded prompts' embeddings."""
    tensors = load_file(GOLDEN / "tiny.safetensors")
    return {name: tensors[f"prompt_embeds.{name}"] for name in ("positive", "negative")}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder of weights in the official layout, to damage."""
    return write_weights(tmp_path / "weights")
