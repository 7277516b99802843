"""Draws the figures of the documentation.

python docs/figures/paper_figures.py RESULTS        # docs/how-to/figures.md: of its first command, with NIQE added
python docs/figures/paper_figures.py RESULTS demo   # README.md: of `make demo`
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from ccsr_bench.cli import main

DEMO = ["--image", "chelsea", "--crop", "40,36,64", "--method", "bicubic", "real-esrgan-ncnn", "bicubic-dither"]
KINDS = {
    "strip": ["--image", "chelsea"],
    "heat-map": ["--image", "chelsea", "--method", "texture-weak", "texture-strong", "--width", "3.5"],
    "perception-distortion": ["--metrics", "psnr", "niqe"],
    "quality-stability": [],
    "cost": [],
    "runs": [],
}
WIDEST = 1200
"""Largest width of a picture in pixels; wider ones are made smaller."""


def draw(name: str, kind: str, options: list[str], results: str) -> None:
    """Draw a figure into a file beside this script, in 256 colours, which keep photographs small."""
    path = Path(__file__).with_name(f"{name}.png")
    if main(["figure", kind, *options, "--out", results, "--to", str(path)]) != 0:
        raise SystemExit(2)
    picture = Image.open(path).convert("RGB")
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    if sys.argv[2:] == ["demo"]:
        draw("demo", "strip", DEMO, sys.argv[1])
    else:
        for figure, arguments in KINDS.items():
            draw(figure, figure, arguments, sys.argv[1])
