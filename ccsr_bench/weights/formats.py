"""Formats of weights: where a ``.safetensors`` file is named, a file in PyTorch's own format may be there instead."""

from __future__ import annotations

from pathlib import Path


def accepted_names(file: Path) -> tuple[Path, ...]:
    """Return the names under which a file may be there, in order of preference."""
    if file.suffix != ".safetensors":
        return (file,)
    return file, file.with_name("pytorch_model.bin" if file.stem == "model" else f"{file.stem}.bin")


def find_file(file: Path) -> Path | None:
    """Return a file in the format that it is there in; None when it is not there."""
    return next((name for name in accepted_names(file) if name.is_file()), None)
