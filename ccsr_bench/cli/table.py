"""`ccsr-bench table`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE
from ccsr_bench.errors import BenchError

if TYPE_CHECKING:
    from ccsr_bench.paper.audit import Contradiction
    from ccsr_bench.tables.request import Request

EXAMPLES = """\
  ccsr-bench table
  ccsr-bench table --dataset RealSR --sort lpips --metrics psnr lpips l-std --mark best
  ccsr-bench table --layout paper-iv --paper beside --format html > table.html
  ccsr-bench table --layout paper-iv --paper only --format latex > table.tex && pdflatex table.tex
  ccsr-bench table --audit                           # where the paper's tables contradict each other
latex is a document that compiles as it is, latex-table only the table, for \\input in a paper.
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
    parser.add_argument("--intervals", action="store_true", help="show 95 %% intervals, also FID's (takes seconds)")
    parser.add_argument(
        "--mark", choices=["none", "best", "significant"],
        help="mark best and second best of each column, or only those significantly better than the next "
        "(default: best in LaTeX and HTML, none in Markdown and CSV)",
    )  # fmt: skip
    parser.add_argument(
        "--paper", nargs="?", choices=["rows", "beside", "only"], const="rows", default="no",
        help="the CCSR paper's numbers: as rows below yours, beside yours in every cell with the difference, or alone",
    )  # fmt: skip
    parser.add_argument("--format", choices=_FORMATS, default="md", help="default: %(default)s")
    shared.add_json(parser, "numbers and notes")
    parser.add_argument(
        "--audit", action="store_true", help="instead of a table, list what the paper's tables contradict"
    )


def _add_choice(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("rows and columns")
    group.add_argument(
        "--layout", choices=_LAYOUTS, default="free",
        help="methods, metrics and data sets of one of the paper's Tables I-VII, as one table (default: %(default)s)",
    )  # fmt: skip
    shared.add_choice(group)
    group.add_argument(
        "--metrics", nargs="+", action="extend", default=[], metavar="X",
        help="only these columns, in this order: metrics, l-std; steps, seconds and parameters in paper-vii",
    )  # fmt: skip
    group.add_argument("--sort", default="", metavar="X", help="sort rows by this column, best first")


def execute(options: argparse.Namespace) -> int:
    """Print tables, or the audit."""
    import sys

    if options.audit:
        if options.format != "md" or options.layout != "free":
            raise BenchError("--audit prints what the paper's tables contradict: leave out --format and --layout")
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
        methods=options.method,
        datasets=options.dataset,
        metrics=options.metrics,
        runs=options.runs,
        sort=options.sort,
        paper=options.paper,
        marking=options.mark or ("best" if coloured else "none"),
        intervals=options.intervals,
    )


def _audit(options: argparse.Namespace) -> int:
    """Print what the paper's tables contradict, and which of it is known."""
    from dataclasses import asdict

    from ccsr_bench.cli.console import echo_json
    from ccsr_bench.paper.audit import RULES, audit, read_errata

    findings = audit()
    if options.json:
        errata = read_errata()
        out_of_reach = {name: erratum.not_in_the_numbers for name, erratum in errata.items() if not erratum.findings}
        echo_json({"findings": [asdict(finding) for finding in findings], "rules": RULES, "not found": out_of_reach})
    else:
        _show_audit(findings)
    return EXIT_DONE


def _show_audit(findings: list[Contradiction]) -> None:
    from ccsr_bench.cli.console import columns, echo
    from ccsr_bench.paper.audit import RULES, read_errata

    for rule, meaning in RULES.items():
        found = [finding for finding in findings if finding.rule == rule]
        echo(f"{rule}: {meaning}")
        columns([["  ", finding.about, finding.known or "not in the list", finding.says] for finding in found])
        echo()
    own = sum(not finding.known for finding in findings)
    echo(f"{len(findings)} findings, {own} of them not in the list of known errata (results/paper/errata.toml):")
    for name, erratum in read_errata().items():
        echo(f"- {name}: {erratum.text}")
        if not erratum.findings:
            echo(f"  Not found: {erratum.not_in_the_numbers}.")
