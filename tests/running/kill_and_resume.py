"""Kill runs at random moments, resume them, and print the final contents of each as JSON. Called by `test_kill.py`.

Every run is a separate process, forked from this one so that the imports run only once. This process itself
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

import ccsr_bench.cli.run
import ccsr_bench.metrics.psnr
import ccsr_bench.metrics.ssim
import ccsr_bench.running.jobs  # noqa: F401 (everything that a run imports is imported here, once for all children)
from ccsr_bench.cli import main
from ccsr_bench.ledger.reader import Ledger

PNGS = 60
"""Number of PNGs of six images and ten runs."""


def start(out: Path, log: Path) -> int:
    """Start a run in a separate process and return its process id."""
    child = os.fork()
    if child == 0:
        with log.open("a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            pairs = ["--dataset", "own", "--lr", str(out.parent / "lr"), "--hr", str(out.parent / "hr")]
            os._exit(
                main(["run", "--method", "bicubic-dither", *pairs, "--metrics", "psnr", "ssim", "--out", str(out)])
            )
    return child


def contents(out: Path) -> dict[str, object]:
    """Return the scores and the hashes of the PNGs of a ledger, and every row as recorded."""
    folder = out / "own" / "bicubic-dither"
    if not (folder / "ledger.sqlite").is_file():
        return {"rows": {}}
    with Ledger(folder) as ledger:
        names = ledger.image_names()
        records = {name: ledger.record(name) for name in names}
        rows = {name: {k: v for k, v in ledger.rows(name).items() if k not in ("asked", "failures")} for name in names}
        sessions = ledger.sessions
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
    known = all(row[-1] in sessions for tables in rows.values() for row in tables["scores"])
    return {
        "scores": scores,
        "pngs": pngs,
        "recorded": dict(sorted(recorded.items())),
        "rows": rows,
        "sessions_known": known,
    }


def kill_and_resume(folder: Path, trials: int) -> list[dict[str, object]]:
    """Return the contents of an uninterrupted run on the pairs in a folder, then of every killed and resumed run."""
    log = folder / "log.txt"
    os.waitpid(start(folder / "whole", log), 0)
    results = [contents(folder / "whole")]
    generator = random.Random(0)
    for trial in range(trials):
        out = folder / f"trial-{trial}"
        child = start(out, log)
        # A random moment during the work itself, on a fast machine as on a slow one.
        wait_for_pngs(out, generator.randrange(PNGS))
        time.sleep(generator.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        at_kill = contents(out)
        _, code = os.waitpid(start(out, log), 0)
        about = {
            "killed": os.WIFSIGNALED(status),
            "at_kill": at_kill["rows"],
            "code": os.waitstatus_to_exitcode(code),
        }
        results.append(contents(out) | about)
    return results


def wait_for_pngs(out: Path, count: int) -> None:
    """Wait until a number of PNGs are written, for at most 60 seconds."""
    deadline = time.monotonic() + 60
    while len(list(out.glob("*/*/images/*/*.png"))) < count and time.monotonic() < deadline:
        time.sleep(0.001)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(kill_and_resume(Path(sys.argv[1]), int(sys.argv[2]))))
