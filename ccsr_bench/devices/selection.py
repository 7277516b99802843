"""The choice of the device that runs networks."""

from __future__ import annotations

import torch

from ccsr_bench.errors import BenchError


def find_device(name: str) -> torch.device:
    """Return the device of a name, after checking that it works here.

    Args:
        name: ``cpu``, ``cuda``, ``cuda:1`` and so on, or ``auto`` for a GPU if there is one and the CPU otherwise.

    Raises:
        BenchError: The device cannot be used here; the reason is given.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:  # its message lists every device that torch was ever built for
        raise BenchError(f"`device` {name} does not exist: use auto, cpu or cuda") from None
    try:
        if device.type not in ("cpu", "cuda"):
            raise RuntimeError("metrics need float64, which this kind of device lacks")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise BenchError(f"`device` {name} cannot be used here ({reason}); 'cpu' always works") from error
    return device
