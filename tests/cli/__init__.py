"""Tests of `ccsr_bench.cli`."""
