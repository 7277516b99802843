"""Measure what the settings of Real-ESRGAN's official script change in its row on RealSR.

    ccsr-bench prepare --dataset RealSR --method real-esrgan-ncnn --metrics
    python benchmarks/real_esrgan_settings.py --out DIR [--limit N] [--threads N]

The network restores whole images, pads them by 10 pixels, and restores them in tiles. An interrupted call continues. At
about 10 s for each image and setting, 100 images take two hours on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import ccsr_bench
from ccsr_bench.devices.threads import let_threads_sleep
from ccsr_bench.places import shipped

METHOD = "real-esrgan-ncnn"
SETTINGS = {
    "pre-pad-10": "pre_padding = 10",
    "tile-64-pad-10": "tile = 64, tile_overlap = 10",
    "tile-64-pad-32": "tile = 64, tile_overlap = 32",
}
"""Name of a setting -> its parameters."""

VARIANT = """\
[variants.{method}-{name}]
title = "Real-ESRGAN, {parameters}"
parameters = {{ architecture = "ESRGAN", file = "RealESRGAN_x4plus.safetensors", {parameters} }}
weights = {{ network = "{method}" }}

"""


def write_variants(folder: Path) -> list[str]:
    """Write a family of methods with a variant for each setting, and return their names."""
    family = (shipped("methods") / "real-esrgan" / "method.toml").read_text(encoding="utf-8")
    before, _, after = family.partition("[variants.")
    weights = after[after.index("[weights.") :]
    variants = [VARIANT.format(method=METHOD, name=name, parameters=text) for name, text in SETTINGS.items()]
    (folder / "settings").mkdir(parents=True, exist_ok=True)
    manifest = "".join([before.replace('id = "real-esrgan"', 'id = "real-esrgan-settings"'), *variants, weights])
    (folder / "settings" / "method.toml").write_text(manifest, encoding="utf-8")
    return [f"{METHOD}-{name}" for name in SETTINGS]


def main() -> None:
    """Run all settings and print their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results, kept for the next call")
    parser.add_argument("--dataset", default="RealSR")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--metrics", nargs="+", help="default: all that can be computed here")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    let_threads_sleep()
    methods = options.out / "methods"
    names = write_variants(methods)
    results = ccsr_bench.run(
        [METHOD, *names],
        dataset=options.dataset,
        metrics=options.metrics,
        limit=options.limit,
        threads=options.threads,
        out=options.out / "results",
        methods_dir=methods,
    )
    print(results.table())


if __name__ == "__main__":
    main()
