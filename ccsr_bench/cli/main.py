"""Parsing the command line, and turning errors into one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from ccsr_bench.cli import console
from ccsr_bench.cli.advice import with_options
from ccsr_bench.cli.console import EXIT_BAD_USE, EXIT_DONE, EXIT_INTERRUPTED
from ccsr_bench.devices.threads import let_threads_sleep
from ccsr_bench.errors import BenchError, unknown_name

VERBS = {
    "run": "run methods on a data set, score every output, record everything",
    "caption": "caption the LR images of a data set, for methods that take captions",
    "score": "score images that were made elsewhere",
    "table": "print tables of recorded results",
    "report": "build a page with tables, plots and all images, to open in a browser",
    "stats": "test which methods differ, and whether the number of runs is sufficient",
    "figure": "draw a figure of recorded results for a paper, as PDF or PNG",
    "list": "list methods, data sets, metrics or protocols",
    "export": "write results to a file: a baseline to commit, or all scores as CSV or Parquet",
    "compare": "compare results with older results: which quantities got significantly worse",
    "prepare": "fetch, verify and install data sets, methods and weights of metrics",
    "verify": "compute published scores again and compare: of published images, or of methods",
    "merge": "merge folders of results, for example the shards of several machines",
    "profile": "measure what a method costs: seconds, parameters, memory",
    "new-method": "write the skeleton of your own method; it runs without changes",
    "test-method": "check that a method keeps the contract: seeds, order, sizes, steps, no network access",
    "doctor": "show what works here, what is missing, and how to install it",
}

_MODULES = {"test-method": "check_method"}
"""Verb -> name of its module, if the two differ: pytest would collect a module named `test_method` as a test."""

_EXAMPLES = """\
examples:
  ccsr-bench run --method bicubic bicubic-dither --dataset sample
  ccsr-bench table
  ccsr-bench score --images my_outputs --method mine --dataset RealSR

exit codes: 0 done; 1 a requested check failed; 2 the command could not be carried out;
3 done, but single images failed; 130 interrupted
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BenchError(f"{message} (see `{self.prog} --help`)")


def build_parser(verb: str | None) -> argparse.ArgumentParser:
    """Return the parser of the command line; only the module of the given verb is imported."""
    parser = _Parser(
        prog="ccsr-bench",
        description="Benchmark generative image super-resolution: quality, stability and cost.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    parser.set_defaults(parser=parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for name, summary in VERBS.items():
        sub = verbs.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        if name == verb:
            module = importlib.import_module(f"ccsr_bench.cli.{_MODULES.get(name, name.replace('-', '_'))}")
            sub.epilog = f"examples:\n{module.EXAMPLES}"
            module.add_arguments(sub)
            sub.set_defaults(execute=module.execute, parser=sub)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Arguments without the program's name; those of `sys.argv` when None.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    if debug:
        _show_debug_log()
    let_threads_sleep()
    try:
        return _dispatch(given)
    except BenchError as error:
        if debug:
            raise
        console.error(str(error))
        return EXIT_BAD_USE
    except KeyboardInterrupt:
        sys.stderr.write("ccsr-bench: interrupted; what is recorded is kept, and the same command continues\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader closed the pipe, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except OSError as error:
        if debug:
            raise
        sys.stderr.write(
            f"ccsr-bench: {error.filename or 'the output'}: {error.strerror or error}; correct this and try again\n"
        )
        return EXIT_BAD_USE
    except Exception as error:
        if debug:
            raise
        text = " ".join(f"{type(error).__name__}: {error}".split())
        sys.stderr.write(f"ccsr-bench: internal error: {text}; run it again with --debug and report what it prints\n")
        return EXIT_BAD_USE


def _show_debug_log() -> None:
    """Print the tracebacks of errors that are otherwise only recorded, such as the failure of a single image."""
    import logging

    logger = logging.getLogger("ccsr_bench")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(logging.StreamHandler())


def _dispatch(given: list[str]) -> int:
    verb = next((word for word in given if not word.startswith("-")), None)
    if verb is not None and verb not in VERBS:
        raise unknown_name("verb", verb, VERBS, hint="`ccsr-bench --help`")
    parser = build_parser(verb)
    options, unknown = parser.parse_known_args(given)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.version:
        from importlib.metadata import version

        sys.stdout.write(f"ccsr-bench {version('ccsr-bench')}\n")
        return EXIT_DONE
    if options.verb is None:
        parser.print_help()
        return EXIT_BAD_USE
    try:
        code = options.execute(options)
    except BenchError as error:
        error.args = (with_options(str(error), options.parser),)
        raise
    sys.stdout.flush()
    return int(code)
