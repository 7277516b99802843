"""The output of the verbs: results on stdout, progress and remarks on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence

EXIT_DONE = 0
EXIT_CHECK_FAILED = 1
EXIT_BAD_USE = 2
EXIT_FAILURES_RECORDED = 3
EXIT_INTERRUPTED = 130

_SECONDS_BETWEEN_LINES = 10.0


def echo(text: str = "") -> None:
    """Write one line of results to stdout."""
    sys.stdout.write(f"{text}\n")


def echo_json(value: object) -> None:
    """Write results as JSON to stdout."""
    echo(json.dumps(value, indent=2))


def remark(text: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def error(message: str) -> None:
    """Write an error to stderr as one line."""
    remark(f"ccsr-bench: {' '.join(message.split())}")


def columns(rows: Sequence[Sequence[str]]) -> None:
    """Write rows of text to stdout, in aligned columns; the last column is not padded."""
    if not rows:
        return
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row in rows:
        echo("  ".join([*(text.ljust(width) for text, width in zip(row[:-1], widths, strict=True)), row[-1]]).rstrip())


@contextlib.contextmanager
def progress(label: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show the progress of a long task: as a bar on a terminal, else as a line every few seconds.

    Args:
        label: Name of the task.

    Yields:
        A function that is called with the number of finished images, the number of all images, and the name of the
        image that was finished last.
    """
    if sys.stderr.isatty():
        with _bar(label) as show:
            yield show
    else:
        yield _lines(label)


@contextlib.contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int, str], None]]:
    from tqdm import tqdm

    with tqdm(desc=label, unit="image", dynamic_ncols=True) as bar:

        def show(done: int, total: int, name: str) -> None:
            bar.total = total
            bar.set_postfix_str(name, refresh=False)
            bar.update(done - bar.n)

        yield show


def _lines(label: str) -> Callable[[int, int, str], None]:
    started = time.monotonic()
    last = started - _SECONDS_BETWEEN_LINES

    def show(done: int, total: int, _name: str) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= _SECONDS_BETWEEN_LINES:
            last = now
            remark(f"{label}: {done}/{total} ({now - started:.0f} s)")

    return show
