"""Doing the jobs of `run` and `score`, and printing their results."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence

from ccsr_bench.cli.console import EXIT_DONE, EXIT_FAILURES_RECORDED, echo, echo_json, progress, remark
from ccsr_bench.devices.threads import computing_threads
from ccsr_bench.errors import number_of
from ccsr_bench.running.job import Job, Summary
from ccsr_bench.running.jobs import do_jobs
from ccsr_bench.running.scoring import Scoring


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Redirect what methods, libraries, C code and child processes print to stderr; stdout is for results."""
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
    """Do jobs one after the other, print a summary of each and return the exit code.

    Args:
        jobs: Jobs to do.
        scoring: Metrics that score the outputs.
        options: Options of the verb, of which ``canary``, ``json``, ``out`` and ``threads`` are used.
    """
    before = (lambda: _check_canary(scoring)) if options.canary else None
    with computing_threads(options.threads):
        summaries = do_jobs(jobs, scoring, before=before, progress=_progress_only)
    return _finish(summaries, options)


def _check_canary(scoring: Scoring) -> None:
    checked, unchecked = scoring.check_canary()
    if checked:
        remark(f"canary: {', '.join(checked)}: scores as published")
    if unchecked:
        remark(
            f"canary: not checked, no published score or image here: {', '.join(unchecked)} "
            f"(`ccsr-bench prepare --metrics`)"
        )


def _finish(summaries: dict[str, Summary], options: argparse.Namespace) -> int:
    for method, summary in summaries.items():
        for image, reason in summary.failures.items():
            remark(f"{method}: {image} failed: {reason}")
    if options.json:
        echo_json({method: _record(summary) for method, summary in summaries.items()})
    else:
        for method, summary in summaries.items():
            echo(
                f"{method}: {number_of(summary.images, 'image')} x {number_of(summary.runs, 'run')}, "
                f"{number_of(summary.computed, 'image')} computed now in {summary.seconds:.1f} s, "
                f"{len(summary.failures)} failed -> {summary.folder}"
            )
        echo(f"next: {_next_step(summaries, options)}")
    return EXIT_FAILURES_RECORDED if any(summary.failures for summary in summaries.values()) else EXIT_DONE


def _next_step(summaries: dict[str, Summary], options: argparse.Namespace) -> str:
    if all(len(summary.failures) == summary.images for summary in summaries.values()):
        return "correct what failed and give the same command again; --debug shows tracebacks"
    out = "" if str(options.out) == "results" else f" --out {options.out}"
    return f"ccsr-bench table{out}"


def _record(summary: Summary) -> dict[str, object]:
    return {
        "folder": str(summary.folder),
        "images": summary.images,
        "runs": summary.runs,
        "computed": summary.computed,
        "failures": summary.failures,
        "seconds": round(summary.seconds, 3),
    }
