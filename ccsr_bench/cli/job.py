"""What `run` and `score` have in common: doing jobs and saying how they ended."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence

from ccsr_bench.cli.console import EXIT_DONE, EXIT_FAILURES_RECORDED, echo, echo_json, progress, remark
from ccsr_bench.running.job import Job, Summary
from ccsr_bench.running.jobs import do_jobs
from ccsr_bench.running.scoring import Scoring


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


@contextlib.contextmanager
def _progress_only(label: str) -> Iterator[Callable[[int, int, str], None]]:
    with progress(label) as show, stdout_to_stderr():
        yield show


def do_and_report(jobs: Sequence[Job], scoring: Scoring, options: argparse.Namespace) -> int:
    """Do jobs one after the other, print how they ended and return the exit code.

    Args:
        jobs: What to do.
        scoring: What outputs are scored with.
        options: With ``canary``, ``json`` and ``out``.
    """
    before = (lambda: _check_canary(scoring)) if options.canary else None
    return _finish(do_jobs(jobs, scoring, before=before, progress=_progress_only), options)


def _check_canary(scoring: Scoring) -> None:
    checked, unchecked = scoring.check_canary()
    if checked:
        remark(f"canary: {', '.join(checked)} as published")
    if unchecked:
        remark(f"canary: nothing to check {', '.join(unchecked)} with (`ccsr-bench prepare --metrics`)")


def _finish(summaries: dict[str, Summary], options: argparse.Namespace) -> int:
    for method, summary in summaries.items():
        for image, reason in summary.failures.items():
            remark(f"{method}: {image} failed: {reason}")
    if options.json:
        echo_json({method: _record(summary) for method, summary in summaries.items()})
    else:
        for method, summary in summaries.items():
            echo(
                f"{method}: {summary.images} images x {summary.runs} runs, {summary.computed} images computed now in "
                f"{summary.seconds:.1f} s, {len(summary.failures)} failed -> {summary.folder}"
            )
        out = "" if str(options.out) == "results" else f" --out {options.out}"
        echo(f"next: ccsr-bench table{out}")
    return EXIT_FAILURES_RECORDED if any(summary.failures for summary in summaries.values()) else EXIT_DONE


def _record(summary: Summary) -> dict[str, object]:
    return {
        "folder": str(summary.folder),
        "images": summary.images,
        "runs": summary.runs,
        "computed": summary.computed,
        "failures": summary.failures,
        "seconds": round(summary.seconds, 3),
    }
