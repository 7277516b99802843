"""Compute rows of published methods on published images, and write them to `results/verified`.

    python -m benchmarks.verified_rows bicubic lanczos --dataset RealSR --metrics psnr ssim

The method runs on every image of the data set, as by `ccsr-bench run`, and its ledger is kept in `--out`: the same
command again computes only what is missing. Each row is a TOML file and a CSV file in `--to`, in the form that
`ccsr_bench.published.scores` reads and `ccsr-bench verify` compares with.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

import ccsr_bench as cb
from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_atomically
from ccsr_bench.ledger.results import Results, Scores, open_results
from ccsr_bench.published.scores import OUTPUT_HASH, Computation, PublishedSet, Tolerance

TOLERANCES: Mapping[str, Tolerance] = {
    "psnr": Tolerance(image=1e-3, mean=1e-4),
    "ssim": Tolerance(image=1e-5, mean=1e-6),
    "lpips": Tolerance(image=1e-4, mean=1e-5),
    "dists": Tolerance(image=5e-5, mean=5e-6),
    "niqe": Tolerance(image=0.05, mean=0.005),
}
"""Tolerances of the metrics whose differences between machines were measured; `results/verified/README.md` says how."""

DIGITS = 8
"""Decimals of the values in the CSV file."""

ENVIRONMENT = ("code", "python", "processor", "device", "threads", "packages")
"""Parts of a session's provenance that a row records."""


def main() -> None:
    """Compute the rows and write them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verified_rows")
    parser.add_argument("methods", nargs="+", metavar="METHOD", help="methods to run")
    parser.add_argument("--dataset", required=True, help="data set to run them on")
    parser.add_argument("--metrics", nargs="+", required=True, choices=list(TOLERANCES), help="metrics of the rows")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the ledgers (default: results)")
    parser.add_argument("--to", type=Path, default=Path("results/verified"), help="folder of the two files of each row")
    options = parser.parse_args()
    try:
        for method in options.methods:
            cb.run(method, dataset=options.dataset, metrics=options.metrics, out=options.out, runs=1)
            write_row(options.out, method, options.dataset, options.metrics, options.to)
    except BenchError as error:
        sys.exit(f"verified_rows: {error}")


def write_row(out: Path, method: str, dataset: str, metrics: Sequence[str], to: Path) -> None:
    """Write the TOML and the CSV file of one row.

    Args:
        out: Folder of all results, with the ledger of the method on the data set.
        method: Name of the method.
        dataset: Name of the data set.
        metrics: Names of the metrics of the row.
        to: Folder of the two files, which are named by the method and the data set.

    Raises:
        BenchError: The ledger lacks images or scores, or has several runs.
    """
    with open_results(out, methods=[method], datasets=[dataset]) as (results,):
        scores = _complete_scores(results, metrics)
        published = _published(results, metrics)
        text = _csv(results, scores)
    name = f"{method}-{dataset}".lower()
    to.mkdir(parents=True, exist_ok=True)
    write_atomically(to / f"{name}.csv", text.encode())
    write_atomically(to / f"{name}.toml", _toml(published).encode())
    sys.stdout.write(f"{to / name}: {len(results.images)} images, {', '.join(metrics)}\n")


def _complete_scores(results: Results, metrics: Sequence[str]) -> dict[str, Scores]:
    """Return the scores of every image, by metric."""
    if results.runs != 1:
        raise BenchError(f"{results.ledger.folder}: {results.runs} runs; a verified row has one run")
    scores = {metric: results.scores(metric) for metric in metrics}
    complete = {metric: found for metric, found in scores.items() if found and found.images == results.images}
    absent = results.description.dataset_images - len(results.images)
    if absent or len(complete) < len(scores):
        raise BenchError(f"{results.ledger.folder}: images or scores are missing; a verified row has all of them")
    return complete


def _published(results: Results, metrics: Sequence[str]) -> PublishedSet:
    identity, dataset = results.identity, results.identity.dataset
    environments = [
        {part: session[part] for part in ENVIRONMENT if part in session} for session in results.ledger.sessions.values()
    ]
    return PublishedSet(
        title=f"{results.description.title} on {dataset}",
        source=f"computed by {results.version()}",
        dataset=dataset,
        method=identity.method,
        protocol=identity.protocol,
        tolerances={metric: TOLERANCES[metric] for metric in metrics},
        computed=Computation(
            command=f"python -m benchmarks.verified_rows {identity.method} --dataset {dataset} "
            f"--metrics {' '.join(metrics)}",
            origin=identity.made_by_text,
            definitions={metric: results.definitions[metric] for metric in metrics},
            environments=[one for index, one in enumerate(environments) if one not in environments[:index]],
        ),
    )


def _csv(results: Results, scores: Mapping[str, Scores]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", *scores, OUTPUT_HASH])
    for row, image in enumerate(results.images):
        values = [f"{found.values[row, 0]:.{DIGITS}f}" for found in scores.values()]
        writer.writerow([image, *values, results.ledger.outputs(image)[0].png_sha256])
    return text.getvalue()


def _toml(published: PublishedSet) -> str:
    """Return a set as TOML: its texts, then its tables; what is empty is left out."""
    fields: dict[str, Any] = msgspec.to_builtins(published)
    lines = [f"{key} = {_value(value)}" for key, value in fields.items() if isinstance(value, str) and value]
    computed = fields["computed"]
    environments = computed.pop("environments")
    for heading, table in (
        ("[tolerances]", fields["tolerances"]),
        ("[computed]", {key: value for key, value in computed.items() if isinstance(value, str)}),
        ("[computed.definitions]", computed["definitions"]),
        *(("[[computed.environments]]", environment) for environment in environments),
    ):
        lines += ["", heading, *(f"{_key(key)} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_value(part)}' for key, part in value.items())} }}" if value else "{}"
    return json.dumps(value, ensure_ascii=False)  # a text, a number or a truth value is written as in JSON


if __name__ == "__main__":
    main()
