"""Scripts that measure what the documentation quotes."""
