"""Time PSNR and SSIM of ten 512x512 outputs with one reference, by ccsr-bench and by pyiqa.

    python benchmarks/psnr_ssim.py

pyiqa is timed with one image at a time and with a batch; the faster of the two counts. The three alternate, so that a
change of the machine's speed affects all of them.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from ccsr_bench.devices.torchvision_operators import import_torchvision
from ccsr_bench.metrics.catalogue import build_metrics, find_protocol
from ccsr_bench.metrics.scorer import Scorer

ROUNDS = 7
RUNS = 10
SIZE = 512
CPU = torch.device("cpu")


def images() -> tuple[np.ndarray, np.ndarray]:
    """Return a reference and ten noisy outputs."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    smooth = 128 + 60 * np.stack([np.sin(9 * x + 5 * y), np.cos(7 * y), np.sin(11 * x * y)], -1)
    reference = np.rint(smooth).astype(np.uint8)
    noise = generator.normal(0, 8, (RUNS, SIZE, SIZE, 3))
    return reference, np.clip(np.rint(smooth + noise), 0, 255).astype(np.uint8)


def contenders() -> dict[str, Callable[[], np.ndarray]]:
    """Return the functions to time by name; each returns (2, 10) scores."""
    import_torchvision()
    import pyiqa

    reference, outputs = images()
    scorer = Scorer(build_metrics(["psnr", "ssim"], find_protocol("paper"), CPU)[0], CPU)
    options = {"device": CPU, "test_y_channel": True, "color_space": "ycbcr"}
    psnr, ssim = pyiqa.create_metric("psnr", **options), pyiqa.create_metric("ssim", **options)

    def tensor(pixels: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255

    def ours() -> np.ndarray:
        return np.array(list(scorer.score(outputs, scorer.reference(reference), ["psnr", "ssim"])[0].values()))

    def one_by_one() -> np.ndarray:
        target, batch = tensor(reference[None]), tensor(outputs)
        return np.array([[float(metric(image[None], target)) for image in batch] for metric in (psnr, ssim)])

    def as_a_batch() -> np.ndarray:
        target, batch = tensor(np.repeat(reference[None], RUNS, axis=0)), tensor(outputs)
        return np.stack([metric(batch, target).numpy() for metric in (psnr, ssim)])

    return {"ccsr-bench": ours, "pyiqa, one by one": one_by_one, "pyiqa, as a batch": as_a_batch}


def main() -> None:
    """Time the functions and print the results."""
    functions = contenders()
    scores = {name: function() for name, function in functions.items()}  # also the warm-up
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - started)
    ours, *theirs = (statistics.median(times) for times in seconds.values())
    for name, times in seconds.items():
        deviation = np.abs(scores[name] - scores["ccsr-bench"]).max(axis=1)
        sys.stdout.write(
            f"{name:18} median {statistics.median(times):7.3f} s of {ROUNDS} "
            f"(min {min(times):.3f}, max {max(times):.3f}); "
            f"differs from ours by {deviation[0]:.0e} dB, {deviation[1]:.0e}\n"
        )
    ratio = min(theirs) / ours
    sys.stdout.write(f"pyiqa's faster way takes {ratio:.0f} times as long ({torch.get_num_threads()} threads)\n")


if __name__ == "__main__":
    main()
