"""`ccsr-bench new-method`: write the skeleton of a method."""

from __future__ import annotations

import argparse
import platform
import shlex
from pathlib import Path

from ccsr_bench.cli.console import EXIT_DONE, echo

EXAMPLES = """\
  ccsr-bench new-method mine
  ccsr-bench new-method theirs --isolated
  ccsr-bench new-method trained --spandrel my/weights/model.pth
docs/how-to/add-method.md describes the next steps.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("name", metavar="NAME", help="name of the method and of its folder")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--isolated", action="store_true", help="run official code in an environment and a process of its own"
    )
    kind.add_argument(
        "--spandrel",
        type=Path,
        metavar="FILE",
        help="describe a network that spandrel loads; its checkpoint says which network it is",
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
    from ccsr_bench.places import check_name

    check_name("name", options.name)
    if options.spandrel is not None:
        _describe_network(options)
    else:
        _write_code(options)
    return EXIT_DONE


def _write_code(options: argparse.Namespace) -> None:
    from ccsr_bench.methods.skeleton import write_skeleton

    python = ".".join(platform.python_version_tuple()[:2])
    for path in write_skeleton(options.methods_dir, options.name, isolated=options.isolated, python=python):
        echo(str(path))
    own = f"{options.name} --methods-dir {shlex.quote(str(options.methods_dir))}"
    if options.isolated:
        echo(f"next: ccsr-bench prepare --method {own}")
    echo(f"next: ccsr-bench test-method {own}")
    echo(f"then: ccsr-bench run --dataset sample --method {own}")


def _describe_network(options: argparse.Namespace) -> None:
    from ccsr_bench.methods.skeleton import write_spandrel_method

    paths, scale = write_spandrel_method(options.methods_dir, options.name, options.spandrel)
    for path in paths:
        echo(str(path))
    own = f"{options.name} --methods-dir {shlex.quote(str(options.methods_dir))}"
    echo(f"next: ccsr-bench prepare --method {own} --from {shlex.quote(str(options.spandrel.parent))}")
    echo(f"next: ccsr-bench test-method {own} --size 32")
    dataset = "sample" if scale == 4 else "DATASET"
    echo(f"then: ccsr-bench run --dataset {dataset} --method {own}")
    if scale != 4:
        echo(f"DATASET is a manifest of your own with scale = {scale}: see docs/how-to/add-dataset.md")
