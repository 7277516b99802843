"""`ccsr-bench new-method`: write the skeleton of a method."""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

from ccsr_bench.cli.console import EXIT_DONE

EXAMPLES = """\
  ccsr-bench new-method mine
  ccsr-bench new-method theirs --isolated
docs/how-to/add-method.md describes the next steps.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("name", metavar="NAME", help="name of the method and of its folder")
    parser.add_argument(
        "--isolated", action="store_true", help="run official code in an environment and a process of its own"
    )
    parser.add_argument(
        "--methods-dir",
        type=Path,
        default=Path("my_methods"),
        metavar="DIR",
        help="folder of your own methods (default: %(default)s)",
    )


def execute(options: argparse.Namespace) -> int:
    """Write the skeleton of a method."""
    from ccsr_bench.cli.console import echo
    from ccsr_bench.methods.skeleton import write_skeleton
    from ccsr_bench.places import check_name

    check_name("name", options.name)
    python = ".".join(platform.python_version_tuple()[:2])
    for path in write_skeleton(options.methods_dir, options.name, isolated=options.isolated, python=python):
        echo(str(path))
    own = f"--methods-dir {options.methods_dir}"
    if options.isolated:
        echo(f"next: ccsr-bench prepare --method {options.name} {own}")
    echo(f"next: ccsr-bench test-method {options.name} {own}")
    echo(f"then: ccsr-bench run --method {options.name} --dataset sample {own}")
    return EXIT_DONE
