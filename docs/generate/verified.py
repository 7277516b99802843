"""The page of the rows that ccsr-bench has computed, from `results/verified`, beside the paper's."""

from __future__ import annotations

from ccsr_bench.metrics.catalogue import METRICS
from ccsr_bench.paper.reproduced import MEANING, reproduced, verified_means
from ccsr_bench.published.scores import PublishedSet, published_values, verified_sets
from generate.markdown import code, page, table


def pages() -> dict[str, str]:
    """Return the page."""
    return {
        "reference/verified.md": page(
            "# Verified rows",
            "Rows that ccsr-bench has computed on published images, with published weights or with none. "
            "`ccsr-bench verify NAME` computes a row again, or with `--limit N` its first N images, and compares each "
            "image's scores and the means ([how](../concepts/trust.md#rows-that-ccsr-bench-computed)).",
            *_rows(),
            "## The paper's rows that are reproduced",
            _reproduced(),
            "## How each row was computed",
            *(page(f"### {name}", _computation(verified)) for name, verified in verified_sets().items()),
        )
    }


def _rows() -> list[str]:
    """Return one table of means for each data set."""
    tables = []
    for dataset in dict.fromkeys(verified.dataset for verified in verified_sets().values()):
        names = [name for name, verified in verified_sets().items() if verified.dataset == dataset]
        means = {name: verified_means(name) for name in names}
        metrics = [metric for metric in METRICS if any(metric in found for found in means.values())]
        rows = [
            [
                f"`{name}`",
                verified_sets()[name].title,
                str(len(next(iter(published_values(name).values())))),
                *(_mean(found, metric) for metric in metrics),
            ]
            for name, found in means.items()
        ]
        header = ["Name", "Row", "Images", *(METRICS[metric].label for metric in metrics)]
        tables += [f"## {dataset}", table(header, rows)]
    return tables


def _mean(means: dict[str, float], metric: str) -> str:
    return f"{means[metric]:.{METRICS[metric].decimals + 2}f}" if metric in means else ""


def _reproduced() -> str:
    numbers = reproduced()
    if not numbers:
        return "None yet: the verified rows are of methods that the paper's tables do not have."
    header = ["Row", "Table", "Metric", "ccsr-bench", "Paper", "Difference", "Agrees to"]
    return page(MEANING, table(header, [list(number.texts()) for number in numbers]))


def _computation(verified: PublishedSet) -> str:
    if verified.computed is None:
        raise ValueError(f"{verified.title} says nothing about its computation")
    definitions = [[METRICS[metric].label, text] for metric, text in verified.computed.definitions.items()]
    return page(
        code(verified.computed.command, "bash"),
        f"Outputs made by `{verified.computed.origin}`; {verified.source}.",
        table(["Metric", "Definition"], definitions),
    )
