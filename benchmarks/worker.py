"""Measure the overhead of running a method in a process of its own, from a 512x512 output that takes no time to make.

python benchmarks/worker.py
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ccsr_bench.methods.isolated.host import IsolatedMethod, Launch

ROUNDS = 300
ADAPTER = """
import numpy as np

OUTPUT = np.random.default_rng(0).integers(0, 256, (512, 512, 3)).astype(np.uint8)

class Model:
    def restore(self, lr, seed):
        return OUTPUT

def load(source, weights, device):
    return Model()
"""


def main() -> None:
    """Measure and print the milliseconds per output."""
    with tempfile.TemporaryDirectory() as temporary:
        adapter = Path(temporary) / "adapter.py"
        adapter.write_text(ADAPTER)
        method = IsolatedMethod(Launch(Path(sys.executable), adapter, Path(temporary) / "worker.log"))
        try:
            method.start()
            lr = np.zeros((128, 128, 3), np.uint8)
            times = []
            for seed in range(ROUNDS):
                started = time.perf_counter()
                method.restore(lr, [seed])
                times.append((time.perf_counter() - started) * 1000)
        finally:
            method.close()
    times.sort()
    sys.stdout.write(
        f"{ROUNDS} outputs of 512x512: median {statistics.median(times):.2f} ms, 95th percentile "
        f"{times[ROUNDS * 95 // 100]:.2f} ms, longest {times[-1]:.2f} ms\n"
    )


if __name__ == "__main__":
    main()
