"""Formats of weights: a file in PyTorch's own format may replace a ``.safetensors`` file that a manifest names."""

from __future__ import annotations

from pathlib import Path


def accepted_names(file: Path) -> tuple[Path, ...]:
    """Return the names that a file may have, in order of preference."""
    if file.suffix != ".safetensors":
        return (file,)
    return file, file.with_name("pytorch_model.bin" if file.stem == "model" else f"{file.stem}.bin")


def find_file(file: Path) -> Path | None:
    """Return the path of a file in any accepted format; None where the file is missing."""
    return next((name for name in accepted_names(file) if name.is_file()), None)
