"""The folders of the data that ships with the package, and of the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from ccsr_bench.errors import BenchError

_PACKAGE = Path(__file__).resolve().parent
REPOSITORY = _PACKAGE.parent
"""The top folder of the checkout, when the package runs from one."""


def shipped(name: str) -> Path:
    """Return a folder that ships with ccsr-bench: ``methods``, ``datasets`` or ``results/...``.

    An installed wheel has these folders in ``ccsr_bench/shipped``, a checkout in its top folder.
    """
    installed = _PACKAGE / "shipped" / name
    return installed if installed.is_dir() else REPOSITORY / name


def home() -> Path:
    """Return the folder of the cache: ``$CCSR_BENCH_HOME``, or the platform's cache folder if unset."""
    configured = os.environ.get("CCSR_BENCH_HOME")
    if configured:
        return Path(configured).expanduser()
    return Path(platformdirs.user_cache_dir("ccsr-bench", appauthor=False))


def dataset_home(name: str) -> Path:
    """Return the folder in which a data set is installed."""
    return home() / "datasets" / name


def weights_home() -> Path:
    """Return the folder in which the weights of metrics are installed."""
    return home() / "weights"


def verification_home() -> Path:
    """Return the folder in which `verify` keeps the results that it compares with published scores."""
    return home() / "verify"


def worker_log(method: str) -> Path:
    """Return the log of a method's official code, for commands that write no ledger."""
    return home() / "logs" / f"{method}.log"


def check_name(argument: str, name: str) -> None:
    """Check that a name can be the name of a folder.

    Args:
        argument: Name of the argument that is checked, for the error.
        name: Value of the argument.

    Raises:
        BenchError: The name is empty, starts with a dot, or has a character that is not allowed.
    """
    if not name or not all(c.isalnum() or c in "-_." for c in name) or name.startswith("."):
        raise BenchError(f"`{argument}` '{name}': use letters, digits, '-', '_' and '.' only; it names a folder")
