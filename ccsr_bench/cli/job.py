"""What `run` and `score` have in common: doing jobs and saying how they ended."""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import sys
from collections.abc import Iterator, Sequence

from ccsr_bench.cli.console import echo, echo_json, progress, remark
from ccsr_bench.cli.main import EXIT_DONE, EXIT_FAILURES_RECORDED
from ccsr_bench.cli.options import Scoring
from ccsr_bench.running.runner import Job, Summary, run_job


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send what methods and libraries print to stderr, C code and child processes included: stdout is for results."""
    sys.stdout.flush()
    with contextlib.ExitStack() as stack:
        try:
            saved = os.dup(1)
        except OSError:  # stdout is closed
            saved = -1
        if saved >= 0:
            stack.callback(os.close, saved)
            stack.callback(os.dup2, saved, 1)
            os.dup2(2, 1)
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield


def run_all(jobs: Sequence[Job], scoring: Scoring, *, canary: bool) -> dict[str, Summary]:
    """Do jobs one after the other and return how each ended, by method.

    Args:
        jobs: What to do.
        scoring: What to score with.
        canary: Check the metrics on a published image before the first work.
    """
    check = functools.cache(functools.partial(_check_canary, scoring)) if canary else _no_check
    summaries: dict[str, Summary] = {}
    for job in jobs:
        with progress(f"{job.method} on {job.dataset.name}") as show, stdout_to_stderr():
            summaries[job.method] = run_job(job, scoring.scorer, device=scoring.device, progress=show, before=check)
    return summaries


def _no_check() -> None:
    """Check nothing."""


def _check_canary(scoring: Scoring) -> None:
    from ccsr_bench.metrics.catalogue import METRICS
    from ccsr_bench.published import canary

    checked = canary.check(scoring.scorer, scoring.protocol)
    unchecked = [name for name in scoring.scorer.metrics if name not in checked and METRICS[name].weights]
    if checked:
        remark(f"canary: {', '.join(checked)} as published")
    if unchecked:
        remark(f"canary: nothing to check {', '.join(unchecked)} with (`ccsr-bench prepare --metrics`)")


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
