"""Count how often the gate reports a regression, without a change and with one.

    python -m benchmarks.gate [--trials 100] [--simulated 200]

Images: `bicubic-dither` on `sample`, 6 images x 10 runs, scored with PSNR, SSIM and L-STD, against a baseline of other
seeds: with the same noise, where the gate must pass, and with 20 % more noise, where it must report a regression. Every
trial is counted twice, against one baseline for all trials and against a baseline of its own, because an untypical
baseline affects all its trials. Simulated scores follow, for other numbers of images and runs and other distributions.
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
from ccsr_bench.gate.compare import BaselineComparison, compare_baselines
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
    """Return results as `ccsr-bench compare` reads them, with equal definitions and pixels."""
    return Baseline(
        dataset="sample",
        method="trial",
        made_by="",
        version="",
        protocol="paper",
        base_seed=0,
        runs=runs,
        definitions=dict.fromkeys([*scores, "l-std"], ""),
        pixels_sha256=dict.fromkeys(next(iter(scores.values())), ""),
        l_std=l_stds,
        scores=scores,
        distances={},
    )


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
        image_scores, failures = scorer.score(outputs, scorer.reference(pixels.hr), METRICS)
        if failures:
            raise RuntimeError(failures[0])
        for metric in METRICS:
            scores[metric][sample.name] = image_scores[metric]
        l_stds[sample.name] = l_std(outputs)
    return results(scores, l_stds, RUNS)


def images(trials: int, processes: int) -> None:
    """Run the trials on images, and print the number of trials with a regression."""
    jobs = [(SIGMA, base_seed) for base_seed in range(trials + 1)]
    jobs += [(RAISED, base_seed) for base_seed in range(1000, 1000 + trials)]
    with ProcessPoolExecutor(processes) as pool:
        done = list(pool.map(run_control, *zip(*jobs, strict=True)))
    base, same, raised = done[0], done[1 : trials + 1], done[trials + 1 :]
    write(f"bicubic-dither on sample, 6 images x {RUNS} runs, trials with a regression (and of what):")
    for what, news in (("the same noise, other seeds", same), ("noise raised by 20 %, other seeds", raised)):
        fixed = [compare_baselines(base, new) for new in news]
        own = [compare_baselines(old, new) for old, new in zip([same[-1], *same[:-1]], news, strict=True)]
        write(f"  {what}: one baseline {count(fixed)}; a baseline for each trial {count(own)}")


def count(comparisons: list[BaselineComparison]) -> str:
    """Return the number of comparisons with a regression, and the quantities that got worse."""
    fired = sum(bool(comparison.regressions) for comparison in comparisons)
    labels = [outcome.label for comparison in comparisons for outcome in comparison.regressions]
    by_label = ", ".join(f"{label} {labels.count(label)}" for label in dict.fromkeys(labels))
    return f"{fired}/{len(comparisons)}{f' ({by_label})' if labels else ''}"


DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "normal": lambda generator, shape: generator.normal(size=shape),
    "Laplace": lambda generator, shape: generator.laplace(size=shape) / np.sqrt(2),
    "exponential": lambda generator, shape: generator.exponential(size=shape) - 1,
}
"""Distributions of a score over runs, with variance 1: normal, heavy-tailed and skewed."""


def simulated(
    generator: np.random.Generator, images: int, runs: int, distribution: str, *, worse: float = 0.0, wider: float = 1.0
) -> Baseline:
    """Return scores of eight metrics whose spread differs from image to image, and the L-STD of 64 patches.

    Args:
        generator: Random number generator.
        images: Number of images.
        runs: Number of runs.
        distribution: Name in `DISTRIBUTIONS`.
        worse: Change of every metric for the worse, in standard deviations of its runs.
        wider: Factor of the spread over runs.
    """
    fixed = np.random.default_rng(7)  # properties of the images, which are the same in all trials
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
    """Print the number of trials with a regression for simulated scores, with a baseline for each trial."""
    write(f"simulated scores of {len(SIMULATED_METRICS)} metrics and L-STD, {trials} trials each:")
    generator = np.random.default_rng(0)
    for images, runs in ((6, 10), (100, 10), (100, 3), (6, 3), (20, 5)):
        write(f"  M = {images}, N = {runs}")
        for distribution in DISTRIBUTIONS:
            unchanged = list(pairs(generator, trials, images, runs, distribution))
            write(f"    no change, {distribution} scores: {count(unchanged)}")
        step = 6 * np.sqrt(2 / (images * runs))
        worse = list(pairs(generator, trials, images, runs, "normal", worse=step))
        wider = list(pairs(generator, trials, images, runs, "normal", wider=1.2))
        write(f"    every metric worse by 6 of its standard errors: {count(worse)}")
        write(f"    20 % more spread: {count(wider)}")


def pairs(
    generator: np.random.Generator, trials: int, images: int, runs: int, distribution: str, **change: float
) -> Iterator[BaselineComparison]:
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
    parser.add_argument("--trials", type=int, default=100, help="trials on images (default: %(default)s)")
    parser.add_argument("--simulated", type=int, default=200, help="trials of each simulation (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="processes at once (default: %(default)s)")
    options = parser.parse_args()
    images(options.trials, options.processes)
    simulations(options.simulated)


if __name__ == "__main__":
    main()
