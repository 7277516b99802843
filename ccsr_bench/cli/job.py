"""What `run` and `score` have in common: doing jobs and saying how they ended."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence

from ccsr_bench.cli.console import echo, echo_json, progress, remark
from ccsr_bench.cli.main import EXIT_DONE, EXIT_FAILURES_RECORDED
from ccsr_bench.cli.options import Scoring
from ccsr_bench.runner import Job, Summary, run_job
from ccsr_bench.units import OutputSource


def run_all(jobs: Sequence[Job], load: Callable[[str], OutputSource], scoring: Scoring) -> dict[str, Summary]:
    """Do jobs one after the other.

    Args:
        jobs: What to do.
        load: Loads the source of a method's outputs, by name.
        scoring: What scores are computed with.

    Returns:
        How each ended, by method.
    """
    summaries: dict[str, Summary] = {}
    for job in jobs:
        with progress(f"{job.method} on {job.dataset.name}") as show:
            summaries[job.method] = run_job(
                job, functools.partial(load, job.method), scoring.scorer, device=scoring.device, progress=show
            )
    return summaries


def finish(summaries: dict[str, Summary], options: argparse.Namespace) -> int:
    """Print how jobs ended and return the exit code."""
    for method, summary in summaries.items():
        for image, reason in summary.failures.items():
            remark(f"{method}: {image} failed: {reason}")
    if options.json:
        echo_json(
            {
                method: {
                    "folder": str(summary.folder),
                    "images": summary.images,
                    "runs": summary.runs,
                    "computed": summary.computed,
                    "failures": summary.failures,
                    "seconds": round(summary.seconds, 3),
                }
                for method, summary in summaries.items()
            }
        )
    else:
        for method, summary in summaries.items():
            echo(
                f"{method}: {summary.images} images x {summary.runs} runs, {summary.computed} images computed now in "
                f"{summary.seconds:.1f} s, {len(summary.failures)} failed -> {summary.folder}"
            )
        out = "" if str(options.out) == "results" else f" --out {options.out}"
        echo(f"next: ccsr-bench table{out}")
    return EXIT_FAILURES_RECORDED if any(summary.failures for summary in summaries.values()) else EXIT_DONE
