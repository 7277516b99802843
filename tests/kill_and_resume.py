"""Kill runs at random moments and resume them; prints what each ends with as JSON. Called by `test_kill.py`.

Every run is a process of its own, forked from this one so that the imports are paid once. This process itself
computes nothing with torch, whose threads do not survive a fork.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch  # noqa: F401 (imported here once for every child)

from ccsr_bench.cli import main
from ccsr_bench.metrics import niqe, psnr, ssim  # noqa: F401
from ccsr_bench.runner import run_job  # noqa: F401
from ccsr_bench.store import Ledger


def start(out: Path, log: Path) -> int:
    """Start a run in a process of its own and return its id."""
    child = os.fork()
    if child == 0:
        with log.open("a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            arguments = ["run", "--method", "bicubic-dither", "--dataset", "sample", "--metrics", "psnr", "ssim"]
            os._exit(main([*arguments, "--out", str(out)]))
    return child


def contents(out: Path) -> dict[str, object]:
    """Return the scores and the hashes of the PNGs of a ledger."""
    folder = out / "sample" / "bicubic-dither"
    with Ledger(folder) as ledger:
        records = {name: ledger.record(name) for name in ledger.image_names()}
    pngs = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob("images/**/*"))
        if path.is_file()
    }
    recorded = {
        f"images/run-{run:02d}/{name}.png": output.png_sha256
        for name, record in records.items()
        for run, output in record.outputs.items()
    }
    scores = {name: [record.scores, record.l_std] for name, record in records.items()}
    return {"scores": scores, "pngs": pngs, "recorded": dict(sorted(recorded.items()))}


def kill_and_resume(folder: Path, trials: int) -> list[dict[str, object]]:
    """Return the contents of an uninterrupted run, then of every killed and resumed one."""
    log = folder / "log.txt"
    began = time.monotonic()
    os.waitpid(start(folder / "whole", log), 0)
    duration = time.monotonic() - began
    results = [contents(folder / "whole")]
    generator = random.Random(0)
    for trial in range(trials):
        out = folder / f"trial-{trial}"
        child = start(out, log)
        time.sleep(generator.uniform(0, duration))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        done = len(list(out.glob("*/*/images/*/*.png")))
        _, code = os.waitpid(start(out, log), 0)
        killed = os.WIFSIGNALED(status)
        results.append(
            contents(out) | {"killed": killed, "pngs_at_kill": done, "code": os.waitstatus_to_exitcode(code)}
        )
    return results


if __name__ == "__main__":
    sys.stdout.write(json.dumps(kill_and_resume(Path(sys.argv[1]), int(sys.argv[2]))))
