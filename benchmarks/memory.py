"""Peak memory of running and scoring 10 x 10 and 100 x 10 outputs of `bicubic-dither` on RealSR.

    ccsr-bench prepare --dataset RealSR
    python benchmarks/memory.py

Each is a process of its own, and the kernel's own figure of its peak is read when it has ended. Three times each in
turn, because the same run differs by some 5 % from itself.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

METRICS = ["psnr", "ssim"]
ROUNDS = 3


def peak_mib(images: int, out: str) -> float:
    """Return the peak memory in MiB of `run` on that many images."""
    command = [sys.executable, "-m", "ccsr_bench", "run", "--method", "bicubic-dither", "--dataset", "RealSR"]
    command += ["--limit", str(images), "--metrics", *METRICS, "--out", out]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    peaks: dict[int, list[float]] = {10: [], 100: []}
    for _ in range(ROUNDS):
        for images, found in peaks.items():
            with tempfile.TemporaryDirectory() as out:
                found.append(peak_mib(images, out))
    for images, found in peaks.items():
        sys.stdout.write(
            f"{images:3} images x 10 runs: peak {statistics.median(found):.0f} MiB "
            f"(median of {ROUNDS}; {min(found):.0f} to {max(found):.0f})\n"
        )
    sys.stdout.write(f"ratio of the medians {statistics.median(peaks[100]) / statistics.median(peaks[10]):.3f}\n")


if __name__ == "__main__":
    main()
