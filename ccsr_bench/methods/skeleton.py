"""The skeleton of a user's own method, which runs unchanged and has comments on what to replace."""

from __future__ import annotations

from pathlib import Path

from ccsr_bench.errors import BenchError

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
    try:
        home.mkdir(parents=True)
    except FileExistsError:
        raise BenchError(f"{home}: exists already; give another `name` or `methods_dir`") from None
    for file, text in files.items():
        (home / file).write_text(text, encoding="utf-8")
    return [home / file for file in files]
