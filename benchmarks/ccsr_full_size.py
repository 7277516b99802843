"""CCSR-S1 and CCSR-S2 with networks of the released size, from 128x128 to 512x512: seconds and memory.

    python benchmarks/ccsr_full_size.py [--batch 2]

The weights are random, so nothing is downloaded. Each method runs in a process of its own, on the CPU in float32. The
script needs Linux.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time


def run(name: str, batch: int) -> None:
    """Restore one image `batch` times in this process."""
    import numpy as np
    import torch

    from benchmarks.ccsr_runs import STEPS, build, embed
    from ccsr_bench.ccsr import CCSR, Quirks, Settings

    networks, encoder = build(full=True, device=torch.device("cpu"), dtype=torch.float32)
    settings = Settings(**STEPS[name], quirks=Quirks(numerics="clean"))
    embeddings = embed(encoder, (settings.first_step_text, *settings.loop_texts))
    model = CCSR(networks, embeddings, settings, batch=batch)
    lr = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    started = time.perf_counter()
    outputs = model.restore(lr, range(batch))
    taken = time.perf_counter() - started
    assert outputs.shape == (batch, 512, 512, 3)
    assert outputs.std() > 1
    sys.stdout.write(f"{name}: {batch} runs in {taken:.1f} s, {torch.get_num_threads()} threads")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=1, help="runs at once (default: %(default)s)")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        run(options.only, options.batch)
        return
    for name in ("CCSR-S1", "CCSR-S2"):
        command = [sys.executable, __file__, "--only", name, "--batch", str(options.batch)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{printed}, peak {usage.ru_maxrss / 1024**2:.1f} GiB, text encoder included\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
