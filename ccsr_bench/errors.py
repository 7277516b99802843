"""The errors that end in one line for the user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """Something the user can put right; the message says what is wrong, where, and what to do next.

    The command line prints the message as one line and exits with 2. Nothing already recorded is lost.
    """


class NotInstalledError(BenchError):
    """A data set, or part of it, is not on this machine; `prepare` installs it."""


class MetricUnavailableError(BenchError):
    """A metric cannot be computed here: its package or its weights are missing.

    A metric that was asked for by name makes this an error; one of a protocol's defaults is skipped with the reason.
    """


def unknown_name(kind: str, name: str, known: Iterable[str], *, hint: str = "") -> BenchError:
    """Return the error for a name that does not exist, with the nearest names that do.

    Args:
        kind: What the name should have been, for example ``"method"``.
        name: The name as given.
        known: Every name that would have been right.
        hint: What to do when none of the known names is meant.
    """
    names = {known_name.lower(): known_name for known_name in sorted(known)}
    near = [names[match] for match in difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)]
    advice = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names.values()) or 'none'}"
    return BenchError(f"unknown {kind} '{name}': {advice}{f' ({hint})' if hint else ''}")


def some(names: list[str]) -> str:
    """Return the first three of many names, for an error message."""
    return f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''}"


def first_line(error: BaseException) -> str:
    """Return the first line of another library's message, or the error's kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
