"""Measure the build time, the size, and the speed in a browser of a report of 100 images x 5 methods x 10 runs.

    pip install playwright                      # and a Chromium on the path
    python -m benchmarks.report                 # --images, --methods and --runs change the numbers

The results are synthetic: a few pictures under many names, and random scores.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.html_report.build import build_report
from ccsr_bench.images import write_png
from ccsr_bench.ledger.records import Description, Identity, Output, UnitRecord
from ccsr_bench.ledger.writer import LedgerWriter
from ccsr_bench.metrics.catalogue import METRICS

SIDE = 512
PICTURES = 12
"""Number of different pictures, to which all outputs are links."""

SCORED = [name for name, info in METRICS.items() if info.kind != "distribution" and info.default]


def make_pictures(folder: Path) -> list[tuple[Path, str]]:
    """Write noisy pictures of about 450 kB, and return each file and its sha256."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    made = []
    for index in range(PICTURES):
        smooth = 128 + 60 * np.sin(9 * x + index)[..., None] * np.cos(7 * y + np.arange(3)[:, None, None]).transpose(
            1, 2, 0
        )
        pixels = np.clip(np.rint(smooth + generator.normal(0, 6, (SIDE, SIDE, 3))), 0, 255).astype(np.uint8)
        path = folder / f"{index}.png"
        made.append((path, write_png(path, pixels)))
        write_png(folder / f"{index}-lr.png", np.ascontiguousarray(pixels[::4, ::4]))
    return made


def make_results(folder: Path, images: int, methods: int, runs: int) -> datasets.Dataset:
    """Write ledgers and outputs, and return their data set."""
    (folder / "pictures").mkdir()
    pictures = make_pictures(folder / "pictures")
    for part in ("lr", "hr"):
        (folder / part).mkdir()
    for index in range(images):
        source = pictures[index % PICTURES][0]
        os.link(source, folder / "hr" / f"image{index:03d}.png")
        os.link(source.with_name(f"{source.stem}-lr.png"), folder / "lr" / f"image{index:03d}.png")
    dataset = datasets.from_folders(folder / "lr", folder / "hr", name="synthetic")
    hashes = {index: dataset.samples[index].read().pixels_sha256() for index in range(min(images, PICTURES))}
    generator = np.random.default_rng(1)
    definitions = {name: name for name in (*SCORED, "l-std")}
    for method in range(methods):
        ledger_folder = folder / "out" / "synthetic" / f"method-{method}"
        identity = Identity(dataset="synthetic", method=f"method-{method}", made_by="", protocol="paper", base_seed=0)
        description = Description(title=f"Method {method}", paper_dataset="", dataset_images=images)
        with LedgerWriter(ledger_folder, identity, description, definitions) as ledger:
            ledger.begin_session({})
            for index, sample in enumerate(dataset.samples):
                outputs = {}
                for run in range(runs):
                    path, sha256 = pictures[(index + method + run) % PICTURES]
                    target = ledger.image_path(sample.name, run)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    os.link(path, target)
                    outputs[run] = Output(
                        seed=run, png_sha256=sha256, seconds=float(generator.uniform(1, 2) * 3**method)
                    )
                scores = {name: dict(enumerate(generator.normal(20 + method, 1, runs).tolist())) for name in SCORED}
                files = hashlib.sha256(sample.name.encode()).hexdigest()
                record = UnitRecord(sample.name, hashes[index % PICTURES], files, outputs, scores, {runs: 0.02})
                ledger.add(record, "")
    return dataset


def measure_in_browser(page_file: Path, rounds: int = 5) -> None:
    """Open the page and use it; print the median of each time."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        sys.exit("Chromium is not installed")
    times: dict[str, list[float]] = {}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(rounds):
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            started = time.perf_counter()
            page.goto(page_file.as_uri(), wait_until="load")
            page.evaluate(_PAINTED)
            times.setdefault("open: from the address to all visible thumbnails", []).append(
                time.perf_counter() - started
            )
            page.get_by_label("Sort by").select_option("disagreement")
            for what, script in _STEPS.items():
                times.setdefault(what, []).append(float(page.evaluate(script)) / 1000)
            page.context.close()
        browser.close()
    for what, seconds in times.items():
        print(f"{what}: {np.median(seconds):.3f} s (maximum {max(seconds):.3f})")


_PAINTED = """async () => {
    const seen = [...document.images].filter((image) =>
        image.checkVisibility() && image.getBoundingClientRect().top < innerHeight);
    await Promise.all(seen.map((image) => image.decode()));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""

_FRAMES = """const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));"""

_STEPS = {
    "sort all images by another metric": f"""async () => {{ {_FRAMES}
        const select = [...document.querySelectorAll('select')].find((one) => one.labels[0].innerText === 'Metric');
        const started = performance.now();
        select.value = 'ssim'; select.dispatchEvent(new Event('change')); await frames();
        return performance.now() - started; }}""",
    "scroll through all images, longest frame": """async () => {
        let longest = 0, before = performance.now();
        for (let top = 0; top < document.documentElement.scrollHeight; top += 60) {
            window.scrollTo(0, top);
            await new Promise((done) => requestAnimationFrame(done));
            longest = Math.max(longest, performance.now() - before);
            before = performance.now();
        }
        return longest; }""",
    "open an image, until both pictures of the slider show": f"""async () => {{ {_FRAMES}
        const started = performance.now();
        location.hash = '#synthetic/7';
        while (!document.querySelector('.slider img[src]')) await frames();
        await Promise.all([...document.querySelectorAll('.slider img')].map((image) => image.decode()));
        await frames();
        return performance.now() - started; }}""",
    "move the divider, longest frame of 50": """async () => {
        const range = document.querySelector('.slider input');
        let longest = 0, before = performance.now();
        for (let step = 0; step < 50; step += 1) {
            range.value = 2 * step; range.dispatchEvent(new Event('input'));
            await new Promise((done) => requestAnimationFrame(done));
            longest = Math.max(longest, performance.now() - before);
            before = performance.now();
        }
        return longest; }""",
}


def main() -> None:
    """Build a report and measure it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("images", 100), ("methods", 5), ("runs", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        dataset = make_results(folder, options.images, options.methods, options.runs)
        started = time.perf_counter()
        built = build_report(
            folder / "out", folder / "report", find_dataset=lambda _: dataset, progress=lambda *_: None
        )
        print(f"build: {time.perf_counter() - started:.0f} s")
        print(f"size: {built.own_bytes / 1e6:.0f} MB, and {built.linked_bytes / 1e6:.0f} MB shared with the outputs")
        print(f"data.js: {(folder / 'report' / 'data.js').stat().st_size / 1e6:.2f} MB")
        measure_in_browser(built.page)


if __name__ == "__main__":
    main()
