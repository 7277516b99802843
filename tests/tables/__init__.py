"""Tests of `ccsr_bench.tables`."""
