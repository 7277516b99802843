"""The uncertainty of scores: intervals (`bootstrap`), tests (`paired`), and the number of runs (`run_counts`)."""
