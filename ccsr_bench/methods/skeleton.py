"""The skeleton of a user's own method: it runs as it is, and says what to replace."""

from __future__ import annotations

from pathlib import Path

from ccsr_bench.errors import BenchError

_MANIFEST = """\
id = "{name}"
title = "{name}: say here what it is"
licence = "say here which it is"
scale = 4
stochastic = true  # false: every seed gives the same output, so it runs once and has no spread

{environment}
[variants.{name}]
title = "{name}"  # its row in a table
steps = 0  # sampling steps
parameters = {{ strength = 4.0 }}  # passed to {receiver}
"""

_IN_PROCESS = """\
[environment]
kind = "in-process"
entry = "adapter.py:Model"
"""

_ISOLATED = """\
# The official repository, and the commit that results are bound to. With these three lines, `prepare` clones it, or
# takes your checkout with --source DIR, and `load` is given the folder as `source`.
# [upstream]
# repository = "https://github.com/somebody/something"
# commit = "40 hexadecimal digits"

[environment]
kind = "isolated"
python = "{python}"
"""

_IN_PROCESS_ADAPTER = '''\
"""{name}: enlarges every pixel and adds noise. Replace that by your method."""

import numpy as np


class Model:
    def __init__(self, *, strength):
        self.strength = strength

    def restore(self, lr, seeds):
        """(h, w, 3) uint8 RGB -> (len(seeds), 4h, 4w, 3) uint8 RGB, each output from its own seed alone."""
        smooth = lr.repeat(4, 0).repeat(4, 1).astype(float)
        outputs = [smooth + self.strength * np.random.default_rng(seed).normal(size=smooth.shape) for seed in seeds]
        return np.rint(outputs).clip(0, 255).astype(np.uint8)
'''

_ISOLATED_ADAPTER = '''\
"""{name}: enlarges every pixel and adds noise. Replace that by the official code's own functions."""

import numpy as np


def load(source, weights, device, strength):
    """Build the model. `source` is the checkout, first on sys.path; `weights` is role -> folder."""
    return Model(strength)


class Model:
    # network = the module whose calls are the sampling steps; they are counted

    def __init__(self, strength):
        self.strength = strength

    def restore(self, lr, seed):
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB. random, numpy and torch were seeded from `seed` just before."""
        smooth = lr.repeat(4, 0).repeat(4, 1).astype(float)
        return np.rint(smooth + self.strength * np.random.normal(size=smooth.shape)).clip(0, 255).astype(np.uint8)
'''


def write_skeleton(methods_dir: Path, name: str, *, isolated: bool, python: str) -> list[Path]:
    """Write a method that can be run at once.

    Args:
        methods_dir: The folder of the user's methods.
        name: The method's name, and its folder's.
        isolated: Whether the method runs in an environment and a process of its own.
        python: The Python version of that environment, such as ``3.11``.

    Returns:
        The files that were written.

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
        files["requirements.lock"] = (
            "# Exact versions of everything that is imported; numpy has to be among them.\nnumpy\n"
        )
    try:
        home.mkdir(parents=True)
    except FileExistsError:
        raise BenchError(f"{home}: is there already; give another `name` or `methods_dir`") from None
    for file, text in files.items():
        (home / file).write_text(text, encoding="utf-8")
    return [home / file for file in files]
