"""The errors that the user reads as one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """A mistake that the user can correct; the message says what is wrong, where, and what to do next.

    The command line prints the message as one line and exits with code 2. Everything that is recorded is kept.
    """


class NotInstalledError(BenchError):
    """A data set, or a part of it, is not installed on this machine; `prepare` installs it."""


class MetricUnavailableError(BenchError):
    """A metric cannot be computed here: its package or its weights are missing.

    The error ends the command if the user named the metric. A default metric is skipped, and the reason is printed.
    """


def unknown_name(kind: str, name: str, known: Iterable[str], *, hint: str = "") -> BenchError:
    """Return the error for a name that does not exist, with the most similar names that do.

    Args:
        kind: Kind of thing that the name stands for, for example ``"method"``.
        name: The unknown name.
        known: All names that exist.
        hint: Remark in parentheses at the end, for example where to find the names.
    """
    names = {known_name.lower(): known_name for known_name in sorted(known)}
    near = [names[match] for match in difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)]
    advice = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names.values()) or 'none'}"
    return BenchError(f"unknown {kind} '{name}': {advice}{f' ({hint})' if hint else ''}")


def some(names: list[str]) -> str:
    """Return the first three names, separated by commas, for an error message."""
    return f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''}"


def first_line(error: BaseException) -> str:
    """Return the first line of another library's error message, or the name of the error's class if it is empty."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
