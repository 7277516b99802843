"""A page for every metric, from the catalogue, and the notes about it in `notes`."""

from __future__ import annotations

from pathlib import Path

import torch

from ccsr_bench.metrics.catalogue import METRICS, PROTOCOLS, MetricInfo, build_metric
from ccsr_bench.metrics.weight_files import FILES, WeightFile
from generate.markdown import facts, page, size, source_text, table

FOLDER = "reference/metrics"
NOTES = Path(__file__).with_name("notes")

KINDS = {
    "reference": "compares each output with the HR image",
    "no-reference": "scores each output alone",
    "distribution": "compares all outputs of a run with all HR images",
}


def pages() -> dict[str, str]:
    """Return the page of every metric, and their index."""
    found = {f"{FOLDER}/{info.name}.md": _metric_page(info) for info in METRICS.values()}
    return {f"{FOLDER}/index.md": _index(), **found}


def _index() -> str:
    rows = [
        [
            f"[`{info.name}`]({info.name}.md)",
            info.label,
            _better(info),
            KINDS[info.kind],
            "yes" if info.default else "by name",
            size(sum(FILES[key].size for key in info.weights)) if info.weights else "none",
        ]
        for info in METRICS.values()
    ]
    unique = {key for info in METRICS.values() if info.default for key in info.weights}
    total = size(sum(FILES[key].size for key in unique))
    protocols = [[f"`{protocol.name}`", f"{protocol.title}."] for protocol in PROTOCOLS.values()]
    return page(
        "# Metrics",
        "What the numbers mean in general is said in [Metrics and their traps](../../concepts/metrics.md). "
        "`ccsr-bench list metrics` prints this list.",
        table(["Name", "Column", "Better", "What it does", "Computed by default", "Weights"], rows),
        f"`ccsr-bench prepare --metrics` fetches the weights of all default metrics, {total}; metrics share files.",
        "## Protocols",
        "A protocol is a named set of definitions ([why there are several](../../concepts/protocols.md)).",
        table(["Protocol", "Definitions"], protocols),
    )


def _metric_page(info: MetricInfo) -> str:
    notes = NOTES / f"{info.name}.md"
    return page(
        f"# {info.label}",
        f"{info.title}. This metric {KINDS[info.kind]}; {_better(info)} values are better.",
        facts(
            [
                ("Name on the command line", f"`{info.name}`"),
                ("Computed by default", "yes" if info.default else f"no, only with `--metrics {info.name}`"),
                ("Decimals in tables", str(info.decimals)),
                ("Licence of the code", info.licence),
                ("Other packages", ", ".join(f"`--backend {info.name}={name}`" for name in info.backends)),
            ]
        ),
        notes.read_text(encoding="utf-8"),
        _definitions(info),
        _weights(info),
    )


def _better(info: MetricInfo) -> str:
    return "higher" if info.higher_is_better else "lower"


def _definitions(info: MetricInfo) -> str:
    """Return what each protocol computes, where that can be said without weights."""
    if info.weights:
        text = "The full definition, with the sha256 of the weights, stands under every table and in every ledger."
        return page("## Definition", text)
    cpu = torch.device("cpu")
    rows = [[f"`{p.name}`", f"{build_metric(info.name, p, cpu).definition}."] for p in PROTOCOLS.values()]
    return page("## Definition", table(["Protocol", "Definition"], rows))


def _weights(info: MetricInfo) -> str:
    if not info.weights:
        return ""
    files = [FILES[key] for key in info.weights]
    return page(
        "## Weights",
        f"`ccsr-bench prepare --metrics {info.name}` fetches and verifies them.",
        "\n".join(_weight_file(file) for file in files),
    )


def _weight_file(file: WeightFile) -> str:
    sources = " or ".join(map(source_text, file.sources))
    return f"- `{file.name}`, {size(file.size)}, {file.licence}\n    - from {sources}\n    - sha256 `{file.sha256}`"
