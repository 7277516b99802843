"""Time the scoring of ten outputs with every per-image metric: ours in both precisions, and pyiqa's in a loop.

    python -m benchmarks.scoring
    python -m benchmarks.scoring --device cuda --metrics lpips dists
    python -m benchmarks.scoring --runs 1 --size 339x510 --metrics psnr ssim lpips dists clipiqa musiq

The weights are random in the published layouts, and all contenders read the same files. Each contender is a process of
its own, one after another. Construction and a first call are not timed; the preparation of the reference is.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ccsr_bench.metrics.catalogue import METRICS, build_metrics, find_protocol
from ccsr_bench.metrics.scorer import Scorer

PER_IMAGE = [info.name for info in METRICS.values() if info.default and info.kind != "distribution"]
CONTENDERS = ("exact", "fast", "pyiqa")
Times = dict[str, dict[str, Any]]


def images(runs: int, size: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a reference of a size such as 512x512 and outputs with some noise."""
    height, width = map(int, size.split("x"))
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    smooth = 128 + 60 * np.stack([np.sin(9 * x + 5 * y), np.cos(7 * y), np.sin(11 * x * y)], -1)
    noise = generator.normal(0, 8, (runs, height, width, 3))
    return np.rint(smooth).astype(np.uint8), np.clip(np.rint(smooth + noise), 0, 255).astype(np.uint8)


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has finished."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def time_ours(options: argparse.Namespace, precision: Any) -> Times:
    """Time our metrics, each by itself."""
    from tests.support.metrics.every_metric import weights_installed

    device = torch.device(options.device)
    reference, outputs = images(options.runs, options.size)
    times: Times = {}
    with tempfile.TemporaryDirectory(dir=options.folder.parent) as home, weights_installed(options.folder, Path(home)):
        for name in options.metrics:
            built, _ = build_metrics([name], find_protocol("paper"), device, precision=precision)
            scorer = Scorer(built, device, precision)
            scorer.score(outputs[:1], scorer.reference(reference), [name])
            synchronize(device)
            started = time.perf_counter()
            scores, failures = scorer.score(outputs, scorer.reference(reference), [name])
            synchronize(device)
            if failures:
                raise SystemExit(failures[0])
            times[name] = {"seconds": time.perf_counter() - started, "scores": scores[name]}
    return times


def time_pyiqa(options: argparse.Namespace) -> Times:
    """Time pyiqa's metrics, one image at a time."""
    from tests.support.metrics.pyiqa_networks import build

    device = torch.device(options.device)
    reference, outputs = images(options.runs, options.size)

    def tensor(pixels: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(pixels).permute(2, 0, 1)[None].to(device).float() / 255

    times: Times = {}
    for name in options.metrics:
        metric = build(name, options.folder, device)
        with torch.inference_mode():
            metric(tensor(outputs[0]), tensor(reference))
            synchronize(device)
            started = time.perf_counter()
            scores = [float(metric(tensor(output), tensor(reference))) for output in outputs]
            times[name] = {"seconds": time.perf_counter() - started, "scores": scores}
    return times


def child(options: argparse.Namespace) -> None:
    """Time one contender and write its times."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    times = time_pyiqa(options) if options.child == "pyiqa" else time_ours(options, options.child)
    (options.folder.parent / f"{options.child}.json").write_text(json.dumps(times))


def show(results: dict[str, Times], metrics: list[str]) -> None:
    """Print the seconds for all runs, our speed relative to pyiqa's, and the differences of the scores."""
    sys.stdout.write("| metric | pyiqa, s | exact, s | | fast, s | | exact off by | fast off by |\n")
    sys.stdout.write("|---|--:|--:|--:|--:|--:|--:|--:|\n")
    for name in [*metrics, "together"]:
        rows = metrics if name == "together" else [name]
        seconds = {who: sum(results[who][row]["seconds"] for row in rows) for who in CONTENDERS}
        cells = [f"{seconds['pyiqa']:.2f}"]
        for who in ("exact", "fast"):
            cells += [f"{seconds[who]:.2f}", f"{seconds['pyiqa'] / seconds[who]:.2f}x"]
        for who in ("exact", "fast"):
            theirs, ours = (np.array([results[w][row]["scores"] for row in rows]) for w in ("pyiqa", who))
            cells.append("" if name == "together" else f"{np.abs(ours - theirs).max():.1e}")
        sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")


def main() -> None:
    """Time all contenders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--size", default="512x512", help="height x width (default: %(default)s)")
    parser.add_argument("--metrics", nargs="+", default=PER_IMAGE)
    parser.add_argument("--child", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options)
        return
    from tests.support.metrics.every_metric import write_all

    where = torch.cuda.get_device_name() if options.device == "cuda" else f"{torch.get_num_threads()} CPU threads"
    sys.stdout.write(
        f"{options.runs} outputs of {options.size}, {where}, torch {torch.__version__}, {platform.machine()}\n\n"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "weights"
        folder.mkdir()
        write_all(folder)
        results = {}
        for who in CONTENDERS:
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "benchmarks.scoring",
                    "--child",
                    who,
                    "--folder",
                    str(folder),
                    "--device",
                    options.device,
                    "--runs",
                    str(options.runs),
                    "--size",
                    options.size,
                    "--metrics",
                    *options.metrics,
                ],
                check=True,
                stdout=sys.stderr,
            )
            results[who] = json.loads((folder.parent / f"{who}.json").read_text())
        show(results, options.metrics)


if __name__ == "__main__":
    main()
