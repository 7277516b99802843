"""`ccsr-bench table`: print tables of recorded results."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE
from ccsr_bench.errors import BenchError, number_of

if TYPE_CHECKING:
    from ccsr_bench.paper.audit import Contradiction
    from ccsr_bench.paper.reproduced import Reproduced
    from ccsr_bench.tables.request import Request

EXAMPLES = """\
  ccsr-bench table
  ccsr-bench table --dataset RealSR --sort lpips --metrics psnr lpips l-std --mark best
  ccsr-bench table --layout paper-iv --paper beside --format html > table.html
  ccsr-bench table --paper beside --paper-row mine=Real-ESRGAN
  ccsr-bench table --layout paper-iv --paper only --format latex > table.tex && pdflatex table.tex
  ccsr-bench table --audit                           # the paper's contradictions, and its reproduced rows
The format latex is a complete document; latex-table is only the table, for \\input in a paper.
CSV and JSON have full precision and 95 % bootstrap intervals over images.
"""

_LAYOUTS = ("free", *(f"paper-{number}" for number in ("i", "ii", "iii", "iv", "v", "vi", "vii")))
_FORMATS = ("md", "latex", "latex-table", "html", "csv")
_COLOURED = ("latex", "latex-table", "html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    shared.add_out(parser)
    _add_choice(parser)
    shared.add_recorded_runs(parser)
    parser.add_argument("--intervals", action="store_true", help="show 95 %% intervals; that of FID takes seconds")
    parser.add_argument(
        "--mark",
        choices=["none", "best", "significant"],
        help="mark the best and second best of each column, or only those that are significantly better than the next "
        "(default: best in LaTeX and HTML, none in Markdown and CSV)",
    )
    parser.add_argument(
        "--paper",
        nargs="?",
        choices=["rows", "beside", "only"],
        const="rows",
        default="no",
        help="show the CCSR paper's numbers: in rows below yours (also if no value is given), beside yours in every "
        "cell with the difference, or alone",
    )
    parser.add_argument(
        "--paper-row",
        dest="paper_rows",
        nargs="+",
        action="extend",
        type=_paper_row,
        default=[],
        metavar="METHOD=ROW",
        help="pair a method with a row of the paper: with --paper beside that row's numbers, in a layout its place",
    )
    parser.add_argument("--format", choices=_FORMATS, default="md", help="format of the output (default: %(default)s)")
    shared.add_json(parser, "numbers and notes")
    parser.add_argument(
        "--audit",
        action="store_true",
        help="list the contradictions in the paper's tables, and its numbers that ccsr-bench has reproduced, instead "
        "of a table",
    )


def _add_choice(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("rows and columns")
    group.add_argument(
        "--layout",
        choices=_LAYOUTS,
        default="free",
        help="one table per data set, or one table with the methods, metrics and data sets of the paper's Tables I-VII "
        "(default: %(default)s)",
    )
    shared.add_choice(group)
    group.add_argument(
        "--metrics",
        nargs="+",
        action="extend",
        default=[],
        metavar="COLUMN",
        help="columns to show, in this order: metrics, l-std; in paper-vii steps, seconds, parameters (default: all)",
    )
    group.add_argument("--sort", default="", metavar="COLUMN", help="column to sort rows by, best first")


def _paper_row(text: str) -> tuple[str, str]:
    method, _, row = text.partition("=")
    if not (method and row):
        raise argparse.ArgumentTypeError(f"'{text}' is not METHOD=ROW, such as mine=Real-ESRGAN")
    return method, row


def execute(options: argparse.Namespace) -> int:
    """Print tables, or the audit."""
    import sys

    if options.audit:
        if options.format != "md" or options.layout != "free":
            raise BenchError("--audit prints a list and no table; leave out --format and --layout")
        return _audit(options)

    from ccsr_bench.tables.build import build
    from ccsr_bench.tables.render import FORMATS
    from ccsr_bench.tables.render.records import as_json

    tables = build(_request(options))
    sys.stdout.write(as_json(tables) if options.json else FORMATS[options.format](tables))
    return EXIT_DONE


def _request(options: argparse.Namespace) -> Request:
    from ccsr_bench.tables.request import Request

    coloured = options.format in _COLOURED and not options.json
    return Request(
        out=options.out,
        layout=options.layout,
        methods=options.methods,
        datasets=options.datasets,
        metrics=options.metrics,
        runs=options.runs,
        sort=options.sort,
        paper=options.paper,
        paper_rows=dict(options.paper_rows),
        marking=options.mark or ("best" if coloured else "none"),
        intervals=options.intervals,
    )


def _audit(options: argparse.Namespace) -> int:
    """Print the contradictions in the paper's tables, which of them are known, and what was reproduced."""
    from dataclasses import asdict

    from ccsr_bench.cli.console import echo, echo_json
    from ccsr_bench.paper.audit import RULES, audit, read_errata
    from ccsr_bench.paper.reproduced import reproduced

    contradictions, numbers = audit(), reproduced()
    if options.json:
        errata = read_errata()
        out_of_reach = {name: erratum.not_in_the_numbers for name, erratum in errata.items() if not erratum.findings}
        echo_json(
            {
                "findings": [asdict(item) for item in contradictions],
                "rules": RULES,
                "not found": out_of_reach,
                "reproduced": [asdict(number) for number in numbers],
            }
        )
    else:
        _show_audit(contradictions)
        echo()
        _show_reproduced(numbers)
    return EXIT_DONE


def _show_reproduced(numbers: list[Reproduced]) -> None:
    from ccsr_bench.cli.console import columns, echo
    from ccsr_bench.paper.reproduced import MEANING

    echo("Reproduced by ccsr-bench: the paper's rows that were computed again on all images (results/verified)")
    if not numbers:
        echo("  none: no verified row is of a method that the paper's tables have")
        return
    echo(MEANING)
    header = ["  ", "row", "table", "metric", "ours", "paper", "difference", "agrees to"]
    columns([header, *(["  ", *number.texts()] for number in numbers)])


def _show_audit(contradictions: list[Contradiction]) -> None:
    from ccsr_bench.cli.console import columns, echo
    from ccsr_bench.paper.audit import RULES, read_errata

    for rule, meaning in RULES.items():
        echo(f"{rule}: {meaning}")
        broken = [item for item in contradictions if item.rule == rule]
        columns([["  ", item.about, item.known or "not in the list", item.says] for item in broken])
        echo()
    unlisted = sum(not item.known for item in contradictions)
    echo(
        f"{number_of(len(contradictions), 'contradiction')}, {unlisted} of them not in the list of known errata "
        f"(results/paper/errata.toml):"
    )
    for name, erratum in read_errata().items():
        echo(f"- {name}: {erratum.text}")
        if not erratum.findings:
            echo(f"  Not found: {erratum.not_in_the_numbers}.")
