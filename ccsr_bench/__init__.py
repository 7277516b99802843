"""Trustworthy benchmarking of generative image super-resolution.

The public names below are imported when they are first used: importing the package imports neither torch nor numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ccsr_bench.datasets.loading import Dataset, Sample, from_folders
    from ccsr_bench.datasets.loading import load as load_dataset
    from ccsr_bench.errors import BenchError
    from ccsr_bench.ledger.reader import Ledger
    from ccsr_bench.methods.base import Method
    from ccsr_bench.methods.loading import load_method
    from ccsr_bench.methods.registry import find_method, find_methods
    from ccsr_bench.metrics.catalogue import build_metric, build_metrics, find_protocol
    from ccsr_bench.metrics.scorer import Scorer
    from ccsr_bench.seeds import seed
    from ccsr_bench.stability import g_std, l_std
    from ccsr_bench.statistics.bootstrap import bootstrap_interval
    from ccsr_bench.statistics.paired import paired_difference

_PUBLIC = {
    "BenchError": "errors:BenchError",
    "Dataset": "datasets.loading:Dataset",
    "Ledger": "ledger.reader:Ledger",
    "Method": "methods.base:Method",
    "Sample": "datasets.loading:Sample",
    "Scorer": "metrics.scorer:Scorer",
    "bootstrap_interval": "statistics.bootstrap:bootstrap_interval",
    "build_metric": "metrics.catalogue:build_metric",
    "build_metrics": "metrics.catalogue:build_metrics",
    "find_method": "methods.registry:find_method",
    "find_methods": "methods.registry:find_methods",
    "find_protocol": "metrics.catalogue:find_protocol",
    "from_folders": "datasets.loading:from_folders",
    "g_std": "stability:g_std",
    "l_std": "stability:l_std",
    "load_dataset": "datasets.loading:load",
    "load_method": "methods.loading:load_method",
    "paired_difference": "statistics.paired:paired_difference",
    "seed": "seeds:seed",
}

__all__ = [
    "BenchError",
    "Dataset",
    "Ledger",
    "Method",
    "Sample",
    "Scorer",
    "bootstrap_interval",
    "build_metric",
    "build_metrics",
    "find_method",
    "find_methods",
    "find_protocol",
    "from_folders",
    "g_std",
    "l_std",
    "load_dataset",
    "load_method",
    "paired_difference",
    "seed",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ccsr_bench' has no attribute '{name}'")
    module, _, attribute = _PUBLIC[name].partition(":")
    return getattr(importlib.import_module(f"ccsr_bench.{module}"), attribute)
