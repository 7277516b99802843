"""Figures for a paper: their contents (`pictures`, `regions`, `run_lines`, `scatters`, `selection`) and drawing."""
