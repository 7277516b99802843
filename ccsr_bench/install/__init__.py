"""Installing files: one way to hash, verify, fetch, copy and record them, for data sets, methods and metrics alike."""
