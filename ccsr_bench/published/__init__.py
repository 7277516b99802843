"""Scores that others published, and the comparison of our scores with them."""
