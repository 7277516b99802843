"""Count how often the gate fires, without a change and with one.

    python -m benchmarks.gate [--trials 100] [--simulated 200]

Images: `bicubic-dither` on `sample`, 6 images x 10 runs, scored with PSNR, SSIM and L-STD, against a baseline of other
seeds: with the same noise, where the gate must be silent, and with 20 % more, where it must fire. Every trial is
counted twice, against one baseline that stays and against a baseline of its own, because a baseline that is lucky or
unlucky is so in every trial. Then simulated scores, where more images, fewer runs and other distributions cost little.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.gate.baseline import Baseline
from ccsr_bench.gate.compare import Comparison, compare_baselines
from ccsr_bench.methods.interpolation import DitheredBicubic
from ccsr_bench.metrics.catalogue import build_metrics, find_protocol
from ccsr_bench.metrics.scorer import Scorer
from ccsr_bench.seeds import seed
from ccsr_bench.stability import l_std

RUNS = 10
SIGMA = 8.0
RAISED = 1.2 * SIGMA
METRICS = ["psnr", "ssim"]
SIMULATED_METRICS = ["psnr", "ssim", "lpips", "dists", "niqe", "clipiqa", "musiq", "maniqa"]


def results(scores: dict[str, dict[str, list[float]]], l_stds: dict[str, float], runs: int) -> Baseline:
    """Return what `ccsr-bench compare` reads, with definitions and pixels that are equal in all."""
    return Baseline(
        dataset="sample", method="trial", made_by="", version="", protocol="paper", base_seed=0, runs=runs,
        definitions=dict.fromkeys([*scores, "l-std"], ""), pixels_sha256=dict.fromkeys(next(iter(scores.values())), ""),
        l_std=l_stds, scores=scores, distances={},
    )  # fmt: skip


def run_control(sigma: float, base_seed: int) -> Baseline:
    """Run and score the control method on `sample`."""
    torch.set_num_threads(1)
    method = DitheredBicubic(sigma=sigma)
    scorer = Scorer(build_metrics(METRICS, find_protocol("paper"), torch.device("cpu"))[0], torch.device("cpu"))
    scores: dict[str, dict[str, list[float]]] = {metric: {} for metric in METRICS}
    l_stds = {}
    for sample in datasets.load_dataset("sample").samples:
        pixels = sample.read()
        seeds = [seed("sample", sample.name, run, base_seed=base_seed) for run in range(RUNS)]
        outputs = method.restore(pixels.lr, seeds)
        found, failures = scorer.score(outputs, scorer.reference(pixels.hr), METRICS)
        if failures:
            raise RuntimeError(failures[0])
        for metric in METRICS:
            scores[metric][sample.name] = found[metric]
        l_stds[sample.name] = l_std(outputs)
    return results(scores, l_stds, RUNS)


def images(trials: int, processes: int) -> None:
    """Run the trials on images and print how many fired."""
    jobs = [(SIGMA, base_seed) for base_seed in range(trials + 1)]
    jobs += [(RAISED, base_seed) for base_seed in range(1000, 1000 + trials)]
    with ProcessPoolExecutor(processes) as pool:
        done = list(pool.map(run_control, *zip(*jobs, strict=True)))
    base, same, raised = done[0], done[1 : trials + 1], done[trials + 1 :]
    write(f"bicubic-dither on sample, 6 images x {RUNS} runs, trials in which the gate fired (and at what):")
    for what, news in (("the same noise, other seeds", same), ("noise raised by 20 %, other seeds", raised)):
        fixed = [compare_baselines(base, new) for new in news]
        own = [compare_baselines(old, new) for old, new in zip([same[-1], *same[:-1]], news, strict=True)]
        write(f"  {what}: one baseline {count(fixed)}; a baseline for each trial {count(own)}")


def count(comparisons: list[Comparison]) -> str:
    """Return in how many something got worse, and what did."""
    fired = sum(bool(comparison.regressions) for comparison in comparisons)
    labels = [outcome.label for comparison in comparisons for outcome in comparison.regressions]
    by_label = ", ".join(f"{label} {labels.count(label)}" for label in dict.fromkeys(labels))
    return f"{fired}/{len(comparisons)}{f' ({by_label})' if labels else ''}"


DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "normal": lambda generator, shape: generator.normal(size=shape),
    "Laplace": lambda generator, shape: generator.laplace(size=shape) / np.sqrt(2),
    "exponential": lambda generator, shape: generator.exponential(size=shape) - 1,
}
"""Of a score over runs, with variance 1: normal, with heavy tails, skewed."""


def simulated(
    generator: np.random.Generator, images: int, runs: int, distribution: str, *, worse: float = 0.0, wider: float = 1.0
) -> Baseline:
    """Return scores of eight metrics whose spread differs from image to image, and the L-STD of 64 patches.

    Args:
        generator: Where chance comes from.
        images: M.
        runs: N.
        distribution: Of `DISTRIBUTIONS`.
        worse: Lowers every metric by so many of its runs' standard deviations.
        wider: Multiplies the spread over runs.
    """
    fixed = np.random.default_rng(7)  # what belongs to the images, which stay
    names = [f"image{index:03d}" for index in range(images)]
    scores = {}
    for metric in SIMULATED_METRICS:
        level, width = fixed.normal(25, 3, (images, 1)), fixed.lognormal(-1, 0.5, (images, 1))
        sign = 1 if metric in ("lpips", "dists", "niqe") else -1
        values = level + sign * worse * width + wider * width * DISTRIBUTIONS[distribution](generator, (images, runs))
        scores[metric] = dict(zip(names, values.tolist(), strict=True))
    patches = wider * fixed.lognormal(-3, 0.3, (images, 1)) * generator.normal(size=(runs, images, 64)).std(axis=0)
    return results(scores, dict(zip(names, patches.mean(axis=1).tolist(), strict=True)), runs)


def simulations(trials: int) -> None:
    """Print how often simulated scores fire, a baseline for each trial."""
    write(f"simulated scores of {len(SIMULATED_METRICS)} metrics and L-STD, {trials} trials each:")
    generator = np.random.default_rng(0)
    for images, runs in ((6, 10), (100, 10), (100, 3), (6, 3), (20, 5)):
        write(f"  M = {images}, N = {runs}")
        for distribution in DISTRIBUTIONS:
            unchanged = list(pairs(generator, trials, images, runs, distribution))
            write(f"    no change, {distribution} scores: {count(unchanged)}")
        step = 6 * np.sqrt(2 / (images * runs))
        moved = list(pairs(generator, trials, images, runs, "normal", worse=step))
        wider = list(pairs(generator, trials, images, runs, "normal", wider=1.2))
        write(f"    every metric worse by 6 of its standard errors: {count(moved)}")
        write(f"    20 % more spread: {count(wider)}")


def pairs(
    generator: np.random.Generator, trials: int, images: int, runs: int, distribution: str, **change: float
) -> Iterator[Comparison]:
    """Yield comparisons of independent results."""
    for _ in range(trials):
        base = simulated(generator, images, runs, distribution)
        yield compare_baselines(base, simulated(generator, images, runs, distribution, **change))


def write(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Run the trials and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100, help="on images (default: %(default)s)")
    parser.add_argument("--simulated", type=int, default=200, help="of each simulation (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="at once (default: %(default)s)")
    options = parser.parse_args()
    images(options.trials, options.processes)
    simulations(options.simulated)


if __name__ == "__main__":
    main()
