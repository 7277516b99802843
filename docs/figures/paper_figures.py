"""Draws the figures of docs/how-to/figures.md from the results of the first command there, with NIQE added.

python docs/figures/paper_figures.py RESULTS
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from ccsr_bench.cli import main

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


def draw(kind: str, results: str) -> None:
    """Draw a kind of figure into a file beside this script, in 256 colours, which keep photographs small."""
    path = Path(__file__).with_name(f"{kind}.png")
    if main(["figure", kind, *KINDS[kind], "--out", results, "--to", str(path)]) != 0:
        raise SystemExit(2)
    picture = Image.open(path).convert("RGB")
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    for name in KINDS:
        draw(name, sys.argv[1])
