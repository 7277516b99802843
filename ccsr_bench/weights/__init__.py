"""Files of weights, of methods and of metrics: their formats, and reading them without running what they hold."""
