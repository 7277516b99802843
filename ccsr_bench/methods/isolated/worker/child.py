"""The worker, which loads one adapter of official code and processes images until the host closes the pipe.

    python child.py READ_DESCRIPTOR WRITE_DESCRIPTOR

It runs in the method's own interpreter, Python 3.8 or newer, with the standard library and numpy; ccsr-bench need not
be installed there. The output of the official code goes to stderr.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
import platform
import queue
import random
import resource
import signal
import socket
import sys
import threading
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def _stand_in_for_ccsr_bench() -> None:
    """Make only this folder and the folder of the families importable by their names in ccsr-bench.

    Empty packages replace the rest of ccsr-bench, whose Python version and packages may differ from this interpreter's.
    """
    worker = Path(__file__).resolve().parent
    folders: dict[str, list[str]] = {
        "ccsr_bench": [],
        "ccsr_bench.methods": [],
        "ccsr_bench.methods.isolated": [],
        "ccsr_bench.methods.isolated.worker": [str(worker)],
        "ccsr_bench.methods.isolated.families": [str(worker.with_name("families"))],
    }
    for name, path in folders.items():
        package = types.ModuleType(name)
        package.__path__ = path
        sys.modules[name] = package


if "ccsr_bench" not in sys.modules:
    _stand_in_for_ccsr_bench()

from ccsr_bench.methods.isolated.worker import frames  # noqa: E402 - needs the packages above

_PR_SET_PDEATHSIG = 1


def _leave() -> None:
    """End this process at once, with every process that the official code has started."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _die_with_parent(parent: int) -> None:
    """On Linux, let the kernel end this process with its parent; elsewhere the closed pipe ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # the parent ended before the call above
        _leave()


def _no_network(*_: Any, **__: Any) -> Any:
    raise OSError("the network is closed while a method runs: install everything that it needs by `prepare`")


def _close_network() -> None:
    """Make connections to other machines fail, so that no file is downloaded without verifying its hash."""
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_DATASETS_OFFLINE="1")

    class _LocalSocket(socket.socket):
        def connect(self, address: Any) -> None:
            if isinstance(address, tuple):
                _no_network()
            super().connect(address)

        def connect_ex(self, address: Any) -> int:
            if isinstance(address, tuple):
                _no_network()
            return super().connect_ex(address)

    socket.socket = _LocalSocket  # type: ignore[misc]
    socket.getaddrinfo = _no_network


def _reset_random_streams(seed: int) -> None:
    """Set every global random stream from the seed of an output."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # the stream that official code draws from
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)  # the CPU's and every GPU's


def _be_deterministic() -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True


def _load(message: dict[str, Any]) -> Any:
    """Build the model from the adapter that the host names."""
    spec = importlib.util.spec_from_file_location("ccsr_bench_adapter", message["adapter"])
    if spec is None or spec.loader is None:
        raise ImportError("{} is not a Python file".format(message["adapter"]))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    if message["source"] is not None:  # official code imports its modules and opens its files from here
        sys.path.insert(0, message["source"])
        os.chdir(message["source"])
    spec.loader.exec_module(module)
    model = module.load(
        source=message["source"], weights=message["weights"], device=message["device"], **message["parameters"]
    )
    _be_deterministic()
    return model


class _CallCounter:
    """Counts the calls of the network that an adapter names as its denoiser, in ``network``."""

    def __init__(self, model: Any) -> None:
        self.calls: int | None = None
        network = getattr(model, "network", None)
        if network is not None:
            self.calls = 0
            network.register_forward_pre_hook(self._count)

    def _count(self, *_: Any) -> None:
        assert self.calls is not None
        self.calls += 1

    def reset(self) -> None:
        if self.calls is not None:
            self.calls = 0


def _work(model: Any, counter: _CallCounter, request: dict[str, Any], lr: np.ndarray) -> frames.Message:
    seed = int(request["seed"])
    _reset_random_streams(seed)
    if request.get("task") == "caption":
        return _caption(model, lr, seed)
    counter.reset()
    output = model.restore(lr, seed, request["caption"]) if "caption" in request else model.restore(lr, seed)
    if not (isinstance(output, np.ndarray) and output.dtype == np.uint8 and output.ndim == 3):
        given = f"{output.dtype} {output.shape}" if isinstance(output, np.ndarray) else type(output).__name__
        raise TypeError(f"the adapter returned {given}, it must return uint8 (H, W, 3)")
    return {"kind": "restored", "network_calls": counter.calls, "peak_mib": _peak_mib()}, output


def _caption(model: Any, lr: np.ndarray, seed: int) -> frames.Message:
    text = model.caption(lr, seed)
    if not isinstance(text, str):
        raise TypeError(f"the captioner returned {type(text).__name__}, it must return a text")
    return {"kind": "captioned", "text": text}, None


def _peak_mib() -> float:
    """Return the peak memory in MiB: of the GPU if it is used, otherwise of this process."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return float(torch.cuda.max_memory_allocated() / 1024**2)
    status = Path("/proc/self/status")
    if status.is_file():  # Linux, where ru_maxrss includes the peak of the parent process
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


class _Server:
    """Answers the requests of the host: first one to load the model, then one per output."""

    def __init__(self, reader: int, writer: int) -> None:
        self._requests: queue.Queue[frames.Message] = queue.Queue()
        self._reader = os.fdopen(reader, "rb")
        self._writer = os.fdopen(writer, "wb")
        # A separate thread notices the end of the host even while the official code computes.
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        try:
            while True:
                self._requests.put(frames.decode(self._read))
        except BaseException:
            _leave()

    def _read(self, count: int) -> bytes:
        data = self._reader.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def _answer(self, work: Callable[[], frames.Message]) -> bool:
        """Send the return value of some work, or the reason of its failure."""
        try:
            header, array = work()
        except BaseException as error:  # official code may even call sys.exit
            traceback.print_exc()
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            header, array = {"kind": "failed", "reason": reason}, None
        for part in frames.encode(header, array):
            self._writer.write(part)
        self._writer.flush()
        return bool(header["kind"] != "failed")

    def run(self) -> None:
        request, _ = self._requests.get()
        holder: dict[str, Any] = {}

        def load() -> frames.Message:
            _close_network()
            holder["model"] = _load(request)
            holder["counter"] = _CallCounter(holder["model"])
            return {"kind": "ready", "python": platform.python_version(), "packages": _versions()}, None

        if not self._answer(load):
            return
        while True:
            try:
                header, lr = self._requests.get(timeout=request["idle_seconds"])
            except queue.Empty:
                self._answer(
                    lambda: ({"kind": "idle"}, None)
                )  # so that the host repeats a request that it sends at this moment
                return
            self._answer(functools.partial(_work, holder["model"], holder["counter"], header, lr))  # type: ignore[arg-type]


def _versions() -> dict[str, str]:
    """Return the versions of the imported packages that determine the outputs."""
    names = ("numpy", "torch", "torchvision", "diffusers", "transformers")
    return {name: str(getattr(sys.modules[name], "__version__", "")) for name in names if name in sys.modules}


def main() -> None:
    """Serve the host that started this process."""
    reader, writer, parent = map(int, sys.argv[1:4])
    sys.path.pop(0)  # this folder: official code must not import its modules
    _die_with_parent(parent)
    sys.stdout.flush()
    os.dup2(2, 1)
    _Server(reader, writer).run()
    _leave()


if __name__ == "__main__":
    main()
