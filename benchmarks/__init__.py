"""Scripts that measure the numbers in the documentation."""
