"""`ccsr-bench merge`: merge folders of results."""

from __future__ import annotations

import argparse
from pathlib import Path

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE

EXAMPLES = """\
  ccsr-bench run --method bicubic-dither --dataset RealSR --shard 0/2 --out shard-0     (on one machine)
  ccsr-bench run --method bicubic-dither --dataset RealSR --shard 1/2 --out shard-1     (on another machine)
  ccsr-bench merge shard-0 shard-1 --out results
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("sources", nargs="+", type=Path, metavar="DIR", help="folders of results to merge")
    shared.add_out(parser)


def execute(options: argparse.Namespace) -> int:
    """Merge folders of results."""
    from ccsr_bench.cli.console import echo
    from ccsr_bench.ledger.merge import merge_folders

    for folder in merge_folders(options.sources, options.out):
        echo(f"merged into {folder}")
    return EXIT_DONE
