"""Definitions of metrics as earlier versions recorded them."""

from __future__ import annotations

from ccsr_bench.metrics import weight_files

_TORCHVISION = ("alexnet", "vgg16")
"""Files that version 0.1.0 cited by the file's sha256, and that are cited by the sha256 of their features now."""


def present_form(definition: str) -> str:
    """Return a recorded definition in the words of this version; the number that it defines is the same."""
    for file in (weight_files.FILES[key] for key in _TORCHVISION):
        definition = definition.replace(
            f"{file.name} sha256 {file.sha256[:12]}", f"{file.title}, tensors sha256 {file.tensors_sha256[:12]}"
        )
    return definition
