"""The skeleton of a user's own method, which runs unchanged and has comments on what to replace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ccsr_bench.errors import BenchError
from ccsr_bench.install.hashing import file_sha256
from ccsr_bench.methods import spandrel_models

_MANIFEST = """\
id = "{name}"
title = "{name}: replace this by a short description"
licence = "replace this by the licence of the code"
scale = 4
stochastic = true  # false: every seed gives the same output, so it runs once and has no spread

{environment}
[variants.{name}]
title = "{name}"  # name of the row in a table
steps = 0  # number of sampling steps
parameters = {{ strength = 4.0 }}  # passed to {receiver}
"""

_IN_PROCESS = """\
[environment]
kind = "in-process"
entry = "adapter.py:Model"
"""

_ISOLATED = """\
# The official repository, and the commit that the method is pinned to. With these three lines, `ccsr-bench prepare`
# clones the repository, or links your checkout with --source DIR, and `load` takes the folder as `source`.
# [upstream]
# repository = "https://github.com/somebody/something"
# commit = "40 hexadecimal digits"

[environment]
kind = "isolated"
python = "{python}"
"""

_IN_PROCESS_ADAPTER = '''\
"""{name}: enlarges every pixel and adds noise. Replace this by your method."""

import numpy as np


class Model:
    def __init__(self, *, strength):
        self.strength = strength

    def restore(self, lr, seeds):
        """(h, w, 3) uint8 RGB -> (len(seeds), 4h, 4w, 3) uint8 RGB, each output depends on its own seed alone."""
        smooth = lr.repeat(4, 0).repeat(4, 1).astype(float)
        outputs = [smooth + self.strength * np.random.default_rng(seed).normal(size=smooth.shape) for seed in seeds]
        return np.rint(outputs).clip(0, 255).astype(np.uint8)
'''

_ISOLATED_ADAPTER = '''\
"""{name}: enlarges every pixel and adds noise. Replace this by functions of the official code."""

import numpy as np


def load(source, weights, device, strength):
    """Build the model. `source` is the checkout, which is first on sys.path; `weights` maps role -> folder."""
    return Model(strength)


class Model:
    # Set the attribute `network` to the module that is called once per sampling step: its calls are counted.

    def __init__(self, strength):
        self.strength = strength

    def restore(self, lr, seed):
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB. random, numpy and torch are seeded before the call."""
        smooth = lr.repeat(4, 0).repeat(4, 1).astype(float)
        return np.rint(smooth + self.strength * np.random.normal(size=smooth.shape)).clip(0, 255).astype(np.uint8)
'''


_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
"""Name of a file of weights that a manifest accepts."""

_SPANDREL_MANIFEST = """\
id = "{name}"
title = "{name}: replace this by a short description"
licence = "replace this by the licence of the code"
scale = {scale}
stochastic = false

[environment]
kind = "in-process"
entry = "ccsr_bench.methods.spandrel_models:SpandrelModel"
networks = true

[variants.{name}]
title = "{name}"  # name of the row in a table
weights = {{ network = "{name}" }}

[variants.{name}.parameters]
architecture = "{architecture}"  # name of the architecture in spandrel
file = "{file}"
scale = {scale}
# Sizes in LR pixels, which change the output: give a variant with other sizes a name of its own.
# mirror_to_next = 8  # pad each side to the next multiple of this, by mirroring, as SwinIR's script does
# pre_padding = 10    # pad by reflection below and to the right, as --pre_pad of Real-ESRGAN's script
# tile = 256          # side of a tile, for images that do not fit into memory; --tile of Real-ESRGAN's script
# tile_overlap = {overlap}   # what the network sees around a tile; --tile_pad of Real-ESRGAN's script, which has 10

[weights.{name}]
licence = "replace this by the licence of the weights"
folder = "{name}"
# For a file on the web: sources = [{{ kind = "url", address = "https://address-of-the-folder-that-holds-the-file" }}]
sources = [{{ kind = "by-hand", page = "replace this by the page where the file can be found" }}]
files = {{ "{file}" = "{sha256}" }}
"""


def write_skeleton(methods_dir: Path, name: str, *, isolated: bool, python: str) -> list[Path]:
    """Write a method that can be run without changes.

    Args:
        methods_dir: Folder of the user's methods.
        name: Name of the method and of its folder.
        isolated: Whether the method runs in a separate environment and process.
        python: Python version of that environment, such as ``3.11``.

    Returns:
        Paths of the written files.

    Raises:
        BenchError: The method's folder exists already.
    """
    home = methods_dir / name
    environment = _ISOLATED.format(python=python) if isolated else _IN_PROCESS
    receiver = "load" if isolated else "the constructor"
    files = {
        "method.toml": _MANIFEST.format(name=name, environment=environment, receiver=receiver),
        "adapter.py": (_ISOLATED_ADAPTER if isolated else _IN_PROCESS_ADAPTER).format(name=name),
    }
    if isolated:
        files["requirements.lock"] = "# Exact versions of all imported packages, which must include numpy.\nnumpy\n"
    return _write(home, files)


def write_spandrel_method(methods_dir: Path, name: str, model: Path) -> tuple[list[Path], int]:
    """Write the manifest of a method for a network that spandrel loads.

    Args:
        methods_dir: Folder of the user's methods.
        name: Name of the method and of its folder.
        model: Checkpoint of the network; it is read, but not copied.

    Returns:
        Paths of the written files, and the magnification of the network.

    Raises:
        BenchError: spandrel does not know the network, a manifest cannot name the file, or the method's folder exists
            already.
    """
    if not model.is_file():
        raise BenchError(f"{model}: no such file; give the checkpoint of a network as `spandrel`")
    if _FILE_NAME.fullmatch(model.name) is None:
        raise BenchError(
            f"{model}: a manifest cannot name this file; rename it with letters, digits, '_', '-' and '.' only"
        )
    architecture, scale = spandrel_models.recognise(model)
    manifest = _SPANDREL_MANIFEST.format(
        name=name,
        scale=scale,
        architecture=architecture,
        file=model.name,
        sha256=file_sha256(model),
        overlap=spandrel_models.TILE_OVERLAP,
    )
    return _write(methods_dir / name, {"method.toml": manifest}), scale


def _write(home: Path, files: Mapping[str, str]) -> list[Path]:
    """Write the files of a method into a new folder and return their paths."""
    try:
        home.mkdir(parents=True)
    except FileExistsError:
        raise BenchError(f"{home}: exists already; give another `name` or `methods_dir`") from None
    for file, text in files.items():
        (home / file).write_text(text, encoding="utf-8")
    return [home / file for file in files]
