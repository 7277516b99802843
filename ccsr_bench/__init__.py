"""Trustworthy benchmarking of generative image super-resolution.

The public names, which ``__init__.pyi`` lists, are imported when they are first used: importing the package imports
neither torch nor numpy.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

_import_name, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # takes longer than the rest of the package

        return version("ccsr-bench")
    return _import_name(name)
