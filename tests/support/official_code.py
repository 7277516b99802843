"""Adapters of official code without the official code: modules in its place, which record what they are given."""

from __future__ import annotations

import importlib.util
import sys
from argparse import Namespace
from collections.abc import Mapping
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image

from ccsr_bench.places import shipped

SHARED = ("ccsr_bench.methods.isolated.families.", "ccsr_bench.methods.isolated.worker.")
"""Beginnings of the names of modules that adapters import."""


def load_module(method: str, modules: Mapping[str, Mapping[str, Any]], file: str = "adapter.py") -> Any:
    """Import an adapter as the worker does.

    Args:
        method: Its folder.
        modules: Name of a module of official code or of a library -> what is in it. Packages need not be named.
        file: Of the adapter.
    """
    path = shipped("methods") / method / file
    spec = importlib.util.spec_from_file_location(f"{method}_{path.stem}_without_official_code", path)
    assert spec is not None
    assert spec.loader is not None
    adapter = importlib.util.module_from_spec(spec)
    with patch.dict(sys.modules, standing_in(modules)):
        # What adapters share imports official code too: it is imported anew beside each stand-in, and not kept.
        for name in [name for name in sys.modules if name.startswith(SHARED)]:
            del sys.modules[name]
        spec.loader.exec_module(adapter)
    return adapter


def standing_in(modules: Mapping[str, Mapping[str, Any]]) -> dict[str, ModuleType]:
    """Return modules with some content, and the packages that they are in."""
    names = {".".join(name.split(".")[: end + 1]) for name in modules for end in range(name.count(".") + 1)}
    found = {name: ModuleType(name) for name in sorted(names)}
    for name, module in found.items():
        module.__path__ = []
        package, _, inside = name.rpartition(".")
        if package:
            setattr(found[package], inside, module)
        for attribute, value in modules.get(name, {}).items():
            setattr(module, attribute, value)
    return found


class Recorder:
    """A function that remembers what it was called with."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self.calls: list[Namespace] = []

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.calls.append(Namespace(arguments=arguments, **named))
        return self._function(*arguments, **named)

    @property
    def only(self) -> Namespace:
        """The single call there was."""
        (call,) = self.calls
        return call


class InterpolationMode:
    """torchvision's names of Pillow's filters."""

    NEAREST = Image.Resampling.NEAREST
    BILINEAR = Image.Resampling.BILINEAR
    BICUBIC = Image.Resampling.BICUBIC
    LANCZOS = Image.Resampling.LANCZOS


class Resize:
    """torchvision's: the shorter side becomes `size`; bilinear where nothing else is asked for."""

    def __init__(self, size: Any, interpolation: Any = InterpolationMode.BILINEAR, *, antialias: bool = True) -> None:
        self.size = size
        self.interpolation = interpolation
        self.antialias = antialias

    def __call__(self, image: Any) -> Any:
        """Resize a picture of Pillow's, or a tensor (N, C, H, W) that is a square."""
        if isinstance(image, Image.Image):
            short = min(image.size)
            width, height = (self.size if side == short else int(self.size * side / short) for side in image.size)
            return image.resize((width, height), self.interpolation)
        modes = {
            InterpolationMode.NEAREST: "nearest",
            InterpolationMode.BILINEAR: "bilinear",
            InterpolationMode.BICUBIC: "bicubic",
        }
        return torch.nn.functional.interpolate(image, size=(self.size, self.size), mode=modes[self.interpolation])


class Compose:
    """torchvision's."""

    def __init__(self, transforms: list[Any]) -> None:
        self.transforms = transforms


class ToPILImage:
    """torchvision's: floats are cut off to 8 bits, not rounded."""

    def __call__(self, image: torch.Tensor) -> Image.Image:
        return Image.fromarray((image * 255).to(torch.uint8).permute(1, 2, 0).numpy())


TORCHVISION = {
    "torchvision.transforms": {
        "Resize": Resize,
        "InterpolationMode": InterpolationMode,
        "Compose": Compose,
        "ToPILImage": ToPILImage,
    }
}
"""What adapters use of it."""


class Node(dict[str, Any]):
    """A part of a configuration as omegaconf has it: names are attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def node(value: Any) -> Any:
    """Return a copy of nested dictionaries and lists as a configuration."""
    if isinstance(value, list):
        return [node(part) for part in value]
    return Node({name: node(part) for name, part in value.items()}) if isinstance(value, Mapping) else value


class OmegaConf:
    """omegaconf's functions on `Node`.

    Args:
        files: Name of a file, without its folder -> its content.
    """

    def __init__(self, files: Mapping[str, Any]) -> None:
        self._files = files
        self.read: list[str] = []
        """The paths of what was loaded."""

    def load(self, file: Any) -> Any:
        """Return the content of a file."""
        self.read.append(str(file))
        return node(self._files[str(file).rsplit("/", 1)[-1]])

    def create(self, value: Any) -> Any:
        """Return a configuration."""
        return node(value)

    def merge(self, *parts: Any) -> Any:
        """Return parts merged, the later ones over the earlier ones."""
        merged: dict[str, Any] = {}
        for part in parts:
            for name, value in part.items():
                both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
                merged[name] = self.merge(merged[name], value) if both else value
        return node(merged)

    def update(self, config: Any, key: str, value: Any) -> None:
        """Change what is at a dotted key; a dictionary is merged into it."""
        *path, last = key.split(".")
        for name in path:
            config = config[name]
        config[last] = self.merge(config.get(last, {}), value) if isinstance(value, Mapping) else value


class Network(torch.nn.Module):
    """A network of one parameter that does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))


def first_noise(seed: int) -> torch.Tensor:
    """Return the first three numbers that a generator of its own draws from a seed."""
    return torch.randn(3, generator=torch.Generator("cpu").manual_seed(seed))


def pillow(image: np.ndarray | Image.Image, width: int, height: int, kernel: Image.Resampling) -> Image.Image:
    """Return an image resized by one of Pillow's filters, which official code leaves to its default, bicubic."""
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    return picture.resize((width, height), kernel)
