"""Virtual environments of isolated methods, one per lock file and Python version."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import filelock

from ccsr_bench.errors import BenchError, NotInstalledError
from ccsr_bench.places import home

_READY = "ccsr-bench-ready"
"""Name of the file that marks an environment whose packages are all installed."""

_LINES_OF_UV = 3
"""Number of lines of uv's messages in an error."""


def find_interpreter(python: str, lock: Path) -> Path:
    """Return the interpreter of an environment that `make_environment` made.

    Args:
        python: Python version, such as ``3.11``.
        lock: File of requirements with exact versions.

    Raises:
        NotInstalledError: There is no such environment.
    """
    folder = _folder(python, lock)
    if not (folder / _READY).is_file():
        raise NotInstalledError(f"no environment for {lock}")
    return _interpreter(folder)


def make_environment(python: str, lock: Path) -> Path:
    """Return the interpreter of the environment of a lock file, which uv makes if it does not exist.

    Args:
        python: Python version, such as ``3.11``.
        lock: File of requirements with exact versions.

    Raises:
        BenchError: uv is missing or fails.
    """
    folder = _folder(python, lock)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder.with_name(f"{folder.name}.lock")):
        if not (folder / _READY).is_file():
            if folder.exists():
                shutil.rmtree(folder)
            _uv(["venv", "--python", python, str(folder)])
            _uv(["pip", "install", "--python", str(_interpreter(folder)), "--requirement", str(lock)])
            (folder / _READY).write_text("")
    return _interpreter(folder)


def _folder(python: str, lock: Path) -> Path:
    try:
        digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    except OSError as error:
        raise BenchError(f"{lock}: cannot be read ({error.strerror}); the manifest names it") from error
    return home() / "environments" / f"python{python}-{digest[:12]}"


def _interpreter(folder: Path) -> Path:
    return folder / "bin" / "python"


def _uv(arguments: list[str]) -> None:
    """Run uv, which prints its messages if standard error is a terminal.

    Raises:
        BenchError: uv is missing or fails.
    """
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv is None:
        raise BenchError("environments of methods are made by uv, which is not installed; run `pip install uv`")
    on_terminal = sys.stderr.isatty()
    done = subprocess.run(  # noqa: S603 - uv, by its path
        [uv, *([] if on_terminal else ["--quiet"]), *arguments],
        stdout=2,
        stderr=None if on_terminal else subprocess.PIPE,
        text=True,
        check=False,
        env=_uv_environment(),
    )
    if done.returncode != 0:
        reason = " ".join((done.stderr or "see above").split("\n")[:_LINES_OF_UV]).strip()
        raise BenchError(f"uv {arguments[0]} failed: {reason}; remove the cause and prepare again")


def _uv_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
