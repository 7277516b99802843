"""Methods of a user's own, which run in this process."""

from __future__ import annotations

from pathlib import Path

MANIFEST = """
id = "{name}"
title = "A test"
licence = "none"
scale = 4
stochastic = false
[environment]
kind = "in-process"
entry = "{entry}"
[variants.{name}]
title = "A test"
parameters = {parameters}
"""

ADAPTER = """
import numpy as np

class Constant:
    def __init__(self, *, level=7):
        self.level = level

    def restore(self, lr, seeds):
        return np.full((len(seeds), 4 * lr.shape[0], 4 * lr.shape[1], 3), self.level, np.uint8)
"""


def write_method(
    folder: Path, name: str = "constant", *, entry: str = "adapter.py:Constant", parameters: str = "{}"
) -> Path:
    """Write a method of a user's own into a folder of methods."""
    home = folder / name
    home.mkdir(parents=True)
    (home / "method.toml").write_text(MANIFEST.format(name=name, entry=entry, parameters=parameters))
    (home / "adapter.py").write_text(ADAPTER)
    return folder
