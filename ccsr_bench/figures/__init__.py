"""Figures for a paper: what each shows (`points`, `regions`, `pictures`) apart from how it is drawn (the others)."""
