"""The circumstances of a call that are recorded beside its results: code, versions, machine, memory."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import subprocess
import sys

from ccsr_bench.places import REPOSITORY

_PACKAGES = (
    "ccsr-bench",
    "numpy",
    "pillow",
    "scipy",
    "torch",
    "torchvision",
    "pyiqa",
    "diffusers",
    "transformers",
    "spandrel",
)


def now() -> str:
    """Return the present time in UTC, as ISO 8601 with microseconds."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


def environment(device: str) -> dict[str, object]:
    """Return everything that results may depend on: code, package versions, interpreter, processor or GPU."""
    return {
        "code": _code(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(device),
        "device": device,
        "threads": _threads(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def reset_peak_memory(device: str) -> None:
    """Reset the peak memory of the GPU; the peak memory of a process cannot be reset."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)


def peak_memory_mib(device: str) -> dict[str, float]:
    """Return the peak memory in MiB: of this process since its start, and of the GPU since its last reset."""
    peak = {}
    if sys.platform != "win32":
        import resource  # exists on POSIX only

        # ru_maxrss is in KiB on Linux, in bytes on macOS.
        unit = 1024**2 if sys.platform == "darwin" else 1024
        peak["process"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
    if device.startswith("cuda"):
        import torch

        peak["gpu"] = round(torch.cuda.max_memory_allocated(device) / 1024**2, 1)
    return peak


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _processor(device: str) -> str:
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


def _code() -> dict[str, object]:
    """Return the commit of the checkout that this code runs from, and whether it has changes; empty if installed."""
    if not (REPOSITORY / ".git").exists():
        return {}
    try:
        commit = _git("rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git("status", "--porcelain", "--untracked-files=normal"))}
    except (OSError, subprocess.CalledProcessError):
        return {}


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 (fixed arguments)
        ["git", "-C", str(REPOSITORY), *arguments],  # noqa: S607 (git is looked up on PATH)
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
