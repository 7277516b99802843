"""`ccsr-bench figure`: draw a figure for a paper."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ccsr_bench.cli import options as shared
from ccsr_bench.cli.console import EXIT_DONE
from ccsr_bench.cli.options import resolve_dataset
from ccsr_bench.plots.preferences import DISTORTION, PERCEPTION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ccsr_bench.figures.regions import Region
    from ccsr_bench.ledger.results import Results

EXAMPLES = """\
  ccsr-bench figure strip --image coffee-cup --to strip.pdf strip.png
  ccsr-bench figure perception-distortion --dataset RealSR --metrics lpips clipiqa
  ccsr-bench figure runs --metric lpips
  ccsr-bench figure strip --help
The suffix of the file determines the format, PDF or PNG. Figures need the extra `figures`.
"""

COLUMN, PAGE = 3.5, 7.16  # inches: the width of one column of a two-column paper, and of both
SUFFIXES = (".pdf", ".png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a command for each kind of figure."""
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", title="kinds", required=True)
    for name, kind in _KINDS.items():
        sub = kinds.add_parser(name, help=kind.summary, description=f"{kind.summary[0].upper()}{kind.summary[1:]}.")
        sub.set_defaults(image=None, lr=None, hr=None)
        kind.add_arguments(sub)
        _add_shared(sub, kind.width)


