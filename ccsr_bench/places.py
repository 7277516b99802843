"""Where things are: the data that ships with the package, and the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from ccsr_bench.errors import BenchError

_PACKAGE = Path(__file__).resolve().parent
REPOSITORY = _PACKAGE.parent
"""The checkout that the package runs from, when it does."""


def shipped(name: str) -> Path:
    """Return a folder that ships with ccsr-bench: ``methods``, ``datasets`` or ``results/...``.

    In an installed wheel these are under ``ccsr_bench/shipped``, in a checkout at its top.
    """
    installed = _PACKAGE / "shipped" / name
    return installed if installed.is_dir() else REPOSITORY / name


def home() -> Path:
    """Return the folder for data sets and weights: ``$CCSR_BENCH_HOME``, else the platform's cache folder."""
    configured = os.environ.get("CCSR_BENCH_HOME")
    if configured:
        return Path(configured).expanduser()
    return Path(platformdirs.user_cache_dir("ccsr-bench", appauthor=False))


def dataset_home(name: str) -> Path:
    """Return the folder that a data set is installed in."""
    return home() / "datasets" / name


def weights_home() -> Path:
    """Return the folder that metric weights are installed in."""
    return home() / "weights"


def worker_log(method: str) -> Path:
    """Return the file for what a method's official code prints where there is no ledger to keep it beside."""
    return home() / "logs" / f"{method}.log"


def check_name(argument: str, name: str) -> None:
    """Check that a name can be a folder's name.

    Args:
        argument: Argument that gives the name, for the error.
        name: The name.

    Raises:
        BenchError: It cannot.
    """
    if not name or not all(c.isalnum() or c in "-_." for c in name) or name.startswith("."):
        raise BenchError(f"`{argument}` '{name}': use letters, digits, '-', '_' and '.' only; it names a folder")
