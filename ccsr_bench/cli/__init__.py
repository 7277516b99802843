"""The command line: `main`, and one module for each verb."""

from __future__ import annotations

from ccsr_bench.cli.main import main

__all__ = ["main"]
