"""Metrics: the interface (`base`), one module per metric, named presets (`protocols`), and the scorer."""
