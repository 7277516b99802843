"""Errors of the library name Python arguments; the command line shows them as its own options."""

from __future__ import annotations

import argparse
import re

_ARGUMENT = re.compile(r"(?<!field )`([a-z_]+)`")  # an unknown field `name` is one of a manifest
_SINGULARS = ("method", "dataset", "metric")
"""Arguments that some functions of the library take as one name and others as several: ``method`` and ``methods``."""


def with_options(message: str, parser: argparse.ArgumentParser | None) -> str:
    """Replace the arguments that an error names, such as `` `out` ``, by the options of a verb that set them.

    Args:
        message: Error message with the names of arguments in backticks.
        parser: Parser of the verb; the message is returned unchanged when None.
    """
    options = _options(parser) if parser is not None else {}
    for name in _SINGULARS:
        for known, other in ((name, f"{name}s"), (f"{name}s", name)):
            if known in options:
                options.setdefault(other, options[known])
    return _ARGUMENT.sub(lambda match: options.get(match[1], match[0]), message)


def _options(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return argument -> the option of a verb that sets it, or the metavar of a positional argument."""
    options: dict[str, str] = {}
    for action in parser._actions:  # argparse has no public list of them
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                options |= _options(subparser)
            continue
        positional = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        options[action.dest] = max(action.option_strings, key=len, default=positional)
    return options
