"""Scores that others published, and the comparison of ours with them."""
