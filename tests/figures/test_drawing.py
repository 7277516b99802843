"""The files of figures: vector text in embedded fonts, the same bytes every time, the requested size."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ccsr_bench.figures import drawing
from ccsr_bench.figures.heat_map import draw_heat_maps
from ccsr_bench.figures.pictures import Group, HeatMap, Picture, Strip
from ccsr_bench.figures.plots import draw_lines, draw_scatter
from ccsr_bench.figures.regions import Region
from ccsr_bench.figures.run_lines import Line, Lines
from ccsr_bench.figures.strip import draw_strip
from ccsr_bench.images import decode, read_bytes
from ccsr_bench.plots.measures import Axis, Estimate
from ccsr_bench.plots.points import Point, Scatter
from ccsr_bench.statistics.bootstrap import Interval
from ccsr_bench.statistics.run_counts import RunCount
from tests.support.pictures import picture

pytest.importorskip("matplotlib", reason="needs the extra `figures`")

METHODS = ["Bicubic", "A method of a rather long name", "$x_1$ & co", *(f"Method {index}" for index in range(9))]


def scatter(methods: list[str], *, logarithmic: bool = False) -> Scatter:
    """Return a plot of methods on a diagonal."""
    points = [
        Point(place, title, Estimate(2.0 + place, Interval(1.5 + place, 3.0 + place)), Estimate(0.5 + place))
        for place, title in enumerate(methods)
    ]
    x = Axis("LPIPS", higher_is_better=False, logarithmic=logarithmic)
    return Scatter(x, Axis("MUSIQ", higher_is_better=True), points, [])


def xy(drawn: Any) -> list[list[float]]:
    """Return the points of a line, a segment or a path."""
    points: list[list[float]] = np.asarray(drawn).tolist()
    return points


def bottom(axes: Any) -> float:
    """Return the lower edge of axes with their labels, in pixels."""
    return float(axes.get_tightbbox().y0)


def pdf_streams(data: bytes) -> bytes:
    """Return the unpacked streams of a PDF that hold drawing commands or maps of characters."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    return b"\n".join(zlib.decompress(stream) for stream in streams if stream[:1] == b"\x78")


def test_pdf_has_embedded_truetype_fonts_and_vector_text(tmp_path: Path) -> None:
    with drawing.style():
        drawing.save(draw_scatter(scatter(METHODS[:3]), 3.5), tmp_path / "a.pdf")
    data = read_bytes(tmp_path / "a.pdf")
    assert b"/FontFile2" in data  # an embedded TrueType font
    assert b"/Type3" not in data
    assert b"CreationDate" not in data
    assert b"/Subtype /Image" not in data
    assert b"DejaVuSans" in data
    assert b"Tj" in pdf_streams(data) or b"TJ" in pdf_streams(data)
    width = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", data)
    assert width is not None
    assert float(width[1]) == pytest.approx(3.5 * 72)


def test_pictures_in_a_pdf_keep_their_pixels(tmp_path: Path) -> None:
    """A reader who takes the image out of the PDF has the pixels that were scored."""
    pixels = picture(5, size=48)
    groups = [Group("", [Picture("LR", pixels[::-1]), Picture("HR", pixels)])]
    with drawing.style():
        figure = draw_strip(Strip("a", pixels[::4, ::4], 4, Region(0, 0, 48), groups), 7.16)
        drawing.save(figure, tmp_path / "a.pdf")
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", read_bytes(tmp_path / "a.pdf"), re.DOTALL)
    rows = 48 * (1 + 48 * 3)  # each after its PNG filter
    held = [as_png(stream, 48) for stream in packed if len(zlib.decompressobj().decompress(stream)) == rows]
    assert len(held) == 2
    images = {decode(png, "a.png").tobytes() for png in held}
    assert images == {pixels.tobytes(), pixels[::-1].tobytes()}


def as_png(rows: bytes, side: int) -> bytes:
    """Return a PNG of a PDF's packed rows, which are those of a PNG."""
    header = side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    chunks = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    parts = [
        len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big") for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("suffix", [".pdf", ".png"])
def test_same_figure_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    written = []
    for name in "ab":
        with drawing.style():
            drawing.save(draw_scatter(scatter(METHODS), 3.5), tmp_path / f"{name}{suffix}")
        written.append(read_bytes(tmp_path / f"{name}{suffix}"))
    assert written[0] == written[1]


def test_the_users_own_style_changes_nothing(tmp_path: Path) -> None:
    import matplotlib as mpl

    with drawing.style():
        drawing.save(draw_scatter(scatter(METHODS), 3.5), tmp_path / "a.png")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 10}):
        with drawing.style():
            drawing.save(draw_scatter(scatter(METHODS), 3.5), tmp_path / "b.png")
        assert mpl.rcParams["font.size"] == 30
    assert read_bytes(tmp_path / "a.png") == read_bytes(tmp_path / "b.png")


@pytest.mark.parametrize("width", [3.5, 7.16])
@pytest.mark.parametrize("count", [1, 3, 12])
def test_legend_names_every_method_and_fits_in_the_width(width: float, count: int) -> None:
    with drawing.style():
        figure = draw_scatter(scatter(METHODS[:count]), width)
        figure.draw_without_rendering()
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == METHODS[:count]
        assert legend.get_window_extent().width <= figure.bbox.width
        assert legend.get_window_extent().y1 <= bottom(figure.axes[0])
    assert figure.get_size_inches()[0] == width


def test_arrows_point_to_the_better_side() -> None:
    with drawing.style():
        (axes,) = draw_scatter(scatter(METHODS[:2]), 3.5).axes
    assert axes.get_xlabel() == "← better   LPIPS"
    assert axes.get_ylabel() == "MUSIQ   better →"


