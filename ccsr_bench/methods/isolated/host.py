"""Running a method's official code in a separate process with its own interpreter.

The process, a worker, keeps the model of one method loaded (`ccsr_bench.methods.isolated.worker.child`). If it
crashes, hangs, raises an error or sends an invalid answer, the image fails, and the worker is started again for the
next image if necessary. A worker never outlives this process.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ccsr_bench.errors import BenchError
from ccsr_bench.methods.isolated.worker import frames

RESTARTS_IN_A_ROW = 3
"""Largest number of consecutive failures after which a worker is started again; after one more it is given up."""

_CHILD = Path(frames.__file__).with_name("child.py")
_SECONDS_TO_END = 5.0
_LONGEST_LAST_LINE = 300


class WorkerError(Exception):
    """A worker failed on an image; the message says why."""


@dataclass(frozen=True)
class Launch:
    """The settings that a worker is started with."""

    interpreter: Path
    adapter: Path
    log: Path
    """File for everything that the method prints."""
    source: Path | None = None
    """Checkout of the official repository; None for a method without one."""
    weights: Mapping[str, Path] = field(default_factory=dict)
    """Role -> folder of the weights."""
    device: str = "cpu"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    start_seconds: float = 900
    """Longest time for loading the model, in seconds."""
    image_seconds: float = 900
    """Longest time for one output, in seconds."""
    idle_seconds: float = 3600
    """Time without requests, in seconds, after which the worker ends and frees its memory; the next image starts it."""


class _IsolatedModel:
    """A model in a worker, which is started when it is first needed and again after a failure.

    Args:
        launch: Settings of the worker. The first image loads the model.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._worker: _WorkerProcess | None = None
        self._failed_in_a_row = 0
        self._reason = ""
        self.about: Mapping[str, Any] | None = None
        """The worker's version of ``python`` and the versions of its ``packages``; None before the first start.

        The runner records it in the session's provenance.
        """

    def start(self) -> None:
        """Start the worker and load the model.

        Raises:
            BenchError: The worker cannot be started, or the model cannot be loaded.
        """
        try:
            self._running()
        except WorkerError as error:
            raise BenchError(f"{error}; see {self._launch.log}") from error

    def close(self) -> None:
        """End the worker; the next image starts it again."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _ask(self, request: Mapping[str, Any], lr: np.ndarray, expected: str) -> frames.Message:
        """Send a request about an image, and return the answer, which has the expected kind.

        Raises:
            WorkerError: The worker failed; the next call starts it again if necessary.
        """
        if self._failed_in_a_row > RESTARTS_IN_A_ROW:
            raise WorkerError(f"given up after {self._failed_in_a_row} failures in a row, the last: {self._reason}")
        try:
            header, output = self._ask_awake(request, lr)
        except WorkerError as error:
            self._failed_in_a_row += 1
            self._reason = str(error)
            self.close()
            raise
        self._failed_in_a_row = 0
        if header.get("kind") != expected:
            raise WorkerError(str(header.get("reason", header)))
        return header, output

    def _ask_awake(self, request: Mapping[str, Any], lr: np.ndarray) -> frames.Message:
        while True:
            header, output = self._running().ask(request, lr, self._launch.image_seconds)
            if header.get("kind") != "idle":
                return header, output
            self.close()  # the worker ended before it received the request

    def _running(self) -> _WorkerProcess:
        if self._worker is None:
            self._worker = _WorkerProcess(self._launch)
            self.about = self._worker.about
        return self._worker


class IsolatedMethod(_IsolatedModel):
    """A method in a worker; see `ccsr_bench.methods.base.Method`.

    Args:
        launch: Settings of the worker. The first image loads the model.
        caption: Function that returns the caption of an LR image, for a captioned variant; it raises a `BenchError` if
            the image has none.
    """

    def __init__(self, launch: Launch, caption: Callable[[np.ndarray], str] | None = None) -> None:
        super().__init__(launch)
        self._caption = caption
        self.network_calls: int | None = None
        """Calls of the denoiser for the last output; None if the adapter does not name the denoiser."""
        self.peak_mib: float | None = None
        """Peak memory in MiB so far: of the GPU if the worker uses one, otherwise of the worker's process."""

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Restore one image once per seed, one output at a time.

        Official code draws noise per batch: another batch size would give another image for the same seed.

        Raises:
            WorkerError: The worker failed; the next call starts it again if necessary.
            BenchError: The image has no caption.
        """
        caption = {} if self._caption is None else {"caption": self._caption(lr)}
        return np.stack([self._restore(lr, {"seed": seed, **caption}) for seed in seeds])

    def _restore(self, lr: np.ndarray, request: Mapping[str, Any]) -> np.ndarray:
        header, output = self._ask(request, lr, "restored")
        if output is None:
            raise WorkerError(str(header))
        self.network_calls, self.peak_mib = header.get("network_calls"), header.get("peak_mib")
        return output


class IsolatedCaptioner(_IsolatedModel):
    """A captioner in a worker; see `ccsr_bench.methods.manifest.Captioner`."""

    def caption(self, lr: np.ndarray, seed: int) -> str:
        """Describe one image in words.

        Raises:
            WorkerError: The worker failed; the next call starts it again if necessary.
        """
        header, _ = self._ask({"task": "caption", "seed": seed}, lr, "captioned")
        return str(header["text"])


class _WorkerProcess:
    """One process of a worker, with its model loaded."""

    def __init__(self, launch: Launch) -> None:
        self._log = launch.log
        self._log.parent.mkdir(parents=True, exist_ok=True)
        request_reader, self._requests = os.pipe()
        self._answers, answer_writer = os.pipe()
        command = [str(launch.interpreter), str(_CHILD), str(request_reader), str(answer_writer), str(os.getpid())]
        with self._log.open("ab") as log:
            log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} {launch.adapter}\n".encode())
            log.flush()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the method's own interpreter and our own file
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=_environment(launch.device),
                    pass_fds=(request_reader, answer_writer),
                    start_new_session=True,
                )
            except OSError as error:
                os.close(self._requests)
                os.close(self._answers)
                raise WorkerError(f"{launch.interpreter} cannot be started ({error.strerror})") from error
            finally:
                os.close(request_reader)
                os.close(answer_writer)
        os.set_blocking(self._requests, False)
        os.set_blocking(self._answers, False)
        try:
            self.about = self._load(launch)
        except BaseException:
            self.end()
            raise

    def _load(self, launch: Launch) -> Mapping[str, Any]:
        request = {
            "adapter": str(launch.adapter.resolve()),
            "source": str(launch.source.resolve()) if launch.source else None,
            "weights": {role: str(folder.resolve()) for role, folder in launch.weights.items()},
            "device": launch.device,
            "parameters": dict(launch.parameters),
            "idle_seconds": launch.idle_seconds,
        }
        answer, _ = self.ask(request, None, launch.start_seconds)
        if answer.get("kind") != "ready":
            raise WorkerError(f"cannot be loaded: {answer.get('reason', answer)}")
        return {"python": answer["python"], "packages": answer["packages"]}

    def ask(self, header: Mapping[str, Any], array: np.ndarray | None, seconds: float) -> frames.Message:
        """Send a request and return the answer.

        Raises:
            WorkerError: No answer came in time, the process ended, or the answer is not valid. The process must not be
                used afterwards.
        """
        deadline = time.monotonic() + seconds
        try:
            with contextlib.suppress(BrokenPipeError):  # the process has ended; its last message can still be read
                for part in frames.encode(dict(header), array):
                    self._write(part, deadline)
            return frames.decode(lambda count: self._read(count, deadline))
        except frames.FrameError as error:
            raise WorkerError(str(error)) from error
        except TimeoutError:
            raise WorkerError(f"no answer in {seconds:g} s{self._last_line()}") from None
        except EOFError:
            raise WorkerError(f"the worker {self._how_it_ended()}{self._last_line()}") from None

    def _write(self, part: memoryview, deadline: float) -> None:
        while part:
            self._wait(self._requests, select.POLLOUT, deadline)
            part = part[os.write(self._requests, part[:65536]) :]

    def _read(self, count: int, deadline: float) -> bytes:
        data = bytearray(count)
        view, done = memoryview(data), 0
        while done < count:
            self._wait(self._answers, select.POLLIN, deadline)
            got = os.readv(self._answers, [view[done:]])
            if not got:
                raise EOFError
            done += got
        return bytes(data)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return "closed its pipe"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def _last_line(self) -> str:
        """Return the last line that the method printed, which usually says why the process ended."""
        with self._log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
            lines = log.read().decode(errors="replace").strip().splitlines()
        last = lines[-1].strip() if lines and not lines[-1].startswith("---") else ""
        return f" ({last[:_LONGEST_LAST_LINE]})" if last else ""

    def end(self) -> None:
        """End the process and all processes that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._requests)
        os.close(self._answers)


def _environment(device: str) -> dict[str, str]:
    """Return the environment variables of a worker: ours, without those that add our packages to its import path.

    On a CPU every GPU is hidden, because official code uses a visible GPU whatever device it is given.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    if device == "cpu":
        kept["CUDA_VISIBLE_DEVICES"] = ""
    return {**kept, "CUBLAS_WORKSPACE_CONFIG": ":4096:8", "PYTHONUNBUFFERED": "1", "PYTHONNOUSERSITE": "1"}
