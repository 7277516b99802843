"""The worker: its outputs, and its failures."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.methods.isolated.host import RESTARTS_IN_A_ROW, IsolatedMethod, Launch, WorkerError
from ccsr_bench.methods.isolated.worker import frames
from tests.support.isolated import ADAPTER

SLOW_ENOUGH = 60.0


def lr_image(what: int = 100) -> np.ndarray:
    """Return an image whose first level selects what the adapter does."""
    image = np.full((6, 5, 3), 100, np.uint8)
    image[0, 0, 0] = what
    return image


Make = Callable[..., IsolatedMethod]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Function that makes methods, which are closed after the test."""
    made = []
    (tmp_path / "adapter.py").write_text(ADAPTER)

    def build(**changes: object) -> IsolatedMethod:
        settings = {"image_seconds": SLOW_ENOUGH, "start_seconds": SLOW_ENOUGH, **changes}
        launch = Launch(Path(sys.executable), tmp_path / "adapter.py", tmp_path / "worker.log", **settings)  # type: ignore[arg-type]
        made.append(IsolatedMethod(launch))
        return made[-1]

    yield build
    for method in made:
        method.close()


def gone(pid: int) -> bool:
    """Return whether a process ends within 10 seconds."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def worker_pid(method: IsolatedMethod) -> int:
    assert method._worker is not None
    return method._worker._process.pid


def test_an_output_depends_on_image_and_seed_alone(make: Make) -> None:
    method = make()
    first = method.restore(lr_image(), [1, 2, 3])
    assert first.shape == (3, 24, 20, 3)
    assert first.dtype == np.uint8
    assert (first[0] != first[1]).any()
    np.testing.assert_array_equal(method.restore(lr_image(), [3, 1]), first[[2, 0]])
    np.testing.assert_array_equal(make().restore(lr_image(), [2**63 - 1]), method.restore(lr_image(), [2**63 - 1]))
    assert method.network_calls == 3


def test_the_worker_reports_its_versions(make: Make) -> None:
    method = make()
    assert method.about is None
    method.start()
    assert method.about == {"python": platform.python_version(), "packages": {"numpy": np.__version__}}


def test_output_of_official_code_goes_to_the_log(make: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make().restore(lr_image(11), [1, 2])
    assert (tmp_path / "worker.log").read_text().count("to stdout") == 2
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (3, r"^ValueError: cannot make sense of it$"),
        (4, r"returned float64 \(24, 20, 3\), it must return uint8"),
        (7, r"the network is closed while a method runs"),
        (8, r"SystemExit: enough"),
    ],
)
def test_an_exception_fails_the_image_and_keeps_the_process(make: Make, what: int, reason: str) -> None:
    method = make()
    method.start()
    pid = worker_pid(method)
    with pytest.raises(WorkerError, match=reason):
        method.restore(lr_image(what), [1])
    assert len(method.restore(lr_image(), [1])) == 1
    assert worker_pid(method) == pid


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (1, r"ended with exit code 9 \(CUDA error: out of luck\)"),
        (2, r"no answer in 0.5 s"),
        (6, r"not a message of the worker: b'Loading weights"),
        (9, r"was ended by SIGSEGV"),
    ],
)
def test_a_lost_process_is_started_again(make: Make, what: int, reason: str) -> None:
    method = make(image_seconds=0.5 if what == 2 else SLOW_ENOUGH)
    method.start()
    pid = worker_pid(method)
    with pytest.raises(WorkerError, match=reason):
        method.restore(lr_image(what), [1])
    assert gone(pid)
    assert len(method.restore(lr_image(), [1])) == 1


def test_a_method_that_fails_every_time_is_given_up(make: Make, tmp_path: Path) -> None:
    method = make()
    for _ in range(RESTARTS_IN_A_ROW + 1):
        with pytest.raises(WorkerError, match="exit code 9"):
            method.restore(lr_image(1), [1])
    with pytest.raises(WorkerError, match=r"given up after 4 failures in a row, the last: .*exit code 9"):
        method.restore(lr_image(), [1])
    assert (tmp_path / "worker.log").read_text().count("--- ") == RESTARTS_IN_A_ROW + 1


def test_failures_with_successes_between_them_never_give_a_method_up(make: Make) -> None:
    method = make()
    for _ in range(RESTARTS_IN_A_ROW + 2):
        with pytest.raises(WorkerError, match="exit code 9"):
            method.restore(lr_image(1), [1])
        assert len(method.restore(lr_image(), [1])) == 1


PRINTING = """
import os, sys

