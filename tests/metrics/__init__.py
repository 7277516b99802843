"""Tests of `ccsr_bench.metrics`."""
