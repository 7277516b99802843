"""The test suite: mirrors the package; `contract/` holds what every method and metric must pass."""
