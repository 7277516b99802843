"""Measure what tiles change in the outputs of an RRDB network such as Real-ESRGAN's, and what memory they save.

    python benchmarks/tiling.py overlaps WEIGHTS LR --images 8 --tile 64 --side 128
    python benchmarks/tiling.py memory WEIGHTS LR --side 512

WEIGHTS is a checkpoint that spandrel loads, LR a folder of images, which are mirrored to the sides that are asked for.
`overlaps` compares the tiled outputs of some images, spread over the folder, with the untiled ones in 8-bit grey
levels, for several overlaps. `memory` measures the peak memory of the first image, restored as a whole and in tiles,
each in a process of its own; it needs Linux.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from ccsr_bench.devices.memory import keep_freed_memory
from ccsr_bench.images import read_image
from ccsr_bench.methods.base import Execution
from ccsr_bench.methods.spandrel_models import SpandrelModel

OVERLAPS = (0, 4, 8, 10, 16, 24, 32, 48, 64, 96)
AWAY = 16
"""Distance in LR pixels from which on a pixel counts as away from seams."""
MEMORY_TILES = (0, 256, 128)


def read_mirrored(path: Path, side: int) -> np.ndarray:
    """Return an image of some side, (side, side, 3) uint8 RGB, mirrored below and to the right where it is smaller."""
    image = read_image(path)
    added = [(0, max(side - length, 0)) for length in image.shape[:2]]
    return np.pad(image, [*added, (0, 0)], mode="symmetric")[:side, :side]


def load(weights: Path, **sizes: int) -> SpandrelModel:
    """Return the network with tiles of some size."""
    return SpandrelModel(
        architecture="ESRGAN",
        file=weights.name,
        weights={"network": weights.parent},
        execution=Execution(),
        **sizes,
    )


def near_seams(side: int, tile: int) -> np.ndarray:
    """Return which pixels along a side of the output are near a seam, (4 * side,) bool."""
    centres = (np.arange(4 * side) + 0.5) / 4
    seams = np.arange(tile, side, tile)
    return np.asarray((np.abs(centres[:, None] - seams) < AWAY).any(axis=1))


def compare_overlaps(weights: Path, images: list[Path], *, side: int, tile: int) -> None:
    """Print a row of differences for every overlap."""
    whole = load(weights)
    # A tile with a larger overlap would see the whole image.
    overlaps = [overlap for overlap in OVERLAPS if tile + overlap < side]
    tiled = {overlap: load(weights, tile=tile, tile_overlap=overlap) for overlap in overlaps}
    differences: dict[int, list[np.ndarray]] = {overlap: [] for overlap in overlaps}
    near = near_seams(side, tile)
    away = ~(near[:, None] | near)
    for path in images:
        lr = read_mirrored(path, side)
        expected = whole.restore(lr, [0])[0].astype(int)
        for overlap, method in tiled.items():
            differences[overlap].append(np.abs(method.restore(lr, [0])[0] - expected).max(-1))
        sys.stderr.write(f"{path.name}\n")
    print("| overlap | mean | more than 1 level | largest | largest, away from seams |")
    print("|---|---|---|---|---|")
    for overlap, maps in differences.items():
        pixels = np.concatenate([difference.ravel() for difference in maps])
        inner = max(difference[away].max() for difference in maps)
        print(f"| {overlap} | {pixels.mean():.4f} | {(pixels > 1).mean():.3%} | {pixels.max()} | {inner} |", flush=True)


def restore_large(weights: Path, lr: Path, *, side: int, tile: int) -> None:
    """Restore one large image in this process."""
    keep_freed_memory()  # as the command line does
    load(weights, tile=tile).restore(read_mirrored(lr, side), [0])


def compare_memory(weights: Path, lr: Path, *, side: int) -> None:
    """Print the seconds and the peak memory for every size of tile."""
    print("| tile | seconds | peak MiB |")
    print("|---|---|---|")
    for tile in MEMORY_TILES:
        if tile >= side:
            continue
        command = [sys.executable, __file__, "restore", str(weights), str(lr), "--side", str(side), "--tile", str(tile)]
        started = time.perf_counter()
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"tile {tile}: exit code {process.returncode}")
        print(f"| {tile} | {time.perf_counter() - started:.0f} | {usage.ru_maxrss / 1024:.0f} |", flush=True)


def main() -> None:
    """Measure what is asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["overlaps", "memory", "restore"], help="restore: one process of `memory`")
    parser.add_argument("weights", type=Path)
    parser.add_argument("lr", type=Path)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--tile", type=int, default=64)
    parser.add_argument("--side", type=int, default=128)
    options = parser.parse_args()
    if options.what == "restore":
        restore_large(options.weights, options.lr, side=options.side, tile=options.tile)
        return
    images = sorted(options.lr.glob("*.png"))
    if options.what == "memory":
        compare_memory(options.weights, images[0], side=options.side)
        return
    spread = [images[index * len(images) // options.images] for index in range(options.images)]
    compare_overlaps(options.weights, spread, side=options.side, tile=options.tile)


if __name__ == "__main__":
    main()
