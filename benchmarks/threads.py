"""Measure an RRDB network of Real-ESRGAN's size in one process, and in two processes that share the cores.

    python benchmarks/threads.py [--rounds N] [--images N]

Each setting is measured once per round, so that other work on the machine meets all of them. A second is the wall time
of an image, a CPU second what all threads of its process used, also those that wait for each other actively.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

SIDE = 64


class Setting(NamedTuple):
    """Processes at a time, threads of each, and how threads wait: "" for the default of the OpenMP library."""

    processes: int
    threads: int
    waiting: str


SETTINGS = [
    Setting(1, 1, ""),
    Setting(1, 2, ""),
    Setting(1, 2, "PASSIVE"),
    Setting(2, 1, ""),
    Setting(2, 2, ""),
    Setting(2, 2, "PASSIVE"),
]


def restore(images: int) -> None:
    """Restore images in this process when a line arrives, and print seconds and CPU seconds per image."""
    import torch

    from ccsr_bench.devices.torchvision_operators import import_torchvision

    import_torchvision()  # spandrel imports it
    from spandrel.architectures.ESRGAN import ESRGAN

    network = ESRGAN(num_filters=64, num_blocks=23).eval()
    image = torch.rand(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        network(image)
        print("ready", flush=True)
        sys.stdin.readline()
        started, used = time.perf_counter(), cpu_seconds()
        for _ in range(images):
            network(image)
    print((time.perf_counter() - started) / images, (cpu_seconds() - used) / images)


def cpu_seconds() -> float:
    """Return the CPU seconds that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(setting: Setting, images: int) -> tuple[float, float]:
    """Return seconds and CPU seconds per image, the mean over the processes of a setting."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(setting.threads)}
    environment.pop("OMP_WAIT_POLICY", None)
    if setting.waiting:
        environment["OMP_WAIT_POLICY"] = setting.waiting
    command = [sys.executable, __file__, "--restore", str(images)]
    processes = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        for _ in range(setting.processes)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("start\n")
    answers = [process.communicate()[0].split() for process in processes]
    seconds, used = (statistics.mean(float(answer[i]) for answer in answers) for i in (0, 1))
    return seconds, used


def main() -> None:
    """Measure and print the medians of all rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--restore", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.restore is not None:
        restore(options.restore)
        return
    measured: dict[Setting, list[tuple[float, float]]] = {setting: [] for setting in SETTINGS}
    for _ in range(options.rounds):
        for setting, figures in measured.items():
            figures.append(measure(setting, options.images))
    print("| processes | threads each | waiting | s/image | CPU s/image |\n|---|---|---|---|---|")
    for setting, figures in measured.items():
        seconds, used = (statistics.median(column) for column in zip(*figures, strict=True))
        print(
            f"| {setting.processes} | {setting.threads} | {setting.waiting.lower() or 'default'} "
            f"| {seconds:.2f} | {used:.2f} |"
        )


if __name__ == "__main__":
    main()
