"""The quantities that tables, plots, gates and statistics show: their labels, digits, directions and units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ccsr_bench.errors import unknown_name
from ccsr_bench.metrics.catalogue import METRICS

G_STD_DECIMALS = 4
"""Decimals of a G-STD in a table, whatever its metric."""


@dataclass(frozen=True)
class Quantity:
    """A metric, L-STD, or a cost."""

    name: str
    label: str
    """Heading in tables, as the paper prints it."""
    higher_is_better: bool
    decimals: int
    """Decimals of the value in a table, as the paper prints it."""
    unit: str = ""
    spread: bool = True
    """Whether a table prints a spread after the value."""


L_STD = Quantity("l-std", "L-STD", higher_is_better=False, decimals=4, spread=False)

SCORES: tuple[Quantity, ...] = (
    *(Quantity(info.name, info.label, info.higher_is_better, info.decimals, info.unit) for info in METRICS.values()),
    L_STD,
)
"""The scores, in the order of the paper's tables."""

COSTS: tuple[Quantity, ...] = (
    Quantity("steps", "Steps", higher_is_better=False, decimals=0, spread=False),
    Quantity("seconds", "Seconds/image", higher_is_better=False, decimals=2, unit="s", spread=False),
    Quantity("parameters", "Parameters/10^9", higher_is_better=False, decimals=2, spread=False),
)
"""The costs of a method, as in the paper's Table VII."""


def find_quantities(names: Sequence[str], known: Sequence[Quantity] = SCORES) -> tuple[Quantity, ...]:
    """Return quantities by name, in the order of the names and each once.

    Raises:
        BenchError: There is no such quantity; near names are given.
    """
    quantities = {quantity.name: quantity for quantity in known}
    for name in names:
        if name not in quantities:
            raise unknown_name("metric", name, quantities)
    return tuple(quantities[name] for name in dict.fromkeys(names))
