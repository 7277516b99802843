"""Preparing data sets, methods and metrics by name."""
