"""The networks of metrics, and the loading of their weights."""