def test_points_and_intervals_are_drawn_where_they_are() -> None:
    with drawing.style():
        (axes,) = draw_scatter(scatter(METHODS[:2]), 3.5).axes
    drawn = {line.get_label(): xy(line.get_xydata()) for line in axes.get_lines() if line.get_marker() != "None"}
    assert drawn == {METHODS[0]: [[2.0, 0.5]], METHODS[1]: [[3.0, 1.5]]}
    collections: list[Any] = list(axes.collections)
    bars = [xy(segment) for collection in collections for segment in collection.get_segments()]
    assert bars == [[[1.5, 0.5], [3.0, 0.5]], [[2.5, 1.5], [4.0, 1.5]]]


@pytest.mark.parametrize(("seconds", "numbers"), [((0.3, 0.8), 2), ((0.002, 90.0), 4)])
def test_logarithmic_axis_has_numbers_to_read_it_by(seconds: tuple[float, float], numbers: int) -> None:
    points = [Point(place, "M", Estimate(x), Estimate(1.0)) for place, x in enumerate(seconds)]
    with drawing.style():
        figure = draw_scatter(scatter([], logarithmic=True)._replace(points=points), 3.5)
        figure.draw_without_rendering()
        axis = figure.axes[0]
        low, high = axis.get_xlim()
        shown = [text for text, at in zip(axis.get_xticklabels(), axis.get_xticks(), strict=True) if low <= at <= high]
    assert numbers <= len(shown) <= 8
    assert all(float(text.get_text()) > 0 for text in shown)


def test_methods_differ_in_colour_and_marker() -> None:
    with drawing.style():
        (axes,) = draw_scatter(scatter([f"M{index}" for index in range(70)]), 7.16).axes
    looks = {(line.get_color(), line.get_marker()) for line in axes.get_lines() if line.get_marker() != "None"}
    assert len(looks) == 70


def test_lines_are_drawn_with_their_bands() -> None:
    counts = [RunCount(runs, runs / 10, Interval(runs / 20, runs / 5)) for runs in (2, 3, 4)]
    axis = Axis("G-STD of PSNR (dB)", higher_is_better=False)
    with drawing.style():
        (axes,) = draw_lines(Lines(axis, [Line(1, "M", counts)], []), 3.5).axes
    (line,) = axes.get_lines()
    assert xy(line.get_xydata()) == [[2, 0.2], [3, 0.3], [4, 0.4]]
    corners = {tuple(corner) for corner in xy(axes.collections[0].get_paths()[0].vertices)}
    assert {(2.0, 0.1), (4.0, 0.2), (4.0, 0.8), (2.0, 0.4)} <= corners


def test_nothing_of_a_strip_or_of_heat_maps_reaches_out_of_the_figure() -> None:
    shown = [Picture("best 27.61 dB", picture(0)), Picture("worst 25.10 dB", picture(1))]
    maps = [HeatMap("M", np.full((48, 64), level / 255)) for level in (1.0, 2.0, 3.0, 4.0, 5.0)]
    with drawing.style():
        for width in (3.5, 7.16):
            for groups in (2, 3, 8):
                what = Strip("a", picture(2, size=16), 4, Region(0, 0, 32), [Group("Method", shown)] * groups)
                check_inside(draw_strip(what, width))
            check_inside(draw_heat_maps(maps, width))
            check_inside(draw_heat_maps(maps[:1], width))


def test_long_texts_of_strips_and_heat_maps_are_no_wider_than_their_pictures() -> None:
    title = "A method of a rather long name (same seed)"
    what = Strip(title, picture(2, size=16), 4, Region(0, 0, 32), [Group(title, [Picture(title, picture(0))])] * 6)
    with drawing.style():
        for figure in (draw_strip(what, 7.16), draw_heat_maps([HeatMap(title, np.full((48, 64), 0.1))] * 4, 3.5)):
            figure.set_dpi(300)  # as it is saved
            check_inside(figure)
            widest = max(axes.get_window_extent().width for axes in figure.axes)
            assert all(text.get_window_extent().width <= widest + 1 for text in figure.texts)


@pytest.mark.filterwarnings("error")
def test_characters_that_the_font_lacks_are_printed_as_numbers(tmp_path: Path) -> None:
    what = Strip("中é", picture(2, size=16), 4, Region(0, 0, 32), [Group("中é", [Picture("LR", picture(0))])])
    with drawing.style():
        strip, plot = draw_strip(what, 7.16), draw_scatter(scatter(["中é"]), 3.5)
        drawing.save(strip, tmp_path / "strip.pdf")
        drawing.save(plot, tmp_path / "plot.pdf")
    assert [text.get_text() for text in strip.texts] == ["U+4E2Dé", "LR", "U+4E2Dé"]
    assert [text.get_text() for text in plot.legends[0].get_texts()] == ["U+4E2Dé"]


def check_inside(figure: object) -> None:
    """Assert that all axes and texts are inside, and that no axes overlap."""
    from matplotlib.figure import Figure

    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    boxes = [axes.get_window_extent() for axes in figure.axes]
    for box in [*boxes, *(text.get_window_extent() for text in figure.texts)]:
        assert box.x0 >= -0.5
        assert box.y0 >= -0.5
        assert box.x1 <= figure.bbox.width + 0.5
        assert box.y1 <= figure.bbox.height + 0.5
    for index, first in enumerate(boxes):
        for second in boxes[index + 1 :]:
            assert min(first.x1, second.x1) <= max(first.x0, second.x0) + 0.5 or (
                min(first.y1, second.y1) <= max(first.y0, second.y0) + 0.5
            )