def _add_shared(parser: argparse.ArgumentParser, width: float) -> None:
    shared.add_out(parser)
    parser.add_argument(
        "--method",
        dest="methods",
        nargs="+",
        action="extend",
        default=[],
        metavar="METHOD",
        help="methods to show, in this order (default: all)",
    )
    parser.add_argument(
        "--dataset", metavar="DATASET", help="data set to show; required if the folder has results on several"
    )
    shared.add_recorded_runs(parser)
    parser.add_argument(
        "--to",
        nargs="+",
        type=_figure_file,
        metavar="FILE",
        help="files to write, .pdf or .png (default: one PDF named after the kind and the data set or image)",
    )
    parser.add_argument(
        "--width",
        type=_inches,
        default=width,
        metavar="INCHES",
        help=f"width of the figure: {COLUMN} for one column of a paper, {PAGE} for two (default: %(default)s)",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def execute(options: argparse.Namespace) -> int:
    """Draw a figure."""
    from ccsr_bench.cli.console import echo, remark
    from ccsr_bench.figures import drawing
    from ccsr_bench.figures.selection import open_comparison

    drawing.check_library()
    named = resolve_dataset(options).name if options.lr or str(options.dataset).endswith(".toml") else options.dataset
    with (
        open_comparison(options.out, dataset=named, methods=options.methods, runs=options.runs) as results,
        drawing.style(),
    ):
        figure, remarks = _KINDS[options.kind].draw(results, options)
        about = options.image or results[0].identity.dataset
        for path in options.to or [Path(f"{options.kind}-{about}.pdf")]:
            drawing.save(figure, path)
            echo(str(path))
    for line in remarks:
        remark(line)
    return EXIT_DONE


Drawn = tuple["Figure", list[str]]


def _strip(results: list[Results], options: argparse.Namespace) -> Drawn:
    from ccsr_bench.figures.pictures import strip
    from ccsr_bench.figures.strip import draw_strip

    options.dataset = options.dataset or results[0].identity.dataset
    shown = strip(results, resolve_dataset(options), options.image, options.region)
    remarks = [] if options.region else [f"enlarged: --crop {','.join(map(str, shown.region))}"]
    return draw_strip(shown, options.width), remarks


def _heat_map(results: list[Results], options: argparse.Namespace) -> Drawn:
    from ccsr_bench.figures.heat_map import draw_heat_maps
    from ccsr_bench.figures.pictures import heat_maps

    maps, remarks = heat_maps(results, options.image)
    return draw_heat_maps(maps, options.width), remarks


def _perception_distortion(results: list[Results], options: argparse.Namespace) -> Drawn:
    from ccsr_bench.figures.plots import draw_scatter
    from ccsr_bench.figures.scatters import perception_distortion

    scatter = perception_distortion(results, *options.metrics)
    return draw_scatter(scatter, options.width), scatter.remarks


def _quality_stability(results: list[Results], options: argparse.Namespace) -> Drawn:
    from ccsr_bench.figures.plots import draw_scatter
    from ccsr_bench.figures.scatters import quality_stability

    scatter = quality_stability(results, options.metric, options.spread)
    return draw_scatter(scatter, options.width), scatter.remarks


def _cost(results: list[Results], options: argparse.Namespace) -> Drawn:
    from ccsr_bench.figures.plots import draw_scatter
    from ccsr_bench.figures.scatters import cost

    scatter = cost(results, options.metric)
    return draw_scatter(scatter, options.width), scatter.remarks


def _runs(results: list[Results], options: argparse.Namespace) -> Drawn:
    from ccsr_bench.figures.plots import draw_lines
    from ccsr_bench.figures.run_lines import g_std_lines

    lines = g_std_lines(results, options.metric)
    return draw_lines(lines, options.width), lines.remarks


def _add_image(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image", required=True, metavar="NAME", help="name of the image in the data set")


def _add_strip(parser: argparse.ArgumentParser) -> None:
    _add_image(parser)
    parser.add_argument(
        "--crop",
        dest="region",
        type=_region,
        metavar="X,Y,SIZE",
        help="square to enlarge, in HR pixels from the upper left corner (default: where outputs vary most over runs)",
    )
    parser.add_argument("--lr", type=Path, metavar="DIR", help="folder of the LR images, if `run` was given --lr")
    parser.add_argument("--hr", type=Path, metavar="DIR", help="folder of the HR images, if `run` was given --hr")


def _add_metric(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metric", default=DISTORTION[0], metavar="METRIC", help="metric to show (default: %(default)s)"
    )


def _add_metrics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metrics",
        nargs=2,
        default=[DISTORTION[0], PERCEPTION[0]],
        metavar=("X", "Y"),
        help=f"metrics on the x axis and on the y axis (default: {DISTORTION[0]} {PERCEPTION[0]})",
    )


def _add_spread(parser: argparse.ArgumentParser) -> None:
    _add_metric(parser)
    parser.add_argument(
        "--spread", choices=["g-std", "l-std"], default="g-std", help="measure of stability (default: %(default)s)"
    )


def _region(text: str) -> Region:
    from ccsr_bench.figures.regions import Region

    numbers = text.split(",")
    if len(numbers) != 3 or not all(number.isdecimal() for number in numbers) or not int(numbers[2]):
        raise argparse.ArgumentTypeError(f"'{text}' is not X,Y,SIZE in pixels, such as 64,32,128")
    return Region(*map(int, numbers))


def _figure_file(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in SUFFIXES:
        raise argparse.ArgumentTypeError(f"'{text}' does not end in {' or '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"'{path.parent}' is not a folder; make it first")
    return path


def _inches(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 2 <= value <= 20:
        raise argparse.ArgumentTypeError(f"'{text}' is not a width of 2 to 20 inches")
    return value


class _Kind(NamedTuple):
    """A kind of figure."""

    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    draw: Callable[[list[Results], argparse.Namespace], Drawn]
    """Function that returns the figure and the remarks that are printed with it."""
    width: float
    """Default width of the figure in inches."""


_KINDS = {
    "strip": _Kind("the LR and HR image, and each method's best and worst run, side by side", _add_strip, _strip, PAGE),
    "heat-map": _Kind("the standard deviation over runs at every pixel of an image", _add_image, _heat_map, PAGE),
    "perception-distortion": _Kind(
        "each method's means of two metrics, with their intervals", _add_metrics, _perception_distortion, COLUMN
    ),
    "quality-stability": _Kind(
        "each method's mean of a metric and its standard deviation over runs", _add_spread, _quality_stability, COLUMN
    ),
    "cost": _Kind("each method's mean of a metric and its recorded seconds per output", _add_metric, _cost, COLUMN),
    "runs": _Kind("G-STD by the number of runs, which shows whether N is enough", _add_metric, _runs, COLUMN),
}