class Model:
    def restore(self, lr, seed):
        for name in ("PYTHONPATH", "PYTHONHOME", "CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "PYTHONNOUSERSITE"):
            print(name, "is", os.environ.get(name), flush=True)
        return lr.repeat(4, 0).repeat(4, 1)

def load(source, weights, device):
    return Model()
"""


@pytest.mark.parametrize(("device", "gpus"), [("cpu", ""), ("cuda:1", "0,1")])
def test_the_process_sees_neither_our_packages_nor_with_a_cpu_a_gpu(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, gpus: str
) -> None:
    (tmp_path / "ours").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "ours"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    (tmp_path / "adapter.py").write_text(PRINTING)
    make(device=device).restore(lr_image(), [1])
    printed = dict(line.split(" is ") for line in (tmp_path / "worker.log").read_text().splitlines() if " is " in line)
    assert printed == {
        "PYTHONPATH": "None",
        "PYTHONHOME": "None",
        "CUDA_VISIBLE_DEVICES": gpus,
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "PYTHONNOUSERSITE": "1",
    }


def test_an_idle_process_ends_and_is_started_again(make: Make) -> None:
    method = make(idle_seconds=0.2)
    first = method.restore(lr_image(), [1])
    pid = worker_pid(method)
    assert gone(pid)
    np.testing.assert_array_equal(method.restore(lr_image(), [1]), first)
    assert worker_pid(method) != pid


def test_a_method_that_cannot_be_started_is_an_error(make: Make, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"^cannot be loaded: RuntimeError: no such checkpoint; see .*worker\.log$"):
        make(parameters={"broken": True}).start()
    with pytest.raises(BenchError, match=r"unexpected keyword argument 'colour'"):
        make(parameters={"colour": 1}).start()
    (tmp_path / "adapter.py").write_text("import a_package_that_nobody_has")
    with pytest.raises(BenchError, match=r"ModuleNotFoundError: No module named 'a_package_that_nobody_has'"):
        make().start()
    (tmp_path / "adapter.py").write_text("import time; time.sleep(100)")
    with pytest.raises(BenchError, match=r"no answer in 0.5 s"):
        make(start_seconds=0.5).start()
    with pytest.raises(BenchError, match=r"no-python cannot be started \(No such file"):
        IsolatedMethod(Launch(tmp_path / "no-python", tmp_path / "adapter.py", tmp_path / "worker.log")).start()


def test_processes_that_a_method_starts_end_with_it(make: Make, tmp_path: Path) -> None:
    method = make()
    method.restore(lr_image(10), [1])
    child = int((tmp_path / "worker.log").read_text().split("child ")[1].split()[0])
    method.close()
    assert gone(child)


PARENT = """
import sys, time
from pathlib import Path
import numpy as np
from ccsr_bench.methods.isolated.host import IsolatedMethod, Launch
method = IsolatedMethod(Launch(Path(sys.executable), Path(sys.argv[1]), Path(sys.argv[2])))
method.start()
print(method._worker._process.pid, flush=True)
image = np.full((6, 5, 3), 100, np.uint8)
if sys.argv[3] == "busy":
    image[0, 0, 0] = 2
method.restore(image, [1])
time.sleep(1000)
"""


def test_the_worker_never_outlives_its_parent(tmp_path: Path) -> None:
    """Kill the parent 20 times, alternately while the worker computes and while it waits for a request."""
    (tmp_path / "adapter.py").write_text(ADAPTER)
    survivors = []
    for index in range(20):
        arguments = [str(tmp_path / "adapter.py"), str(tmp_path / "worker.log"), ("busy", "idle")[index % 2]]
        command = [sys.executable, "-c", PARENT, *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            os.kill(parent.pid, signal.SIGKILL)
        if not gone(pid):
            survivors.append(pid)
    assert not survivors


def test_frames_are_decoded_and_other_bytes_are_refused() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    wire = b"".join(frames.encode({"kind": "é", "seed": 2**63 - 1}, array))
    header, returned = frames.decode(_reader(wire))
    assert (header["kind"], header["seed"]) == ("é", 2**63 - 1)
    np.testing.assert_array_equal(returned, array)
    for place in range(8):
        with pytest.raises(frames.FrameError):
            frames.decode(_reader(wire[:place] + b"\0" + wire[place + 1 :]))
    with pytest.raises(frames.FrameError, match=r"shape \[2, 4, 4\] in 24 bytes"):
        frames.decode(_reader(wire.replace(b"[2, 4, 3]", b"[2, 4, 4]")))


def _reader(data: bytes) -> Callable[[int], bytes]:
    view = memoryview(data)
    place = 0

    def read(count: int) -> bytes:
        nonlocal place
        place += count
        return bytes(view[place - count : place])

    return read


@pytest.mark.parametrize("name", ["python3.8", "python3.9", "python3.10", "python3.12", "python3.13"])
def test_other_versions_of_python_can_import_the_child(name: str, tmp_path: Path) -> None:
    """Import the child with an empty module for numpy, which these versions may lack."""
    folder = Path(frames.__file__).parent
    code = (
        "import sys, types; numpy = types.ModuleType('numpy'); numpy.ndarray = object; sys.modules['numpy'] = numpy; "
        f"sys.path.insert(0, {str(folder)!r}); sys.dont_write_bytecode = True; sys.argv = ['child.py']; "
        "import child; assert child.frames.MAGIC"
    )
    try:
        done = subprocess.run([name, "-c", code], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"no {name} here")
    if "pyenv" in done.stderr and "not found" in done.stderr:
        pytest.skip(f"no {name} here")
    assert done.returncode == 0, done.stderr
