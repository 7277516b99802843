"""The CCSR paper's tables as printed (`results/paper`)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ccsr_bench.places import shipped

TITLES: Mapping[str, str] = {
    "I": "ablation of CCSR: V1 without and V2 with non-uniform timestep sampling, S2 with decoder fine-tuning too",
    "II": "CCSR with T = 18, 12 and 6 timesteps",
    "III": "CCSR with other t_max and t_min",
    "IV": "GAN and standard diffusion methods",
    "V": "standard diffusion methods with three steps",
    "VI": "efficient diffusion methods",
    "VII": "steps, seconds and parameters",
}
"""Subject of each table."""

COST_TABLE = "VII"
"""The table of steps, seconds and parameters."""

COMPARISONS = ("IV", "V", "VI")
"""The tables that compare methods; Tables I to III compare settings of CCSR."""


class Printed(NamedTuple):
    """A cell as printed; empty where the paper prints "-"."""

    value: str
    g_std: str


PaperTable = dict[str, dict[str, dict[str, Printed]]]
"""Data set -> method -> metric -> cell, with the paper's names and in its order."""


def read_tables(folder: Path | None = None) -> dict[str, PaperTable]:
    """Return Tables I to VI by number.

    Args:
        folder: Folder of `tables.csv`; the one that ships with ccsr-bench when None.
    """
    tables: dict[str, PaperTable] = {}
    path = (folder or shipped("results/paper")) / "tables.csv"
    with path.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            row = tables.setdefault(line["table"], {}).setdefault(line["dataset"], {}).setdefault(line["method"], {})
            row[line["metric"]] = Printed(line["value"], line["g_std"])
    return tables


@dataclass(frozen=True)
class PrintedCosts:
    """A row of the paper's Table VII."""

    steps: int
    seconds: float
    parameters_billion: float


def read_costs() -> dict[str, PrintedCosts]:
    """Return the rows of the paper's Table VII by the printed name of the method."""
    with (shipped("results/paper") / "table7.csv").open(newline="", encoding="utf-8") as file:
        return {
            row["method"]: PrintedCosts(
                int(row["inference_steps"]), float(row["seconds_per_image_a100"]), float(row["parameters_billion"])
            )
            for row in csv.DictReader(file)
        }
