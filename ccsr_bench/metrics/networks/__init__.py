"""The networks of metrics, and the files of weights they are loaded from."""
