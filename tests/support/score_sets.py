"""Sets of published scores that a test writes."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from ccsr_bench.datasets.loading import Dataset, load_dataset
from ccsr_bench.images import read_image, write_png
from ccsr_bench.published import scores
from tests.support.jobs import scorer
from tests.support.pictures import noisy, write_pairs

COMPUTED = """
[computed]
command = "a command"
origin = "an origin"
environments = []
[computed.definitions]
"""


def use_sets_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a folder stand for the one with `results/published` and `results/verified`."""
    monkeypatch.setattr(scores, "shipped", lambda name: folder / name)


def write_set(
    folder: Path,
    name: str,
    values: Mapping[str, Mapping[str, str]],
    *,
    dataset: str,
    outputs: str = "",
    method: str = "",
    more: str = "",
) -> None:
    """Write a set of published scores: metric -> image -> value as printed.

    Args:
        folder: Folder of `use_sets_in`.
        name: Name of the set.
        values: Values of every metric for the same images.
        dataset: Name of the data set, or path of its manifest.
        outputs: Name of published outputs.
        method: Name of a method, for a verified row.
        more: TOML at the end of the manifest.
    """
    home = folder / ("results/verified" if method else "results/published")
    home.mkdir(parents=True, exist_ok=True)
    kind = f'method = "{method}"' if method else f'outputs = "{outputs}"'
    tolerances = "\n".join(f"{metric} = {{ image = 1e-6, mean = 1e-6 }}" for metric in values)
    (home / f"{name}.toml").write_text(
        f'title = "{name}"\nsource = "a test"\ndataset = "{dataset}"\n{kind}\nprotocol = "paper"\n'
        f"[tolerances]\n{tolerances}\n{COMPUTED if method else ''}{more}"
    )
    images = list(next(iter(values.values())))
    with (home / f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", *values, *([scores.OUTPUT_HASH] if method else [])])
        for image in images:
            writer.writerow([image, *(column[image] for column in values.values()), *(["0"] if method else [])])


def write_dataset(folder: Path) -> Dataset:
    """Write four pairs with published outputs of `others`, and the manifest of the data set, `own.toml`."""
    names = [f"image{index}" for index in range(4)]
    write_pairs(folder, names)
    (folder / "outputs" / "others").mkdir(parents=True)
    for index, name in enumerate(names):
        output = noisy(read_image(folder / "hr" / f"{name}.png"), 4.0 + index)
        write_png(folder / "outputs" / "others" / f"{name}.png", output)
    manifest = folder / "own.toml"
    manifest.write_text(
        'name = "own"\ntitle = "Own"\ncitation = "none"\nlicence = "none"\nscale = 4\nimages = 4\n'
        '[source]\nkind = "folder"\nlr = "lr"\nhr = "hr"\n'
    )
    return load_dataset(str(manifest))


def output_scores(dataset: Dataset, metrics: list[str]) -> dict[str, dict[str, str]]:
    """Return the scores of the published outputs of `others` as printed: metric -> image -> value."""
    values: dict[str, dict[str, str]] = {metric: {} for metric in metrics}
    for name, path in dataset.outputs("others").items():
        sample = next(sample for sample in dataset.samples if sample.name == name)
        one = scorer(metrics)
        scored, _ = one.score(read_image(path)[None], one.reference(sample.read().hr), metrics)
        for metric in metrics:
            values[metric][name] = f"{scored[metric][0]:.8f}"
    return values
