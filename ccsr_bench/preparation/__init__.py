"""Preparing what a benchmark needs, by name: data sets, methods and metrics."""
