"""Tests of `ccsr_bench.methods`."""
