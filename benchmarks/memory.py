"""Measure the memory of running and scoring 10 x 10 and 100 x 10 outputs of `bicubic-dither` on RealSR.

    ccsr-bench prepare --dataset RealSR
    python benchmarks/memory.py

Each measurement is a process of its own and has two numbers. The memory held after the last image would grow with the
number of images if data were kept. The peak that the kernel reports depends on which temporary arrays exist at the same
time, so it rises a little with the number of images. The script needs Linux.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 3


def status_mib(field: str) -> float:
    """Return a field of this process's status in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def run(images: int, out: Path) -> None:
    """Run and score a number of images in this process, and print the memory held after the last one."""
    from ccsr_bench.datasets.loading import choose_dataset, choose_samples
    from ccsr_bench.methods.base import Execution
    from ccsr_bench.methods.registry import find_method
    from ccsr_bench.running.jobs import method_job
    from ccsr_bench.running.runner import run_job
    from ccsr_bench.running.scoring import build_scoring

    dataset, spec = choose_dataset("RealSR"), find_method("bicubic-dither")
    scoring = build_scoring(["psnr", "ssim"], device="cpu")
    samples = choose_samples(dataset, limit=images)
    job = method_job(spec, dataset, samples, scoring, out=out, execution=Execution())
    held = 0.0

    def remember(_done: int, _total: int, _image: str) -> None:
        nonlocal held
        held = status_mib("VmRSS")

    run_job(job, scoring.scorer, device="cpu", progress=remember)
    sys.stdout.write(f"{held}\n")


def measure(images: int) -> tuple[float, float]:
    """Return (held after the last image, peak) in MiB of a process of its own."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, __file__, str(images), out]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        held = float(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return held, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    measured: dict[int, list[tuple[float, float]]] = {10: [], 100: []}
    for _ in range(ROUNDS):
        for images, figures in measured.items():
            figures.append(measure(images))
    for images, figures in measured.items():
        (held, least, most), (peak, low, high) = (
            (statistics.median(column), min(column), max(column)) for column in zip(*figures, strict=True)
        )
        sys.stdout.write(
            f"{images:3} images x 10 runs: {held:.0f} MiB held after the last ({least:.0f} to {most:.0f}), "
            f"peak {peak:.0f} MiB ({low:.0f} to {high:.0f}); medians of {ROUNDS}\n"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(int(sys.argv[1]), Path(sys.argv[2]))
    else:
        main()
