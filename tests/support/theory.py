"""What theory says of noise."""

from __future__ import annotations

import math


def expected_population_std(runs: int) -> float:
    """Return E[population STD of `runs` standard normal draws] = c4(runs) sqrt((runs-1)/runs)."""
    c4 = math.sqrt(2 / (runs - 1)) * math.exp(math.lgamma(runs / 2) - math.lgamma((runs - 1) / 2))
    return c4 * math.sqrt((runs - 1) / runs)
