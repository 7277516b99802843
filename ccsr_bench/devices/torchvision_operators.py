"""Importing torchvision with a torch that was built for other devices.

torchvision's compiled operators load only with the build of torch that they were compiled for. Where they do not
load, as with a CPU build of torch and a CUDA build of torchvision, the import of the whole package fails with
``operator torchvision::nms does not exist``. The packages that this project uses (pyiqa, spandrel, lpips, piq) import
torchvision and use none of these operators.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import re
import sys
import warnings

import torch

_MISSING_OPERATOR = re.compile(r"operator (torchvision)::(\w+) does not exist")


@functools.cache
def import_torchvision() -> None:
    """Import torchvision, if it is installed, with or without its compiled operators.

    Raises:
        ImportError: torchvision does not fit the installed torch for another reason.
        RuntimeError: Likewise.
    """
    if importlib.util.find_spec("torchvision") is None:
        return
    while True:
        try:
            with warnings.catch_warnings():  # about its extension for image files, which is not needed
                warnings.simplefilter("ignore", UserWarning)
                importlib.import_module("torchvision")
            return
        except RuntimeError as error:
            missing = _MISSING_OPERATOR.search(str(error))
            if missing is None:
                raise
            _declare(missing[1], missing[2])


def _declare(namespace: str, operator: str) -> None:
    """Declare an operator without a kernel: calling it remains an error, importing its package does not."""
    torch.library.define(f"{namespace}::{operator}", "(Tensor boxes, Tensor scores, float threshold) -> Tensor")
    for name in [name for name in sys.modules if name.partition(".")[0] == namespace]:
        del sys.modules[name]
