"""How far numbers can be trusted: intervals (`bootstrap`), tests (`paired`), enough runs (`run_counts`)."""
