"""Metrics: their interface (`base`), the list of them (`catalogue`), one module per metric, and the scorer."""
