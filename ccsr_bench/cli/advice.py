"""Errors of the library name Python arguments; the command line shows them as its own options."""

from __future__ import annotations

import argparse
import re

_ARGUMENT = re.compile(r"`([a-z_]+)`")


def with_options(message: str, parser: argparse.ArgumentParser | None) -> str:
    """Replace the arguments that an error names, such as `` `out` ``, by the options of a verb that set them.

    Args:
        message: The error; arguments stand in backticks.
        parser: The verb's parser; nothing is replaced when None.
    """
    options = _options(parser) if parser is not None else {}
    return _ARGUMENT.sub(lambda match: options.get(match[1], match[0]), message)


def _options(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return the options of a verb by the name of the argument that they set; positional ones by their metavar."""
    found: dict[str, str] = {}
    for action in parser._actions:  # argparse has no public list of them
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                found |= _options(below)
            continue
        positional = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        found[action.dest] = max(action.option_strings, key=len, default=positional)
    return found
