"""Metrics: the interface (`base`), which there are (`catalogue`), one module per metric, and the scorer."""
