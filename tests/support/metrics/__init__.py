"""Metrics with random weights in the layouts of the published files."""
